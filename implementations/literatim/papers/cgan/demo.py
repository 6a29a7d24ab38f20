"""What the demo on the paper's page runs: the generator alone."""

from torch import Tensor, nn

from literatim.papers.cgan.model import CGAN


class Asked(nn.Module):
    """An image from noise and the label that is asked for.

    Input (N, 110): 100 numbers of noise between 0 and 1, then the label as a one-hot vector. Output (N, 784), pixels
    between 0 and 1.
    """

    outputs = ("image",)

    def __init__(self, net: CGAN) -> None:
        super().__init__()
        self.generator = net.generator

    def forward(self, both: Tensor) -> Tensor:
        return self.generator(both)
