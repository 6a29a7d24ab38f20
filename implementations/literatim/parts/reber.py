"""The embedded Reber grammar (Hochreiter and Schmidhuber 1997, Sec. 5.1, Figs. 3 and 4)."""

from __future__ import annotations

import numpy as np

from literatim.errors import LiteratimError

SYMBOLS = "BTPSXVE"
# Fig. 3: from every node, by which symbol to which; each edge of two has probability .5. The last node has none.
REBER: tuple[dict[str, int], ...] = (
    {"B": 1}, {"T": 2, "P": 3}, {"S": 2, "X": 4}, {"T": 3, "V": 5}, {"X": 3, "S": 6}, {"P": 4, "V": 6}, {"E": 7}, {},
)  # fmt: skip


def embedded() -> tuple[dict[str, int], ...]:
    """Fig. 4: B, then T or P, then a Reber string, then the same T or P, then E. The last node is the end."""
    inside, size = REBER, len(REBER)
    nodes: list[dict[str, int]] = [{"B": 1}, {"T": 2, "P": 2 + size}]
    for first, letter in ((2, "T"), (2 + size, "P")):
        end = first + size - 1
        nodes += [{symbol: first + to for symbol, to in node.items()} for node in inside]
        nodes[end] = {letter: 2 + 2 * size}
    return (*nodes, {"E": 3 + 2 * size}, {})


EMBEDDED = embedded()


def bits(node: dict[str, int]) -> int:
    """A bit for each symbol that may follow."""
    return sum(1 << SYMBOLS.index(symbol) for symbol in node)


def draw_string(rng: np.random.Generator) -> str:
    """A string, the edges chosen with probability .5."""
    node, string = EMBEDDED[0], ""
    while node:
        symbols = sorted(node)
        symbol = symbols[int(rng.integers(len(symbols)))] if len(symbols) > 1 else symbols[0]
        string, node = string + symbol, EMBEDDED[node[symbol]]
    return string


def walk(string: str, whole: bool = True) -> list[int]:
    """The bits of what may follow after each symbol of a string but the last; after the last too, where it is only the
    beginning of one (`whole` false).

    Raises LiteratimError with the place of the first symbol that cannot stand there.
    """
    node, legal = EMBEDDED[0], []
    for place, symbol in enumerate(string, 1):
        if symbol not in node:
            may = " or ".join(sorted(node)) or "nothing more"
            raise LiteratimError(f'"{string}" is no embedded Reber string: {may} is expected at {place}, not {symbol}')
        node = EMBEDDED[node[symbol]]
        legal.append(bits(node))
    if whole and node:
        raise LiteratimError(f'"{string}" is no embedded Reber string: it ends before {" or ".join(sorted(node))}')
    return legal[:-1] if whole else legal
