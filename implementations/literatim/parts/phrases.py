"""Phrases as words, and words as indices."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from literatim.errors import LiteratimError, did_you_mean, quoted

UNKNOWN = "[UNK]"
PAD = -1  # behind the end of a phrase, where others are longer
Phrase = tuple[str, ...]


def tokens(text: str) -> Phrase:
    """Its words, and the marks at their ends as words of their own."""
    return tuple(re.sub(r"([,.!?;:])(?=\s|$)", r" \1", text).split())


@dataclass(frozen=True)
class Words:
    """The words of one language, of which the first is [UNK]; the index after the last marks the end of a phrase."""

    words: tuple[str, ...]
    unknown: bool  # whether phrases with other words were seen

    @classmethod
    def of(cls, phrases: Iterable[Phrase], at_most: int) -> Words:
        """The most frequent words, of equally frequent ones the first of the alphabet, in the alphabet's order."""
        counted = Counter(word for phrase in phrases for word in phrase)
        kept = sorted(counted, key=lambda word: (-counted[word], word))[: at_most - 1]
        return cls((UNKNOWN, *sorted(kept)), len(kept) < len(counted))

    def __len__(self) -> int:
        return len(self.words)

    def encoded(self, phrases: list[Phrase]) -> Tensor:
        """(N, T) int64: indices, the end, and PAD behind it."""
        index = {word: i for i, word in enumerate(self.words)}
        table = torch.full((len(phrases), 1 + max(map(len, phrases), default=0)), PAD)
        for row, phrase in enumerate(phrases):
            table[row, : len(phrase) + 1] = torch.tensor([*(index.get(word, 0) for word in phrase), len(self)])
        return table

    def decoded(self, ids: Tensor) -> str:
        """The phrase of indices (T,), up to its end."""
        listed = ids.tolist()
        end = listed.index(len(self)) if len(self) in listed else len(listed)
        return " ".join(self.words[i] for i in listed[:end] if i != PAD)

    def read(self, text: str) -> Tensor:
        """(1, T). Raises LiteratimError for no words, and for an unknown one where none was seen in training."""
        phrase = tokens(text)
        if not phrase:
            raise LiteratimError("there is no word in the phrase")
        for place, word in enumerate(phrase, 1):
            if word not in self.words and not self.unknown:
                raise LiteratimError(
                    f"word {place} of the phrase, {quoted(word)}, is none of the {len(self) - 1} words"
                    f"{did_you_mean(word, self.words)}"
                )
        return self.encoded([phrase])
