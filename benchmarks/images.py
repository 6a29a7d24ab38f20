"""How many images a second the loader reads from disk, for ResNet's and AlexNet's recipe imagenet.

    LITERATIM_DATA=… python benchmarks/images.py [--images 256] [--rounds 3] [--workers 0]

The images are made on the spot: JPEGs of 500x375 pixels, quality 90, the size that most of ImageNet's are of. Each is
four copies of CIFAR-10 images (`cifar10-jpeg` in LITERATIM_DATA; without it, rectangles of random colours), enlarged,
with noise on them, so that the files weigh about as much as photographs of that size do. They lie in the system's
cache when they are read: no disk is measured. With 0 workers one process does everything, and the rate is that of one
core; with more it is that of all of them together. The reading of the bare files into RGB is there to compare with.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image

from literatim.datasets.imagefolder import ImageFolder
from literatim.registry.ledger import recipe_path

SIZE = (500, 375)


def make(root: Path, number: int) -> int:
    """Images of two classes; the number of bytes of all of them."""
    rng = np.random.default_rng(0)
    copies = sorted(Path(os.environ.get("LITERATIM_DATA", "/nowhere"), "cifar10-jpeg", "train").glob("*/*.jpg"))
    print(f"of {'enlarged CIFAR-10 images' if copies else 'rectangles'} with noise, {SIZE[0]}x{SIZE[1]}")
    for i in range(number):
        parts = []
        for _ in range(4):
            small = Image.fromarray(rng.integers(0, 256, (3, 4, 3), dtype=np.uint8))
            if copies:
                small = Image.open(copies[rng.integers(len(copies))]).convert("RGB")
            parts.append(
                np.asarray(small.resize((250, 188), Image.Resampling.BICUBIC if copies else 0), dtype=np.int16)
            )
        image = np.vstack([np.hstack(parts[:2]), np.hstack(parts[2:])])[: SIZE[1], : SIZE[0]]
        image = image + rng.normal(0, 8, image.shape)
        folder = root / f"class{i % 2}"
        folder.mkdir(exist_ok=True)
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"{i:05}.jpg", quality=90)
    return sum(path.stat().st_size for path in root.glob("*/*.jpg"))


def rate(read: Callable[[], int], rounds: int) -> list[float]:
    """Images a second in each round, after one that is not counted."""
    found = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        number = read()
        found.append(number / (time.perf_counter() - start))
    return found[1:]


def bare(root: Path) -> int:
    paths = list(root.glob("*/*.jpg"))
    for path in paths:
        Image.open(path).convert("RGB")
    return len(paths)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0)
    given = parser.parse_args()
    if not given.workers:
        torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        print(f"{make(root, given.images) / given.images / 1000:.0f} kB an image; load {os.getloadavg()[0]:.1f}")

        def say(name: str, found: list[float]) -> None:
            rounds = ", ".join(f"{images:.0f}" for images in found)
            print(f"{name}: {statistics.median(found):.0f} images a second ({rounds})")

        say("bare decoding", rate(lambda: bare(root), given.rounds))
        for paper in ("resnet", "alexnet"):
            settings = yaml.safe_load(recipe_path(paper, "imagenet").read_text())["data"]
            settings |= {"batch_size": 64, "sample": 64}
            data = ImageFolder(root=temporary, hold_out=0.0, workers=given.workers, **settings)
            data.setup("fit")
            loader = data.train_dataloader()
            say(f"{paper}'s recipe", rate(lambda: sum(len(images) for images, _ in loader), given.rounds))  # noqa: B023


if __name__ == "__main__":
    main()
