"""Reading a tutorial: one Markdown file with prose, the Python it runs, what that printed and the figures it drew.

A block is a fence ```python. The fence ```output after it holds what it printed, and lines
`![alt text](figures/name.svg)` after that stand for the figures that it drew. Both may be indented, as in the folded
answer of an exercise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from literatim.errors import LiteratimError

_FENCE = re.compile(r"( *)(`{3,}|~{3,})[ ]*([^`]*)$")
_FIGURE = re.compile(r" *!\[(.*)\]\(figures/([\w-]+)\.svg\)\s*$")


@dataclass(frozen=True)
class Block:
    """Python that is run, what it prints ("" for nothing), and its figures as (name, alternative text)."""

    code: str
    output: str
    figures: tuple[tuple[str, str], ...]
    line: int = 1  # of the file, where the code starts
    indent: str = ""

    @property
    def label(self) -> str:
        """How an error speaks of it: by its first line of code."""
        first = next((line for line in self.code.splitlines() if line.strip()), "")
        return f"the block `{first}` (line {self.line})"


@dataclass(frozen=True)
class Tutorial:
    """Front matter, and in their order Markdown (str) and blocks."""

    meta: Mapping[str, Any]
    parts: tuple[str | Block, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(part for part in self.parts if isinstance(part, Block))

    @property
    def markdown(self) -> str:
        """All prose, without blocks, outputs and figures."""
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def language(self) -> str:
        """`zh` for a translation, which names the English text that it translates, else `en`."""
        return "zh" if "translates" in self.meta else "en"


@dataclass
class _Open:
    """The block being read, and how far."""

    code: str
    line: int
    indent: str
    output: str | None = None
    figures: list[tuple[str, str]] = field(default_factory=list)


def tidy(output: str) -> str:
    """What was printed as it stands on a page: without spaces at the ends of lines."""
    return "\n".join(line.rstrip() for line in output.rstrip().splitlines())


def parse(text: str) -> Tutorial:
    """Front matter, prose and blocks of a tutorial.

    Raises LiteratimError: the front matter is not a mapping; a fence is not closed; output or a figure without a block
    right before it; two outputs of one block; two figures of one name.
    """
    meta, lines, at = _front_matter(text)
    reader = _Reader()
    while at < len(lines):
        fence, figure = _FENCE.match(lines[at]), _FIGURE.match(lines[at])
        end = _closing(lines, at, fence) if fence else at
        if fence:
            reader.fence(fence, lines[at : end + 1], at + 1)
        elif figure:
            reader.figure(figure, at + 1)
        else:
            reader.line(lines[at], at + 1)
        at = end + 1
    reader.finish()
    return Tutorial(meta, tuple(reader.parts))


class _Reader:
    """What was read so far: finished parts, the prose and the block that may still go on. Raises as `parse` says."""

    def __init__(self) -> None:
        self.parts: list[str | Block] = []
        self.prose: list[str] = []
        self.now: _Open | None = None
        self.names: set[str] = set()

    def finish(self) -> None:
        """Nothing belongs to the open block or to the prose any more."""
        if self.now:
            now, self.now = self.now, None
            self.parts.append(Block(now.code, now.output or "", tuple(now.figures), now.line, now.indent))
        if self.prose:
            self.parts.append("\n".join(self.prose) + "\n")
            self.prose = []

    def fence(self, fence: re.Match[str], lines: list[str], number: int) -> None:
        inside = "\n".join(_dedent(row, fence[1]) for row in lines[1:-1])
        kind = (fence[3].split() or [""])[0]
        if kind == "python":
            self.finish()
            self.now = _Open(inside, number + 1, fence[1])
        elif kind != "output":
            self._prose(lines)
        elif self.now is None or self.now.figures:
            raise LiteratimError(
                f"line {number} of the tutorial: an output stands right after its block; none is there"
            )
        elif self.now.output is not None:
            raise LiteratimError(f"line {number} of the tutorial: the block has an output already")
        else:
            self.now.output = inside

    def figure(self, figure: re.Match[str], number: int) -> None:
        name = figure[2]
        if self.now is None:
            raise LiteratimError(
                f'line {number} of the tutorial: the figure "{name}" stands right after its block, and none is there'
            )
        if name in self.names:
            raise LiteratimError(f'line {number} of the tutorial: there is a figure "{name}" already')
        self.names.add(name)
        self.now.figures.append((name, figure[1]))

    def line(self, line: str, number: int) -> None:
        if "](figures/" in line:
            raise LiteratimError(f"line {number} of the tutorial: a figure stands on a line of its own")
        if line.strip() or not self.now:
            self._prose([line])

    def _prose(self, lines: list[str]) -> None:
        if self.now:
            self.finish()
        self.prose += lines


def _front_matter(text: str) -> tuple[dict[str, Any], list[str], int]:
    """(front matter, all lines, index of the first line after it)."""
    lines = text.splitlines()
    if lines[:1] != ["---"]:
        return {}, lines, 0
    if "---" not in lines[1:]:
        raise LiteratimError("line 1 of the tutorial: the front matter is not closed by a line ---")
    end = lines.index("---", 1)
    try:
        meta = yaml.safe_load("\n".join(lines[1:end])) or {}
    except yaml.YAMLError as error:
        raise LiteratimError(f"the tutorial's front matter is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(meta, dict):
        raise LiteratimError("the tutorial's front matter is not a mapping such as `title: …`")
    return meta, lines, end + 1


def _closing(lines: list[str], at: int, fence: re.Match[str]) -> int:
    """Index of the line that closes the fence opened on line `at`."""
    for end in range(at + 1, len(lines)):
        row = lines[end].strip()
        if row and len(row) >= len(fence[2]) and set(row) == {fence[2][0]}:
            return end
    raise LiteratimError(f"line {at + 1} of the tutorial: the fence {fence[2]}{fence[3]} is never closed")


def _dedent(row: str, indent: str) -> str:
    return row[len(indent) :] if row.startswith(indent) else row.lstrip()
