"""The source of a model beside its notes: every line of the file once, in order, with its own number.

Docstrings and comments that fill a line are notes and stand left; all else is code and stands right. A docstring's note
begins where its function or class does.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from literatim.pages.edition import Entry
from literatim.pages.markup import Lang, block, esc, front_matter, link, plain_title
from literatim.pages.notes import in_chinese, key
from literatim.pages.words import word
from literatim.registry.ledger import DOCUMENTED, PACKAGE

NUMBER = r"\d+(?:\.\d+)?"  # of an equation


@dataclass
class Section:
    """Notes, and the lines of code they stand beside, as (number, HTML)."""

    notes: list[str] = field(default_factory=list)
    noted: list[int] = field(default_factory=list)  # the lines that the notes were
    lines: list[tuple[int, str]] = field(default_factory=list)


def code_page(entry: Entry, path: Path, lang: Lang) -> str:
    """Markdown of `papers/<id>/<file>.md`."""
    name = path.relative_to(PACKAGE.parents[1]).as_posix()
    title = word("code-of", lang, file=path.name, name=entry.name)
    others = [link("../", esc(word("back-to", lang, name=entry.name)))]
    others += [
        f"<b><code>{esc(p.name)}</code></b>" if p == path else link(f"../{p.stem}/", f"<code>{esc(p.name)}</code>")
        for p in entry.sources
    ]
    about = word("code-about", lang, path=f"<code>{esc(name)}</code>")
    shown = sections(path.read_text(encoding="utf-8"))
    chinese = in_chinese(entry.id) if lang == "zh" else {}
    if lang == "zh" and not any(key(note) in chinese for section in shown for note in section.notes):
        about += word("notes-are-english", lang)
    # Who searches for a word wants the paper first, then its model; its tests nobody looks for so.
    search = {"exclude": True} if path.stem == "checks" else {"boost": 0.5}
    found = [link(f"#L{line}", esc(word("equation", lang, n=n))) for n, line in equations(path).items()]
    listed = f'<p class="equations">{word("equations", lang)}{word("colon", lang)}{" · ".join(found)}</p>'
    parts = [
        front_matter(title=plain_title(title), description=plain_title(title), hide=["toc"], search=search),
        f"# {esc(title)} {{#top}}\n",
        block(f'<p class="files">{" · ".join(others)}</p>'),
        block(f"<p>{about}</p>"),
        block(listed) if found else "",
        '<div class="annotated" markdown="1">\n',
        *(_shown(section, chinese) for section in shown),
        "</div>\n",
    ]
    return "\n".join(parts)


@cache
def equations(path: Path) -> dict[str, int]:
    """The paper's equations that the notes of a source name -> the line that names it first."""
    source = path.read_text(encoding="utf-8")
    lines = source.split("\n")
    spans = sorted((*notes_of(source), *_comments(source)))
    found: dict[str, int] = {}
    for first, last in spans:
        for line in range(first, last + 1):
            for named in re.finditer(rf"\bEqs?\.\s*{NUMBER}(?:(?:, | and | to ){NUMBER})*", lines[line - 1]):
                numbers = re.findall(NUMBER, named[0])
                if len(numbers) == 2 and " to " in named[0] and all(n.isdecimal() for n in numbers):
                    numbers = [str(n) for n in range(int(numbers[0]), int(numbers[1]) + 1)]
                for number in numbers:
                    found.setdefault(number, line)
    return dict(sorted(found.items(), key=lambda each: [int(n) for n in re.findall(r"\d+", each[0])]))


def _comments(source: str) -> list[tuple[int, int]]:
    """The lines that end in a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [(token.start[0], token.start[0]) for token in tokens if token.type == tokenize.COMMENT]


@cache
def sections(source: str) -> list[Section]:
    """The file as sections, in order."""
    notes, starts = _notes(source)
    first_of = {line: span[0] for span in notes for line in range(span[0], span[1] + 1)}
    text_of = {span[0]: text for span, text in notes.items()}
    found = [Section()]
    for number, line in enumerate(_highlighted(source), 1):
        is_note = number in first_of
        begins = number in starts or (is_note and not _documents(number, starts, found[-1]))
        if begins and _filled(found[-1]):
            found.append(Section())
        if not is_note:
            found[-1].lines.append((number, line))
            continue
        found[-1].noted.append(number)
        if text_of.get(number):
            found[-1].notes.append(text_of[number])
    return found


def _filled(section: Section) -> bool:
    """Whether a section has code of its own: blank lines alone do not close it, nor does a comment above a header."""
    return any(line.strip() for _, line in section.lines)


def _documents(number: int, starts: dict[int, int], section: Section) -> bool:
    """Whether the docstring on a line belongs to the header that the section began with."""
    return any(starts.get(first) == number for first, _ in section.lines)


def notes_of(source: str) -> dict[tuple[int, int], str]:
    """(first, last) line of each note of a source -> its Markdown."""
    return _notes(source)[0]


def _notes(source: str) -> tuple[dict[tuple[int, int], str], dict[int, int]]:
    """(first, last) line of each note -> its Markdown; first line of a documented definition -> its docstring's."""
    notes: dict[tuple[int, int], str] = {}
    starts: dict[int, int] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            doc = node.body[0]
            notes[doc.lineno, doc.end_lineno or doc.lineno] = _docstring(ast.get_docstring(node) or "")
            if not isinstance(node, ast.Module):
                decorators = [d.lineno for d in node.decorator_list]
                starts[min([node.lineno, *decorators])] = doc.lineno
    run: list[tuple[int, str]] = []
    lines = source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or lines[token.start[0] - 1][: token.start[1]].strip():
            continue
        row = token.start[0]
        if run and (row != run[-1][0] + 1):
            notes[run[0][0], run[-1][0]] = _comment(run)
            run = []
        run.append((row, token.string))
    if run:
        notes[run[0][0], run[-1][0]] = _comment(run)
    return notes, starts


def _comment(run: list[tuple[int, str]]) -> str:
    words = " ".join(text.lstrip("#").strip() for _, text in run)
    return _safe(words)


def _docstring(text: str) -> str:
    """A docstring as Markdown: `Args:` becomes a list, and what looks like HTML is text."""
    out, listing = [], False
    for line in inspect.cleandoc(text).split("\n"):
        if re.fullmatch(r"(Args|Returns|Raises|Attributes):", line):
            listing = True
            out += ["", f"**{line}**", ""]
        elif listing and (found := re.match(r"( {4})(\w+): (.*)", line)):
            out.append(f"- `{found[2]}`: {found[3]}")
        elif listing and line.startswith("    "):
            out.append("  " + line.strip())
        else:
            listing = listing and not line
            out.append(line)
    return _safe("\n".join(out))


def _safe(text: str) -> str:
    """Notes are Markdown of our own, but a `<` in them is a sign; code between backticks is escaped by Markdown."""
    parts = re.split(r"(`[^`]*`|\$[^$]+\$)", text)
    escaped = [part if i % 2 else part.replace("&", "&amp;").replace("<", "&lt;") for i, part in enumerate(parts)]
    return "".join(escaped)


def _highlighted(source: str) -> list[str]:
    """Each line of the source as HTML of Pygments' classes, spans closed at the line's end."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    lexer = PythonLexer(stripnl=False, ensurenl=False)
    lines: list[str] = highlight(source, lexer, HtmlFormatter(nowrap=True)).split("\n")
    return lines[: len(source.removesuffix("\n").split("\n"))]


def _shown(section: Section, chinese: dict[str, str]) -> str:
    lines = "".join(
        f'<span class="line" id="L{number}"><a class="no" href="#L{number}" tabindex="-1" aria-hidden="true" '
        f'data-no="{number}"></a>{line or " "}&#10;</span>'
        for number, line in section.lines
    )
    # What Markdown would still see inside the code.
    for sign in "\\$`*_":
        lines = lines.replace(sign, f"&#{ord(sign)};")
    code = f'<div class="code highlight"><pre tabindex="0"><code>{lines}</code></pre></div>' if section.lines else ""
    marks = "".join(f'<span id="L{number}"></span>' for number in section.noted)
    notes = "\n\n".join(_safe(chinese[key(note)]) if key(note) in chinese else note for note in section.notes)
    note = (
        f'<div class="note" markdown="1">\n\n{marks}\n\n{notes}\n\n</div>'
        if notes or marks
        else '<div class="note"></div>'
    )
    return f'<div class="section" markdown="1">\n{note}\n{code}\n</div>\n'
