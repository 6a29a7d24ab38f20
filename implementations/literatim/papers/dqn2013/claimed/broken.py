"""Agents broken in one place each, that the checks of `learning.py` must notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from literatim.datasets import experience, games, replay
from literatim.datasets.experience import ExperienceDataModule
from literatim.papers.dqn2013 import training
from literatim.papers.dqn2013.claimed import learning
from literatim.papers.dqn2013.training import DQN2013Training
from literatim.parts.transitions import Episode

Breaking = Callable[[], AbstractContextManager[Any]]


class Instead:
    """A module with some of its names otherwise."""

    def __init__(self, module: Any, **names: Any) -> None:
        self.module, self.names = module, names

    def __getattr__(self, name: str) -> Any:
        return self.names[name] if name in self.names else getattr(self.module, name)


class OtherNumbers(ExperienceDataModule):
    """Every number a little larger."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name in ("batch_size", "capacity", "frames", "every", "start", "exploration", "tests", "random_repeat"):
            setattr(self, name, getattr(self, name) + 1)
        self.epsilon, self.test_epsilon = (0.9, 0.2), 0.1
        self.screen = {**self.screen, "repeat": self.screen["repeat"] + 1, "noops": self.screen["noops"] + 1}
        self.tested = {**self.tested, "most": self.tested["most"] + 3600}


class LivesInTests(ExperienceDataModule):
    """A lost life ends the episodes of tests, and none that is learned from."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.learned, self.tested = {"life_ends": False}, {**self.tested, "life_ends": True}


def curved(self: Any) -> float:
    return 0.4 - 0.3 * min(self.memory.seen / 1e6, 1.0) ** 2


def least(self: Any, state: Any, epsilon: float, rng: Any) -> tuple[int, float]:
    return int(self.values(state[None]).argmin()), 0.0


class LongMemory(replay.ReplayMemory):
    def __init__(self, capacity: int, size: int, frames: int) -> None:
        super().__init__(2 * capacity, size, frames)


def last_frame(self: Any) -> Any:
    self.ale.getScreenRGB(self.newest)
    return self.small(self.newest)


def no_end(self: Any, batch: Any, batch_idx: int, whole: Any = DQN2013Training.training_step) -> Any:
    return whole(self, batch._replace(ended=torch.zeros_like(batch.ended)), batch_idx)


@contextmanager
def through_targets(where: Any) -> Iterator[None]:
    """Targets of the network that learns, through which the error is propagated."""
    with (
        patch.object(training, "torch", Instead(torch, no_grad=nullcontext)),
        patch.object(where, "target", lambda self, following: self.net(following)),
    ):
        yield


def altered(where: Any, name: str, **values: Any) -> Breaking:
    """A training whose attributes are others."""
    whole = getattr(where, name)

    class Other(whole):  # type: ignore[valid-type]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            for attribute, value in values.items():
                setattr(self, attribute, value)

    return lambda: patch.object(where, name, Other)


def broken() -> dict[str, Breaking]:
    """What claims of either paper notice."""
    return {
        "all numbers of the agent larger": lambda: patch.object(experience, "ExperienceDataModule", OtherNumbers),
        "epsilon falls slowly at first": lambda: patch.object(ExperienceDataModule, "epsilon_now", curved),
        "rewards stretched": lambda: patch.object(experience, "np", Instead(np, clip=lambda x, low, high: 2 * x + 1)),
        "tests of clipped rewards": lambda: patch.object(
            ExperienceDataModule, "episode", lambda self, purpose, number: Episode(6.0, 6, 0.0)
        ),
        "the least value chosen": lambda: patch.object(ExperienceDataModule, "choose", least),
        "random play by the network": lambda: patch.object(
            ExperienceDataModule, "at_random", lambda self, name: [self.episode("test", 0).score]
        ),
        "the newest transitions drawn": lambda: patch.object(
            replay.ReplayMemory, "draw", lambda self, number, rng: self.newest(number)
        ),
        "a memory twice as long": lambda: patch.object(replay, "ReplayMemory", LongMemory),
        "values after the end": lambda: patch.object(DQN2013Training, "training_step", no_end),
        "errors absolute in the printed loss": lambda: patch.object(
            learning, "printed_loss", lambda y, q: (y - q).abs()
        ),
        "red alone seen": lambda: patch.object(games, "LUMINANCE", np.array([1, 0, 0], np.float32)),
        "screens smaller by four": lambda: patch.object(
            games, "smaller", lambda before, after, how, exact=games.smaller: exact(before, after - 4, how)
        ),
        "the last frame alone, uncropped": lambda: patch.object(games.Atari, "screen", last_frame),
    }
