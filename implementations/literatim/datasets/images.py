"""Handwritten digits as tensors: in the field and at the levels of the paper, from arrays and from image files."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from literatim.datasets.pictures import read_picture
from literatim.errors import LiteratimError

GreyImages = NDArray[np.floating[Any]]  # (N, h, w), 0 is background and 1 is ink
ENOUGH = 1000  # pixels of a side: larger pictures are made smaller first
LARGEST = 50_000_000  # pixels of a picture of one digit: a page of A4 scanned at 600 dots an inch has 35 million


def field(images: GreyImages, size: int, background: float, ink: float) -> Tensor:
    """(N, 1, size, size): grey levels scaled so that 0 becomes `background` and 1 `ink`, centred in a larger field."""
    n, height, width = images.shape
    out = torch.full((n, 1, size, size), background)
    top, left = (size - height) // 2, (size - width) // 2
    scaled = torch.from_numpy(images).float() * (ink - background) + background
    out[:, 0, top : top + height, left : left + width] = scaled
    return out


def read_digit(path: str, size: int = 28, box: int = 20) -> GreyImages:
    """One image file as MNIST's digits were made: (1, size, size), light on dark or dark on light.

    The digit is scaled into a box of 20x20 pixels, its proportions kept, and its centre of mass is put in the middle
    of a field of 28x28 (Sec. III-A of LeCun et al. 1998).
    """
    image = _grey(path)
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    image = np.abs(image - np.median(border))  # whatever the polarity, the border is background
    if image.max() < 0.1:
        raise LiteratimError(f"{path}: the image is empty: no digit stands out from the background")
    image /= image.max()
    rows, columns = np.nonzero(image.max(axis=1) > 0.2)[0], np.nonzero(image.max(axis=0) > 0.2)[0]
    digit = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = box / max(digit.shape)
    height, width = (max(1, round(side * scale)) for side in digit.shape)
    small = Image.fromarray((digit * 255).astype(np.uint8)).resize((width, height), Image.Resampling.LANCZOS)
    return _centred(np.asarray(small, dtype=np.float32) / np.float32(255), size)[None]


def _grey(path: str) -> GreyImages:
    """(h, w): grey levels from 0 to 1 of any image."""
    image = read_picture(path, LARGEST).convert("L")
    if (factor := max(image.size) // ENOUGH) > 1:
        image = image.reduce(factor)
    return np.asarray(image, dtype=np.float32) / 255


def _centred(digit: GreyImages, size: int) -> GreyImages:
    """The digit in a field of size x size, its centre of mass in the middle, as far as the field allows."""
    out = np.zeros((size, size), dtype=np.float32)
    starts = []
    for axis, length in enumerate(digit.shape):
        mass = digit.sum(axis=1 - axis)
        centre = float((mass * np.arange(length)).sum() / mass.sum())
        starts.append(int(np.clip(round((size - 1) / 2 - centre), 0, size - length)))
    out[starts[0] : starts[0] + digit.shape[0], starts[1] : starts[1] + digit.shape[1]] = digit
    return out
