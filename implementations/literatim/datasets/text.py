"""Text as ids: sentences from a file, a folder or Python's own help texts, a vocabulary, and one array of words."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray

from literatim.errors import LiteratimError
from literatim.parts.words import composed
from literatim.places import expanded

Tokens = Literal["words", "whitespace"]

# Longer sentences are cut, as in the released code (word2vec.c: MAX_SENTENCE_LENGTH).
LONGEST = 1000
SUFFIXES = (".txt", ".txt.gz", ".txt.xz")
# What stands for the end of a sentence among tokens: one that no token is, for in a text it counts as a space.
END = "\0"
CHUNK = 1 << 16  # characters
# For text in ASCII, where this is several times faster than `word`: everything but letters becomes a space, and so does
# an apostrophe that has not a letter on both sides.
SPACES = str.maketrans({c: " " for c in map(chr, range(128)) if not c.isalpha() and c not in f"'{END}"})
LOOSE = re.compile(r"'(?:(?<![a-zA-Z]')|(?![a-zA-Z]))")


def tokenised(source: str, lower: bool = True, tokens: Tokens = "words") -> Iterator[list[str]]:
    """The tokens of a source in its order, some ten thousand at a time, with END after every line.

    Args:
        source: "pydoc", a text file with a sentence a line (also .gz and .xz), or a folder with .txt files
        lower: lower-case the text
        tokens: "words" takes the runs of letters, see `word`, in Unicode's form NFC, in which an accent is the same
            whether it was typed with its letter or behind it; "whitespace" what stands between spaces, as it stands

    Raises LiteratimError for a source that is missing, cannot be read or is not UTF-8.
    """
    for text in pydoc() if source == "pydoc" else _chunks(source):
        text = text.replace(END, " ").replace("\n", f" {END} ")
        text = text.lower() if lower else text
        if tokens == "whitespace":
            yield text.split()
        elif text.isascii():
            yield LOOSE.sub(" ", text.translate(SPACES)).split()
        else:
            yield [composed(found) for found in re.findall(f"{word()}|{END}", text)]


@cache
def word() -> str:
    """The pattern of a word: letters with the marks that belong to them, apostrophes between two of its letters.

    Marks (Unicode's category M) are the vowel signs of Indic scripts and Thai, the points of Hebrew and Arabic, accents
    that stand alone. Of the joiners, which show nothing, ZWNJ and ZWJ belong to a word between its letters or marks
    (Persian, Indic), and ZWJ also after a mark that ends it (old Malayalam). A script without spaces, such as Thai,
    Chinese or Japanese, is not cut into words: cut it before, and take tokens as whitespace.
    """
    letter, mark = r"[^\W\d_]", f"[{_marks()}]"
    return f"{letter}+(?:(?:['’\u200c\u200d]{letter}|[\u200c\u200d]?{mark}+\u200d?){letter}*)*"


def _marks() -> str:
    """All marks as ranges of a character class; they stand in the first two planes, and selectors in the fifteenth."""
    codes = [i for i in (*range(0x20000), *range(0xE0000, 0xE1000)) if unicodedata.category(chr(i))[0] == "M"]
    runs = [[code for _, code in run] for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0])]
    return "".join(f"\\U{run[0]:08x}-\\U{run[-1]:08x}" for run in runs)


def pydoc() -> Iterator[str]:
    """The help texts that every CPython carries, by topic in the order of the alphabet, a paragraph a line."""
    from pydoc_data.topics import topics

    for name in sorted(topics):
        paragraphs = re.split(r"\n\s*\n", topics[name])
        yield "".join(" ".join(paragraph.split("\n")) + "\n" for paragraph in paragraphs)


def text_files(source: str) -> list[Path]:
    """The files of a source that is one. Raises LiteratimError where there are none."""
    path = expanded(source)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.name.lower().endswith(SUFFIXES) and file.is_file())
        if not files:
            raise LiteratimError(f"{path}: no text in this folder; put files ending in {', '.join(SUFFIXES)} there")
        return files
    if not path.is_file():
        raise LiteratimError(f'{path}: there is no such text; data.source names a file, a folder or "pydoc"')
    return [path]


def fingerprint(source: str) -> str:
    """What becomes another where a text does: the SHA-256 of its file, or of those of its files in their order."""
    if source == "pydoc":
        return hashlib.sha256("".join(pydoc()).encode()).hexdigest()
    sums = []
    for file in text_files(source):
        try:
            with file.open("rb") as stream:
                sums.append(hashlib.file_digest(stream, "sha256").hexdigest())
        except OSError as error:
            raise LiteratimError(f"{file} cannot be read: {error.strerror}; fetch it again") from None
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def _chunks(source: str) -> Iterator[str]:
    """The text in pieces that end between two words, however long its lines are; each file's last ends a line."""
    for file in text_files(source):
        try:
            with _opened(file) as stream:
                rest = ""
                while block := stream.read(CHUNK):
                    rest += block
                    end = 1 + max(rest.rfind("\n"), rest.rfind(" "), rest.rfind("\t"))
                    if len(rest) > 16 * CHUNK and not end:
                        end = len(rest)  # not a word: it is cut
                    if end:
                        yield rest[:end]
                        rest = rest[end:]
                yield rest + "\n"
        except UnicodeDecodeError:
            raise LiteratimError(f"{file}: not UTF-8; convert it, for example with iconv") from None
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            raise LiteratimError(f"{file} cannot be read: {error}; fetch or pack it again") from None


def _opened(path: Path) -> IO[str]:
    form = "utf-8-sig"  # a mark of the byte order is no part of the text
    packed = path.suffix.lower()
    if packed == ".gz":
        return gzip.open(path, "rt", encoding=form)
    return lzma.open(path, "rt", encoding=form) if packed == ".xz" else path.open(encoding=form)


@dataclass(frozen=True)
class Vocabulary:
    """The words, the most frequent first, and how often each occurs: their places are their ids."""

    words: list[str]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def of(cls, counted: Iterable[tuple[str, int]], min_count: int = 5, at_most: int | None = None) -> Vocabulary:
        """Of words that have been counted, those that occur at least `min_count` times, or the `at_most` most frequent.

        Equally frequent words stand in the order of their code points, so the ids follow from the text alone.
        Raises LiteratimError where fewer than two words are left.
        """
        different, found = 0, []
        for word, n in counted:
            different += n > 0
            if n >= min_count:
                found.append((-n, word))
        kept = list(islice(sorted(found), at_most))
        if len(kept) < 2:
            raise LiteratimError(
                f"of {different:,} different words in the text {len(kept)} occur at least {min_count} times; "
                "at least two are needed: take more text or a smaller data.min_count"
            )
        return cls([word for _, word in kept], np.array([-n for n, _ in kept], dtype=np.int64))


@dataclass(frozen=True)
class Encoded:
    """A text as ids: sentence s is `ids[offsets[s] : offsets[s + 1]]`. Words outside the vocabulary are gone.

    Any array will do, one that is mapped from a file as well: `ids` is int32, `offsets` int64.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.offsets[-1])

    def blocks(self, words: int) -> list[tuple[int, int]]:
        """(first sentence, first sentence after it) of stretches of about so many words, each of whole sentences."""
        found, first, last = [], 0, len(self.offsets) - 1
        while first < last:
            after = int(np.searchsorted(self.offsets, self.offsets[first] + words, side="right")) - 1
            found.append((first, max(first + 1, after)))
            first = found[-1][1]
        return found
