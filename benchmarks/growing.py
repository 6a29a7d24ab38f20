"""One update of ProGAN through `fit` against a bare loop, and what growing saves.

    python benchmarks/growing.py [--rounds 20] [--threads 2] [--side 64] [--updates 10]

The target: an update of both networks (mnist16, 16 images of 16x16) through `fit` takes at most 1.05 times that of the
bare loop. The two take turns in one process, on the same images; of each pair the ratio is taken, and shown is the
median.

What growing saves: an update is timed at every resolution, in its fade and after it, the stages taking turns in each
round; with the phases of the recipe mnist that gives the time of its images when grown, and all at the full size from
the start. The same for a pair of an eighth of Table 2's maps at `--side`, whose phases are as long.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
import yaml
from pytorch_lightning import LightningDataModule
from torch import Tensor
from turns import MINIBATCHES, compare

import literatim
from literatim.datasets.tensors import TensorBatches
from literatim.experiment.lightning import quieten
from literatim.papers.progan.growth import Schedule, Stage, as_shown
from literatim.papers.progan.model import ProGAN, discriminator_loss, generator_loss, gradient_penalty
from literatim.papers.progan.training import BETAS, ProGANTraining
from literatim.parts.averaging import Averaged
from literatim.registry.ledger import recipe_path

SIZE = 16
IMAGES = 60_000  # of an epoch of the recipe mnist


class Noise(LightningDataModule):
    seed, watch = 0, ["val"]

    def __init__(self, side: int) -> None:
        super().__init__()
        images = 2 * torch.rand(SIZE * MINIBATCHES, 1, side, side) - 1
        self.sets = {"train": (images, torch.zeros(len(images)).long())}

    def train_dataloader(self) -> TensorBatches:
        return TensorBatches(*self.sets["train"], SIZE)


class Bare:
    """The same updates with nothing around them, its state kept from round to round."""

    def __init__(self, net: ProGAN, images: Tensor) -> None:
        self.net, self.images, self.averaged = net, images, Averaged(net.generator, 0.999)
        self.parts = (net.discriminator, net.generator)
        self.optimizers = [torch.optim.Adam(part.parameters(), lr=0.001, betas=BETAS) for part in self.parts]

    def step(self, which: int, loss: Tensor, stage: Stage) -> None:
        used = self.parts[which].in_use(stage.resolution, stage.fading)
        weights = [weight for layer in used for weight in layer.parameters()]
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = gradient
        self.optimizers[which].step()

    def update(self, x: Tensor, stage: Stage) -> None:
        net, real = self.net, as_shown(x, stage)
        with torch.no_grad():
            fake = net.generator(net.noise(len(x)), *stage)
        penalty = gradient_penalty(net.discriminator, real, fake, torch.rand(len(x), 1, 1, 1), stage.alpha, 1.0)
        scores = net.discriminator(real, stage.alpha), net.discriminator(fake, stage.alpha)
        self.step(0, discriminator_loss(*scores, penalty), stage)
        samples = net.generator(net.noise(len(x)), *stage)
        self.step(1, generator_loss(net.discriminator(samples, stage.alpha)), stage)
        self.averaged.update(net.generator)

    def run(self, stage: Stage, updates: int = MINIBATCHES) -> float:
        """Milliseconds an update."""
        for part in self.parts:
            part.requires_grad_(False)
            for layer in part.in_use(stage.resolution, stage.fading):
                layer.requires_grad_(True)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        start = time.perf_counter()
        for x in self.images.split(SIZE)[:updates]:
            self.update(x, stage)
        return (time.perf_counter() - start) / min(updates, MINIBATCHES) * 1e3


def through_fit(rounds: int) -> None:
    data, last = Noise(16), Stage(16, 1.0)
    bare = Bare(literatim.load("progan", "mnist16"), data.sets["train"][0])
    compare(ProGANTraining("mnist16", start=16), data, lambda: bare.run(last), rounds)


def saved(net: ProGAN, rounds: int, updates: int) -> None:
    recipe = yaml.safe_load(recipe_path("progan", "mnist").read_text())
    model, total = recipe["model"], IMAGES * recipe["trainer"]["max_epochs"]
    schedule = Schedule(4, net.resolution, model["stabilise"], model["fade"])
    bare = Bare(net, 2 * torch.rand(SIZE * updates, net.channels, net.resolution, net.resolution) - 1)
    stages = [Stage(4, 1.0)]
    while stages[-1].resolution < net.resolution:
        stages += [Stage(2 * stages[-1].resolution, 0.5), Stage(2 * stages[-1].resolution, 1.0)]
    found: dict[Stage, list[float]] = {stage: [] for stage in stages}
    ratios = []
    for i in range(rounds + 1):
        for stage in stages:
            found[stage].append(bare.run(stage, updates))
        if i:  # the first warms up
            grown = hours({stage: times[-1] for stage, times in found.items()}, schedule, total)
            ratios.append(total / SIZE * found[stages[-1]][-1] / 3.6e6 / grown)
    medians = {stage: statistics.median(times[1:]) for stage, times in found.items()}
    for stage, ms in medians.items():
        print(
            f"  {stage.resolution:4}x{stage.resolution:<4} {'fade' if stage.fading else '    '}  {ms:8.1f} ms an update"
        )
    full, grown = total / SIZE * medians[stages[-1]] / 3.6e6, hours(medians, schedule, total)
    print(
        f"  {total:,} images: grown {60 * grown:.1f} min, at full size from the start {60 * full:.1f} min, "
        f"ratio {statistics.median(ratios):.2f}"
    )


def hours(ms: dict[Stage, float], schedule: Schedule, total: int) -> float:
    """Of so many images by the schedule, from the times of an update at each stage."""
    spent = 0.0
    for shown in range(0, total, SIZE):
        stage = schedule.stage(shown)
        spent += ms[Stage(stage.resolution, 0.5 if stage.fading else 1.0)]
    return spent / 3.6e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--updates", type=int, default=10, help="of each stage in a round")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    quieten()
    torch.manual_seed(0)
    through_fit(asked.rounds)
    print("mnist16, grown to 16x16")
    saved(literatim.load("progan", "mnist16"), asked.rounds, asked.updates)
    print(f"an eighth of the maps of Table 2, grown to {asked.side}x{asked.side}")
    saved(ProGAN(asked.side, width=1 / 8), max(1, asked.rounds // 4), asked.updates)


if __name__ == "__main__":
    main()
