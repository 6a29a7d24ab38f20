"""Strings of the embedded Reber grammar (Hochreiter and Schmidhuber 1997, Sec. 5.1, Figs. 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from literatim.datasets.lags import LagDataModule
from literatim.errors import LiteratimError
from literatim.parts.sequences import Sequences, offsets_of

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


def sequences_of(strings: Sequence[str]) -> Sequences:
    """Every symbol but the last is an input, and what follows it is the target."""
    numbers = [np.array([SYMBOLS.index(symbol) for symbol in string]) for string in strings]
    return Sequences(
        offsets_of(np.array([len(string) - 1 for string in strings])),
        ids=np.concatenate([symbols[:-1] for symbols in numbers]),
        following=np.concatenate([symbols[1:] for symbols in numbers]),
        legal=np.array([legal for string in strings for legal in walk(string)]),
    )


class EmbeddedReber(LagDataModule):
    """Strings to train on, picked at random from a set, and as many others to test (Sec. 5.1).

    Several trials learn from the same sets: the paper has three pairs of sets with ten trials each.

    Args:
        strings: in each of the two sets
        trials_a_pair: trials that share a pair of sets
    """

    def __init__(
        self, strings: int = 256, trials_a_pair: int = 10, chunks: int = 10, sequences: int = 100, seed: int = 0,
        watch: list[str] = [],  # noqa: B006 (never changed)
    ) -> None:  # fmt: skip
        super().__init__(chunks, sequences, 2 * strings, 2 * strings, seed, watch)
        if trials_a_pair < 1:
            raise LiteratimError(f"data.trials_a_pair is {trials_a_pair}; it must be at least 1")
        self.strings, self.trials_a_pair = strings, trials_a_pair
        self.pairs: dict[int, tuple[list[str], list[str]]] = {}

    def pair(self, trial: int) -> tuple[list[str], list[str]]:
        """The training set and the test set of a trial. A string may be twice in a set, but in one set only."""
        number = trial // self.trials_a_pair
        if number not in self.pairs:
            rng = self.rng("sets", number)
            train = [draw_string(rng) for _ in range(self.strings)]
            test: list[str] = []
            while len(test) < self.strings:
                string = draw_string(rng)
                if string not in train:
                    test.append(string)
            self.pairs[number] = train, test
        return self.pairs[number]

    def chunk(self, purpose: str, trial: int = 0, number: int = 0) -> Sequences:
        train, test = self.pair(trial)
        if purpose != "train":  # a trial is judged by both sets
            return sequences_of(train + test)
        picked = self.rng(purpose, trial, number).integers(len(train), size=self.sequences)
        return sequences_of([train[i] for i in picked])
