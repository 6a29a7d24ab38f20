"""Data that are drawn, not read: every chunk follows from the seed, its purpose, a trial and its number alone."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
from pytorch_lightning import LightningDataModule

from literatim.errors import LiteratimError


class Chunks:
    """The numbers of an epoch's chunks, counted over the whole run; what a DataLoader is to Lightning.

    The place is saved with a checkpoint: a run goes on at the chunk where it was interrupted.
    """

    batch_sampler = None  # Lightning asks; there is none

    def __init__(self, chunks: int) -> None:
        self.chunks, self.epoch, self.position = chunks, 0, 0
        self.resumed: dict[str, int] = {}

    @property
    def sampler(self) -> Chunks:
        """Where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.chunks

    def __iter__(self) -> Iterator[int]:
        resumed, self.resumed = self.resumed, {}
        self.position = resumed["position"] if resumed.get("epoch") == self.epoch else 0
        for place in range(self.position, self.chunks):
            self.position = place + 1
            yield self.epoch * self.chunks + place

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.resumed = state


class MadeDataModule(LightningDataModule):
    """A data module whose batches are numbers of chunks: the training asks it for the data of the trials that learn.

    A subclass draws with `rng` and nothing else.

    Args:
        chunks: of an epoch
        seed: of everything that is drawn
        watch: sets whose metrics are taken after every epoch: none, or "val"

    Raises LiteratimError where there is no chunk, or a set to watch that there is not.
    """

    def __init__(self, chunks: int, seed: int = 0, watch: list[str] = []) -> None:  # noqa: B006 (never changed)
        super().__init__()
        if chunks < 1:
            raise LiteratimError(f"data.chunks is {chunks}; it must be at least 1")
        if unknown := [name for name in watch if name not in ("val", "test")]:
            raise LiteratimError(f'there is no set "{unknown[0]}" to watch; there are val, test')
        self.chunks, self.seed, self.watch = chunks, seed, watch

    def rng(self, purpose: str, trial: int = 0, number: int = 0) -> np.random.Generator:
        """A generator of its own for a purpose ("train", "test", …), a trial, and a chunk's number."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode()), trial, number])

    def train_dataloader(self) -> Chunks:
        return Chunks(self.chunks)

    def val_dataloader(self) -> list[Chunks]:
        return [Chunks(1) for _ in self.watch]

    def test_dataloader(self) -> Chunks:
        return Chunks(1)

    def predict_dataloader(self) -> Chunks:
        return Chunks(1)
