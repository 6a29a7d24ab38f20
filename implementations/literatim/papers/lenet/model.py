r"""LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998), Sec. II-B, Fig. 2.

Seven layers after the input: convolutions C1, C3, C5, sub-samplings S2, S4, the fully connected F6 and an
output of Euclidean radial basis functions. Each unit up to F6 takes a weighted sum $a$ and passes on
$f(a) = A \tanh(S a)$. The whole network has exactly 60,000 trainable parameters.
"""

import math
from importlib.resources import files
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Table I: which maps of S2 each of the 16 maps of C3 takes its inputs from. Six contiguous triples, six
# contiguous quadruples, three discontinuous quadruples, and one that sees all: sixty kernels.
TABLE_I = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip

# Sec. II-B: "f(a) = A tanh(S a)", A = 1.7159; the slope S = 2/3 is in Appendix A. Then f(1) = 1 and f(-1) = -1.
AMPLITUDE, SLOPE = 1.7159, 2 / 3

Init = Literal["printed", "sqrt"]
Pooled = Literal["sum", "average", "plain"]


def squash(a: Tensor) -> Tensor:
    r"""The squashing function of all layers up to F6: $f(a) = 1.7159 \tanh(\frac{2}{3} a)$ (Eq. 6, Appendix A)."""
    return AMPLITUDE * torch.tanh(SLOPE * a)


class Subsampling(nn.Module):
    r"""S2 and S4: each unit sums four inputs, multiplies by the map's coefficient and adds the map's bias.

    Sec. II-B adds the four inputs; Sec. II-A describes the same layer with their average. The two differ by a
    factor of four in the coefficient: the same functions, but another start and another pace of learning.
    Input (N, maps, 2h, 2w), output (N, maps, h, w), before the squashing.
    """

    share: Tensor  # what one of the four connections has of the coefficient

    def __init__(self, maps: int, pooled: Pooled) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(maps))
        self.bias = nn.Parameter(torch.empty(maps))
        self.register_buffer("share", torch.tensor(1.0 if pooled == "sum" else 0.25), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        four = 4 * F.avg_pool2d(x, 2)  # their sum
        return four * (self.share * self.coefficient)[:, None, None] + self.bias[:, None, None]


def subsampling_layer(maps: int, pooled: Pooled) -> nn.Module:
    return nn.AvgPool2d(2) if pooled == "plain" else Subsampling(maps, pooled)


class TableConvolution(nn.Module):
    """C3: 16 maps of 5x5 convolutions, each over the maps of S2 that Table I gives it: 60 x 25 + 16 = 1,516 weights.

    The sixty kernels are the parameters; every call scatters them into one ordinary convolution whose other
    thirty-six kernels are zero. Input (N, 6, h, w), output (N, 16, h - 4, w - 4), before the squashing.
    """

    out_map: Tensor
    in_map: Tensor

    def __init__(self, table: tuple[tuple[int, ...], ...], in_maps: int = 6) -> None:
        super().__init__()
        self.table, self.in_maps = table, in_maps
        self.weight = nn.Parameter(torch.empty(sum(map(len, table)), 5, 5))
        self.bias = nn.Parameter(torch.empty(len(table)))
        links = [(out_map, in_map) for out_map, in_maps in enumerate(table) for in_map in in_maps]
        self.register_buffer("out_map", torch.tensor([link[0] for link in links]), persistent=False)
        self.register_buffer("in_map", torch.tensor([link[1] for link in links]), persistent=False)

    def dense_weight(self) -> Tensor:
        """(16, 6, 5, 5): the kernels at the places of Table I, zero elsewhere."""
        empty = self.weight.new_zeros(len(self.table), self.in_maps, 5, 5)
        return empty.index_put((self.out_map, self.in_map), self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.dense_weight(), self.bias)


class RBFOutput(nn.Module):
    r"""The output layer: $y_i = \sum_j (x_j - w_{ij})^2$ (Eq. 7), the squared distance of F6 to the code of class i.

    The codes are bitmaps of 7x12 with entries of -1 and +1, drawn by hand and kept fixed. The smallest output
    wins. Input (N, 84), output (N, 10).
    """

    codes: Tensor

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.register_buffer("codes", codes)

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None, :] - self.codes).square().sum(dim=2)


def digit_codes() -> Tensor:
    """(10, 84): the stylised digits of `codes.txt`, -1 for white and +1 for black, row by row."""
    lines = files(__package__).joinpath("codes.txt").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if set(line) <= {".", "#"} and line]
    signs = [[1.0 if pixel == "#" else -1.0 for pixel in row] for row in rows]
    return torch.tensor(signs).view(10, 12 * 7)


class LeNet5(nn.Module):
    r"""The network of Fig. 2. Input (N, 1, 32, 32) with white at -0.1 and black at 1.175; output (N, 10).

    The defaults are what the paper prints. Options:

    - `subsampling`: "sum" (Sec. II-B) or "average" (Sec. II-A) of the four inputs; "plain" averages them and has no
      coefficient and no bias.
    - `init`: "printed" draws weights uniformly in $\pm 2.4 / F_i$ (Appendix A), "sqrt" in $\pm 2.4 / \sqrt{F_i}$.
    - `coefficient`: where the coefficients of S2 and S4 start; drawn like weights of $F_i = 4$ where none is given.
    - `c3`: "table" (Table I) or "dense", where every map of C3 sees every map of S2.
    - `output`: "rbf", whose smallest output wins, or "softmax", a linear layer whose largest wins.

    "plain", "dense" and "softmax" are not the paper's: they make the network that is usually shown under this name.
    """

    def __init__(
        self,
        subsampling: Pooled = "sum",
        init: Init = "printed",
        coefficient: float | None = None,
        c3: Literal["table", "dense"] = "table",
        output: Literal["rbf", "softmax"] = "rbf",
    ) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)  # 6 @ 28x28
        self.s2 = subsampling_layer(6, subsampling)  # 6 @ 14x14
        self.c3 = TableConvolution(TABLE_I) if c3 == "table" else nn.Conv2d(6, 16, 5)  # 16 @ 10x10
        self.s4 = subsampling_layer(16, subsampling)  # 16 @ 5x5
        self.c5 = nn.Conv2d(16, 120, 5)  # 120 @ 1x1: full connection, yet a convolution (Sec. II-B)
        self.f6 = nn.Linear(120, 84)
        self.output = RBFOutput(digit_codes()) if output == "rbf" else nn.Linear(84, 10)
        self.reset_parameters(init, coefficient)

    def forward(self, x: Tensor) -> Tensor:
        x = squash(self.c1(x))
        x = squash(self.s2(x))
        x = squash(self.c3(x))
        x = squash(self.s4(x))
        x = squash(self.c5(x))
        x = squash(self.f6(x.flatten(1)))
        return self.output(x)

    def decide(self, y: Tensor) -> Tensor:
        """(N,) classes from the outputs: the smallest distance of the RBFs, or the largest of the softmax."""
        return y.argmin(dim=1) if isinstance(self.output, RBFOutput) else y.argmax(dim=1)

    def probabilities(self, y: Tensor) -> Tensor:
        """(N, 10): the RBF outputs read as unnormalised negative log-likelihoods (Sec. II-B), or the softmax."""
        return torch.softmax(-y if isinstance(self.output, RBFOutput) else y, dim=1)

    @torch.no_grad()
    def reset_parameters(self, init: Init, coefficient: float | None) -> None:
        r"""Appendix A: uniform between $-2.4/F_i$ and $2.4/F_i$, where $F_i$ is the number of inputs of the unit.

        With the printed rule the network does not train: the paper's own aim, weighted sums of one common spread, asks
        for $\sqrt{F_i}$. The appendix grants this of independent inputs, and assumes highly correlated ones, whose sums
        would grow like $F_i$; with weights drawn about zero they do not (the card's claims `weighted-sums` and
        `initialisation`). Open, and chosen here: a unit of S2
        and S4 has four inputs and one coefficient, so $F_i = 4$; biases start at zero.
        """
        for layer in (self.c1, self.s2, self.c3, self.s4, self.c5, self.f6, self.output):
            if isinstance(layer, RBFOutput | nn.AvgPool2d):
                continue
            weight = layer.coefficient if isinstance(layer, Subsampling) else layer.weight
            bound = 2.4 / (fan_in(layer).sqrt() if init == "sqrt" else fan_in(layer))
            weight.uniform_(-1, 1).mul_(bound.view(-1, *[1] * (weight.dim() - 1)))
            if isinstance(layer, Subsampling) and coefficient is not None:
                weight.fill_(coefficient)
            layer.bias.zero_()


def fan_in(layer: nn.Module) -> Tensor:
    """F_i, the number of inputs of a unit, for each slice of the layer's weight along its first dimension."""
    if isinstance(layer, Subsampling):
        return torch.full_like(layer.coefficient, 4)
    if isinstance(layer, TableConvolution):  # 75, 100 or 150: three, four or six maps of 25 pixels
        return torch.tensor([25.0 * len(inputs) for inputs in layer.table for _ in inputs], device=layer.weight.device)
    weight = layer.weight
    return weight.new_full((1,), math.prod(weight.shape[1:]))


def correct_class_loss(y: Tensor, target: Tensor) -> Tensor:
    r"""Eq. 8: the mean over the patterns of the output of the correct class, $E = \frac{1}{P} \sum_p y_{D^p}$."""
    return y.gather(1, target[:, None]).mean()


def discriminative_loss(y: Tensor, target: Tensor, j: float) -> Tensor:
    r"""Eq. 9: $E = \frac{1}{P} \sum_p \left( y_{D^p} + \log\left(e^{-j} + \sum_i e^{-y_i}\right) \right)$.

    The second term pushes up the outputs of the wrong classes; $j > 0$ keeps it from pushing those that are
    already large. The value of j is not printed.
    """
    rubbish = y.new_full((len(y), 1), -j)
    others = torch.logsumexp(torch.cat([rubbish, -y], dim=1), dim=1)
    return (y.gather(1, target[:, None]).squeeze(1) + others).mean()
