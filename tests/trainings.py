"""Short trainings that tests make."""

from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, Trainer

from literatim.datasets.digits import Digits


def trainer(folder: Path, **options: Any) -> Trainer:
    """On the CPU where nothing else is said, without output."""
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    given = {"accelerator": "cpu", "enable_checkpointing": False, "num_sanity_val_steps": 0, **quiet, **options}
    return Trainer(default_root_dir=folder, **given)


class SaveAfter(Callback):
    """Writes a checkpoint after a step, such as one in the middle of an epoch."""

    def __init__(self, steps: int, path: Path) -> None:
        self.steps, self.path = steps, path

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        if trainer.global_step == self.steps:
            trainer.save_checkpoint(self.path)


def sixty_digits(**options: Any) -> Digits:
    """The data module with sixty images in each of its sets."""
    data = Digits(**options)
    data.setup("fit")
    data.sets = {name: (inputs[:60], targets[:60]) for name, (inputs, targets) in data.sets.items()}
    return data
