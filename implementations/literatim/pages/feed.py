"""An Atom feed (RFC 4287) of the edition's papers and recorded runs, in the order in which the repository got them."""

from __future__ import annotations

import html
import os
import subprocess
from urllib.parse import urljoin
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from literatim.pages.edition import Edition
from literatim.pages.markup import Lang, unspaced
from literatim.pages.runs import outcome
from literatim.pages.words import word
from literatim.registry.reading import papers_folder

ATOM = "http://www.w3.org/2005/Atom"
FEEDS: dict[Lang, str] = {"en": "feed.xml", "zh": "feed-zh.xml"}


def feed(found: Edition, lang: Lang, served: str = "") -> bytes | None:
    """`feed.xml` of a site that is `served` at an address, else with addresses relative to its own.

    None where no history says when anything came.
    """
    entries = sorted(_entries(found, lang, added()), key=lambda entry: (entry[2], entry[0]), reverse=True)
    if not entries:
        return None
    ElementTree.register_namespace("", ATOM)
    root = ElementTree.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": lang})
    _child(root, "title", word("feed", lang))
    _child(root, "id", _id(f"feed {lang}"))
    _child(root, "updated", entries[0][2])
    _child(_child(root, "author"), "name", "literatim")
    _child(root, "link", rel="self", href=urljoin(served, FEEDS[lang]))
    _child(root, "link", href=urljoin(served, "zh/" if lang == "zh" else "./"))
    for title, to, when, about in entries:
        entry = _child(root, "entry")
        _child(entry, "title", title)
        _child(entry, "id", _id(to))
        _child(entry, "updated", when)
        _child(entry, "link", href=urljoin(served, to))
        _child(entry, "summary", about)
    ElementTree.indent(root, " ")
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _entries(found: Edition, lang: Lang, when: dict[str, str]) -> list[tuple[str, str, str, str]]:
    """(title, address, date, summary) of each paper, and of the runs of each recipe and network."""
    entries = []
    for entry in found.entries.values():
        page = f"{'zh/' if lang == 'zh' else ''}papers/{entry.id}/"
        if came := when.get(f"{entry.id}/card.yaml"):
            summary = entry.card.summary
            about = unspaced(summary.zh) if lang == "zh" and summary.zh else summary.en
            entries.append((f"{entry.name} ({entry.card.year})", page, came, about.strip()))
        for (recipe, variant), runs in entry.runs().items():
            files = [(run.folder / "record.json").relative_to(papers_folder()).as_posix() for run in runs]
            dates = sorted(when[file] for file in files if file in when)
            if dates and (given := outcome(entry, recipe, runs, lang)):
                title = f"{entry.name}{word('colon', lang)}{recipe}, {variant}"
                metric, span, seeds = map(html.unescape, given)
                said = f"{word('recorded-gave', lang)} {metric} {span} ({seeds})"
                entries.append((title, f"{page}#run-{recipe}-{variant}", dates[-1], said))
    return entries


def added() -> dict[str, str]:
    """File below papers/ -> when the repository got it, in UTC; empty outside of a repository."""
    command = ["git", "-C", str(papers_folder()), "log", "--diff-filter=A", "--relative", "--name-only"]
    dated = ["--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=@%cd", "--", "*/card.yaml", "*/record.json"]
    try:
        done = subprocess.run([*command, *dated], capture_output=True, text=True, env={**os.environ, "TZ": "UTC"})
    except OSError:
        return {}
    found: dict[str, str] = {}
    at = ""
    for line in done.stdout.splitlines():
        if line.startswith("@"):
            at = line[1:]
        elif line:
            found.setdefault(line, at)  # the newest commit comes first
    return found


def _id(what: str) -> str:
    """The same for ever, wherever the site is served."""
    return uuid5(NAMESPACE_URL, f"literatim {what}").urn


def _child(of: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
    child = ElementTree.SubElement(of, f"{{{ATOM}}}{name}", attributes)
    child.text = text or None
    return child
