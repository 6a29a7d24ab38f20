"""`literatim trace`: the facts that need torch (verdicts, layers, curves, figures, models), written by hash.

`literatim.pages` reads them; nothing in them is typed by hand.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from literatim.claims.given import still_stated
from literatim.errors import LiteratimError
from literatim.registry.facts import claim_key, facts_of, facts_of_tutorial, paper_key, tutorial_key
from literatim.registry.reading import claims, read_text, shown


def trace(papers: list[str], tutorials: Path | None, to: Path, *, again: bool = False) -> Iterator[str]:
    """Bring the facts of papers and tutorials up to date; yields what was done of each.

    What is out of date is worked out in as many processes as there are cores, each with one thread.
    """
    waiting: list[tuple[Callable[..., str], Any]] = []
    for paper in papers:
        if again or not is_current(paper, to):
            waiting.append((trace_paper, paper))
        else:
            yield f"{paper}: {len(claims(paper))} verdicts, as before"
    for path in sorted(tutorials.glob("*.md")) if tutorials else ():
        if not path.name.endswith(".zh.md"):
            if again or (facts_of_tutorial(path.stem, to) or {}).get("key") != tutorial_key(read_text(path)):
                waiting.append((trace_tutorial, path))
            else:
                yield f"{path.stem}: as before"
    if waiting:
        os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported, in the processes
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            for done in as_completed([pool.submit(function, what, to, again) for function, what in waiting]):
                yield done.result()


def trace_paper(paper: str, to: Path, again: bool) -> str:
    from literatim.trace.paper import facts_anew  # torch

    return facts_anew(paper, to, again=again)


def is_current(paper: str, to: Path) -> bool:
    """Whether all facts of a paper are of today's card, claims, code, recipes and records."""
    found = facts_of(paper, to) or {}
    if found.get("key") != paper_key(paper):
        return False
    verdicts = {name: verdict["key"] for name, verdict in found["verdicts"].items()}
    known = verdicts == {claim.id: claim_key(claim) for claim in claims(paper)}
    return known and all(still_stated(verdict["read"]) for verdict in found["verdicts"].values())


def trace_tutorial(path: Path, to: Path, again: bool) -> str:
    """Run a tutorial and keep its figures. Raises LiteratimError where it prints something else than its page shows."""
    from literatim.pages.blocks import parse, tidy
    from literatim.trace.tutorial import run

    text = read_text(path)
    ran = run(text)
    for block, printed in zip(parse(text).blocks, ran.outputs, strict=True):
        if tidy(block.output) != tidy(printed):
            raise LiteratimError(f"{shown(path)}:{block.line}: this block now prints {printed.rstrip()!r}")
    (to / "tutorials").mkdir(parents=True, exist_ok=True)
    facts = {"key": tutorial_key(text), "figures": ran.figures}
    (to / "tutorials" / f"{path.stem}.json").write_text(json.dumps(facts), encoding="utf-8")
    return f"{path.stem}: {len(ran.outputs)} blocks run, {len(ran.figures)} figures"
