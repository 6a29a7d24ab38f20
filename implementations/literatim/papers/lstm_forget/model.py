r"""LSTM with forget gates (Sec. 3), which the paper calls *extended* LSTM.

Standard LSTM keeps a cell's state whole from one step to the next. On a stream without marked ends it grows until the
squashing function h is saturated, and the cell is a memory no more (Sec. 2.1). Here a third gate scales the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from literatim.papers.lstm.model import LSTM

Forgetting = Literal["gate", "none", "decay"]


class ForgetLSTM(LSTM):
    r"""The net of the continual embedded Reber grammar (Sec. 4, Fig. 3): 4 blocks of 2 cells, 424 weights.

    Cells and gates see the inputs and what the cells gave a step before, and no gates; the outputs see the cells of the
    same step and, by a shortcut, the inputs. All gates and output units have a bias, cells have none.

    Args:
        inputs, outputs: units of these layers
        blocks, size: memory cell blocks, and cells in each
        forgetting: what becomes of a state from one step to the next: scaled by the "gate"; kept whole ("none",
            standard LSTM); or scaled by a fixed factor ("decay", the state decay of Table 2)
        decay: that factor
        shortcut: whether the output units see the inputs too
        init: weights and output biases are drawn between minus and plus this
        forget_bias: where the forget gates' biases start, one number a block; where none are given at .5, 1, 1.5, …
        gate_bias: where those of the input and output gates start, likewise; where none are given at -.5, -1, -1.5, …

    Raises ValueError for sizes, factors and numbers of biases that cannot be.
    """

    def __init__(
        self,
        inputs: int = 7,
        outputs: int = 7,
        blocks: int = 4,
        size: int = 2,
        forgetting: Forgetting = "gate",
        decay: float = 0.9,
        shortcut: bool = True,
        init: float = 0.2,
        forget_bias: Sequence[float] = (),
        gate_bias: Sequence[float] = (),
    ) -> None:
        if forgetting not in ("gate", "none", "decay"):
            raise ValueError(f'forgetting is "{forgetting}"; there are gate, none, decay')
        if not 0 < decay <= 1:
            raise ValueError(f"decay is {decay}; a state keeps a share above 0 and at most 1")
        super().__init__(
            inputs, outputs, blocks, size, sees="cells", biased="gates", shortcut=shortcut, init=init,
            input_gate_bias=(),
        )  # fmt: skip
        self.forgetting, self.decay = forgetting, decay if forgetting == "decay" else 1.0
        sources = inputs + self.fed_back
        self.forget_gates = nn.Linear(sources, blocks) if forgetting == "gate" else None
        self.output = nn.Linear(self.output.in_features, outputs)
        # Sec. 4: "blockwise", so that the blocks differ from the start; a forget gate is open, and forgets nothing yet.
        if gate_bias and len(gate_bias) != blocks:
            raise ValueError(f"{len(gate_bias)} gate biases are given for {blocks} blocks")
        rising = [0.5 * (block + 1) for block in range(blocks)]
        closed = tuple(gate_bias) or tuple(-bias for bias in rising)
        self.draw(init, {"input_gates": closed, "output_gates": closed})
        if self.forget_gates is not None:
            self.draw_biases(self.forget_gates, tuple(forget_bias) or rising)

    @torch.no_grad()
    def draw_biases(self, gates: nn.Linear, values: Sequence[float]) -> None:
        """Let the biases of gates start at these values."""
        if len(values) != len(gates.bias):
            raise ValueError(f"{len(values)} forget biases are given for {len(gates.bias)} blocks")
        gates.bias.copy_(torch.tensor(values))

    def kept(self, sources: Tensor) -> Tensor | float:
        r"""The share of its state that a cell keeps: $y^\varphi$ of its block,

        $$s_c(t) = y^\varphi(t)\, s_c(t-1) + y^{in}(t)\, g(net_c(t)).$$
        """
        if self.forget_gates is None:
            return self.decay
        return self.of_cells(torch.sigmoid(self.forget_gates(sources)))
