"""What options may be beyond their type: numbers that make no sense, and a Trainer that would train nothing."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any

from literatim.errors import LiteratimError
from literatim.experiment.launch import launch
from literatim.experiment.options import flat
from literatim.experiment.runs import LARGEST_SEED

# Callbacks of Lightning that change an option when the run has begun, of which its record could say nothing.
FINDERS = {"LearningRateFinder": "--model.lr", "BatchSizeFinder": "--data.batch_size"}
LEVELS = ("data.background", "data.ink", "data.low")  # of inputs, which may be below zero; no other option may
MOST_PROCESSES = max(64, 2 * (os.cpu_count() or 1))  # of one machine; a slip of some zeros would bring it down
MOST = 2**31 - 1  # of anything in a network
DRAWN = ("model.trials", "data.p", "data.q", "data.T", "data.sequences", "data.strings", "data.checks", "data.tests")
MOST_DRAWN = 10_000_000  # of what a run holds in memory at once: networks, symbols, sequences
NOT_NONE = ("model.num_classes", "model.image_size")  # where 0 would be taken for nothing said
AT_ONCE = ("data.workers", "model.workers")
LIMITS = {"fit": "train", "validate": "val", "test": "test", "predict": "predict"}


def check_options(config: Any, command: str) -> None:
    """Raises LiteratimError for the first option, of all that were parsed, that cannot be meant."""
    seed = config.seed_everything
    if isinstance(seed, bool) or not 0 <= seed <= LARGEST_SEED:
        raise LiteratimError(
            f"seed_everything is {str(seed).lower()}; it must be a whole number from 0 to {LARGEST_SEED:,}, which the "
            "record can name"
        )
    for name, value in (given := flat(config)).items():
        if value == "" and name.startswith(("model.", "data.", "trainer.")) and name.count(".") == 1:
            raise LiteratimError(f"{name} is empty; leave it out, or say null")
    for part in ("model", "data"):
        if odd := [name for name in config[part].get("options") or () if not isinstance(name, str)]:
            raise LiteratimError(f"{part}.options has {odd[0]}, which is no name of an option")
    for name, value in numbers(given):
        if not math.isfinite(value):
            raise LiteratimError(f"{name} is {value}; it must be a number that is finite")
        if name in AT_ONCE:
            check_number_of_processes(name, value)
        if value > MOST and name.startswith("model.options."):
            raise LiteratimError(f"{name} is {value}; it must be at most {MOST:,}")
        if value > MOST_DRAWN and name in DRAWN:
            raise LiteratimError(f"{name} is {value}; it must be at most {MOST_DRAWN:,}")
        if value == 0 and name in NOT_NONE:
            raise LiteratimError(f"{name} is 0; it must be at least 1, or null")
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


def check_number_of_processes(name: str, number: float) -> None:
    if number > MOST_PROCESSES:
        raise LiteratimError(f"{name} is {number}; on this machine it must be at most {MOST_PROCESSES}")


def check_processes(trainer: Any) -> None:
    if str(trainer.devices).isdecimal():
        check_number_of_processes("trainer.devices", int(trainer.devices))
    known = launch() or {"NODE_RANK", "GROUP_RANK"} & os.environ.keys()
    if trainer.num_nodes > 1 and not known:
        raise LiteratimError(
            f"trainer.num_nodes is {trainer.num_nodes}, and nothing says which machine this one is; start the "
            "command on each by torchrun or srun, or set NODE_RANK, MASTER_ADDR and MASTER_PORT"
        )


def check_end(trainer: Any) -> None:
    """Raises LiteratimError where nothing would ever end the run."""
    if trainer.max_epochs == -1 and trainer.max_steps == -1 and not trainer.max_time and not trainer.callbacks:
        raise LiteratimError(
            "trainer.max_epochs is -1, with which the run has no end; say where it ends with --trainer.max_steps or "
            "--trainer.max_time, or name a callback that ends it"
        )


def check_trainer(trainer: Any, command: str) -> None:
    check_processes(trainer)
    if command == "fit":
        check_end(trainer)
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
