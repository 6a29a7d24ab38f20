"""`literatim look`: the filters and the feature maps of a network, for one image, as PNG files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.datasets.images import field, read_digit
from literatim.datasets.photographs import View, read_photograph
from literatim.errors import LiteratimError
from literatim.experiment.misfits import mismatch
from literatim.experiment.plots import write_grid
from literatim.loading import load
from literatim.registry.data import DATA_SETS
from literatim.registry.defaults import defaults
from literatim.registry.ledger import recipe_path
from literatim.registry.reading import card
from literatim.registry.settings import settings
from literatim.seeing import filters, maps, picture, tiles_of_filters, tiles_of_maps
from literatim.weightfiles import read_weights

OURS = "literatim look"  # what our pictures say of themselves
MOST = 64  # of the filters of a deep layer, and of the maps that each reads: of 512 x 512 nobody sees anything
LARGEST_TILE, SHORTER_SIDE = 256, 400  # pixels, of a picture's tile at most and of its shorter side about
GAP, WIDE = 2, 20  # pixels between tiles, where a tile has so many at least
COLOURS = [0.485, 0.456, 0.406]  # the mean of ImageNet's, where a training takes that of its own images
SPREAD = [0.229, 0.224, 0.225]  # of ImageNet's colours, by which torchvision divides
DIGITS = ("digits", "mnist")


@dataclass
class Asked:
    """What the command asks for; names and files in it have been checked."""

    paper: str
    variant: str
    part: str | None  # of a pair of networks the one that takes images
    channels: int
    side: int
    image: Path
    to: Path
    weights: str | None = None
    checkpoint: Path | None = None
    recipe: str | None = None  # whose data tell how images are shown


def look(asked: Asked) -> Iterator[dict[str, Any]]:
    """Draw filters and maps; yields what is on each picture as soon as it is written.

    Raises LiteratimError for an image that cannot be read, weights that do not fit, and files that are not ours.
    """
    loaded = load(asked.paper, asked.variant, weights=asked.checkpoint or asked.weights).eval()
    net: nn.Module = getattr(loaded, asked.part) if asked.part else loaded
    image = shown(asked, getattr(net, "size", asked.side))
    try:
        found = maps(net, image)
    except RuntimeError as error:
        raise LiteratimError(mismatch(str(error)) or f"{asked.image}: {' '.join(str(error).split())}") from None
    drawings = [("00-input.png", "image", asked.image.name, image, whole(image))]
    drawings += layers(filters(net), found)
    if asked.part:
        others = {f"{name}-filters.png": k for name, k in filters(loaded).items() if not name.startswith(asked.part)}
        drawings += [(file, "filters", file.removesuffix("-filters.png"), k, few(k)) for file, k in others.items()]
    for file, *_ in drawings:
        own(asked.to / file)
    asked.to.mkdir(exist_ok=True)
    for file, kind, layer, numbers, tiles in drawings:
        scale = scale_of(tiles)
        drawing = picture(tiles, scale, GAP if scale * tiles.shape[-1] >= WIDE else 1)
        write_grid(drawing.permute(2, 0, 1)[None, None], asked.to / file, 1, OURS)
        yield {
            "file": str(asked.to / file),
            "kind": kind,
            "layer": layer,
            "shape": list(numbers.shape),
            "drawn": drawn(kind, numbers),
            "least": finite(numbers.min()),
            "greatest": finite(numbers.max()),
        }


def finite(value: Tensor) -> float | None:
    """As JSON knows it: None for what is not a number, or beyond all."""
    return float(value) if value.isfinite() else None


def layers(kernels: dict[str, Tensor], found: dict[str, Tensor]) -> Iterator[tuple[str, str, str, Tensor, Tensor]]:
    """(file, kind, layer, numbers, tiles) of what an image reaches, in that order."""
    width = max(2, len(str(len(found))))
    for i, (layer, numbers) in enumerate(found.items(), 1):
        for name in [name for name in kernels if name == layer or inside(name, layer, found)]:
            yield f"{i:0{width}}-{layer}-filters.png", "filters", layer, kernels[name], few(kernels[name])
        yield f"{i:0{width}}-{layer}-maps.png", "maps", layer, numbers, tiles_of_maps(numbers)


def inside(name: str, layer: str, found: dict[str, Tensor]) -> bool:
    """Whether a convolution stands in a layer that bears the name of what holds it."""
    nearest = max((other for other in found if name.startswith(f"{other}.")), key=len, default=None)
    return name not in found and nearest == layer


def few(kernels: Tensor) -> Tensor:
    return tiles_of_filters(kernels if kernels.shape[1] in (1, 3) else kernels[:MOST, :MOST])


def drawn(kind: str, numbers: Tensor) -> str:
    """What is on a picture, in words."""
    if kind == "image":
        return f"as the network sees it, {' x '.join(map(str, numbers.shape))}"
    if kind == "maps":
        of = f" of {numbers.shape[1]} x {numbers.shape[2]}" if numbers[0].numel() > 1 else ""
        return counted(len(numbers), "map" if of else "unit") + of
    number, reads, height, width = numbers.shape
    said = f"{counted(number, 'filter')} of {height} x {width}"
    if reads == 1:
        return said
    if reads == 3:
        return f"{said}, in colour"
    some = f"{MOST} of " if number > MOST else ""
    return f"{some}{said}, a row for each, on {f'{MOST} of ' if reads > MOST else ''}{reads} maps"


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def own(path: Path) -> None:
    """Raises LiteratimError where there is something that this command has not drawn."""
    if not os.path.lexists(path):
        return
    try:
        with Image.open(path, formats=("PNG",)) as there:
            ours = not path.is_symlink() and there.info.get("Software") == OURS
    except (OSError, SyntaxError, ValueError):
        ours = False
    if not ours:
        raise LiteratimError(f"{path}: this is not a picture that look has drawn; name another folder, --to DIR")


# --- The image as the network is shown it -------------------------------------------------------------


def shown(asked: Asked, side: int) -> Tensor:
    """(channels, side, side): an image file as the recipe shows images, of another size scaled.

    A recipe of digits centres the digit in its field; one of photographs takes the middle square. What a checkpoint
    says of the mean of the training images is subtracted; without one, of photographs, the mean of ImageNet's colours
    where the recipe leaves it to the training.
    """
    data, options = data_of(asked)
    mean = mean_of(asked.checkpoint, side)
    if asked.channels == 1 or data in DIGITS:
        size = int(options.get("size", side))
        low, high = float(options.get("background", 0.0)), float(options.get("ink", 1.0))
        digit = field(read_digit(str(asked.image), min(28, size)), size, low, high)
        digit = F.interpolate(digit, size=(side, side), mode="bilinear") if size != side else digit
        return digit[0].expand(asked.channels, -1, -1) - mean
    scale = options.get("eval_scale", round(side * 8 / 7))
    view = View("centre", side, (scale, scale) if scale >= side else (side, side))
    levels = torch.from_numpy(read_photograph(str(asked.image), view).copy()).permute(2, 0, 1).float()
    white = float(options.get("levels", 1))
    given = options.get("mean")
    middle = torch.tensor(given if isinstance(given, list) else COLOURS) * (1 if isinstance(given, list) else white)
    spread = torch.tensor(options.get("std") or [1.0, 1.0, 1.0])
    if bool(mean.any()) and not isinstance(given, list):
        middle = torch.zeros(3)  # the training subtracts it
    return (levels * white / 255 - middle[:, None, None]) / spread[:, None, None] - mean


def data_of(asked: Asked) -> tuple[str, dict[str, Any]]:
    """The name of a recipe's data and their options; without a recipe photographs are shown as torchvision shows them
    to its networks, and digits from 0 to 1."""
    if asked.recipe is None:
        return "", {"mean": COLOURS, "std": SPREAD} if asked.channels == 3 else {}
    data = card(asked.paper).recipes[asked.recipe].data
    by_default = defaults(DATA_SETS[data].module)
    return data, {**by_default, **settings(recipe_path(asked.paper, asked.recipe)).get("data", {})}


def mean_of(checkpoint: Path | None, side: int) -> Tensor:
    """What a training subtracts of images, as its checkpoint has it: of each colour, or of each pixel its middle."""
    state = read_weights(checkpoint)[0] if checkpoint else {}
    mean = state.get("mean", torch.zeros(3))
    if mean.dim() == 1:
        return mean[:, None, None] if mean.any() else torch.zeros(())
    edge = (mean.shape[-1] - side) // 2
    return mean[:, edge : edge + side, edge : edge + side] if edge >= 0 else torch.zeros(())


# --- Pictures -----------------------------------------------------------------------------------------


def whole(image: Tensor) -> Tensor:
    """(1, 1, channels, h, w) from 0 to 1: all channels on one scale."""
    return ((image - image.min()) / (image.max() - image.min()).clamp(min=1e-12))[None, None]


def scale_of(tiles: Tensor) -> int:
    """How wide a pixel is drawn: so that small kernels can be seen."""
    rows, columns, _, height, width = tiles.shape
    wanted = SHORTER_SIDE / min(rows * height, columns * width)
    return max(1, min(round(wanted), LARGEST_TILE // max(height, width)))
