"""The data module `corpus`: a text as batches of words with the words around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch import Tensor

from literatim.datasets.encoding import Options, encode
from literatim.datasets.phrases import Phrases
from literatim.datasets.stretches import Stretches
from literatim.datasets.text import Encoded, Tokens, Vocabulary, fingerprint
from literatim.errors import LiteratimError

Radius = Literal["uniform", "fixed"]
# Words of a stretch whose windows are worked out at once: its random numbers follow from seed, epoch and its number.
BLOCK = 16_384
NO_PHRASES = Phrases()


class Windows(NamedTuple):
    """Words of the text with their surroundings, as ids.

    `centre` (N,); `context` (N, 2c): the c words before and the c after, -1 where there is none; `words`: how many
    words of the text the batch covers, those that were left out included.
    """

    centre: Tensor
    context: Tensor
    words: int


class WindowBatches:
    """The windows of a text in its own order; what a DataLoader is to Lightning.

    A batch covers `batch_size` successive words of the text. Words that are left out by chance (`keep`) are taken
    away first, so windows reach past them; a window ends with its sentence. What is drawn follows from the seed,
    the epoch and the place in the text alone, and the place is saved with a checkpoint: a resumed run sees the very
    batches that the interrupted one would have seen.

    Args:
        text: the ids
        window: the largest distance c of a word to the centre
        batch_size: words of the text a batch
        radius: a distance drawn for every centre from 1 to c with equal chances ("uniform"), or always c ("fixed")
        keep: (V,) with what probability an occurrence of a word is kept; all of them where None
        seed: of the draws
    """

    batch_sampler = None  # Lightning asks; there is none

    def __init__(
        self,
        text: Encoded,
        window: int,
        batch_size: int,
        radius: Radius = "uniform",
        keep: NDArray[np.float64] | None = None,
        seed: int = 0,
    ) -> None:
        self.text, self.window, self.batch_size, self.radius, self.keep = text, window, batch_size, radius, keep
        self.seed, self.epoch, self.position = seed, 0, 0
        self.resumed: dict[str, int] = {}
        self.blocks = text.blocks(BLOCK)
        self.sizes = [int(text.offsets[after] - text.offsets[first]) for first, after in self.blocks]

    @property
    def sampler(self) -> WindowBatches:
        """Where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return sum(-(-size // self.batch_size) for size in self.sizes)

    def __iter__(self) -> Iterator[Windows]:
        resumed, self.resumed = self.resumed, {}
        seen = resumed["position"] if resumed.get("epoch") == self.epoch else 0
        self.position = 0
        for number, size in enumerate(self.sizes):
            batches = -(-size // self.batch_size)
            if self.position + batches <= seen:
                self.position += batches
                continue
            place, centre, context = self.windows(number)
            for start in range(0, size, self.batch_size):
                self.position += 1
                if self.position > seen:
                    end = min(start + self.batch_size, size)
                    low, high = np.searchsorted(place, (start, end))
                    yield Windows(centre[low:high], context[low:high], end - start)

    def windows(self, number: int) -> tuple[NDArray[np.int64], Tensor, Tensor]:
        """The windows of a block: (place of each centre in the block, centre, context)."""
        first, after = self.blocks[number]
        offsets = np.asarray(self.text.offsets[first : after + 1])
        ids = np.asarray(self.text.ids[offsets[0] : offsets[-1]])
        sentence = np.repeat(np.arange(after - first), np.diff(offsets))
        place = np.arange(len(ids))
        draws = np.random.default_rng([self.seed, self.epoch, number])
        if self.keep is not None:
            kept = draws.random(len(ids)) < self.keep[ids]
            ids, sentence, place = ids[kept], sentence[kept], place[kept]
        reach = np.full(len(ids), self.window)
        if self.radius == "uniform":
            reach = draws.integers(1, self.window, size=len(ids), endpoint=True)
        steps = np.array([*range(-self.window, 0), *range(1, self.window + 1)])
        at = np.arange(len(ids))[:, None] + steps
        inside = (at >= 0) & (at < len(ids)) & (abs(steps) <= reach[:, None])
        at = np.where(inside, at, 0)
        inside &= sentence[at] == sentence[:, None]
        context = np.where(inside, ids[at], -1)
        alone = ~inside.any(axis=1)  # such a word predicts nothing and is predicted by nothing
        place, centre, context = place[~alone], ids[~alone], context[~alone]
        return place, torch.from_numpy(centre.astype(np.int64)), torch.from_numpy(context.astype(np.int64))

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.resumed = state


class Corpus(LightningDataModule):
    """A text to learn words from: Python's own help texts, a text file or a folder of them.

    It may be larger than memory: its ids are on disk, and are used again while the text and the options are the same.
    After `setup`, `vocabulary` has the words with their counts in the training text. A training module may set
    `keep`, the probabilities with which occurrences of the words are kept, before the first epoch, and `stretch`, how
    many words the stretches of text have that it wants in place of windows.

    Args:
        source: "pydoc", the help texts inside every CPython; a text file, a sentence a line, also .gz and .xz; or a
            folder of such files
        lower: lower-case the text
        tokens: "words" takes runs of letters with their marks, in NFC; "whitespace" what is between spaces, as it is
        min_count: words that occur less often are left out
        at_most: only so many words, the most frequent ones
        phrases: words that often stand together are joined first, "new_york"; see `Phrases`
        prune_at: where there are more different words (or pairs, for phrases) than this, the rarest are forgotten while
            counting; the default is that of the released code, seven tenths of 30 million
        cache: a folder for the ids; where none is named the user's cache, and for less than 16 MB of text memory
        hold_out: every so many-th sentence is kept for the set `test`; 0 keeps none, and `test` is the training text
        window: c, the largest distance of a word to the centre
        radius: a distance drawn for each centre from 1 to c ("uniform"), or always c ("fixed")
        batch_size: words of the text a step
        eval_batch_size: words of the text a step when evaluating
        watch: sets whose metrics are taken after every epoch: train, test
        seed: of what is drawn
    """

    classes: tuple[str, ...] = ()

    def __init__(
        self,
        source: str = "pydoc",
        lower: bool = True,
        tokens: Tokens = "words",
        min_count: int = 5,
        at_most: int | None = None,
        phrases: Phrases = NO_PHRASES,
        prune_at: int = 21_000_000,
        cache: str | None = None,
        hold_out: int = 0,
        window: int = 5,
        radius: Radius = "uniform",
        batch_size: int = 64,
        eval_batch_size: int = 512,
        watch: list[str] = ["test"],  # noqa: B006 (Lightning shows the default in --help)
        seed: int = 0,
    ) -> None:
        super().__init__()
        for name, value, least in (
            ("min_count", min_count, 1), ("at_most", 2 if at_most is None else at_most, 2), ("window", window, 1),
            ("hold_out", 2 if hold_out == 0 else hold_out, 2), ("batch_size", batch_size, 1),
            ("eval_batch_size", eval_batch_size, 1), ("prune_at", prune_at, 2),
        ):  # fmt: skip
            if value < least:
                raise LiteratimError(f"data.{name} is {value}; it must be at least {least}")
        self.options = Options(source, lower, tokens, min_count, at_most, hold_out, phrases, prune_at)
        self.cache = cache
        self.window, self.radius, self.batch_size, self.eval_batch_size = window, radius, batch_size, eval_batch_size
        self.watch, self.seed = watch, seed
        self.keep: NDArray[np.float64] | None = None
        self.stretch: int | None = None
        self.vocabulary: Vocabulary | None = None
        self.text: str | None = None
        self.sets: dict[str, Encoded] = {}

    def setup(self, stage: str) -> None:
        if self.sets or stage == "predict":
            return
        self.vocabulary, self.sets = encode(self.options, self.cache, self.fingerprint())
        if not self.options.hold_out:
            self.sets["test"] = self.sets["train"]

    def fingerprint(self) -> str:
        """Of the text: another text has another, wherever it lies and however old it says it is."""
        if self.text is None:
            self.text = fingerprint(self.options.source)
        return self.text

    def train_dataloader(self) -> WindowBatches | Stretches:
        if self.stretch:
            return Stretches(self._set("train"), self.stretch, self.seed)
        return WindowBatches(self._set("train"), self.window, self.batch_size, self.radius, self.keep, self.seed)

    def val_dataloader(self) -> list[WindowBatches]:
        return [self.whole(name) for name in self.watch]

    def test_dataloader(self) -> WindowBatches:
        return self.whole("test")

    def predict_dataloader(self) -> WindowBatches:
        raise LiteratimError("a model of words has no image files to answer for; ask for neighbours and analogies")

    def whole(self, name: str) -> WindowBatches:
        """A set to evaluate on: every word of it, and the same windows each time."""
        return WindowBatches(self._set(name), self.window, self.eval_batch_size, "fixed")

    def _set(self, name: str) -> Encoded:
        if name not in self.sets:
            raise LiteratimError(f'there is no set "{name}" to watch; there are {", ".join(self.sets)}')
        if not len(self.sets[name]):
            raise LiteratimError(f"the set {name} has no word of the vocabulary; take more text or a larger part of it")
        return self.sets[name]
