r"""RMSProp as the agents of 2013 and 2015 had it: centred, with its constant inside the root."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

from literatim.errors import LiteratimError


class CentredRMSProp(Optimizer):
    r"""Gradients divided by their running deviation.

    $$m \leftarrow \rho_1 m + (1 - \rho_1) g,\quad n \leftarrow \rho_2 n + (1 - \rho_2) g^2,\quad
      \theta \leftarrow \theta - \eta\, g / \sqrt{n - m^2 + \epsilon}$$

    There is no momentum on the step: the paper's "gradient momentum" is $\rho_1$, as the authors' Lua has it.
    `torch.optim.RMSprop(centered=True)` adds its constant outside the root, and has one decay for both means.

    Args:
        params: float32 tensors
        lr: $\eta$
        gradient_momentum: $\rho_1$
        squared_gradient_momentum: $\rho_2$
        min_squared_gradient: $\epsilon$
        engine: "plain" torch, or "exact", the same in one pass over the memory, compiled by numba (CPU)

    Raises LiteratimError where numba is asked for and not installed, or the parameters are not on the CPU.
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float = 0.00025, gradient_momentum: float = 0.95,
        squared_gradient_momentum: float = 0.95, min_squared_gradient: float = 0.01,
        engine: Literal["plain", "exact"] = "plain",
    ) -> None:  # fmt: skip
        super().__init__(params, {"lr": lr})
        self.decay, self.squared_decay, self.least = gradient_momentum, squared_gradient_momentum, min_squared_gradient
        self.fused = one_pass() if engine == "exact" else None

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if (g := self.gradient(p)) is not None:
                    self.update(p, g, group["lr"])
        return loss

    def gradient(self, p: Tensor) -> Tensor | None:
        return p.grad

    def means(self, p: Tensor) -> tuple[Tensor, Tensor]:
        """The running means of a parameter's gradient and of its square."""
        state = self.state[p]
        if not state:
            state["mean"], state["square"] = torch.zeros_like(p), torch.zeros_like(p)
        return state["mean"], state["square"]

    def update(self, p: Tensor, g: Tensor, lr: float) -> None:
        m, n = self.means(p)
        if self.fused:
            if p.device.type != "cpu":
                raise LiteratimError('the engine "exact" runs on the CPU: --trainer.accelerator cpu')
            arrays = [flat(tensor, p) for tensor in (p, g, m, n)]
            self.fused(*arrays, lr, self.decay, self.squared_decay, self.least)
            return
        m.mul_(self.decay).add_(g, alpha=1 - self.decay)
        n.mul_(self.squared_decay).addcmul_(g, g, value=1 - self.squared_decay)
        p.addcdiv_(g, (n - m.square() + self.least).sqrt_(), value=-lr)


def flat(tensor: Tensor, like: Tensor) -> Any:
    """The elements of a tensor in the order in which `like` has them in memory, as an array on the same memory."""
    if tensor.stride() != like.stride():
        tensor = torch.empty_like(like).copy_(tensor)
    return torch.as_strided(tensor, (tensor.numel(),), (1,)).numpy()


def one_pass() -> Any:
    from literatim.parts.compiled import compiling

    with compiling():
        from literatim.parts.rmsprop_engine import update
    return update
