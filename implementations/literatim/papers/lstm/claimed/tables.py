"""Tables 1, 2 and 10: the networks of the experiments, and of their rivals, counted."""

from __future__ import annotations

import inspect
import math
from typing import Any

import torch
from torch import nn

from literatim.claims import given
from literatim.claims.once import once
from literatim.claims.verdicts import build
from literatim.papers.lstm import model, training
from literatim.papers.lstm.claimed import cell
from literatim.registry.reading import card

# Where a row of Table 10 stands for several of our recipes, the one that is looked at.
RECIPES = {"3a": "3a-100-3", "3b": "3b-100-3", "3c": "3c-3", "1": "1-2", "2c": "2c-1", "4": "4-1"}


def option(task: str, name: str) -> Any:
    """What the task's recipe sets, or else the default."""
    recipe, key = RECIPES.get(task, task), name.removeprefix("model.")
    try:
        return given.setting("lstm", recipe, name)
    except KeyError:
        if not name.startswith("model."):
            raise
        return inspect.signature(training.LSTMTraining.__init__).parameters[key].default


def net(task: str, device: str = "meta") -> model.LSTM:
    """The network of a task's recipe."""
    recipe = RECIPES.get(task, task)
    variant = card("lstm").recipe_variants(recipe)[0]

    def make() -> model.LSTM:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return build("lstm", variant, device, **option(task, "model.options"))

    return once(("lstm-net", variant, device), make)


# --- Networks ----------------------------------------------------------------------------------------


def weights(task: str) -> int:
    return sum(value.numel() for value in net(task).parameters())


def blocks(task: str) -> tuple[int, ...]:
    """(blocks, cells in each), from the layers: a gate a block."""
    gates, cells = net(task).input_gates.out_features, net(task).cells.out_features
    return gates, cells // gates


def units(task: str) -> tuple[int, ...]:
    """(inputs, outputs): what passes through."""
    found = net(task)
    y = found(torch.zeros(1, 2, found.inputs, device="meta"))
    return found.inputs, y.shape[2]


def biased(task: str) -> tuple[int, ...]:
    """Whether cells, gates and outputs have biases."""
    found = net(task)
    return tuple(int(layer.bias is not None) for layer in (found.cells, found.input_gates, found.output))


def input_gate_bias(task: str) -> tuple[int, ...]:
    return tuple(round(value) for value in net(task, "cpu").input_gates.bias.tolist())


def output_gate_bias(task: str) -> tuple[int, ...]:
    return tuple(round(value) for value in net(task, "cpu").output_gates.bias.tolist())


def output_gates_start_negative(task: str) -> bool:
    """Whether that is so for each of twenty starts."""
    recipe = RECIPES.get(task, task)
    variant = card("lstm").recipe_variants(recipe)[0]
    return all(build("lstm", variant, "cpu").output_gates.bias.max() < 0 for _ in range(20))


def drawn_from_both_signs() -> bool:
    """Whether Table 10's r, a number from [-r, r] by its caption, is not negative in half of all draws."""
    r = given.stated("lstm", "random-input-gates.1-1")
    low, high = -r, r
    return high / (high - low) == 0.5


def interval_of_experiment_1() -> float:
    """That of all weights "except for the output gate biases" (Sec. 5.1), so of the input gates' biases too."""
    return given.stated("lstm", "interval.1-1")


def gates_start_within(task: str) -> float:
    """The largest absolute bias of the input gates over two hundred starts, to one digit up."""
    variant = card("lstm").recipe_variants(RECIPES.get(task, task))[0]
    most = max(build("lstm", variant, "cpu").input_gates.bias.abs().max().item() for _ in range(200))
    return math.ceil(10 * most - 1e-9) / 10


def interval(task: str) -> float:
    """The largest absolute weight at the start, to one digit up."""
    found = net(task, "cpu")
    layers = [
        layer for layer in (found.cells, found.input_gates, found.output_gates, found.output) if layer is not None
    ]
    return math.ceil(10 * max(layer.weight.abs().max().item() for layer in layers) - 1e-9) / 10


def squashes(which: str) -> tuple[int, ...]:
    """The range of h or g in the net of a task, `h-4` for instance."""
    name, task = which.split("-")
    found, far = net(task, "cpu"), torch.tensor([-cell.FAR, cell.FAR])
    y = found.squash_state(far) if name == "h" else found.squash_input(far)
    return tuple(round(value, 6) for value in y.tolist())


def h_is_identity(task: str) -> bool:
    x = torch.linspace(-9, 9, 7)
    return bool((net(task, "cpu").squash_state(x) == x).all())


def no_output_gate(task: str) -> bool:
    return net(task).output_gates is None


def weights_of(which: str) -> int:
    """Weights of one layer of a task's net, `6a-cells` for instance."""
    task, _, layer = which.rpartition("-")
    return sum(value.numel() for value in getattr(net(task), layer).parameters())


def without_biases(task: str) -> int:
    return sum(value.numel() for name, value in net(task).named_parameters() if name.endswith("weight"))


def stored(task: str) -> int:
    """Derivatives of states that are kept from step to step (Eqs. 25 and 27), biases left out."""
    found = net(task)
    sources = found.cells.in_features
    return 2 * found.cells.out_features * sources if found.fed_back else -1


def steps_of_the_output_layer() -> bool:
    """Whether Eq. 22 takes K(H + C) steps for the output units: one for each of their weights."""
    found = net("6a")
    return found.output.weight.numel() == found.outputs * (0 + found.input_gates.out_features)


def output_weights_by_w() -> bool:
    """W has K H + K C S of them, which is K(H + C) for blocks of one cell alone."""
    K, H, C, S = 4, 0, 2, 2
    return K * H + K * C * S != K * (H + C)


def nine_times() -> float:
    """Weights within the hidden layer for every one within a fully connected layer of as many conventional units."""
    n = 7
    ours = model.LSTM(inputs=1, outputs=1, blocks=n, size=1, biased="none", input_gate_bias=())
    layers = (ours.cells, ours.input_gates, ours.output_gates)
    within = sum(layer.weight.numel() - layer.out_features for layer in layers if layer is not None)  # less the input's
    return within / nn.RNN(1, n, bias=False).weight_hh_l0.numel()


# --- The rivals --------------------------------------------------------------------------------------


def fully_recurrent(hidden: int) -> int:
    """Every hidden and output unit sees the 7 inputs and all 7 outputs and hidden units; no biases."""
    net = nn.RNN(7, hidden + 7, bias=False)
    return sum(value.numel() for value in net.parameters())


def of_rivals(which: str) -> int:
    """The weights of a rival in Table 1 or 2, of the simplest design that its row and Sec. 5 describe, around the
    inputs and outputs of our own net for the same task."""
    inputs, outputs = units("1-1")
    if which.startswith("rtrl-1-"):
        units_ = int(which.removeprefix("rtrl-1-")) + outputs
        return sum(value.numel() for value in nn.RNN(inputs, units_, bias=False).parameters())
    if which == "elman-15":
        hidden, output = nn.RNN(inputs, 15, bias=False), nn.Linear(15, outputs, bias=False)
        return sum(value.numel() for part in (hidden, output) for value in part.parameters())
    p = int(which.rpartition("-")[2])
    # One self-recurrent hidden unit, p + 1 outputs that are not; "each layer has connections from all layers below".
    symbols = units("2a")[0] - 100 + p
    hidden, output = nn.RNN(symbols, 1, bias=False), nn.Linear(symbols + 1, symbols, bias=False)
    both = sum(value.numel() for part in (hidden, output) for value in part.parameters())
    # The chunker has two such nets, and the larger has an output more, for the other's hidden unit.
    return both + symbols + 1 if which.startswith("chunker") else both
