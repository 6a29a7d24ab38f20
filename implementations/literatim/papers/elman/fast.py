"""One pass through a stream, compiled: the very updates of the readable model, without a graph to walk."""

from __future__ import annotations

from typing import Any

import numpy as np

from literatim.parts.compiled import kernel


@kernel
def one_pass(
    codes: Any, ids: Any, w: Any, b: Any, u: Any, v: Any, a: Any, context: Any, rate: float
) -> float:  # fmt: skip
    """Present each symbol and correct all weights before the next: the sum of the squared errors over the pass.

    `codes` (symbols, I), `ids` (T,); `w` (H, I), `b` (H,), `u` (H, H), `v` (O, H), `a` (O,) and `context` (H,) are
    changed in place. The last symbol is to be followed by the first.
    """
    hidden, blame = np.empty(len(b)), np.empty(len(b))
    total = 0.0
    for t in range(len(ids)):
        x, target = codes[ids[t]], codes[ids[(t + 1) % len(ids)]]
        for j in range(len(b)):
            s = b[j]
            for i in range(len(x)):
                if x[i] != 0.0:  # most inputs are off, and take part in nothing
                    s += w[j, i] * x[i]
            for i in range(len(b)):
                s += u[j, i] * context[i]
            hidden[j] = 1.0 / (1.0 + np.exp(-s))
            blame[j] = 0.0
        for k in range(len(a)):
            s = a[k]
            for j in range(len(b)):
                s += v[k, j] * hidden[j]
            y = 1.0 / (1.0 + np.exp(-s))
            error = y - target[k]
            total += error * error
            delta = error * y * (1.0 - y)
            for j in range(len(b)):
                blame[j] += delta * v[k, j]
                v[k, j] -= rate * delta * hidden[j]
            a[k] -= rate * delta
        for j in range(len(b)):
            delta = rate * blame[j] * hidden[j] * (1.0 - hidden[j])
            b[j] -= delta
            for i in range(len(x)):
                if x[i] != 0.0:
                    w[j, i] -= delta * x[i]
            for i in range(len(b)):
                u[j, i] -= delta * context[i]
        context[:] = hidden
    return total
