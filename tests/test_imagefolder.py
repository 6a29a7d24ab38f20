"""Photographs from disk: how files are read, cut, ordered and resumed, and what is said of those that cannot be."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import CHECKOUT
from literatim.cli import main
from literatim.datasets.imagefolder import ImageFolder
from literatim.datasets.photographs import View, read_photograph
from literatim.datasets.pictures import ORIENTATION, TURNS
from literatim.errors import LiteratimError
from literatim.parts.colour import principal_components

PLAIN = {"levels": 255, "mean": None, "std": None}
INVERSE = {6: 8, 8: 6}  # turns that undo each other; the others undo themselves


def drawing(width=48, height=32) -> Image.Image:
    """Red to the right, green downwards, with a blue corner: no two turns of it are alike."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)[None, :]
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    pixels[: height // 4, : width // 4, 2] = 255
    return Image.fromarray(pixels)


def whole(path: Path, side: int = 32) -> np.ndarray:
    return read_photograph(str(path), View("none", 1, (side, side))).astype(int)


def folder(root: Path, classes=("cat", "dog", "owl"), each=4, part="", size=(40, 36), ending="png") -> Path:
    """Images of one colour each, (20 * class, 10 * number, 200 for another part)."""
    for label, name in enumerate(classes):
        (root / part / name).mkdir(parents=True)
        for i in range(each):
            colour = (20 * label, 10 * i, 200 if part not in ("", "train") else 0)
            Image.new("RGB", size, colour).save(root / part / name / f"{i:03}.{ending}")
    return root


def load(root, **options) -> ImageFolder:
    data = ImageFolder(**{"root": str(root), "workers": 0, "scale": 32, "eval_scale": 32, "size": 32, **options})
    data.setup("fit")
    return data


def sentence(root, **options) -> str:
    with pytest.raises(LiteratimError) as caught:
        list(load(root, **options).train_dataloader())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def names(data: ImageFolder, part: str) -> list[str]:
    return ["/".join(os.fsdecode(path).split("/")[-2:]) for path in data.files(part).paths]


# --- reading


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("held", range(1, 9))
def test_a_picture_is_turned_as_the_camera_was_held(tmp_path, held, ending):
    upright = drawing()
    taken = upright.transpose(TURNS[INVERSE.get(held, held)]) if held in TURNS else upright
    exif = Image.Exif()
    exif[ORIENTATION] = held
    taken.save(tmp_path / f"a.{ending}", exif=exif, **({} if ending == "png" else {"quality": 95}))
    found = whole(tmp_path / f"a.{ending}")
    assert found.shape == (32, 48, 3)
    assert np.abs(found - np.asarray(upright).astype(int)).mean() < (12 if ending == "webp" else 6)


@pytest.mark.parametrize("held", [1, 6])
def test_a_large_jpeg_is_decoded_small_and_shows_the_same(tmp_path, held, monkeypatch):
    upright = drawing(1600, 1200)
    exif = Image.Exif()
    exif[ORIENTATION] = held
    (upright.transpose(Image.Transpose.ROTATE_90) if held == 6 else upright).save(tmp_path / "a.jpg", exif=exif)
    upright.save(tmp_path / "a.png")
    seen, resize = [], Image.Image.resize
    monkeypatch.setattr(Image.Image, "resize", lambda image, *a, **k: seen.append(image.size) or resize(image, *a, **k))
    for view in (View("none", 1, (64, 64)), View("centre", 48, (64, 64))):
        jpeg, png = (read_photograph(str(tmp_path / f"a.{ending}"), view).astype(int) for ending in ("jpg", "png"))
        assert jpeg.shape == png.shape
        assert np.abs(jpeg - png).mean() < 3
        assert seen[-2:] == [(200, 150), (1600, 1200)]
    # Never smaller than what is shown: 200 of 150 pixels would not do.
    read_photograph(str(tmp_path / "a.jpg"), View("none", 1, (160, 160)))
    assert seen[-1] == (400, 300)


RED = Image.new("RGB", (16, 16), (200, 40, 80))
CLEAR = Image.new("RGBA", (16, 16), (200, 40, 80, 0))
INDEXED = Image.new("P", (16, 16), 1)
INDEXED.putpalette([0, 0, 0, 200, 40, 80])


@pytest.mark.parametrize(
    ("image", "ending", "colour"),
    [
        (RED, "png", (200, 40, 80)),
        (RED.convert("L"), "png", (92,) * 3),
        (RED.convert("L"), "jpg", (92,) * 3),
        (RED.convert("CMYK"), "jpg", (200, 40, 80)),
        (RED.convert("CMYK"), "tif", (200, 40, 80)),
        (INDEXED, "png", (200, 40, 80)),
        (INDEXED, "gif", (200, 40, 80)),
        (Image.new("1", (16, 16), 1), "png", (255,) * 3),
        (Image.fromarray(np.full((16, 16), 100 * 257, dtype=np.uint16)), "png", (100,) * 3),
        (Image.fromarray(np.full((16, 16), 100 * 257, dtype=np.uint16)), "tif", (100,) * 3),
        (RED.convert("RGBA"), "png", (200, 40, 80)),
        (CLEAR, "png", (255,) * 3),
        (Image.new("LA", (16, 16), (10, 0)), "png", (255,) * 3),
    ],
)
def test_every_kind_of_image_becomes_rgb(tmp_path, image, ending, colour):
    image.save(tmp_path / f"a.{ending}")
    assert np.abs(whole(tmp_path / f"a.{ending}", 16) - np.array(colour)).max() <= 3


def test_a_clear_colour_of_a_palette_is_white(tmp_path):
    INDEXED.save(tmp_path / "a.png", transparency=1)
    assert whole(tmp_path / "a.png", 16).min() == 255


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "exif",
    [b"nothing of the kind", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0xyz" + b"\0" * 5],
)
def test_a_picture_with_broken_exif_data_is_still_one(tmp_path, exif):
    RED.save(tmp_path / "a.jpg", exif=b"Exif\0\0" + exif)
    assert whole(tmp_path / "a.jpg", 16).shape == (16, 16, 3)


# --- cutting


@pytest.mark.parametrize("size", [(100, 60), (60, 100), (300, 70), (64, 64)])
def test_the_centre_is_that_of_the_scaled_image(tmp_path, size):
    drawing(*size).save(tmp_path / "a.png")
    short = 40
    scaled = tuple(max(short, round(length * short / min(size))) for length in size)
    by_hand = drawing(*size).resize(scaled, Image.Resampling.BILINEAR)
    left, top = ((length - 32) // 2 for length in scaled)
    by_hand = np.asarray(by_hand.crop((left, top, left + 32, top + 32))).astype(int)
    found = read_photograph(str(tmp_path / "a.png"), View("centre", 32, (short, short))).astype(int)
    assert np.abs(found - by_hand).max() <= 2


def cuts(view: View, size=(90, 60), n=400):
    generator = torch.Generator().manual_seed(0)
    return [view.cut(*size, generator) for _ in range(n)]


def test_random_crops_reach_every_place_at_every_scale():
    found = cuts(View("random", 20, (24, 30)))
    assert all(cut.size == (20, 20) for cut in found)
    scales = {round(60 * 20 / (cut.box[3] - cut.box[1])) for cut in found}
    assert scales == set(range(24, 31))
    at_24 = [cut.box for cut in found if round(60 * 20 / (cut.box[3] - cut.box[1])) == 24]
    assert {round(box[1] * 24 / 60) for box in at_24} == set(range(5))
    assert {round(box[0] * 36 / 90) for box in at_24} == set(range(17))


@pytest.mark.parametrize("size", [(90, 60), (8, 4000), (4000, 8)])
def test_patches_have_their_area_and_shape_or_are_the_middle(size):
    width, height = size
    for cut in cuts(View("area", 20, (1, 1)), size, 50):
        left, top, right, bottom = cut.box
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert 0.7 < (right - left) / (bottom - top) < 1.43
        if size == (90, 60):
            assert 0.075 < (right - left) * (bottom - top) / 5400 <= 1
        else:
            assert abs((left + right) - width) <= 1
            assert abs((top + bottom) - height) <= 1


def test_every_other_image_is_mirrored(tmp_path):
    drawing(32, 32).save(tmp_path / "a.png")
    generator = torch.Generator().manual_seed(0)
    view = View("centre", 32, (32, 32), mirror=True)
    as_is = np.asarray(drawing(32, 32))
    found = [read_photograph(str(tmp_path / "a.png"), view, generator) for _ in range(200)]
    mirrored = sum(np.array_equal(image, as_is[:, ::-1]) for image in found)
    assert sum(np.array_equal(image, as_is) for image in found) == 200 - mirrored
    assert 70 < mirrored < 130


def test_random_interpolation_has_four_ways(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    generator = torch.Generator().manual_seed(0)
    view = View("centre", 24, (24, 24), interpolation="random")
    found = {read_photograph(str(tmp_path / "a.png"), view, generator).tobytes() for _ in range(60)}
    assert len(found) == 4


# --- what there is


def test_the_three_layouts(tmp_path):
    flat = load(folder(tmp_path / "flat"))
    split = folder(folder(tmp_path / "split", part="train"), part="val", each=2)
    tested = folder(folder(folder(tmp_path / "tested", part="train"), part="val", each=2), part="test", each=1)
    counts = [
        [len(data.files(part).labels) for part in ("train", "val", "test")]
        for data in (flat, load(split), load(tested))
    ]
    assert counts == [[9, 3, 3], [12, 6, 6], [12, 6, 3]]
    assert flat.classes == ("cat", "dog", "owl")
    assert names(load(split), "val") == [f"{name}/{i:03}.png" for name in flat.classes for i in range(2)]
    assert b"/val/" in load(split).files("test").paths[0]


def test_a_share_of_each_class_is_held_out_by_the_seed(tmp_path):
    root = folder(tmp_path / "a", each=10)
    Image.new("RGB", (40, 40)).save(tmp_path / "a" / "cat" / "last.jpg")
    (root / "rare").mkdir()
    Image.new("RGB", (40, 40)).save(root / "rare" / "only.png")
    data = load(root, hold_out=0.3)
    train, val = names(data, "train"), names(data, "val")
    assert not set(train) & set(val)
    assert len(train) + len(val) == 32
    assert [sum(name.startswith(c) for name in val) for c in data.classes] == [3, 3, 3, 0]
    assert names(load(root, hold_out=0.3), "val") == val
    assert names(load(root, hold_out=0.3, seed=1), "val") != val
    assert len(load(root, hold_out=0.0).files("train").labels) == 32
    for watched in ("val", "vall"):
        with pytest.raises(LiteratimError, match=f'no set "{watched}"; there are train'):
            load(root, hold_out=0.0, watch=[watched]).val_dataloader()


def test_a_checkpoint_says_what_was_held_out_whatever_the_seed_is_now(tmp_path):
    root = folder(tmp_path / "a", each=10)
    trained, tested = load(root, seed=5, hold_out=0.4), load(root)
    tested.load_state_dict(trained.state_dict())
    assert names(tested, "val") == names(trained, "val") != names(load(root), "val")
    other = load(folder(tmp_path / "b", classes=("cat", "dog", "owls")))
    with pytest.raises(LiteratimError, match="4 more, 22 fewer"):
        other.load_state_dict(trained.state_dict())


def test_what_is_no_image_is_passed_over_and_folders_are_looked_into(tmp_path):
    root = folder(tmp_path / "a", each=2)
    for name in ("Thumbs.db", "notes.txt", ".hidden.png", "._000.png", ".DS_Store"):
        (root / "cat" / name).write_text("no image")
    (root / ".git" / "x").mkdir(parents=True)
    (root / "cat" / "more").mkdir()
    Image.new("RGB", (40, 40)).save(root / "cat" / "more" / "UPPER.JPG", "JPEG")
    (root / "cat" / ".cache").mkdir()
    Image.new("RGB", (40, 40)).save(root / "cat" / ".cache" / "a.png")
    (root / "README.md").write_text("my photographs")
    data = load(root, hold_out=0.0)
    assert data.classes == ("cat", "dog", "owl")
    assert sorted(name for name in names(data, "train") if "dog" not in name and "owl" not in name) == [
        "cat/000.png", "cat/001.png", "more/UPPER.JPG",
    ]  # fmt: skip


def test_names_that_are_not_ascii_are_read(tmp_path):
    data = load(folder(tmp_path / "照片", classes=("猫", "Hündin"), each=3), hold_out=0.0)
    assert data.classes == ("Hündin", "猫")
    assert sum(len(images) for images, _ in data.train_dataloader()) == 6


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda root: root.rename(root.with_name("elsewhere")), ("a: there is no such folder",)),
        (lambda root: [os.system(f"rm -r {root}/*")], ("no folder for each class",)),
        (lambda root: [os.system(f"rm -r {root}/cat {root}/dog")], ("one class only, owl",)),
        (lambda root: [os.system(f"rm {root}/dog/*")], ("dog: there are no images", ".jpeg")),
        (lambda root: (root / "val" / "cat").mkdir(parents=True) or os.system(f"rm -r {root}/[cdo]*"), ("no train",)),
        (lambda root: (root / "train").mkdir(), ("train: there is no folder of a class",)),
    ],
)
def test_a_folder_that_will_not_do_is_named(tmp_path, break_it, words):
    root = folder(tmp_path / "a")
    break_it(root)
    said = sentence(root)
    for word in (str(tmp_path), *words):
        assert word in said


def test_a_class_that_training_does_not_know_and_no_folder_at_all(tmp_path):
    root = folder(folder(tmp_path / "a", part="train"), classes=("cat", "cow"), part="val")
    assert f"{root / 'val' / 'cow'}: there is no class of that name" in sentence(root)
    with pytest.raises(LiteratimError, match=r"--data\.root"):
        ImageFolder().setup("fit")


def broken(path: Path) -> None:
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)).save(whole, "PNG")
    path.write_bytes(whole.getvalue()[:2000])


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (broken, "not an image that can be read"),
        (lambda path: path.write_text("<html>"), "not an image that can be read"),
        (lambda path: path.write_bytes(b""), "not an image that can be read"),
        (lambda path: Image.new("RGB", (1, 1)).save(path), "1x1 pixels is too small"),
        (lambda path: Image.new("RGB", (300, 7)).save(path), "300x7 pixels is too small"),
    ],
)
def test_an_image_that_will_not_do_stops_with_its_name(tmp_path, harm, words, workers):
    root = folder(tmp_path / "a")
    harm(root / "dog" / "002.png")
    said = sentence(root, hold_out=0.0, workers=workers, batch_size=2)
    assert said.startswith(f"{root / 'dog' / '002.png'}: ")
    assert words in said


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"scale": 31, "crop": "random"}, "data.scale"),
        ({"scale": [48, 32]}, "data.scale"),
        ({"scale": [32, 40, 48]}, "data.scale"),
        ({"eval_scale": 16}, "data.eval_scale"),
        ({"hold_out": 1.0}, "data.hold_out"),
        ({"mean": [0.5]}, "data.mean"),
        ({"std": [1.0, 0.0, 1.0]}, "data.std"),
        ({"size": 0}, "data.size"),
        ({"workers": -1}, "workers"),
        ({"batch_size": 0}, "batch size is 0"),
        ({"mean": "pixel", "crop": "none"}, "images of one size"),
    ],
)
def test_options_that_cannot_be_are_named(tmp_path, options, word):
    folder(tmp_path / "a")
    assert word in sentence(tmp_path / "a", **options)


# --- levels


def test_levels_mean_and_deviation(tmp_path):
    root = folder(folder(tmp_path / "a", part="train"), part="val")
    paths = names(load(root), "val")
    for options, by_hand in (
        (PLAIN, lambda x: x),
        ({"levels": 1, "mean": None, "std": None}, lambda x: x / 255),
        (
            {"levels": 1},
            lambda x: (x / 255 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225]),
        ),
        ({"levels": 255, "mean": [120, 110, 100], "std": None}, lambda x: x - torch.tensor([120, 110, 100])),
    ):
        images, labels = next(iter(load(root, **options).val_dataloader()[0]))
        colours = torch.tensor(
            [[20.0 * label, 10.0 * int(path[4:7]), 200.0] for label, path in zip(labels, paths, strict=True)]
        )
        assert torch.allclose(images, by_hand(colours)[:, :, None, None].expand(-1, -1, 32, 32), atol=1e-4)
        assert images.is_contiguous(memory_format=torch.channels_last)


def photographs_in(root: Path, each=6) -> Path:
    """Noise with colours that go together, of several sizes."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for i in range(each):
            grey = rng.normal(120, 40, (30 + 5 * i, 50, 1)) + rng.normal(0, 8, (30 + 5 * i, 50, 3))
            Image.fromarray(grey.clip(0, 255).astype(np.uint8)).save(root / name / f"{i}.png")
    return root


def test_the_mean_of_each_pixel_is_that_of_the_crops_and_is_kept(tmp_path):
    root = photographs_in(tmp_path / "a")
    how = {"crop": "random", "scale": [36, 48], "hold_out": 0.25}
    raw = load(root, **how, **PLAIN)
    crops = torch.cat([images for images, _ in raw.train_dataloader()])
    data = load(root, **how, levels=255, mean="pixel", std=None)
    lessened = torch.cat([images for images, _ in data.train_dataloader()])
    mean = crops.mean(0)
    assert torch.allclose(data.pixel_mean, mean, atol=1e-3)
    assert torch.allclose(lessened, crops - mean, atol=1e-3)
    halved = load(root, **how, levels=1, mean="pixel", std=[0.5, 0.5, 0.5])
    assert torch.allclose(next(iter(halved.train_dataloader()))[0], lessened[:32] / 127.5, atol=1e-4)

    resumed = load(root, **how, levels=255, mean="pixel", std=None, sample=1)
    resumed.load_state_dict(data.state_dict())
    assert torch.equal(resumed.read_image(str(root / "cat" / "0.png")), data.read_image(str(root / "cat" / "0.png")))
    fewer = load(root, **how, levels=255, mean="pixel", std=None, sample=1)
    fewer.train_dataloader()
    assert not torch.allclose(fewer.pixel_mean, mean, atol=1)


def test_larger_images_have_the_mean_enlarged(tmp_path):
    data = load(photographs_in(tmp_path / "a"), mean="pixel", levels=255, std=None, eval_scale=48, eval_size=48)
    raw = load(tmp_path / "a", **PLAIN, eval_scale=48, eval_size=48)
    images, plain = (next(iter(d.val_dataloader()[0]))[0] for d in (data, raw))
    expected = torch.nn.functional.interpolate(data.pixel_mean[None], size=(48, 48), mode="bilinear")
    assert torch.allclose(plain - images, expected.expand_as(plain), atol=1e-3)


def test_colour_noise_shifts_whole_images_along_the_components(tmp_path):
    root = photographs_in(tmp_path / "a", each=40)
    how = {"crop": "random", "hold_out": 0.0, "batch_size": 16, **PLAIN}
    raw, noisy = load(root, **how), load(root, **how, colour_noise=0.1)
    shifts = []
    for epoch in range(10):
        both = [data.train_dataloader() for data in (raw, noisy)]
        for loader in both:
            loader.set_epoch(epoch)
        for (plain, _), (shifted, _) in zip(*both, strict=True):
            shift = shifted - plain
            assert torch.allclose(shift, shift[:, :, :1, :1].expand_as(shift), atol=1e-3)
            shifts.append(shift[:, :, 0, 0])
    crops = torch.cat([images for images, _ in raw.train_dataloader()])
    covariance = torch.cov(crops.transpose(0, 1).flatten(1).double(), correction=0)
    components = principal_components(covariance, "deviation").float()
    alpha = torch.linalg.solve(components, torch.cat(shifts).T)
    assert torch.allclose(alpha.std(1), torch.full((3,), 0.1), atol=0.012)  # 800 draws
    evaluation = noisy.eval_dataloader(noisy.files("train")), raw.eval_dataloader(raw.files("train"))
    assert torch.equal(*(next(iter(loader))[0] for loader in evaluation))


# --- order, processes, resuming, ranks


def epoch_of(data: ImageFolder, epoch: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    loader = data.train_dataloader()
    loader.set_epoch(epoch)
    return list(loader)


def same(one, other) -> bool:
    return len(one) == len(other) and all(
        torch.equal(x, y) for pair in zip(one, other, strict=True) for x, y in zip(*pair, strict=True)
    )


def test_batches_follow_from_seed_and_epoch_whatever_the_number_of_processes(tmp_path):
    root = photographs_in(tmp_path / "a")
    how = {"batch_size": 3, "colour_noise": 0.1}
    found = epoch_of(load(root, **how), 1)
    for workers in (1, 2):
        assert same(epoch_of(load(root, **how, workers=workers), 1), found)
    assert not same(epoch_of(load(root, **how), 0), found)
    assert not same(epoch_of(load(root, **how, seed=1), 1), found)


def test_what_is_drawn_for_an_image_does_not_hang_on_its_batch(tmp_path):
    root = photographs_in(tmp_path / "a")
    one, other = (torch.cat([images for images, _ in epoch_of(load(root, batch_size=size))]) for size in (2, 5))
    assert torch.equal(one, other)


def test_an_image_is_another_in_every_epoch(tmp_path):
    images = load(photographs_in(tmp_path / "a")).train_dataloader().images
    assert not np.array_equal(images[0, 3][0], images[1, 3][0])
    assert np.array_equal(images[1, 3][0], images[1, 3][0])


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("done", [1, 2, 4])
def test_a_resumed_epoch_goes_on_with_the_same_batches(tmp_path, done, workers):
    data = load(photographs_in(tmp_path / "a"), batch_size=2, workers=workers)
    loader = data.train_dataloader()
    loader.set_epoch(1)
    walk = iter(loader)
    before = [next(walk) for _ in range(done)]
    state = loader.state_dict()
    walk.close()
    resumed = data.train_dataloader()
    resumed.load_state_dict(state)
    resumed.set_epoch(1)
    assert same(before + list(resumed), epoch_of(data, 1))
    resumed.set_epoch(2)
    assert same(list(resumed), epoch_of(data, 2))


@pytest.mark.parametrize("workers", [0, 1])
def test_reading_does_not_touch_torchs_own_random_numbers(tmp_path, workers):
    data = load(photographs_in(tmp_path / "a"), batch_size=2, workers=workers, colour_noise=0.1, mean="pixel")
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    epoch_of(data)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_share_the_images_and_read_them_as_one_process_would(tmp_path, ranks, monkeypatch):
    data = load(photographs_in(tmp_path / "a"), batch_size=64, hold_out=0.4)
    alone, _ = epoch_of(data)[0]
    shares = []
    for rank in range(ranks):
        loader = data.train_dataloader()
        monkeypatch.setattr(loader, "share", lambda rank=rank: (rank, ranks))
        ((images, _),) = list(loader)
        shares.append(images)
    assert sum(map(len, shares)) == len(alone)
    for i, image in enumerate(alone):
        assert torch.equal(shares[i % ranks][i // ranks], image)


def test_statistics_and_predictions_are_of_all_images_in_every_rank(tmp_path, monkeypatch):
    data = load(photographs_in(tmp_path / "a"), mean="pixel")
    data.predicted = [os.fsdecode(path) for path in data.files("val").paths]
    whole = data.predict_dataloader()
    for name, value in (("is_initialized", True), ("get_rank", 1), ("get_world_size", 2)):
        monkeypatch.setattr(torch.distributed, name, lambda value=value: value)
    second = load(tmp_path / "a", mean="pixel")
    second.train_dataloader()
    assert torch.equal(second.pixel_mean, data.pixel_mean)
    assert sum(len(images) for images, _ in whole) == len(data.predicted)
    assert len(next(iter(data.train_dataloader()))[0]) == len(data.files("train").labels) / 2


def test_evaluation_is_in_order_and_the_same_each_time(tmp_path):
    data = load(photographs_in(tmp_path / "a"), eval_batch_size=3, workers=2, watch=["val", "train"])
    first, second = (list(loader) for loader in data.val_dataloader())
    assert torch.cat([labels for _, labels in second]).tolist() == data.files("train").labels.tolist()
    assert same(first, list(data.test_dataloader()))


def test_whole_images_come_one_by_one_or_in_one_size(tmp_path):
    how = {"eval_crop": "none", **PLAIN}
    data = load(photographs_in(tmp_path / "a"), **how, eval_batch_size=1, hold_out=0.5)
    shapes = [images.shape for images, _ in data.val_dataloader()[0]]
    assert all(min(shape[2:]) == 32 for shape in shapes)
    assert len(set(shapes)) > 1
    data.eval_batch_size = 8
    with pytest.raises(LiteratimError, match="pixels make no batch; use batches of one"):
        list(data.val_dataloader()[0])
    alike = load(folder(tmp_path / "b"), **how, eval_batch_size=8)
    assert [images.shape for images, _ in alike.val_dataloader()[0]] == [(3, 3, 32, 36)]
    data.predicted = [os.fsdecode(path) for path in data.files("val").paths]
    assert [len(images) for images, _ in data.predict_dataloader()] == [1] * len(data.predicted)


def test_an_image_to_predict_is_seen_as_in_evaluation(tmp_path):
    data = load(photographs_in(tmp_path / "a"))
    images, _ = next(iter(data.val_dataloader()[0]))
    data.predicted = [os.fsdecode(path) for path in data.files("val").paths]
    ((predicted, _),) = list(data.predict_dataloader())
    assert torch.equal(predicted, images)
    assert torch.equal(data.read_image(data.predicted[1]), images[1])
    unknown = ImageFolder()
    unknown.setup("predict")
    unknown.predicted = data.predicted
    with pytest.raises(LiteratimError, match=r"name the folder with --data\.root"):
        unknown.predict_dataloader()


# --- through the command

TINY = ("--data.size", "32", "--data.eval_scale", "36", "--data.scale", "36", "--trainer.enable_progress_bar", "false",
        "--data.batch_size", "2", "--model.variant", "resnet18", "--model.weights", "null")  # fmt: skip


def test_photographs_are_fine_tuned_on_tested_and_predicted(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = photographs_in(tmp_path / "photos")
    resnet = ("resnet", "--recipe", "finetune")
    fitted = (
        "--data.root",
        str(root),
        "--model.num_classes",
        "2",
        "--model.freeze",
        "stem",
        "--trainer.max_epochs",
        "1",
    )
    assert main(["fit", *resnet, *TINY, *fitted]) == 0
    said = capsys.readouterr().out
    assert "val_error" in said
    saved = torch.load(tmp_path / "runs/resnet/finetune/0/checkpoints/last.ckpt", weights_only=True)
    assert saved["ImageFolder"]["classes"] == ("cat", "dog")
    evaluated = ("--data.size", "32", "--data.eval_scale", "36", "--ckpt_path", "last")
    assert main(["test", *resnet, *evaluated, "--data.root", str(root)]) == 0
    # The classes are known from the checkpoint: no folder is named.
    assert main(["predict", "resnet", str(root / "dog" / "1.png"), "--recipe", "finetune", *evaluated]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{root / 'dog' / '1.png'}: ")
    assert main(["fit", *resnet, *TINY, *fitted, "--model.num_classes", "3"]) == 2
    assert "the data have 2 classes and the network 3" in capsys.readouterr().err


def test_a_run_stopped_while_others_read_for_it_goes_on_bit_for_bit(tmp_path):
    root = photographs_in(tmp_path / "photos", each=10)
    more = ("--data.root", str(root), "--data.workers", "1", "--model.num_classes", "2", "--trainer.max_epochs", "2")
    command = [sys.executable, "-m", "literatim", "fit", "resnet", "--recipe", "finetune", *TINY, *more, "--runs"]
    how = {"cwd": CHECKOUT, "env": {**os.environ, "OMP_NUM_THREADS": "1"}}
    script = (
        "import os, signal; from literatim.papers.resnet.training import ResNetTraining as T; step = T.training_step\n"
        "def once(self, batch, i):\n"
        "    if self.global_step == 11: os.killpg(0, signal.SIGINT)\n"
        "    return step(self, batch, i)\n"
        "T.training_step = once; from literatim.cli import main; import sys; sys.exit(main(sys.argv[1:]))"
    )
    stopped = [sys.executable, "-c", script, *command[3:], str(tmp_path / "stopped")]
    done = subprocess.run(stopped, capture_output=True, text=True, start_new_session=True, timeout=900, **how)
    assert done.returncode == 2, done.stderr
    assert "everything is saved" in done.stderr
    go_on = [*command[:7], "--runs", str(tmp_path / "stopped"), "--ckpt_path", "last"]
    subprocess.run(go_on, check=True, capture_output=True, timeout=900, **how)
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True, timeout=900, **how)
    one, other = (
        torch.load(tmp_path / name / "resnet/finetune/0/checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for name in ("stopped", "whole")
    )
    assert all(torch.equal(one[name], other[name]) for name in other)
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
