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
import statistics
import tempfile
import time
from typing import Any

import torch
from pytorch_lightning import Callback, LightningDataModule, Trainer
from torch import Tensor

import literatim
from literatim.datasets.tensors import TensorBatches
from literatim.experiment.callbacks import StopAtNaN
from literatim.experiment.lightning import quieten
from literatim.papers.dcgan.training import DCGANTraining
from literatim.papers.gan import parzen
from literatim.papers.gan.model import GAN, discriminator_loss, generator_loss
from literatim.papers.gan.training import GANTraining

MINIBATCHES = 20


class Noise(LightningDataModule):
    seed, watch = 0, ["val"]

    def __init__(self, side: int = 28, low: float = 0.0) -> None:
        super().__init__()
        images = low + (1 - low) * torch.rand(100 * MINIBATCHES, 1, side, side)
        self.sets = {"train": (images, torch.zeros(100 * MINIBATCHES).long())}

    def train_dataloader(self) -> TensorBatches:
        return TensorBatches(*self.sets["train"], 100)


class Bare:
    """The same updates with nothing around them, its state kept from round to round."""

    def __init__(self, paper: str, data: Noise) -> None:
        self.optimizers: list[torch.optim.Optimizer] = []
        self.images = data.sets["train"][0]
        self.net: Any = GAN() if paper == "gan" else literatim.load("dcgan", "mnist32")
        for part in (self.net.discriminator, self.net.generator):
            self.optimizers.append(
                torch.optim.SGD(part.parameters(), lr=0.1, momentum=0.5)
                if paper == "gan"
                else torch.optim.Adam(part.parameters(), lr=0.0002, betas=(0.5, 0.999))
            )

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


class TakingTurns(Callback):
    """Times each epoch of the fit, and runs the bare loop in between."""

    def __init__(self, bare: Bare) -> None:
        self.bare, self.pairs = bare, []

    def on_train_epoch_start(self, trainer: Trainer, pl_module: Any) -> None:
        self.start = time.perf_counter()

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx == MINIBATCHES - 1:
            fit = (time.perf_counter() - self.start) / MINIBATCHES * 1e3
            self.pairs.append((fit, self.bare.run()))


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

    if asked.paper == "gan":
        estimate()
    torch.manual_seed(0)
    data = Noise() if asked.paper == "gan" else Noise(32, -1.0)
    module = GANTraining(loss="non-saturating") if asked.paper == "gan" else DCGANTraining(variant="mnist32")
    turns = TakingTurns(Bare(asked.paper, data))
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            default_root_dir=folder, accelerator="cpu", max_epochs=asked.rounds + 1, callbacks=[turns, StopAtNaN()],
            logger=False, enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
            limit_val_batches=0,
        ).fit(module, datamodule=data)  # fmt: skip
    pairs = turns.pairs[1:]  # the first warms up
    fit, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"an update through fit              {fit:.1f} ms, bare {bare:.1f} ms, ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
