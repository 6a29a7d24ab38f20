"""Checks of the claims about forget gates that need code of their own, and the broken models."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from literatim.claims import given
from literatim.datasets import reber_stream
from literatim.papers.lstm_forget import engine, learning, model, training
from literatim.parts.grammars import REBER, SYMBOLS, Grammar
from literatim.parts.trials import Trials

GATES = ("input_gates", "output_gates", "forget_gates")


def net(seed: int = 0, wide: bool = False, **options: Any) -> Any:
    """A network in double precision, the same each time; `wide` with weights large enough to tell."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = model.ForgetLSTM(**options).double()
        if wide:
            for parameter in made.parameters():
                nn.init.normal_(parameter)
    return made


def some(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def one_step(made: Any, n: int = 5) -> tuple[Tensor, ...]:
    """(x, y, s) before a step, (output, given, states) after it."""
    x, y, s = some(n, made.inputs), some(n, made.blocks * made.size, seed=2), some(n, made.blocks * made.size, seed=3)
    return (x, y, s, *made.step(x, y, s))


# --- The net of Sec. 4.2 ---------------------------------------------------------------------------


def units(which: str) -> int:
    """How many cells, gates, inputs or outputs the net has."""
    made = net()
    gates = sum(getattr(made, name).out_features for name in GATES)
    outputs = made.output.out_features
    return {"cells": made.cells.out_features, "gates": gates, "inputs": made.inputs, "outputs": outputs}[which]


def fully_connected(which: str) -> bool:
    """Whether units hear all inputs and all cells, and nothing else."""
    made = net(wide=True)
    x, y, s = (t.requires_grad_() for t in one_step(made, 1)[:3])
    seen = torch.cat([x, y], dim=1)
    if which == "outputs":
        output = made.step(x, y, s)[0][0]
        heard = torch.stack([torch.autograd.grad(unit, s, retain_graph=True)[0][0] for unit in output])
        return bool((heard != 0).all()) and made.output.in_features == made.inputs + made.blocks * made.size
    layers = [made.cells] if which == "cells" else [getattr(made, name) for name in GATES]
    return all(layer.in_features == seen.shape[1] == made.inputs + made.blocks * made.size for layer in layers)


def shortcut() -> bool:
    """The outputs change with the input where every cell is shut off."""
    made = net(wide=True)
    with torch.no_grad():
        made.output_gates.bias.fill_(-1e4)
    x = torch.eye(7, dtype=torch.float64)
    y = made.step(x, *made.start(7))[0]
    return bool(
        torch.allclose(y, torch.sigmoid(x @ made.output.weight[:, -7:].T + made.output.bias)) and y.std(0).min() > 0
    )


def biased() -> bool:
    """All gates and output units, and no cell."""
    made = net()
    return made.cells.bias is None and all(
        layer is not None and layer.bias is not None
        for layer in (*(getattr(made, name) for name in GATES), made.output)
    )


def starts_at(which: str) -> list[float] | bool:
    """Where biases and weights start, over many networks."""
    made = [net(seed) for seed in range(20)]
    if which in GATES:
        sign = 1 if which == "forget_gates" else -1
        return all(getattr(m, which).bias.tolist() == [sign * 0.5 * (b + 1) for b in range(4)] for m in made)
    rows = [p.flatten() for m in made for name, p in m.named_parameters() if "gates.bias" not in name]
    every = torch.cat(rows).abs()
    return bool(every.max() <= 0.2 and every.max() > 0.199 and abs(every.mean() - 0.1) < 0.005)


# --- Secs. 2 and 3: the cell -----------------------------------------------------------------------


def ends_of(which: str) -> bool:
    """The range of g, of h, of the gates: what large net inputs give."""
    made, far = net(), torch.tensor([[-50.0, 0.0, 50.0]], dtype=torch.float64)
    if which == "forget_gates":
        with torch.no_grad():
            made.forget_gates.weight.zero_()
            found = []
            for bias in (-50.0, 0.0, 50.0):
                made.forget_gates.bias.fill_(bias)
                found.append(float(made.kept(torch.zeros(1, 15, dtype=torch.float64))[0, 0]))
        return bool(np.allclose(found, [0, 0.5, 1]))
    squash, most = (made.squash_input, 2.0) if which == "g" else (made.squash_state, 1.0)
    return bool(torch.allclose(squash(far), torch.tensor([[-most, 0.0, most]], dtype=torch.float64)))


def state_equation() -> bool:
    """The new state is the old one times the forget gate, and what the input gate lets in of g."""
    made = net(wide=True)
    x, y, s, _, _, states = one_step(made)
    seen = torch.cat([x, y], dim=1)
    share, let_in = (
        torch.sigmoid(getattr(made, name)(seen)).repeat_interleave(2, 1) for name in ("forget_gates", "input_gates")
    )
    return bool(torch.allclose(states, share * s + let_in * (4 * torch.sigmoid(made.cells(seen)) - 2)))


def output_equation() -> bool:
    """A cell gives its squashed state times the output gate."""
    made = net(wide=True)
    x, y, _, _, gives, states = one_step(made)
    let_out = torch.sigmoid(made.output_gates(torch.cat([x, y], dim=1))).repeat_interleave(2, 1)
    return bool(torch.allclose(gives, let_out * (2 * torch.sigmoid(states) - 1)))


def one_gate_a_block(which: str) -> bool:
    """Cells of a block share a gate of each kind, and blocks have gates of their own."""
    made = net(wide=True)
    layer = getattr(made, which)
    with torch.no_grad():
        before, states = one_step(made)[-2:]
        layer.bias[1] += 3
        after, changed = one_step(made)[-2:]
    moved = (before != after).any(0) if which == "output_gates" else (states != changed).any(0)
    return moved.tolist() == [False, False, True, True, False, False, False, False]


def like_standard() -> bool:
    """With forget gates wide open the extended net is the standard one."""
    wide, standard = net(forget_bias=[40.0] * 4), net(forgetting="none")
    standard.load_state_dict({k: v for k, v in wide.state_dict().items() if "forget" not in k})
    x = torch.eye(7, dtype=torch.float64)[torch.arange(60) % 7][None]
    return bool(torch.allclose(wide(x), standard(x), atol=1e-9))


def forgets_nothing_at_first() -> bool:
    """At the start every forget gate keeps more than half, and the later blocks more."""
    made = net()
    share = made.kept(torch.zeros(1, 15, dtype=torch.float64))[0, ::2].tolist()
    return all(y > 0.5 for y in share) and sorted(share) == share


def resets() -> bool:
    """Where the forget gate is shut, the state is what is let in now, whatever it was."""
    made = net(wide=True)
    with torch.no_grad():
        made.forget_gates.bias.fill_(-1e4)
        x, y, s = one_step(made)[:3]
        return bool(torch.equal(made.step(x, y, s)[2], made.step(x, y, 100 * s)[2]))


def grows_linearly() -> bool:
    """The state of standard LSTM grows by the same amount at every step of a stream that repeats itself, that of the
    extended net comes to a bound."""
    x = torch.eye(7, dtype=torch.float64)[:1]
    found = []
    for forgetting in ("none", "gate"):
        made, grown = net(wide=True, forgetting=forgetting), []
        with torch.no_grad():
            made.cells.weight[:, -8:] = made.input_gates.weight[:, -8:] = 0
            if forgetting == "gate":
                made.forget_gates.weight[:, -8:] = 0
            y, s = made.start(1)
            for _ in range(400):
                _, y, s = made.step(x, y, s)
                grown.append(s)
        found.append(torch.cat(grown))
    steps = found[0].diff(dim=0)
    return bool(
        torch.allclose(steps, steps[:1].expand_as(steps)) and found[1][-1].abs().max() < found[0][-1].abs().max() / 5
    )


def saturated(which: str) -> bool:
    """With a state far from zero h's derivative vanishes, and the cell gives what its output gate does."""
    made = net(wide=True)
    s = torch.full((1, 1), 60.0, dtype=torch.float64, requires_grad=True)
    if which == "derivative":
        return float(torch.autograd.grad(made.squash_state(s).sum(), s)[0]) < 1e-20
    x, y, _ = one_step(made)[:3]
    with torch.no_grad():
        gives = made.step(x, y, torch.full((5, 8), 1e6, dtype=torch.float64))[1]
    gate = torch.sigmoid(made.output_gates(torch.cat([x, y], dim=1))).repeat_interleave(2, 1)
    return bool(torch.allclose(gives, gate))


# --- Sec. 3.2: learning ----------------------------------------------------------------------------


def truncated() -> bool:
    """Errors do not leave a cell or a gate for what was before, but by the state, whose factor is the forget gate."""
    made = net(wide=True)
    x, y, s = (t.requires_grad_() for t in one_step(made)[:3])
    states = made.step(x, y, s)[2]
    by_given, by_state = torch.autograd.grad(states.sum(), (y, s), allow_unused=True)
    share = made.kept(torch.cat([x, y], dim=1))
    return (by_given is None or not by_given.any()) and bool(torch.allclose(by_state, share))


def partial(which: str) -> bool:
    """The derivatives of the states as printed, step by step, are those that learning carries on."""
    made = net(wide=True)
    learner = learning.Learner(made)
    kept = torch.zeros(8, 16, dtype=torch.float64)
    for t in range(12):
        x, before, given_before = torch.eye(7, dtype=torch.float64)[t % 7], learner.states.detach(), learner.given
        seen = torch.cat([x[None], given_before], dim=1)
        gates = {name: torch.sigmoid(getattr(made, name)(seen)).repeat_interleave(2, 1)[0] for name in GATES}
        squashed = 4 * torch.sigmoid(made.cells(seen)[0]) - 2
        own = {
            "cells": gates["input_gates"] * (1 - (squashed / 2) ** 2),
            "input_gates": squashed * gates["input_gates"] * (1 - gates["input_gates"]),
            "forget_gates": before[0] * gates["forget_gates"] * (1 - gates["forget_gates"]),
        }[which]
        sources = torch.cat([seen[0], torch.ones(1, dtype=torch.float64)])
        kept = (gates["forget_gates"][:, None] * kept + own[:, None] * sources).detach()
        y = learner.step(x)
        learner.gradients((y**2).sum())
    names = [name for name, _ in made.named_parameters() if not name.startswith("output.")]
    carried = [partials[names.index(f"{which}.weight")] for partials in learner.partials]
    wanted = kept[:, :15].view(4, 2, 15)
    if which == "cells":
        return all(torch.allclose(carried[j].view(4, 2, 15)[:, j], wanted[:, j]) for j in range(2))
    return all(torch.allclose(carried[j], wanted[:, j]) for j in range(2))


def gradient() -> bool:
    """What learning descends at the last of some symbols: the derivatives that torch finds for its squared error
    through all symbols before it, where what the cells gave a step before is cut off and the states are not."""
    for forgetting in ("gate", "none", "decay"):
        made = net(wide=True, forgetting=forgetting)
        learner, s = learning.Learner(made), torch.zeros(1, 8, dtype=torch.float64)
        given = s
        for symbol in (0, 1, 0, 2, 3, 3, 4):
            x, target = torch.eye(7, dtype=torch.float64)[symbol], torch.eye(7, dtype=torch.float64)[1]
            y, given, s = made.step(x[None], given.detach(), s)
            loss = ((target - y[0]) ** 2).sum() / 2
            by_torch = torch.autograd.grad(loss, list(made.parameters()), retain_graph=True)
            ours = learner.gradients(((target - learner.step(x)) ** 2).sum() / 2)
            if not all(torch.allclose(g, mine, atol=1e-12) for g, (_, mine) in zip(by_torch, ours, strict=True)):
                return False
    return True


def partials_reset() -> bool:
    """Where the forget gate shuts, the derivatives of the past go with the state."""
    made = net(wide=True)
    learner = learning.Learner(made)
    for t in range(6):
        if t == 5:
            with torch.no_grad():
                made.forget_gates.bias.fill_(-1e4)
        learner.gradients(learner.step(torch.eye(7, dtype=torch.float64)[t]).sum())
    names = [name for name, _ in made.named_parameters() if not name.startswith("output.")]
    columns = learner.partials[0][names.index("input_gates.weight")]
    return not columns[:, :5].any() and bool(columns[:, 5].any())


def learn_streams(many: int = 1, rate: float = 0.5, decay: float = 1.0, limit: int = 6) -> tuple[Any, Tensor, Tensor]:
    """(what came out, weights before, weights after) of a few training streams by the readable learner."""
    made = net()
    trials = Trials([made])
    before = trials.stacked("output.weight").clone()
    data = reber_stream.ContinualReber(limit=limit, tests=1)
    way = engine.Way(rate, decay, True, 0.49, True, False, limit, 1)
    found = engine.Plain(made, trials).streams(0, many, data.grammar, way, data.rng("train"), data.rng("look"))
    return found, before, trials.stacked("output.weight").clone()


def rate_starts_again() -> bool:
    """Every training stream starts with the full rate: two streams with a rate that is gone after a symbol move the
    weights twice, and by as much as the first symbols ask; what comes later in a stream moves them no more."""
    one = learn_streams(1, decay=1e-40, limit=3)
    two = learn_streams(2, decay=1e-40, limit=3)
    first, second = (one[2] - one[1]).norm(), (two[2] - one[2]).norm()
    gone = torch.equal(one[2], learn_streams(1, limit=1)[2])
    return bool(second > first / 2 > 0) and gone


def at_every_symbol() -> bool:
    """Weights change after each symbol, not at the end: the outputs for the second are of other weights."""
    long, short = learn_streams(limit=2), learn_streams(limit=1)
    return bool((long[2] != short[2]).any() and (short[2] != short[1]).any())


# --- Sec. 4.1: the task ----------------------------------------------------------------------------


def prediction(which: str) -> bool:
    """A prediction is right while every unit's squared error is below .49."""
    target = torch.tensor([1.0, 1.0, 0.0])
    y = torch.tensor({"below": [0.31, 0.9, 0.69], "above": [0.29, 0.9, 0.1], "wrong": [0.9, 0.9, 0.71]}[which])
    allowed = training.ForgetTraining(trials=1).way.allowed
    return engine.is_right(y, target, {0, 1}, allowed, winners=False) == (which == "below")


def half_is_enough() -> bool:
    """Outputs that are all .5 meet that criterion, whatever the input: a mistake is only beyond .7 of the target."""
    target, half = torch.tensor([1.0, 0.0, 1.0]), torch.full((3,), 0.5)
    one_behind = torch.tensor([0.6, 0.5, 0.4])  # of two that may follow
    enough = engine.is_right(half, target, {0, 2}, 0.49, winners=False)
    return enough and not any(engine.is_right(y, target, {0, 2}, 0.49, True) for y in (half, one_behind))


def reset_from_outside() -> bool:
    """Where it is asked for, all that a network remembers is zero when a string begins, and at no other time."""
    made, counted = net(), []
    with torch.no_grad():
        made.output.weight.zero_()
        made.output.bias.zero_()  # near .5 in everything, so that no mistake ends the stream
    data, forget = reber_stream.ContinualReber(limit=200, tests=1), learning.Learner.reset

    def counting(self: learning.Learner) -> None:
        forget(self)
        remembered = [self.given, self.states, *(part for row in self.partials for part in row)]
        counted.append(not any(bool(part.any()) for part in remembered))

    found = []
    for resets in (True, False):
        counted.clear()
        way = engine.Way(0.0, 1.0, True, 0.49, False, resets, 200, 1)
        with patch.object(learning.Learner, "reset", counting):
            engine.Plain(made, Trials([made])).streams(0, 1, data.grammar, way, None, data.rng("check"))
        found.append((len(counted), all(counted)))
    text = data.grammar.walk(data.rng("check"), 200)[0].tolist()
    # A string begins behind every second E, and the stream with the first.
    begins = 1 + text.count(SYMBOLS.index("E")) // 2
    return found == [(begins, True), (1, True)]


def grammar() -> Grammar:
    return reber_stream.ContinualReber().grammar


def mean_length() -> float:
    """Expected symbols of a string, from the probabilities of its branches."""
    tables = grammar()
    places = len(tables.first) - 1
    matrix, one = np.eye(places), np.ones(places)
    for place in range(places):
        for way in (0, 1):
            if (after := tables.after[place, way]) != 0:
                matrix[place, after] -= 0.5
    return round(float(np.linalg.solve(matrix, one)[0]), 6)


def branches() -> bool:
    """Where two symbols may follow, each does in about half of many cases."""
    data = reber_stream.ContinualReber()
    symbols, may = data.grammar.walk(data.rng("check"), 20_000)
    following = [min(m) == after for m, after in zip(may[:-1], symbols[1:], strict=True) if len(m) == 2]
    return abs(sum(following) / len(following) - 0.5) < 0.02 and {len(m) for m in may} == {1, 2}


def no_marks() -> bool:
    """Strings follow each other with nothing between: after every E comes B, and the second letter comes again."""
    data = reber_stream.ContinualReber()
    text = "".join(SYMBOLS[k] for k in data.grammar.walk(data.rng("check"), 5000)[0])
    strings = [text[: place + 1] for place in range(len(text)) if text[place] == "E"]
    whole, start = [], 0
    for part in strings:
        end, piece = len(part), text[start : len(part)]
        if piece.count("E") == 2:
            whole.append(piece)
            start = end
    return len(whole) > 300 and all(s[0] == "B" and s[1] == s[-2] in "TP" and s[2] == "B" for s in whole)


def shortest() -> int:
    """Symbols of the shortest string."""
    tables = grammar()
    reached, steps = {0}, 0
    while True:
        reached = {int(tables.after[place, way]) for place in reached for way in (0, 1)}
        steps += 1
        if 0 in reached:
            return steps


def error_ends_it() -> bool:
    """A training stream ends at the first mistake, from which is learned too."""
    made = net()
    with torch.no_grad():
        made.output.bias.fill_(9.0)
    trials, data = Trials([made]), reber_stream.ContinualReber(limit=50, tests=1)
    before = trials.stacked("output.bias").clone()
    way = engine.Way(0.5, 1.0, True, 0.49, False, False, 50, 1)
    found = engine.Plain(made, trials).streams(0, 1, data.grammar, way, data.rng("train"), data.rng("look"))
    return int(found.lengths[0]) == 0 and bool((trials.stacked("output.bias") != before).any())


def good() -> int:
    return training.GOOD


def printed_setting(which: str) -> float:
    """What the recipes set for Table 2."""

    def of(option: str, recipe: str = "forget") -> Any:
        return given.setting("lstm-forget", recipe, option)

    return {
        "lr": lambda: of("model.lr"),
        "decay": lambda: of("model.decay", "rate-decay"),
        "trials": lambda: of("model.trials"),
        "streams": lambda: of("data.streams") * of("data.chunks") * of("trainer.max_epochs"),
        "limit": lambda: of("data.limit"),
        "tests": lambda: of("data.tests"),
        "kept": lambda: net(forgetting="decay").decay,
    }[which]()


# --- What others build under the name --------------------------------------------------------------


def torch_lstm(**options: Any) -> nn.LSTM:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.LSTM(7, 8, batch_first=True, **options)


def torch_starts_without() -> bool:
    """torch.nn.LSTM draws the forget gates' biases about zero, like all others, and has two of each."""
    theirs = torch_lstm()
    both = theirs.bias_ih_l0[8:16] + theirs.bias_hh_l0[8:16]
    return bool(theirs.bias_ih_l0.abs().max() <= 8**-0.5 and both.min() < 0 < net().forget_gates.bias.min())


def keras_starts_at_one() -> bool:
    """Keras 3 (keras/src/layers/rnn/lstm.py, read and not run) lets the biases of all forget gates start at 1, by
    `unit_forget_bias`; here those of the four blocks differ, and one of them is below."""
    ours = net().forget_gates.bias
    return len(set(ours.tolist())) == len(ours) and bool(ours.min() < 1)


def torch_has_more_gates() -> bool:
    """It has a gate of each kind for every cell, and biased cells: 544 weights beside 312 here, for eight cells."""
    ours = sum(p.numel() for name, p in net().named_parameters() if not name.startswith("output."))
    return sum(p.numel() for p in torch_lstm().parameters()) == 4 * 8 * (7 + 8 + 2) == 544 and ours == 312


def torch_squashes_otherwise() -> bool:
    """Its g and h are tanh: a cell that is let in whole gains at most 1, here 2."""
    theirs = torch_lstm()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.zero_()
        theirs.bias_ih_l0.fill_(50.0)
        state = theirs(torch.zeros(1, 1, 7))[1][1]
    return bool(torch.allclose(state, torch.ones(1, 1, 8))) and ends_of("g")


def torch_goes_further_back() -> bool:
    """Its errors flow back through what the cells gave, here through the states alone."""
    theirs = torch_lstm()
    h = torch.zeros(1, 1, 8, requires_grad=True)
    gradient = torch.autograd.grad(theirs(torch.ones(1, 1, 7), (h, torch.zeros(1, 1, 8)))[0].sum(), h)[0]
    return bool(gradient.any()) and truncated()


# --- Broken models ---------------------------------------------------------------------------------

Break = Callable[[], AbstractContextManager[object]]
Sound = model.ForgetLSTM


def built_with(**options: Any) -> Break:
    """Networks with other options, or with what a function makes of those asked for."""

    class Other(Sound):
        def __init__(self, **asked: Any) -> None:
            super().__init__(**{**asked, **options})

    return lambda: patch.object(model, "ForgetLSTM", Other)


def method(name: str, function: Any, owner: Any = Sound) -> Break:
    return lambda: patch.object(owner, name, function)


def _added_first(self: Any, x: Tensor, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The forget gate scales what was just added too."""
    seen = torch.cat([x, y.detach()], dim=1)
    let_in, let_out = (self.of_cells(torch.sigmoid(g(seen))) for g in (self.input_gates, self.output_gates))
    s = self.kept(seen) * (s + let_in * self.squash_input(self.cells(seen)))
    gives = let_out * self.squash_state(s)
    below = torch.cat([gives, x], dim=1)
    return torch.sigmoid(self.output(below)), gives, s


def _untruncated(self: Any, x: Tensor, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    with patch.object(Tensor, "detach", lambda tensor: tensor):
        return _step(self, x, y, s)


_step, _kept, _draw = Sound.step, Sound.kept, Sound.draw


def _always_closed(self: Any, within: float, biases: Any) -> None:
    _draw(self, within, {name: [-2.0] * len(values) for name, values in biases.items()})


def _weights_like_ones(self: Any, within: float, biases: Any) -> None:
    _draw(self, 2 * within, biases)


def _keeps_past(self: learning.Learner) -> Any:
    before, after = _carry(self)
    return before, [[a + p for a, p in zip(*rows, strict=True)] for rows in zip(after, before, strict=True)]


_carry = learning.Learner._carry


def _blind(self: Any, x: Tensor, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    _, gives, states = _step(self, x, y, s)
    return torch.sigmoid(self.output(torch.cat([gives, 0 * x], dim=1))), gives, states


def _learns_once(self: Any, loss: Tensor, rate: float) -> None:
    """Weights change at the first symbol of all only."""
    if not getattr(self.net, "learned", False):
        self.net.learned = True
        _learn(self, loss, rate)


_learn = learning.Learner.learn
_learner_step, _stream, _is_right = learning.Learner.step, engine.Plain.stream, engine.is_right


def _sees_no_cells(self: learning.Learner, x: Tensor) -> Tensor:
    self.given = torch.zeros_like(self.given)
    return _learner_step(self, x)


def _at_one_rate(self: engine.Plain, grammar: Grammar, way: engine.Way, rng: Any, learns: bool) -> int:
    return _stream(self, grammar, way._replace(decay=1.0), rng, learns)


def _never_reset(self: engine.Plain, grammar: Grammar, way: engine.Way, rng: Any, learns: bool) -> int:
    return _stream(self, grammar, way._replace(resets=False), rng, learns)


def _one_winner(y: Tensor, target: Tensor, may: set[int], allowed: float, winners: bool) -> bool:
    return any(_is_right(y, target, {best}, allowed, winners) for best in may)


def _another_grammar() -> Grammar:
    """Strings of the Reber grammar alone, T for every P, and the first letter not asked for again."""
    nodes = [*REBER, {"E": 8}, {}]
    return Grammar(nodes, SYMBOLS, "another grammar")


def _mostly_first(self: Grammar, place: int, rng: np.random.Generator) -> int:
    return int(self.first[place] != self.second[place] and rng.random() < 0.3)


def _other_setting(paper: str, recipe: str, option: str) -> Any:
    return 7


BROKEN: dict[str, Break] = {
    "a cell more in every block": built_with(size=3),
    "a block less": built_with(blocks=3),
    "an input and an output more": built_with(inputs=8, outputs=8),
    "no shortcut": built_with(shortcut=False),
    "outputs that do not see the input": method("step", _blind),
    "standard LSTM": built_with(forgetting="none"),
    "a state decay of one half": built_with(decay=0.5),
    "g ends at 1": method("squash_input", lambda self, net: torch.tanh(net)),
    "h is the identity": method("squash_state", lambda self, s: s),
    "forgetting after adding": method("step", _added_first),
    "errors that leave cells and gates": method("step", _untruncated),
    "forget gates that only open": method("kept", lambda self, sources: 0.5 + 0.5 * _kept(self, sources)),
    "gates of other blocks": method("of_cells", lambda self, gates: gates.repeat(1, self.size)),
    "biases that are all alike": method("draw", _always_closed),
    "forget gates that start shut": method("draw_biases", lambda self, gates, values: gates.bias.data.fill_(-1.0)),
    "larger weights": method("draw", _weights_like_ones),
    "cells with a bias": lambda: patch.object(Sound, "__init__", _biased_cells),
    "the past of all cells alike": method("_rows", lambda self, of_blocks, weight: 1.0, learning.Learner),
    "learning that sees no cells": method("step", _sees_no_cells, learning.Learner),
    "a rate that does not fall": lambda: patch.object(engine.Plain, "stream", _at_one_rate),
    "one winner is enough": lambda: patch.object(engine, "is_right", _one_winner),
    "never reset from outside": lambda: patch.object(engine.Plain, "stream", _never_reset),
    "derivatives that do not fade": method("_carry", _keeps_past, learning.Learner),
    "weights that change once": method("learn", _learns_once, learning.Learner),
    "cells that hear the gates too": lambda: patch.object(Sound, "__init__", _hearing_cells),
    "a criterion that nothing meets": lambda: patch.object(
        engine, "is_right", lambda y, target, may, allowed, winners: False
    ),
    "another criterion": lambda: patch.object(engine, "is_right", lambda y, target, may, allowed, winners: True),
    "another grammar": lambda: patch.object(reber_stream, "embedded_reber", _another_grammar),
    "branches of other chances": method("draw", _mostly_first, Grammar),
    "other recipes": lambda: patch.object(given, "setting", _other_setting),
    "good from 100 on": lambda: patch.object(training, "GOOD", 100),
}

_init = Sound.__init__


def _biased_cells(self: Any, **options: Any) -> None:
    _init(self, **options)
    self.cells = nn.Linear(self.cells.in_features, self.cells.out_features)


def _hearing_cells(self: Any, **options: Any) -> None:
    _init(self, **options)
    gates = sum(getattr(self, name).out_features for name in GATES if getattr(self, name) is not None)
    self.cells = nn.Linear(self.cells.in_features + gates, self.cells.out_features, bias=False)
