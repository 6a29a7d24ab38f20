"""The literature index as a page: a list that is searched and filtered at once, a timeline, and the whole graph."""

from __future__ import annotations

from collections import Counter

from literatim.pages.edition import Edition
from literatim.pages.lineage import way_between, wrapped
from literatim.pages.markup import Lang, block, doi_url, element, esc, front_matter, link, plain_title, said
from literatim.pages.words import word
from literatim.registry.citing import bibtex
from literatim.registry.index import index, index_file, row
from literatim.registry.index_schema import Index, Indexed
from literatim.registry.reading import head

ABREAST, COLUMN, ROW, WIDE, HIGH, LEFT, TOP = 11, 150, 62, 132, 34, 64, 10


def indexed() -> Index | None:
    return index() if index_file().is_file() else None


def literature_page(edition: Edition, found: Index, lang: Lang) -> str:
    """Markdown of `literature.md`."""
    papers = sorted(found.papers, key=lambda paper: (paper.year, paper.short.casefold()))
    label = word("literature-picture", lang)
    zoom = "".join(
        f'<button type="button" data-zoom="{by}" aria-label="{word(f"zoom-{name}", lang)}">{sign}</button>'
        for by, name, sign in (("1.25", "in", "+"), ("0.8", "out", "−"), ("0", "whole", "⤢"))
    )
    drawn = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{esc(label)}">{graph(edition, found, label)}</div>'
    )
    return "\n".join(
        [
            front_matter(
                title=plain_title(word("literature", lang)),
                description=plain_title(word("literature-about", lang, n=len(papers))),
                hide=["toc"],
            ),
            f"# {word('literature', lang)} {{#top}}\n",
            block(element("p", word("literature-about", lang, n=len(papers)))),
            block(_fields(found, papers, lang)),
            block(timeline(papers, lang)),
            block(
                f'<details class="whole-graph"><summary>{esc(label)}</summary><p>{word("literature-graph", lang)}</p>'
                f'<div class="zoom">{zoom}</div>{drawn}</details>'
            ),
            block(f'<div class="entries">{"".join(_entry(paper, edition, found, lang) for paper in papers)}</div>'),
        ]
    )


def _fields(found: Index, papers: list[Indexed], lang: Lang) -> str:
    topics = "".join(f'<option value="{name}">{said(text, lang)}</option>' for name, text in found.topics.items())
    codes = "".join(f'<option value="{key}">{word(f"code-{key}", lang)}</option>' for key in ("with", "without"))
    every, least, most = f'<option value="">{word("all", lang)}</option>', papers[0].year, papers[-1].year
    years = "".join(
        f'<label>{word(f"filter-{key}", lang)} <input type="number" name="{key}" min="{least}" max="{most}"></label>'
        for key in ("from", "to")
    )
    shown = word("filter-count", lang, n="{n}", all=len(papers))
    return (
        f'<form class="filter-papers filter-literature"><label>{word("literature-text", lang)} '
        f'<input type="search" name="text"></label>'
        f'<label>{word("filter-topic", lang)} <select name="topic">{every}{topics}</select></label>'
        f'<label>{word("filter-code", lang)} <select name="code">{every}{codes}</select></label>{years}'
        f'<output aria-live="polite" data-says="{esc(shown)}"></output></form>'
    )


def timeline(papers: list[Indexed], lang: Lang) -> str:
    """A bar for each year that has papers; to press one shows that year's alone."""
    counted = Counter(paper.year for paper in papers)
    bars = "".join(
        f'<button type="button" data-year="{year}" style="--n:{n}" '
        f'aria-label="{word("year-count", lang, year=year, n=n)}" title="{word("year-count", lang, year=year, n=n)}">'
        "</button>"
        for year, n in sorted(counted.items())
    )
    ends = f"<span>{min(counted)}</span><span>{max(counted)}</span>"
    name = word("literature-timeline", lang)
    return f'<div class="years" role="group" aria-label="{name}"><div>{bars}</div><p>{ends}</p></div>'


def _entry(paper: Indexed, edition: Edition, found: Index, lang: Lang) -> str:
    ours = paper.id in edition.entries
    to = [link(f"../papers/{paper.id}/", word("in-edition", lang))] if ours else []
    to += [link(doi_url(paper.doi), f"doi&#58;{esc(paper.doi)}")] if paper.doi else []
    to += [link(f"https://arxiv.org/abs/{paper.arxiv}", f"arXiv&#58;{esc(paper.arxiv)}")] if paper.arxiv else []
    to += [link(paper.url, word("address", lang))] if paper.url else []
    names = esc(", ".join(paper.authors)) + (word("and-others", lang) if paper.et_al else "")
    called = f"{esc(paper.name)} · " if paper.name and paper.name != paper.title else ""
    kin = [
        (key, [link(f"#{other.id}", esc(other.short)) + f" ({other.year})" for other in others])
        for key, others in (
            ("before", [found.by_id[before] for before in paper.builds_on]),
            ("after", found.followers[paper.id]),
        )
        if others
    ]
    topics = " · ".join(said(found.topics[topic], lang) for topic in paper.topics)
    lines = [f"<b>{word(key, lang)}</b> {', '.join(links)}" for key, links in kin]
    lines.append(f"<b>{word('topics', lang)}</b> {topics}")
    if paper.note:
        lines.append(f"<b>{word('index-note', lang)}</b> {said(paper.note, lang)}")
    if paper.recalled:
        lines.append(f"<b>{word('unconfirmed', lang)}</b> {esc(', '.join(paper.recalled))}")
    cite = bibtex(head(paper.id) if ours else row(paper.id))
    other = paper.summary.en if lang == "zh" else paper.summary.zh
    words = esc(" ".join([paper.id, paper.bibtex, other, *paper.also_titled]))
    return (
        f'<article id="{paper.id}" class="entry{" ours" if ours else ""}" data-year="{paper.year}" '
        f'data-topics="{" ".join(paper.topics)}" data-code="{"with" if ours else "without"}" data-words="{words}">'
        f'<h3><a href="#{paper.id}">{esc(paper.title)}</a></h3>'
        f'<p class="byline">{called}{names}<br>{esc(str(paper.venue))}, {paper.year}<br>{" · ".join(to)}</p>'
        f'<p>{said(paper.summary, lang)}</p><p class="kin">{"<br>".join(lines)}</p>'
        f'<details class="bibtex"><summary>BibTeX</summary><pre tabindex="0">{esc_lines(cite)}</pre></details>'
        "</article>"
    )


def esc_lines(text: str) -> str:
    return "&#10;".join(esc(line) if line == line.lstrip() else "  " + esc(line.strip()) for line in text.split("\n"))


def graph(edition: Edition, found: Index, label: str) -> str:
    """SVG: the years from top to bottom; in each, papers stand in the order of what they build on."""
    place: dict[str, tuple[float, float]] = {}
    years, line = sorted({paper.year for paper in found.papers}), 0
    parts = []
    for year in years:
        parts.append(f'<text class="year" x="26" y="{TOP + line * ROW + HIGH / 2 + 5}">{year}</text>')
        of_year = [paper for paper in found.papers if paper.year == year]
        of_year.sort(key=lambda paper: (_middle(paper, place), paper.id))
        for start in range(0, len(of_year), ABREAST):
            abreast = of_year[start : start + ABREAST]
            for column, paper in enumerate(abreast, (ABREAST - len(abreast)) // 2):
                place[paper.id] = (LEFT + column * COLUMN, TOP + line * ROW)
            line += 1
    for i, paper in enumerate(found.papers):
        for before in paper.builds_on:
            way = way_between(place[before], place[paper.id], i % 4, wide=WIDE, high=HIGH, row=ROW, column=COLUMN)
            parts.append(f'<path data-from="{before}" data-to="{paper.id}" d="{way}"/>')
    parts += [_node(paper, paper.id in edition.entries, *place[paper.id]) for paper in found.papers]
    width, height = LEFT + ABREAST * COLUMN, TOP + line * ROW
    return (
        f'<svg class="graph" role="group" aria-label="{esc(label)}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">{"".join(parts)}</svg>'
    )


def _middle(paper: Indexed, place: dict[str, tuple[float, float]]) -> float:
    """Where what a paper builds on stands, from left to right; in the middle of all without any."""
    known = [place[before][0] for before in paper.builds_on if before in place]
    return sum(known) / len(known) if known else LEFT + ABREAST * COLUMN / 2


def _node(paper: Indexed, ours: bool, x: float, y: float) -> str:
    lines = wrapped(paper.short, 20)
    first = y + HIGH / 2 + 4 - (len(lines) - 1) * 7
    text = "".join(f'<text x="{x + WIDE / 2}" y="{first + i * 13:.0f}">{esc(t)}</text>' for i, t in enumerate(lines))
    box = f'<rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="5"/>'
    inner = f"<title>{esc(paper.title)} ({paper.year})</title>{box}{text}"
    return link(f"#{paper.id}", f'<g class="{"ours" if ours else "outside"}" data-paper="{paper.id}">{inner}</g>')
