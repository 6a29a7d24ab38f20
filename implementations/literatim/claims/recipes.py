"""What a recipe sets, for claims about how a network was trained: a claim reads the recipe, not a table beside it."""

from __future__ import annotations

from typing import Any

from literatim.registry.ledger import recipe_path
from literatim.registry.settings import settings


def option(paper: str, recipe: str, name: str) -> Any:
    """One option of a recipe by its dotted name, such as `data.batch_size`; KeyError where the recipe leaves it out."""
    found: Any = settings(recipe_path(paper, recipe), recipe=True)
    for part in name.split("."):
        found = found[part]
    return found
