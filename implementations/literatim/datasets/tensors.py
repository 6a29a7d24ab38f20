"""Small data sets live in memory as one tensor and are shuffled, split over ranks and batched there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
import torch.distributed
from pytorch_lightning import LightningDataModule
from torch import Tensor

from literatim.errors import LiteratimError

Order = Literal["each epoch", "once", "none"]


class TensorBatches:
    """Batches (inputs, targets) of two tensors; what a DataLoader is to Lightning, without a Python call per image.

    `order`: shuffled anew "each epoch", "once" (one random order for all epochs) or "none". The order follows from
    the seed and the epoch alone, and the place within an epoch is saved with a checkpoint, so a resumed run sees the
    very batches that the interrupted one would have seen. Under several ranks each takes every n-th example; for
    training (`even`) the first ones are repeated at the end, so that all ranks take the same number of steps.
    """

    batch_sampler = None  # Lightning asks; there is none

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        batch_size: int,
        order: Order = "none",
        seed: int = 0,
        even: bool = False,
    ) -> None:
        if batch_size < 1:
            raise LiteratimError(f"the batch size is {batch_size}; it must be at least 1")
        if not len(inputs):
            raise LiteratimError("the data set is empty")
        self.inputs, self.targets = inputs, targets
        self.batch_size, self.order, self.seed, self.even = batch_size, order, seed, even
        self.epoch, self.position = 0, 0
        self.resumed: dict[str, int] = {}

    @property
    def sampler(self) -> TensorBatches:
        """Where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def share(self) -> tuple[int, int]:
        """(rank, ranks)."""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        return 0, 1

    def indices(self) -> Tensor:
        """This rank's examples of this epoch, in order."""
        n, (rank, ranks) = len(self.inputs), self.share()
        if self.order == "none":
            order = torch.arange(n)
        else:
            epoch = self.epoch if self.order == "each epoch" else 0
            order = torch.randperm(n, generator=torch.Generator().manual_seed(self.seed * 1_000_003 + epoch))
        if self.even:
            steps = -(-n // ranks)
            order = order.repeat(-(-steps * ranks // n))[: steps * ranks]
        return order[rank::ranks]

    def __len__(self) -> int:
        n, (rank, ranks) = len(self.inputs), self.share()
        mine = -(-n // ranks) if self.even else len(range(rank, n, ranks))
        return -(-mine // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        batches = self.indices().split(self.batch_size)
        resumed, self.resumed = self.resumed, {}
        first = resumed["position"] if resumed.get("epoch") == self.epoch else 0
        for i in range(first, len(batches)):
            self.position = i + 1
            yield self.inputs[batches[i]], self.targets[batches[i]]

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.resumed = state


class TensorDataModule(LightningDataModule):
    """A data module over tensors. A subclass fills `self.sets` in `setup`; its name is that of the set it holds.

    `train` is what is trained on; `watch` names the sets whose metrics are taken after every epoch.
    """

    classes: tuple[str, ...]

    def __init__(self, batch_size: int, eval_batch_size: int, watch: list[str], order: Order, seed: int) -> None:
        super().__init__()
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.watch, self.order, self.seed = watch, order, seed
        self.sets: dict[str, tuple[Tensor, Tensor]] = {}
        self.predicted: list[str] = []  # image files for `predict`

    def train_dataloader(self) -> TensorBatches:
        return TensorBatches(*self._set("train"), self.batch_size, self.order, self.seed, even=True)

    def val_dataloader(self) -> list[TensorBatches]:
        return [TensorBatches(*self._set(name), self.eval_batch_size) for name in self.watch]

    def test_dataloader(self) -> TensorBatches:
        return TensorBatches(*self._set("test"), self.eval_batch_size)

    def predict_dataloader(self) -> TensorBatches:
        """The image files that were asked about, in order; the targets say nothing."""
        images = torch.stack([self.read_image(path) for path in self.predicted])
        return TensorBatches(images, torch.zeros(len(images), dtype=torch.long), self.eval_batch_size)

    def read_image(self, path: str) -> Tensor:
        raise LiteratimError(f"{type(self).__name__} cannot read image files")

    def _set(self, name: str) -> tuple[Tensor, Tensor]:
        if name not in self.sets:
            raise LiteratimError(f'there is no set "{name}" to watch; there are {", ".join(self.sets)}')
        return self.sets[name]
