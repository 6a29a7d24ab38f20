"""The layers of a built network, as one example passes through it on the meta device."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from literatim.claims.verdicts import build
from literatim.registry.schema import Variant

Shape = tuple[int, ...]


def networks(paper: str, name: str, variant: Variant, claimed: Collection[str]) -> list[dict[str, Any]]:
    """The networks of a variant: one, or the two of a paper such as the GAN's, each with its layers in order."""
    net = build(paper, name)
    if isinstance(variant.input, dict):
        parts = {part: getattr(net, part) for part in variant.input}
        return [
            layers(parts[part], shape, {c.partition(".")[2] for c in claimed if c.startswith(f"{part}.")}, f"{part}.")
            for part, shape in variant.input.items()
        ]
    return [layers(net, variant.input, claimed)]


def layers(net: nn.Module, shape: Shape, claimed: Collection[str] = (), prefix: str = "") -> dict[str, Any]:
    """The network's parts in the order in which an example reaches them.

    A part is a direct child, or a child of a container that is never called itself; what a claim names is one too.
    """
    called: list[tuple[str, nn.Module, Any]] = []
    hooks = [
        module.register_forward_hook(lambda module, _, out, name=name: called.append((name, module, out)))
        for name, module in net.named_modules()
    ]
    example = torch.zeros(2, *shape, device="meta")  # two, for a batch of one is refused by some layers
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            net.eval()(example)
    finally:
        for hook in hooks:
            hook.remove()
    flops, own = counter.get_flop_counts(), type(net).__name__
    first = {name: (module, out) for name, module, out in reversed(called)}
    names = [name for name, _, _ in called]
    order = sorted(first, key=names.index)
    chosen = [name for name in order if name and (name in claimed or _is_part(name, first))]
    return {
        "name": prefix.rstrip("."),
        "input": list(shape),
        "parameters": sum(p.numel() for p in net.parameters() if p.requires_grad),
        "multiply_adds": sum(flops.get("Global", {}).values()) // 4,  # two examples, two operations each
        "layers": [
            {
                "name": prefix + name,
                "what": str(first[name][0]) if not list(first[name][0].children()) else type(first[name][0]).__name__,
                "shape": _shape(first[name][1]),
                "parameters": sum(p.numel() for p in first[name][0].parameters() if p.requires_grad),
                "multiply_adds": sum(flops.get(f"{own}.{name}", {}).values()) // 4,
            }
            for name in chosen
        ],
    }


def _is_part(name: str, called: Collection[str]) -> bool:
    """Whether all that holds the module, short of the network itself, is a container that is never called."""
    above = name.split(".")[:-1]
    return not any(".".join(above[: i + 1]) in called for i in range(len(above)))


def _shape(out: Any) -> list[int]:
    """The shape of an output for one example; of the first where a module gives several."""
    while isinstance(out, tuple | list):
        out = out[0]
    return list(out.shape[1:])
