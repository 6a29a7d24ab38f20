"""Checks of the claims about forget gates that need code of their own, and the broken models."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from literatim.papers.lstm_forget import model


class ALongerBlock(model.ForgetLSTM):
    """A cell more in every block."""

    def __init__(self, size: int = 2, **options: Any) -> None:
        super().__init__(size=size + 1, **options)


BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "a cell more in every block": lambda: patch.object(model, "ForgetLSTM", ALongerBlock),
}
