r"""Scales: the training scale S, the test scale Q, and how a whole image is classified (Sec. 3.1, 3.2, 4)."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from literatim.papers.vgg.model import VGG

# Sec. 3.1: the smallest side S of a rescaled training image is 256, or 384, or drawn anew for each image from
# [256; 512]. An input is a square of 224 cut from it.
S_MIN, S_MAX, CROP = 256, 512, 224


def rescale(image: Tensor, smallest: int) -> Tensor:
    """(3, h, w) rescaled isotropically, so that its smallest side has so many pixels (Sec. 3.1, 3.2).

    How pixels are interpolated is not printed; here bilinear, with a blur where the image shrinks.
    """
    height, width = image.shape[1:]
    ratio = smallest / min(height, width)
    sides = [max(smallest, round(side * ratio)) for side in (height, width)]
    return F.interpolate(image[None], size=sides, mode="bilinear", antialias=True)[0]


def training_scale(low: int = S_MIN, high: int = S_MAX) -> int:
    """Scale jittering (Sec. 3.1): S from the range, ends included; every whole number is taken to be as likely."""
    return int(torch.randint(low, high + 1, ()))


def training_input(image: Tensor, scale: int, size: int = CROP) -> Tensor:
    """(3, size, size): a random square of the image rescaled to S, mirrored every other time (Sec. 3.1).

    The paper also shifts the colours at random, as AlexNet does; that needs the principal components of all pixels
    of the training set and belongs to the data.
    """
    image = rescale(image, scale)
    top, left = (int(torch.randint(side - size + 1, ())) for side in image.shape[1:])
    crop = image[:, top : top + size, left : left + size]
    return crop.flip(2) if torch.rand(()) < 0.5 else crop


def single_scale(low: int, high: int | None = None) -> int:
    """Sec. 4.1: Q = S for a net trained at one S, and Q = 0.5 (S_min + S_max) for one trained with jittering."""
    return low if high is None else (low + high) // 2


def several_scales(low: int, high: int | None = None) -> tuple[int, int, int]:
    """Sec. 4.2: {S - 32, S, S + 32}, and {S_min, 0.5 (S_min + S_max), S_max} after jittering."""
    return (low - 32, low, low + 32) if high is None else (low, single_scale(low, high), high)


def dense_scores(net: VGG, images: Tensor) -> Tensor:
    """(N, 1000): the class score map of the uncropped images, "spatially averaged" (Sec. 3.2).

    The text adds "(sum-pooled)", which for the softmax that follows is not the same: a sum over 36 places would
    sharpen it to the 36th power. We average. That scores are averaged before the softmax, not posteriors after it, is
    the order in which the text tells it.
    """
    return net.score_map(images).mean(dim=(2, 3))


def posteriors(net: VGG, images: Tensor, flip: bool = True) -> Tensor:
    """(N, 1000): the softmax posteriors of the images and of their mirror images, averaged (Sec. 3.2)."""
    views = [images, images.flip(3)] if flip else [images]
    return torch.stack([net.probabilities(dense_scores(net, view)) for view in views]).mean(dim=0)


def crops(image: Tensor, size: int = CROP, grid: int = 5) -> Tensor:
    """(50, 3, size, size): a regular grid of 5 x 5 squares over the image, and the same mirrored (Sec. 3.2)."""
    rows, columns = (torch.linspace(0, side - size, grid).round().long().tolist() for side in image.shape[1:])
    cut = torch.stack([image[:, y : y + size, x : x + size] for y in rows for x in columns])
    return torch.cat([cut, cut.flip(3)])


def dense_evaluation(net: VGG, image: Tensor, scales: Iterable[int]) -> Tensor:
    """(1000,): the posteriors of one image (3, h, w), averaged over the test scales Q (Sec. 3.2, 4.2)."""
    return torch.stack([posteriors(net, rescale(image, q)[None])[0] for q in scales]).mean(dim=0)


def multi_crop_evaluation(net: VGG, image: Tensor, scales: Iterable[int]) -> Tensor:
    """(1000,): the posteriors of all crops at all scales, 150 of them for three scales, averaged (Sec. 3.2, 4.3)."""
    views = torch.cat([crops(rescale(image, q), net.size) for q in scales])
    return net.probabilities(net(views)).mean(dim=0)
