"""Facts for the pages: what `literatim trace` found with torch, and whether it is still so. No torch here.

A paper's facts lie in one folder: `facts.json` and the models that its page runs. They carry two keys: one of the whole
(code, recipes, records, variants) and one for each claim, so that a page can tell which verdict an edit has outrun.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from literatim.registry.ledger import PACKAGE
from literatim.registry.reading import card, paper_folder
from literatim.registry.schema import Claim

# The machinery whose code decides verdicts and drawings.
REGISTRY = ("data", "ledger", "schema")
MACHINERY = ("claims", "datasets", "parts", "trace", "loading.py", *(f"registry/{name}.py" for name in REGISTRY))
TEXTS = {"states", "why", "where", "source", "id", "not_attempted"}


def facts_folder() -> Path:
    """Where `literatim trace` writes in a checkout."""
    return PACKAGE.parents[1] / "build" / "facts"


def facts_of(paper: str, folder: Path) -> dict[str, Any] | None:
    """What was traced of a paper, or None where nothing was."""
    try:
        found = json.loads((folder / paper / "facts.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def claim_key(claim: Claim) -> str:
    """A hash of what decides a claim's verdict: the number and how it is measured, not the words around it."""
    return digest(json.dumps(_without_texts(claim.model_dump(mode="json", exclude_none=True)), sort_keys=True))


def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_texts(inner) for key, inner in value.items() if key not in TEXTS}
    return value


def paper_key(paper: str) -> str:
    """A hash of all that decides a paper's facts but its claims: code, recipes, records, weights, torch itself."""
    found, folder = card(paper), paper_folder(paper)
    kept = found.model_dump(mode="json", include={"id", "variants", "training", "demo", "recipes"})
    paths = [path for name in ("recipes", "results", "weights") for path in (folder / name).rglob("*")]
    paths += [path for name in MACHINERY for path in _python(PACKAGE / name)]
    paths += [path for name in with_predecessors(paper) for path in package(name).glob("[!.]*.*")]
    return digest(json.dumps([kept, version("torch")], sort_keys=True), sorted(set(paths)))


def with_predecessors(paper: str) -> set[str]:
    """A paper and all of the collection that it builds on, at first or second hand."""
    found, waiting = set(), [paper]
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += [work.id for work in card(name).builds_on if work.id]
    return found


def package(paper: str) -> Path:
    return PACKAGE / "papers" / paper.replace("-", "_")


def _python(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place] if place.exists() else []


def digest(text: str, paths: Iterable[Path] = ()) -> str:
    whole = hashlib.sha256(text.encode())
    for path in paths:
        if path.is_file() and path.suffix != ".png":
            whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:16]
