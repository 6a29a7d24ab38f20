"""Small processes of which all is known, agents that learn in them, and decks of cards, all drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from literatim.papers.q_learning import model
from literatim.parts.processes import Process

STATES, ACTIONS, GAMMA = 4, 2, 0.9
STEPS = 20_000


def world(seed: int = 0, ends: float = 0.0) -> Process:
    """A process of four states and two actions with rewards within 1; every step ends with the probability `ends`."""
    rng = np.random.default_rng(seed)
    p = (1 - ends) * rng.dirichlet(np.full(STATES, 0.5), (STATES, ACTIONS))
    return Process(p, rng.uniform(-1, 1, (STATES, ACTIONS)), np.full(STATES, 1 / STATES))


def experience(
    process: Process, number: int, seed: int = 0, isolated: bool = False, noise: float = 0.0
) -> Iterator[Any]:
    """Episodes (x, a, y, r, end) of an agent that takes any action; `isolated`, each begins anywhere."""
    rng = np.random.default_rng([1, seed])
    states, actions = process.r.shape
    draws, acts, starts = rng.random(number), rng.integers(actions, size=number), rng.integers(states, size=number)
    noises, sums = rng.choice([-noise, noise], size=number), process.p.cumsum(axis=2)
    x = int(starts[0])
    for n in range(number):
        a = int(acts[n])
        y = int(np.searchsorted(sums[x, a], draws[n], side="right"))
        end = y >= states
        yield x, a, 0 if end else y, float(process.r[x, a] + noises[n]), end
        x = int(starts[n]) if isolated or end else y


def learned(
    process: Process,
    episodes: Iterator[Any],
    gamma: float = GAMMA,
    power: float = 0.6,
    q0: float = 0.0,
    cell: Callable[[int], int] = int,
) -> np.ndarray[Any, Any]:
    """(X, A): the values after these episodes; states share a row of the table that have the same `cell`."""
    states, actions = process.r.shape
    q, tried = [[q0] * actions for _ in range(states)], [[0] * actions for _ in range(states)]
    for x, a, y, r, end in episodes:
        row = q[cell(x)]
        tried[cell(x)][a] += 1
        alpha = model.learning_factor(tried[cell(x)][a], 0.9, power)
        row[a] = model.adjusted(row[a], r, 0.0 if end else model.value(q[cell(y)]), alpha, gamma)
    return np.array([q[cell(x)] for x in range(states)])


def deck(seed: int = 0, levels: int = 12, several: bool = False, ends: bool = False) -> list[list[model.Card]]:
    """A deck of exact numbers; with `several`, cards of two different pairs at each level."""
    rng, pairs = random.Random(seed), [(x, a) for x in range(3) for a in range(ACTIONS)]
    return [
        [
            model.Card(
                x, a, rng.randrange(3), _exact(rng, -9, 9), _exact(rng, 1, 9, 10), ends and rng.random() < 0.2
            )
            for x, a in rng.sample(pairs, 2 if several else 1)
        ]
        for _ in range(levels)
    ]  # fmt: skip


def bottom(seed: int = 0) -> list[list[Any]]:
    """(3, 2): values Q0, exact."""
    rng = random.Random(1000 + seed)
    return [[_exact(rng, -9, 9) for _ in range(ACTIONS)] for _ in range(3)]


def _exact(rng: random.Random, least: int, most: int, of: int = 1) -> Any:
    return Fraction(rng.randint(least, most), of)


def by_rule(cards: Sequence[Sequence[model.Card]], q0: Sequence[Sequence[Any]], gamma: Any) -> list[list[Any]]:
    """The table after the rule has gone through a deck from the bottom; all of a level change at once."""
    q = [list(row) for row in q0]
    for level in cards:
        before = [list(row) for row in q]
        for card in level:
            v = 0 if card.end else model.value(before[card.y])
            q[card.x][card.a] = model.adjusted(before[card.x][card.a], card.r, v, card.alpha, gamma)
    return q
