"""Checks of the claims of the RNN Encoder-Decoder, and the broken models that show that the claims bite."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from unittest.mock import patch

from literatim.papers.gru import model


def default(name: str) -> int:
    return inspect.signature(model.EncoderDecoder).parameters[name].default


def hidden_units(row: str) -> int:
    return int(default("hidden"))


class Narrow(model.EncoderDecoder):
    def __init__(self, hidden: int = 999) -> None:
        super().__init__(hidden=hidden)


BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "999 hidden units": lambda: patch.object(model, "EncoderDecoder", Narrow),
}
BREAK_TRAINING: tuple[str, ...] = ()
