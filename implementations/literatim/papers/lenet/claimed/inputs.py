r"""The input of Sec. II-B, as our data module makes it of MNIST's training images.

The images themselves may not be at hand. What is needed of them was counted once and is kept in `mnist.json` with the
checksum of their file; a test counts again where the file is.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from literatim.claims import Finding
from literatim.datasets import mnist

FIELD, IMAGE = 32 * 32, 28 * 28
WHITE, BLACK = -0.1, 1.175  # as printed in Sec. II-B


@cache
def counted() -> dict[str, Any]:
    """`levels`: how many pixels of the training images have each grey level; `largest`: (rows, columns) of ink."""
    return json.loads(files(__package__).joinpath("mnist.json").read_text(encoding="utf-8"))


def counts(images: np.ndarray) -> dict[str, Any]:
    """The same of images (N, 28, 28), counted anew."""
    extents = []
    for axis in (2, 1):
        inked = (images > 0).any(axis)
        extents.append(int((inked.shape[1] - inked[:, ::-1].argmax(1) - inked.argmax(1)).max()))
    return {"levels": np.bincount(images.ravel(), minlength=256).tolist(), "largest": extents}


def training_patterns() -> int:
    return sum(counted()["levels"]) // IMAGE


def largest_character() -> tuple[int, ...]:
    return tuple(counted()["largest"])


def level(row: str) -> float:
    """The input level of white or of black, as the data module makes it of raw grey levels."""
    return round(float(_levels()[{"white": 0, "black": 255}[row]]), 6)


def _levels() -> np.ndarray:
    """(256,): the input levels of all grey levels, through the data module."""
    raw = np.zeros((1, 28, 28), dtype=np.uint8)
    raw.reshape(-1)[:256] = np.arange(256)
    field, _ = mnist.MNIST()._tensors(raw, np.zeros(1, dtype=np.uint8))
    return field[0, 0, 2:30, 2:30].reshape(-1)[:256].double().numpy()


def _moments(levels: np.ndarray, background: float) -> tuple[float, float]:
    """(mean, variance) over the fields of 32x32 of all training images."""
    pixels = np.array(counted()["levels"], dtype=np.float64)
    beside = training_patterns() * (FIELD - IMAGE)
    n = pixels.sum() + beside
    mean = ((pixels * levels).sum() + beside * background) / n
    return mean, ((pixels * levels**2).sum() + beside * background**2) / n - mean**2


def input_mean() -> float:
    levels = _levels()
    return round(_moments(levels, levels[0])[0], 3)


def input_variance() -> float:
    levels = _levels()
    return round(_moments(levels, levels[0])[1], 3)


def variance_of_the_levels() -> Finding | None:
    r"""No images whatsoever have a variance near one at these two levels; and the variance that MNIST has.

    What lies between m and M with mean $\mu$ has a variance of at most $(M - \mu)(\mu - m)$, which images of pure white
    and pure black reach. With the printed levels that is 0.1175 at the printed mean of zero, and 0.406 at any mean.
    """
    at_zero, at_most = -WHITE * BLACK, ((BLACK - WHITE) / 2) ** 2
    if at_most > 0.5:
        return None
    _, variance = _moments(WHITE + (BLACK - WHITE) * np.arange(256) / 255, WHITE)
    return Finding(
        round(variance, 3),
        f"between these levels a variance is at most {at_most:.3f}, at a mean of zero at most {at_zero:.4f}",
        f"在这两个灰度值之间，方差至多为 {at_most:.3f}；均值为零时至多为 {at_zero:.4f}",
    )
