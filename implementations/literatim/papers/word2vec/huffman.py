r"""The binary tree of the hierarchical softmax (Sec. 2.1): a Huffman tree over the words' counts.

The words are the leaves. Frequent words get short codes, so of the tree's inner nodes a prediction evaluates on
average hardly more than $\log_2$ of the words' unigram perplexity, where a balanced tree needs $\log_2 V$.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from literatim.errors import LiteratimError


@dataclass(frozen=True)
class HuffmanTree:
    """A binary tree with V leaves, the words 0 to V - 1, and V - 1 inner nodes, numbered from 0 in the order in which
    they were made, so that the root is the last.

    `parent` (2V - 1,): the inner node above each leaf and, from place V on, above each inner node; -1 for the root.
    `second` (2V - 1,): whether a node is its parent's second child, the more frequent of the two.
    """

    parent: NDArray[np.int64]
    second: NDArray[np.bool_]

    def __len__(self) -> int:
        """The number of words."""
        return (len(self.parent) + 1) // 2

    @classmethod
    def of(cls, counts: Sequence[int]) -> HuffmanTree:
        """Join the two rarest nodes until one is left. Raises LiteratimError for fewer than two words.

        Which of two equally rare nodes comes first is open. As in the released code (word2vec.c, CreateBinaryTree)
        inner nodes come before words, those made earlier first, and words with larger ids before those with smaller.
        """
        words = len(counts)
        if words < 2:
            raise LiteratimError(f"a tree needs at least two words, not {words}; take more text")
        parent, second = np.full(2 * words - 1, -1), np.zeros(2 * words - 1, dtype=bool)
        count = np.concatenate([np.asarray(counts, np.int64), np.zeros(words - 1, np.int64)])
        rising = np.lexsort((-np.arange(words), count[:words]))  # words, the rarest first
        # Inner nodes are made in the order of their counts: two queues take the place of a heap.
        leaf = inner = 0
        for made in range(words - 1):
            for commoner in (False, True):
                if leaf == words or (inner < made and count[words + inner] <= count[rising[leaf]]):
                    node, inner = words + inner, inner + 1
                else:
                    node, leaf = rising[leaf], leaf + 1
                parent[node], second[node] = made, commoner
                count[words + made] += count[node]
        return cls(parent, second)

    @cached_property
    def paths(self) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
        """(V, longest) the inner nodes from the root down to each word, and the turns there: 1 to the first child,
        -1 to the second, 0 past the end of a path, where the node is 0 and means nothing."""
        words = len(self)
        depth = np.zeros(2 * words - 1, dtype=np.int64)
        for node in range(2 * words - 3, -1, -1):  # from the root, which is the last node, downwards
            depth[node] = depth[words + self.parent[node]] + 1
        longest = int(depth[:words].max())
        nodes, turns = np.zeros((words, longest), np.int32), np.zeros((words, longest), np.int8)
        below, rows = np.arange(words), np.arange(words)
        while len(rows):
            above, place = self.parent[below], depth[below] - 1
            nodes[rows, place] = above
            turns[rows, place] = np.where(self.second[below], -1, 1)
            going_on = place > 0
            below, rows = words + above[going_on], rows[going_on]
        return nodes, turns

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(V,): how many inner nodes stand above each word, which is the length of its code in bits."""
        return np.count_nonzero(self.paths[1], axis=1)


def perplexity(counts: Sequence[int]) -> float:
    r"""The unigram perplexity: $2^H$ with the entropy $H = -\sum_w U(w) \log_2 U(w)$ of the words' frequencies."""
    share = np.asarray(counts, dtype=np.float64) / np.sum(counts)
    return float(2 ** -(share * np.log2(share)).sum())
