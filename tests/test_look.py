"""`literatim look` and `literatim.seeing`: what is drawn is what the network has and does."""

import json
import os
import re

import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

import literatim
from conftest import CHECKOUT, assert_refused, inside
from literatim import seeing
from literatim.cli import main
from literatim.experiment.look import Asked, shown
from literatim.papers.lenet.demo import FeatureMaps

SEVEN = str(CHECKOUT / "docs/assets/seven.png")


@pytest.fixture(scope="module")
def lenet() -> nn.Module:
    return literatim.load("lenet", weights="mnist")


# --- Filters and maps ---------------------------------------------------------------------------------


def test_maps_are_what_each_layer_passes_on(lenet):
    image = torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0))
    found = seeing.maps(lenet, image)
    with torch.no_grad():
        wanted = dict(zip(FeatureMaps.outputs, FeatureMaps(lenet)(image[None]), strict=True))
    assert list(found) == ["c1", "s2", "c3", "s4", "c5", "f6", "output"]
    for name, maps in found.items():
        assert torch.equal(maps, wanted[name][0]), name


def test_a_layer_goes_on_through_normalisation_and_activation_and_no_further():
    torch.manual_seed(0)
    net, image = literatim.load("resnet20"), torch.randn(3, 32, 32)
    found = seeing.maps(net, image)
    with torch.no_grad():
        first = F.relu(net.eval().conv1(image[None]))
        block = net.conv2_x.conv2_1
        inner = F.relu(block.first(first))
        assert torch.equal(found["conv1"], first[0])
        assert torch.equal(found["conv2_x.conv2_1.first"], inner[0])
        assert torch.equal(found["conv2_x.conv2_1.second"], block.second(inner)[0])  # the sum comes before the ReLU
        assert torch.equal(found["conv2_x.conv2_1"], block(first)[0])
        assert torch.equal(found["fc"], net(image[None])[0])
    assert len(found) == 1 + 9 * 3 + 2 + 2  # two shortcuts change the maps; the others only pass them on


@pytest.mark.parametrize(
    ("paper", "variant", "shape", "layers"),
    [
        ("vgg", "a-lrn", (3, 32, 32), ["block1.conv1_1", "block1.norm1", "block1.pool1", "block2.conv2_1"]),
        ("dqn", "catch", (4, 10, 10), ["convolutions.0", "hidden", "values"]),
        ("alexnet", None, (3, 63, 63), ["conv1", "norm1", "pool1", "conv2"]),
    ],
)
def test_rectified_layers_have_nothing_below_zero(paper, variant, shape, layers):
    small = {"vgg": {"size": 32, "width": 8, "hidden": 16}, "alexnet": {"size": 63, "hidden": 16}}
    net = literatim.load(paper, variant, **small.get(paper, {}))
    found = seeing.maps(net, torch.randn(*shape))
    assert [name for name in found if name in layers] == layers
    for name, maps in list(found.items())[:-1]:
        assert maps.min() >= 0, name


def test_the_network_is_left_as_it_was(lenet):
    net = literatim.load("lenet")
    assert net.training
    seeing.maps(net, torch.zeros(1, 32, 32))
    assert net.training
    with pytest.raises(RuntimeError):
        seeing.maps(net, torch.zeros(3, 32, 32))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_filters_are_the_weights_and_unconnected_maps_are_zero(lenet):
    found = seeing.filters(lenet)
    assert {name: tuple(k.shape) for name, k in found.items()} == {
        "c1": (6, 1, 5, 5), "c3": (16, 6, 5, 5), "c5": (120, 16, 5, 5)
    }  # fmt: skip
    assert torch.equal(found["c1"], lenet.c1.weight)
    assert int((found["c3"].abs().amax((2, 3)) > 0).sum()) == 60  # Table I


def test_a_transposed_convolution_has_a_filter_for_each_map_it_writes():
    dcgan = literatim.load("dcgan", "mnist32")
    found = seeing.filters(dcgan)
    assert found["generator.conv3"].shape == (1, 32, 5, 5)
    assert torch.equal(found["generator.conv3"][0, 7], dcgan.generator.conv3.weight[7, 0])
    assert not [name for name in seeing.filters(literatim.load("googlenet-miniature")) if "1x1" in name]


# --- Tiles --------------------------------------------------------------------------------------------


def test_zero_is_grey_and_the_largest_weight_black_or_white():
    kernels = torch.tensor([[-2.0, 0.0], [1.0, 0.5]])[None, None]
    tiles = seeing.tiles_of_filters(torch.cat([kernels, -3 * kernels]))
    assert tiles.shape == (1, 2, 1, 2, 2)
    assert torch.allclose(tiles[0, 0, 0], torch.tensor([[0.0, 0.5], [0.75, 0.625]]))
    assert torch.allclose(tiles[0, 1, 0], torch.tensor([[1.0, 0.5], [0.25, 0.375]]))


def test_a_map_goes_from_black_to_white_and_units_share_a_scale():
    maps = torch.stack([torch.arange(4.0).view(2, 2), torch.full((2, 2), 7.0), 5 - torch.arange(4.0).view(2, 2)])
    tiles = seeing.tiles_of_maps(maps)
    assert tiles.shape == (2, 2, 1, 2, 2)
    assert tiles[0, 0].max() == 1
    assert tiles[0, 1].max() == 0  # a map that is the same everywhere
    assert tiles[1, 1].isnan().all()  # what is left of the last row
    units = seeing.tiles_of_maps(torch.tensor([1.0, 3.0, 2.0]))
    assert units.flatten()[:3].tolist() == [0.0, 1.0, 0.5]


def test_a_picture_has_gaps_of_its_own_colour():
    drawn = seeing.picture(torch.zeros(1, 2, 1, 2, 2), scale=3, gap=2)
    assert drawn.shape == (2 + 6 + 2, 2 + 6 + 2 + 6 + 2, 3)
    assert (drawn[2:8, 2:8] == 0).all()
    assert (drawn[2:8, 10:16] == 0).all()
    rest = drawn[(drawn != 0).all(-1)]
    assert len(rest) == 10 * 18 - 2 * 36
    assert torch.equal(rest.unique(dim=0)[0], torch.tensor(seeing.GAPS))


# --- The command --------------------------------------------------------------------------------------


def test_look_draws_what_a_network_has_learned(tmp_path, lenet):
    done = inside("look", "lenet", "--image", SEVEN, "--to", "seen", "--weights", "mnist", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "lenet lenet5, the weights mnist"
    assert lines[2] == "seen/01-c1-filters.png: 6 filters of 5 x 5"
    files = sorted(path.name for path in (tmp_path / "seen").iterdir())
    assert files == [line.partition(":")[0].removeprefix("seen/") for line in lines[1:]]
    assert len(files) == 1 + 3 + 7
    with Image.open(tmp_path / "seen/01-c1-filters.png") as picture:
        tiles = seeing.tiles_of_filters(seeing.filters(lenet)["c1"])
        width = (picture.width - 2 * 4) // 3
        level = picture.getpixel((2 + width // 10, 2 + width // 10))[0]  # in the first pixel of the first kernel
    assert level == round(255 * float(tiles[0, 0, 0, 0, 0]))


def test_its_own_pictures_are_drawn_anew_and_nothing_elses(tmp_path):
    words = ("look", "lenet", "--image", SEVEN, "--to", "seen")
    assert inside(*words, cwd=tmp_path).returncode == 0
    before = (tmp_path / "seen/01-c1-maps.png").read_bytes()
    assert inside(*words, "--weights", "mnist", cwd=tmp_path).returncode == 0
    after = (tmp_path / "seen/01-c1-maps.png").read_bytes()
    assert before != after
    for spoil in (
        lambda path: path.write_bytes(b"mine"),
        lambda path: Image.new("L", (5, 5)).save(path),
        lambda path: os.symlink(SEVEN, path),
    ):
        path = tmp_path / "seen/03-c3-maps.png"
        spoil(path)
        there = path.read_bytes()
        assert_refused(inside(*words, cwd=tmp_path), "03-c3-maps.png", "not a picture that look has drawn")
        assert path.read_bytes() == there
        assert (tmp_path / "seen/01-c1-maps.png").read_bytes() == after  # nothing is drawn by halves
        path.unlink()


def test_json_says_what_is_where_and_how_large(tmp_path, lenet):
    done = inside("look", "dcgan", "--image", SEVEN, "--to", "seen", "--weights", "mnist", "--json", cwd=tmp_path)
    rows = {row["file"]: row for row in json.loads(done.stdout)}
    assert rows["seen/01-conv1-maps.png"]["shape"] == [32, 16, 16]
    assert rows["seen/generator.conv3-filters.png"]["kind"] == "filters"
    assert all((tmp_path / name).is_file() for name in rows)
    assert rows["seen/00-input.png"]["least"] == -1  # the paper's levels, as the recipe has them


def test_weights_that_are_no_numbers_are_drawn_and_are_json(tmp_path, lenet):
    state = {name: value.clone() for name, value in lenet.state_dict().items()}
    state["c1.bias"][0] = torch.nan
    torch.save(state, tmp_path / "mine.pt")
    done = inside("look", "lenet", "--image", SEVEN, "--to", "seen", "--weights", "mine.pt", "--json", cwd=tmp_path)
    rows = json.loads(done.stdout, parse_constant=pytest.fail)
    assert [row["least"] is None for row in rows[:3]] == [False, False, True]


def test_without_weights_it_says_untrained(tmp_path):
    words = ("look", "googlenet-miniature", "--image", SEVEN, "--to", "seen")
    done = inside(*words, cwd=tmp_path)
    assert done.stdout.startswith("googlenet googlenet-miniature, untrained")
    assert "02-norm1-maps.png: 8 maps of 28 x 28" in done.stdout
    assert "inception_3a-maps.png: 32 maps" in done.stdout


def test_weights_of_a_file_and_of_a_run_are_shown(tmp_path, lenet):
    torch.save(lenet.state_dict(), tmp_path / "mine.pt")
    words = ("look", "lenet", "--image", SEVEN, "--to", "seen", "--json")
    options = literatim.loading.weights_record("lenet", "mnist")["options"]
    checkpoint = {
        "literatim": {"paper": "lenet"}, "hyper_parameters": {"variant": "lenet5", "options": options},
        "state_dict": {f"net.{name}": value for name, value in lenet.state_dict().items()},
    }  # fmt: skip
    torch.save(checkpoint, tmp_path / "run.ckpt")
    shown = {
        name: json.loads(inside(*words, *given, cwd=tmp_path).stdout)
        for name, given in {
            "file": ("--weights", "mine.pt"), "run": ("--ckpt_path", "run.ckpt"), "name": ("--weights", "mnist")
        }.items()
    }  # fmt: skip
    assert shown["run"] == shown["name"]
    assert shown["file"][1] == shown["name"][1]


def test_the_mean_that_a_checkpoint_has_is_subtracted(tmp_path):
    photograph = tmp_path / "grey.png"
    Image.new("RGB", (90, 80), (100, 150, 200)).save(photograph)
    asked = Asked("alexnet", "alexnet", None, 3, 63, photograph, tmp_path, recipe="imagenet")
    plain = shown(asked, 63)
    assert torch.allclose(plain[:, 0, 0], torch.tensor([100.0, 150, 200]) - 255 * torch.tensor([0.485, 0.456, 0.406]))
    mean = torch.arange(3.0)[:, None, None].expand(3, 72, 72).clone()
    torch.save({"state_dict": {"mean": mean, "net.conv1.bias": torch.zeros(1)}}, tmp_path / "run.ckpt")
    asked.checkpoint = tmp_path / "run.ckpt"
    assert torch.allclose(shown(asked, 63)[:, 5, 5], torch.tensor([100.0, 149, 198]))


REFUSED = {
    "word2vec": ("look word2vec --image SEVEN --to seen", "word2vec takes no image", "lenet"),
    "screens": ("look dqn --image SEVEN --to seen", "dqn takes 4 screens at once"),
    "rows": ("look gan --image SEVEN --to seen", "gan has no convolutions"),
    "labels": ("look dcgan --variant mnist-conditional --image SEVEN --to seen", "together with its label"),
    "paper": ("look lenett --image SEVEN --to seen", 'no paper called "lenett"', 'did you mean "lenet"'),
    "variant": ("look resnet --variant resnet19 --image SEVEN --to seen", 'no variant "resnet19"'),
    "image": ("look lenet --image none.png --to seen", "none.png: there is no such file"),
    "folder for image": ("look lenet --image . --to seen", "not a plain file"),
    "text for image": ("look lenet --image text.png --to seen", "text.png: not an image that can be read"),
    "nowhere": ("look lenet --image SEVEN --to no/where", "no: there is no such folder"),
    "file for folder": ("look lenet --image SEVEN --to text.png", "text.png: not a folder"),
    "weights": ("look lenet --image SEVEN --to seen --weights mnits", 'no weights "mnits"', 'did you mean "mnist"'),
    "no weights": (
        "look resnet20 --image SEVEN --to seen --weights mine.pt",
        "mine.pt does not fit resnet resnet20",
        "it lacks conv1.conv.weight",
    ),
    "no file": ("look vgg --image SEVEN --to seen --weights none.pt", "none.pt: there is no such file"),
    "both": ("look lenet --image SEVEN --to seen --weights mnist --ckpt_path last", "exclude each other"),
    "no run": ("look lenet --image SEVEN --to seen --ckpt_path last", "train first"),
    "other run": ("look resnet20 --image SEVEN --to seen --weights run.ckpt", "a checkpoint of lenet lenet5"),
    "option": ("look lenet --image SEVEN --to seen --weigths mnist", "did you mean"),
    "nothing": ("look", "required"),
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_shown_is_refused_in_one_sentence(line, tmp_path, lenet):
    (tmp_path / "text.png").write_text("no image")
    torch.save(lenet.state_dict(), tmp_path / "mine.pt")
    run = {"literatim": {"paper": "lenet"}, "hyper_parameters": {"variant": "lenet5"}, "state_dict": lenet.state_dict()}
    torch.save(run, tmp_path / "run.ckpt")
    words, *said = REFUSED[line]
    done = inside(*(SEVEN if word == "SEVEN" else word for word in words.split()), cwd=tmp_path)
    assert_refused(done, *said)
    assert not (tmp_path / "seen").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    done = inside("look", "lenet", "--image", SEVEN, "--to", "seen", cwd=tmp_path)
    assert_refused(done, "nothing can be written there")


def test_the_examples_of_its_help_are_accepted(tmp_path, capsys, monkeypatch):
    with pytest.raises(SystemExit):
        main(["look", "--help"])
    lines = [re.split(" {2,}", line.strip())[0] for line in capsys.readouterr().out.splitlines()]
    examples = [line for line in lines if line.startswith("literatim look ")]
    assert len(examples) == 5
    asked = []
    monkeypatch.setattr("literatim.experiment.look.look", lambda found: asked.append(found) or iter(()))
    for name in ("seven.png", "cat.jpg"):
        (tmp_path / name).write_bytes(b"")
    for line in examples:
        done = inside(*line.split()[1:], cwd=tmp_path)
        assert done.returncode == 0 or "train first" in done.stderr, done.stderr
    assert [one.variant for one in asked] == ["lenet5", "resnet50", "d", "mnist32"]
    assert [one.recipe for one in asked] == ["mnist", None, "imagenet", "mnist"]
