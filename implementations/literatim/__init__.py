"""literatim: a critical edition of deep learning's classic papers.

Importing the package imports no torch and no pydantic; what needs them brings them in.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from literatim import interop
    from literatim.claims.verdicts import verify
    from literatim.experiment.prepared import recipe
    from literatim.loading import load
    from literatim.registry.names import find

__version__ = "0.1.0"
__all__ = ["card", "find", "interop", "load", "recipe", "verify"]

_PLACES = {
    "load": "literatim.loading",
    "verify": "literatim.claims.verdicts",
    "find": "literatim.registry.names",
    "recipe": "literatim.experiment.prepared",
}


def card(name: str) -> Any:
    """The card of a paper, by any of its names: a typed, frozen `literatim.registry.schema.Card`."""
    from literatim.registry import reading, resolve

    return reading.card(resolve(name))


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    if name == "interop":
        return import_module("literatim.interop")
    raise AttributeError(f"module 'literatim' has no attribute '{name}'")
