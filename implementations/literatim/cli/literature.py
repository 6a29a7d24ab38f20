"""What the commands say of papers of the literature index: filters, `cite`, and `show` of one without a card."""

from __future__ import annotations

import argparse
from typing import Any

from literatim.errors import LiteratimError
from literatim.registry.citing import FORMATS

NAMED = "id, alias, arXiv id, DOI, BibTeX key or title, or a network's name"


def add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--year", help="1998, 2012-2015, 2012- or -2000")
    parser.add_argument("--topic", help="one of the card's topics, such as vision")
    parser.add_argument("--author", help="part of an author's name")
    parser.add_argument("--all", action="store_true", help="papers of the literature index too, without code here")


def filters(given: argparse.Namespace) -> dict[str, Any]:
    collection = "all" if given.all else "edition"
    return {"year": given.year, "topic": given.topic, "author": given.author, "collection": collection}


def cite(parser: argparse.ArgumentParser, args: list[str]) -> int:
    parser.epilog = "literatim cite --all --topic vision > refs.bib"
    parser.add_argument("papers", nargs="*", metavar="PAPER", help=NAMED + "; of the literature index too")
    add_filters(parser)
    parser.add_argument("--format", choices=FORMATS, default="bibtex", help="csl is CSL-JSON (default: bibtex)")
    given = parser.parse_args(args)
    from literatim.registry import index
    from literatim.registry.citing import cited
    from literatim.registry.names import matching, reference

    chosen = filters(given)
    wide = given.all or any((given.year, given.topic, given.author))
    if bool(given.papers) == wide:
        raise LiteratimError("cite: name papers, or say which by --year, --topic, --author or --all, not both")
    if wide:
        found = matching("*", **chosen)
        indexed = index.references(paper for paper, entry in found.items() if "venue" not in entry)
        found |= {entry["id"]: entry for entry in indexed}
        if not found:
            raise LiteratimError("cite: no paper matches" + ("" if given.all else "; --all looks in the index too"))
    else:
        found = {entry["id"]: entry for entry, _ in map(reference, given.papers)}
    print(cited(found.values(), given.format))
    return 0


def show(paper: str, as_json: bool) -> int:
    """An entry of the index: bibliography, what it says, its place in the lineage, and what bears each field out."""
    from rich.console import Console

    from literatim.cli import print_json
    from literatim.registry.index import index, nearest
    from literatim.registry.reading import heads

    found = index().by_id[paper]
    if as_json:
        print_json(found.model_dump(by_alias=True, mode="json", exclude_none=True))
        return 0
    out = Console(highlight=False, markup=False)
    out.print(found.title, style="bold")
    out.print(f"{', '.join(found.authors)}{' and others' if found.et_al else ''}\n{found.venue}, {found.year}")
    names = [found.doi and f"doi:{found.doi}", found.arxiv and f"arXiv:{found.arxiv}", found.url]
    out.print("  ".join(filter(None, names)))
    out.print(f"\n{found.summary.en}\n")
    for about, papers in (
        ("builds on", [index().by_id[before] for before in found.builds_on]),
        ("taken up by", index().followers[paper]),
    ):
        if papers:
            out.print(f"{about:12} {', '.join(f'{p.id} ({p.year})' for p in papers)}")
    out.print(f"{'topics':12} {', '.join(found.topics)}")
    if found.note:
        out.print(f"{'note':12} {found.note.en}")
    if found.recalled:
        out.print(f"{'unconfirmed':12} {', '.join(found.recalled)}")
    near = nearest(paper, heads())
    out.print("\nno code of it in the edition" + (f"; the nearest paper that has is {near}" if near else ""))
    return 0
