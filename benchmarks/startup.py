"""How quickly the command answers: CPU seconds of whole processes, median of several.

    python benchmarks/startup.py [--runs 9] [--against ANOTHER_CHECKOUT]

Targets: `literatim list` under 0.15 CPU s, under 0.25 with 100 cards of LeNet's size; `import literatim` under 0.1 s;
all of LeNet's verdicts under 1 s after imports; the structural ones of AlexNet, VGG, GoogLeNet and ResNet together in
under 10 s after imports and within 1 GB.

With `--against` only the time to the first step of `literatim fit lenet` is taken, in turns with another checkout, of
the process's CPU and by the clock; the ratios are of neighbours, so that a busy machine slows both of a pair alike.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from literatim.registry.reading import papers_folder

IMPORT = "import time; t = time.perf_counter(); import literatim; print(time.perf_counter() - t)"
VERDICTS = """
import time, torch, literatim.claims.measures, literatim.papers.lenet.checks
from literatim.registry import card, claims
from literatim import verify
card("lenet"), claims("lenet")
t = time.perf_counter()
rows = verify("lenet")
print(time.perf_counter() - t)
"""
STRUCTURAL = """
import resource, time, torch, literatim.claims.measures
from importlib import import_module
from literatim import verify
from literatim.registry import card, claims
papers = ["alexnet", "vgg", "googlenet", "resnet"]
for paper in papers:
    import_module(f"literatim.papers.{paper}.checks"), card(paper), claims(paper)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
t, before = time.perf_counter(), peak()
count = sum(len(verify(paper, kind="structural")) for paper in papers)
print(f"{count} claims, {time.perf_counter() - t:.1f} s after imports, {peak() - before:.0f} MB more")
"""
FIRST_STEP = """
import importlib.abc, importlib.machinery, os, resource, sys, time

def until_now():
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(of.ru_utime + of.ru_stime for of in spent)

class Watch(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name != "literatim.papers.lenet.training":
            return None
        self.spec = importlib.machinery.PathFinder.find_spec(name, path)
        return importlib.machinery.ModuleSpec(name, self, origin=self.spec.origin)

    def exec_module(self, module):
        module.__file__ = self.spec.origin
        self.spec.loader.exec_module(module)
        def training_step(*args):
            print("first step", until_now(), time.time(), flush=True)
            os._exit(0)
        module.LeNetTraining.training_step = training_step

sys.meta_path.insert(0, Watch())
from literatim.cli import main
main(["fit", "lenet"])
"""


def cpu(command: list[str], **env: str) -> float:
    """CPU seconds, user and system, of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **env})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def printed(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip()


def said(program: str) -> float:
    return float(printed(program))


def first_step(checkout: Path) -> tuple[float, float]:
    """Seconds of CPU and of the clock from the start of a process to the first step of its training."""
    env = {**os.environ, "PYTHONPATH": str(checkout / "implementations"), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        began = time.time()
        command = [sys.executable, "-c", FIRST_STEP]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, env=env)
    spent, reached = done.stdout.partition("first step ")[2].split()[:2]
    return float(spent), float(reached) - began


def in_turns(other: Path, runs: int) -> None:
    """This checkout's time to the first step over the other's, pair by pair."""
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    checkouts = [(ours, Path(__file__).parents[1]), (theirs, other)]
    for turn in range(runs + 1):
        for times, checkout in checkouts if turn % 2 else reversed(checkouts):
            times.append(first_step(checkout))
    for kind, name in enumerate(("CPU s", "s by the clock")):
        pairs = [(one[kind], two[kind]) for one, two in zip(ours[1:], theirs[1:], strict=True)]  # the first: cold files
        here, there = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(one / two for one, two in pairs)
        print(f"fit lenet, to the first step: {here:.2f} {name}, the other {there:.2f}; median of ratios {ratio:.3f}")


def hundred_cards(folder: Path) -> None:
    """A hundred copies of LeNet's folder under other names."""
    for i in range(100):
        to = folder / f"paper{i}"
        shutil.copytree(papers_folder() / "lenet", to, ignore=shutil.ignore_patterns("results", "weights"))
        text = (to / "card.yaml").read_text(encoding="utf-8")
        text = text.replace("id: lenet\n", f"id: paper{i}\n").replace("10.1109/5.726791", f"10.1109/{i}")
        (to / "card.yaml").write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout, for the first step of fit")
    given = parser.parse_args()
    if given.against:
        return in_turns(given.against, given.runs)
    runs = range(given.runs)
    listing = [sys.executable, "-m", "literatim", "list"]
    nothing = statistics.median(cpu([sys.executable, "-c", ""]) for _ in runs)
    print(f"python alone              {nothing:.3f} CPU s")
    print(f"literatim list            {statistics.median(cpu(listing) for _ in runs):.3f} CPU s")
    with tempfile.TemporaryDirectory() as folder:
        hundred_cards(Path(folder))
        many = statistics.median(cpu(listing, LITERATIM_PAPERS=folder) for _ in runs)
    print(f"literatim list, 100 cards {many:.3f} CPU s")
    print(f"import literatim          {statistics.median(said(IMPORT) for _ in runs):.3f} s")
    print(f"verify lenet              {statistics.median(said(VERDICTS) for _ in range(3)):.3f} s after imports")
    print(f"verify, four convnets     {printed(STRUCTURAL)}")


if __name__ == "__main__":
    main()
