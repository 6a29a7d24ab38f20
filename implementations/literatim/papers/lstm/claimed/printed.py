"""Table 11 and the results: what recipes set, and what the printed numbers say of one another."""

from __future__ import annotations

import contextlib
import math
import statistics

from literatim.claims import given
from literatim.papers.lstm.claimed import tables
from literatim.papers.lstm.claimed.tasks import TASKS

# --- Recipes -----------------------------------------------------------------------------------------


def rate(task: str) -> float:
    return float(tables.option(task, "model.lr"))


def trials(task: str) -> int:
    return int(tables.option(task, "model.trials"))


def tolerance(task: str) -> float:
    return float(tables.option(task, "model.tolerance"))


def mean_error(task: str) -> float:
    return float(tables.option(task, "model.mean_error"))


def window(task: str) -> int:
    return int(tables.option(task, "model.window"))


def fewer_than(which: str) -> int:
    """The number of wrong sequences that a stop rule does not allow any more, `early-5` for instance."""
    name, task = which.split("-")
    return int(tables.option(task, {"early": "model.early_wrong", "late": "model.wrong"}[name])) + 1


def stops(task: str) -> int:
    """The rules by which training is stopped: the recipe's, and an earlier one where it has that."""
    earlier = ("model.early_wrong", "model.early_mean_error")
    return 1 + any(tables.option(task, name) is not None for name in earlier)


def sequences(task: str) -> int:
    """The most that a trial is shown."""
    return math.prod(int(tables.option(task, name)) for name in ("trainer.max_epochs", "data.chunks", "data.sequences"))


# --- What the printed numbers say of one another ---------------------------------------------------


def of_the_trials(which: str) -> float:
    """The percentage of Table 1 or 2 that so many trials of the recipe's number are: `2a-14` for instance."""
    task, _, good = which.rpartition("-")
    return 100 * int(good) / trials(task)


def of_the_test_set(which: str) -> float:
    """The fraction of all test sequences of a recipe's trials that so many are: `3a-5` for instance."""
    task, wrong = which.split("-")
    return int(wrong) / (trials(task) * TASKS[task]().tests)


def columns(result: str) -> int:
    """The columns of a table of results, Table 4 for instance, that tell when training was stopped."""
    found = 0
    for column in ("early_sequences", "sequences"):
        with contextlib.suppress(KeyError):
            found += given.stated("lstm", f"{result}.{column}") > 0
    return found


def stops_of_3c() -> int:
    """Table 6 has one where Tables 4 and 5, of 3a and 3b, have "stop: ST1" and "stop: ST2"."""
    assert columns("two-sequence-3a-100-3") == columns("two-sequence-3b-100-3") == 2
    return columns("two-sequence-3c-3")


def all_trials_of_experiment_1() -> int:
    return sum(trials(f"1-{n}") for n in range(1, 6))


def most_of_mse(wrong: float, tests: int, tolerance: float) -> float:
    """The largest mean squared error of outputs and targets in [0, 1] with so many errors above the tolerance."""
    return (wrong + (tests - wrong) * tolerance**2) / tests


MULTIPLICATION = {
    "140": ("multiplication-140.early_mse", "multiplication-140.early_wrong", "multiplication-140.early_error"),
    "13": ("multiplication-13.test_mse", "multiplication-13.test_wrong", "multiplication-13.test_error_most"),
}


def mse_can_be(which: str) -> bool:
    """Whether Table 8's mean squared error can go with its number of wrong sequences in our test set."""
    mse, wrong, _ = (given.stated("lstm", claim) for claim in MULTIPLICATION[which])
    return mse <= most_of_mse(wrong, TASKS["5"]().tests, tolerance("5"))


def mse_of_13_cannot_be() -> bool:
    """The same with what is printed alone: the size of the test set and the tolerance are Table 11's."""
    mse, wrong, _ = (given.stated("lstm", claim) for claim in MULTIPLICATION["13"])
    return mse > most_of_mse(wrong, int(given.stated("lstm", "test-set.5")), given.stated("lstm", "success.5"))


def mean_below_the_bound(which: str) -> bool:
    mse, _, bound = (given.stated("lstm", claim) for claim in MULTIPLICATION[which])
    return mse < bound


def mean_above_the_bound() -> bool:
    """A mean over trials cannot be above what each of them is below."""
    mse, _, bound = (given.stated("lstm", claim) for claim in MULTIPLICATION["13"])
    return mse > bound


def least_spread() -> float:
    """The smallest standard deviation, over the mean, of numbers with the mean, the extremes and the number of those
    above 700,000 that Table 7 and its caption give for T = 1000: those within are equal on either side."""
    mean, least, most = (
        given.stated("lstm", f"adding-4-3.{metric}") for metric in ("sequences", "sequences_least", "sequences_most")
    )
    n, above, limit = trials("4-3"), 3, 700_000
    below = limit  # the six others that do not exceed it, as near to the mean as they may be
    inside = (n * mean - least - most - (n - above - 1) * below) / (above - 1)
    numbers = [least, most, *[below] * (n - above - 1), *[inside] * (above - 1)]
    return statistics.stdev(numbers) / mean


def always_learns() -> bool:
    """Whether the percentages of Table 1 leave no trial without success."""
    rows = [f"1-{n}" for n in range(1, 6)]
    return all(round(trials(t) * (100 - given.stated("lstm", f"reber-{t}.solved")) / 100) == 0 for t in rows)


def two_failures() -> bool:
    """By the printed percentages of the printed number of trials two of them failed, as the caption says."""
    many = given.stated("lstm", "trials.1-1")
    solved = [given.stated("lstm", f"reber-1-{n}.solved") for n in range(1, 6)]
    return sum(round(many * (100 - share) / 100) for share in solved) == 2


def test_set(task: str) -> int:
    """Sequences of the set that a trial is tested on, that are none of training."""
    data = TASKS[task]()
    return len(data.pair(0)[1]) if task.startswith("1") else len(data.chunk("test").offsets) - 1


def stop_set(task: str) -> int:
    return len(TASKS[task]().chunk("check"))
