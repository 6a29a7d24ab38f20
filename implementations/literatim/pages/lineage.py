"""The papers as a graph by year: solid where our code of one imports from the other, dashed where the text cites it."""

from __future__ import annotations

from dataclasses import dataclass

from literatim.pages.edition import Edition, code_links
from literatim.pages.markup import Lang, block, doi_url, element, esc, front_matter, link, plain_title, said, scrolling
from literatim.pages.words import word
from literatim.registry.index import index, index_file
from literatim.registry.schema import Predecessor

COLUMN, ROW, WIDE, HIGH, LEFT, TOP = 168, 84, 142, 40, 76, 14


@dataclass(frozen=True)
class Node:
    label: str
    year: int
    href: str | None
    ours: bool


def lineage_page(edition: Edition, lang: Lang) -> str:
    """Markdown of `lineage.md`."""
    title = plain_title(word("lineage", lang))
    label = word("lineage-picture", lang)
    introduced = "".join(
        f"<dt>{link(f'../papers/{e.id}/', esc(e.name))} ({e.card.year})</dt>"
        + "".join(f"<dd>{said(text, lang)}</dd>" for text in e.card.introduces)
        for e in edition.entries.values()
        if e.card.introduces
    )
    return "\n".join(
        [
            front_matter(title=title, description=plain_title(word("lineage-about", lang)), hide=["toc"]),
            f"# {word('lineage', lang)} {{#top}}\n",
            block(element("p", word("lineage-about", lang))),
            block(scrolling(graph(edition, label), label)),
            f"\n## {word('lineage-links', lang)} {{#links}}\n",
            block(f"<ul>{''.join(in_words(edition, lang))}</ul>"),
            f"\n## {word('lineage-introduced', lang)} {{#introduced}}\n",
            block(f"<dl>{introduced}</dl>") if introduced else "",
        ]
    )


def nodes_and_links(edition: Edition) -> tuple[dict[str, Node], list[tuple[str, str, bool]]]:
    """(key -> node, links as (from, to, whether our code really imports)); works outside have their title as key."""
    nodes = {e.id: Node(e.name, e.card.year, f"../papers/{e.id}/", ours=True) for e in edition.entries.values()}
    links = []
    for entry in edition.entries.values():
        real = code_links(entry)
        for work in entry.card.builds_on:
            key = work.id or work.title or ""
            if work.id is None:
                href = doi_url(work.doi) if work.doi else None
                nodes.setdefault(key, Node(key, work.year or entry.card.year - 1, href, ours=False))
            links.append((key, entry.id, work.id in real))
    return nodes, links


def graph(edition: Edition, label: str) -> str:
    """SVG: a row for each year that has a paper, those of the edition first, links as curves downwards."""
    nodes, links = nodes_and_links(edition)
    years = sorted({node.year for node in nodes.values()})
    place: dict[str, tuple[float, float]] = {}
    for line, year in enumerate(years):
        of_year = [key for key, node in nodes.items() if node.year == year]
        for column, key in enumerate(sorted(of_year, key=lambda k: (not nodes[k].ours, k))):
            place[key] = (LEFT + column * COLUMN, TOP + line * ROW)
    width = max((x for x, _ in place.values()), default=0) + WIDE + 10
    height = TOP + len(years) * ROW
    parts = [
        f'<text class="year" x="30" y="{TOP + i * ROW + HIGH / 2 + 5}">{year}</text>' for i, year in enumerate(years)
    ]
    for i, (start, end, real) in enumerate(links):
        kind = "real" if real else "cited"
        parts.append(f'<path class="{kind}" d="{way_between(place[start], place[end], i % 4)}"/>')
    parts += [_node(node, *place[key]) for key, node in nodes.items()]
    return (
        f'<svg class="graph" role="group" aria-label="{esc(label)}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}">{"".join(parts)}</svg>'
    )


def way_between(
    start: tuple[float, float],
    end: tuple[float, float],
    lane: int,
    *,
    wide: int = WIDE,
    high: int = HIGH,
    row: int = ROW,
    column: int = COLUMN,
) -> str:
    """From the foot of one box to the head of another; past rows in between, in the gap beside its column."""
    (x1, y1), (x2, y2) = (start[0] + wide / 2, start[1] + high), (end[0] + wide / 2, end[1])
    gap = row - high
    if start[1] == end[1]:  # of one year: below both
        return f"M{x1},{y1} C{x1},{y1 + gap / 2} {x2},{y1 + gap / 2} {x2},{y1}"
    if y2 - y1 <= gap:
        return f"M{x1},{y1} C{x1},{y1 + gap / 2} {x2},{y2 - gap / 2} {x2},{y2}"
    x = end[0] - 4 - lane * (column - wide - 8) / 3  # four lanes in a gap
    return (
        f"M{x1},{y1} C{x1},{y1 + gap / 2} {x:.1f},{y1 + gap / 2} {x:.1f},{y1 + gap} L{x:.1f},{y2 - gap} "
        f"C{x:.1f},{y2 - gap / 2} {x2},{y2 - gap / 2} {x2},{y2}"
    )


def _node(node: Node, x: float, y: float) -> str:
    """A box with the paper's name, on two lines where it is long, leading to its page."""
    lines = wrapped(node.label, 22)
    first = y + HIGH / 2 + 5 - (len(lines) - 1) * 8
    text = "".join(
        f'<text x="{x + WIDE / 2}" y="{first + i * 15:.1f}">{esc(line)}</text>' for i, line in enumerate(lines)
    )
    box = f'<rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="6"/>'
    kind = "ours" if node.ours else "outside"
    inner = f'<g class="{kind}"><title>{esc(node.label)} ({node.year})</title>{box}{text}</g>'
    return link(node.href, inner) if node.href else inner


def wrapped(label: str, wide: int) -> list[str]:
    """At most two lines; the rest is in the tooltip."""
    lines = [""]
    for part in label.split():
        if lines[-1] and len(lines[-1]) + 1 + len(part) > wide:
            lines.append("")
        lines[-1] = f"{lines[-1]} {part}".strip()
    if len(lines) > 2:
        lines = [lines[0], lines[1] + "…"]
    return [line if len(line) <= wide + 2 else line[: wide + 1] + "…" for line in lines]


def predecessor(work: Predecessor, edition: Edition, papers: str) -> str:
    """A work's name, leading to its page (`papers` leads to the folder of those), its entry in the literature index, or
    its DOI."""
    if work.id:
        return link(f"{papers}{work.id}/", esc(edition.entries[work.id].name))
    if index_file().is_file() and (known := index().find(work.doi, work.title)):
        return link(f"{papers}../literature/#{known.id}", esc(work.title))
    return link(doi_url(work.doi), esc(work.title)) if work.doi else esc(work.title)


def in_words(edition: Edition, lang: Lang) -> list[str]:
    found = []
    for entry in edition.entries.values():
        real = code_links(entry)
        for work in entry.card.builds_on:
            name, before = link(f"../papers/{entry.id}/", esc(entry.name)), predecessor(work, edition, "../papers/")
            how = word("from-code" if work.id in real else "from-text", lang)
            found.append(f"<li>{name} ← {before}{word('colon', lang)}{said(work.takes, lang)} ({how})</li>")
    return found
