"""What others build under the names of this paper and of those that it compares itself with."""

from __future__ import annotations

import torch
from torch import nn

from literatim.papers.lstm.claimed import cell, errors

INPUTS, CELLS = 3, 4


def _torch(**options: int) -> nn.LSTM:
    net = nn.LSTM(INPUTS, CELLS, **options).double()
    for value in net.parameters():
        nn.init.zeros_(value)
    return net


def _after(net: nn.LSTM, steps: int) -> float:
    """What is left of a state of 1 after steps with no input."""
    one = torch.ones(1, 1, CELLS, dtype=torch.float64)
    _, (_, c) = net(torch.zeros(steps, 1, INPUTS, dtype=torch.float64), (torch.zeros_like(one), one))
    return c.max().item()


def forgets() -> bool:
    """A gate scales the state: with all weights and biases zero half of it is lost at every step, here nothing."""
    ours = cell.net(inputs=INPUTS, blocks=CELLS, size=1)
    with torch.no_grad():
        for value in ours.parameters():
            value.zero_()
        y, s = ours.start(1)
        s = s + 1
        for _ in range(3):
            _, y, s = ours.step(torch.zeros(1, INPUTS, dtype=torch.float64), y, s)
    return _after(_torch(), 3) == 0.5**3 and bool((s == 1).all())


def two_biases() -> bool:
    """Every unit has two biases, one of them needless."""
    of = [name for name, _ in nn.LSTM(INPUTS, CELLS).named_parameters() if "bias" in name]
    theirs = sum(getattr(nn.LSTM(INPUTS, CELLS), name).numel() for name in of)
    ours = cell.net(inputs=INPUTS, blocks=CELLS, size=1)
    units = [layer.out_features for layer in (ours.cells, ours.input_gates, ours.output_gates) if layer is not None]
    biases = [layer.bias.numel() for layer in (ours.cells, ours.input_gates, ours.output_gates) if layer is not None]
    return theirs == 2 * 4 * CELLS and biases == units


def gates_unseen() -> bool:
    """Cells and gates see the cells of the step before, and no gate."""
    ours = cell.net(inputs=INPUTS, blocks=CELLS, size=1)
    return (nn.LSTM(INPUTS, CELLS).weight_hh_l0.shape[1], ours.fed_back) == (CELLS, 3 * CELLS)


def no_blocks() -> bool:
    """Every cell has gates of its own: three for each cell, where a block of two has two for both."""
    ours = cell.net(inputs=INPUTS, blocks=CELLS // 2, size=2)
    gates = ours.input_gates.out_features + (ours.output_gates.out_features if ours.output_gates is not None else 0)
    return (nn.LSTM(INPUTS, CELLS).weight_ih_l0.shape[0], gates) == (CELLS + 3 * CELLS, CELLS)


def squashes_with_tanh() -> bool:
    """g and h are tanh: g ends at 1 where Eq. 5 ends at 2, and h is twice as steep at 0 as Eq. 4."""
    net = _torch()
    with torch.no_grad():
        net.bias_ih_l0[:CELLS] = 50.0  # the input gate, open
        net.bias_ih_l0[2 * CELLS : 3 * CELLS] = 50.0  # the cell's input
        _, (_, c) = net(torch.zeros(1, 1, INPUTS, dtype=torch.float64))
        small = torch.full((1, 1, CELLS), 1e-4, dtype=torch.float64)
        for value in net.parameters():
            value.zero_()
        net.bias_ih_l0[CELLS:] = 50.0  # all gates but the input's
        net.bias_ih_l0[2 * CELLS : 3 * CELLS] = 0.0
        h, _ = net(torch.zeros(1, 1, INPUTS, dtype=torch.float64), (torch.zeros_like(small), small))
        ours = cell.net()
        slope = ours.squash_state(small).max().item() / 1e-4
    steepness = h.max().item() / 1e-4
    return round(c.max().item(), 6) == 1 and cell.limits("g")[1] == 2 and round(steepness / slope, 6) == 2


def not_truncated() -> bool:
    """Errors flow back through the cells' outputs and the gates as well, so the state's derivative is not 1."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.LSTM(INPUTS, CELLS).double()
    with torch.no_grad():
        net.bias_ih_l0[CELLS : 2 * CELLS] = 50.0  # the forget gate, open, so that only this is left
    first = torch.zeros(1, 1, CELLS, dtype=torch.float64, requires_grad=True)
    _, (_, c) = net(torch.randn(10, 1, INPUTS, dtype=torch.float64), (torch.zeros_like(first), first))
    (slope,) = torch.autograd.grad(c[0, 0, 0], first)
    return abs(slope[0, 0, 0].item() - 1) > 1e-3 and errors.carousel("10") == 1


def starts_otherwise() -> bool:
    """Weights and biases are drawn up to one over the root of the cells, and no gate starts shut."""
    net = nn.LSTM(INPUTS, 100)
    most = max(value.abs().max().item() for value in net.parameters())
    return 0.095 < most <= 0.1 and abs(net.bias_ih_l0[:100].mean().item()) < 0.05


def plain_is_tanh() -> bool:
    """nn.RNN has tanh or ReLU, and not the logistic units of Sec. 3.1: its largest factor is the weight itself."""
    net = nn.RNN(1, 1).double()
    for value in net.parameters():
        nn.init.zeros_(value)
    with torch.no_grad():
        net.weight_hh_l0.fill_(1.0)
    first = torch.zeros(1, 1, 1, dtype=torch.float64, requires_grad=True)
    _, last = net(torch.zeros(1, 1, 1, dtype=torch.float64), first)
    (slope,) = torch.autograd.grad(last.sum(), first)
    try:
        nn.RNN(1, 1, nonlinearity="sigmoid")
    except ValueError:
        return slope.item() == 1.0 and cell.gate(torch.zeros(1, dtype=torch.float64)).item() == 0.5
    return False


def peepholes() -> bool:
    """ONNX' operator LSTM has a forget gate, and its gates may see the state itself ("peepholes", input P)."""
    from onnx.defs import get_schema

    schema = get_schema("LSTM")
    names = [value.name for value in schema.inputs]
    return names[-1] == "P" and "peephole" in schema.inputs[-1].description and "forget" in schema.doc.lower()
