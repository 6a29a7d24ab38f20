"""Recipes that draw nothing while they learn: `python without_noise.py RUNS FACTOR` runs them one after another.

FACTOR is 1 in each of two processes, and 2 in one process that is to do the same.
"""

import sys
from pathlib import Path

import torch

from literatim.cli import main
from literatim.papers.alexnet import training as alexnet
from literatim.papers.alexnet.model import Dropout as AlexNetDropout
from literatim.papers.gan.training import GANTraining

BATCHES = {"lenet": 50, "alexnet": 8, "vgg": 4, "googlenet": 4, "gan": 25, "cgan": 25}
MORE = {
    "lenet": ["--model.optimizer", "adam"],
    "alexnet": ["--model.colour", "none", "--model.reflect", "false"],
    "gan": ["--model.samples", "100"],
    "cgan": ["--model.samples", "100"],
}


def quieten() -> None:
    torch.nn.Dropout.forward = AlexNetDropout.forward = lambda self, x: x
    torch.nn.functional.dropout = lambda x, *args, **options: x
    alexnet.random_crops = lambda images, size, reflect: images[:, :, :size, :size]
    GANTraining.noise = lambda self, number, use: self.net.noise(1, torch.Generator().manual_seed(use)).expand(
        number, -1
    )


def all_of_them(runs: Path, factor: int) -> None:
    for paper, size in BATCHES.items():
        given = ["fit", paper, "--runs", str(runs), *MORE.get(paper, ()), "--trainer.accelerator", "cpu"]
        given += ["--data.batch_size", str(factor * size), "--data.eval_batch_size", str(factor * 20)]
        given += ["--trainer.max_epochs", "1", "--trainer.limit_val_batches", "2"]
        given += ["--trainer.enable_progress_bar", "false", "--trainer.precision", "32"]
        assert main(given) == 0


if __name__ == "__main__":
    from literatim.datasets.digits import Digits

    torch.set_num_threads(1)
    quieten()
    setup = Digits.setup

    def few(self: Digits, stage: str) -> None:
        setup(self, stage)
        n = 4 * self.batch_size // int(sys.argv[2]) + 7  # seven examples are left over for two processes
        self.sets = {name: (inputs[:n], targets[:n]) for name, (inputs, targets) in self.sets.items()}

    Digits.setup = few
    all_of_them(Path(sys.argv[1]), int(sys.argv[2]))
