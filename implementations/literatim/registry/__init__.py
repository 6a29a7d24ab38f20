"""The registry: which papers there are, what their cards say, and by which names they are called.

No torch here, and no pydantic until a whole card is read: `list`, `show` and name look-ups read the
heads of the cards alone.
"""

from literatim.registry.names import find, resolve
from literatim.registry.reading import card, claims, head, heads, paper_folder, papers_folder

__all__ = ["card", "claims", "find", "head", "heads", "paper_folder", "papers_folder", "resolve"]
