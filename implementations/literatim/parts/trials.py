"""Many networks of one kind that learn side by side: the trials that a paper takes its means over."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from literatim.errors import LiteratimError


class Trials(nn.Module):
    """The parameters of all trials, stacked in double precision, and how far each trial is.

    They are buffers, so that a checkpoint has them. `seen` (K,) int64 counts what a trial has been shown (sequences,
    sweeps), `solved_at` (K,) int64 is that count when the trial met the stop rule, -1 before.

    Args:
        nets: one network a trial, all with parameters of the same names and shapes; (K, *shape) each here

    Raises LiteratimError where there is none.
    """

    seen: Tensor
    solved_at: Tensor

    def __init__(self, nets: Sequence[nn.Module]) -> None:
        super().__init__()
        if not nets:
            raise LiteratimError("model.trials is 0; it must be at least 1")
        self.names = [name for name, _ in nets[0].named_parameters()]
        for name in self.names:
            stacked = torch.stack([net.get_parameter(name).detach().double() for net in nets])
            self.register_buffer(_key(name), stacked)
        self.register_buffer("seen", torch.zeros(len(nets), dtype=torch.int64))
        self.register_buffer("solved_at", torch.full((len(nets),), -1))

    def __len__(self) -> int:
        return len(self.seen)

    def stacked(self, name: str) -> Tensor:
        """(K, *shape) float64: a parameter of all trials."""
        return self.get_buffer(_key(name))

    def table(self, name: str) -> NDArray[np.float64]:
        """The same as an array of NumPy's on the same memory (CPU): what is written into it is learned."""
        return self.stacked(name).numpy()

    def live(self) -> list[int]:
        """The trials that have not met the stop rule."""
        return torch.nonzero(self.solved_at < 0).flatten().tolist()

    def first(self) -> int:
        """The first trial, in their order, that has met the stop rule; 0 where none has."""
        solved = torch.nonzero(self.solved_at >= 0).flatten().tolist()
        return solved[0] if solved else 0

    @torch.no_grad()
    def load_into(self, net: nn.Module, trial: int) -> None:
        """Give a network the parameters of a trial, in its own precision."""
        for name in self.names:
            net.get_parameter(name).copy_(self.stacked(name)[trial])

    def summary(self, what: str = "sequences") -> dict[str, float]:
        """How many trials met the stop rule, and after how much: mean, extremes, median, standard deviation.

        `solved` is in per cent; those of `what` are over the trials that met the rule, and left out where none did.
        """
        at = [float(n) for n in self.solved_at.tolist() if n >= 0]
        found = {"solved": 100 * len(at) / len(self), "solved_trials": float(len(at))}
        if at:
            found |= {
                what: statistics.fmean(at),
                f"{what}_least": min(at),
                f"{what}_most": max(at),
                f"{what}_median": statistics.median(at),
                f"{what}_deviation": statistics.stdev(at) if len(at) > 1 else 0.0,
            }
        return found


def _key(name: str) -> str:
    """The name of a parameter as that of a buffer, which has no dots."""
    return "of_" + name.replace(".", "__")
