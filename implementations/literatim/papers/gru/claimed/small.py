"""Small networks in double precision whose gates do something, for checks by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from literatim.papers.gru import model

# Three phrases of one to four words over six, with their ends (the index 6 and 5) and nothing behind.
SOURCE = torch.tensor([[0, 3, 1, 5, 6], [2, 6, -1, -1, -1], [4, 4, 6, -1, -1]])
TARGET = torch.tensor([[1, 5, -1, -1], [2, 4, 0, 5], [3, 5, -1, -1]])


def small(**options: object) -> model.EncoderDecoder:
    """Five units, words in three numbers, output of rank 4 from two maxout units; every number drawn about zero."""
    sizes = {"source_words": 6, "target_words": 5, "hidden": 5, "embedding": 3, "rank": 4, "maxout": 2, **options}
    net = model.EncoderDecoder(**sizes).double()  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return net


def as_printed(**options: object) -> model.EncoderDecoder:
    """The network as printed, with shapes and no numbers."""
    with torch.device("meta"):
        return model.EncoderDecoder(**options)  # type: ignore[arg-type]


def close(found: Tensor, expected: Tensor) -> bool:
    return found.shape == expected.shape and bool((found - expected).abs().max() < 1e-10)
