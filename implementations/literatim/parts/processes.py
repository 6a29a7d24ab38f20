"""Finite controlled Markov processes whose probabilities are known, and their exact values by dynamic programming."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Process(NamedTuple):
    """A process of X states and A actions. What ends an episode leads nowhere: such rows of `p` sum to less than 1.

    Attributes:
        p: (X, A, X), the probability of going on from the first state to the last by an action
        r: (X, A), the mean reward
        first: (X,), the probability that an episode begins in a state
    """

    p: Array
    r: Array
    first: Array

    @classmethod
    def of_table(cls, table: Any, first: Array) -> Process:
        """From a table of Gymnasium's: `table[x][a]` lists (probability, next state, reward, whether it ends).

        A state may be listed several times; the rows of a state that ends an episode go on as if it did not, but
        nothing leads there.
        """
        states, actions = len(table), len(table[0])
        p, r = np.zeros((states, actions, states)), np.zeros((states, actions))
        for x in range(states):
            for a in range(actions):
                for probability, y, reward, ends in table[x][a]:
                    p[x, a, y] += 0.0 if ends else probability
                    r[x, a] += probability * reward
        return cls(p, r, np.asarray(first, dtype=np.float64))

    def within_reach(self) -> NDArray[np.bool_]:
        """(X,): the states in which an action may come to be taken, whatever the actions before were."""
        reached: NDArray[np.bool_] = self.first > 0
        while True:
            more = reached | (self.p[reached].sum(axis=(0, 1)) > 0)
            if (more == reached).all():
                return reached
            reached = more

    def backed_up(self, v: Array, gamma: float) -> Array:
        """(X, A): a reward, and the discounted value (X,) of where it leads to."""
        return self.r + gamma * (self.p @ v)

    def optimal(self, gamma: float, within: float = 1e-12, start: float = 0.0) -> Array:
        """(X, A): the optimal action values, by value iteration from `start` until nothing moves by more than `within`.

        With `gamma` 1 it ends where every policy does, or where rewards keep it from circling.
        """
        v = np.full(len(self.r), start)
        while True:
            q = self.backed_up(v, gamma)
            if np.abs(q.max(axis=1) - v).max() <= within:
                return q
            v = q.max(axis=1)

    def value(self, policy: NDArray[np.int64], gamma: float) -> Array:
        """(X,): the value of a policy (X,), which takes the same action whenever it is in a state."""
        rows = np.arange(len(policy))
        return np.asarray(np.linalg.solve(np.eye(len(policy)) - gamma * self.p[rows, policy], self.r[rows, policy]))

    def after(self, x: int, actions: Sequence[int], gamma: float, then: Any = 0.0) -> float:
        """What a state is worth under a row of actions, with the values `then` (X,) after the last, or nothing."""
        v: Any = np.zeros(len(self.r)) + then
        for a in reversed(actions):
            v = self.r[:, a] + gamma * self.p[:, a] @ v
        return float(v[x])

    def returns(self, policy: NDArray[np.int64], steps: int) -> float:
        """The expected sum of an episode's rewards, undiscounted, that is cut off after so many steps."""
        rows, at, total = np.arange(len(policy)), self.first, 0.0
        for _ in range(steps):
            total += float(at @ self.r[rows, policy])
            at = at @ self.p[rows, policy]
        return total
