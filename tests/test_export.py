"""`literatim export`: what the ONNX file computes is what the model computes, and a mistake leaves no file behind."""

import json
import shutil
import sys

import pytest
import torch

import literatim
from conftest import sound_record
from literatim.cli import main
from literatim.experiment import export
from literatim.experiment.record import ship
from literatim.registry import card, find, ledger, reading


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Ships a network's weights in a copy of the cards, which is read in place of ours."""
    folder = tmp_path / "papers"
    shutil.copytree(reading.papers_folder(), folder, ignore=shutil.ignore_patterns("results", "weights"))
    monkeypatch.setenv("LITERATIM_PAPERS", str(folder))

    def enter(net, variant, options):
        place = folder / "lenet" / "results" / "mnist" / f"{variant}-s0"
        place.mkdir(parents=True)
        record = sound_record(variant=variant, options=options, weights=ship("lenet", "mnist", net))
        (place / "record.json").write_text(json.dumps(record))

    forget()
    yield enter
    forget()


def forget():
    for cached in (reading.card, reading.claims, ledger.hashes):
        cached.cache_clear()


def refused(capsys, *args):
    """What the command says where it refuses, which must be one line."""
    status = main(["export", *map(str, args)])
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.startswith("literatim: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("variant", "options"),
    [
        ("lenet5", {"init": "sqrt", "subsampling": "sum", "coefficient": 0.3}),
        ("lenet5", {"init": "sqrt", "subsampling": "average", "coefficient": 1.0}),
        ("lenet5-popular", {"init": "sqrt"}),
    ],
)
def test_the_file_computes_what_the_model_computes(tmp_path, capfd, shipped, variant, options):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    torch.manual_seed(0)
    net = literatim.load("lenet", variant, **options).eval()
    shipped(net, variant, options)
    (tmp_path / "out").mkdir()
    to = tmp_path / "out" / "lenet.onnx"
    assert main(["export", "lenet", "--variant", variant, "--weights", "mnist", "--to", str(to)]) == 0
    out, err = capfd.readouterr()
    assert (out, err) == (f"{to}\n", "")
    assert list(to.parent.iterdir()) == [to]

    session = onnxruntime.InferenceSession(to, providers=["CPUExecutionProvider"])
    (given,), (found,) = session.get_inputs(), session.get_outputs()
    assert (given.name, found.name) == ("input", "output")
    assert given.shape[1:] == [1, 32, 32]
    for size in (1, 5):
        x = torch.rand(size, 1, 32, 32) * 1.275 - 0.1
        (y,) = session.run(None, {"input": x.numpy()})
        with torch.no_grad():
            expected = net(x)
        assert y.shape == (size, 10)
        assert expected.std() > 0.1  # outputs that differ, so that being near them means something
        assert torch.allclose(torch.from_numpy(y), expected, atol=1e-4)


def test_a_model_without_weights_is_exported_too(tmp_path, capfd):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    to = tmp_path / "lenet.onnx"
    torch.manual_seed(0)
    assert main(["export", "lenet", "--to", str(to)]) == 0
    torch.manual_seed(0)
    net = literatim.load("lenet").eval()
    x = torch.rand(3, 1, 32, 32)
    (y,) = onnxruntime.InferenceSession(to, providers=["CPUExecutionProvider"]).run(None, {"input": x.numpy()})
    with torch.no_grad():
        assert torch.allclose(torch.from_numpy(y), net(x), rtol=0, atol=1e-4)


def test_an_unknown_paper_variant_or_weights_is_refused(tmp_path, capsys):
    to = tmp_path / "x.onnx"
    assert 'did you mean "lenet"' in refused(capsys, "lenett", "--to", to)
    assert 'no variant "lenet4"; did you mean "lenet5"' in refused(capsys, "lenet", "--variant", "lenet4", "--to", to)
    assert 'has no weights "nowhere"' in refused(capsys, "lenet", "--weights", "nowhere", "--to", to)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_refused(tmp_path, capsys):
    assert f"{tmp_path / 'none'}: there is no such folder" in refused(
        capsys, "lenet", "--to", tmp_path / "none" / "x.onnx"
    )
    assert not list(tmp_path.iterdir())


def test_a_file_must_be_named(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    assert "--to" in refused(capsys, "lenet")
    for to in (".", tmp_path / "folder"):
        assert f"{to}: a folder is there, and only plain files" in refused(capsys, "lenet", "--to", to)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert not list((tmp_path / "folder").iterdir())


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_onnx_package_is_refused(tmp_path, capsys, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    assert "pip install 'literatim[onnx]'" in refused(capsys, "lenet", "--to", tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("earlier", [None, b"an earlier file"])
def test_a_failing_export_leaves_what_was_there(tmp_path, capsys, monkeypatch, earlier):
    to = tmp_path / "x.onnx"
    if earlier:
        to.write_bytes(earlier)

    def half(net, args, path, **options):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(torch.onnx, "export", half)
    assert "No space left on device" in refused(capsys, "lenet", "--to", to)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([earlier] if earlier else [])


# --- What a run has learned ---------------------------------------------------------------------------

NETWORKS = [paper for paper in find() if isinstance(card(paper).variants[card(paper).default_variant].input, tuple)]
NETWORKS = [paper for paper in NETWORKS if not paper.startswith("word2vec")]


def checkpoint_of(paper, folder, **settings):
    """A checkpoint as `fit` leaves it, of a module with its first weights."""
    made = literatim.recipe(paper, **settings)
    given = dict(made.module.hparams)
    file = folder / "runs" / paper / "quick" / "0" / "checkpoints" / "last.ckpt"
    file.parent.mkdir(parents=True)
    identity = {"paper": paper, "recipe": "quick", "variant": given["variant"]}
    given = {name: value for name, value in given.items() if not name.startswith("_")}
    torch.save({"state_dict": made.module.state_dict(), "hyper_parameters": given, "literatim": identity}, file)
    return made.module.net.eval()


@pytest.mark.parametrize("paper", NETWORKS)
def test_a_checkpoint_of_every_network_is_exported(paper, tmp_path, monkeypatch, capsys):
    """The network that is written, and the shape of what it is shown, without the writing, which takes its time."""
    net = checkpoint_of(paper, tmp_path)
    written = []
    monkeypatch.setattr(export, "need_onnx", lambda: None)
    monkeypatch.setattr(export, "write_onnx", lambda net, shape, *rest, **how: written.append((net, shape)))
    monkeypatch.chdir(tmp_path)
    for which in ("last", f"runs/{paper}/quick/0/checkpoints/last.ckpt"):
        assert main(["export", paper, "--ckpt_path", which, "--to", "net.onnx"]) == 0
    assert capsys.readouterr() == ("net.onnx\nnet.onnx\n", "")
    for found, shape in written:
        x = torch.rand(2, *shape)
        with torch.no_grad():
            assert torch.allclose(found(x), net(x), rtol=1e-4, atol=1e-4)  # they lie otherwise in memory


def test_the_file_of_a_checkpoint_computes_what_its_network_computes(tmp_path, monkeypatch):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    net = checkpoint_of("resnet", tmp_path, variant="resnet20", model={"num_classes": 7})
    monkeypatch.chdir(tmp_path)
    assert main(["export", "resnet20", "--ckpt_path", "last", "--to", "net.onnx"]) == 0
    x = torch.rand(3, 3, 32, 32)
    (y,) = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"]).run(None, {"input": x.numpy()})
    with torch.no_grad():
        assert net(x).shape == (3, 7)
        assert torch.allclose(torch.from_numpy(y), net(x), atol=1e-4)


def test_untrained_weights_are_said_to_be_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(export, "need_onnx", lambda: None)
    monkeypatch.setattr(export, "write_onnx", lambda *given, **how: None)
    monkeypatch.chdir(tmp_path)
    assert main(["export", "lenet", "--to", "net.onnx"]) == 0
    said = capsys.readouterr().err
    assert said.startswith("literatim: these weights are untrained, as lenet draws them; name a run, --ckpt_path last")
    assert said.endswith(", or --weights mnist\n")
    assert main(["export", "lenet", "--weights", "mnist", "--to", "net.onnx"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("paper", NETWORKS)
def test_a_network_is_written_as_onnx_only(paper, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for to in ("l.txt", "l.bin", "l", "l.onnx.gz"):
        assert f"--to {to}: a network is written as ONNX: name a file ending in .onnx" in refused(
            capsys, paper, "--to", to
        )
    assert "no run in runs/" in refused(capsys, paper, "--ckpt_path", "last", "--to", "l.onnx")
    assert "exclude each other" in refused(capsys, paper, "--ckpt_path", "last", "--weights", "mnist", "--to", "l.onnx")
    assert not list(tmp_path.iterdir())
