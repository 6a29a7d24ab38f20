"""Checks of the letter's claims that need code of their own, and the broken models that show that the claims bite."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from literatim.claims import given
from literatim.datasets.familytrees import FamilyTrees
from literatim.datasets.symmetry import Symmetry
from literatim.papers.backprop import model, training
from literatim.papers.backprop.claimed.broken import BREAK_TRAINING, BROKEN

__all__ = ["BREAK_TRAINING", "BROKEN"]


def setting(recipe: str, option: str) -> Any:
    """What a recipe sets, or what the training, the model and the data have by default."""
    try:
        return given.setting("backprop", recipe, option)
    except KeyError:
        section, _, name = option.rpartition(".")
        where = {"model": training.BackpropTraining, "model.options": model.SymmetryNet, "data": Symmetry}[section]
        return inspect.signature(where).parameters[name].default


def symmetry_setting(name: str) -> float:
    return setting("paper", {"spread": "model.options.spread"}.get(name, f"model.{name}"))


def family_setting(name: str) -> float:
    held_out = setting("family", "data.held_out")
    if name == "sweeps":
        return setting("family", "trainer.max_epochs") * setting("family", "data.sweeps")
    if name == "held-out":
        return held_out
    if name == "trained":
        return int(FamilyTrees(held_out=held_out).kept(0).sum())
    value = setting("family", f"model.{name.replace('-', '_')}")
    return 100 * value if name == "decay" else value


# --- What torch does otherwise -----------------------------------------------------------------------


def moved(gradients: list[float], rates: list[tuple[float, float]]) -> list[float]:
    """Where Eq. 9 takes a weight from 0, step by step."""
    weight = last = torch.zeros((), dtype=torch.float64)
    found = []
    for gradient, (eps, alpha) in zip(gradients, rates, strict=True):
        last = model.change(torch.tensor(gradient, dtype=torch.float64), last, eps, alpha)
        weight = weight + last
        found.append(float(weight))
    return found


def moved_by_torch(gradients: list[float], rates: list[tuple[float, float]]) -> list[float]:
    weight = nn.Parameter(torch.zeros((), dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=rates[0][0], momentum=rates[0][1])
    found = []
    for gradient, (eps, alpha) in zip(gradients, rates, strict=True):
        optimizer.param_groups[0] |= {"lr": eps, "momentum": alpha}
        weight.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        found.append(float(weight.detach()))
    return found


def sgd_differs() -> bool:
    """The same while the rate stays, and not when it changes as in Fig. 4: torch's first step at the new rate drags the
    old velocity along at the new rate too."""
    gradients = [1.0, -0.5, 0.25, 2.0, -1.0]
    steady, as_printed = [(0.1, 0.9)] * 5, [(0.005, 0.5)] * 3 + [(0.01, 0.9)] * 2
    ours, theirs = moved(gradients, as_printed), moved_by_torch(gradients, as_printed)
    alike = torch.allclose(torch.tensor(moved(gradients, steady)), torch.tensor(moved_by_torch(gradients, steady)))
    return alike and abs(ours[2] - theirs[2]) < 1e-15 < abs(ours[3] - theirs[3])


def sgd_decay_differs() -> bool:
    """Two steps without a gradient: the letter's decay shrinks a weight each time alike; torch's shrinks it by the rate
    times the decay, and the momentum repeats that."""
    weight = nn.Parameter(torch.ones((), dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=0.01, momentum=0.9, weight_decay=0.002)
    found = []
    for _ in range(2):
        weight.grad = torch.zeros((), dtype=torch.float64)
        optimizer.step()
        found.append(float(weight.detach()))
    return abs(found[0] - (1 - 0.01 * 0.002)) < 1e-15 and found[1] < found[0] ** 2 - 1e-6 and found[1] > 0.998


def mse_differs() -> bool:
    y = torch.rand(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    d = torch.zeros(5, 3, dtype=torch.float64)
    (of_torch,) = torch.autograd.grad(nn.MSELoss()(y, d), y)
    return torch.allclose(of_torch, 2 / (5 * 3) * model.at_the_outputs(y, d))


def bce_differs() -> bool:
    """By the total input of an output unit: y - d for cross-entropy, and that times y (1 - y) by Eqs. 4 and 5."""
    x = torch.tensor([-6.0, -1.0, 0.5, 6.0], dtype=torch.float64).requires_grad_()
    d = torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    y = model.logistic(x)
    (of_torch,) = torch.autograd.grad(nn.BCELoss(reduction="sum")(y, d), x, retain_graph=True)
    ours = model.at_the_total_inputs(model.at_the_outputs(y, d), y)
    sure_and_wrong = ours.abs()[[0, 3]].max() < 0.01 and of_torch.abs()[[0, 3]].min() > 0.99
    return torch.allclose(of_torch, y - d) and bool(sure_and_wrong)
