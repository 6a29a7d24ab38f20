"""Pieces of images: at random for training, and the ten views of a test (Krizhevsky et al. 2012, Sec. 4.1)."""

import torch
from torch import Tensor

from literatim.errors import LiteratimError


def random_crops(images: Tensor, size: int, reflect: bool = True) -> Tensor:
    """One square of `size` from each image (N, C, h, w), at a random place, and mirrored every other time.

    All places are alike, the last one included: h - size + 1 by w - size + 1.
    """
    n, _, height, width = large_enough(images, size)
    top = torch.randint(height - size + 1, (n,), device=images.device)
    left = torch.randint(width - size + 1, (n,), device=images.device)
    windows = images.unfold(2, size, 1).unfold(3, size, 1)
    crops = windows[torch.arange(n, device=images.device), :, top, left]
    if not reflect:
        return crops
    mirrored = torch.rand(n, 1, 1, 1, device=images.device) < 0.5
    return torch.where(mirrored, crops.flip(3), crops)


def ten_crops(images: Tensor, size: int, reflect: bool = True) -> Tensor:
    """(N, 10, C, size, size): the four corners and the centre of each image, then the same five mirrored.

    Without `reflect` the first five. The centre is the fifth (index 4).
    """
    height, width = large_enough(images, size)[2:]
    bottom, right = height - size, width - size
    places = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]
    five = torch.stack([images[:, :, y : y + size, x : x + size] for y, x in places], dim=1)
    return torch.cat([five, five.flip(4)], dim=1) if reflect else five


def large_enough(images: Tensor, size: int) -> torch.Size:
    """The images' shape. Raises LiteratimError where a crop does not fit."""
    height, width = images.shape[2:]
    if min(height, width) < size:
        raise LiteratimError(f"an image of {height}x{width} pixels is too small for crops of {size}x{size}")
    return images.shape
