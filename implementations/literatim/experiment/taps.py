"""Convolutions whose gradient is left undefined: kernels that reach past a small map, in bf16 on a processor."""

from __future__ import annotations

from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn

from literatim.errors import LiteratimError


class Taps(Callback):
    """Refuses, in the first training step, networks of which torch's bf16 convolutions would learn noise.

    Where a map is so small that a row or column of the kernel never meets it, the gradient there is 0. In bf16 on a
    processor torch 2.14.1 leaves these entries as the memory was, a NaN among them, of 135 sizes in 15, in all of which
    the map is smaller than the stride, or than the padding: findings/bf16-kernel-past-the-map.sh.
    """

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        bf16 = str(trainer.precision).startswith("bf16") and trainer.strategy.root_device.type == "cpu"
        layers = [(name, layer) for name, layer in pl_module.named_modules() if isinstance(layer, nn.Conv2d)]
        self.names = {layer: name for name, layer in layers if bf16}
        self.hooks = [layer.register_forward_pre_hook(self.look) for layer in self.names]

    def look(self, layer: nn.Conv2d, inputs: tuple[Any, ...]) -> None:
        if layer.training and undefined(layer, inputs[0]):
            height, width = inputs[0].shape[-2:]
            raise LiteratimError(
                f"the maps that reach {self.names[layer].removeprefix('net.')} are only {height}x{width}: its kernels "
                "reach past them, and bf16 on a processor leaves a part of their gradient undefined; use larger images "
                "or --trainer.precision 32"
            )

    def on_train_batch_end(self, *args: Any, **kwargs: Any) -> None:
        while self.hooks:
            self.hooks.pop().remove()


def undefined(layer: nn.Conv2d, x: Tensor) -> bool:
    small = zip(x.shape[-2:], layer.stride, pads(layer), strict=True)
    return misses(layer, x) and any(size < max(stride, pad) for size, stride, pad in small)


def pads(layer: nn.Conv2d) -> tuple[int, ...]:
    return (0, 0) if isinstance(layer.padding, str) else layer.padding  # "same" goes with a stride of 1 alone


def misses(layer: nn.Conv2d, x: Tensor) -> bool:
    """Whether a row or a column of the kernel meets padding alone, wherever it is put on x (N, maps, height, width)."""
    sides = zip(x.shape[-2:], layer.kernel_size, layer.stride, pads(layer), layer.dilation, strict=True)
    return any(
        not any(0 <= place + tap * step < size for place in range(-pad, size + pad - step * (kernel - 1), stride))
        for size, kernel, stride, pad, step in sides
        for tap in range(kernel)
    )
