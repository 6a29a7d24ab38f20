"""By which names a paper is called: id, alias, arXiv id, DOI, BibTeX key or title, in any case."""

from __future__ import annotations

import re
from collections.abc import Container
from fnmatch import fnmatchcase
from typing import Any

from literatim.errors import LiteratimError, did_you_mean
from literatim.registry.reading import head, heads, papers_folder


def normal(name: str) -> str:
    """A name without what people write around it: case, `arXiv:`, `https://doi.org/`, a version, spacing."""
    name = " ".join(name.casefold().split())
    name = re.sub(r"^(https?://)?(dx\.)?(doi\.org/|arxiv\.org/(abs|pdf)/)", "", name)
    name = re.sub(r"^(arxiv|doi):\s*", "", name)
    return re.sub(r"^(\d{4}\.\d{4,5})(v\d+)?(\.pdf)?$", r"\1", name)


def names(entry: dict[str, Any]) -> list[str]:
    """All names of one paper, its id first."""
    single = (entry.get(key) for key in ("arxiv", "doi", "bibtex", "title"))
    return [entry["id"], *entry.get("aliases", ()), *(str(name) for name in single if name)]


def resolve(name: str) -> str:
    """The id of the paper of that name. Raises LiteratimError with the nearest names."""
    wanted = normal(name)
    # The id itself is a folder: no need to read the other cards.
    if re.fullmatch(r"[a-z0-9-]+", wanted) and (papers_folder() / wanted / "card.yaml").is_file():
        return str(head(wanted)["id"])
    known = {normal(n): paper for paper, entry in heads().items() for n in names(entry)}
    if wanted in known:
        return known[wanted]
    hint = did_you_mean(wanted, known)
    raise LiteratimError(f'there is no paper called "{name}"{hint or "; literatim list shows them all"}')


def find(
    pattern: str = "*",
    *,
    year: int | Container[int] | None = None,
    topic: str | None = None,
    author: str | None = None,
) -> list[str]:
    """Ids of the papers whose id, alias or title matches a wildcard pattern, oldest first.

    `year` is a year or anything that contains years (`range(2012, 2016)`), `topic` one of the card's topics,
    `author` a part of an author's name. Case does not matter.
    """
    return list(matching(pattern, year=year, topic=topic, author=author))


def matching(
    pattern: str, *, year: int | Container[int] | None, topic: str | None, author: str | None
) -> dict[str, dict[str, Any]]:
    """id -> head of the papers that `find` finds: one reading of the cards serves both."""
    years: Container[int] | None = (year,) if isinstance(year, int) else year
    return {
        paper: entry
        for paper, entry in heads().items()
        if any(fnmatchcase(normal(n), pattern.casefold()) for n in names(entry))
        and (years is None or entry["year"] in years)
        and (topic is None or topic.casefold() in map(str.casefold, entry["topics"]))
        and (author is None or any(author.casefold() in name.casefold() for name in entry["authors"]))
    }
