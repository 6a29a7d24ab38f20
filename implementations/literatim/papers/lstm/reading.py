"""Sequences that people write, for `literatim predict --text`: symbols or numbers, as each experiment has them."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from literatim.errors import LiteratimError
from literatim.papers.lstm.model import LSTM
from literatim.parts.reber import SYMBOLS, walk

ORDER_INPUTS = "abcdEBXY"
ORDER_CLASSES = "QRSUVABC"


class Read(NamedTuple):
    """What was read: a name for every step, the inputs (T, I), and of every step the symbols that may follow, if any
    are known."""

    names: list[str]
    x: Tensor
    may_follow: list[str]


def read(kind: str, net: LSTM, text: str) -> Read:
    """A sequence for a variant of the card.

    Raises LiteratimError with the place of the first thing that cannot stand there.
    """
    if not text.strip():
        raise LiteratimError("the text is empty; give the symbols or numbers of a sequence")
    if kind.startswith("reber"):
        string = "".join(text.split())
        legal = walk(string, whole=False)
        follow = ["".join(symbol for i, symbol in enumerate(SYMBOLS) if bits >> i & 1) for bits in legal]
        return Read(list(string), one_hot([SYMBOLS.index(symbol) for symbol in string], net.inputs), follow)
    if kind.startswith("order"):
        return of_symbols(list("".join(text.split())), list(ORDER_INPUTS), net.inputs)
    if kind.startswith("noise-free"):
        return of_symbols(text.split(), [str(i) for i in range(1, net.inputs - 1)] + ["x", "y"], net.inputs)
    if kind.startswith("distractors"):
        return of_symbols(text.split(), [str(i) for i in range(1, net.inputs - 3)] + list("ebxy"), net.inputs)
    if kind == "two-sequence":
        words = text.split()
        return Read(words, torch.tensor([[number(word, i)] for i, word in enumerate(words, 1)]), [])
    return of_pairs(text.split(), 0.0 if kind == "multiplication" else -1.0)


def one_hot(ids: list[int], width: int) -> Tensor:
    return torch.nn.functional.one_hot(torch.tensor(ids), width).float()


def of_symbols(words: list[str], known: list[str], width: int) -> Read:
    for place, word in enumerate(words, 1):
        if word not in known:
            some = f"{known[0]} to {known[-5]}, {', '.join(known[-4:])}" if len(known) > 9 else ", ".join(known)
            raise LiteratimError(f'"{word}", symbol {place} of the text, is none of {some}')
    return Read(words, one_hot([known.index(word) for word in words], width), [])


def number(word: str, place: int, least: float = -float("inf"), most: float = float("inf")) -> float:
    try:
        value = float(word)
    except ValueError:
        raise LiteratimError(f'"{word}", number {place} of the text, is no number') from None
    if not least <= value <= most:
        raise LiteratimError(f"number {place} of the text is {word}; it must be from {least:g} to {most:g}")
    return value


def of_pairs(words: list[str], least: float) -> Read:
    """Numbers, the two marked ones with a star behind them: "0.2 -0.7* 0.1 0.9* 0.4". The ends get the marker -1."""
    marked = [place for place, word in enumerate(words) if word.endswith("*")]
    if len(marked) != 2:
        raise LiteratimError(f"two numbers of the text are marked, each by a * behind it; here there are {len(marked)}")
    x = torch.zeros(len(words), 2)
    x[0, 1] = x[-1, 1] = -1.0
    for place, word in enumerate(words):
        x[place, 0] = number(word.removesuffix("*"), place + 1, least, 1.0)
    x[marked, 1] = 1.0
    return Read(words, x, [])


@torch.no_grad()
def answer(kind: str, net: LSTM, found: Read) -> list[dict[str, Any]]:
    """A row for every step: what came in, and what the outputs are then; of several the most active one."""
    outputs = net(found.x[None])[0]
    names = {"reber": list(SYMBOLS), "order": list(ORDER_CLASSES), "distr": ["x", "y"]}.get(kind[:5])
    names = names or [*(str(i) for i in range(1, net.outputs - 1)), "x", "y"]
    rows: list[dict[str, Any]] = []
    for place, (name, y) in enumerate(zip(found.names, outputs, strict=True), 1):
        row: dict[str, Any] = {"step": place, "input": name}
        if len(y) == 1:
            row["output"] = round(float(y), 4)
        else:
            row |= {"most active": names[int(y.argmax())], "output": round(float(y.max()), 4)}
        if found.may_follow:
            row["may follow"] = found.may_follow[place - 1] or "nothing"
        rows.append(row)
    return rows
