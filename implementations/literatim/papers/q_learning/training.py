r"""Training: agents that act in an environment and change one value after every step."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from pytorch_lightning import LightningModule
from torch import Tensor

import literatim
from literatim.errors import LiteratimError
from literatim.papers.q_learning import evaluation
from literatim.papers.q_learning.learning import Rule, steps
from literatim.papers.q_learning.model import QTable
from literatim.parts.smoke import Smoke
from literatim.parts.trials import Trials


class QLearningTraining(LightningModule):
    r"""Several agents, each in an environment of its own, with a table in double precision.

    The paper prescribes no way of choosing actions, only that every one be tried in every state again and again. Here
    an agent takes any action with probability `epsilon`, and else one that it thinks the best.

    Everything is held against what value iteration finds on the environment's own table of probabilities. Logged, as
    means over the trials, after each epoch and, with `test_` before each, in the test:

    - `q_error`: the largest difference, without sign, between $Q_n$ and $Q^*$, over all pairs that can come to be
      tried; `q_rms`: the root of the mean square of these differences;
    - `best_actions`: per cent of the states in which the action with the highest $Q_n$ is an optimal one;
    - `return`: the sum of rewards that an episode of the policy $\operatorname{argmax}_a Q_n$ is expected to have,
      exactly and up to the environment's limit of time; in FrozenLake the probability of arriving; `of_best` that
      return, in per cent of an optimal policy's where that is above zero;
    - `online`: how far a step moved a value, without sign, in the mean over the epoch.

    In the test besides: `test_q_error_most`, of all trials; `test_played`, the mean return of episodes really played by
    `env.step`; `test_optimal_return`, of an optimal policy; `test_least_tried`, how often the pair was that was least.

    Args:
        variant: a variant of the card
        options: options of the model; states and actions are the environment's
        gamma: $\gamma$; with 1 nothing is discounted (Sec. 4)
        rate: the learning factor of the first time that a pair is tried
        power: it falls with this power of how often the pair was tried; 0: constant
        epsilon: the probability of any action in place of the best
        never: an action that is not tried at all
        trials: agents that learn side by side
        played: episodes that each plays in the test
    """

    tried: Tensor
    moved: Tensor

    def __init__(
        self,
        variant: str = "frozenlake",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        gamma: float = 0.95,
        rate: float = 0.5,
        power: float = 0.8,
        epsilon: float = 0.3,
        never: int | None = None,
        trials: int = 1,
        played: int = 100,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        for name, given, sound, must in (
            ("gamma", gamma, 0 < gamma <= 1, "be more than 0 and at most 1"),
            ("rate", rate, 0 < rate < 1, "lie between 0 and 1 (the theorem has 0 <= alpha < 1)"),
            ("power", power, power >= 0, "be at least 0"),
            ("epsilon", epsilon, 0 <= epsilon <= 1, "be from 0 to 1"),
            ("trials", trials, trials >= 1, "be at least 1"),
            ("played", played, played >= 1, "be at least 1"),
        ):
            if not sound:
                raise LiteratimError(f"model.{name} is {given}; it must {must}")
        self.net = cast(QTable, literatim.load("q-learning", variant, **options))
        states, actions = self.net.q.shape
        if never is not None and not (0 <= never < actions and actions > 1):
            raise LiteratimError(f"model.never is {never}; the actions are 0 to {actions - 1}")
        allowed = tuple(a for a in range(actions) if a != never)
        self.rule, self.played = Rule(gamma, rate, power, epsilon, allowed), played
        self.trials = Trials([self.net] * trials)
        self.register_buffer("tried", torch.zeros(trials, states, actions, dtype=torch.int64))
        self.register_buffer("moved", torch.zeros(1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        # It counts the steps; it changes the table only where transitions come from elsewhere.
        return torch.optim.SGD(self.net.parameters(), lr=self.rule.rate)

    def setup(self, stage: str) -> None:
        """Raises LiteratimError for an environment of another size, and for several devices."""
        data: Any = self.trainer.datamodule
        if not hasattr(data, "process"):
            return
        if self.trainer.world_size > 1:
            raise LiteratimError("the agents learn side by side in one process: --trainer.devices 1")
        sizes, own = data.process.r.shape, tuple(self.net.q.shape)
        if sizes != own:
            raise LiteratimError(
                f"{data.environment} has {sizes[0]} states and {sizes[1]} actions, the table {own[0]} and {own[1]}: "
                f"--model.options.states {sizes[0]} --model.options.actions {sizes[1]}"
            )
        self.exact = evaluation.Exact(data.process, data.reached, data.limit, self.rule.gamma)

    # --- learning --------------------------------------------------------------------------------

    def on_train_epoch_start(self) -> None:
        self.moved.zero_()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        if not isinstance(batch, int):
            return self.learn_from(*batch)
        moved = [self.learn(k, batch) for k in range(len(self.trials))]
        self.trials.seen += self.trainer.datamodule.steps
        self.optimizers().step()  # without gradients it changes nothing, and Lightning counts a step
        self.moved += float(np.mean(moved))
        return torch.tensor(np.mean(moved))

    def learn(self, k: int, number: int) -> float:
        """A chunk of trial k: how far a step moved a value, in the mean."""
        data: Any = self.trainer.datamodule
        rng = data.rng("train", k, number)
        data.begun(rng)
        q, tried = self.table()[k].tolist(), self.tried[k].tolist()
        moved = steps(q, tried, data.env, lambda: data.first(rng), rng, data.steps, self.rule)
        self.trials.stacked("q")[k].copy_(torch.tensor(q, dtype=torch.float64))
        self.tried[k].copy_(torch.tensor(tried))
        return moved / data.steps

    def table(self) -> Any:
        """(K, X, A), in double precision."""
        return self.trials.stacked("q").cpu().numpy()

    def learn_from(self, x: Tensor, a: Tensor, r: Tensor, y: Tensor) -> Tensor:
        r"""Transitions handed over from elsewhere, learned by the one table with torch's derivatives.

        A step along the gradient of half the squared difference is Eq. 1, with $\alpha$ the optimiser's rate.
        """
        optimizer: Any = self.optimizers()
        loss = 0.5 * self.differences(x, a, r, y).square().sum()
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        return loss.detach()

    def differences(self, x: Tensor, a: Tensor, r: Tensor, y: Tensor) -> Tensor:
        r"""(N,): $r_n + \gamma V_{n-1}(y_n) - Q_{n-1}(x_n, a_n)$."""
        target = r + self.rule.gamma * self.net(y).max(dim=1).values.detach()
        return target - self.net(x).gather(1, a[:, None])[:, 0]

    # --- what comes out --------------------------------------------------------------------------

    def on_train_epoch_end(self) -> None:
        if not hasattr(self, "exact"):
            return
        self.trials.load_into(self.net, 0)
        found = self.exact.metrics(self.table()) | {"online": float(self.moved) / self.trainer.num_training_batches}
        for name, each in found.items():
            self.log(name, torch.tensor(each, dtype=torch.float64), prog_bar=name == "q_error")

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        if not isinstance(batch, int):
            self.log("val_loss", self.differences(*batch).square().sum())

    def test_step(self, batch: int, batch_idx: int) -> None:
        data: Any = self.trainer.datamodule
        played = [evaluation.play(q, data, data.rng("test", k), self.played) for k, q in enumerate(self.table())]
        found = self.exact.metrics(self.table()) | {
            "q_error_most": float(self.exact.errors(self.table()).max()),
            "optimal_return": self.exact.optimal_return,
            "played": float(np.mean(played)),
            "least_tried": float(self.tried.cpu().numpy()[:, data.reached][..., list(self.rule.allowed)].min()),
        }
        for name, each in found.items():
            self.log(f"test_{name}", torch.tensor(each, dtype=torch.float64), batch_size=1)

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """(N, A): the values of the actions, of all states or of those asked for."""
        return self.net.q if isinstance(batch, int) else self.net(batch[0])

    def drawings(self) -> list[tuple[str, Any]]:
        """The values of the first trial's table beside the exact ones."""
        return [("values", evaluation.figure(self.table()[0], self.exact))] if hasattr(self, "exact") else []

    def read_text(self, text: str) -> list[int]:
        """Numbers of states, such as "0 4 8". Raises LiteratimError for any other."""
        states = len(self.net.q)
        read = text.split()
        for place, word in enumerate(read, 1):
            if not word.isdecimal() or int(word) >= states:
                raise LiteratimError(f'--text: state {place} is "{word}"; the table has the states 0 to {states - 1}')
        if not read:
            raise LiteratimError(f'--text is empty; give numbers of states from 0 to {states - 1}, such as "0 4 8"')
        return [int(word) for word in read]

    def answer(self, read: list[int]) -> list[dict[str, Any]]:
        """Of each state the values of its actions, and the action that is thought the best."""
        rows = self.net(torch.tensor(read)).tolist()
        return [
            {"state": x, "takes": row.index(max(row))} | {f"action {a}": q for a, q in enumerate(row)}
            for x, row in zip(read, rows, strict=True)
        ]

    def smoke(self) -> Smoke:
        """Every pair of the table once: ten times over them must bring the values nearer to what they promise."""
        states, actions = self.net.q.shape
        x, a = (t.flatten() for t in torch.meshgrid(torch.arange(states), torch.arange(actions), indexing="ij"))
        return Smoke((x, a, 1.0 + (x % 2), (x + 1) % states), "loss", "down", steps=10)
