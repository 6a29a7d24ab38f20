"""The questions of the two family trees (Rumelhart, Hinton and Williams 1986), of which each trial holds some out."""

from __future__ import annotations

import torch
from torch import Tensor

from literatim.datasets.made import MadeDataModule
from literatim.errors import LiteratimError
from literatim.parts.familytrees import all_cases, facts


class FamilyTrees(MadeDataModule):
    """The 104 cases, of which every trial holds some out. A chunk is so many sweeps through those it learns from.

    Args:
        chunks: of an epoch
        sweeps: of a chunk
        held_out: cases that a trial never learns from, drawn for each trial
        seed: of the weights' start and of the cases held out
        watch: sets whose metrics are taken after every epoch: none, or "val"
    """

    def __init__(
        self,
        chunks: int = 1,
        sweeps: int = 100,
        held_out: int = 4,
        seed: int = 0,
        watch: list[str] = [],  # noqa: B006 (never changed)
    ) -> None:
        super().__init__(chunks, seed, watch)
        if sweeps < 1:
            raise LiteratimError(f"data.sweeps is {sweeps}; it must be at least 1")
        if not 0 <= held_out < len(facts()):
            raise LiteratimError(
                f"data.held_out is {held_out}; of {len(facts())} cases some must be left to learn from"
            )
        self.sweeps, self.held_out = sweeps, held_out

    def cases(self) -> tuple[Tensor, Tensor]:
        """(inputs, desired outputs)."""
        return all_cases()

    def kept(self, trial: int) -> Tensor:
        """(104,): whether a trial learns from a case."""
        kept = torch.ones(len(facts()), dtype=torch.bool)
        kept[self.rng("held out", trial).permutation(len(facts()))[: self.held_out]] = False
        return kept
