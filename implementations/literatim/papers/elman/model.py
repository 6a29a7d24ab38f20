r"""The simple recurrent network (Elman 1990), Fig. 2.

A network of three layers, augmented at the input level by *context units*. After each step the hidden units are copied
into them, one for one, so that at the next step the hidden units see the input together with their own previous
values: "these context units thus provide the network with memory".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Copy(nn.Module):
    r"""The connections from hidden units to context units (Fig. 2): one for one, "fixed at 1.0 and … not subject to
    adjustment".

    Input and output (N, H). The weights are a buffer: no optimiser sees them.
    """

    weight: Tensor

    def __init__(self, units: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(units), persistent=False)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.weight * hidden


class SimpleRecurrentNetwork(nn.Module):
    r"""The network of Fig. 2. Input (N, T, I), output (N, T, O): after every input the prediction of the next one.

    $$h_t = \sigma(W x_t + U c_t + b), \qquad y_t = \sigma(V h_t + a), \qquad c_{t+1} = h_t, \qquad c_1 = .5$$

    `start(n)` gives the context before the first input, and `step` goes on from a context by one input. The context is
    an input like any other: error is propagated back through the weights $U$ to it and no further, at every step anew.
    The paper says so by what it leaves away: recurrent connections are fixed, and back-propagation is the usual one.

    The defaults are those of the first experiment, 1-2-1. Options:

    - `inputs`, `hidden`, `outputs`: units of the layers; there are as many context units as hidden ones (note 3).
    - `init`: weights and biases start uniformly within plus and minus this. Open in the paper, as are the biases.
    - `memory`: without it the context units stay at .5: the "simple feedforward network" with which the second
      experiment is compared.
    """

    def __init__(
        self, inputs: int = 1, hidden: int = 2, outputs: int = 1, init: float = 1.0, memory: bool = True
    ) -> None:
        super().__init__()
        self.memory = memory
        for name, units in (("inputs", inputs), ("hidden", hidden), ("outputs", outputs)):
            if units < 1:
                raise ValueError(f"the network has {units} {name}; there must be at least one unit")
        self.from_input = nn.Linear(inputs, hidden)
        # Note 3: "fully distributed, such that each context unit activates all the hidden units".
        self.from_context = nn.Linear(hidden, hidden, bias=False)
        self.output = nn.Linear(hidden, outputs)
        self.copy = Copy(hidden)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -init, init)

    def start(self, n: int) -> tuple[Tensor]:
        """(N, H): "the context units are initially set to 0.5"."""
        weight = self.from_context.weight
        return (weight.new_full((n, weight.shape[1]), 0.5),)

    def hidden(self, x: Tensor, context: Tensor) -> Tensor:
        """(N, H): input (N, I) and context units (N, H) activate the hidden units, all between 0 and 1 (note 2)."""
        return torch.sigmoid(self.from_input(x) + self.from_context(context))

    def step(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """(N, O) the prediction and (N, H) the next context, from input (N, I) and context (N, H)."""
        hidden = self.hidden(x, context if self.memory else torch.full_like(context, 0.5))
        return torch.sigmoid(self.output(hidden)), self.copy(hidden).detach()

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x)[0]

    def run(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, T, O) the predictions and (N, T, H) the hidden units, of sequences (N, T, I) from the start."""
        (context,), outputs, hidden = self.start(len(x)), [], []
        for t in range(x.shape[1]):
            y, context = self.step(x[:, t], context)
            outputs.append(y)
            hidden.append(context)
        return torch.stack(outputs, 1), torch.stack(hidden, 1)


def squared_error(y: Tensor, target: Tensor) -> Tensor:
    r"""$\frac{1}{2}\sum_k (y_k - t_k)^2$ over the outputs: the error of Rumelhart, Hinton and Williams (1986), to whose
    back-propagation the paper refers. The error that its figures show is the sum without the half."""
    return (y - target).square().sum() / 2
