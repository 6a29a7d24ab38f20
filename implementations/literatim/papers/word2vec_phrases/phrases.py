r"""Sec. 4: words that often stand together, and seldom apart, become one token.

A pair of neighbours is a phrase where its score is above a threshold. Several passes over the text, each with a lower
threshold than the one before, make phrases of several words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from literatim.errors import LiteratimError

Sentence = list[str]
Scoring = Literal["printed", "released"]


@dataclass(frozen=True)
class Counts:
    """How often each word and each pair of neighbours within a sentence occurs; `total` words in all."""

    words: Counter[str]
    pairs: Counter[tuple[str, str]]
    total: int

    @classmethod
    def of(cls, text: Iterable[Sentence]) -> Counts:
        words: Counter[str] = Counter()
        pairs: Counter[tuple[str, str]] = Counter()
        for sentence in text:
            words.update(sentence)
            pairs.update(pairwise(sentence))
        return cls(words, pairs, words.total())

    def score(self, first: str, second: str, delta: float = 5, scoring: Scoring = "printed") -> float:
        r"""How much a pair is a phrase.

        "printed" is Eq. 6, $\frac{\mathrm{count}(w_i w_j) - \delta}{\mathrm{count}(w_i) \times
        \mathrm{count}(w_j)}$. "released" is that of the authors' word2phrase.c: the same times the number of words in
        the text, so that a threshold keeps its meaning in a longer one, $\delta$ being the minimum count, and nothing
        for words that occur less often than that.
        """
        one, other = self.words[first], self.words[second]
        if not one or not other or (scoring == "released" and min(one, other) < delta):
            return 0.0
        value = (self.pairs[first, second] - delta) / (one * other)
        return value * self.total if scoring == "released" else value


def joined(sentence: Sentence, counts: Counts, threshold: float, delta: float, scoring: Scoring) -> Sentence:
    """A sentence with its phrases as single tokens, their words joined by `_`.

    From left to right; a word belongs to one phrase at most, so a pass joins no more than two tokens, as in the
    released tool. The pair must score above the threshold, not at it.
    """
    found: Sentence = []
    free = False  # whether the last token is not yet part of a phrase of this pass
    for word, before in zip(sentence, [None, *sentence], strict=False):
        if free and before is not None and counts.score(before, word, delta, scoring) > threshold:
            found[-1] += f"_{word}"
            free = False
        else:
            found.append(word)
            free = True
    return found


def passes(
    text: Callable[[], Iterable[Sentence]],
    thresholds: Sequence[float],
    delta: float = 5,
    scoring: Scoring = "printed",
) -> Iterator[Sentence]:
    """The sentences of a text after one pass for each threshold: "2-4 passes … with decreasing threshold value".

    The thresholds and delta are not printed. The released demo makes two passes, at 200 and 100, with delta 5 and the
    score "released". `text` is called anew for each pass, so that the text need not fit into memory.
    Raises LiteratimError for thresholds that rise.
    """
    if any(later >= earlier for earlier, later in pairwise(thresholds)):
        raise LiteratimError(f"the thresholds {', '.join(f'{t:g}' for t in thresholds)} must fall from pass to pass")
    done: list[tuple[Counts, float]] = []

    def so_far() -> Iterator[Sentence]:
        for sentence in text():
            for counts, threshold in done:
                sentence = joined(sentence, counts, threshold, delta, scoring)
            yield sentence

    for threshold in thresholds:
        done.append((Counts.of(so_far()), threshold))
    return so_far()
