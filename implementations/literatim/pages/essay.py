"""Our essay on a paper, as a section of its page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from literatim.errors import LiteratimError
from literatim.pages.markup import Lang
from literatim.pages.words import word
from literatim.registry.reading import paper_folder, papers_folder, read_text, shown

# What a browser would obey. Essays may come from elsewhere as cards do, and our pages run no script of theirs.
SCRIPTS = r"\s*".join("javascript") + "|" + r"\s*".join("vbscript") + "|" + r"\s*".join("data")
LIVE = (
    (r"<[a-z/!?]", "an essay is Markdown without HTML; write &lt; for the sign"),
    (r"\{[^{}\n]*\bon[a-z]+\s*=", "an essay has no attributes that act"),
    (
        rf"(\]\s*\(|\]\s*:|(href|src)\s*=)[\s\"'<]*({SCRIPTS})\s*:",
        "a link of an essay leads to a page, not to a script",
    ),
)
EXERCISES = {"Exercises": "exercises", "练习": "exercises"}


def essay(paper: str, lang: Lang) -> str:
    """The essay in a language, in English where there is no other, its headings a level lower."""
    own, english = (paper_folder(paper) / name for name in ("essay.zh.md", "essay.md"))
    path = own if lang == "zh" and own.exists() else english
    if not path.exists():
        return ""
    if faults := list(live(path)):
        raise LiteratimError(faults[0])
    body = re.sub(r"\A---\n.*?\n---\n", "", read_text(path), flags=re.DOTALL).lstrip()
    body = re.sub(r"\A# .*\n", "", body)
    body = re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff\uff00-\uffef])", "", body)  # as in print
    body = re.sub(r"^## (.*)$", _lower, body, flags=re.MULTILINE)
    return f"\n## {word('reading', lang)} {{#reading}}\n\n{body.strip()}\n"


def essay_faults() -> list[str]:
    """Faults of the collection's essays as `file:line:1: what`."""
    return [fault for path in sorted(papers_folder().glob("*/essay*.md")) for fault in live(path)]


def live(path: Path) -> Iterator[str]:
    """What would be more than text in a browser, with its line."""
    text = read_text(path)
    for pattern, what in LIVE:
        # A browser reads an address with its entities decoded and without control characters.
        for seen in (text, re.sub(r"[\x00-\x08\x0b-\x1f\\]", "", html.unescape(text))):
            if (found := re.search(pattern, seen, re.IGNORECASE)) and not (seen is not text and pattern == LIVE[0][0]):
                yield f"{shown(path)}:{seen.count(chr(10), 0, found.start()) + 1}:1: {what}"
                break


def _lower(found: re.Match[str]) -> str:
    title = found[1].strip()
    anchor = f" {{#{EXERCISES[title]}}}" if title in EXERCISES else ""
    return f"### {title}{anchor}"
