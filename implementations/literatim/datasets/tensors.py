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
    very batches that the interrupted one would have seen.

    Under R ranks a step is R batches in one, and each rank takes every R-th example of it: together they see what one
    process sees with batches R times as large, none twice and none left out. The last step of an epoch is shared as
    evenly as it can be, by turns over the epochs; what is too little for one example each goes into the step before.
    `whole`: every rank takes all examples.
    """

    batch_sampler = None  # Lightning asks; there is none

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        batch_size: int,
        order: Order = "none",
        seed: int = 0,
        whole: bool = False,
    ) -> None:
        if batch_size < 1:
            raise LiteratimError(f"the batch size is {batch_size}; it must be at least 1")
        if not len(inputs):
            raise LiteratimError("the data set is empty")
        self.inputs, self.targets = inputs, targets
        self.batch_size, self.order, self.seed, self.whole = batch_size, order, seed, whole
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
        if not self.whole and torch.distributed.is_available() and torch.distributed.is_initialized():
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        return 0, 1

    def mine(self) -> slice:
        """Which examples of a step are this rank's."""
        rank, ranks = self.share()
        return slice((rank - self.epoch * len(self.inputs)) % ranks, None, ranks)

    def steps(self) -> list[int]:
        """How many examples all ranks together take in each step of an epoch.

        Raises LiteratimError where there are fewer examples than ranks.
        """
        n, (_, ranks) = len(self.inputs), self.share()
        if n < ranks:
            raise LiteratimError(
                f"a set of {n} cannot be shared by {ranks} processes; take fewer of them (--trainer.devices)"
            )
        full, rest = divmod(n, self.batch_size * ranks)
        sizes = [self.batch_size * ranks] * full + [rest] * (rest > 0)
        return sizes if rest == 0 or rest >= ranks else [*sizes[:-2], sizes[-2] + rest]

    def weight(self, step: int) -> float:
        """By how much this rank's share of a step is more than the ranks' mean; the mean of examples needs it."""
        ranks = self.share()[1]
        if step < len(self.inputs) // (self.batch_size * ranks) - 1:
            return 1.0
        size = self.steps()[step]
        return len(range(size)[self.mine()]) * ranks / size

    def batches(self) -> list[Tensor]:
        """This rank's examples in each step of this epoch."""
        n = len(self.inputs)
        if self.order == "none":
            order = torch.arange(n)
        else:
            epoch = self.epoch if self.order == "each epoch" else 0
            order = torch.randperm(n, generator=torch.Generator().manual_seed(self.seed * 1_000_003 + epoch))
        return [step[self.mine()] for step in order.split(self.steps())]

    def __len__(self) -> int:
        return len(self.steps())

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        batches = self.batches()
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
        return TensorBatches(*self._set("train"), self.batch_size, self.order, self.seed)

    def val_dataloader(self) -> list[TensorBatches]:
        return [TensorBatches(*self._set(name), self.eval_batch_size) for name in self.watch]

    def test_dataloader(self) -> TensorBatches:
        return TensorBatches(*self._set("test"), self.eval_batch_size)

    def predict_dataloader(self) -> TensorBatches:
        """The image files that were asked about, in order and all of them in every rank; the targets say nothing."""
        images = torch.stack([self.read_image(path) for path in self.predicted])
        return TensorBatches(images, torch.zeros(len(images), dtype=torch.long), self.eval_batch_size, whole=True)

    def read_image(self, path: str) -> Tensor:
        raise LiteratimError(f"{type(self).__name__} cannot read image files")

    def _set(self, name: str) -> tuple[Tensor, Tensor]:
        if name not in self.sets:
            raise LiteratimError(f'there is no set "{name}" to watch; there are {", ".join(self.sets)}')
        return self.sets[name]
