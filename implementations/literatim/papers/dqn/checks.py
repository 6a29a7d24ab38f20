"""Checks of DQN's claims, and broken models that they must notice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from literatim.claims.verdicts import build
from literatim.papers.dqn import model
from literatim.papers.dqn2013.claimed import network


def sizes(row: str) -> int:
    return network.size_of("dqn", row)


def features() -> int:
    net: Any = build("dqn", "breakout", "cpu")
    return int(net.hidden.in_features)


def rectified(layer: str) -> bool:
    return network.rectified("dqn", layer)


def linear_outputs() -> bool:
    return network.linear_outputs("dqn")


def passes() -> int:
    return network.passes_for_all_actions("dqn")


BROKEN: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    **network.broken(model, [[32, 8, 4], [64, 4, 2], [64, 3, 1]], 512),
}
BREAK_TRAINING: tuple[str, ...] = ()
