"""What several processes share: one run folder, means over all examples, and the state of each in the checkpoint."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.strategies import FSDPStrategy
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from literatim.errors import LiteratimError
from literatim.experiment.callbacks import random_state, set_random_state


class FairShares(Callback):
    """Lets a mean over the ranks be the mean over the examples, of which a step may give them unequal numbers.

    Lightning's own is of ranks, and cuts the quotient of whole numbers, such as the examples that a metric is of, down
    to a whole number.
    """

    weight = 1.0  # of this rank's share of the present step
    strategy: Any = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if trainer.world_size == 1 or self.strategy is trainer.strategy:
            return
        self.strategy = strategy = trainer.strategy
        if isinstance(strategy, FSDPStrategy):
            # FSDP would put the optimiser's state of a checkpoint into parameters of another order in memory unchanged.
            pl_module.to(memory_format=torch.contiguous_format)
        reduce, backward = strategy.reduce, strategy.backward

        def fair_reduce(tensor: Any, group: Any = None, reduce_op: Any = "mean") -> Any:
            if isinstance(tensor, Tensor) and reduce_op in ("mean", "avg"):
                if not tensor.is_floating_point():
                    tensor = tensor.double()
                elif self.weight != 1:
                    tensor = tensor * self.weight
            return reduce(tensor, group, reduce_op)

        def fair_backward(loss: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            return backward(loss if self.weight == 1 else loss * self.weight, *args, **kwargs)

        strategy.reduce, strategy.backward = fair_reduce, fair_backward  # type: ignore[assignment, method-assign]
        # What is no part of a checkpoint is each rank's own count; DDP would write rank 0's over the others'.
        own = [
            f"{name}.{buffer}".lstrip(".")
            for name, part in pl_module.named_modules()
            for buffer in part._non_persistent_buffers_set
        ]
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(pl_module, own)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if trainer.world_size > 1 and (weight := getattr(trainer.train_dataloader, "weight", None)):
            self.weight = weight(batch_idx)

    def on_train_batch_end(self, *args: Any) -> None:
        self.weight = 1.0

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Before the module makes means of what it has counted."""
        counted = getattr(pl_module, "online", None)
        if trainer.world_size > 1 and counted is not None:
            counted.copy_(trainer.strategy.reduce(counted, reduce_op="sum"))


class OfEachRank(Callback):
    """Noise of its own for each rank, and its random state and the module's in the checkpoint."""

    restored: Any = None

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        if trainer.world_size == 1:
            return
        mine: dict[str, Any] = {"random": random_state(), "module": {}, "means": checkpoint.get("means", {})}
        pl_module.on_save_checkpoint(mine["module"])
        torch.save(mine, written := io.BytesIO())
        gathered: list[Any] = [None] * trainer.world_size
        dist.all_gather_object(gathered, written.getvalue())
        checkpoint["ranks"] = [torch.load(io.BytesIO(each), weights_only=True) for each in gathered]

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        ranks = checkpoint.get("ranks") or [None]
        if len(ranks) == trainer.world_size:
            self.restored = ranks[trainer.global_rank]
        elif not checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"]:
            raise LiteratimError(
                f"the run stopped in the middle of an epoch, of which {len(ranks)} processes had read their shares; go "
                f"on with as many (--trainer.devices {len(ranks)})"
            )
        if self.restored:
            pl_module.on_load_checkpoint({**checkpoint, **self.restored["module"]})

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.restored:
            set_random_state(self.restored["random"])
        elif trainer.global_rank:
            torch.manual_seed((torch.initial_seed() * 1_000_003 + trainer.global_rank) % 2**63)


class OneFolder(Callback):
    """Tells the other ranks which run folder the first one has made, and that they go on with the same run."""

    def __init__(self, folder: Path, checkpoint: Path | None, tell: Any) -> None:
        self.folder, self.checkpoint, self.tell = folder, checkpoint, tell

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if trainer.world_size == 1 or stage != "fit":
            return
        folder, goes_on = trainer.strategy.broadcast((str(self.folder.absolute()), self.checkpoint is not None))
        if goes_on != (self.checkpoint is not None):
            raise LiteratimError(
                f"{folder}: process {trainer.global_rank} does not see the checkpoints of this run; name a folder that "
                "all machines share with --runs"
            )
        if trainer.global_rank:
            self.tell(Path(folder))
