"""A text in stretches of whole sentences, for an engine that draws its windows itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from literatim.datasets.text import Encoded


class Stretch(NamedTuple):
    """Successive sentences as ids: sentence s is `ids[offsets[s] : offsets[s + 1]]`.

    `ids` (N,) int32, `offsets` (S + 1,) int64, from 0 to N; `seed`: of all that is drawn in this stretch.
    """

    ids: Tensor
    offsets: Tensor
    seed: int


class Stretches:
    """The sentences of a text in its own order; what a DataLoader is to Lightning.

    The seed of a stretch follows from the seed, the epoch and its number alone, and the place is saved with a
    checkpoint: a resumed run goes on at the stretch where the interrupted one stopped.

    Args:
        text: the ids
        words: of a stretch, about
        seed: of the draws
    """

    batch_sampler = None  # Lightning asks; there is none

    def __init__(self, text: Encoded, words: int, seed: int = 0) -> None:
        self.text, self.seed, self.epoch, self.position = text, seed, 0, 0
        self.resumed: dict[str, int] = {}
        self.blocks = text.blocks(words)

    @property
    def sampler(self) -> Stretches:
        """Where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.blocks)

    def __iter__(self) -> Iterator[Stretch]:
        resumed, self.resumed = self.resumed, {}
        self.position = resumed["position"] if resumed.get("epoch") == self.epoch else 0
        for number in range(self.position, len(self.blocks)):
            first, after = self.blocks[number]
            offsets = np.array(self.text.offsets[first : after + 1])
            ids = np.array(self.text.ids[offsets[0] : offsets[-1]])  # a copy: the text may be mapped from a file
            seed = np.random.SeedSequence([self.seed, self.epoch, number]).generate_state(1, np.uint64)[0]
            self.position = number + 1
            yield Stretch(torch.from_numpy(ids), torch.from_numpy(offsets - offsets[0]), int(seed >> np.uint64(1)))

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.resumed = state
