"""Why a training stops before its end: Ctrl-C, or a loss that is not a number."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from literatim.errors import LiteratimError
from literatim.experiment.runs import CHECKPOINTS


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


class StopAtInterrupt(Callback):
    """Ctrl-C finishes the batch, saves and stops; a second one stops at once."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, False

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if threading.current_thread() is threading.main_thread():
            self.earlier = signal.signal(signal.SIGINT, self.ask)

    def ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("\nstopping after this batch (Ctrl-C again: at once) …", file=sys.stderr)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        if self.asked:
            path = self.folder / CHECKPOINTS / "last.ckpt"
            trainer.save_checkpoint(path)
            raise Interrupted(path)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.give_back()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self.give_back()

    def give_back(self) -> None:
        if hasattr(self, "earlier"):
            signal.signal(signal.SIGINT, self.earlier)


class Interrupted(Exception):
    """Stopped by Ctrl-C with everything saved in the checkpoint it carries."""

    def __init__(self, checkpoint: Path) -> None:
        super().__init__(str(checkpoint))
        self.checkpoint = checkpoint
