r"""Training the encoder and the decoder together (Sec. 2.2, Sec. 4.1.1): Adadelta on 64 pairs of phrases at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

import literatim
from literatim.errors import LiteratimError
from literatim.papers.gru.drawing import phrase_map
from literatim.papers.gru.model import EncoderDecoder
from literatim.papers.gru.table import PhraseTable
from literatim.papers.gru.writing import likeliest, same, written
from literatim.parts.phrases import PAD
from literatim.parts.smoke import Smoke

Pairs = tuple[Tensor, Tensor]
RANKED = 100  # source phrases of the test, each ranked against the target phrases of all of them
SAMPLES, TOP = 50, 5  # Table 3: the best five of fifty samples
OFFERED, FAVOURED = 500, 3  # Table 2 lists three target phrases of the phrase table; of so many we let one choose


class GRUTraining(LightningModule):
    r"""The conditional log-likelihood of Eq. 4, over the words of the target phrases alone.

    Logged:

    - `online_loss`: nats a word over an epoch, the end of a phrase a word too, each measured before its update;
    - `<set>_loss`: the same on the sets that the data module watches, and in the test;
    - `<set>_error`: per cent of their pairs where the likeliest words, one after another, are not the target phrase;
    - in the test, of 100 of its pairs: `test_first`, per cent of the source phrases that have their own target phrase
      scored best among all of these; `test_rank`, its mean rank; `test_words_preferred` and `test_words_offered`, the
      mean number of words of the target phrases scored best, and of all; and of the best five of 50 samples for each,
      `test_new`, per cent that are no target phrase of the phrase table;
    - `covered_source`, `covered_target`: per cent of the running words that are in the vocabulary.

    Args:
        variant: a variant of the card
        options: options of the model, such as `hidden: 100`
        rho: of Adadelta, how much of the mean squares is kept
        eps: of Adadelta, added to the mean squares
    """

    online: Tensor

    def __init__(
        self,
        variant: str = "rnn-encoder-decoder",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        rho: float = 0.95,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        if not 0 <= rho < 1:
            raise LiteratimError(f"model.rho is {rho}; it must be at least 0 and less than 1")
        if eps <= 0:
            raise LiteratimError(f"model.eps is {eps}; it must be more than 0, or Adadelta never moves")
        self.rho, self.eps = rho, eps
        self.net = cast(EncoderDecoder, literatim.load("gru", variant, **options))
        self.table = PhraseTable()
        # Nats and words of the epoch so far; saved with a checkpoint in its middle.
        self.register_buffer("online", torch.zeros(2, dtype=torch.float64), persistent=False)

    def setup(self, stage: str) -> None:
        data = self.trainer.datamodule
        if (words := getattr(data, "words", None)) is None:
            return
        for name, found, known in zip(
            ("source_words", "target_words"), words, (self.net.source_end, self.net.target_end), strict=True
        ):
            if len(found) != known:
                raise LiteratimError(
                    f"the phrases have {len(found):,} {name.replace('_', ' ')}, [UNK] among them, and the network "
                    f"{known:,}; make them equal: --model.options.{name} {len(found)}"
                )
        self.table.fill(data.sets["train"], words)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Zeiler's rule has no learning rate; torch's multiplies by one, which is 1 here."""
        return torch.optim.Adadelta(self.net.parameters(), lr=1.0, rho=self.rho, eps=self.eps)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.net(x, y)

    def on_train_epoch_start(self) -> None:
        self.online.zero_()

    def training_step(self, batch: Pairs, batch_idx: int) -> Tensor:
        x, y = trimmed(batch)
        loss = -self.net(x, y)
        self.online += torch.stack([loss.detach().double().sum(), (y != PAD).sum().double()])
        return loss.mean()

    def on_train_epoch_end(self) -> None:
        nats, words = self.online
        self.log("online_loss", (nats / words).float())

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["online"] = self.online.cpu()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.online.copy_(checkpoint["online"])

    # --- Evaluation ------------------------------------------------------------------------------------

    def on_validation_epoch_start(self) -> None:
        self.sums: dict[int, Tensor] = {}  # of each set: nats, words, pairs written otherwise, pairs

    on_test_epoch_start = on_validation_epoch_start

    def validation_step(self, batch: Pairs, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.evaluate(batch, dataloader_idx)

    def test_step(self, batch: Pairs, batch_idx: int) -> None:
        self.evaluate(batch, 0)

    def evaluate(self, batch: Pairs, number: int) -> None:
        x, y = trimmed(batch)
        c = self.net.encoder.read(x)
        nats = -self.net.score(c, y).double().sum()
        wrong = ~same(written(self.net, c, y.shape[1], likeliest), y)
        sums = torch.stack([nats, (y != PAD).sum().double(), wrong.sum().double(), nats.new_tensor(len(y))])
        self.sums[number] = self.sums.get(number, 0) + sums

    def on_validation_epoch_end(self) -> None:
        for number, name in enumerate(getattr(self.trainer.datamodule, "watch", ["val"])):
            self.report(name, number)

    def on_test_epoch_end(self) -> None:
        self.report("test", 0)
        data = self.trainer.datamodule
        for name, value in self.ranking(trimmed(tuple(side[:RANKED] for side in data.sets["test"]))).items():
            self.log(f"test_{name}", value)
        for side, share in zip(("source", "target"), data.covered, strict=True):
            self.log(f"covered_{side}", share)

    def report(self, name: str, number: int) -> None:
        nats, words, wrong, pairs = self.trainer.strategy.reduce(self.sums[number], reduce_op="sum")
        self.log(f"{name}_loss", (nats / words).float(), prog_bar=True)
        self.log(f"{name}_error", (100 * wrong / pairs).float(), prog_bar=True)

    def ranking(self, pairs: Pairs) -> dict[str, float]:
        """How the pairs' own target phrases are ranked among those of all, and what is written for the sources."""
        x, y = (side.to(self.device) for side in pairs)
        offered, own = torch.unique(y, dim=0, return_inverse=True)
        length = (offered != PAD).sum(dim=1).float() - 1
        ranks, preferred, new = [], [], []
        for i, c in enumerate(self.net.encoder.read(x)):
            scores = self.scores(c, offered)
            ranks.append(1 + int((scores > scores[own[i]]).sum()))
            preferred.append(float(length[scores.argmax()]))
            new += [not self.table.holds(phrase) for phrase, _, _ in self.sampled(c, i)]
        share = sum(rank == 1 for rank in ranks) / len(ranks)
        return {
            "first": 100 * share,
            "rank": sum(ranks) / len(ranks),
            "words_preferred": sum(preferred) / len(preferred),
            "words_offered": float(length.mean()),
            "new": 100 * sum(new) / len(new),
        }

    def scores(self, c: Tensor, offered: Tensor) -> Tensor:
        """(N,): log p of phrases (N, M) given one summary (hidden,)."""
        return self.net.score(c.expand(len(offered), -1), offered)

    def sampled(self, c: Tensor, seed: int) -> list[tuple[Tensor, float, int]]:
        """(phrase, score, how often) of the best of 50 samples, as in Table 3; samples that do not end are left out."""
        random = torch.Generator().manual_seed(seed)

        def draw(found: Tensor) -> Tensor:
            return torch.multinomial(found.exp().cpu(), 1, generator=random)[:, 0].to(found.device)

        made = written(self.net, c.expand(SAMPLES, -1), self.table.target.shape[1], draw)
        ended = made[(made == self.net.target_end).any(dim=1)]
        if not len(ended):
            return []
        phrases, times = torch.unique(ended, dim=0, return_counts=True)
        scores = self.scores(c, phrases)
        best = torch.argsort(scores, descending=True, stable=True)[:TOP].tolist()
        return [(phrases[i], float(scores[i]), int(times[i])) for i in best]

    # --- What `literatim predict --text` asks ----------------------------------------------------------

    def read_text(self, text: str) -> str:
        if not text.strip():
            raise LiteratimError("there is no word in the phrase: --text needs one, such as --text 'ninety seven'")
        return text

    def answer(self, read: str) -> list[dict[str, Any]]:
        """Of the phrase table the three target phrases scored best (Table 2), and the best samples (Table 3).

        From the table those pairs are offered that share most words with the phrase. Raises LiteratimError for a word
        that the network does not know.
        """
        source, target = self.table.words()
        x = source.read(read).to(self.device)
        c = self.net.encoder.read(x)[0]
        offered = self.table.offered(x[0], OFFERED)
        scores = self.scores(c, offered)
        best = torch.argsort(scores, descending=True, stable=True)[:FAVOURED].tolist()
        rows = [("phrase table", offered[i], float(scores[i]), "") for i in best]
        rows += [("network", phrase, score, f"x{times}") for phrase, score, times in self.sampled(c, 0)]
        return [
            {"from": of, "log p": score, "sampled": times, "phrase": target.decoded(phrase)}
            for of, phrase, score, times in rows
        ]

    def predict_step(self, batch: Pairs, batch_idx: int) -> Tensor:
        """(N,): the scores log p(y | x)."""
        return self.net(*trimmed(batch))

    def drawings(self) -> Iterator[tuple[str, Any]]:
        """The map of phrase vectors (Fig. 5) of the test phrases that have four or more words."""
        x = self.trainer.datamodule.sets["test"][0]
        if (figure := phrase_map(self.net.encoder, x.to(self.device), self.table.words()[0])) is not None:
            yield "phrases", figure

    def smoke(self) -> Smoke:
        """Three pairs of one and two words: thirty steps on them must lower the loss."""
        x = torch.tensor([[1, 2, self.net.source_end], [3, self.net.source_end, PAD], [4, 5, self.net.source_end]])
        y = torch.tensor([[1, self.net.target_end, PAD], [2, 3, self.net.target_end], [4, self.net.target_end, PAD]])
        return Smoke((x, y), "loss", "down", steps=30)


def trimmed(batch: Any) -> Pairs:
    """The same pairs without the steps behind the end of the longest phrase."""
    x, y = batch
    return x[:, : int((x != PAD).sum(dim=1).max())], y[:, : int((y != PAD).sum(dim=1).max())]
