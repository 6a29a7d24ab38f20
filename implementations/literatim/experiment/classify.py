"""What torchvision's published weights make of photographs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from literatim.interop import categories
from literatim.loading import TORCHVISION, load

if TYPE_CHECKING:
    from torch import Tensor


def classify(paper: str, variant: str | None, files: list[str]) -> tuple[list[str], Tensor]:
    """(the thousand classes of ImageNet, (N, 1000) their probabilities), by torchvision's weights of a network.

    Raises LiteratimError for a file that holds no image, before any weights are looked for.
    """
    import torch

    from literatim.datasets.imagefolder import ImageFolder

    data = ImageFolder()  # shows images as these weights expect them
    images = [data.read_image(file) for file in files]
    net = load(paper, variant, weights=TORCHVISION)
    with torch.inference_mode():
        return categories(), torch.cat([net(image[None]).softmax(dim=1) for image in images])
