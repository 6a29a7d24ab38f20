"""Updates through `fit` against those of a bare loop, the two taking turns in one process."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from pytorch_lightning import Callback, LightningDataModule, LightningModule, Trainer

from literatim.experiment.stopping import StopAtNaN

MINIBATCHES = 20  # of an epoch


class TakingTurns(Callback):
    """Times each epoch of the fit, and runs the bare loop after it."""

    def __init__(self, bare: Callable[[], float]) -> None:
        self.bare, self.pairs = bare, []

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.start = time.perf_counter()

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx == MINIBATCHES - 1:
            fit = (time.perf_counter() - self.start) / MINIBATCHES * 1e3
            self.pairs.append((fit, self.bare()))


def compare(module: LightningModule, data: LightningDataModule, bare: Callable[[], float], rounds: int) -> None:
    """Print milliseconds an update through `fit` and in the bare loop, and the median of the rounds' ratios.

    `data` has MINIBATCHES of them, and `bare` goes once through the same, giving its milliseconds an update.
    """
    turns = TakingTurns(bare)
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            default_root_dir=folder, accelerator="cpu", max_epochs=rounds + 1, callbacks=[turns, StopAtNaN()],
            logger=False, enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
            limit_val_batches=0,
        ).fit(module, datamodule=data)  # fmt: skip
    pairs = turns.pairs[1:]  # the first warms up
    fit, own = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    print(f"an update through fit              {fit:.1f} ms, bare {own:.1f} ms, ratio {ratio:.3f}")
