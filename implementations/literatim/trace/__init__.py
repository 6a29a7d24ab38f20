"""`literatim trace`: the facts that need torch (verdicts, layers, curves, figures, models), written by hash.

`literatim.pages` reads them; nothing in them is typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from literatim.errors import LiteratimError
from literatim.registry.facts import claim_key, digest, facts_of, paper_key
from literatim.registry.ledger import PACKAGE
from literatim.registry.reading import claims, read_text, shown


def trace(papers: list[str], tutorials: Path | None, to: Path, *, again: bool = False) -> Iterator[str]:
    """Bring the facts of papers and tutorials up to date, one after the other; yields what was done of each."""
    for paper in papers:
        if not again and is_current(paper, to):
            yield f"{paper}: {len(claims(paper))} verdicts, as before"
            continue
        from literatim.trace.paper import trace_paper  # torch

        yield trace_paper(paper, to, again=again)
    for path in sorted(tutorials.glob("*.md")) if tutorials else ():
        if not path.name.endswith(".zh.md"):
            yield trace_tutorial(path, to / "tutorials", again=again)


def is_current(paper: str, to: Path) -> bool:
    """Whether all facts of a paper are of today's card, claims, code, recipes and records."""
    found = facts_of(paper, to) or {}
    verdicts = {name: verdict["key"] for name, verdict in found.get("verdicts", {}).items()}
    return found.get("key") == paper_key(paper) and verdicts == {claim.id: claim_key(claim) for claim in claims(paper)}


def trace_tutorial(path: Path, to: Path, *, again: bool = False) -> str:
    """Run a tutorial and keep its figures. Raises LiteratimError where it prints something else than its page shows."""
    text, kept = read_text(path), to / f"{path.stem}.json"
    key = digest(text, sorted((PACKAGE / "trace").glob("*.py")))
    if not again and kept.exists() and json.loads(kept.read_text(encoding="utf-8")).get("key") == key:
        return f"{path.stem}: as before"
    from literatim.pages.blocks import parse
    from literatim.trace.tutorial import run

    ran = run(text)
    for block, printed in zip(parse(text).blocks, ran.outputs, strict=True):
        if block.output.rstrip() != printed.rstrip():
            raise LiteratimError(f"{shown(path)}:{block.line}: this block now prints {printed.rstrip()!r}")
    to.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({"key": key, "figures": ran.figures}), encoding="utf-8")
    return f"{path.stem}: {len(ran.outputs)} blocks run, {len(ran.figures)} figures"
