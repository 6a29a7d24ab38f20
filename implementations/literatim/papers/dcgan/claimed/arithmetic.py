r"""Sums and differences of $z$ (Sec. 6.3.2, Figs. 7 and 8) on digits: the generator of the recorded run `mnist`.

The paper adds a smile to a man: $z$(smiling woman) - $z$(neutral woman) + $z$(neutral man), each term the mean of a few
exemplars. Here slanted sevens - upright sevens + upright threes should give a slanted three, and thick for slanted
likewise. What a sample shows is told by LeNet-5 with its shipped weights, and by two numbers measured in the image.

Components of $z$ are uniform between -1 and 1, with a variance of 1/3. A sum of three single ones has three times that,
and reaches out of the cube; with means of three it has the length of a $z$, with means of ten it is shorter still. So
besides the sums as they come there are those brought to one length, that of a $z$.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations
from typing import Any, NamedTuple

import torch
from torch import Tensor

import literatim
from literatim.claims import Finding
from literatim.claims.once import once

EXEMPLARS, PER_PAIR = 3000, 5  # samples to choose from; sums for each ordered pair of classes
TURN = 4  # exemplars of either kind for Fig. 8's "turn" vector
WHITE, BLACK = -0.1, 1.175  # LeNet's levels (its Sec. II-B)


@torch.no_grad()
def shown(z: Tensor) -> Tensor:
    """(N, 1, 32, 32): the generator's samples, between 0 and 1."""
    net: Any = once("dcgan generator of digits", lambda: literatim.load("dcgan", weights="mnist").generator)
    return torch.cat([(net(part) + 1) / 2 for part in z.split(500)])


@torch.no_grad()
def told(images: Tensor) -> Tensor:
    """(N,): the classes that LeNet-5 tells."""
    net: Any = once("dcgan judge of digits", lambda: literatim.load("lenet", weights="mnist"))
    return torch.cat([net(WHITE + (BLACK - WHITE) * part).argmin(1) for part in images.split(500)])


def slant(images: Tensor) -> Tensor:
    """(N,): columns to the right for each row upwards, from the second moments of the ink."""
    ink, at = images[:, 0], torch.arange(images.shape[-1], dtype=images.dtype)
    mass = ink.sum((1, 2))
    down = at - (ink.sum(2) @ at / mass)[:, None]
    right = at - (ink.sum(1) @ at / mass)[:, None]
    return -torch.einsum("nij,ni,nj->n", ink, down, right) / torch.einsum("nij,ni->n", ink, down**2)


def stroke_width(images: Tensor) -> Tensor:
    """(N,): in pixels: a stroke has two edges, so twice its ink for the length of all edges."""
    here = images[..., :-1, :-1]
    down, right = images[..., 1:, :-1] - here, images[..., :-1, 1:] - here
    return 2 * images.sum((1, 2, 3)) / (down**2 + right**2).sqrt().sum((1, 2, 3))


MEASURES: dict[str, Callable[[Tensor], Tensor]] = {"slant": slant, "stroke-width": stroke_width}


class Exemplars(NamedTuple):
    """Samples with what they were made of and what they show."""

    z: Tensor
    images: Tensor
    classes: Tensor


def exemplars() -> Exemplars:
    def draw() -> Exemplars:
        z = 2 * torch.rand(EXEMPLARS, 100, generator=torch.Generator().manual_seed(0)) - 1
        images = shown(z)
        return Exemplars(z, images, told(images))

    return once("dcgan exemplars", draw)


def thirds(of: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
    """The places in `among` of the lower and of the upper third by a measure."""
    ordered = among[of[among].argsort()]
    return ordered[: len(ordered) // 3], ordered[-(len(ordered) // 3) :]


class Sums(NamedTuple):
    """Of each trial: the sum of z, the same sum of the exemplars' images, and the class that should come out."""

    z: Tensor
    images: Tensor
    classes: Tensor


def sums(measure: str, number: int) -> Sums:
    """For each pair of classes a, b: much of a - little of a + little of b, each the mean of so many exemplars."""

    def add() -> Sums:
        pool, random = exemplars(), torch.Generator().manual_seed(number)
        of = MEASURES[measure](pool.images)
        kinds = [thirds(of, (pool.classes == label).nonzero()[:, 0]) for label in range(10)]

        def mean(places: Tensor) -> tuple[Tensor, Tensor]:
            drawn = places[torch.randperm(len(places), generator=random)[:number]]
            return pool.z[drawn].mean(0), pool.images[drawn].mean(0)

        trials = [pair for pair in permutations(range(10), 2) for _ in range(PER_PAIR)]
        terms = [(mean(kinds[a][1]), mean(kinds[a][0]), mean(kinds[b][0])) for a, b in trials]
        z, images = (torch.stack([much[i] - little[i] + other[i] for much, little, other in terms]) for i in (0, 1))
        return Sums(z, images.clamp(0, 1), torch.tensor([b for _, b in trials]))

    return once(("dcgan sums", measure, number), add)


def right(measure: str, images: Tensor, classes: Tensor) -> float:
    """The share of images of the class that should come out and, in the measure, of the upper third of this class."""
    pool = exemplars()
    of = MEASURES[measure](pool.images)
    least = torch.stack([of[thirds(of, (pool.classes == label).nonzero()[:, 0])[1]].min() for label in range(10)])
    return float(((told(images) == classes) & (MEASURES[measure](images) >= least[classes])).double().mean())


def rightly(measure: str, number: int, one_length: bool = False) -> float:
    """The share of sums whose sample shows what it should."""
    found = sums(measure, number)
    length = math.sqrt(number / 3) if one_length else 1.0
    return right(measure, shown(length * found.z), found.classes)


def more(share: float, other: float) -> bool:
    """Whether one share of the trials is larger than another by three standard errors of their difference."""
    trials = 90 * PER_PAIR
    return share - other > 3 * math.sqrt((share * (1 - share) + other * (1 - other)) / trials)


def obeyed(measure: str) -> Finding:
    """Means of three exemplars are more often right than single ones; by the stroke's width mostly as they are shorter.

    How much of the gain is the length's is seen by single ones brought to that of the means: of a slant hardly any.
    """
    one, three, ten = (rightly(measure, number) for number in (1, 3, 10))
    single, many = (rightly(measure, number, one_length=True) for number in (1, 10))
    by_length = 2 * (single - one) > three - one
    return Finding(
        more(three, one) and by_length == (measure == "stroke-width"),
        f"class and measure right in {one:.1%} of {90 * PER_PAIR} sums of single z, {three:.1%} with means of three, "
        f"{ten:.1%} with means of ten; brought to one length {single:.1%}, {three:.1%}, {many:.1%}",
        f"{90 * PER_PAIR} 次加减中，类别与该量均正确的比例：单个 z 为 {one:.1%}，三个平均 {three:.1%}，"
        f"十个平均 {ten:.1%}；统一长度后依次为 {single:.1%}、{three:.1%}、{many:.1%}",
    )


def overlap() -> Finding:
    """Sums of images, cut at white and black, against samples of the sums of z: grey pixels, and how many are right."""
    found = sums("slant", 3)
    made = shown(found.z)
    grey = [float(((x > 0.2) & (x < 0.8)).sum((1, 2, 3)).double().mean()) for x in (found.images, made)]
    shares = [right("slant", x, found.classes) for x in (found.images, made)]
    return Finding(
        grey[0] > 2 * grey[1] and more(shares[1], shares[0]),
        f"{grey[0]:.0f} grey pixels in a sum of images, {grey[1]:.0f} in the sample of the sum of z; right in "
        f"{shares[0]:.1%} and {shares[1]:.1%}",
        f"图像之和有 {grey[0]:.0f} 个灰色像素，z 之和的样本有 {grey[1]:.0f} 个；"
        f"正确率为 {shares[0]:.1%} 与 {shares[1]:.1%}",
    )


def turned() -> Finding:
    """Twenty random samples along each of forty vectors: from left-slanted exemplars to right-slanted ones."""
    pool, random = exemplars(), torch.Generator().manual_seed(1)
    left, right = thirds(slant(pool.images), torch.arange(EXEMPLARS))
    steps = torch.tensor([-1, -0.5, 0, 0.5, 1])[:, None]
    walks = []
    for _ in range(40):
        ends = [side[torch.randperm(len(side), generator=random)[:TURN]] for side in (right, left)]
        turn = pool.z[ends[0]].mean(0) - pool.z[ends[1]].mean(0)
        walks += [z + steps * turn for z in 2 * torch.rand(20, 100, generator=random) - 1]
    slants = slant(shown(torch.cat(walks))).view(-1, len(steps))
    far, each = ((found > 0).double() for found in (slants[:, -1] - slants[:, 0], slants.diff(dim=1)))
    return Finding(
        float(far.mean()) > 0.99 and float(each.mean()) > 0.95,
        f"{far.mean():.1%} of {len(far)} samples are slanted more at the one end than at the other; so they are after "
        f"{each.mean():.1%} of the half steps",
        f"{len(far)} 个样本中，一端比另一端更倾斜的占 {far.mean():.1%}；每半步均更倾斜的占 {each.mean():.1%}",
    )
