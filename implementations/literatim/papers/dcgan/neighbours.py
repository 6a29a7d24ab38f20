"""What Sec. 8.1 does with a trained conditional pair: real images are told by the samples that are nearest to them.

The classifier is that of the released `nnc_score`: each test image gets the label that its nearest neighbour, by the
Euclidean distance of pixels, was generated for. Where the samples of a label do not show its digit, or show few kinds
of it, the classifier errs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from literatim.papers.gan.parzen import squared_distances

CHUNK = 250  # images at a time: their distances to 50,000 samples take 50 MB


def nearest_error(labelled: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> float:
    """In %: how many test images (N, …) have another label than the nearest of the labelled images (M, …)."""
    known, labels = labelled[0].flatten(1), labelled[1].to(test[1].device)
    parts = zip(test[0].flatten(1).split(CHUNK), test[1].split(CHUNK), strict=True)
    wrong = [(labels[squared_distances(x, known).argmin(1).to(labels.device)] != y).sum() for x, y in parts]
    return 100 * float(torch.stack(wrong).sum()) / len(test[1])
