r"""What is done with a trained network: ten crops, several scales (Sec. 3.4), the responses of its layers (Fig. 7)."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.papers.resnet.model import Convolution, ResNet
from literatim.parts.crops import ten_crops

# Sec. 3.4: "images are resized such that the shorter side is in {224, 256, 384, 480, 640}".
SCALES = (224, 256, 384, 480, 640)


def ten_crop_probabilities(net: nn.Module, images: Tensor, size: int = 224) -> Tensor:
    """(N, classes): "the standard 10-crop testing", the softmax averaged over ten crops of each image.

    The images have their shorter side at 256, as the release says of its numbers.
    """
    crops = ten_crops(images, size)
    answers = net.probabilities(net(crops.flatten(0, 1)))
    return answers.view(len(images), 10, -1).mean(dim=1)


def multi_scale_probabilities(net: ResNet, images: Tensor, scales: tuple[int, ...] = SCALES) -> Tensor:
    """(N, classes): the fully-convolutional form at several scales, the scores of which are averaged.

    Open, and chosen here: a map of scores is averaged over its places before the softmax, as in VGG; the scales after
    it. The images are scaled bilinearly.
    """
    answers = [net.probabilities(net.score_maps(resized(images, side)).mean(dim=(2, 3))) for side in scales]
    return torch.stack(answers).mean(dim=0)


def resized(images: Tensor, shorter: int) -> Tensor:
    """The images with their shorter side at so many pixels, their proportions kept."""
    height, width = images.shape[-2:]
    scale = shorter / min(height, width)
    size = (round(height * scale), round(width * scale))
    return images if size == (height, width) else F.interpolate(images, size=size, mode="bilinear", antialias=True)


class LayerResponses:
    """Fig. 7: the standard deviation of each 3x3 layer's responses, "after BN and before nonlinearity".

    What enters the addition or the ReLU is listened to while the context is open, over all images that pass through the
    network in it, all maps and all places.
    """

    def __init__(self, net: nn.Module) -> None:
        self.layers = {
            name: layer
            for name, layer in net.named_modules()
            if isinstance(layer, Convolution) and layer.conv.kernel_size == (3, 3)
        }
        self.sums: dict[str, Tensor] = {}

    def __enter__(self) -> Self:
        self.hooks = [layer.register_forward_hook(self._listener(name)) for name, layer in self.layers.items()]
        return self

    def __exit__(self, *exception: Any) -> None:
        for hook in self.hooks:
            hook.remove()

    def _listener(self, name: str) -> Any:
        def listen(layer: nn.Module, inputs: Any, out: Tensor) -> None:
            response = out.detach().float()
            sums = torch.stack([response.new_tensor(response.numel()), response.sum(), response.square().sum()])
            self.sums[name] = self.sums.get(name, 0.0) + sums.double()

        return listen

    def std(self) -> dict[str, float]:
        """Layer by layer, in the network's order; to rank them as in the figure's lower half is to sort the values."""
        found = {}
        for name, (count, total, squares) in self.sums.items():
            found[name] = float((squares / count - (total / count) ** 2).clamp(min=0).sqrt())
        return found
