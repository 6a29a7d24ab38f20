"""What tables are held against: exact values, and episodes that are played."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from literatim.parts.processes import Process

AWAY = 1_000  # steps of an episode that has no limit of time


class Exact:
    """The exact values of an environment, and what tables (K, X, A) make of it.

    Args:
        process: its probabilities
        reached: the states that an action can come to be taken in
        limit: steps after which an episode is cut off, if any
        gamma: the discount
    """

    def __init__(self, process: Process, reached: NDArray[np.int64], limit: int | None, gamma: float) -> None:
        self.process, self.reached, self.limit, self.gamma = process, reached, limit or AWAY, gamma
        self.q = process.optimal(gamma)
        self.optimal_return = process.returns(self.q.argmax(axis=1), self.limit)

    def errors(self, tables: Any) -> Any:
        """(K, reached, A): differences from the optimal values, without sign."""
        return np.abs(tables - self.q)[:, self.reached]

    def metrics(self, tables: Any) -> dict[str, float]:
        """Means over the trials; see `QLearningTraining`."""
        errors, policies = self.errors(tables), tables.argmax(axis=2)
        returns = [self.process.returns(policy, self.limit) for policy in policies]
        taken = np.take_along_axis(self.q[None], policies[:, :, None], axis=2)[..., 0]
        best = taken >= self.q.max(axis=1) - 1e-9
        found = {
            "q_error": float(errors.max(axis=(1, 2)).mean()),
            "q_rms": float(np.sqrt(np.square(errors).mean(axis=(1, 2))).mean()),
            "best_actions": float(100 * best[:, self.reached].mean()),
            "return": float(np.mean(returns)),
        }
        if self.optimal_return > 0:
            found["of_best"] = 100 * found["return"] / self.optimal_return
        return found


def play(q: Any, data: Any, rng: np.random.Generator, episodes: int) -> float:
    """The mean sum of rewards over episodes in the environment itself, begun by its own reset and never exploring."""
    data.begun(rng)
    total = 0.0
    for _ in range(episodes):
        x, _ = data.env.reset()
        for _ in range(data.limit or AWAY):
            x, r, end, cut, _ = data.env.step(int(q[x].argmax()))
            total += float(r)
            if end or cut:
                break
    return total / episodes


def figure(q: Any, exact: Exact) -> Any:
    """A figure of matplotlib's: each learned value over the exact one, a colour for an action."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(5, 4.4), layout="constrained")
    axis = drawn.subplots()
    for a in range(q.shape[1]):
        axis.plot(exact.q[exact.reached, a], q[exact.reached, a], ".", label=f"action {a}")
    ends = [float(exact.q[exact.reached].min()), float(exact.q[exact.reached].max())]
    axis.plot(ends, ends, color="0.6", linewidth=1, zorder=0)
    axis.set(xlabel="by value iteration", ylabel="learned")
    axis.legend()
    return drawn
