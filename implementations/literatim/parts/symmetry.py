"""All vectors of six bits, and whether each is symmetrical about its middle (Rumelhart, Hinton and Williams 1986)."""

from __future__ import annotations

import torch
from torch import Tensor

from literatim.errors import LiteratimError

BITS = 6


def all_vectors(low: float = 0.0) -> tuple[Tensor, Tensor]:
    """(inputs, answers): (64, 6) of 1 and `low`, in the order of the binary numbers; (64, 1), 1 where symmetrical."""
    bits = torch.tensor([[number >> place & 1 for place in reversed(range(BITS))] for number in range(2**BITS)])
    symmetrical = (bits == bits.flip(1)).all(dim=1, keepdim=True)
    return torch.where(bits > 0, 1.0, low).double(), symmetrical.double()


def read_vector(text: str) -> Tensor:
    """(6,) int64: a vector written as "100001". Raises LiteratimError with the place of what is no bit of it."""
    for place, letter in enumerate(text, start=1):
        if letter not in "01":
            raise LiteratimError(f'"{text}", place {place}: "{letter}" is no bit; a vector is {BITS} letters 0 or 1')
    if len(text) != BITS:
        raise LiteratimError(f'"{text}" has {len(text)} bits; a vector has {BITS}, such as 100001')
    return torch.tensor([int(letter) for letter in text])
