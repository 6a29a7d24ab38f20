"""The engines of negative sampling that are compiled: independent noise words, and noise words shared by a centre."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from literatim.papers.word2vec.engine import Engine, widened


class Exact(Engine):
    """Every prediction has noise words of its own."""

    def compiled(self, width: int) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        from literatim.papers.word2vec_phrases import fast

        output: Any = self.net.output
        tables = (widened(output.words).numpy(), *fast.alias(output.noise.numpy()))
        return self.kernel_of(fast, width, output.k), tables

    def kernel_of(self, fast: Any, width: int, k: int) -> Callable[..., Any]:
        return fast.independent(width, *self.reads, k)


class Shared(Exact):
    """All predictions of a centre word have the same noise words (Skip-gram)."""

    def kernel_of(self, fast: Any, width: int, k: int) -> Callable[..., Any]:
        return fast.shared(width, k)
