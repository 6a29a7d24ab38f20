"""A table of claims about one network: it is built once for all of them, and passed through once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

_made: dict[Hashable, Any] | None = None


@contextmanager
def measured_once() -> Iterator[None]:
    """Within it `once` makes a thing only once. Whoever patches models enters it anew for each patch."""
    global _made
    before, _made = _made, {}
    try:
        yield
    finally:
        _made = before


def once(key: Hashable, make: Callable[[], Any]) -> Any:
    """What `make` gives, kept until the end of `measured_once`; outside of it, made each time."""
    if _made is None:
        return make()
    if key not in _made:
        _made[key] = make()
    return _made[key]
