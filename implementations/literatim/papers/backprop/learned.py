"""What the letter says that its networks have learned, measured on those that have; and how its figures draw it.

All functions of measures take the weights of the K trials that have learned, stacked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from literatim.papers.backprop.model import FamilyNet, SymmetryNet
from literatim.parts.familytrees import people

# Fig. 1: "The learning required 1,425 sweeps".
PRINTED_SWEEPS = 1425
# Fig. 2, in the order of Fig. 4: Christopher Andrew Arthur James Charles Colin, Penelope Christine Victoria Jennifer
# Margaret Charlotte. Generations from the top; branches: the tree of the first couple, that of the second, and the two
# children, who belong to both.
GENERATION = (1, 1, 2, 2, 2, 3, 1, 1, 2, 2, 2, 3)
BRANCH = (1, -1, 1, -1, -1, 0, 1, -1, 1, -1, 1, 0)


def sweeps(solved_at: Tensor) -> dict[str, float]:
    """Of the trials that have learned, (K,) sweeps: `sooner`, per cent of them that needed no more than the letter's;
    `sweeps_quarter` and `sweeps_three_quarters`, the quartiles; `first_sweeps`, of the first, whose weights ship."""
    at = solved_at.double()
    return {
        "sooner": _share(at <= PRINTED_SWEEPS),
        "sweeps_quarter": float(at.quantile(0.25)),
        "sweeps_three_quarters": float(at.quantile(0.75)),
        "first_sweeps": float(at[0]),
    }


def symmetry(net: SymmetryNet, weights: Mapping[str, Tensor], x: Tensor, d: Tensor) -> dict[str, float]:
    """Fig. 1's properties of a net with two hidden units. Shares are per cent of the trials.

    - `weight_1`, `weight_2`, `weight_4`: medians of a hidden unit's smallest, middle and largest weight, without sign;
      `ratio_2`, `ratio_4`: medians of these by the smallest;
    - `mirror`: how far weights that are symmetric about the middle are from being opposite, in per cent of the largest
      weight, the median; `opposite`: the same of the two hidden units' weights;
    - `hidden_bias`, `output_weight`, `output_bias`: medians;
    - `hidden_bias_negative`, `output_bias_positive`: share;
    - `off`: share in which both hidden units are below one half for every symmetrical vector; `one_on`: share in which
      exactly one of them is above for every other vector;
    - `binary`: share in which the two hidden units' ratios are within a tenth of 1:2:4;
    - `apart`: the least distance between two of the eight sums of one side, by the smallest weight, the median.
    """
    w, b = weights["hidden.weight"], weights["hidden.bias"]  # (K, 2, 6), (K, 2)
    # The same left side in all: of a pair the mean, so that 1:2:4 is what both sides say.
    pairs = (w[..., :3] - w.flip(-1)[..., :3]) / 2
    sizes = pairs.abs().sort(dim=-1).values
    largest = w.abs().amax(dim=(1, 2))
    sides = torch.tensor([[n >> k & 1 for k in range(3)] for n in range(8)], dtype=w.dtype)
    sums = (w[..., :3] @ sides.T).sort(dim=-1).values
    gaps = (sums[..., 1:] - sums[..., :-1]).amin(dim=-1) / sizes[..., 0]
    on = net.states(x, weights)["hidden"] > 0.5  # (K, N, 2)
    symmetrical = d[:, 0] > 0.5
    of_one = sizes.flatten(0, 1)
    near = (sizes / sizes[..., :1] / torch.tensor([1.0, 2.0, 4.0], dtype=w.dtype) - 1).abs() < 0.1
    return {
        "weight_1": _median(of_one[:, 0]),
        "weight_2": _median(of_one[:, 1]),
        "weight_4": _median(of_one[:, 2]),
        "ratio_2": _median(of_one[:, 1] / of_one[:, 0]),
        "ratio_4": _median(of_one[:, 2] / of_one[:, 0]),
        "mirror": _median(100 * (w + w.flip(-1)).abs().amax(dim=(1, 2)) / largest),
        "opposite": _median(100 * w.sum(dim=1).abs().amax(dim=1) / largest),
        "hidden_bias": _median(b.flatten()),
        "output_weight": _median(weights["output.weight"].flatten()),
        "output_bias": _median(weights["output.bias"].flatten()),
        "hidden_bias_negative": _share((b < 0).all(dim=1)),
        "output_bias_positive": _share((weights["output.bias"] > 0).all(dim=1)),
        "off": _share(~on[:, symmetrical].flatten(1).any(dim=1)),
        "one_on": _share((on[:, ~symmetrical].sum(dim=2) == 1).all(dim=1)),
        "binary": _share(near.flatten(1).all(dim=1)),
        "apart": _median(gaps.flatten()),
    }


def family(weights: Mapping[str, Tensor]) -> dict[str, float]:
    """Fig. 4's properties of the weights from the 24 people to the six units of the second layer.

    - `nationality`, `generation`, `branch`: of the six units the largest correlation, without sign, of the weights
      with what the unit may stand for, the mean over the trials;
    - `ignoring`: how many of the units have a correlation with the nationality of less than one half, the mean;
    - `twins`: the correlation of the weights from the English people with those from their Italian equivalents over
      the five units other than the one of the nationality, the mean.
    """
    w = weights["people.weight"]  # (K, 6, 24)
    nation = torch.tensor([1.0] * 12 + [-1.0] * 12, dtype=w.dtype)
    by_nation = _correlation(w, nation)
    of_nation = by_nation.argmax(dim=1, keepdim=True)
    others = torch.ones_like(by_nation, dtype=torch.bool).scatter(1, of_nation, False)
    english, italian = w[..., :12], w[..., 12:]
    alike = _centred(english).mul(_centred(italian)).sum(dim=2)
    found = {"nationality": by_nation.amax(dim=1)}
    for name, of_person in (("generation", GENERATION), ("branch", BRANCH)):
        found[name] = _correlation(w, torch.tensor([*of_person, *of_person], dtype=w.dtype)).amax(dim=1)
    found["ignoring"] = (by_nation < 0.5).double().sum(dim=1)
    found["twins"] = alike[others].view(len(w), 5).mean(dim=1)
    return {name: float(value.mean()) for name, value in found.items()}


def held_out(right: Tensor, kept: Tensor) -> dict[str, float]:
    """Over the cases that a trial has not learned from: `generalised`, per cent of the trials with all of them right,
    and `held_out_right`, how many of them are right in the mean. `right`, `kept` (K, N)."""
    if kept.all():
        return {}
    counted = (right & ~kept).sum(dim=1)
    return {
        "generalised": _share(counted == (~kept).sum(dim=1)),
        "held_out_right": float(counted.double().mean()),
    }


def unbalanced(before: Mapping[str, Tensor], after: Mapping[str, Tensor], taken: float) -> float:
    """Fig. 4: the decay "was balanced by" the derivatives. How far the weights have moved, in per cent of `taken`, the
    part of them that the decay took meanwhile; the mean over the trials. 0 is a perfect balance."""
    moved = _size([after[name] - weight for name, weight in before.items()])
    return float(100 * (moved / (taken * _size(list(before.values())))).mean())


def _size(of: list[Tensor]) -> Tensor:
    """(K,): the length of several tensors as one vector."""
    return torch.stack([part.square().flatten(1).sum(dim=1) for part in of]).sum(dim=0).sqrt()


def _centred(w: Tensor) -> Tensor:
    """Over the last axis: mean 0, length 1."""
    w = w - w.mean(dim=-1, keepdim=True)
    return w / w.norm(dim=-1, keepdim=True).clamp(min=1e-300)


def _correlation(w: Tensor, of: Tensor) -> Tensor:
    """(K, 6): without sign."""
    return (_centred(w) @ _centred(of)).abs()


def _median(values: Tensor) -> float:
    return float(values.quantile(0.5))


def _share(of: Tensor) -> float:
    return float(100 * of.double().mean())


def draw_symmetry(net: SymmetryNet) -> Any:
    """The weights and biases of every unit as Fig. 4 draws weights, in the places of Fig. 1."""
    rows = [(f"{name} {i + 1}", [*w, b]) for name, i, w, b in _units(net)]
    size = max(abs(float(v)) for _, values in rows for v in values)
    width = max(len(values) for _, values in rows)
    figure, axes = _canvas(width, 1.5 * len(rows), size)
    for row, (label, values) in enumerate(reversed(rows)):
        y = 1.5 * row
        for x, value in enumerate(values):
            at = x if x < len(values) - 1 else width - 1  # biases below each other
            _square(axes, at, y, float(value), size)
            axes.text(at, y - 0.66, f"{float(value):.1f}", ha="center", va="center", fontsize=7)
        axes.text(-0.8, y, label, ha="right", va="center")
    axes.text(width - 1, 1.5 * len(rows) - 0.7, "bias", ha="center", fontsize=8)
    return figure


def _units(net: SymmetryNet) -> list[tuple[str, int, Tensor, Tensor]]:
    return [
        (name, i, w, b)
        for name in net.below
        for i, (w, b) in enumerate(
            zip(
                net.get_parameter(f"{name}.weight").detach(),
                net.get_parameter(f"{name}.bias").detach(),
                strict=True,
            )
        )
    ]


def draw_people(net: FamilyNet) -> Any:
    """Fig. 4: the weights from the people, the English in the top row of each unit, their equivalents below."""
    w = net.get_parameter("people.weight").detach()
    size = float(w.abs().max())
    figure, axes = _canvas(12, 20, size)
    for unit in range(6):
        for row in range(2):
            for column in range(12):
                _square(axes, column, 3 * (5 - unit) + 1 - row, float(w[unit, 12 * row + column]), size)
        axes.text(-0.9, 3 * (5 - unit) + 0.5, f"unit {unit + 1}", ha="right", va="center")
    for column, name in enumerate(people()[:12]):
        axes.text(column, 16.8, name, rotation=90, ha="center", va="bottom", fontsize=7)
    return figure


def _canvas(columns: int, rows: float, size: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(0.42 * columns + 1.6, 0.36 * rows + 1.2), layout="constrained")
    axes = figure.add_subplot(facecolor="0.6", aspect="equal", xlim=(-0.8, columns - 0.2), ylim=(-1, rows))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(f"white: excitatory, black: inhibitory; the largest is {size:.1f}", fontsize=8)
    return figure, axes


def _square(axes: Any, x: float, y: float, value: float, size: float) -> None:
    """ "White rectangles, excitatory weights; black rectangles, inhibitory weights; area … encodes the magnitude"."""
    side = 0.9 * (abs(value) / size) ** 0.5 if size else 0.0
    from matplotlib.patches import Rectangle

    colour = "white" if value > 0 else "black"
    axes.add_patch(Rectangle((x - side / 2, y - side / 2), side, side, facecolor=colour, edgecolor="none"))
