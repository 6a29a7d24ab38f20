"""Weights from files: safetensors, a state dict that torch saved, a checkpoint of a run. Plain data only."""

from __future__ import annotations

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
