"""The two files in which word2vec.c writes its vectors (-binary 0 and 1), and which other tools read and write as well.

Both begin with a line `words dimension`. In the text format a line has a word and its values, parted by spaces. In the
binary one a word is followed by a space, its values as little-endian 32-bit floats and, as word2vec.c and we write it,
a newline. Both are UTF-8, and may be packed by gzip.

word2vec.c takes the bytes of a text as they are and cuts long words, after 98 of them, wherever that is. Such a word is
read with U+FFFD, the replacement character, for what is no whole character, and is written so.
"""

from __future__ import annotations

import gzip
import re
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from literatim.errors import LiteratimError, LiteratimWarning, quoted

TEXT, BINARY = (".txt", ".vec"), (".bin",)
CHUNK = 1 << 20
HEADER = 100  # bytes of the first line, at most
LONGEST_WORD = 1 << 16  # bytes; what has no space for so long is no word
LONGEST_VALUE = 64  # bytes of a number in the text format, the space before it included
WIDEST = 1 << 16  # values of a vector; a line is held in memory
BROKEN = 100  # one word in so many may be broken in its middle; where more are the file is of another kind


class WordVectors(NamedTuple):
    """Words, the most frequent first, and their vectors (V, D) as they were learnt, not brought to unit length."""

    words: list[str]
    vectors: NDArray[np.float32]


def write(found: WordVectors, to: Path) -> None:
    """Write .txt or .vec (text) or .bin (binary), also with .gz behind it; the text too gives every value back exactly.

    Raises LiteratimError for another ending, and for a word that neither format can hold: one with a space in it.
    """
    binary = suffix(to) in BINARY
    for word in found.words:
        if any("\ud800" <= character <= "\udfff" for character in word):
            raise LiteratimError(f"{to}: the word {quoted(word)} has half a character in it, which is no UTF-8")
        if not word or word.split() != [word]:
            raise LiteratimError(
                f"{to}: the word {quoted(word)} is empty or has a space in it, which is where both formats end a word; "
                "write it with _ in its place"
            )
    beside = to.with_name(f".{to.name}.part")
    try:
        with cast(BinaryIO, gzip.open(beside, "wb") if to.suffix == ".gz" else beside.open("wb")) as stream:
            stream.write(f"{len(found.words)} {found.vectors.shape[1]}\n".encode())
            digits = " ".join(["%.9g"] * found.vectors.shape[1])  # nine give a 32-bit float back
            for word, row in zip(found.words, found.vectors.astype("<f4"), strict=True):
                values = row.tobytes() if binary else (digits % tuple(row.tolist())).encode()
                stream.write(word.encode() + b" " + values + b"\n")
        beside.replace(to)
    finally:
        beside.unlink(missing_ok=True)


def suffix(path: Path) -> str:
    """The ending of a file to be written, .gz left out. Raises LiteratimError for one that is no format."""
    found = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    if found not in (*TEXT, *BINARY):
        raise LiteratimError(
            f"{path}: name a file ending in {', '.join(TEXT)} (text) or {', '.join(BINARY)} (binary), also with .gz"
        )
    return found


def read(path: Path) -> WordVectors:
    """Read a file in either format, which its content tells.

    In the text format the values are counted from the end of the line, so that a word may have spaces in it, as other
    tools write them, unless a number comes after the last one. In the binary format it cannot.
    Warns of words that are not UTF-8, see above, and of a word that comes again, where the first counts.
    Raises LiteratimError for a file that is broken.
    """
    try:
        with _opened(path) as stream:
            count, dimension = _header(path, stream)
            is_text = _is_text(stream.read(CHUNK), dimension)
        table = _room(path, count, dimension)
        with _opened(path) as stream:
            stream.readline(HEADER)
            words = _decoded(path, (_text if is_text else _binary)(path, stream, table))
    except (OSError, EOFError, zlib.error) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise LiteratimError(f"{path} cannot be read: {reason}; name a file of word vectors") from None
    if len(words) < count:
        raise LiteratimError(f"{path}: cut short after {len(words):,} of {count:,} words; fetch or write it again")
    if not np.isfinite(table).all():
        raise LiteratimError(f"{path}: some values are not finite; the file is broken, or its training diverged")
    first: dict[str, int] = {}
    for i, word in enumerate(words):
        first.setdefault(word, i)
    if len(first) < len(words):
        again = Counter(words).most_common(1)[0][0]
        what = f"{len(words) - len(first):,} words come again, such as {quoted(again)}; the first of each counts"
        warnings.warn(f"{path}: {what}", LiteratimWarning, stacklevel=2)
        words, table = list(first), table[list(first.values())]
    return WordVectors(words, table)


def _decoded(path: Path, found: Iterator[bytes]) -> list[str]:
    words, repaired, broken = [], [], 0
    for raw in found:
        try:
            words.append(raw.decode())
        except UnicodeDecodeError as error:
            words.append(raw.decode(errors="replace"))
            repaired.append(words[-1])
            broken += error.reason != "unexpected end of data"
    if broken * BROKEN > len(words):
        what = f"a word is not UTF-8: {quoted(repaired[0])}"
        raise LiteratimError(f"{path}: {what}; the file is of another kind, or broken")
    if repaired:
        what = f"{len(repaired):,} of {len(words):,} words are not whole in UTF-8, such as {quoted(repaired[0])}"
        warnings.warn(f"{path}: {what}; \ufffd stands for what is broken", LiteratimWarning, stacklevel=3)
    return words


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb") if packed else path.open("rb"))


def _header(path: Path, stream: BinaryIO) -> tuple[int, int]:
    found = re.fullmatch(rb"(?:\xef\xbb\xbf)?([1-9]\d{0,12}) ([1-9]\d{0,8})\s*", stream.readline(HEADER))
    if not found:
        raise LiteratimError(f"{path}:1: not a number of words and a dimension; is it a file of word2vec's?")
    return int(found[1]), int(found[2])


def _room(path: Path, count: int, dimension: int) -> NDArray[np.float32]:
    try:
        if dimension > WIDEST:
            raise MemoryError
        return np.empty((count, dimension), dtype=np.float32)
    except (MemoryError, ValueError):
        raise LiteratimError(f"{path}:1: {count:,} vectors of {dimension:,} values do not fit into memory") from None


def _is_text(start: bytes, dimension: int) -> bool:
    """Whether the first line ends in numbers, with no byte in it that no text has."""
    line = start.partition(b"\n")[0].rstrip()
    ends = line.split(b" ")[-min(dimension, 4) :]
    return not re.search(rb"[\x00-\x08\x0e-\x1f]", line) and all(map(_is_number, ends))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _text(path: Path, stream: BinaryIO, table: NDArray[np.float32]) -> Iterator[bytes]:
    """The words of the lines, whose values go into the table."""
    count, dimension = table.shape
    longest = LONGEST_WORD + LONGEST_VALUE * dimension
    for number, line in enumerate(iter(partial(stream.readline, longest), b"")):
        where = f"{path}:{number + 2}"
        if len(line) == longest:
            raise LiteratimError(
                f"{where}: a line of more than {longest:,} bytes; the file is of another kind, or broken"
            )
        word, *values = line.rstrip().rsplit(b" ", dimension)
        if not word and not values:
            continue
        if number >= count:
            raise LiteratimError(f"{where}: more than the {count:,} words that the first line speaks of")
        inner = word.split(b" ")
        if len(values) < dimension or (len(inner) > 1 and _is_number(inner[-1])):
            n = sum(map(_is_number, [*inner[1:], *values]))
            raise LiteratimError(f"{where}: {n:,} values where the first line says {dimension:,}; write the file again")
        if not all(map(_is_number, values)):
            raise LiteratimError(f"{where}: a value is not a number; write the file again")
        with np.errstate(over="ignore"):  # too large a value is not finite, which is told below
            table[number] = [float(value) for value in values]
        yield word


def _binary(path: Path, stream: BinaryIO, table: NDArray[np.float32]) -> Iterator[bytes]:
    """The words, whose values go into the table. A newline before a word is left out: word2vec.c writes one after
    the values, gensim does not."""
    size = 4 * table.shape[1]
    buffer, at = b"", 0
    for row in table:
        while (space := buffer.find(b" ", at)) < 0 or space + size >= len(buffer):
            if space < 0 and len(buffer) - at > LONGEST_WORD:
                raise LiteratimError(f"{path}: no word where one should begin; the file is of another kind, or broken")
            if not (more := stream.read(CHUNK)):
                return
            buffer, at = buffer[at:] + more, 0
        row[:] = np.frombuffer(buffer, "<f4", len(row), space + 1)
        yield buffer[at:space].lstrip(b"\n")
        at = space + 1 + size
    if (buffer[at:] + stream.read(2)).strip(b"\n"):
        raise LiteratimError(f"{path}: more than the {len(table):,} words that its first line speaks of")
