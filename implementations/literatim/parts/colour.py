"""The mean of every pixel and noise in the colours, as AlexNet has them (Krizhevsky et al. 2012, Sec. 2 and 4.1)."""

from typing import Literal

import torch
from torch import Tensor

Magnitude = Literal["eigenvalue", "deviation"]


class PixelStatistics:
    """Sums over a training set: of every pixel (Sec. 2), and of the products of its colours (Sec. 4.1)."""

    def __init__(self, side: int, device: torch.device | str = "cpu") -> None:
        self.images = torch.zeros((), dtype=torch.float64, device=device)
        self.sum = torch.zeros(3, side, side, dtype=torch.float64, device=device)
        self.products = torch.zeros(3, 3, dtype=torch.float64, device=device)

    def add(self, images: Tensor) -> None:
        """Take in images (N, 3, side, side)."""
        pixels = images.double()
        self.images += len(images)
        self.sum += pixels.sum(0)
        self.products += torch.einsum("nchw,ndhw->cd", pixels, pixels)

    @property
    def mean(self) -> Tensor:
        """(3, side, side): "the mean activity over the training set" of each pixel (Sec. 2)."""
        return self.sum / self.images

    @property
    def covariance(self) -> Tensor:
        """(3, 3): the covariance of the RGB values, over all pixels of all images."""
        colour = self.mean.mean(dim=(1, 2))
        places = self.sum[0].numel()
        return self.products / (self.images * places) - torch.outer(colour, colour)


def principal_components(covariance: Tensor, magnitude: Magnitude = "eigenvalue") -> Tensor:
    r"""(3, 3): in its columns $\lambda_i p_i$, each eigenvector of the covariance times its eigenvalue (Sec. 4.1).

    "deviation" takes $\sqrt{\lambda_i}$, the standard deviation along $p_i$, as the names in the released code
    suggest. On levels from 0 to 255 the eigenvalues are in the thousands, and noise of a tenth of them would
    leave nothing of an image (see the card's claim `colour-noise-size`).
    """
    values, vectors = torch.linalg.eigh(covariance)
    values = values.clamp(min=0)
    return vectors * (values if magnitude == "eigenvalue" else values.sqrt())


def colour_shifts(
    n: int, components: Tensor, deviation: float = 0.1, generator: torch.Generator | None = None
) -> Tensor:
    r"""(n, 3): for each of n images $[p_1, p_2, p_3][\alpha_1 \lambda_1, \alpha_2 \lambda_2, \alpha_3 \lambda_3]^T$.

    Each $\alpha_i$ is drawn from a Gaussian of mean zero and standard deviation 0.1, once for all pixels of an image
    and anew whenever the image is used again (Sec. 4.1).
    """
    alpha = deviation * torch.randn(n, 3, device=components.device, generator=generator)
    return alpha @ components.to(alpha).T


def colour_noise(images: Tensor, components: Tensor, deviation: float = 0.1) -> Tensor:
    """Images (N, 3, h, w), to all pixels of each of which its shift is added."""
    return images + colour_shifts(len(images), components.to(images.device), deviation)[:, :, None, None]
