"""Analogy questions from lists of word pairs, by the rule that the authors' two test sets turn out to follow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files

Pair = tuple[str, str]
Question = tuple[str, str, str, str]
REACH = 39  # with how many others of its list a pair is asked at most


def read_pairs(package: str) -> dict[str, list[Pair]]:
    """category -> word pairs, of a package's `questions.txt`: `: category` and two words a line, `#` before a note."""
    found: dict[str, list[Pair]] = {}
    pairs: list[Pair] = []
    for line in files(package).joinpath("questions.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(":"):
            pairs = found.setdefault(line[1:].strip(), [])
        elif not line.startswith("#"):
            one, other = line.split()
            pairs.append((one, other))
    return found


def questions(pairs: Sequence[Pair]) -> list[Question]:
    """Each pair with those that follow it in the list, as in a circle: with all others, but `REACH` at most, and with
    none that has a word of its own at the same place."""
    following = range(1, min(REACH, len(pairs) - 1) + 1)
    both = [(pair, pairs[(i + step) % len(pairs)]) for i, pair in enumerate(pairs) for step in following]
    return [(*one, *other) for one, other in both if one[0] != other[0] and one[1] != other[1]]


def sha256(asked: Mapping[str, Sequence[Question]]) -> str:
    """Of the file with these questions, in the form of the authors' questions-words.txt."""
    lines = [line for name, some in asked.items() for line in (f": {name}", *map(" ".join, some))]
    return hashlib.sha256(("\n".join(lines) + "\n").encode()).hexdigest()
