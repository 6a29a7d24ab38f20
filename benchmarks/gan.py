"""One update of both networks of the GAN through `fit` against a bare loop, and the Parzen estimate at its full size.

    python benchmarks/gan.py [--paper dcgan] [--rounds 20] [--threads 2]

The targets: an update (both networks, 100 images) through `fit` takes at most 1.05 times that of the bare loop, and
10,000 images under a window on 10,000 samples take under 20 s and under 1 GB. The two loops take turns in one process,
on the same minibatches; of each pair the ratio is taken, and shown is the median. Of the DCGAN it is the variant of the
recipe `mnist`.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from pytorch_lightning import LightningDataModule, LightningModule
from torch import Tensor
from turns import MINIBATCHES, compare

import literatim
from literatim.datasets.tensors import TensorBatches
from literatim.experiment.lightning import quieten
from literatim.papers.dcgan.training import DCGANTraining
from literatim.papers.gan import parzen
from literatim.papers.gan.model import GAN, discriminator_loss, generator_loss
from literatim.papers.gan.training import GANTraining


class Noise(LightningDataModule):
    seed, watch = 0, ["val"]

    def __init__(self, side: int, low: float) -> None:
        super().__init__()
        images = low + (1 - low) * torch.rand(100 * MINIBATCHES, 1, side, side)
        self.sets = {"train": (images, torch.zeros(100 * MINIBATCHES).long())}

    def train_dataloader(self) -> TensorBatches:
        return TensorBatches(*self.sets["train"], 100)


class Bare:
    """The same updates with nothing around them, its state kept from round to round."""

    def __init__(self, net: Any, optimizer: Callable[..., torch.optim.Optimizer], data: Noise) -> None:
        self.net, self.images = net, data.sets["train"][0]
        self.optimizers = [optimizer(part.parameters()) for part in (net.discriminator, net.generator)]

    def step(self, which: int, loss: Tensor) -> None:
        parameters = self.optimizers[which].param_groups[0]["params"]
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        self.optimizers[which].step()

    def run(self) -> float:
        """Milliseconds an update."""
        net, start = self.net, time.perf_counter()
        for x in self.images.split(100):
            with torch.no_grad():
                samples = net.generator(net.noise(100))
            self.step(0, discriminator_loss(net.discriminator(x), net.discriminator(samples)))
            self.step(1, generator_loss(net.discriminator(net.generator(net.noise(100))), "non-saturating"))
        return (time.perf_counter() - start) / MINIBATCHES * 1e3


def gan() -> tuple[LightningModule, Noise, Bare]:
    """What `fit` trains, on what, and the bare loop with the same settings."""
    data, descent = Noise(28, 0.0), partial(torch.optim.SGD, lr=0.1, momentum=0.5)
    return GANTraining(loss="non-saturating"), data, Bare(GAN(), descent, data)


def dcgan() -> tuple[LightningModule, Noise, Bare]:
    data, adam = Noise(32, -1.0), partial(torch.optim.Adam, lr=0.0002, betas=(0.5, 0.999))
    return DCGANTraining(variant="mnist32"), data, Bare(literatim.load("dcgan", "mnist32"), adam, data)


def estimate() -> None:
    """The Parzen estimate's time and memory."""
    samples, images = torch.rand(10_000, 784), torch.rand(10_000, 784)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    parzen.log_likelihood(images, samples, (0.2,))
    took, grown = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"Parzen estimate, 10,000 x 10,000   {took:.1f} s, peak memory grown by {grown / 1024:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paper", choices=["gan", "dcgan"], default="gan")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    quieten()

    torch.manual_seed(0)
    if asked.paper == "gan":
        estimate()
    module, data, bare = {"gan": gan, "dcgan": dcgan}[asked.paper]()
    compare(module, data, bare.run, asked.rounds)


if __name__ == "__main__":
    main()
