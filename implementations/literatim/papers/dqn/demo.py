"""What the demo on the paper's page runs: the agent of the recipe quick, as it sees a ball that falls."""

from torch import Tensor, nn

from literatim.papers.dqn.model import DeepQNetwork


class Played(nn.Module):
    """The value of each action.

    Input (1, 4, 10, 10): the last four screens, the newest last, with levels from 0 to 255. Output `values` (1, 3): to
    stay, to go left, to go right.
    """

    outputs = ("values",)
    input = (4, 10, 10)

    def __init__(self, net: DeepQNetwork) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.net(x / 255),)
