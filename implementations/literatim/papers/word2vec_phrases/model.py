r"""Skip-gram with negative sampling and sub-sampling (Mikolov, Sutskever, Chen, Corrado, Dean 2013), Sec. 2.

The Skip-gram model of the first paper with another output: logistic regression that tells the word that is there from
k words that are drawn from the noise. And before any of it, frequent words are thinned out. Phrases are in phrases.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.papers.word2vec.model import Architecture, ContextError, Word2Vec, table

Output = Literal["neg", "hs"]
Subsampling = Literal["printed", "released"]


class NegativeSampling(nn.Module):
    r"""The output layer NEG: for every prediction the objective of Eq. 4,

    $$\log \sigma({v'_{w_O}}^\top v_{w_I}) + \sum_{i=1}^{k} \mathbb{E}_{w_i \sim P_n(w)}
    \left[ \log \sigma(-{v'_{w_i}}^\top v_{w_I}) \right]$$

    with $P_n(w) = U(w)^{3/4}/Z$,
    each expectation by one draw. A draw may be the very word $w_O$: the formula does not leave it out.

    `words` holds the output vectors $v'_w$, one for each of the V words. They start at zero.

    Args:
        counts: (V,) how often each word occurs
        dimension: D
        k: negative samples for each prediction
        power: of the unigram distribution in the noise
    """

    noise: Tensor
    cumulative: Tensor

    def __init__(self, counts: Sequence[int], dimension: int, k: int = 5, power: float = 0.75) -> None:
        super().__init__()
        if k < 1:
            raise ValueError(f"k is {k}; negative sampling needs at least one negative sample")
        self.k = k
        raised = torch.tensor(counts, dtype=torch.float64) ** power
        self.register_buffer("noise", raised / raised.sum(), persistent=False)
        self.register_buffer("cumulative", self.noise.cumsum(0), persistent=False)
        self.words = table(len(counts), dimension)

    def draw(self, n: int) -> Tensor:
        """(n, k): words from the noise."""
        at = torch.rand(n, self.k, dtype=torch.float64, device=self.cumulative.device)
        return torch.searchsorted(self.cumulative, at, right=True).clamp(max=len(self.cumulative) - 1)

    def loss(self, h: Tensor, word: Tensor, negatives: Tensor | None = None) -> Tensor:
        """(N,): the negated objective of each prediction, with the noise words (N, k) or with draws."""
        if negatives is None:
            negatives = self.draw(len(h))
        positive = (self.words(word) * h).sum(dim=1)
        negative = (self.words(negatives) * h[:, None]).sum(dim=2)
        return -F.logsigmoid(positive) - F.logsigmoid(-negative).sum(dim=1)

    def forward(self, h: Tensor) -> Tensor:
        """(N, V): the log-probabilities of the softmax over all words (Eq. 2), which NEG does not learn to match."""
        return F.log_softmax(h @ self.words.weight.T, dim=1)


class SkipGram(Word2Vec):
    r"""The models of Table 1: `forward` takes the current words (N,) and gives the log-probabilities of all (N, V).

    The defaults are those of Sec. 3: 300 dimensions; NEG-5 is the first row of Table 1.

    Args:
        output: "neg", negative sampling, or "hs", the hierarchical softmax of the first paper
        k: negative samples for each prediction (neg)
        dimension: D, of the word vectors
        counts: (V,) how often each word occurs; where none are given, the counts of Zipf's law
        vocabulary: V, where no counts are given
        architecture: "cbow" predicts the current word from the average of those around it, as in the first paper; the
            released code joins it to either output, this paper does not speak of it
        context_error: what each word around takes of CBOW's error; see `Word2Vec`
    """

    def __init__(
        self,
        output: Output = "neg",
        k: int = 5,
        dimension: int = 300,
        counts: Sequence[int] | None = None,
        vocabulary: int = 30_000,
        architecture: Architecture = "skip-gram",
        context_error: ContextError = "share",
    ) -> None:
        self.k = k
        self.kind = output
        super().__init__(architecture, dimension, counts, vocabulary, context_error)

    def make_output(self, counts: Sequence[int], dimension: int) -> nn.Module:
        if self.kind == "hs":
            return super().make_output(counts, dimension)
        return NegativeSampling(counts, dimension, self.k)


def discarded(frequency: NDArray[np.float64], t: float, formula: Subsampling = "printed") -> NDArray[np.float64]:
    r"""With what probability an occurrence of a word of frequency $f$ is left out, where the threshold is $t$.

    "printed" is Eq. 5, $P(w) = 1 - \sqrt{t/f(w)}$, and nothing where that is negative: every word with $f \le t$ is
    kept. "released" is what the authors' word2vec.c computes, $1 - \sqrt{t/f} - t/f$, which keeps every word up to
    $f = 2.618\,t$, the square of the golden ratio. For frequent words the two come together.
    """
    if t <= 0:
        return np.zeros_like(frequency)
    ratio = t / frequency
    kept = np.sqrt(ratio) + (ratio if formula == "released" else 0)
    return np.clip(1 - kept, 0, 1)
