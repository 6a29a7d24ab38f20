"""`literatim predict` with weights that ship: from image files to classes."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from literatim.cli import main
from literatim.datasets.digits import Digits
from literatim.experiment.record import ship
from literatim.papers.lenet import LeNet5
from literatim.papers.lenet.model import discriminative_loss
from literatim.parts.one_by_one import one_by_one
from literatim.registry import ledger, reading

OPTIONS = {"subsampling": "average", "init": "sqrt", "coefficient": 1.0}


def forget():
    for cached in (reading.card, reading.claims, ledger.hashes):
        cached.cache_clear()


@pytest.fixture(scope="module")
def trained():
    """A LeNet-5 that has seen the training digits three times."""
    torch.manual_seed(0)
    net = LeNet5(**OPTIONS)
    data = Digits()
    data.setup("fit")
    loader = data.train_dataloader()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    with one_by_one():  # for so few small images oneDNN only takes time
        for epoch in range(3):
            loader.set_epoch(epoch)
            for inputs, targets in loader:
                optimizer.zero_grad()
                discriminative_loss(net(inputs), targets, j=10.0).backward()
                optimizer.step()
    return net


@pytest.fixture
def papers(tmp_path, monkeypatch):
    """A copy of the cards without results or weights, which is read in place of ours."""
    folder = tmp_path / "papers"
    shutil.copytree(reading.papers_folder(), folder, ignore=shutil.ignore_patterns("results", "weights"))
    monkeypatch.setenv("LITERATIM_PAPERS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    forget()
    yield folder
    forget()


@pytest.fixture
def shipped(papers, trained):
    return enter(papers, trained)


def enter(papers, net, recipe="mnist", variant="lenet5", name=None, options=OPTIONS):
    """A record of a run whose weights ship; the path of the weights."""
    entry = ship("lenet", name or recipe, net)
    record = {
        "paper": "lenet", "recipe": recipe, "variant": variant, "seed": 0, "metrics": {"test_error": 3.0},
        "commit": "0" * 40, "dirty": False, "overrides": [], "versions": {}, "machine": "a machine", "threads": 1,
        "wall_s": 1.0, "options": options, "weights": entry, **ledger.hashes("lenet", recipe),
    }  # fmt: skip
    place = papers / "lenet" / "results" / recipe / f"{variant}-s0"
    place.mkdir(parents=True)
    (place / "record.json").write_text(json.dumps(record))
    return papers / "lenet" / "weights" / entry["file"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Twelve digits of the test set as image files of 100x100 pixels, every other one dark on light: path -> digit."""
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("pictures")
    images, labels = load_digits(return_X_y=True)
    found = {}
    for i, (image, label) in enumerate(zip(images[::5][:12], labels[::5], strict=False)):
        small = Image.fromarray((image.reshape(8, 8) * 255 / 16).astype(np.uint8))
        large = np.zeros((100, 100), dtype=np.uint8)
        large[10:90, 10:90] = np.asarray(small.resize((80, 80), Image.Resampling.BICUBIC))
        path = folder / f"digit {i}.png"
        Image.fromarray(255 - large if i % 2 else large).save(path)
        found[str(path)] = str(label)
    return found


def predict(capsys, *args):
    status = main(["predict", "lenet", *args])
    out, err = capsys.readouterr()
    assert status == 0, err
    return out


def refused(capsys, *args):
    """What the command says where it refuses, which must be one line."""
    status = main(["predict", "lenet", *args])
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.startswith("literatim: ")
    assert err.count("\n") == 1
    return err


def test_most_digits_are_read_right(shipped, pictures, capsys):
    rows = json.loads(predict(capsys, *pictures, "--json"))
    assert [row["file"] for row in rows] == list(pictures)
    for row in rows:
        assert set(row) == {"file", "class", "probabilities"}
        assert list(row["probabilities"]) == list("0123456789")
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert row["class"] == max(row["probabilities"], key=row["probabilities"].get)
    right = sum(row["class"] == pictures[row["file"]] for row in rows)
    assert right >= 9, [(row["class"], pictures[row["file"]]) for row in rows]


def test_without_json_every_file_has_its_line(shipped, pictures, capsys):
    files = list(pictures)[:3]
    classes = [row["class"] for row in json.loads(predict(capsys, *files, "--json"))]
    lines = predict(capsys, *files).splitlines()
    assert len(lines) == 3
    for line, file, name in zip(lines, files, classes, strict=True):
        assert line.startswith(f"{file}: {name}   {name} ")
        assert line.count("%") == 3


def test_the_answer_is_that_of_the_loaded_weights(shipped, pictures, capsys):
    import literatim
    from literatim.datasets.mnist import MNIST

    file = next(iter(pictures))
    (row,) = json.loads(predict(capsys, "--json", "--weights", "mnist", file))
    net = literatim.load("lenet", weights="mnist")
    with torch.no_grad():
        expected = net.probabilities(net(MNIST().read_image(file)[None]))[0]
    assert list(row["probabilities"].values()) == pytest.approx(expected.tolist(), abs=1e-5)


def test_nothing_is_written_and_no_data_set_is_needed(shipped, pictures, capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("LITERATIM_DATA", raising=False)
    (tmp_path / "config.yaml").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    predict(capsys, next(iter(pictures)))
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "config.yaml").read_text() == "mine"


def test_weights_of_another_variant_predict_with_that_variant(papers, trained, pictures, capsys):
    enter(papers, trained)
    popular = LeNet5(subsampling="plain", c3="dense", output="softmax")
    enter(papers, popular, variant="lenet5-popular", name="mnist-lenet5-popular", options={})
    file = next(iter(pictures))
    from literatim.datasets.mnist import MNIST

    for name, net in (("mnist", trained), ("mnist-lenet5-popular", popular)):
        (row,) = json.loads(predict(capsys, file, "--json", "--weights", name))
        with torch.no_grad():
            expected = net.probabilities(net(MNIST().read_image(file)[None]))[0]
        assert list(row["probabilities"].values()) == pytest.approx(expected.tolist(), abs=1e-5)


def test_weights_do_not_go_into_another_variant(shipped, pictures, capsys):
    said = refused(capsys, next(iter(pictures)), "--model.variant", "lenet5-popular")
    assert "are of lenet lenet5, not of lenet5-popular" in said


def test_a_missing_file_is_refused(shipped, pictures, capsys):
    assert "none.png: there is no such file" in refused(capsys, next(iter(pictures)), "none.png")


def test_what_is_not_an_image_is_refused(shipped, pictures, capsys, tmp_path):
    path = tmp_path / "text.png"
    path.write_text("seven")
    assert f"{path}: not an image that can be read" in refused(capsys, next(iter(pictures)), str(path))


def test_an_empty_image_is_refused(shipped, capsys, tmp_path):
    path = tmp_path / "blank.png"
    Image.new("L", (20, 20), 255).save(path)
    assert f"{path}: the image is empty" in refused(capsys, str(path))


@pytest.mark.parametrize("args", [(), ("--json",)])
def test_no_file_is_refused(shipped, capsys, args):
    assert "name image files: literatim predict lenet seven.png" in refused(capsys, *args)


def test_no_weights_is_refused(papers, pictures, capsys):
    file = next(iter(pictures))
    said = refused(capsys, file)
    assert "lenet has no weights" in said
    assert "literatim fit lenet" in said
    assert "has no weights for mnist" in refused(capsys, file, "--weights", "mnist")


def test_unknown_weights_are_refused_with_what_there_is(shipped, pictures, capsys):
    assert "no weights for quick; weights ship for mnist" in refused(capsys, next(iter(pictures)), "--recipe", "quick")


def test_damaged_weights_are_refused(shipped, pictures, capsys):
    shipped.write_bytes(shipped.read_bytes()[:-1] + b"\xff")
    assert f"{shipped} is damaged" in refused(capsys, next(iter(pictures)))
    shipped.unlink()
    assert f"{shipped}: the weights cannot be read" in refused(capsys, next(iter(pictures)))
