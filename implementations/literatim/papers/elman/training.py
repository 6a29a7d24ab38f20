r"""Training the simple recurrent network: back-propagation after every input, through one step and no further."""

from __future__ import annotations

from typing import Any, Literal, cast

import numpy as np
import torch
from pytorch_lightning import LightningModule
from torch import Tensor

import literatim
from literatim.errors import LiteratimError
from literatim.papers.elman import evaluation
from literatim.papers.elman.codes import EXTRA, SYMBOLS, WORDS, table
from literatim.papers.elman.drawings import figure
from literatim.papers.elman.engine import Engine
from literatim.papers.elman.model import SimpleRecurrentNetwork, squared_error
from literatim.parts.one_by_one import one_by_one
from literatim.parts.smoke import Smoke
from literatim.parts.trials import Trials

FRESH = ("xor", "letters")  # tested on a new sequence; the others on the very stream they have learned


class ElmanTraining(LightningModule):
    r"""Loss, updates and metrics, of several networks side by side.

    Each trial has a start and a stream of its own and passes through it again and again without a break: the last
    symbol is followed by the first, and the context is never reset. After every symbol all weights are corrected.
    `net` is the trial whose error over the last pass was least.

    Logged, as means over the trials; errors are squared errors summed over the output units, `test_` before each:

    - `online_loss`: a step's error over a pass, each measured before its update; `val_loss`: on a stream to watch;
    - xor: `predictable_error` of every third bit, `first_error` and `second_error` of the others, `cycle_1` to
      `cycle_12` (Fig. 3); per cent: `dips`, trials whose four least of these are the predictable ones;
      `rule_elsewhere`, predictions of unpredictable bits that are the exclusive or of the two before;
      `frequency_units`, trials with a unit for equal bits and one for unequal ones;
    - letters: `vowel_error`, `consonant_error`, `consonant_bit_error`, `high_bit_error` and these
      `…_at_consonants`; per cent: `consonant_bit_below`, predictions in which that error is the lower one;
      `vowels_right`, `consonants_right`, `consonant_bit_right`;
    - words: `start_error`, `second_error`, `third_error`, `fourth_error`, `end_error` of letters in their word; per
      cent of the words: `falls`, the error is lower at the end; `peaks`, it is highest at the start;
    - sentences: `actual_error`; `likelihood_error` against the corpus' likelihoods, `likelihood_deviation`,
      `likelihood_rms` (the root of the mean over the units); `cosine`, `cosine_deviation`; `afresh_…`, the same where
      any sentence may follow a sentence that is over; per cent of the trials:
      `tree_…`, a branch of the tree is that group of Fig. 7, `zog_human`, `zog_noun`; per cent of the occurrences:
      `tokens_right`, `places_boy`, `places_girl`; `tokens_alike`, occurrences with the very vector of another.

    Args:
        variant: a variant of the card
        options: options of the model, such as `hidden: 30`
        lr: the learning rate, which the paper does not print
        trials: networks that learn side by side
        engine: who computes the updates: "plain" torch with autograd, or "exact", the same compiled by numba
        workers: threads of the compiled engine, one trial each at a time
    """

    def __init__(
        self,
        variant: str = "letters",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        lr: float = 0.3,
        trials: int = 1,
        engine: Literal["plain", "exact"] = "plain",
        workers: int = 1,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.task = variant.partition("-")[0]
        self.lr, self.engine, self.workers = lr, engine, workers
        for name, given in (("trials", trials), ("workers", workers)):
            if given < 1:
                raise LiteratimError(f"model.{name} is {given}; it must be at least 1")
        nets = [cast(SimpleRecurrentNetwork, literatim.load("elman", variant, **options)) for _ in range(trials)]
        self.trials = Trials(nets)
        self.net = nets[0]
        self.codes = table(self.task)
        if self.net.from_input.in_features != self.codes.shape[1]:
            bits = self.codes.shape[1]
            raise LiteratimError(
                f"the symbols of {variant} are vectors of {bits} bits; leave inputs and outputs at that"
            )
        # Persistent, so that a run goes on where its stream and its memory were: (K, H), (K,).
        hidden = self.net.from_context.in_features
        self.register_buffer("contexts", torch.full((trials, hidden), 0.5, dtype=torch.float64))
        self.register_buffer("errors", torch.zeros(trials, dtype=torch.float64))
        self.running: Engine | None = None
        self.shown: evaluation.Run | None = None

    def setup(self, stage: str) -> None:
        """Raises LiteratimError for streams of another experiment, and for several devices."""
        data = self.trainer.datamodule
        if (task := getattr(data, "task", self.task)) != self.task:
            raise LiteratimError(f'a network for {self.task} cannot read the stream "{task}": --data.task {self.task}')
        if self.trainer.world_size > 1:
            raise LiteratimError(
                "elman corrects its weights after every input and runs on one device: --trainer.devices 1; the "
                "compiled engine has model.workers"
            )
        if hasattr(data, "stream"):
            self.streams = [data.stream("train", k) for k in range(len(self.trials))]

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.net.parameters(), lr=self.lr)

    def on_train_start(self) -> None:
        if self.engine == "exact":
            if self.device.type != "cpu":
                raise LiteratimError('the engine "exact" runs on the CPU: --trainer.accelerator cpu')
            self.running = Engine(self.trials, self.contexts.numpy(), self.workers)

    def on_train_end(self) -> None:
        self.running = None

    def on_train_epoch_start(self) -> None:
        self.errors.zero_()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        if isinstance(batch, Tensor):  # a sequence by itself
            error = self.plain_pass(batch, batch.roll(-1, 0), *self.net.start(1))[0]
            return torch.as_tensor(error / len(batch))
        if self.running:
            found = self.running.train(self.codes, [stream.ids for stream in self.streams], self.lr)
            self.optimizers().step()  # without gradients it changes nothing, and Lightning counts a step
        else:
            found = [self.plain_trial(k) for k in range(len(self.trials))]
        steps = [len(stream.ids) for stream in self.streams]
        self.trials.seen += torch.tensor(steps, device=self.device)
        self.errors += torch.tensor(found, dtype=torch.float64, device=self.device) / torch.tensor(
            steps, device=self.device
        )
        return self.errors.mean()

    def plain_trial(self, k: int) -> float:
        """A pass of trial k by the readable model with its autograd: the sum of its squared errors."""
        self.trials.load_into(self.net, k)
        x = torch.as_tensor(self.codes[self.streams[k].ids], device=self.device).to(self.net.output.weight.dtype)
        error, context = self.plain_pass(x, x.roll(-1, 0), self.contexts[k : k + 1].to(x.dtype))
        self.contexts[k] = context[0]
        for name in self.trials.names:
            self.trials.stacked(name)[k].copy_(self.net.get_parameter(name).detach())
        return error

    def plain_pass(self, inputs: Tensor, targets: Tensor, context: Tensor) -> tuple[float, Tensor]:
        """One update after each input (T, I), from a context (1, H); the summed squared errors and the last context."""
        optimizer, total = self.optimizers(), 0.0
        with one_by_one():
            for t in range(len(inputs)):
                y, context = self.net.step(inputs[t : t + 1], context)
                loss = squared_error(y, targets[t : t + 1])
                optimizer.zero_grad()
                loss.backward()
                # Lightning's wrapper counts a step: one for the pass.
                (optimizer if t == len(inputs) - 1 else optimizer.optimizer).step()
                total += 2 * float(loss.detach())
        return total, context

    def on_train_epoch_end(self) -> None:
        if hasattr(self, "streams"):
            self.trials.load_into(self.net, self.best())
            self.log("online_loss", (self.errors.mean() / self.trainer.num_training_batches).float())

    def best(self) -> int:
        """The trial with the least error over the last pass."""
        return int(self.errors.argmin())

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        if isinstance(batch, Tensor):
            y = self.net(batch[None])[0]
            loss = (y[:-1] - batch[1:]).square().sum(dim=1).mean()
        else:
            runs = [self.run(k, "val") for k in range(len(self.trials))]
            loss = torch.tensor(np.mean([run.squares.sum(axis=1).mean() for run in runs]), dtype=torch.float32)
        self.log("val_loss", loss, on_epoch=True, batch_size=1, add_dataloader_idx=False)

    def run(self, k: int, purpose: str, novel: str | None = None) -> evaluation.Run:
        """The way of trial k through a stream, in double precision and from the start. `novel`: a word in whose place
        stands one that the network has never met, with the last bit, which was kept free."""
        codes = self.codes.copy()
        if novel:
            codes[WORDS.index(novel)] = np.eye(codes.shape[1])[EXTRA[-1]]
        stream = self.streams[k] if purpose == "train" else self.trainer.datamodule.stream(purpose, k)
        shape = self.net.output.out_features, self.net.from_context.in_features
        net = SimpleRecurrentNetwork(codes.shape[1], shape[1], shape[0]).double()
        net.memory = self.net.memory
        self.trials.load_into(net, k)
        with torch.inference_mode(), one_by_one():
            y, hidden = net.run(torch.from_numpy(codes[stream.ids])[None])
        return evaluation.Run(stream.ids, stream.places, stream.units, codes, y[0].numpy(), hidden[0].numpy())

    def test_step(self, batch: Any, batch_idx: int) -> None:
        found = []
        for k in range(len(self.trials)):
            run = self.run(k, "test" if self.task in FRESH else "train")
            found.append(evaluation.METRICS[self.task](run))
            if self.task == "sentences":
                found[-1] |= evaluation.novel(self.run(k, "novel", evaluation.REPLACED), evaluation.REPLACED)
            self.shown = run if k == self.best() else self.shown
        for name in found[0]:
            self.log(f"test_{name}", float(np.mean([each[name] for each in found])), batch_size=1)

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """(T, O): the predictions after each symbol of a sequence."""
        return self.net(batch[None])[0]

    def drawings(self) -> list[tuple[str, Any]]:
        """The figure of the experiment, of `net` on the sequence that it was tested on."""
        return [("figure", figure(self.task, self.shown))] if self.shown else []

    def read_text(self, text: str) -> list[str]:
        """The symbols of a text: letters or bits, or of `sentences` the words. Raises LiteratimError for any other."""
        symbols = SYMBOLS[self.task]
        read = text.split() if self.task == "sentences" else [letter for letter in text if not letter.isspace()]
        for place, symbol in enumerate(read, 1):
            if symbol not in symbols:
                what = "word" if self.task == "sentences" else "letter"
                known = ", ".join(symbols) if len(symbols) < 30 else " ".join(symbols)
                raise LiteratimError(f'--text: {what} {place} is "{symbol}", and {self.task} has only {known}')
        if not read:
            raise LiteratimError(f"--text is empty; {self.task} has {', '.join(symbols)}")
        return read

    def answer(self, read: list[str]) -> list[dict[str, Any]]:
        """After each symbol which one the network expects, by the nearest code, and the error of what then comes."""
        symbols = SYMBOLS[self.task]
        codes = torch.as_tensor(self.codes, dtype=self.net.output.weight.dtype)
        ids = torch.tensor([symbols.index(symbol) for symbol in read])
        y = self.net(codes[ids][None])[0]
        nearest = torch.cdist(y, codes).argmin(dim=1)
        rows = []
        for t, symbol in enumerate(read):
            error = float((y[t] - codes[ids[t + 1]]).square().sum()) if t + 1 < len(read) else None
            row = {"symbol": symbol, "expects": symbols[nearest[t]], "error": error}
            rows.append(row | {f"output {i + 1}": float(unit) for i, unit in enumerate(y[t][:6])})
        return rows

    def smoke(self) -> Smoke:
        """Twelve symbols that come in turn: twenty passes, an update after each symbol, must lower the error."""
        ids = [0, 1, *range(min(4, len(self.codes)))]
        return Smoke(torch.tensor(self.codes[ids * 2], dtype=torch.float32), "loss", "down", steps=20)
