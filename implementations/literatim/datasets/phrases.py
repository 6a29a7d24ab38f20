"""Phrases in a text of numbers and of any size: what `literatim.papers.word2vec_phrases.phrases` says in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from literatim.errors import LiteratimError

GATHERED = 1 << 22  # pairs that are sorted and counted at once


@dataclass(frozen=True)
class Phrases:
    """Pairs of neighbouring words that become one token, "new_york", before the vocabulary is made.

    Args:
        thresholds: of the score, one for each pass over the text, falling: a pass joins two tokens at most. Without any
            nothing is joined
        delta: what is taken off the count of a pair
        scoring: "printed", Eq. 6 of arXiv 1310.4546, or "released", that times the number of words in the text, as in
            the authors' word2phrase.c, whose demo has the thresholds 200 and 100
    """

    thresholds: list[float] = field(default_factory=list)
    delta: float = 5
    scoring: Literal["printed", "released"] = "printed"

    def __post_init__(self) -> None:
        said = ", ".join(f"{t:g}" for t in self.thresholds)
        if any(later >= earlier for earlier, later in pairwise(self.thresholds)):
            raise LiteratimError(f"data.phrases.thresholds are [{said}]; they must fall from pass to pass")
        if min([*self.thresholds, self.delta]) < 0:
            raise LiteratimError(f"data.phrases has thresholds [{said}] and delta {self.delta:g}; none may be negative")


def phrase_pairs(
    blocks: Iterable[tuple[NDArray[np.int32], NDArray[np.int64]]],
    counts: NDArray[np.int64],
    threshold: float,
    phrases: Phrases,
    prune_at: int,
) -> NDArray[np.int64]:
    """The pairs that score above the threshold, each as first x V + second, in rising order.

    Where there are more than `prune_at` different pairs the rarest are forgotten, as the released tool does.

    Args:
        blocks: the text, as ids with the lengths of the sentences they make up
        counts: (V,) how often each id occurs; a pair of which one has none is no phrase
    """
    # No pair occurs more often than its words, so one with a rarer word has no score above nothing.
    frequent = counts > phrases.delta
    keys, n, least = np.empty(0, np.int64), np.empty(0, np.int64), 1
    waiting: list[NDArray[np.int64]] = []

    def count() -> None:
        nonlocal keys, n, least
        new, times = np.unique(np.concatenate([np.empty(0, np.int64), *waiting]), return_counts=True)
        waiting.clear()
        keys, place = np.unique(np.concatenate([keys, new]), return_inverse=True)
        n, before = np.zeros(len(keys), np.int64), n
        np.add.at(n, place, np.concatenate([before, times]))
        while len(keys) > prune_at:
            keys, n, least = keys[n > least], n[n > least], least + 1

    for ids, lengths in blocks:
        inside = _inside(lengths) & frequent[ids[:-1]] & frequent[ids[1:]]
        waiting.append(ids[:-1][inside].astype(np.int64) * len(counts) + ids[1:][inside])
        if sum(map(len, waiting)) > GATHERED:
            count()
    count()
    first, second = np.divmod(keys, max(1, len(counts)))
    score = (n - phrases.delta) / (counts[first] * counts[second])
    if phrases.scoring == "released":
        score = score * counts.sum()
    return keys[score > threshold]


def joined(
    block: tuple[NDArray[np.int32], NDArray[np.int64]],
    vocabulary: int,
    pairs: NDArray[np.int64],
    phrases: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """A block of text with each of the `pairs` (as of `phrase_pairs`) replaced by its id among `phrases`.

    From left to right, and a word belongs to one phrase at most: of several pairs in a row every other one counts.
    """
    ids, lengths = block
    if not len(pairs) or len(ids) < 2:
        return block
    keys = ids[:-1].astype(np.int64) * vocabulary + ids[1:]
    place = np.minimum(np.searchsorted(pairs, keys), len(pairs) - 1)
    match = (pairs[place] == keys) & _inside(lengths)
    at = np.arange(len(match))
    begin = np.maximum.accumulate(np.where(match, -1, at))  # the last place before that is no pair
    taken = match & ((at - begin) % 2 == 1)
    gone = np.concatenate([[False], taken])
    new = ids.copy()
    new[:-1][taken] = phrases[place[taken]]
    return new[~gone], lengths - np.add.reduceat(gone.astype(np.int64), np.cumsum(lengths) - lengths)


def _inside(lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of each word of a block but the last, whether the next belongs to the same sentence."""
    inside = np.ones(max(0, int(lengths.sum()) - 1), dtype=np.bool_)
    inside[np.cumsum(lengths)[:-1] - 1] = False
    return inside
