"""An MNIST epoch of LeNet-5 through `literatim fit`, against a bare loop and against the usual DataLoader.

    LITERATIM_DATA=… python benchmarks/epoch.py [--rounds 5]

All are run in turn in one process, on the threads torch takes, and compared by the medians of each round's ratio.
`fit` runs as users run it: bar (into a pseudo-terminal's stead, a file), curve, checkpoint; its epoch is what its own
curve says, less the evaluation. Targets: fit/bare at most 1.15 at batch 64 and 1.05 at batch 256;
DataLoader/fit at least 1.4 at batch 64.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from literatim.datasets.mnist import MNIST
from literatim.experiment.lightning import Request, run
from literatim.experiment.runs import new_run_folder
from literatim.papers.lenet.model import LeNet5, discriminative_loss

OPTIONS = {"subsampling": "average", "init": "sqrt", "coefficient": 1.0}


def training(next_batch: Callable[[], object]) -> float:
    """Seconds of an epoch of the bare loop over whatever yields batches."""
    torch.manual_seed(0)
    net = LeNet5(**OPTIONS)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    start = time.perf_counter()
    for x, y in next_batch():  # type: ignore[attr-defined]
        loss = discriminative_loss(net(x), y, 10.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def bare(x: Tensor, y: Tensor, batch: int) -> float:
    def batches() -> object:
        for index in torch.randperm(len(x)).split(batch):
            yield x[index], y[index]

    return training(batches)


def dataloader(root: str, batch: int) -> float | None:
    try:
        from torchvision import datasets, transforms
    except (ImportError, RuntimeError):
        return None
    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,)), transforms.Pad(2)]
    )
    data = datasets.MNIST(root, train=True, transform=transform)
    return training(lambda: torch.utils.data.DataLoader(data, batch_size=batch, shuffle=True))


def fit(folder: Path, batch: int) -> float:
    """The time between the first and the last training batch's hooks, Lightning's own work included."""
    from pytorch_lightning import Callback

    from literatim.experiment import lightning

    seen: list[float] = []

    class Clock(Callback):
        def on_train_epoch_start(self, *_: object) -> None:
            seen.append(time.perf_counter())

        def on_validation_start(self, *_: object) -> None:
            seen.append(time.perf_counter())

    make = lightning.PaperCLI.instantiate_trainer

    def with_clock(cli: lightning.PaperCLI, **kwargs: object) -> object:
        trainer = make(cli, **kwargs)
        trainer.callbacks.insert(0, Clock())
        return trainer

    lightning.PaperCLI.instantiate_trainer = with_clock  # type: ignore[method-assign]
    try:
        args = [f"--data.batch_size={batch}", "--trainer.max_epochs=1"]
        run(Request("fit", "lenet", "mnist", args, new_run_folder(folder, "lenet", "mnist")))
    finally:
        lightning.PaperCLI.instantiate_trainer = make  # type: ignore[method-assign]
    return seen[1] - seen[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="*", default=[64, 256])
    given = parser.parse_args()
    data = MNIST()
    data.prepare_data()
    data.setup("fit")
    x, y = data.sets["train"]
    root = os.environ.get("LITERATIM_DATA", "")
    with tempfile.TemporaryDirectory() as temporary:
        for batch in given.batches:
            rows = []
            for _ in range(given.rounds):
                rows.append((bare(x, y, batch), fit(Path(temporary), batch), dataloader(root, batch)))
                print(
                    "  "
                    + "  ".join(
                        f"{name} {s:.2f} s"
                        for name, s in zip(("bare", "fit", "DataLoader"), rows[-1], strict=True)
                        if s
                    )
                )
            print(f"batch {batch}: fit / bare {statistics.median(r[1] / r[0] for r in rows):.3f}")
            if all(r[2] for r in rows):
                print(f"batch {batch}: DataLoader / fit {statistics.median(r[2] / r[1] for r in rows):.2f}")


if __name__ == "__main__":
    main()
