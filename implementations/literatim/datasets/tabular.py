"""Environments of Gymnasium's whose states can be numbered, and whose probabilities can be read."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from literatim.datasets.environments import make, packages
from literatim.datasets.made import MadeDataModule
from literatim.errors import LiteratimError
from literatim.parts.processes import Process


class Tabular(MadeDataModule):
    """An environment of Gymnasium's, by its id, in which the training acts.

    A chunk is so many steps. At its beginning the environment is reset, with a seed that follows from `seed`, the trial
    and the chunk's number alone; an episode that its end finds under way is cut, which is no end of it.

    Args:
        environment: Gymnasium's id
        options: the environment's own, such as `is_slippery: false`
        starts: where episodes begin: where the environment's reset puts them, or anywhere that can be reached
        steps: of a chunk
        chunks: of an epoch
        seed: of everything that is drawn
        watch: sets whose metrics are taken after every epoch: none

    Raises LiteratimError for an environment that there is not, or that has no table or no beginning.
    """

    def __init__(
        self,
        environment: str = "FrozenLake-v1",
        options: dict[str, Any] = {},  # noqa: B006 (never changed)
        starts: Literal["reset", "anywhere"] = "reset",
        steps: int = 10_000,
        chunks: int = 1,
        seed: int = 0,
        watch: list[str] = [],  # noqa: B006
    ) -> None:
        super().__init__(chunks, seed, watch)
        if steps < 1:
            raise LiteratimError(f"data.steps is {steps}; it must be at least 1")
        self.environment, self.starts, self.steps = environment, starts, steps
        if "render_mode" in options:
            raise LiteratimError("data.options: render_mode draws for a screen, and nothing here looks at one")
        self.env = make(environment, disable_env_checker=True, **options)
        kind, spaces = type(self.env.unwrapped), (self.env.observation_space, self.env.action_space)
        if not all(type(space).__name__ == "Discrete" for space in spaces) or not hasattr(self.env.unwrapped, "P"):
            raise LiteratimError(
                f"{environment} ({kind.__name__}) has no table of its states and their probabilities: it observes "
                f"{spaces[0]} and acts by {spaces[1]}; FrozenLake-v1, CliffWalking-v1 and Taxi-v4 have one"
            )
        table = self.env.unwrapped
        if not np.isfinite(table.initial_state_distrib).all():
            raise LiteratimError(f"{environment} with {options} has no state in which an episode begins")
        self.process = Process.of_table(table.P, table.initial_state_distrib)
        self.reached = np.flatnonzero(self.process.within_reach())
        self.limit: int | None = self.env.spec.max_episode_steps if self.env.spec else None

    def packages(self) -> dict[str, str]:
        return packages(self.environment)

    def begun(self, rng: np.random.Generator) -> None:
        """The environment as a chunk finds it: what it draws from here on follows from the generator."""
        self.env.reset(seed=int(rng.integers(2**31)))

    def first(self, rng: np.random.Generator) -> int:
        """The state in which a new episode begins."""
        x = int(self.env.reset()[0])
        if self.starts == "anywhere":
            x = int(rng.choice(self.reached))
            self.env.unwrapped.s = x
        return x
