"""What claims and recipes state, for checks that hold it against other things: nothing is typed twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from literatim.registry.ledger import recipe_path
from literatim.registry.reading import claims
from literatim.registry.settings import settings

_read: dict[str, float] | None = None


@contextmanager
def reading_noted() -> Iterator[dict[str, float]]:
    """What `stated` gives within it, by `paper/claim`: with other numbers there, what was found is to be found anew."""
    global _read
    before, _read = _read, {}
    try:
        yield _read
    finally:
        _read = before


def stated(paper: str, claim: str) -> float:
    """The number that a paper states in a claim, `<id>` or `<id>.<row>`. Raises KeyError for no such claim."""
    found = float({each.id: each for each in claims(paper)}[claim].stated)  # type: ignore[arg-type]
    if _read is not None:
        _read[f"{paper}/{claim}"] = found
    return found


def still_stated(read: dict[str, float]) -> bool:
    """Whether all numbers that were read stand there as they did."""
    try:
        return all(stated(*place.split("/")) == number for place, number in read.items())
    except KeyError:
        return False


def setting(paper: str, recipe: str, option: str) -> Any:
    """What a recipe sets, by its dotted name such as `data.window`. Raises KeyError where it leaves that alone."""
    found: Any = settings(recipe_path(paper, recipe), recipe=True)
    for name in option.split("."):
        found = found[name]
    return found
