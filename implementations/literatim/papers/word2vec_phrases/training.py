"""Training Skip-gram with negative sampling or hierarchical softmax, on text whose frequent words are thinned out."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from literatim.papers.word2vec.training import Word2VecTraining
from literatim.papers.word2vec_phrases.model import Subsampling, discarded


class SkipGramTraining(Word2VecTraining):
    r"""As the first paper's training, with sub-sampling of frequent words (Sec. 2.3).

    `<set>_gain` is logged for the hierarchical softmax alone: what NEG minimises is not the cost of a probability.
    Besides, `kept`: per cent of the words of the training text that sub-sampling is expected to leave.

    Args:
        variant: a variant of the card
        options: options of the model, such as `dimension: 100`
        lr: the starting rate
        sample: t, the threshold of sub-sampling; 0 keeps every word
        subsampling: "printed", Eq. 5, or "released", the formula of the authors' code
        engine: who computes the updates: "plain" torch
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
        engine: Literal["plain"] = "plain",
        questions: str | None = None,
        similarities: str | None = None,
    ) -> None:
        super().__init__(variant, options, lr, engine, questions, similarities)
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

    def on_train_epoch_end(self) -> None:
        super().on_train_epoch_end()
        self.log("kept", self.kept)
