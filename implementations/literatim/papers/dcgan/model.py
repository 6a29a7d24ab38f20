r"""Deep convolutional generative adversarial nets (Radford, Metz and Chintala 2016), Sec. 3 and Fig. 1.

The paper prints five guidelines (Sec. 3), and each can be read off the two lists of layers below:

1. no pooling: strided convolutions in the discriminator, fractionally strided ones in the generator;
2. batch normalisation in both, but not on the generator's output layer nor on the discriminator's first;
3. no fully connected hidden layers;
4. rectified linear units in the generator, tanh on its output;
5. leaky rectified linear units in the discriminator, in all layers.

Fig. 1 draws one generator, that for bedrooms. The discriminator is drawn nowhere; in all released networks it has the
generator's maps in the opposite order, and so it has here. Convolutions have no bias, as in the released code, where
batch normalisation has one instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 4  # of the generator's first maps and of the discriminator's last, in pixels (Fig. 1)
LEAK = 0.2  # Sec. 4: "the slope of the leak was set to 0.2 in all models"
STD = 0.02  # Sec. 4: "a zero-centered Normal distribution with standard deviation 0.02"
EPS = 1e-8  # batch normalisation's in the released code (lib/ops.py); the paper prints none
GRID = 4  # Sec. 5.1: the features of each layer are pooled "to produce a 4 x 4 spatial grid"


class Generator(nn.Sequential):
    r"""G: noise is projected to 4x4 maps, and fractionally strided convolutions make an image of them (Fig. 1).

    The projection is a matrix product, whose units are normalised one by one before they are taken for maps. Each
    `conv` but the last is followed by batch normalisation and rectified linear units, the last by tanh. With $s$ for
    the stride, a fractionally strided convolution is the transpose of an ordinary one of that stride: its maps are
    exactly $s$ times as large.

    Input (N, noise), output (N, channels, side, side) between -1 and 1.

    Args:
        noise: components of z
        maps: how many maps go into each convolution, the projection's first
        strides: of each convolution
        kernel: side of the filters
        channels: of the image
    """

    def __init__(self, noise: int, maps: Sequence[int], strides: Sequence[int], kernel: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(noise, maps[0] * SIDE**2, bias=False)
        self.norm0 = nn.BatchNorm1d(maps[0] * SIDE**2, eps=EPS)
        self.relu0 = nn.ReLU()
        self.reshape = nn.Unflatten(1, (maps[0], SIDE, SIDE))
        outputs = [*maps[1:], channels]
        for i, (before, after, stride) in enumerate(zip(maps, outputs, strides, strict=True), start=1):
            how: dict[str, Any] = {"padding": kernel // 2, "output_padding": stride - 1, "bias": False}
            self.add_module(f"conv{i}", nn.ConvTranspose2d(before, after, kernel, stride, **how))
            if i < len(maps):
                self.add_module(f"norm{i}", nn.BatchNorm2d(after, eps=EPS))
                self.add_module(f"relu{i}", nn.ReLU())
        self.tanh = nn.Tanh()


class Discriminator(nn.Sequential):
    r"""D: strided convolutions down to maps of 4x4, which are flattened and fed into a single sigmoid (Sec. 3).

    Batch normalisation comes after each convolution but the first, leaky rectified linear units after all. As in
    `literatim.papers.gan` the sigmoid is left to the losses: the output, (N, 1), is the logit of D(x). Input
    (N, channels, side, side).

    Args:
        maps: how many maps each convolution gives
        strides: of each convolution
        kernel: side of the filters
        channels: of the image
    """

    def __init__(self, maps: Sequence[int], strides: Sequence[int], kernel: int, channels: int) -> None:
        super().__init__()
        inputs = [channels, *maps]
        for i, (before, after, stride) in enumerate(zip(inputs, maps, strides, strict=False), start=1):
            self.add_module(f"conv{i}", nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False))
            if i > 1:
                self.add_module(f"norm{i}", nn.BatchNorm2d(after, eps=EPS))
            self.add_module(f"lrelu{i}", nn.LeakyReLU(LEAK))
        self.flatten = nn.Flatten()
        self.output = nn.Linear(maps[-1] * SIDE**2, 1, bias=False)

    def features(self, x: Tensor) -> Tensor:
        """(N, 16 times the number of all maps): what a linear classifier is given (Sec. 5.1).

        "The discriminator's convolutional features from all layers, maxpooling each layers representation to produce a
        4 x 4 spatial grid", flattened and concatenated; as in the released code they are taken after the leaky units.
        """
        found = []
        for layer in self:
            x = layer(x)
            if isinstance(layer, nn.LeakyReLU):
                found.append(F.adaptive_max_pool2d(x, GRID).flatten(1))
        return torch.cat(found, dim=1)


class DCGAN(nn.Module):
    """The pair; by default that of Fig. 1, for images of 64x64 pixels.

    Args:
        maps: how many maps each convolution of the discriminator gives, and, from the last to the first, how many go
            into each of the generator's
        strides: of the discriminator's convolutions; the generator's are the same from the last to the first
        kernel: side of all filters, an odd number of pixels
        channels: of the images
        noise: components of z
        width: what all numbers of maps are multiplied by, for trials in a hurry
    """

    levels = (-1.0, 1.0)  # of the images (Sec. 4)
    labels = 0  # that the networks are told

    def __init__(
        self,
        maps: Sequence[int] = (128, 256, 512, 1024),
        strides: Sequence[int] = (2, 2, 2, 2),
        kernel: int = 5,
        channels: int = 3,
        noise: int = 100,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        if len(maps) != len(strides):
            raise ValueError(f"there are {len(maps)} maps and {len(strides)} strides; give as many of one as of both")
        if kernel % 2 == 0:
            raise ValueError(f"kernel is {kernel}; only an odd one halves and doubles the sides of maps exactly")
        if not width * min(maps) >= 1:
            raise ValueError(f"width is {width}; it must leave one map of {min(maps)}: {1 / min(maps):g} at least")
        maps = [round(width * number) for number in maps]
        self.generator = Generator(noise, maps[::-1], strides[::-1], kernel, channels)
        self.discriminator = Discriminator(maps, strides, kernel, channels)
        side = SIDE
        for stride in strides:
            side *= stride
        self.image = (channels, side, side)
        initialise(self)

    def noise(self, number: int, random: torch.Generator | None = None) -> Tensor:
        """(number, noise): uniform (Sec. 3, Fig. 1) between -1 and 1 (the released code)."""
        return 2 * torch.rand(number, self.generator.project.in_features, generator=random) - 1


@torch.no_grad()
def initialise(net: nn.Module) -> None:
    """All weights from a normal distribution of mean 0 and standard deviation 0.02 (Sec. 4).

    The gains of batch normalisation are no weights in this sense, or nothing would pass: in the released code they come
    from one of mean 1 and the same deviation. Biases start at zero.
    """
    for layer in net.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            layer.weight.normal_(0, STD)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) and layer.affine:
            layer.weight.normal_(1, STD)
            layer.bias.zero_()
