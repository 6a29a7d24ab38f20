"""The labels of the generated pages: words.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from literatim.pages.markup import Lang
from literatim.registry.reading import Loader, read_text


@cache
def words() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.load(read_text(Path(__file__).with_name("words.yaml")), Loader)
    return found


def word(key: str, lang: Lang, **fill: object) -> str:
    """A label in a language, its {places} filled."""
    return words()[key][lang].format(**fill)
