"""Networks are called as everybody calls them, weights are asked for as in other collections, and files hold them."""

import contextlib
import inspect
import json
from importlib import import_module
from pathlib import Path

import pytest
import torch
from PIL import Image
from pytorch_lightning import Trainer
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from torch import nn

import literatim
from conftest import assert_refused, inside
from literatim.cli import main
from literatim.errors import LiteratimError
from literatim.registry import card, find
from literatim.registry.names import chosen, loose, network


def sentence(*args, **options):
    with pytest.raises(LiteratimError) as caught:
        literatim.load(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def options_of(paper):
    """The options of the network that a paper begins with."""
    module, _, name = card(paper).variants[card(paper).default_variant].model.partition(":")
    return inspect.signature(getattr(import_module(module), name)).parameters


def seven(file: Path) -> None:
    """One of scikit-learn's digits as a picture of dark ink."""
    images, labels = load_digits(return_X_y=True)
    ink = images[labels == 7][0].reshape(8, 8)
    Image.fromarray((255 - 15 * ink).astype("uint8")).resize((80, 80)).save(file)


# --- Names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "paper", "variant"),
    [
        ("resnet50", "resnet", "resnet50"),
        ("ResNet-18", "resnet", "resnet18"),
        ("resnet_1202", "resnet", "resnet1202"),
        ("Plain 34", "resnet", "plain34"),
        ("vgg11", "vgg", "a"),
        ("vgg13", "vgg", "b"),
        ("VGG-16", "vgg", "d"),
        ("vgg19", "vgg", "e"),
        ("vgg-D", "vgg", "d"),
        ("skip-gram", "word2vec", "skip-gram"),
        ("SkipGram", "word2vec", "skip-gram"),
        ("CBOW", "word2vec", "cbow"),
        ("inception", "googlenet", None),
        ("Inception-v1", "googlenet", None),
        ("imagenet", "alexnet", None),
        ("gan-mnist", "gan", "mnist"),
        ("cgan mnist", "cgan", "mnist"),
        ("word2vec-phrases neg-15", "word2vec-phrases", "neg-15"),
    ],
)
def test_a_network_goes_by_its_name_in_any_spelling(name, paper, variant):
    assert network(name) == (paper, variant)
    assert literatim.card(name).id == paper


@pytest.mark.parametrize("paper", find())
def test_every_variant_of_every_paper_has_a_name_of_its_own(paper):
    for variant in card(paper).variants:
        assert chosen(f"{paper}-{variant}", None) == (paper, variant)
        assert chosen(paper, variant.upper().replace("-", "_")) == (paper, variant)
        with contextlib.suppress(LiteratimError):  # "mnist", which says so
            assert network(variant) in ((paper, variant), (paper, None))


@pytest.mark.parametrize("paper", find())
def test_no_name_of_a_paper_stands_for_another_network(paper):
    others = {loose(v) for other in find() if other != paper for v in card(other).variants}
    assert not {loose(alias) for alias in (paper, *card(paper).aliases)} & others


def test_the_name_chooses_the_network_that_loads():
    assert literatim.load("skip-gram").architecture == "skip-gram"
    with torch.device("meta"):
        for given in (("resnet50",), ("ResNet-50",), ("resnet", "RESNET_50"), ("he2016deep", "resnet50")):
            assert (
                literatim.load(*given).state_dict().keys() == literatim.load("resnet", "resnet50").state_dict().keys()
            )
        for given in (("vgg16",), ("vgg", "D"), ("vgg", "vgg16"), ("VGG-16", "d")):
            assert sum(p.numel() for p in literatim.load(*given).parameters()) == 138_357_544  # Table 2: 138 millions


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("mnist",), '"mnist" alone does not say of which paper; say "cgan-mnist" or "gan-mnist"'),
        (("cifar10",), '"cifar10" alone does not say of which paper; say "progan-cifar10"'),
        (("d",), '"d" alone does not say of which paper; say "vgg-d"'),
        (("resnet5",), 'there is no paper called "resnet5"; did you mean "resnet56" or "resnet50" or "resnet"?'),
        (("vgg61",), 'there is no paper called "vgg61"; did you mean "vgg19" or "vgg16" or "vgg13"?'),
        (("inception-v5",), 'there is no paper called "inception-v5"; did you mean "inception-v1" or "inception"?'),
        (("vgg", "vgg61"), 'vgg has no variant "vgg61"; did you mean "vgg19" or "vgg16" or "vgg13"?'),
        (("vgg16", "e"), '"vgg16" is vgg d, not e; name one of the two'),
        (("resnet20", "resnet32"), '"resnet20" is resnet resnet20, not resnet32; name one of the two'),
        ((None,), 'a paper is called by its name, such as "lenet", not by None; literatim.find() names them all'),
        ((5,), 'a paper is called by its name, such as "lenet", not by 5; literatim.find() names them all'),
        (("lenet", 5), "a variant of lenet is called by its name, not by 5; it has lenet5, lenet5-popular"),
    ],
)
def test_what_is_no_name_is_answered_in_one_sentence(given, said):
    assert sentence(*given) == said


@pytest.mark.parametrize(
    ("args", "shown"),
    [
        (["show", "resnet50"], "Deep Residual Learning"),
        (["cite", "VGG-16"], "simonyan2015very"),
        (["list", "resnet50"], "resnet"),
        (["verify", "skip-gram", "--claim", "q-nnlm", "--json"], '"paper": "word2vec"'),
        (["fit", "resnet20", "--print_config"], "variant: resnet20"),
        (["fit", "VGG-16", "--print_config"], "variant: d\n"),
        (["predict", "lenet-5", "seven.png", "--weights", "mnist"], "seven.png: 7 "),
    ],
)
def test_every_command_knows_the_names_of_networks(args, shown, tmp_path, monkeypatch, capsys):
    seven(tmp_path / "seven.png")
    monkeypatch.chdir(tmp_path)
    with contextlib.suppress(SystemExit):  # so --print_config ends
        assert main(args) == 0
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["predict", "lenet5-popular", "seven.png"], 'the weights "mnist" are of lenet lenet5, not of lenet5-popular'),
        (["fit", "resnet20", "--model.variant", "plain20"], '"resnet20" is resnet resnet20, not plain20; name one'),
        (["reproduce", "vgg16", "--variant", "e"], '"vgg16" is vgg d, not e; name one of the two'),
        (["export", "vgg16", "--variant", "e", "--to", "e.onnx"], '"vgg16" is vgg d, not e; name one of the two'),
        (["fit", "mnist"], '"mnist" alone does not say of which paper; say "cgan-mnist" or "gan-mnist"'),
    ],
)
def test_a_name_and_an_option_that_contradict_are_refused(args, said, tmp_path):
    seven(tmp_path / "seven.png")
    assert_refused(inside(*args, cwd=tmp_path), said)


def test_a_run_goes_on_only_under_the_name_of_its_network(tmp_path):
    short = ["--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1", "--runs", str(tmp_path)]
    assert inside("fit", "vgg13", "--trainer.max_epochs", "1", *short).returncode == 0
    assert json.loads((tmp_path / "vgg/quick/0/record.json").read_text())["variant"] == "b"
    for command in ("fit", "test"):
        refused = inside(command, "vgg16", "--ckpt_path", "last", "--runs", str(tmp_path))
        assert_refused(refused, "a checkpoint of vgg b, not of d")
    going = ["fit", "vgg13", "--ckpt_path", "last", "--runs", str(tmp_path), "--trainer.max_epochs", "2"]
    assert inside(*going).returncode == 0


# --- How weights are asked for ------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [{"pretrained": True}, {"weights": True}, {"weights": "DEFAULT"}, {"weights": 5}])
@pytest.mark.parametrize(
    ("paper", "there"),
    [
        ("lenet", '; lenet has weights="mnist"'),
        ("resnet50", '; resnet has weights="torchvision"'),
        ("googlenet", "; for googlenet none ship: train it, or name a file, weights=FILE"),
    ],
)
def test_weights_asked_for_as_elsewhere_are_answered_with_what_there_is(paper, there, asked):
    said = sentence(paper, **asked)
    assert said.startswith("weights are asked for by their name, not by ")
    assert said.endswith(there)


@pytest.mark.parametrize("classes", [-1, 0, 2.5, "ten", True, None])
@pytest.mark.parametrize("paper", [paper for paper in find() if "num_classes" in options_of(paper)])
def test_a_number_of_classes_is_a_whole_one(paper, classes):
    assert sentence(paper, num_classes=classes).endswith(
        f"num_classes is {classes!r}; it must be a whole number of at least 1"
    )


# --- Files --------------------------------------------------------------------------------------------


@pytest.fixture
def net():
    return literatim.load("lenet", init="sqrt")


def same(found, net):
    assert not found.training
    for name, entry in net.state_dict().items():
        assert torch.equal(found.state_dict()[name], entry), name


WRAPPED = {
    "DistributedDataParallel": "module.",
    "torch.compile": "_orig_mod.",
    "both": "_orig_mod.module.",
    "a Lightning module": "net.",
    "a compiled one in a Lightning module": "net._orig_mod.",
    "another Lightning module": "model.",
    "nothing": "",
}


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("ending", [".safetensors", ".pth", ".ckpt"])
def test_a_file_of_weights_loads_whatever_was_wrapped_round_the_network(wrapped, ending, net, tmp_path):
    state = {WRAPPED[wrapped] + name: entry for name, entry in net.state_dict().items()}
    file = tmp_path / f"mine{ending}"
    if ending == ".safetensors":
        save_file(state, file)
    else:
        beside = {"online": torch.zeros(3)} if "net." in WRAPPED[wrapped] else {}
        torch.save({"state_dict": state | beside, "epoch": 3} if ending == ".ckpt" else state, file)
    same(literatim.load("lenet", weights=str(file)), net)
    same(literatim.load("LeNet-5", weights=file), net)


def test_what_wraps_a_network_in_torch_is_what_the_names_say(net):
    """The prefixes are torch's own; `torch.compile` compiles nothing before the first call."""
    assert {name.partition(".")[0] for name in torch.compile(net).state_dict()} == {"_orig_mod"}
    assert {name.partition(".")[0] for name in nn.DataParallel(net).state_dict()} == {"module"}


def test_a_checkpoint_of_a_run_brings_its_variant_and_options(tmp_path):
    short = ["--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1", "--trainer.max_epochs", "1"]
    done = inside("fit", "resnet32", *short, "--model.options.shortcut", "b", "--runs", str(tmp_path))
    assert done.returncode == 0, done.stderr
    file = tmp_path / "resnet/quick/0/checkpoints/last.ckpt"
    saved = torch.load(file, weights_only=True)["state_dict"]
    for given in (("resnet",), ("resnet32",), ("resnet", "ResNet-32")):
        found = literatim.load(*given, weights=file)
        assert [name for name, _ in found.named_modules() if name.endswith("shortcut.conv")]
        for name, entry in found.state_dict().items():
            assert torch.equal(entry, saved[f"net.{name}"])
    assert sentence("resnet20", weights=file) == f"{file}: a checkpoint of resnet resnet32, not of resnet resnet20"
    assert sentence("vgg", weights=file) == f"{file}: a checkpoint of resnet resnet32, not of vgg"


def test_what_does_not_fit_is_said_with_its_shape(net, tmp_path):
    file, state = tmp_path / "mine.pth", net.state_dict()
    torch.save({name: entry for name, entry in state.items() if name != "c1.bias"}, file)
    assert sentence("lenet", weights=file) == f"{file} does not fit lenet lenet5 with these options: it lacks c1.bias"
    torch.save({**state, "c1.bias": torch.zeros(7)}, file)
    assert sentence("lenet", weights=file).endswith("the shape of c1.bias is (7,), not (6,)")
    torch.save({**state, "c9.bias": torch.zeros(7), "c8.bias": torch.zeros(7)}, file)
    assert sentence("lenet", weights=file).endswith("c9.bias is surplus (and 1 more)")


class Harmless:
    """A stand-in of our own for what a stranger's file could run."""

    ran = False

    def __reduce__(self):
        return setattr, (Harmless, "ran", True)


def test_a_file_that_is_none_of_weights_is_refused_and_runs_nothing(tmp_path):
    assert sentence("lenet", weights=tmp_path / "none.pth") == f"{tmp_path / 'none.pth'}: there is no such file"
    for name, content in (("a.pth", b"x"), ("b.safetensors", b"\xff" * 80), ("c.ckpt", b"")):
        (tmp_path / name).write_bytes(content)
        assert "no file of weights: damaged, of another kind" in sentence("lenet", weights=tmp_path / name)
    torch.save({"state_dict": {"c1.bias": Harmless()}}, tmp_path / "d.pth")
    assert "with more in it than plain data" in sentence("lenet", weights=tmp_path / "d.pth")
    assert not Harmless.ran
    for held in ({}, {"a": 1}, [torch.zeros(2)], {"state_dict": {1: torch.zeros(2)}}, torch.zeros(2)):
        torch.save(held, tmp_path / "e.pth")
        assert "there is no state dict in it" in sentence("lenet", weights=tmp_path / "e.pth")


def test_words_of_another_network_than_the_named_one_are_refused(tmp_path):
    short = ["--trainer.limit_train_batches", "2", "--trainer.max_epochs", "1", "--runs", str(tmp_path)]
    assert inside("fit", "cbow", *short).returncode == 0
    last = ["--ckpt_path", "last", "--runs", str(tmp_path)]
    asked = inside("predict", "cbow", "--words", "the", *last)
    assert asked.returncode == 0, asked.stderr
    assert inside("export", "cbow", "--to", str(tmp_path / "v.txt"), *last).returncode == 0
    for args in (["predict", "skip-gram", "--words", "the"], ["export", "SkipGram", "--to", str(tmp_path / "w.txt")]):
        assert_refused(inside(*args, *last), "a checkpoint of word2vec cbow, not of skip-gram")


def test_a_checkpoint_of_ones_own_trainer_brings_its_options(tmp_path):
    made = literatim.recipe("vgg13")
    trainer = Trainer(**made.trainer | {"max_epochs": 0, "enable_progress_bar": False})
    trainer.fit(*made)
    trainer.save_checkpoint(tmp_path / "mine.ckpt")
    same(literatim.load("vgg", weights=tmp_path / "mine.ckpt"), made.module.net)
    assert sentence("vgg16", weights=tmp_path / "mine.ckpt").endswith("a checkpoint of vgg b, not of vgg d")
