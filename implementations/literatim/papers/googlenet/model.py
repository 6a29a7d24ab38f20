r"""GoogLeNet (Szegedy et al. 2014), Sec. 5, Table 1, Fig. 3: the network of nine Inception modules.

A module looks at the same maps through windows of 1x1, 3x3 and 5x5 at once and stacks what they find. To afford
that, cheap 1x1 convolutions first reduce the number of maps. The network is 22 layers deep and has 6,998,552
parameters; two classifiers on its side help it to train and are then thrown away.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.papers.alexnet.model import ResponseNormalization

# Table 1, a module a row: the number of filters of 1x1, of the reduction before 3x3, of 3x3, of the reduction before
# 5x5, of 5x5, and of the projection after pooling. A module puts out the first, third, fifth and sixth, stacked.
TABLE_1 = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}

# Sec. 5: "the losses of the auxiliary classifiers were weighted by 0.3"; they drop 70 % of their outputs, and the
# network itself drops 40 % (Table 1).
AUXILIARY_WEIGHT, AUXILIARY_DROPOUT, DROPOUT = 0.3, 0.7, 0.4

Stem = Literal["7x7", "separable", "small"]
Init = Literal["xavier", "he"]


class Convolution(nn.Sequential):
    """A convolution of k x k with its rectified linear activation (below Table 1: all of them have one).

    Zeros around the maps keep their size at stride 1: what Fig. 3 marks (S). Input (N, inputs, h, w), output
    (N, filters, h / stride, w / stride), rounded up.
    """

    def __init__(self, inputs: int, filters: int, k: int, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(inputs, filters, k, stride, padding=k // 2), nn.ReLU(inplace=True))


class SeparableConvolution(nn.Sequential):
    r"""What the first row of Table 1 seems to count: each colour through 8 windows of 7x7 of its own, then 1x1.

    $3 \cdot 8 \cdot 49 + 24 \cdot 64 = 2{,}712$ weights are the printed 2.7K, and their 34.0 million operations
    the printed 34M; a plain 7x7 convolution has 9,408 and 118 million. Inception-v2 in TensorFlow-Slim
    begins so. Input (N, 3, h, w), output (N, filters, h / 2, w / 2).
    """

    def __init__(self, inputs: int, filters: int, multiplier: int = 8) -> None:
        each = nn.Conv2d(inputs, multiplier * inputs, 7, 2, padding=3, groups=inputs, bias=False)
        super().__init__(each, nn.Conv2d(multiplier * inputs, filters, 1), nn.ReLU(inplace=True))


class Inception(nn.Module):
    """Fig. 2(b): four ways through one module, side by side.

    The 1x1 convolutions before 3x3 and 5x5 are the paper's second idea: 5x5 windows over all the maps would cost too
    much. The pooling branch has its 1x1 convolution after it, or its many maps would pile up from module to module.
    Input (N, inputs, h, w), output (N, filters of the four ways, h, w).
    """

    def __init__(self, inputs: int, row: tuple[int, ...]) -> None:
        super().__init__()
        ones, reduce3x3, threes, reduce5x5, fives, projection = row
        self.conv1x1 = Convolution(inputs, ones, 1)
        self.reduce3x3 = Convolution(inputs, reduce3x3, 1)
        self.conv3x3 = Convolution(reduce3x3, threes, 3)
        self.reduce5x5 = Convolution(inputs, reduce5x5, 1)
        self.conv5x5 = Convolution(reduce5x5, fives, 5)
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.projection = Convolution(inputs, projection, 1)
        self.outputs = ones + threes + fives + projection

    def forward(self, x: Tensor) -> Tensor:
        ways = [
            self.conv1x1(x),
            self.conv3x3(self.reduce3x3(x)),
            self.conv5x5(self.reduce5x5(x)),
            self.projection(self.pool(x)),
        ]
        return torch.cat(ways, dim=1)


class AuxiliaryClassifier(nn.Module):
    """Sec. 5: the small network on top of (4a) and of (4d), which is there while the network trains.

    It brings the gradient to the middle of a deep network by a short way. Input (N, inputs, 14, 14), output
    (N, classes), before the softmax.
    """

    def __init__(self, inputs: int, filters: int, units: int, num_classes: int) -> None:
        super().__init__()
        self.avgpool = nn.AvgPool2d(5, stride=3)  # 4x4, without zeros around: (V) in Fig. 3
        self.conv = Convolution(inputs, filters, 1)
        self.fc = nn.Sequential(nn.Linear(filters * 4 * 4, units), nn.ReLU(inplace=True))
        self.dropout = nn.Dropout(AUXILIARY_DROPOUT)
        self.linear = nn.Linear(units, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self.avgpool(x))
        return self.linear(self.dropout(self.fc(x.flatten(1))))


class GoogLeNet(nn.Module):
    """The network of Table 1 and Fig. 3. Input (N, 3, 224, 224), RGB with the mean subtracted.

    In evaluation it gives (N, num_classes), before the softmax; in training three of these: its own, and those of the
    auxiliary classifiers on (4a) and (4d). The defaults are what the paper prints. Options:

    - `num_classes`: of all three classifiers.
    - `heads`: without the auxiliary classifiers training too gives one output: 6,998,552 parameters for 13,378,280.
    - `stem`: "7x7", the convolution that Table 1 names; "separable", the one that its numbers fit; "small", for
      images of 28x28, a convolution of 3x3 and no pooling, so that module (3a) sees maps of 28x28 as it should.
    - `divide`: all numbers of filters and of hidden units divided by this, which 8 and its divisors do evenly.
    - `init`: open in the paper; see `reset_parameters`.

    "small" and `divide` are not the paper's: they make a miniature that trains on a CPU in a minute.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        heads: bool = True,
        stem: Stem = "7x7",
        divide: int = 1,
        init: Init = "xavier",
    ) -> None:
        super().__init__()
        if divide not in (1, 2, 4, 8):
            raise ValueError(f"divide is {divide}; it must be 1, 2, 4 or 8")
        table = {row: tuple(n // divide for n in TABLE_1[row]) for row in TABLE_1}
        self.size = 28 if stem == "small" else 224
        # Max pooling rounds up, so that sizes go 112, 56, 28, 14, 7: (S) in Fig. 3. Response normalisation stands
        # after the first pooling and before the second; neither text nor figure gives its constants: AlexNet's.
        self.conv1 = stem_convolution(stem, 64 // divide)  # 112x112
        self.maxpool1 = nn.Identity() if stem == "small" else nn.MaxPool2d(3, 2, ceil_mode=True)  # 56x56
        self.norm1 = ResponseNormalization()
        self.conv2 = nn.Sequential(
            Convolution(64 // divide, 64 // divide, 1),  # "#3x3 reduce"
            Convolution(64 // divide, 192 // divide, 3),
        )
        self.norm2 = ResponseNormalization()
        self.maxpool2 = nn.Identity() if stem == "small" else nn.MaxPool2d(3, 2, ceil_mode=True)  # 28x28
        self.inception_3a = Inception(192 // divide, table["3a"])
        self.inception_3b = Inception(self.inception_3a.outputs, table["3b"])
        self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True)  # 14x14
        self.inception_4a = Inception(self.inception_3b.outputs, table["4a"])
        self.inception_4b = Inception(self.inception_4a.outputs, table["4b"])
        self.inception_4c = Inception(self.inception_4b.outputs, table["4c"])
        self.inception_4d = Inception(self.inception_4c.outputs, table["4d"])
        self.inception_4e = Inception(self.inception_4d.outputs, table["4e"])
        self.maxpool4 = nn.MaxPool2d(3, 2, ceil_mode=True)  # 7x7
        self.inception_5a = Inception(self.inception_4e.outputs, table["5a"])
        self.inception_5b = Inception(self.inception_5a.outputs, table["5b"])
        self.avgpool = nn.AvgPool2d(7)  # 1x1, in place of the fully connected layers of earlier networks
        self.dropout = nn.Dropout(DROPOUT)
        self.linear = nn.Linear(self.inception_5b.outputs, num_classes)
        self.heads = heads
        if heads:
            filters, units = 128 // divide, 1024 // divide
            self.auxiliary_4a = AuxiliaryClassifier(self.inception_4a.outputs, filters, units, num_classes)
            self.auxiliary_4d = AuxiliaryClassifier(self.inception_4d.outputs, filters, units, num_classes)
        self.reset_parameters(init)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        x = self.norm1(self.maxpool1(self.conv1(x)))
        x = self.maxpool2(self.norm2(self.conv2(x)))
        x = self.inception_3b(self.inception_3a(x))
        x = of_4a = self.inception_4a(self.maxpool3(x))
        x = self.inception_4c(self.inception_4b(x))
        x = of_4d = self.inception_4d(x)
        x = self.maxpool4(self.inception_4e(x))
        x = self.inception_5b(self.inception_5a(x))
        y = self.linear(self.dropout(self.avgpool(x).flatten(1)))
        if not (self.heads and self.training):  # "At inference time, these auxiliary networks are discarded"
            return y
        return y, self.auxiliary_4a(of_4a), self.auxiliary_4d(of_4d)

    def probabilities(self, x: Tensor) -> Tensor:
        """(N, num_classes): the softmax of the last row of Table 1, of images in evaluation."""
        return torch.softmax(self(x), dim=1)

    @torch.no_grad()
    def reset_parameters(self, init: Init) -> None:
        r"""Open in the paper: how weights and biases start.

        "xavier", as in Caffe's replica, draws the weights of a unit of n inputs uniformly in $\pm\sqrt{3/n}$. Once
        rectified, the sums of each layer vary half as much as those of the layer below, and biases of 0.2 keep the
        units on. "he" draws in $\pm\sqrt{6/n}$, with which they vary as much, and biases start at zero. Those of the
        three classifiers start at zero in both.
        """
        for layer in self.modules():
            if not isinstance(layer, nn.Conv2d | nn.Linear):
                continue
            bound = ((6 if init == "he" else 3) / layer.weight[0].numel()) ** 0.5
            layer.weight.uniform_(-bound, bound)
            if layer.bias is not None:
                layer.bias.fill_(0.0 if init == "he" else 0.2)
        for module in self.modules():
            if isinstance(module, GoogLeNet | AuxiliaryClassifier):
                module.linear.bias.zero_()


def stem_convolution(stem: Stem, filters: int) -> nn.Module:
    """The first row of Table 1, "7x7/2", or what stands for it."""
    if stem == "small":
        return Convolution(3, filters, 3)
    return SeparableConvolution(3, filters) if stem == "separable" else Convolution(3, filters, 7, 2)


def supervised_loss(outputs: Tensor | tuple[Tensor, ...], target: Tensor, weight: float = AUXILIARY_WEIGHT) -> Tensor:
    r"""Sec. 5: $L = L_\text{main} + 0.3\,(L_\text{4a} + L_\text{4d})$, each the softmax's cross-entropy.

    The text says that the auxiliary losses are added and were weighted by 0.3; that each has the weight 0.3 is the
    common reading, and ours. `outputs` (N, classes), or three of these; target (N,) of classes.
    """
    if isinstance(outputs, Tensor):
        return F.cross_entropy(outputs, target)
    main, *auxiliary = (F.cross_entropy(y, target) for y in outputs)
    return main + weight * sum(auxiliary)
