"""The papers' networks and torchvision's: the same answers, the same learning, and weights that go both ways."""

import dataclasses
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

import literatim
from literatim import interop
from literatim.cli import main
from literatim.errors import LiteratimError
from literatim.experiment import export

torchvision = pytest.importorskip(
    "torchvision", reason="torchvision is not here, against which its networks are held: pip install torchvision"
)

CASES = [(paper, variant) for paper, variants in interop.NETWORKS.items() for variant in variants]
# In float32. Both do the same operations in the same order, so that little or nothing is left to rounding.
TOLERANCE = 1e-5


def theirs(paper, variant, num_classes=1000):
    """torchvision's network, all its numbers drawn: two normalisations just made could change places unnoticed."""
    make = getattr(torchvision.models, interop.NETWORKS[paper][variant].theirs)
    quick = {"init_weights": False, "dropout": 0.0} if paper == "vgg" else {}  # PyTorch's own start; biases not zero
    torch.manual_seed(0)
    net = make(weights=None, num_classes=num_classes, **quick)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for name in ("weight", "bias", "running_mean", "running_var"):
                nn.init.uniform_(getattr(layer, name), 0.2, 0.6)
    return net


def ours(paper, variant, state, **options):
    """The paper's network with copies of the weights."""
    with torch.device("meta"):
        net = literatim.load(paper, variant, **{**interop.NETWORKS[paper][variant].options, **options})
    net.load_state_dict({name: entry.clone() for name, entry in state.items()}, assign=True)
    if paper == "vgg":
        net.dropout.p = 0.0  # as above: the two draw their masks in another order
    return net


def images(paper):
    side, n = (224, 1) if paper == "vgg" else (64, 3)  # VGG's fully connected layers want 224
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(1))


def distance(a, b):
    """The largest difference, relative to the scale of the first."""
    return float((a - b).abs().max() / a.abs().max().clamp(min=1e-30))


def sentence(call, *args, **options):
    """What a call says where it fails, which must be one line."""
    with pytest.raises(LiteratimError) as caught:
        call(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- The same network --------------------------------------------------------------------------------


@pytest.mark.parametrize(("paper", "variant"), CASES)
def test_the_same_weights_give_the_same_logits(paper, variant):
    their_net = theirs(paper, variant)
    our_net = ours(paper, variant, interop.from_torchvision(paper, variant, their_net.state_dict()))
    with torch.no_grad():
        logits, found = (net.eval()(images(paper)) for net in (their_net, our_net))
    assert logits.std() > 0
    assert distance(logits, found) < TOLERANCE


@pytest.mark.parametrize(("paper", "variant"), CASES)
def test_they_learn_alike(paper, variant, monkeypatch):
    """Two steps, so that the momentum counts too. VGG with 32 units for 4,096, which would take minutes."""
    monkeypatch.setitem(interop.WHOLE, "hidden", 32)
    nets = [theirs(paper, variant, num_classes=7)]
    if paper == "vgg":
        for place, sizes in ((0, (512 * 7 * 7, 32)), (3, (32, 32)), (6, (32, 7))):
            nets[0].classifier[place] = nn.Linear(*sizes)
    start = interop.from_torchvision(paper, variant, nets[0].state_dict())
    start = {name: entry.clone() for name, entry in start.items()}
    nets.append(ours(paper, variant, start, num_classes=7))
    for net in nets:
        optimizer = torch.optim.SGD(net.train().parameters(), lr=0.01, momentum=0.9, weight_decay=5e-2)
        for _ in range(2):
            optimizer.zero_grad()
            F.cross_entropy(net(images(paper)), torch.arange(len(images(paper)))).backward()
            optimizer.step()
    learnt, found = interop.from_torchvision(paper, variant, nets[0].state_dict()), nets[1].state_dict()
    assert learnt.keys() == found.keys()
    for name, entry in learnt.items():
        assert distance(entry.double(), found[name].double()) < TOLERANCE, name
        assert distance(entry.double(), start[name].double()) > 10 * TOLERANCE, f"{name} has learnt nothing"


@pytest.mark.parametrize(("paper", "variant"), CASES)
def test_there_and_back_is_exact(paper, variant):
    given = theirs(paper, variant, num_classes=3).state_dict()
    there = interop.from_torchvision(paper, variant, given)
    back = interop.to_torchvision(paper, variant, there)
    assert back.keys() == given.keys()
    assert all(back[name] is entry for name, entry in given.items())
    assert len({id(entry) for entry in there.values()}) == len(given)
    with torch.device("meta"):
        net = literatim.load(paper, variant, num_classes=3, **interop.NETWORKS[paper][variant].options)
    net.load_state_dict(there, assign=True)  # complete, and nothing besides


def test_a_paper_goes_by_any_of_its_names():
    state = theirs("resnet", "resnet18").state_dict()
    assert (
        interop.from_torchvision("1512.03385", "resnet18", state).keys()
        == literatim.load("resnet", "resnet18", shortcut="b").state_dict().keys()
    )
    assert (
        interop.from_torchvision("resnet", None, state).keys()
        == interop.from_torchvision("resnet", "resnet18", state).keys()
    )


SWAPS = {
    "two normalisations": (r"^layer1\.0\.bn(\d)\.", lambda at: f"layer1.0.bn{3 - int(at[1])}."),
    "two convolutions": (r"^layer1\.(\d)\.conv1\.", lambda at: f"layer1.{1 - int(at[1])}.conv1."),
    "mean and deviation": (
        r"^bn1\.running_(mean|var)",
        lambda at: "bn1.running_" + {"mean": "var", "var": "mean"}[at[1]],
    ),
    "scale and shift": (
        r"^layer4\.1\.bn2\.(weight|bias)",
        lambda at: "layer4.1.bn2." + {"weight": "bias", "bias": "weight"}[at[1]],
    ),
}


@pytest.mark.parametrize("swap", SWAPS.values(), ids=SWAPS)
def test_a_map_that_takes_one_entry_for_another_changes_the_logits(swap, monkeypatch):
    their_net = theirs("resnet", "resnet18").eval()
    monkeypatch.setattr(interop, "RESNET", (*interop.RESNET, swap))
    our_net = ours("resnet", "resnet18", interop.from_torchvision("resnet", "resnet18", their_net.state_dict())).eval()
    with torch.no_grad():
        assert distance(their_net(images("resnet")), our_net(images("resnet"))) > 100 * TOLERANCE


def test_the_stride_of_the_options_is_needed_for_the_same_answers():
    their_net = theirs("resnet", "resnet50").eval()
    state = interop.from_torchvision("resnet", "resnet50", their_net.state_dict())
    our_net = ours("resnet", "resnet50", state, stride="1x1").eval()
    with torch.no_grad():
        assert distance(their_net(images("resnet")), our_net(images("resnet"))) > 100 * TOLERANCE


@pytest.mark.parametrize("variant", interop.NETWORKS["resnet"])
def test_timms_residual_networks_have_torchvisions_names(variant):
    timm = pytest.importorskip("timm", reason="timm is not here, whose names are looked at: pip install timm")
    with torch.device("meta"):
        names = timm.create_model(variant).state_dict().keys()
    assert names == theirs("resnet", variant).state_dict().keys()
    if variant in ("resnet18", "resnet50"):
        state = theirs("resnet", variant).state_dict()
        their_net = timm.create_model(variant).eval()
        their_net.load_state_dict(state)
        our_net = ours("resnet", variant, interop.from_torchvision("resnet", variant, state))
        with torch.no_grad():
            assert distance(their_net(images("resnet")), our_net.eval()(images("resnet"))) < TOLERANCE


# --- What cannot be translated -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def state():
    return theirs("resnet", "resnet18").state_dict()


def test_a_state_dict_with_missing_surplus_or_misshapen_entries_is_refused(state):
    def said(**changes):
        changed = {k: v for k, v in {**state, **changes}.items() if v is not None}
        return sentence(interop.from_torchvision, "resnet", "resnet18", changed)

    begins, ends = "this is no state dict of torchvision's resnet18: ", "; name the variant that it is of"
    assert said(**{"bn1.bias": None}) == f"{begins}it lacks bn1.bias{ends}"
    assert said(**{"bn1.bias": None, "fc.bias": None}) == f"{begins}it lacks bn1.bias (and 1 more){ends}"
    assert said(**{"module.x": torch.zeros(1)}) == f"{begins}module.x is surplus{ends}"
    assert said(**{"bn1.bias": torch.zeros(3)}) == f"{begins}the shape of bn1.bias is (3,), not (64,){ends}"
    assert said(**{"fc.bias": torch.zeros(3)}) == f"{begins}the shape of fc.weight is (1000, 512), not (3, 512){ends}"
    assert said(**{"fc.bias": torch.tensor(0.0)}) == f"{begins}the shape of fc.bias is (), not (1000,){ends}"
    assert said(**{"bn1.bias": 3}) == f"{begins}the shape of bn1.bias is (), not (64,){ends}"
    assert "(and" in sentence(interop.from_torchvision, "resnet", "resnet34", state)


def test_our_network_as_printed_has_no_projections_to_translate():
    printed = literatim.load("resnet", "resnet18").state_dict()
    assert sentence(interop.to_torchvision, "resnet", "resnet18", printed) == (
        "this is no state dict of the paper's network with shortcut='b': it lacks conv3_x.conv3_1.shortcut.conv.weight "
        "(and 14 more); name the variant that it is of"
    )


def test_a_network_in_place_of_its_state_dict_is_refused():
    net = nn.Linear(1, 1)
    assert sentence(interop.to_torchvision, "resnet", "resnet18", net) == (
        "a state dict is translated, not a Linear; take what its state_dict() returns"
    )


def test_counters_that_an_old_file_does_not_have_begin_at_zero(state):
    old = {name: entry for name, entry in state.items() if "num_batches" not in name}
    new = interop.from_torchvision("resnet", "resnet18", old)
    assert new["conv1.bn.num_batches_tracked"] == 0
    assert len(new) == len(state)


@pytest.mark.parametrize("translate", [interop.from_torchvision, interop.to_torchvision])
@pytest.mark.parametrize(
    ("paper", "variant", "said"),
    [
        ("alexnet", "alexnet", "torchvision.models.alexnet is another network"),
        ("googlenet", None, "torchvision.models.googlenet is another network"),
        ("lenet", "lenet5", "torchvision has no lenet; only vgg and resnet can"),
        ("vgg", "c", "torchvision has no vgg c; of vgg it has a, b, d, e"),
        ("vgg", "a-lrn", "torchvision has no vgg a-lrn"),
        ("resnet", "resnet20", "torchvision has no resnet resnet20; of resnet it has resnet18, resnet34"),
        ("resnet", "plain34", "torchvision has no resnet plain34"),
        ("resnet", "resnet19", 'resnet has no variant "resnet19"; did you mean'),
        ("vgh", "a", 'there is no paper called "vgh"'),
    ],
)
def test_a_network_that_torchvision_does_not_have_is_refused(translate, paper, variant, said):
    assert sentence(translate, paper, variant, {}).startswith(said)


# --- Published weights -------------------------------------------------------------------------------


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Puts a file of random weights where torchvision's would lie, its checksum in its name as in theirs."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)

    def put(name, state):
        torch.save(state, folder / "new.pth")
        checksum = hashlib.sha256((folder / "new.pth").read_bytes()).hexdigest()
        file = (folder / "new.pth").rename(folder / f"{name}-{checksum[:8]}.pth")
        called(name, file.name)
        return file

    def called(name, file):
        weights = torchvision.models.get_model_weights(name)["IMAGENET1K_V1"]
        changed = dataclasses.replace(weights.value, url=f"https://weights.invalid/models/{file}")
        monkeypatch.setattr(weights, "_value_", changed)
        return folder / file

    put.nothing = called
    return put


@pytest.fixture
def offline(monkeypatch):
    """No network, whatever the machine has."""

    def refused(*args, **options):
        raise URLError("no network")

    monkeypatch.setattr("torch.hub.urlopen", refused)


def test_published_weights_load_under_the_papers_name(stand_in, state):
    stand_in("resnet18", {name: entry for name, entry in state.items() if "num_batches" not in name})
    net = literatim.load("resnet", "resnet18", weights="torchvision")
    assert not net.training
    their_net = theirs("resnet", "resnet18").eval()
    with torch.no_grad():
        assert distance(their_net(images("resnet")), net(images("resnet"))) < TOLERANCE
    again = literatim.load("resnet", "resnet18", weights="torchvision", shortcut="b", num_classes=1000)
    assert torch.equal(again.fc.weight, state["fc.weight"])


def test_published_weights_bring_the_stride_along(stand_in):
    their_net = theirs("resnet", "resnet50").eval()
    stand_in("resnet50", their_net.state_dict())
    net = literatim.load("resnet", "resnet50", weights="torchvision")
    with torch.no_grad():
        assert distance(their_net(images("resnet")), net(images("resnet"))) < TOLERANCE


def test_published_weights_of_vgg(stand_in):
    """In a small file, for a tensor may look at a few numbers again and again."""
    with torch.device("meta"):
        shapes = {name: entry.shape for name, entry in torchvision.models.vgg11().state_dict().items()}
    few = {name: torch.randn(sum(shape)).as_strided(shape, [1] * len(shape)) for name, shape in shapes.items()}
    file = stand_in("vgg11", few)
    assert file.stat().st_size < 1e6
    net = literatim.load("vgg", "a", weights="torchvision")
    assert not net.training
    assert torch.equal(net.block3.conv3_2.weight, few["features.8.weight"])
    assert torch.equal(net.fc7.weight, few["classifier.3.weight"])


def test_published_weights_are_exported(stand_in, state, tmp_path, monkeypatch):
    stand_in("resnet18", state)
    monkeypatch.setattr(export, "need_onnx", lambda: None)
    written = []
    monkeypatch.setattr(export, "write_onnx", lambda net, *rest, **how: written.append(net))
    export.export("resnet", "resnet18", "torchvision", tmp_path / "net.onnx")
    assert torch.equal(written[0].fc.weight, state["fc.weight"])


@pytest.mark.parametrize(
    ("paper", "variant", "options", "said"),
    [
        ("resnet", "resnet18", {"num_classes": 10}, "num_classes=1000, not 10; leave the option num_classes out, and"),
        ("resnet", "resnet18", {"shortcut": "a"}, "shortcut='b', not 'a'; leave the option shortcut out"),
        ("resnet", "resnet50", {"stride": "1x1"}, "stride='3x3', not '1x1'; leave the option stride out"),
        ("resnet", "resnet50", {"shortcut": "c"}, "shortcut='b', not 'c'; leave the option shortcut out"),
        ("vgg", "d", {"size": 64}, "size=224, not 64; leave the option size out"),
        ("vgg", "d", {"num_classes": 3}, "num_classes=1000, not 3"),
        ("vgg", "d", {"sise": 64}, 'no option "sise"; did you mean "size"?'),
    ],
)
def test_options_that_the_weights_contradict_are_refused(stand_in, offline, paper, variant, options, said):
    assert said in sentence(literatim.load, paper, variant, weights="torchvision", **options)


def test_other_papers_have_no_published_weights():
    assert sentence(literatim.load, "alexnet", weights="torchvision").startswith(
        "torchvision.models.alexnet is another network (see `compared` on the card)"
    )
    assert sentence(literatim.load, "vgg", "c", weights="torchvision").startswith("torchvision has no vgg c")


def test_an_unknown_name_of_weights_gets_the_nearest():
    assert sentence(literatim.load, "resnet", weights="torchvison") == (
        'resnet has no weights "torchvison"; did you mean "torchvision"?'
    )
    assert sentence(literatim.load, "lenet", weights="torchvison").startswith('lenet has no weights "torchvison"; it')


def test_a_failed_download_names_the_file_and_its_place(stand_in, offline):
    file = stand_in.nothing("resnet18", "resnet18-01234567.pth")
    assert sentence(literatim.load, "resnet", "resnet18", weights="torchvision") == (
        "https://weights.invalid/models/resnet18-01234567.pth could not be downloaded: <urlopen error no network>; "
        f"fetch it elsewhere and put it at {file}"
    )
    assert list(file.parent.iterdir()) == []


def test_a_download_with_another_checksum_is_refused(stand_in, state, monkeypatch, tmp_path):
    file = stand_in("resnet18", state)
    content = file.read_bytes()
    (tmp_path / "sent").write_bytes(content[:1000] + bytes([content[1000] ^ 1]) + content[1001:])
    file.unlink()

    monkeypatch.setattr("torch.hub.urlopen", lambda request: urlopen((tmp_path / "sent").as_uri()))
    assert "could not be downloaded: invalid hash value" in sentence(
        literatim.load, "resnet", "resnet18", weights="torchvision"
    )
    (tmp_path / "sent").write_bytes(content)
    assert torch.equal(literatim.load("resnet", "resnet18", weights="torchvision").fc.weight, state["fc.weight"])
    assert file.exists()


@pytest.mark.parametrize("place", [0, 5000, -1])
def test_a_damaged_file_is_refused(stand_in, state, offline, place):
    file = stand_in("resnet18", state)
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    assert sentence(literatim.load, "resnet", "resnet18", weights="torchvision") == (
        f"{file} is damaged: its checksum is not the one in its name; delete it and load again"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(stand_in, state):
    file = stand_in("resnet18", state)
    file.chmod(0)
    assert "cannot be read" in sentence(literatim.load, "resnet", "resnet18", weights="torchvision")


def test_a_folder_in_place_of_the_file_is_named(stand_in):
    file = stand_in.nothing("resnet18", "resnet18-01234567.pth")
    file.mkdir()
    assert sentence(literatim.load, "resnet", "resnet18", weights="torchvision").startswith(f"{file} cannot be read")


def test_a_file_of_another_network_is_refused(stand_in, state):
    stand_in("resnet34", state)
    assert sentence(literatim.load, "resnet", "resnet34", weights="torchvision").startswith(
        "this is no state dict of torchvision's resnet34: it lacks layer1.2.conv1.weight (and"
    )


# --- On the command line -----------------------------------------------------------------------------

FIT = ["fit", "resnet", "--recipe", "quick", "--model.variant", "resnet18", "--model.weights", "torchvision"]


def complaint(args, capsys):
    """The one line that the command complains with."""
    assert main(args) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"(Downloading: .*\n)?literatim: .*\n", said), said
    return said


def test_the_command_says_the_same(stand_in, offline, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    stand_in.nothing("resnet18", "resnet18-01234567.pth")
    said = complaint([*FIT, "--model.num_classes", "10"], capsys)
    assert "resnet18-01234567.pth could not be downloaded" in said
    said = complaint([*FIT, "--model.options.shortcut", "a"], capsys)
    assert "shortcut='b', not 'a'; leave the option shortcut out" in said


def test_a_missing_torchvision_is_a_sentence_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    said = complaint(FIT, capsys)
    assert "these weights need torchvision, which does not import" in said
    assert "pip install 'literatim[download]'" in said


def test_a_training_begins_with_the_published_weights(stand_in, state):
    from literatim.papers.resnet.training import ResNetTraining

    stand_in("resnet18", state)
    training = ResNetTraining("resnet18", weights="torchvision", num_classes=3, freeze="stem")
    assert training.net.training
    assert torch.equal(training.net.conv5_x.conv5_2.first.conv.weight, state["layer4.1.conv1.weight"])
    assert training.net.fc.out_features == 3


def test_a_photograph_is_named_by_published_weights(stand_in, state, tmp_path, monkeypatch, capsys):
    from literatim.datasets.imagefolder import ImageFolder

    stand_in("resnet18", state)
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (300, 260), "tan").save("x.png")
    Image.new("RGB", (260, 300), "navy").save("y.jpg")
    assert main(["predict", "ResNet-18", "x.png", "y.jpg", "--weights", "torchvision", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    with torch.no_grad():
        shown = torch.stack([ImageFolder().read_image(name) for name in ("x.png", "y.jpg")])
        wanted = theirs_of(state)(shown).softmax(dim=1)
    names = interop.categories()
    assert len(set(names)) == 1000
    assert [row["class"] for row in found] == [names[best] for best in wanted.argmax(dim=1)]
    for row, probabilities in zip(found, wanted, strict=True):
        assert torch.allclose(torch.tensor(list(row["probabilities"].values())), probabilities, atol=1e-5)
    assert main(["predict", "resnet", "x.png", "--weights", "torchvision", "--model.variant", "resnet18"]) == 0
    assert capsys.readouterr().out.startswith("x.png: ")


def theirs_of(state):
    net = torchvision.models.resnet18()
    net.load_state_dict(state)
    return net.eval()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["predict", "resnet50", "none.png", "--weights", "torchvision"], "none.png: there is no such file"),
        (["predict", "resnet50", "text.png", "--weights", "torchvision"], "text.png: not an image"),
        (["predict", "vgg16", "x.png", "--weights", "torchvision"], "vgg16-01234567.pth could not be downloaded"),
        (["predict", "resnet20", "x.png", "--weights", "torchvision"], "torchvision has no resnet resnet20; of resnet"),
        (["predict", "resnet", "x.png"], "photographs are named by --weights torchvision; train first"),
        (
            ["predict", "googlenet", "x.png", "--weights", "torchvision"],
            "googlenet has no weights for torchvision; train",
        ),
        (["test", "resnet50", "--weights", "torchvision"], "torchvision's weights name photographs (literatim predict"),
        (
            ["predict", "vgg16", "x.png", "--weights", "torchvision", "--data.size", "64"],
            "--data.size does not go with",
        ),
    ],
)
def test_what_keeps_a_photograph_from_a_name_is_said(args, said, stand_in, offline, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    stand_in.nothing("vgg16", "vgg16-01234567.pth")
    Image.new("RGB", (8, 8)).save("x.png")
    Path("text.png").write_text("no picture")
    assert said in complaint(args, capsys)
