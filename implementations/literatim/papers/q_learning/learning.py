"""The inner loop: steps of an environment, each with one change of the table. Plain numbers, no tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from literatim.papers.q_learning import model


class Rule(NamedTuple):
    """How an agent learns and acts; see `QLearningTraining`."""

    gamma: float
    rate: float
    power: float
    epsilon: float
    allowed: tuple[int, ...]


def steps(
    q: list[list[float]],
    tried: list[list[int]],
    env: Any,
    first: Callable[[], int],
    rng: np.random.Generator,
    number: int,
    rule: Rule,
) -> float:
    """So many steps in an environment of Gymnasium's; `q` and `tried`, how often each pair was, are changed in place.

    An end is an absorbing state, from which nothing comes any more. Where a limit of time cuts an episode off, its last
    state is worth what the agent thinks of it, as any other, and the next step begins elsewhere: the $y$ of one episode
    "need not be the $x$ of the next".

    Returns the sum of the changes' sizes, without sign.
    """
    explores, draws = (rng.random(number) < rule.epsilon).tolist(), rng.random(number).tolist()
    x, moved = first(), 0.0
    for n in range(number):
        a = chosen(q[x], explores[n], draws[n], rule.allowed)
        y, r, end, cut, _ = env.step(a)
        y, r = int(y), float(r)
        tried[x][a] += 1
        alpha = model.learning_factor(tried[x][a], rule.rate, rule.power)
        before = q[x][a]
        q[x][a] = model.adjusted(before, r, 0.0 if end else model.value(q[y]), alpha, rule.gamma)
        moved += abs(q[x][a] - before)
        x = first() if end or cut else y
    return moved


def chosen(row: list[float], explores: bool, draw: float, allowed: tuple[int, ...]) -> int:
    """An action: any of those allowed, or one of the best of them; `draw`, from 0 to below 1, decides among equals."""
    if not explores:
        best = max(row[a] for a in allowed)
        allowed = tuple(a for a in allowed if row[a] == best)
    return allowed[int(draw * len(allowed))]
