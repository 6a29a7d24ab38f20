"""One update of the centred RMSProp in one pass over the memory, compiled by numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from literatim.parts.compiled import kernel

Floats = NDArray[np.float32]
Bits = NDArray[np.uint16]  # of numbers in bf16


@kernel
def update(
    p: Floats, g: Floats, m: Floats, n: Floats, lr: float, decay: float, squared_decay: float, least: float
) -> Any:
    """(n,) float32 each: parameters, gradients and their two running means; all but the gradients are changed."""
    rate, a, b, c = np.float32(lr), np.float32(decay), np.float32(squared_decay), np.float32(least)
    a1, b1 = np.float32(1 - decay), np.float32(1 - squared_decay)
    for i in range(len(p)):
        m[i] = a * m[i] + a1 * g[i]
        n[i] = b * n[i] + b1 * g[i] * g[i]
        p[i] -= rate * g[i] / np.sqrt(n[i] - m[i] * m[i] + c)


@kernel
def update_half(
    p: Floats, g: Bits, m: Floats, n: Floats, half: Bits, lr: float, decay: float, squared_decay: float, least: float
) -> Any:
    """The same with gradients in bf16, and of the parameters a copy in bf16, rounded to the nearest even."""
    rate, a, b, c = np.float32(lr), np.float32(decay), np.float32(squared_decay), np.float32(least)
    a1, b1 = np.float32(1 - decay), np.float32(1 - squared_decay)
    words, high, below, one = p.view(np.uint32), np.uint32(16), np.uint32(0x7FFF), np.uint32(1)
    for i in range(len(p)):
        gradient = np.uint32(np.uint32(g[i]) << high).view(np.float32)
        m[i] = a * m[i] + a1 * gradient
        n[i] = b * n[i] + b1 * gradient * gradient
        p[i] -= rate * gradient / np.sqrt(n[i] - m[i] * m[i] + c)
        half[i] = np.uint16((words[i] + below + ((words[i] >> high) & one)) >> high)
