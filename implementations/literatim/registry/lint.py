"""`literatim lint`: the faults of every card, recipe and record, one by one and against each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from literatim.errors import LiteratimError
from literatim.registry.data import DATA_SETS
from literatim.registry.faithful import undeclared
from literatim.registry.index import index, index_file
from literatim.registry.ledger import astray, record_files
from literatim.registry.names import loose, names, networks, normal
from literatim.registry.reading import (
    card,
    claims,
    heads,
    lint_file,
    paper_folder,
    papers_folder,
    place_of,
    shown,
    weights_path,
)
from literatim.registry.recorded import TIMES, curve_rows, faults_of
from literatim.registry.schema import Card, Claim, Measure, Result
from literatim.registry.settings import recipe_faults


def lint(files: list[Path] | None = None) -> list[str]:
    """Faults as `file:line:column: where: what`: of the given files, or of the whole collection."""
    if files:
        return [fault for path in files for fault in lint_file(path)]
    found = [path for name in ("card.yaml", "claims.yaml") for path in sorted(papers_folder().glob(f"*/{name}"))]
    faults = [fault for path in [*found, *filter(Path.is_file, [index_file()])] for fault in lint_file(path)]
    if faults:
        return faults
    known = heads()
    called = {paper: {normal(name) for name in names(entry)} for paper, entry in known.items()}
    variants: dict[str, list[str]] = {}  # loose name -> the papers with a variant so called
    for paper, entry in known.items():
        for name in networks(entry):
            variants.setdefault(name, []).append(paper)
    return [
        fault
        for paper in known
        for faults in (
            _indexed(paper),
            _across(paper, called),
            _aliases(paper, variants),
            _recipes(paper),
            undeclared(paper),
            _recorded(paper),
        )
        for fault in faults
    ]


def _aliases(paper: str, variants: dict[str, list[str]]) -> Iterator[str]:
    """Names of a paper by which people would mean another's network."""
    for i, name in enumerate(card(paper).aliases):
        for other in variants.get(loose(name), ()):
            if other != paper:
                at = place_of(paper_folder(paper) / "card.yaml", ("aliases", i))
                yield at + f'aliases[{i}]: a variant of {other} is called "{name}"'


def _indexed(paper: str) -> Iterator[str]:
    """Where a card and the literature index do not say the same of a paper, or of what it builds on."""
    if not index_file().is_file():
        return
    found, card_file = card(paper), paper_folder(paper) / "card.yaml"
    if entry := index().by_id.get(paper):
        for field in ("year", "doi", "arxiv", "bibtex"):
            if getattr(found, field) != getattr(entry, field):
                said = f"{field}: the card has {getattr(found, field)}, index.yaml {getattr(entry, field)}"
                yield place_of(card_file, (field,)) + said
    for i, before in enumerate(found.builds_on):
        known = None if before.id else index().find(before.doi, before.title)
        if known is None:
            continue
        at = place_of(card_file, ("builds_on", i)) + f"builds_on[{i}]: "
        if before.year not in (None, known.year):
            yield at + f"index.yaml has the year {known.year} for {known.id}"
        doi = known.doi or (known.arxiv and f"10.48550/arXiv.{known.arxiv}")
        if doi and (before.doi or "").casefold() != doi.casefold():
            yield at + f"index.yaml has the DOI {doi} for {known.id}"


def _recipes(paper: str) -> Iterator[str]:
    for path in sorted((paper_folder(paper) / "recipes").glob("*.yaml")):
        yield from recipe_faults(path)
        if path.stem not in card(paper).recipes:
            yield f"{shown(path)}:1:1: the card has no recipe {path.stem}"


def _across(paper: str, called: dict[str, set[str]]) -> Iterator[str]:
    """What one file alone cannot show: names that point nowhere, recipes without a file, names used twice."""
    folder, found = paper_folder(paper), card(paper)
    card_file, claims_file = folder / "card.yaml", folder / "claims.yaml"
    if found.id != paper:
        yield place_of(card_file, ("id",)) + f"id: the folder is called {paper}, the card {found.id}"
    for other, theirs in called.items():
        if other < paper and (shared := theirs & called[paper]):
            yield place_of(card_file, ("id",)) + f'id: {other} is also called "{sorted(shared)[0]}"'
    for i, before in enumerate(found.builds_on):
        if before.id and before.id not in called:
            yield place_of(card_file, ("builds_on", i)) + f'builds_on[{i}]: no paper here is called "{before.id}"'
    for name, recipe in found.recipes.items():
        at = place_of(card_file, ("recipes", name)) + f"recipes.{name}: "
        if not (folder / "recipes" / f"{name}.yaml").is_file():
            yield at + f"there is no file {shown(folder / 'recipes' / name)}.yaml"
        if recipe.data not in DATA_SETS:
            yield at + f'no data module is called "{recipe.data}" (there are {", ".join(DATA_SETS)})'
        for unknown in {*recipe.lines.values()} - {claim.id for claim in claims(paper)}:
            yield at + f'lines: there is no claim "{unknown}"'
    if found.demo and not found.demo.network:
        for key, name in [("weights", found.demo.weights), *(("beside", name) for name in found.demo.beside)]:
            if not (file := weights_path(paper, name)).is_file():
                yield place_of(card_file, ("demo", key)) + f"demo.{key}: there is no file {shown(file)}"
    if found.demo and found.demo.vectors and not found.demo.sha256:
        yield place_of(card_file, ("demo", "vectors")) + "demo.vectors: no record speaks of them; give their sha256"
    for claim in claims(paper):
        for fault in _claim_faults(found, claim):
            yield place_of(claims_file, ("id", claim.id.split(".")[0])) + f"{claim.id}: {fault}"


def timeless(row: dict[str, float]) -> tuple[tuple[str, float], ...]:
    """A row of a curve without how long it took."""
    return tuple(sorted((name, value) for name, value in row.items() if name not in TIMES))


def _outcome_faults(metrics: dict[str, float], curve: list[dict[str, float]]) -> Iterator[str]:
    """What a run came to is a row of its curve, the best or the last; its test was taken anew after that."""
    best = metrics.get("best_epoch", curve[-1]["epoch"] if curve else 0)
    row = next((row for row in curve if row["epoch"] == best), {})
    for name, value in metrics.items():
        if not name.startswith("test_") and row.get(name, value) != value:
            yield f"metrics.{name}: {value:g}, and {row[name]:g} in the curve"


def _recorded(paper: str) -> Iterator[str]:
    """Records and curves: each sound, of this paper, and in the folder that its own words lead to."""
    found = card(paper)
    curves: dict[tuple[Any, ...], Path] = {}
    for path in record_files(paper):
        faults, data = faults_of(path)
        yield from faults
        if faults:
            continue
        at = f"{shown(path)}: "
        if data["paper"] != paper:
            yield at + f"paper: the folder is {paper}'s, the record {data['paper']}'s"
        elif misplaced := astray(path, data):
            yield misplaced
        for field, there in (("recipe", set(found.recipes)), ("variant", set(found.variants))):
            if data[field] not in there:
                yield at + f'{field}: the card has no {field} "{data[field]}"'
        if (weights := data.get("weights")) and not weights_path(paper, weights["name"]).is_file():
            yield at + f"weights: there is no file {shown(weights_path(paper, weights['name']))}"
        try:
            curve = curve_rows(path.with_name("curve.csv"))
        except LiteratimError as error:
            yield str(error)
            continue
        yield from (at + fault for fault in _outcome_faults(data["metrics"], curve))
        seen = (data["recipe"], data["variant"], *map(timeless, curve))
        if (first := curves.setdefault(seen, path)) != path:
            yield at + f"seed: the curve is that of {shown(first)}; one run is entered twice"


def _claim_faults(found: Card, claim: Claim) -> Iterator[str]:
    if claim.source not in found.sources:
        yield f'the card has no source "{claim.source}"'
    part: Measure | Result | None = claim.measure or claim.result
    while part:
        if part.variant not in found.variants and not claim.not_attempted:
            yield f'the card has no variant "{part.variant}"'
        if isinstance(part, Result) and part.recipe not in found.recipes and not claim.not_attempted:
            yield f'the card has no recipe "{part.recipe}"'
        part = part.minus or part.per if isinstance(part, Result) else None
