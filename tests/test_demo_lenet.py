"""What LeNet's page runs: the maps it shows are the network's own."""

import pytest
import torch

import literatim
from literatim.papers.lenet.demo import FeatureMaps
from literatim.papers.lenet.model import AMPLITUDE, digit_codes, squash

SHAPES = {
    "probabilities": (10,),
    "output": (10,),
    "c1": (6, 28, 28),
    "s2": (6, 14, 14),
    "c3": (16, 10, 10),
    "s4": (16, 5, 5),
    "c5": (120, 1, 1),
    "f6": (84,),
    "code": (12, 7),
}


@pytest.fixture(scope="module")
def net():
    return literatim.load("lenet", weights="mnist")


def images(n):
    torch.manual_seed(0)
    return torch.rand(n, 1, 32, 32) * 1.275 - 0.1


def test_the_outputs_are_what_the_layers_pass_on(net):
    x, passed = images(4), {}
    layers = ("c1", "s2", "c3", "s4", "c5", "f6")
    hooks = [
        getattr(net, name).register_forward_hook(lambda _, given, out, name=name: passed.update({name: squash(out)}))
        for name in layers
    ]
    with torch.no_grad():
        y = net(x)
        for hook in hooks:
            hook.remove()
        found = dict(zip(FeatureMaps.outputs, FeatureMaps(net).eval()(x), strict=True))
    assert {name: tuple(values.shape) for name, values in found.items()} == {k: (4, *v) for k, v in SHAPES.items()}
    for name in layers:
        assert torch.equal(found[name], passed[name]), name
        assert found[name].abs().max() <= AMPLITUDE + 1e-6  # where the page's colours end
    assert torch.equal(found["output"], y)
    assert torch.equal(found["probabilities"], net.probabilities(y))
    assert torch.equal(found["code"].flatten(1), digit_codes()[net.decide(y)])
    distance = (found["f6"] - found["code"].flatten(1)).square().sum(dim=1)
    assert torch.allclose(distance, y.amin(dim=1))  # what the page says of the two pictures


def test_the_exported_file_computes_the_same(net, tmp_path):
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    module, path = FeatureMaps(net).eval(), tmp_path / "lenet.onnx"
    names = list(module.outputs)
    options = {"input_names": ["input"], "output_names": names, "dynamo": True, "external_data": False}
    torch.onnx.export(module, (torch.zeros(1, 1, 32, 32),), path, verbose=False, **options)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [given.name for given in session.get_inputs()] == ["input"]
    assert [found.name for found in session.get_outputs()] == names
    for x in images(5).split(1):
        with torch.no_grad():
            expected = module(x)
        for name, values, found in zip(names, expected, session.run(None, {"input": x.numpy()}), strict=True):
            assert torch.allclose(torch.from_numpy(found), values, rtol=1e-5, atol=1e-5), name
