"""What torch, Lightning and others say of the options that they are given, passed on as one sentence."""

from __future__ import annotations

import dis
import re
import traceback
from typing import Any

from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Callback, LightningModule, Trainer
from torch.distributed import DistError, is_initialized

from literatim.errors import LiteratimError, plain
from literatim.experiment.voice import of_another
from literatim.experiment.wording import worded

WHO = {"torch": "torch", "pytorch_lightning": "Lightning", "lightning_fabric": "Lightning"}
OF_OPTIONS = (ValueError, RuntimeError, ImportError, ArithmeticError, MemoryError, MisconfigurationException)


class Starting(Callback):
    """Knows whether a run is still in its first epoch: an error after that is not of its options."""

    epochs = 0

    @property
    def over(self) -> bool:
        return self.epochs > 1

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        watched = tuple(f"{name}_" for name in getattr(trainer.datamodule, "watch", ()))  # type: ignore[attr-defined]
        for schedule in trainer.lr_scheduler_configs:
            follows = schedule.reduce_on_plateau and str(schedule.monitor).startswith(watched)
            if follows and not (trainer.enable_validation and trainer.check_val_every_n_epoch == 1):
                raise LiteratimError(
                    f"the rate of this recipe follows {schedule.monitor}, which it needs after every epoch; leave "
                    "trainer.check_val_every_n_epoch and trainer.limit_val_batches as they are"
                )

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.epochs += 1


class PaperTrainer(Trainer):
    """A Trainer that refuses a schedule over the whole run where the run has no end."""

    @property
    def estimated_stepping_batches(self) -> int | float:
        if self.max_epochs == -1 and self.max_steps == -1:
            raise LiteratimError(
                "trainer.max_epochs is -1, but the rates of this recipe follow from the length of the run; give "
                "--trainer.max_epochs or --trainer.max_steps (--trainer.max_time may cut it all the same)"
            )
        return super().estimated_stepping_batches


def passed_on(error: Exception, args: list[str]) -> str:
    """The sentence on an error that came while a command with these options was starting.

    Nothing where our own code raised it, or where no options were given: that is a fault of ours, to be seen as it is.
    """
    who = raised_in(error)
    if who == "literatim" and type(error) is RuntimeError and not by_statement(error):
        who = "torch"  # whose functions in C have no frames of their own
    in_words = isinstance(error, OF_OPTIONS) or (isinstance(error, TypeError) and who in WHO)
    lost = isinstance(error, DistError) or (is_initialized() and of_another(error))  # the others, not the options
    if isinstance(error, LiteratimError) or lost or who == "literatim" or not args or not in_words:
        return ""
    given = plain(" ".join(args))
    given = f"of {given}" if len(given) <= 120 else "of these options"
    if found := re.search(
        r"Problem with given class_path '([\w.]+)'", str(error)
    ):  # a package that it needs is missing
        return worded(found[1].rpartition(".")[2], str(error))
    return f"{WHO.get(who, who)} says {given}: {' '.join(str(error).split()) or type(error).__name__}"


def by_statement(error: BaseException) -> bool:
    """Whether an error was raised by a `raise` or `assert`, not by a function in C that was called."""
    step = error.__traceback__
    while step and step.tb_next:
        step = step.tb_next
    return step is not None and dis.opname[step.tb_frame.f_code.co_code[step.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")


def raised_in(error: BaseException) -> str:
    """The package whose code raised an error."""
    frames: list[Any] = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__", "")).partition(".")[0] if frames else ""
