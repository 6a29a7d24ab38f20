"""Pairs of phrases in two languages: number words, an installed dictionary, or a file of the user's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from literatim.datasets import dictd
from literatim.datasets.tensors import Order, TensorDataModule
from literatim.errors import LiteratimError
from literatim.parts.number_words import MOST, number_pairs
from literatim.parts.phrases import Phrase, Words, tokens
from literatim.places import expanded

NUMBERS = "numbers"


class PhrasePairs(TensorDataModule):
    """Every pair once, however often it stands there. Phrases that were kept for the test are in no training pair.

    After `setup`, `words` are those of the two languages, and `sets` have the pairs as tensors (N, T) and (N, M).

    Args:
        source: "numbers", English and French number words; the name of a dictionary in dictd's format, such as
            freedict-eng-deu; or a file in UTF-8 with a pair a line and a tab between the two phrases
        root: a folder with the dictionary's files, or with a folder dictd that has them; else $LITERATIM_DATA, the
            user's cache and /usr/share/dictd are looked through
        most: the largest number
        at_most: words of each language, the most frequent of the training phrases, [UNK] among them
        least: words that each phrase of a pair has at least
        longest: and at most
        hold_out: of so many source phrases one is kept for the test
        batch_size: pairs a step
        eval_batch_size: pairs a step when evaluating
        order: shuffle "each epoch", "once" or "none"
        watch: sets whose metrics are taken after every epoch: train, test
        seed: of the order
    """

    classes: tuple[str, ...] = ()

    def __init__(
        self,
        source: str = NUMBERS,
        root: str | None = None,
        most: int = 9999,
        at_most: int = 15_000,
        least: int = 1,
        longest: int = 20,
        hold_out: int = 10,
        batch_size: int = 64,
        eval_batch_size: int = 256,
        order: Order = "each epoch",
        watch: list[str] = ["test"],  # noqa: B006 (Lightning shows the default in --help)
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, eval_batch_size, watch, order, seed)
        for name, value, lowest, highest in (
            ("most", most, 1, MOST), ("at_most", at_most, 2, None), ("least", least, 1, None),
            ("longest", longest, least, None), ("hold_out", hold_out, 2, None),
        ):  # fmt: skip
            if value < lowest:
                raise LiteratimError(f"data.{name} is {value}; it must be at least {lowest}")
            if highest is not None and value > highest:
                raise LiteratimError(f"data.{name} is {value}; it must be at most {highest:,}")
        self.source, self.root, self.most = source, root, most
        self.at_most, self.least, self.longest, self.hold_out = at_most, least, longest, hold_out
        self.words: tuple[Words, Words] | None = None
        self.covered: tuple[float, float] = (0.0, 0.0)

    def setup(self, stage: str) -> None:
        if self.sets or stage == "predict":
            return
        fits = range(self.least, self.longest + 1)
        pairs = [(x, y) for x, y in dict.fromkeys(self._pairs()) if len(x) in fits and len(y) in fits]
        phrases = list(dict.fromkeys(x for x, _ in pairs))
        # Which are kept follows from the phrases alone, so that all seeds are tested on the same.
        order = torch.randperm(len(phrases), generator=torch.Generator().manual_seed(0)).tolist()
        kept = {phrases[i] for i in order[: len(phrases) // self.hold_out]}
        if not kept:
            raise LiteratimError(
                f"{self.source}: {len(phrases)} phrases of {self.least} to {self.longest} words; at least "
                f"{self.hold_out} are needed, so that one can be kept for the test (data.hold_out)"
            )
        train = [pair for pair in pairs if pair[0] not in kept]
        test = [pair for pair in pairs if pair[0] in kept]
        self.words = (
            Words.of((x for x, _ in train), self.at_most), Words.of((y for _, y in train), self.at_most)
        )  # fmt: skip
        self.covered = (share_of([x for x, _ in pairs], self.words[0]), share_of([y for _, y in pairs], self.words[1]))
        self.sets = {name: self._encoded(found) for name, found in (("train", train), ("test", test))}

    def _encoded(self, pairs: list[tuple[Phrase, Phrase]]) -> tuple[Tensor, Tensor]:
        assert self.words is not None
        return self.words[0].encoded([x for x, _ in pairs]), self.words[1].encoded([y for _, y in pairs])

    def _pairs(self) -> Iterator[tuple[Phrase, Phrase]]:
        if self.source == NUMBERS:
            yield from number_pairs(self.most)
        else:
            named = "/" in self.source or "." in self.source
            found = lines(expanded(self.source)) if named else dictd.pairs(self.source, self.root)
            for x, y in found:
                yield tokens(x), tokens(y)

    def fingerprint(self) -> str:
        """Of the words and the pairs, in their order."""
        total = hashlib.sha256(repr(self.words).encode())
        for _, tensors in sorted(self.sets.items()):
            for tensor in tensors:
                total.update(tensor.contiguous().numpy().tobytes())
        return total.hexdigest()


def share_of(phrases: list[Phrase], words: Words) -> float:
    """How much of the running words, in per cent, are among the words of a language."""
    known, running = set(words.words), [word for phrase in phrases for word in phrase]
    return 100 * sum(word in known for word in running) / len(running)


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """The pairs of a file of the user's; empty lines are passed over. Raises LiteratimError with file:line."""
    if not path.is_file():
        raise LiteratimError(
            f"{path}: there is no such file; data.source names one, a dictionary such as freedict-eng-deu, or "
            f'"{NUMBERS}"'
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LiteratimError(f"{path} cannot be read: {error.strerror}") from None
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        at = f"{path}:{number}"
        try:
            columns = raw.decode("utf-8").split("\t")
        except UnicodeDecodeError:
            raise LiteratimError(f"{at}: not UTF-8; convert the file, for example with iconv") from None
        if not raw.strip():
            continue
        if len(columns) != 2:
            raise LiteratimError(f"{at}: a line holds two phrases with a tab between them, and this one {len(columns)}")
        for which, phrase in zip(("first", "second"), columns, strict=True):
            if not tokens(phrase):
                raise LiteratimError(f"{at}: the {which} phrase is empty")
        yield columns[0], columns[1]
