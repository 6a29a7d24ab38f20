r"""Learning long time lags as in Sec. 5: one sequence after the other, many trials side by side, each until its end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule
from torch import Tensor

import literatim
from literatim.errors import LiteratimError
from literatim.papers.lstm import reading
from literatim.papers.lstm.engine import Exact, Found, Plain, Recent, Rule, Update
from literatim.papers.lstm.model import LSTM
from literatim.parts.sequences import Sequences
from literatim.parts.smoke import Smoke
from literatim.parts.trials import Trials

Right = Literal["all", "end", "legal"]
# The columns of what is kept of a trial's first stop: sequences, wrong, mean absolute error, mean squared error.
EARLY = 4


class LSTMTraining(LightningModule):
    r"""Loss, learning rule, stop rule and metrics.

    Learning is on-line, by truncated gradient descent on the squared error (Appendix A.1). A trial is over once it
    meets the stop rule, which is one of two:

    - "recent" (Experiments 4 to 6): of the `window` most recent training sequences at most `wrong` are wrong, and their
      mean error is below `mean_error`;
    - "test" (Experiments 1 to 3): after every `check` sequences, of a test set at most `wrong` are, and its mean error
      is below `mean_error`.

    A sequence is wrong where the error of an output reaches `tolerance`: at any step with a target ("all"), or at the
    last one ("end"); or where a unit is the most active that may not come next ("legal").

    Logged:

    - `solved`, `solved_trials`, `sequences`, `sequences_least`, …: of the trials that met the stop rule, see
      `literatim.parts.trials.Trials.summary`; `sequences_seen`: the mean over all trials;
    - `early_sequences`, `early_trials` and `early_wrong`, `early_error`, `early_mse`: the same of the first of two stop
      rules, and the test at that moment, where `early_wrong` or `early_mean_error` is given;
    - `test_wrong`, `test_wrong_most`: wrong sequences of the test set, mean and most over the trials that met the stop
      rule (over all, where none did); `test_misclassified`, the mean as a fraction; `test_error`, `test_error_most`:
      mean absolute error; `test_mse`: mean squared error; all in the units of the outputs;
    - `train_error`: mean absolute error of an epoch's training sequences; `val_error`: of the watched set's;
    - `cells_at`: after how many sequences the memory cells came (`grow`).

    Args:
        variant: a variant of the card
        options: options of the model
        lr: $\alpha$
        trials: networks that learn, each from a start and from sequences of its own
        update: weights change after every "step" with an error, or once a "sequence"; the same where errors are at the
            ends alone
        factor: "one" as in Eq. 19, or "two" as Eqs. 16 and 17 have it
        output_slope: whether the error of an output unit is multiplied by the slope of its logistic function, as in
            Eq. 19; without it what is learned from is cross-entropy
        rule, check, window, wrong, mean_error, right, tolerance, error: the stop rule; `error` says whether errors are
            "absolute" or "squared" before they are compared with tolerance and mean
        early_wrong, early_mean_error: a first rule, of which only the moment is told
        grow: the memory cells come only once the error has stopped decreasing: once the mean over `check` sequences is
            not below that of the `check` before
        engine: "exact", compiled, or "plain", the readable module with autograd
        workers: threads of the compiled engine
    """

    early: Tensor
    awake_at: Tensor
    recent: Tensor
    before: Tensor
    online: Tensor

    def __init__(
        self,
        variant: str = "adding",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        lr: float = 0.5,
        trials: int = 10,
        update: Update = "step",
        factor: Literal["one", "two"] = "one",
        output_slope: bool = True,
        rule: Literal["recent", "test"] = "recent",
        check: int = 100,
        window: int = 2000,
        wrong: int = 0,
        mean_error: float | None = None,
        right: Right = "end",
        tolerance: float = 0.04,
        error: Literal["absolute", "squared"] = "absolute",
        early_wrong: int | None = None,
        early_mean_error: float | None = None,
        grow: bool = False,
        engine: Literal["plain", "exact"] = "plain",
        workers: int = 1,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        for name, number in (("trials", trials), ("check", check), ("window", window), ("workers", workers)):
            if number < 1:
                raise LiteratimError(f"model.{name} is {number}; it must be at least 1")
        nets = [cast(LSTM, literatim.load("lstm", variant, **options)) for _ in range(trials)]
        self.net, self.trials, self.variant = nets[0], Trials(nets), variant
        if grow and not nets[0].shortcut:
            raise LiteratimError("model.grow needs outputs that see the inputs, else nothing learns before the cells")
        self.rate = lr * (2 if factor == "two" else 1)
        self.update, self.check, self.grow, self.right = update, check, grow, right
        self.by_test, self.engine, self.workers = rule == "test", engine, workers
        self.output_slope = output_slope
        self.rule = Rule(tolerance, wrong, np.inf if mean_error is None else mean_error, error == "squared")
        self.first_rule = self.make_first_rule(early_wrong, early_mean_error)
        # Of each trial: its first stop; when its cells came, -1 before; the recent errors; the error when it last was
        # looked whether it decreases.
        self.register_buffer("early", torch.full((trials, EARLY), -1.0, dtype=torch.float64))
        self.register_buffer("awake_at", torch.full((trials,), -1 if grow else 0))
        self.register_buffer("recent", torch.full((trials, 2, 1 if self.by_test else window), np.inf).double())
        self.register_buffer("before", torch.full((trials,), np.inf, dtype=torch.float64))
        self.register_buffer("online", torch.zeros(2, dtype=torch.float64))  # sequences and summed error of the epoch
        self.running: Exact | Plain | None = None
        self.kept: dict[tuple[int, str], Sequences] = {}  # the test sets by which training stops

    def make_first_rule(self, wrong: int | None, mean_error: float | None) -> Rule | None:
        if wrong is None and mean_error is None:
            return None
        mean = np.inf if mean_error is None else mean_error
        return self.rule._replace(wrong=self.rule.wrong if wrong is None else wrong, mean_error=mean)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.net.parameters(), lr=self.rate)  # it only counts the steps

    def setup(self, stage: str) -> None:
        if self.trainer.world_size > 1:
            raise LiteratimError("lstm learns on-line, on one device: --trainer.devices 1; model.workers has threads")

    def running_engine(self, given: Sequences) -> Exact | Plain:
        if self.device.type != "cpu":
            raise LiteratimError("lstm learns on the CPU: --trainer.accelerator cpu")
        if self.running is None:
            symbols, net = len(given.ids) > 0, self.net
            width = net.inputs if symbols else given.x.shape[1]
            if width != net.inputs or (symbols and int(given.ids.max()) >= net.inputs):
                raise LiteratimError(f"the data have other inputs than the network, which has {net.inputs}")
            self.running = (Exact if self.engine == "exact" else Plain)(net, self.trials, symbols, self.output_slope)
        return self.running

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """One chunk of every trial that still learns; or sequences of one length with targets, learned by `net`."""
        if isinstance(batch, list | tuple):
            return self.learn_batch(*batch)
        number = int(batch)
        live = self.trials.live()
        data = self.trainer.datamodule
        if live:
            self.running_engine(data.chunk("train", live[0], number))
        with ThreadPoolExecutor(self.workers) as pool:
            done = list(pool.map(lambda trial: self.learn(trial, data.chunk("train", trial, number)), live))
        for many, error in done:
            self.online += torch.tensor([many, error], dtype=torch.float64)
        self.trainer.should_stop = self.trainer.should_stop or not self.trials.live()
        self.optimizers().step()
        return torch.tensor(sum(error for _, error in done) / max(1, sum(many for many, _ in done)))

    def learn_batch(self, x: Tensor, targets: Tensor) -> Tensor:
        """(N, T, I) and (N, O): one step by the errors at the ends, summed over the sequences."""
        loss = ((targets - self.net(x)[:, -1]) ** 2).sum() / 2
        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        return loss.detach()

    def learn(self, trial: int, given: Sequences) -> tuple[int, float]:
        """A trial's share of a step: (sequences that it was shown, the sum of their mean errors)."""
        n, error = 0, 0.0
        while n < len(given) and self.trials.solved_at[trial] < 0:
            first, last = n, len(given)
            if self.by_test or self.awake_at[trial] < 0:
                last = min(last, first + self.check - int(self.trials.seen[trial]) % self.check)
            n, met, found = self.go_on(trial, given, first, last)
            error += float(found.mean[first:n].sum())
            if self.awake_at[trial] < 0:
                self.see_whether_to_grow(trial, float(found.square[first:n].mean()))
            elif met or (self.by_test and self.trials.seen[trial] % self.check == 0):
                self.stop_if(trial, met)
        return n, error

    def go_on(self, trial: int, given: Sequences, first: int, last: int) -> tuple[int, bool, Found]:
        recent, seen = None, int(self.trials.seen[trial])
        if not self.by_test:
            rule = self.first_rule if self.first_rule and self.early[trial, 0] < 0 else self.rule
            recent = Recent(self.recent[trial].numpy(), seen, rule)
        engine = self.running_engine(given)
        n, met, found, _ = engine.learn(
            trial, given, first, last, self.rate, self.update, bool(self.awake_at[trial] >= 0), recent
        )
        self.trials.seen[trial] += n - first
        return n, met, found

    def see_whether_to_grow(self, trial: int, error: float) -> None:
        if error >= float(self.before[trial]):
            self.awake_at[trial] = self.trials.seen[trial]
        self.before[trial] = error

    def stop_if(self, trial: int, met: bool) -> None:
        """Note the first stop, and the last; by a test where that is the rule, else as the recent sequences met it."""
        if self.first_rule and self.early[trial, 0] < 0 and (met or self.passes(trial, self.first_rule)):
            wrong, error, square = self.score(trial, "test")
            self.early[trial] = torch.tensor([float(self.trials.seen[trial]), wrong, error, square])
            met = False
        if (self.first_rule is None or self.early[trial, 0] >= 0) and (met or self.passes(trial, self.rule)):
            self.trials.solved_at[trial] = self.trials.seen[trial]

    def passes(self, trial: int, rule: Rule) -> bool:
        """Whether the test set by which training stops is passed; only as much of it is looked at as is needed."""
        if not self.by_test:
            return False
        given = self.test_set(trial, "check")
        wrong, errors, n = 0, 0.0, 0
        while n < len(given):
            first, n = n, min(len(given), max(8, 4 * n))
            found = self.running_engine(given).evaluate(trial, given, first, n, awake=True)
            bad, mean, square = self.judge(given, found)
            wrong += int(bad[first:n].sum())
            errors += float((square if rule.squared else mean)[first:n].sum())
            if wrong > rule.wrong:
                return False
        return errors / len(given) < rule.mean_error

    def test_set(self, trial: int, purpose: str) -> Sequences:
        """Drawn once: the same at every look."""
        kept = self.kept
        if (trial, purpose) not in kept:
            drawn = self.trainer.datamodule.chunk(purpose, trial)
            if purpose != "check":
                return drawn
            kept[trial, purpose] = drawn
        return kept[trial, purpose]

    def judge(self, given: Sequences, found: Found) -> tuple[NDArray[np.bool_], NDArray[Any], NDArray[Any]]:
        """Of each sequence whether it is wrong, its mean absolute error, its mean squared error."""
        largest, mean, square = found.largest, found.mean, found.square
        if self.right == "end" and len(given.following):
            target = np.eye(self.net.outputs)[given.following[given.ends]]
            error = np.abs(target - found.final)
            largest, mean, square = error.max(axis=1), error.mean(axis=1), (error**2).mean(axis=1)
        if self.right == "legal":
            return found.misled > 0, mean, square
        return (largest**2 if self.rule.squared else largest) >= self.rule.tolerance, mean, square

    def score(self, trial: int, purpose: str) -> tuple[float, float, float]:
        """On a whole test set: sequences that are wrong, mean absolute error, mean squared error."""
        given = self.test_set(trial, purpose)
        awake = bool(self.awake_at[trial] >= 0)
        found = self.running_engine(given).evaluate(trial, given, 0, len(given), awake)
        wrong, mean, square = self.judge(given, found)
        return float(wrong.sum()), float(mean.mean()), float(square.mean())

    def progress(self) -> dict[str, float]:
        found = self.trials.summary("sequences") | {"sequences_seen": float(self.trials.seen.double().mean())}
        early = self.early[self.early[:, 0] >= 0]
        if self.first_rule:
            found["early_trials"] = float(len(early))
            if len(early):
                found |= dict(
                    zip(("early_sequences", "early_wrong", "early_error", "early_mse"), early.mean(0).tolist(),
                        strict=True)
                )  # fmt: skip
        if self.grow and (self.awake_at >= 0).any():
            found["cells_at"] = float(self.awake_at[self.awake_at >= 0].double().mean())
        return found

    def on_train_epoch_end(self) -> None:
        sequences, error = self.online.tolist()
        if sequences:
            self.log("train_error", error / sequences)
        self.log_dict(self.progress())
        self.online.zero_()

    def on_train_end(self) -> None:
        self.take_first()

    def take_first(self) -> None:
        """The network that is exported and asked is the first trial that learned."""
        if self.trials.seen.any():
            self.trials.load_into(self.net, self.trials.first())

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        name = self.trainer.datamodule.watch[dataloader_idx]
        if isinstance(batch, list | tuple):
            self.log(f"{name}_error", (batch[1] - self.net(batch[0])[:, -1]).abs().mean())
            return
        scores = np.array([self.score(trial, name) for trial in range(len(self.trials))])
        wrong, error, _ = scores.mean(axis=0).tolist()
        found = {f"{name}_wrong": wrong, f"{name}_error": error}
        self.log_dict(found, add_dataloader_idx=False, batch_size=1)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        solved = torch.nonzero(self.trials.solved_at >= 0).flatten().tolist()
        scores = np.array([self.score(trial, "test") for trial in solved or range(len(self.trials))])
        wrong, error, square = scores.mean(axis=0).tolist()
        tests = len(self.test_set(0, "test"))
        most = scores.max(axis=0).tolist()
        self.log_dict({
            "test_wrong": wrong, "test_wrong_most": most[0], "test_misclassified": wrong / tests,
            "test_error": error, "test_error_most": most[1], "test_mse": square, **self.progress(),
        }, batch_size=1)  # fmt: skip

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """(N, O): the last outputs of the first trial that learned, for the sequences of the test set."""
        if isinstance(batch, list | tuple):
            return self.net(batch[0])[:, -1]
        given = self.test_set(self.trials.first(), "test")
        found = self.running_engine(given).evaluate(self.trials.first(), given, 0, len(given))
        return torch.from_numpy(found.final)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.take_first()

    def read_text(self, text: str) -> reading.Read:
        """A sequence that somebody wrote, for `answer`. Raises LiteratimError with the place of a fault."""
        return reading.read(self.variant, self.net, text)

    def answer(self, found: reading.Read) -> list[dict[str, Any]]:
        """What the network says after every step."""
        return reading.answer(self.variant, self.net, found)

    def smoke(self) -> Smoke:
        """Eight sequences of six random inputs with random targets: twenty steps on them must lower the error."""
        generator = torch.Generator().manual_seed(0)
        x = torch.rand(8, 6, self.net.inputs, generator=generator)
        return Smoke((x, torch.rand(8, self.net.outputs, generator=generator)), "error", "down", steps=20)
