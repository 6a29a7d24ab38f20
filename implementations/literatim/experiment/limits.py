"""What options may be beyond their type: numbers that make no sense, and a Trainer that would train nothing."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any

from literatim.errors import LiteratimError
from literatim.experiment.options import flat

LARGEST_SEED = 2**32 - 1  # numpy takes no larger one
# Callbacks of Lightning that change an option when the run has begun, of which its record could say nothing.
FINDERS = {"LearningRateFinder": "--model.lr", "BatchSizeFinder": "--data.batch_size"}
LEVELS = ("data.background", "data.ink")  # of grey, which may be below zero; no other option of a module may
MOST_PROCESSES = max(64, 2 * (os.cpu_count() or 1))  # of one machine; a slip of some zeros would bring it down
AT_ONCE = ("data.workers", "model.workers", "trainer.devices")
LIMITS = {"fit": "train", "validate": "val", "test": "test", "predict": "predict"}


def check_options(config: Any, command: str) -> None:
    """Raises LiteratimError for the first option, of all that were parsed, that cannot be meant."""
    seed = config.seed_everything
    if isinstance(seed, bool) or not 0 <= seed <= LARGEST_SEED:
        raise LiteratimError(
            f"seed_everything is {str(seed).lower()}; it must be a whole number from 0 to {LARGEST_SEED:,}, which the "
            "record can name"
        )
    for name, value in numbers(flat(config)):
        if not math.isfinite(value):
            raise LiteratimError(f"{name} is {value}; it must be a number that is finite")
        if name in AT_ONCE and value > MOST_PROCESSES:
            raise LiteratimError(f"{name} is {value}; on this machine it must be at most {MOST_PROCESSES}")
        if value < 0 and name.startswith(("model.", "data.")) and name.count(".") == 1 and name not in LEVELS:
            raise LiteratimError(f"{name} is {value}; it must not be negative")
    check_trainer(config.trainer, command)


def numbers(options: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in options.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value
        elif isinstance(value, dict):
            yield from numbers({f"{name}.{key}": inner for key, inner in value.items()})
        elif isinstance(value, list | tuple):
            yield from numbers({f"{name}[{i}]": inner for i, inner in enumerate(value)})


def check_trainer(trainer: Any, command: str) -> None:
    done = LIMITS[command]
    nothing = [f"limit_{done}_batches", *(["max_epochs", "max_steps"] if command == "fit" else [])]
    for name in nothing:
        if (value := trainer.get(name)) is not None and not isinstance(value, bool) and value == 0:
            raise LiteratimError(f"trainer.{name} is 0, with which nothing is {WORDS[done]}; give at least 1")
    if (every := trainer.check_val_every_n_epoch) is not None and every < 1:
        raise LiteratimError(f"trainer.check_val_every_n_epoch is {every}; it must be at least 1")
    if trainer.accumulate_grad_batches < 1:
        raise LiteratimError(
            f"trainer.accumulate_grad_batches is {trainer.accumulate_grad_batches}; it must be at least 1"
        )
    if command == "fit" and trainer.enable_checkpointing is False:
        raise LiteratimError(
            "trainer.enable_checkpointing is false; a run keeps its checkpoints, by which it goes on: leave it out"
        )
    found = trainer.callbacks or []
    for callback in found if isinstance(found, list) else [found]:
        name = str(callback.get("class_path", "")).rpartition(".")[2]
        if name in FINDERS:
            raise LiteratimError(
                f"trainer.callbacks: {name} changes an option when the run has begun, and its record would not say so; "
                f"try values of {FINDERS[name]} instead"
            )


WORDS = {"train": "trained", "val": "validated", "test": "tested", "predict": "predicted"}
