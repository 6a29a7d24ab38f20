"""What a growing generator is asked for: samples of its averaged copy, their distance from real images, pictures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
import torch.distributed
from pytorch_lightning import LightningModule
from torch import Tensor

from literatim.errors import LiteratimError
from literatim.papers.progan import distance, growth, layers
from literatim.parts.averaging import Averaged

AT_ONCE = 2**20  # pixels of samples drawn at a time
WALKS = 5  # in a picture of them


class Evaluation(LightningModule):
    """Evaluation of `self.averaged`, a copy of the generator of `self.net`, at the stage that the training is in."""

    net: Any
    averaged: Averaged
    schedule: growth.Schedule
    stage: Any
    drawn: list[Tensor]
    images: int
    descriptors: int
    projections: int

    def untrained(self) -> Any:
        """A generator of the same size with weights of the start."""
        raise NotImplementedError

    # --- Samples ---------------------------------------------------------------------------------------

    @torch.no_grad()
    def made(self, generator: Any, z: Tensor, stage: growth.Stage) -> Tensor:
        """(N, c, r, r): what a generator makes of points (N, latent) at a stage, between 0 and 1."""
        parts = z.to(self.device).split(max(1, AT_ONCE // stage.resolution**2))
        return torch.cat([generator(part, *stage).add(1).div(2).clamp(0, 1) for part in parts])

    def samples_at(self, stage: growth.Stage, number: int, seed: int) -> Tensor:
        z = self.net.noise(number, torch.Generator().manual_seed(seed))
        return self.made(self.averaged, z, stage)

    def full(self, images: Tensor) -> Tensor:
        """(N, c, R, R): images enlarged to the last resolution."""
        while images.shape[-1] < self.net.resolution:
            images = layers.enlarge(images)
        return images

    def sample(self, number: int, seed: int, label: int | None = None) -> Tensor:
        """(number, c, R, R): images between 0 and 1. Raises LiteratimError for a label."""
        if label is not None:
            raise LiteratimError("progan takes no label; leave it out, or ask the conditional GAN, cgan")
        return self.full(self.samples_at(self.stage, number, seed))

    # --- Real images -----------------------------------------------------------------------------------

    def check_images(self, images: Tensor) -> None:
        """Refuse images that cannot be averaged down to those of the networks, or have other levels."""
        channels, height, width = images.shape[1:]
        side, times = self.net.resolution, height / self.net.resolution
        if height != width or times < 1 or times != 2 ** (int(times).bit_length() - 1):
            raise LiteratimError(
                f"the images have {height}x{width} pixels and the network's {side}x{side}: their side must be that, or "
                f"twice, four times ... as long (--data.size {side if side >= 32 else 32})"
            )
        if channels != self.net.channels:
            raise LiteratimError(
                f"the images have {channels} channels and the network's {self.net.channels}: --model.options.channels"
            )
        low, high = float(images.min()), float(images.max())
        if low < -1.001 or high > 1.001 or low >= 0:
            raise LiteratimError(
                f"the pixels lie between {low:g} and {high:g}, and the network's between -1 and 1: of digits say "
                "--data.background -1 --data.ink 1, of photographs --data.mean [0.5,0.5,0.5] --data.std [0.5,0.5,0.5]"
            )

    def as_large(self, images: Tensor) -> Tensor:
        """(N, c, R, R) between 0 and 1: real images (N, c, s, s) between -1 and 1, averaged down."""
        return growth.as_shown(images, growth.Stage(self.net.resolution, 1.0)).add(1).div(2)

    def training_images(self, number: int) -> Tensor:
        found: list[Tensor] = []
        for images, _ in self.trainer.datamodule.train_dataloader():
            found.append(self.as_large(images))
            if sum(map(len, found)) >= number / self.trainer.world_size:
                break
        return self.of_all_ranks(torch.cat(found))[:number]

    def of_all_ranks(self, mine: Tensor) -> Tensor:
        """The images of all ranks, in the order in which one process would have read them."""
        if self.trainer.world_size == 1:
            return mine
        shares: list[Any] = [None] * self.trainer.world_size
        torch.distributed.all_gather_object(shares, mine.cpu().numpy())
        in_turn = zip_longest(*shares)
        return torch.from_numpy(np.stack([image for turn in in_turn for image in turn if image is not None]))

    # --- The distance ----------------------------------------------------------------------------------

    def on_validation_start(self) -> None:
        self.collected: dict[str, list[Tensor]] = {}

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int, dataloader_idx: int = 0) -> None:
        name = getattr(self.trainer.datamodule, "watch", ["val"])[dataloader_idx]
        images, stage = batch[0], self.stage
        self.keep(name, images)
        fake = self.samples_at(stage, len(images), seed=batch_idx) * 2 - 1
        score = self.net.discriminator
        gap = score(growth.as_shown(images, stage), stage.alpha).mean() - score(fake, stage.alpha).mean()
        how: dict[str, Any] = {"on_epoch": True, "sync_dist": True, "add_dataloader_idx": False}
        self.log(f"{name}_wasserstein", gap, batch_size=len(images), **how)

    def keep(self, name: str, images: Tensor) -> None:
        kept = self.collected.setdefault(name, [])
        if (missing := self.images - sum(map(len, kept))) > 0:
            self.check_images(images)
            kept.append(self.as_large(images[:missing]).cpu())

    def on_validation_epoch_end(self) -> None:
        for name, images in self.collected.items():
            real = self.of_all_ranks(torch.cat(images))[: self.images]
            found = self.far(self.sample(len(real), seed=0), real)
            self.log(f"{name}_swd", found, prog_bar=True)

    def far(self, one: Tensor, real: Tensor) -> float:
        return distance.distance(one, real, self.descriptors, self.projections)

    on_test_start = on_validation_start

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.keep("test", batch[0])

    def on_test_epoch_end(self) -> None:
        real = self.of_all_ranks(torch.cat(self.collected["test"]))[: self.images]
        n = len(real)
        z = self.net.noise(n, torch.Generator().manual_seed(0))
        last = growth.Stage(self.net.resolution, 1.0)
        for name, images in (
            ("", self.sample(n, seed=0)),
            ("_untrained", self.made(self.untrained().to(self.device), z, last)),
            ("_pixels", shuffled(real)),
            ("_real", self.training_images(n)),
        ):
            self.log(f"test_swd{name}", self.far(images, real))

    # --- Pictures --------------------------------------------------------------------------------------

    @property
    def columns(self) -> int:
        """Of a picture: ten, fewer where images are large."""
        return min(10, max(2, 1280 // self.net.resolution))

    def pictures(self) -> Iterator[tuple[str, Tensor]]:
        """(name, images in rows and columns, (r, c, channels, R, R)): what a run's folder is given at its end.

        On `growth` the same latents have a row for each stage at its end and for each fade at its half, as drawn then.
        """
        n = self.columns
        yield "samples", self.sample(n * n, seed=0).unflatten(0, (n, n))
        rows = [row.float() / 255 for row in self.drawn] + [self.samples_at(self.stage, n, seed=0).cpu()]
        yield "growth", torch.stack([self.full(row) for row in rows])
        yield "walk", self.walk(min(WALKS, n), n)

    def walk(self, rows: int, columns: int, seed: int = 1) -> Tensor:
        """(rows, columns, c, R, R): from one point to another in a straight line, put back on the sphere (Sec. 6.3)."""
        ends = self.net.noise(2 * rows, torch.Generator().manual_seed(seed)).view(2, rows, 1, -1)
        z = torch.lerp(ends[0], ends[1], torch.linspace(0, 1, columns).view(1, columns, 1)).flatten(0, 1)
        return self.full(self.made(self.averaged, layers.pixel_norm(z), self.stage)).unflatten(0, (rows, columns))

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """(N, 1): the scores of images at the stage of the training, which are higher for real ones."""
        return self.net.discriminator(growth.as_shown(batch[0], self.stage), self.stage.alpha)


def shuffled(images: Tensor) -> Tensor:
    """Images (N, c, s, s) each of whose pixels is that of another image, drawn for itself."""
    flat = images.flatten(1)
    order = torch.rand(flat.shape, generator=torch.Generator().manual_seed(0)).argsort(dim=0)
    return flat.gather(0, order).view_as(images)
