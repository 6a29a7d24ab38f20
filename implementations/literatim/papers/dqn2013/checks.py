"""Checks of DQN's claims of 2013, and broken models that they must notice. What they are checked with is in
`claimed`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

import torch
from torch.nn import functional as F

from literatim.claims.verdicts import Finding
from literatim.datasets import games
from literatim.papers.dqn2013 import model, training
from literatim.papers.dqn2013.claimed import learning, network, scores
from literatim.papers.dqn2013.claimed.broken import broken, through_targets


def sizes(row: str) -> int:
    return network.size_of("dqn2013", row)


def rectified(layer: str) -> bool:
    return network.rectified("dqn2013", layer)


def linear_outputs() -> bool:
    return network.linear_outputs("dqn2013")


def passes() -> int:
    return network.passes_for_all_actions("dqn2013")


def number(row: str) -> float:
    return learning.number("dqn2013", row)


def clipped(reward: str) -> float:
    return learning.clipped("dqn2013", reward)


def valid_actions(row: str) -> Finding:
    return scores.valid_actions(scores.games(), row)


BROKEN: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    **network.broken(model, [[16, 8, 4], [32, 4, 2]], 256),
    **broken(),
    "targets that are always one": lambda: patch.object(
        training.DQN2013Training, "target", lambda self, following: torch.ones(len(following), 3)
    ),
    "error through the targets": lambda: through_targets(training.DQN2013Training),
    "errors clipped": lambda: patch.object(
        training.DQN2013Training, "loss", lambda self, value, y: F.smooth_l1_loss(value, y, reduction="sum")
    ),
    "the whole screen small": lambda: patch.object(games, "CROP", slice(None)),
    "the lower score wins": lambda: patch.object(
        scores, "is_ahead", lambda who, others, game, exact=scores.is_ahead: not exact(who, others, game)
    ),
    "no score in Pong": lambda: patch.object(
        scores, "games", lambda exact=scores.games: [game for game in exact() if game != "pong"]
    ),
    "Pong alone": lambda: patch.object(scores, "games", lambda: ["pong"]),
}
BREAK_TRAINING: tuple[str, ...] = ()
