"""The data modules: what they hold, in which order it comes, and what they say where files are missing or damaged."""

import gzip
import hashlib
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from literatim.datasets import mnist
from literatim.datasets.digits import Digits, scikit_learns
from literatim.datasets.images import read_digit
from literatim.datasets.mnist import MNIST
from literatim.datasets.tensors import TensorBatches
from literatim.errors import LiteratimError

FILES = list(mnist.SHA256)
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES
REAL = os.environ.get("LITERATIM_DATA")
WHITE, BLACK = -0.1, 1.175


# --- scikit-learn's digits


@pytest.fixture(scope="module")
def digits():
    data = Digits()
    data.setup("fit")
    return data


@pytest.mark.parametrize(("name", "size"), [("train", 1437), ("test", 360)])
def test_digits_fill_a_field_of_32_at_the_papers_levels(digits, name, size):
    inputs, targets = digits.sets[name]
    assert inputs.shape == (size, 1, 32, 32)
    assert inputs.dtype == torch.float32
    assert inputs.min().item() == pytest.approx(WHITE)
    assert inputs.max().item() == pytest.approx(BLACK)
    assert targets.dtype == torch.int64
    assert targets.shape == (size,)
    assert sorted(targets.unique().tolist()) == list(range(10))


def test_the_digits_border_is_background(digits):
    inputs, _ = digits.sets["train"]
    inside = torch.zeros(32, 32, dtype=torch.bool)
    inside[6:26, 6:26] = True
    assert (inputs[:, 0, ~inside] == torch.tensor(WHITE)).all()


def test_no_digit_is_in_both_sets(digits):
    train, test = ({image.numpy().tobytes() for image in digits.sets[name][0]} for name in ("train", "test"))
    assert len(train) == 1437
    assert len(test) == 360
    assert not train & test


def test_digits_keep_image_and_label_together(digits):
    images, labels = load_digits(return_X_y=True)
    assert digits.sets["test"][1].tolist() == labels[::5].tolist()
    ink = (digits.sets["test"][0] - WHITE).sum(dim=(1, 2, 3)).numpy()
    assert np.corrcoef(ink, images[::5].sum(axis=1))[0, 1] > 0.99


@pytest.mark.parametrize("in_its_place", [True, False])
def test_the_digits_are_scikit_learns_whether_their_file_is_where_it_was_or_not(monkeypatch, in_its_place):
    if not in_its_place:
        monkeypatch.setattr("literatim.datasets.digits.find_spec", lambda name: None)
    for ours, theirs in zip(scikit_learns(), load_digits(return_X_y=True), strict=True):
        assert ours.dtype == theirs.dtype
        assert (ours == theirs).all()


def test_digits_take_other_levels_and_sizes():
    data = Digits(size=20, background=0.0, ink=1.0)
    data.setup("fit")
    inputs, _ = data.sets["train"]
    assert inputs.shape == (1437, 1, 20, 20)
    assert (inputs.min().item(), inputs.max().item()) == (0.0, 1.0)


def test_a_field_too_small_for_a_digit_is_refused():
    with pytest.raises(LiteratimError, match=r"data\.size is 19.*at least 20"):
        Digits(size=19)
    with pytest.raises(LiteratimError, match=r"data\.size is 27.*at least 28"):
        MNIST(size=27)


def test_a_set_that_does_not_exist_cannot_be_watched(digits):
    digits = Digits(watch=["val"])
    digits.setup("fit")
    with pytest.raises(LiteratimError, match='"val" to watch; there are train, test'):
        digits.val_dataloader()


# --- MNIST from small files, whose checksums stand in for the real ones


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">i4").tobytes() + array.tobytes()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder with 30 + 10 images as MNIST's files, and nothing anywhere else."""
    rng = np.random.default_rng(0)
    contents = {}
    for part, size in (("train", 30), ("t10k", 10)):
        images = rng.integers(0, 256, size=(size, 28, 28), dtype=np.uint8)
        images[:, 0, 0], images[:, 0, 1] = 0, 255
        contents[f"{part}-images-idx3-ubyte"] = idx(images)
        contents[f"{part}-labels-idx1-ubyte"] = idx(rng.integers(0, 10, size=size, dtype=np.uint8))
    monkeypatch.setattr(mnist, "SHA256", {name: hashlib.sha256(contents[name]).hexdigest() for name in FILES})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LITERATIM_DATA", raising=False)
    root = tmp_path / "data"
    write(root, contents)
    return root


def write(root, contents):
    raw = Path(root) / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (raw / name).write_bytes(content)


def load(root, **options):
    data = MNIST(root=str(root) if root else None, **options)
    data.prepare_data()
    data.setup("fit")
    return data


def sentence(root, **options):
    """What loading says where it fails, which must be one line."""
    with pytest.raises(LiteratimError) as caught:
        load(root, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_small_files_are_read_as_they_are(small):
    data = load(small)
    for name, images, labels in (("train", TRAIN_IMAGES, TRAIN_LABELS), ("test", TEST_IMAGES, TEST_LABELS)):
        inputs, targets = data.sets[name]
        grey = np.frombuffer((small / "MNIST/raw" / images).read_bytes()[16:], dtype=np.uint8).reshape(-1, 28, 28)
        expected = torch.from_numpy(grey / np.float32(255)) * (BLACK - WHITE) + WHITE
        assert torch.allclose(inputs[:, 0, 2:30, 2:30], expected)
        assert targets.tolist() == list((small / "MNIST/raw" / labels).read_bytes()[8:])


def test_hold_out_keeps_the_last_images_as_val(small):
    whole, held = load(small).sets, load(small, hold_out=7).sets
    assert set(whole) == {"train", "test"}
    for i in (0, 1):
        assert torch.equal(held["train"][i], whole["train"][i][:23])
        assert torch.equal(held["val"][i], whole["train"][i][23:])
        assert torch.equal(held["test"][i], whole["test"][i])


@pytest.mark.parametrize("hold_out", [-1, 60_000])
def test_hold_out_beyond_the_training_set_is_refused(hold_out):
    with pytest.raises(LiteratimError, match="hold_out"):
        MNIST(hold_out=hold_out)


def test_gz_files_are_read(small):
    whole = load(small).sets
    for path in (small / "MNIST/raw").iterdir():
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert torch.equal(load(small).sets["train"][0], whole["train"][0])


def test_root_then_the_variable_then_the_cache_are_looked_in(small, tmp_path, monkeypatch):
    cache, shared = tmp_path / "cache" / "literatim", tmp_path / "shared"
    shutil.copytree(small, cache)
    assert mnist.find_file(TRAIN_LABELS, None) == cache / "MNIST/raw" / TRAIN_LABELS
    shutil.copytree(small, shared)
    monkeypatch.setenv("LITERATIM_DATA", str(shared))
    assert mnist.find_file(TRAIN_LABELS, None) == shared / "MNIST/raw" / TRAIN_LABELS
    assert mnist.find_file(TRAIN_LABELS, str(small)) == small / "MNIST/raw" / TRAIN_LABELS


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_with_every_place_looked_in(small, tmp_path, monkeypatch, name):
    monkeypatch.setenv("LITERATIM_DATA", str(tmp_path / "shared"))
    (small / "MNIST/raw" / name).unlink()
    said = sentence(small)
    assert f"{name} is missing" in said
    for place in (small, tmp_path / "shared", tmp_path / "cache" / "literatim"):
        assert str(place / "MNIST" / "raw") in said
    for remedy in ("--data.root", "LITERATIM_DATA", "--data.download true"):
        assert remedy in said


def test_a_folder_in_a_files_place_is_a_missing_file(small):
    path = small / "MNIST/raw" / TEST_LABELS
    path.unlink()
    path.mkdir()
    assert f"{TEST_LABELS} is missing" in sentence(small)


def flipped(content):
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", [flipped, lambda raw: raw[:-1], lambda raw: raw + b"\0", lambda raw: b""])
def test_a_damaged_file_is_refused_by_name(small, name, harm):
    path = small / "MNIST/raw" / name
    path.write_bytes(harm(path.read_bytes()))
    said = sentence(small)
    assert said.startswith(f"{path} is damaged")
    assert "delete it and fetch it again" in said


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (lambda gz: gz[:-9], "cannot be read"),
        (lambda gz: gz[: len(gz) // 2], "cannot be read"),
        (lambda gz: b"<html>no such file</html>", "cannot be read"),
        (lambda gz: b"", "is damaged"),
        (lambda gz: gzip.compress(flipped(gzip.decompress(gz))), "is damaged"),
    ],
)
def test_a_damaged_gz_is_refused_by_name(small, harm, what):
    path = small / "MNIST/raw" / TRAIN_LABELS
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(harm(gzip.compress(path.read_bytes())))
    path.unlink()
    said = sentence(small)
    assert said.startswith(f"{packed} {what}")
    assert "delete it and fetch it again" in said


# --- downloading it


@pytest.fixture
def torchvision(monkeypatch):
    """Puts a torchvision in place whose MNIST does what it is given."""

    def put(fetch):
        class Fetching:
            def __init__(self, root, train, download):
                assert download
                fetch(root)

        package, datasets = ModuleType("torchvision"), ModuleType("torchvision.datasets")
        package.datasets, datasets.MNIST = datasets, Fetching
        monkeypatch.setitem(sys.modules, "torchvision", package)
        monkeypatch.setitem(sys.modules, "torchvision.datasets", datasets)

    return put


def test_without_torchvision_a_download_says_what_to_install(small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    said = sentence(tmp_path / "empty", download=True)
    assert "needs torchvision" in said
    assert "pip install 'literatim[download]'" in said
    assert not (tmp_path / "empty").exists()


def test_a_torchvision_that_does_not_fit_torch_says_what_to_install(small, tmp_path, monkeypatch):
    package = tmp_path / "packages" / "torchvision"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(package.parent)
    said = sentence(tmp_path / "empty", download=True)
    assert "operator torchvision::nms does not exist" in said
    assert "pip install 'literatim[download]'" in said


@pytest.mark.parametrize("error", [OSError("timed out"), RuntimeError("Error downloading")])
def test_a_download_that_fails_is_one_sentence(small, tmp_path, torchvision, error):
    def fetch(root):
        raise error

    torchvision(fetch)
    said = sentence(tmp_path / "empty", download=True)
    assert f"could not be downloaded to {tmp_path / 'empty'}: {error}" in said
    assert "--data.root" in said


@pytest.mark.parametrize("raises", [True, False])
def test_a_half_written_download_is_not_accepted(small, tmp_path, torchvision, raises):
    def fetch(root):
        write(root, {name: (small / "MNIST/raw" / name).read_bytes()[:-5] for name in FILES})
        if raises:
            raise OSError("connection reset")

    torchvision(fetch)
    first = sentence(tmp_path / "new", download=True)
    assert ("connection reset" if raises else f"{TRAIN_IMAGES} is damaged") in first
    for download in (False, True):
        assert f"{TRAIN_IMAGES} is damaged" in sentence(tmp_path / "new", download=download)


def test_a_download_that_brings_nothing_is_a_missing_file(small, tmp_path, torchvision):
    torchvision(lambda root: None)
    assert f"{TRAIN_IMAGES} is missing" in sentence(tmp_path / "empty", download=True)


@pytest.mark.parametrize("named", [True, False])
def test_a_download_goes_to_the_root_or_the_cache_and_happens_once(small, tmp_path, torchvision, named):
    calls = []

    def fetch(root):
        calls.append(root)
        shutil.copytree(small, root)

    torchvision(fetch)
    root = tmp_path / "new" if named else None
    for _ in range(2):
        assert len(load(root, download=True).sets["train"][0]) == 30
    assert calls == [str(root or tmp_path / "cache" / "literatim")]


def test_nothing_is_downloaded_unasked(small, tmp_path, torchvision):
    calls = []
    torchvision(calls.append)
    assert "is missing" in sentence(tmp_path / "empty")
    assert calls == []


# --- MNIST itself


needs_mnist = pytest.mark.skipif(not REAL, reason="LITERATIM_DATA names no folder with MNIST")


@pytest.fixture(scope="module")
def real_root(tmp_path_factory):
    """The real files, the labels packed."""
    raw = tmp_path_factory.mktemp("mnist") / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in FILES:
        path = mnist.find_file(name, REAL)
        assert path, f"LITERATIM_DATA is {REAL}, which lacks {name}"
        if "labels" in name and path.suffix != ".gz":
            (raw / f"{name}.gz").write_bytes(gzip.compress(path.read_bytes(), compresslevel=1))
        else:
            shutil.copyfile(path, raw / path.name)
    return raw.parents[1]


@needs_mnist
def test_mnist_is_whole(real_root):
    sets = load(real_root, hold_out=10_000).sets
    assert {name: tuple(inputs.shape) for name, (inputs, _) in sets.items()} == {
        "train": (50_000, 1, 32, 32),
        "val": (10_000, 1, 32, 32),
        "test": (10_000, 1, 32, 32),
    }
    labels = gzip.decompress((real_root / "MNIST/raw" / f"{TRAIN_LABELS}.gz").read_bytes())[8:]
    assert sets["train"][1].tolist() == list(labels[:50_000])
    assert sets["val"][1].tolist() == list(labels[50_000:])
    # Known of the test set: 7, 2, 1, 0 come first, and so many of each there are.
    assert sets["test"][1][:4].tolist() == [7, 2, 1, 0]
    assert sets["test"][1].bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    for inputs, _ in sets.values():
        assert inputs.min().item() == pytest.approx(WHITE)
        assert inputs.max().item() == pytest.approx(BLACK)
        for edge in (inputs[..., :2, :], inputs[..., -2:, :], inputs[..., :2], inputs[..., -2:]):
            assert (edge == torch.tensor(WHITE)).all()


@needs_mnist
def test_a_flipped_byte_in_mnist_is_noticed(real_root, tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    shutil.copytree(real_root / "MNIST" / "raw", raw)
    packed = raw / f"{TEST_LABELS}.gz"
    packed.write_bytes(gzip.compress(flipped(gzip.decompress(packed.read_bytes()))))
    with pytest.raises(LiteratimError, match=f"{TEST_LABELS}.gz is damaged"):
        mnist.read_idx(TEST_LABELS, str(tmp_path))


# --- batches


def batches(n=10, size=3, order="none", seed=0):
    return TensorBatches(torch.arange(n), torch.arange(n) * 2, size, order, seed)


def seen(loader):
    return [i for inputs, _ in loader for i in inputs.tolist()]


def epochs(loader, n=3):
    found = []
    for epoch in range(n):
        loader.set_epoch(epoch)
        found.append(seen(loader))
    return found


def test_order_none_is_the_order_of_the_set():
    assert epochs(batches()) == [list(range(10))] * 3


def test_order_once_is_one_random_order_for_all_epochs():
    first, second, third = epochs(batches(order="once"))
    assert first == second == third != list(range(10))


def test_order_each_epoch_is_another_in_every_epoch():
    found = epochs(batches(order="each epoch"))
    assert len({tuple(order) for order in found}) == 3
    loader = batches(order="each epoch")
    loader.set_epoch(2)
    assert seen(loader) == found[2]  # it follows from the epoch, not from the epochs before


@pytest.mark.parametrize("order", ["once", "each epoch"])
def test_the_order_follows_from_the_seed(order):
    assert epochs(batches(order=order, seed=5)) == epochs(batches(order=order, seed=5))
    assert epochs(batches(order=order, seed=5))[0] != epochs(batches(order=order, seed=6))[0]


def test_the_order_does_not_touch_torchs_own_random_numbers():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    seen(batches(order="each epoch"))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("order", ["none", "once", "each epoch"])
@pytest.mark.parametrize(("size", "sizes"), [(3, [3, 3, 3, 1]), (5, [5, 5]), (10, [10]), (64, [10])])
def test_every_example_comes_once_an_epoch(order, size, sizes):
    loader = batches(size=size, order=order)
    for epoch in range(2):
        loader.set_epoch(epoch)
        found = list(loader)
        assert [len(inputs) for inputs, _ in found] == sizes
        assert len(loader) == len(sizes)
        assert sorted(torch.cat([inputs for inputs, _ in found]).tolist()) == list(range(10))
        assert all(torch.equal(targets, inputs * 2) for inputs, targets in found)


@pytest.mark.parametrize("order", ["none", "once", "each epoch"])
@pytest.mark.parametrize("done", [1, 2, 3])
def test_a_loader_goes_on_in_the_middle_of_an_epoch(order, done):
    whole = epochs(batches(order=order))
    loader = batches(order=order)
    loader.set_epoch(1)
    walk = iter(loader)
    before = [i for _ in range(done) for i in next(walk)[0].tolist()]
    state = loader.state_dict()

    resumed = batches(order=order)
    resumed.load_state_dict(state)
    resumed.set_epoch(1)
    assert before + seen(resumed) == whole[1]
    resumed.set_epoch(2)
    assert seen(resumed) == whole[2]


def test_a_state_saved_at_the_end_of_an_epoch_begins_the_next():
    loader = batches()
    walk = iter(loader)
    for _ in range(len(loader)):
        next(walk)
    resumed = batches()
    resumed.load_state_dict(loader.state_dict())
    resumed.set_epoch(1)
    assert seen(resumed) == list(range(10))


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_size_below_one_is_refused(size):
    with pytest.raises(LiteratimError, match=f"the batch size is {size}; it must be at least 1"):
        batches(size=size)


def test_an_empty_set_is_refused():
    with pytest.raises(LiteratimError, match="the data set is empty"):
        batches(n=0)


def test_an_epoch_broken_off_does_not_shorten_the_next():
    loader = batches()
    next(iter(loader))
    assert seen(loader) == list(range(10))


def shares(n, ranks, monkeypatch, epoch=0, **options):
    """The loaders of all ranks, and the batches that each hands out."""
    loaders = [batches(n=n, **options) for _ in range(ranks)]
    for rank, loader in enumerate(loaders):
        loader.set_epoch(epoch)
        monkeypatch.setattr(loader, "share", lambda rank=rank: (rank, ranks))
    return loaders, [[inputs.tolist() for inputs, _ in loader] for loader in loaders]


@pytest.mark.parametrize("order", ["none", "once", "each epoch"])
@pytest.mark.parametrize("n", [5, 10, 11, 12, 13, 61])
@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_ranks_together_see_what_one_process_sees_with_batches_as_large(order, n, ranks, monkeypatch):
    """In as many steps, but that what is too little for all ranks goes into the step before."""
    loaders, found = shares(n, ranks, monkeypatch, order=order)
    assert {len(loader) for loader in loaders} == {len(of_rank) for of_rank in found}
    assert all(of_step for of_rank in found for of_step in of_rank), "a rank without an example in a step"
    steps = [sorted(i for part in step for i in part) for step in zip(*found, strict=True)]
    alone = [inputs.tolist() for inputs, _ in batches(n=n, size=3 * ranks, order=order)]
    if len(alone) > 1 and len(alone[-1]) < ranks:
        alone[-2:] = [alone[-2] + alone[-1]]
    assert steps == [sorted(step) for step in alone]


@pytest.mark.parametrize("n", [10, 11, 12, 13, 61])
@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_the_weighted_mean_over_ranks_is_the_mean_over_examples(n, ranks, monkeypatch):
    loaders, found = shares(n, ranks, monkeypatch, order="once")
    for number, step in enumerate(zip(*found, strict=True)):
        means = [loader.weight(number) * sum(part) / len(part) for loader, part in zip(loaders, step, strict=True)]
        everything = [i for part in step for i in part]
        assert sum(means) / ranks == pytest.approx(sum(everything) / len(everything))


@pytest.mark.parametrize("ranks", [2, 3])
def test_no_rank_has_more_than_others_after_some_epochs(ranks, monkeypatch):
    found = [shares(13, ranks, monkeypatch, epoch=epoch)[1] for epoch in range(ranks)]
    assert {sum(len(step) for of_epoch in found for step in of_epoch[rank]) for rank in range(ranks)} == {13}


def test_fewer_examples_than_ranks_are_refused(monkeypatch):
    with pytest.raises(LiteratimError, match="a set of 2 cannot be shared by 3 processes"):
        shares(2, 3, monkeypatch)


# --- reading image files


def drawing(height=60, width=60):
    """Ink 1 on 0: a seven in the middle of the field, with grey at its edge."""
    image = np.zeros((height, width), dtype=np.float32)
    image[height // 5 : height // 5 + 6, width // 4 : 3 * width // 4] = 1
    image[height // 5 : 4 * height // 5, 3 * width // 4 - 6 : 3 * width // 4] = 1
    image[height // 5, width // 4 : 3 * width // 4] = 0.5
    return image


def save(path, image):
    Image.fromarray((np.asarray(image) * 255).round().astype(np.uint8)).save(path)
    return str(path)


def box(digit):
    """(height, width) of the ink in a field."""
    rows, columns = np.nonzero(digit.max(axis=1) > 0.2)[0], np.nonzero(digit.max(axis=0) > 0.2)[0]
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def centre(digit):
    return [float((digit.sum(axis=1 - axis) * np.arange(28)).sum() / digit.sum()) for axis in (0, 1)]


def test_dark_on_light_and_light_on_dark_give_the_same_field(tmp_path):
    light = read_digit(save(tmp_path / "light.png", drawing()))
    dark = read_digit(save(tmp_path / "dark.png", 1 - drawing()))
    assert light.shape == dark.shape == (1, 28, 28)
    assert light.max() == pytest.approx(1)
    assert light.min() == 0
    assert np.abs(light - dark).max() <= 1.5 / 255


def test_faint_ink_is_made_as_black_as_any(tmp_path):
    full, faint = (read_digit(save(tmp_path / f"{k}.png", k * drawing())) for k in (1, 0.4))
    assert np.abs(full - faint).max() < 0.03


def test_a_transparent_image_is_ink_on_white_paper(tmp_path):
    ink = (drawing() * 255).round().astype(np.uint8)
    black = np.zeros_like(ink)
    Image.fromarray(np.stack([black, black, black, ink], axis=2), "RGBA").save(tmp_path / "clear.png")
    expected = read_digit(save(tmp_path / "dark.png", 1 - drawing()))
    assert np.abs(read_digit(str(tmp_path / "clear.png")) - expected).max() <= 2 / 255


@pytest.mark.parametrize(("shape", "expected"), [((80, 20), (20, 5)), ((20, 80), (5, 20)), ((40, 40), (20, 20))])
def test_a_digit_keeps_its_proportions(tmp_path, shape, expected):
    image = np.zeros((120, 120))
    image[7 : 7 + shape[0], 30 : 30 + shape[1]] = 1
    assert box(read_digit(save(tmp_path / "bar.png", image))[0]) == expected


def test_a_digit_of_one_pixels_width_keeps_one_pixel(tmp_path):
    image = np.zeros((120, 120))
    image[5:105, 30] = 1
    assert box(read_digit(save(tmp_path / "line.png", image))[0]) == (20, 1)


@pytest.mark.parametrize("place", [(0, 0), (3, 50), (60, 2)])
def test_the_centre_of_mass_is_in_the_middle(tmp_path, place):
    image = np.zeros((130, 120))
    image[place[0] + 2 : place[0] + 62, place[1] + 2 : place[1] + 62] = drawing()
    digit = read_digit(save(tmp_path / "seven.png", image))[0]
    assert centre(digit) == pytest.approx([13.5, 13.5], abs=0.51)
    assert max(box(digit)) == 20


def test_a_heavy_side_moves_a_digit_no_further_than_the_field(tmp_path):
    image = np.zeros((140, 140))
    image[20:120, 66:74] = 1
    image[100:120, 20:120] = 1  # an upside-down T, its mass at the foot
    digit = read_digit(save(tmp_path / "t.png", image))[0]
    assert box(digit) == (20, 20)
    assert digit[0].max() > 0.5  # it begins at the field's edge
    assert centre(digit)[0] > 14


@pytest.mark.parametrize("data", [Digits(), MNIST()])
def test_an_image_file_is_put_at_the_papers_levels(tmp_path, data):
    path = save(tmp_path / "seven.png", drawing())
    found = data.read_image(path)
    assert found.shape == (1, 32, 32)
    assert found.min().item() == pytest.approx(WHITE)
    assert found.max().item() == pytest.approx(BLACK)
    assert torch.allclose(
        found[0, 2:30, 2:30], torch.from_numpy(read_digit(path)[0]) * (BLACK - WHITE) + WHITE, atol=1e-6
    )


def test_one_pixel_of_ink_is_a_digit(tmp_path):
    image = np.zeros((30, 30))
    image[12, 17] = 1
    assert box(read_digit(save(tmp_path / "dot.png", image))[0]) == (20, 20)


@pytest.mark.parametrize("image", [np.zeros((40, 40)), np.ones((40, 40)), np.ones((1, 1)), np.full((9, 9), 0.5)])
def test_an_image_without_a_digit_is_refused(tmp_path, image):
    path = save(tmp_path / "blank.png", image)
    with pytest.raises(LiteratimError, match="the image is empty") as caught:
        read_digit(path)
    assert str(caught.value).startswith(path)


def test_what_is_not_an_image_is_refused(tmp_path):
    (tmp_path / "text.png").write_text("seven")
    whole = Path(save(tmp_path / "whole.png", np.random.default_rng(0).random((50, 50)))).read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "folder.png").mkdir()
    for name in ("text.png", "half.png", "folder.png"):
        path = str(tmp_path / name)
        with pytest.raises(LiteratimError, match="not an image that can be read") as caught:
            read_digit(path)
        assert str(caught.value).startswith(path)


@pytest.mark.parametrize("place", [11, 36])  # the lengths of two chunks
def test_a_png_with_a_broken_chunk_is_refused(tmp_path, place):
    content = bytearray(Path(save(tmp_path / "seven.png", drawing())).read_bytes())
    content[place] = 5
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(LiteratimError, match="not an image that can be read"):
        read_digit(str(tmp_path / "broken.png"))


def test_a_scan_of_16_bits_is_read_as_one_of_8(tmp_path):
    page = 0.9 - 0.6 * drawing()
    Image.fromarray((page * 65535).round().astype(np.uint16)).save(tmp_path / "deep.png")
    expected = read_digit(save(tmp_path / "page.png", page))
    assert np.abs(read_digit(str(tmp_path / "deep.png")) - expected).max() < 0.03


def test_a_missing_image_is_refused(tmp_path):
    path = str(tmp_path / "none.png")
    with pytest.raises(LiteratimError, match="there is no such file") as caught:
        read_digit(path)
    assert str(caught.value).startswith(path)
