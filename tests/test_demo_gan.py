"""What the pages of GAN and the conditional GAN run: the recorded generators, in half precision and no larger."""

import json

import pytest
import torch
from safetensors.torch import load_file

import literatim
from conftest import forget, sound_record
from literatim.experiment import record
from literatim.pages import paper as page
from literatim.pages.edition import edition
from literatim.papers.cgan.demo import Asked
from literatim.papers.gan.demo import Walk
from literatim.registry import ledger, reading
from literatim.trace.paper import export_demo

DEMOS = {"gan": (Walk, 100), "cgan": (Asked, 2510)}
MOST = 6_000_000  # bytes that a reader is asked to load for a generator


def stand_in(paper):
    """A network with weights that no rounding leaves as they are, and with images that differ."""
    torch.manual_seed(0)
    net = literatim.load(paper)
    with torch.no_grad():
        for value in net.parameters():
            value.mul_(2).add_(0.01 * (torch.rand_like(value) - 0.5))
    return net


def enter(papers, paper, **changes):
    """Enter a run of the recipe mnist in the ledger, as `literatim reproduce` does at its end."""
    net, run = stand_in(paper), papers.parent / "run"
    run.mkdir(exist_ok=True)
    about = sound_record(paper=paper, variant="mnist", tested=True, **changes) | ledger.hashes(paper, "mnist")
    (run / "record.json").write_text(json.dumps(about))
    record.enter(run, net)
    return net


@pytest.mark.parametrize("paper", DEMOS)
def test_weights_ship_in_half_precision_and_load(papers, paper):
    net = enter(papers, paper)
    kept = load_file(papers / paper / "weights" / "mnist.safetensors")
    assert {value.dtype for value in kept.values()} == {torch.float16}
    loaded = literatim.load(paper, weights="mnist").state_dict()
    assert loaded.keys() == net.state_dict().keys()
    for name, value in net.state_dict().items():
        assert loaded[name].dtype == torch.float32
        assert torch.equal(loaded[name], value.half().float()), name
        assert not torch.equal(loaded[name], value), name


@pytest.mark.parametrize("change", [{"seed": 1}, {"overrides": ["model.lr=0.2"]}], ids=str)
def test_no_other_run_ships_weights(papers, change):
    enter(papers, "gan", **change)
    assert not (papers / "gan" / "weights").exists()


@pytest.mark.parametrize("paper", DEMOS)
def test_the_exported_generator_is_small_and_computes_the_same(papers, paper, tmp_path):
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    enter(papers, paper)
    demo, path = reading.card(paper).demo, tmp_path / "generator.onnx"
    export_demo(paper, demo.network, demo.weights, path)
    parameters = sum(p.numel() for p in literatim.load(paper).generator.parameters())
    assert 2 * parameters < path.stat().st_size < min(2.02 * parameters, MOST)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    kind, size = DEMOS[paper]
    module = kind(literatim.load(paper, weights="mnist")).eval()
    for seed in range(3):
        x = torch.rand(1, size, generator=torch.Generator().manual_seed(seed))
        x[:, 110:] = (x[:, 110:] >= 0.5).float()
        with torch.no_grad():
            expected = module(x)
        assert expected.std() > 0.02
        (found,) = session.run(None, {"input": x.numpy()})
        assert torch.allclose(torch.from_numpy(found), expected, rtol=0, atol=1e-5)


def test_the_noise_is_the_papers(papers):
    """What the demos make of numbers between 0 and 1 is what `noise` makes of the same; with nothing dropped."""
    u = torch.rand(4, 100, generator=torch.Generator().manual_seed(5))
    for paper, (kind, _) in DEMOS.items():
        net = literatim.load(paper).eval()
        z, labels, kept = net.noise(4, torch.Generator().manual_seed(5)), torch.eye(10)[:4], torch.ones(4, 2400) / 2
        with torch.no_grad():
            expected = net.generator(z, labels) if paper == "cgan" else net.generator(z)
            found = kind(net)(torch.cat([u, labels, kept], dim=1) if paper == "cgan" else u)
        assert torch.equal(found, expected)


@pytest.mark.parametrize("paper", DEMOS)
def test_a_page_has_the_demo_when_and_only_when_there_are_weights(papers, paper, tmp_path):
    def shown():
        entry = edition(tmp_path / "facts").entries[paper]
        return [page.demo(entry, lang) for lang in ("en", "zh")]

    assert shown() == ["", ""]
    enter(papers, paper)
    forget()
    script = reading.card(paper).demo.script
    for text in shown():
        assert f'data-demo="{script}" data-model="{paper}.onnx"' in text
