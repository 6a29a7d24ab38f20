"""The page of citation errors that circulate: `misquoted` of papers/index.yaml."""

from __future__ import annotations

from typing import get_args

from literatim.pages.markup import (
    Lang,
    block,
    doi_url,
    element,
    esc,
    front_matter,
    link,
    plain_title,
    prose,
    row,
    said,
    table,
)  # fmt: skip
from literatim.pages.words import word
from literatim.registry.index_schema import Index, Indexed, Kind, Misquoted


def misquoted_page(found: Index, lang: Lang) -> str:
    """Markdown of `citation-errors.md`."""
    about = word("misquoted-about", lang, n=len(found.misquoted))
    parts = [
        front_matter(title=plain_title(word("misquoted", lang)), description=plain_title(about)),
        f"# {word('misquoted', lang)} {{#top}}\n",
        block(element("p", about)),
        block(element("p", prose(word("misquoted-ours", lang)))),
    ]
    for kind in get_args(Kind):
        title = word(f"misquoted-{kind}", lang)
        parts.append(f"\n## {title} {{#{kind}}}\n")
        given, right = ("open", "doi") if kind == "pagination" else ("given", "right")
        if kind == "pagination":
            parts.append(block(element("p", word("misquoted-pagination-about", lang))))
        head = [word(f"misquoted-{column}", lang) for column in ("paper", given, right, "seen")]
        rows = [_row(error, found, lang) for error in found.misquoted if error.kind == kind]
        parts.append(table(head, rows, label=title, kind="misquoted"))
    used = dict.fromkeys(
        source for error in found.misquoted for source, where in error.seen.items() if isinstance(where, str)
    )
    terms = "".join(f"<dt>{esc(source)}</dt><dd>{esc(found.sources[source])}</dd>" for source in used)
    parts += [f"\n## {word('misquoted-sources', lang)} {{#sources}}\n", block(f'<dl lang="en">{terms}</dl>')]
    return "\n".join(parts)


def _row(error: Misquoted, found: Index, lang: Lang) -> str:
    entry = found.by_id[error.paper] if error.paper else None
    paper = _entry(entry) if entry else esc(error.title)
    right = error.right(found) or ("" if error.title else word("misquoted-none", lang))
    if entry and error.field == "doi" and entry.doi:
        right = link(doi_url(entry.doi), esc(entry.doi))
    elif entry and error.kind == "pagination" and entry.doi:
        right = f"{esc(right)}<br>{link(doi_url(entry.doi), esc(entry.doi))}"
    else:
        right = esc(right)
    notes = [said(error.note, lang)] if error.note else []
    if owner := error.owner(found):
        notes.append(word("misquoted-owner", lang, paper=_entry(owner)))
    given = element("code", esc(error.given)) if error.kind == "identifier" else esc(error.given)
    given += "".join(f"<br>{note}" for note in notes)
    seen = "<br>".join(
        word("misquoted-files", lang, n=where)
        if isinstance(where, int)
        else f"{esc(source)}: {element('code', esc(where))}"
        for source, where in error.seen.items()
    )
    return row([paper, given, right, seen])


def _entry(paper: Indexed) -> str:
    return f"{link(f'../literature/#{paper.id}', esc(paper.short))} ({paper.year})"
