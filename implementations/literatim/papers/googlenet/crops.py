"""What the network is shown of an image: the 144 crops of the test (Sec. 7), the patches of the training (Sec. 6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.parts import patches

# Sec. 7: the shorter side of the image at each of the four scales.
SCALES = (256, 288, 320, 352)

# Sec. 6: a patch has "between 8 % and 100 % of the image area" and an aspect ratio "between 3/4 and 4/3"; it is
# resized by one of four ways, with equal probability ("bilinear, area, nearest neighbor and cubic").
AREA, ASPECT = (0.08, 1.0), (3 / 4, 4 / 3)
INTERPOLATIONS = ("bilinear", "area", "nearest", "bicubic")


def resized(image: Tensor, height: int, width: int, how: str = "bilinear") -> Tensor:
    """(colours, height, width) of an image (colours, H, W); smoothed first where it shrinks and the way allows it."""
    smooth = {"antialias": True, "align_corners": False} if how in ("bilinear", "bicubic") else {}
    return F.interpolate(image[None], size=(height, width), mode=how, **smooth)[0]


def squares(image: Tensor, side: int) -> list[Tensor]:
    """The image resized so that its shorter side is `side`; then its left, centre and right square.

    Of an upright image the top, centre and bottom one. Each (3, side, side).
    """
    height, width = image.shape[1:]
    scale = side / min(height, width)
    image = resized(image, max(side, round(height * scale)), max(side, round(width * scale)))
    extra = max(image.shape[1:]) - side
    along = 2 if image.shape[2] > image.shape[1] else 1
    return [image.narrow(along, start, side).narrow(3 - along, 0, side) for start in (0, extra // 2, extra)]


def six(square: Tensor, size: int) -> list[Tensor]:
    """Of a square: its four corners and its centre, (3, size, size) each, and the whole square resized to that."""
    last = square.shape[1] - size
    corners = [(0, 0), (0, last), (last, 0), (last, last), (last // 2, last // 2)]
    return [square[:, top : top + size, left : left + size] for top, left in corners] + [resized(square, size, size)]


def crops_144(image: Tensor, size: int = 224) -> Tensor:
    r"""(144, 3, size, size) of an image (3, H, W): $4 \times 3 \times 6 \times 2$.

    Four scales, three squares of each, six crops of each, and all of them mirrored.
    """
    crops = torch.stack([crop for side in SCALES for square in squares(image, side) for crop in six(square, size)])
    return torch.cat([crops, crops.flip(3)])


@torch.no_grad()
def averaged_probabilities(nets: list[nn.Module], crops: Tensor, at_once: int = 48) -> Tensor:
    """(classes,): "The softmax probabilities are averaged over multiple crops and over all the individual classifiers".

    The networks are in evaluation; `at_once` crops go through them together.
    """
    each = [torch.softmax(net(some), dim=1) for net in nets for some in crops.split(at_once)]
    return torch.cat(each).mean(dim=0)


def patch_of(height: int, width: int, generator: torch.Generator) -> tuple[int, int, int, int]:
    """(top, left, height, width) of a random patch of an image of that size."""
    return patches.patch_of(height, width, generator, AREA, ASPECT)


def training_patch(image: Tensor, generator: torch.Generator, size: int = 224) -> Tensor:
    """(3, size, size): a random patch of an image (3, H, W), resized in a random way."""
    top, left, height, width = patch_of(image.shape[1], image.shape[2], generator)
    how = INTERPOLATIONS[int(torch.randint(len(INTERPOLATIONS), (1,), generator=generator))]
    return resized(image[:, top : top + height, left : left + width], size, size, how)
