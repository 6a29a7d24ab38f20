"""Our essay on a paper, as a section of its page."""

from __future__ import annotations

import re

from literatim.pages.markup import Lang
from literatim.pages.words import word
from literatim.registry.reading import paper_folder, read_text

EXERCISES = {"Exercises": "exercises", "练习": "exercises"}


def essay(paper: str, lang: Lang) -> str:
    """The essay in a language, in English where there is no other, its headings a level lower."""
    own, english = (paper_folder(paper) / name for name in ("essay.zh.md", "essay.md"))
    path = own if lang == "zh" and own.exists() else english
    if not path.exists():
        return ""
    body = re.sub(r"\A---\n.*?\n---\n", "", read_text(path), flags=re.DOTALL).lstrip()
    body = re.sub(r"\A# .*\n", "", body)
    body = re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff\uff00-\uffef])", "", body)  # as in print
    body = re.sub(r"^## (.*)$", _lower, body, flags=re.MULTILINE)
    return f"\n## {word('reading', lang)} {{#reading}}\n\n{body.strip()}\n"


def _lower(found: re.Match[str]) -> str:
    title = found[1].strip()
    anchor = f" {{#{EXERCISES[title]}}}" if title in EXERCISES else ""
    return f"### {title}{anchor}"
