"""What the demo on the paper's page runs: the generator alone."""

import math

from torch import Tensor, nn

from literatim.papers.gan.model import GAN


class Walk(nn.Module):
    r"""An image from noise that is given as numbers between 0 and 1, as a browser draws them.

    Input (N, 100); they are stretched to the prior's $-\sqrt 3$ to $\sqrt 3$, so a straight line between two inputs is
    one in z. Output (N, 784), pixels between 0 and 1.
    """

    outputs = ("image",)

    def __init__(self, net: GAN) -> None:
        super().__init__()
        self.generator = net.generator

    def forward(self, u: Tensor) -> Tensor:
        return self.generator(math.sqrt(3) * (2 * u - 1))
