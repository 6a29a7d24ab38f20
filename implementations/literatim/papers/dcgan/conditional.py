r"""The conditional pair for MNIST (Sec. 8.1), as in the released `mnist/train_cond_dcgan.py`.

The paper says of it that it is "a conditional version of our model" and that it was better without the gains and
biases of batch normalisation, no more. The released networks, which follow here, are told the label before every layer
that has weights: beside the units of a layer of units, and as ten more maps, one of which is filled with ones, before
a convolution. They break two of the guidelines of Sec. 3: each has a fully connected hidden layer of 1,024 units (3),
and the generator's output is a sigmoid (4), so that images lie between 0 and 1.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from literatim.papers.dcgan.model import EPS, LEAK, initialise

LABELS = 10  # ny
NOISE = 100  # nz
SIDE = 7  # of the maps between which and the fully connected units there is a matrix product
HOW: dict[str, Any] = {"kernel_size": 5, "stride": 2, "padding": 2, "bias": False}


def beside(x: Tensor, y: Tensor) -> Tensor:
    """Units (N, d) or maps (N, d, h, w) with the label (N, 10) beside them: `conv_cond_concat`."""
    return torch.cat([x, y if x.dim() == 2 else y[:, :, None, None].expand(-1, -1, *x.shape[2:])], dim=1)


class Generator(nn.Module):
    r"""G: $110 \to 1024$ units, $\to 128$ maps of 7x7, $\to 64$ of 14x14, $\to$ one of 28x28.

    Rectified linear units; the sigmoid on the output alone is not normalised before. Called with noise (N, 100) and the
    label as a one-hot vector (N, 10), or with the two side by side, (N, 110). Output (N, 1, 28, 28) between 0 and 1.

    Args:
        units: of the fully connected layer, `ngfc`
        maps: of 14x14, `ngf`; of 7x7 there are twice as many
        gains: whether batch normalisation has gains and biases
    """

    def __init__(self, units: int, maps: int, gains: bool) -> None:
        super().__init__()
        self.full = nn.Linear(NOISE + LABELS, units, bias=False)  # gw
        self.norm1 = nn.BatchNorm1d(units, eps=EPS, affine=gains)
        self.project = nn.Linear(units + LABELS, 2 * maps * SIDE**2, bias=False)  # gw2
        self.norm2 = nn.BatchNorm1d(2 * maps * SIDE**2, eps=EPS, affine=gains)
        self.reshape = nn.Unflatten(1, (2 * maps, SIDE, SIDE))
        self.conv1 = nn.ConvTranspose2d(2 * maps + LABELS, maps, output_padding=1, **HOW)  # gw3
        self.norm3 = nn.BatchNorm2d(maps, eps=EPS, affine=gains)
        self.conv2 = nn.ConvTranspose2d(maps + LABELS, 1, output_padding=1, **HOW)  # gwx
        self.relu = nn.ReLU()
        self.sigmoid = nn.Sigmoid()

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if y is None:
            z, y = z.split([NOISE, LABELS], dim=1)
        h = self.relu(self.norm1(self.full(beside(z, y))))
        h = self.reshape(self.relu(self.norm2(self.project(beside(h, y)))))
        h = self.relu(self.norm3(self.conv1(beside(h, y))))
        return self.sigmoid(self.conv2(beside(h, y)))


class Discriminator(nn.Module):
    r"""D: one map of 28x28 $\to 64$ of 14x14, $\to 128$ of 7x7, $\to 1024$ units, $\to$ a logit (N, 1).

    Leaky units after all layers but the last, batch normalisation after those two that lie between the first and it.
    Called with images (N, 1, 28, 28) and the label (N, 10), or with the label as ten more maps, (N, 11, 28, 28).

    Args:
        units: of the fully connected layer, `ndfc`
        maps: of 14x14, `ndf`; of 7x7 there are twice as many
        gains: whether batch normalisation has gains and biases
    """

    def __init__(self, units: int, maps: int, gains: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1 + LABELS, maps, **HOW)  # dw
        self.conv2 = nn.Conv2d(maps + LABELS, 2 * maps, **HOW)  # dw2
        self.norm2 = nn.BatchNorm2d(2 * maps, eps=EPS, affine=gains)
        self.flatten = nn.Flatten()
        self.full = nn.Linear(2 * maps * SIDE**2 + LABELS, units, bias=False)  # dw3
        self.norm3 = nn.BatchNorm1d(units, eps=EPS, affine=gains)
        self.output = nn.Linear(units + LABELS, 1, bias=False)  # dwy
        self.lrelu = nn.LeakyReLU(LEAK)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        if y is None:
            x, y = x[:, :1], x[:, 1:, 0, 0]
        h = self.lrelu(self.conv1(beside(x, y)))
        h = self.flatten(self.lrelu(self.norm2(self.conv2(beside(h, y)))))
        h = self.lrelu(self.norm3(self.full(beside(h, y))))
        return self.output(beside(h, y))


class ConditionalDCGAN(nn.Module):
    """The pair, of the released sizes.

    Args:
        units: of each network's fully connected layer
        maps: of 14x14 pixels in each network; of 7x7 there are twice as many
        gains: whether batch normalisation has gains and biases; "removing the scale and bias parameters from batchnorm
            produced better results"
        width: what the numbers of units and maps are multiplied by, for trials in a hurry
    """

    image = (1, 28, 28)
    levels = (0.0, 1.0)
    labels = LABELS

    def __init__(self, units: int = 1024, maps: int = 64, gains: bool = False, width: float = 1.0) -> None:
        super().__init__()
        if not width * min(units, maps) >= 1:
            raise ValueError(f"width is {width}; it must leave one map of {maps} and one unit of {units}")
        units, maps = round(width * units), round(width * maps)
        self.generator = Generator(units, maps, gains)
        self.discriminator = Discriminator(units, maps, gains)
        initialise(self)

    def noise(self, number: int, random: torch.Generator | None = None) -> Tensor:
        """(number, 100): uniform between -1 and 1 (the released code)."""
        return 2 * torch.rand(number, NOISE, generator=random) - 1
