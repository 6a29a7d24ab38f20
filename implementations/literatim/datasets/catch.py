"""Catch: a ball falls, and a bar at the bottom is to be under it. The smallest game that must be seen to be played."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray


class Catch(gymnasium.Env[NDArray[np.uint8], np.int64]):
    """A field of `size` by `size` pixels; an episode is one ball.

    Observation (size, size) uint8: 255 where the ball and where the bar are. The ball begins in a column of the top
    row, drawn, and falls by one row a step; the bar, three pixels wide, begins in the middle of the bottom row.
    Actions: 0 stay, 1 left, 2 right. The reward comes with the last step: 1 where the ball meets the bar, else -1.
    """

    metadata = {"render_modes": []}
    names = ("stay", "left", "right")

    def __init__(self, size: int = 10) -> None:
        self.size = size
        self.observation_space = gymnasium.spaces.Box(0, 255, (size, size), np.uint8)
        self.action_space = gymnasium.spaces.Discrete(3)
        self.row = self.ball = self.bar = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.row, self.ball, self.bar = 0, int(self.np_random.integers(self.size)), self.size // 2
        return self.seen(), {}

    def step(self, action: Any) -> Any:
        self.bar = min(max(self.bar + (0, -1, 1)[action], 1), self.size - 2)
        self.row += 1
        over = self.row == self.size - 1
        reward = (1.0 if abs(self.ball - self.bar) <= 1 else -1.0) if over else 0.0
        return self.seen(), reward, over, False, {}

    def seen(self) -> NDArray[np.uint8]:
        field = np.zeros((self.size, self.size), np.uint8)
        field[self.row, self.ball] = 255
        field[-1, self.bar - 1 : self.bar + 2] = 255
        return field
