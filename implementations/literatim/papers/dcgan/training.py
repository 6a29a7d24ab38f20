r"""Training the pair as in Sec. 4, and looking at it as in Secs. 5, 6 and 8.1 and the released code."""

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
from literatim.papers.dcgan.neighbours import nearest_error
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
    before the training, `test_pixel_error` from the pixels; `test_c` is the C chosen for the first. Of the conditional
    pair `test_error` is that of a nearest-neighbour classifier which knows samples alone (Sec. 8.1), as many of each
    label, and `test_real_error` that of one which knows the training images. Images are between -1 and 1, the
    conditional pair's between 0 and 1. What is tested and drawn are the last weights.

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
        labels: how many labelled images a classifier is given; of the conditional pair they are samples
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
        first, last = self.net.levels
        if low < first - 0.001 or high > last + 0.001 or low >= (first + last) / 2:
            of_photographs = "" if self.net.labels else ", data.mean and data.std of 0.5 of photographs"
            raise LiteratimError(
                f"the pixels lie between {low:g} and {high:g}, and the generator's between {first:g} and {last:g} "
                f"(Sec. 4): --data.background {first:g} --data.ink {last:g} of digits{of_photographs}"
            )

    # --- Updates ---------------------------------------------------------------------------------------

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        images, y = batch[0], self.condition(batch[1])
        if batch_idx == 0:
            self.check(images)
        return self.take_turns(images, y) if self.update == "released" else self.alternate(images, y)

    def condition(self, labels: Tensor) -> tuple[Tensor, ...]:
        """What both networks are given besides: the labels as one-hot vectors, where they are told them.

        Raises LiteratimError for a label that they cannot be told.
        """
        if not (number := self.net.labels):
            return ()
        if len(wrong := labels[(labels < 0) | (labels >= number)]):
            raise LiteratimError(f"there is a label {int(wrong[0])}; the networks know those from 0 to {number - 1}")
        return (F.one_hot(labels, number).float(),)

    def take_turns(self, images: Tensor, y: tuple[Tensor, ...]) -> Tensor:
        """The released update: a minibatch moves one network only (`n_updates % (k+1)`)."""
        net = self.net
        if self.global_step % (self.k + 1) == 0:
            samples = net.generator(self.noise(len(images), 1), *y)
            loss = generator_loss(net.discriminator(samples, *y), self.loss)
            self.descend(1, loss)
            self.count(1, loss)
            return loss.detach()
        with torch.no_grad():
            samples = net.generator(self.noise(len(images), 0), *y)
        # Images and samples pass apart, and so does batch normalisation see them.
        real, fake = net.discriminator(images, *y), net.discriminator(samples, *y)
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

    def labels_of_samples(self, number: int) -> Tensor:
        """(number,): 0 to 9 in turn where the networks are told labels, or zeros."""
        return torch.arange(number) % (self.net.labels or 1)

    def drawn(self, z: Tensor, labels: Tensor) -> Tensor:
        """(N, c, h, w): what the generator makes of noise.

        Raises LiteratimError for a single sample that is to be normalised by itself.
        """
        own = self.statistics == "batch"
        if own and len(z) < 2:
            raise LiteratimError("one sample has no statistics of a batch: --number 2, or --model.statistics running")
        generator = copy.deepcopy(self.net.generator).train(own)  # so that nothing it averages is changed
        parts = [x.to(self.device).tensor_split(-(-len(z) // BATCH)) for x in (z, labels)]
        return torch.cat([generator(part, *self.condition(of)) for part, of in zip(*parts, strict=True)])

    def sample(self, number: int, seed: int, label: int | None = None) -> Tensor:
        """(number, c, h, w): images between 0 and 1, of one label or of all in turn.

        Raises LiteratimError for a label where there is none.
        """
        if label is not None and not self.net.labels:
            raise LiteratimError(f"{self.paper} takes no label; leave it out, or ask the conditional one, cgan")
        labels = self.labels_of_samples(number) if label is None else torch.full((number,), label)
        return self.brightness(self.generate(labels, seed))

    def brightness(self, images: Tensor) -> Tensor:
        """Images between the generator's levels as such between 0 and 1."""
        low, high = self.net.levels
        return (images - low) / (high - low)

    def pictures(self) -> Iterator[tuple[str, Tensor]]:
        """Samples, and straight ways from one z to another (Sec. 6.1, Fig. 4); for each label where there are some."""
        samples = self.sample(GRID * GRID, seed=0).unflatten(0, (GRID, GRID))
        yield "samples", samples.transpose(0, 1) if self.net.labels else samples
        walk = self.walk(self.labels_of_samples(self.net.labels or WALKS))
        yield "walk", self.brightness(walk.unflatten(2, self.net.image))

    # --- What is measured ------------------------------------------------------------------------------

    @torch.no_grad()
    def on_validation_start(self) -> None:
        labels = self.labels_of_samples(self.samples)
        samples = self.generate(labels, seed=0)
        self.of_samples = F.softplus(self.judged(samples, labels)).mean()
        self.centres = samples.flatten(1)

    @torch.no_grad()
    def judged(self, images: Tensor, labels: Tensor) -> Tensor:
        """(N, 1): the logits of D on images, or on samples, normalised by statistics of their own as in training.

        The averages of the training are of both at once, by which D tells neither.
        """
        discriminator = copy.deepcopy(self.net.discriminator).train()  # so that nothing it averages is changed
        parts = zip(images.split(BATCH), labels.to(self.device).split(BATCH), strict=True)
        return torch.cat([discriminator(part, *self.condition(of)) for part, of in parts])

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """(N, 1): the probability that an image came from the data, among the others of its minibatch."""
        return self.judged(*batch).sigmoid()

    def look(self, batch: tuple[Tensor, Tensor], name: str) -> None:
        images = batch[0]
        how: dict[str, Any] = {"on_epoch": True, "sync_dist": True, "add_dataloader_idx": False, "prog_bar": True}
        nearest = squared_distances(images.flatten(1), self.centres).amin(1).sqrt()
        of_images = F.softplus(-self.judged(*batch)).mean()
        self.log(f"{name}_distance", nearest.mean(), batch_size=len(images), **how)
        self.log(f"{name}_discriminator_loss", of_images + self.of_samples, batch_size=len(images), **how)

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int, dataloader_idx: int = 0) -> None:
        self.look(batch, getattr(self.trainer.datamodule, "watch", ["val"])[dataloader_idx])

    def on_test_start(self) -> None:
        self.on_validation_start()

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.look(batch, "test")

    def on_test_epoch_end(self) -> None:
        """The classifiers, where there are labels: of data in memory, of two classes or more."""
        sets = getattr(self.trainer.datamodule, "sets", {})
        if not {"train", "test"} <= sets.keys() or len(sets["train"][1].unique()) < 2:
            return
        sets = {name: (x.to(self.device), y.cpu()) for name, (x, y) in sets.items()}
        if self.net.labels:
            return self.compare_neighbours(sets)
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

    def compare_neighbours(self, sets: dict[str, tuple[Tensor, Tensor]]) -> None:
        """The test images told by their nearest sample, and by their nearest training image (Sec. 8.1, Table 3)."""
        labels = self.labels_of_samples(self.labels)
        errors = [nearest_error((self.generate(labels, 1 + draw), labels), sets["test"]) for draw in range(self.draws)]
        self.log("test_error", sum(errors) / len(errors))
        self.log("test_real_error", nearest_error(sets["train"], sets["test"]))

    def smoke(self) -> Smoke:
        """A few images of noise: in a few steps D must learn to tell them from samples."""
        self.samples = 8
        low, high = self.net.levels
        grey = torch.rand(4, *self.net.image, generator=torch.Generator().manual_seed(0)).pow(4)
        images = low + (high - low) * grey
        return Smoke((images, torch.arange(4)), "discriminator_loss", "down", steps=4)
