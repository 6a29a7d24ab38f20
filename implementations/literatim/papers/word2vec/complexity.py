r"""The complexities of Secs. 2 and 3: how many parameters are accessed for one training example.

$N$ words of context, $D$ dimensions, $H$ hidden units, $V$ words of vocabulary, $C$ the largest distance.
"""

from math import log2


def training(epochs: float, words: float, q: float) -> float:
    r"""Eq. 1: $O = E \times T \times Q$."""
    return epochs * words * q


def nnlm(n: int, d: int, h: int, v: int) -> float:
    r"""Eq. 2: $Q = N \times D + N \times D \times H + H \times V$."""
    return n * d + n * d * h + h * v


def rnnlm(h: int, v: int) -> float:
    r"""Eq. 3: $Q = H \times H + H \times V$."""
    return h * h + h * v


def cbow(n: int, d: int, v: int) -> float:
    r"""Eq. 4: $Q = N \times D + D \times \log_2(V)$."""
    return n * d + d * log2(v)


def skip_gram(c: int, d: int, v: int) -> float:
    r"""Eq. 5: $Q = C \times (D + D \times \log_2(V))$, "proportional to"."""
    return c * (d + d * log2(v))
