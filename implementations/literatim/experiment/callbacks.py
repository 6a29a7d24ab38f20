"""What every run has: a curve, checkpoints that survive a full disk, a stop at NaN, a stop at Ctrl-C."""

from __future__ import annotations

import csv
import io
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint, ProgressBar
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from literatim.errors import LiteratimError
from literatim.experiment.runs import CHECKPOINTS, write_atomically


class AtomicCheckpoints(TorchCheckpointIO):
    """Checkpoints written beside the old one and moved over it when whole; read with `weights_only=True`."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with beside.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except (OSError, RuntimeError) as error:
            kept = f"the last good one, {path}, is untouched" if path.is_file() else "there is no earlier one"
            reason = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
            raise LiteratimError(f"the checkpoint could not be saved ({reason}); {kept}") from None
        finally:
            beside.unlink(missing_ok=True)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return read_checkpoint(Path(path))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint as plain data. Raises LiteratimError where the file is not one, or is not whole."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch raises anything from OSError to UnpicklingError here
        raise LiteratimError(f"{path}: cut short, or no checkpoint at all; take another one") from None
    if not isinstance(found, dict) or "literatim" not in found:
        raise LiteratimError(f"{path}: not a checkpoint of a literatim run; take one from a run's folder")
    return found


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
    """Says in every checkpoint of which run it is, and keeps the random state for a resumed run."""

    def __init__(self, identity: dict[str, Any]) -> None:
        self.identity = identity
        self.restored: dict[str, Any] | None = None

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["literatim"] = self.identity

    def state_dict(self) -> dict[str, Any]:
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        numpy: Any = np.random.get_state(legacy=False)
        numpy["state"]["key"] = torch.from_numpy(numpy["state"]["key"])
        return {"torch": torch.get_rng_state(), "cuda": cuda, "numpy": numpy}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.restored = state

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.restored:
            torch.set_rng_state(self.restored["torch"])
            if self.restored["cuda"] and torch.cuda.is_available():
                torch.cuda.set_rng_state_all(self.restored["cuda"])
            numpy = self.restored["numpy"]
            numpy["state"]["key"] = numpy["state"]["key"].numpy()
            np.random.set_state(numpy)


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
