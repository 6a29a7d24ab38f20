"""VGG, ResNet and AlexNet against torchvision's, in fp32 and as `fit` computes; ResNet-20's `fit` against a bare loop.

    python benchmarks/convnets.py [--pairs 30] [--only printed memory default fit learning] [--nets vgg16 resnet18]

Needs the extra `download` (torchvision). The two sides take turns in one process, on the threads torch takes; of each
pair the ratio is taken, and shown are the median of the ratios and a 95 % interval of that median. Targets:

- printed: a training step and an inference in fp32 take at most 1.05 times as long as those of the same network in
  torchvision, with the same weights; memory: at most 1.02 times the peak, each in a process of its own;
- default: a step as `fit` does it by default (bf16 where the processor has it, colours of a pixel side by side) is
  faster than torchvision's in fp32: 1.9 times for AlexNet, 2.2 for VGG D and ResNet-50, 2.5 for ResNet-18.
  torchvision's AlexNet is another network, so ours in fp32 is shown beside it;
- fit: ResNet-20's epoch through `fit` takes at most 1.05 times that of a bare loop over the same batches;
- learning: recipe quick of ResNet in bf16 stays within what three seeds in fp32 do.

The rate in GFLOP/s counts two operations for a multiply-add, and three times the forward pass for a training step; its
part is of what the largest of a few convolutions reaches in the same run.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import literatim
from literatim.claims.measures import multiply_adds
from literatim.claims.verdicts import build

Step = Callable[[], object]
# torchvision's name, ours, our options, batch.
SAME: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "vgg16": ("vgg", "d", {"init": "glorot"}, 8),
    "resnet18": ("resnet", "resnet18", {"shortcut": "b"}, 16),
    "resnet50": ("resnet", "resnet50", {"stride": "3x3"}, 8),
}
DEFAULT = {"alexnet": ("alexnet", "alexnet", {}, 64), **SAME}


def theirs(name: str) -> nn.Module:
    from torchvision import models

    torch.manual_seed(0)
    net: nn.Module = getattr(models, name)()
    return net


def ours(name: str, like: nn.Module | None = None) -> nn.Module:
    paper, variant, options, _ = DEFAULT[name]
    torch.manual_seed(0)
    net = literatim.load(paper, variant, **options)
    if like is not None:
        net.load_state_dict(literatim.interop.from_torchvision(paper, variant, like.state_dict()))
    return net


def images(batch: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, 3, 224, 224, generator=generator), torch.arange(batch)


def training_step(net: nn.Module, batch: int, bf16: bool = False, optimizer: Any = None) -> Step:
    x, y = images(batch)
    net.train()
    optimizer = optimizer or torch.optim.SGD(net.parameters(), lr=1e-6, momentum=0.9, weight_decay=1e-4)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def inference(net: nn.Module, batch: int) -> Step:
    x, _ = images(batch)
    net.eval()

    def answer() -> None:
        with torch.inference_mode():
            net(x)

    return answer


def seconds(step: Step) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def paired(one: Step, other: Step, pairs: int) -> tuple[list[float], list[float]]:
    """Times of both, taking turns at being first."""
    for step in (one, other):
        step()
    times: tuple[list[float], list[float]] = ([], [])
    for i in range(pairs):
        order = (0, 1) if i % 2 == 0 else (1, 0)
        for which in order:
            times[which].append(seconds((one, other)[which]))
    return times


def median_and_interval(ratios: list[float]) -> str:
    """The median with the interval between the order statistics that holds it in 95 of 100 cases."""
    values, n = sorted(ratios), len(ratios)
    reach = round(0.98 * n**0.5)
    low, high = values[max(0, n // 2 - reach)], values[min(n - 1, n // 2 + reach)]
    return f"{statistics.median(values):.3f} ({low:.3f} to {high:.3f})"


def peak(dtype: torch.dtype) -> float:
    """GFLOP/s of the fastest of a few convolutions."""
    best = 0.0
    for maps, side in ((64, 56), (128, 56), (256, 28), (512, 28)):
        layer = nn.Conv2d(maps, maps, 3, padding=1, bias=False).to(dtype).to(memory_format=torch.channels_last)
        x = torch.randn(16, maps, side, side).to(dtype).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            took = min(seconds(lambda: layer(x)) for _ in range(8))  # noqa: B023 (called at once)
        best = max(best, 2 * 16 * maps * maps * 9 * side * side / took / 1e9)
    return best


def operations(name: str) -> float:
    """Of one image's forward pass, in units of 1e9."""
    paper, variant, options, _ = DEFAULT[name]
    return 2 * int(multiply_adds(build(paper, variant, **options), None, (3, 224, 224))) / 1e9  # type: ignore[arg-type]


def printed(pairs: int) -> None:
    full = peak(torch.float32)
    print(f"fp32 against torchvision, {torch.get_num_threads()} threads; a convolution reaches {full:.0f} GFLOP/s")
    for name, (paper, variant, _, batch) in SAME.items():
        other = theirs(name)
        net = ours(name, like=other)
        for what, make, passes in (("step", training_step, 3), ("inference", inference, 1)):
            mine, its = paired(make(net, batch), make(other, batch), pairs)
            rate = passes * batch * operations(name) / statistics.median(mine)
            ratio = median_and_interval([a / b for a, b in zip(mine, its, strict=True)])
            print(f"  {paper} {variant:9} {what:9} ours/theirs {ratio}, {rate:.0f} GFLOP/s, {100 * rate / full:.0f} %")


def memory() -> None:
    print("peak memory of three training steps, ours/theirs")
    for name, (paper, variant, _, _) in SAME.items():
        mine, its = (
            float(subprocess.check_output([sys.executable, Path(__file__).absolute(), "--peak", name, side]))
            for side in ("ours", "theirs")
        )
        print(f"  {paper} {variant:9} {mine / its:.3f}  ({mine:.0f} and {its:.0f} MB)")


def peak_memory(name: str, side: str) -> None:
    net = ours(name) if side == "ours" else theirs(name)
    step = training_step(net, SAME[name][3])
    for _ in range(3):
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def default(pairs: int) -> None:
    from literatim.experiment.lightning import fastest_precision
    from literatim.experiment.options import import_path

    print("a step as fit does it, times as fast as torchvision's in fp32")
    for name, (paper, variant, options, batch) in DEFAULT.items():
        training = import_path(literatim.card(paper).training or "")
        bf16 = fastest_precision(training) == "bf16-mixed"
        module = training(variant=variant, options=options)
        optimizer = torch.optim.SGD(module.net.parameters(), lr=1e-6, momentum=0.9, weight_decay=1e-4, fused=True)
        step = training_step(module.net, batch, bf16, optimizer)
        mine, its = paired(step, training_step(theirs(name), batch), pairs)
        rate = 3 * batch * operations(name) / statistics.median(mine)
        ratio = median_and_interval([b / a for a, b in zip(mine, its, strict=True)])
        full = peak(torch.bfloat16 if bf16 else torch.float32)
        print(f"  {paper} {variant:9} {ratio}, {rate:.0f} GFLOP/s, {100 * rate / full:.0f} % of {full:.0f}")
        if paper == "alexnet":
            mine, its = paired(step, training_step(ours(name), batch), max(3, pairs // 3))
            ratio = median_and_interval([b / a for a, b in zip(mine, its, strict=True)])
            print(f"  {paper} {variant:9} {ratio} of our own in fp32")


def fit(rounds: int, steps: int = 60) -> None:
    """Images of noise: reading them from disk is no part of an epoch."""
    from pytorch_lightning import Callback

    from literatim.datasets import cifar10
    from literatim.experiment import lightning
    from literatim.experiment.runs import new_run_folder

    noise = np.random.default_rng(0).integers(0, 256, (steps * 128, 3, 32, 32), dtype=np.uint8)
    sets = (noise, np.arange(len(noise)) % 10), (noise[:500], np.arange(500) % 10)
    cifar10.read = lambda *_: sets
    seen: list[float] = []

    class Clock(Callback):
        def on_train_batch_end(self, *_: object) -> None:
            seen.append(time.perf_counter())

    build_trainer = lightning.PaperCLI.instantiate_trainer

    def watched(cli: Any, **kwargs: Any) -> Any:
        trainer = build_trainer(cli, **kwargs)
        trainer.callbacks.append(Clock())
        return trainer

    lightning.PaperCLI.instantiate_trainer = watched  # type: ignore[method-assign]

    def through_fit(folder: Path) -> float:
        seen.clear()
        args = ["--trainer.max_steps", str(steps), "--trainer.limit_val_batches", "0"]
        lightning.run(lightning.Request("fit", "resnet", "cifar10", args, new_run_folder(folder, "resnet", "cifar10")))
        return statistics.median(b - a for a, b in pairwise(seen[5:]))

    def bare() -> float:
        data = cifar10.CIFAR10()
        data.setup("fit")
        net = literatim.load("resnet", "resnet20").to(memory_format=torch.channels_last).train()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
        bf16, at = lightning.has_bf16(), []
        for x, y in data.train_dataloader():
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = F.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            at.append(time.perf_counter())
        return statistics.median(b - a for a, b in pairwise(at[5:]))

    with tempfile.TemporaryDirectory() as folder:
        pairs = [(through_fit(Path(folder)), bare()) for _ in range(rounds)]
    ratio = median_and_interval([a / b for a, b in pairs])
    step = statistics.median(a for a, _ in pairs)
    print(f"ResNet-20, fit/bare {ratio} in {rounds} rounds of {steps} steps; {128 / step:.0f} images a second")


def learning(folder: str) -> None:
    """Recipe quick in fp32 with three seeds and in bf16 with the same: the largest distance from the fp32 seeds."""
    from literatim.experiment.lightning import Request, run
    from literatim.experiment.runs import new_run_folder

    curves: dict[str, list[list[float]]] = {"32-true": [], "bf16-mixed": []}
    for precision, found in curves.items():
        for seed in range(3):
            args = [f"--seed_everything={seed}", f"--trainer.precision={precision}"]
            cli = run(Request("fit", "resnet", "quick", args, new_run_folder(Path(folder), "resnet", "quick")))
            found.append([row["online_loss"] for row in cli.curve.rows])
    print("loss of each pass of recipe quick (ResNet-20): fp32 from three seeds, bf16 with the same three")
    for i in range(len(curves["32-true"][0])):
        exact, half = ([curve[i] for curve in curves[precision]] for precision in curves)
        print(f"  {i + 1:2}  {min(exact):.4f} to {max(exact):.4f}   " + "  ".join(f"{loss:.4f}" for loss in half))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=30)
    parts = ["printed", "memory", "default", "fit", "learning"]
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument(
        "--nets", nargs="+", choices=list(DEFAULT), default=list(DEFAULT), help="of the first three parts"
    )
    asked = parser.parse_args()
    for name in set(DEFAULT) - set(asked.nets):
        del DEFAULT[name]
        SAME.pop(name, None)
    os.chdir(tempfile.mkdtemp())
    if asked.peak:
        return peak_memory(*asked.peak)
    if "printed" in asked.only:
        printed(asked.pairs)
    if "memory" in asked.only:
        memory()
    if "default" in asked.only:
        default(asked.pairs)
    if "fit" in asked.only:
        fit(max(3, asked.pairs // 5))
    if "learning" in asked.only:
        learning(".")


if __name__ == "__main__":
    main()
