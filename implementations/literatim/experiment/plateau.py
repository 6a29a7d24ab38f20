"""Rates that fall on a plateau fall before the epoch's checkpoint is written, so that a run that goes on has them."""

from __future__ import annotations

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

OURS = "an epoch, before its checkpoint"


class Plateau(Checkpoint):
    """Steps schedules like ReduceLROnPlateau in Lightning's place, which does so only when checkpoints are written.

    It also leaves them out after the first epoch of a run that went on in its middle. A kind of `Checkpoint` only so
    that it runs after the module's hooks; it stands before those that save.
    """

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for schedule in trainer.lr_scheduler_configs:
            if schedule.reduce_on_plateau and schedule.interval == "epoch":
                schedule.interval = OURS  # which Lightning never comes to

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.fit_loop.epoch_loop._num_ready_batches_reached():
            trainer.fit_loop.epoch_loop.update_lr_schedulers(OURS, update_plateau_schedulers=True)
