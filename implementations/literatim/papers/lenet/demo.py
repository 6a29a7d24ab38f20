"""What the demo on the paper's page runs: the network with all that Fig. 2 shows."""

from torch import Tensor, nn

from literatim.papers.lenet.model import LeNet5, squash


class FeatureMaps(nn.Module):
    r"""LeNet-5 with its maps as outputs, each after the squashing function, as the units pass them on (Sec. II-B).

    Input (N, 1, 32, 32). Outputs, in the order of `outputs`: the probabilities and the squared distances to the
    codes, both (N, 10); C1 (N, 6, 28, 28), S2 (N, 6, 14, 14), C3 (N, 16, 10, 10), S4 (N, 16, 5, 5), C5
    (N, 120, 1, 1) and F6 (N, 84); and the code of the class that wins, as the bitmap (N, 12, 7) of Fig. 3. The
    network must have the paper's output of distances to codes.
    """

    outputs = ("probabilities", "output", "c1", "s2", "c3", "s4", "c5", "f6", "code")

    def __init__(self, net: LeNet5) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        net = self.net
        c1 = squash(net.c1(x))
        s2 = squash(net.s2(c1))
        c3 = squash(net.c3(s2))
        s4 = squash(net.s4(c3))
        c5 = squash(net.c5(s4))
        f6 = squash(net.f6(c5.flatten(1)))
        y = net.output(f6)
        code = net.output.codes[net.decide(y)].view(-1, 12, 7)
        return net.probabilities(y), y, c1, s2, c3, s4, c5, f6, code
