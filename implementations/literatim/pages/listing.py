"""Home and the table of all papers."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter

from literatim.pages.claims import ORDER, chip
from literatim.pages.edition import Edition, Entry
from literatim.pages.markup import (
    Lang,
    block,
    code_block,
    element,
    esc,
    front_matter,
    link,
    plain_title,
    row,
    sentence,
    table,
)
from literatim.pages.paper import demo_box, has_demo
from literatim.pages.picture import SMALL, picture
from literatim.pages.words import word
from literatim.registry.ledger import PACKAGE
from literatim.registry.reading import read_text

HERE = ("lenet", "gan")  # whose demos begin on the first page


def home_page(edition: Edition, titles: dict[str, str], lang: Lang) -> str:
    """Markdown of `index.md`; `titles` are those of the tutorials by name, in the order in which they are read."""
    entries = edition.entries.values()
    shown = [*(e for e in entries if e.id == HERE[0]), *(e for e in entries if e.card.recipes), *entries]
    commit, edited = commit_and_edits()
    said_of = word("home-state", lang, commit=f"<code>{esc(commit)}</code>")
    said_of += f" ({word('home-edited', lang)})" if edited else ""
    up = "" if lang == "en" else "../"  # in raw HTML nobody else finds the way
    return "\n".join(
        [
            front_matter(
                title=word("home", lang),
                description=plain_title(word("home-description", lang)),
                hide=["toc", "navigation"],
            ),
            "# literatim {#top}\n",
            block(element("p", word("home-lead", lang), class_="lead")),
            at_once(edition, lang, up),
            numbers(edition, lang),
            block(element("p", said_of, class_="state")),
            f"\n## {word('home-ways', lang)} {{#ways}}\n",
            ways(shown[0], lang),
            f"\n## {word('home-timeline', lang)} {{#papers}}\n",
            block(f'<ol class="timeline">{"".join(_on_timeline(e, lang, up) for e in entries)}</ol>'),
            f"\n## {word('home-learn', lang)} {{#learn}}\n",
            block(element("p", word("home-learn-text", lang))),
            block(f"<p>{' · '.join(tutorials(titles, lang))}</p>"),
        ]
    )


def at_once(edition: Edition, lang: Lang, up: str) -> str:
    """Two demos that run here, each loaded when somebody wants it; until then there is a still."""
    parts: list[str] = []
    for paper in HERE:
        entry = edition.entries.get(paper)
        if entry and (box := demo_box(entry, lang, f"{up}papers/{paper}/", waits=True)):
            name = link(f"papers/{paper}/", f"{esc(entry.name)} ({entry.card.year})")
            box = box.replace('<div class="still">', f'<div class="still">{pad()}', 1) if paper == HERE[0] else box
            parts.append(f"<section><p><b>{word(f'home-{paper}', lang)}</b> {name}</p>{box}</section>")
    more = element("p", link("demos/", word("home-demos", lang)), class_="more")
    return block(f'<div class="at-once">{"".join(parts)}</div>{more}') if parts else ""


def pad() -> str:
    """The pad of the first demo as it will be, with one of its examples on it."""
    path = PACKAGE.parents[1] / "docs" / "assets" / "strokes" / "7.json"
    strokes = json.loads(read_text(path)) if path.is_file() else []
    lines = "".join(f'<polyline points="{" ".join(f"{x},{y}" for x, y in stroke[::2])}"/>' for stroke in strokes)
    return f'<svg class="pad" viewBox="0 0 1 1" aria-hidden="true">{lines}</svg>' if lines else ""


def numbers(edition: Edition, lang: Lang) -> str:
    """What there is of claims, errata and recorded runs, each with what it means."""
    entries = edition.entries.values()
    counted: Counter[str] = sum((e.count(causes=True) for e in entries), Counter())
    found = {
        "claims": sum(len(e.claims) for e in entries),
        "errata": counted["erratum"],
        "runs": sum(len(e.records) for e in entries),
    }
    rows = (
        f"<div><dt>{n:,}</dt><dd>{word(f'home-n-{key}', lang, papers=len(entries))}</dd></div>"
        for key, n in found.items()
    )
    return block(f'<dl class="numbers">{"".join(rows)}</dl>')


def demos_page(edition: Edition, lang: Lang) -> str:
    """Markdown of `demos.md`: all that runs in the browser, each with its picture."""
    up = "../" if lang == "en" else "../../"
    cards = []
    for entry in edition.entries.values():
        if has_demo(entry) and (found := entry.card.demo):
            seen, _ = picture(entry, lang, f"{up}papers/{entry.id}/", SMALL)
            name = f'<a class="name" href="../papers/{entry.id}/#try">{esc(entry.name)}</a>'
            about = f'<span class="full">{sentence(found.about, lang)}{word("stop", lang)}</span>'
            cards.append(f'<li>{seen}<span class="year">{entry.card.year}</span>{name}{about}</li>')
    return "\n".join(
        [
            front_matter(title=word("demos", lang), description=plain_title(word("demos-about", lang)), hide=["toc"]),
            f"# {word('demos', lang)} {{#top}}\n",
            block(element("p", f"{word('demos-about', lang)} {link('../playground/', word('playground', lang))}")),
            block(f'<ol class="timeline">{"".join(cards)}</ol>'),
        ]
    )


def commit_and_edits() -> tuple[str, bool]:
    """The commit that the pages are made from, in short, and whether cards or code have edits that it lacks."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", PACKAGE.parents[1], *words], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    return git("rev-parse", "--short=7", "HEAD") or "–", bool(
        git("status", "--porcelain", "--", "papers", "implementations")
    )


def _on_timeline(entry: Entry, lang: Lang, up: str) -> str:
    seen, _ = picture(entry, lang, f"{up}papers/{entry.id}/", SMALL)
    to = f"papers/{entry.id}/"
    counted = entry.count(causes=True)
    wrong = counted["erratum"] + counted["unexplained"]
    ways = [link(f"{to}#errata", f"{word('to-errata', lang)} ({wrong})")] if wrong else []
    ways += [link(f"{to}#recipes", word("to-recipes", lang))] if entry.card.recipes else []
    more = f'<span class="more">{" · ".join(ways)}</span>' if ways else ""
    title = f'<a class="name" href="{to}">{esc(entry.name)}</a><span class="full">{esc(entry.card.title)}</span>'
    return f'<li>{seen}<span class="year">{entry.card.year}</span>{title}{more}</li>'


def repository() -> str:
    """The project's address as the environment has it, "" where it has none."""
    address = os.environ.get("REPO_URL", "")
    return address if address.startswith(("https://", "http://")) else ""


def with_address(markdown: str) -> str:
    """A guide's text with that address for its ADDRESS, and without the sentence that explains the word."""
    if not (address := repository()):
        return markdown
    return re.sub(r"`ADDRESS`[^.。]*[.。] ?", "", markdown.replace("git clone ADDRESS", f"git clone {address}"))


def ways(first: Entry, lang: Lang) -> str:
    recipe, to = next(iter(first.card.recipes), None), f"papers/{first.id}/"
    pages = [(to, esc(first.name)), ("papers/", word("papers", lang)), ("lineage/", word("lineage", lang))]
    load = code_block(f'import literatim\n\nnet = literatim.load("{first.id}")').strip()
    run = code_block(f"literatim reproduce {first.id}" + (f" --recipe {recipe}" if recipe else "")).strip()
    address = repository()
    install = code_block(
        (f"git clone {address} literatim\ncd literatim\n" if address else "") + "make reproduce"
    ).strip()
    at = f"<p>{link(address, word('repository', lang))}</p>" if address else ""
    cards = [
        ("install", install + at),
        ("read", f"<p>{' · '.join(link(*page) for page in pages)}</p>"),
        ("import", load),
        ("reproduce", f"{run}<p>{link(to + '#recipes', word('recipes', lang))}</p>"),
    ]
    inner = "".join(
        f"<section><h3>{word(f'home-{key}', lang)}</h3><p>{word(f'home-{key}-text', lang)}</p>{content}</section>"
        for key, content in cards
    )
    return block(f'<div class="ways">{inner}</div>')


def tutorials(titles: dict[str, str], lang: Lang) -> list[str]:
    """Links to the tutorials by their own titles, with the saddle point and the playground after the one on descent."""
    found = []
    for name, title in titles.items():
        found.append(link(f"tutorials/{name}/", esc(title)))
        if name == "sgd":
            found.append(link("tutorials/sgd/#saddle", word("saddle", lang)))
            found.append(link("playground/", word("playground", lang)))
    return found


def papers_page(edition: Edition, lang: Lang) -> str:
    """Markdown of `papers/index.md`: a table that sorts and filters."""
    entries = list(edition.entries.values())
    topics = sorted({topic for e in entries for topic in e.card.topics})
    verdicts = [name for name in ORDER if any(e.count()[name] for e in entries)]
    head = [
        f'<button type="button" data-sort="{key}">{word(key, lang)}</button>' for key in ("year", "paper", "title")
    ] + [word("topics", lang), word("claims", lang)]
    rows = [_listed(e, lang) for e in entries]
    return "\n".join(
        [
            front_matter(title=word("papers", lang), description=plain_title(word("papers-about", lang)), hide=["toc"]),
            f"# {word('papers', lang)} {{#top}}\n",
            block(element("p", word("papers-about", lang))),
            block(_fields(topics, verdicts, entries, lang)),
            table(head, rows, label=word("papers", lang), kind="papers"),
        ]
    )


def _listed(entry: Entry, lang: Lang) -> str:
    card, counted = entry.card, entry.count(causes=True)
    chips = " ".join(chip(name, lang, counted[name], "../method/") for name in ORDER if counted[name])
    cells = [
        str(card.year),
        link(f"{entry.id}/", esc(entry.name)),
        f"{esc(card.title)}<br><small>{esc(', '.join(card.authors))}</small>",
        esc(", ".join(card.topics)),
        f'<span class="chips">{chips}</span>',
    ]
    return row(
        cells,
        data_year=str(card.year),
        data_paper=entry.name.casefold(),
        data_title=card.title.casefold(),
        data_topics=" ".join(card.topics),
        data_verdicts=" ".join(name.replace(" ", "-") for name in counted),
        data_words=f"{entry.name} {card.id} {card.title} {' '.join(card.authors)} {' '.join(card.aliases)}".casefold(),
    )


def _fields(topics: list[str], verdicts: list[str], entries: list[Entry], lang: Lang) -> str:
    def choice(key: str, options: list[tuple[str, str]]) -> str:
        inner = f'<option value="">{word("all", lang)}</option>'
        inner += "".join(f'<option value="{esc(value)}">{label}</option>' for value, label in options)
        return f'<label>{word(f"filter-{key}", lang)} <select name="{key}">{inner}</select></label>'

    years = [e.card.year for e in entries]
    text = f'<label>{word("filter-text", lang)} <input type="search" name="text"></label>'
    span = "".join(
        f"<label>{word(f'filter-{key}', lang)} "
        f'<input type="number" name="{key}" min="{min(years)}" max="{max(years)}"></label>'
        for key in ("from", "to")
    )
    shown = word("filter-count", lang, n="{n}", all=len(entries))
    return (
        f'<form class="filter-papers">{text}{choice("topic", [(t, esc(t)) for t in topics])}'
        f"{choice('verdict', [(v.replace(' ', '-'), word(v, lang)) for v in verdicts])}{span}"
        f'<output aria-live="polite" data-says="{esc(shown)}"></output></form>'
    )
