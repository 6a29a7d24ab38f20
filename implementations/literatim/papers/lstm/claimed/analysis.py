"""Sec. 3: how errors vanish in a net of conventional logistic units, computed with the model's own logistic units."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from literatim.papers.lstm.claimed.cell import gate


def slope(x: Tensor) -> Tensor:
    """f'(x) of the model's gates."""
    x = x.detach().requires_grad_()
    (found,) = torch.autograd.grad(gate(x.flatten()).sum(), x)
    return found


def grid(low: float, high: float, points: int = 200_001) -> Tensor:
    return torch.linspace(low, high, points, dtype=torch.float64)


def largest_slope() -> float:
    return slope(grid(-8, 8, 2001)).max().item()


def least_weight() -> float:
    """The weight below which |f'(net) w| is less than 1 for all net inputs."""
    return 1 / largest_slope()


def factor(w: Tensor, y: float) -> Tensor:
    """f'(w y) w: what an error is scaled by over one step, with the unit below at the constant activation y."""
    return slope(w * y) * w


def best_weight() -> bool:
    """Whether the factor is largest where w = coth(net / 2) / y."""
    for y in (1.0, 0.5, 0.25, 0.1):
        weights = grid(0, 20 / y, 20_001)
        w = weights[factor(weights, y).argmax()].item()
        if not math.isclose(w, 1 / y / math.tanh(w * y / 2), rel_tol=2e-3):
            return False
    return True


def factor_of_large_weights() -> float:
    """The factor of a weight of 1,000."""
    return factor(torch.tensor([1000.0], dtype=torch.float64), 1.0).item()


def conventional(n: int, steps: int, size: float, seed: int = 0) -> tuple[Tensor, list[Tensor]]:
    """The weights of a fully connected net and the derivatives f'(net) (steps, n) as it runs."""
    chance = torch.Generator().manual_seed(seed)
    W = size * (2 * torch.rand(n, n, dtype=torch.float64, generator=chance) - 1)
    y, slopes = torch.rand(n, dtype=torch.float64, generator=chance), []
    for _ in range(steps):
        net = W @ y + torch.randn(n, dtype=torch.float64, generator=chance)
        slopes.append(slope(net))
        y = gate(net)
    return W, slopes


def scaling(W: Tensor, slopes: list[Tensor]) -> Tensor:
    """(n, n): the error at unit v, as many steps before, by that at unit u: entry (v, u), from Eq. 1 step by step."""
    n = len(W)
    found = torch.eye(n, dtype=torch.float64)
    for derivative in reversed(slopes):
        # One step back: theta_v(t - 1) = f'(net_v(t - 1)) sum over l of w_lv theta_l(t)
        found = derivative[:, None] * (W.T @ found)
    return found


def logistic_slope(x: Tensor) -> Tensor:
    """f (1 - f) of Eq. 3."""
    f = 1 / (1 + torch.exp(-x))
    return f * (1 - f)


def paths() -> bool:
    """Eq. 2 with the indices as printed, against Eq. 1."""
    return _sum_over_paths(*conventional(3, 4, 2.0), printed=True)


def paths_of_eq_1() -> bool:
    """By the printed indices Eq. 2 is not Eq. 1, for one step and for four; with the two of w interchanged it is."""
    w, slopes = conventional(3, 0, 2.0)[0], _known_slopes()
    return all(
        not _sum_over_paths(w, slopes[:q], printed=True) and _sum_over_paths(w, slopes[:q], printed=False)
        for q in (1, 4)
    )


def _sum_over_paths(w: Tensor, slopes: list[Tensor], printed: bool) -> bool:
    """Whether the sum over all paths l_0 = u, ..., l_q = v is Eq. 1's scaling, with w of l_m and l_(m-1), or of these
    the other way round."""
    n, q, wanted = len(w), len(slopes), scaling(w, slopes)
    for u, v in itertools.product(range(n), repeat=2):
        total = 0.0
        for between in itertools.product(range(n), repeat=q - 1):
            way, term = (u, *between, v), 1.0
            for m in range(1, q + 1):
                to, of = (way[m], way[m - 1]) if printed else (way[m - 1], way[m])
                term *= slopes[-m][way[m]].item() * w[to, of].item()
            total += term
        if not math.isclose(total, wanted[v, u].item(), rel_tol=1e-9):
            return False
    return True


def by_printed_indices() -> bool:
    """The matrix form under Eq. 2, with [A]_ij the element in the i-th column and the j-th row as the text has it."""
    return _matrix_form(printed=True)


def by_usual_indices() -> bool:
    """It is wrong as printed, and right where i is the row and j the column."""
    return not _matrix_form(printed=True, slopes=_known_slopes()) and _matrix_form(
        printed=False, slopes=_known_slopes()
    )


def _known_slopes() -> list[Tensor]:
    chance = torch.Generator().manual_seed(3)
    return [logistic_slope(torch.randn(3, dtype=torch.float64, generator=chance)) for _ in range(4)]


def _matrix_form(printed: bool, slopes: list[Tensor] | None = None) -> bool:
    """Whether the matrices, multiplied by rows and columns, give Eq. 1's scaling; `printed` writes w_ij to column i."""
    w, found = conventional(3, 4, 2.0)
    slopes = slopes or found
    matrix, q = (w.T if printed else w), len(slopes)
    wanted = scaling(w, slopes)
    for u, v in itertools.product(range(3), repeat=2):
        # [W_v]_i = w_iv and [W_uT]_i = w_ui are defined by the weights, whichever way the matrix is written.
        row = w[u] @ slopes[-1].diag()
        for m in range(2, q):
            row = row @ matrix @ slopes[-m].diag()
        if not math.isclose((row @ w[:, v] * slopes[-q][v]).item(), wanted[v, u].item(), rel_tol=1e-9):
            return False
    return True


def bounded(n: str) -> bool:
    """Whether no error is scaled by more than n tau^q, tau = n w_max / 4, in nets of n units with w_max below 4 / n."""
    units = int(n)
    for seed in range(2):
        W, slopes = conventional(units, 20, 3.9 / units, seed)
        tau = units * W.abs().max().item() / 4
        for q in range(1, len(slopes) + 1):
            if scaling(W, slopes[-q:]).abs().max() > units * tau**q:
                return False
    # With all net inputs at 0 and weights of one sign errors come to tau^q: a bound that nothing nears would be none.
    W = torch.full((units, units), 3.9 / units, dtype=torch.float64)
    flat = [slope(torch.zeros(units, dtype=torch.float64))] * 10
    return math.isclose(units * scaling(W, flat).abs().max().item(), (3.9 / 4) ** 10, rel_tol=1e-9)


def decays(q: str) -> float:
    """The most that n = 10 units with weights up to 0.39 can leave of an error after q steps: n tau^q."""
    tau = 10 * 0.39 * largest_slope()
    return 10 * tau ** int(q)
