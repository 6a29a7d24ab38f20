"""Strings of the embedded Reber grammar, for training and for the test (Hochreiter and Schmidhuber 1997, Sec. 5.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from literatim.datasets.lags import LagDataModule
from literatim.errors import LiteratimError
from literatim.parts.reber import EMBEDDED, REBER, SYMBOLS, bits, draw_string, walk
from literatim.parts.sequences import Sequences, offsets_of

__all__ = ["EMBEDDED", "REBER", "SYMBOLS", "EmbeddedReber", "bits", "draw_string", "sequences_of", "walk"]


def sequences_of(strings: Sequence[str]) -> Sequences:
    """Every symbol but the last is an input, and what follows it is the target."""
    numbers = [np.array([SYMBOLS.index(symbol) for symbol in string]) for string in strings]
    return Sequences(
        offsets_of(np.array([len(string) - 1 for string in strings])),
        ids=np.concatenate([symbols[:-1] for symbols in numbers]),
        following=np.concatenate([symbols[1:] for symbols in numbers]),
        legal=np.array([legal for string in strings for legal in walk(string)]),
    )


class EmbeddedReber(LagDataModule):
    """Strings to train on, picked at random from a set, and as many others to test (Sec. 5.1).

    Several trials learn from the same sets: the paper has three pairs of sets with ten trials each.

    Args:
        strings: in each of the two sets
        trials_a_pair: trials that share a pair of sets
    """

    def __init__(
        self, strings: int = 256, trials_a_pair: int = 10, chunks: int = 10, sequences: int = 100, seed: int = 0,
        watch: list[str] = [],  # noqa: B006 (never changed)
    ) -> None:  # fmt: skip
        super().__init__(chunks, sequences, 2 * strings, 2 * strings, seed, watch)
        if trials_a_pair < 1:
            raise LiteratimError(f"data.trials_a_pair is {trials_a_pair}; it must be at least 1")
        self.strings, self.trials_a_pair = strings, trials_a_pair
        self.pairs: dict[int, tuple[list[str], list[str]]] = {}

    def pair(self, trial: int) -> tuple[list[str], list[str]]:
        """The training set and the test set of a trial. A string may be twice in a set, but in one set only."""
        number = trial // self.trials_a_pair
        if number not in self.pairs:
            rng = self.rng("sets", number)
            train = [draw_string(rng) for _ in range(self.strings)]
            test: list[str] = []
            while len(test) < self.strings:
                string = draw_string(rng)
                if string not in train:
                    test.append(string)
            self.pairs[number] = train, test
        return self.pairs[number]

    def chunk(self, purpose: str, trial: int = 0, number: int = 0) -> Sequences:
        train, test = self.pair(trial)
        if purpose != "train":  # a trial is judged by both sets
            return sequences_of(train + test)
        picked = self.rng(purpose, trial, number).integers(len(train), size=self.sequences)
        return sequences_of([train[i] for i in picked])
