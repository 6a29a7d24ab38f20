"""All vectors of six bits, of which every trial learns (Rumelhart, Hinton and Williams 1986)."""

from __future__ import annotations

import torch
from torch import Tensor

from literatim.datasets.made import MadeDataModule
from literatim.errors import LiteratimError
from literatim.parts.symmetry import BITS, all_vectors


class Symmetry(MadeDataModule):
    """The 64 vectors. A chunk is so many sweeps through all of them, which the training makes.

    Args:
        chunks: of an epoch
        sweeps: of a chunk
        low: the input of a bit that is 0
        seed: of the weights' start
        watch: sets whose metrics are taken after every epoch: none, or "val"
    """

    def __init__(
        self,
        chunks: int = 1,
        sweeps: int = 100,
        low: float = 0.0,
        seed: int = 0,
        watch: list[str] = [],  # noqa: B006 (never changed)
    ) -> None:
        super().__init__(chunks, seed, watch)
        if sweeps < 1:
            raise LiteratimError(f"data.sweeps is {sweeps}; it must be at least 1")
        if low == 1:
            raise LiteratimError(
                "data.low is 1, as is the input of a bit that is 1; the network must tell the two apart"
            )
        self.sweeps, self.low = sweeps, low

    def cases(self) -> tuple[Tensor, Tensor]:
        """(inputs, desired outputs)."""
        return all_vectors(self.low)

    def kept(self, trial: int) -> Tensor:
        """(64,): whether a trial learns from a case: from all of them."""
        return torch.ones(2**BITS, dtype=torch.bool)
