"""What a trained generator is asked for: samples, a Parzen window on them, and the pictures of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

from literatim.errors import LiteratimError
from literatim.papers.gan import parzen
from literatim.papers.gan.model import SIDE

GRID, WALKS = 10, 5  # rows and columns of a picture of samples; walks in a picture of them


class Sampling(LightningModule):
    """Evaluation of `self.net`, whose generator makes `self.samples` images for the window.

    The window's width is chosen on the first thousand images of the set `val`, or of `train` where there is none, and
    never on those of the test.
    """

    net: Any
    samples: int
    paper: str

    # --- What the conditional networks do otherwise ----------------------------------------------------

    def condition(self, labels: Tensor) -> tuple[Tensor, ...]:
        """What both networks are given besides: here nothing."""
        return ()

    def labels_of_samples(self, number: int) -> Tensor:
        """(number,): of what class the samples for a Parzen window are; here they have none."""
        return torch.zeros(number, dtype=torch.long)

    # --- Samples ---------------------------------------------------------------------------------------

    @torch.no_grad()
    def generate(self, labels: Tensor, seed: int) -> Tensor:
        """(N, 784): samples, of these labels where the generator is told one; without dropout."""
        z = self.net.noise(len(labels), torch.Generator().manual_seed(seed))
        return self.drawn(z, labels)

    def drawn(self, z: Tensor, labels: Tensor) -> Tensor:
        """(N, 784): what the generator makes of noise (N, 100)."""
        training = self.net.training
        self.net.eval()
        parts = zip(z.to(self.device).split(parzen.CHUNK), labels.to(self.device).split(parzen.CHUNK), strict=True)
        made = torch.cat([self.net.generator(part, *self.condition(of)) for part, of in parts])
        self.net.train(training)
        return made

    def sample(self, number: int, seed: int, label: int | None = None) -> Tensor:
        """(number, 1, 28, 28): images between 0 and 1. Raises LiteratimError for a label where there is none."""
        if label is not None:
            raise LiteratimError(f"{self.paper} takes no label; leave it out, or ask the conditional one, cgan")
        return self.generate(self.labels_of_samples(number), seed).view(-1, 1, SIDE, SIDE)

    # --- The Parzen window -----------------------------------------------------------------------------

    def on_validation_start(self) -> None:
        """Put the window on fresh samples and choose its width."""
        sets = self.trainer.datamodule.sets
        images = sets.get("val", sets["train"])[0][: parzen.FITTED_ON].flatten(1).to(self.device)
        self.centres = self.generate(self.labels_of_samples(self.samples), seed=0)
        self.sigma = parzen.best_sigma(self.centres, images)

    def density(self, images: Tensor) -> Tensor:
        """(N,): the log-density of images under the window, in nats."""
        return parzen.log_likelihood(images.flatten(1), self.centres, (self.sigma,))[0]

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int, dataloader_idx: int = 0) -> None:
        name = getattr(self.trainer.datamodule, "watch", ["val"])[dataloader_idx]
        how: dict[str, Any] = {"on_epoch": True, "sync_dist": True, "add_dataloader_idx": False, "prog_bar": True}
        self.log(f"{name}_likelihood", self.density(batch[0]).mean(), batch_size=len(batch[0]), **how)

    def on_test_start(self) -> None:
        self.on_validation_start()
        self.densities: list[Tensor] = []

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.densities.append(self.density(batch[0]).double())

    def on_test_epoch_end(self) -> None:
        found = torch.cat(self.densities)
        sums = torch.stack([found.new_tensor(len(found)), found.sum(), found.square().sum()])
        n, total, squares = self.trainer.strategy.reduce(sums, reduce_op="sum").tolist()
        variance = max(0.0, squares / n - (total / n) ** 2)
        self.log("test_likelihood", total / n)
        self.log("test_se", (variance / n) ** 0.5)
        self.log("test_sigma", self.sigma)

    # --- Pictures --------------------------------------------------------------------------------------

    def pictures(self) -> Iterator[tuple[str, Tensor]]:
        """(name, images in rows and columns, (r, c, 28, 28)): what a run's folder is given at its end.

        At the end of each row of samples stands the training image that is nearest to the last of them (Fig. 2).
        """
        samples = self.sample(GRID * GRID, seed=0).view(GRID, GRID, -1)
        images = self.trainer.datamodule.sets["train"][0].flatten(1).to(self.device)
        beside = images[parzen.nearest(samples[:, -1], images)][:, None]
        yield "samples", torch.cat([samples, beside], dim=1).unflatten(2, (SIDE, SIDE))
        yield "walk", self.walk(self.labels_of_samples(WALKS)).unflatten(2, (SIDE, SIDE))

    @torch.no_grad()
    def walk(self, labels: Tensor, seed: int = 1) -> Tensor:
        """(rows, 10, 784): for each label the way from one point of z in a straight line to another (Fig. 3)."""
        ends = self.net.noise(2 * len(labels), torch.Generator().manual_seed(seed)).view(2, len(labels), 1, -1)
        z = torch.lerp(ends[0], ends[1], torch.linspace(0, 1, GRID).view(1, GRID, 1))
        return self.drawn(z.flatten(0, 1), labels.repeat_interleave(GRID)).view(len(labels), GRID, -1)
