"""Text from cards as HTML that is text and nothing else, whatever it holds."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal
from urllib.parse import quote

from literatim.registry.schema import Text

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = ("en", "zh")
# What HTML, Markdown or its extensions would take for their own.
SIGNS = re.compile(r"[<>&\"'\\`*_{}\[\]()#+\-.!|~$^=:@/%]")


def esc(words: object) -> str:
    """Text as HTML that neither HTML nor Markdown reads as markup: every sign of theirs becomes an entity."""
    return entities(re.sub(r"\s+", " ", str(words)))


def entities(words: str) -> str:
    return SIGNS.sub(lambda sign: f"&#{ord(sign[0])};", words)


def prose(words: str) -> str:
    """Text from a card, `code` between backticks set as code."""
    parts = re.split(r"`([^`]+)`", words)
    return "".join(f"<code>{esc(part)}</code>" if i % 2 else esc(part) for i, part in enumerate(parts))


def said(text: Text | None, lang: Lang) -> str:
    """What the card says in a language; in English, marked as such, where the Chinese is missing."""
    if text is None:
        return ""
    if lang == "zh":
        return prose(unspaced(text.zh)) if text.zh else f'<span lang="en">{prose(text.en)}</span>'
    return prose(text.en)


def named(words: Text | str | float | bool, lang: Lang) -> str:
    """What may be a text of ours or a name or number that is the same in every language."""
    return said(words, lang) if isinstance(words, Text) else esc(words)


def sentence(text: Text, lang: Lang) -> str:
    """What the card says, with a capital at its beginning: cards write it as it stands within a list."""
    return said(Text(en=text.en[:1].upper() + text.en[1:], zh=text.zh), lang)


def unspaced(words: str) -> str:
    """Chinese without the spaces that YAML puts where it joins lines."""
    return re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])\s+(?=[\u3000-\u9fff\uff00-\uffef])", "", words)


def block(content: str) -> str:
    """Raw HTML as a block of its own in a Markdown page, on one line, so that no blank line ends it early."""
    return "\n" + content.replace("\n", "&#10;") + "\n"


def element(tag: str, content: str, **attributes: str) -> str:
    """`<tag …>content</tag>`; attribute values are escaped, `class_` stands for class."""
    given = "".join(f' {name.rstrip("_").replace("_", "-")}="{esc(value)}"' for name, value in attributes.items())
    return f"<{tag}{given}>{content}</{tag}>"


def link(to: str, content: str) -> str:
    """A link to an address of ours or to a DOI: `to` is never text from a card as it stands."""
    return f'<a href="{html.escape(to)}">{content}</a>'


def doi_url(doi: str) -> str:
    return "https://doi.org/" + quote(doi, safe="/:;()")


def table(head: Sequence[str], rows: Iterable[str], *, label: str, kind: str = "") -> str:
    """A table that scrolls within itself on a narrow screen, and can be scrolled with the keyboard."""
    cells = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    inner = f"<table><thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return block(scrolling(inner, label, kind))


def scrolling(content: str, label: str, kind: str = "") -> str:
    """What is too wide for a narrow screen, in a box of its own that scrolls, with the keyboard too."""
    return f'<div class="scroll {kind}" tabindex="0" role="region" aria-label="{esc(label)}">{content}</div>'


def row(cells: Iterable[str], **attributes: str) -> str:
    return element("tr", "".join(f"<td>{cell}</td>" for cell in cells), **attributes)


def fold(summary: str, content: str, *, opened: bool = False, **attributes: str) -> str:
    """What opens when its summary is pressed."""
    start = element("details", "", **attributes).removesuffix("</details>")
    start = start.removesuffix(">") + " open>" if opened else start
    return f"{start}<summary>{summary}</summary>{content}</details>"


def few(parts: Sequence[str], more: str, most: int = 6) -> str:
    """All parts, those beyond the first few folded away under one line."""
    if len(parts) <= most + 1:
        return "".join(parts)
    return "".join(parts[:most]) + fold(more.format(n=len(parts) - most), "".join(parts[most:]), class_="more")


def code_block(text: str) -> str:
    """Preformatted text with Material's button to copy it."""
    return block(f'<div class="highlight"><pre tabindex="0"><code>{entities(text)}</code></pre></div>')


def front_matter(**fields: object) -> str:
    """The head of a page. Templates print titles as they are, so they are escaped here."""
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "---\n" + "\n".join(lines) + "\n---\n\n"


def plain_title(words: str) -> str:
    """A title for the head of a page: HTML-safe, without entities for signs that only Markdown would mind."""
    return html.escape(re.sub(r"\s+", " ", words))


def amount(value: Any) -> str:
    """A number or shape as one reads it, a sign for yes and no."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, list | tuple):
        return esc("×".join(map(str, value)))
    return esc(f"{value:,}" if isinstance(value, int) else f"{value:.6g}")
