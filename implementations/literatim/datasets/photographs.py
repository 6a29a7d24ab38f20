"""Photographs from image files: read right, cut out, scaled and mirrored, each by draws of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from torch import Tensor

from literatim.datasets.pictures import orientation, picture, rgb, upright
from literatim.errors import LiteratimError
from literatim.parts.colour import colour_shifts
from literatim.parts.patches import patch_of

Crop = Literal["random", "area", "centre", "none"]
Interpolation = Literal["bilinear", "random"]
Pixels = NDArray[np.uint8]  # (h, w, 3), RGB

SMALLEST = 8  # pixels of a side: less is no picture
SIDEWAYS = (5, 6, 7, 8)  # of EXIF's orientations
# "bilinear, area, nearest neighbor and cubic, with equal probability" (Szegedy et al. 2015, Sec. 6). All but the
# nearest neighbour take the mean over what becomes one pixel where an image shrinks.
WAYS = (Image.Resampling.BILINEAR, Image.Resampling.BOX, Image.Resampling.NEAREST, Image.Resampling.BICUBIC)


class Cut(NamedTuple):
    """What is taken of an image, (left, top, right, bottom) in its own pixels, and the (width, height) it is given."""

    box: tuple[float, float, float, float]
    size: tuple[int, int]


@dataclass(frozen=True)
class View:
    """How an image is looked at: see `ImageFolder` for the options."""

    crop: Crop
    size: int
    scale: tuple[int, int]  # least and largest length of the shorter side
    mirror: bool = False
    interpolation: Interpolation = "bilinear"

    def cut(self, width: int, height: int, generator: torch.Generator | None = None) -> Cut:
        """What this view takes of an image of that size: scaling and cropping are one step."""
        size = self.size
        if self.crop == "area":
            assert generator
            top, left, tall, wide = patch_of(height, width, generator)
            return Cut((left, top, left + wide, top + tall), (size, size))
        low, high = self.scale
        side = low if low == high else draw(low, high, generator)
        scaled = [max(side, round(length * side / min(width, height))) for length in (width, height)]
        if self.crop == "none":
            return Cut((0, 0, width, height), (scaled[0], scaled[1]))
        room = [length - size for length in scaled]
        left, top = (draw(0, free, generator) if self.crop == "random" else free // 2 for free in room)
        x, y = width / scaled[0], height / scaled[1]
        return Cut((left * x, top * y, (left + size) * x, (top + size) * y), (size, size))


def draw(low: int, high: int, generator: torch.Generator | None) -> int:
    """A whole number from `low` to `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def read_photograph(path: str | bytes, view: View, generator: torch.Generator | None = None) -> Pixels:
    """One image file as a view shows it, turned as its EXIF orientation says, on white where it is transparent.

    Raises LiteratimError, naming the file, where it is missing, is not a whole image or has no pixels to speak of.
    """
    with picture(path) as file:
        image, box, size = _opened(file, view, generator)
        way = WAYS[draw(0, 3, generator)] if view.interpolation == "random" else Image.Resampling.BILINEAR
        pixels = np.asarray(image.resize(size, way, box=box), dtype=np.uint8)
    if view.mirror and torch.rand((), generator=generator) < 0.5:
        pixels = pixels[:, ::-1]
    return pixels


def _opened(file: Image.Image, view: View, generator: torch.Generator | None) -> tuple[Image.Image, Any, Any]:
    """The image in RGB, the box in it that the view takes, and its size there."""
    jpeg = isinstance(file, JpegImageFile)
    if not jpeg:
        file.load()  # of TIFF and PNG only then is the orientation certain
    held = orientation(file)
    width, height = reversed(file.size) if held in SIDEWAYS else file.size
    if min(width, height) < SMALLEST:
        raise LiteratimError(
            f"an image of {width}x{height} pixels is too small; it needs {SMALLEST} on each side: remove it"
        )
    box, size = view.cut(width, height, generator)
    if jpeg:
        # A JPEG can be decoded at a half, a quarter or an eighth of its size: as small as still has all the pixels.
        shrink = min((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1])
        file.draft(None, (max(1, -int(-file.width // shrink)), max(1, -int(-file.height // shrink))))
    image = upright(rgb(file), held)
    x, y = image.width / width, image.height / height
    edges = (box[0] * x, box[1] * y, min(box[2] * x, image.width), min(box[3] * y, image.height))
    return image, edges, size


class Photographs:
    """Image files with their labels, as a view shows them. Keys are (epoch, index).

    What is drawn for an image follows from the seed, the epoch and its index alone, whoever reads it. Where there are
    `components` of the colours, each image gets a shift of its colours with it.

    An item is (pixels, label, shift), or the LiteratimError that says what is wrong with the file: a process that reads
    for another one cannot raise it there.
    """

    def __init__(
        self,
        files: NDArray[np.bytes_],
        labels: NDArray[np.int64],
        view: View,
        seed: int = 0,
        components: Tensor | None = None,
        deviation: float = 0.0,
    ) -> None:
        self.files, self.labels, self.view, self.seed = files, labels, view, seed
        self.components, self.deviation = components, deviation

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, key: tuple[int, int]) -> tuple[Pixels, int, Tensor] | LiteratimError:
        epoch, index = key
        drawn = np.random.SeedSequence((self.seed, epoch, index)).generate_state(1)
        generator = torch.Generator().manual_seed(int(drawn[0]))
        try:
            pixels = read_photograph(bytes(self.files[index]), self.view, generator)
        except LiteratimError as error:
            return error
        shift = torch.zeros(3)
        if self.components is not None:
            shift = colour_shifts(1, self.components, self.deviation, generator)[0]
        return pixels, int(self.labels[index]), shift


def collated(items: list[Any]) -> tuple[Tensor, Tensor, Tensor] | LiteratimError:
    """(N, h, w, 3) bytes, (N,) labels and (N, 3) shifts of a batch, or what is wrong with one of its images."""
    for item in items:
        if isinstance(item, LiteratimError):
            return item
    pixels, labels, shifts = zip(*items, strict=True)
    if len(shapes := sorted({image.shape[:2] for image in pixels})) > 1:
        sizes = " and ".join(f"{width}x{height}" for height, width in shapes[:2])
        return LiteratimError(f"whole images of {sizes} pixels make no batch; use batches of one")
    return torch.from_numpy(np.stack(pixels)), torch.tensor(labels), torch.stack(shifts)
