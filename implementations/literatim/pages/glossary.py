"""One Chinese word for each thing: which texts have another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from literatim.errors import LiteratimError
from literatim.registry.reading import read_text, shown

FILE = Path(__file__).with_name("glossary.yaml")
# Where Chinese of ours stands in a checkout.
TEXTS = (
    "papers/index.yaml",
    "papers/*/c*.yaml",
    "papers/*/*.zh.*",
    "docs/*.md",
    "docs/guides/*.md",
    "tutorials/*.md",
    "implementations/literatim/**/*.py",
    "implementations/literatim/pages/words.yaml",
)


class Entry(NamedTuple):
    """A thing, the word for it, and what finds other words, those within a longer word that is right left out."""

    en: str
    zh: str
    other: re.Pattern[str]


@cache
def entries() -> tuple[Entry, ...]:
    found = []
    for entry in yaml.safe_load(FILE.read_text(encoding="utf-8")):
        wrong = f"(?P<wrong>{'|'.join(entry['not'])})"
        found.append(Entry(entry["en"], entry["zh"], re.compile("|".join([*entry.get("but", ()), wrong]))))
    return tuple(found)


def other_words(root: Path) -> list[str]:
    """Faults as `file:line:column: what` of a checkout's Chinese texts that do not keep to the glossary."""
    return [fault for pattern in TEXTS for path in sorted(root.glob(pattern)) for fault in _faults(path)]


def _faults(path: Path) -> Iterator[str]:
    try:
        text = read_text(path)
    except LiteratimError:  # not text: named where the file is read for what it is
        return
    for entry in entries():
        for match in entry.other.finditer(text):
            if match["wrong"]:
                before = text[: match.start()]
                at = f"{shown(path)}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
                yield f'{at}: "{match["wrong"]}": write {entry.zh} ({entry.en}), as {FILE.name} has it'
