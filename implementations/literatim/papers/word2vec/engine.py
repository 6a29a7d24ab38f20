"""What runs the compiled kernels: the model's tables, threads, and the rate."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.papers.word2vec.model import LINE, Word2Vec
from literatim.parts.compiled import compiling

SAMPLED = 32  # the loss is measured at every so many-th prediction
# Words of a stretch of the text that is trained on at once; between stretches a run can be stopped and saved.
STRETCH = 50_000
BLOCK = 10_000  # rows of a table that are moved at once


@dataclass(frozen=True)
class Reading:
    """How a text is read: the largest distance of a word, whether the distance is drawn, and with what probability an
    occurrence of each word is kept, (V,) float32."""

    window: int
    uniform: bool
    keep: NDArray[np.float32]


def widened(table: nn.Embedding) -> Tensor:
    """(rows, width): a table whose rows are filled up with zeros to whole cache lines; the weight becomes its view.

    The rows move apart in the room that the model has left behind them, the last ones first, so that at no time there
    are two tables. A copy of a model has no such room; it is given a new table.
    """
    weight = table.weight.data
    rows, dimension = weight.shape
    width = -(-dimension // LINE) * LINE
    if weight.stride() != (width, 1):
        room = weight.untyped_storage().nbytes() >= rows * width * weight.itemsize
        wide = torch.as_strided(weight, (rows, width), (width, 1)) if room else weight.new_empty(rows, width)
        for start in reversed(range(0, rows, BLOCK)):
            wide[start : start + BLOCK] = F.pad(weight[start : start + BLOCK], (0, width - dimension))
        table.weight.data = wide[:, :dimension]
    return torch.as_strided(table.weight.data, (rows, width), (width, 1))


class Engine:
    """A kernel on the tables of a model, run by so many threads at once on parts of each stretch of the text.

    With one worker the outcome follows from the seed. Several write to the same tables without locks (Hogwild), so no
    two runs are quite the same.

    Raises LiteratimError where numba is not installed.
    """

    def __init__(self, net: Word2Vec, reading: Reading, workers: int) -> None:
        self.net, self.reading, self.workers = net, reading, workers
        self.vectors = widened(net.vectors).numpy()
        self.pool = ThreadPoolExecutor(workers)
        with compiling():
            self.kernel, self.tables = self.compiled(self.vectors.shape[1])
            self.train(torch.zeros(0, dtype=torch.int32), torch.zeros(2, dtype=torch.int64), 0, 0.0)  # compiles

    @property
    def reads(self) -> tuple[bool, bool]:
        """Whether the model is CBOW, and whether each word around takes the whole error."""
        return self.net.architecture == "cbow", self.net.context_error == "whole"

    def compiled(self, width: int) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The kernel for rows of so many float32, and what it takes besides that of every kernel."""
        from literatim.papers.word2vec.fast import hierarchical

        output: Any = self.net.output
        tables = (widened(output.inner).numpy(), output.nodes.numpy(), output.turns.numpy())
        return hierarchical(width, *self.reads), tables

    def train(
        self, ids: Tensor, offsets: Tensor, seed: int, rate: float, slope: float = 0.0, least: float = 0.0,
        traced: NDArray[np.int32] | None = None,
    ) -> tuple[int, float]:  # fmt: skip
        """Train on sentences: (predictions made, their loss in nats, as every SAMPLED-th of them suggests).

        The rate falls by `slope` a word of the text, in a straight line whatever the number of workers, to `least`.
        `traced`: where to write what was predicted from what, for tests.
        """
        words = offsets.numpy()
        cuts = np.searchsorted(words, words[-1] * np.arange(self.workers + 1) / self.workers)
        read = self.reading
        traced = np.empty((0, 0), np.int32) if traced is None else traced
        seeds = np.random.SeedSequence(seed).generate_state(self.workers, np.uint64) | np.uint64(1)

        def part(i: int) -> tuple[int, int, float]:
            return self.kernel(
                ids.numpy(), words, cuts[i], cuts[i + 1], seeds[i], self.vectors, read.keep, read.window, read.uniform,
                rate, slope * self.workers, least, traced, *self.tables,
            )  # fmt: skip

        done = [part(0)] if self.workers == 1 else list(self.pool.map(part, range(self.workers)))
        predictions, measured, loss = (sum(numbers) for numbers in zip(*done, strict=True))
        return predictions, loss * predictions / max(1, measured)
