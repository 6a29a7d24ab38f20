r"""The update rule of Sec. 5, as printed."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.optim import Optimizer


class Momentum(Optimizer):
    r"""Stochastic gradient descent with momentum and weight decay (Sec. 5):

    $$v_{i+1} := 0.9\, v_i - 0.0005\, \epsilon\, w_i
    - \epsilon \left\langle \frac{\partial L}{\partial w} \right\rangle_{D_i}, \qquad w_{i+1} := w_i + v_{i+1}$$

    The rate $\epsilon$ stands inside the velocity: after a change of rate the old velocity runs on at the old rate.
    `torch.optim.SGD` multiplies the whole velocity by the new one; at a constant rate the two are the same. The decay
    passes through the velocity too, and is multiplied by the rate.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0005
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            rate, decay = group["lr"], group["weight_decay"]
            for w in group["params"]:
                if w.grad is None:
                    continue
                state = self.state[w]
                if not state:
                    state["v"] = torch.zeros_like(w)
                v = state["v"]
                v.mul_(group["momentum"]).add_(w, alpha=-decay * rate).add_(w.grad, alpha=-rate)
                w.add_(v)
        return loss
