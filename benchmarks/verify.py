"""How much `literatim verify` takes over all papers, everything that is quick: CPU seconds and peak memory.

    python benchmarks/verify.py [--runs 3] [--against ANOTHER_CHECKOUT] [-- PAPER …]

With `--against` in turns with another checkout; the ratios are of neighbours, so that a busy machine slows both of a
pair alike. Without papers, over all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
# The command in a process of its own, whose use of the machine that process tells.
TOLD = """
import resource, subprocess, sys
command = [sys.executable, "-m", "literatim", "verify", "--json", *sys.argv[1:]]
done = subprocess.run(command, capture_output=True, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, done.stdout or "[]", sep="\\n")
"""


def verdicts(checkout: Path, papers: list[str]) -> tuple[float, float, int]:
    """(CPU seconds, peak MiB, number of verdicts) of a checkout."""
    env = {**os.environ, "PYTHONPATH": str(checkout / "implementations"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", TOLD, *papers], cwd=checkout, env=env, capture_output=True, text=True, check=True
    )
    seconds, peak, rows = done.stdout.split("\n", 2)
    return float(seconds), float(peak), len(json.loads(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    parser.add_argument("papers", nargs="*", metavar="PAPER")
    given = parser.parse_args()
    sides = {"here": HERE} | ({"there": given.against.resolve()} if given.against else {})
    taken: dict[str, list[tuple[float, float, int]]] = {name: [] for name in sides}
    for _ in range(given.runs):
        for name, place in sides.items():
            taken[name].append(verdicts(place, given.papers))
    for name, runs in taken.items():
        cpu, peak, rows = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{name:6} {cpu:6.1f} CPU s {peak:7.0f} MiB {rows:6.0f} verdicts")
    if given.against:
        pairs = list(zip(taken["here"], taken["there"], strict=True))
        cpu, peak = (statistics.median(one[i] / other[i] for one, other in pairs) for i in (0, 1))
        print(f"ratio  {cpu:6.2f} of time {peak:5.2f} of memory")


if __name__ == "__main__":
    main()
