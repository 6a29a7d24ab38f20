"""Broken models: each must cost at least one claim its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from literatim.claims import given
from literatim.datasets.familytrees import FamilyTrees
from literatim.papers.backprop import learned, model, training
from literatim.parts import familytrees, symmetry


def _units(**changed: Any) -> Callable[..., None]:
    """A family net with another number of units in some group, or with other groups below."""

    def init(self: model.FamilyNet, spread: float = model.SMALL) -> None:
        groups: dict[str, Any] = {
            "people": (6, ["person_1"]), "relations": (6, ["relationship"]),
            "central": (12, ["people", "relations"]), "penultimate": (6, ["central"]),
            "person_2": (24, ["penultimate"]),
        }  # fmt: skip
        inputs = {"person_1": 24, "relationship": 12} | changed.get("inputs", {})
        others = {name: group for name, group in changed.items() if name != "inputs"}
        model.Layered.__init__(self, inputs, groups | others, spread)

    return init


class ThreeHidden(model.SymmetryNet):
    def __init__(self, hidden: int = 3, skip: bool = False, spread: float = 0.5) -> None:
        super().__init__(hidden, skip, spread)


class TwoOutputs(model.SymmetryNet):
    def __init__(self, hidden: int = 2, skip: bool = False, spread: float = model.SMALL) -> None:
        model.Layered.__init__(self, {"input": 6}, {"hidden": (hidden, ["input"]), "output": (2, ["hidden"])}, spread)


def _listening_to_itself(self: model.Layered, *args: Any, exact: Any = model.Layered.__init__, **options: Any) -> None:
    exact(self, *args, **options)
    self.below[self.top] = (*self.below[self.top], self.top)


def _printed(**changed: list[Any]) -> Callable[[], AbstractContextManager[object]]:
    """Fig. 1 with other numbers."""

    def wrong() -> model.SymmetryNet:
        net = exact()
        with torch.no_grad():
            for name, values in changed.items():
                net.get_parameter(name.replace("__", ".")).copy_(torch.tensor(values, dtype=torch.float64))
        return net

    exact = model.SymmetryNet.printed
    return lambda: patch.object(model.SymmetryNet, "printed", wrong)


def _other_numbers(exact: Callable[[], model.SymmetryNet] = model.SymmetryNet.printed) -> model.SymmetryNet:
    """Fig. 1 with every number a tenth larger than it is."""
    net = exact()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(1.1)
    return net


def _last_listener(
    self: model.Layered, y: Mapping[str, Tensor], dE_dy: Tensor, weights: model.Weights | None = None
) -> dict[str, Tensor]:
    """What several groups pass back to one does not add up: the last to do so is heard."""
    w = dict(self.named_parameters()) if weights is None else weights
    errors, found = {self.top: dE_dy}, {}
    for name, below in reversed(self.below.items()):
        dE_dx = model.at_the_total_inputs(errors[name], y[name])
        found[f"{name}.weight"], found[f"{name}.bias"] = model.at_the_weights(dE_dx, self.seen(y, below))
        parts = model.at_the_units_below(dE_dx, w[f"{name}.weight"]).split([self.size[each] for each in below], dim=-1)
        errors |= dict(zip(below, parts, strict=True))
    return found


def _all_cases(self: training.BackpropTraining, y: Tensor) -> Tensor:
    """The errors of the cases held out too."""
    errors = model.at_the_outputs(y, self.d)
    return errors.masked_fill(training.silent(y, self.d), 0.0) if self.dead_zone else errors


class Hasty(training.BackpropTraining):
    """Other rates by default; takes any alpha."""

    def __init__(self, variant: str = "symmetry", alpha: float = 0.8, eps: float = 0.2, **options: Any) -> None:
        super().__init__(variant, alpha=min(max(alpha, 0.0), 0.99), eps=eps, **options)


def _setting(paper: str, recipe: str, option: str, exact: Any = given.setting) -> Any:
    value = exact(paper, recipe, option)
    return 2 * value if isinstance(value, int | float) and not isinstance(value, bool) else value


def _after_every_case(self: training.BackpropTraining, exact: Any = training.BackpropTraining.sweep) -> bool:
    """The cases one by one, each followed by a change."""
    x, d, kept = self.x, self.d, self.kept
    for case in range(len(x)):
        self.x, self.d, self.kept = x[case : case + 1], d[case : case + 1], kept[:, case : case + 1]
        exact(self)
    self.x, self.d, self.kept = x, d, kept
    return True


def _undecayed(self: training.BackpropTraining, exact: Any = training.BackpropTraining.sweep) -> bool:
    """The decay before the change."""
    for weight in self.weights().values():
        weight.sub_(self.decay * weight)
    decay, self.decay = self.decay, 0.0
    going = exact(self)
    self.decay = decay
    return going


def _history(steps: int) -> Callable[[model.IterativeNet, Tensor], list[Tensor]]:
    def history(self: model.IterativeNet, x: Tensor) -> list[Tensor]:
        y, matrix = [x], self.matrix()
        for _ in range(steps):
            y.append(model.logistic(model.total_input(y[-1], matrix, matrix.new_zeros(3))))
        return y

    return history


class Unshared(model.IterativeNet):
    def __init__(self, iterations: int = 3, spread: float = model.SMALL) -> None:
        super().__init__(iterations, spread)
        self.more = nn.Parameter(torch.zeros(8))


@contextmanager
def _counted_anew(where: Any, name: str, other: Any) -> Iterator[None]:
    """Something of the trees changed, and all that follows from it worked out again, within and afterwards."""
    kept = (familytrees.families, familytrees.people, familytrees.facts, familytrees.all_cases)
    try:
        for each in kept:
            each.cache_clear()
        with patch.object(where, name, other):
            yield
    finally:
        for each in kept:
            each.cache_clear()


def _childless() -> tuple[Any, ...]:
    order, tree = familytrees.TREES[0]
    return (order, {**tree, "James = Victoria": ""}), familytrees.TREES[1]


PEOPLE = familytrees.people()


def _one_called_as_another() -> tuple[str, ...]:
    return (*PEOPLE[:-1], PEOPLE[0])


def _by_blood(self: familytrees.Family, person: str) -> list[str]:
    """Uncles and aunts without those by marriage."""
    return [other for parent in self.parents(person) for other in self.siblings(parent)]


def _cases(change: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], where: Any, name: str) -> Any:
    exact = getattr(where, name)
    return lambda: patch.object(where, name, lambda *args: change(*exact(*args)))


LEFT = [14.2, -3.6, 7.2, -7.2, 3.6, -14.2]
RIGHT = [-value for value in LEFT]

BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "Eq. 1 without the bias": lambda: patch.object(model, "total_input", lambda y, weight, bias: y @ weight.mT),
    "Eq. 1 with the bias taken off": lambda: patch.object(
        model, "total_input", lambda y, weight, bias: y @ weight.mT - bias.unsqueeze(-2)
    ),
    "tanh in place of Eq. 2": lambda: patch.object(model, "logistic", torch.tanh),
    "Eq. 3 as a mean": lambda: patch.object(model, "total_error", lambda y, d: (y - d).square().mean(dim=(-2, -1))),
    "Eq. 4 with the sign turned": lambda: patch.object(model, "at_the_outputs", lambda y, d: d - y),
    "Eq. 5 without y (1 - y)": lambda: patch.object(model, "at_the_total_inputs", lambda dE_dy, y: dE_dy),
    "Eq. 6 as a mean over the cases": lambda: patch.object(
        model, "at_the_weights", lambda dE_dx, y: (dE_dx.mT @ y / y.shape[-2], dE_dx.mean(dim=-2))
    ),
    "Eq. 6 without the bias": lambda: patch.object(
        model, "at_the_weights", lambda dE_dx, y: (dE_dx.mT @ y, 0 * dE_dx.sum(dim=-2))
    ),
    "Eq. 7 with the weights' signs alone": lambda: patch.object(
        model, "at_the_units_below", lambda dE_dx, weight: dE_dx @ weight.sign()
    ),
    "Eq. 8 uphill": lambda: patch.object(
        model, "change", lambda gradient, before, eps, alpha: eps * gradient + alpha * before
    ),
    "Eq. 9 with torch's velocity": lambda: patch.object(
        model, "change", lambda gradient, before, eps, alpha: -eps * (gradient - alpha * before)
    ),
    "derivatives of one layer alone": lambda: patch.object(
        model, "at_the_units_below", lambda dE_dx, weight: 0 * (dE_dx @ weight)
    ),
    "a layer that listens to itself": lambda: patch.object(model.Layered, "__init__", _listening_to_itself),
    "three hidden units, wider start": lambda: patch.object(model, "SymmetryNet", ThreeHidden),
    "two output units": lambda: patch.object(model, "SymmetryNet", TwoOutputs),
    "no connection skips": lambda: patch.object(
        model.SymmetryNet,
        "__init__",
        lambda self, hidden=2, skip=False, spread=0.3, exact=model.SymmetryNet.__init__: exact(
            self, hidden, False, spread
        ),
    ),
    "larger groups in the second layer": lambda: patch.object(
        model.FamilyNet, "__init__", _units(people=(7, ["person_1"]), relations=(7, ["relationship"]))
    ),
    "a smaller centre, a larger top": lambda: patch.object(
        model.FamilyNet,
        "__init__",
        _units(central=(11, ["people", "relations"]), penultimate=(7, ["central"]), person_2=(25, ["penultimate"])),
    ),
    "more people, fewer relationships": lambda: patch.object(
        model.FamilyNet, "__init__", _units(inputs={"person_1": 25, "relationship": 11})
    ),
    "both inputs to both groups": lambda: patch.object(
        model.FamilyNet,
        "__init__",
        _units(people=(6, ["person_1", "relationship"]), relations=(6, ["person_1", "relationship"])),
    ),
    "no penultimate layer": lambda: patch.object(
        model.FamilyNet, "__init__", _units(penultimate=(6, ["people"]), person_2=(24, ["central", "penultimate"]))
    ),
    "Fig. 1 with a weight that has no counterpart": _printed(
        hidden__weight=[[14.2, -3.6, 7.2, -7.2, 3.6, -13.2], RIGHT]
    ),
    "Fig. 1 with ratios 1:1:2": _printed(hidden__weight=[[8, -4, 4, -4, 4, -8], [-8, 4, -4, 4, -4, 8]]),
    "Fig. 1 with two equal hidden units": _printed(hidden__weight=[LEFT, LEFT]),
    "Fig. 1 with positive hidden biases": _printed(hidden__bias=[1.1, 1.1]),
    "Fig. 1 with a negative output bias": _printed(output__bias=[-6.4]),
    "Fig. 1 with other numbers": lambda: patch.object(model.SymmetryNet, "printed", _other_numbers),
    "the last listener heard alone": lambda: patch.object(model.Layered, "gradients", _last_listener),
    "cases held out that are learned from": lambda: patch.object(training.BackpropTraining, "errors", _all_cases),
    "weights that start between 0 and .3": lambda: patch.object(
        training.BackpropTraining,
        "start",
        lambda self, trial, data, exact=training.BackpropTraining.start: (
            exact(self, trial, data),
            [self.trials.stacked(name)[trial].abs_() for name in self.trials.names],
        ),
    ),
    "other rates, any alpha": lambda: patch.object(training, "BackpropTraining", Hasty),
    "all that recipes set twice as large": lambda: patch.object(given, "setting", _setting),
    "twice as many cases held out": lambda: patch.object(
        FamilyTrees,
        "kept",
        lambda self, trial, exact=FamilyTrees.kept: exact(FamilyTrees(held_out=2 * self.held_out), trial),
    ),
    "a change after every case": lambda: patch.object(training.BackpropTraining, "sweep", _after_every_case),
    "decay before the change": lambda: patch.object(training.BackpropTraining, "sweep", _undecayed),
    "the first rates for 25 sweeps": lambda: patch.object(training, "FIRST_SWEEPS", 24),
    "a dead zone at .9 and .1": lambda: patch.object(
        training, "silent", lambda y, d: model.silent(y, d, on=0.9, off=0.1)
    ),
    "small noise in every change": lambda: patch.object(
        training,
        "change",
        lambda gradient, before, eps, alpha: (
            model.change(gradient, before, eps, alpha) + 1e-3 * torch.randn(gradient.shape, dtype=torch.float64)
        ),
    ),
    "two iterations": lambda: patch.object(model.IterativeNet, "history", _history(2)),
    "weights that are not shared": lambda: patch.object(model, "IterativeNet", Unshared),
    "the arcs of Fig. 5 the other way": lambda: patch.object(
        model.IterativeNet, "arcs", tuple((of, to) for to, of in model.IterativeNet.arcs)
    ),
    "the gradient of the last layer": lambda: patch.object(
        model.IterativeNet, "gradient", lambda self, y, dE_dy: self.layer_gradients(y, dE_dy)[-1]
    ),
    "a gradient for each layer": lambda: patch.object(
        model.IterativeNet, "gradient", lambda self, y, dE_dy: self.layer_gradients(y, dE_dy)
    ),
    "five bits": lambda: patch.object(
        symmetry, "all_vectors", lambda low=0.0, exact=symmetry.all_vectors: tuple(part[:32] for part in exact(low))
    ),
    "aunts by blood alone": lambda: _counted_anew(familytrees.Family, "of_the_parents", _by_blood),
    "a childless English couple": lambda: _counted_anew(familytrees, "TREES", _childless()),
    "a relationship twice": lambda: _counted_anew(
        familytrees, "RELATIONSHIPS", (*familytrees.RELATIONSHIPS[:-1], familytrees.RELATIONSHIPS[0])
    ),
    "a name twice": lambda: patch.object(familytrees, "people", _one_called_as_another),
    "three inputs on, people who share units": _cases(
        lambda x, d: (torch.cat([x[:, :12] + x[:, 12:24], x[:, :12] + x[:, 12:24], x[:, 24:]], dim=1), d),
        familytrees,
        "all_cases",
    ),
    "children in the generation of their parents": lambda: patch.object(
        learned, "GENERATION", tuple(min(2, of) for of in learned.GENERATION)
    ),
}
BREAK_TRAINING = ()
