"""A text of any size as ids on disk, with as much memory as its different words take, and no more.

The text is read once. Words get numbers in the order in which they come, and the numbers go to a file; phrases are
joined there; and when all words are counted the numbers become ids, the most frequent word first.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from literatim.datasets.keeping import kept
from literatim.datasets.phrases import Phrases, joined, phrase_pairs
from literatim.datasets.text import END, LONGEST, Encoded, Tokens, Vocabulary, fingerprint, text_files, tokenised
from literatim.errors import LiteratimError
from literatim.places import expanded, user_cache

VERSION = 2  # of the files in the cache: a change of tokens, numbers or files makes it another
FILES = ("words.txt", "train.ids", "train.offsets", "test.ids", "test.offsets")
SMALL = 16 << 20  # bytes; the ids of smaller texts are held in memory, for reading them again takes no time
FLUSH = 1 << 18  # tokens that are gathered before they are written
SENTENCES = 4096  # that are read back at a time
GAP, FORGOTTEN = 0, 1  # the numbers of END and of words that were forgotten; words begin after them
Block = tuple[NDArray[np.int32], NDArray[np.int64]]  # ids, and the lengths of the sentences they make up


@dataclass(frozen=True)
class Options:
    """What decides the ids of a text; see `literatim.datasets.corpus.Corpus`."""

    source: str
    lower: bool
    tokens: Tokens
    min_count: int
    at_most: int | None
    hold_out: int
    phrases: Phrases
    prune_at: int


def encode(options: Options, cache: str | None, text: str | None = None) -> tuple[Vocabulary, dict[str, Encoded]]:
    """The vocabulary and the sets `train` and `test` of a text, the latter empty where nothing is held out.

    Args:
        cache: a folder for the ids
        text: the fingerprint of the source, where it has been taken

    Raises LiteratimError for a text that cannot be used or ids that cannot be written.
    """
    files = [] if options.source == "pydoc" else text_files(options.source)
    try:
        if not files or (cache is None and sum(file.stat().st_size for file in files) < SMALL):
            with tempfile.TemporaryDirectory(prefix="literatim-") as beside:
                _write(options, Path(beside))
                return _read(Path(beside), in_memory=True)
        text = text or fingerprint(options.source)
        joining = options.phrases
        numbers = [*map(float, (joining.delta, *joining.thresholds))]  # 5 is 5.0
        rest = {**asdict(options), "source": None, "phrases": [joining.scoring, *numbers]}
        key = json.dumps([VERSION, LONGEST, text, rest])
        folder = (expanded(cache) if cache else _user_cache()) / hashlib.sha256(key.encode()).hexdigest()[:16]

        def make(beside: Path) -> None:
            _write(options, beside)
            if fingerprint(options.source) != text:
                raise LiteratimError(f"{options.source} was changed while it was read; begin again when it is whole")

        kept(folder, FILES, make)
        return _read(folder)
    except OSError as error:
        where, reason = error.filename or cache or "the cache", error.strerror or error
        raise LiteratimError(
            f"{where}: the ids of the text cannot be kept there: {reason}; name another folder with data.cache"
        ) from None


def _user_cache() -> Path:
    folder = user_cache()
    if folder is None:
        raise LiteratimError("there is no home folder to keep the ids of the text in; name one with data.cache")
    return folder / "corpus"


def _write(options: Options, folder: Path) -> None:
    sets = {name: Numbers(folder / f"{name}.raw") for name in ("train", "test")}
    words, counts = _numbered(options, sets)
    for threshold in options.phrases.thresholds:
        counts = _join(options, sets, words, counts, threshold)
    vocabulary = Vocabulary.of(zip(words, counts.tolist(), strict=True), options.min_count, options.at_most)
    ids = np.full(len(words), -1, dtype=np.int32)
    ids[[words[word] for word in vocabulary.words]] = np.arange(len(vocabulary), dtype=np.int32)
    lines = (f"{word} {n}\n" for word, n in zip(vocabulary.words, vocabulary.counts, strict=True))
    with (folder / "words.txt").open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
    for name, numbers in sets.items():
        _finish(numbers, ids, folder / name)
        numbers.remove()


def _read(folder: Path, in_memory: bool = False) -> tuple[Vocabulary, dict[str, Encoded]]:
    lines = (folder / "words.txt").read_text(encoding="utf-8").split("\n")[:-1]
    rows = [line.rsplit(" ", 1) for line in lines]
    vocabulary = Vocabulary([word for word, _ in rows], np.array([n for _, n in rows], dtype=np.int64))
    sets = {}
    for name in ("train", "test"):
        arrays: list[Any] = []
        for suffix, dtype in (("ids", np.int32), ("offsets", np.int64)):
            path = folder / f"{name}.{suffix}"
            whole = in_memory or not path.stat().st_size  # nothing cannot be mapped
            arrays.append(np.fromfile(path, dtype) if whole else np.asarray(np.memmap(path, dtype, mode="r")))
        sets[name] = Encoded(*arrays)
    return vocabulary, sets


class Numbers:
    """Sentences of numbers in two files, to which more can be added: `.ids` and `.lengths`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = [path.with_name(f"{path.name}.{suffix}") for suffix in ("ids", "lengths")]
        self.ids, self.lengths = (file.open("w+b") for file in self.files)

    def append(self, ids: NDArray[np.int32], lengths: NDArray[np.int64]) -> None:
        self.ids.write(ids.astype(np.int32, copy=False).tobytes())
        self.lengths.write(lengths.astype(np.int32).tobytes())

    def blocks(self) -> Iterator[Block]:
        """All of it, some sentences at a time."""
        self.ids.seek(0)
        self.lengths.seek(0)
        while len(lengths := np.fromfile(self.lengths, np.int32, SENTENCES)):
            yield np.fromfile(self.ids, np.int32, int(lengths.sum(dtype=np.int64))), lengths.astype(np.int64)
        self.ids.seek(0, os.SEEK_END)
        self.lengths.seek(0, os.SEEK_END)

    def renumber(self, new: NDArray[np.int32]) -> None:
        at = 0
        for ids, _ in self.blocks():
            self.ids.seek(at)
            self.ids.write(new[ids].tobytes())
            at = self.ids.tell()
        self.ids.seek(0, os.SEEK_END)

    def remove(self) -> None:
        self.ids.close()
        self.lengths.close()
        for file in self.files:
            file.unlink()


def _numbered(options: Options, sets: dict[str, Numbers]) -> tuple[dict[str, int], NDArray[np.int64]]:
    """Write the numbers of all words; word -> number, and how often each occurs in the set `train`.

    Where there are more than `prune_at` different words those that have occurred once are forgotten, the next time
    those that have occurred twice and so on, as by ReduceVocab in the released code (word2vec.c). A forgotten word that
    comes again is counted from nothing; unlike there, where it stood before is not learnt from either.
    """
    known: defaultdict[str, int] = defaultdict()
    known.default_factory = known.__len__  # the next number
    known.update({END: GAP, 2 * END: FORGOTTEN})
    counts, least = np.zeros(2, np.int64), 1
    cutter = Cutter(options.hold_out)
    waiting: list[NDArray[np.int32]] = []

    def flush() -> None:
        nonlocal counts
        for name, (ids, lengths) in cutter.cut(np.concatenate([np.empty(0, np.int32), *waiting])).items():
            sets[name].append(ids, lengths)
            if name == "train":
                counts = np.bincount(ids, minlength=len(known)) + np.pad(counts, (0, len(known) - len(counts)))
        waiting.clear()

    gathered = 0
    for some in tokenised(options.source, options.lower, options.tokens):
        waiting.append(np.fromiter(map(known.__getitem__, some), np.int32, len(some)))
        gathered += len(some)
        if gathered >= FLUSH or len(known) > options.prune_at:
            flush()
            gathered = 0
        while len(known) > options.prune_at:
            kept = counts > least
            kept[[GAP, FORGOTTEN]] = True
            new = np.where(kept, np.cumsum(kept) - 1, FORGOTTEN).astype(np.int32)
            for numbers in sets.values():
                numbers.renumber(new)
            cutter.renumber(new)
            words = [word for word, keep in zip(known, kept.tolist(), strict=True) if keep]
            known.clear()
            known.update(zip(words, range(len(words)), strict=True))
            counts, least = counts[kept], least + 1
    flush()
    counts[FORGOTTEN] = 0
    return dict(known), counts


def _join(
    options: Options, sets: dict[str, Numbers], words: dict[str, int], counts: NDArray[np.int64], threshold: float
) -> NDArray[np.int64]:
    """Put phrases in place of their words, in the sets and among the words; how often each word now occurs."""
    pairs = phrase_pairs(sets["train"].blocks(), counts, threshold, options.phrases, options.prune_at)
    names = list(words)
    firsts, seconds = np.divmod(pairs, len(names))
    found = (f"{names[a]}_{names[b]}" for a, b in zip(firsts.tolist(), seconds.tolist(), strict=True))
    phrases = np.array([words.setdefault(name, len(words)) for name in found], dtype=np.int32)
    counts = np.zeros(len(words), np.int64)
    for name, numbers in list(sets.items()):
        sets[name] = Numbers(numbers.path.with_name(f"{numbers.path.name}+"))
        for block in numbers.blocks():
            ids, lengths = joined(block, len(names), pairs, phrases)
            sets[name].append(ids, lengths)
            if name == "train":
                counts += np.bincount(ids, minlength=len(words))
        numbers.remove()
    counts[FORGOTTEN] = 0
    return counts


class Cutter:
    """Cuts a stream of numbers into sentences and these into sets; what belongs to a sentence to come waits here."""

    def __init__(self, hold_out: int) -> None:
        self.hold_out, self.seen, self.begun = hold_out, 0, np.empty(0, np.int32)

    def cut(self, ids: NDArray[np.int32]) -> dict[str, Block]:
        ids = np.concatenate([self.begun, ids])
        ends = np.flatnonzero(ids == GAP)
        done = int(ends[-1]) + 1 if len(ends) else 0
        done += (len(ids) - done) // LONGEST * LONGEST  # of a sentence without end
        ids, self.begun = ids[:done], ids[done:]
        lengths = np.diff(np.concatenate([[-1], np.flatnonzero(ids == GAP), [done]])) - 1
        pieces = -(-lengths // LONGEST)
        cut = np.full(int(pieces.sum()), LONGEST, dtype=np.int64)
        last = np.cumsum(pieces)[pieces > 0] - 1
        cut[last] = (lengths - (pieces - 1) * LONGEST)[pieces > 0]
        ids = ids[ids != GAP]
        number = self.seen + np.arange(len(cut))
        self.seen += len(cut)
        if not self.hold_out:
            return {"train": (ids, cut)}
        held_out = number % self.hold_out == self.hold_out - 1
        words = np.repeat(held_out, cut)
        return {"train": (ids[~words], cut[~held_out]), "test": (ids[words], cut[held_out])}

    def renumber(self, new: NDArray[np.int32]) -> None:
        self.begun = new[self.begun]


def _finish(numbers: Numbers, new: NDArray[np.int32], path: Path) -> None:
    """Write ids for numbers, and where each sentence begins; words without an id go, and sentences of nothing else."""
    total = 0
    with path.with_suffix(".ids").open("wb") as ids_file, path.with_suffix(".offsets").open("wb") as offsets:
        offsets.write(np.int64(0).tobytes())
        for numbered, lengths in numbers.blocks():
            ids = new[numbered]
            left = np.add.reduceat((ids >= 0).astype(np.int64), np.cumsum(lengths) - lengths)
            ends = total + np.cumsum(left[left > 0])
            ids_file.write(ids[ids >= 0].tobytes())
            offsets.write(ends.tobytes())
            total = int(ends[-1]) if len(ends) else total
