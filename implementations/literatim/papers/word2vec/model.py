r"""CBOW and Skip-gram (Mikolov, Chen, Corrado, Dean 2013), Sec. 3, Fig. 1.

Two log-linear models without a hidden layer. Each has two tables of vectors: one for words as inputs, which is what
is wanted in the end, and one for the outputs. CBOW predicts the current word from the average of the words around
it; Skip-gram predicts each word around it from the current word. The output is a hierarchical softmax over a Huffman
tree (Sec. 2.1), so that a prediction costs about $\log_2 V$ products in place of $V$.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.papers.word2vec.huffman import HuffmanTree

Architecture = Literal["cbow", "skip-gram"]
ContextError = Literal["share", "whole"]
LINE = 16  # float32 in a cache line of 64 bytes


def table(rows: int, dimension: int) -> nn.Embedding:
    """Vectors of zeros (rows, D), with room behind them: the compiled engines begin each on a cache line."""
    room = torch.zeros(rows * -(-dimension // LINE) * LINE)
    return nn.Embedding.from_pretrained(room[: rows * dimension].view(rows, dimension), freeze=False, sparse=True)


class HierarchicalSoftmax(nn.Module):
    r"""The output layer: a walk from the root of a binary tree to a word, one binary decision at every inner node.

    $$p(w \mid h) = \prod_{j=1}^{L(w)-1} \sigma\left([\![n(w, j+1) = \mathrm{ch}(n(w, j))]\!] \cdot
    {v'_{n(w,j)}}^\top h\right)$$

    Here $n(w, j)$ is the j-th node on the way to $w$ and $[\![x]\!]$ is 1 if x is
    true and -1 otherwise. This paper names the method and the tree; the formula is Eq. 3 of its sequel
    (arXiv 1310.4546). There $\mathrm{ch}(n)$ is "an arbitrary fixed child"; here it is the rarer one.

    `inner` holds a vector for each of the V - 1 inner nodes. They start at zero, where every decision is even.
    """

    nodes: Tensor
    turns: Tensor

    def __init__(self, counts: Sequence[int], dimension: int) -> None:
        super().__init__()
        nodes, turns = HuffmanTree.of(counts).paths
        self.register_buffer("nodes", torch.from_numpy(nodes), persistent=False)
        self.register_buffer("turns", torch.from_numpy(turns), persistent=False)
        self.inner = table(len(counts) - 1, dimension)

    def log_probability(self, h: Tensor, word: Tensor) -> Tensor:
        """(N,) of the words (N,) after the projections (N, D): the sum along their paths."""
        turns = self.turns[word]
        scores = turns * (self.inner(self.nodes[word]) * h[:, None]).sum(dim=2)
        return torch.where(turns == 0, 0, F.logsigmoid(scores)).sum(dim=1)

    def loss(self, h: Tensor, word: Tensor) -> Tensor:
        """(N,): what each prediction costs, in nats."""
        return -self.log_probability(h, word)

    def forward(self, h: Tensor) -> Tensor:
        """(N, V): the log-probabilities of all words. Evaluates every inner node: for small N."""
        scores = (h @ self.inner.weight.T)[:, self.nodes]  # (N, V, longest)
        return torch.where(self.turns == 0, 0, F.logsigmoid(self.turns * scores)).sum(dim=2)


class Word2Vec(nn.Module):
    r"""The two models of Fig. 1. Words are ids, the most frequent first.

    `forward` takes the input of a prediction, for Skip-gram (N,) the current words, for CBOW (N, any) the words
    around, -1 where there is none, and gives (N, V), the log-probabilities of all words. For training `loss` takes
    a batch of windows and looks only at what was predicted.

    The defaults are of Table 2, whose vocabulary is "the most frequent 30k words".

    Args:
        architecture: "cbow" (Sec. 3.1) or "skip-gram" (Sec. 3.2)
        dimension: D, of the word vectors
        counts: (V,) how often each word occurs, for the tree; where none are given, those of Zipf's law
        vocabulary: V, where no counts are given
        context_error: what each word around takes of CBOW's error: its "share", by the gradient of the average, or the
            "whole", as in the released code
    """

    def __init__(
        self,
        architecture: Architecture = "cbow",
        dimension: int = 300,
        counts: Sequence[int] | None = None,
        vocabulary: int = 30_000,
        context_error: ContextError = "share",
    ) -> None:
        super().__init__()
        if dimension < 1:
            raise ValueError(f"the dimension of word vectors is {dimension}; it must be at least 1")
        self.architecture, self.context_error = architecture, context_error
        self.counts = list(counts) if counts is not None else zipf(vocabulary)
        # In Fig. 1 the weights between INPUT and PROJECTION, shared for all positions (Sec. 3.1).
        self.vectors = table(len(self.counts), dimension)
        self.output = self.make_output(self.counts, dimension)
        # Open in the paper; as in the released code: inputs within half of 1/D, outputs at zero.
        nn.init.uniform_(self.vectors.weight, -0.5 / dimension, 0.5 / dimension)

    def make_output(self, counts: Sequence[int], dimension: int) -> nn.Module:
        return HierarchicalSoftmax(counts, dimension)

    def project(self, words: Tensor) -> Tensor:
        """(N, D), the projection layer: the vector of the current word (N,), or the average over the words (N, any)."""
        words = words.long()
        if self.architecture == "skip-gram":
            return self.vectors(words)
        present = (words >= 0).unsqueeze(2)
        # Sec. 3.1: "all words get projected into the same position (their vectors are averaged)".
        total = (self.vectors(words.clamp(min=0)) * present).sum(dim=1)
        average = total / present.sum(dim=1).clamp(min=1)
        if self.context_error == "whole":  # the value of the average with the gradient of the sum
            return average.detach() + (total - total.detach())
        return average

    def forward(self, words: Tensor) -> Tensor:
        return self.output(self.project(words))

    def predictions(self, centre: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """(input, target) of each prediction in a batch of windows: centres (N,), contexts (N, 2c) with -1 for none.

        CBOW makes one of each window. Skip-gram makes R x 2 (Sec. 3.2), fewer at the ends of a sentence: "the current
        word as input, and each of the R + R words as output".
        """
        if self.architecture == "cbow":
            return context, centre
        present = context >= 0
        return centre[:, None].expand_as(context)[present], context[present]

    def loss(self, centre: Tensor, context: Tensor) -> Tensor:
        """What each prediction of a batch costs, one number for each."""
        words, target = self.predictions(centre, context)
        return self.output.loss(self.project(words), target)


def zipf(vocabulary: int) -> list[int]:
    """Counts of so many words that fall as one over the rank, the rarest occurring once."""
    if vocabulary < 2:
        raise ValueError(f"the vocabulary has {vocabulary} words; it must have at least two")
    return [vocabulary // rank for rank in range(1, vocabulary + 1)]
