"""What deployment costs: torch, ONNX Runtime, int8; the size of the files, the errors on MNIST, a call by its batch.

    [LITERATIM_DATA=…] python benchmarks/deployment.py [--rounds 15] [--threads 1] [--nets lenet resnet18] [--taken]

The forms of a network take turns in one process (A B C A B C …). Of every call the processor's time is taken, which on
one thread is what the call takes on a machine with nothing else to do; shown are medians, and the median of the ratios
to torch. LeNet-5 has the weights that ship, ResNet-18 those it is drawn with: times and sizes do not depend on them.
Errors are counted where MNIST's four files are found. With --taken it prints instead which networks torch.jit.script,
torch.jit.trace and torch.export take.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

import literatim
from literatim.datasets.digits import Digits
from literatim.datasets.mnist import MNIST
from literatim.errors import LiteratimError
from literatim.experiment.export import write_onnx

Call = Callable[[], object]
SHAPES = {"lenet": (1, 32, 32), "resnet18": (3, 224, 224)}
INT8 = ("int8 dynamic", "int8 static", "int8 static, by channel")
BATCHES = {"lenet": (1, 4, 16, 64, 256), "resnet18": (1, 4, 16)}


class Calibration(CalibrationDataReader):
    def __init__(self, batches: list[Tensor]) -> None:
        self.batches = iter(batches)

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self.batches, None)
        return None if batch is None else {"input": batch.numpy()}


def network(name: str) -> nn.Module:
    torch.manual_seed(0)
    return literatim.load(name, weights="mnist" if name == "lenet" else None).eval()


def calibration(name: str) -> list[Tensor]:
    """What the ranges are taken from: 512 of scikit-learn's digits, or noise where only times are asked for."""
    if name != "lenet":
        return [torch.randn(2, *SHAPES[name], generator=torch.Generator().manual_seed(0))]
    digits = Digits()
    digits.setup("fit")
    return list(digits.sets["train"][0][:512].split(64))


def write(name: str, net: nn.Module, folder: Path) -> dict[str, Path]:
    """The files, by what they are called in the table."""
    paths = {form: folder / f"{name}-{i}.onnx" for i, form in enumerate(("exported", "folded", *INT8))}
    write_onnx(net, SHAPES[name], paths["exported"], ["output"], batch=True)
    quant_pre_process(paths["exported"], paths["folded"])
    quantize_dynamic(paths["folded"], paths["int8 dynamic"])
    for form in ("int8 static", "int8 static, by channel"):
        quantize_static(paths["folded"], paths[form], Calibration(calibration(name)), per_channel="channel" in form)
    return paths


def session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(opened: onnxruntime.InferenceSession, x: Tensor) -> Any:
    return opened.run(None, {"input": x.numpy()})[0]


def in_turns(calls: dict[str, Call], rounds: int) -> dict[str, list[float]]:
    """Seconds of the processor for a call, each measured over at least 20 ms."""
    times: dict[str, list[float]] = {form: [] for form in calls}
    repeats = {}
    for form, call in calls.items():
        for _ in range(3):
            call()
        start = time.process_time()
        call()
        repeats[form] = max(1, round(0.02 / max(time.process_time() - start, 1e-5)))
    for _ in range(rounds):
        for form, call in calls.items():
            start = time.process_time()
            for _ in range(repeats[form]):
                call()
            times[form].append((time.process_time() - start) / repeats[form])
    return times


def compiled(net: nn.Module, x: Tensor) -> Call | None:
    """torch.compile's, where a C++ compiler is."""
    if not shutil.which(os.environ.get("CXX", "g++")):
        return None
    fast = torch.compile(net)
    fast(x)
    return lambda: fast(x)


@torch.inference_mode()
def forms(name: str, net: nn.Module, paths: dict[str, Path], asked: argparse.Namespace) -> None:
    opened = {form: session(path, asked.threads) for form, path in paths.items()}
    for batch in (1, BATCHES[name][-2]):
        x = torch.rand(batch, *SHAPES[name], generator=torch.Generator().manual_seed(1))
        calls: dict[str, Call] = {"torch": lambda x=x: net(x)}
        if name == "lenet" and (fast := compiled(net, x)):
            calls["torch.compile"] = fast
        calls |= {form: (lambda one=one, x=x: run(one, x)) for form, one in opened.items()}
        times = in_turns(calls, asked.rounds)
        print(f"\n{name}, batch {batch}: ms a call, times as fast as torch, size of the file")
        for form, found in times.items():
            ratio = statistics.median(a / b for a, b in zip(times["torch"], found, strict=True))
            size = f"{paths[form].stat().st_size / 1e3:9,.0f} KB" if form in paths else ""
            print(f"{form:<24} {statistics.median(found) * 1e3:8.3f} {ratio:6.2f} {size}", flush=True)


def by_batch(name: str, path: Path, asked: argparse.Namespace) -> None:
    opened = session(path, asked.threads)
    images = {n: torch.rand(n, *SHAPES[name]) for n in BATCHES[name]}
    times = in_turns({str(n): (lambda x=x: run(opened, x)) for n, x in images.items()}, asked.rounds)
    print(f"\n{name}, float32 in ONNX Runtime: batch, ms a call, images a second")
    for n, found in times.items():
        middle = statistics.median(found)
        print(f"{n:>4} {middle * 1e3:9.3f} {int(n) / middle:9,.0f}", flush=True)


@torch.inference_mode()
def errors(net: nn.Module, paths: dict[str, Path], threads: int) -> None:
    try:
        mnist = MNIST()
        mnist.setup("test")
    except LiteratimError as missing:
        print(f"\nno errors are counted: {missing}")
        return
    x, y = mnist.sets["test"]

    def answers() -> Iterator[tuple[str, Tensor]]:
        yield "torch", torch.cat([net(part) for part in x.split(500)])
        for form, path in paths.items():
            opened = session(path, threads)
            yield form, torch.from_numpy(np.concatenate([run(opened, part) for part in x.split(500)]))

    print(f"\nlenet: errors on MNIST's {len(y)} test images, decisions other than torch's, largest distance of outputs")
    first = None
    for form, found in answers():
        first = found if first is None else first
        decided, before = found.argmin(1), first.argmin(1)
        away = (found - first).abs().max().item()
        print(f"{form:<24} {int((decided != y).sum()):5} {int((decided != before).sum()):5} {away:10.2g}", flush=True)


TAKEN: dict[str, tuple[str, str | None, tuple[int, ...]]] = {
    "lenet": ("lenet", None, (1, 32, 32)),
    "alexnet": ("alexnet", None, (3, 224, 224)),
    "vgg a": ("vgg", "a", (3, 224, 224)),
    "googlenet": ("googlenet", None, (3, 224, 224)),
    "resnet18": ("resnet", "resnet18", (3, 224, 224)),
    "dqn": ("dqn", None, (4, 84, 84)),
    "backprop": ("backprop", None, (6,)),
    "gan, generator": ("gan", None, (100,)),
    "dcgan, generator": ("dcgan", "mnist32", (100,)),
    "elman": ("elman", None, (12, 6)),
    "lstm-forget": ("lstm-forget", None, (12, 7)),
    "gru, encoder": ("gru", None, (4,)),
}


def said_by(make: Callable[[], Any], x: Tensor) -> str:
    """Whether a network is taken in, and answers for a batch other than the example's."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            made = make()
        except Exception as error:
            answer = f"refuses ({type(error).__name__})"
        else:
            try:
                made(torch.cat([x, x]))
                answer = "takes it"
            except Exception:
                answer = "the example's size only"
    kinds = {warning.category.__name__ for warning in heard if "deprecated" in str(warning.message)}
    return " ".join([answer, *sorted(kinds)])


@torch.no_grad()
def taken() -> None:
    batch = ({0: torch.export.Dim("batch")},)
    for name, (paper, variant, shape) in TAKEN.items():
        net = literatim.load(paper, variant).eval()
        if ", " in name:
            net = getattr(net, name.split(", ")[1])
        x = torch.zeros(2, *shape, dtype=torch.long if paper == "gru" else torch.float32)
        script = said_by(lambda net=net: torch.jit.script(net), x)
        trace = said_by(lambda net=net, x=x: torch.jit.trace(net, (x,), check_trace=False), x)
        export = said_by(lambda net=net, x=x: torch.export.export(net, (x,), dynamic_shapes=batch).module(), x)
        print(f"{name:<18} script: {script};  trace: {trace};  export: {export}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--nets", nargs="*", choices=SHAPES, default=[*SHAPES])
    parser.add_argument("--taken", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    logging.disable()
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}, {platform.machine()}", end=", ")
    print(f"{os.cpu_count()} cores, {asked.threads} thread(s), {asked.rounds} rounds")
    if asked.taken:
        return taken()
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.nets:
            net = network(name)
            paths = write(name, net, Path(folder))
            if name == "lenet":
                errors(net, paths, asked.threads)
            forms(name, net, paths, asked)
            by_batch(name, paths["exported"], asked)


if __name__ == "__main__":
    main()
