r"""Learning from streams without end (Sec. 4): an update at every symbol, many trials side by side."""

from __future__ import annotations

import statistics
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, cast

import numpy as np
import torch
from pytorch_lightning import LightningModule
from torch import Tensor

import literatim
from literatim.errors import LiteratimError
from literatim.papers.lstm_forget.engine import Exact, Plain, Way, is_right
from literatim.papers.lstm_forget.model import ForgetLSTM
from literatim.papers.lstm_forget.watching import picture, watch
from literatim.parts.grammars import SYMBOLS, Grammar, embedded_reber
from literatim.parts.smoke import Smoke
from literatim.parts.trials import Trials

GOOD = 1000  # Table 2: a solution is good where it predicts more symbols than this, on average, before a mistake
LONG = 10_000  # symbols over which the states are watched, mistakes or not


class ForgetTraining(LightningModule):
    r"""Learning rule, tests and metrics.

    A training stream goes on until the first mistake, or until its limit; the weights change after every symbol. After
    each training stream there is a test of ten streams with fixed weights. A trial is over once all of them reach the
    limit: a *perfect* solution (Table 2).

    Logged:

    - `solved` (per cent of the trials), `solved_trials`, `streams`, `streams_least`, …: perfect solutions, and the
      training streams they took, see `literatim.parts.trials.Trials.summary`;
    - `at_once`: perfect solutions, in per cent of the trials, after fewer than ten training streams;
    - `train_length`: symbols of a training stream before its mistake, mean of an epoch; `look_length`: those of the
      first test stream after it;
    - in the test, of the trials without a perfect solution: `test_good` and `test_rest`, in per cent of all trials,
      those whose mean over ten streams is more than 1000 symbols, and the others; `test_good_length` and
      `test_rest_length`, the means of these means; `test_state`: the median over all trials of the largest state in
      10,000 symbols.

    Args:
        variant: a variant of the card
        options: options of the model
        lr: $\alpha$ at the start of every training stream
        decay: by what it is multiplied after every symbol
        target: what the outputs are to be: 1 for every symbol that may follow ("legal"), or for the one that does
        allowed: a prediction is right where the squared error of every output is below this
        winners: whether in a test the units of the symbols that may follow must be the most active ones besides
        resets: whether states are set to zero from outside where a string begins
        symbols: a trial ends without a solution after so many training symbols; where none are given, never
        trials: networks that learn, each from a start and from streams of its own
        engine: "exact", compiled, or "plain", the readable module with autograd
        workers: threads of the compiled engine
    """

    learned: Tensor
    online: Tensor

    def __init__(
        self,
        variant: str = "extended",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        lr: float = 0.5,
        decay: float = 1.0,
        target: Literal["legal", "next"] = "legal",
        allowed: float = 0.49,
        winners: bool = True,
        resets: bool = False,
        symbols: int | None = None,
        trials: int = 100,
        engine: Literal["plain", "exact"] = "plain",
        workers: int = 1,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        for name, number in (("trials", trials), ("workers", workers), ("symbols", 1 if symbols is None else symbols)):
            if number < 1:
                raise LiteratimError(f"model.{name} is {number}; it must be at least 1")
        if not 0 < decay <= 1:
            raise LiteratimError(f"model.decay is {decay}; the rate is multiplied by more than 0 and at most 1")
        nets = [cast(ForgetLSTM, literatim.load("lstm-forget", variant, **options)) for _ in range(trials)]
        self.net, self.trials = nets[0], Trials(nets)
        self.engine, self.workers, self.symbols = engine, workers, symbols
        self.way = Way(lr, decay, target == "legal", allowed, winners, resets, limit=1, tests=1)
        self.register_buffer("learned", torch.zeros(trials, dtype=torch.int64))  # training symbols of each trial
        self.register_buffer("online", torch.zeros(3, dtype=torch.float64))  # of the epoch: streams, sums of lengths
        self.running: Exact | Plain | None = None

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(
            self.net.parameters(), lr=self.way.rate
        )  # it counts the steps, and learns in smoke tests

    def setup(self, stage: str) -> None:
        if self.trainer.world_size > 1:
            raise LiteratimError(
                "lstm-forget learns at every symbol, on one device: --trainer.devices 1; model.workers has threads"
            )
        if isinstance(grammar := getattr(self.trainer.datamodule, "grammar", None), Grammar):
            data = self.trainer.datamodule
            self.way = self.way._replace(limit=data.limit, tests=data.tests)
            if self.net.inputs != len(SYMBOLS) or self.net.outputs != len(SYMBOLS):
                found = f"{self.net.inputs} inputs and {self.net.outputs} outputs"
                raise LiteratimError(f"{grammar.name} has {len(SYMBOLS)} symbols, and the network {found}")

    def maker(self) -> Exact | Plain:
        if self.device.type != "cpu":
            raise LiteratimError("lstm-forget learns on the CPU: --trainer.accelerator cpu")
        if self.running is None:
            self.running = (Exact if self.engine == "exact" else Plain)(self.net, self.trials)
        return self.running

    def live(self) -> list[int]:
        """The trials that still learn."""
        return [k for k in self.trials.live() if self.symbols is None or int(self.learned[k]) < self.symbols]

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """A chunk of streams for every trial that learns; or sequences with their targets, learned by `net`."""
        if isinstance(batch, list | tuple):
            return self.learn_batch(*batch)
        number, live = int(batch), self.live()
        if live:
            self.maker()
        with ThreadPoolExecutor(self.workers) as pool:
            for sums in list(pool.map(lambda trial: self.learn(trial, number), live)):
                self.online += torch.tensor(sums, dtype=torch.float64)
        self.trainer.should_stop = self.trainer.should_stop or not self.live()
        self.optimizers().step()
        return torch.zeros(())

    def learn_batch(self, x: Tensor, targets: Tensor) -> Tensor:
        """(N, T, I) and (N, T, O): one step by the errors of all symbols."""
        loss = ((targets - self.net(x)) ** 2).sum() / 2
        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        return loss.detach()

    def learn(self, trial: int, number: int) -> tuple[int, float, float]:
        """A trial's share of a step: training streams, and the sums of their lengths and of the first test streams'."""
        data = self.trainer.datamodule
        found = self.maker().streams(
            trial,
            data.streams,
            data.grammar,
            self.way,
            data.rng("train", trial, number),
            data.rng("look", trial, number),
        )
        shown = data.streams if found.took is None else found.took
        self.trials.seen[trial] += shown
        self.learned[trial] += int(found.lengths[:shown].sum()) + shown
        if found.took is not None:
            self.trials.solved_at[trial] = self.trials.seen[trial]
        return shown, float(found.lengths[:shown].sum()), float(found.tests[:shown, 0].sum())

    def progress(self) -> dict[str, float]:
        at = self.trials.solved_at
        return self.trials.summary("streams") | {"at_once": 100 * float(((at >= 0) & (at < 10)).double().mean())}

    def on_train_epoch_end(self) -> None:
        streams, trained, looked = self.online.tolist()
        if streams:
            self.log_dict({"train_length": trained / streams, "look_length": looked / streams})
        self.log_dict(self.progress())
        self.online.zero_()

    def on_train_end(self) -> None:
        self.take_first()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.take_first()

    def take_first(self) -> None:
        """The network that is exported and asked is the first trial with a solution."""
        if self.trials.seen.any():
            self.trials.load_into(self.net, self.trials.first())

    def lengths(self, trial: int, purpose: str) -> float:
        """Symbols before the first mistake, the mean over the streams of a test."""
        data = self.trainer.datamodule
        found = self.maker().streams(trial, 1, data.grammar, self.way, None, data.rng(purpose, trial))
        return float(found.tests.mean())

    def state(self, trial: int) -> float:
        """The largest amount of a state of a trial, over many symbols, mistakes or not."""
        data, way = self.trainer.datamodule, self.way._replace(allowed=np.inf, winners=False, tests=1)
        many = min(LONG, 100 * data.limit)
        return self.maker().streams(trial, 1, data.grammar, way._replace(limit=many), None, data.rng("state")).largest

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        name = self.trainer.datamodule.watch[dataloader_idx]
        if isinstance(batch, list | tuple):
            self.log(f"{name}_error", (batch[1] - self.net(batch[0])).abs().mean())
            return
        found = statistics.fmean(self.lengths(trial, name) for trial in range(len(self.trials)))
        self.log(f"{name}_length", found, add_dataloader_idx=False, batch_size=1)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        unsolved = {trial: self.lengths(trial, "test") for trial in self.trials.live()}
        found = self.progress()
        for name, part in (
            ("good", [n for n in unsolved.values() if n > GOOD]),
            ("rest", [n for n in unsolved.values() if n <= GOOD]),
        ):
            found[f"test_{name}"] = 100 * len(part) / len(self.trials)
            if part:
                found[f"test_{name}_length"] = statistics.fmean(part)
        found["test_state"] = statistics.median(self.state(trial) for trial in range(len(self.trials)))
        self.log_dict(found, batch_size=1)

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """(N, T, O) for sequences; else (T, O) of a stream, by the first trial with a solution."""
        if isinstance(batch, list | tuple):
            return self.net(batch[0])
        symbols, _ = self.trainer.datamodule.grammar.walk(self.trainer.datamodule.rng("predict"), 100)
        return watch(self.net, symbols).outputs

    def read_text(self, text: str) -> tuple[list[int], list[set[int]]]:
        """A stream as it is written, BTBTSSX…; raises LiteratimError with the place of what cannot stand there."""
        return embedded_reber().read(text.strip())

    def answer(self, read: tuple[list[int], list[set[int]]]) -> list[dict[str, Any]]:
        """After each symbol: what may follow, the outputs, whether that is right, the forget gates."""
        symbols, may = read
        seen = watch(self.net, np.array(symbols))
        rows = []
        for t, symbol in enumerate(symbols):
            target = torch.zeros(len(SYMBOLS))
            target[sorted(may[t])] = 1
            row: dict[str, Any] = {"symbol": SYMBOLS[symbol], "may_follow": "".join(SYMBOLS[k] for k in sorted(may[t]))}
            row |= {f"p_{SYMBOLS[k]}": round(float(y), 3) for k, y in enumerate(seen.outputs[t])}
            row["right"] = is_right(seen.outputs[t], target, may[t], self.way.allowed, winners=True)
            row |= {f"forget_{b + 1}": round(float(y), 3) for b, y in enumerate(seen.forget[t])}
            rows.append(row)
        return rows

    def drawings(self) -> list[tuple[str, Any]]:
        """The states and forget gates of the first trial with a solution, as a stream passes through."""
        data = self.trainer.datamodule
        symbols, _ = data.grammar.walk(data.rng("drawing"), 600)
        return [("states", picture(watch(self.net, symbols), "".join(SYMBOLS[k] for k in symbols)))]

    def smoke(self) -> Smoke:
        """Four streams of twelve random symbols with random targets: twenty steps on them must lower the error."""
        generator = torch.Generator().manual_seed(0)
        x = torch.eye(self.net.inputs)[torch.randint(self.net.inputs, (4, 12), generator=generator)]
        return Smoke((x, torch.rand(4, 12, self.net.outputs, generator=generator)), "error", "down", steps=20)
