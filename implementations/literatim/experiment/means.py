"""Means that Lightning takes over an epoch, carried over a stop in its middle."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer


class Means(Callback):
    """Keeps what `self.log` has summed up of an epoch in a checkpoint in its middle, and adds it to the rest.

    Lightning forgets it, so that a mean over the epoch would be that of its rest. Each rank has its own.
    """

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.added: list[str] = []  # what had been logged at the beginning of the epoch alone

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        if in_mid_epoch(checkpoint):
            results = trainer.fit_loop.epoch_loop._results
            now = {name: summed(result) for name, result in results.items() if not result.has_reset}
            checkpoint["means"] = self.kept | now

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        ranks = checkpoint.get("ranks") or [checkpoint]
        if in_mid_epoch(checkpoint) and len(ranks) == trainer.world_size:
            self.kept = dict(ranks[trainer.global_rank].get("means") or {})

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        results = trainer.fit_loop.epoch_loop._results
        for name in self.kept.keys() & results.keys():
            add(self.kept.pop(name), results[name])

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        results = trainer.fit_loop.epoch_loop._results
        for name, before in self.kept.items():
            of, _, short = name.rpartition(".")
            how = {"reduce_fx": getattr(torch, before["by"]), "sync_dist_fn": trainer.strategy.reduce}
            zero = torch.zeros((), device=pl_module.device)
            results.log(of, short, zero, prog_bar=before["shown"], sync_dist=before["shared"], batch_size=1, **how)
            results[name].reset()
            add(before, results[name])
            results[name].has_reset = False
        self.added, self.kept = list(self.kept), {}

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for name in self.added:  # the module logs them itself from now on
            trainer.fit_loop.epoch_loop._results.pop(name)
        self.added = []


def in_mid_epoch(checkpoint: dict[str, Any]) -> bool:
    return not checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"]


def summed(result: Any) -> dict[str, Any]:
    """What a result of Lightning's has come to, of how many examples, and how it is logged."""
    of = int(result.cumulated_batch_size) if result.meta.is_mean_reduction else 0
    how = {"by": result.meta.reduce_fx.__name__, "shared": result.meta.sync.should, "shown": result.meta.prog_bar}
    return {"value": result.value.item(), "of": of, **how}


def add(before: dict[str, Any], result: Any) -> None:
    value = result.value.new_tensor(before["value"])
    if result.meta.is_mean_reduction:
        result.cumulated_batch_size = result.cumulated_batch_size + before["of"]
    if result.meta.is_mean_reduction or result.meta.is_sum_reduction:
        result.value = value + result.value
    else:  # the largest or the smallest
        result.value = result.meta.reduce_fx(torch.stack([value, result.value]))
