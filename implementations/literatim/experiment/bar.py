"""The progress of a training on a terminal, and elsewhere."""

from __future__ import annotations

import time
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import ProgressBar
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn


class Bar(ProgressBar):
    """One bar for the whole training on a terminal, redrawn five times a second; elsewhere one line an epoch."""

    every_s = 0.2

    def __init__(self) -> None:
        super().__init__()
        self.shown = True
        self.progress: Progress | None = None

    def enable(self) -> None:
        self.shown = True

    def disable(self) -> None:
        self.shown = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.console = Console(stderr=True)
        self.due = 0.0
        self.batches = int(self.total_train_batches)
        steps = trainer.max_steps if trainer.max_steps > 0 else None
        self.epochs = trainer.max_epochs if trainer.max_epochs and trainer.max_epochs > 0 else None
        if steps and (self.epochs is None or steps < self.epochs * self.batches):
            self.epochs = -(-steps // self.batches)
        if not (self.shown and self.console.is_terminal):
            return
        columns = (
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            "{task.fields[said]}",
        )
        self.progress = Progress(*columns, console=self.console, auto_refresh=False)
        self.task = self.progress.add_task(
            "training", total=steps or (self.epochs and self.epochs * self.batches), said=""
        )
        self.progress.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.progress and (now := time.perf_counter()) >= self.due:
            self.due = now + self.every_s
            self.draw(trainer, trainer.current_epoch * self.batches + batch_idx + 1)

    def draw(self, trainer: Trainer, done: int) -> None:
        if self.progress:
            name = f"epoch {trainer.current_epoch + 1}"
            self.progress.update(self.task, completed=done, description=name, said=said(trainer), refresh=True)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.draw(trainer, (trainer.current_epoch + 1) * self.batches)
        if self.shown and not self.progress:
            of = f"/{self.epochs}" if self.epochs else ""
            self.console.print(f"epoch {trainer.current_epoch + 1}{of}  {said(trainer)}", highlight=False)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self.close()

    def close(self) -> None:
        if self.progress:
            self.progress.stop()
            self.progress = None


def said(trainer: Trainer) -> str:
    """The metrics of the bar in words."""
    return "  ".join(f"{name} {float(value):.4g}" for name, value in sorted(trainer.progress_bar_metrics.items()))
