"""Ten thousand damaged files and odd command lines: each is taken, or refused in a sentence, and none is waited for.

What is tried follows from the seed of each test, so that a failure comes again. What a command's `main` makes a
sentence of, a LiteratimError or an OSError, is one here; anything else a user would see as a traceback.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import lzma
import pickle
import random
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from conftest import Late, forget, in_time, inside, sound_record
from literatim.datasets import cifar10, mnist
from literatim.datasets.images import read_digit
from literatim.datasets.pictures import read_picture
from literatim.datasets.text import tokenised
from literatim.errors import LiteratimError
from literatim.experiment.checkpoints import read_checkpoint
from literatim.papers.word2vec import evaluation, formats
from literatim.registry import find
from literatim.registry.reading import lint_file, papers_folder
from literatim.registry.recorded import checked, curve_rows
from literatim.registry.settings import settings
from mutations import ODD, changed, damaged

LIMIT = 60  # seconds for an input, on however busy a machine; they take milliseconds
Try = Callable[[random.Random, Path], None]


def outcome(one: Callable[[], None]) -> str:
    """taken or refused; else what a user would see."""
    try:
        with in_time(LIMIT), warnings.catch_warnings(action="ignore"):
            one()
    except (LiteratimError, OSError):
        return "refused"
    except Late:
        return f"hangs: {traceback.format_exc()}"
    except BaseException:
        return traceback.format_exc()
    return "taken"


def command(*args: str, cwd: Path) -> None:
    """A command line: a sentence for 2, and 1 only from commands that judge. Raises AssertionError else."""
    try:
        done = inside(*args, cwd=cwd)
    except SystemExit as end:  # as --print_config ends
        if end.code:
            raise
        return
    said = done.stderr.strip().splitlines()
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in ((0, 1, 2) if args and args[0] in ("verify", "lint", "show") else (0, 2)), done.returncode
    if done.returncode == 2:
        assert not said or said[-1].startswith(("literatim: ", "usage: ")), done.stderr
        raise LiteratimError("as it should")


# --- files ---------------------------------------------------------------------------------------


def yaml_of(name: str, draw: random.Random) -> bytes:
    """One of the collection's files, its text damaged or one of its values odd."""
    paths = sorted(papers_folder().glob(name))
    content = draw.choice(paths[:6]).read_bytes()
    if draw.random() < 0.5:
        start = draw.randrange(0, max(1, len(content) - 6000))
        return damaged(content if len(content) < 9000 else content[start : start + 6000], draw)
    tree = yaml.load(content, yaml.CSafeLoader)
    if isinstance(tree, list):
        tree = draw.sample(tree, min(len(tree), 12))
    return yaml.dump(changed(tree, draw), allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")


def card_file(draw: random.Random, folder: Path) -> None:
    path = folder / "card.yaml"
    path.write_bytes(yaml_of("*/card.yaml", draw))
    lint_file(path)


def claims_file(draw: random.Random, folder: Path) -> None:
    path = folder / "claims.yaml"
    path.write_bytes(yaml_of("*/claims.yaml", draw))
    lint_file(path)


def recipe_file(draw: random.Random, folder: Path) -> None:
    path = folder / "quick.yaml"
    path.write_bytes(yaml_of("*/recipes/*.yaml", draw))
    settings(path, recipe=draw.random() < 0.5)


def record_file(draw: random.Random, folder: Path) -> None:
    path, curve = folder / "record.json", folder / "curve.csv"
    sound = sound_record(
        metrics={"test_error": 1.5, "val_error": 2}, weights={"name": "mnist", "file": "m.safetensors"}
    )
    if draw.random() < 0.5:
        path.write_text(json.dumps(changed(sound, draw)))
    else:
        path.write_bytes(damaged(json.dumps(sound).encode(), draw))
    curve.write_bytes(damaged(b"epoch,step,test_error,test_loss,wall_s\n1,45,3.5,0.2,1.5\n2,90,2.5,,3\n", draw))
    with contextlib.suppress(LiteratimError):
        checked(path)
    curve_rows(curve)


def pictures() -> list[bytes]:
    """One of each kind and depth."""
    levels = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype=np.uint8)
    of = Image.fromarray(levels)
    deep = Image.fromarray(levels[:, :, 0].astype(np.uint16) * 256)
    kinds = [
        (of, "PNG"),
        (of, "JPEG"),
        (of, "GIF"),
        (of, "BMP"),
        (of, "TIFF"),
        (of, "WEBP"),
        (of, "PPM"),
        (deep, "PNG"),
    ]
    kinds += [(of.convert(mode), "PNG") for mode in ("L", "1", "P", "RGBA", "LA")]
    kinds += [
        (deep, "TIFF"),
        (Image.fromarray(levels[:, :, 0].astype(np.float32)), "TIFF"),
        (of.convert("CMYK"), "JPEG"),
    ]
    found = []
    for image, kind in kinds:
        stream = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(stream, kind, exif=exif) if kind in ("JPEG", "PNG", "WEBP") else image.save(stream, kind)
        found.append(stream.getvalue())
    return found


PICTURES = pictures()


def picture_file(draw: random.Random, folder: Path) -> None:
    path = folder / "a.png"
    path.write_bytes(damaged(draw.choice(PICTURES), draw))
    if draw.random() < 0.5:
        read_picture(path)
    else:
        read_digit(str(path))


def idx_file(draw: random.Random, folder: Path) -> None:
    name = draw.choice(list(mnist.SHA256))
    sound = bytes.fromhex("00000803 00000003 0000001c 0000001c") + bytes(3 * 28 * 28)
    if "labels" in name:
        sound = bytes.fromhex("00000801 00000003 010203")
    content = damaged(sound, draw)
    packed = draw.random() < 0.3
    path = folder / "MNIST" / "raw" / (name + ".gz" * packed)
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.iterdir():
        old.unlink()
    path.write_bytes(damaged(gzip.compress(content), draw) if packed else content)
    mnist.read_idx(name, str(folder))


def cifar_file(draw: random.Random, folder: Path) -> None:
    data = np.zeros((4, 3072), dtype=np.uint8)
    if draw.random() < 0.3:
        path = folder / "test_batch.bin"
        path.write_bytes(damaged(b"".join(bytes([i]) + row.tobytes() for i, row in enumerate(data)), draw))
    else:
        rows: Any = data if draw.random() < 0.5 else draw.choice(ODD)
        sound = pickle.dumps({b"data": rows, b"labels": [0, 1, 2, 3]}, protocol=draw.choice((0, 2, 4)))
        path = folder / "test_batch"
        path.write_bytes(damaged(sound[:900] if draw.random() < 0.5 else sound, draw))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cifar10, "IMAGES_A_FILE", 4)
        patch.setitem(cifar10.MD5, "test_batch", hashlib.md5(path.read_bytes()).hexdigest())
        (cifar10.read_binary if path.suffix else cifar10.read_batch)(folder / "test_batch")


def vectors_file(draw: random.Random, folder: Path) -> None:
    words = ["the", "königin", "of", "a", "家", "b c"]
    table = np.random.default_rng(0).standard_normal((6, 3)).astype("<f4")
    text = "6 3\n" + "".join(
        f"{word} {' '.join(f'{x:.5g}' for x in row)}\n" for word, row in zip(words, table, strict=True)
    )
    rows = (w.replace(" ", "_").encode() + b" " + row.tobytes() + b"\n" for w, row in zip(words, table, strict=True))
    sound = draw.choice([text.encode(), b"6 3\n" + b"".join(rows)])
    content = damaged(sound, draw)
    path = folder / "vectors.bin"
    path.write_bytes(damaged(gzip.compress(content), draw) if draw.random() < 0.2 else content)
    formats.read(path)


TEXT = ("The quick brown fox, naïve, don't.\nनमस्ते दुनिया\n家に帰る\ne\u0301t\u00e9 l'homme\n\n" * 3).encode()

ODD_LETTERS = "\x00\ufeff\u200d\u0301\u2028\x85\u00a0\u202e\t\r\n 家é'-_</s>😀\uffff"


def text_file(draw: random.Random, folder: Path) -> None:
    pack, end = draw.choice([(bytes, ".txt"), (bytes, ".txt"), (gzip.compress, ".txt.gz"), (lzma.compress, ".txt.xz")])
    path = folder / f"text{end}"
    odd = "".join(draw.choice(ODD_LETTERS) if draw.random() < 0.1 else letter for letter in TEXT.decode())
    content = pack(draw.choice([odd.encode(), odd.encode(), damaged(TEXT, draw)]))
    path.write_bytes(damaged(content, draw) if draw.random() < 0.3 else content)
    for _ in tokenised(str(path), tokens=draw.choice(("words", "whitespace"))):
        pass


def questions_file(draw: random.Random, folder: Path) -> None:
    path = folder / "questions.txt"
    path.write_bytes(damaged(b": capitals\nAthens Greece Oslo Norway\n: family\nboy girl king queen\n", draw))
    with contextlib.suppress(LiteratimError):
        evaluation.read_questions(path)
    path.write_bytes(damaged(b"tiger\tcat\t7.35\nbook\tpaper\t7.46\n", draw))
    evaluation.read_similarities(path)


def checkpoint_file(draw: random.Random, folder: Path) -> None:
    path, stream = folder / "last.ckpt", io.BytesIO()
    sound = {"state_dict": {"a": torch.zeros(3)}, "epoch": 1, "literatim": {"paper": "lenet", "recipe": "quick"}}
    if draw.random() < 0.2:
        torch.save(changed(sound, draw), path)
    else:
        torch.save(sound, stream)
        path.write_bytes(damaged(stream.getvalue(), draw))
    read_checkpoint(path)


FILES: dict[Try, int] = {
    card_file: 1200, claims_file: 1200, recipe_file: 1000, record_file: 1200, picture_file: 1600, idx_file: 500,
    cifar_file: 600, vectors_file: 900, text_file: 500, questions_file: 300, checkpoint_file: 500,
}  # fmt: skip

# --- command lines -------------------------------------------------------------------------------

SPELT = [value if isinstance(value, str) else json.dumps(value) for value in ODD]
SPELT = [value for value in SPELT if "\x00" not in value]  # no command line holds one
LIGHT = {
    "list": ["--json", "--topic", "--author", "--year"],
    "show": ["--json"],
    "cite": [],
    "lint": ["--schema"],
    "verify": ["--json", "--kind", "--claim", "--nothing"],
    "export": ["--to", "--variant", "--weights"],
    "nothing": [],
}


def odd(draw: random.Random) -> str:
    return draw.choice([*SPELT, *find(), "lenet5", "resnet50", "quick", "structural", "2012", "2012-2015"])


def light_line(draw: random.Random, folder: Path) -> None:
    """list, show, cite and the like with anything behind them, most of which is refused before torch is imported."""
    name = draw.choice(list(LIGHT))
    args = [draw.choice([odd(draw), *find()[:3]]) for _ in range(draw.randrange(3))]
    for option in draw.sample(LIGHT[name], min(len(LIGHT[name]), draw.randrange(3))):
        args += [f"{option}={odd(draw)}"] if draw.random() < 0.4 else [option, odd(draw)]
    if name == "verify":  # a claim that there is not: nothing is built or trained
        args += ["--claim", draw.choice(["nothing", odd(draw)[:20] + "…"])]
    if name == "export":
        args += ["--variant", "nothing"]
    command(name, *args, cwd=folder)


def broken_card(draw: random.Random, folder: Path) -> None:
    """Commands over a collection of two papers with a damaged card."""
    for paper in ("lenet", "vgg"):
        (folder / paper).mkdir(exist_ok=True)
        for name in ("card.yaml", "claims.yaml"):
            (folder / paper / name).write_bytes((papers_folder() / paper / name).read_bytes())
    content = (papers_folder() / "lenet" / "card.yaml").read_bytes()
    tree = yaml.load(content, yaml.CSafeLoader)
    new = damaged(content, draw) if draw.random() < 0.5 else yaml.dump(changed(tree, draw)).encode("utf-8", "replace")
    (folder / "lenet" / "card.yaml").write_bytes(new)
    line = draw.choice([["list"], ["show", "lenet"], ["show", "lenet", "--json"], ["cite", "lenet"], ["lint"]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITERATIM_PAPERS", str(folder))
        forget()
        try:
            command(*line, cwd=folder)
        finally:
            forget()


OPTIONS = [
    *("model.lr", "model.variant", "model.options", "model.options.num_classes", "model.j", "data.batch_size"),
    *("data.size", "data.watch", "data.order", "data.ink", "seed_everything", "recipe", "ckpt_path", "config", "runs"),
    *("trainer.max_epochs", "trainer.max_steps", "trainer.devices", "trainer.accelerator", "trainer.precision"),
    *("trainer.callbacks", "trainer.logger", "trainer.limit_val_batches", "trainer.gradient_clip_val"),
]
TINY = ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1"]


def options_line(draw: random.Random) -> list[str]:
    args = []
    for option in draw.sample(OPTIONS, draw.choice((1, 1, 2))):
        args += [f"--{option}={odd(draw)}"] if draw.random() < 0.5 else [f"--{option}", odd(draw)]
    return args


def refused_line(draw: random.Random, folder: Path) -> None:
    """fit and its kin with odd names, files and options of ours: nothing is trained."""
    name = draw.choice(["fit", "validate", "test", "predict", "reproduce"])
    args = [odd(draw) for _ in range(draw.randrange(3))]
    for option in ("--recipe", "--ckpt_path", "--weights", "--seeds", "--number", "--to", "--label", "--vectors"):
        if draw.random() < 0.3:
            args += [option, odd(draw)]
    command(name, draw.choice(["lenet", "gan", "word2vec", odd(draw)]), *args, "--recipe", "nothing", cwd=folder)


def configured_line(draw: random.Random, folder: Path) -> None:
    """fit with odd values of the options, as far as the whole configuration."""
    command("fit", draw.choice(["lenet", "resnet", "gan"]), *options_line(draw), "--print_config", cwd=folder)


def fitted_line(draw: random.Random, folder: Path) -> None:
    """fit with odd values of the options: one batch is trained on where they are taken."""
    command("fit", "lenet", *options_line(draw), *TINY, cwd=folder)  # of an option given twice the last counts


LINES: dict[Try, int] = {light_line: 800, broken_card: 300, refused_line: 500, configured_line: 250, fitted_line: 100}

SHARE = 100  # inputs of a test, so that several processes share them
CASES = [
    pytest.param(one, min(SHARE, number - first), first, id=f"{one.__name__}-{first}")
    for one, number in {**FILES, **LINES}.items()
    for first in range(0, number, SHARE)
]


@pytest.mark.parametrize(("one", "number", "seed"), CASES)
def test_odd_input_is_taken_or_refused_in_a_sentence(one: Try, number: int, seed: int, fault, monkeypatch) -> None:
    found: Counter[str] = Counter()
    wrong: list[str] = []
    monkeypatch.setenv("HOME", tempfile.gettempdir())
    for i in range(number):
        with tempfile.TemporaryDirectory() as folder:
            what = outcome(lambda: one(random.Random(f"{one.__name__} {seed + i}"), Path(folder)))  # noqa: B023
        found[what if what in ("taken", "refused") else "wrong"] += 1
        if what not in ("taken", "refused"):
            wrong.append(f"{one.__name__} {seed + i}:\n{what}")
    assert not wrong, f"{len(wrong)} of {number}\n\n" + "\n\n".join(wrong[:5])
    assert found["refused"] or found["taken"] == number
    fault(f"fuzz-{one.__name__.replace('_', '-')}", number)


def test_the_fuzz_is_of_ten_thousand_inputs() -> None:
    assert sum({**FILES, **LINES}.values()) >= 10_000
