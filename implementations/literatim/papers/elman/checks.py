"""Checks of Elman's claims, and broken models that they must notice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from literatim.claims.verdicts import build

BROKEN: dict[str, Callable[[], AbstractContextManager[None]]] = {}
BREAK_TRAINING: tuple[str, ...] = ()


def context_start() -> float:
    return float(build("elman", "xor", "cpu").start(1)[0].max())
