"""Folders of photographs as a data module."""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from literatim.datasets.classfolders import ClassFolders
from literatim.datasets.folders import Files
from literatim.datasets.photographs import Crop, Interpolation, Photographs, View, read_photograph
from literatim.datasets.reading import ImageBatches, Levels, default_workers
from literatim.errors import LiteratimError
from literatim.parts.colour import PixelStatistics, principal_components


class ImageFolder(ClassFolders):
    """Image files in a folder for each class, as float images (N, 3, h, w), RGB.

    `root` holds folders `train` and `val` (and `test`, where there is one) with a folder for each class in them, or it
    holds the folders of the classes itself. Without `val`, a share of each class is held out as the set `val`; without
    `test`, the test is on `val`. The defaults are what torchvision's published weights were trained on.

    The folders of the sets may also be called training, valid, validation or testing, in any case. Which images are
    held out follows from the seed and their names. A run goes on with the very images it began with, and is tested on
    these or on a folder without any of them: on all of it, if that holds the folders of the classes itself.

    What is drawn for an image follows from the seed, the epoch and the image alone. The mean of each pixel and the
    colours' components are taken from training images as the network sees them, and are saved with a checkpoint, as
    are the names of the classes and what tells which images there were.

    Args:
        root: the folder
        hold_out: share of each class that is held out as `val`, where there is no such folder
        scale: length of the shorter side, in pixels, that training images are scaled to; or a range to draw it from
        crop: what is shown of a training image: a square of `size` at a "random" place or in the "centre"; "area", a
            patch of 8 to 100 % of the image's area, its sides at 3:4 to 4:3, scaled to `size`; or "none": all of it
        size: side of that square
        interpolation: of scaling in training: "bilinear", or one of four ways at "random" (GoogLeNet)
        mirror: mirror every other training image
        levels: of the colours, from 0 to 1 or to 255
        mean: what is subtracted, in levels: of each colour, or of each "pixel"
        std: what each colour is divided by after that
        colour_noise: deviation of the factors of AlexNet's colour noise, 0.1 there, on the standard deviation along
            each principal component of the colours
        sample: how many training images the mean of each pixel and these components are taken from
        eval_scale: length of the shorter side when evaluating
        eval_crop: the "centre" of an image, or "none" for all of it, which needs batches of one or images of one size
        eval_size: side of that centre; `size` where none is given
        batch_size: examples a step
        eval_batch_size: examples a step when evaluating
        workers: processes that read images; where none are given, all cores but one, 16 at most
        watch: sets whose error is taken after every epoch: train, val, test
        seed: of the order, of what is held out and of all that is drawn
    """

    kept = (*ClassFolders.kept, "pixel_mean", "components")

    def __init__(
        self,
        root: str | None = None,
        hold_out: float = 0.2,
        scale: int | list[int] = 256,
        crop: Crop = "area",
        size: int = 224,
        interpolation: Interpolation = "bilinear",
        mirror: bool = True,
        levels: Literal[1, 255] = 1,
        mean: list[float] | Literal["pixel"] | None = [0.485, 0.456, 0.406],  # noqa: B006 (shown in --help)
        std: list[float] | None = [0.229, 0.224, 0.225],  # noqa: B006
        colour_noise: float = 0.0,
        sample: int = 10_000,
        eval_scale: int = 256,
        eval_crop: Literal["centre", "none"] = "centre",
        eval_size: int | None = None,
        batch_size: int = 32,
        eval_batch_size: int = 64,
        workers: int | None = None,
        watch: list[str] = ["val"],  # noqa: B006
        seed: int = 0,
    ) -> None:
        super().__init__(root, hold_out, watch, seed)
        low, high = (scale, scale) if isinstance(scale, int) else (scale if len(scale) == 2 else (0, 0))
        self.training = View(crop, size, (low, high), mirror, interpolation)
        self.evaluating = View(eval_crop, eval_size or size, (eval_scale, eval_scale))
        self.levels, self.mean, self.std = levels, mean, std
        self.colour_noise, self.sample = colour_noise, sample
        self.batch_size, self.eval_batch_size, self.workers = batch_size, eval_batch_size, workers
        self.pixel_mean: Tensor | None = None  # (3, size, size), at levels from 0 to 255
        self.components: Tensor | None = None  # (3, 3), in its columns the colours' components times their deviations
        self.predicted: list[str] = []  # image files for `predict`
        self.check_options()

    def check_options(self) -> None:
        for name, view in (("scale", self.training), ("eval_scale", self.evaluating)):
            low, high = view.scale
            least = 1 if view.crop in ("area", "none") else view.size
            if not least <= low <= high:
                raise LiteratimError(
                    f"data.{name} must be a number of pixels, or two in order, of at least the crop's side: {least}"
                )
        if not 0 <= self.hold_out < 1:
            raise LiteratimError(f"data.hold_out is {self.hold_out}; it is a share, from 0 to below 1")
        if self.training.size < 1 or self.sample < 1 or self.colour_noise < 0 or (self.workers or 0) < 0:
            raise LiteratimError("data.size and data.sample must be at least 1, colour_noise and workers at least 0")
        for name, three in (("mean", self.mean), ("std", self.std)):
            if isinstance(three, list) and (len(three) != 3 or (name == "std" and min(three) <= 0)):
                raise LiteratimError(f"data.{name} is {three}; it has three numbers, for red, green and blue")

    # --- What is taken from the training images

    def take_statistics(self) -> None:
        """The mean of each pixel and the principal components of the colours, once, where they are asked for."""
        wants_mean = self.mean == "pixel" and self.pixel_mean is None
        if not wants_mean and (not self.colour_noise or self.components is not None):
            return
        if self.training.crop == "none":
            raise LiteratimError("the mean of each pixel and colour noise need images of one size: not data.crop none")
        files = self.files("train")
        chosen = np.linspace(0, len(files.labels) - 1, min(self.sample, len(files.labels))).round().astype(np.int64)
        plain = Levels(255)
        statistics = PixelStatistics(self.training.size)
        images = Photographs(*files.take(chosen), self.training, self.seed)
        for batch, _ in self.batches(images, plain, self.batch_size, whole=True):
            statistics.add(batch)
        self.pixel_mean = statistics.mean.float()
        # As printed the noise is in eigenvalues, which at levels from 0 to 255 leaves nothing of an image: on AlexNet's
        # card that is an erratum, and the released code speaks of standard deviations.
        self.components = principal_components(statistics.covariance, "deviation").float()

    def finish(self) -> Levels:
        """What is done to whole batches of evaluation, and of training."""
        if self.mean == "pixel":
            self.take_statistics()
            return Levels(self.levels, self.pixel_mean, self.std)
        mean = torch.tensor(self.mean or [0.0, 0.0, 0.0]).view(3, 1, 1) * (255 / self.levels)
        return Levels(self.levels, mean, self.std)

    # --- Batches

    def batches(self, images: Photographs, finish: Levels, batch_size: int, **how: Any) -> ImageBatches:
        ranks = getattr(self.trainer, "num_devices", 1) if self.trainer else 1
        workers = default_workers(ranks) if self.workers is None else self.workers
        return ImageBatches(images, finish, batch_size, workers, **how)

    def train_dataloader(self) -> ImageBatches:
        if self.colour_noise:
            self.take_statistics()
        components = self.components if self.colour_noise else None
        images = Photographs(*self.files("train"), self.training, self.seed, components, self.colour_noise)
        how: dict[str, Any] = {"order": "each epoch", "seed": self.seed}
        return self.batches(images, self.finish(), self.batch_size, **how)

    def eval_dataloader(self, files: Files, **how: Any) -> ImageBatches:
        return self.batches(Photographs(*files, self.evaluating), self.finish(), self.eval_batch_size, **how)

    def val_dataloader(self) -> list[ImageBatches]:
        return [self.eval_dataloader(self.files(name)) for name in self.watch]

    def test_dataloader(self) -> ImageBatches:
        return self.eval_dataloader(self.files("test"))

    def predict_dataloader(self) -> ImageBatches:
        """The image files that were asked about, in order; the targets say nothing."""
        if not self.classes:
            raise LiteratimError("what the classes are called is not known: name the folder with --data.root")
        paths = np.array([os.fsencode(path) for path in self.predicted])
        files = Files(paths, np.zeros(len(paths), dtype=np.int64))
        size = 1 if self.evaluating.crop == "none" else self.eval_batch_size
        return self.batches(Photographs(*files, self.evaluating), self.finish(), size, whole=True)

    def read_image(self, path: str) -> Tensor:
        """(3, h, w): an image file as in evaluation."""
        pixels = torch.from_numpy(np.array(read_photograph(path, self.evaluating)))
        return self.finish()(pixels[None], torch.zeros(1, 3))[0]
