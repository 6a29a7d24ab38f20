"""What claims and recipes state, for checks that hold it against other things: nothing is typed twice."""

from __future__ import annotations

from typing import Any

from literatim.registry.ledger import recipe_path
from literatim.registry.reading import claims
from literatim.registry.settings import settings


def stated(paper: str, claim: str) -> float:
    """The number that a paper states in a claim, `<id>` or `<id>.<row>`. Raises KeyError for no such claim."""
    return float({each.id: each for each in claims(paper)}[claim].stated)  # type: ignore[arg-type]


def setting(paper: str, recipe: str, option: str) -> Any:
    """What a recipe sets, by its dotted name such as `data.window`. Raises KeyError where it leaves that alone."""
    found: Any = settings(recipe_path(paper, recipe), recipe=True)
    for name in option.split("."):
        found = found[name]
    return found
