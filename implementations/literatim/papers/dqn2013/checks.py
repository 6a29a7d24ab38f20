"""Checks of DQN's claims of 2013, and broken models that they must notice. What the network is checked with is in
`claimed/network.py`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from literatim.papers.dqn2013 import model
from literatim.papers.dqn2013.claimed import network, scores


def sizes(row: str) -> int:
    return network.size_of("dqn2013", row)


def rectified(layer: str) -> bool:
    return network.rectified("dqn2013", layer)


def linear_outputs() -> bool:
    return network.linear_outputs("dqn2013")


def passes() -> int:
    return network.passes_for_all_actions("dqn2013")


BROKEN: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    **network.broken(model, [[16, 8, 4], [32, 4, 2]], 256),
    "the lower score wins": lambda: patch.object(
        scores, "is_ahead", lambda who, others, game, exact=scores.is_ahead: not exact(who, others, game)
    ),
    "no score in Pong": lambda: patch.object(
        scores, "games", lambda exact=scores.games: [game for game in exact() if game != "pong"]
    ),
}
BREAK_TRAINING: tuple[str, ...] = ()
