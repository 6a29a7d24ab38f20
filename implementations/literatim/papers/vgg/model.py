r"""The VGG nets (Simonyan, Zisserman 2015), Sec. 2, Table 1.

Six networks that "differ only in the depth": a stack of convolutions with the smallest kernel that still knows left
from right and up from down, $3 \times 3$, five poolings that halve the image, and three fully connected layers. No
batch normalisation, which came later; every convolution has a bias.
"""

from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.papers.alexnet.model import ResponseNormalization

Configuration = Literal["A", "A-LRN", "B", "C", "D", "E", "B-shallow"]
Init = Literal["variance", "deviation", "glorot"]

# Table 1, column by column and in its own words: `conv3-64` is a convolution of $3 \times 3$ with 64 channels, and a
# bar stands for a row `maxpool`. Each column ends in a maxpool and FC-4096, FC-4096, FC-1000. The table leaves out the
# ReLUs "for brevity". The last column is no column of the table: Sec. 4.1 makes a shallow net of B by
# replacing each pair of $3 \times 3$ convolutions with a single $5 \times 5$, which sees as much of the image.
TABLE_1: dict[str, str] = {
    "A": "conv3-64 | conv3-128 | conv3-256 conv3-256 | conv3-512 conv3-512 | conv3-512 conv3-512",
    "A-LRN": "conv3-64 LRN | conv3-128 | conv3-256 conv3-256 | conv3-512 conv3-512 | conv3-512 conv3-512",
    "B": "conv3-64 conv3-64 | conv3-128 conv3-128 | conv3-256 conv3-256 | conv3-512 conv3-512 | conv3-512 conv3-512",
    "C": "conv3-64 conv3-64 | conv3-128 conv3-128 | conv3-256 conv3-256 conv1-256"
    " | conv3-512 conv3-512 conv1-512 | conv3-512 conv3-512 conv1-512",
    "D": "conv3-64 conv3-64 | conv3-128 conv3-128 | conv3-256 conv3-256 conv3-256"
    " | conv3-512 conv3-512 conv3-512 | conv3-512 conv3-512 conv3-512",
    "E": "conv3-64 conv3-64 | conv3-128 conv3-128 | conv3-256 conv3-256 conv3-256 conv3-256"
    " | conv3-512 conv3-512 conv3-512 conv3-512 | conv3-512 conv3-512 conv3-512 conv3-512",
    "B-shallow": "conv5-64 | conv5-128 | conv5-256 | conv5-512 | conv5-512",
}


class Block(nn.Sequential):
    r"""One stage of Table 1: its convolutions, a ReLU after each, and the $2 \times 2$ max-pooling of stride 2.

    A convolution of stride 1 keeps the size of its maps: its input is padded by 1 for $3 \times 3$ (Sec. 2.1). The
    names are those of the nets that the authors released: `conv3_2` is the second convolution of the third block.
    Input (N, channels, h, w), output (N, width of the block, h / 2, w / 2).
    """

    def __init__(self, number: int, column: str, in_channels: int, narrower: float) -> None:
        super().__init__()
        convolutions = 0
        for entry in column.split("|")[number - 1].split():
            if entry == "LRN":
                # The constants are AlexNet's (Sec. 2.1). Where the ReLU stands is not printed; in AlexNet, before.
                self.add_module(f"norm{number}", ResponseNormalization())
                continue
            kernel, channels = (int(part) for part in entry.removeprefix("conv").split("-"))
            out_channels, convolutions = round(channels * narrower), convolutions + 1
            here = f"{number}_{convolutions}"
            self.add_module(f"conv{here}", nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2))
            self.add_module(f"relu{here}", nn.ReLU(inplace=True))
            in_channels = out_channels
        self.add_module(f"pool{number}", nn.MaxPool2d(2, stride=2))
        self.width = in_channels


class VGG(nn.Module):
    r"""A column of Table 1. Input (N, 3, 224, 224), RGB levels less the mean of each channel; output (N, 1000).

    The output goes into a softmax (`probabilities`). The defaults are what the paper prints. Options:

    - `configuration`: the column of Table 1; "B-shallow" is the net of $5 \times 5$ kernels of Sec. 4.1.
    - `num_classes`: width of the softmax.
    - `init`: "variance" draws weights of mean zero and variance $10^{-2}$, as printed (Sec. 3.1), from which net A
      does not train; "deviation" takes the $10^{-2}$ for the standard deviation, as in AlexNet; "glorot" is the rule
      that the same paragraph recommends in hindsight.
    - `width`, `hidden`, `size`: channels of the first block, which the others double; units of the first two fully
      connected layers; side of the image, a multiple of 32. For miniatures.
    """

    def __init__(
        self,
        configuration: Configuration = "A",
        num_classes: int = 1000,
        init: Init = "variance",
        width: int = 64,
        hidden: int = 4096,
        size: int = 224,
    ) -> None:
        super().__init__()
        if size < 32 or size % 32:
            raise ValueError(f"five poolings halve the image, so its side is a multiple of 32, not {size}")
        column, narrower = TABLE_1[configuration], width / 64
        self.block1 = Block(1, column, 3, narrower)  # 64 @ 112x112 after the pooling
        self.block2 = Block(2, column, self.block1.width, narrower)  # 128 @ 56x56
        self.block3 = Block(3, column, self.block2.width, narrower)  # 256 @ 28x28
        self.block4 = Block(4, column, self.block3.width, narrower)  # 512 @ 14x14
        self.block5 = Block(5, column, self.block4.width, narrower)  # 512 @ 7x7
        self.size = size
        self.fc6 = nn.Linear(self.block5.width * (size // 32) ** 2, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.fc8 = nn.Linear(hidden, num_classes)
        self.dropout = nn.Dropout(0.5)  # for the first two fully connected layers (Sec. 3.1)
        self.reset_parameters(init)

    def features(self, x: Tensor) -> Tensor:
        """(N, 3, h, w) to (N, 512, h / 32, w / 32): the convolutional part, for an image of any size."""
        return self.block5(self.block4(self.block3(self.block2(self.block1(x)))))

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x).flatten(1)
        x = self.dropout(F.relu(self.fc6(x)))
        x = self.dropout(F.relu(self.fc7(x)))
        return self.fc8(x)

    def score_map(self, x: Tensor) -> Tensor:
        r"""Sec. 3.2: the net applied densely. Input (N, 3, h, w), from 224 up; output (N, 1000, rows, columns).

        The fully connected layers become convolutions with the very same weights, the first of
        $7 \times 7$, the others of $1 \times 1$: a row of `fc6.weight` is a kernel over the 512 maps, laid out flat.
        At 224 the map is one place, and equal to `forward`; each step of a place moves the window by 32 pixels.
        """
        side = self.size // 32
        x = self.features(x)
        x = F.conv2d(x, self.fc6.weight.unflatten(1, (-1, side, side)), self.fc6.bias)
        x = self.dropout(F.relu(x))
        x = F.conv2d(x, self.fc7.weight[:, :, None, None], self.fc7.bias)
        x = self.dropout(F.relu(x))
        return F.conv2d(x, self.fc8.weight[:, :, None, None], self.fc8.bias)

    def decide(self, y: Tensor) -> Tensor:
        """(N,) classes from the outputs: the largest wins."""
        return y.argmax(dim=1)

    def probabilities(self, y: Tensor) -> Tensor:
        """(N, 1000): the softmax of the outputs, the paper's "class posteriors"."""
        return torch.softmax(y, dim=1)

    @torch.no_grad()
    def reset_parameters(self, init: Init) -> None:
        r"""Sec. 3.1: weights from a normal distribution of mean zero and variance $10^{-2}$; biases zero.

        A variance of $10^{-2}$ is a standard deviation of 0.1. A layer of $n$ inputs then multiplies the mean square
        of its input by about $0.01\,n / 2$: 2.9 to 23 in the convolutions of A, 125 and twice 20 in its
        fully connected layers. See the card's claim `initialisation`. Glorot and Bengio's rule is uniform in
        $\pm\sqrt{6 / (n_\text{in} + n_\text{out})}$, both counted with the kernel.
        """
        for layer in self.modules():
            if not isinstance(layer, nn.Conv2d | nn.Linear):
                continue
            if init == "glorot":
                nn.init.xavier_uniform_(layer.weight)
            else:
                layer.weight.normal_(0, 1e-2**0.5 if init == "variance" else 1e-2)
            layer.bias.zero_()


# Sec. 3.1: "we initialised the first four convolutional layers and the last three fully-connected layers with the
# layers of net A". A's second convolution goes from 64 channels to 128; in the deeper nets the second one stays at 64.
# So the four cannot be the first four of the deeper net: they are taken to be those of the same block and place.
FROM_NET_A = ("block1.conv1_1", "block2.conv2_1", "block3.conv3_1", "block3.conv3_2", "fc6", "fc7", "fc8")


@torch.no_grad()
def start_from_net_a(net: VGG, net_a: VGG) -> VGG:
    """The deeper net with seven layers of a trained net A in it; all others keep their random weights (Sec. 3.1).

    Raises ValueError where a layer does not fit, as in the net of 5x5 kernels.
    """
    for name in FROM_NET_A:
        layer, trained = (cast(nn.Linear, of.get_submodule(name)) for of in (net, net_a))
        if layer.weight.shape != trained.weight.shape:
            raise ValueError(f"{name} is {tuple(layer.weight.shape)}, and net A's {tuple(trained.weight.shape)}")
        layer.weight.copy_(trained.weight)
        layer.bias.copy_(trained.bias)
    return net
