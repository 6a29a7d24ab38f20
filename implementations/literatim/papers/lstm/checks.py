"""Models, data and recipes broken in one place each, against which the claims have to prove themselves.

The checks are in `claimed`: the cell and its errors, the analysis of vanishing errors, the tasks and their sequences,
the tables and what they say of one another, and what others build under these names.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from literatim.claims import given
from literatim.datasets import lags, reber
from literatim.datasets.lags import Sequences
from literatim.papers.lstm import model
from literatim.papers.lstm.claimed import tables

Break = Callable[[], AbstractContextManager[object]]


def built_with(**changes: Any) -> Break:
    """All nets with these options, whatever their variants have."""

    class Changed(model.LSTM):
        def __init__(self, **options: Any) -> None:
            new = {name: value(options) if callable(value) else value for name, value in changes.items()}
            super().__init__(**{**options, **new})

    return lambda: patch.object(model, "LSTM", Changed)


def _fits(biases: list[float], gates: str) -> Callable[[dict[str, Any]], list[float]]:
    """Biases for as many blocks as there are, where such gates have biases."""

    def of(options: dict[str, Any]) -> list[float]:
        has = options.get("biased", "all") != "none" and (gates == "input" or options.get("output_gate", True))
        return biases[: options.get("blocks", 2)] if has else []

    return of


def method(name: str, new: Callable[..., Any]) -> Break:
    return lambda: patch.object(model.LSTM, name, new)


def logistic(new: Callable[[Tensor], Tensor]) -> Break:
    return lambda: patch.object(torch, "sigmoid", new)


def _untruncated(self: model.LSTM, x: Tensor, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`step` without the cut."""
    sources = torch.cat([x, y], dim=1)
    y_in, y_out = torch.sigmoid(self.input_gates(sources)), torch.sigmoid(self.output_gates(sources))
    s = s + self.of_cells(y_in) * self.squash_input(self.cells(sources))
    cells = self.of_cells(y_out) * self.squash_state(s)
    return torch.sigmoid(self.output(cells)), torch.cat([cells, y_in, y_out], dim=1), s


def _late(self: model.LSTM, x: Tensor, *state: Tensor, exact: Any = model.LSTM.step) -> tuple[Tensor, ...]:
    """`step` whose outputs are of the cells of the step before, as Appendix A.1 notes it."""
    _, *after = exact(self, x, *state)
    return (torch.sigmoid(self.output(state[0][:, : self.blocks * self.size])), *after)


def _awake(self: model.LSTM, n: int) -> tuple[Tensor, Tensor]:
    ones = self.cells.weight.new_ones
    return ones(n, self.fed_back), ones(n, self.blocks * self.size)


# --- Data --------------------------------------------------------------------------------------------


def attribute(kind: type, **changes: Callable[[Any], Any]) -> Break:
    """Data modules whose attributes are other than asked for."""
    exact = kind.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        exact(self, *args, **options)
        for name, change in changes.items():
            setattr(self, name, change(self))

    return lambda: patch.object(kind, "__init__", init)


def redrawn(kind: Any, change: Callable[[Sequences], None]) -> Break:
    """Sequences that are changed in place after they were drawn."""
    exact = kind.draw

    def draw(self: Any, *args: Any) -> Sequences:
        found: Sequences = exact(self, *args)
        change(found)
        return found

    return lambda: patch.object(kind, "draw", draw)


def _all(*breaks: Break) -> Break:
    @contextmanager
    def both() -> Any:
        with ExitStack() as stack:
            yield [stack.enter_context(each()) for each in breaks]

    return both


def _step_longer() -> AbstractContextManager[object]:
    exact = lags.offsets_of
    longer = lambda lengths: exact(lengths + 3)  # noqa: E731
    return _all(lambda: patch.object(lags, "offsets_of", longer), lambda: patch.object(reber, "offsets_of", longer))()


def _other_classes(found: Sequences) -> None:
    found.targets[:] = -found.targets
    found.x[:] = 2 * found.x


def _other_sizes(found: Sequences) -> None:
    found.targets[:] = 2 * found.targets
    found.x[:, 0] = found.x[:, 0] / 2


def _other_symbols(found: Sequences) -> None:
    found.targets[:] = found.targets[:, ::-1].copy()
    found.ids[found.ids < 4] = 4


def _places(later: tuple[int, int]) -> Break:
    """The first X or Y so much later, the others so much."""
    moved = {
        n: tuple((a + later[k > 0], b + later[k > 0]) for k, (a, b) in enumerate(places))
        for n, places in lags.ORDER.items()
    }
    return lambda: patch.object(lags, "ORDER", moved)


def _three_marked(found: Sequences) -> None:
    found.x[found.offsets[:-1] + 40, 1] = 1.0


def _no_suffix(self: lags.Distractors, rng: np.random.Generator, many: int, purpose: str) -> Sequences:
    ids = rng.integers(self.p, size=many * (self.q + 3))
    return Sequences(lags.offsets_of(np.full(many, self.q + 3)), ids=ids)


def _mostly_t(rng: np.random.Generator) -> str:
    node, string = reber.EMBEDDED[0], ""
    while node:
        symbols = sorted(node, reverse=rng.random() < 0.8)
        string, node = string + symbols[0], reber.EMBEDDED[node[symbols[0]]]
    return string


def _any_end() -> AbstractContextManager[object]:
    """Both copies of the grammar may be left by T and by P."""
    ends = {letter: to for node in reber.EMBEDDED for letter, to in node.items() if to == len(reber.EMBEDDED) - 2}
    end = len(reber.EMBEDDED) - 2
    either = {"T": end, "P": end} | dict.fromkeys(ends, end)
    nodes = tuple(either if end in node.values() else node for node in reber.EMBEDDED)
    return patch.object(reber, "EMBEDDED", nodes)


def _more(value: Any) -> Any:
    return 2 * value + 1 if isinstance(value, int | float) and not isinstance(value, bool) else value


def _other_stops(task: str, name: str, exact: Any = tables.option) -> Any:
    """A second stop where a recipe has one, and one where it has two."""
    if name == "model.early_wrong":
        return 0 if exact(task, name) is None else None
    return exact(task, name)


BROKEN: dict[str, Break] = {
    "a cell more in every block": built_with(size=lambda o: o.get("size", 2) + 1),
    "one cell in every block": built_with(size=1),
    "an input and an output more": built_with(
        inputs=lambda o: o.get("inputs", 2) + 1, outputs=lambda o: o.get("outputs", 1) + 1
    ),
    "gates that nothing sees": built_with(sees="cells"),
    "a hidden layer that sees itself in Task 2a": built_with(
        sees=lambda o: "hidden" if o.get("sees") == "inputs" else o.get("sees", "hidden")
    ),
    "biases everywhere": built_with(biased="all"),
    "no biases": built_with(biased="none", input_gate_bias=(), output_gate_bias=()),
    "an output gate always": built_with(output_gate=True),
    "outputs that see the inputs": built_with(shortcut=True),
    "larger weights": built_with(init=lambda o: 2 * o.get("init", 0.1)),
    "gates that start like other units": built_with(input_gate_bias=(), output_gate_bias=()),
    "output gates that start shut": built_with(output_gate_bias=_fits([-1.0] * 4, "output")),
    "g ends at 1": method("squash_input", lambda self, net: torch.tanh(net)),
    "h ends at 2": method("squash_state", lambda self, s: 4 * torch.sigmoid(s) - 2),
    "linear units": logistic(lambda x: x),
    "units that do not react": logistic(lambda x: 0 * x + 0.5),
    "errors that leave cells and gates": method("step", _untruncated),
    "a state that leaks": method("kept", lambda self, sources: 0.99),
    "outputs of the step before": method("step", _late),
    "a start from ones": method("start", _awake),
    "gates of other blocks": method("of_cells", lambda self, gates: gates.repeat(1, self.size)),
    "three steps more in every sequence": _step_longer,
    "q one smaller": attribute(lags.Distractors, q=lambda data: data.q - 1),
    "no element after the first q": lambda: patch.object(lags.Distractors, "draw", _no_suffix),
    "distractor symbols up to q": attribute(lags.Distractors, p=lambda data: data.q),
    "a symbol more": _all(
        attribute(lags.Distractors, p=lambda data: data.p + 1), attribute(lags.NoiseFree, p=lambda data: data.p + 1)
    ),
    "the other kind of middle": attribute(lags.NoiseFree, regular=lambda data: not data.regular),
    "other noise and classes": _all(
        redrawn(lags.TwoSequences, _other_classes),
        attribute(lags.TwoSequences, target_noise=lambda data: 2 * data.target_noise),
    ),
    "numbers of half the size, targets of twice": redrawn(lags.Marked, _other_sizes),
    "three pairs marked": redrawn(lags.Marked, _three_marked),
    "X and Y nearer to one another": _places((0, -5)),
    "X and Y nearer to the end": _places((5, 15)),
    "other classes, and E for a to d": redrawn(lags.TemporalOrder, _other_symbols),
    "edges of other chances, and an end that forgets": _all(
        _any_end, lambda: patch.object(reber, "draw_string", _mostly_t)
    ),
    "one pair of sets, of 255 strings": attribute(
        reber.EmbeddedReber, strings=lambda data: 255, trials_a_pair=lambda data: 30
    ),
    "a test set of training strings": lambda: patch.object(
        reber.EmbeddedReber, "pair", lambda self, trial: (["BTBTXSETE"] * 300,) * 2
    ),
    "test sets of twice the size": attribute(
        lags.LagDataModule, tests=lambda data: 2 * data.tests, checks=lambda data: 2 * data.checks
    ),
    "other recipes": lambda: patch.object(tables, "option", lambda *args, exact=tables.option: _more(exact(*args))),
    "another number of stops": lambda: patch.object(tables, "option", _other_stops),
    "other numbers in the tables": lambda: patch.object(given, "stated", lambda paper, claim: 100.0),
    "smaller errors in the tables": lambda: patch.object(
        given, "stated", lambda paper, claim: 0.001 if claim.endswith("mse") else 0.01
    ),
}
