"""Reading cards: their heads quickly, the whole of them strictly, and every error with its line and column."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from literatim.errors import LiteratimError
from literatim.places import expanded

if TYPE_CHECKING:
    from pydantic import BaseModel

    from literatim.registry.schema import Card, Claim

# LibYAML's loader is four times as fast; a PyYAML built without it still works.
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# The sections of card.yaml that names, `list` and `find` need.
HEAD = (
    "id", "aliases", "title", "authors", "year", "arxiv", "doi", "bibtex", "topics", "variants", "variant_aliases",
    "recipes", "venue",
)  # fmt: skip
PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null")}


def papers_folder() -> Path:
    """The folder of cards: `$LITERATIM_PAPERS`, the checkout's `papers/`, or the copy inside the wheel."""
    if chosen := os.environ.get("LITERATIM_PAPERS"):
        return expanded(chosen)
    package = Path(__file__).resolve().parents[1]
    checkout = package.parents[1] / "papers"
    return checkout if package.parent.name == "implementations" and checkout.is_dir() else package / "cards"


def paper_folder(paper: str) -> Path:
    return papers_folder() / paper


def weights_path(paper: str, name: str) -> Path:
    return paper_folder(paper) / "weights" / f"{name}.safetensors"


def heads() -> dict[str, dict[str, Any]]:
    """id -> the head of its card, for every paper, oldest first. A card that cannot be read is an error."""
    found = {path.parent.name: _head(path) for path in sorted(papers_folder().glob("*/card.yaml"))}
    if not found:
        raise LiteratimError(f"there are no cards in {papers_folder()}; set LITERATIM_PAPERS to a folder of cards")
    return dict(sorted(found.items(), key=lambda item: (item[1]["year"], item[0])))


def head(paper: str) -> dict[str, Any]:
    return _head(paper_folder(paper) / "card.yaml")


def _head(path: Path) -> dict[str, Any]:
    sections = re.split(r"^(?=[^\s#-])", read_text(path), flags=re.MULTILINE)
    parts = {part.partition(":")[0].strip(" \"'"): part for part in sections}
    try:
        # What lies deeper than the names of variants and recipes is half of the reading.
        found = yaml.load("".join(re.sub(r"^ {4}.*\n?", "", parts.get(name, ""), flags=re.M) for name in HEAD), Loader)
        if isinstance(found, dict) and isinstance(found["year"], int) and isinstance(found["title"], str):
            if not isinstance(found["bibtex"], str):
                raise TypeError("bibtex")
            for name in ("aliases", "authors", "topics", "variants", "variant_aliases", "recipes"):
                kind = dict if name in ("variants", "variant_aliases", "recipes") else list
                words = found.setdefault(name, kind())
                if not isinstance(words, kind) or not all(isinstance(word, str) for word in words):
                    raise TypeError(name)
            if not all(isinstance(variant, str) for variant in found["variant_aliases"].values()):
                raise TypeError("variant_aliases")
            venue = found["venue"]
            if not isinstance(venue, dict) or not all(isinstance(part, str) for part in venue.values()):
                raise TypeError("venue")
            return found | {"id": path.parent.name}
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        pass
    problems = lint_file(path)  # the slow way, which knows the lines
    raise LiteratimError(problems[0] if problems else f"{path}: not a card: it has no title and year")


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise LiteratimError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        before = error.object[: error.start].split(b"\n")
        raise LiteratimError(f"{shown(path)}:{len(before)}:{len(before[-1]) + 1}: this is not UTF-8 text") from None


@cache
def card(paper: str) -> Card:
    """The whole card of a paper, validated. Raises LiteratimError with file:line:column of the first fault."""
    from literatim.registry.schema import Card

    return validated(paper_folder(paper) / "card.yaml", Card)


@cache
def claims(paper: str) -> tuple[Claim, ...]:
    """A paper's claims with the rows of their tables written out, validated."""
    from literatim.registry.schema import Claims

    path = paper_folder(paper) / "claims.yaml"
    return validated(path, Claims).expanded() if path.exists() else ()


def validated(path: Path, schema: type[Any]) -> Any:
    """The object that a file describes. Raises LiteratimError with file:line:column of its first fault."""
    problems, found = validate(path, schema)
    if problems:
        more = f" (and {len(problems) - 1} more: literatim lint)" if len(problems) > 1 else ""
        raise LiteratimError(problems[0] + more)
    return found


def lint_file(path: Path) -> list[str]:
    """Every fault of one card.yaml, claims.yaml, index.yaml, recipe, record.json or curve.csv, with its place."""
    from literatim.registry import index
    from literatim.registry.recorded import curve_rows, faults_of
    from literatim.registry.schema import Card, Claims
    from literatim.registry.settings import recipe_faults

    schemas: dict[str, type[BaseModel]] = {"card.yaml": Card, "claims.yaml": Claims}
    if path.name == "record.json":
        return faults_of(path)[0]
    if path.name == "curve.csv":
        try:
            return [] if curve_rows(path) else [f"{shown(path)}:1: a curve without a row"]
        except LiteratimError as error:
            return [str(error)]
    if path.name == index.FILE:
        return list(index.faults_of(path))
    if path.resolve().parent.name == "recipes":
        return recipe_faults(path)
    if path.name not in schemas:
        known = "card.yaml, claims.yaml, index.yaml, recipes, record.json and curve.csv"
        return [f"{shown(path)}:1:1: only {known} are checked"]
    return validate(path, schemas[path.name])[0]


def validate(path: Path, schema: type[BaseModel]) -> tuple[list[str], Any]:
    """(faults, the validated object); of the two one is empty."""
    from pydantic import ValidationError

    faults, node, data = plain(path)
    if faults:
        return faults, None
    try:
        # Through JSON, because pydantic's strict mode would refuse YAML's lists where the schema has tuples.
        return [], schema.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        return [_fault(shown(path), node, fault) for fault in error.errors()], None


def plain(path: Path, keys: tuple[str, ...] = ("str",)) -> tuple[list[str], yaml.Node | None, Any]:
    """(faults, nodes, data) of a YAML file that holds plain values, each written out where it stands, by keys of the
    kinds named."""
    name = shown(path)
    try:
        node = yaml.compose(read_text(path), Loader)
    except LiteratimError as error:
        return [str(error)], None, None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}: not YAML: {error.problem}" if mark else str(error)
        return [where], None, None
    except (yaml.YAMLError, RecursionError) as error:
        return [f"{name}:1:1: not YAML: {' '.join(str(error).split())}"], None, None
    if node is None:
        return [f"{name}:1:1: the file is empty"], None, None
    faults = [f"{name}:{mark.line + 1}:{mark.column + 1}: {fault}" for mark, fault in _node_faults(node, keys)]
    if faults:
        return faults, None, None
    try:
        return [], node, yaml.load(read_text(path), Loader)
    except (yaml.YAMLError, ValueError, KeyError) as error:  # a tag that does not fit its value
        return [f"{name}:1:1: not YAML: {' '.join(str(error).split())}"], None, None


def _node_faults(
    node: yaml.Node, keys: tuple[str, ...], path: str = "", seen: set[int] | None = None
) -> list[tuple[Any, str]]:
    """What strict YAML would refuse: foreign tags, duplicate keys, anchors (aliases are how a bomb is built)."""
    seen = set() if seen is None else seen
    if id(node) in seen:
        return [(node.start_mark, f"{path or 'file'}: anchors and aliases are not used here; write it out")]
    seen.add(id(node))
    if node.tag not in PLAIN_TAGS:
        return [
            (node.start_mark, f"{path or 'file'}: the tag {node.tag} is not allowed; quote dates, write plain values")
        ]
    faults: list[tuple[Any, str]] = []
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            faults += _node_faults(item, keys, f"{path}[{i}]", seen)
    elif isinstance(node, yaml.MappingNode):
        known: set[str] = set()
        for key, value in node.value:
            if key.tag.removeprefix("tag:yaml.org,2002:") not in keys:
                faults.append((key.start_mark, f"{path or 'file'}: a key must be a word; quote numbers, yes and no"))
                continue
            place = f"{path}.{key.value}".lstrip(".")
            if key.value in known:
                faults.append((key.start_mark, f"{place}: the key stands here twice"))
            known.add(key.value)
            faults += _node_faults(value, keys, place, seen)
    return faults


def walk(node: Any, steps: tuple[str | int, ...]) -> tuple[Any, str, list[str]]:
    """(mark, place, steps left over): as far down the YAML nodes as the steps lead."""
    mark, place, left = node.start_mark, "", []
    for step in steps:
        below: yaml.Node | None = None
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            below, place = node.value[step], f"{place}[{step}]"
            mark = below.start_mark
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(step):
                    below, place, mark = value, f"{place}.{step}".lstrip("."), key.start_mark
        if below is not None:
            node = below
        else:  # a missing key, or the name of a type that pydantic tried
            left.append(str(step))
    return mark, place, left


def _fault(name: str, node: yaml.Node | None, fault: Any) -> str:
    """One pydantic error, placed in its file."""
    mark, place, left = walk(node, (*fault["loc"], *fault.get("ctx", {}).get("at", ())))
    if fault["type"] == "missing":
        place = f"{place}.{left[-1]}".lstrip(".")
    what = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        what = "unknown field"
    return f"{name}:{mark.line + 1}:{mark.column + 1}: {place or 'file'}: {what[0].lower() + what[1:]}"


def place_of(path: Path, steps: tuple[str | int, ...]) -> str:
    """`file:line:column: ` of a place in a file that is known to be sound; ("id", x) finds the claim called x."""
    node: Any = yaml.compose(read_text(path), Loader)
    mark = node.start_mark
    if isinstance(node, yaml.SequenceNode) and steps[0] == "id":
        for item in node.value:
            if any(key.value == "id" and value.value == steps[1] for key, value in item.value):
                mark = item.start_mark
    else:
        mark = walk(node, steps)[0]
    return f"{shown(path)}:{mark.line + 1}:{mark.column + 1}: "


def shown(path: Path) -> str:
    """A path as people want to see it: relative where it lies below the current folder."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
