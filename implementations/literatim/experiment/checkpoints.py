"""Checkpoints that survive a full disk, and are read as plain data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from literatim.errors import LiteratimError


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
