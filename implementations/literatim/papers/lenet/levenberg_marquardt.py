r"""The stochastic diagonal Levenberg-Marquardt method of Appendix C.

Plain stochastic gradient descent in which every parameter has a rate of its own (Eq. 21),

$$ \epsilon_k = \frac{\eta}{\mu + h_{kk}}, $$

where $h_{kk}$ estimates the second derivative of the loss in that parameter. The estimates are taken anew
before each pass over the training set, on 500 samples, and kept for the pass.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from literatim.papers.lenet.model import AMPLITUDE, SLOPE, LeNet5, squash


class StochasticDiagonalLM(torch.optim.Optimizer):
    r"""$w_k \leftarrow w_k - \epsilon_k \, \partial E^p / \partial w_k$ (Eq. 18), with the rates of Eq. 21.

    `lr` is the global rate $\eta$ of the schedule; `mu` keeps a step finite where the curvature is small. Both take
    effect when `measure` is called, before each pass; until then every $h_{kk}$ is zero.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, mu: float) -> None:
        super().__init__(parameters, {"lr": lr, "mu": mu})
        self.measure([torch.zeros_like(p) for group in self.param_groups for p in group["params"]])

    def measure(self, curvatures: list[Tensor]) -> None:
        """Set the rates from the $h_{kk}$, one tensor for each parameter in order (Eq. 21)."""
        of = iter(curvatures)
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter]["rate"] = group["lr"] / (group["mu"] + next(of))

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = closure() if closure else None
        for group in self.param_groups:
            gradients = [parameter.grad for parameter in group["params"]]
            rates = [self.state[parameter]["rate"] for parameter in group["params"]]
            torch._foreach_addcmul_(group["params"], gradients, rates, value=-1)
        return loss


def curvatures(net: LeNet5, images: Tensor) -> list[Tensor]:
    r"""The $h_{kk}$ of every parameter, in the order of `net.parameters()`: Eqs. 22 to 27, averaged over the images.

    $h_{kk}$ is the sum of $\partial^2 E / \partial u_{ij}^2$ over all connections (i, j) that share the parameter
    (Eq. 22), and the Gauss-Newton approximation, which is never negative, drops the terms with $f''$:

    $$ \frac{\partial^2 E}{\partial u_{ij}^2} = \frac{\partial^2 E}{\partial a_i^2} x_j^2, \qquad
       \frac{\partial^2 E}{\partial a_i^2} = f'(a_i)^2 \frac{\partial^2 E}{\partial x_i^2}, \qquad
       \frac{\partial^2 E}{\partial x_j^2} = \sum_i u_{ij}^2 \frac{\partial^2 E}{\partial a_i^2}. $$

    So second derivatives go back through a layer as gradients do, with every weight and every input squared:
    below, the gradient of the squared layer. `images` is (N, 1, 32, 32).
    """
    layers = [net.c1, net.s2, net.c3, net.s4, net.c5, net.f6]
    inputs, outputs, x = [], [], images
    with torch.no_grad():
        for layer in layers:
            inputs.append(x.flatten(1) if layer is net.f6 else x)
            x = squash(layer(inputs[-1]))
            outputs.append(x)
    # At F6 the curvature of Eq. 8 is constant, for y is a sum of squares (x - w)^2. Open: how to start for Eq. 9;
    # we start as for Eq. 8, which cannot turn negative either.
    second = torch.full_like(x, 2.0)
    found: list[Tensor] = []
    for layer, into, out in zip(reversed(layers), reversed(inputs), reversed(outputs), strict=True):
        slope = AMPLITUDE * SLOPE * (1 - (out / AMPLITUDE).square())  # f'(a) in terms of f(a)
        second = slope.square() * second.view_as(out)
        squared = {
            name: value.detach().square().requires_grad_()
            for name, value in [*layer.named_parameters(), *layer.named_buffers()]
            if value.is_floating_point()
        }
        squared_input = into.square().requires_grad_()
        of_parameters = [squared[name] for name, _ in layer.named_parameters()]
        sums = functional_call(layer, squared, squared_input)
        second, *of_parameters = torch.autograd.grad(sums, [squared_input, *of_parameters], second)
        found = [h / len(images) for h in of_parameters] + found
    return found
