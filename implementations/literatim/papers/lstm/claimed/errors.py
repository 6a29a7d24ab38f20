"""How errors travel in a memory cell, and the gradient that the printed updates follow (Secs. 3.2, 4, Appendix A)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from literatim.papers.lstm import model
from literatim.papers.lstm.claimed.cell import by_hand, example, f, net

Array = NDArray[np.float64]

# --- How errors travel -------------------------------------------------------------------------------


def carousel(steps: str, **options: Any) -> float:
    """The derivative of a cell's state by itself so many steps before."""
    ours = net(inputs=3, **options)
    x = example(ours, int(steps) + 1)
    y, s = ours.start(1)
    first = s.clone().requires_grad_()
    state = first
    for t in range(int(steps)):
        _, y, state = ours.step(x[:, t], y, state)
    (slope,) = torch.autograd.grad(state[0, 0], first)
    return slope[0, 0].item()


def across_cells() -> float:
    """The largest derivative of a cell's state by another cell's, a hundred steps before."""
    ours = net(inputs=3)
    x = example(ours, 101)
    y, s = ours.start(1)
    first = s.clone().requires_grad_()
    state = first
    for t in range(100):
        _, y, state = ours.step(x[:, t], y, state)
    rows = [torch.autograd.grad(state[0, c], first, retain_graph=True)[0][0] for c in range(first.shape[1])]
    return (torch.stack(rows) - torch.eye(len(rows), dtype=torch.float64)).abs().max().item()


def cut(which: str) -> float:
    """The largest derivative of a net input by what is fed back from the step before."""
    ours = net()
    y, s = ours.start(1)
    y = (y + 0.5).requires_grad_()
    seen: list[Tensor] = []
    hook = getattr(ours, which).register_forward_hook(lambda _, args, out: seen.append(out))
    ours.step(example(ours)[:, 0], y, s)
    hook.remove()
    (slope,) = torch.autograd.grad(seen[0].sum(), y, allow_unused=True)
    return 0.0 if slope is None else slope.abs().max().item()


def in_and_out(which: str) -> bool:
    """Eq. 41: an error at a cell's output, at the cell's or its input gate's net input ten steps before."""
    ours, back = net(inputs=3, blocks=2, size=1), 10
    nets: dict[str, list[Tensor]] = {"cells": [], "input_gates": [], "output_gates": []}
    hooks = [
        getattr(ours, name).register_forward_hook(lambda _, args, out, kept=kept: kept.append(out))
        for name, kept in nets.items()
    ]
    x = example(ours, back + 5)
    y, s = ours.start(1)
    for t in range(x.shape[1]):
        _, y, s = ours.step(x[:, t], y, s)
    for hook in hooks:
        hook.remove()
    (slope,) = torch.autograd.grad(y[0, 0], nets[which][-1 - back])
    net_c, net_in = (nets[name][-1 - back][0, 0].item() for name in ("cells", "input_gates"))
    y_out = float(f(np.array(nets["output_gates"][-1][0, 0].item())))
    i, c, state = (float(f(np.array(value))) for value in (net_in, net_c, s[0, 0].item()))
    entering = y_out * 2 * state * (1 - state)
    leaving = {"cells": 4 * c * (1 - c) * i, "input_gates": (4 * c - 2) * i * (1 - i)}[which]
    return math.isclose(slope[0, 0].item(), entering * leaving, rel_tol=1e-10)


# --- The gradient ------------------------------------------------------------------------------------


def forward_in_time(net: model.LSTM, x: Array, targets: Array) -> dict[str, Array]:
    """Eqs. 19 to 28 as printed: what each weight is to be changed by for alpha = 1, summed over all steps."""
    S, blocks = net.size, net.blocks
    traces = by_hand(net, x)
    W_out = net.output.weight.detach().numpy()
    W_c, b_c = net.cells.weight.detach().numpy(), net.cells.bias.detach().numpy()
    sources = x.shape[1] + net.fed_back + 1
    ds_in, ds_c = np.zeros((S * blocks, sources)), np.zeros((S * blocks, sources))
    dw = {"cells": np.zeros((S * blocks, sources)), "input_gates": np.zeros((blocks, sources))}
    dw |= {"output_gates": np.zeros((blocks, sources)), "output": np.zeros((len(targets[0]), S * blocks + 1))}
    fed = np.zeros(net.fed_back)
    for t, now in enumerate(x):
        y_m = np.concatenate([now, fed, [1.0]])
        y_in, y_out, s, y_c, y_k = (traces[name][t] for name in traces)
        net_c = W_c @ y_m[:-1] + b_c
        g, g_slope = 4 * f(net_c) - 2, 4 * f(net_c) * (1 - f(net_c))
        e_k = y_k * (1 - y_k) * (targets[t] - y_k)  # Eq. 19
        dw["output"] += np.outer(e_k, np.concatenate([y_c, [1.0]]))  # Eq. 22
        for c in range(S * blocks):
            j = c // S
            ds_in[c] += g[c] * y_in[j] * (1 - y_in[j]) * y_m  # Eq. 25
            ds_c[c] += g_slope[c] * y_in[j] * y_m  # Eq. 27
            from_above = W_out[:, c] @ e_k
            h = 2 * f(s[c]) - 1
            dw["output_gates"][j] += y_out[j] * (1 - y_out[j]) * h * from_above * y_m  # Eqs. 21, 22
            e_s = y_out[j] * 2 * f(s[c]) * (1 - f(s[c])) * from_above  # Eq. 23
            dw["input_gates"][j] += e_s * ds_in[c]  # Eq. 26
            dw["cells"][c] += e_s * ds_c[c]  # Eq. 28
        fed = np.concatenate([y_c, y_in, y_out])
    return dw


def update(which: str) -> bool:
    """Whether the printed updates of a layer's weights are what autograd gives for half the squared error, with the
    model's cut where errors would leave cells and gates."""
    ours = net(inputs=3, outputs=2, blocks=2, size=2)
    x = example(ours)
    targets = torch.rand(x.shape[1], 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    loss = 0.5 * (targets - ours(x)[0]).square().sum()
    layer = getattr(ours, which)
    of_weight, of_bias = torch.autograd.grad(loss, [layer.weight, layer.bias])
    descent = -torch.cat([of_weight, of_bias[:, None]], dim=1).numpy()
    return np.allclose(forward_in_time(ours, x[0].numpy(), targets.numpy())[which], descent, atol=1e-12)


def error_of_an_output() -> float:
    """Minus the derivative of Eq. 16's error by an output's net input, over f'(net) (t - y)."""
    ours = net(inputs=3, outputs=2)
    seen: list[Tensor] = []
    hook = ours.output.register_forward_hook(lambda _, args, out: seen.append(out))
    y, target = ours(example(ours, 1))[0, 0], torch.tensor([0.2, 0.9], dtype=torch.float64)
    hook.remove()
    (slope,) = torch.autograd.grad((target - y).square().sum(), seen[0])
    as_in_eq_19 = (y * (1 - y) * (target - y)).detach()
    return round((-slope[0] / as_in_eq_19).mean().item(), 9)


def error_by_eq_16() -> float:
    """The same by the difference quotient of what is printed, for one unit."""
    net_k, target, step = 0.3, 0.9, 1e-6

    def error(net: float) -> float:
        return (target - 1 / (1 + math.exp(-net))) ** 2

    y = 1 / (1 + math.exp(-net_k))
    slope = (error(net_k + step) - error(net_k - step)) / (2 * step)
    return round(-slope / (y * (1 - y) * (target - y)), 6)
