"""Conditional generative adversarial nets (Mirza and Osindero 2014), the networks for MNIST of Sec. 4.1.

Both networks are told the class of the digit. Noise and label, and image and label, have a first layer each and meet
in a second, joint one.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.papers.gan.model import NOISE, PIXELS, Maxout, initialise

LABELS = 10
DROPOUT = 0.5  # Sec. 4.1: "Dropout with probability of 0.5 was applied to both the generator and discriminator"


class Generator(nn.Module):
    """G: 200 rectified linear units see the noise, 1,000 the label, 1,200 both of these; 784 sigmoids are the image.

    Called with the noise (N, 100) and the label as a one-hot vector (N, 10), or with the two side by side, (N, 110).
    Output (N, 784) between 0 and 1. Half of the hidden units are dropped while training; or, at any time, those where
    `kept`, (N, 2400) of zeros and ones for the inputs of the joint and of the last layer, is zero.
    """

    def __init__(self, z: int = 200, y: int = 1000, joint: int = 1200) -> None:
        super().__init__()
        self.hidden = [z + y, joint]
        self.z = nn.Linear(NOISE, z)
        self.y = nn.Linear(LABELS, y)
        self.drop1 = nn.Dropout(DROPOUT)
        self.joint = nn.Linear(z + y, joint)
        self.drop2 = nn.Dropout(DROPOUT)
        self.output = nn.Linear(joint, PIXELS)

    def forward(self, z: Tensor, y: Tensor | None = None, kept: Tensor | None = None) -> Tensor:
        if y is None:
            z, y = z.split([NOISE, LABELS], dim=1)
        both = torch.cat([F.relu(self.z(z)), F.relu(self.y(y))], dim=1)
        if kept is None:
            return torch.sigmoid(self.output(self.drop2(F.relu(self.joint(self.drop1(both))))))
        first, second = (kept / (1 - DROPOUT)).split(self.hidden, dim=1)
        return torch.sigmoid(self.output(second * F.relu(self.joint(first * both))))

    def kept(self, number: int, random: torch.Generator | None = None) -> Tensor:
        """(number, 2400): which hidden units dropout keeps, ones, and drops, zeros; drawn on the CPU."""
        return (torch.rand(number, sum(self.hidden), generator=random) >= DROPOUT).float()


class Discriminator(nn.Module):
    """D: 240 maxout units of 5 pieces see the image, 50 of 5 the label, 240 of 4 see both of these, then a sigmoid.

    As in `literatim.papers.gan`, the output (N, 1) is the logit. Called with the image, (N, 784) or (N, 1, 28, 28), and
    the label (N, 10), or with the two side by side, (N, 794).
    """

    def __init__(self, x: int = 240, y: int = 50, joint: int = 240) -> None:
        super().__init__()
        self.x = Maxout(PIXELS, x, pieces=5)
        self.y = Maxout(LABELS, y, pieces=5)
        self.drop1 = nn.Dropout(DROPOUT)
        self.joint = Maxout(x + y, joint, pieces=4)
        self.drop2 = nn.Dropout(DROPOUT)
        self.output = nn.Linear(joint, 1)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        if y is None:
            x, y = x.split([PIXELS, LABELS], dim=1)
        both = torch.cat([self.x(x.flatten(1)), self.y(y)], dim=1)
        return self.output(self.drop2(self.joint(self.drop1(both))))


class CGAN(nn.Module):
    """The pair for MNIST; by default as printed. `width` scales every hidden layer, for trials in a hurry."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        if not width >= 0.02:
            raise ValueError(f"width is {width}; it must be at least 0.02, for the narrowest layer has 50 units")

        def scaled(*units: int) -> list[int]:
            return [round(width * number) for number in units]

        self.generator = Generator(*scaled(200, 1000, 1200))
        self.discriminator = Discriminator(*scaled(240, 50, 240))
        initialise(self)  # open in the paper: as in GAN's released code

    def noise(self, number: int, random: torch.Generator | None = None) -> Tensor:
        """(number, 100): uniform in the unit hypercube (Sec. 4.1)."""
        return torch.rand(number, NOISE, generator=random)


def one_hot(labels: Tensor) -> Tensor:
    """(N, 10): labels from 0 to 9 as one-hot vectors (Sec. 4.1)."""
    return F.one_hot(labels, LABELS).float()
