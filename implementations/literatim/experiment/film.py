"""A film of an agent at play: what a person sees of the game, and beside it the value of each action."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from literatim.errors import LiteratimError

ENDINGS = (".gif", ".mp4")
SCALE, PANEL, MARGIN = 2, 260, 14  # of the picture; pixels of what stands beside it
PAPER, INK, FAINT, BAR, CHOSEN = (22, 24, 34), (236, 236, 240), (150, 154, 170), (104, 116, 214), (255, 176, 96)
UNHURRIED = 5  # steps a second of a game that has no speed of its own
HELD = 1.0  # seconds for which the end of an episode stands


class Moment(NamedTuple):
    """A step of the agent's, or the end of an episode, in which nothing is chosen any more."""

    picture: NDArray[np.uint8]
    values: NDArray[np.float32]
    action: int | None
    score: float


class Enough(Exception):
    """The film is as long as it is to be."""


class Watcher:
    """Keeps what an agent sees and does in an episode, until `most` steps are seen in all."""

    def __init__(self, values: Callable[[NDArray[np.uint8]], NDArray[np.float32]], most: int) -> None:
        self.values, self.most = values, most
        self.moments: list[Moment] = []
        self.names: list[str] = []
        self.rate: float = UNHURRIED
        self.scores: list[float] = []  # of the episodes that ended
        self.game: Any = None

    def __call__(self, game: Any, state: NDArray[np.uint8], action: int) -> None:
        if game is not self.game:
            self.leave()
            self.begin(game)
        if len(self.moments) >= self.most:
            raise Enough
        self.moments.append(Moment(game.picture().copy(), self.values(state[None]), action, self.score))

    def begin(self, game: Any) -> None:
        """An episode: what its steps bring is told to nobody but to whom stands between."""
        self.game, self.score, self.names = game, 0.0, list(game.names)
        self.rate = 60 / game.repeat if hasattr(game, "repeat") else UNHURRIED
        step = game.step

        def seen(action: int) -> Any:
            brought = step(action)
            self.score += brought.reward
            if brought.over:
                self.scores.append(self.score)
                self.moments.append(Moment(game.picture().copy(), self.moments[-1].values, None, self.score))
            return brought

        game.step = seen

    def leave(self) -> None:
        """An emulator that is never let go complains at the end."""
        if self.game is not None:
            del self.game.step
            self.game = None


def watched(trainer: Any, model: Any, data: Any, first: int, most: int) -> Watcher:
    """The episodes of a test from number `first` on, until `most` steps are seen.

    `data` is an ExperienceDataModule, `model` a training with `values_of`; neither has been set up.
    """
    trainer.datamodule, model.trainer, data.trainer = data, trainer, trainer
    data.setup("predict")
    model.eval().setup("predict")  # which looks whether the network fits the game
    watcher = Watcher(model.values_of, most)
    try:
        while len(watcher.moments) < most:
            data.episode("test", first, watcher)
            first += 1
    except Enough:
        pass
    finally:
        watcher.leave()
    return watcher


# --- a picture of a moment -------------------------------------------------------------------------


def frames(watcher: Watcher, title: str) -> Iterator[Image.Image]:
    """The pictures of a film, all of one size; the bars of all are drawn to one scale."""
    values = np.stack([moment.values for moment in watcher.moments])
    span = min(0.0, float(values.min())), max(0.0, float(values.max()), 1e-6)
    for moment in watcher.moments:
        yield frame(moment, watcher.names, title, span)


def frame(moment: Moment, names: list[str], title: str, span: tuple[float, float]) -> Image.Image:
    """The game's picture, and beside it score and values."""
    game = Image.fromarray(moment.picture)
    game = game.resize((320, SCALE * game.height), Image.Resampling.NEAREST)  # pixels of ALE are twice as wide as high
    whole = Image.new("RGB", (game.width + PANEL, game.height), PAPER)
    whole.paste(game)
    draw, left, right = ImageDraw.Draw(whole), game.width + MARGIN, whole.width - MARGIN
    draw.text((left, 12), title, INK, font(20))
    draw.text((left, 40), f"score {moment.score:g}".replace("-", "−"), INK, font(16))
    draw.text((left, 72), "value of each action", FAINT, font(12))
    if moment.action is not None and moment.action != int(moment.values.argmax()):
        draw.text((right, whole.height - 12), "drawn at random", CHOSEN, font(12), anchor="rs")
    room = (whole.height - 118) / len(names)
    height = min(30.0, room)
    bars(draw, moment, names, span, (left, 94, right, height))
    return whole


def bars(
    draw: ImageDraw.ImageDraw, moment: Moment, names: list[str], span: tuple[float, float],
    place: tuple[int, int, int, float],
) -> None:  # fmt: skip
    """A row for each action: its name, a bar from zero, its value; the chosen one is marked."""
    left, top, right, height = place
    letters = font(max(8, min(13, int(height * 0.7))))
    names = [name.lower() for name in names]
    low, high = left + 12 + max(int(letters.getlength(name)) for name in names) + 8, right - 48
    scale = (high - low) / (span[1] - span[0])
    zero = low - span[0] * scale
    for row, (name, value) in enumerate(zip(names, moment.values, strict=True)):
        y, chosen = top + row * height, row == moment.action
        middle = y + height / 2
        colour = CHOSEN if chosen else INK
        if chosen:
            draw.text((left, middle), "▸", CHOSEN, letters, anchor="lm")
        draw.text((left + 12, middle), name, colour, letters, anchor="lm")
        draw.text((right, middle), f"{value:.2f}".replace("-", "−"), colour, letters, anchor="rm")
        ends = sorted((zero, zero + float(value) * scale))
        draw.rectangle((ends[0], y + height * 0.2, ends[1], y + height * 0.8), CHOSEN if chosen else BAR)
    draw.line((zero, top, zero, top + len(names) * height), FAINT)


def font(size: int) -> ImageFont.FreeTypeFont:
    """The letters that matplotlib brings: they have every sign, and are the same everywhere."""
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


# --- the files -------------------------------------------------------------------------------------


def write_film(watcher: Watcher, title: str, to: Path) -> None:
    """A GIF or an MP4, by the ending. Raises LiteratimError where no MP4 can be written, and for a full disk."""
    beside = to.with_name(f".{os.getpid()}.{to.name}")  # a full disk leaves the film that was there
    try:
        (write_gif if to.suffix.lower() == ".gif" else write_mp4)(watcher, title, beside)
        os.replace(beside, to)
    except OSError as error:
        raise LiteratimError(f"{to}: the film cannot be written: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)


def write_gif(watcher: Watcher, title: str, to: Path) -> None:
    """With one palette for the whole film, in which a pixel that stays as it is costs next to nothing."""
    of_all = palette(watcher, title)
    made = (one.quantize(palette=of_all, dither=Image.Dither.NONE) for one in frames(watcher, title))
    step = round(100 / watcher.rate) * 10  # milliseconds; a GIF counts in hundredths of a second
    durations = [round(1000 * HELD) if moment.action is None else step for moment in watcher.moments]
    next(made).save(to, "GIF", save_all=True, append_images=made, duration=durations, loop=0, disposal=1, optimize=True)


def palette(watcher: Watcher, title: str) -> Image.Image:
    """The colours of the game as they are, and as many as there is room for of those that stand beside it."""
    colours: list[Any] = []
    for moment in watcher.moments:
        found = Image.fromarray(moment.picture).getcolors(1 << 16) or ()
        colours += sorted({colour for _, colour in found} - set(colours))  # of ALE there are at most 128
    beside = next(frames(watcher, title)).crop((320, 0, 320 + PANEL, moment.picture.shape[0]))
    flat = [level for colour in colours[:191] for level in colour] + (beside.quantize(64).getpalette() or [])
    of_all = Image.new("P", (1, 1))
    of_all.putpalette(flat[: 3 * 255])  # the last is for what stays as it is
    return of_all


def write_mp4(watcher: Watcher, title: str, to: Path) -> None:
    try:
        import imageio_ffmpeg
    except ModuleNotFoundError:
        raise LiteratimError(
            'an MP4 needs one more package: pip install "literatim[film]"; a .gif needs none'
        ) from None
    writer = imageio_ffmpeg.write_frames(
        to, next(frames(watcher, title)).size, fps=watcher.rate, codec="libx264", quality=None, bitrate=None,
        macro_block_size=2, output_params=["-crf", "20", "-movflags", "+faststart"], ffmpeg_log_level="quiet",
    )  # fmt: skip
    writer.send(None)
    written = 0
    try:
        for moment, one in zip(watcher.moments, frames(watcher, title), strict=True):
            for _ in range(round(HELD * watcher.rate) if moment.action is None else 1):
                writer.send(one.tobytes())
                written += 1
        writer.close()
        whole = imageio_ffmpeg.count_frames_and_secs(str(to))[0] == written
    except (OSError, RuntimeError):  # what ffmpeg could not write it does not say
        whole = False
    if not whole:
        raise OSError("ffmpeg gave up; is the disk full?")
