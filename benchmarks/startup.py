"""How quickly the command answers: CPU seconds of whole processes, median of several.

    python benchmarks/startup.py [--runs 9]

Targets: `literatim list` under 0.15 CPU s, under 0.25 with 100 cards of LeNet's size; `import literatim` under 0.1 s;
all of LeNet's verdicts under 1 s after imports; the structural ones of AlexNet, VGG, GoogLeNet and ResNet together in
under 10 s after imports and within 1 GB.
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
    runs = range(parser.parse_args().runs)
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
