"""Word vectors as they are in the world: cut words, words that come again, numbers at the ends of their range."""

import gzip
import json
import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from conftest import assert_refused, inside
from literatim.errors import LiteratimError, LiteratimWarning
from literatim.papers.word2vec import formats
from literatim.papers.word2vec.evaluation import Vectors, read_questions, read_similarities
from literatim.papers.word2vec.formats import WordVectors

KING, QUEEN = struct.pack("<3f", 0.1, -0.2, 0.3), struct.pack("<3f", 0.1, -0.2, 0.4)
ZWNJ = "\u200c"
LONG = "漢" * 40  # word2vec.c keeps 98 of its 120 bytes


def binary(*rows: tuple[bytes, bytes]) -> bytes:
    return b"%d 3\n" % len(rows) + b"".join(word + b" " + values + b"\n" for word, values in rows)


def in_text(*rows: tuple[bytes, bytes]) -> bytes:
    lines = [word + b" " + b" ".join(b"%.9g" % x for x in struct.unpack("<3f", values)) for word, values in rows]
    return b"%d 3\n" % len(rows) + b"\n".join(lines) + b"\n"


@pytest.mark.parametrize("written", [binary, in_text])
@pytest.mark.parametrize("kept", [98, 99])
def test_a_word_cut_inside_a_character_is_repaired_and_named(tmp_path, written, kept):
    path = tmp_path / "v.bin"
    path.write_bytes(written((b"king", KING), (LONG.encode()[:kept], QUEEN), (b"queen", QUEEN)))
    repaired = "漢" * (kept // 3) + "\ufffd" * (kept % 3 > 0)
    if kept == 99:  # on the edge of a character: nothing to repair
        found = formats.read(path)
    else:
        with pytest.warns(LiteratimWarning, match=f'1 of 3 words are not whole in UTF-8, such as "{repaired}"'):
            found = formats.read(path)
    assert found.words == ["king", repaired, "queen"]
    assert found.vectors[1].tolist() == list(struct.unpack("<3f", QUEEN))
    formats.write(found, tmp_path / "again.bin")
    with warnings.catch_warnings(action="error"):
        assert formats.read(tmp_path / "again.bin").words == found.words


def test_few_words_may_be_broken_in_their_middle_but_no_more(tmp_path):
    path, whole = tmp_path / "v.bin", [(b"w%d" % i, KING) for i in range(300)]
    path.write_bytes(binary(*whole, (b"\xe6\x9d_york", QUEEN)))  # as word2phrase.c joins what was cut
    with pytest.warns(LiteratimWarning, match="1 of 301 words"):
        assert formats.read(path).words[-1] == "\ufffd_york"
    path.write_bytes(binary(*whole, *((b"\xe9t\xe9%d" % i, QUEEN) for i in range(4))))
    with pytest.raises(LiteratimError, match='a word is not UTF-8: "\ufffdt\ufffd0"'):
        formats.read(path)


def test_the_command_says_so_in_a_line_and_goes_on(tmp_path):
    (tmp_path / "v.bin").write_bytes(binary((b"king", KING), (LONG.encode()[:98], QUEEN), (b"king", QUEEN)))
    done = inside("predict", "word2vec", "--vectors", "v.bin", "--words", "king", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        f'literatim: v.bin: 1 of 3 words are not whole in UTF-8, such as "{"漢" * 32}\ufffd"; '
        "\ufffd stands for what is broken",
        'literatim: v.bin: 1 words come again, such as "king"; the first of each counts',
    ]
    assert done.stdout.split() == ["king", "漢" * 32 + "\ufffd", "0.9915"]


def test_of_equal_words_the_first_counts(tmp_path):
    (tmp_path / "v.txt").write_bytes(in_text((b"a", KING), (b"b", QUEEN), (b"a", QUEEN), (b"c", QUEEN)))
    with pytest.warns(LiteratimWarning, match="1 words come again"):
        found = formats.read(tmp_path / "v.txt")
    assert found.words == ["a", "b", "c"]
    assert found.vectors.shape == (3, 3)
    assert np.array_equal(found.vectors[0], np.frombuffer(KING, "<f4"))


@pytest.mark.parametrize("size", [3e38, 1e20, 1.0, 1e-13, 1e-20, 1e-38, 1e-42])
def test_the_length_of_vectors_changes_no_cosine(size):
    table = torch.tensor([[1.0, 0.5], [0.5, 1.0], [-1.0, 0.25], [1.0, 1.0]], dtype=torch.float64)
    expected = Vectors("abcd", table.float()).neighbours("a")
    found = Vectors("abcd", (size * table).float()).neighbours("a")
    assert [word for word, _ in found] == [word for word, _ in expected]
    assert [c for _, c in found] == pytest.approx([c for _, c in expected], abs=1e-3 if size < 1e-40 else 1e-6)


def test_ordinary_rows_keep_their_bits_beside_odd_ones():
    torch.manual_seed(0)
    table = torch.randn(50, 7)
    odd = torch.cat([table, torch.full((1, 7), 3e38), torch.zeros(1, 7)])
    assert torch.equal(Vectors(["w"] * 52, odd).table[:50], torch.nn.functional.normalize(table, dim=1))
    assert torch.equal(Vectors(["w"] * 52, odd).table[51], torch.zeros(7))


def test_an_accent_is_one_however_it_is_typed():
    for written in ("café", "cafe\u0301"):
        vectors = Vectors([written, "thé"], torch.eye(2))
        assert vectors.id("cafe\u0301") == vectors.id("CAFÉ") == 0


def test_a_byte_order_mark_and_line_ends_of_dos(tmp_path):
    (tmp_path / "v.txt").write_bytes(b"\xef\xbb\xbf2 3\r\nking 1 2 3\r\nqueen 4 5 6\r\n")
    assert formats.read(tmp_path / "v.txt").words == ["king", "queen"]


@pytest.mark.parametrize("word", ["half\udce6", "a b", ""])
def test_words_that_no_file_can_hold(tmp_path, word):
    with pytest.raises(LiteratimError, match=r"v\.txt: the word"):
        formats.write(WordVectors([word], np.ones((1, 2), np.float32)), tmp_path / "v.txt")
    assert not list(tmp_path.iterdir())


# --- One line larger than memory ------------------------------------------------------------------------

LIMITED = """
import resource, sys
from literatim.errors import LiteratimError
from literatim.datasets.text import tokenised
from literatim.papers.word2vec import evaluation, formats
from pathlib import Path
before = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmSize")))
resource.setrlimit(resource.RLIMIT_AS, ((before + 150_000) * 1024,) * 2)
for read in (formats.read, evaluation.read_questions, evaluation.read_similarities):
    try:
        read(Path(sys.argv[2 if read is formats.read else 3]))
    except LiteratimError as error:
        print(error)
print(sum(len(some) for some in tokenised(sys.argv[1])))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc and limits memory")
def test_a_line_larger_than_memory_is_not_read_whole(tmp_path):
    block, blocks = b"x" * (1 << 20), 300
    for name, begin in (("text.txt.gz", b""), ("v.txt.gz", b"2 3\n")):
        with gzip.open(tmp_path / name, "wb", compresslevel=1) as stream:
            stream.write(begin)
            for _ in range(blocks):
                stream.write(block)
    with (tmp_path / "questions.txt").open("wb") as stream:
        stream.truncate(blocks << 20)  # zeros, which take no room
    paths = [str(tmp_path / name) for name in ("text.txt.gz", "v.txt.gz", "questions.txt")]
    done = subprocess.run([sys.executable, "-c", LIMITED, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    vectors, questions, similarities, words = done.stdout.splitlines()
    assert "v.txt.gz: no word where one should begin" in vectors or "a line of more than" in vectors
    assert "a line of more than 65,536 characters" in questions
    assert questions == similarities
    assert int(words) > 250  # cut, and each piece a word


def test_a_line_of_numbers_without_end(tmp_path):
    (tmp_path / "v.txt").write_bytes(b"2 3\nking 1 2 3\n" + b"queen 1 2 3 " * 9999)
    with pytest.raises(LiteratimError, match=r"v\.txt:3: a line of more than 65,728 bytes"):
        formats.read(tmp_path / "v.txt")


# --- Files of questions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["questions", "similarities"])
def test_files_of_questions_are_looked_at_before_the_training(tmp_path, option):
    (tmp_path / "q.txt").write_text("not a question\n")
    done = inside("fit", "word2vec", f"--model.{option}", "q.txt", "--trainer.limit_train_batches", "2", cwd=tmp_path)
    assert_refused(done, "q.txt")
    assert not (tmp_path / "runs" / "word2vec" / "quick" / "0").exists()


def test_questions_from_dos_with_a_byte_order_mark(tmp_path):
    (tmp_path / "q.txt").write_bytes(b"\xef\xbb\xbf: family\r\nking queen man woman\r\n")
    assert read_questions(tmp_path / "q.txt") == {"family": [("king", "queen", "man", "woman")]}
    (tmp_path / "s.txt").write_bytes(b"\xef\xbb\xbfking\tqueen\t8.5\r\n")
    assert read_similarities(tmp_path / "s.txt") == [("king", "queen", 8.5)]


# --- What is printed ------------------------------------------------------------------------------------


def test_nothing_in_a_file_reaches_the_terminal_as_a_command_to_it(tmp_path):
    escape = "\x1b[31mred\x07"
    (tmp_path / "v.bin").write_bytes(
        binary((b"king", KING), (escape.encode(), QUEEN), (f"می{ZWNJ}خواهم".encode(), QUEEN))
    )
    ask = ["predict", "word2vec", "--vectors", "v.bin", "--words"]
    shown, refused = inside(*ask, "king", cwd=tmp_path), inside(*ask, "\x1b[31mredd", cwd=tmp_path)
    assert "\ufffd[31mred\ufffd" in shown.stdout
    assert f"می{ZWNJ}خواهم" in shown.stdout  # a joiner is part of its word
    assert_refused(refused, '"\ufffd[31mredd" is not among', 'did you mean "\ufffd[31mred\ufffd"')
    assert "\x1b" not in shown.stdout + refused.stderr
    answers = json.loads(inside(*ask, "king", "--json", cwd=tmp_path).stdout)[0]["answers"]
    assert escape in [answer["word"] for answer in answers]  # JSON escapes it
