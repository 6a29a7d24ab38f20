"""Checks of DQN's claims, and broken models that they must notice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from literatim.claims.verdicts import build
from literatim.papers.dqn import model
from literatim.papers.dqn.claimed import scores
from literatim.papers.dqn2013.claimed import network


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


BROKEN: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    **network.broken(model, [[32, 8, 4], [64, 4, 2], [64, 3, 1]], 512),
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
