"""The classifiers that Sec. III compares LeNet-5 with, and the network of Sec. IX, where the text determines them."""

from __future__ import annotations

import math
from itertools import combinations, combinations_with_replacement, pairwise

import torch
from torch import Tensor, nn

from literatim.datasets import mnist
from literatim.papers.lenet import model, training
from literatim.papers.lenet.claimed import inputs


def fully_connected(name: str) -> nn.Sequential:
    """A network by the paper's name for it, such as "28x28-300-10": its inputs and the units of each layer."""
    first, *rest = name.split("-")
    sizes = [math.prod(int(side) for side in first.split("x")), *map(int, rest)]
    return nn.Sequential(*(nn.Linear(into, out) for into, out in pairwise(sizes)))


def parameters(name: str) -> int:
    return sum(p.numel() for p in fully_connected(name).parameters())


def thousands(row: str) -> float:
    """Variables of a classifier, or the multiply-accumulates that each of them is used for once, in thousands."""
    if row == "lenet-5":
        return sum(p.numel() for p in model.LeNet5().parameters()) / 1e3
    if row == "1000-rbf":  # a centre of 28x28 for each unit, and a linear classifier of their answers
        return (1000 * 28 * 28 + parameters("1000-10")) / 1e3
    if row == "40-quadratic":  # 40 directions of 28x28, and a linear classifier of their products
        return (40 * 28 * 28 + 10 * quadratic_inputs()) / 1e3
    return 1000 * megabytes_of_neighbours() if row == "neighbours" else parameters(row) / 1e3


def first_hidden_layer() -> int:
    """Units, in hundreds, of the first hidden layer with which a network 28x28-…-150-10 has 469 thousand variables."""
    fitting = [units for units in range(100, 1100, 100) if round(thousands(f"28x28-{units}-150-10")) == 469]
    return fitting[0] if len(fitting) == 1 else 0


def first_hidden_layer_by_hand() -> int | None:
    """The same by hand: 785 weights and biases into each unit of the first layer, then 150 and ten units as before."""
    fitting = [n for n in range(100, 1100, 100) if abs(785 * n + 150 * (n + 1) + 10 * 151 - 469_000) <= 500]
    return fitting[0] if len(fitting) == 1 else None


def deeper_has_more() -> float:
    """Parameters of the network with hidden layers of 300 and 100 over those of the one with 300."""
    return parameters("28x28-300-100-10") / parameters("28x28-300-10")


def pairs_of_classes() -> int:
    return len(list(combinations(mnist.MNIST.classes, 2)))


def products(x: Tensor) -> Tensor:
    """All products of two components of x, one with itself too."""
    return torch.stack([x[i] * x[j] for i, j in combinations_with_replacement(range(len(x)), 2)])


def quadratic_inputs() -> int:
    """Inputs of the linear classifier behind 40 principal components: their products, and the constant of its bias."""
    return len(products(torch.ones(40))) + 1


def megabytes_of_neighbours() -> float:
    """Of all training characters at one byte a pixel."""
    rows, columns = inputs.largest_character()
    return inputs.training_patterns() * rows * columns / 1e6


def times_each_sample_is_seen() -> float:
    """With 540,000 distorted patterns beside the original ones, over as many passes of as many patterns as before."""
    passes = sum(passes for passes, _ in training.SCHEDULE)
    return passes * inputs.training_patterns() / (inputs.training_patterns() + 540_000)


def rs_svm_costs(row: str) -> float:
    """The 650,000 multiply-adds of the reduced-set SVM against those of LeNet-5: as a factor, or how much more in %."""
    from literatim.papers.lenet.checks import multiply_adds

    factor = 650_000 / multiply_adds()
    return round(factor, 2) if row == "factor" else round(100 * (factor - 1))


# Sec. IX-B: kernels and their sizes, layer by layer; sub-sampling in place of kernels where there are none.
ONLINE = ((8, 3, 3), (None, 2, 2), (25, 5, 5), (84, 4, 4), (None, 2, 1))


def online_network() -> tuple[int, ...]:
    """Shape of the last layer before the RBF units, of an input of five planes, twenty rows and eighteen columns."""
    x = torch.zeros(1, 5, 20, 18)
    for kernels, height, width in ONLINE:
        if kernels is None and (x.shape[2] % height or x.shape[3] % width):
            raise ValueError(f"maps of {x.shape[2]}x{x.shape[3]} do not come out even by {height}x{width}")
        x = nn.Conv2d(x.shape[1], kernels, (height, width))(x) if kernels else nn.AvgPool2d((height, width))(x)
    return tuple(x.shape[1:])
