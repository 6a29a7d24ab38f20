"""Photographs of one's own: which are held out, what is taken once and what not at all, and what happens when they
change between a run and its going on or its test."""

import json
import os
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import assert_refused, inside
from literatim.datasets import fingerprints
from literatim.datasets.classfolders import ClassFolders
from literatim.datasets.folders import PARTS, SETS
from literatim.datasets.imagefolder import ImageFolder
from literatim.errors import LiteratimError, LiteratimWarning

CLASSES = ("cat", "dog")


def image(path: Path, level: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 12), (level % 256, level // 256, 7)).save(path)


def photographs(root: Path, each=50, classes=CLASSES, begin=0) -> Path:
    """No two of the images are alike, nor like those of another `begin`."""
    for label, name in enumerate(classes):
        for i in range(each):
            image(root / name / f"{i:03}.png", begin + label * each + i)
    return root


def load(root: Path, stage="fit", **options) -> ImageFolder:
    data = ImageFolder(root=str(root), **options)
    data.setup(stage)
    return data


def names(data: ClassFolders, part: str) -> set[str]:
    return {os.path.relpath(os.fsdecode(path), data.folder) for path in data.files(part).paths}


def evaluated(root: Path, trained: ImageFolder, stage="test") -> ImageFolder:
    data = load(root, stage)
    data.load_state_dict(trained.state_dict())
    return data


def refusal(root: Path, trained: ImageFolder, stage="test") -> str:
    with pytest.raises(LiteratimError) as caught:
        evaluated(root, trained, stage)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what is held out


@pytest.mark.parametrize("seed", range(3))
def test_one_image_more_or_less_moves_at_most_one_other(tmp_path, seed):
    root = photographs(tmp_path / "a")
    before = {part: names(load(root, seed=seed), part) for part in ("train", "val")}
    assert len(before["val"]) == 20
    for i in range(12):
        image(root / "cat" / f"more {i}.png", 1000 + i)
        after = {part: names(load(root, seed=seed), part) for part in ("train", "val")}
        assert len(before["train"] & after["val"]) + len(before["val"] & after["train"]) <= 1
        before = after
    for name in sorted(names(load(root), "train") | names(load(root), "val"))[:12]:
        (root / name).unlink()
        after = {part: names(load(root, seed=seed), part) for part in ("train", "val")}
        assert len(before["train"] & after["val"]) + len(before["val"] & after["train"]) <= 1
        before = after


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.99])
@pytest.mark.parametrize("each", [1, 2, 3, 10, 33])
def test_the_share_is_met_in_every_class_and_neither_part_is_empty(tmp_path, share, each):
    data = load(photographs(tmp_path / "a", each), hold_out=share)
    if each == 1:
        assert len(names(data, "train")) == 2
        assert not names(data, "val")
        return
    train, val = names(data, "train"), names(data, "val")
    assert not train & val
    assert len(train | val) == 2 * each
    for name in CLASSES:
        held = sum(path.startswith(name) for path in val)
        assert 1 <= held <= each - 1
        assert abs(held - share * each) <= 1


def test_the_folder_may_be_named_in_any_way_and_may_move(tmp_path, monkeypatch):
    root = photographs(tmp_path / "a")
    data = load(root)
    monkeypatch.chdir(root)
    for other in (".", "../a/", "../a/../a"):
        assert names(load(Path(other)), "val") == names(data, "val")
        assert load(Path(other)).fingerprint() == data.fingerprint()
    monkeypatch.chdir(tmp_path)
    root.rename(tmp_path / "b")
    for stage in ("fit", "test"):
        assert names(evaluated(tmp_path / "b", data, stage), "val") == names(data, "val")


# --- what has changed


def rewrite(root: Path) -> None:
    image(root / "dog" / "007.png", 5000)


def rewrite_all(root: Path) -> None:
    photographs(root, begin=5000)


def flip(root: Path) -> None:
    path = root / "dog" / "007.png"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)


def touch(root: Path) -> None:
    """The content alone changes: neither size nor time."""
    path, kept = root / "dog" / "007.png", (root / "dog" / "007.png").stat()
    flip(root)
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))


CHANGES = {
    "one more": (lambda root: image(root / "cat" / "new.png", 999), "1 more (the first is cat/new.png)"),
    "one less": (lambda root: (root / "cat" / "003.png").unlink(), "1 fewer"),
    "another name": (
        lambda root: (root / "cat" / "003.png").rename(root / "cat" / "x.png"),
        "1 more, 1 fewer (the first is cat/x.png)",
    ),
    "another class": (
        lambda root: (root / "cat" / "003.png").rename(root / "dog" / "x.png"),
        "1 more, 1 fewer (the first is dog/x.png)",
    ),
    "one replaced": (rewrite, "1 replaced (the first is dog/007.png)"),
    "a bit": (flip, "1 replaced (the first is dog/007.png)"),
    "a bit, with size and time kept": (touch, "1 replaced (the first is dog/007.png)"),
    "two changed places": (
        lambda root: [
            (root / "cat" / "001.png").rename(root / "x"), (root / "dog" / "001.png").rename(root / "cat" / "001.png"),
            (root / "x").rename(root / "dog" / "001.png"),
        ],
        "2 replaced (the first is cat/001.png)",
    ),
    "three kinds": (
        lambda root: [image(root / "cat" / "new.png", 999), (root / "dog" / "000.png").unlink(), rewrite(root)],
        "1 more, 1 fewer, 1 replaced (the first is cat/new.png)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("stage", ["fit", "test", "validate"])
@pytest.mark.parametrize("change", CHANGES)
def test_whatever_has_changed_is_refused_and_named(tmp_path, change, stage, fault):
    root = photographs(tmp_path / "a")
    trained = load(root)
    before = trained.fingerprint()
    CHANGES[change][0](root)
    assert CHANGES[change][1] in refusal(root, trained, stage)
    assert load(root).fingerprint() != before
    fault("data-changed")


@pytest.mark.parametrize("whole", [True, False])
def test_large_sets_are_known_by_parts_of_their_files_and_stay_so(tmp_path, whole, monkeypatch):
    monkeypatch.setattr(fingerprints, "WHOLE", 10**6 if whole else 10**4)
    root = photographs(tmp_path / "a", each=3)
    noise = np.random.default_rng(0).integers(0, 256, 30_000, dtype=np.uint8)
    (root / "cat" / "large.ppm").write_bytes(b"P6 100 100 255\n" + noise.tobytes())
    trained = load(root)
    assert trained.take_fingerprint().whole is whole
    # What was taken of a small set is compared with the same of one that has grown.
    monkeypatch.setattr(fingerprints, "WHOLE", 10**4 if whole else 10**6)
    evaluated(root, trained)
    content = bytearray((root / "cat" / "large.ppm").read_bytes())
    for place in (0, len(content) // 2, len(content) - 1):
        (root / "cat" / "large.ppm").write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert "1 replaced (the first is cat/large.ppm)" in refusal(root, trained)
    (root / "cat" / "large.ppm").write_bytes(content[:8000] + b"x" + content[8001:])
    if whole:
        assert "1 replaced" in refusal(root, trained)
    else:
        evaluated(root, trained)  # as the module says: between the parts an edit in place is not seen


def test_a_checkpoint_of_an_earlier_version_is_no_ground_for_a_test_but_for_a_prediction(tmp_path):
    root = photographs(tmp_path / "a", each=3)
    old = {name: value for name, value in load(root).state_dict().items() if name != "files"}
    for stage in ("fit", "test"):
        with pytest.raises(LiteratimError, match="does not say on which images"):
            load(root, stage).load_state_dict(old)
    data = ImageFolder()
    data.setup("predict")
    data.load_state_dict(old)
    assert data.classes == CLASSES


# --- other images to test on


def test_a_folder_of_new_images_is_tested_on_whole_and_says_so(tmp_path):
    trained = load(photographs(tmp_path / "a"))
    with pytest.warns(LiteratimWarning, match=r"no image of the training is in it; the test is on 14"):
        data = evaluated(photographs(tmp_path / "new", each=7, begin=3000), trained)
    assert len(data.files("test").labels) == 14
    with pytest.warns(LiteratimWarning, match=r"the val is on 14"):
        assert len(evaluated(tmp_path / "new", trained, "validate").files("val").labels) == 14


def test_new_images_have_the_labels_of_the_training(tmp_path):
    trained = load(photographs(tmp_path / "a", classes=("ant", "cat", "dog", "owl"), each=4))
    with pytest.warns(LiteratimWarning):
        data = evaluated(photographs(tmp_path / "new", classes=("owl",), each=3, begin=900), trained)
    assert data.files("test").labels.tolist() == [3, 3, 3]
    photographs(tmp_path / "odd", classes=("owl", "pig"), each=3, begin=900)
    assert 'the checkpoint knows no class "pig"' in refusal(tmp_path / "odd", trained)


def test_a_test_set_alone_or_one_that_came_later_is_tested_on(tmp_path):
    root = tmp_path / "a"
    photographs(root / "train", each=5)
    photographs(root / "val", each=5, begin=100)
    trained = load(root)
    photographs(root / "test", each=4, begin=200)
    assert len(evaluated(root, trained).files("test").labels) == 8
    photographs(tmp_path / "alone" / "Testing", each=3, begin=300)
    with pytest.warns(LiteratimWarning, match="the test is on 6"):
        evaluated(tmp_path / "alone", trained)


def test_new_images_among_old_ones_are_no_test(tmp_path):
    root = photographs(tmp_path / "a")
    trained = load(root)
    mixed = photographs(tmp_path / "mixed", each=5, begin=3000)
    (mixed / "cat" / "old.png").write_bytes((root / "cat" / "001.png").read_bytes())
    said = refusal(mixed, trained)
    assert "some of them are: 1 more, 90 fewer, 10 replaced" in said
    assert "a folder of other images alone" in said


# --- links, pipes, and what is no image


def loops(root: Path) -> None:
    (root / "cat" / "back").symlink_to("..")
    (root / "cat" / "self").symlink_to(".")
    (root / "dog" / "up").symlink_to(root.parent)
    (root / "dog" / "other").symlink_to(root / "cat")
    (root / "dog" / "deep").mkdir()
    (root / "dog" / "deep" / "er").symlink_to("..")
    (root / "dog" / "round").symlink_to("round")


def repeated(root: Path) -> None:
    (root / "cat" / "again.png").symlink_to("000.png")
    (root / "dog" / "000 again.png").symlink_to("../cat/000.png")


def pool(root: Path) -> None:
    """Images elsewhere: linked to twice, and as the folder they lie in, which leads back into itself."""
    image(root.parent / "pool" / "b" / "x.png", 700)
    (root.parent / "pool" / "b" / "c").symlink_to("..")
    (root / "cat" / "b").symlink_to(root.parent / "pool" / "b")
    (root / "cat" / "x.png").symlink_to(root.parent / "pool" / "b" / "x.png")
    (root / "cat" / "000.png").unlink()  # so that their number stays


def sockets(root: Path) -> None:
    os.mkfifo(root / "cat" / "pipe.png")
    (root / "dog" / "nothing.png").symlink_to("nowhere.png")
    (root / "dog" / "null.jpg").symlink_to(os.devnull)
    (root / "dog" / "folder.png").mkdir()
    with socket.socket(socket.AF_UNIX) as bound:
        os.chdir(root / "dog")
        bound.bind("socket.png")


@pytest.mark.filterwarnings("ignore::literatim.errors.LiteratimWarning")
@pytest.mark.parametrize("harm", [loops, repeated, pool, sockets])
def test_each_image_is_taken_once_and_nothing_else_is_opened(tmp_path, harm, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = photographs(tmp_path / "in" / "a", each=6)
    harm(root)
    data = load(root)
    taken = [os.path.realpath(path) for part in ("train", "val") for path in data.files(part).paths]
    assert len(taken) == len(set(taken)) == 12
    assert len(data.files("val").labels) == 2
    data.fingerprint()


def test_images_that_are_all_links_are_taken(tmp_path):
    photographs(tmp_path / "pool", each=6)
    for name in CLASSES:
        (tmp_path / "files" / name).mkdir(parents=True)
        for path in (tmp_path / "pool" / name).iterdir():
            (tmp_path / "files" / name / path.name).symlink_to(path)
    (tmp_path / "folders").mkdir()
    for name in CLASSES:
        (tmp_path / "folders" / name).symlink_to(tmp_path / "pool" / name)
    plain = load(tmp_path / "pool")
    for kind in ("files", "folders"):
        assert load(tmp_path / kind).fingerprint() == plain.fingerprint()
        assert names(load(tmp_path / kind), "val") == names(plain, "val")


@pytest.mark.parametrize(
    ("link", "to", "word"),
    [("kitty", "cat", "the same folder as"), ("up", "..", "holds other classes")],
)
def test_a_class_that_is_a_link_to_another_is_refused(tmp_path, link, to, word):
    root = photographs(tmp_path / "a", each=3)
    (root / link).symlink_to(to)
    with pytest.raises(LiteratimError, match=word):
        load(root)


def test_a_set_that_is_a_link_to_another_is_refused(tmp_path):
    photographs(tmp_path / "a" / "train", each=3)
    (tmp_path / "a" / "val").symlink_to("train")
    with pytest.raises(LiteratimError, match="the same folder as"):
        load(tmp_path / "a")


def test_what_is_passed_over_is_said_by_its_endings(tmp_path):
    root = photographs(tmp_path / "a", each=3)
    for name in ("a.HEIC", "b.heic", "c.heic", "d.CR2", "notes", ".DS_Store"):
        (root / "cat" / name).write_bytes(b"x")
    (root / "dog" / "again.png").symlink_to("000.png")
    with pytest.warns(LiteratimWarning) as said:
        load(root)
    assert [str(warning.message) for warning in said] == [
        f"{root}: passed over: 3 of .heic, 1 of .cr2, 1 without an ending, 1 links to an image that is there already"
    ]


# --- what the sets are called


@pytest.mark.parametrize("called", [name for known in SETS.values() for name in known])
@pytest.mark.parametrize("case", [str, str.title, str.upper])
def test_the_sets_are_known_by_all_their_names(tmp_path, called, case):
    kind = next(name for name, known in SETS.items() if called in known)
    for name in PARTS:
        photographs(tmp_path / "a" / (case(called) if name == kind else name), each=2, begin=100 * PARTS.index(name))
    data = load(tmp_path / "a")
    assert data.classes == CLASSES
    assert tuple(data.found) == PARTS
    assert all(path.startswith(case(called) + "/") for path in names(data, kind))


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (("val/cat", "cat", "dog"), ("val is the name of a set", "cat")),
        (("Validation/cat", "Test/cat"), ("Validation", "no train")),
        (("train/cat", "Training/cat"), ("are both the set train",)),
        (("train/cat", "train/dog", "val/cat", "valid/cat"), ("are both the set val",)),
        (("testing", "cat", "dog"), ("testing is the name of a set",)),
    ],
)
def test_folders_of_sets_are_never_taken_for_classes(tmp_path, folders, words):
    for name in folders:
        image(tmp_path / "a" / name / "0.png", 1)
    with pytest.raises(LiteratimError) as caught:
        load(tmp_path / "a")
    for word in (str(tmp_path), *words):
        assert word in str(caught.value)


# --- the command


TINY = ("--data.scale", "16", "--data.size", "12", "--data.eval_scale", "12", "--data.workers", "0",
        "--data.batch_size", "4", "--trainer.max_epochs", "1", "--model.weights", "null",
        "--model.variant", "resnet18", "--model.num_classes", "2", "--trainer.limit_train_batches", "1",
        "--trainer.precision", "32")  # fmt: skip
FINETUNE = ("resnet", "--recipe", "finetune")


def test_a_run_goes_on_and_is_tested_on_its_own_images_or_on_others(tmp_path, fault):
    root = photographs(tmp_path / "a", each=5)
    done = inside("fit", *FINETUNE, *TINY, "--data.root", str(root), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    last = tmp_path / "runs" / "resnet" / "finetune" / "0" / "checkpoints" / "last.ckpt"
    kept = {path: path.read_bytes() for path in (last, *last.parent.parent.glob("*.json"))}
    assert torch.load(last, weights_only=True)["ImageFolder"]["files"]["names"].shape == (10,)
    image(root / "cat" / "more.png", 800)
    changed = ("the images are not those", "1 more (the first is cat/more.png)")
    on = ("fit", *FINETUNE, "--ckpt_path", "last", "--trainer.max_epochs", "2")
    assert_refused(inside(*on, cwd=tmp_path), *changed)
    test = ("test", *FINETUNE, *TINY[:10], "--ckpt_path", "last", "--data.root")
    assert_refused(inside(*test, str(root), cwd=tmp_path), *changed)
    assert {path: path.read_bytes() for path in kept} == kept
    fault("data-changed", 2)
    (root / "cat" / "more.png").unlink()
    assert inside(*test, str(root), cwd=tmp_path).returncode == 0
    done = inside(*test, str(photographs(tmp_path / "new", each=3, begin=600)), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no image of the training is in it; the test is on 6" in done.stderr
    root.rename(tmp_path / "moved")
    assert_refused(
        inside(*on, cwd=tmp_path), f"{root}: there is no such folder", "name where it is now with --data.root"
    )
    done = inside(*on, "--data.root", "moved", "--data.workers=1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads((last.parent.parent / "record.json").read_text())
    assert not [override for override in record["overrides"] if override.startswith(("data.root", "data.workers"))]
    assert_refused(inside(*on, "--data.root", "new", cwd=tmp_path), "4 fewer, 6 replaced")


@pytest.mark.parametrize(("paper", "recipe"), [("resnet", "finetune"), ("resnet", "imagenet"), ("vgg", "imagenet")])
def test_the_folder_is_looked_for_before_weights_are_downloaded(tmp_path, paper, recipe, monkeypatch):
    import literatim

    monkeypatch.setattr(literatim, "load", lambda *args, **how: pytest.fail("the model was made first"))
    monkeypatch.delenv("LITERATIM_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for root in (("--data.root", "missing"), ()):
        assert_refused(inside("fit", paper, "--recipe", recipe, *root, cwd=tmp_path), "--data.root" if not root else "")
