r"""Residual networks (He, Zhang, Ren, Sun 2015), Sec. 3 and 4.

A few stacked layers that should fit a mapping $H(x)$ are left to fit the residual $F(x) = H(x) - x$ instead, and the
input is added to what they give: $y = F(x, \{W_i\}) + x$ (Eq. 1). If the best thing to do were nothing at all, driving
the weights to zero would do it. `ResNet` is the family of Table 1, for ImageNet; `CifarResNet` that of Sec. 4.2.
Without their shortcuts the same two classes are the paper's plain networks.
"""

from collections import OrderedDict
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Table 1: how many building blocks stand in conv2_x, conv3_x, conv4_x and conv5_x.
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
# Table 1: "downsampling is performed by conv3_1, conv4_1, and conv5_1 with a stride of 2".
STRIDES = (1, 2, 2, 2)
WIDTHS = (64, 128, 256, 512)
# Sec. 4.2: 2n layers on each of three sizes of map, and their numbers of filters.
CIFAR_STRIDES = (1, 2, 2)
CIFAR_WIDTHS = (16, 32, 64)

Depth = Literal[18, 34, 50, 101, 152]
Shortcut = Literal["printed", "a", "b", "c", "none"]
Stride = Literal["1x1", "3x3"]


class Convolution(nn.Module):
    """A convolution and, right after it and before any activation, batch normalisation (Sec. 3.4).

    There is no bias: the normalisation would subtract it, and brings one of its own. The maps keep their size, or are
    halved by a stride of 2.
    """

    def __init__(self, in_maps: int, out_maps: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_maps, out_maps, kernel, stride, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(out_maps)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))


class ZeroPadded(nn.Module):
    """Option A where dimensions increase: "still performs identity mapping, with extra zero entries padded".

    Every second pixel of every second row is taken (a stride of 2 across two sizes of map), and maps of zeros fill up
    the new dimensions. No parameters. Whether the zeros come first or last is not said; here they come last.
    """

    def __init__(self, extra_maps: int, stride: int) -> None:
        super().__init__()
        self.extra_maps, self.stride = extra_maps, stride

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra_maps))


def shortcut_connection(option: str, in_maps: int, out_maps: int, stride: int) -> nn.Module | None:
    """The shortcut of one block (Sec. 3.3, Table 3); None in a plain network.

    A: identity, padded with zeros where dimensions increase. B: a projection $W_s x$ (Eq. 2), a 1x1 convolution, where
    they increase, identity elsewhere. C: projections everywhere.
    """
    if option == "none":
        return None
    increases = in_maps != out_maps or stride != 1
    if option == "c" or (option == "b" and increases):
        return Convolution(in_maps, out_maps, 1, stride)
    return ZeroPadded(out_maps - in_maps, stride) if increases else nn.Identity()


class BuildingBlock(nn.Module):
    r"""Fig. 2 and Fig. 5, left: two 3x3 layers, $y = \sigma(W_2 \sigma(W_1 x) + x)$.

    The second nonlinearity comes after the addition.
    Input (N, in_maps, h, w), output (N, maps, h / stride, w / stride).
    """

    expansion = 1

    def __init__(self, in_maps: int, maps: int, stride: int, shortcut: str, reduce_in: Stride = "1x1") -> None:
        super().__init__()
        self.first = Convolution(in_maps, maps, 3, stride)
        self.second = Convolution(maps, maps, 3)
        self.shortcut = shortcut_connection(shortcut, in_maps, maps, stride)

    def residual(self, x: Tensor) -> Tensor:
        return self.second(F.relu(self.first(x)))

    def forward(self, x: Tensor) -> Tensor:
        residual = self.residual(x)
        return F.relu(residual if self.shortcut is None else residual + self.shortcut(x))


class Bottleneck(BuildingBlock):
    """Fig. 5, right: 1x1, 3x3 and 1x1 layers, "where the 1x1 layers are responsible for reducing and then increasing".

    The paper says which blocks halve the maps, not which of their layers; in the networks that the authors released it
    is the first 1x1. What torchvision calls v1.5 halves them in the 3x3, with as many parameters and more work.
    Input (N, in_maps, h, w), output (N, 4 maps, h / stride, w / stride).
    """

    expansion = 4

    def __init__(self, in_maps: int, maps: int, stride: int, shortcut: str, reduce_in: Stride = "1x1") -> None:
        nn.Module.__init__(self)
        self.first = Convolution(in_maps, maps, 1, stride if reduce_in == "1x1" else 1)
        self.second = Convolution(maps, maps, 3, stride if reduce_in == "3x3" else 1)
        self.third = Convolution(maps, 4 * maps, 1)
        self.shortcut = shortcut_connection(shortcut, in_maps, 4 * maps, stride)

    def residual(self, x: Tensor) -> Tensor:
        return self.third(F.relu(self.second(F.relu(self.first(x)))))


def stage(
    name: str, block: type[BuildingBlock], count: int, in_maps: int, maps: int, stride: int, *how: Any
) -> nn.Sequential:
    """`conv3_x` with its blocks `conv3_1`, `conv3_2` …; the first of them changes the number and size of the maps."""
    layers: OrderedDict[str, nn.Module] = OrderedDict([(f"{name}_1", block(in_maps, maps, stride, *how))])
    for i in range(2, count + 1):
        layers[f"{name}_{i}"] = block(maps * block.expansion, maps, 1, *how)
    return nn.Sequential(layers)


class ResNet(nn.Module):
    """A network of Table 1. Input (N, 3, 224, 224), colours less the per-pixel mean; output (N, num_classes) logits.

    The defaults are what the paper prints. Options:

    - `depth`: 18 and 34 are made of building blocks, 50, 101 and 152 of bottlenecks.
    - `shortcut`: "a", "b" or "c" (Table 3), "none" for a plain network; "printed" is A for 18 and 34 layers, as in
      Table 2 and Fig. 4, and B for the deeper ones (caption of Table 3).
    - `stride`: where a bottleneck halves its maps, "1x1" or "3x3" (v1.5).
    """

    def __init__(
        self, depth: Depth = 18, shortcut: Shortcut = "printed", stride: Stride = "1x1", num_classes: int = 1000
    ) -> None:
        super().__init__()
        block = BuildingBlock if depth < 50 else Bottleneck
        how = (("a" if depth < 50 else "b") if shortcut == "printed" else shortcut, stride)
        expanded = block.expansion
        counts = BLOCKS[depth]
        self.conv1 = Convolution(3, WIDTHS[0], 7, stride=2)  # 64 @ 112x112
        # Table 1 counts the pooling to conv2_x. With a padding of 1 its windows are centred and 112 becomes 56.
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2_x = stage("conv2", block, counts[0], WIDTHS[0], WIDTHS[0], STRIDES[0], *how)  # 56x56
        self.conv3_x = stage("conv3", block, counts[1], WIDTHS[0] * expanded, WIDTHS[1], STRIDES[1], *how)  # 28x28
        self.conv4_x = stage("conv4", block, counts[2], WIDTHS[1] * expanded, WIDTHS[2], STRIDES[2], *how)  # 14x14
        self.conv5_x = stage("conv5", block, counts[3], WIDTHS[2] * expanded, WIDTHS[3], STRIDES[3], *how)  # 7x7
        self.average_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(WIDTHS[3] * expanded, num_classes)
        initialise(self)

    def features(self, x: Tensor) -> Tensor:
        """(N, 512 or 2048, h / 32, w / 32): the maps of conv5_x."""
        x = self.pool(F.relu(self.conv1(x)))
        return self.conv5_x(self.conv4_x(self.conv3_x(self.conv2_x(x))))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.average_pool(self.features(x)).flatten(1))

    def score_maps(self, x: Tensor) -> Tensor:
        """(N, num_classes, h / 32 - 6, w / 32 - 6): the fully-convolutional form of Sec. 3.4, for larger images.

        The average over 7x7 slides over the maps of conv5_x and the fully connected layer becomes a 1x1 convolution.
        """
        pooled = F.avg_pool2d(self.features(x), 7, stride=1)
        return F.conv2d(pooled, self.fc.weight[:, :, None, None], self.fc.bias)

    def decide(self, y: Tensor) -> Tensor:
        """(N,) classes from the logits."""
        return y.argmax(dim=1)

    def probabilities(self, y: Tensor) -> Tensor:
        """(N, num_classes): the softmax with which the network ends."""
        return torch.softmax(y, dim=1)


class CifarResNet(nn.Module):
    """A network of Sec. 4.2. Input (N, 3, 32, 32), colours less the per-pixel mean; output (N, num_classes) logits.

    A first 3x3 layer, then 2n layers on maps of 32x32, 2n on 16x16 and 2n on 8x8, a global average and a fully
    connected layer: 6n + 2 layers with weights, and 3n shortcuts, all of option A as printed. `shortcut="none"` is the
    plain network, "b" and "c" as in `ResNet`.
    """

    def __init__(self, n: int = 3, shortcut: Shortcut = "printed", num_classes: int = 10) -> None:
        super().__init__()
        option = "a" if shortcut == "printed" else shortcut
        maps, strides = CIFAR_WIDTHS, CIFAR_STRIDES
        self.conv1 = Convolution(3, maps[0], 3)  # 16 @ 32x32
        self.conv2_x = stage("conv2", BuildingBlock, n, maps[0], maps[0], strides[0], option)  # 16 @ 32x32
        self.conv3_x = stage("conv3", BuildingBlock, n, maps[0], maps[1], strides[1], option)  # 32 @ 16x16
        self.conv4_x = stage("conv4", BuildingBlock, n, maps[1], maps[2], strides[2], option)  # 64 @ 8x8
        self.average_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(maps[2], num_classes)
        initialise(self)

    def features(self, x: Tensor) -> Tensor:
        """(N, 64, h / 4, w / 4): the maps of the last stage."""
        return self.conv4_x(self.conv3_x(self.conv2_x(F.relu(self.conv1(x)))))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.average_pool(self.features(x)).flatten(1))

    def decide(self, y: Tensor) -> Tensor:
        """(N,) classes from the logits."""
        return y.argmax(dim=1)

    def probabilities(self, y: Tensor) -> Tensor:
        """(N, num_classes): the softmax with which the network ends."""
        return torch.softmax(y, dim=1)


def initialise(net: nn.Module) -> None:
    r"""Sec. 3.4: "we initialize the weights as in [13]", He et al. 2015: normal with variance $2 / n$, biases zero.

    There, $n$ is the number of inputs of a unit, or of outputs, either of which will do; here the inputs. Batch
    normalisation starts with a scale of 1 and a shift of 0.
    """
    if next(net.parameters()).is_meta:
        return  # shapes without numbers, of which drawing would take half of the time
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
