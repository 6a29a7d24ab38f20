"""How long the site takes: facts, a whole build, and how soon an edit shows under `make serve`.

    python benchmarks/site.py [--edits 5]

Targets: a whole build under 15 s after npm; an edited card shown within 3 s. Run after `make docs`.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
PORT = 8799
ENV = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}


def timed(*words: str) -> float:
    """Wall seconds of one command of ours."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", *words], cwd=CHECKOUT, env=ENV, check=True, capture_output=True)
    return time.perf_counter() - start


def page() -> str:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{PORT}/papers/lenet/", timeout=30).read().decode()
    except OSError:
        return ""


def until(words: str) -> float:
    start = time.perf_counter()
    while words not in page():
        if time.perf_counter() - start > 60:
            raise SystemExit(f'"{words}" did not show within a minute')
        time.sleep(0.03)
    return time.perf_counter() - start


def edits(count: int) -> list[float]:
    """Seconds from the writing of LeNet's card to its showing; the card is put back as it was."""
    card = CHECKOUT / "papers" / "lenet" / "card.yaml"
    before = card.read_text(encoding="utf-8")
    command = [sys.executable, "-m", "mkdocs", "serve", "-a", f"127.0.0.1:{PORT}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=CHECKOUT, env=ENV, start_new_session=True, **quiet)
    try:
        until("LeNet-5")
        times = []
        for i in range(count):
            time.sleep(3)
            card.write_text(
                before.replace("A convolutional network", f"A convolutional edit{i} network"), encoding="utf-8"
            )
            times.append(until(f"edit{i} network"))
        return times
    finally:
        card.write_text(before, encoding="utf-8")
        os.killpg(server.pid, signal.SIGTERM)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(f"literatim trace, all anew      {timed('literatim', 'trace', '--to', f'{folder}/facts'):6.1f} s")
        print(f"literatim trace, nothing new   {timed('literatim', 'trace'):6.1f} s")
        print(f"literatim pages                {timed('literatim', 'pages'):6.1f} s")
        print(f"mkdocs build --strict          {timed('mkdocs', 'build', '--strict', '-d', f'{folder}/site'):6.1f} s")
    times = edits(given.edits)
    print(f"an edit shows after            {statistics.median(times):6.1f} s ({min(times):.1f} to {max(times):.1f})")


if __name__ == "__main__":
    main()
