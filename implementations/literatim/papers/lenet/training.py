r"""Training LeNet-5 as in Sec. III-B and Appendix C, and briskly with a modern optimiser."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn import functional as F

import literatim
from literatim.errors import LiteratimError
from literatim.papers.lenet.levenberg_marquardt import StochasticDiagonalLM, curvatures
from literatim.papers.lenet.model import LeNet5, RBFOutput, correct_class_loss, discriminative_loss
from literatim.parts.one_by_one import one_by_one
from literatim.parts.smoke import Smoke

# Sec. III-B: (passes, global rate); "0.00001 thereafter", and twenty passes in all.
SCHEDULE = ((2, 0.0005), (3, 0.0002), (3, 0.0001), (4, 0.00005), (8, 0.00001))


def rate_of_pass(done: int) -> float:
    """The global rate $\\eta$ of the pass that follows `done` finished ones; after the schedule its last rate."""
    for passes, rate in SCHEDULE:
        if done < passes:
            return rate
        done -= passes
    return SCHEDULE[-1][1]


class LeNetTraining(LightningModule):
    r"""Loss, optimiser, schedule and metrics.

    Logged, errors in per cent and losses as means over examples:

    - `online_error`, `online_loss`: on the training patterns of an epoch, each measured before its update;
    - `smallest_rate`, `largest_rate`: of all parameters in an epoch (diagonal-lm);
    - `<set>_error`, `<set>_loss`: on the sets that the data module watches, after the epoch; `test_mistakes`
      counts the wrong answers of the final test.

    Args:
        variant: a variant of the card
        options: options of the model, such as `init: sqrt`; without it the network is drawn as printed, which is an
            erratum (see the claim `initialisation`): it does not learn, and ends at an error near 90 %. Recipes set it
        loss: "eq8", the mean output of the correct class, or "eq9", the discriminative one; a softmax output takes
            cross-entropy instead
        j: the constant of Eq. 9, whose value the paper does not print
        optimizer: "diagonal-lm", the paper's, one update a pattern, or "adam", one update a batch
        mu: the constant of Eq. 21 (diagonal-lm)
        curvature_samples: how many patterns estimate the second derivatives before each pass (diagonal-lm)
        lr: peak rate of the one-cycle schedule (adam); diagonal-lm has the printed rates
    """

    online: Tensor

    def __init__(
        self,
        variant: str = "lenet5",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        loss: Literal["eq8", "eq9"] = "eq9",
        j: float = 10.0,
        optimizer: Literal["diagonal-lm", "adam"] = "diagonal-lm",
        mu: float = 0.02,
        curvature_samples: int = 500,
        lr: float = 2e-3,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.net = literatim.load("lenet", variant, **options)
        self.loss, self.j, self.optimizer = loss, j, optimizer
        self.mu, self.curvature_samples, self.lr = mu, curvature_samples, lr
        # Patterns seen, mistakes and summed loss of the epoch so far; saved with a checkpoint in its middle.
        self.register_buffer("online", torch.zeros(3), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def criterion(self, y: Tensor, target: Tensor) -> Tensor:
        if not isinstance(self.net.output, RBFOutput):
            return F.cross_entropy(y, target)
        return correct_class_loss(y, target) if self.loss == "eq8" else discriminative_loss(y, target, self.j)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        if self.optimizer == "adam":
            return torch.optim.Adam(self.net.parameters(), lr=self.lr)
        if not isinstance(self.net.output, RBFOutput):
            raise LiteratimError("diagonal-lm needs the RBF output; train a softmax output with --model.optimizer adam")
        if self.trainer.world_size > 1:
            raise LiteratimError("diagonal-lm updates after every pattern and runs on one device: --trainer.devices 1")
        return StochasticDiagonalLM(self.net.parameters(), lr=rate_of_pass(0), mu=self.mu)

    def on_train_epoch_start(self) -> None:
        self.online.zero_()
        if self.optimizer == "diagonal-lm":
            self.measure_curvatures()

    def measure_curvatures(self) -> None:
        """Appendix C: before each pass, the diagonal of the Hessian on 500 patterns; then it is frozen."""
        optimizer = self.optimizers(use_pl_optimizer=False)
        for group in optimizer.param_groups:
            group["lr"] = rate_of_pass(self.current_epoch)
        inputs, _ = self.trainer.datamodule.sets["train"]
        generator = torch.Generator().manual_seed(1000 * self.trainer.datamodule.seed + self.current_epoch)
        sample = torch.randperm(len(inputs), generator=generator)[: self.curvature_samples]
        optimizer.measure(curvatures(cast(LeNet5, self.net), inputs[sample].to(self.device)))

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        if self.optimizer == "adam":
            return self.adam_step(batch)
        with one_by_one():
            return self.pattern_by_pattern(batch)

    def pattern_by_pattern(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """One update after each pattern of the batch: the paper's "stochastic" learning.

        A batch is only a stretch of the patterns: Lightning's own work is done once for all of them.
        """
        optimizer = self.optimizers()
        inputs, targets = batch
        total = torch.zeros((), device=self.device)
        mistakes = torch.zeros((), dtype=torch.long, device=self.device)
        for i in range(len(inputs)):
            y = self.net(inputs[i : i + 1])
            loss = self.criterion(y, targets[i : i + 1])
            optimizer.zero_grad()
            loss.backward()
            # Lightning's wrapper counts a step: one for the batch.
            (optimizer if i == len(inputs) - 1 else optimizer.optimizer).step()
            total += loss.detach()
            mistakes += self.net.decide(y.detach())[0] != targets[i]
        self.count(len(inputs), mistakes, total)
        return total / len(inputs)

    def adam_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        optimizer = self.optimizers()
        inputs, targets = batch
        for group in optimizer.param_groups:
            group["lr"] = self.lr * self.one_cycle()
        y = self.net(inputs)
        loss = self.criterion(y, targets)
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        self.count(len(inputs), (self.net.decide(y.detach()) != targets).sum(), loss.detach() * len(inputs))
        return loss.detach()

    def one_cycle(self) -> float:
        """In straight lines from 0 to 1 over the first quarter of all steps, and back to 0 over the rest."""
        done = self.global_step / max(1, self.trainer.estimated_stepping_batches)
        return min(done / 0.25, (1 - done) / 0.75)

    def count(self, patterns: int, mistakes: Tensor, loss: Tensor) -> None:
        self.online += torch.stack([self.online.new_tensor(patterns), mistakes.float(), loss.float()])

    def on_train_epoch_end(self) -> None:
        patterns, mistakes, loss = self.online
        self.log("online_error", 100 * mistakes / patterns, sync_dist=True)
        self.log("online_loss", loss / patterns, sync_dist=True)
        if self.optimizer == "diagonal-lm":
            state = self.optimizers(use_pl_optimizer=False).state
            rates = torch.cat([of["rate"].flatten() for of in state.values()])
            self.log("smallest_rate", rates.min())
            self.log("largest_rate", rates.max())

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["online"] = self.online.cpu()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.online.copy_(checkpoint["online"])

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int, dataloader_idx: int = 0) -> None:
        names = getattr(self.trainer.datamodule, "watch", ["val"])
        self.evaluate(names[dataloader_idx], batch)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        wrong = self.evaluate("test", batch)
        self.log("test_mistakes", wrong.sum().float(), on_epoch=True, reduce_fx="sum", sync_dist=True)

    def evaluate(self, name: str, batch: tuple[Tensor, Tensor]) -> Tensor:
        inputs, targets = batch
        y = self.net(inputs)
        wrong = self.net.decide(y) != targets
        how: dict[str, Any] = {
            "on_epoch": True, "batch_size": len(inputs), "sync_dist": True, "add_dataloader_idx": False
        }  # fmt: skip
        self.log(f"{name}_error", 100 * wrong.float().mean(), prog_bar=True, **how)
        self.log(f"{name}_loss", self.criterion(y, targets), **how)
        return wrong

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """(N, 10): the probabilities of the classes."""
        return self.net.probabilities(self.net(batch[0]))

    def smoke(self) -> Smoke:
        """Four patterns of noise with four classes: twenty steps on them must lower the loss."""
        generator = torch.Generator().manual_seed(0)
        return Smoke((torch.rand(4, 1, 32, 32, generator=generator), torch.arange(4)), "loss", "down", steps=20)
