r"""Training CBOW and Skip-gram (Sec. 4.2): stochastic gradient descent whose rate falls linearly to nothing."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

import literatim
from literatim.errors import LiteratimError
from literatim.papers.word2vec import formats
from literatim.papers.word2vec.evaluation import (
    Vectors,
    analogies,
    families,
    read_questions,
    read_similarities,
    sensible_neighbours,
    similarity,
)
from literatim.papers.word2vec.model import Word2Vec
from literatim.parts.smoke import Smoke

# Sec. 4.2 lets the rate "approach zero"; the released code stops at this part of the starting rate.
FLOOR = 1e-4


class Word2VecTraining(LightningModule):
    r"""Loss, optimiser, schedule and metrics.

    The network is made anew in `setup`, for the vocabulary of the data module; before that it has the words that its
    options say. Every prediction takes the step of the printed rate: a batch sums them, it does not average.

    Logged:

    - `online_loss`: nats a prediction, over an epoch, each measured before its update; `rate`: the last one;
    - `<set>_loss`: nats a prediction on the sets that the data module watches, with whole windows;
    - `<set>_gain`: nats by which that is below what the words' frequencies alone give;
    - `<set>_neighbours`: per cent of the words in families.txt whose nearest listed word is of their kind
      (`chance_neighbours`: of vectors that know nothing); only where the text has such words;
    - in the test, where files are named: `test_analogy_<semantic, syntactic, total>`, in per cent of all questions as
      the paper counts, `…_known` in per cent of those whose words are known, `test_similarity` and `…_covered`.

    Args:
        variant: a variant of the card
        options: options of the model, such as `dimension: 100`
        lr: the starting rate
        engine: who computes the updates: "plain" torch
        questions: a file of analogies, such as questions-words.txt
        similarities: a file of word pairs with judgements
    """

    paper = "word2vec"
    normalised = True  # the loss is that of a probability, so that it can be held against the words' frequencies
    seen: Tensor

    def __init__(
        self,
        variant: str = "cbow",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        lr: float = 0.025,
        engine: Literal["plain"] = "plain",
        questions: str | None = None,
        similarities: str | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.variant, self.options, self.lr, self.engine = variant, options, lr, engine
        self.questions, self.similarities = questions, similarities
        self.net = self.make()
        self.words: list[str] = []
        self.text = 0  # words of the training text
        # Predictions and their summed loss in the epoch so far; words of the text in the run so far.
        self.register_buffer("seen", torch.zeros(3, dtype=torch.float64), persistent=False)

    def make(self, **more: Any) -> Word2Vec:
        return cast(Word2Vec, literatim.load(self.paper, self.variant, **{**self.options, **more}))

    def setup(self, stage: str) -> None:
        """The network for the words of the data module."""
        data = self.trainer.datamodule
        vocabulary = getattr(data, "vocabulary", None)
        if vocabulary is None:
            return
        if self.trainer.world_size > 1:
            raise LiteratimError("the plain engine runs on one device: --trainer.devices 1")
        self.text = len(data.sets["train"])
        if self.words != vocabulary.words:
            self.words = vocabulary.words
            self.net = self.make(counts=vocabulary.counts.tolist())

    def forward(self, words: Tensor) -> Tensor:
        return self.net(words)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.net.parameters(), lr=self.lr)

    def rate(self) -> float:
        """The rate after the words of the text seen so far: in a straight line down to its floor over the whole run."""
        batches = self.trainer.estimated_stepping_batches
        whole = self.text * batches / max(1, int(self.trainer.num_training_batches)) if self.text else batches
        return self.lr * max(FLOOR, 1 - float(self.seen[2]) / whole)

    def on_train_epoch_start(self) -> None:
        self.seen[:2] = 0

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        centre, context, words = batch
        optimizer = self.optimizers()
        for group in optimizer.param_groups:
            group["lr"] = self.rate()
        loss = self.net.loss(centre, context)
        optimizer.zero_grad()
        if len(loss):
            self.manual_backward(loss.sum())
        optimizer.step()
        total = loss.detach().sum()
        self.seen += torch.stack([total.new_tensor(len(loss)), total, total.new_tensor(words)])
        return total / max(1, len(loss))

    def on_train_epoch_end(self) -> None:
        predictions, loss, _ = self.seen
        self.log("online_loss", (loss / predictions.clamp(min=1)).float())
        self.log("rate", self.rate())

    def on_validation_epoch_start(self) -> None:
        share = torch.tensor(self.net.counts, dtype=torch.float64)
        self.unigram = -(share / share.sum()).log().to(self.device)  # nats a word, from its frequency alone
        self.sums: dict[int, Tensor] = {}  # of each set: predictions, loss, unigram loss

    on_test_epoch_start = on_validation_epoch_start

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.evaluate(batch, dataloader_idx)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        self.evaluate(batch, 0)

    def evaluate(self, batch: Any, number: int) -> None:
        centre, context, _ = batch
        loss = self.net.loss(centre, context).double()
        _, target = self.net.predictions(centre, context)
        sums = torch.stack([loss.new_tensor(len(loss)), loss.sum(), self.unigram[target].sum()])
        self.sums[number] = self.sums.get(number, 0) + sums

    def on_validation_epoch_end(self) -> None:
        for number, name in enumerate(getattr(self.trainer.datamodule, "watch", ["val"])):
            self.report(name, number)

    def on_test_epoch_end(self) -> None:
        self.report("test", 0)
        if self.questions:
            scores = analogies(self.vectors(), read_questions(self.questions))
            for kind in ("semantic", "syntactic", "total"):
                self.log(f"test_analogy_{kind}", scores[kind].paper)
                self.log(f"test_analogy_{kind}_known", scores[kind].released)
        if self.similarities:
            found = similarity(self.vectors(), read_similarities(self.similarities))
            self.log("test_similarity", found.correlation)
            self.log("test_similarity_covered", float(found.covered))

    def report(self, name: str, number: int) -> None:
        predictions, loss, unigram = self.sums[number]
        self.log(f"{name}_loss", (loss / predictions.clamp(min=1)).float(), prog_bar=True)
        if self.normalised:
            self.log(f"{name}_gain", ((unigram - loss) / predictions.clamp(min=1)).float(), prog_bar=True)
        share, chance = sensible_neighbours(self.vectors(), families())
        if chance:
            self.log(f"{name}_neighbours", share, prog_bar=True)
            self.log("chance_neighbours", chance)

    def vectors(self) -> Vectors:
        """The words with their input vectors."""
        return Vectors(self.words, self.net.vectors.weight[: len(self.words)])

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """(N, V): the log-probabilities of all words, after each window."""
        centre, context, _ = batch
        return self.net(context if self.net.architecture == "cbow" else centre)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["words"], checkpoint["seen"] = self.words, self.seen.cpu()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if checkpoint["words"] != self.words:
            raise LiteratimError(
                f"the checkpoint is of another text or vocabulary ({len(checkpoint['words']):,} words, here "
                f"{len(self.words):,}); give data.source, data.min_count and the like as in that run"
            )
        self.seen.copy_(checkpoint["seen"])

    def smoke(self) -> Smoke:
        """Four windows of words that always stand together: twenty steps on them must lower the loss."""
        centre = torch.tensor([3, 5, 8, 13])
        context = torch.tensor([[5, 8], [3, 8], [3, -1], [21, 34]])
        return Smoke((centre, context, 1), "loss", "down", steps=20)

    # What `literatim predict` and `export` ask of a paper whose outcome is words with vectors.
    read_vectors, write_vectors = staticmethod(formats.read), staticmethod(formats.write)

    @staticmethod
    def vectors_of(checkpoint: dict[str, Any]) -> formats.WordVectors:
        """The words of a checkpoint and their input vectors."""
        words = checkpoint["words"]
        return formats.WordVectors(words, checkpoint["state_dict"]["net.vectors.weight"][: len(words)].float().numpy())

    @staticmethod
    def look_up(found: formats.WordVectors) -> Vectors:
        return Vectors(found.words, torch.from_numpy(found.vectors))
