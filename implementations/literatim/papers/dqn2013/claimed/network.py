"""Checks of the network's form, for the papers of 2013 and 2015 alike, and networks broken in one place each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.claims.verdicts import build
from literatim.papers.dqn2013 import model

OF_CONVOLUTION = {"maps": "out_channels", "kernel": "kernel_size", "stride": "stride"}


def layer_of(net: Any, name: str) -> Any:
    """`conv1`, `conv2`, …, `hidden`, `values`."""
    return net.convolutions[int(name.removeprefix("conv")) - 1] if name.startswith("conv") else getattr(net, name)


def size_of(paper: str, row: str) -> int:
    """Of `conv1-maps`, `conv1-kernel`, `conv1-stride`, …, `hidden-units`, `input-frames`, `input-side`."""
    name, _, what = row.partition("-")
    net: Any = build(paper, "breakout")
    if name == "input":
        return int(net.convolutions[0].in_channels if what == "frames" else side_of_input(net))
    if name == "hidden":
        return int(net.hidden.out_features)
    found = getattr(layer_of(net, name), OF_CONVOLUTION[what])
    return int(found if isinstance(found, int) else found[0])


def side_of_input(net: Any) -> int:
    """The one side of frames from which the convolutions come to as many units as the hidden layer takes."""
    for side in range(64, 200):
        x: Tensor = torch.zeros(1, net.convolutions[0].in_channels, side, side, device="meta")
        for convolution in net.convolutions:
            x = convolution(x)
        if x.numel() == net.hidden.in_features:
            return side
    return 0


def rectified(paper: str, name: str) -> bool:
    """Whether a layer passes on max(0, a): nothing of what is below zero, all of what is above."""
    net, seen = build(paper, "breakout", "cpu"), {}

    def listen(_: nn.Module, args: Any, out: Tensor) -> None:
        out.retain_grad()
        seen["sums"] = out

    hook = layer_of(net, name).register_forward_hook(listen)
    net(torch.rand(2, 4, 84, 84, generator=torch.Generator().manual_seed(0))).sum().backward()
    hook.remove()
    sums, gradients = seen["sums"], seen["sums"].grad
    return bool((sums < 0).any() and not gradients[sums < 0].any() and gradients[sums > 0].count_nonzero() > 1)


def linear_outputs(paper: str) -> bool:
    """Whether the values are the weighted sums of the last layer and nothing done to them."""
    net, seen = build(paper, "breakout", "cpu"), []
    hook = net.values.register_forward_hook(lambda _, args, out: seen.append((args[0], out)))
    y = net(torch.rand(2, 4, 84, 84, generator=torch.Generator().manual_seed(0)))
    hook.remove()
    x, out = seen[0]
    return torch.equal(y, out) and torch.allclose(out, F.linear(x, net.values.weight, net.values.bias))


def passes_for_all_actions(paper: str) -> int:
    """How often the network's last layer is called until there is a value for each of eighteen actions."""
    net, calls = build(paper, "seaquest", "cpu"), []
    hook = net.values.register_forward_hook(lambda _, args, out: calls.append(out.shape[1]))
    while sum(calls) < 18:
        net(torch.zeros(1, 4, 84, 84))
    hook.remove()
    return len(calls)


Change = Callable[[Any], None]
Breaking = Callable[[], AbstractContextManager[Any]]


def made(where: ModuleType, change: Change = lambda net: None, **other: Any) -> Breaking:
    """The network of a paper with other options, or changed after it was made."""
    whole = where.DeepQNetwork

    class Broken(whole):  # type: ignore[valid-type]
        def __init__(self, **options: Any) -> None:
            more = {name: value(options.get(name)) if callable(value) else value for name, value in other.items()}
            super().__init__(**{**options, **more})
            change(self)

    return lambda: patch.object(where, "DeepQNetwork", Broken)


def rectifying(relu: Callable[[Tensor], Tensor]) -> Breaking:
    return lambda: patch.object(model, "F", SimpleNamespace(relu=relu))


def one_output_at_a_time(net: Any) -> None:
    """Values of one action alone in each pass."""
    whole = net.values
    net.values = nn.Linear(whole.in_features, 1)


class RectifiedLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(super().forward(x))


def rectified_outputs(net: Any) -> None:
    net.values = RectifiedLinear(net.values.in_features, net.values.out_features)


def broken(where: ModuleType, layers: list[list[int]], hidden: int) -> dict[str, Breaking]:
    """Networks broken in one place each, from the printed sizes."""

    def other(i: int, change: int) -> list[list[int]]:
        return [[n + change * (i == j) for j, n in enumerate(layer)] for layer in layers]

    return {
        "a map more in each convolution": made(where, layers=other(0, 1)),
        "kernels larger by one": made(where, layers=other(1, 1)),
        "strides larger by one": made(where, layers=other(2, 1)),
        "three frames": made(where, frames=3),
        "frames of 80x80": made(where, size=80),
        "a hidden unit less": made(where, hidden=hidden - 1),
        "an action more": made(where, actions=lambda actions: (actions or 4) + 1),
        "leaky rectifiers": rectifying(lambda x: F.leaky_relu(x, 0.01)),
        "hyperbolic tangents": rectifying(torch.tanh),
        "values rectified": made(where, rectified_outputs),
        "a pass for each action": made(where, one_output_at_a_time),
    }
