"""A game as the agent of 2013 and 2015 meets it: a small grey screen, rewards, and when an episode ends."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from literatim.datasets.environments import CATCH, is_atari, make
from literatim.errors import LiteratimError

Screen = NDArray[np.uint8]
Plan = Literal["maximum", "crop"]
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601; neither paper prints its weights
HEIGHT, WIDTH = 210, 160  # of ALE's screen


@cache
def blas() -> ThreadpoolController:
    """The libraries that numpy multiplies by."""
    return ThreadpoolController()


class Seen(NamedTuple):
    """What a step brought: the new screen, the game's own reward, and whether a life or the episode ended with it."""

    screen: Screen
    reward: float
    ended: bool  # nothing is to be expected after it
    over: bool  # the next screen is another episode's


class Game:
    """A Gymnasium environment whose observations are screens of uint8 (size, size).

    Args:
        name: its id

    Raises LiteratimError where its observations are no such screens, or its actions not numbered.
    """

    def __init__(self, name: str, **options: Any) -> None:
        self.name, self.env = name, make(name, **options)
        actions = getattr(self.env.action_space, "n", None)
        if actions is None:
            raise LiteratimError(f"{name} has no numbered actions; a Q-network gives a value to each of them")
        self.actions = int(actions)
        self.names = list(getattr(self.env.unwrapped, "names", map(str, range(self.actions))))
        self.check()

    def check(self) -> None:
        shape = self.env.observation_space.shape
        if shape is None or len(shape) != 2 or shape[0] != shape[1] or self.env.observation_space.dtype != np.uint8:
            raise LiteratimError(
                f'{self.name} shows no square grey screen of bytes; give a game of ALE by an id such as "ALE/Pong-v5", '
                f'or "{CATCH}"'
            )
        self.size = int(shape[0])

    def begin(self, rng: np.random.Generator) -> Screen:
        """The first screen of a new episode."""
        screen: Screen = self.env.reset(seed=int(rng.integers(2**31)))[0]
        return screen

    def step(self, action: int) -> Seen:
        screen, reward, ended, cut, _ = self.env.step(action)
        return Seen(screen, float(reward), bool(ended), bool(ended or cut))

    def picture(self) -> Screen:
        """(height, width, 3): what a person would see."""
        screen = self.env.unwrapped.seen().repeat(16, 0).repeat(16, 1)
        return np.repeat(screen[:, :, None], 3, axis=2)

    def state(self) -> str:
        """All that the rest of the episode depends on, as text."""
        inner = self.env.unwrapped
        own = {name: value for name, value in vars(inner).items() if type(value) is int}
        return json.dumps({"own": own, "random": inner.np_random.bit_generator.state})

    def restore(self, state: str) -> None:
        found, inner = json.loads(state), self.env.unwrapped
        self.env.reset(seed=0)
        vars(inner).update(found["own"])
        inner.np_random.bit_generator.state = found["random"]


class Atari(Game):
    """A game of the Arcade Learning Environment: each action is repeated, and the screen made small and grey.

    Args:
        name: its id, such as "ALE/Pong-v5"
        plan: "maximum" (2015): each pixel's colours are the greater of the last two frames', their luminance is
            brought to 84x84; "crop" (2013): the last frame's luminance is brought to 110x84 and cropped to 84x84
        resize: "bilinear", or "area", the mean of all pixels that a new one covers
        repeat: frames for which an action is pressed
        noops: the most actions that do nothing at the beginning of an episode; how many is drawn
        most: frames of an episode; 0 for ALE's own limit of half an hour
        life_ends: whether a lost life ends what is to be expected, as the end of an episode does
    """

    size = 84

    def __init__(
        self, name: str, plan: Plan = "maximum", resize: str = "bilinear", repeat: int = 4, noops: int = 30,
        most: int = 0, life_ends: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(name, frameskip=1, repeat_action_probability=0.0, full_action_space=False)
        self.plan, self.repeat, self.noops, self.most, self.life_ends = plan, repeat, noops, most, life_ends
        self.env.reset(seed=0)  # once: nothing in the emulator is left to chance
        self.ale = self.env.unwrapped.ale
        self.legal = self.ale.getMinimalActionSet()
        self.names = [action.name for action in self.legal]
        rows = 84 if plan == "maximum" else 110
        self.down, self.across = smaller(HEIGHT, rows, resize), smaller(WIDTH, 84, resize).T.copy()
        self.newest, self.before = np.empty((2, HEIGHT, WIDTH, 3), np.uint8)
        self.frames = self.lives = 0

    def check(self) -> None:
        """Its screens are made here."""

    def begin(self, rng: np.random.Generator) -> Screen:
        self.env.reset()  # without a seed, by which the game would be loaded anew
        self.frames = 0
        self.ale.getScreenRGB(self.before)
        for _ in range(int(rng.integers(self.noops + 1))):
            self.press(0)
            if self.ale.game_over():
                self.env.reset()
        self.lives = self.ale.lives()
        return self.screen()

    def press(self, action: int) -> float:
        """The reward of the frames for which an action is pressed."""
        reward, legal = 0.0, self.legal[action]
        for k in range(self.repeat):
            if k == self.repeat - 1:
                self.ale.getScreenRGB(self.before)
            reward += self.ale.act(legal)
            self.frames += 1
        return reward

    def step(self, action: int) -> Seen:
        reward = self.press(action)
        ended = self.ale.game_over(with_truncation=False)
        over = ended or self.ale.game_over() or bool(self.most and self.frames >= self.most)
        lost, self.lives = self.ale.lives() < self.lives, self.ale.lives()
        return Seen(self.screen(), reward, ended or (lost and self.life_ends), over)

    def screen(self) -> Screen:
        self.ale.getScreenRGB(self.newest)
        if self.plan == "maximum":
            np.maximum(self.newest, self.before, out=self.before)
            return self.small(self.before)
        return self.small(self.newest)[CROP]

    def small(self, frame: Screen) -> Screen:
        """(84 or 110, 84) of a frame (210, 160, 3)."""
        with blas().limit(limits=1, user_api="blas"):  # whose other threads would wait in a loop where torch's compute
            small: Screen = np.rint(self.down @ (frame @ LUMINANCE) @ self.across).astype(np.uint8)
        return small

    def picture(self) -> Screen:
        return self.ale.getScreenRGB()

    def state(self) -> str:
        emulator = base64.b85encode(self.ale.cloneState(include_rng=True).serialize()).decode()
        return json.dumps({"emulator": emulator, "frames": self.frames, "lives": self.lives})

    def restore(self, state: str) -> None:
        from ale_py import ALEState

        found = json.loads(state)
        self.ale.restoreState(ALEState(base64.b85decode(found["emulator"])))
        self.frames, self.lives = found["frames"], found["lives"]


CROP = np.s_[18:102]  # of the 110 rows, those that hold the playing area; 2013 does not print which


def smaller(before: int, after: int, how: str) -> NDArray[np.float32]:
    """(after, before): the weights by which rows of pixels become fewer.

    "bilinear": each new centre lies between two old ones; "area": the mean of what the new pixel covers.
    """
    weights = np.zeros((after, before), np.float32)
    scale = before / after
    for row in range(after):
        if how == "area":
            edges = np.clip(np.arange(before + 1), row * scale, (row + 1) * scale)
            weights[row] = np.diff(edges) / scale
        else:
            centre = min(max((row + 0.5) * scale - 0.5, 0), before - 1)
            left = min(int(centre), before - 2)
            weights[row, left : left + 2] = 1 - (centre - left), centre - left
    return weights


def game(name: str, **options: Any) -> Game:
    """The game of that id; `options` are of games of ALE alone."""
    return Atari(name, **options) if is_atari(name) else Game(name)
