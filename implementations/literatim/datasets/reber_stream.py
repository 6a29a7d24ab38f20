"""Streams without end: strings of a grammar, one after the other, with nothing between them (Gers and others 2000)."""

from __future__ import annotations

from pathlib import Path

from literatim.datasets.made import MadeDataModule
from literatim.errors import LiteratimError
from literatim.parts.grammars import SYMBOLS, Grammar, embedded_reber


def read_grammar(path: str) -> Grammar:
    """A grammar from a file with an edge a line: a node, a symbol, the node that it leads to. The first line's node is
    the start; a node called END is the end of a string.

    Raises LiteratimError with the line of what cannot be.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LiteratimError(f"{path}: {getattr(error, 'strerror', None) or 'it is no UTF-8 text'}") from None
    edges: dict[str, dict[str, str]] = {}
    where: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.split():
            continue
        at = f"{path}:{number}"
        if len(parts := line.split()) != 3:
            raise LiteratimError(f'{at}: "{line.strip()}" is no edge: give a node, a symbol and a node')
        node, symbol, to = parts
        if symbol not in set(SYMBOLS):
            raise LiteratimError(f'{at}: the symbol "{symbol}" is none of {", ".join(SYMBOLS)}')
        if node == "END" or symbol in edges.setdefault(node, {}):
            raise LiteratimError(
                f"{at}: " + ("nothing follows END" if node == "END" else f"{symbol} leaves {node} twice")
            )
        edges[node][symbol] = to
        where.setdefault(to, number)
        if len(edges[node]) > 2:
            raise LiteratimError(f"{at}: a third edge leaves {node}; there may be two")
    return Grammar(numbered(path, edges, where), SYMBOLS, path)


def numbered(path: str, edges: dict[str, dict[str, str]], where: dict[str, int]) -> list[dict[str, int]]:
    """The nodes in the order of the file; each must lead to the end at last, and the first by one symbol only."""
    if not edges:
        raise LiteratimError(f"{path}: the grammar is empty")
    names = [*edges, "END"]
    start = names[0]
    if len(edges[start]) > 1 or start in where:
        what = "two edges leave it" if len(edges[start]) > 1 else f"line {where[start]} leads back to it"
        raise LiteratimError(f"{path}: {start} is the start, by one symbol, of every string, but {what}")
    if dead := [to for to in where if to not in names]:
        raise LiteratimError(f"{path}:{where[dead[0]]}: {dead[0]} is a dead end: no edge leaves it, and it is not END")
    if apart := [node for node in edges if node not in where and node != start]:
        raise LiteratimError(f"{path}: no edge leads to {apart[0]}; every node but the first, {start}, must be reached")
    ending = {"END"}
    while more := {node for node, row in edges.items() if ending & set(row.values())} - ending:
        ending |= more
    if stuck := [node for node in edges if node not in ending]:
        raise LiteratimError(f"{path}: {stuck[0]} is a dead end: no way leads from it to END")
    return [{s: names.index(to) for s, to in edges[name].items()} for name in edges] + [{}]


class ContinualReber(MadeDataModule):
    """The continual embedded Reber grammar (Sec. 4.1, Fig. 2): each trial has streams of its own to learn from.

    Args:
        limit: symbols of a stream that no mistake ends
        streams: of a chunk
        tests: streams of a test
        grammar: a file with another grammar, see `read_grammar`
        chunks: of an epoch
        seed: of everything that is drawn
        watch: sets whose metrics are taken after every epoch: none, or "val"
    """

    def __init__(
        self, limit: int = 100_000, streams: int = 100, tests: int = 10, grammar: str | None = None, chunks: int = 10,
        seed: int = 0, watch: list[str] = [],  # noqa: B006 (never changed)
    ) -> None:  # fmt: skip
        super().__init__(chunks, seed, watch)
        for name, number in (("limit", limit), ("streams", streams), ("tests", tests)):
            if number < 1:
                raise LiteratimError(f"data.{name} is {number}; it must be at least 1")
        self.limit, self.streams, self.tests = limit, streams, tests
        self.grammar = embedded_reber() if grammar is None else read_grammar(grammar)
