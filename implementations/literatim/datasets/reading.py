"""Batches of photographs, read by processes of their own while the network computes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from literatim.datasets.photographs import Photographs, collated
from literatim.datasets.tensors import Order, TensorBatches
from literatim.errors import LiteratimError


class Levels(NamedTuple):
    """What becomes of the bytes of a batch; at 255 without mean and deviation they only become floats.

    `mean` (3, 1, 1), or (3, h, w) of each pixel, is in levels from 0 to 255; images of another size have it scaled.
    """

    levels: int
    mean: Tensor | None = None
    std: list[float] | None = None

    def __call__(self, pixels: Tensor, shifts: Tensor) -> Tensor:
        """(N, 3, h, w) of bytes (N, h, w, 3) and shifts (N, 3) of their colours; a pixel's colours lie side by side."""
        x = pixels.permute(0, 3, 1, 2).float() + shifts[:, :, None, None]
        if self.mean is not None:
            mean, size = self.mean, x.shape[2:]
            if mean.shape[1:] not in ((1, 1), size):
                mean = F.interpolate(mean[None], size=size, mode="bilinear")[0]
            x -= mean
        if self.levels != 255:
            x *= self.levels / 255
        return x if self.std is None else x / torch.tensor(self.std).view(3, 1, 1)


class ImageBatches(TensorBatches):
    """Batches (images, labels) of image files; order, place within an epoch and ranks as in `TensorBatches`.

    Processes read ahead, but the place that is saved is that of the last batch handed out.

    Args:
        images: what is read
        finish: what is done to a batch of bytes
        batch_size: examples a step
        workers: processes that read; with 0, or for a single batch, this one does
        whole: all images for every rank
    """

    def __init__(
        self,
        images: Photographs,
        finish: Levels,
        batch_size: int,
        workers: int = 0,
        order: Order = "none",
        seed: int = 0,
        whole: bool = False,
    ) -> None:
        index = torch.arange(len(images))
        super().__init__(index, index, batch_size, order, seed, whole)
        self.images, self.finish, self.workers = images, finish, workers

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        batches = self.batches()
        resumed, self.resumed = self.resumed, {}
        first = resumed["position"] if resumed.get("epoch") == self.epoch else 0
        epoch = self.epoch
        reader: Any = DataLoader(
            self.images,  # type: ignore[arg-type]
            batch_sampler=([(epoch, i) for i in batch.tolist()] for batch in batches[first:]),
            num_workers=self.workers if len(batches) > first + 1 else 0,
            collate_fn=collated,
            worker_init_fn=ignore_signals,
            generator=torch.Generator(),  # else it would draw from torch's own random numbers
        )
        read = iter(reader)
        for self.position in range(first + 1, len(batches) + 1):
            batch = next(read)
            if isinstance(batch, LiteratimError):
                raise batch
            pixels, labels, shifts = batch
            yield self.finish(pixels, shifts), labels


def ignore_signals(worker: int) -> None:
    """Signals end the run after the batch at hand, for which the others still read; from the run itself they are meant.

    Clusters send SIGTERM to all processes of a job.
    """
    for number in (signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()


def end_with(parent: int) -> None:
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != parent:
        pass
    os._exit(0)


def default_workers(ranks: int = 1) -> int:
    """Processes of each rank on this machine: all cores but one, 16 at most."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(16, max(1, here // ranks - 1))
