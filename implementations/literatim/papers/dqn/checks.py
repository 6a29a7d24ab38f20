"""Checks of DQN's claims, and broken models that they must notice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from literatim.claims.verdicts import Finding, build
from literatim.datasets import experience
from literatim.papers.dqn import model, training
from literatim.papers.dqn.claimed import scores
from literatim.papers.dqn2013.claimed import learning, network
from literatim.papers.dqn2013.claimed import scores as table_1
from literatim.papers.dqn2013.claimed.broken import LivesInTests, altered, broken, through_targets


def sizes(row: str) -> int:
    return network.size_of("dqn", row)


def features() -> int:
    net: Any = build("dqn", "breakout")
    return int(net.hidden.in_features)


def rectified(layer: str) -> bool:
    return network.rectified("dqn", layer)


def linear_outputs() -> bool:
    return network.linear_outputs("dqn")


def passes() -> int:
    return network.passes_for_all_actions("dqn")


def number(row: str) -> float:
    return learning.number("dqn", row)


def clipped(reward: str) -> float:
    return learning.clipped("dqn", reward)


def lives(where: str) -> bool:
    return learning.lives("dqn", where)


def slope(side: str) -> float:
    return learning.slope_at("dqn", side)


def valid_actions(row: str) -> Finding:
    return table_1.valid_actions(scores.games("agent"), row)


BROKEN: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    **network.broken(model, [[32, 8, 4], [64, 4, 2], [64, 3, 1]], 512),
    **broken(),
    "lives end tests alone": lambda: patch.object(experience, "ExperienceDataModule", LivesInTests),
    "another discount": altered(training, "DQNTraining", gamma=0.9),
    "another optimiser": altered(training, "DQNTraining", rmsprop=(0.0005, 0.9, 0.9, 0.1)),
    "targets of the network that learns": lambda: patch.object(
        training.DQNTraining, "target", lambda self, following: self.net(following)
    ),
    "error through the targets": lambda: through_targets(training.DQNTraining),
    "a target network that is never copied": lambda: patch.object(training.DQNTraining, "copy", lambda self: None),
    "errors not clipped": altered(training, "DQNTraining", clip_error=False),
    "the human's share of the agent": lambda: patch.object(
        scores, "share", lambda agent, random, human: 100 * (human - random) / (agent - random)
    ),
    "random play not subtracted": lambda: patch.object(
        scores, "share", lambda agent, random, human: 100 * agent / human
    ),
    "linear learners as the only rival": lambda: patch.object(
        scores, "rival", lambda game: scores.stated("dqn", f"linear-learner.{game}")
    ),
    "scores of Breakout alone": lambda: patch.object(scores, "games", lambda claim: ["breakout"]),
    "five minutes for Enduro everywhere": lambda: patch.object(
        scores, "stated", lambda paper, claim, exact=scores.stated: min(exact(paper, claim), 301.8)
    ),
}
BREAK_TRAINING: tuple[str, ...] = ()
