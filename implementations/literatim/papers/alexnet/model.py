r"""AlexNet (Krizhevsky, Sutskever, Hinton 2012), Sec. 3, Fig. 2.

Five convolutions, three fully connected layers and a softmax over a thousand classes: 60,965,224 parameters. Half of
the maps lived on one graphics card and half on another. The second, fourth and fifth convolution see only the
maps of their own card; the third and the fully connected layers see both. Here the two cards are two groups.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ResponseNormalization(nn.Module):
    r"""Local response normalisation (Sec. 3.3): big activities hold down their neighbours in adjacent maps.

    $$b^i = a^i \Big/ \Big(k + \alpha \sum_{j = \max(0,\, i - n/2)}^{\min(N - 1,\, i + n/2)} (a^j)^2\Big)^\beta$$

    The sum runs over the n maps nearest to map i, at the same place; maps beyond the first and the last count as
    zero. n is odd. The printed formula takes $\alpha$ times the *sum* of the squares; `released` takes $\alpha$ times
    their *mean* over n, as the released code does and libraries after it (`torch.nn.LocalResponseNorm` too).
    Input and output (N, maps, height, width).
    """

    def __init__(
        self, n: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, released: bool = False
    ) -> None:
        super().__init__()
        self.n, self.k, self.beta = n, k, beta
        self.alpha = alpha / n if released else alpha

    def forward(self, a: Tensor) -> Tensor:
        maps, beside = a.shape[1], self.n // 2
        squares = F.pad(a.square(), (0, 0, 0, 0, beside, beside))
        total = sum(squares[:, j : j + maps] for j in range(self.n))
        return a / (self.k + self.alpha * total) ** self.beta

    def extra_repr(self) -> str:
        return f"n={self.n}, k={self.k:g}, alpha={self.alpha:g}, beta={self.beta:g}"


def pooling() -> nn.MaxPool2d:
    """Overlapping pooling (Sec. 3.4): the maximum of $z \\times z$ with z = 3, at every s = 2.

    A last window may hang over the edge, which happens at none of the paper's sizes (55, 27, 13).
    """
    return nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)


class Dropout(nn.Module):
    """Sec. 4.2: in training each output is set to zero with probability p = 0.5; at test all are multiplied by 0.5.

    Today's libraries multiply by $1 / (1 - p)$ in training instead and leave the test alone. The expectations are
    the same but for that factor in the weights, and so in their initialisation and their decay.
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return x * (torch.rand_like(x) >= self.p) if self.training else x * (1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p:g}"


class AlexNet(nn.Module):
    r"""The network of Fig. 2. Input (N, 3, 224, 224), RGB levels from 0 to 255 less their mean; output (N, 1000).

    The output goes into a softmax (`probabilities`), without the ReLU that Sec. 3.5 has behind "every" layer: see what
    the card says is open. The defaults are what the paper prints. Options:

    - `num_classes`: width of the softmax.
    - `maps`, `groups`: maps of the five convolutions, and on how many cards they are spread. The one-GPU net of
      Sec. 3.2 has half of the maps, all but the last convolution's, and one group.
    - `hidden`, `size`, `deviation`: units of the two hidden fully connected layers, side of the input, and spread of
      the first weights; for miniatures.
    - `released`: the network of the authors' released code (`layers-145.cfg`), whose logs have the very error rates
      that the paper prints, and which differs from the paper in what follows each convolution and how it starts.
    """

    size: int

    def __init__(
        self,
        num_classes: int = 1000,
        maps: Sequence[int] = (96, 256, 384, 384, 256),
        groups: int = 2,
        hidden: int = 4096,
        size: int = 224,
        deviation: float = 0.01,
        released: bool = False,
    ) -> None:
        super().__init__()
        m1, m2, m3, m4, m5 = maps
        self.size, self.released = size, released
        self.conv1 = nn.Conv2d(3, m1, 11, stride=4)  # 96 @ 55x55: every map sees the whole image
        self.norm1 = normalization(groups, released)
        self.pool1 = pooling()  # 27x27
        self.conv2 = nn.Conv2d(m1, m2, 5, padding=2, groups=groups)  # 256 @ 27x27
        self.norm2 = normalization(groups, released, within_maps=released)
        self.pool2 = pooling()  # 13x13
        self.conv3 = nn.Conv2d(m2, m3, 3, padding=1)  # 384 @ 13x13: here the cards meet
        self.conv4 = nn.Conv2d(m3, m4, 3, padding=1, groups=groups)  # 384 @ 13x13
        self.conv5 = nn.Conv2d(m4, m5, 3, padding=1, groups=groups)  # 256 @ 13x13
        self.pool5 = pooling()  # 6x6
        self.fc6 = nn.Linear(m5 * side_after_pool5(size) ** 2, hidden)
        self.dropout6 = Dropout()
        self.fc7 = nn.Linear(hidden, hidden)
        self.dropout7 = Dropout()
        self.fc8 = nn.Linear(hidden, num_classes)
        self.reset_parameters(deviation)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(F.pad(x, (0, overhang(x.shape[3]), 0, overhang(x.shape[2]))))
        # Sec. 3.5: the ReLU is applied to the output of every layer, so it comes before the normalisation. In the
        # released configuration it comes after the first pooling.
        x = F.relu(self.pool1(self.norm1(x))) if self.released else self.pool1(self.norm1(F.relu(x)))
        x = self.pool2(self.norm2(F.relu(self.conv2(x))))
        x = F.relu(self.conv3(x))
        x = F.relu(self.conv4(x))
        x = self.pool5(F.relu(self.conv5(x)))
        # Dropout is of the *outputs* of the first two fully connected layers (Sec. 4.2).
        x = self.dropout6(F.relu(self.fc6(x.flatten(1))))
        x = self.dropout7(F.relu(self.fc7(x)))
        return self.fc8(x)

    def probabilities(self, y: Tensor) -> Tensor:
        """(N, 1000): the softmax of the outputs, a distribution over the classes (Sec. 3.5)."""
        return torch.softmax(y, dim=1)

    @torch.no_grad()
    def reset_parameters(self, deviation: float) -> None:
        """Sec. 5: weights from a Gaussian with mean zero and standard deviation 0.01; biases 1 or 0.

        The ones stand in the second, fourth and fifth convolution and in the hidden fully connected layers, "providing
        the ReLUs with positive inputs" from the beginning. The released configuration has three times the deviation
        in the third, fourth and fifth convolution.
        """
        wider = (self.conv3, self.conv4, self.conv5) if self.released else ()
        ones = (self.conv2, self.conv4, self.conv5, self.fc6, self.fc7)
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4, self.conv5, self.fc6, self.fc7, self.fc8):
            layer.weight.normal_(0, 3 * deviation if layer in wider else deviation)
            layer.bias.fill_(1.0 if layer in ones else 0.0)


# The edges. Kernels of 11 at every 4th pixel of 224 do not come out even: (224 - 11) / 4 = 53.25. The paper says
# nothing of it, but it prints 186,624 neurons for the second layer, 27x27x256, and that needs a side of 54 to 56 in the
# first, whose printed 253,440 neurons have a factor of 55. The released code rounds up, to 55: the last windows hang
# over the right and the lower edge by three pixels, which count as zero.
def overhang(side: int) -> int:
    """Pixels by which the last of conv1's windows hangs over the edge: 3 for a side of 224."""
    return -(side - 11) % 4


def side_after_pool5(side: int) -> int:
    """Side of the maps that fc6 sees: 224 becomes 55, 27, 13 and 6."""
    side = (side + overhang(side) - 11) // 4 + 1
    for _ in ("pool1", "pool2", "pool5"):
        side = -(-(side - 3) // 2) + 1
    return side


# What the released configuration does otherwise. Each card normalised its own maps, 48 of 96, so that the sums stop
# at the border between the cards; the printed N is the number of all kernels in the layer. Behind the second
# normalisation stands a third, within each map.
def normalization(cards: int, released: bool, within_maps: bool = False) -> nn.Module:
    """The normalisation behind conv1 and conv2: as printed, or the released one."""
    if not released:
        return ResponseNormalization()
    own = PerCard(ResponseNormalization(released=True), cards)
    return nn.Sequential(own, WithinMapNormalization()) if within_maps else own


class PerCard(nn.Module):
    """A layer applied to the maps of each card by themselves."""

    def __init__(self, layer: nn.Module, cards: int) -> None:
        super().__init__()
        self.layer, self.cards = layer, cards

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.unflatten(1, (self.cards, -1)).flatten(0, 1)).view_as(x)


class WithinMapNormalization(nn.Module):
    r"""The released `cnorm2`: $b = a / (1 + 10^{-3} \, m)^{0.75}$, where m is the mean square of the 5x5 around a.

    What lies beyond the map's edge counts as zero in that mean.
    """

    def forward(self, a: Tensor) -> Tensor:
        return a / (1 + 1e-3 * F.avg_pool2d(a.square(), 5, stride=1, padding=2)) ** 0.75
