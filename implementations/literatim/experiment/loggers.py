"""Loggers that want a folder get that of the run, and a configuration made from it names none."""

from __future__ import annotations

import inspect
from typing import Any

from pytorch_lightning import loggers

from literatim.experiment.options import options

PLACE = "trainer.logger.save_dir"  # where it is empty, the run's folder is meant


def with_place_for_logs(args: list[str]) -> list[str]:
    """The options, with an empty `save_dir` after a logger of Lightning that wants one."""
    given = options(args, "trainer.logger")
    name = given[-1].rpartition(".")[2] if given else ""
    logger = getattr(loggers, name, None) if name in loggers.__all__ else None
    if logger is None or "save_dir" not in inspect.signature(logger).parameters or options(args, PLACE):
        return args
    return [*args, f"--{PLACE}="]


def move_logs(trainer: Any, old: str, new: str) -> None:
    """Let loggers that write to `old` write to `new`."""
    for logger in trainer.logger if isinstance(trainer.logger, list) else [trainer.logger]:
        if (settings := getattr(logger, "init_args", None)) and settings.get("save_dir") == old:
            settings["save_dir"] = new
