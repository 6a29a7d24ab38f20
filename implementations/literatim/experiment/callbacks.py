"""What every run has: a curve, and its identity and random state in each checkpoint."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

from literatim.experiment.fingerprint import check_fingerprint, fingerprint, packages
from literatim.experiment.runs import CONFIG, IDENTITY, broken_config, write_atomically, write_json


class Curve(Checkpoint):
    """One row of metrics an epoch in curve.csv. A kind of `Checkpoint` only so that it runs after the module's hooks.

    The rows are part of the checkpoint, so a resumed run goes on where its curve was.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.before, self.threads = folder, 0.0, torch.get_num_threads()
        self.validated = -1  # the step of the last validation
        self.rows: list[dict[str, float]] = []

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.started = time.perf_counter()

    @property
    def wall(self) -> float:
        """Seconds of training in all, those before a resumption included."""
        return self.before + time.perf_counter() - self.started

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.validated = trainer.global_step

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.threads = torch.get_num_threads()
        row: dict[str, float] = {"epoch": trainer.current_epoch + 1, "step": trainer.global_step, "wall_s": self.wall}
        metrics = {name: value.item() for name, value in sorted(trainer.callback_metrics.items())}
        if self.validated != trainer.global_step:  # an epoch that `max_steps` cut short has its predecessor's
            old = tuple(f"{name}_" for name in getattr(trainer.datamodule, "watch", ["val"]))  # type: ignore[attr-defined]
            metrics = {name: value for name, value in metrics.items() if not name.startswith(old)}
        row |= metrics
        self.rows = [r for r in self.rows if r["epoch"] < row["epoch"]] + [{k: shortened(v) for k, v in row.items()}]
        if trainer.is_global_zero:
            self.write()

    def write(self) -> None:
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_atomically(self.folder / "curve.csv", text.getvalue())

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "wall_s": self.wall}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows, self.before = state["rows"], state["wall_s"]


def shortened(value: float) -> float:
    """Six significant digits, about what float32 metrics have; counts stay whole."""
    return value if isinstance(value, int) else float(f"{value:.6g}")


class Identity(Callback):
    """Says in every checkpoint of which run it is and on which data, and keeps the random state for a resumed run."""

    def __init__(self, identity: dict[str, Any], folder: Path, configuration: str = "") -> None:
        self.identity, self.folder, self.configuration = identity, folder, configuration
        self.restored: dict[str, Any] | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """After the data module's own; in `fit` alone, for `reproduce` tests at the end."""
        if stage != "fit":
            return
        paper, recipe = self.identity["paper"], self.identity["recipe"]
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        now = fingerprint(paper, recipe, data)
        if self.identity.get("fingerprint", now) != now and getattr(data, "tells_changes", False):
            return  # it says what has changed when it is given the checkpoint's state
        check_fingerprint(self.identity.get("fingerprint"), now, paper, recipe, packages(data))
        if now:
            self.identity["fingerprint"] = now
        if trainer.is_global_zero:
            write_json(self.folder / IDENTITY, self.identity)
            if broken_config(self.folder / CONFIG):  # once: others may read it while the run goes on
                write_atomically(self.folder / CONFIG, self.configuration)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["literatim"] = {**self.identity, "config": self.configuration}

    def state_dict(self) -> dict[str, Any]:
        return random_state()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.restored = state

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.restored:
            set_random_state(self.restored)


def random_state() -> dict[str, Any]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    numpy: Any = np.random.get_state(legacy=False)
    # As int64: Lightning's reader for FSDP knows none of torch's later unsigned kinds.
    numpy["state"]["key"] = torch.from_numpy(numpy["state"]["key"].astype(np.int64))
    return {"torch": torch.get_rng_state(), "cuda": cuda, "numpy": numpy}


def set_random_state(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    numpy = state["numpy"]
    np.random.set_state({**numpy, "state": {**numpy["state"], "key": numpy["state"]["key"].numpy().astype(np.uint32)}})
