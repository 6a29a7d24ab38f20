"""What a run that ended otherwise than by its last epoch says."""

from __future__ import annotations

from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import Timer


def how_it_ended(trainer: Trainer, trained: bool, go_on: str) -> str:
    """A sentence on a run that had nothing left to do, or was cut by its time; `go_on` is the command that goes on."""
    done = trainer.current_epoch
    if not trained:
        further = f"{go_on} --trainer.max_epochs {2 * done}"
        return f"the run is finished, with {done} of {done} epochs; to train further: {further}"
    timers = [callback for callback in trainer.callbacks if isinstance(callback, Timer)]  # type: ignore[attr-defined]
    if any((timer.time_remaining() or 0) <= 0 for timer in timers):
        return f"trainer.max_time ended the run in epoch {done} of {trainer.max_epochs}; to go on: {go_on}"
    return ""
