"""CIFAR-10 from tiny files in its own formats, and what is said where they are missing or damaged."""

import hashlib
import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from literatim.datasets import cifar10
from literatim.datasets.cifar10 import CIFAR10, CLASSES, TEST_FILES, TRAIN_FILES
from literatim.errors import LiteratimError

FILES = (*TRAIN_FILES, *TEST_FILES)
N = 12


def content(name: str) -> tuple[np.ndarray, list[int]]:
    """(data, labels) of one tiny file."""
    rng = np.random.default_rng(FILES.index(name))
    return rng.integers(0, 256, size=(N, 3072), dtype=np.uint8), rng.integers(0, 10, size=N).tolist()


class Python2(pickle._Pickler):
    """Pickles as the originals are: by Python 2, whose text is bytes, with numpy.core."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, obj):
        raw = obj.encode() if isinstance(obj, str) else obj
        short = len(raw) < 256
        head = pickle.SHORT_BINSTRING + bytes([len(raw)]) if short else pickle.BINSTRING + struct.pack("<i", len(raw))
        self.write(head + raw)
        self.memoize(obj)

    dispatch[bytes] = dispatch[str] = save_bytes


def python2(whole) -> bytes:
    file = io.BytesIO()
    Python2(file, protocol=2).dump(whole)
    return file.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def pickled(name: str) -> bytes:
    data, labels = content(name)
    return python2({"batch_label": name, "labels": labels, "data": data, "filenames": ["a.png"] * N})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Nothing anywhere but where a test puts it, and files of twelve images."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LITERATIM_DATA", raising=False)
    monkeypatch.setattr(cifar10, "IMAGES_A_FILE", N)
    monkeypatch.setattr(cifar10, "MD5", {name: hashlib.md5(pickled(name)).hexdigest() for name in FILES})


def python_version(root: Path) -> Path:
    folder = root / cifar10.PYTHON
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes(pickled(name))
    return folder


def binary_version(root: Path) -> Path:
    folder = root / cifar10.BINARY
    folder.mkdir(parents=True)
    for name in FILES:
        data, labels = content(name)
        (folder / f"{name}.bin").write_bytes(np.hstack([np.array(labels, dtype=np.uint8)[:, None], data]).tobytes())
    return folder


def image_files(root: Path, ending: str = "png", each: int = 2) -> Path:
    folder = root / "cifar10-jpeg"
    for part in ("train", "test"):
        for label, name in enumerate(CLASSES):
            (folder / part / name).mkdir(parents=True)
            for i in range(each):
                colour = (10 * label + i, 100 + label, 200 if part == "test" else 0)
                Image.new("RGB", (32, 32), colour).save(folder / part / name / f"{i:04}.{ending}")
    return folder


def load(root, **options) -> CIFAR10:
    data = CIFAR10(root=str(root) if root else None, **options)
    data.setup("fit")
    return data


def sentence(root, **options) -> str:
    with pytest.raises(LiteratimError) as caught:
        load(root, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- reading


@pytest.mark.parametrize("version", [python_version, binary_version])
def test_the_originals_are_read_as_they_are(tmp_path, version):
    version(tmp_path)
    sets = load(tmp_path).sets
    for part, names in (("train", TRAIN_FILES), ("test", TEST_FILES)):
        images, labels = sets[part]
        assert images.dtype == torch.uint8
        assert images.shape == (N * len(names), 3, 32, 32)
        expected = np.concatenate([content(name)[0] for name in names])
        assert np.array_equal(images.numpy().reshape(len(images), -1), expected)
        assert labels.tolist() == [label for name in names for label in content(name)[1]]
    # Red, then green, then blue, row by row.
    assert sets["train"][0][0, 1, 2, 3] == content("data_batch_1")[0][0, 1024 + 2 * 32 + 3]


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_image_files_are_read_with_the_classes_taking_turns(tmp_path, ending):
    image_files(tmp_path, ending)
    images, labels = load(tmp_path, files="images").sets["train"]
    assert labels.tolist() == [*range(10), *range(10)]
    for i in range(20):
        colour = torch.tensor([10 * (i % 10) + i // 10, 100 + i % 10, 0])
        assert (images[i].int() - colour[:, None, None]).abs().max() <= (0 if ending == "png" else 3)


def test_copies_are_not_taken_for_the_originals(tmp_path):
    folder = image_files(tmp_path)
    said = sentence(tmp_path)
    assert f"copies in {folder} are read with --data.files images" in said


def test_root_then_the_variable_then_the_cache_are_looked_in(tmp_path, monkeypatch):
    for name in ("cache/literatim", "shared", "root"):
        folder = python_version(tmp_path / name)
        assert cifar10.find((cifar10.PYTHON,), str(tmp_path / "root")) == folder
        monkeypatch.setenv("LITERATIM_DATA", str(tmp_path / "shared"))


def test_the_held_out_images_are_the_last_and_are_not_in_the_mean(tmp_path):
    python_version(tmp_path)
    whole, held = load(tmp_path), load(tmp_path, hold_out=7, watch=["val"])
    assert torch.equal(held.sets["train"][0], whole.sets["train"][0][:-7])
    assert torch.equal(held.sets["val"][0], whole.sets["train"][0][-7:])
    assert torch.equal(held.sets["test"][1], whole.sets["test"][1])
    assert torch.allclose(held.mean, held.sets["train"][0].float().mean(0) / 255, atol=1e-6)
    assert [len(loader) for loader in held.val_dataloader()] == [1]


@pytest.mark.parametrize("hold_out", [-1, 50_000])
def test_holding_out_all_is_refused(hold_out):
    with pytest.raises(LiteratimError, match="hold_out"):
        CIFAR10(hold_out=hold_out)


# --- what is missing or damaged


@pytest.mark.parametrize("files", ["original", "images"])
def test_where_there_is_nothing_every_place_is_named(tmp_path, monkeypatch, files):
    monkeypatch.setenv("LITERATIM_DATA", str(tmp_path / "shared"))
    said = sentence(tmp_path / "root", files=files)
    for word in (tmp_path / "root", tmp_path / "shared", tmp_path / "cache" / "literatim", "--data.root"):
        assert str(word) in said


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch"])
def test_a_missing_file_is_named(tmp_path, name):
    (python_version(tmp_path) / name).unlink()
    assert f"{name} is missing from {tmp_path / cifar10.PYTHON}" in sentence(tmp_path)


def flipped(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


@pytest.mark.parametrize("harm", [flipped, lambda raw: raw[:-9], lambda raw: b"", lambda raw: b"<html>"])
def test_a_damaged_pickle_is_refused_by_its_checksum(tmp_path, harm):
    path = python_version(tmp_path) / "data_batch_2"
    path.write_bytes(harm(path.read_bytes()))
    assert sentence(tmp_path).startswith(f"{path} is damaged: its checksum is not")


class Harmful:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    ("whole", "why"),
    [
        ({b"data": content("test_batch")[0]}, "labels"),
        ({b"data": content("test_batch")[0][:5], b"labels": [1] * 5}, "shape"),
        ({b"data": content("test_batch")[0].astype(np.int64), b"labels": [1] * N}, "shape"),
        ({b"data": content("test_batch")[0], b"labels": [10] * N}, "between 0 and 9"),
        ([1, 2], "TypeError"),
        ("harmful", "asks for posix.mkdir"),
    ],
)
def test_a_pickle_with_the_right_checksum_is_still_not_trusted(tmp_path, monkeypatch, whole, why):
    path = python_version(tmp_path) / "test_batch"
    made = tmp_path / "made"
    raw = python2(Harmful(made) if whole == "harmful" else whole)
    path.write_bytes(raw)
    monkeypatch.setitem(cifar10.MD5, "test_batch", hashlib.md5(raw).hexdigest())
    said = sentence(tmp_path)
    assert said.startswith(f"{path} is damaged: ")
    assert why in said
    assert not made.exists()


@pytest.mark.parametrize("harm", [lambda raw: raw[:-1], lambda raw: raw + b"\0", lambda raw: b"\x0b" + raw[1:]])
def test_a_damaged_binary_file_is_refused(tmp_path, harm):
    path = binary_version(tmp_path) / "data_batch_5.bin"
    path.write_bytes(harm(path.read_bytes()))
    assert sentence(tmp_path).startswith(f"{path} is damaged: ")


def test_a_damaged_image_an_empty_class_and_another_size_are_named(tmp_path):
    folder = image_files(tmp_path)
    path = folder / "train" / "frog" / "0001.png"
    path.write_bytes(path.read_bytes()[:40])
    assert sentence(tmp_path, files="images").startswith(f"{path}: not an image that can be read")
    Image.new("RGB", (32, 31)).save(path)
    assert "an image of 32x31 pixels" in sentence(tmp_path, files="images")
    for each in (folder / "test" / "ship").iterdir():
        each.unlink()
    path.unlink()
    assert f"no images in {folder / 'test' / 'ship'}" in sentence(tmp_path, files="images")


# --- batches


def train_batches(data: CIFAR10, epoch: int) -> list[torch.Tensor]:
    loader = data.train_dataloader()
    loader.set_epoch(epoch)
    return [images for images, _ in loader]


def test_every_epoch_has_crops_of_its_own_that_follow_from_the_seed(tmp_path):
    python_version(tmp_path)
    data = load(tmp_path, batch_size=16, order="none")
    first, again, next_epoch = (torch.cat(train_batches(data, epoch)) for epoch in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, next_epoch)
    data.seed = 1
    assert not torch.equal(torch.cat(train_batches(data, 0)), first)


def test_a_resumed_epoch_goes_on_with_the_same_crops(tmp_path):
    python_version(tmp_path)
    data = load(tmp_path, batch_size=16)
    loader = data.train_dataloader()
    loader.set_epoch(1)
    walk = iter(loader)
    before = [next(walk)[0], next(walk)[0]]
    resumed = data.train_dataloader()
    resumed.load_state_dict(loader.state_dict())
    resumed.set_epoch(1)
    after = [images for images, _ in resumed]
    assert torch.equal(torch.cat(before + after), torch.cat(train_batches(data, 1)))


def test_the_crops_do_not_touch_torchs_own_random_numbers(tmp_path):
    python_version(tmp_path)
    data = load(tmp_path)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    train_batches(data, 0)
    assert torch.equal(torch.rand(3), expected)


def test_an_image_file_of_any_size_is_put_where_the_network_looks(tmp_path):
    python_version(tmp_path)
    data = load(tmp_path)
    Image.new("RGB", (100, 60), (255, 0, 51)).save(tmp_path / "wide.png")
    image = data.read_image(str(tmp_path / "wide.png")) + data.mean
    assert torch.allclose(image, torch.tensor([1.0, 0.0, 0.2])[:, None, None].expand(3, 32, 32), atol=1e-6)
    with pytest.raises(LiteratimError, match="there is no such file"):
        data.read_image(str(tmp_path / "none.png"))
