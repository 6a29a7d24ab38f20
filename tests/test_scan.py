"""Recurrent networks as ONNX files: what they compute is what the model computes, for sequences of any length."""

import numpy as np
import pytest
import torch
from torch import nn

import literatim
from literatim.experiment import export
from literatim.experiment.export import write_onnx
from literatim.experiment.scan import recurrent
from literatim.registry import card, find

LENGTHS = ((1, 1), (3, 7), (2, 40))  # sequences, steps


class Counting(nn.Module):
    """Two states of different widths, one of which does not begin at zero."""

    def __init__(self, width=3):
        super().__init__()
        self.hidden, self.output = nn.Linear(width + 4, 4), nn.Linear(4, 2)

    def start(self, n):
        return torch.full((n, 4), 0.5), torch.zeros(n, 1)

    def step(self, x, h, steps):
        h = torch.sigmoid(self.hidden(torch.cat([x, h], 1)))
        return self.output(h) + steps, h, steps + 1

    def forward(self, x):
        states, made = self.start(len(x)), []
        for t in range(x.shape[1]):
            y, *states = self.step(x[:, t], *states)
            made.append(y)
        return torch.stack(made, 1)


class Reading(Counting):
    """A sequence of whole numbers."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(5, 3)

    def step(self, x, h, steps):
        return super().step(self.table(x), h, steps)


def held_against_torch(net, shape, path):
    onnxruntime = pytest.importorskip("onnxruntime")
    write_onnx(net, shape, path, ["output"], batch=True)
    session = onnxruntime.InferenceSession(path)
    for n, steps in LENGTHS:
        x = torch.randn(n, steps, *shape[1:]) if len(shape) > 1 else torch.randint(5, (n, steps))
        with torch.no_grad():
            expected = net(x).numpy()
        assert np.abs(session.run(["output"], {"input": x.numpy()})[0] - expected).max() < 1e-5


@pytest.mark.parametrize(("make", "shape"), [(Counting, (6, 3)), (Reading, (6,))])
def test_a_file_takes_sequences_of_any_length_and_number(make, shape, tmp_path):
    held_against_torch(make().eval(), shape, tmp_path / "net.onnx")


def test_one_exported_right_after_another_is_no_less_open(tmp_path):
    for width in (3, 3, 2):
        held_against_torch(Counting(width).eval(), (6, width), tmp_path / "net.onnx")


def networks():
    """Those that take one array of at most two axes, which may be a sequence."""
    of_all = [(paper, name, variant.input) for paper in find() for name, variant in card(paper).variants.items()]
    return [(paper, name, shape) for paper, name, shape in of_all if isinstance(shape, tuple) and len(shape) < 3]


def test_so_does_every_recurrent_network_of_the_edition(tmp_path):
    for paper, variant, shape in networks():
        if recurrent(net := literatim.load(paper, variant).eval()):
            held_against_torch(net, shape, tmp_path / "net.onnx")


class Two(nn.Module):
    """The first of two networks is recurrent."""

    def __init__(self, first):
        super().__init__()
        self.first, self.second = first, nn.Linear(2, 2)


@pytest.mark.parametrize(("make", "words"), [(Counting, False), (Reading, True)])
def test_the_card_says_whether_the_first_of_several_networks_takes_words(make, words, tmp_path, monkeypatch):
    """One of numbers keeps their width; one of words takes whole numbers."""
    onnx = pytest.importorskip("onnx")
    variant = (
        card("gru").variants["tanh"].model_copy(update={"input": {"first": (6, 3), "second": (2,)}, "words": words})
    )
    changed = card("gru").model_copy(update={"variants": {"tanh": variant}})
    monkeypatch.setattr(export, "card", lambda paper: changed)
    monkeypatch.setattr(export, "load", lambda *args, **options: Two(make()))
    export.export("gru", "tanh", None, tmp_path / "net.onnx")
    asked = onnx.load(tmp_path / "net.onnx").graph.input[0].type.tensor_type
    assert [axis.dim_value or axis.dim_param for axis in asked.shape.dim] == ["batch", "time", *([] if words else [3])]
    assert asked.elem_type == (onnx.TensorProto.INT64 if words else onnx.TensorProto.FLOAT)
