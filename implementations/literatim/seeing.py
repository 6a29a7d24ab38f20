"""What a network has learned and what it makes of an image, as tensors that can be drawn: filters and feature maps.

    net = literatim.load("lenet", weights="mnist")
    seeing.filters(net)["c1"]  # (6, 1, 5, 5): one kernel of 5x5 for each of six maps
    seeing.maps(net, image)["c1"]  # (6, 28, 28): what these maps are for this image

`literatim look` draws both into files; the guide on seeing uses them.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

# A layer's maps are what the next layer gets: what normalises or squashes them, map by map, belongs to the layer.
CONTINUE = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.Tanh, nn.Sigmoid, nn.Dropout,
    nn.Dropout2d, nn.Identity,
)  # fmt: skip
FUNCTIONS = {"relu", "relu_", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "mul", "__mul__", "__rmul__"}
GAPS = (0.55, 0.6, 0.85)  # the colour between tiles, which has to differ from black, white and grey
TINY = 1e-12


def filters(net: nn.Module) -> dict[str, Tensor]:
    """name of a convolution -> its kernels (maps, maps it reads, height, width), in the order in which they were made.

    A kernel of one pixel has nothing to see and is left out. Of a convolution in groups each map reads only the maps of
    its group; of a transposed one a kernel is what a single unit writes.
    """
    found = {}
    for name, layer in net.named_modules():
        if hasattr(layer, "dense_weight"):  # LeNet-5's C3, some of whose kernels are zero
            weight = layer.dense_weight()
        elif isinstance(layer, nn.ConvTranspose2d):
            weight = layer.weight.transpose(0, 1)
        elif isinstance(layer, nn.Conv2d):
            weight = layer.weight
        else:
            continue
        if weight.shape[2] * weight.shape[3] > 1:
            found[name] = weight.detach()
    return found


def maps(net: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """name of a layer -> its feature maps for an image, in the order in which the image reaches the layers.

    `image` is (channels, height, width), as the network takes it. Maps are (number, height, width), units without a
    place (number,). They are what the layer passes on: after batch normalisation, activation function and dropout where
    these follow it, whether as modules or as functions. A block that adds or stacks what its layers give, such as a
    residual one, is a layer too. The network is left as it was; a convolution or pooling bears the name of what holds
    it where that holds nothing else.

    Raises what the network raises for an image that does not fit it.
    """
    watch = _Watch(net)
    was_training = net.training
    try:
        with torch.no_grad(), watch:
            net.eval()(image[None])
    finally:
        watch.remove()
        net.train(was_training)
    return {layer.name: layer.now[0].detach() for layer in watch.layers}


class _Layer:
    """A layer that the image has reached, its maps as they are now, and the module at work where they are."""

    def __init__(self, name: str, now: Tensor, place: str) -> None:
        self.name, self.now, self.place = name, now, place


class _Watch(TorchFunctionMode):
    """Looks on as an image passes through a network."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.layers: list[_Layer] = []
        self.inside: list[tuple[str, int]] = []  # modules at work, the innermost last, with the layers before each
        self.hooks = []
        for name, module in net.named_modules():
            self.hooks.append(module.register_forward_pre_hook(self._entering(name)))
            self.hooks.append(module.register_forward_hook(self._leaving(name)))

    def remove(self) -> None:
        for hook in self.hooks:
            hook.remove()

    def _entering(self, name: str) -> Any:
        return lambda *_: self.inside.append((name, len(self.layers)))

    def _leaving(self, name: str) -> Any:
        def leave(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            _, before = self.inside.pop()
            if not isinstance(output, Tensor) or output.dim() not in (2, 4) or not name:
                return
            place = self.inside[-1][0]
            if known := self._whose(output):
                known.place = place
                if self.layers[before:] == [known]:
                    known.name = name  # it holds nothing else
            elif _continues(module) and (given := self._whose(inputs[0])):
                given.now, given.place = output, place
            elif not isinstance(module, nn.Flatten | nn.Unflatten):
                self.layers.append(_Layer(name, output, place))

        return leave

    def _whose(self, tensor: Tensor) -> _Layer | None:
        return next((layer for layer in reversed(self.layers) if layer.now is tensor), None)

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        given = [arg for arg in args if isinstance(arg, Tensor)]
        if self.inside and getattr(func, "__name__", "") in FUNCTIONS and len(given) == 1:
            layer = self._whose(given[0])
            if layer and layer.place == self.inside[-1][0]:  # elsewhere it is a step of another layer's own
                layer.now = output
        return output


def _continues(module: nn.Module) -> bool:
    """Whether a module does something to each map or number by itself; papers have dropouts of their own."""
    return isinstance(module, CONTINUE) or type(module).__name__ == "Dropout"


# --- Tiles -------------------------------------------------------------------------------------------


def tiles_of_filters(kernels: Tensor) -> Tensor:
    """(rows, columns, channels, h, w) from 0 to 1: zero is the grey in the middle, the largest weight black or white.

    Kernels that read one map, or the three colours, each make a tile and have a scale of their own; of others a row
    has the kernels of one map, on one scale, for the maps that it reads.
    """
    largest = kernels.abs().amax((1, 2, 3), keepdim=True).clamp(min=TINY)
    levels = 0.5 + 0.5 * kernels / largest
    return tiled(levels) if kernels.shape[1] in (1, 3) else levels[:, :, None]


def tiles_of_maps(found: Tensor) -> Tensor:
    """(rows, columns, 1, h, w) from 0 to 1: each map from its least value, black, to its largest, white.

    Maps of a single pixel, and units without a place, are all on one scale.
    """
    found = found[:, None, None] if found.dim() == 1 else found
    whole = found.flatten(1) if found[0].numel() > 1 else found.reshape(1, -1)
    low, high = whole.amin(1)[:, None, None], whole.amax(1)[:, None, None]
    return tiled(((found - low) / (high - low).clamp(min=TINY))[:, None])


def tiled(images: Tensor) -> Tensor:
    """(N, channels, h, w) as a near square of rows and columns (rows, columns, channels, h, w).

    What is left of the last row is not a number, and drawn like a gap.
    """
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    whole = images.new_full((rows * columns, *images.shape[1:]), math.nan)
    whole[: len(images)] = images
    return whole.unflatten(0, (rows, columns))


def picture(tiles: Tensor, scale: int = 1, gap: int = 1) -> Tensor:
    """(height, width, 3) from 0 to 1: the tiles, each pixel `scale` wide, with blue gaps round them; for `imshow`."""
    large = tiles.repeat_interleave(scale, 3).repeat_interleave(scale, 4)
    large = F.pad(large.expand(-1, -1, 3, -1, -1), (0, gap, 0, gap), value=math.nan)
    rows, columns, _, height, width = large.shape
    whole = F.pad(large.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, 3), (0, 0, gap, 0, gap, 0))
    whole[:gap] = whole[:, :gap] = math.nan
    return torch.where(whole.isnan(), torch.tensor(GAPS), whole)
