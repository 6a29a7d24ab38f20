r"""Generative adversarial nets (Goodfellow et al. 2014), Secs. 3 and 5, with the sizes of the released `mnist.yaml`.

A generator $G$ turns noise $z$ into an image; a discriminator $D$ gives the probability that an image came from the
data rather than from $G$. The paper says of which units they are made (Sec. 5) and prints no size; those here, and the
names of the layers, are the released configuration's. What the losses are is at the end of the file.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 28  # of MNIST's images, in pixels
PIXELS = SIDE * SIDE
NOISE = 100  # nvis
G_RANGE, D_RANGE = 0.05, 0.005  # irange: weights start uniformly within plus and minus these, biases at zero
KEPT = (0.8, 0.5, 0.5)  # discriminator_input_include_probs: what dropout keeps of the inputs of h0, h1 and y

Loss = Literal["minimax", "non-saturating"]


class Maxout(nn.Module):
    r"""A layer of maxout units: each is the largest of `pieces` weighted sums.

    $h_i = \max_j (w_{ij} \cdot x + b_{ij})$; there is no other non-linearity (Goodfellow et al. 2013).
    Input (N, inputs), output (N, units).
    """

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.units, self.pieces = units, pieces
        self.sums = nn.Linear(inputs, pieces * units)

    def forward(self, x: Tensor) -> Tensor:
        return self.sums(x).view(-1, self.pieces, self.units).amax(dim=1)


class Generator(nn.Module):
    """G: two layers of rectified linear units and one of sigmoids (Sec. 5: "a mixture"), with noise at the bottom only.

    Input (N, 100), output (N, 784) between 0 and 1.
    """

    def __init__(self, hidden: int = 1200) -> None:
        super().__init__()
        self.h0 = nn.Linear(NOISE, hidden)
        self.h1 = nn.Linear(hidden, hidden)
        self.y = nn.Linear(hidden, PIXELS)

    def forward(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.y(F.relu(self.h1(F.relu(self.h0(z))))))


class Discriminator(nn.Module):
    r"""D: two layers of maxout units and a sigmoid, with dropout (Sec. 5) before each of the three.

    The sigmoid is left to the losses, which are more exact without it: the output, (N, 1), is the logit $s$ of
    $D(x) = 1 / (1 + e^{-s})$. Input (N, 784) or images (N, 1, 28, 28).
    """

    def __init__(self, units: int = 240, pieces: int = 5) -> None:
        super().__init__()
        self.drop0 = nn.Dropout(1 - KEPT[0])
        self.h0 = Maxout(PIXELS, units, pieces)
        self.drop1 = nn.Dropout(1 - KEPT[1])
        self.h1 = Maxout(units, units, pieces)
        self.drop2 = nn.Dropout(1 - KEPT[2])
        self.y = nn.Linear(units, 1)

    def forward(self, x: Tensor) -> Tensor:
        h0 = self.h0(self.drop0(x.flatten(1)))
        h1 = self.h1(self.drop1(h0))
        return self.y(self.drop2(h1))


class GAN(nn.Module):
    """The pair for MNIST. The defaults are the released configuration's.

    Args:
        hidden: units in each hidden layer of the generator
        units: maxout units in each hidden layer of the discriminator
        pieces: weighted sums in each of these
    """

    def __init__(self, hidden: int = 1200, units: int = 240, pieces: int = 5) -> None:
        super().__init__()
        self.generator = Generator(hidden)
        self.discriminator = Discriminator(units, pieces)
        initialise(self)

    def noise(self, number: int, random: torch.Generator | None = None) -> Tensor:
        r"""(number, 100): the prior $p_z$, uniform between $-\sqrt 3$ and $\sqrt 3$, so of variance one."""
        return math.sqrt(3) * (2 * torch.rand(number, NOISE, generator=random) - 1)


@torch.no_grad()
def initialise(net: nn.Module) -> None:
    """Weights of `net.generator` uniform in plus and minus 0.05, of `net.discriminator` in 0.005; biases zero."""
    for part, bound in ((net.generator, G_RANGE), (net.discriminator, D_RANGE)):
        for layer in part.modules():
            if isinstance(layer, nn.Linear):
                layer.weight.uniform_(-bound, bound)
                layer.bias.zero_()


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    r"""What D descends in Algorithm 1: $-\frac{1}{m} \sum [\log D(x) + \log(1 - D(G(z)))]$, Eq. 1's value negated.

    `real` and `fake` are the logits of D on data and on samples; $\log D = -\log(1 + e^{-s})$ and
    $\log(1 - D) = -\log(1 + e^{s})$.
    """
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(fake: Tensor, loss: Loss) -> Tensor:
    r"""What G descends, from the logits of D on its samples.

    "minimax": $\frac{1}{m} \sum \log(1 - D(G(z)))$ (Eq. 1, Algorithm 1), which saturates where D rejects the samples
    with confidence. "non-saturating": $-\frac{1}{m} \sum \log D(G(z))$, which does not (Sec. 3).
    """
    return -F.softplus(fake).mean() if loss == "minimax" else F.softplus(-fake).mean()
