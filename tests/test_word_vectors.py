"""Word vectors in word2vec's files, held against gensim; and at the command line: fit, predict, export, bad input."""

import gzip
import hashlib
import io
import json
import struct

import numpy as np
import pytest
import torch

import literatim
from literatim.cli import main
from literatim.errors import LiteratimError
from literatim.papers.word2vec import formats
from literatim.papers.word2vec.formats import WordVectors

WORDS = ["the", "größe", "東京", "new_york", "</s>", "7.5"]
FORMATS = ["v.txt", "v.vec", "v.bin", "v.txt.gz", "v.bin.gz"]


@pytest.fixture
def some() -> WordVectors:
    values = np.random.default_rng(0).normal(size=(len(WORDS), 5)).astype(np.float32)
    values[0] = [0, -0.0, 1e-30, -3.4e38, 1 / 3]
    return WordVectors(WORDS, values)


def same(one: WordVectors, other: WordVectors) -> bool:
    return one.words == other.words and one.vectors.tobytes() == other.vectors.tobytes()


# --- The files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_read_bit_for_bit(tmp_path, monkeypatch, some, name):
    monkeypatch.setattr(formats, "CHUNK", 31)
    formats.write(some, tmp_path / name)
    assert same(formats.read(tmp_path / name), some)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    plain = (gzip.open if name.endswith("gz") else open)(tmp_path / name, "rb").read()
    assert plain.startswith(b"6 5\nthe ")
    assert (plain[8:28] == some.vectors[0].tobytes()) == (".bin" in name)


@pytest.mark.parametrize("name", FORMATS)
def test_gensim_reads_ours_and_we_read_gensim_s(tmp_path, some, name):
    keyed = pytest.importorskip("gensim.models", reason="gensim is not installed: make compare").KeyedVectors
    formats.write(some, tmp_path / name)
    theirs = keyed.load_word2vec_format(str(tmp_path / name), binary=".bin" in name)
    assert same(WordVectors(theirs.index_to_key, theirs.vectors), some)
    theirs.save_word2vec_format(str(tmp_path / f"again-{name}"), binary=".bin" in name)
    again = formats.read(tmp_path / f"again-{name}")
    order = [WORDS.index(word) for word in again.words]
    assert same(again, WordVectors([WORDS[i] for i in order], some.vectors[order]))
    assert sorted(order) == list(range(len(WORDS)))


def test_neighbours_and_analogies_are_gensim_s(tmp_path, some):
    from literatim.papers.word2vec.training import Word2VecTraining

    keyed = pytest.importorskip("gensim.models", reason="gensim is not installed: make compare").KeyedVectors
    some.vectors[0] = 1
    formats.write(some, tmp_path / "v.bin")
    theirs = keyed.load_word2vec_format(str(tmp_path / "v.bin"), binary=True)
    ours = Word2VecTraining.look_up(formats.read(tmp_path / "v.bin"))
    for found, expected in (
        (ours.neighbours("東京", 5), theirs.most_similar("東京", topn=5)),
        (ours.analogy("the", "größe", "7.5", 3), theirs.most_similar(["größe", "7.5"], ["the"], topn=3)),
    ):
        assert [word for word, _ in found] == [word for word, _ in expected]
        assert np.allclose([c for _, c in found], [c for _, c in expected], atol=1e-5)


def test_the_released_tools_own_layout_is_read(tmp_path):
    """word2vec.c ends every line of text with a space, and every binary vector with a newline."""
    (tmp_path / "v.txt").write_bytes(b"2 2\n</s> 0.500000 -1.000000 \nking 2.000000 0.250000 \n")
    (tmp_path / "v.bin").write_bytes(
        b"2 2\n</s> " + struct.pack("<2f", 0.5, -1) + b"\nking " + struct.pack("<2f", 2, 0.25)
    )
    expected = WordVectors(["</s>", "king"], np.array([[0.5, -1], [2, 0.25]], dtype=np.float32))
    assert same(formats.read(tmp_path / "v.txt"), expected)
    assert same(formats.read(tmp_path / "v.bin"), expected)


def test_spaces_in_words(tmp_path):
    (tmp_path / "v.txt").write_text("2 2\nnew york 1 2\n. . . 3 4\n")  # as other tools write them
    assert formats.read(tmp_path / "v.txt").words == ["new york", ". . ."]
    for word in ("new york", "", "a\u00a0b", "line\n"):
        for name in ("out.txt", "out.bin"):
            with pytest.raises(LiteratimError, match="has a space in it"):
                formats.write(WordVectors([word], np.ones((1, 2), np.float32)), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["v.txt"]


VALUES = struct.pack("<3f", 0.1, -0.2, 0.3)


@pytest.mark.parametrize(("content", "sentence"), [
    (b"", ":1: not a number of words"),
    (b"king 0.1 0.2 0.3\n", ":1: not a number of words"),
    (b"2\nking 0.1\n", ":1: not a number of words"),
    (b"0 3\n", ":1: not a number of words"),
    (b"-1 3\n", ":1: not a number of words"),
    (b"2 3 4\n", ":1: not a number of words"),
    (b"999999999999 99999999\nking 0.1\n", "do not fit into memory"),
    (b"2 3\nking 0.1 0.2 0.3\n", "cut short after 1 of 2 words"),
    (b"2 3\nking 0.1 0.2 0.3\nqueen 0.1", ":3: 1 values where the first line says 3"),
    (b"1 3\nking 0.1 0.2 0.3 0.4\n", ":2: 4 values where the first line says 3"),
    (b"2 3\nking 1 2 3\nqueen 0.1 0.2\n", ":3: 2 values where the first line says 3"),
    (b"2 3\nking 1 2 3\nqueen 0.1 x 0.3\n", ":3: a value is not a number"),
    (b"1 3\nking 1 2 3\nqueen 4 5 6\n", ":3: more than the 1 words"),
    (b"2 3\nking 1 2 3\n\xe9t\xe9 1 2 3\n", "a word is not UTF-8"),
    (b"1 3\nking 1 nan 3\n", "some values are not finite"),
    (b"2 3\nking " + VALUES + b"\nqueen " + VALUES[:7], "cut short after 1 of 2 words"),
    (b"2 3\nking " + VALUES + b"\nqueen", "cut short after 1 of 2 words"),
    (b"1 3\nking " + VALUES + b"\nqueen " + VALUES, "more than the 1 words"),
    (b"1 3\n\xe9t\xe9 " + VALUES, "a word is not UTF-8"),
    (b"1 3\n" + b"\1" * 99_999 + VALUES, "no word where one should begin"),
])  # fmt: skip
def test_files_that_are_broken(tmp_path, fault, content, sentence):
    path = tmp_path / "v"
    for packed in (content, gzip.compress(content)):
        path.write_bytes(packed)
        with pytest.raises(LiteratimError) as caught:
            formats.read(path)
        assert sentence in str(caught.value)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)
        fault("vectors-damaged")


def test_a_packed_file_that_is_cut(tmp_path, some):
    formats.write(some, tmp_path / "v.txt.gz")
    whole = (tmp_path / "v.txt.gz").read_bytes()
    (tmp_path / "v.txt.gz").write_bytes(whole[:-20])
    with pytest.raises(LiteratimError, match="cannot be read"):
        formats.read(tmp_path / "v.txt.gz")


def test_ids_on_disk_make_the_same_windows(tmp_path):
    from literatim.datasets.corpus import Corpus

    (tmp_path / "text.txt").write_text("\n".join(LINES))
    made = []
    for cache in (None, str(tmp_path / "cache")):
        data = Corpus(source=str(tmp_path / "text.txt"), min_count=1, hold_out=4, batch_size=7, cache=cache)
        data.setup("fit")
        made.append([*data.train_dataloader(), *data.test_dataloader()])
    assert len(made[0]) > 20
    for ours, theirs in zip(*made, strict=True):
        assert ours.words == theirs.words
        assert ours.centre.tolist() == theirs.centre.tolist()
        assert ours.context.tolist() == theirs.context.tolist()


# --- The command --------------------------------------------------------------------------------------

LINES = ["the cat sat on the mat", "the dog sat on the cat", "a dog is not a cat", "new york is not the mat"] * 9


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with a text and a short run on it, phrases joined."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "text.txt").write_text("\n".join(LINES))
    assert main(["fit", "word2vec", *options(folder), "--trainer.max_epochs", "2"]) == 0
    return folder


def options(folder) -> list[str]:
    return [
        "--runs", str(folder / "runs"), "--data.source", str(folder / "text.txt"), "--data.min_count", "1",
        "--data.hold_out", "0", "--data.phrases.thresholds", "[0.09]", "--data.phrases.delta", "1",
        "--model.options.dimension", "4", "--trainer.enable_progress_bar", "false",
    ]  # fmt: skip


def asked(capsys, *args):
    capsys.readouterr()
    status = main(list(map(str, args)))
    out, err = capsys.readouterr()
    assert status == 0, err
    return out


def refused(capsys, *args):
    """What the command says where it refuses, which must be one line."""
    capsys.readouterr()
    status = main(list(map(str, args)))
    out, err = capsys.readouterr()
    assert status == 2, out
    assert out == ""
    assert err.startswith("literatim: ")
    assert err.count("\n") == 1
    return err


def test_a_record_says_on_which_text(run):
    record = json.loads((run / "runs" / "word2vec" / "quick" / "0" / "record.json").read_text())
    text = run / "text.txt"
    assert record["files_sha256"] == {str(text): hashlib.sha256(text.read_bytes()).hexdigest()}


def test_a_run_answers_and_its_exported_vectors_answer_the_same(run, capsys, tmp_path):
    source = ["--ckpt_path", "last", "--runs", run / "runs"]
    questions = ["--words", "cat", "DOG", "--analogy", "cat", "dog", "new_york", "--number", "3", "--json"]
    rows = json.loads(asked(capsys, "predict", "word2vec", *source, *questions))
    assert [row.get("word") or row["analogy"] for row in rows] == ["cat", "DOG", ["cat", "dog", "new_york"]]
    for row in rows:
        assert len(row["answers"]) == 3
        cosines = [answer["cosine"] for answer in row["answers"]]
        assert cosines == sorted(cosines, reverse=True)
        assert not {"cat", "dog"} & {a["word"] for a in row["answers"]} or "word" in row
    for name in ("v.bin", "v.txt.gz"):
        assert asked(capsys, "export", "word2vec", *source, "--to", tmp_path / name) == f"{tmp_path / name}\n"
        again = json.loads(asked(capsys, "predict", "word2vec-phrases", "--vectors", tmp_path / name, *questions))
        assert again == rows
    asked(capsys, "export", "word2vec", "--vectors", tmp_path / "v.bin", "--to", tmp_path / "v.txt")
    assert same(formats.read(tmp_path / "v.txt"), formats.read(tmp_path / "v.bin"))
    table = asked(capsys, "predict", "word2vec", *source, "--words", "cat", "--number", "2").splitlines()
    assert table[0] == "cat"
    assert [line.split()[0] for line in table[1:]] == [answer["word"] for answer in rows[0]["answers"][:2]]


def test_a_run_s_words_load_as_those_that_ship(run, capsys):
    checkpoint = run / "runs" / "word2vec" / "quick" / "0" / "checkpoints" / "last.ckpt"
    vectors = literatim.load("word2vec", weights=checkpoint)
    asks = ["predict", "word2vec", "--ckpt_path", checkpoint, "--words", "cat", "--json"]
    answers = json.loads(asked(capsys, *asks))[0]["answers"]
    assert [(answer["word"], answer["cosine"]) for answer in answers] == vectors.neighbours("cat")
    with pytest.raises(LiteratimError, match="a checkpoint of word2vec skip-gram, not of word2vec-phrases"):
        literatim.load("word2vec-phrases", weights=checkpoint)


def test_exported_vectors_are_the_run_s_own(run, capsys, tmp_path):
    state = torch.load(run / "runs" / "word2vec" / "quick" / "0" / "checkpoints" / "last.ckpt", weights_only=True)
    asked(capsys, "export", "word2vec", "--ckpt_path", "last", "--runs", run / "runs", "--to", tmp_path / "v.bin")
    found = formats.read(tmp_path / "v.bin")
    assert found.words == state["words"]
    assert np.array_equal(found.vectors, state["state_dict"]["net.vectors.weight"].numpy())


@pytest.mark.parametrize(("args", "sentence"), [
    (["--words", "caat"], '"caat" is not among the 10 words; did you mean "cat"'),
    (["--analogy", "cat", "dog", "sta"], '"sta" is not among the 10 words; did you mean "sat"'),
    (["--analogy", "cat", "dog"], "--analogy: expected 3 arguments"),
    ([], "ask something of word2vec"),
    (["--words", "cat", "--number", "0"], "--number is 0"),
    (["--words", "cat", "--vectors", "v.bin"], "name either a run"),
    (["--words", "cat", "--recipe", "text"], "has a checkpoint called last"),
    (["--words", "cat", "--wrods", "2"], 'there is no option --wrods; did you mean "--words"'),
])  # fmt: skip
def test_questions_that_cannot_be_answered(run, capsys, args, sentence):
    assert sentence in refused(capsys, "predict", "word2vec", "--ckpt_path", "last", "--runs", run / "runs", *args)


def test_vectors_that_are_not_there(run, capsys, tmp_path):
    assert "name either a run" in refused(capsys, "predict", "word2vec", "--words", "cat")
    said = refused(capsys, "predict", "word2vec", "--vectors", tmp_path / "none.bin", "--words", "cat")
    assert "none.bin: there is no such file" in said
    (tmp_path / "v.bin").write_bytes(b"")
    said = refused(capsys, "predict", "word2vec", "--vectors", tmp_path / "v.bin", "--words", "cat")
    assert "v.bin:1: not a number of words" in said
    source = ["--ckpt_path", "last", "--runs", run / "runs"]
    said = refused(capsys, "export", "word2vec", *source, "--to", tmp_path / "v.onnx")
    assert "name a file ending in .txt, .vec (text) or .bin (binary)" in said
    checkpoint = run / "runs" / "word2vec" / "quick" / "0" / "checkpoints" / "last.ckpt"
    said = refused(capsys, "predict", "word2vec-phrases", "--ckpt_path", checkpoint, "--words", "cat")
    assert "a checkpoint of word2vec, not of word2vec-phrases" in said
    said = refused(capsys, "export", "lenet", "--vectors", "v.bin", "--to", tmp_path / "v.txt")
    assert "lenet learns no words" in said


@pytest.mark.parametrize(("change", "sentence"), [
    (["--model.options.dimension", "0"], "the dimension of word vectors is 0"),
    (["--data.window", "0"], "data.window is 0"),
    (["--data.min_count", "1000"], "at least two are needed"),
    (["--data.phrases.thresholds", "[1, 2]"], "they must fall"),
    (["--data.source", "empty.txt"], "of 0 different words"),
    (["--data.source", "one.txt"], "of 1 different words"),
    (["--data.source", "latin.txt"], "latin.txt: not UTF-8"),
    (["--data.source", "nowhere.txt"], "there is no such text"),
])  # fmt: skip
def test_fits_that_cannot_be(run, capsys, tmp_path, monkeypatch, change, sentence):
    monkeypatch.chdir(tmp_path)
    for name, content in (("empty.txt", b"\n \n"), ("one.txt", b"one one"), ("latin.txt", b"a b \xe9t\xe9")):
        (tmp_path / name).write_bytes(content)
    assert sentence in refused(capsys, "fit", "word2vec", *options(run), *change, "--runs", tmp_path / "runs")


def test_a_vocabulary_that_does_not_fit_the_checkpoint(run, capsys):
    said = refused(capsys, "test", "word2vec", *options(run), "--data.min_count", "10", "--ckpt_path", "last")
    assert "the checkpoint is of another text or vocabulary" in said


DAMAGES = {
    "no words": lambda state: state.pop("words"),
    "words of no kind": lambda state: state.update(words=7),
    "no word": lambda state: state.update(words=[]),
    "more words than vectors": lambda state: state.update(words=["a"] * 99),
    "no weights": lambda state: state.pop("state_dict"),
    "a weight of another kind": lambda state: state["state_dict"].update({"net.vectors.weight": "x"}),
    "weights of another shape": lambda state: state["state_dict"].update({"net.vectors.weight": torch.zeros(99)}),
    "no numbers": lambda state: state["state_dict"]["net.vectors.weight"].fill_(torch.nan),
    "an identity of no kind": lambda state: state.update(literatim="word2vec"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_checkpoint_without_a_vector_for_each_word_is_refused(run, capsys, tmp_path, fault, damage):
    state = torch.load(run / "runs" / "word2vec" / "quick" / "0" / "checkpoints" / "last.ckpt", weights_only=True)
    DAMAGES[damage](state)
    torch.save(state, tmp_path / "damaged.ckpt")
    source = ["--ckpt_path", tmp_path / "damaged.ckpt"]
    said = refused(capsys, "predict", "word2vec", *source, "--words", "cat")
    assert f"{tmp_path / 'damaged.ckpt'}: " in said
    assert refused(capsys, "export", "word2vec", *source, "--to", tmp_path / "v.bin") == said
    with pytest.raises(LiteratimError, match=r"damaged\.ckpt"):
        literatim.load("word2vec", weights=tmp_path / "damaged.ckpt")
    fault("vectors-damaged", 3)


@pytest.mark.parametrize("args", [["--words", "king"], ["--words", "king", "--json"], ["--words", "漢"]])
def test_words_that_the_output_has_no_characters_for(tmp_path, monkeypatch, args):
    formats.write(WordVectors(["king", "東京", "größe"], np.eye(3, dtype=np.float32)), tmp_path / "v.bin")
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="latin-1") for _ in "12"]
    monkeypatch.setattr("sys.stdout", streams[0])
    monkeypatch.setattr("sys.stderr", streams[1])
    status = main(["predict", "word2vec", "--vectors", str(tmp_path / "v.bin"), *args])
    out, err = (stream.buffer.getvalue().decode("latin-1") for stream in streams if not stream.flush())
    assert status == (2 if "漢" in args else 0)
    if "--json" in args:
        assert {answer["word"] for answer in json.loads(out)[0]["answers"]} == {"東京", "größe"}
    else:
        assert '"?" is not among' in err if "漢" in args else "größe" in out
    assert "Traceback" not in err
