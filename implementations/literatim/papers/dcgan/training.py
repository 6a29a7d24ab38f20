r"""Training the pair as in Sec. 4, and looking at it as in Secs. 5 and 6 and the released code."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

import literatim
from literatim.errors import LiteratimError
from literatim.papers.dcgan.features import Extract, fixed, pixels, svm_error
from literatim.papers.gan.model import Loss, discriminator_loss, generator_loss
from literatim.papers.gan.parzen import squared_distances
from literatim.papers.gan.sampling import GRID, WALKS
from literatim.papers.gan.training import COUNTED, GANTraining
from literatim.parts.smoke import Smoke

BATCH = 128  # samples at a time that are normalised together, where a batch's statistics are asked for (nbatch)


class DCGANTraining(GANTraining):
    r"""GAN's training with Adam for both networks. Logged:

    - `discriminator_loss`, `generator_loss`: means over an epoch, each before its update;
    - `data_probability`, `sample_probability`: D of images and of samples, likewise;
    - `<set>_distance`: how far it is on average from an image of a set to the nearest sample, pixels from -1 to 1; the
      measure of the released code (`nnd_score`), which falls where samples are good and where they are many kinds;
    - `<set>_discriminator_loss`: what D makes of a set's images and of samples, without learning.

    Of data with labels the test says also how well they can be told by a linear L2-SVM (Sec. 5), in % of errors:
    `test_error` from the features of D, `test_untrained_error` from those of a D of the same architecture as it was
    before the training, `test_pixel_error` from the pixels; `test_c` is the C chosen for the first. Images are between
    -1 and 1. What is tested and drawn are the last weights.

    Args:
        variant: a variant of the card
        options: options of the model, such as `width: 0.5`
        loss: what the generator descends, "non-saturating" as in the released code, or "minimax" (GAN, Eq. 1)
        update: "algorithm-1" of GAN: with each minibatch a step of D, with every k-th one of G; or "released": with
            each minibatch a step of one network, G's first and then k of D's
        k: updates of the discriminator for each of the generator
        lr: Adam's learning rate, of both networks
        beta1: Adam's momentum term
        weight_decay: of all weights, as a part of the gradient; the released code has 1e-5 for faces
        statistics: by which samples are normalised, those averaged in "running" training, or those of their own
            "batch", as in the released code
        samples: how many of the generator's the distance goes to
        labels: how many labelled images a classifier is given
        draws: how many times they are drawn
    """

    paper = "dcgan"
    best = ("val_distance", "min")
    stops_at_best = False

    def __init__(
        self,
        variant: str = "lsun",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        loss: Loss = "non-saturating",
        update: Literal["algorithm-1", "released"] = "algorithm-1",
        k: int = 1,
        lr: float = 0.0002,
        beta1: float = 0.5,
        weight_decay: float = 0.0,
        statistics: Literal["running", "batch"] = "running",
        samples: int = 1000,
        labels: int = 1000,
        draws: int = 10,
    ) -> None:
        super(GANTraining, self).__init__()  # whose own options are others
        self.save_hyperparameters()
        for name, value in (("k", k), ("samples", samples), ("labels", labels), ("draws", draws)):
            if value < 1:
                raise LiteratimError(f"model.{name} is {value}; it must be at least 1")
        self.automatic_optimization = False
        self.net = literatim.load(self.paper, variant, **options)
        self.loss, self.update, self.k, self.samples = loss, update, k, samples
        self.adam = {"lr": lr, "betas": (beta1, 0.999), "weight_decay": weight_decay}
        self.statistics, self.labels, self.draws = statistics, labels, draws
        self.register_buffer("online", torch.zeros(2, 4), persistent=False)  # as in GAN

    def configure_optimizers(self) -> Any:
        if str(self.trainer.precision).startswith("16"):
            raise LiteratimError("two networks need the range of fp32: --trainer.precision 32, or bf16-mixed")
        return [
            torch.optim.Adam(part.parameters(), **self.adam)  # type: ignore[arg-type]
            for part in (self.net.discriminator, self.net.generator)
        ]

    def on_train_start(self) -> None:
        """Nothing is taken from the training images beforehand."""

    def check(self, images: Tensor) -> None:
        """Refuse images of another size or with other levels than the generator's."""
        if images.shape[1:] != self.net.image:
            shown, ours = ("x".join(map(str, shape)) for shape in (images.shape[1:], self.net.image))
            raise LiteratimError(f"the images are {shown} and the generator's {ours}: --data.size {self.net.image[1]}")
        low, high = float(images.min()), float(images.max())
        if low < -1.001 or high > 1.001 or low >= 0:
            raise LiteratimError(
                f"the pixels lie between {low:g} and {high:g}, and the generator's between -1 and 1 (Sec. 4): "
                "--data.background -1 --data.ink 1 of digits, data.mean and data.std of 0.5 of photographs"
            )

    # --- Updates ---------------------------------------------------------------------------------------

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        images = batch[0]
        if batch_idx == 0:
            self.check(images)
        return self.take_turns(images) if self.update == "released" else self.alternate(images, ())

    def take_turns(self, images: Tensor) -> Tensor:
        """The released update: a minibatch moves one network only (`n_updates % (k+1)`)."""
        net = self.net
        if self.global_step % (self.k + 1) == 0:
            loss = generator_loss(net.discriminator(net.generator(self.noise(len(images), 1))), self.loss)
            self.descend(1, loss)
            self.count(1, loss)
            return loss.detach()
        with torch.no_grad():
            samples = net.generator(self.noise(len(images), 0))
        # Images and samples pass apart, and so does batch normalisation see them.
        real, fake = net.discriminator(images), net.discriminator(samples)
        loss = discriminator_loss(real, fake)
        self.descend(0, loss)
        self.count(0, loss, real, fake)
        return loss.detach()

    def step(self, which: int, gradients: tuple[Tensor, ...]) -> None:
        if self.update == "algorithm-1":
            return super().step(which, gradients)
        for parameter, gradient in zip(self.parameters_of(which), gradients, strict=True):
            parameter.grad = gradient
        self.optimizers()[which].step()  # Lightning counts it, whichever it is: one for each minibatch
        return None

    def noise(self, number: int, use: int) -> Tensor:
        """As in GAN; for two samples at least, for the units of a single one cannot be normalised."""
        return super().noise(max(number, 2), use)

    def on_train_epoch_end(self) -> None:
        sums, minibatches = self.online
        for name, value, number in zip(COUNTED, sums, minibatches, strict=True):
            if number:
                self.log(name, value / number, sync_dist=True)

    # --- Samples ---------------------------------------------------------------------------------------

    def drawn(self, z: Tensor, labels: Tensor) -> Tensor:
        """(N, c, h, w): what the generator makes of noise, between -1 and 1.

        Raises LiteratimError for a single sample that is to be normalised by itself.
        """
        own = self.statistics == "batch"
        if own and len(z) < 2:
            raise LiteratimError("one sample has no statistics of a batch: --number 2, or --model.statistics running")
        generator = copy.deepcopy(self.net.generator).train(own)  # so that nothing it averages is changed
        return torch.cat([generator(part) for part in z.to(self.device).tensor_split(-(-len(z) // BATCH))])

    def sample(self, number: int, seed: int, label: int | None = None) -> Tensor:
        """(number, c, h, w): images between 0 and 1. Raises LiteratimError for a label, for there is none."""
        if label is not None:
            raise LiteratimError(f"{self.paper} takes no label; leave it out, or ask the conditional one, cgan")
        return (self.generate(self.labels_of_samples(number), seed) + 1) / 2

    def pictures(self) -> Iterator[tuple[str, Tensor]]:
        """Samples, and straight ways from one z to another (Sec. 6.1, Fig. 4)."""
        yield "samples", self.sample(GRID * GRID, seed=0).unflatten(0, (GRID, GRID))
        yield "walk", (self.walk(self.labels_of_samples(WALKS)).unflatten(2, self.net.image) + 1) / 2

    # --- What is measured ------------------------------------------------------------------------------

    @torch.no_grad()
    def on_validation_start(self) -> None:
        samples = self.generate(self.labels_of_samples(self.samples), seed=0)
        self.of_samples = F.softplus(self.judged(samples)).mean()
        self.centres = samples.flatten(1)

    @torch.no_grad()
    def judged(self, images: Tensor) -> Tensor:
        """(N, 1): the logits of D on images, or on samples, normalised by statistics of their own as in training.

        The averages of the training are of both at once, by which D tells neither.
        """
        discriminator = copy.deepcopy(self.net.discriminator).train()  # so that nothing it averages is changed
        return torch.cat([discriminator(part) for part in images.split(BATCH)])

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """(N, 1): the probability that an image came from the data, among the others of its minibatch."""
        return self.judged(batch[0]).sigmoid()

    def look(self, images: Tensor, name: str) -> None:
        how: dict[str, Any] = {"on_epoch": True, "sync_dist": True, "add_dataloader_idx": False, "prog_bar": True}
        nearest = squared_distances(images.flatten(1), self.centres).amin(1).sqrt()
        of_images = F.softplus(-self.judged(images)).mean()
        self.log(f"{name}_distance", nearest.mean(), batch_size=len(images), **how)
        self.log(f"{name}_discriminator_loss", of_images + self.of_samples, batch_size=len(images), **how)

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int, dataloader_idx: int = 0) -> None:
        self.look(batch[0], getattr(self.trainer.datamodule, "watch", ["val"])[dataloader_idx])

    def on_test_start(self) -> None:
        self.on_validation_start()

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.look(batch[0], "test")

    def on_test_epoch_end(self) -> None:
        """The classifiers, where there are labels: of data in memory, of two classes or more."""
        sets = getattr(self.trainer.datamodule, "sets", {})
        if not {"train", "test"} <= sets.keys() or len(sets["train"][1].unique()) < 2:
            return
        sets = {name: (x.to(self.device), y.cpu()) for name, (x, y) in sets.items()}
        with torch.random.fork_rng():
            torch.manual_seed(self.trainer.datamodule.seed)
            untrained: Any = literatim.load(self.paper, self.hparams["variant"], **self.hparams["options"]).to(
                self.device
            )
        pairs = (self.net, untrained.to(self.device))
        trained, before = (fixed(pair.discriminator, sets["train"][0]) for pair in pairs)
        of: dict[str, Extract] = {"": trained.features, "untrained_": before.features, "pixel_": pixels}
        for name, extract in of.items():
            error, c = svm_error(extract, sets["train"], sets.get("val"), sets["test"], self.labels, self.draws)
            self.log(f"test_{name}error", error)
            if not name:
                self.log("test_c", c)

    def smoke(self) -> Smoke:
        """A few images of noise: in a few steps D must learn to tell them from samples."""
        self.samples = 8
        images = 2 * torch.rand(4, *self.net.image, generator=torch.Generator().manual_seed(0)).pow(4) - 1
        return Smoke((images, torch.arange(4)), "discriminator_loss", "down", steps=2)
