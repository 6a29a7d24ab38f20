"""How quickly the literature index is listed and cited with a thousand entries, made of its own under other names.

    python benchmarks/literature.py [--runs 9] [--against ANOTHER_CHECKOUT]

Target: CPU seconds of the whole process under 0.15, without torch and without pydantic (tests/test_index.py). With
`--against` the other checkout's command takes turns with ours on the same entries.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from startup import cpu

from literatim.registry.reading import papers_folder

CHECKOUT = Path(__file__).parents[1]
ENTRIES = 1000
COMMANDS = ("list --all", "list --all --topic vision", "cite dropout", "cite --all", "cite --all --format csl")


def thousand(folder: Path) -> None:
    """The edition's cards, and an index of ENTRIES papers."""
    for card in papers_folder().glob("*/card.yaml"):
        (folder / card.parent.name).mkdir()
        shutil.copy(card, folder / card.parent.name)
    text = (papers_folder() / "index.yaml").read_text(encoding="utf-8")
    head, *papers = re.split(r"^(?=- id: )", text, flags=re.MULTILINE)
    copies = range(-(-ENTRIES // len(papers)))
    many = [_renamed(paper, f"-{copy}") if copy else paper for copy in copies for paper in papers]
    (folder / "index.yaml").write_text(head + "".join(many[:ENTRIES]), encoding="utf-8")


def _renamed(paper: str, by: str) -> str:
    paper = re.sub(r"^(- id: \S+|  (?:bibtex|doi): \S+)", rf"\g<1>{by}", paper, flags=re.MULTILINE)
    return re.sub(
        r"^  builds_on: \[(.+)\]$", lambda line: re.sub(r"[\w-]+(?=[,\]])", rf"\g<0>{by}", line[0]), paper, flags=re.M
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    given = parser.parse_args()
    checkouts = [CHECKOUT, given.against] if given.against else [CHECKOUT]
    with tempfile.TemporaryDirectory() as folder:
        thousand(Path(folder))
        for said in COMMANDS:
            command = [sys.executable, "-m", "literatim", *said.split()]
            times: dict[Path, list[float]] = {checkout: [] for checkout in checkouts}
            for turn in range(given.runs + 1):
                for checkout in checkouts if turn % 2 else reversed(checkouts):
                    path = str(checkout / "implementations")
                    times[checkout].append(cpu(command, LITERATIM_PAPERS=folder, PYTHONPATH=path))
            taken = [times[checkout][1:] for checkout in checkouts]  # the first: cold files
            line = f"literatim {said:26} {statistics.median(taken[0]):.3f} CPU s"
            if given.against:
                ratio = statistics.median(one / two for one, two in zip(*taken, strict=True))
                line += f", the other {statistics.median(taken[1]):.3f}; median of ratios {ratio:.3f}"
            print(line)


if __name__ == "__main__":
    main()
