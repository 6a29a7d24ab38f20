"""What a checkpoint of ours holds: a schema, and whether it fits the network that is to go on with it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.strategies import DDPStrategy, SingleDeviceStrategy
from torch import Tensor

from literatim.errors import LiteratimError


class Part(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, strict=True, extra="allow")


class Identity(Part):
    paper: str
    recipe: str
    variant: str
    options: dict[str, Any]
    seed: int
    overrides: list[str]
    args: list[str]
    dirty: bool
    fingerprint: str | None = None


class Curve(Part):
    rows: list[dict[str, float | int]]
    wall_s: float


class RandomState(Part):
    torch: Tensor
    cuda: list[Tensor]
    numpy: dict[str, Any]


class Callbacks(Part):
    Curve: Curve
    Identity: RandomState


class Mean(Part):
    value: float
    of: int = Field(ge=0)
    by: Literal["mean", "sum", "max", "min"]
    shared: bool
    shown: bool


class Contents(Part):
    literatim: Identity
    state_dict: dict[str, Tensor]
    hyper_parameters: dict[str, Any]
    epoch: int = Field(ge=0)
    global_step: int = Field(ge=0)
    loops: dict[str, dict[str, Any]]
    optimizer_states: list[dict[str, Any]]
    lr_schedulers: list[dict[str, Any]]
    callbacks: Callbacks
    means: dict[str, Mean] = {}


def check_contents(found: Any) -> str | None:
    """What is not as a run writes it, as a place and a reason, or None."""
    try:
        contents = Contents.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "all of it"
        return f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}"
    try:
        state = contents.callbacks.Identity
        torch.Generator().set_state(state.torch)
        key = state.numpy["state"]["key"].numpy().astype(np.uint32)
        numpy = {**state.numpy, "state": {**state.numpy["state"], "key": key}}
        np.random.RandomState().set_state(numpy)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError):
        return "callbacks.Identity: no state of a random generator"
    return None


def not_a_number(state: dict[str, Tensor]) -> str | None:
    """The first weights with a NaN among them."""
    for name, value in state.items():
        if value.is_floating_point() and value.sum().isnan() and value.isnan().any():
            return name
    return None


class Fits(Callback):
    """Holds the state of optimisers and schedules in a checkpoint against those of the run, before it is taken over."""

    def __init__(self) -> None:
        self.loaded: dict[str, Any] | None = None

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self.loaded = checkpoint
        here = {
            saves.state_key: str(saves.dirpath) for saves in trainer.checkpoint_callbacks if hasattr(saves, "dirpath")
        }
        for name, folder in here.items():  # a run that was moved would forget its best one, and remove that of the old
            if state := checkpoint["callbacks"].get(name):
                checkpoint["callbacks"][name] = moved(state, str(state["dirpath"]), folder)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        loaded, self.loaded = self.loaded, None
        if not loaded or not isinstance(trainer.strategy, (SingleDeviceStrategy, DDPStrategy)):
            return  # others divide the state over the ranks
        states = loaded["optimizer_states"]
        fit = len(states) == len(trainer.optimizers) and len(loaded["lr_schedulers"]) == len(
            trainer.lr_scheduler_configs
        )
        if not fit or not all(
            fits(optimizer, state) for optimizer, state in zip(trainer.optimizers, states, strict=True)
        ):
            raise LiteratimError(
                "the checkpoint does not fit: the state of its optimiser is that of another network or method; take "
                "one of this version, or begin anew"
            )


def fits(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> bool:
    groups, states = state.get("param_groups"), state.get("state")
    if not isinstance(groups, list) or not isinstance(states, dict) or len(groups) != len(optimizer.param_groups):
        return False
    for ours, theirs in zip(optimizer.param_groups, groups, strict=True):
        if not isinstance(theirs, dict) or len(ours["params"]) != len(theirs.get("params", ())):
            return False
        for parameter, number in zip(ours["params"], theirs["params"], strict=True):
            kept = states.get(number, {}).values()
            if any(isinstance(value, Tensor) and value.dim() and value.shape != parameter.shape for value in kept):
                return False
    return True


def moved(state: Any, old: str, new: str) -> Any:
    """A callback's state with its paths in another folder."""
    if isinstance(state, str):
        return new + state.removeprefix(old) if state.startswith(old) else state
    if isinstance(state, dict):
        return {moved(key, old, new): moved(value, old, new) for key, value in state.items()}
    return state
