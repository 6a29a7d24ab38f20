"""Weights from files: safetensors, a state dict that torch saved, a checkpoint of a run. Plain data only."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from literatim.errors import LiteratimError

if TYPE_CHECKING:
    from torch import Tensor

ENDINGS = (".safetensors", ".ckpt", ".pt", ".pth")
# What DistributedDataParallel, torch.compile and the modules of Lightning put before the names of a network's entries.
PREFIXES = ("module.", "_orig_mod.", "net.", "model.")
INSIDE = ("state_dict", "model_state_dict", "model")  # where a file of more than the weights has them


def is_file_name(weights: Any) -> bool:
    """Whether `weights` names a file, where a name of shipped weights could stand too."""
    return isinstance(weights, Path) or (isinstance(weights, str) and weights.lower().endswith(ENDINGS))


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(the state dict in a file, all that the file holds besides). Raises LiteratimError where it holds none."""
    import torch

    if not path.is_file():
        raise LiteratimError(f"{path}: there is no such file")
    try:
        if path.suffix.lower() == ".safetensors":
            from safetensors.torch import load_file

            found: Any = load_file(path)
        else:
            if zipfile.is_zipfile(path) and (part := damaged_part(path)):
                raise ValueError(part)
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch and safetensors raise anything from OSError to UnpicklingError here
        raise LiteratimError(
            f"{path}: no file of weights: damaged, of another kind, or with more in it than plain data; save a "
            "state_dict() with torch.save or safetensors"
        ) from None
    whole = found if isinstance(found, dict) else {}
    state = next((whole[key] for key in INSIDE if isinstance(whole.get(key), dict)), whole)
    if not state or not all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in state.items()):
        raise LiteratimError(f"{path}: there is no state dict in it; save what a network's state_dict() returns")
    return state, whole if state is not whole else {}


def damaged_part(path: Path, tensors: bool = True) -> str | None:
    """The first part of a file that torch saved whose content has another sum than the file's directory says."""
    buffer = memoryview(bytearray(1 << 18))  # not the mapped file, which would count as memory of this process
    with path.open("rb", buffering=0) as file, zipfile.ZipFile(path) as directory:
        for part in directory.infolist():
            if not tensors and "/data/" in part.filename:
                continue
            file.seek(part.header_offset + 26)
            # The content follows the name and an extra field, whose lengths stand here; the directory has others.
            file.seek(sum(struct.unpack("<HH", file.read(4))), os.SEEK_CUR)
            left, found = part.file_size, 0
            while left and (count := file.readinto(buffer[:left])):
                left, found = left - count, zlib.crc32(buffer[:count], found)
            if left or found != part.CRC:
                return part.filename.partition("/")[2]
    return None


def without_prefixes(state: Mapping[str, Tensor], wanted: Iterable[str]) -> dict[str, Tensor]:
    """The entries under the names that a network has for them: the prefixes of what was wrapped round it come off."""
    own, found = set(wanted), dict(state)
    while found and not own & set(found):
        prefix = next((p for p in PREFIXES if any(name.startswith(p) for name in found)), None)
        if prefix is None:
            return dict(state)
        found = {name.removeprefix(prefix): entry for name, entry in found.items() if name.startswith(prefix)}
    return found


def misfit(state: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> str:
    """What keeps the entries from being those of a network of these shapes, as half a sentence, or ""."""
    faults = [f"it lacks {name}" for name in shapes if name not in state]
    faults += [f"{name} is surplus" for name in state if name not in shapes]
    for name, wanted in shapes.items():
        found = tuple(getattr(state.get(name), "shape", ()))
        if name in state and found != wanted:
            faults.append(f"the shape of {name} is {found}, not {wanted}")
    return faults[0] + (f" (and {len(faults) - 1} more)" if faults[1:] else "") if faults else ""
