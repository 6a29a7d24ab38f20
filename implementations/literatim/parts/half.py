"""Networks that compute in bf16 while their weights are kept in float32, without a cast at every step."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from literatim.parts.compiled import compiling
from literatim.parts.rmsprop import CentredRMSProp, flat


def half(net: nn.Module) -> nn.Module:
    """A copy of a network in bf16, with which autocast would compute the same bits."""
    return copy.deepcopy(net).to(torch.bfloat16)


class HalfRMSProp(CentredRMSProp):
    """Centred RMSProp of float32 parameters by the gradients of their bf16 copies, which it renews, in one pass.

    Args:
        net: the parameters that are learned
        copied: the same network in bf16, `half(net)`, which has the gradients
        lr, gradient_momentum, squared_gradient_momentum, min_squared_gradient: those of `CentredRMSProp`
    """

    def __init__(
        self, net: nn.Module, copied: nn.Module, lr: float, gradient_momentum: float,
        squared_gradient_momentum: float, min_squared_gradient: float,
    ) -> None:  # fmt: skip
        super().__init__(net.parameters(), lr, gradient_momentum, squared_gradient_momentum, min_squared_gradient)
        self.copies: dict[Tensor, Tensor] = dict(zip(net.parameters(), copied.parameters(), strict=True))
        with compiling():
            from literatim.parts.rmsprop_engine import update_half
        self.one_pass = update_half

    def zero_grad(self, set_to_none: bool = True) -> None:
        for copied in self.copies.values():
            copied.grad = None

    def gradient(self, p: Tensor) -> Tensor | None:
        return self.copies[p].grad

    def update(self, p: Tensor, g: Tensor, lr: float) -> None:
        m, n = self.means(p)
        arrays = [flat(bits(tensor), p) for tensor in (p, g, m, n, self.copies[p].data)]
        self.one_pass(*arrays, lr, self.decay, self.squared_decay, self.least)


def bits(tensor: Tensor) -> Tensor:
    return tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor
