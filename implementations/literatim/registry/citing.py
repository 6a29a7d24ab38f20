"""References to papers: BibTeX, CSL-JSON and RIS, from the head of a card or an entry of the index.

RIS is written by rispy. BibTeX is not by pybtex (0.26), which reads all of it back in the tests: its writer escapes
every field, so that 19 of the index's DOIs and addresses, with `\\_` for `_` and `\\textasciitilde` for `~`, lead
nowhere any more; and its import takes 0.06 CPU s and a thousand entries 0.27, where `cite` has 0.15 in all.
bibtexparser's writers (1.4: 0.07 CPU s to import; 2.0, a beta: 0.03) put braces around fields as they get them:
names, escapes and ranges of pages would still be our code. CSL-JSON is JSON; citeproc-py, which sets all of it in the
tests, only reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

FORMATS = ("bibtex", "csl", "ris")
# BibTeX has no shield for these in a plain field.
SPECIAL = str.maketrans({"&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_"})
WHERE = {"article": "journal", "inproceedings": "booktitle", "phdthesis": "school", "techreport": "institution"}
# What the other formats call BibTeX's kinds.
CSL = {
    "article": "article-journal", "inproceedings": "paper-conference", "book": "book", "phdthesis": "thesis",
    "techreport": "report", "misc": "article",
}  # fmt: skip
RIS = {
    "article": "JOUR", "inproceedings": "CPAPER", "book": "BOOK", "phdthesis": "THES", "techreport": "RPRT",
    "misc": "GEN",
}  # fmt: skip
# Family names of two words without a particle, by which nobody could tell them from a middle name.
COMPOUND = ("Gheshlaghi Azar", "Puigdomènech Badia", "Avila Pires")


def cited(entries: Iterable[dict[str, Any]], form: str = "bibtex") -> str:
    """References to papers in one of FORMATS. An entry has title, authors, year, venue and bibtex, and may have doi,
    arxiv, url and et_al."""
    if form == "csl":
        import json

        return json.dumps([_csl(entry) for entry in entries], ensure_ascii=False, indent=1)
    if form == "ris":
        from rispy import RisWriter, dumps

        class Unnumbered(RisWriter):
            def set_header(self, count: int) -> str:
                return ""

        return str(dumps([_ris(entry) for entry in entries], implementation=Unnumbered)).strip()
    return "\n\n".join(map(bibtex, entries))


def bibtex(entry: dict[str, Any]) -> str:
    """The BibTeX entry of a paper, UTF-8, titles in double braces so that styles keep their capitals."""
    venue = entry["venue"]
    authors = [_safe(_bibtex_name(author)) for author in entry["authors"]] + ["others"] * bool(entry.get("et_al"))
    book = venue["type"] == "book"  # whose venue is its publisher
    fields = {
        "title": "{" + _safe(entry["title"]) + "}",
        "author": " and ".join(authors),
        WHERE.get(venue["type"], "howpublished"): None if book else _safe(venue["name"]),
        "year": str(entry["year"]),
        "volume": venue.get("volume"),
        "number": venue.get("number") and venue["number"].replace("–", "--"),
        "pages": venue.get("pages") and venue["pages"].replace("–", "--"),
        "publisher": _safe(venue.get("publisher") or (venue["name"] if book else "")),
        "doi": entry.get("doi"),
        "eprint": entry.get("arxiv"),
        "archiveprefix": entry.get("arxiv") and "arXiv",
        "url": entry.get("url"),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@{venue['type']}{{{entry['bibtex']},\n" + ",\n".join(lines) + "\n}"


def _safe(text: str) -> str:
    return text.translate(SPECIAL)


def parts_of(author: str) -> tuple[str, str, str]:
    """(given names, particle, family name) of a name as it is printed; a group has a family name alone."""
    for family in COMPOUND:
        if author.endswith(" " + family):
            return author.removesuffix(" " + family), "", family
    if found := re.fullmatch(r"(.+?) ((?:[a-z]\S* )+)(.+)", author):
        return found[1], found[2].strip(), found[3]
    given, _, family = author.rpartition(" ")
    return given, "", family


def _bibtex_name(author: str) -> str:
    if not author.endswith(COMPOUND):
        return author
    given, _, family = parts_of(author)
    return f"{family}, {given}"


def _csl(entry: dict[str, Any]) -> dict[str, Any]:
    venue = entry["venue"]
    authors: list[dict[str, str]] = []
    for author in entry["authors"]:
        given, particle, family = parts_of(author)
        named = {"family": family, "given": given, "non-dropping-particle": particle}
        authors.append({key: value for key, value in named.items() if value} if given else {"literal": author})
    within = venue["type"] in ("article", "inproceedings")  # else the venue is who published it
    fields = {
        "id": entry["bibtex"],
        "type": CSL[venue["type"]],
        "title": entry["title"],
        "author": authors + [{"literal": "others"}] * bool(entry.get("et_al")),
        "issued": {"date-parts": [[entry["year"]]]},
        "container-title": venue["name"] if within else None,
        "publisher": venue.get("publisher") or (None if within else venue["name"]),
        "volume": venue.get("volume"),
        "issue": venue.get("number"),
        "page": venue.get("pages"),
        "DOI": entry.get("doi"),
        "number": entry.get("arxiv") and f"arXiv:{entry['arxiv']}",
        "URL": _address(entry),
    }
    return {name: value for name, value in fields.items() if value}


def _ris(entry: dict[str, Any]) -> dict[str, Any]:
    venue = entry["venue"]
    within = venue["type"] in ("article", "inproceedings")
    names = []
    for author in entry["authors"]:
        given, particle, family = parts_of(author)
        names.append(f"{particle} {family}, {given}".strip() if given else author)
    first, _, last = (venue.get("pages") or "").partition("–")
    fields = {
        "type_of_reference": RIS[venue["type"]],
        "id": entry["bibtex"],
        "title": entry["title"],
        "authors": names + ["others"] * bool(entry.get("et_al")),
        "year": str(entry["year"]),
        "secondary_title": venue["name"] if within else None,
        "publisher": venue.get("publisher") or (None if within else venue["name"]),
        "volume": venue.get("volume"),
        "number": venue.get("number"),
        "start_page": first,
        "end_page": last,
        "doi": entry.get("doi"),
        "urls": [address] if (address := _address(entry)) else None,
    }
    return {name: value for name, value in fields.items() if value}


def _address(entry: dict[str, Any]) -> str | None:
    arxiv = entry.get("arxiv")
    return entry.get("url") or (f"https://arxiv.org/abs/{arxiv}" if arxiv else None)
