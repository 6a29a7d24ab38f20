"""Sequences as arrays: their inputs, one sequence after the other, and what is to be predicted."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sequences:
    """The n-th has the steps from offsets[n] to before offsets[n + 1].

    The inputs are `x` (steps, I), or `ids` (steps,) of the one unit that is 1. The targets stand at the ends alone,
    `targets` (N, O), or `following` (steps,) is the unit that shall be 1 after every step, -1 where there is no target.
    `legal` (steps,) has a bit for each unit that may come next.
    """

    offsets: Ints
    x: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    ids: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    targets: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    following: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    legal: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def ends(self) -> Ints:
        """(N,) the last step of each."""
        return self.offsets[1:] - 1


def offsets_of(lengths: Ints) -> Ints:
    """(N + 1,) of so many steps each."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
