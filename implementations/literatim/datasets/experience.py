"""Experience in place of a data set: between two batches the agent plays on, and remembers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from literatim.datasets.environments import CATCH, known, make, packages, sum_of
from literatim.datasets.games import Game, Plan, Screen, game
from literatim.datasets.made import Chunks, MadeDataModule
from literatim.datasets.replay import ReplayMemory, forget
from literatim.errors import LiteratimError
from literatim.parts.transitions import Episode, Transitions

Values = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


# What makes sense at all, and what slips of some zeros do not: the least and the most.
LIMITS = {
    "updates": (1, 10_000_000), "batch_size": (1, 65_536), "every": (1, 1_000_000), "start": (1, 100_000_000),
    "capacity": (1, 1_000_000_000), "frames": (1, 255), "repeat": (1, 255), "noops": (0, 1000), "tests": (1, 1_000_000),
    "test_frames": (0, 100_000_000), "random_repeat": (1, 255), "exploration": (0, 10**12),
}  # fmt: skip


class Experience(Chunks, IterableDataset[Transitions]):
    """The minibatches of an epoch; before each of them the agent has played on. The place is saved."""

    def __init__(self, updates: int, played: Callable[[], Transitions]) -> None:
        super().__init__(updates)
        self.played = played

    def __iter__(self) -> Iterator[Any]:
        for _ in super().__iter__():
            yield self.played()


class ExperienceDataModule(MadeDataModule):
    """An agent that plays one game, remembers its last steps, and learns from some of them that are drawn.

    The training gives the agent its values with `act_by`. All that is drawn follows from the seed; the game, the
    memory, what the agent has seen and what is drawn next are saved with a checkpoint, the memory as files beside it.

    Args:
        environment: the Gymnasium id of a game of ALE, "ALE/Pong-v5", or of ours, "literatim/Catch-v0"
        updates: of an epoch
        batch_size: transitions of an update
        every: steps of the agent between two updates
        start: steps of random play before the first update
        capacity: steps that the memory holds
        replay: whether transitions are drawn from the memory, or are the newest
        frames: screens that the agent sees at once
        epsilon: probability of a random action, at first and in the end
        exploration: steps over which it falls from one to the other, in a straight line
        exploration_after: steps before it begins to fall
        plan: how a screen of ALE is made small: "maximum" (2015) or "crop" (2013)
        resize: "bilinear", or "area", the mean of all pixels that a new one covers
        repeat: frames of ALE for which an action is pressed
        noops: the most actions that do nothing, at the beginning of an episode
        life_ends: whether a lost life counts as an end where the agent learns
        tests: episodes of a test
        test_epsilon: probability of a random action in a test
        test_frames: frames of ALE after which an episode of a test is stopped
        random_play: games that are tested with random actions alone, as many episodes each
        random_repeat: frames for which random play repeats its action
        seed: of everything that is drawn
        watch: sets whose metrics are taken after every epoch: none, or "val"

    Raises LiteratimError for numbers that cannot be, unknown games and where Gymnasium is not installed.
    """

    def __init__(
        self, environment: str = CATCH, updates: int = 2500, batch_size: int = 32, every: int = 4, start: int = 50_000,
        capacity: int = 1_000_000, replay: bool = True, frames: int = 4, epsilon: tuple[float, float] = (1.0, 0.1),
        exploration: int = 250_000, exploration_after: int = 0, plan: Plan = "maximum",
        resize: Literal["bilinear", "area"] = "bilinear", repeat: int = 4, noops: int = 30, life_ends: bool = True,
        tests: int = 30, test_epsilon: float = 0.05, test_frames: int = 18_000,
        random_play: list[str] = [], random_repeat: int = 6, seed: int = 0, watch: list[str] = [],  # noqa: B006
    ) -> None:  # fmt: skip
        given = dict(locals())
        for name, (least, most) in LIMITS.items():
            if not least <= given[name] <= most:
                raise LiteratimError(f"data.{name} is {given[name]}; it must be from {least} to {most:,}")
        for name, share in (("epsilon", max(epsilon)), ("epsilon", min(epsilon)), ("test_epsilon", test_epsilon)):
            if not 0 <= share <= 1:
                raise LiteratimError(f"data.{name} is {given[name]}; a probability is from 0 to 1")
        if start < batch_size + frames:
            raise LiteratimError(f"data.start is {start}; a minibatch takes {batch_size + frames} steps at least")
        if "test" in watch:
            raise LiteratimError('data.watch: the episodes of "val" alone are played after an epoch')
        super().__init__(updates, seed, watch)
        self.environment, self.tests = environment, tests
        self.updates, self.batch_size, self.every, self.start, self.replay = updates, batch_size, every, start, replay
        self.epsilon, self.exploration, self.exploration_after = epsilon, exploration, exploration_after
        self.test_epsilon, self.random_play, self.random_repeat = test_epsilon, random_play, random_repeat
        self.capacity, self.frames = capacity, frames
        self.screen = {"plan": plan, "resize": resize, "repeat": repeat, "noops": noops}
        self.learned, self.tested = {"life_ends": life_ends}, {"life_ends": False, "most": test_frames}
        self.game: Game | None = None
        self.memory: ReplayMemory | None = None
        self.resumed: dict[str, Any] = {}
        self.kept: list[dict[str, Any]] = []  # the states of the memory that checkpoints on disk may have

    def setup(self, stage: str) -> None:
        if self.game is None:
            for name in self.random_play:  # now, and not when all has been learned
                if not known(name):
                    make(name)
            self.game = game(self.environment, **self.screen, **self.learned)

    def __str__(self) -> str:
        """In place of Lightning's, which goes through what a data module gives, and so would play."""
        return f"{type(self).__name__}: {self.environment}, {self.updates} updates of {self.batch_size} transitions"

    def fingerprint(self) -> str:
        return sum_of(self.environment)

    def packages(self) -> dict[str, str]:
        return packages(self.environment)

    def act_by(self, values: Values) -> None:
        """`values`: of each action (A,), in a state (1, F, S, S) uint8."""
        self.values = values

    # --- the agent plays ---------------------------------------------------------------------------

    def train_dataloader(self) -> Experience:
        return Experience(self.updates, self.played)

    def begin(self) -> None:
        """An empty memory, or the one of the checkpoint."""
        assert self.game
        self.drawn = self.rng("train")
        self.memory = ReplayMemory(self.capacity, self.game.size, self.frames)
        self.scores: list[float] = []  # of the episodes that ended in this epoch
        self.score = 0.0
        if self.resumed:
            self.go_on(self.resumed)
        else:
            self.state = fresh(self.game.begin(self.drawn), self.frames)

    def played(self) -> Transitions:
        """The next minibatch, after as many steps as stand between two."""
        if self.memory is None:
            self.begin()
        assert self.memory
        for _ in range(self.every if self.memory.seen >= self.start else self.start - self.memory.seen):
            self.play()
        if self.replay:
            return self.memory.draw(self.batch_size, self.drawn)
        return self.memory.newest(self.batch_size)

    def play(self) -> None:
        """One step of the agent. Rewards are clipped to -1, 0 and 1."""
        assert self.game
        assert self.memory
        action = self.choose(self.state, self.epsilon_now(), self.drawn)[0]
        seen = self.game.step(action)
        self.memory.add(self.state[-1], action, float(np.clip(seen.reward, -1, 1)), seen.ended, seen.over)
        self.score += seen.reward
        if seen.over:
            self.scores.append(self.score)
            self.score = 0.0
            self.state = fresh(self.game.begin(self.drawn), self.frames)
        elif seen.ended:
            self.state = fresh(seen.screen, self.frames)
        else:
            self.state = following(self.state, seen.screen)

    def epsilon_now(self) -> float:
        """The probability of a random action: 1 until learning begins."""
        assert self.memory
        if self.memory.seen < self.start:
            return 1.0
        first, last = self.epsilon
        done = (self.memory.seen - self.exploration_after) / max(self.exploration, 1)
        return first + (last - first) * min(max(done, 0.0), 1.0)

    def choose(self, state: Screen, epsilon: float, rng: np.random.Generator) -> tuple[int, float]:
        """(an action, the greatest value): drawn with probability epsilon, else that of the greatest value."""
        assert self.game
        if rng.random() < epsilon:
            return int(rng.integers(self.game.actions)), float("nan")
        values = self.values(state[None])
        return int(values.argmax()), float(values.max())

    # --- tests -------------------------------------------------------------------------------------

    def val_dataloader(self) -> list[Chunks]:
        return [Chunks(self.tests) for _ in self.watch]

    def test_dataloader(self) -> Chunks:
        return Chunks(self.tests)

    def episode(self, purpose: str, number: int, watch: Callable[[Game, Screen, int], None] | None = None) -> Episode:
        """An episode of a test, on a game of its own; what is drawn in it follows from the seed, purpose and number.

        `watch` is told the game, the state and the action before each step.
        """
        playing = game(self.environment, **self.screen, **self.tested)
        rng = self.rng(purpose, 0, number)
        state, score, values, over = fresh(playing.begin(rng), self.frames), 0.0, [], False
        while not over:
            action, value = self.choose(state, self.test_epsilon, rng)
            if watch:
                watch(playing, state, action)
            seen = playing.step(action)
            state, score, over = following(state, seen.screen), score + seen.reward, seen.over
            values.append(value)
        any_value = any(value == value for value in values)  # none where all actions were drawn
        return Episode(score, len(values), float(np.nanmean(values)) if any_value else float("nan"))

    def at_random(self, name: str) -> list[float]:
        """The scores of a test's episodes in a game of random actions, each repeated for `random_repeat` frames."""
        playing = game(name, **{**self.screen, "repeat": self.random_repeat}, **self.tested)
        scores = []
        for number in range(self.tests):
            rng, score, over = self.rng(name, 0, number), 0.0, False
            playing.begin(rng)
            while not over:
                seen = playing.step(int(rng.integers(playing.actions)))
                score, over = score + seen.reward, seen.over
            scores.append(score)
        return scores

    # --- going on ----------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """Where the memory lies on disk: in the run's folder, as the checkpoints do."""
        assert self.trainer
        return Path(self.trainer.default_root_dir) / "memory"

    def state_dict(self) -> dict[str, Any]:
        if self.memory is None or self.game is None:
            return self.resumed
        saved = self.memory.save(self.folder)
        if saved not in self.kept:
            self.kept = [*self.kept[-1:], saved]
        forget(self.folder, *self.kept)
        return {
            "memory": saved,
            "game": self.game.state(),
            "state": torch.from_numpy(self.state.copy()),
            "random": json.dumps(self.drawn.bit_generator.state),
            "score": self.score,
            "scores": self.scores,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.resumed = state_dict

    def go_on(self, saved: dict[str, Any]) -> None:
        assert self.game
        assert self.memory
        self.memory.load(self.folder, saved["memory"])
        self.kept = [saved["memory"]]
        forget(self.folder, *self.kept)  # what a run wrote that was interrupted later
        self.game.restore(saved["game"])
        self.state = saved["state"].numpy().copy()
        self.drawn.bit_generator.state = json.loads(saved["random"])
        self.score, self.scores = saved["score"], list(saved["scores"])


def fresh(screen: Screen, frames: int) -> Screen:
    """(F, S, S): the state at the beginning of an episode, black but for its newest screen."""
    state = np.zeros((frames, *screen.shape), np.uint8)
    state[-1] = screen
    return state


def following(state: Screen, screen: Screen) -> Screen:
    return np.concatenate((state[1:], screen[None]))
