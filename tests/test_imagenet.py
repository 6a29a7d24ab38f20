"""ImageNet from a tiny set in torchvision's layout, what is said where it is not whole, and the recipes on it."""

import hashlib
import os
import shutil
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from conftest import CHECKOUT
from literatim.cli import main
from literatim.datasets import imagenet
from literatim.datasets.imagenet import ImageNet
from literatim.errors import LiteratimError
from literatim.registry import card, claims

WNIDS = [f"n{i:08}" for i in range(1000)]

NO_TORCHVISION = "torchvision, which unpacks the archives, is not here: pip install torchvision"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """A thousand classes of one image of 48x40 in train and in val; eight files, the rest are links to them."""
    root = tmp_path_factory.mktemp("imagenet")
    rng = np.random.default_rng(0)
    for i in range(8):
        Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(root / f"{i}.jpg")
    for part in imagenet.IMAGES:
        for i, wnid in enumerate(WNIDS):
            (root / part / wnid).mkdir(parents=True)
            os.link(root / f"{i % 8}.jpg", root / part / wnid / f"{wnid}_{i}.JPEG")
    names = {wnid: (f"thing {i}", f"object {i}") for i, wnid in enumerate(WNIDS)}
    names |= dict.fromkeys((WNIDS[134], WNIDS[517]), ("crane",))
    torch.save((names, WNIDS), root / imagenet.META)
    return root


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Nothing anywhere but where a test puts it, and sets of a thousand images."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LITERATIM_DATA", raising=False)
    monkeypatch.setattr(imagenet, "IMAGES", {"train": 1000, "val": 1000})


@pytest.fixture
def copy(tiny, tmp_path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "set", copy_function=os.link))


def load(root) -> ImageNet:
    data = ImageNet(root=str(root) if root else None, workers=0)
    data.prepare_data()
    data.setup("fit")
    return data


def sentence(root) -> str:
    with pytest.raises(LiteratimError) as caught:
        load(root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_labels_are_the_sorted_ids_and_classes_have_their_names(tiny):
    data = load(tiny)
    assert data.classes[:2] == ("thing 0, object 0", "thing 1, object 1")
    assert data.classes[134] == f"crane ({WNIDS[134]})" != data.classes[517]
    assert len(set(data.classes)) == 1000
    for name in ("train", "val", "test"):
        files = data.files(name)
        assert [os.fsdecode(path).split("/")[-2] for path in files.paths] == WNIDS
        assert files.labels.tolist() == list(range(1000))
    assert b"/val/" in data.files("test").paths[0]


def test_a_folder_of_images_to_submit_is_passed_over(copy):
    (copy / "test").mkdir()
    shutil.copy(copy / "0.jpg", copy / "test" / "ILSVRC2012_test_1.JPEG")
    assert set(load(copy).found) == {"train", "val"}


def test_it_is_found_where_sets_are(tiny, tmp_path, monkeypatch):
    (tmp_path / "cache" / "literatim").mkdir(parents=True)
    (tmp_path / "cache" / "literatim" / "imagenet").symlink_to(tiny)
    assert len(load(None).classes) == 1000
    monkeypatch.setenv("LITERATIM_DATA", str(tiny))
    assert imagenet.place_of(None) == tiny


def test_where_there_is_nothing_it_says_what_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setenv("LITERATIM_DATA", str(tmp_path / "shared"))
    said = sentence(tmp_path / "root")
    for word in (tmp_path / "root", tmp_path / "shared", "--data.root", "train and val", "ILSVRC2012_img_train.tar"):
        assert str(word) in said


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda root: shutil.rmtree(root / "train" / WNIDS[7]), ("train holds 999 folders", "1,000")),
        (lambda root: (root / "val" / "more").mkdir(), ("val holds 1,001 folders",)),
        (lambda root: shutil.rmtree(root / "val"), ("lacks the folder val", "ILSVRC2012_img_val.tar")),
        (
            lambda root: next((root / "train" / WNIDS[7]).iterdir()).unlink(),
            (f"train/{WNIDS[7]}: there are no images",),
        ),
        (lambda root: next((root / "val" / WNIDS[7]).iterdir()).unlink(), ("val holds 999 images, not 1,000",)),
        (lambda root: (root / "val" / WNIDS[7]).rename(root / "val" / "x"), ("x: there is no class of that name",)),
    ],
)
def test_a_set_that_is_not_whole_is_refused(copy, harm, words):
    harm(copy)
    said = sentence(copy)
    for word in (str(copy), *words):
        assert word in said


@pytest.mark.parametrize("content", [b"", b"<html>", "others"])
def test_a_damaged_file_of_names_is_refused_and_a_missing_one_is_not(copy, content):
    (copy / imagenet.META).unlink()
    assert load(copy).classes == tuple(WNIDS)
    if content == "others":
        torch.save(({"n1": ("one",)}, []), copy / imagenet.META)
    else:
        (copy / imagenet.META).write_bytes(content)
    assert sentence(copy).startswith(f"{copy / imagenet.META} is damaged: ")


def test_a_file_of_names_cannot_run_anything(copy):
    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(copy / "made"),)

    (copy / imagenet.META).unlink()
    torch.save(Harmful(), copy / imagenet.META)
    assert "is damaged" in sentence(copy)
    assert not (copy / "made").exists()


# --- archives


def archives(tiny: Path, root: Path, classes: int) -> dict[str, tuple[str, str]]:
    """The contest's three archives of a few classes; torchvision's table of their names and checksums."""
    import scipy.io

    root.mkdir()
    work = root / "work"
    kit = work / "ILSVRC2012_devkit_t12" / "data"
    kit.mkdir(parents=True)
    kind = [("ILSVRC2012_ID", object), ("WNID", object), ("words", object), ("gloss", object), ("num_children", object)]
    synsets = np.array([(i + 1, WNIDS[i], f"thing {i}, object {i}", "", 0) for i in range(classes)], dtype=kind)
    scipy.io.savemat(kit / "meta.mat", {"synsets": synsets})
    (kit / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(f"{classes - i}\n" for i in range(classes)))
    with tarfile.open(root / imagenet.ARCHIVES[imagenet.META], "w:gz") as tar:
        tar.add(kit.parent, kit.parent.name)
    with tarfile.open(root / imagenet.ARCHIVES["train"], "w") as tar:
        for i in range(classes):
            with tarfile.open(work / f"{WNIDS[i]}.tar", "w") as inner:
                inner.add(tiny / f"{i}.jpg", f"{WNIDS[i]}_1.JPEG")
            tar.add(work / f"{WNIDS[i]}.tar", f"{WNIDS[i]}.tar")
    with tarfile.open(root / imagenet.ARCHIVES["val"], "w") as tar:
        for i in range(classes):
            tar.add(tiny / f"{i}.jpg", f"ILSVRC2012_val_{i + 1:08}.JPEG")
    shutil.rmtree(work)
    sums = {name: hashlib.md5((root / file).read_bytes()).hexdigest() for name, file in imagenet.ARCHIVES.items()}
    return {key: (imagenet.ARCHIVES[name], sums[name]) for key, name in (("train", "train"), ("val", "val"),
                                                                        ("devkit", imagenet.META))}  # fmt: skip


def test_archives_are_unpacked_by_torchvision(tiny, tmp_path, monkeypatch):
    theirs = pytest.importorskip("torchvision.datasets.imagenet", reason=NO_TORCHVISION)
    monkeypatch.setattr(theirs, "ARCHIVE_META", archives(tiny, tmp_path / "packed", 4))
    monkeypatch.setattr(imagenet, "CLASSES", 4)
    monkeypatch.setattr(imagenet, "IMAGES", {"train": 4, "val": 4})
    data = load(tmp_path / "packed")
    assert data.classes == tuple(f"thing {i}, object {i}" for i in range(4))
    # The fourth image of val is of the first class.
    assert [os.fsdecode(path).split("_")[-1] for path in data.files("val").paths] == [
        f"{4 - i:08}.JPEG" for i in range(4)
    ]
    data.prepare_data()  # a second time there is nothing to do


def test_archives_without_torchvision_or_damaged_are_one_sentence(tiny, tmp_path, monkeypatch):
    archives(tiny, tmp_path / "packed", 4)
    pytest.importorskip("torchvision", reason=NO_TORCHVISION)
    assert "could not be unpacked: The archive" in sentence(tmp_path / "packed")
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    assert "torchvision is needed to unpack them: pip install 'literatim[download]'" in sentence(tmp_path / "packed")


# --- the recipes

# What makes a run of two steps small: the network's and the images' sizes.
SMALL = {
    "alexnet": {
        "model.options": "{maps: [8, 8, 8, 8, 8], hidden: 16, size: 67}", "model.image_size": "72", "data.size": "72",
        "data.scale": "72", "data.eval_scale": "72",
    },
    "vgg": {
        "model.options": "{init: glorot, width: 8, hidden: 32, size: 32}", "data.size": "32", "data.scale": "36",
        "data.eval_scale": "40",
    },
    "googlenet": {
        "model.variant": "googlenet-miniature", "data.size": "28", "data.eval_scale": "32",
    },
    "resnet": {
        "model.variant": "resnet18", "data.size": "32", "data.scale": "[36, 48]", "data.eval_scale": "40",
        "data.eval_size": "40", "data.sample": "50", "model.views": "one",
    },
}  # fmt: skip
FEW = {
    "data.batch_size": "4", "data.workers": "0", "data.eval_batch_size": "1", "trainer.max_steps": "2",
    "trainer.limit_train_batches": "2", "trainer.limit_val_batches": "2", "trainer.enable_progress_bar": "false",
}  # fmt: skip


def options(*settings: dict[str, str]) -> list[str]:
    return [word for some in settings for name, value in some.items() for word in (f"--{name}", value)]


@pytest.mark.parametrize("paper", SMALL)
def test_the_recipe_runs(paper, tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = [paper, "--recipe", "imagenet"]
    small = options({"data.root": str(tiny)}, SMALL[paper], FEW)
    assert main(["fit", *recipe, *small]) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    for metric in ("online_loss", "val_error", "val_top5_error"):
        assert metric in said
    saved = torch.load(tmp_path / f"runs/{paper}/imagenet/0/checkpoints/last.ckpt", weights_only=True)
    assert len(saved["ImageNet"]["classes"]) == 1000
    assert saved["global_step"] == 2
    data = {name: value for name, value in SMALL[paper].items() if name.startswith("data.")}
    image = str(tiny / "train" / WNIDS[3] / f"{WNIDS[3]}_3.JPEG")
    assert main(["predict", paper, image, "--recipe", "imagenet", "--ckpt_path", "last", *options(data)]) == 0
    assert capsys.readouterr().out.startswith(f"{image}: ")


def test_what_networks_keep_of_the_images(tiny, tmp_path, monkeypatch):
    """The means are at levels from 0 to 255: AlexNet's of each pixel, VGG's of each colour, ResNet's in the data."""
    monkeypatch.chdir(tmp_path)
    found = {}
    for paper in ("alexnet", "vgg", "resnet"):
        small = options({"data.root": str(tiny)}, SMALL[paper], FEW)
        assert main(["fit", paper, "--recipe", "imagenet", *small]) == 0
        found[paper] = torch.load(tmp_path / f"runs/{paper}/imagenet/0/checkpoints/last.ckpt", weights_only=True)
    means = (found["alexnet"]["state_dict"]["mean"], found["vgg"]["state_dict"]["mean"],
             found["resnet"]["ImageNet"]["pixel_mean"])  # fmt: skip
    assert [tuple(mean.shape) for mean in means] == [(3, 72, 72), (3,), (3, 32, 32)]
    for mean in means:
        assert abs(float(mean.mean()) - 127.5) < 4


@pytest.mark.parametrize("paper", SMALL)
def test_the_recipe_is_the_papers(paper):
    """What is printed, with its places: facts of the four papers, not copies of the recipes."""
    settings = yaml.safe_load((CHECKOUT / "papers" / paper / "recipes" / "imagenet.yaml").read_text())
    flat = {f"{part}.{name}": value for part in ("model", "data", "trainer") for name, value in settings[part].items()}
    printed = {
        # Sec. 2, Sec. 5
        "alexnet": {"data.scale": 256, "data.crop": "centre", "data.size": 256, "data.batch_size": 128,
                    "data.levels": 255, "model.lr": 0.01, "model.momentum": 0.9, "model.weight_decay": 0.0005,
                    "trainer.max_epochs": 90},
        # Sec. 3.1, Sec. 3.2, Table 3
        "vgg": {"data.scale": 256, "data.crop": "random", "data.size": 224, "data.batch_size": 256,
                "trainer.max_steps": 370_000, "model.lr": 0.01, "model.momentum": 0.9, "model.weight_decay": 5e-4,
                "model.drops": 3, "data.eval_scale": 256, "data.eval_crop": "none", "data.colour_noise": 0.1},
        # Sec. 6
        "googlenet": {"data.crop": "area", "data.size": 224, "data.interpolation": "random"},
        # Sec. 3.4
        "resnet": {"data.scale": [256, 480], "data.crop": "random", "data.size": 224, "data.mirror": True,
                   "data.mean": "pixel", "data.colour_noise": 0.1, "data.batch_size": 256, "model.lr": 0.1,
                   "model.momentum": 0.9, "model.weight_decay": 1e-4, "trainer.max_steps": 600_000,
                   "model.views": "ten-crop"},
    }[paper]  # fmt: skip
    assert {name: flat.get(name) for name in printed} == printed
    assert card(paper).recipes["imagenet"].data == "imagenet"


@pytest.mark.parametrize("paper", SMALL)
def test_what_is_claimed_of_imagenet_is_not_attempted_and_says_why(paper):
    named = [claim for claim in claims(paper) if claim.result and claim.result.recipe == "imagenet"]
    assert named
    assert all(claim.not_attempted or all(row.not_attempted for row in claim.rows.values()) for claim in named)
