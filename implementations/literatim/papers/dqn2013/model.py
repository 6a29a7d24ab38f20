r"""The Deep Q-Network of 2013 (Mnih, Kavukcuoglu, Silver, Graves, Antonoglou, Wierstra, Riedmiller), Sec. 4.1.

Two convolutions, a fully connected layer and an output for each action: the state alone goes in, and one forward pass
gives the values of all actions. Nothing is pooled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def side_after(size: int, layers: Sequence[Sequence[int]]) -> int:
    """The side of the last maps, from frames of this side. Raises ValueError where a kernel is larger than its maps."""
    for _, kernel, stride, *padding in layers:
        width = size + 2 * sum(padding)
        if width < kernel:
            raise ValueError(f"a kernel of {kernel}x{kernel} does not fit into maps of {width}x{width}")
        size = (width - kernel) // stride + 1
    return size


class DeepQNetwork(nn.Module):
    r"""$Q(s, a; \theta)$ for all actions a at once. Input (N, frames, size, size), grey levels from 0 to 1; output
    (N, actions), in rewards.

    The defaults are those of Sec. 4.1, with the four actions of Breakout. Options:

    - `actions`: valid actions, "between 4 and 18" in the paper's games.
    - `frames`, `size`: how many frames make a state, and their side.
    - `layers`: [maps, kernel, stride] of each convolution, and a fourth number where it pads its input.
    - `hidden`: rectified units of the fully connected layer; without a number there is no such layer. Without it and
      without convolutions (`layers: []`) the values are linear in the pixels.

    How weights start is open in the paper. Here weights and biases are drawn uniformly within
    $\pm 1 / \sqrt{\text{inputs of a unit}}$, as Torch7, in which the authors' code is written, draws them.
    """

    def __init__(
        self,
        actions: int = 4,
        frames: int = 4,
        size: int = 84,
        layers: Sequence[Sequence[int]] = ((16, 8, 4), (32, 4, 2)),
        hidden: int | None = 256,
    ) -> None:
        super().__init__()
        if min(frames, actions) < 1:
            raise ValueError(f"{frames} frames, {actions} actions: a network has at least one of each")
        self.frames, self.size = frames, size
        maps = [frames, *(layer[0] for layer in layers)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel, stride, sum(padding))
            for before, (after, kernel, stride, *padding) in zip(maps, layers, strict=False)
        )  # 16 @ 20x20, 32 @ 9x9
        units = maps[-1] * side_after(size, layers) ** 2
        self.hidden = None if hidden is None else nn.Linear(units, hidden)
        self.values = nn.Linear(units if hidden is None else hidden, actions)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Torch7's rule, for weights and biases alike."""
        for layer in (*self.convolutions, self.hidden, self.values):
            if layer is not None:
                bound = 1 / math.sqrt(layer.weight[0].numel())
                for parameter in layer.parameters():
                    nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
        x = x.flatten(1)
        if self.hidden is not None:
            x = F.relu(self.hidden(x))
        return self.values(x)
