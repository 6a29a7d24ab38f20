r"""Training a pair of adversarial nets: Algorithm 1, or the one update of both of the released code."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

import literatim
from literatim.errors import LiteratimError
from literatim.papers.gan import parzen
from literatim.papers.gan.model import SIDE, Loss, discriminator_loss, generator_loss
from literatim.papers.gan.sampling import Sampling
from literatim.parts.smoke import Smoke

LEAST = 1e-7  # the pixel means whose logits are the first biases stay so far from 0 and 1 (pylearn2, models/dbm)
# What is averaged over an epoch.
COUNTED = ("discriminator_loss", "generator_loss", "data_probability", "sample_probability")


@torch.no_grad()
def start_at_marginals(output: nn.Linear, images: Tensor) -> None:
    """Let the generator's last biases be the logits of the mean of each pixel over the training images (N, 1, 28, 28).

    Raises LiteratimError where the images have another size, or pixels that no sigmoid gives.
    """
    if images.shape[2:] != (SIDE, SIDE):
        shown = "x".join(map(str, images.shape[2:]))
        raise LiteratimError(f"the images have {shown} pixels and the generator's {SIDE}x{SIDE}: --data.size {SIDE}")
    low, high = float(images.min()), float(images.max())
    if low < 0 or high > 1:
        raise LiteratimError(
            f"the pixels lie between {low:g} and {high:g}, and the generator's between 0 and 1: "
            "--data.background 0 --data.ink 1"
        )
    output.bias.copy_(images.flatten(1).mean(0).clamp(LEAST, 1 - LEAST).logit())


def rate_of_update(done: int, lr: float, decay: float, lowest: float) -> float:
    """The learning rate of the update that follows `done` finished ones: divided by `decay` after each."""
    return max(lr * decay**-done, lowest)


def momentum_of_epoch(done: int, first: float, last: float, saturates: int) -> float:
    """The momentum of the epoch that follows `done` finished ones: in a straight line from the first to `saturates`."""
    return first + (last - first) * min(1.0, done / (saturates - 1))


class GANTraining(Sampling):
    r"""Losses, optimisers, schedules and the Parzen window.

    Stochastic gradient descent with momentum for both networks. Logged:

    - `discriminator_loss`, `generator_loss`: means over an epoch, each before its update;
    - `data_probability`, `sample_probability`: D of images and of samples, likewise;
    - `rate`, `momentum`: of the epoch's last update;
    - `<set>_likelihood`: the mean log-density, in nats, of a set's images under a Parzen window on samples of the
      generator; with it `test_se`, its standard error over the images, and `test_sigma`, the window's width.

    Where the recipe watches `val`, what is tested and drawn at the end of a run are its best weights by
    `val_likelihood`, elsewhere its last.

    Args:
        variant: a variant of the card
        options: options of the model, such as `hidden: 400`
        loss: what the generator descends, "minimax" (Eq. 1) or "non-saturating" (Sec. 3)
        update: "algorithm-1", or "released": one simultaneous update of both networks, from the same noise and through
            the same dropout, with half of the discriminator's loss
        k: updates of the discriminator for each of the generator (algorithm-1)
        lr: learning rate of the first update
        decay: the rate is divided by it after each update
        lowest_rate: the rate's floor
        momentum: of the first epoch
        final_momentum: reached in a straight line
        saturates: the epoch, counted from 1, that has the final momentum
        samples: how many of the generator's make the Parzen window
    """

    paper = "gan"
    best = ("val_likelihood", "max")  # what a run's best checkpoint is best in
    stops_at_best = True  # open in the paper; that of the conditional nets (Sec. 4.1) prints it
    online: Tensor

    def __init__(
        self,
        variant: str = "mnist",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        loss: Loss = "minimax",
        update: Literal["algorithm-1", "released"] = "algorithm-1",
        k: int = 1,
        lr: float = 0.1,
        decay: float = 1.000004,
        lowest_rate: float = 1e-6,
        momentum: float = 0.5,
        final_momentum: float = 0.7,
        saturates: int = 250,
        samples: int = parzen.SAMPLES,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        for name, value, least in (("k", k, 1), ("samples", samples, 1), ("saturates", saturates, 2)):
            if value < least:
                raise LiteratimError(f"model.{name} is {value}; it must be at least {least}")
        if update == "released" and k != 1:
            raise LiteratimError("the released update is of both networks at once: leave --model.k out")
        self.automatic_optimization = False
        self.net = literatim.load(self.paper, variant, **options)
        self.loss, self.update, self.k, self.samples = loss, update, k, samples
        self.rates, self.momenta = (lr, decay, lowest_rate), (momentum, final_momentum, saturates)
        # Sums of what COUNTED names in the epoch so far, and of how many minibatches; saved in an epoch's middle.
        self.register_buffer("online", torch.zeros(2, 4), persistent=False)

    def check_labels(self, labels: Tensor) -> None:
        """Refuse labels that the networks cannot be told; here none is told."""

    def configure_optimizers(self) -> Any:
        if str(self.trainer.precision).startswith("16"):
            raise LiteratimError("two networks need the range of fp32: --trainer.precision 32, or bf16-mixed")
        rate, momentum = self.rates[0], self.momenta[0]
        return [
            torch.optim.SGD(part.parameters(), lr=rate, momentum=momentum)
            for part in (self.net.discriminator, self.net.generator)
        ]

    def on_train_start(self) -> None:
        images, labels = self.trainer.datamodule.sets["train"]
        self.check_labels(labels)
        if self.global_step == 0:
            start_at_marginals(self.output_layer(), images)

    def output_layer(self) -> nn.Linear:
        return self.net.generator.y

    def on_train_epoch_start(self) -> None:
        self.online.zero_()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        images, y = batch[0], self.condition(batch[1])
        for optimizer in self.optimizers(use_pl_optimizer=False):
            for group in optimizer.param_groups:
                group["lr"] = rate_of_update(self.global_step, *self.rates)
                group["momentum"] = momentum_of_epoch(self.current_epoch, *self.momenta)
        if self.update == "released":
            return self.simultaneous(images, y)
        return self.alternate(images, y)

    def alternate(self, images: Tensor, y: tuple[Tensor, ...]) -> Tensor:
        """One pass of Algorithm 1's inner loop on a minibatch; after every k-th the generator's update."""
        net = self.net
        with torch.no_grad():
            samples = net.generator(self.noise(len(images), 0), *y)
        real, fake = net.discriminator(images, *y), net.discriminator(samples, *y)
        loss = discriminator_loss(real, fake)
        self.descend(0, loss)
        self.count(0, loss, real, fake)
        if self.global_step % self.k:
            return loss.detach()
        of_generator = generator_loss(net.discriminator(net.generator(self.noise(len(images), 1), *y), *y), self.loss)
        self.descend(1, of_generator)
        self.count(1, of_generator)
        return loss.detach() + of_generator.detach()

    def simultaneous(self, images: Tensor, y: tuple[Tensor, ...]) -> Tensor:
        """The released update: both gradients are taken before either network moves (`AdversaryCost2`)."""
        net = self.net
        samples = net.generator(self.noise(len(images), 0), *y)
        real, fake = net.discriminator(images, *y), net.discriminator(samples, *y)
        loss, of_generator = discriminator_loss(real, fake) / 2, generator_loss(fake, self.loss)
        gradients = self.gradients(0, loss, again=True), self.gradients(1, of_generator)
        self.step(0, gradients[0])
        self.step(1, gradients[1])
        self.count(0, loss, real, fake)
        self.count(1, of_generator)
        return loss.detach() + of_generator.detach()

    def descend(self, which: int, loss: Tensor) -> None:
        self.step(which, self.gradients(which, loss))

    def parameters_of(self, which: int) -> list[nn.Parameter]:
        return list((self.net.discriminator, self.net.generator)[which].parameters())

    def gradients(self, which: int, loss: Tensor, again: bool = False) -> tuple[Tensor, ...]:
        """Of one network's parameters alone; the mean over the ranks where there are several."""
        found = torch.autograd.grad(loss, self.parameters_of(which), retain_graph=again)
        if self.trainer.world_size > 1:
            return tuple(self.trainer.strategy.reduce(gradient, reduce_op="mean") for gradient in found)
        return found

    def step(self, which: int, gradients: tuple[Tensor, ...]) -> None:
        for parameter, gradient in zip(self.parameters_of(which), gradients, strict=True):
            parameter.grad = gradient
        optimizer = self.optimizers()[which]
        # Lightning's wrapper counts steps: those of the discriminator, one for each minibatch.
        (optimizer if which == 0 else optimizer.optimizer).step()

    def noise(self, number: int, use: int) -> Tensor:
        """Noise that follows from the seed, the update, the rank and its use, so that a resumed run draws the same."""
        seed = 0
        for part in (self.trainer.datamodule.seed, self.global_step, use, self.global_rank):
            seed = (seed * 1_000_003 + part) % 2**63
        return self.net.noise(number, torch.Generator().manual_seed(seed)).to(self.device)

    @torch.no_grad()
    def count(self, which: int, loss: Tensor, real: Tensor | None = None, fake: Tensor | None = None) -> None:
        self.online[:, which] += torch.stack([loss.detach().float(), self.online.new_ones(())])
        if real is not None and fake is not None:
            said = torch.stack([real.sigmoid().mean(), fake.sigmoid().mean()]).float()
            self.online[:, 2:] += torch.stack([said, torch.ones_like(said)])

    def on_train_epoch_end(self) -> None:
        sums, minibatches = self.online
        for name, value, number in zip(COUNTED, sums, minibatches, strict=True):
            if number:
                self.log(name, value / number, sync_dist=True)
        group = self.optimizers(use_pl_optimizer=False)[0].param_groups[0]
        self.log("rate", group["lr"])
        self.log("momentum", group["momentum"])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["online"] = self.online.cpu()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.online.copy_(checkpoint["online"])

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """(N, 1): the probability that an image came from the data."""
        return self.net.discriminator(batch[0], *self.condition(batch[1])).sigmoid()

    def smoke(self) -> Smoke:
        """Twenty images of noise: a few steps must raise their density, if only by the biases that the images give."""
        self.samples = 50
        images = torch.rand(20, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).pow(4)
        return Smoke((images, torch.arange(20) % 10), "likelihood", "up", steps=4)
