"""Training Skip-gram with negative sampling or hierarchical softmax, on text whose frequent words are thinned out."""

from __future__ import annotations

from typing import Any

import numpy as np

from literatim.errors import LiteratimError
from literatim.papers.word2vec.engine import Reading
from literatim.papers.word2vec.training import EngineName, Word2VecTraining
from literatim.papers.word2vec_phrases import engine as engines
from literatim.papers.word2vec_phrases.matrices import Matrices
from literatim.papers.word2vec_phrases.model import Subsampling, discarded


class SkipGramTraining(Word2VecTraining):
    r"""As the first paper's training, with sub-sampling of frequent words (Sec. 2.3).

    `<set>_gain` is logged for the hierarchical softmax alone: what NEG minimises is not the cost of a probability.
    Besides, `kept`: per cent of the words of the training text that sub-sampling is expected to leave.

    For negative sampling there are two more engines, which deviate from the paper to be faster: "shared" takes the same
    k noise words for all predictions of a centre word, and their steps at once; "torch" computes batches of a thousand
    words as matrix products, on any device, groups of 32 words with the same 32 noise words, each with k/32 of the
    weight, and caps the step of a row that stands in a batch often. Both have one outcome for a seed with one worker.

    Args:
        variant: a variant of the card
        options: options of the model, such as `dimension: 100`
        lr: the starting rate
        sample: t, the threshold of sub-sampling; 0 keeps every word
        subsampling: "printed", Eq. 5, or "released", the formula of the authors' code
        engine: who computes the updates: "plain" torch, "exact" or "shared", compiled, or "torch" in matrix products
        workers: threads of a compiled engine; where none are given, as many as torch takes
        questions: a file of analogies, such as questions-words.txt
        similarities: a file of word pairs with judgements
    """

    paper = "word2vec-phrases"

    def __init__(
        self,
        variant: str = "neg-5",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        lr: float = 0.025,
        sample: float = 1e-5,
        subsampling: Subsampling = "printed",
        engine: EngineName = "plain",
        workers: int | None = None,
        questions: str | None = None,
        similarities: str | None = None,
    ) -> None:
        super().__init__(variant, options, lr, engine, workers, questions, similarities)
        self.save_hyperparameters()
        self.sample, self.subsampling = sample, subsampling
        self.normalised = self.net.kind == "hs"
        self.kept = 100.0

    def setup(self, stage: str) -> None:
        super().setup(stage)
        if self.text:
            data = self.trainer.datamodule
            frequency = data.vocabulary.counts / data.vocabulary.counts.sum()
            data.keep = 1 - discarded(frequency.astype(np.float64), self.sample, self.subsampling)
            self.kept = 100 * float((frequency * data.keep).sum())

    def make_engine(self, reading: Reading) -> Any:
        if self.net.kind == "hs":
            return super().make_engine(reading)
        if self.engine == "torch":
            return Matrices(self.net, reading)
        if self.engine == "exact":
            return engines.Exact(self.net, reading, self.workers)
        if self.net.architecture == "cbow":
            raise LiteratimError(
                "CBOW makes one prediction of a centre word, so there is nothing to share; take --model.engine exact"
            )
        return engines.Shared(self.net, reading, self.workers)

    def on_train_epoch_end(self) -> None:
        super().on_train_epoch_end()
        self.log("kept", self.kept)
