r"""Training CBOW and Skip-gram (Sec. 4.2): stochastic gradient descent whose rate falls linearly to nothing."""

from __future__ import annotations

import time
from typing import Any, Literal, cast

import numpy as np
import torch
from pytorch_lightning import LightningModule
from torch import Tensor

import literatim
from literatim.errors import LiteratimError
from literatim.papers.word2vec import formats
from literatim.papers.word2vec.engine import STRETCH, Engine, Reading
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

EngineName = Literal["plain", "exact", "shared", "torch"]
# Sec. 4.2 lets the rate "approach zero"; the released code stops at this part of the starting rate.
FLOOR = 1e-4


class Word2VecTraining(LightningModule):
    r"""Loss, optimiser, schedule and metrics.

    The network is made anew in `setup`, for the vocabulary of the data module; before that it has the words that its
    options say. Every prediction takes the step of the printed rate: a batch sums them, it does not average.

    The engine "plain" is the readable model with its autograd, an update for every batch of windows. "exact" is the
    same algorithm compiled by numba, an update for every prediction, on all cores; with one worker its outcome follows
    from the seed, with more no two runs are quite the same.

    Logged:

    - `online_loss`: nats a prediction, over an epoch, each measured before its update ("exact": every 32nd of them);
      `rate`: the last one;
    - `minutes` of training so far, and `words_per_second` of the text, reading and evaluation apart;
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
        engine: who computes the updates: "plain" torch or "exact", compiled
        workers: threads of a compiled engine; where none are given, as many as torch takes
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
        engine: EngineName = "plain",
        workers: int | None = None,
        questions: str | None = None,
        similarities: str | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.variant, self.options, self.lr, self.engine = variant, options, lr, engine
        self.questions, self.similarities = questions, similarities
        self.workers = torch.get_num_threads() if workers is None else workers
        if self.workers < 1:
            raise LiteratimError(f"model.workers is {workers}; it must be at least 1")
        self.net = self.make()
        self.running: Any = None  # the engine, while it trains
        self.seconds = 0.0  # of training in the run so far
        self.words: list[str] = []
        self.text = 0  # words of the training text
        # Predictions and their summed loss in the epoch so far; words of the text in the run so far.
        self.register_buffer("seen", torch.zeros(3, dtype=torch.float64), persistent=False)

    def make(self, **more: Any) -> Word2Vec:
        return cast(Word2Vec, literatim.load(self.paper, self.variant, **{**self.options, **more}))

    def setup(self, stage: str) -> None:
        """The network for the words of the data module."""
        if self.questions:  # here too, where a broken file costs no training
            read_questions(self.questions)
        if self.similarities:
            read_similarities(self.similarities)
        data = self.trainer.datamodule
        vocabulary = getattr(data, "vocabulary", None)
        if vocabulary is None:
            return
        if self.trainer.world_size > 1:
            raise LiteratimError(
                "word2vec trains on one device: --trainer.devices 1; a compiled engine has model.workers"
            )
        self.text = len(data.sets["train"])
        if self.engine != "plain":
            data.stretch = STRETCH
        if self.words != vocabulary.words:
            self.words = vocabulary.words
            self.net = self.make(counts=vocabulary.counts.tolist())

    def forward(self, words: Tensor) -> Tensor:
        return self.net(words)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.net.parameters(), lr=self.lr)

    def whole(self) -> float:
        """Words of the text in the whole run."""
        batches = self.trainer.estimated_stepping_batches
        return self.text * batches / max(1, int(self.trainer.num_training_batches)) if self.text else batches

    def rate(self) -> float:
        """The rate after the words of the text seen so far: in a straight line down to its floor over the whole run."""
        return self.lr * max(FLOOR, 1 - float(self.seen[2]) / self.whole())

    def make_engine(self, reading: Reading) -> Any:
        """What trains on stretches of text in place of `training_step`'s autograd."""
        if self.engine != "exact":
            raise LiteratimError(
                f'the engine "{self.engine}" shares noise words, and the hierarchical softmax has none; take '
                "--model.engine exact"
            )
        return Engine(self.net, reading, self.workers)

    def on_train_start(self) -> None:
        if self.engine == "plain":
            return
        data = self.trainer.datamodule
        keep = np.ones(len(self.words)) if data.keep is None else data.keep
        if self.engine != "torch" and self.device.type != "cpu":
            raise LiteratimError(f'the engine "{self.engine}" runs on the CPU: --trainer.accelerator cpu')
        self.running = self.make_engine(Reading(data.window, data.radius == "uniform", keep.astype(np.float32)))

    def on_train_end(self) -> None:
        self.running = None

    def on_train_epoch_start(self) -> None:
        self.seen[:2] = 0

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        start = time.perf_counter()
        predictions, loss, words = self.take_stretch(batch) if self.running else self.take_windows(batch)
        total = torch.as_tensor(loss, dtype=torch.float64, device=self.device)
        self.seen += torch.stack([total.new_tensor(predictions), total, total.new_tensor(words)])
        self.seconds += time.perf_counter() - start
        return total / max(1, predictions)

    def take_stretch(self, batch: Any) -> tuple[int, float, int]:
        ids, offsets, seed = batch
        slope, least = self.lr / self.whole(), self.lr * FLOOR
        predictions, loss = self.running.train(ids, offsets, seed, self.rate(), slope, least)
        self.optimizers().step()  # there are no gradients: it counts the steps
        return predictions, loss, len(ids)

    def take_windows(self, batch: Any) -> tuple[int, Tensor, int]:
        centre, context, words = batch
        optimizer = self.optimizers()
        for group in optimizer.param_groups:
            group["lr"] = self.rate()
        loss = self.net.loss(centre, context)
        optimizer.zero_grad()
        if len(loss):
            self.manual_backward(loss.sum())
        optimizer.step()
        return len(loss), loss.detach().sum(), words

    def on_train_epoch_end(self) -> None:
        predictions, loss, _ = self.seen
        self.log("online_loss", (loss / predictions.clamp(min=1)).float())
        self.log("rate", self.rate())
        self.log("minutes", self.seconds / 60)
        self.log("words_per_second", float(self.seen[2]) / max(1e-9, self.seconds))

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
        checkpoint["words"], checkpoint["seen"], checkpoint["seconds"] = self.words, self.seen.cpu(), self.seconds

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if checkpoint["words"] != self.words:
            raise LiteratimError(
                f"the checkpoint is of another text or vocabulary ({len(checkpoint['words']):,} words, here "
                f"{len(self.words):,}); give data.source, data.min_count and the like as in that run"
            )
        self.seen.copy_(checkpoint["seen"])
        self.seconds = checkpoint["seconds"]

    def smoke(self) -> Smoke:
        """Four windows of words that always stand together: twenty steps on them must lower the loss."""
        centre = torch.tensor([3, 5, 8, 13])
        context = torch.tensor([[5, 8], [3, 8], [3, -1], [21, 34]])
        return Smoke((centre, context, 1), "loss", "down", steps=20)

    # What `literatim predict` and `export` ask of a paper whose outcome is words with vectors.
    read_vectors, write_vectors = staticmethod(formats.read), staticmethod(formats.write)

    @staticmethod
    def vectors_of(checkpoint: dict[str, Any]) -> formats.WordVectors:
        """The words of a checkpoint and their input vectors. Raises ValueError where they are not both there."""
        words = [str(word) for word in checkpoint["words"]]
        table = checkpoint["state_dict"]["net.vectors.weight"][: len(words)].float()
        if not words or table.dim() != 2 or len(table) < len(words) or not table.isfinite().all():
            raise ValueError
        return formats.WordVectors(words, table.numpy())

    @staticmethod
    def unit_vectors(found: Vectors) -> formats.WordVectors:
        """The other way, of vectors of which nothing but the directions is left."""
        return formats.WordVectors(found.words, found.table.numpy())

    @staticmethod
    def look_up(found: formats.WordVectors) -> Vectors:
        return Vectors(found.words, torch.from_numpy(found.vectors))
