"""The memory cell: its squashing functions, its equations run by hand, and how it starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from literatim.papers.lstm import model

Array = NDArray[np.float64]
FAR = 60.0  # a net input at which a logistic function is at its limit to the last digit


def f(x: Array) -> Array:
    """Eq. 3, written out."""
    return np.asarray(1 / (1 + np.exp(-x)))


def net(seed: int = 0, **options: Any) -> model.LSTM:
    """A net with weights large enough to be told apart, in double precision."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return model.LSTM(**{"init": 1.0, "input_gate_bias": (), **options}).double()


def example(net: model.LSTM, steps: int = 20) -> Tensor:
    """(1, T, inputs)"""
    return torch.randn(1, steps, net.inputs, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


# --- Squashing functions -----------------------------------------------------------------------------


def gate(x: Tensor) -> Tensor:
    """The activations of an input gate for net inputs (N,)."""
    found = net(inputs=1, outputs=1, blocks=1, size=1)
    with torch.no_grad():
        for value in found.parameters():
            value.zero_()
        found.input_gates.weight[0, 0] = 1
    _, y, _ = found.step(x[:, None], *found.start(len(x)))
    return y[:, 1]


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "f": gate,
    "h": lambda x: net().squash_state(x),
    "g": lambda x: net().squash_input(x),
    "h-2a": lambda x: net(h="identity", g="[0, 1]").squash_state(x),
    "g-2a": lambda x: net(h="identity", g="[0, 1]").squash_input(x),
}


def limits(which: str) -> tuple[int, ...]:
    """The range of a squashing function, from its values far out."""
    low, high = FUNCTIONS[which](torch.tensor([-FAR, FAR], dtype=torch.float64)).tolist()
    return round(low, 9), round(high, 9)


def limits_by_equation(which: str) -> tuple[int, ...]:
    """The same of what Eqs. 4 and 5 print."""
    of = {"h": lambda x: 2 / (1 + math.exp(-x)) - 1, "g": lambda x: 4 / (1 + math.exp(-x)) - 2}[which]
    return round(of(-FAR), 9), round(of(FAR), 9)  # type: ignore[return-value]


def limits_of_h() -> tuple[int, ...]:
    return limits_by_equation("h")


def limits_of_g() -> tuple[int, ...]:
    return limits_by_equation("g")


def as_printed(which: str) -> bool:
    """Whether a squashing function is what its equation says, over a range of net inputs."""
    x = np.linspace(-6, 6, 121)
    wanted = {"f": f(x), "h": 2 * f(x) - 1, "g": 4 * f(x) - 2, "h-2a": x, "g-2a": f(x)}[which]
    return np.allclose(FUNCTIONS[which](torch.from_numpy(x)).detach().numpy(), wanted, atol=1e-12)


# --- The forward pass --------------------------------------------------------------------------------


def by_hand(net: model.LSTM, x: Array) -> dict[str, Array]:
    """Eqs. 6 to 9 in loops, with the outputs of the same step (Sec. 5): for each quantity (T, units)."""
    W = {name: value.detach().numpy() for name, value in net.named_parameters()}
    S, blocks = net.size, net.blocks
    fed = np.zeros(S * blocks + 2 * blocks)
    s = np.zeros(S * blocks)
    found: dict[str, list[Array]] = {"input-gate": [], "output-gate": [], "state": [], "cell": [], "output": []}
    for now in x:
        sources = np.concatenate([now, fed])

        def unit(name: str, i: int, sources: Array = sources) -> float:
            return float(W[f"{name}.weight"][i] @ sources + W[f"{name}.bias"][i])

        y_in = np.array([f(np.array(unit("input_gates", j))) for j in range(blocks)])
        y_out = np.array([f(np.array(unit("output_gates", j))) for j in range(blocks)])
        y_c = np.zeros(S * blocks)
        for j in range(blocks):
            for v in range(S):
                c = j * S + v
                s[c] = s[c] + y_in[j] * (4 * f(np.array(unit("cells", c))) - 2)
                y_c[c] = y_out[j] * (2 * f(s[c : c + 1])[0] - 1)
        fed = np.concatenate([y_c, y_in, y_out])
        output = f(W["output.weight"] @ y_c + W["output.bias"])
        for name, value in zip(found, (y_in, y_out, s.copy(), y_c, output), strict=True):
            found[name].append(value)
    return {name: np.stack(values) for name, values in found.items()}


def equation(which: str) -> bool:
    """Whether a quantity of the model is the one computed by hand, at every step."""
    ours = net(inputs=3, outputs=2, blocks=2, size=2)
    x = example(ours)
    state, found = ours.start(1), []
    with torch.no_grad():
        for t in range(x.shape[1]):
            output, y, s = ours.step(x[:, t], *state)
            state = y, s
            found.append(
                {"input-gate": y[:, 4:6], "output-gate": y[:, 6:8], "state": s, "cell": y[:, :4], "output": output}
            )
    wanted = by_hand(ours, x[0].numpy())[which]
    return np.allclose(torch.cat([step[which] for step in found]).numpy(), wanted, atol=1e-12)


def start(which: str) -> float:
    """The largest of the states, or of the activations, before the first input."""
    y, s = net().start(2)
    return {"state": s, "activations": y}[which].abs().max().item()


def same_step() -> bool:
    """Whether an output answers to the input of its own step."""
    ours = net()
    x = example(ours, 5).requires_grad_()
    (slope,) = torch.autograd.grad(ours(x)[0, 4, 0], x)
    return bool(slope[0, 4].abs().max() > 0)


def outputs_see_cells() -> bool:
    """Whether the output layer is silent about gates: with all cells shut off nothing moves it."""
    ours = net(inputs=3, outputs=2, blocks=2, size=2)
    with torch.no_grad():
        ours.cells.weight.zero_()
        ours.cells.bias.zero_()  # then g is 0 and the states stay 0, whatever the gates do
        outputs = ours(example(ours))
    return bool((outputs == outputs[:, :1]).all())


def one_gate_for_a_block() -> bool:
    """Whether shutting a block's gate shuts all of its cells, and no other's."""
    ours = net(blocks=3, size=2)
    with torch.no_grad():
        ours.input_gates.weight[1] = 0
        ours.input_gates.bias[1] = -1000.0
        _, _, s = ours.step(example(ours)[:, 0], *ours.start(1))
    return [bool(value == 0) for value in s[0]] == [False, False, True, True, False, False]


# --- Drift and abuse (Sec. 4) ------------------------------------------------------------------------


def drift(bias: str) -> float:
    """h'(s) of a cell after a hundred steps with a net input of 1; the input gate's bias is minus the number given."""
    ours = net(inputs=1, outputs=1, blocks=1, size=1)
    with torch.no_grad():
        for value in ours.parameters():
            value.zero_()
        ours.cells.bias.fill_(1.0)
        ours.input_gates.bias.fill_(-float(bias))
    y, s = ours.start(1)
    for _ in range(100):
        _, y, s = ours.step(torch.zeros(1, 1, dtype=torch.float64), y, s)
    s = s.detach().requires_grad_()
    (slope,) = torch.autograd.grad(ours.squash_state(s).sum(), s)
    return slope.item()


def allocated() -> bool:
    """Whether of the blocks with output gate biases -1, -2, -3 each later one is nearer to silence, as nets start."""
    sizes = []
    for seed in range(20):
        ours = net(seed, inputs=7, outputs=7, blocks=3, biased="gates", init=0.2, output_gate_bias=(-1.0, -2.0, -3.0))
        y, s = ours.start(1)
        with torch.no_grad():
            for x in torch.eye(7, dtype=torch.float64):
                _, y, s = ours.step(x[None], y, s)
        sizes.append(y[0, 9:12])
    gates = torch.stack(sizes)
    return bool((gates[:, 0] > gates[:, 1]).all() and (gates[:, 1] > gates[:, 2]).all())
