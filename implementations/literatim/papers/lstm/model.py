r"""Long Short-Term Memory (Hochreiter and Schmidhuber 1997): memory cell blocks between an input and an output layer.

A memory cell keeps what it has in a unit that is connected to itself with the weight 1, the *constant error carrousel*:
an error that flows back through it is neither scaled up nor down. A gate at its entrance and one at its exit learn when
to let in and when to let out. There is no gate that forgets: that came three years later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Sees = Literal["hidden", "cells", "inputs"]
Biased = Literal["all", "hidden", "gates", "none"]


class LSTM(nn.Module):
    r"""A net of three layers (Sec. 4, *Network topology*): inputs, memory cell blocks with their gates, outputs.

    A *block* of size S is S cells that share one input gate and one output gate. With all defaults this is the net of
    the adding problem (Sec. 5.4), which has 93 weights.

    `forward` takes sequences (N, T, inputs) and gives the outputs at every step, (N, T, outputs). `start(n)` gives the
    state before the first input and `step` goes on from a state by one input.

    Args:
        inputs, outputs: units of these layers
        blocks, size: how many memory cell blocks, and how many cells in each
        sees: what cells and gates see of the step before: "hidden", all cells **and all gates**; only "cells"; or
            nothing but the present "inputs"
        biased: the units that have a bias (Table 10, column 12): "all" but the inputs, "hidden", "gates", or "none"
        output_gate: without it a cell is always read (Task 2a)
        shortcut: whether the output layer sees the inputs too ("B" in Table 10, column 9)
        h, g: the squashing functions of a cell's state and of its input
        init: weights and biases are drawn between minus and plus this
        input_gate_bias, output_gate_bias: where the gates of the first blocks start instead, one number a block

    Raises ValueError where a layer is empty, or where more biases are given than there are biased gates.
    """

    def __init__(
        self,
        inputs: int = 2,
        outputs: int = 1,
        blocks: int = 2,
        size: int = 2,
        sees: Sees = "hidden",
        biased: Biased = "all",
        output_gate: bool = True,
        shortcut: bool = False,
        h: Literal["[-1, 1]", "identity"] = "[-1, 1]",
        g: Literal["[-2, 2]", "[0, 1]"] = "[-2, 2]",
        init: float = 0.1,
        input_gate_bias: Sequence[float] = (-3.0, -6.0),
        output_gate_bias: Sequence[float] = (),
    ) -> None:
        super().__init__()
        for name, number in (("inputs", inputs), ("outputs", outputs), ("blocks", blocks), ("size", size)):
            if number < 1:
                raise ValueError(f"{name} is {number}; it must be at least 1")
        self.inputs, self.outputs, self.blocks, self.size = inputs, outputs, blocks, size
        self.sees, self.biased, self.output_gate, self.shortcut, self.h, self.g = (
            sees, biased, output_gate, shortcut, h, g
        )  # fmt: skip
        sources = inputs + self.fed_back
        of_gates = biased in ("all", "hidden", "gates")
        self.cells = nn.Linear(sources, blocks * size, bias=biased in ("all", "hidden"))
        self.input_gates = nn.Linear(sources, blocks, bias=of_gates)
        self.output_gates = nn.Linear(sources, blocks, bias=of_gates) if output_gate else None
        self.output = nn.Linear(blocks * size + inputs * shortcut, outputs, bias=biased == "all")
        self.draw(init, {"input_gates": input_gate_bias, "output_gates": output_gate_bias})

    @property
    def fed_back(self) -> int:
        """How many activations of the step before the hidden layer sees."""
        cells = self.blocks * self.size
        return {"hidden": cells + (1 + self.output_gate) * self.blocks, "cells": cells, "inputs": 0}[self.sees]

    @torch.no_grad()
    def draw(self, within: float, biases: dict[str, Sequence[float]]) -> None:
        """Sec. 5: all weights uniform around zero. A negative bias of an input gate keeps the state from drifting at
        the start; of the output gates it makes that blocks are used one after the other (Sec. 4)."""
        for weight in self.parameters():
            weight.uniform_(-within, within)
        for name, values in biases.items():
            bias = getattr(getattr(self, name), "bias", None)
            if len(values) > (0 if bias is None else len(bias)):
                raise ValueError(f"{len(values)} biases are given for the {name.replace('_', ' ')}; there are fewer")
            if values:
                bias[: len(values)] = torch.tensor(values)

    def start(self, n: int) -> tuple[Tensor, Tensor]:
        """Before the first input of n sequences: (n, fed back) activations and (n, cells) states, all zero."""
        zeros = self.cells.weight.new_zeros
        return zeros(n, self.fed_back), zeros(n, self.blocks * self.size)

    def kept(self, sources: Tensor) -> Tensor | float:
        """What share of its state a cell keeps: all. (A successor has a gate here.)"""
        return 1.0

    def squash_input(self, net: Tensor) -> Tensor:
        """Eq. 5: g, a logistic function with range [-2, 2]; that of Eq. 3 in Task 2a."""
        return 4 * torch.sigmoid(net) - 2 if self.g == "[-2, 2]" else torch.sigmoid(net)

    def squash_state(self, s: Tensor) -> Tensor:
        """Eq. 4: h, a logistic function with range [-1, 1]; the identity in Task 2a."""
        return 2 * torch.sigmoid(s) - 1 if self.h == "[-1, 1]" else s

    def of_cells(self, gates: Tensor) -> Tensor:
        """(N, cells): of every cell the activation of its block's gate (N, blocks)."""
        return gates.repeat_interleave(self.size, dim=1)

    def step(self, x: Tensor, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        r"""One step: the inputs (N, inputs) with what is fed back and the states, to (outputs, fed back, states).

        Eqs. 7 to 9. The error that arrives at a net input of the hidden layer changes the weights there and goes no
        further: "truncated" (Appendix A.1). So $\partial net / \partial y^u(t-1)$ is 0, which is what `detach` says,
        and back in time an error flows through the states $s$ alone.
        """
        sources = torch.cat([x, y.detach()], dim=1)
        y_in = torch.sigmoid(self.input_gates(sources))
        s = self.kept(sources) * s + self.of_cells(y_in) * self.squash_input(self.cells(sources))
        activations = [self.squash_state(s), y_in]
        if self.output_gates is not None:
            y_out = torch.sigmoid(self.output_gates(sources))
            activations = [self.of_cells(y_out) * activations[0], y_in, y_out]
        # Sec. 5: "in slight deviation from the notation in Appendix A1" the outputs are of the cells of the same step.
        below = torch.cat([activations[0], x], dim=1) if self.shortcut else activations[0]
        return torch.sigmoid(self.output(below)), torch.cat(activations, dim=1)[:, : self.fed_back], s

    def forward(self, x: Tensor) -> Tensor:
        y, s = self.start(len(x))
        outputs = []
        for t in range(x.shape[1]):
            output, y, s = self.step(x[:, t], y, s)
            outputs.append(output)
        return torch.stack(outputs, dim=1)
