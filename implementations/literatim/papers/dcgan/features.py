r"""What Sec. 5 does with a trained discriminator: a linear classifier on its features, as in the released code.

The classifier is the regularised linear L2-SVM, one against the rest: of each class, with $y_i = \pm 1$,
$\min_w \frac{1}{2} \|w\|^2 + C \sum_i \max(0, 1 - y_i w \cdot x_i)^2$. The protocol is that of
`svhn/svhn_semisup_analysis.py`: as many labelled images of each class, drawn again and again; of seven values of C the
best on average on images set aside for that; and the mean error on the test images over draws.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from literatim.errors import LiteratimError
from literatim.papers.dcgan.model import Discriminator

CS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01)  # cs
BATCH = 128  # images at a time whose statistics are averaged; nbatch
Extract = Callable[[Tensor], Tensor]
Features = NDArray[np.float32]  # (N, d)


@torch.no_grad()
def fixed(discriminator: Discriminator, images: Tensor) -> Discriminator:
    """A copy whose batch normalisation goes by the statistics of these images (N, c, h, w): `infer_bnorm_stats`.

    In training images and samples are normalised apart, so that what a layer averages meanwhile is of both.
    """
    net = copy.deepcopy(discriminator).train()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over minibatches
    for part in images.split(BATCH):
        net(part)
    return net.eval()


@torch.no_grad()
def extracted(extract: Extract, images: Tensor) -> Features:
    """(N, d): the features of images, a minibatch at a time."""
    return np.concatenate([extract(part).cpu().numpy() for part in images.split(BATCH)])


def pixels(images: Tensor) -> Tensor:
    """(N, d): the images themselves, to compare with."""
    return images.flatten(1)


def drawn(labels: Tensor, number: int, seed: int) -> Tensor:
    """(number,): places of labelled images, as many of each class, drawn without repetition; ordered by class.

    Raises LiteratimError where that is impossible.
    """
    classes = labels.unique()
    each, rest = divmod(number, len(classes))
    if rest or not each:
        raise LiteratimError(
            f"model.labels is {number}; there are {len(classes)} classes, of each of which as many images are drawn"
        )
    if each > (least := int(min((labels == kind).sum() for kind in classes))):
        raise LiteratimError(
            f"model.labels is {number}, so {each} of each class, of one of which there are {least} images only; "
            f"--model.labels {least * len(classes)}"
        )
    random = torch.Generator().manual_seed(seed)
    of = [(labels == kind).nonzero()[:, 0] for kind in classes]
    return torch.cat([places[torch.randperm(len(places), generator=random)[:each]] for places in of])


def classifier(c: float) -> Any:
    """The regularised linear L2-SVM (liblinear's, by scikit-learn): its hinge is squared."""
    from sklearn.svm import LinearSVC

    return LinearSVC(C=c, loss="squared_hinge", random_state=0)


def svm_error(
    extract: Extract,
    train: tuple[Tensor, Tensor],
    val: tuple[Tensor, Tensor] | None,
    test: tuple[Tensor, Tensor],
    number: int,
    draws: int,
) -> tuple[float, float]:
    """(error in %, C): the mean over draws of `number` labelled training images.

    C is chosen on `val`, or, where there is none, on the training images that were not drawn; never on the test.
    """
    places = [drawn(train[1], number, seed=draw) for draw in range(draws)]
    given = [(extracted(extract, train[0][at]), train[1][at].numpy()) for at in places]
    aside = [val or without(train, at) for at in places]
    held = [(extracted(extract, x), y.numpy()) for x, y in (aside if val is None else aside[:1])]
    fits = {c: [fit(c, *labelled) for labelled in given] for c in CS}
    aside_errors = {c: [error(of, *held[draw % len(held)]) for draw, of in enumerate(fits[c])] for c in CS}
    best = min(CS, key=lambda c: float(np.mean(aside_errors[c])))
    tested = extracted(extract, test[0]), test[1].numpy()
    return float(np.mean([error(of, *tested) for of in fits[best]])), best


def fit(c: float, x: Features, y: NDArray[np.int64]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of steps that did not suffice, as is to be expected of some values of C
        return classifier(c).fit(x, y)


def error(fitted: Any, x: Features, y: NDArray[np.int64]) -> float:
    """In %."""
    return 100 * float((fitted.predict(x) != y).mean())


def without(train: tuple[Tensor, Tensor], places: Tensor) -> tuple[Tensor, Tensor]:
    """The training images that were not drawn. Raises LiteratimError where all were."""
    rest = torch.ones(len(train[1]), dtype=torch.bool)
    rest[places] = False
    if not rest.any():
        raise LiteratimError("no labelled image is left to choose C on; ask for fewer with --model.labels")
    return train[0][rest], train[1][rest]
