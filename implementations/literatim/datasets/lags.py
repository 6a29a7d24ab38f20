"""Sequences in which what matters lies long before the end (Hochreiter and Schmidhuber 1997, Experiments 2 to 6)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from literatim.datasets.made import MadeDataModule
from literatim.errors import LiteratimError
from literatim.parts.sequences import Floats, Ints, Sequences, offsets_of


def one_hot(ids: Ints, width: int) -> Floats:
    return np.eye(width)[ids]


class LagDataModule(MadeDataModule):
    """What these data modules share: how many sequences are drawn for what.

    Args:
        chunks: of an epoch
        sequences: of a chunk
        checks: of the test set by which training stops, where it does by one
        tests: of the test set after training
        seed: of everything that is drawn
        watch: sets whose metrics are taken after every epoch: none, or "val"
    """

    def __init__(self, chunks: int, sequences: int, checks: int, tests: int, seed: int, watch: list[str]) -> None:
        super().__init__(chunks, seed, watch)
        for name, number in (("sequences", sequences), ("checks", checks), ("tests", tests)):
            if number < 1:
                raise LiteratimError(f"data.{name} is {number}; it must be at least 1")
        self.sequences, self.checks, self.tests = sequences, checks, tests

    def chunk(self, purpose: str, trial: int = 0, number: int = 0) -> Sequences:
        """The sequences of a trial that are drawn for a purpose: "train", "check" (a test set that is looked at during
        training), "test" or "val"."""
        many = {"train": self.sequences, "check": self.checks}.get(purpose, self.tests)
        return self.draw(self.rng(purpose, trial, number), many, purpose)

    def draw(self, rng: np.random.Generator, many: int, purpose: str) -> Sequences:
        raise NotImplementedError


def at_least(name: str, value: int, least: int, why: str) -> None:
    if value < least:
        raise LiteratimError(f"data.{name} is {value}; it must be at least {least}: {why}")


class NoiseFree(LagDataModule):
    """Task 2a, and without local regularities Task 2b (Sec. 5.2): x or y comes first, and again at the end.

    Between them stand the symbols 1 to p - 1 in their order, or drawn ("regular: false"). Every symbol is to be
    predicted.

    Args:
        p: the lag; there are p + 1 symbols, the last two of them x and y
        regular: Task 2a, else 2b
    """

    def __init__(
        self, p: int = 100, regular: bool = True, chunks: int = 10, sequences: int = 100, checks: int = 10_000,
        tests: int = 10_000, seed: int = 0, watch: list[str] = [],  # noqa: B006 (never changed)
    ) -> None:  # fmt: skip
        super().__init__(chunks, sequences, checks, tests, seed, watch)
        at_least("p", p, 2, "a symbol stands between the first and the last")
        self.p, self.regular = p, regular

    def draw(self, rng: np.random.Generator, many: int, purpose: str) -> Sequences:
        p = self.p
        whole = np.empty((many, p + 1), np.int64)
        whole[:, 1:p] = np.arange(p - 1) if self.regular else rng.integers(p - 1, size=(many, p - 1))
        whole[:, 0] = whole[:, p] = rng.integers(p - 1, p + 1, size=many)
        return Sequences(
            offsets_of(np.full(many, p)), ids=whole[:, :-1].ravel().copy(), following=whole[:, 1:].ravel().copy()
        )


class Distractors(LagDataModule):
    """Task 2c (Sec. 5.2): b, then x or y, then at least q distractor symbols, then e; was it x or y?

    Args:
        p: how many distractor symbols there are; behind them the inputs have e, b, x, y
        q: how many stand in a sequence at least; after that e comes with probability 1/10 at every step
    """

    def __init__(
        self, p: int = 50, q: int = 50, chunks: int = 10, sequences: int = 1000, checks: int = 10_000,
        tests: int = 10_000, seed: int = 0, watch: list[str] = [],  # noqa: B006
    ) -> None:  # fmt: skip
        super().__init__(chunks, sequences, checks, tests, seed, watch)
        at_least("p", p, 1, "there is a distractor symbol")
        at_least("q", q, 1, "a distractor stands between the symbol and the end")
        self.p, self.q = p, q

    def draw(self, rng: np.random.Generator, many: int, purpose: str) -> Sequences:
        e, b, first_class = self.p, self.p + 1, self.p + 2
        offsets = offsets_of(self.q + 3 + rng.geometric(0.1, many) - 1)
        ids = rng.integers(self.p, size=offsets[-1])
        kind = rng.integers(2, size=many)
        ids[offsets[:-1]], ids[offsets[:-1] + 1], ids[offsets[1:] - 1] = b, first_class + kind, e
        return Sequences(offsets, ids=ids, targets=one_hot(kind, 2))


class TwoSequences(LagDataModule):
    """Tasks 3a to 3c (Sec. 5.3): the first N elements of a sequence of noise are 1 or -1; which?

    The target is 1 for class 1 and 0 for class 2.

    Args:
        T: the least length; the most is T + T/10
        N: how many elements at the beginning tell the class
        noisy: noise on these elements too (Task 3b)
        targets: those of class 1 and class 2 (Task 3c: .2 and .8)
        target_noise: the variance of noise on the targets of training (Task 3c: .1)
    """

    def __init__(
        self, T: int = 100, N: int = 3, noisy: bool = False, targets: tuple[float, float] = (1.0, 0.0),
        target_noise: float = 0.0, chunks: int = 10, sequences: int = 1000, checks: int = 256, tests: int = 2560,
        seed: int = 0, watch: list[str] = [],  # noqa: B006
    ) -> None:  # fmt: skip
        super().__init__(chunks, sequences, checks, tests, seed, watch)
        at_least("N", N, 1, "an element tells the class")
        at_least("T", T, N, "the first N elements tell the class")
        if target_noise < 0:
            raise LiteratimError(f"data.target_noise is {target_noise}; a variance is not negative")
        self.T, self.N, self.noisy, self.targets, self.target_noise = T, N, noisy, targets, target_noise

    def draw(self, rng: np.random.Generator, many: int, purpose: str) -> Sequences:
        offsets = offsets_of(rng.integers(self.T, self.T + self.T // 10 + 1, size=many))
        x = rng.normal(0.0, np.sqrt(0.2), offsets[-1])
        kind = rng.integers(2, size=many)
        for n in range(self.N):
            x[offsets[:-1] + n] = (x[offsets[:-1] + n] if self.noisy else 0.0) + (1.0 - 2.0 * kind)
        targets = np.array(self.targets)[kind]
        if purpose == "train" and self.target_noise:
            targets = targets + rng.normal(0.0, np.sqrt(self.target_noise), many)
        return Sequences(offsets, x=x[:, None].copy(), targets=targets[:, None].copy())


class Marked(LagDataModule):
    """The adding problem (Sec. 5.4) and the multiplication problem (Sec. 5.5): pairs of a number and a marker.

    One of the first ten pairs is marked by a 1, and one of the first T/2 - 1 that are then unmarked. The first and the
    last pair have the marker -1. Where the first pair is marked, its number is 0, or for the product 1.

    Args:
        T: the least length; the most is T + T/10
        target: "sum", of numbers from -1 to 1, scaled to .5 + (X1 + X2)/4; or "product", of numbers from 0 to 1
    """

    def __init__(
        self, T: int = 100, target: Literal["sum", "product"] = "sum", chunks: int = 10, sequences: int = 1000,
        checks: int = 256, tests: int = 2560, seed: int = 0, watch: list[str] = [],  # noqa: B006
    ) -> None:  # fmt: skip
        super().__init__(chunks, sequences, checks, tests, seed, watch)
        at_least("T", T, 20, "one of the first ten pairs is marked, and one of the first T/2 - 1 others")
        if target not in ("sum", "product"):
            raise LiteratimError(f'data.target is "{target}"; it is "sum" or "product"')
        self.T, self.target = T, target

    def draw(self, rng: np.random.Generator, many: int, purpose: str) -> Sequences:
        added = self.target == "sum"
        offsets = offsets_of(rng.integers(self.T, self.T + self.T // 10 + 1, size=many))
        x = np.zeros((offsets[-1], 2))
        x[:, 0] = rng.uniform(-1.0 if added else 0.0, 1.0, offsets[-1])
        one, other = rng.integers(10, size=many), rng.integers(self.T // 2 - 1, size=many)
        other += other >= one
        x[offsets[:-1], 1] = x[offsets[1:] - 1, 1] = -1.0
        x[offsets[:-1] + one, 1] = x[offsets[:-1] + other, 1] = 1.0
        x[offsets[:-1][(one == 0) | (other == 0)], 0] = 0.0 if added else 1.0
        x1, x2 = x[offsets[:-1] + one, 0], x[offsets[:-1] + other, 0]
        targets = 0.5 + (x1 + x2) / 4.0 if added else x1 * x2
        return Sequences(offsets, x=x, targets=targets[:, None].copy())


# Where the X or Y stand in a sequence, counted from 1: between these two positions.
ORDER = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}


class TemporalOrder(LagDataModule):
    """Tasks 6a and 6b (Sec. 5.6): in which order do two, or three, X and Y stand among random symbols?

    The inputs are a, b, c, d, E, B, X, Y. A sequence begins with E and ends with B.

    Args:
        relevant: how many X or Y there are: 2 (6a) or 3 (6b); the classes are 4 or 8
    """

    def __init__(
        self, relevant: int = 2, chunks: int = 10, sequences: int = 1000, checks: int = 256, tests: int = 2560,
        seed: int = 0, watch: list[str] = [],  # noqa: B006
    ) -> None:  # fmt: skip
        super().__init__(chunks, sequences, checks, tests, seed, watch)
        if relevant not in ORDER:
            raise LiteratimError(f"data.relevant is {relevant}; the paper's tasks have 2 (6a) or 3 (6b)")
        self.relevant = relevant

    def draw(self, rng: np.random.Generator, many: int, purpose: str) -> Sequences:
        offsets = offsets_of(rng.integers(100, 111, size=many))
        ids = rng.integers(4, size=offsets[-1])
        ids[offsets[:-1]], ids[offsets[1:] - 1] = 4, 5
        kind = np.zeros(many, np.int64)
        for least, most in ORDER[self.relevant]:
            y = rng.integers(2, size=many)
            ids[offsets[:-1] + rng.integers(least, most + 1, size=many) - 1] = 6 + y
            kind = 2 * kind + y
        return Sequences(offsets, ids=ids, targets=one_hot(kind, 2**self.relevant))
