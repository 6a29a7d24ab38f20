"""All trials through their streams, each by the compiled kernel."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from literatim.parts.compiled import compiling
from literatim.parts.trials import Trials

PARAMETERS = ("from_input.weight", "from_input.bias", "from_context.weight", "output.weight", "output.bias")


class Engine:
    """The kernel on the tables of the trials, several at a time; the outcome is the same with any number of workers.

    Raises LiteratimError where numba is not installed.
    """

    def __init__(self, trials: Trials, contexts: NDArray[np.float64], workers: int) -> None:
        self.tables = [trials.table(name) for name in PARAMETERS]
        self.contexts = contexts
        self.pool = ThreadPoolExecutor(workers)
        with compiling():
            from literatim.papers.elman.fast import one_pass

            self.kernel = one_pass
            self.train(np.zeros((1, self.tables[0].shape[2])), [np.zeros(0, np.int64)], 0.0)  # compiles

    def train(self, codes: NDArray[np.float64], streams: Sequence[NDArray[np.int64]], rate: float) -> list[float]:
        """A pass of each trial through its stream of ids: the sum of the squared errors of each."""

        def trial(k: int) -> float:
            return self.kernel(codes, streams[k], *(table[k] for table in self.tables), self.contexts[k], rate)

        return list(self.pool.map(trial, range(len(streams))))
