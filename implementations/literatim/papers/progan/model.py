r"""Progressive growing of GANs (Karras, Aila, Laine and Lehtinen 2018): Secs. 2 to 4, App. A.1 and Table 2.

The generator $G$ starts with images of 4x4 pixels, the discriminator $D$ is its mirror image. For each doubling of the
resolution both get a block of layers, which is faded in (Fig. 2). Here the networks have all of their layers from the
start, and are told in each call which resolution they have reached and how far the newest block is faded in.
"""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from literatim.papers.progan import layers
from literatim.papers.progan.layers import FIRST, Convolution, FirstConvolution, FullyConnected, MinibatchDeviation

GROUP = 4  # of the released TensorFlow code; the paper and the code of its experiments have the whole minibatch
PENALTY = 10.0  # lambda of WGAN-GP, as released
DRIFT = 0.001  # App. A.1: epsilon_drift

Deviation = Literal["minibatch", "groups-of-4"]


def maps_at(side: int, base: int, max_maps: int) -> int:
    """Feature maps of the layers at a resolution: at most `max_maps`, halved with each doubling once below it."""
    return min(2 * base // side, max_maps)


def sides(resolution: int) -> list[int]:
    """4, 8, ... up to a resolution. Raises ValueError where it is none of them."""
    found = [FIRST << i for i in range(20) if FIRST << i <= resolution]
    if not found or found[-1] != resolution:
        raise ValueError(f"resolution is {resolution}; it must be a power of two, of at least {FIRST}")
    return found


def name(side: int) -> str:
    return f"{side}x{side}"


# --- The networks of Table 2 ------------------------------------------------------------------------


class FirstBlock(nn.Module):
    """G at 4x4. Input (N, latent, 1, 1), output (N, maps, 4, 4)."""

    def __init__(self, latent: int, maps: int) -> None:
        super().__init__()
        self.conv1 = FirstConvolution(latent, maps)
        self.conv2 = Convolution(maps, maps, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = layers.pixel_norm(layers.activated(self.conv1(x)))
        return layers.pixel_norm(layers.activated(self.conv2(x)))


class UpBlock(nn.Module):
    """The "3-layer block" of G: twice the resolution, two convolutions. Open in Sec. 4.2, and as released: the
    normalisation follows the activation."""

    def __init__(self, inputs: int, maps: int) -> None:
        super().__init__()
        self.conv1 = Convolution(inputs, maps, 3)
        self.conv2 = Convolution(maps, maps, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = layers.pixel_norm(layers.activated(self.conv1(layers.enlarge(x))))
        return layers.pixel_norm(layers.activated(self.conv2(x)))


class Generator(nn.Module):
    """Input (N, latent) on the hypersphere, output (N, channels, resolution, resolution).

    The output is linear: images lie in [-1, 1] because those of the data do.
    """

    def __init__(self, resolution: int, channels: int, base: int, max_maps: int, latent: int) -> None:
        super().__init__()
        self.sides = sides(resolution)
        maps = [maps_at(side, base, max_maps) for side in self.sides]
        self.blocks = nn.ModuleDict({name(FIRST): FirstBlock(latent, maps[0])})
        for side, (before, own) in zip(self.sides[1:], pairwise(maps), strict=True):
            self.blocks[name(side)] = UpBlock(before, own)
        self.to_rgb = nn.ModuleDict(
            {name(side): Convolution(own, channels, 1, gain=1.0) for side, own in zip(self.sides, maps, strict=True)}
        )

    def in_use(self, resolution: int, fading: bool) -> list[nn.Module]:
        """What is in use at a resolution."""
        used = [self.blocks[name(side)] for side in sides(resolution)]
        ends = (resolution, resolution // 2) if fading and resolution > FIRST else (resolution,)
        return used + [self.to_rgb[name(side)] for side in ends]

    def forward(self, z: Tensor, resolution: int | None = None, alpha: float = 1.0) -> Tensor:
        """At a resolution, by default the last, whose block has faded in by `alpha`, from 0 to 1."""
        reached = sides(self.sides[-1] if resolution is None else resolution)
        x = before = z[:, :, None, None]
        for side in reached:
            before, x = x, self.blocks[name(side)](x)
        new = self.to_rgb[name(reached[-1])](x)
        if alpha >= 1 or len(reached) == 1:
            return new
        return layers.faded(layers.enlarge(self.to_rgb[name(reached[-2])](before)), new, alpha)


class DownBlock(nn.Module):
    """The block of D that mirrors an `UpBlock`: two convolutions, half the resolution."""

    def __init__(self, maps: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = Convolution(maps, maps, 3)
        self.conv2 = Convolution(maps, outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        return layers.reduce(layers.activated(self.conv2(layers.activated(self.conv1(x)))))


class LastBlock(nn.Module):
    """D at 4x4. Input (N, maps, 4, 4), output (N, 1): a score, with no sigmoid."""

    def __init__(self, maps: int, units: int, group: int | None) -> None:
        super().__init__()
        self.deviation = MinibatchDeviation(group)
        self.conv1 = Convolution(maps + 1, maps, 3)
        self.conv2 = Convolution(maps, units, FIRST, padding=0)
        self.score = FullyConnected(units, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = layers.activated(self.conv1(self.deviation(x)))
        return self.score(layers.activated(self.conv2(x)).flatten(1))


class Discriminator(nn.Module):
    """Input (N, channels, side, side), whose side says which resolution is reached; output (N, 1)."""

    def __init__(self, resolution: int, channels: int, base: int, max_maps: int, group: int | None = None) -> None:
        super().__init__()
        self.sides = sides(resolution)
        maps = [maps_at(side, base, max_maps) for side in self.sides]
        self.from_rgb = nn.ModuleDict(
            {name(side): Convolution(channels, own, 1) for side, own in zip(self.sides, maps, strict=True)}
        )
        self.blocks = nn.ModuleDict({name(FIRST): LastBlock(maps[0], maps_at(2, base, max_maps), group)})
        for side, (after, own) in zip(self.sides[1:], pairwise(maps), strict=True):
            self.blocks[name(side)] = DownBlock(own, after)

    def in_use(self, resolution: int, fading: bool) -> list[nn.Module]:
        """What is in use at a resolution."""
        used = [self.blocks[name(side)] for side in sides(resolution)]
        ends = (resolution, resolution // 2) if fading and resolution > FIRST else (resolution,)
        return used + [self.from_rgb[name(side)] for side in ends]

    def forward(self, x: Tensor, alpha: float = 1.0) -> Tensor:
        reached = sides(x.shape[-1])
        h = self.blocks[name(reached[-1])](layers.activated(self.from_rgb[name(reached[-1])](x)))
        if alpha < 1 and len(reached) > 1:
            h = layers.faded(layers.activated(self.from_rgb[name(reached[-2])](layers.reduce(x))), h, alpha)
        for side in reversed(reached[:-1]):
            h = self.blocks[name(side)](h)
        return h


class ProGAN(nn.Module):
    """The pair. The defaults are those of Table 2, for CelebA-HQ at 1024x1024.

    Args:
        resolution: side of the final images, a power of two
        channels: of an image: 3, or 1 for grey ones
        base: the maps at a resolution are twice this over its side
        max_maps: and at most so many
        latent: components of the latent vector
        deviation: over the whole minibatch, as printed, or over groups of four, as in the released TensorFlow code
        width: scales all maps and the latent vector, for trials in a hurry
    """

    def __init__(
        self,
        resolution: int = 1024,
        channels: int = 3,
        base: int = 8192,
        max_maps: int = 512,
        latent: int = 512,
        deviation: Deviation = "minibatch",
        width: float = 1.0,
    ) -> None:
        super().__init__()
        base, max_maps, latent = (round(width * number) for number in (base, max_maps, latent))
        if min(2 * base // resolution, max_maps, latent, channels) < 1:
            raise ValueError(f"base {base}, max_maps {max_maps}, latent {latent} and channels {channels} leave no maps")
        self.resolution, self.channels, self.latent = resolution, channels, latent
        group = GROUP if deviation == "groups-of-4" else None
        self.generator = Generator(resolution, channels, base, max_maps, latent)
        self.discriminator = Discriminator(resolution, channels, base, max_maps, group)

    def noise(self, number: int, random: torch.Generator | None = None) -> Tensor:
        """(number, latent): "random points on a hypersphere" (App. A.1), here with the radius sqrt(latent)."""
        return layers.pixel_norm(torch.randn(number, self.latent, generator=random))


# --- WGAN-GP with a fourth term (App. A.1) ----------------------------------------------------------


def gradient_penalty(
    net: Discriminator, real: Tensor, fake: Tensor, share: Tensor, alpha: float, target: float
) -> Tensor:
    r"""$\lambda\, E[(\|\nabla D(\hat x)\|_2 - \gamma)^2] / \gamma^2$ at points between real images and samples.

    `share` (N, 1, 1, 1) says how far between; `target` is $\gamma$, 1 but for CIFAR-10 (Sec. 6.5). The gradient goes
    through the minibatch's deviation too, and is differentiated again.
    """
    between = torch.lerp(real, fake, share).requires_grad_()
    (gradient,) = torch.autograd.grad(net(between, alpha).sum(), between, create_graph=True)
    norms = gradient.flatten(1).square().sum(dim=1).sqrt()
    return PENALTY * (norms - target).square().mean() / target**2


def discriminator_loss(real: Tensor, fake: Tensor, penalty: Tensor) -> Tensor:
    r"""What D descends, from its scores: $E[D(G(z))] - E[D(x)]$, the penalty, and $\epsilon_{drift}\, E[D(x)^2]$."""
    return fake.mean() - real.mean() + penalty + DRIFT * real.square().mean()


def generator_loss(fake: Tensor) -> Tensor:
    """What G descends: minus the mean score of its samples."""
    return -fake.mean()
