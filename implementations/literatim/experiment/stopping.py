"""Why a training stops before its end: a signal, or a loss that is not a number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.distributed
from pytorch_lightning import Callback, LightningModule, Trainer

from literatim.errors import LiteratimError
from literatim.experiment.runs import CHECKPOINTS
from literatim.experiment.signals import LISTENER, Stopped


class StopAtNaN(Callback):
    """Stops when a loss is not a number, and says at which step. Looks at the losses in stretches, to wait less."""

    every = 50

    def __init__(self) -> None:
        self.losses: list[torch.Tensor] = []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.losses.append(outputs["loss"].detach())
        if len(self.losses) >= self.every:
            self.look(trainer, batch_idx)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.look(trainer, trainer.fit_loop.epoch_loop.batch_idx)

    def look(self, trainer: Trainer, batch_idx: int) -> None:
        if not self.losses:
            return
        finite = torch.isfinite(torch.stack(self.losses)).tolist()
        if not all(finite):
            back = len(finite) - finite.index(False) - 1
            value = self.losses[finite.index(False)].item()
            raise LiteratimError(
                f"the loss became {value} at step {batch_idx - back + 1} of epoch {trainer.current_epoch + 1}; "
                "nothing was saved since the last checkpoint; lower the learning rate or look at the data"
            )
        self.losses = []


class StopAtSignal(Callback):
    """A signal lets the batch be finished, and saves; several ranks agree on the batch.

    Their flags are summed up while the next batch is computed, so that nobody waits: they stop a batch later. During
    the last batch of an epoch the stop waits until the epoch is over, with its validation and its checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.group: Any = None  # of its own, so that the flags are numbers of a CPU, for which no GPU is waited for
        self.under_way: Any = None

    @property
    def checkpoint(self) -> Path:
        return self.folder / CHECKPOINTS / "last.ckpt"

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        LISTENER.waits = True
        if trainer.world_size > 1:
            self.group = torch.distributed.new_group(backend="gloo")

    def agreed(self) -> int:
        """The signal that some rank had been sent when this was last asked; with one process, that has come."""
        if self.group is None:
            return LISTENER.asked
        before, found = self.under_way, 0
        if before:
            before[0].wait()
            found = int(before[1])
        flag = torch.tensor(LISTENER.asked)
        op = torch.distributed.ReduceOp.MAX
        self.under_way = torch.distributed.all_reduce(flag, op, self.group, async_op=True), flag
        LISTENER.asked = LISTENER.asked or found  # what a launcher sends after it is no second one
        return found

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if not (number := self.agreed()):
            return
        ends = batch_idx + 1 >= trainer.num_training_batches or trainer.global_step == trainer.max_steps
        if not ends and not trainer.should_stop and (batch_idx + 1) % trainer.accumulate_grad_batches == 0:
            trainer.save_checkpoint(self.checkpoint)
            raise Stopped(number, self.checkpoint, agreed=True)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if number := self.agreed():
            self.stop_between(number)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.agreed()
        if number := self.agreed():
            self.stop_between(number)
        LISTENER.waits = False

    def stop_between(self, number: int) -> None:
        """After an epoch, of which the checkpoint was written, or before the first one."""
        raise Stopped(number, self.checkpoint if self.checkpoint.is_file() else None, agreed=True)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        LISTENER.waits = False
