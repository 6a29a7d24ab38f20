"""A second copy of a network whose weights are the average of those that the first has had."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn


class Averaged(nn.Module):
    r"""The running average of a network's weights; called like the network, it answers with them.

    After $t$ calls of `update` with the weights $w_1, \dots, w_t$ it holds, where no `decay` is given, their mean
    (Polyak and Juditsky 1992):

    $$\bar w_t = \frac{1}{t} \sum_{i=1}^{t} w_i = \bar w_{t-1} + \frac{w_t - \bar w_{t-1}}{t}$$

    With a `decay` $d$ it forgets the beginning: $\bar w_t = d\, \bar w_{t-1} + (1 - d)\, w_t$, from $\bar w_1 = w_1$.
    Buffers, such as the statistics of batch normalisation, are those of the last update. The copy is never trained,
    and `updates` counts in a checkpoint.

    Args:
        net: what is averaged; its present weights are what the copy holds until the first update
        decay: of the exponential average, between 0 and 1
    """

    updates: Tensor

    def __init__(self, net: nn.Module, decay: float | None = None) -> None:
        super().__init__()
        self.net = deepcopy(net).requires_grad_(False)
        self.decay = decay
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Take the present weights of the network into the average."""
        self.updates += 1
        done = int(self.updates)
        share = 1 / done if self.decay is None or done == 1 else 1 - self.decay
        for average, weight in zip(self.net.parameters(), net.parameters(), strict=True):
            average.lerp_(weight, share)
        for kept, current in zip(self.net.buffers(), net.buffers(), strict=True):
            kept.copy_(current)

    def forward(self, *inputs: Any) -> Any:
        return self.net(*inputs)
