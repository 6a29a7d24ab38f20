"""Writing a phrase: a word at a time, each from the softmax and fed back to the decoder (Sec. 2.1, Sec. 2.2)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from literatim.papers.gru.model import EncoderDecoder
from literatim.parts.phrases import PAD


@torch.no_grad()
def written(net: EncoderDecoder, c: Tensor, longest: int, choose: Callable[[Tensor], Tensor]) -> Tensor:
    """(N, M) phrases with their ends and PAD behind; `choose` takes words (N,) from log-probabilities (N, K).

    A phrase that has no end within `longest` words is left without one.
    """
    h, context = net.decoder.start(c), net.decoder.context(c)
    y = torch.full((len(c),), PAD, dtype=torch.long, device=c.device)
    ended, phrases = torch.zeros_like(y, dtype=torch.bool), []
    for _ in range(longest + 1):
        found, h = net.decoder.step(y, h, context)
        y = choose(found).masked_fill(ended, PAD)
        phrases.append(y)
        ended = ended | (y == net.target_end)
        if ended.all():
            break
    return torch.stack(phrases, dim=1)


def likeliest(found: Tensor) -> Tensor:
    return found.argmax(dim=1)


def same(written: Tensor, y: Tensor) -> Tensor:
    """(N,): whether phrases (N, L) and (N, M) are the same words, ends included."""
    width = max(written.shape[1], y.shape[1])
    written, y = (torch.nn.functional.pad(side, (0, width - side.shape[1]), value=PAD) for side in (written, y))
    return (written == y).all(dim=1)
