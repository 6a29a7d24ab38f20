r"""Training the conditional pair as in Sec. 4.1: GAN's training with a label for both networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn

from literatim.errors import LiteratimError
from literatim.papers.cgan.model import LABELS, one_hot
from literatim.papers.gan import parzen
from literatim.papers.gan.model import SIDE, Loss
from literatim.papers.gan.sampling import GRID
from literatim.papers.gan.training import GANTraining


def known(labels: Tensor) -> Tensor:
    """The labels. Raises LiteratimError where there is one that the networks cannot be told."""
    if len(wrong := labels[(labels < 0) | (labels >= LABELS)]):
        raise LiteratimError(f"there is a label {int(wrong[0])}; the network knows those from 0 to {LABELS - 1}")
    return labels


class CGANTraining(GANTraining):
    r"""As `GANTraining`, which says what is logged; in the test also `test_label_error`.

    That is the percentage of samples, a tenth of them asked for each digit, whose nearest training image shows another
    digit; it is ours, not the paper's. The window of the Parzen estimate stands on as many samples of each class, 1,000
    of 10 (Sec. 4.1). "Best estimate of log-likelihood on the validation set was used as stopping point": as in GAN, the
    best weights are tested where the recipe watches `val`.

    Args:
        variant: a variant of the card
        options: options of the model, such as `width: 0.5`
        loss: what the generator descends, "minimax" (Sec. 3.1) or "non-saturating", as in GAN's released code
        update: "algorithm-1" of GAN, or "released": one simultaneous update, as in GAN's released code
        k: updates of the discriminator for each of the generator (algorithm-1)
        lr: learning rate of the first update
        decay: the rate is divided by it after each update
        lowest_rate: the rate's floor
        momentum: of the first epoch
        final_momentum: reached in a straight line
        saturates: the epoch, counted from 1, that has the final momentum
        samples: how many of the generator's make the Parzen window, a tenth of them of each class
        dropout_in_samples: whether the generator drops units, others for each sample, where it is asked for samples as
            it does in training: for the window, the pictures and `literatim predict`
    """

    paper = "cgan"

    def __init__(
        self,
        variant: str = "mnist",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        loss: Loss = "minimax",
        update: Literal["algorithm-1", "released"] = "algorithm-1",
        k: int = 1,
        lr: float = 0.1,
        decay: float = 1.00004,
        lowest_rate: float = 1e-6,
        momentum: float = 0.5,
        final_momentum: float = 0.7,
        saturates: int = 250,
        samples: int = parzen.SAMPLES,
        dropout_in_samples: bool = True,
    ) -> None:
        super().__init__(
            variant, options, loss, update, k, lr, decay, lowest_rate, momentum, final_momentum, saturates, samples
        )
        if samples % LABELS:
            raise LiteratimError(f"model.samples is {samples}; there are {LABELS} classes with as many each")
        self.dropout_in_samples = dropout_in_samples

    def condition(self, labels: Tensor) -> tuple[Tensor, ...]:
        return (one_hot(labels),)

    def labels_of_samples(self, number: int) -> Tensor:
        """(number,): 0 to 9 in turn."""
        return torch.arange(number) % LABELS

    def check_labels(self, labels: Tensor) -> None:
        if len(kinds := known(labels).unique()) < 2:
            raise LiteratimError(f"all images are of class {int(kinds[0])}; a condition needs at least two classes")

    def output_layer(self) -> nn.Linear:
        return self.net.generator.output

    def on_test_epoch_end(self) -> None:
        super().on_test_epoch_end()
        images, labels = self.trainer.datamodule.sets["train"]
        asked = self.labels_of_samples(len(self.centres)).to(self.device)
        found = labels.to(self.device)[parzen.nearest(self.centres, images.flatten(1).to(self.device))]
        self.log("test_label_error", 100 * (found != asked).float().mean())

    @torch.no_grad()
    def generate(self, labels: Tensor, seed: int) -> Tensor:
        """(N, 784): samples of these labels; noise and dropout follow from the seed."""
        random = torch.Generator().manual_seed(seed)
        return self.drawn(self.net.noise(len(labels), random), labels, random)

    def drawn(self, z: Tensor, labels: Tensor, random: torch.Generator | None = None) -> Tensor:
        """(N, 784): what the generator makes of noise (N, 100).

        Where `dropout_in_samples`, through dropout drawn for each image from `random`; or, without it, drawn once for
        all of them, so that they differ by noise and label alone.
        """
        if not self.dropout_in_samples:
            return super().drawn(z, labels)
        generator = self.net.generator
        once = None if random else generator.kept(1, torch.Generator().manual_seed(0)).to(self.device)
        made = []
        for part, of in zip(z.split(parzen.CHUNK), labels.split(parzen.CHUNK), strict=True):
            kept = once if once is not None else generator.kept(len(part), random).to(self.device)
            made.append(generator(part.to(self.device), *self.condition(of.to(self.device)), kept))
        return torch.cat(made)

    def sample(self, number: int, seed: int, label: int | None = None) -> Tensor:
        """(number, 1, 28, 28): images between 0 and 1, of one label or of all in turn."""
        labels = self.labels_of_samples(number) if label is None else torch.full((number,), label)
        return self.generate(known(labels), seed).view(-1, 1, SIDE, SIDE)

    def pictures(self) -> Iterator[tuple[str, Tensor]]:
        """Samples with a row for each label (Fig. 2), and for each label a walk from one z to another."""
        yield "samples", self.sample(LABELS * GRID, seed=0).view(GRID, LABELS, SIDE, SIDE).transpose(0, 1)
        yield "walk", self.walk(torch.arange(LABELS)).unflatten(2, (SIDE, SIDE))
