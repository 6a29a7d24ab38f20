"""What the demo on the paper's page runs: the generator alone, with its dropout left to the page."""

from torch import Tensor, nn

from literatim.papers.cgan.model import CGAN, LABELS, NOISE


class Asked(nn.Module):
    """An image from noise, the label that is asked for, and which hidden units are kept.

    Input (N, 2510): 100 numbers of noise between 0 and 1; the label as a one-hot vector; for each of the 1,200 inputs
    of the joint layer and of the last a one, if dropout keeps it, or a zero. Output (N, 784), pixels between 0 and 1.
    """

    outputs = ("image",)

    def __init__(self, net: CGAN) -> None:
        super().__init__()
        self.generator = net.generator
        self.input = (NOISE + LABELS + sum(net.generator.hidden),)

    def forward(self, given: Tensor) -> Tensor:
        z, y, kept = given.split([NOISE, LABELS, sum(self.generator.hidden)], dim=1)
        return self.generator(z, y, kept)
