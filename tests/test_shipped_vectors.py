"""The word vectors that ship: by `load`, `predict` and `export`, and what is said where they cannot be had."""

import json
import shutil

import numpy as np
import pytest
import torch

import literatim
from conftest import assert_refused, forget, inside
from literatim.errors import LiteratimError
from literatim.loading import shipped_vectors
from literatim.papers.word2vec import formats
from literatim.papers.word2vec.evaluation import Vectors
from literatim.papers.word2vec_phrases.demo import read
from literatim.registry.lint import lint
from literatim.registry.reading import heads, weights_path

PAPER, NAME = "word2vec-phrases", "wordnet"
SHIPPED = weights_path(PAPER, NAME)
PREDICT = ["predict", PAPER, "--weights", NAME]


def test_they_load_by_the_paper_s_names_as_words_with_vectors():
    vectors = literatim.load("sgns", weights=NAME)
    assert isinstance(vectors, Vectors)
    words, tensors, _ = read(SHIPPED)
    assert vectors.words == words.words
    assert torch.equal(vectors.table, torch.nn.functional.normalize(tensors["vectors"].float(), dim=1))
    assert vectors.analogy("man", "king", "woman")[0][0] == "queen"
    assert [paper for paper in heads() if shipped_vectors(paper)] == [PAPER]


@pytest.mark.parametrize("args", [PREDICT, PREDICT[:2], ["predict", "1310.4546", "--weights=wordnet"]])
def test_predict_answers_by_them(args):
    done = inside(*args, "--words", "King", "--analogy", "man", "king", "woman", "--number", "2", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    expected = literatim.load(PAPER, weights=NAME)
    assert [row["answers"][0]["word"] for row in rows] == ["queen", "queen"]
    found = [(answer["word"], answer["cosine"]) for answer in rows[0]["answers"]]
    assert found == expected.neighbours("king", 2)


def test_they_are_written_in_word2vec_s_formats(tmp_path):
    done = inside("export", PAPER, "--weights", NAME, "--to", str(tmp_path / "v.bin"))
    assert done.returncode == 0, done.stderr
    found, vectors = formats.read(tmp_path / "v.bin"), literatim.load(PAPER, weights=NAME)
    assert found.words == vectors.words
    assert np.array_equal(found.vectors, vectors.table.numpy())


@pytest.mark.parametrize(("args", "sentence"), [
    (["predict", PAPER, "--weights", "wordnets", "--words", "king"], 'no weights "wordnets"; did you mean "wordnet"?'),
    (["predict", "word2vec", "--weights", NAME, "--words", "king"], 'word2vec has no weights "wordnet"; none ship'),
    ([*PREDICT, "--words", "kinge"], '"kinge" is not among the 4,000 words; did you mean "king"'),
    ([*PREDICT, "--ckpt_path", "last", "--words", "king"], "--ckpt_path and --weights exclude each other"),
    ([*PREDICT, "--vectors", "v.bin", "--words", "king"], "--vectors and --weights exclude each other"),
    ([*PREDICT], "ask something of word2vec-phrases"),
    (["export", PAPER, "--weights", NAME, "--variant", "neg-5", "--to", "v.bin"], "leave --variant out"),
    (["export", PAPER, "--weights", "x", "--to", "v.bin"], 'no weights "x"; it has wordnet'),
    (["export", PAPER, "--weights", NAME, "--to", "v.onnx"], "name a file ending in"),
])  # fmt: skip
def test_what_cannot_be_had_is_refused(tmp_path, args, sentence):
    assert_refused(inside(*args, cwd=tmp_path), sentence)


@pytest.mark.parametrize("given", [{"variant": "neg-5"}, {"dimension": 100}])
def test_they_are_no_network(given):
    with pytest.raises(LiteratimError, match="are words with their vectors: no variant, no options"):
        literatim.load(PAPER, weights=NAME, **given)


@pytest.mark.parametrize("place", [100, 200_000, -1])
def test_a_flipped_bit_in_them_is_noticed(papers, place):
    path = papers / PAPER / "weights" / SHIPPED.name
    path.parent.mkdir()
    shutil.copy(SHIPPED, path)
    assert literatim.load(PAPER, weights=NAME).words
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(LiteratimError, match="is damaged: its checksum is not the card's"):
        literatim.load(PAPER, weights=NAME)


def test_vectors_without_a_checksum_on_the_card_are_a_fault(papers):
    file = papers / PAPER / "card.yaml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("  sha256: ")), encoding="utf-8")
    forget()
    assert any("demo.vectors: no record speaks of them" in fault for fault in lint())
