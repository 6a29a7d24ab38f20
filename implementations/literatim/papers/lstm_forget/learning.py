r"""Learning at every symbol with autograd: the readable counterpart of the compiled engine.

The truncated derivative (Sec. 3.2) of the states with respect to every weight is carried from step to step, as it was
when each step was taken: $\partial s(t) = y^\varphi(t)\, \partial s(t-1) + \dots$, where the rest is the step's own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from literatim.papers.lstm_forget.model import ForgetLSTM

VANISHED = 1e-30  # a learning rate below it changes no weight in double precision


class Learner:
    """One network in the middle of a stream (batch of one).

    Args:
        net: whose weights are changed
    """

    def __init__(self, net: ForgetLSTM) -> None:
        self.net = net
        self.weights = [p for name, p in net.named_parameters() if not name.startswith("output.")]
        self.reset()

    def reset(self) -> None:
        """Forget the past: what the cells gave, their states, and the derivatives of these."""
        self.given, self.states = self.net.start(1)
        # of the states of the j-th cell of every block, with respect to each weight of the hidden layer
        self.partials = [[torch.zeros_like(w) for w in self.weights] for _ in range(self.net.size)]

    def step(self, x: Tensor) -> Tensor:
        """Feed one input (inputs,); the outputs (outputs,) remember how they came about."""
        self.before = self.states.detach().requires_grad_()
        y, given, self.states = self.net.step(x[None], self.given, self.before)
        self.given = given.detach()
        return y[0]

    def gradients(self, loss: Tensor) -> list[tuple[nn.Parameter, Tensor]]:
        """Of a loss of this step's outputs, with respect to every weight; takes the derivatives a step further."""
        before, by_step = self._carry()
        everything = list(self.net.parameters())
        found = torch.autograd.grad(loss, [self.before, *everything], allow_unused=True)
        past = found[0].view(self.net.blocks, self.net.size)
        whole = {id(p): torch.zeros_like(p) if g is None else g for p, g in zip(everything, found[1:], strict=True)}
        for j in range(self.net.size):
            for weight, partial in zip(self.weights, before[j], strict=True):
                whole[id(weight)] = whole[id(weight)] + self._rows(past[:, j], weight) * partial
        self.partials = by_step
        return [(p, whole[id(p)]) for p in everything]

    def _carry(self) -> tuple[list[list[Tensor]], list[list[Tensor]]]:
        """The derivatives of the states before this step, and after it."""
        share = torch.autograd.grad(self.states.sum(), self.before, retain_graph=True)[0]
        share = share.view(self.net.blocks, self.net.size)
        after = []
        for j in range(self.net.size):
            state = self.states.view(self.net.blocks, self.net.size)[:, j].sum()
            own = torch.autograd.grad(state, self.weights, retain_graph=True, allow_unused=True)
            after.append([
                self._rows(share[:, j], w) * p + (0 if o is None else o)
                for w, p, o in zip(self.weights, self.partials[j], own, strict=True)
            ])  # fmt: skip
        return self.partials, after

    def _rows(self, of_blocks: Tensor, weight: Tensor) -> Tensor:
        """A factor for each block as one for each row of a weight: rows are blocks, or cells."""
        rows = of_blocks.repeat_interleave(len(weight) // len(of_blocks))
        return rows.view(-1, *[1] * (weight.dim() - 1))

    def learn(self, loss: Tensor, rate: float) -> None:
        """One update down a step's loss."""
        gradients = self.gradients(loss)
        with torch.no_grad():
            for weight, gradient in gradients:
                weight -= rate * gradient
