r"""What both networks are made of (Karras et al. 2018): equalised layers and the normalisation of Sec. 4, Fig. 2's
changes of resolution, and the minibatch deviation of Sec. 3."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FIRST = 4  # "starting with 4x4 resolution", in pixels
LEAK = 0.2  # App. A.1: "leaky ReLU with leakiness 0.2"
EPSILON = 1e-8  # Sec. 4.2
RECTIFIER_GAIN = math.sqrt(2)  # of He's initialiser


# --- Sec. 4: normalisation --------------------------------------------------------------------------


def he_constant(fan_in: int, gain: float) -> float:
    r"""The standard deviation of He's initialiser, $g / \sqrt n$ for $n$ inputs of a unit."""
    return gain / math.sqrt(fan_in)


class Equalized:
    r"""Equalised learning rate (Sec. 4.1): weights start from $N(0, 1)$ and are scaled anew each time they are used.

    $\hat w = w \cdot g / \sqrt n$. The paper prints $\hat w_i = w_i / c$ with "the per-layer normalization constant
    from He's initializer", which has to be $\sqrt n / g$. Biases start from zero and are not scaled.
    """

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)


class Convolution(Equalized, nn.Conv2d):
    """Stride 1; the maps keep their size unless `padding` is 0."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, gain: float = RECTIFIER_GAIN, padding: int | None = None
    ) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2 if padding is None else padding)
        self.scale = he_constant(inputs * kernel * kernel, gain)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.scale * self.weight, self.bias, padding=self.padding)


class FirstConvolution(Equalized, nn.ConvTranspose2d):
    """Table 2's first "Conv 4 x 4": a 4x4 convolution of the 1x1 latent maps, padded with 3 zeros on each side.

    Each component of the latent vector adds a patch of 4x4 to each map. He's constant counts the kernel's 16 places, as
    a convolution does; the released TensorFlow code has a dense layer of gain sqrt(2) / 4 here, which is the same.
    Input (N, latent, 1, 1), output (N, maps, 4, 4).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, FIRST)
        self.scale = he_constant(inputs * FIRST * FIRST, RECTIFIER_GAIN)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        return F.conv_transpose2d(x, self.scale * self.weight, self.bias)


class FullyConnected(Equalized, nn.Linear):
    """The last layer of D; linear, so with a gain of 1."""

    def __init__(self, inputs: int, outputs: int, gain: float = 1.0) -> None:
        super().__init__(inputs, outputs)
        self.scale = he_constant(inputs, gain)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.scale * self.weight, self.bias)


def pixel_norm(x: Tensor) -> Tensor:
    r"""$b_{x,y} = a_{x,y} / \sqrt{\frac{1}{N} \sum_j (a^j_{x,y})^2 + \epsilon}$ over the N feature maps (Sec. 4.2).

    "To unit length", says the paper; by this formula to a length of $\sqrt N$.
    """
    return x * (x.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt()


def activated(x: Tensor) -> Tensor:
    return F.leaky_relu(x, LEAK)


# --- Fig. 2: twice and half the resolution ----------------------------------------------------------


def enlarge(x: Tensor) -> Tensor:
    """(N, c, 2h, 2w): "element replication"."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def reduce(x: Tensor) -> Tensor:
    """(N, c, h/2, w/2): "average pooling"."""
    return F.avg_pool2d(x, 2)


def faded(old: Tensor, new: Tensor, alpha: float) -> Tensor:
    r"""$(1 - \alpha) \cdot$ old $+ \alpha \cdot$ new."""
    return torch.lerp(old, new, alpha)


# --- Sec. 3: variation ----------------------------------------------------------------------------


class MinibatchDeviation(nn.Module):
    """Sec. 3: the deviation over the minibatch of each feature at each place, averaged to one number, which becomes a
    constant map beside the others. It has no parameters. Input (N, c, h, w), output (N, c + 1, h, w).

    With a `group`, as in the released TensorFlow code, the number is that of each group of so many examples; N must be
    at most that or a multiple of it.
    """

    def __init__(self, group: int | None = None) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        size = min(self.group or n, n)
        if n % size:
            raise ValueError(f"a minibatch of {n} has no groups of {size}; take a multiple of it")
        deviations = (x.view(size, n // size, c, h, w).var(dim=0, correction=0) + EPSILON).sqrt()
        number = deviations.mean(dim=(1, 2, 3)).repeat(size)
        return torch.cat([x, number.view(n, 1, 1, 1).expand(n, 1, h, w)], dim=1)
