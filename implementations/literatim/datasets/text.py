"""Text as ids: sentences from a file, a folder or Python's own help texts, a vocabulary, and one array of words."""

from __future__ import annotations

import gzip
import lzma
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray

from literatim.errors import LiteratimError

Tokens = Literal["words", "whitespace"]
Sentence = list[str]

# Longer sentences are cut, as in the released code (word2vec.c: MAX_SENTENCE_LENGTH).
LONGEST = 1000
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
SUFFIXES = (".txt", ".txt.gz", ".txt.xz")


def sentences(source: str, lower: bool = True, tokens: Tokens = "words") -> Iterator[Sentence]:
    """The sentences of a source, each a list of words; empty ones are left out.

    Args:
        source: "pydoc", a text file with a sentence a line (also .gz and .xz), or a folder with .txt files
        lower: lower-case the text
        tokens: "words" takes the runs of letters, with apostrophes inside; "whitespace" what stands between spaces

    Raises LiteratimError for a source that is missing, cannot be read or is not UTF-8.
    """
    for line in pydoc() if source == "pydoc" else _lines(Path(source)):
        text = line.lower() if lower else line
        found = WORD.findall(text) if tokens == "words" else text.split()
        for start in range(0, len(found), LONGEST):
            yield found[start : start + LONGEST]


def pydoc() -> Iterator[str]:
    """The paragraphs of the help texts that every CPython carries, by topic in the order of the alphabet."""
    from pydoc_data.topics import topics

    for name in sorted(topics):
        yield from re.split(r"\n\s*\n", topics[name])


def _lines(path: Path) -> Iterator[str]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.name.endswith(SUFFIXES))
        if not files:
            raise LiteratimError(f"{path}: no text in this folder; put files ending in {', '.join(SUFFIXES)} there")
    elif path.is_file():
        files = [path]
    else:
        raise LiteratimError(f'{path}: there is no such text; data.source names a file, a folder or "pydoc"')
    for file in files:
        try:
            with _opened(file) as stream:
                yield from stream
        except UnicodeDecodeError:
            raise LiteratimError(f"{file}: not UTF-8; convert it, for example with iconv") from None
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            raise LiteratimError(f"{file} cannot be read: {error}; fetch or pack it again") from None


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8")


@dataclass(frozen=True)
class Vocabulary:
    """The words, the most frequent first, and how often each occurs: their places are their ids."""

    words: list[str]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def of(cls, text: Iterable[Sentence], min_count: int = 5, at_most: int | None = None) -> Vocabulary:
        """The words that occur at least `min_count` times, or the `at_most` most frequent of them.

        Equally frequent words stand in the order of their code points, so the ids follow from the text alone.
        Raises LiteratimError where fewer than two words are left.
        """
        counted: Counter[str] = Counter()
        for sentence in text:
            counted.update(sentence)
        kept = sorted((-n, word) for word, n in counted.items() if n >= min_count)
        kept = list(islice(kept, at_most))
        if len(kept) < 2:
            raise LiteratimError(
                f"of {len(counted):,} different words in the text {len(kept)} occur at least {min_count} times; "
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

    @classmethod
    def of(cls, text: Iterable[Sentence], vocabulary: Vocabulary) -> Encoded:
        place = {word: i for i, word in enumerate(vocabulary.words)}
        parts, ends = [np.empty(0, np.int32)], [0]
        for sentence in text:
            ids = np.array([place[word] for word in sentence if word in place], dtype=np.int32)
            if len(ids):
                parts.append(ids)
                ends.append(ends[-1] + len(ids))
        return cls(np.concatenate(parts), np.array(ends, dtype=np.int64))

    def blocks(self, words: int) -> list[tuple[int, int]]:
        """(first sentence, first sentence after it) of stretches of about so many words, each of whole sentences."""
        found, first, last = [], 0, len(self.offsets) - 1
        while first < last:
            after = int(np.searchsorted(self.offsets, self.offsets[first] + words, side="right")) - 1
            found.append((first, max(first + 1, after)))
            first = found[-1][1]
        return found
