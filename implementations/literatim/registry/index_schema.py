"""The schema of papers/index.yaml, and what its entries may not do to each other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from literatim.registry.schema import Strict, Text, Venue, Word, misplaced

# The DOI that arXiv gives to every paper is left out: the arXiv id says it.
Doi = Annotated[str, StringConstraints(pattern=r"^10\.\d{4,9}/\S+$")]
# Year and month, then a number of four digits until 2014 and of five since.
ArxivId = Annotated[
    str, StringConstraints(pattern=r"^((0[7-9]|1[0-4])(0[1-9]|1[0-2])\.\d{4}|(1[5-9]|[2-9]\d)(0[1-9]|1[0-2])\.\d{5})$")
]
BorneOut = Literal["title", "authors", "year", "venue", "doi", "arxiv"]
Kind = Literal["pagination", "identifier", "reference", "author"]


class BothTexts(Text):
    zh: str


class Indexed(Strict):
    """A paper: its bibliography, what bears each field out, what it builds on, and one sentence on it."""

    id: Word
    name: str | None = None  # what people call it; several names with commas between them
    title: str
    also_titled: tuple[str, ...] = ()
    authors: tuple[str, ...] = Field(min_length=1)
    et_al: bool = False  # there are more authors than are named
    year: int = Field(ge=1800, le=2100)
    venue: Venue
    doi: Doi | None = None
    arxiv: ArxivId | None = None
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = None
    bibtex: Word
    topics: tuple[Word, ...] = Field(min_length=1)
    builds_on: tuple[Word, ...] = ()
    summary: BothTexts
    confirmed: dict[BorneOut, tuple[Word, ...]]
    recalled: tuple[str, ...] = ()  # fields, such as `venue.pages`, that nothing bears out yet
    note: BothTexts | None = None

    @property
    def short(self) -> str:
        """What it is called in a picture or a list."""
        return self.name.split(", ")[0] if self.name else self.title

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.doi and self.doi.casefold().startswith("10.48550/"):
            raise misplaced("this is arXiv's own DOI; give the id in `arxiv`", "doi")
        recalled = {field.partition(".")[0] for field in self.recalled}
        for field in ("title", "authors", "year", "venue", "doi", "arxiv"):
            borne_out = bool(self.confirmed.get(field))
            if getattr(self, field) is None:
                if borne_out:
                    raise misplaced(f"the entry has no {field}", "confirmed", field)
            elif not borne_out and field not in recalled:
                raise misplaced(f"nothing bears out `{field}`: name a source, or put it under `recalled`", "confirmed")
        for i, field in enumerate(self.recalled):
            if field.partition(".")[0] not in type(self).model_fields:
                raise misplaced(f'there is no field "{field}"', "recalled", i)
        return self


class Misquoted(Strict):
    """An error that circulates: what bibliographies give for a field of a paper. The right value is the index's own."""

    paper: Word | None = None
    title: str | None = None  # of a paper that the index does not have
    kind: Kind
    field: Literal["pages", "number", "venue", "doi", "arxiv", "authors"]
    given: str
    # Where it was read: an entry's key in a bibliography, or in how many files.
    seen: dict[Word, str | int] = Field(min_length=1)
    note: BothTexts | None = None

    @model_validator(mode="after")
    def _of_one_paper(self) -> Self:
        if (self.paper is None) == (self.title is None):
            raise misplaced("name the paper by its id in the index, or by its title if it has none", "paper")
        return self

    def right(self, found: Index) -> str | None:
        """What the index has in that field."""
        if self.paper is None:
            return None
        entry = found.by_id[self.paper]
        if self.field == "authors":
            return ", ".join(entry.authors)
        if self.field == "venue":
            return f"{entry.venue}, {entry.year}"
        value = getattr(entry.venue if self.field in ("pages", "number") else entry, self.field)
        return str(value) if value else None

    def owner(self, found: Index) -> Indexed | None:
        """The paper of the index that an identifier given for this one belongs to."""
        wanted = self.given.casefold() if self.kind == "identifier" else None
        return next((p for p in found.papers if wanted in [n.casefold() for n in (p.doi, p.arxiv) if n]), None)


class Index(Strict):
    schema_: Literal[1] = Field(alias="schema")
    topics: dict[Word, BothTexts]
    sources: dict[Word, str]
    misquoted: tuple[Misquoted, ...] = ()
    papers: tuple[Indexed, ...]

    @cached_property
    def by_id(self) -> dict[str, Indexed]:
        return {paper.id: paper for paper in self.papers}

    @cached_property
    def followers(self) -> dict[str, list[Indexed]]:
        """id -> the papers that build on it, oldest first."""
        found: dict[str, list[Indexed]] = {paper.id: [] for paper in self.papers}
        for paper in sorted(self.papers, key=lambda p: p.year):
            for before in paper.builds_on:
                found[before].append(paper)
        return found

    def find(self, doi: str | None, title: str | None) -> Indexed | None:
        """The entry with that DOI, or arXiv's of its id, or with that title."""
        called = {doi.casefold() if doi else None, title.casefold() if title else None} - {None}
        return next((paper for paper in self.papers if called & _called(paper)), None)


def _called(paper: Indexed) -> set[str]:
    titles = {title.casefold() for title in (paper.title, *paper.also_titled)}
    return titles | {name.casefold() for name in (paper.doi, paper.arxiv and f"10.48550/arXiv.{paper.arxiv}") if name}


At = tuple[str | int, ...]


def across(found: Index) -> Iterator[tuple[At, str]]:
    """(where, what) of each fault between entries: used twice, unknown, leading nowhere or in a circle."""
    for field in ("id", "doi", "arxiv", "bibtex"):
        first: dict[str, str] = {}
        for i, paper in enumerate(found.papers):
            if (value := getattr(paper, field)) and (other := first.setdefault(value.casefold(), paper.id)) != paper.id:
                yield ("papers", i, field), f'papers[{i}].{field}: "{value}" is that of {other} already'
            elif value and field == "id" and any(paper.id == before.id for before in found.papers[:i]):
                yield ("papers", i, field), f'papers[{i}].id: two entries are called "{value}"'
    for i, paper in enumerate(found.papers):
        for j, topic in enumerate(paper.topics):
            if topic not in found.topics:
                yield ("papers", i, "topics", j), f'papers[{i}].topics[{j}]: there is no topic "{topic}"'
        for field, sources in paper.confirmed.items():
            for j, source in enumerate(sources):
                if source not in found.sources:
                    what = f'papers[{i}].confirmed.{field}[{j}]: there is no source "{source}"'
                    yield ("papers", i, "confirmed", field, j), what
        for j, before in enumerate(paper.builds_on):
            if before not in found.by_id:
                yield ("papers", i, "builds_on", j), f'papers[{i}].builds_on[{j}]: no entry is called "{before}"'
    yield from _misquoted(found)
    yield from _circles(found)


def _misquoted(found: Index) -> Iterator[tuple[At, str]]:
    """Errors of unknown papers, from unknown sources, told twice, or that the index itself makes."""
    told: set[tuple[str | None, str, str]] = set()
    for i, error in enumerate(found.misquoted):
        at, said = ("misquoted", i), f"misquoted[{i}]"
        for source in error.seen.keys() - found.sources:
            yield (*at, "seen", source), f'{said}.seen: there is no source "{source}"'
        if error.paper and error.paper not in found.by_id:
            yield (*at, "paper"), f'{said}.paper: no entry is called "{error.paper}"'
            continue
        same = (error.paper or error.title, error.field, error.given.casefold())
        if same in told:
            yield (*at, "given"), f"{said}.given: told already"
        told.add(same)
        right = error.right(found)
        if right and (
            error.given in found.by_id[str(error.paper)].authors or error.given.casefold() == right.casefold()
        ):
            yield (*at, "given"), f'{said}.given: "{error.given}" is what the index has'
        if right is None and error.kind != "identifier":
            yield (*at, "field"), f"{said}.field: the index has no {error.field} of it to compare with"


def _circles(found: Index) -> Iterator[tuple[At, str]]:
    """One fault for each circle of builds_on."""
    left = {paper.id: {before for before in paper.builds_on if before in found.by_id} for paper in found.papers}
    while ready := [paper for paper, before in left.items() if not before & left.keys()]:
        for paper in ready:
            del left[paper]
    while left:
        way = [next(iter(left))]
        while (after := min(left[way[-1]] & left.keys())) not in way:
            way.append(after)
        circle = way[way.index(after) :]
        i = next(i for i, paper in enumerate(found.papers) if paper.id == circle[0])
        yield ("papers", i, "builds_on"), f"papers[{i}].builds_on: a circle: {' ← '.join([*circle, circle[0]])}"
        for paper in circle:
            del left[paper]
        while ready := [paper for paper, before in left.items() if not before & left.keys()]:
            for paper in ready:
                del left[paper]
