"""The tasks of Sec. 5 as our data modules draw them: how long the sequences are, and how far apart what matters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from literatim.claims.once import once
from literatim.datasets import lags, reber
from literatim.datasets.lags import LagDataModule, Sequences

Array = NDArray[Any]

# By the rows of Table 10.
TASKS: dict[str, Callable[[], LagDataModule]] = {
    **{f"1-{n}": lambda: reber.EmbeddedReber() for n in range(1, 6)},
    "2a": lambda: lags.NoiseFree(p=100),
    "2b": lambda: lags.NoiseFree(p=100, regular=False),
    **{f"2c-{n}": partial(lags.Distractors, p=p, q=p) for n, p in enumerate((50, 100, 200, 500, 1000), 1)},
    **{f"2c-{n}": partial(lags.Distractors, p=p, q=1000) for n, p in enumerate((500, 200, 100, 50), 6)},
    "3a": lambda: lags.TwoSequences(N=1),
    "3b": lambda: lags.TwoSequences(N=1, noisy=True),
    "3c": lambda: lags.TwoSequences(N=1, targets=(0.2, 0.8), target_noise=0.1),
    "4-1": lambda: lags.Marked(T=100),
    "4-2": lambda: lags.Marked(T=500),
    "4-3": lambda: lags.Marked(T=1000),
    "5": lambda: lags.Marked(T=100, target="product"),
    "6a": lambda: lags.TemporalOrder(2),
    "6b": lambda: lags.TemporalOrder(3),
}


def draw(task: str, many: int, number: int = 0) -> Sequences:
    data = TASKS[task]()
    if isinstance(data, reber.EmbeddedReber):
        data.sequences = many
        return data.chunk("train", 0, number)
    return data.draw(data.rng("train", 0, number), many, "train")


def drawn(task: str, many: int = 1000) -> Sequences:
    """The same, kept while claims are verified: for short sequences."""
    return once(("lstm-sequences", task, many), lambda: draw(task, many))


def places(found: Sequences, steps: Array) -> Array:
    """Of steps their places within their sequences, counted from 1."""
    starts = found.offsets[:-1]
    return steps - starts[np.searchsorted(starts, steps, "right") - 1] + 1


def relevant(task: str, found: Sequences) -> Array:
    """(N, k) the places of what a sequence's last target hangs on."""
    if task[0] in "456":
        marks = found.x[:, 1] == 1.0 if len(found.x) else found.ids >= 6
        return places(found, np.flatnonzero(marks)).reshape(len(found), -1)
    fixed = {"1": 2, "2a": 1, "2b": 1, "2": 2, "3": 1}
    return np.full((len(found), 1), fixed.get(task, fixed[task[0]]))


def ahead(task: str) -> int:
    """1 where the last target is the symbol after the last input, and so one more element of the sequence."""
    return int(task.startswith(("1", "2")))


def extremes(task: str) -> tuple[int, int, int]:
    """(least length, greatest length, last place of what matters): the lengths are drawn apart from the places."""

    def find() -> tuple[int, int, int]:
        least, most, latest = 10**9, 0, 0
        many, chunks = (200, 1) if task[0] in "12" else (500, 10 if task in ("4-2", "4-3") else 3)
        for number in range(chunks):
            found = draw(task, many, number)
            lengths = np.diff(found.offsets) + ahead(task)
            least, most = min(least, int(lengths.min())), max(most, int(lengths.max()))
            latest = max(latest, int(relevant(task, found).max()))
        return least, most, latest

    return once(("lstm-extremes", "1" if task[0] == "1" else task), find)


def least_length(task: str) -> int:
    """Elements of the shortest sequences, the one that is only predicted included."""
    return extremes(task)[0]


def most_length(task: str) -> int:
    return extremes(task)[1]


def lag(task: str) -> int:
    """The least number of steps between the last input that matters and the target.

    Where every symbol is predicted (1, 2a, 2b) that is the symbol itself; in Task 2c, as in Sec. 5.2, the trigger
    symbol, at which the target stands; elsewhere the last step.
    """
    least, _, latest = extremes(task)
    if task.startswith("1"):
        latest += 1  # the symbol before last repeats the second
    return least - latest - int(task.startswith("2c"))


# --- What the printed design gives, for the errata ---------------------------------------------------


def shortest_reber() -> int:
    """The steps from the second symbol of B T (B T X S E) T E to the symbol before last."""
    string = "BT" + "BTXSE" + "TE"
    return (len(string) - 1) - 2


def symbols_of_2a() -> int:
    """(y, a_1, ..., a_(p-1), y) for p = 100."""
    return len(["y", *range(1, 100), "y"])


def length_of_2c(q: int) -> int:
    return len(["b", "y", *["a"] * q, "e", "y"])


length_50 = partial(length_of_2c, 50)
length_100 = partial(length_of_2c, 100)
length_200 = partial(length_of_2c, 200)
length_500 = partial(length_of_2c, 500)
length_1000 = partial(length_of_2c, 1000)
