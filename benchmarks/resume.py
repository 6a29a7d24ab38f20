"""Peak memory of a run that goes on against one that was never stopped, in turns: VGG's quick recipe, shortened.

    python benchmarks/resume.py [--rounds 3]

Target: at most 1.05 times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile

SHORT = ["--trainer.limit_train_batches", "4", "--trainer.limit_val_batches", "1"]


def peak(*args: str) -> float:
    """MB that a `literatim` process had at most."""
    process = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-m", "literatim", *args])
    _, status, used = os.wait4(process, 0)
    if status:
        raise SystemExit(f"literatim {' '.join(args)}: status {os.waitstatus_to_exitcode(status)}")
    return used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    pairs = []
    for _ in range(parser.parse_args().rounds):
        with tempfile.TemporaryDirectory() as folder:
            runs = ["--runs", folder, "--trainer.max_epochs"]
            whole = peak("fit", "vgg", *SHORT, *runs, "2")
            peak("fit", "vgg", *SHORT, *runs, "1")
            pairs.append((peak("fit", "vgg", "--ckpt_path", "last", *runs, "2"), whole))
    ratios = [resumed / whole for resumed, whole in pairs]
    resumed, whole = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        f"peak memory: gone on {resumed:.0f} MB, undisturbed {whole:.0f} MB, ratio {statistics.median(ratios):.3f}",
        end="",
    )
    print(f" ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
