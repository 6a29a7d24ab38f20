"""By which names a paper is called, and its networks: the paper's own names for them, and those in common use."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from literatim.errors import LiteratimError, did_you_mean
from literatim.registry import index
from literatim.registry.data import DATA_SETS
from literatim.registry.reading import head, heads, papers_folder

Collection = Literal["edition", "all"]  # the papers with a card, or those of the literature index too


def normal(name: str) -> str:
    """A name without what people write around it: case, `arXiv:`, `https://doi.org/`, a version, spacing."""
    name = " ".join(name.casefold().split())
    name = re.sub(r"^(https?://)?(dx\.)?(doi\.org/|arxiv\.org/(abs|pdf)/)", "", name)
    name = re.sub(r"^(arxiv|doi):\s*", "", name)
    name = name.removeprefix("10.48550/arxiv.")  # the DOI that arXiv gives to every paper
    return re.sub(r"^(\d{4}\.\d{4,5})(v\d+)?(\.pdf)?$", r"\1", name)


def names(entry: dict[str, Any]) -> list[str]:
    """All names of one paper, its id first."""
    single = (entry.get(key) for key in ("arxiv", "doi", "bibtex", "title"))
    return [entry["id"], *entry.get("aliases", ()), *(str(name) for name in single if name)]


def loose(name: str) -> str:
    """A name as people also write it: `ResNet-18`, `resnet_18` and `resnet18` are one."""
    return re.sub(r"[\s_-]+", "", normal(name))


def networks(entry: dict[str, Any]) -> dict[str, str]:
    """loose name -> variant of one paper: the paper's names for its networks, and the card's `variant_aliases`."""
    return {loose(name): variant for name, variant in _spelt(entry).items()}


def _spelt(entry: dict[str, Any]) -> dict[str, str]:
    return {**{variant: variant for variant in entry["variants"]}, **entry.get("variant_aliases", {})}


def resolve(name: str) -> str:
    """The id of the paper of that name, or of that of a network. Raises LiteratimError with the nearest names."""
    return network(name)[0]


def network(name: str) -> tuple[str, str | None]:
    """(the id of a paper, the variant that the name is of): "resnet50", "ResNet-18", "vgg16", "vgg-d", "skip-gram".

    The variant is None for a name of the paper itself. Raises LiteratimError with the nearest names, or with the
    candidates where several networks are called so.
    """
    if not isinstance(name, str):
        raise LiteratimError(
            f'a paper is called by its name, such as "lenet", not by {name!r:.40}; literatim.find() names them all'
        )
    wanted = normal(name)
    # The id itself is a folder: no need to read the other cards.
    if re.fullmatch(r"[a-z0-9-]+", wanted) and (papers_folder() / wanted / "card.yaml").is_file():
        return str(head(wanted)["id"]), None
    entries = heads()
    papers = {loose(n): paper for paper, entry in entries.items() for n in names(entry)}
    if paper := papers.get(loose(name)):
        return paper, networks(entries[paper]).get(loose(name))
    for paper, entry in entries.items():
        if loose(name).startswith(loose(paper)) and (variant := _of(paper, entry, name)):
            return paper, variant
    candidates = {
        f"{paper}-{networks(entry)[loose(name)]}": (paper, networks(entry)[loose(name)])
        for paper, entry in entries.items()
        if loose(name) in networks(entry)
    }
    # A letter, or the name of a data set, does not say of which paper.
    if len(candidates) == 1 and len(wanted) > 1 and wanted not in DATA_SETS:
        return next(iter(candidates.values()))
    if candidates:
        said = " or ".join(f'"{name}"' for name in candidates)
        raise LiteratimError(f'"{name}" alone does not say of which paper; say {said}')
    if found := indexed(name):
        raise LiteratimError(_without_code(found, entries))
    known = {normal(n) for entry in entries.values() for n in [*names(entry), *_spelt(entry)] if len(n) > 1}
    hint = did_you_mean(wanted, sorted(known))
    raise LiteratimError(f'there is no paper called "{name}"{hint or "; literatim list shows them all"}')


def indexed(name: str) -> dict[str, Any] | None:
    """The row of the literature index that a name is of: its id, DOI, arXiv id or address, BibTeX key, title or what
    people call it."""
    wanted, rows = {normal(name), loose(name)}, index.rows()
    if normal(name) in rows:
        return rows[normal(name)]
    return next(
        (row for row in rows.values() if wanted & {form(n) for n in names(row) for form in (normal, loose)}), None
    )


def _without_code(row: dict[str, Any], entries: dict[str, dict[str, Any]]) -> str:
    said = f'"{row["title"]}" ({row["year"]}) is in the literature index only: the edition has no code of it'
    near = index.nearest(row["id"], entries)
    return said + (f"; the nearest paper that has is {near} (literatim show {near})" if near else "")


def reference(name: str) -> tuple[dict[str, Any], bool]:
    """(what `cite` needs of a paper, whether it has a card), by any name of one of the edition or of the index.

    Raises LiteratimError with the nearest names.
    """
    if normal(name) in (rows := index.rows()) and not (papers_folder() / normal(name)).is_dir():
        return index.row(normal(name)), False
    try:
        return head(resolve(name)), True
    except LiteratimError as error:
        if found := indexed(name):
            return index.row(found["id"]), False
        others = {normal(n) for row in rows.values() for n in names(row)}
        if "did you mean" in str(error) or not (hint := did_you_mean(normal(name), sorted(others))):
            raise
        raise LiteratimError(f'there is no paper called "{name}"{hint}') from None


def _of(paper: str, entry: dict[str, Any], name: str) -> str | None:
    """The variant of a paper by any of its names, alone or behind the paper's."""
    found = networks(entry)
    return found.get(loose(name)) or found.get(loose(name).removeprefix(loose(paper)))


def variant_of(paper: str, variant: str) -> str:
    """The paper's own name for one of its networks. Raises LiteratimError with the nearest names."""
    entry = head(paper)
    if not isinstance(variant, str):
        raise LiteratimError(f"a variant of {paper} is called by its name, not by {variant!r:.40}; {_has(entry)}")
    if found := _of(paper, entry, variant):
        return found
    hint = did_you_mean(variant, _spelt(entry)) or f"; {_has(entry)}"
    raise LiteratimError(f'{paper} has no variant "{variant}"{hint}')


def _has(entry: dict[str, Any]) -> str:
    return f"it has {', '.join(entry['variants'])}"


def chosen(name: str, variant: str | None) -> tuple[str, str | None]:
    """(the id of a paper, the variant that was asked for), by a name and by what is said besides.

    Raises LiteratimError where they contradict.
    """
    paper, implied = network(name)
    if variant is None:
        return paper, implied
    variant = variant_of(paper, variant)
    if implied not in (None, variant) and loose(name) not in map(loose, names(head(paper))):
        raise LiteratimError(f'"{name}" is {paper} {implied}, not {variant}; name one of the two')
    return paper, variant


def years(text: str) -> range:
    """The years that "1998", "2012-2015", "2012-" or "-2000" stands for."""
    found = re.fullmatch(r"(\d{4})|(\d{4})?-(\d{4})?", text, re.ASCII)
    if not found or text == "-":
        raise LiteratimError(f'"{text}" is no year or span of years such as 2012-2015')
    only, first, last = found.groups()
    return range(int(only or first or 0), int(only or last or 9999) + 1)


def find(
    pattern: str = "*",
    *,
    year: int | str | Container[int] | None = None,
    topic: str | None = None,
    author: str | None = None,
    collection: Collection = "edition",
) -> list[str]:
    """Ids of the papers whose id, alias or title matches a wildcard pattern, or with a network so called; oldest first.

    `year` is a year, a span of them ("2012-2015") or anything that contains years (`range(2012, 2016)`), `topic` one of
    the card's topics, `author` a part of an author's name. Case does not matter. `collection="all"` finds papers of the
    literature index besides, of which there is no code. Raises LiteratimError for values of another kind.
    """
    return list(matching(pattern, year=year, topic=topic, author=author, collection=collection))


def matching(
    pattern: str,
    *,
    year: int | str | Container[int] | None,
    topic: str | None,
    author: str | None,
    collection: Collection = "edition",
) -> dict[str, dict[str, Any]]:
    """id -> head of the papers that `find` finds: one reading of the cards serves both. The rows of the literature
    index have no variants and no recipes."""
    for name, given in {"pattern": pattern, "topic": topic, "author": author}.items():
        if not isinstance(given, str | None):
            raise LiteratimError(f"find: {name} is a word, not {given!r:.40}")
    if collection not in get_args(Collection):
        raise LiteratimError(f'find: collection is "edition" or "all", not {collection!r:.40}')
    wanted = (year,) if isinstance(year, int) else years(year) if isinstance(year, str) else year
    if not isinstance(wanted, Container | None) or isinstance(year, bool):
        raise LiteratimError(f'find: year is a year, a span such as "2012-2015" or a range, not {year!r:.40}')
    pattern, author = pattern.casefold(), folded(author) if author else None
    return {
        paper: entry
        for paper, entry in (heads() if collection == "edition" else everything()).items()
        if (pattern == "*" or _called(entry, pattern))
        and (wanted is None or entry["year"] in wanted)
        and (topic is None or topic.casefold() in map(str.casefold, entry["topics"]))
        and (author is None or any(author in folded(name) for name in entry["authors"]))
    }


def _called(entry: dict[str, Any], pattern: str) -> bool:
    return any(fnmatchcase(normal(n), pattern) for n in names(entry)) or loose(pattern) in networks(entry)


def everything() -> dict[str, dict[str, Any]]:
    """id -> the head of its card or its row of the index, oldest first; a card has the index's topics besides."""
    found, rows = heads(), index.rows()
    for paper, row in rows.items():
        if paper in found:
            topics = dict.fromkeys([*found[paper]["topics"], *row["topics"]])
            found[paper] = found[paper] | {"topics": list(topics)}
        else:
            found[paper] = row | {"variants": {}, "recipes": {}}
    return dict(sorted(found.items(), key=lambda item: (item[1]["year"], item[0])))


def folded(name: str) -> str:
    """A name as a keyboard without accents has it: "Velickovic" finds Veličković."""
    apart = unicodedata.normalize("NFKD", name.casefold().replace("ł", "l").replace("ø", "o"))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
