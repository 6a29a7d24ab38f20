"""The phrase table: what the network learned from and what its words are, as tensors that a checkpoint has."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from literatim.parts.number_words import number_pairs
from literatim.parts.phrases import Words

BETWEEN = "\n"  # no word holds a line's end


class PhraseTable(nn.Module):
    """Pairs (N, T) and (N, M) of words as indices, and the words of both languages as bytes.

    Before it is told any, the table has the numbers up to 9,999 in words, those of the recipe `quick`.
    """

    source: Tensor
    target: Tensor
    source_words: Tensor
    target_words: Tensor

    def __init__(self) -> None:
        super().__init__()
        pairs = list(number_pairs(9999))
        words = Words.of((x for x, _ in pairs), len(pairs)), Words.of((y for _, y in pairs), len(pairs))
        x, y = words[0].encoded([x for x, _ in pairs]), words[1].encoded([y for _, y in pairs])
        tensors = (*map(as_int, (x, y)), *map(as_bytes, words))
        for name, tensor in zip(("source", "target", "source_words", "target_words"), tensors, strict=True):
            self.register_buffer(name, tensor)

    def fill(self, pairs: tuple[Tensor, Tensor], words: tuple[Words, Words]) -> None:
        self.source, self.target = (as_int(side).to(self.source.device) for side in pairs)
        self.source_words, self.target_words = (as_bytes(of).to(self.source.device) for of in words)

    def words(self) -> tuple[Words, Words]:
        return as_words(self.source_words), as_words(self.target_words)

    def offered(self, x: Tensor, number: int) -> Tensor:
        """(at most `number`, M) int64: the target phrases of the pairs that share most words with x (T,), each once.

        A word that stands in a pair's source phrase twice counts twice.
        """
        shared = (self.source[:, :, None] == x.to(self.source.dtype)).any(dim=2).sum(dim=1)
        length = (self.source >= 0).sum(dim=1)
        # Of pairs that share as many words those first that have fewer others.
        order = torch.argsort(-shared * 1000 + length, stable=True)[:number]
        return torch.unique(self.target[order], dim=0).long()

    def holds(self, y: Tensor) -> bool:
        """Whether a phrase (M,) is a target of the table."""
        row = torch.full(self.target.shape[1:], -1, dtype=self.target.dtype, device=self.target.device)
        if len(y := y[y >= 0]) > len(row):
            return False
        row[: len(y)] = y
        return bool((self.target == row).all(dim=1).any())

    def _load_from_state_dict(self, state: Any, prefix: str, *rest: Any) -> None:
        """A table of another size is as good."""
        for name, buffer in self.named_buffers():
            if (found := state.get(prefix + name)) is not None:
                setattr(self, name, buffer.new_empty(found.shape))
        super()._load_from_state_dict(state, prefix, *rest)


def as_int(table: Tensor) -> Tensor:
    return table.to(torch.int32)


def as_bytes(words: Words) -> Tensor:
    text = BETWEEN.join((*words.words, "1" if words.unknown else "0"))
    return torch.tensor(list(text.encode()), dtype=torch.uint8)


def as_words(encoded: Tensor) -> Words:
    *words, unknown = bytes(encoded.tolist()).decode().split(BETWEEN)
    return Words(tuple(words), unknown == "1")
