"""Quantities read off the built model. Nothing here is a constant beside a layer: all of it is counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vjp, vmap
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from literatim.claims.once import once
from literatim.errors import LiteratimError, did_you_mean

Shape = tuple[int, ...]
AT_ONCE = 128  # of the numbers in an output are differentiated: all of them would take a hundred megabytes


class Unstarted(TorchFunctionMode):
    """Of parameters without numbers nothing is drawn: that is most of the work of building a network."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


@contextmanager
def shapes_only() -> Iterator[None]:
    """Within it networks are built that have shapes and no memory, on the meta device."""
    with torch.device("meta"), Unstarted():
        yield


def parameters(net: nn.Module, module: str | None, shape: Shape) -> int:
    """Trainable parameters of the network or of one module; one shared by two modules counts once."""
    return sum(p.numel() for p in part(net, module).parameters() if p.requires_grad)


def neurons(net: nn.Module, module: str | None, shape: Shape) -> int:
    """Units: the numbers in a module's output for one example; of the network, those of all its direct parts."""
    names = [module] if module else [name for name, _ in net.named_children()]
    return sum(math.prod(passing(net, name, shape)[1].shape[1:]) for name in names)


def output_shape(net: nn.Module, module: str | None, shape: Shape) -> Shape:
    """Shape of a module's output for one example, without the batch."""
    _, shapes = once(("shapes", id(net)), lambda: (net, shapes_of_all(net, shape)))  # the net: its id stays its own
    if (found := shapes.get(module or "")) is None:
        passing(net, module, shape)  # which says what is wrong with the name
    return found


def shapes_of_all(net: nn.Module, shape: Shape) -> dict[str, Shape]:
    """The shape of what each module gives for one example, the first time that it is called."""
    seen: dict[str, Shape] = {}

    def listener(name: str) -> Callable[..., None]:
        def listen(_: nn.Module, args: Any, out: Any) -> None:
            if isinstance(out, Tensor):
                seen.setdefault(name, tuple(out.shape[1:]))

        return listen

    hooks = [part.register_forward_hook(listener(name)) for name, part in net.named_modules()]
    training = net.training
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
        net.train(training)
    return seen


def multiply_adds(net: nn.Module, module: str | None, shape: Shape) -> int:
    """Multiplications with addition in convolutions and matrix products, for one example that is being answered, not
    learned from: torch's operator counter.

    The counter counts a multiply-add as two operations, the papers as one.
    """
    _, counts = once(("operations", id(net)), lambda: (net, operations_of_all(net, shape)))
    part(net, module)
    return sum(counts.get(f"{type(net).__name__}.{module}" if module else "Global", {}).values()) // 2


def operations_of_all(net: nn.Module, shape: Shape) -> dict[str, dict[Any, int]]:
    """Torch's counts by module and kind of operation, for one example on the meta device."""
    example, training = torch.zeros(1, *shape, device="meta"), net.training
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.eval()(example)
    net.train(training)
    return counter.get_flop_counts()


def connections(net: nn.Module, module: str | None, shape: Shape) -> int:
    """Non-zeros of a layer's Jacobian, plus those of its bias: every input that a unit really listens to.

    Measured at a random point on a network with random weights, where no derivative is zero by chance. Of the whole
    network: the sum over its direct parts.
    """
    if module is None:
        return sum(connections(net, name, shape) for name, _ in net.named_children())
    layer = part(net, module)
    _, count = once(("connections", id(layer)), lambda: (layer, connections_of(layer, passing(net, module, shape)[0])))
    return count


def connections_of(layer: nn.Module, example: Tensor) -> int:
    """Those of a layer that is given such an example."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(example.shape, generator=generator)
    weights = {name: torch.randn(p.shape, generator=generator) for name, p in layer.named_parameters()}
    fixed = {name: _on_cpu(b, generator) for name, b in layer.named_buffers()}
    count = non_zeros(lambda x: functional_call(layer, {**weights, **fixed}, x), x)
    if "bias" in weights:
        count += non_zeros(lambda bias: functional_call(layer, {**weights, **fixed, "bias": bias}, x), weights["bias"])
    return count


def non_zeros(function: Callable[[Tensor], Tensor], x: Tensor) -> int:
    """Derivatives of the numbers of a function's output at x that are not zero."""
    out, pull, *_ = vjp(function, x)
    of_outputs, places = vmap(lambda one: pull(one.view_as(out))[0]), torch.arange(out.numel())
    chosen = ((places == some[:, None]).to(out) for some in places.split(AT_ONCE))
    return sum(int(of_outputs(some).count_nonzero()) for some in chosen)


def _on_cpu(buffer: Tensor, generator: torch.Generator) -> Tensor:
    """A buffer to differentiate at: index tables keep their values, numbers become random ones."""
    return torch.randn(buffer.shape, generator=generator) if buffer.is_floating_point() else buffer


MEASURES: dict[str, Callable[[nn.Module, str | None, Shape], int | Shape]] = {
    "parameters": parameters,
    "neurons": neurons,
    "connections": connections,
    "multiply_adds": multiply_adds,
    "output_shape": output_shape,
}


def part(net: nn.Module, module: str | None) -> nn.Module:
    """A module by its dotted name. Raises LiteratimError with the nearest names."""
    modules: dict[str, Any] = dict(net.named_modules())
    if (module or "") not in modules:
        raise LiteratimError(f'{type(net).__name__} has no module "{module}"{did_you_mean(module or "", modules)}')
    return modules[module or ""]


def passing(net: nn.Module, module: str | None, shape: Shape) -> tuple[Tensor, Tensor]:
    """(input, output) of a module as one example passes through the network, on the network's device."""
    seen: list[tuple[Tensor, Tensor]] = []
    hook = part(net, module).register_forward_hook(lambda _, args, out: seen.append((args[0], out)))
    device = next(net.parameters()).device
    training = net.training
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=device))
    finally:
        hook.remove()
        net.train(training)
    if not seen:
        raise LiteratimError(f'nothing passes through the module "{module}" of {type(net).__name__}')
    return seen[0]
