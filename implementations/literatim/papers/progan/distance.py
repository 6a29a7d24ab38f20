r"""The sliced Wasserstein distance of Sec. 5, as in the released `sliced_wasserstein.py`.

Patches of 7x7 pixels are drawn from each level of a Laplacian pyramid of the images; those of either set are normalised
by the mean and deviation of each channel, projected onto random directions, sorted, and compared place by place. The
mean of the absolute differences, times 1,000, is the distance of a level. Images of 16x16 have a single level, which is
the images themselves.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

LOWEST = 16  # pixels of the lowest level's side
PATCH = 7
IMAGES, DESCRIPTORS, PROJECTIONS = 16384, 128, 512  # images, patches of each on each level, directions
AT_ONCE = 128  # directions
KERNEL = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16


def blurred(images: Tensor, gain: float = 1.0) -> Tensor:
    """By the 5x5 kernel of Burt and Adelson, mirrored at the edges."""
    kernel = gain * torch.outer(KERNEL, KERNEL).to(images)
    padded = F.pad(images, (2, 2, 2, 2), mode="reflect")
    return F.conv2d(padded.flatten(0, 1)[:, None], kernel[None, None]).view_as(images)


def pyramid(images: Tensor) -> list[Tensor]:
    """(N, c, s, s), (N, c, s/2, s/2), ... down to 16x16: each level less the one below it, the last as it is."""
    levels = [images]
    while levels[-1].shape[-1] > LOWEST:
        small = blurred(levels[-1])[:, :, ::2, ::2]
        large = torch.zeros_like(levels[-1])
        large[:, :, ::2, ::2] = small
        levels[-1] = levels[-1] - blurred(large, gain=4)
        levels.append(small)
    return levels


def patches(images: Tensor, number: int, random: torch.Generator) -> Tensor:
    """(N x number, c x 49): so many patches from random places of each image, normalised over all of them."""
    n, c, h, w = images.shape
    corner = [torch.randint(0, side - PATCH + 1, (n, number, 1, 1, 1), generator=random) for side in (h, w)]
    step = torch.arange(PATCH)
    row, column = corner[0] + step[:, None], corner[1] + step
    of, channel = torch.arange(n).view(n, 1, 1, 1, 1), torch.arange(c).view(c, 1, 1)
    found = images[of, channel, row, column].flatten(0, 1)
    mean, std = found.mean(dim=(0, 2, 3), keepdim=True), found.std(dim=(0, 2, 3), keepdim=True, correction=0)
    return ((found - mean) / std.clamp_min(1e-12)).flatten(1)


def sliced(a: Tensor, b: Tensor, projections: int, random: torch.Generator) -> float:
    """The mean distance between the sorted projections of two sets of as many points, (M, d)."""
    total = 0.0
    for start in range(0, projections, AT_ONCE):
        number = min(AT_ONCE, projections - start)
        directions = F.normalize(torch.randn(a.shape[1], number, generator=random), dim=0).to(a)
        ends = [(points @ directions).sort(dim=0).values for points in (a, b)]
        total += float((ends[0] - ends[1]).abs().mean()) * number
    return total / projections


@torch.no_grad()
def distance(
    one: Tensor, other: Tensor, descriptors: int = DESCRIPTORS, projections: int = PROJECTIONS, seed: int = 0
) -> float:
    """Between two sets of images (N, c, s, s), s at least 7: the mean over the levels, times 1,000.

    Of sets that differ in number the first ones are taken. What is drawn follows from the seed.
    """
    random = torch.Generator().manual_seed(seed)
    number = min(len(one), len(other))
    levels = zip(pyramid(one[:number].cpu().float()), pyramid(other[:number].cpu().float()), strict=True)
    found = [
        sliced(patches(a, descriptors, random), patches(b, descriptors, random), projections, random) for a, b in levels
    ]
    return 1000 * sum(found) / len(found)
