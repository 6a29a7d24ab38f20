"""What an agent that plays gives to the training."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Transitions(NamedTuple):
    """A minibatch of N.

    `screens` (N, F + 1, S, S) uint8: the F that the agent saw when it acted are the first F, those after its action
    the last F; `actions` (N,) int64, `rewards` (N,) float32, `ended` (N,) float32: 1 where nothing follows.
    """

    screens: Tensor
    actions: Tensor
    rewards: Tensor
    ended: Tensor


class Episode(NamedTuple):
    """What became of an episode: the game's own score, the agent's steps, and the mean of the greatest values."""

    score: float
    steps: int
    value: float
