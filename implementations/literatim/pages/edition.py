"""What the pages show: cards, claims, records, and the facts that were traced."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from literatim.registry.facts import claim_key, facts_of, paper_key
from literatim.registry.ledger import PACKAGE, Record, imported, package, records
from literatim.registry.names import find
from literatim.registry.reading import card, claims
from literatim.registry.schema import Card, Claim

NOT_TRACED: dict[str, Any] = {"verdict": "not traced", "measured": None, "detail": {"en": "", "zh": None}}


@dataclass(frozen=True)
class Entry:
    """One paper of the edition."""

    card: Card
    claims: tuple[Claim, ...]
    records: tuple[Record, ...]
    facts: dict[str, Any] | None
    fresh: bool  # whether the facts are of today's code, recipes and records

    @property
    def id(self) -> str:
        return self.card.id

    @property
    def name(self) -> str:
        return self.card.name or self.card.id

    @property
    def sources(self) -> list[Path]:
        """The files of its package that are shown, the model first."""
        first = ["model.py", "training.py", "checks.py"]
        found = [path for path in package(self.id).rglob("*.py") if path.name != "__init__.py"]
        return sorted(found, key=lambda p: (first.index(p.name) if p.name in first else 1.5, p.name))

    def finding(self, claim: Claim) -> dict[str, Any]:
        """The traced verdict on a claim; `not traced` where an edit of the claim or of the code has outrun it."""
        found = (self.facts or {}).get("verdicts", {}).get(claim.id)
        return found if found and self.fresh and found["key"] == claim_key(claim) else NOT_TRACED

    def count(self, *, causes: bool = False) -> Counter[str]:
        """How many claims have which verdict; with `causes` the errata of one slip count once."""
        counted = [c for c in self.claims if not (causes and c.erratum and c.erratum.consequence_of)]
        return Counter(self.finding(claim)["verdict"] for claim in counted)

    def runs(self) -> dict[tuple[str, str], list[Record]]:
        """(recipe, variant) -> its records, in the card's order of recipes."""
        found: dict[tuple[str, str], list[Record]] = {}
        order = list(self.card.recipes)
        known = [r for r in self.records if r["recipe"] in order]
        for record in sorted(known, key=lambda r: order.index(r["recipe"])):
            found.setdefault((record["recipe"], record["variant"]), []).append(record)
        return found


@dataclass(frozen=True)
class Edition:
    """All papers, oldest first."""

    entries: dict[str, Entry]

    def followers(self, paper: str) -> list[Entry]:
        return [e for e in self.entries.values() if any(before.id == paper for before in e.card.builds_on)]


def edition(facts: Path) -> Edition:
    found = {}
    for paper in find():
        traced = facts_of(paper, facts)
        fresh = traced is not None and traced.get("key") == paper_key(paper)
        found[paper] = Entry(card(paper), claims(paper), tuple(records(paper)), traced, fresh)
    cards = {paper: entry.card for paper, entry in found.items()}
    return Edition({paper: found[paper] for paper in sorted(found, key=lambda paper: _place(cards[paper], cards))})


def _place(card: Card, cards: dict[str, Card]) -> tuple[int, int]:
    """A paper's place in history: its year, and within that how many of the same year stand before it in its line."""
    same = [cards[w.id] for w in card.builds_on if w.id in cards and cards[w.id].year == card.year]
    return card.year, max((1 + _place(before, cards)[1] for before in same), default=0)


def claim_anchor(claim: Claim) -> str:
    """The id of a claim's row on its paper's page."""
    return "claim-" + claim.id.replace(".", "-")


def code_links(entry: Entry) -> set[str]:
    """The ids of the other papers that a paper's code imports from."""
    names = {name for path in package(entry.id).glob("*.py") for name in imported(path)}
    others = {name.split(".")[2] for name in names if name.startswith("literatim.papers.")}
    return {name.replace("_", "-") for name in others} - {entry.id}


def place_of_code(path: str) -> tuple[Path, int] | None:
    """The file and line of what an import path such as `literatim.papers.lenet.checks:mu` names."""
    module, _, name = path.partition(":")
    file = PACKAGE.joinpath(*module.split(".")[1:])
    file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    if not file.exists():
        return None
    line = _line(file, name)
    return None if line is None else (file, line)


def place_of_module(model: str, module: str | None) -> tuple[Path, int] | None:
    """Where a model's class sets the attribute that a module's dotted name begins with; else where the class is."""
    found = place_of_code(model)
    if found is None or not module:
        return found
    file, line = found
    wanted = {f"self.{name}" for name in module.split(".")}
    inside = next(node for node in tree(file).body if node.lineno == line)
    for node in ast.walk(inside):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if ast.unparse(target) in wanted:
                return file, target.lineno
    return file, line


def lines_of_model(entry: Entry, check: str) -> list[tuple[Path, int, str]]:
    """What a claim's check takes of the paper's own model and training: file, line and name, the model first."""
    module, _, name = check.partition(":")
    found = place_of_code(check)
    if found is None or found[0] not in entry.sources:
        return []
    base = package(entry.id)
    own = {path for path in base.glob("*.py") if path.stem not in ("checks", "demo", "__init__")}
    places = {".".join([*module.split(".")[:3], path.stem]): path for path in own}
    taken = [(places[of], what) for of, what in _taken(found[0], name) if of in places]
    lines = {(path, what): _line(path, what) for path, what in taken}
    named = [(path, line, what) for (path, what), line in lines.items() if line]
    return sorted(named, key=lambda each: entry.sources.index(each[0]))


@cache
def _taken(file: Path, name: str) -> tuple[tuple[str, str], ...]:
    """(module, name) of all that a function takes from other modules, the functions of its own file that it calls
    included."""
    body = tree(file).body
    modules, names = {}, {}
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                names[each.asname or each.name] = (node.module, each.name)
                modules[each.asname or each.name] = f"{node.module}.{each.name}"
    own = {node.name: node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    found, waiting, seen = [], [name], set()
    while waiting:
        function = waiting.pop(0)
        if function in seen or function not in own:
            continue
        seen.add(function)
        for part in ast.walk(own[function]):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in modules:
                found.append((modules[part.value.id], part.attr))
            elif isinstance(part, ast.Name):
                found.append(names.get(part.id, ("", "")))
                waiting.append(part.id)
    return tuple(dict.fromkeys(found))


def _line(file: Path, name: str) -> int | None:
    return next((node.lineno for node in tree(file).body if getattr(node, "name", None) == name), None)


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))
