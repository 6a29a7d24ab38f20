"""Where files are looked for and what is written over: `~`, a user without a home, links and devices, great numbers."""

import os
import pwd
from pathlib import Path

import pytest
import yaml
from PIL import Image

from conftest import assert_refused, inside
from literatim.cli import main
from literatim.datasets.cifar10 import CIFAR10
from literatim.datasets.encoding import _user_cache
from literatim.datasets.imagefolder import ImageFolder
from literatim.datasets.imagenet import ImageNet
from literatim.datasets.mnist import MNIST
from literatim.datasets.text import text_files
from literatim.errors import LiteratimError
from literatim.experiment import lightning
from literatim.places import at_home, expanded

SHORT = ("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1")


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    folder.mkdir()
    for name, value in {"HOME": folder, "LITERATIM_DATA": "~/shared", "XDG_CACHE_HOME": "~/cache"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def homeless(tmp_path, monkeypatch):
    """As in a container whose user is a number that the system does not know."""

    def unknown(uid):
        raise KeyError(uid)

    for name in ("HOME", "XDG_CACHE_HOME", "LITERATIM_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("--runs=~/r", "--runs={}/r"),
        ("~/a.png", "{}/a.png"),
        ("~", "{}"),
        ("--data.root=~", "--data.root={}"),
        ("a~b", "a~b"),
        ("--x=a/~/b", "--x=a/~/b"),
        ("--words", "--words"),
        ("~x", "~x"),
    ],
)
def test_the_home_folder_is_known_wherever_a_path_is_given(home, given, meant):
    assert at_home(given) == meant.format(home)


def test_runs_configurations_and_pictures_may_lie_in_the_home_folder(home):
    (home / "mine.yaml").write_text("trainer: {max_epochs: 1}")
    done = inside("fit", "gan", "--runs=~/r", "--config=~/mine.yaml", *SHORT)
    assert done.returncode == 0, done.stderr
    assert (home / "r" / "gan" / "quick" / "0" / "record.json").is_file()
    done = inside("predict", "gan", "--runs=~/r", "--ckpt_path=~/r/gan/quick/0/checkpoints/last.ckpt", "--to=~/a.png")
    assert done.returncode == 0, done.stderr
    assert (home / "a.png").is_file()
    assert not Path("~").exists()


@pytest.mark.parametrize(
    ("paper", "config", "meant"),
    [
        ("word2vec", "model: {questions: ~/q.txt}", "q.txt"),
        ("word2vec", "data: {source: ~/a.txt}", "a.txt"),
        ("resnet", "data: {root: ~/photos}", "photos"),
        ("lenet", "data: {root: ~/mnist}", "mnist"),
    ],
)
def test_a_configuration_may_name_files_in_the_home_folder(home, paper, config, meant):
    Path("c.yaml").write_text(config)
    recipe = {"resnet": "finetune", "lenet": "mnist"}.get(paper, "quick")
    assert_refused(inside("fit", paper, "--recipe", recipe, "--config", "c.yaml"), str(home / meant))


@pytest.mark.parametrize("module", [MNIST, CIFAR10, ImageNet])
def test_data_are_looked_for_in_the_home_folder(home, module):
    for how in ({"root": "~/x"}, {}):
        with pytest.raises(LiteratimError) as caught:
            module(**how).setup("fit")
        for place in (*how.values(), "~/shared", "~/cache/literatim"):
            assert str(expanded(place)) in str(caught.value)
        assert "~" not in str(caught.value)


def test_folders_of_images_and_texts_may_lie_in_the_home_folder(home):
    for name in ("cat", "dog"):
        (home / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (20, 20)).save(home / "photos" / name / "a.png")
    data = ImageFolder(**yaml.safe_load("{root: ~/photos, hold_out: 0}"))
    data.setup("fit")
    assert len(data.files("train").labels) == 2
    (home / "a.txt").write_text("a line")
    assert text_files("~/a.txt") == [home / "a.txt"]
    assert _user_cache() == home / "cache" / "literatim" / "corpus"


def test_who_has_no_home_needs_none(homeless, tmp_path):
    Image.linear_gradient("L").save(tmp_path / "a.png")
    done = inside("predict", "lenet", "a.png")
    assert done.returncode == 0, done.stderr
    for command in (("fit", "gan", *SHORT), ("fit", "word2vec", "--data.cache", "ids", *SHORT)):
        done = inside(*command)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("test", "lenet", "--weights", "mnist"), "MNIST's"),
        (("fit", "lenet", "--recipe", "mnist"), "MNIST's"),
        (("fit", "lenet", "--recipe", "mnist", "--data.download", "true"), "--data.root: no home folder is known"),
        (("fit", "resnet", "--recipe", "cifar10"), "CIFAR-10's"),
        (("fit", "resnet", "--recipe", "imagenet"), "ImageNet is missing"),
        (("fit", "lenet", "--runs=~/x"), "no home folder is known for ~"),
    ],
)
def test_who_has_no_home_is_told_what_to_name(homeless, command, words):
    assert_refused(inside(*command), words)


# --- what is written over


def stand_in(kind: str, at: Path) -> None:
    if kind == "link":
        (at.parent / "target").write_text("mine")
        at.symlink_to("target")
    elif kind == "dangling link":
        at.symlink_to("target")
    elif kind == "pipe":
        os.mkfifo(at)
    elif kind == "folder":
        at.mkdir()


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
@pytest.mark.parametrize(
    ("command", "ending"),
    [
        (("predict", "gan"), "png"),
        (("export", "lenet", "--weights", "mnist"), "onnx"),
        (("export", "word2vec", "--vectors", "v.txt"), "bin"),
    ],
)
def test_only_plain_files_are_replaced(tmp_path, command, ending, kind):
    at = tmp_path / f"to.{ending}"
    stand_in(kind, at)
    (tmp_path / "v.txt").write_text("1 1\na 1\n")
    before = sorted((path.name, path.lstat()) for path in tmp_path.iterdir())
    assert_refused(inside(*command, "--to", str(at), cwd=tmp_path), f"{at}: a ", "only plain files are replaced")
    assert sorted((path.name, path.lstat()) for path in tmp_path.iterdir()) == before


def test_a_device_is_not_replaced(tmp_path):
    assert_refused(inside("export", "lenet", "--weights", "mnist", "--to", os.devnull), "a device or pipe is there")
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("paper", ["lenet", "resnet"])
def test_a_pipe_is_not_predicted_from(tmp_path, paper):
    os.mkfifo(tmp_path / "seven.png")
    assert_refused(inside("predict", paper, "seven.png", cwd=tmp_path), "seven.png: not a plain file")


def test_a_plain_picture_is_replaced(tmp_path):
    (tmp_path / "a.png").write_text("old")
    assert (
        inside("predict", "gan", "--weights", "mnist", "--to", "a.png", "--number", "4", cwd=tmp_path).returncode == 0
    )
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (112, 112)


def test_more_images_than_fit_on_a_picture_are_not_made(tmp_path, monkeypatch):
    monkeypatch.setattr(lightning, "MOST_LEVELS", 5 * 28 * 28)
    words = "--number is 6; of images of 28 x 28 pixels at most 5 fit"
    assert_refused(inside("predict", "gan", "--to", "a.png", "--number", "6", cwd=tmp_path), words)
    assert inside("predict", "gan", "--to", "a.png", "--number", "5", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("number", ["10000000000", "99999999999999999999", "²", "٣", "-1", "1.5", "9" * 5000, ""])
@pytest.mark.parametrize(
    "command",
    [
        ("predict", "gan", "--to", "a.png", "--number"),
        ("predict", "cgan", "--to", "a.png", "--seed"),
        ("predict", "cgan", "--to", "a.png", "--label"),
        ("reproduce", "lenet", "--seeds"),
        ("reproduce", "lenet", "--seed"),
    ],
)
def test_a_number_that_cannot_be_is_one_sentence(tmp_path, command, number, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*command, number]) == 2
    said = capsys.readouterr().err
    assert f"{command[-1]} is {number[:40]}; it must be a whole number from" in said
    assert len(said) < 200
