"""Ids of a text that are kept for later runs: damage is noticed, another text is another, nothing is left behind."""

import os
import shutil
import subprocess
import sys
import threading

import pytest
import torch
from filelock import FileLock

from conftest import assert_refused, inside
from literatim.datasets import encoding, text
from literatim.datasets.corpus import Corpus
from literatim.datasets.encoding import Options, encode
from literatim.datasets.keeping import is_whole
from literatim.datasets.phrases import Phrases
from literatim.errors import LiteratimError

LINES = ["the cat sat on the mat", "the dog sat on the cat", "a dog is not a cat", "new york is not the mat"] * 30


def kept(path, cache):
    return encode(Options(str(path), True, "words", 1, None, 0, Phrases(), 10**6), cache and str(cache))


def flipped(path):
    found = bytearray(path.read_bytes())
    found[len(found) // 2] ^= 1
    path.write_bytes(found)


def cut(path):
    path.write_bytes(path.read_bytes()[:-4])


def emptied(path):
    path.write_bytes(b"")


def lengthened(path):
    path.write_bytes(path.read_bytes() + b"\0" * 8)


def made_a_folder(path):
    path.unlink()
    path.mkdir()


def swapped(path):
    """Numbers of the right size that are none of the text's."""
    path.write_bytes(path.read_bytes()[::-1])


def everything(folder):
    shutil.rmtree(folder)
    folder.write_text("a file")


FILES = (*encoding.FILES, "sums")
DAMAGES = [
    *((name, damage) for name in FILES for damage in (flipped, cut, emptied, lengthened, os.unlink, made_a_folder)
      if not (name == "test.ids" and damage in (flipped, cut, emptied))),
    ("train.ids", swapped), ("train.offsets", swapped), ("words.txt", swapped), ("", everything),
]  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on a text whose ids are kept, and what `test` says of it."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "text.txt").write_text("\n".join(LINES))
    assert fit(folder, "0").returncode == 0
    said = outcome(folder)
    assert said[0] == 0, said
    assert len([path for path in (folder / "cache").iterdir() if path.is_dir()]) == 1  # of `fit` and `test`
    return folder, said


OF_THE_TEXT = ["--data.source", "text.txt", "--data.cache", "cache", "--data.min_count", "1", "--data.hold_out", "0"]
TINY = ["--model.options.dimension", "4", "--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false"]


def fit(folder, runs):
    return inside("fit", "word2vec", *OF_THE_TEXT, *TINY, "--runs", runs, cwd=folder)


def outcome(folder):
    done = inside("test", "word2vec", *OF_THE_TEXT, "--runs", "0", "--ckpt_path", "last", cwd=folder)
    return done.returncode, done.stdout, done.stderr


def weights(folder, runs):
    path = folder / runs / "word2vec" / "quick" / "0" / "checkpoints" / "last.ckpt"
    return torch.load(path, weights_only=True)["state_dict"]


@pytest.mark.parametrize(("name", "damage"), DAMAGES)
def test_damaged_ids_are_made_anew(tmp_path, fault, name, damage):
    path, cache = tmp_path / "text.txt", tmp_path / "cache"
    path.write_text("\n".join(LINES))
    vocabulary, sets = kept(path, cache)
    expected = [vocabulary.words, vocabulary.counts.tolist(), [*sets["train"].ids], [*sets["train"].offsets]]
    place = next(folder for folder in cache.iterdir() if folder.is_dir())
    damage(place / name)
    for _ in range(2):
        vocabulary, sets = kept(path, cache)
        train = sets["train"]
        assert [vocabulary.words, vocabulary.counts.tolist(), [*train.ids], [*train.offsets]] == expected
    assert is_whole(place, encoding.FILES)
    fault("ids-damaged")


@pytest.mark.parametrize(("name", "damage"), [
    ("words.txt", emptied), ("words.txt", flipped), ("train.ids", flipped), ("train.offsets", cut), ("train.ids", cut),
    ("sums", os.unlink),
])  # fmt: skip
@pytest.mark.parametrize("command", ["fit", "test"])
def test_a_run_on_damaged_ids_is_the_run_on_whole_ones(trained, fault, command, name, damage):
    folder, said_before = trained
    damage(next(path for path in (folder / "cache").iterdir() if path.is_dir()) / name)
    if command == "test":
        assert outcome(folder) == said_before
        fault("ids-damaged")
        return
    shutil.rmtree(folder / "1", ignore_errors=True)
    assert fit(folder, "1").returncode == 0
    before, after = weights(folder, "0"), weights(folder, "1")
    assert all(torch.equal(before[key], after[key]) for key in before)
    fault("ids-damaged")


def test_two_texts_of_one_size_and_time_have_their_own_ids(tmp_path):
    """As `cp -p` and `rsync -t` leave them; and one text is one, wherever it lies."""
    one, other, cache = tmp_path / "one.txt", tmp_path / "other.txt", tmp_path / "cache"
    one.write_text("a b a c\n" * 9)
    other.write_text("a b b c\n" * 9)
    shutil.copystat(one, other)
    data = [Corpus(source=str(one)), Corpus(source=str(other))]
    assert data[0].fingerprint() != data[1].fingerprint()
    assert kept(one, cache)[0].counts.tolist() == [18, 9, 9]
    os.replace(other, one)
    assert Corpus(source=str(one)).fingerprint() == data[1].fingerprint()
    assert kept(one, cache)[0].words == ["b", "a", "c"]
    (tmp_path / "folder").mkdir()
    shutil.copy(one, tmp_path / "folder" / "copy.txt")
    assert Corpus(source=str(tmp_path / "folder")).fingerprint() == data[1].fingerprint()
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 2


def test_what_a_killed_process_has_left_goes_and_what_another_writes_stays(tmp_path):
    path, cache = tmp_path / "text.txt", tmp_path / "cache"
    path.write_text("a b a b")
    for name in (".writing-left", ".writing-living"):
        (cache / name).mkdir(parents=True)
        (cache / name / "train.ids").write_bytes(b"1234")
    with FileLock(cache / ".lock-living"):
        kept(path, cache)
    assert not (cache / ".writing-left").exists()
    assert (cache / ".writing-living" / "train.ids").exists()


KILLED = """
import sys
from literatim.datasets import encoding
from literatim.datasets.phrases import Phrases
encoding._finish = lambda *args: (print("writing", flush=True), sys.stdin.read())
encoding.encode(encoding.Options(sys.argv[1], True, "words", 1, None, 0, Phrases(), 10**6), sys.argv[2])
"""


def test_a_process_that_waits_for_one_that_is_killed_makes_the_ids_itself(tmp_path, fault):
    path, cache = tmp_path / "text.txt", tmp_path / "cache"
    path.write_text("a b a b")
    command = [sys.executable, "-c", KILLED, str(path), str(cache)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"writing\n"
        assert list(cache.glob(".writing-*"))
        killing = threading.Timer(0.3, writer.kill)
        killing.start()
        assert kept(path, cache)[0].words == ["a", "b"]
        assert writer.wait() < 0
    assert not list(cache.glob(".writing-*"))
    fault("ids-damaged")


def test_a_text_that_changes_while_it_is_read(tmp_path, monkeypatch):
    path, cache = tmp_path / "text.txt", tmp_path / "cache"
    path.write_text("a b a b")

    def and_changed(*args):
        yield from text.tokenised(*args)
        path.write_text("a b a b c")

    monkeypatch.setattr(encoding, "tokenised", and_changed)
    with pytest.raises(LiteratimError, match=r"text\.txt was changed while it was read"):
        kept(path, cache)
    assert not [folder for folder in cache.iterdir() if folder.is_dir()]


def test_without_a_home(tmp_path, monkeypatch):
    (tmp_path / "text.txt").write_text("a b a b")
    monkeypatch.setattr(encoding, "SMALL", 0)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(encoding.Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    with pytest.raises(LiteratimError, match=r"no home folder .* name one with data\.cache"):
        kept(tmp_path / "text.txt", None)


def test_a_run_does_not_go_on_with_a_text_of_the_same_words_size_and_time(trained, tmp_path, fault):
    folder = tmp_path / "folder"
    shutil.copytree(trained[0], folder)
    other = folder / "other.txt"
    other.write_text("\n".join(reversed(LINES)))
    shutil.copystat(folder / "text.txt", other)
    os.replace(other, folder / "text.txt")
    more = ["--runs", "0", "--ckpt_path", "last", "--trainer.max_epochs", "2"]
    assert_refused(inside("fit", "word2vec", *more, cwd=folder), "the data are not those the run began with")
    fault("data-changed")
