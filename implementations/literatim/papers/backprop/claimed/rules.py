"""Eqs. 1 to 9 and the sentences around them: each against what it says, written out, or against torch's derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from literatim.datasets.symmetry import Symmetry
from literatim.errors import LiteratimError
from literatim.papers.backprop import model, training
from literatim.papers.backprop.claimed.networks import drawn, iterative
from literatim.parts import familytrees, symmetry


def near(ours: Any, other: Any) -> bool:
    one, two = (torch.as_tensor(each, dtype=torch.float64) for each in (ours, other))
    return torch.allclose(one, two, rtol=0, atol=1e-12)


def eq_1() -> bool:
    y, w, b = drawn(2, 3), drawn(4, 3) - 0.5, drawn(4)
    by_hand = [[sum(y[c, i] * w[j, i] for i in range(3)) + b[j] for j in range(4)] for c in range(2)]
    return near(model.total_input(y, w, b), torch.tensor(by_hand, dtype=torch.float64))


def eq_2() -> bool:
    return near(
        model.logistic(torch.tensor([0.0, 1.0, -3.0]).double()), [0.5, *(1 / (1 + math.exp(-x)) for x in (1, -3))]
    )


def eq_3() -> bool:
    y, d = drawn(3, 2), torch.eye(3, 2, dtype=torch.float64)
    by_hand = sum((float(y[c, j]) - float(d[c, j])) ** 2 for c in range(3) for j in range(2)) / 2
    return near(model.total_error(y, d), torch.tensor(by_hand, dtype=torch.float64))


def chain() -> tuple[Tensor, ...]:
    """A layer of two units above three, with torch's derivatives of E by everything in it."""
    y, w, b, d = drawn(4, 3), drawn(2, 3) - 0.5, drawn(2), drawn(4, 2).round()
    for leaf in (y, w, b):
        leaf.requires_grad_()
    x = y @ w.T + b
    top = torch.sigmoid(x)
    error = 0.5 * (top - d).square().sum()
    grads = torch.autograd.grad(error, [top, x, w, b, y])
    return tuple(each.detach() for each in (y, w, top, d, *grads))


def eq_4() -> bool:
    _, _, top, d, dtop, *_ = chain()
    return near(model.at_the_outputs(top, d), dtop)


def eq_5() -> bool:
    _, _, top, _, dtop, dx, *_ = chain()
    return near(model.at_the_total_inputs(dtop, top), dx)


def eq_6() -> bool:
    y, _, _, _, _, dx, dw, db, _ = chain()
    weight, bias = model.at_the_weights(dx, y)
    return near(weight, dw) and near(bias, db)


def eq_7() -> bool:
    _, w, _, _, _, dx, _, _, dy = chain()
    return near(model.at_the_units_below(dx, w), dy)


def eq_8() -> bool:
    return near(model.change(torch.tensor(3.0).double(), 0.5, 0.1, 0.0), -0.3)


def eq_9() -> bool:
    return near(model.change(torch.tensor(3.0).double(), 0.5, 0.1, 0.9), -0.3 + 0.45)


EQUATIONS: dict[str, Callable[[], bool]] = {
    "eq-1": eq_1, "eq-2": eq_2, "eq-3": eq_3, "eq-4": eq_4, "eq-5": eq_5, "eq-6": eq_6, "eq-7": eq_7,
    "eq-8": eq_8, "eq-9": eq_9,
}  # fmt: skip


def equation(name: str) -> bool:
    return EQUATIONS[name]()


def backward(name: str) -> bool:
    """All derivatives of a whole network by the backward pass, and by torch's autograd, to 1e-12."""
    if name == "iterative":
        net, x, d = iterative(), drawn(5, 3), drawn(5, 3).flip(0)
        y = net.history(x)
        model.total_error(y[-1], d).backward()
        assert net.w.grad is not None
        return near(net.iterations * net.gradient([s.detach() for s in y], (y[-1] - d).detach()), net.w.grad)
    nets: dict[str, Callable[[], model.Layered]] = {
        "symmetry": model.SymmetryNet,
        "symmetry-skip": lambda: model.SymmetryNet(skip=True),
        "heard-twice": lambda: model.Layered(
            {"input": 6}, {"low": (3, ["input"]), "high": (2, ["low"]), "output": (1, ["low", "high"])}
        ),
        "family": model.FamilyNet,
    }
    layered = nets[name]().double()
    x, d = familytrees.all_cases() if name == "family" else symmetry.all_vectors()
    states = layered.states(x)
    top = states[layered.top]
    model.total_error(top, d).backward()
    ours = layered.gradients(
        {name: state.detach() for name, state in states.items()}, model.at_the_outputs(top, d).detach()
    )
    return all(near(ours[name], parameter.grad) for name, parameter in layered.named_parameters())


def bias_as_weight() -> bool:
    """A layer with biases, and one without whose units have one more input that is always 1; derivatives too."""
    y, w, b, dx = drawn(4, 3), drawn(2, 3), drawn(2) - 0.5, drawn(4, 2)
    ones, zero = torch.cat([y, torch.ones(4, 1).double()], dim=1), torch.zeros(2).double()
    wider = torch.cat([w, b[:, None]], dim=1)
    same = near(model.total_input(y, w, b), model.total_input(ones, wider, zero))
    weight, bias = model.at_the_weights(dx, y)
    return same and near(torch.cat([weight, bias[:, None]], dim=1), model.at_the_weights(dx, ones)[0])


def threshold() -> bool:
    """A unit is above one half where what comes in from below exceeds a threshold: its bias with the sign turned."""
    sums = torch.linspace(-2, 2, 81, dtype=torch.float64)[:, None] + 0.01
    one = torch.ones(1, 1, dtype=torch.float64)
    return all(
        torch.equal(model.logistic(model.total_input(sums, one, torch.tensor([bias]).double())) > 0.5, sums > -bias)
        for bias in (-1.1, 0.0, 0.7)
    )


def small_random() -> bool:
    """Of two hundred trials, as a training starts them: within the bounds, near both, about zero, biases too."""
    module, data = training.BackpropTraining(trials=200), Symmetry()
    for trial in range(200):
        module.start(trial, data)
    found = [module.trials.stacked(name).flatten() for name in module.trials.names]
    return all(
        0.29 < float(w.max()) <= 0.3 and -0.3 <= float(w.min()) < -0.29 and abs(float(w.abs().mean()) - 0.15) < 0.02
        for w in found
    )


def not_trained_on() -> bool:
    """With other answers to the cases held out the weights become the same, and with others to the rest they do not."""
    ends = []
    for turned in (None, False, True):
        module = ready(variant="family")
        module.kept = torch.arange(104)[None] >= 4
        module.d = module.d.clone()
        if turned is not None:
            module.d[module.kept[0] == turned] = 1 - module.d[module.kept[0] == turned]
        ends.append(swept(module, 3)[-1])
    return torch.equal(ends[0], ends[1]) and not torch.equal(ends[0], ends[2])


def sum_of_cases() -> bool:
    """The derivatives over all cases are the sum of those of each case."""
    net = model.SymmetryNet().double()
    x, d = symmetry.all_vectors()

    def of(cases: slice) -> Tensor:
        with torch.no_grad():
            y = net.states(x[cases])
            return net.gradients(y, model.at_the_outputs(y["output"], d[cases]))["hidden.weight"]

    whole = of(slice(None))
    return near(whole, torch.stack([of(slice(c, c + 1)) for c in range(64)]).sum(dim=0)) and bool(
        whole.abs().max() > 0.01
    )


# --- What the training makes of them -----------------------------------------------------------------


def ready(trials: int = 1, variant: str = "symmetry", **options: Any) -> training.BackpropTraining:
    """A training with its cases, whose trials start from numbers that are drawn here."""
    module = training.BackpropTraining(variant, trials=trials, **options)
    module.x, module.d = familytrees.all_cases() if variant == "family" else symmetry.all_vectors()
    module.kept = torch.ones(trials, len(module.x), dtype=torch.bool)
    rng = torch.Generator().manual_seed(3)
    for name in module.trials.names:
        one = module.trials.stacked(name)
        one.copy_(torch.rand(one.shape, generator=rng, dtype=torch.float64) * 0.6 - 0.3)
    return module


def swept(module: training.BackpropTraining, times: int) -> list[Tensor]:
    """The first weights of all trials before each of so many sweeps, and after them."""
    name = module.trials.names[0]
    found = [module.trials.stacked(name).clone()]
    with torch.no_grad():
        for _ in range(times):
            module.sweep()
            found.append(module.trials.stacked(name).clone())
    return found


def slope(module: training.BackpropTraining, weights: dict[str, Tensor]) -> Tensor:
    """Torch's derivative of E by the first weights of the only trial."""
    leaves = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
    net = module.net
    error = model.total_error(net.states(module.x, leaves)[net.top], module.d).sum()
    return torch.autograd.grad(error, leaves[module.trials.names[0]])[0]


def one_change_a_sweep() -> bool:
    """Two sweeps are two changes: the first by the accumulated gradient, the second by Eq. 9."""
    module = ready()
    first = slope(module, {name: weight.clone() for name, weight in module.weights().items()})
    before, after, *_ = swept(module, 1)
    second = slope(module, {name: weight.clone() for name, weight in module.weights().items()})
    last = swept(module, 1)[-1]
    moved = (after - before, last - after)
    return (
        near(moved[0], -0.1 * first) and near(moved[1], -0.1 * second + 0.9 * moved[0]) and int(module.trials.seen) == 2
    )


def decays_after_change() -> bool:
    """A sweep with decay ends where one without it ends, less the decayed part of that."""
    plain, decayed = swept(ready(), 1)[-1], swept(ready(decay=0.002), 1)[-1]
    return near(decayed, plain * (1 - 0.002))


def first_sweeps() -> int:
    """The sweeps that are made with the first rates, of a training in which only those move anything."""
    module = ready(variant="family", eps=1e-300, alpha=0.0, first_eps=0.005, first_alpha=0.5, within=0.5)
    steps = swept(module, 25)
    return sum(not torch.equal(before, after) for before, after in pairwise(steps))


def silent_zone(side: str) -> float:
    """The bound of a unit's state beyond which its error is zero, looked for in steps of a thousandth."""
    y = torch.arange(0, 1001, dtype=torch.float64)[None, :, None] / 1000
    module = ready(dead_zone=True)
    module.d = torch.full((1001, 1), float(side == "on"), dtype=torch.float64)
    module.kept = torch.ones(1, 1001, dtype=torch.bool)
    felt = module.errors(y)[0, :, 0] != 0
    # Beyond: where it is on, or off, far enough, though not quite as desired.
    inside = felt.nonzero().flatten()
    return float(inside.max() if side == "on" else inside.min()) / 1000


def alpha_between() -> bool:
    """0 and what lies between 0 and 1 is taken; 1, and what is below 0, is refused."""
    for alpha in (0.0, 0.9):
        training.BackpropTraining(alpha=alpha)
    for alpha in (1.0, -0.1):
        try:
            training.BackpropTraining(alpha=alpha)
        except LiteratimError:
            continue
        return False
    return True


def equal_start() -> bool:
    """Hidden units that start with equal weights stay equal, sweep after sweep; those that start at random do not."""
    equal, random = ready(), ready()
    for name in equal.trials.names:
        equal.trials.stacked(name).fill_(0.1)
    apart = [w[-1][0, 0] - w[-1][0, 1] for w in (swept(equal, 20), swept(random, 20))]
    return float(apart[0].abs().max()) < 1e-12 and float(apart[1].abs().max()) > 0.1
