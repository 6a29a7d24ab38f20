r"""Training as the letter does: sweeps through all cases, the gradient accumulated, the weights changed by Eq. 9."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

import literatim
from literatim.errors import LiteratimError
from literatim.papers.backprop import learned
from literatim.papers.backprop.model import (
    FamilyNet,
    IterativeNet,
    Layered,
    SymmetryNet,
    at_the_outputs,
    change,
    silent,
    total_error,
)
from literatim.parts.familytrees import RELATIONSHIPS, people, read_question
from literatim.parts.smoke import Smoke
from literatim.parts.symmetry import read_vector
from literatim.parts.trials import Trials

# Fig. 4: "for the first 20 sweeps".
FIRST_SWEEPS = 20


class BackpropTraining(LightningModule):
    r"""Many networks that learn side by side, in double precision, by the backward pass of Eqs. 4 to 7.

    The start of a trial follows from the seed and its number. A trial has learned when every output unit is within
    `within` of what is desired, in all the cases that it learns from; that is looked at before each change.

    Logged after each epoch:

    - `solved`: per cent of the trials that have learned; `sweeps`, `sweeps_least`, `…_most`, `…_median`,
      `…_deviation`: changes of the weights until then, over these;
    - `train_error`, `held_out_error`: per cent of cases in which an output unit is wrong, the mean over all trials;
      `train_loss`: $E$, the mean over all trials; `largest_weight`: without sign, the mean over all trials;
    - `unbalanced`, where weights decay: how far they moved in the last chunk of sweeps, in per cent of how far the
      decay alone would have moved them.

    In the test, what has been learned, over the trials that have: see `literatim.papers.backprop.learned`.

    Args:
        variant: a variant of the card
        options: options of the model, such as `hidden: 3`
        trials: networks that learn side by side
        eps: $\varepsilon$ of Eq. 9
        alpha: $\alpha$ of Eq. 9; with 0 it is Eq. 8
        first_eps: $\varepsilon$ of the first 20 sweeps; none: the same
        first_alpha: $\alpha$ of the first 20 sweeps; none: the same
        decay: the part of itself by which every weight is decremented after each change
        dead_zone: whether the error is zero of what is above .8 and should be on, or below .2 and should be off
        within: how near to its desired state an output unit must be
        stop: whether a trial stops where it has learned, or goes on
    """

    def __init__(
        self,
        variant: str = "symmetry",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        trials: int = 1,
        eps: float = 0.1,
        alpha: float = 0.9,
        first_eps: float | None = None,
        first_alpha: float | None = None,
        decay: float = 0.0,
        dead_zone: bool = False,
        within: float = 0.2,
        stop: bool = True,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        for name, value, sound in (
            ("eps", eps, eps > 0),
            ("alpha", alpha, 0 <= alpha < 1),
            ("first_eps", first_eps, first_eps is None or first_eps > 0),
            ("first_alpha", first_alpha, first_alpha is None or 0 <= first_alpha < 1),
            ("decay", decay, 0 <= decay < 1),
            ("within", within, 0 < within <= 0.5),
        ):
            if not sound:
                least = {"eps": "more than 0", "first_eps": "more than 0", "within": "more than 0 and at most 0.5"}.get(
                    name, "from 0 to below 1"
                )
                raise LiteratimError(f"model.{name} is {value}; it must be {least}")
        self.eps, self.alpha, self.decay, self.dead_zone = eps, alpha, decay, dead_zone
        self.first = (eps if first_eps is None else first_eps, alpha if first_alpha is None else first_alpha)
        self.within, self.stop = within, stop
        self.net = cast(Layered, literatim.load("backprop", variant, **options))
        self.trials = Trials([self.net] * trials)
        # The last change of every weight, of which Eq. 9 keeps the part alpha.
        self.changes = Trials([self.net] * trials)
        for name in self.changes.names:
            self.changes.stacked(name).zero_()

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        # It counts the steps; it changes weights only where cases come from elsewhere, as from a loader of your own.
        return torch.optim.SGD(self.net.parameters(), lr=self.eps, momentum=self.alpha)

    # --- the cases and the start -----------------------------------------------------------------

    def setup(self, stage: str) -> None:
        data: Any = self.trainer.datamodule
        if not hasattr(data, "cases"):
            return
        if self.trainer.world_size > 1:
            raise LiteratimError("the trials learn side by side in one process: --trainer.devices 1")
        x, d = data.cases()
        inputs = sum(getattr(self.net, "inputs", {"states": 3}).values())
        if isinstance(self.net, IterativeNet) or x.shape[1] != inputs:
            name = type(self.net).__name__
            raise LiteratimError(f"the {name} takes vectors of {inputs} numbers, and these data have {x.shape[1]}")
        kept = torch.stack([data.kept(trial) for trial in range(len(self.trials))])
        self.x, self.d, self.kept = x.to(self.device), d.to(self.device), kept.to(self.device)
        if stage == "fit":
            for trial in range(len(self.trials)):
                self.start(trial, data)

    def start(self, trial: int, data: Any) -> None:
        """ "To break symmetry we start with small random weights": uniform, biases too."""
        rng, spread = data.rng("weights", trial), self.net.spread
        for name in self.trials.names:
            one = self.trials.stacked(name)[trial]
            one.copy_(torch.from_numpy(rng.uniform(-spread, spread, tuple(one.shape))))

    # --- learning --------------------------------------------------------------------------------

    def weights(self) -> dict[str, Tensor]:
        return {name: self.trials.stacked(name) for name in self.trials.names}

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        if not isinstance(batch, int):
            return self.learn_from(*batch)
        self.at_start = {name: weight.clone() for name, weight in self.weights().items()}
        with torch.no_grad():
            for _ in range(self.trainer.datamodule.sweeps):
                if not self.sweep():
                    self.trainer.should_stop = True
                    break
            y = self.net.states(self.x, self.weights())[self.net.top]
        self.optimizers().step()
        return self.losses(y).mean()

    def sweep(self) -> bool:
        """One sweep of all trials that still learn through all cases, and one change of their weights.

        Returns False, having changed nothing, where none learns any more.
        """
        weights = self.weights()
        states = self.net.states(self.x, weights)
        learning = self.still_learning(states[self.net.top])
        if not learning.any():
            return False
        gradients = self.net.gradients(states, self.errors(states[self.net.top]), weights)
        eps, alpha = self.first if self.trials.seen.max() < FIRST_SWEEPS else (self.eps, self.alpha)
        for name, gradient in gradients.items():
            weight, last = weights[name], self.changes.stacked(name)
            last.copy_(change(gradient, last, eps, alpha))
            moves = learning.view(-1, *[1] * (weight.dim() - 1))
            weight.add_(last * moves)
            # Fig. 4: "decrementing every weight by 0.2% after each weight change".
            weight.sub_(self.decay * weight * moves)
        self.trials.seen += learning
        return True

    def errors(self, y: Tensor) -> Tensor:
        """Eq. 4 in the cases that each trial learns from; zero where the dead zone of Fig. 4 says so."""
        errors = at_the_outputs(y, self.d) * self.kept[:, :, None]
        return errors.masked_fill(silent(y, self.d), 0.0) if self.dead_zone else errors

    def losses(self, y: Tensor) -> Tensor:
        """(K,): Eq. 3 of each trial, over the cases that it learns from."""
        return 0.5 * ((y - self.d).square().sum(dim=2) * self.kept).sum(dim=1)

    def right(self, y: Tensor) -> Tensor:
        """(K, N): the cases in which every output unit is near enough."""
        return ((y - self.d).abs() < self.within).all(dim=2)

    def still_learning(self, y: Tensor) -> Tensor:
        """(K,): which trials go on, after a look at which of them have now learned."""
        all_right = (self.right(y) | ~self.kept).all(dim=1)
        newly = all_right & (self.trials.solved_at < 0)
        self.trials.solved_at[newly] = self.trials.seen[newly]
        return self.trials.solved_at < 0 if self.stop else torch.ones_like(newly)

    def learn_from(self, x: Tensor, d: Tensor) -> Tensor:
        """Cases handed over from elsewhere, learned by the one network with torch's own derivatives."""
        optimizer: Any = self.optimizers()
        loss = total_error(self.net(x), d)
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        return loss.detach()

    # --- what comes out --------------------------------------------------------------------------

    @torch.no_grad()
    def on_train_epoch_end(self) -> None:
        if not hasattr(self.trainer.datamodule, "cases"):
            return
        y = self.net.states(self.x, self.weights())[self.net.top]
        self.still_learning(y)
        self.trials.load_into(self.net, self.trials.first())
        wrong = ~self.right(y)
        found = self.trials.summary("sweeps")
        found["train_error"] = float(100 * wrong[self.kept].double().mean())
        if not self.kept.all():
            found["held_out_error"] = float(100 * wrong[~self.kept].double().mean())
        found["train_loss"] = float(self.losses(y).mean())
        of_each = [weight.abs().flatten(1).amax(dim=1) for weight in self.weights().values()]
        found["largest_weight"] = float(torch.stack(of_each).amax(dim=0).mean())
        if self.decay:
            taken = self.decay * self.trainer.datamodule.sweeps
            found["unbalanced"] = learned.unbalanced(self.at_start, self.weights(), taken)
        for name, value in found.items():
            self.log(name, torch.tensor(value, dtype=torch.float64), prog_bar=name == "solved")

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        if not isinstance(batch, int):
            self.log("val_loss", total_error(self.net(batch[0]), batch[1]))

    def test_step(self, batch: int, batch_idx: int) -> None:
        for name, value in self.findings().items():
            self.log(name, torch.tensor(value, dtype=torch.float64), batch_size=1)

    def findings(self) -> dict[str, float]:
        """What the trials that have learned have learned; empty where none has."""
        solved = torch.nonzero(self.trials.solved_at >= 0).flatten()
        weights = {name: weight[solved] for name, weight in self.weights().items()}
        if not len(solved):
            return {}
        if isinstance(self.net, SymmetryNet):
            fits = self.net.size.get("hidden") == 2 and self.net.below["output"] == ("hidden",)
            at = learned.sweeps(self.trials.solved_at[solved])
            return at | (learned.symmetry(self.net, weights, self.x, self.d) if fits else {})
        right = self.right(self.net.states(self.x, self.weights())[self.net.top])[solved]
        return learned.family(weights) | learned.held_out(right, self.kept[solved])

    def drawings(self) -> Iterator[tuple[str, Any]]:
        """The weights of the first trial that has learned, as Figs. 1 and 4 draw them."""
        if isinstance(self.net, SymmetryNet):
            yield "weights", learned.draw_symmetry(self.net)
        elif isinstance(self.net, FamilyNet):
            yield "weights", learned.draw_people(self.net)

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """(N, J): the states of the output units."""
        return self.net(self.x.float() if isinstance(batch, int) else batch[0])

    def read_text(self, text: str) -> Any:
        """What `literatim predict --text` is given: a vector such as 100001, or a question such as "Colin has-aunt"."""
        if isinstance(self.net, SymmetryNet):
            return read_vector(text)
        if isinstance(self.net, FamilyNet):
            return read_question(text)
        raise LiteratimError("the letter gives the iterative net of Fig. 5 no task, so there is nothing to ask it")

    @torch.no_grad()
    def answer(self, read: Any) -> list[dict[str, Any]]:
        """The states of the units for a vector; or the five people that are the most active for a question."""
        if isinstance(self.net, SymmetryNet):
            states = self.net.states(read.to(self.net.output.bias)[None])
            hidden = {f"hidden {i}": float(y) for i, y in enumerate(states.get("hidden", torch.empty(1, 0))[0], 1)}
            y = float(states["output"][0, 0])
            vector = "".join(map(str, read.tolist()))
            return [{"vector": vector, **hidden, "output": y, "symmetrical": "yes" if y > 0.5 else "no"}]
        person, relationship = read
        x = torch.zeros(1, 36)
        x[0, people().index(person)] = x[0, 24 + RELATIONSHIPS.index(relationship)] = 1
        activity, who = self.net(x)[0].topk(5)
        return [
            {"person 2": people()[i], "activity": float(y), "answer": "yes" if y > 0.5 else "no"}
            for y, i in zip(activity, who.tolist(), strict=True)
        ]

    def smoke(self) -> Smoke:
        """A few cases: fifty changes must lower the error."""
        rng = torch.Generator().manual_seed(0)
        inputs = sum(getattr(self.net, "inputs", {"states": 3}).values())
        x = torch.randint(2, (4, inputs), generator=rng).float()
        outputs = self.net(x).shape[1]
        return Smoke((x, torch.randint(2, (4, outputs), generator=rng).float()), "loss", "down", steps=50)
