"""What the sequences of Sec. 5's tasks hold, as our data modules draw them."""

from __future__ import annotations

import re

import numpy as np

from literatim.claims.once import once
from literatim.datasets import lags, reber
from literatim.papers.lstm.claimed.tasks import drawn, relevant

# --- Task 2c -----------------------------------------------------------------------------------------


def beyond_q() -> int:
    """By how much the mean length of 20,000 sequences exceeds q, to the nearest whole number."""
    data = lags.Distractors(p=50, q=50)
    found = data.draw(data.rng("train"), 30_000, "train")
    return round(float(np.diff(found.offsets).mean()) + 1 - data.q)


def expected_beyond_q() -> int:
    """4 + the sum over k of 1/10 (9/10)^k (q + k), less q; the sum cut where its terms are below 1e-12."""
    q = 50
    return round(4 + sum(0.1 * 0.9**k * (q + k) for k in range(600)) - q)


def occurrences_beyond_q() -> int:
    """p times the mean number of each distractor symbol in 20,000 sequences, less q."""
    data = lags.Distractors(p=50, q=50)
    found = data.draw(data.rng("train"), 30_000, "train")
    return round(float((found.ids < data.p).sum()) / 30_000 - data.q)


def expected_distractors_beyond_q() -> int:
    return round(sum(0.1 * 0.9**k * (50 + k) for k in range(600)) - 50)


def distractors_to_p() -> bool:
    """Whether the indices of distractor symbols go to q, as the two sets of sequences are printed."""
    data = lags.Distractors(p=50, q=60)
    found = data.draw(data.rng("train"), 1000, "train")
    in_between = found.ids[found.ids < data.p]
    return int(in_between.max()) + 1 == data.q


def symbols_to_p() -> bool:
    """Table 3 has q = 1,000 with p = 50: there are the symbols a_1 to a_50, and no a_1000."""
    p, q = 50, 1000
    return f"a_{q}" not in {f"a_{i}" for i in range(1, p + 1)}


# --- Reber strings -----------------------------------------------------------------------------------

# Fig. 3 as a regular expression: from the node at the bottom left, and the whole.
BOTTOM = "(?:T*VPX)*T*V(?:V|PS)"
REBER = f"B(?:TS*X(?:S|X{BOTTOM})|P{BOTTOM})E"
EMBEDDED = re.compile(f"B(?:T{REBER}T|P{REBER}P)E")


def strings(many: int = 2000) -> list[str]:
    def write() -> list[str]:
        rng = np.random.default_rng(0)
        return [reber.draw_string(rng) for _ in range(many)]

    return once(("lstm-strings", many), write)


def of_the_grammar() -> bool:
    return all(EMBEDDED.fullmatch(string) for string in strings())


def evenly() -> bool:
    """Whether T and P are as frequent as each other at the first choice of both grammars, and the loops as leaving."""
    found = strings()
    second = np.mean([string[1] == "T" for string in found])
    inner = np.mean([string[3] == "T" for string in found])
    stays = np.mean([string[4] == "S" for string in found if string[3] == "T"])
    error = 4 * 0.5 / np.sqrt(len(found) / 2)
    return all(abs(share - 0.5) < error for share in (second, inner, stays))


def second_before_last() -> bool:
    """Whether the symbol before last repeats the second one, and both kinds occur."""
    return all(s[1] == s[-2] for s in strings()) and {s[1] for s in strings()} == {"T", "P"}


def sets(which: str) -> int:
    """Strings in a set; those that the test set has in common with the training set; pairs of sets in thirty trials."""
    data = reber.EmbeddedReber()
    train, test = data.pair(0)
    pairs = {id(data.pair(trial)) for trial in range(30)}
    return {"training": len(train), "test": len(test), "common": len(set(train) & set(test)), "pairs": len(pairs)}[
        which
    ]


# --- Experiments 2 to 6 ------------------------------------------------------------------------------


def symbols(task: str) -> int:
    return int(drawn(task).ids.max()) + 1


def two_sequences_of_2a() -> bool:
    found = drawn("2a")
    whole = {
        (*row, last) for row, last in zip(found.ids.reshape(-1, 100).tolist(), found.following[found.ends], strict=True)
    }
    return whole == {(x, *range(99), x) for x in (99, 100)}


def middle_is_random() -> bool:
    middle = drawn("2b").ids.reshape(-1, 100)[:, 1:]
    return len({tuple(row) for row in middle.tolist()}) == len(middle) and middle.max() == 98


def noise(which: str) -> float:
    """The variance of the elements after the first N, or of the noise on the targets of Task 3c."""
    if which == "elements":
        found = drawn("3a")
        x = np.delete(found.x[:, 0], found.offsets[:-1])
        return round(float(x.var()), 2)
    found = drawn("3c", 10_000)
    targets, first = found.targets[:, 0], found.x[found.offsets[:-1], 0] > 0
    off = targets - np.where(first, targets[first].mean(), targets[~first].mean())
    return round(float(off.var() if which == "targets" else off.std()), 2)


def class_and_target(task: str) -> bool:
    """Whether class 1 begins with 1.0 and has the first target, class 2 with -1.0 and the second."""
    first, second = {"3a": (1.0, 0.0), "3c": (0.2, 0.8)}[task]
    found = drawn(task, 10_000 if task == "3c" else 1000)
    begins = found.x[found.offsets[:-1], 0]
    means = [found.targets[(begins > 0) == one].mean() for one in (True, False)]
    return bool(np.isin(begins, (1.0, -1.0)).all()) and np.allclose(means, (first, second), atol=0.02)


def noise_on_the_information() -> bool:
    """Task 3b: the informative element is 1 or -1 with noise of variance .2."""
    found = drawn("3b", 10_000)
    begins, kind = found.x[found.offsets[:-1], 0], found.targets[:, 0]
    return abs((begins - (2 * kind - 1)).var() - 0.2) < 0.01


def two_marked(task: str) -> bool:
    """Two pairs have the marker 1, the first and last have -1 or are marked, all others 0."""
    found = drawn(task)
    marker = found.x[:, 1]
    ends = np.concatenate([found.offsets[:-1], found.ends])
    inner = np.delete(marker, ends)
    return (
        relevant(task, found).shape == (len(found), 2)
        and bool(np.isin(marker[found.offsets[:-1]], (-1.0, 1.0)).all() and (marker[found.ends] == -1).all())
        and set(np.unique(inner)) == {0.0, 1.0}
    )


def values(task: str) -> tuple[int, ...]:
    """The interval of the numbers."""
    x = drawn(task).x[:, 0]
    return round(float(x.min()), 2), round(float(x.max()), 2)  # type: ignore[return-value]


def target(task: str) -> bool:
    """Whether the targets are .5 + (X1 + X2) / 4, or X1 times X2, with X1 = 0, or 1, where the first pair is marked."""
    found = drawn(task)
    marked = np.flatnonzero(found.x[:, 1] == 1.0).reshape(-1, 2)
    one, other = found.x[marked[:, 0], 0], found.x[marked[:, 1], 0]
    first = marked[:, 0] == found.offsets[:-1]
    wanted = 0.5 + (one + other) / 4 if task == "4-1" else one * other
    neutral = 0.0 if task == "4-1" else 1.0
    return bool(np.allclose(found.targets[:, 0], wanted)) and first.any() and bool((one[first] == neutral).all())


def targets_within(task: str) -> bool:
    found = drawn(task).targets
    return bool(found.min() >= 0 and found.max() <= 1)


def between(which: str) -> tuple[int, ...]:
    """The first and the last place of t1, t2 or t3 in Task 6a or 6b; `6a-t2` for instance."""
    task, name = which.split("-")
    column = relevant(task, drawn(task, 5000))[:, int(name[1]) - 1]
    return int(column.min()), int(column.max())


def framed(task: str) -> bool:
    """Whether a sequence starts with E, ends with B, and has a, b, c, d elsewhere but at the relevant places."""
    found = drawn(task)
    inner = np.delete(found.ids, np.concatenate([found.offsets[:-1], found.ends]))
    starts, ends = set(found.ids[found.offsets[:-1]]), set(found.ids[found.ends])
    return (starts, ends) == ({4}, {5}) and set(inner) == {0, 1, 2, 3, 6, 7}


def rule(symbols: str) -> int:
    """The class, counted from 0 in the printed order, of a sequence with these X and Y."""
    task = {2: "6a", 3: "6b"}[len(symbols)]
    found = drawn(task, 5000)
    order = found.ids[found.ids >= 6].reshape(len(found), -1) - 6
    like = (order == ["xy".index(letter) for letter in symbols]).all(axis=1)
    classes = np.unique(found.targets[like].argmax(axis=1))
    return int(classes[0]) if len(classes) == 1 else -1


def apart(which: str) -> int:
    """The least number of steps between the relevant inputs, and from the last to the end, of Task 6a."""
    found = drawn("6a", 5000)
    t1, t2 = relevant("6a", found).T
    return int(t2.min() - t1.max()) if which == "inputs" else int(np.diff(found.offsets).min() - t2.max())
