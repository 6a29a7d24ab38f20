"""LSTM: the compiled engine against the readable module with autograd, and what the module is by its options."""

import numpy as np
import pytest
import torch

from literatim.datasets.lags import Marked, NoiseFree, TemporalOrder
from literatim.datasets.reber import EmbeddedReber
from literatim.papers.lstm.engine import Exact, Plain, Recent, Rule
from literatim.papers.lstm.model import LSTM
from literatim.parts.sequences import Sequences
from literatim.parts.trials import Trials

REBER = {"inputs": 7, "outputs": 7, "biased": "gates", "init": 0.2, "input_gate_bias": ()}
# Of each a network, data, when weights change, whether an output error has the slope of its unit.
CASES = {
    "adding": ({}, Marked(sequences=25), "step", True),
    "adding without the slope": ({}, Marked(sequences=10), "step", False),
    "strings, after every symbol": (
        {**REBER, "blocks": 3, "size": 2, "output_gate_bias": (-1.0, -2.0, -3.0)}, EmbeddedReber(sequences=150),
        "step", True,
    ),
    "strings, once a string": (
        {**REBER, "blocks": 4, "size": 1, "output_gate_bias": (-1.0, -2.0, -3.0, -4.0)}, EmbeddedReber(sequences=150),
        "sequence", True,
    ),
    "Task 2a": (
        {"inputs": 9, "outputs": 9, "blocks": 1, "size": 1, "sees": "inputs", "biased": "none", "output_gate": False,
         "shortcut": True, "h": "identity", "g": "[0, 1]", "init": 0.2, "input_gate_bias": ()},
        NoiseFree(p=8, sequences=100), "step", True,
    ),
    "Task 6a": ({"inputs": 8, "outputs": 4, "biased": "hidden"}, TemporalOrder(sequences=15), "step", True),
}  # fmt: skip


class WithForgetGates(LSTM):
    """What a successor adds (see the commit that brought the engine)."""

    def __init__(self) -> None:
        super().__init__(**{**REBER, "biased": "all"}, blocks=2, size=2, sees="cells", shortcut=True)
        self.forget_gates = torch.nn.Linear(self.inputs + self.fed_back, self.blocks)

    def kept(self, sources):
        return self.of_cells(torch.sigmoid(self.forget_gates(sources)))


def both(net: LSTM, symbols: bool, slope: bool = True) -> tuple[Exact, Plain]:
    return Exact(net, Trials([net]), symbols, slope), Plain(net, Trials([net]), symbols, slope)


def differ(one: Exact | Plain, other: Exact | Plain) -> float:
    return max(np.abs(one.trials.table(name) - other.trials.table(name)).max() for name in one.trials.names)


@pytest.mark.parametrize("name", CASES)
def test_the_engine_changes_weights_as_autograd_does(name):
    pytest.importorskip("numba", reason="numba is not installed")
    options, data, update, slope = CASES[name]
    torch.manual_seed(0)
    net = LSTM(**options)
    given = data.chunk("train")
    fast, plain = both(net, len(given.ids) > 0, slope)
    found = [engine.learn(0, given, 0, len(given), 0.5, update)[2] for engine in (fast, plain)]
    assert differ(fast, plain) < 1e-12
    assert max(np.abs(one - other).max() for one, other in zip(*found, strict=True)) < 1e-12
    moved = np.abs(fast.trials.table("cells.weight")[0] - net.cells.weight.detach().numpy()).max()
    assert moved > 1e-3  # it has learned at all


def test_a_gate_that_forgets_is_an_addition_not_a_copy():
    pytest.importorskip("numba", reason="numba is not installed")
    torch.manual_seed(0)
    net = WithForgetGates()
    given = EmbeddedReber(sequences=150).chunk("train")
    fast, plain = both(net, symbols=True)
    for engine in (fast, plain):
        engine.learn(0, given, 0, len(given), 0.5, "step", decay=0.9999)
    assert differ(fast, plain) < 1e-12
    forget = fast.trials.table("forget_gates.weight")[0]
    assert np.abs(forget - net.forget_gates.weight.detach().numpy()).max() > 1e-3


@pytest.mark.parametrize("which", ["exact", "plain"])
def test_training_stops_at_the_sequence_that_meets_the_rule(which):
    if which == "exact":
        pytest.importorskip("numba", reason="numba is not installed")
    torch.manual_seed(0)
    net = LSTM()
    given = Marked(T=20, sequences=40).chunk("train")
    wide = {"exact": Exact, "plain": Plain}[which](net, Trials([net]), False)
    errors = wide.learn(0, given, 0, 40, 0.0)[2].largest  # the rate is 0: nothing changes
    bound = float(np.sort(errors[10:20])[-2])  # of these ten one is wrong
    rule = Rule(tolerance=np.nextafter(bound, 1), wrong=1)
    expected = next(n for n in range(10, 41) if (errors[n - 10 : n] >= rule.tolerance).sum() <= 1)
    recent = Recent(np.full((2, 10), np.inf), 0, rule)
    assert wide.learn(0, given, 0, 40, 0.0, recent=recent)[:2] == (expected, True)


def test_a_mean_error_that_is_too_large_lets_training_go_on():
    torch.manual_seed(0)
    net = LSTM()
    given = Marked(T=20, sequences=12).chunk("train")
    plain = Plain(net, Trials([net]), False)
    for mean_error, met in ((1.0, True), (1e-6, False)):
        recent = Recent(np.full((2, 5), np.inf), 0, Rule(tolerance=2.0, wrong=0, mean_error=mean_error))
        assert plain.learn(0, given, 0, 12, 0.0, recent=recent)[:2] == ((5, True) if met else (12, False))


def test_the_error_of_a_hidden_unit_does_not_leave_it_backwards():
    """Appendix A.1: only through the state an error reaches an earlier step."""
    torch.manual_seed(0)
    net = LSTM(inputs=1, blocks=1, size=1, input_gate_bias=(), init=1.0)
    x = torch.randn(1, 5, 1, requires_grad=True)
    y = net.start(1)[0].requires_grad_()
    state = (y, net.start(1)[1])
    for t in range(5):
        output, *state = net.step(x[:, t], *state)
    reached = torch.autograd.grad(output.sum(), [x, y], allow_unused=True)
    assert reached[1] is None
    assert (reached[0] != 0).all()  # as inputs of the gates and the cell, every step has its part in the state


def test_before_the_cells_come_only_the_inputs_are_learned_from():
    torch.manual_seed(0)
    options, data, _, _ = CASES["Task 2a"]
    net = LSTM(**options)
    given = data.chunk("train")
    plain = Plain(net, Trials([net]), True)
    plain.learn(0, given, 0, 30, 1.0, awake=False)
    assert np.array_equal(plain.trials.table("cells.weight")[0], net.cells.weight.detach().double().numpy())
    assert np.array_equal(
        plain.trials.table("output.weight")[0][:, 0], net.output.weight[:, 0].detach().double().numpy()
    )
    assert differ(plain, Plain(net, Trials([net]), True)) > 0.1


def test_a_sequence_ends_where_its_error_is_too_large():
    torch.manual_seed(0)
    net = LSTM(**REBER, blocks=1, size=1)
    given: Sequences = EmbeddedReber(sequences=5).chunk("train")
    plain = Plain(net, Trials([net]), True)
    cut = plain.learn(0, given, 0, 1, 0.0, limit=0.1)[2]
    whole = plain.learn(0, given, 0, 1, 0.0)[2]
    assert cut.largest[0] < whole.largest[0] or cut.mean[0] != whole.mean[0]


@pytest.mark.parametrize(("options", "words"), [
    ({"blocks": 0}, "blocks is 0"),
    ({"input_gate_bias": (1.0, 2.0, 3.0)}, "3 biases are given for the input gates"),
    ({"biased": "none", "input_gate_bias": (1.0,)}, "1 biases are given for the input gates"),
    ({"output_gate": False, "output_gate_bias": (1.0,)}, "1 biases are given for the output gates"),
])  # fmt: skip
def test_a_network_that_cannot_be_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        LSTM(**options)
