"""Facts for the pages: what `literatim trace` found with torch, and whether it is still so. No torch here.

A paper's facts lie in one folder: `facts.json` and the models that its page runs. They carry two keys: one of the whole
(code, recipes, records, variants) and one for each claim, so that a page can tell which verdict an edit has outrun.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from literatim.registry.ledger import PACKAGE, package
from literatim.registry.reading import card, claims, paper_folder, papers_folder
from literatim.registry.schema import Claim

# The machinery whose code decides verdicts and drawings, and the libraries that do.
REGISTRY = ("data", "ledger", "printed", "reading", "recorded", "schema", "settings")
MACHINERY = (
    "claims", "datasets", "parts", "trace", "experiment/export.py", "loading.py",
    *(f"registry/{name}.py" for name in REGISTRY),
)  # fmt: skip
OURS = ("datasets", "experiment", "papers", "parts", "registry")  # what a tutorial may use
LIBRARIES = ("torch", "numpy", "scikit-learn", "matplotlib")
# The fields of a claim that no verdict hangs on.
TEXTS = {"states", "follows_from", "why", "where", "source", "id", "not_attempted"}


def facts_folder() -> Path:
    """Where `literatim trace` writes in a checkout."""
    return PACKAGE.parents[1] / "build" / "facts"


def facts_of(paper: str, folder: Path) -> dict[str, Any] | None:
    """What was traced of a paper, or None where nothing was."""
    return _kept(folder / paper / "facts.json")


def facts_of_tutorial(name: str, folder: Path) -> dict[str, Any] | None:
    """What was traced of a tutorial, its key and its figures, or None where nothing was."""
    return _kept(folder / "tutorials" / f"{name}.json")


def _kept(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def claim_key(claim: Claim) -> str:
    """A hash of what decides a claim's verdict: the number and how it is measured, not the words around it."""
    whole = _without_texts(claim.model_dump(mode="json", exclude_none=True))
    return digest(json.dumps(whole, sort_keys=True), ())


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
    paths += [path for name in with_predecessors(paper) for path in package(name).rglob("[!.]*.*")]
    paths += [path for claim in claims(paper) for path in _checked_in(claim)]
    return digest(json.dumps(kept, sort_keys=True), paths)


def tutorial_key(text: str) -> str:
    """A hash of all that decides what a tutorial prints and draws: of ours, only if it uses it."""
    paths = _python(PACKAGE / "trace")
    if "literatim" in text:
        papers = papers_folder().glob("*/re[cs]*/**/*")  # recipes and results
        paths += [*PACKAGE.glob("*.py"), *(p for name in OURS for p in _python(PACKAGE / name)), *papers]
    return digest(text, paths)


def _checked_in(claim: Claim) -> list[Path]:
    """The file of a check or a proof, which may be another paper's."""
    named = [claim.check, claim.erratum.proof if claim.erratum else None]
    modules = [path.partition(":")[0].split(".")[1:] for path in named if path]
    return [PACKAGE.joinpath(*parts).with_suffix(".py") for parts in modules]


def with_predecessors(paper: str) -> set[str]:
    """A paper and all of the collection that it builds on, at first or second hand."""
    found, waiting = set(), [paper]
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += [work.id for work in card(name).builds_on if work.id]
    return found


def _python(place: Path) -> list[Path]:
    return list(place.rglob("*.py")) if place.is_dir() else [place]


@cache
def versions() -> str:
    return " ".join(f"{name} {version(name)}" for name in LIBRARIES)


def digest(text: str, paths: Iterable[Path]) -> str:
    """A hash of a text, of files and their places, and of the libraries' versions."""
    whole = hashlib.sha256((text + versions()).encode())
    roots = (papers_folder(), PACKAGE)
    for path in sorted(set(paths)):
        if path.is_file() and path.suffix not in (".png", ".pyc"):
            place = next(path.relative_to(root) for root in roots if path.is_relative_to(root))
            whole.update(place.as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:16]
