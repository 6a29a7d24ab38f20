"""Checkpoints that survive a full disk, and are read as plain data."""

from __future__ import annotations

import os
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from literatim.errors import LiteratimError
from literatim.experiment.contents import check_contents, not_a_number
from literatim.weightfiles import damaged_part


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
            raise LiteratimError(f"{path}: the checkpoint could not be saved ({reason(error)}); {kept}") from None
        finally:
            beside.unlink(missing_ok=True)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return read_checkpoint(Path(path))


def reason(error: BaseException | None) -> str:
    """What the system said; torch speaks of its own file positions where a disk is full."""
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        error = error.__context__
    return "is the disk full?"


def read_checkpoint(path: Path, tensors: bool = True) -> dict[str, Any]:
    """A checkpoint as plain data, its tensors read only when they are used unless `tensors`.

    The sums in the file are held against its content meanwhile, for torch does not look at them. Raises LiteratimError
    where the file is not one, is damaged, or holds numbers that are none, and names one of the same run that is whole.
    """
    try:
        with ThreadPoolExecutor(1) as beside:
            damaged = beside.submit(damaged_part, path, tensors)
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=not tensors)
        if part := damaged.result():
            raise LiteratimError(
                f"{path}: damaged since it was written, for its {part} has another sum; {another(path)}"
            )
    except LiteratimError:
        raise
    except Exception:  # torch raises anything from OSError to UnpicklingError here
        raise LiteratimError(f"{path}: cut short, or no checkpoint at all; {another(path)}") from None
    if not isinstance(found, dict) or "literatim" not in found:
        raise LiteratimError(f"{path}: not a checkpoint of a literatim run; take one from a run's folder")
    if wrong := check_contents(found):
        raise LiteratimError(f"{path}: not as a run writes it: {wrong}; {another(path)}")
    if tensors and (name := not_a_number(found["state_dict"])):
        raise LiteratimError(f"{path}: there are weights that are not a number in {name}; {another(path)}")
    return found


def another(path: Path) -> str:
    """Where to go on from instead."""
    for name in ("last.ckpt", "best.ckpt"):
        other = path.with_name(name)
        try:
            if name != path.name and damaged_part(other) is None:
                return f"the last good one of the run is {other}"
        except (OSError, ValueError, struct.error, zipfile.BadZipFile):
            continue
    return "there is no other one of the run that is whole; take one of another run, or begin anew"
