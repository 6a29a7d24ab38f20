"""Grammars that write streams: strings one after the other, with nothing between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from literatim.errors import LiteratimError
from literatim.parts.sequences import Ints

SYMBOLS = "BTPSXVE"
# The Reber grammar: from every node, by which symbol to which.
REBER: tuple[dict[str, int], ...] = (
    {"B": 1}, {"T": 2, "P": 3}, {"S": 2, "X": 4}, {"T": 3, "V": 5}, {"X": 3, "S": 6}, {"P": 4, "V": 6}, {"E": 7},
)  # fmt: skip


class Grammar:
    """A grammar as tables of its places, where at each one or two symbols may follow, each of two with probability .5.

    The end of a string is the place before the next one, number 0, at which only the string's first symbol may follow.

    Args:
        nodes: of each, by which symbol to which; the first has one symbol; one without any is an end
        symbols: the letters that inputs and outputs stand for
        name: of the grammar, for what is said of it
    """

    def __init__(self, nodes: Sequence[dict[str, int]], symbols: str, name: str) -> None:
        self.nodes, self.symbols, self.name = nodes, symbols, name
        ends = {number for number, node in enumerate(nodes) if not node}
        edges = [[(symbols.index(s), 0 if to in ends else to) for s, to in sorted(node.items())] for node in nodes]
        edges = [row or [(0, 0)] for row in edges]  # of an end, which is never a place
        self.first = np.array([row[0][0] for row in edges])
        self.second = np.array([row[-1][0] for row in edges])
        self.after = np.array([[row[0][1], row[-1][1]] for row in edges])

    @property
    def tables(self) -> tuple[Ints, Ints, Ints]:
        """(places,) the first and the second symbol that may follow, alike where there is one; (places, 2) where they
        lead."""
        return self.first, self.second, self.after

    def may_follow(self, place: int) -> set[int]:
        return {int(self.first[place]), int(self.second[place])}

    def draw(self, place: int, rng: np.random.Generator) -> int:
        """Which of the two: nothing is drawn where there is one."""
        return int(self.first[place] != self.second[place] and rng.random() < 0.5)

    def symbol(self, place: int, choice: int) -> int:
        return int((self.first, self.second)[choice][place])

    def walk(self, rng: np.random.Generator, many: int) -> tuple[Ints, list[set[int]]]:
        """The first symbols of a stream, (many,), and after each what may follow."""
        symbols, may, place = [int(self.first[0])], list[set[int]](), int(self.after[0, 0])
        while len(symbols) <= many:
            choice = self.draw(place, rng)
            may.append(self.may_follow(place))
            symbols.append(self.symbol(place, choice))
            place = int(self.after[place, choice])
        return np.array(symbols[:many]), may

    def read(self, text: str) -> tuple[list[int], list[set[int]]]:
        """A stream that was written: its symbols, and after each what may follow.

        Raises LiteratimError with the place of the first symbol that cannot stand there.
        """
        place, symbols, may = 0, list[int](), list[set[int]]()
        for number, letter in enumerate(text, 1):
            allowed = {self.symbols[k]: k for k in sorted(self.may_follow(place))}
            if letter not in allowed:
                wanted = " or ".join(sorted(allowed))
                raise LiteratimError(
                    f'"{text}" is no stream of {self.name}: {wanted} is expected at {number}, not {letter}'
                )
            choice = int(allowed[letter] != self.first[place])
            symbols.append(allowed[letter])
            place = int(self.after[place, choice])
            may.append(self.may_follow(place))
        if not symbols:
            raise LiteratimError("the stream to be read is empty")
        return symbols, may


def embedded_reber() -> Grammar:
    """The continual embedded Reber grammar: B, T or P, a Reber string, the same T or P again, E, and so on."""
    size = len(REBER) + 1
    nodes: list[dict[str, int]] = [{"B": 1}, {"T": 2, "P": 2 + size}]
    for first, letter in ((2, "T"), (2 + size, "P")):
        nodes += [{symbol: first + to for symbol, to in node.items()} for node in REBER]
        nodes.append({letter: 2 + 2 * size})
    return Grammar([*nodes, {"E": 3 + 2 * size}, {}], SYMBOLS, "the continual embedded Reber grammar")
