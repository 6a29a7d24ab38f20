"""A text as ids on disk: the same as word by word, written once, with memory that does not grow with the text."""

import os
import random
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from literatim.datasets import encoding, text
from literatim.datasets.encoding import Options, encode
from literatim.datasets.phrases import Phrases
from literatim.errors import LiteratimError

PLAIN = {"lower": True, "tokens": "words", "min_count": 1, "at_most": None, "hold_out": 0, "phrases": Phrases(),
         "prune_at": 10**6}  # fmt: skip


def encoded(path, cache=None, **options):
    return encode(Options(source=str(path), **{**PLAIN, **options}), cache and str(cache))


def said(vocabulary, numbers) -> list[list[str]]:
    """A set in words again."""
    parts = np.split(numbers.ids, numbers.offsets[1:-1])
    return [[vocabulary.words[i] for i in part] for part in parts] if len(numbers) else []


def word_by_word(lines, options):
    """(words, counts, train, test), from the rules as they are written, a word at a time."""
    found = []
    for line in lines:
        line = line.lower() if options["lower"] else line
        words = re.findall(text.word(), line) if options["tokens"] == "words" else line.split()
        found += [words[i : i + text.LONGEST] for i in range(0, len(words), text.LONGEST)]
    every = options["hold_out"]
    test = [s for i, s in enumerate(found) if every and i % every == every - 1]
    train = [s for i, s in enumerate(found) if not (every and i % every == every - 1)]
    counts = Counter(word for sentence in train for word in sentence)
    kept = sorted((-n, word) for word, n in counts.items() if n >= options["min_count"])
    known = {word for _, word in kept}
    sets = [[left for s in part if (left := [w for w in s if w in known])] for part in (train, test)]
    return [word for _, word in kept], [-n for n, _ in kept], *sets


PIECES = {
    "ascii": [
        "it's",
        "''it",
        "its'",
        "o'n'e",
        "a''b",
        "two-fold",
        "R2D2",
        "x_y",
        "THE",
        "the",
        "'",
        "3.14",
        "\t",
        "\0",
    ],
    "mixed": ["it’s", "Größe", "naïve", "Σίσυφος", "İs", "x²", "\u00a0", "漢字", "it's", "'it", "42", "\u2028a", "The"],
}


@pytest.mark.parametrize("pieces", PIECES)
@pytest.mark.parametrize("options", [
    {}, {"tokens": "whitespace", "lower": False}, {"hold_out": 3, "min_count": 5}, {"lower": False, "hold_out": 2},
])  # fmt: skip
def test_it_is_what_it_would_be_word_by_word(tmp_path, monkeypatch, pieces, options):
    monkeypatch.setattr(text, "CHUNK", 50)
    monkeypatch.setattr(text, "LONGEST", 30)
    monkeypatch.setattr(encoding, "LONGEST", 30)
    monkeypatch.setattr(encoding, "FLUSH", 100)
    monkeypatch.setattr(encoding, "SENTENCES", 7)
    draw = random.Random(0)
    lines = [" ".join(draw.choices(PIECES[pieces], k=draw.choice([0, 1, 5, 30, 31, 95]))) for _ in range(60)]
    (tmp_path / "text.txt").write_text("\n".join(lines), encoding="utf-8")
    lines = [line.replace("\0", " ") for line in lines]
    words, counts, train, test = word_by_word(lines, {**PLAIN, **options})
    vocabulary, sets = encoded(tmp_path / "text.txt", **options)
    assert (vocabulary.words, vocabulary.counts.tolist()) == (words, counts)
    assert said(vocabulary, sets["train"]) == train
    assert said(vocabulary, sets["test"]) == test
    assert (sets["train"].ids.dtype, sets["train"].offsets.dtype) == (np.int32, np.int64)


def test_a_line_of_a_million_words_is_cut(tmp_path):
    (tmp_path / "line.txt").write_text("a b c d " * 250_000)
    vocabulary, sets = encoded(tmp_path / "line.txt")
    assert vocabulary.counts.tolist() == [250_000] * 4
    assert set(np.diff(sets["train"].offsets).tolist()) == {1000}


# --- The cache ----------------------------------------------------------------------------------------


def test_ids_are_written_once_while_text_and_options_are_the_same(tmp_path, monkeypatch):
    path, cache = tmp_path / "text.txt", tmp_path / "cache"
    path.write_text("a b a c\nb a\n" * 9)
    first = encoded(path, cache)
    in_memory = encoded(path)
    reads = []
    monkeypatch.setattr(encoding, "tokenised", lambda *args: reads.append(1) or text.tokenised(*args))
    again = encoded(path, cache)
    assert not reads
    for vocabulary, sets in (again, in_memory):
        assert vocabulary.words == first[0].words
        assert np.array_equal(sets["train"].ids, first[1]["train"].ids)
        assert np.array_equal(sets["train"].offsets, first[1]["train"].offsets)
    for i, options in enumerate(({"min_count": 2}, {"hold_out": 2}, {"phrases": Phrases([1.0])}, {"prune_at": 9}), 1):
        encoded(path, cache, **options)
        assert len(reads) == i
    os.utime(path, ns=(0, 0))
    encoded(path, cache)
    assert len(reads) == 4  # the age of a text is nothing
    path.write_text("a b a c\nb b\n" * 9)
    encoded(path, cache)
    assert len(reads) == 5


def test_what_fails_leaves_nothing_in_the_cache(tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"a b " * 99 + "Größe".encode("latin-1"))
    with pytest.raises(LiteratimError, match="not UTF-8"):
        encoded(tmp_path / "latin.txt", tmp_path / "cache")
    assert [path.name[:6] for path in (tmp_path / "cache").iterdir()] == [".lock-"]


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "text.txt").write_text("a b a b")
    with pytest.raises(LiteratimError, match=r"text\.txt.*: the ids of the text cannot be kept there"):
        encoded(tmp_path / "text.txt", tmp_path / "text.txt" / "cache")


MEASURED = """
import sys
from literatim.datasets.encoding import Options, encode
from literatim.datasets.phrases import Phrases
encode(Options(sys.argv[1], True, "words", 5, None, 100, Phrases(), 10**6), sys.argv[2])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_does_not_grow_with_the_text(tmp_path):
    draw = random.Random(0)
    words = [f"{a}{b}{c}" for a in "bcdfgh" for b in "aeiou" for c in "lmnprst"]
    part = "\n".join(" ".join(draw.choices(words, k=20)) for _ in range(13_000)) + "\n"  # a megabyte
    peaks = []
    for size in (4, 40):
        path = tmp_path / f"{size}.txt"
        path.write_text(part * size)
        command = [sys.executable, "-c", MEASURED, str(path), str(tmp_path / "cache")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] - peaks[0] < 8, peaks  # the ids of the larger text alone are 40 MB


# --- Rare words that are forgotten ----------------------------------------------------------------------


def test_rare_words_are_forgotten_while_counting(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "CHUNK", 64)
    lines = ["early seldom often"] + [f"often seen {'x' * (i % 40 + 1)}{'y' * (i // 40 + 1)}" for i in range(400)]
    (tmp_path / "text.txt").write_text("\n".join([*lines, "early often seen"]))
    whole, _ = encoded(tmp_path / "text.txt", min_count=2)
    assert (whole.words, whole.counts.tolist()) == (["often", "seen", "early"], [402, 401, 2])
    pruned, sets = encoded(tmp_path / "text.txt", min_count=2, prune_at=20, hold_out=50)
    assert pruned.words == ["often", "seen"]  # "early" came twice, but had been forgotten in between
    expected = [["often"]] + [["often", "seen"]] * 401
    assert said(pruned, sets["train"]) == [s for i, s in enumerate(expected) if i % 50 != 49]
    assert said(pruned, sets["test"]) == [s for i, s in enumerate(expected) if i % 50 == 49]


def test_the_rarest_go_first(tmp_path, monkeypatch):
    """Looked at after each line here, and by hand: five words are too many (END and the mark of what is forgotten count
    too), so the three of one occurrence go; when these come again they go with b, which has occurred twice; and b
    is then counted from nothing."""
    monkeypatch.setattr(text, "CHUNK", 10)
    lines = ["a a a b b ", "c d e     ", "c d e     ", "a b b     "]
    (tmp_path / "text.txt").write_text("\n".join(line[:9] for line in lines) + "\n")
    vocabulary, _ = encoded(tmp_path / "text.txt", prune_at=5, min_count=1, at_most=None)
    assert dict(zip(vocabulary.words, vocabulary.counts.tolist(), strict=True)) == {"a": 4, "b": 2}


# --- Phrases --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "word"), [
    ({"thresholds": [100.0, 200.0]}, "they must fall"),
    ({"thresholds": [1.0, -1.0]}, "none may be negative"),
    ({"thresholds": [1.0], "delta": -5}, "none may be negative"),
])  # fmt: skip
def test_phrases_that_cannot_be(options, word):
    with pytest.raises(LiteratimError, match=word):
        Phrases(**options)


@pytest.mark.parametrize("scoring", ["printed", "released"])
@pytest.mark.parametrize("thresholds", [[0.001], [0.002, 0.0005], [0.003, 0.001, 0.0]])
@pytest.mark.parametrize("delta", [0, 2, 2.5])
def test_phrases_are_those_of_the_paper_s_readable_code(tmp_path, monkeypatch, scoring, thresholds, delta):
    from literatim.papers.word2vec_phrases.phrases import passes

    monkeypatch.setattr(encoding, "SENTENCES", 5)
    monkeypatch.setattr("literatim.datasets.phrases.GATHERED", 50)
    draw = random.Random(1)
    words = [*"abcdefgh", "a_b", "b_c"]  # a phrase may have the name of a word, and two phrases the same
    lines = [" ".join(draw.choices(words, weights=range(10, 0, -1), k=draw.randint(1, 12))) for _ in range(120)]
    (tmp_path / "text.txt").write_text("\n".join(lines))
    if scoring == "released":
        thresholds = [t * sum(map(len, (line.split() for line in lines))) for t in thresholds]
    vocabulary, sets = encoded(
        tmp_path / "text.txt", tokens="whitespace", phrases=Phrases(thresholds, delta, scoring), hold_out=10
    )
    train = [line.split() for i, line in enumerate(lines) if i % 10 != 9]
    expected = list(passes(lambda: train, thresholds, delta, scoring))
    assert said(vocabulary, sets["train"]) == expected
    assert any("_" in word and len(word) > 3 for word in vocabulary.words)
    assert any("_" in word for sentence in said(vocabulary, sets["test"]) for word in sentence)


def test_rare_pairs_are_forgotten_too():
    from literatim.datasets.phrases import phrase_pairs

    ids = np.array([2, 3] * 9 + [4, 5], dtype=np.int32)
    counts = np.bincount(ids)
    block = [(ids, np.array([len(ids)]))]
    assert phrase_pairs(block, counts, 0, Phrases([0.0], 0), 99).tolist() == [15, 20, 22, 29]
    assert phrase_pairs(block, counts, 0, Phrases([0.0], 0), 2).tolist() == [15, 20]
