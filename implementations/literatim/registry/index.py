"""The literature index, papers/index.yaml: papers that a reader expects, with code in the edition or without.

`rows` and `row` need no pydantic: they serve `list --all`, `cite` and look-ups by name. `index` reads it strictly.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from literatim.errors import LiteratimError
from literatim.registry import reading
from literatim.registry.reading import Loader, read_text

if TYPE_CHECKING:
    from literatim.registry.index_schema import Index

FILE = "index.yaml"
LISTED = ("id", "name", "also_titled", "title", "authors", "et_al", "year", "arxiv", "doi", "bibtex", "topics")
# One field a line is how the file is written; words and lists in these forms mean in YAML just what they look like.
# Expressions begin with the end of the line before, for which the engine looks ten times as fast as for a line's start.
LINE = re.compile(rf"\n  ({'|'.join(LISTED)}): (.+)")
PLACE = re.compile(r"\n  (venue|url): (.+)")
ODD = re.compile(r"\n(?:  \w+: *\n(?!    (?:en|zh): )| {3,}(?! |(?:en|zh): ))")
WORD = r"(?!(?:true|false|null|yes|no|on|off|[yn])(?:[],]|$))[^\W\d_](?:[^#:\\\"'\[\]{}%s]*[^#:\\\"'\[\]{}\s%s])?"
WORDS = re.compile(WORD % ("", ""), re.I)
ITEM = WORD % (",", ",")
ITEMS = re.compile(rf"\[{ITEM}(?:, {ITEM})*\]", re.I)
ADDRESS = re.compile(r"(?:https?://|10\.\d{4,9}/)(?:[^\s#:]|:(?=\S))+")
PAIR = re.compile(r'(\w+): ("[^"\\]*"|[^",]+)(?:, |$)')


def index_file() -> Path:
    return reading.papers_folder() / FILE


def rows() -> dict[str, dict[str, Any]]:
    """id -> what lists and look-ups need of each entry, in the file's order; none where there is no index."""
    return _rows(read_text(path)) if (path := index_file()).is_file() else {}


@cache
def _rows(text: str) -> dict[str, dict[str, Any]]:
    return {paper: _listed(entry) for paper, entry in _split(text).items()}


def row(paper: str) -> dict[str, Any]:
    """The whole entry as it stands in the file."""
    try:
        found: dict[str, Any] = yaml.load(_entries()[paper], Loader)[0]
        kinds = {"title": str, "bibtex": str, "year": int, "authors": list, "venue": dict}
        if all(isinstance(found[name], kind) for name, kind in kinds.items()) and "name" in found["venue"]:
            return found
    except (yaml.YAMLError, KeyError, TypeError, IndexError, ValueError):
        pass
    raise _fault()


def references(papers: Iterable[str]) -> list[dict[str, Any]]:
    """What `cite` needs of each of these entries, by the quick reader: `row` takes a thousand times as long."""
    texts, listed = _entries(), rows()
    return [listed[paper] | _place(paper, texts[paper]) for paper in papers]


def index() -> Index:
    """All of the index, validated. Raises LiteratimError with file:line:column of the first fault."""
    return read_index(index_file())


@cache
def read_index(path: Path) -> Index:
    from literatim.registry.index_schema import Index

    found: Index = reading.validated(path, Index)
    return found


def nearest(paper: str, to: Container[str]) -> str | None:
    """The paper of `to` that the fewest steps of `builds_on`, forwards or backwards, lead to."""
    beside: dict[str, set[str]] = {}
    for name, text in _entries().items():
        line = re.search(r"^  builds_on: \[(.*)\]$", text, re.MULTILINE)
        for before in re.split(r",\s*", line[1]) if line and line[1] else ():
            beside.setdefault(name, set()).add(before)
            beside.setdefault(before, set()).add(name)
    seen, ring = {paper}, [paper]
    while ring:
        if found := sorted(name for name in ring if name in to):
            return found[0]
        ring = sorted({name for at in ring for name in beside.get(at, ())} - seen)
        seen |= set(ring)
    return None


def _entries() -> dict[str, str]:
    """id -> the text of its entry."""
    return _split(read_text(path)) if (path := index_file()).is_file() else {}


@cache
def _split(text: str) -> dict[str, str]:
    texts = [f"- id: {part}\n" for part in f"\n{text}".split("\n- id: ")[1:]]
    return {text[6 : text.index("\n")].strip(" \"'"): text for text in texts}


def _listed(text: str) -> dict[str, Any]:
    try:
        if ODD.search(text):  # written otherwise than by one field a line
            found = {name: value for name, value in yaml.load(text, Loader)[0].items() if name in LISTED}
        else:
            found = {"id": text[6 : text.index("\n")].strip(" \"'")}
            found |= {name: _value(value) for name, value in LINE.findall(text)}
        title, year, authors, topics = found["title"], found["year"], found["authors"], found["topics"]
        if isinstance(title, str) and isinstance(year, int) and all(isinstance(w, str) for w in [*authors, *topics]):
            called = [part for part in str(found.get("name", "")).split(", ") if part]
            return found | {"aliases": [*called, *found.get("also_titled", ())]}
    except (yaml.YAMLError, KeyError, TypeError, IndexError, ValueError, AttributeError):
        pass
    raise _fault()


def _place(paper: str, text: str) -> dict[str, Any]:
    """Venue and address of an entry."""
    if not ODD.search(text):
        found = dict(PLACE.findall(text))
        pairs = PAIR.findall(found.get("venue", "")[1:-1])
        if found.get("venue") == f"{{{', '.join(map(': '.join, pairs))}}}":
            venue = {key: _value(value) for key, value in pairs}
            if "type" in venue and "name" in venue and all(isinstance(value, str) for value in venue.values()):
                return {"venue": venue} | ({"url": _value(found["url"])} if "url" in found else {})
    return row(paper)


def _value(text: str) -> Any:
    if WORDS.fullmatch(text) or ADDRESS.fullmatch(text):
        return text
    if text == "true":
        return True
    if text.isdecimal() and text[0] != "0":
        return int(text)
    if text[0] == '"' == text[-1] and "\\" not in text and text.count('"') == 2:
        return text[1:-1]
    if ITEMS.fullmatch(text):
        return text[1:-1].split(", ")
    return yaml.load(text, Loader)


def _fault() -> LiteratimError:
    faults = list(faults_of(index_file()))
    return LiteratimError(faults[0] if faults else f"{reading.shown(index_file())}: not an index of papers")


def faults_of(path: Path) -> Iterator[str]:
    """Every fault of an index, with its place: of its form first, then of its entries against each other."""
    from literatim.registry.index_schema import Index, across

    faults, found = reading.validate(path, Index)
    yield from faults
    if found:
        for at, what in across(found):
            yield reading.place_of(path, at) + what
