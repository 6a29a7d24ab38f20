"""Bilingual dictionaries in the format of dictd, as FreeDict's packages install them: NAME.dict.dz and NAME.index."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from literatim.errors import LiteratimError
from literatim.places import data_folders, looked_in

INSTALLED = Path("/usr/share/dictd")
# An index gives offset and length in a base of 64 digits (dictd's manual page, "Index file format").
DIGITS = {c: i for i, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}
# What stands beside words: pronunciation, grammar, subject, a note, a number of the sense.
BESIDE = re.compile(r" /.*|<[^>]*>|\[[^\]]*\]|\{[^}]*\}|\([^)]*\)|^\d+\. ")
EXAMPLE = re.compile(r'^ +"(.+)"  - (.+)$')
PHRASE = re.compile(r"[^\W\d_][^\W\d_ '’.,!?-]*(?:[ '’.,!?-]+[^\W\d_]+)*[.!?]?")


def found(name: str, root: str | None) -> tuple[Path, Path]:
    """(text, index) of a dictionary. Raises LiteratimError where it is not installed."""
    folders = [place for folder in data_folders(root) for place in (folder, folder / "dictd")] + [INSTALLED]
    for folder in folders:
        text, index = folder / f"{name}.dict.dz", folder / f"{name}.index"
        if text.is_file() and index.is_file():
            return text, index
    raise LiteratimError(
        f"the dictionary {name} is not installed (looked in {looked_in(folders)}): apt install dict-{name}, or name a "
        "file of your own, a pair of phrases a line with a tab between them"
    )


def pairs(name: str, root: str | None) -> Iterator[tuple[str, str]]:
    """(phrase, translation) as they stand: of each entry its head with every translation, and its examples.

    Raises LiteratimError for a dictionary that is not installed or is damaged.
    """
    text, index = found(name, root)
    try:
        with gzip.open(text) as stream:
            whole = stream.read()
    except (OSError, EOFError, zlib.error) as error:
        raise LiteratimError(f"{text} cannot be read: {error}; install dict-{name} again") from None
    seen: set[int] = set()
    for number, line in enumerate(_lines(index), 1):
        parts = line.rstrip("\n").split("\t")
        if len(parts) < 3 or not (set(parts[1]) | set(parts[2])) <= set(DIGITS):
            raise LiteratimError(f"{index}:{number}: no line of an index; install dict-{name} again")
        begin = _number(parts[1])
        if parts[0].startswith("00database") or begin in seen:
            continue
        seen.add(begin)
        try:
            entry = whole[begin : begin + _number(parts[2])].decode()
        except UnicodeDecodeError:
            raise LiteratimError(f"{text}: the entry {parts[0]} is not UTF-8; install dict-{name} again") from None
        yield from of_entry(entry)


def of_entry(entry: str) -> Iterator[tuple[str, str]]:
    """The pairs of one entry: its first line is the head, then come translations, examples, notes and references."""
    head, _, rest = entry.partition("\n")
    head = _clean(head)
    for line in rest.split("\n"):
        if example := EXAMPLE.match(line):
            yield from _whole(_clean(example[1]), _clean(example[2]))
        elif line.strip() and not line.startswith(("  ", " see:")):
            for translation in _clean(line).split(", "):
                yield from _whole(head, translation.strip())


def _whole(phrase: str, translation: str) -> Iterator[tuple[str, str]]:
    """The pair, if both sides are plain phrases: letters, with the marks that stand in and between words."""
    if PHRASE.fullmatch(phrase) and PHRASE.fullmatch(translation):
        yield phrase, translation


def _clean(text: str) -> str:
    return " ".join(BESIDE.sub("", text.strip()).split())


def _number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 64 + DIGITS[digit]
    return value


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise LiteratimError(f"{path}: not UTF-8; install its package again") from None
    except OSError as error:
        raise LiteratimError(f"{path} cannot be read: {error.strerror}") from None
