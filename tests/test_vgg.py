"""What only VGG has: starting from net A, scales, and the bounds behind its erratum."""

import pytest
import torch

import literatim
from literatim.errors import LiteratimError
from literatim.papers.vgg import evaluation, model
from literatim.papers.vgg.checks import mean_squares, variance_must_be_deviation
from literatim.papers.vgg.training import VGGTraining

SMALL = {"init": "glorot", "width": 8, "hidden": 16, "size": 32, "num_classes": 5}


def checkpoint(tmp_path, variant: str):
    """What `fit` would leave of a training module."""
    torch.manual_seed(1)
    module = VGGTraining(variant, SMALL)
    path = tmp_path / f"{variant}.ckpt"
    torch.save({"state_dict": module.state_dict(), "hyper_parameters": dict(module.hparams)}, path)
    return path, module.net


def test_a_deep_net_starts_from_a_checkpoint_of_net_a(tmp_path):
    path, a = checkpoint(tmp_path, "a")
    e = VGGTraining("e", SMALL, start=str(path)).net
    same = [name for name, p in e.named_parameters() if name.endswith("weight") and name in dict(a.named_parameters())]
    taken = [n for n in same if torch.equal(e.get_parameter(n), a.get_parameter(n))]
    assert taken == [f"{name}.weight" for name in model.FROM_NET_A]


def test_a_net_of_a_larger_scale_starts_from_all_layers_of_its_own(tmp_path):
    path, d = checkpoint(tmp_path, "d")
    again = VGGTraining("d", SMALL, start=str(path)).net
    assert all(torch.equal(p, q) for p, q in zip(d.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize(("start", "variant", "word"), [
    ("d", "e", "starts from net a or from itself, not from d"),
    ("a", "b-shallow", "conv1_1 is"),
    ("none", "e", "not a checkpoint to start from"),
])  # fmt: skip
def test_other_starts_are_refused(tmp_path, start, variant, word):
    path = tmp_path / "none.ckpt" if start == "none" else checkpoint(tmp_path, start)[0]
    with pytest.raises(LiteratimError, match=word):
        VGGTraining(variant, SMALL, start=str(path))


def test_an_image_must_be_halved_five_times():
    with pytest.raises(LiteratimError, match="a multiple of 32, not 225"):
        literatim.load("vgg", "a", size=225)


@pytest.mark.parametrize(("q", "side"), [(224, 1), (256, 2), (384, 6), (512, 10)])
def test_the_score_map_at_the_printed_scales(q, side):
    with torch.device("meta"):
        net = model.VGG("D").eval()
        assert net.score_map(torch.empty(1, 3, q, q)).shape == (1, 1000, side, side)


def test_a_multi_crop_of_one_exact_square_is_the_image_itself_fifty_times():
    torch.manual_seed(0)
    net = model.VGG("A", **SMALL).eval()
    image = torch.randn(3, 32, 32)
    with torch.no_grad():
        crops = evaluation.multi_crop_evaluation(net, image, (32,))
        assert torch.allclose(crops, evaluation.dense_evaluation(net, image, (32,)), atol=1e-6)


def test_mean_squares_are_bounds():
    """Over many draws of a narrow A, for an image of mean square one at every pixel."""
    torch.manual_seed(0)
    image, squares = torch.ones(1, 3, 64, 64), []
    for _ in range(60):
        net = model.VGG("A", width=16, hidden=64, size=64, num_classes=50).eval()
        with torch.no_grad():
            squares.append(net(image).square().mean())
    low, high = mean_squares(0.1, width=16, hidden=64, size=64)
    assert low < torch.stack(squares).mean() < high
    assert high < 4**5 * low


def test_grey_and_rgb_images_are_taken_alike():
    torch.manual_seed(0)
    module = VGGTraining("a", SMALL, mean=[1.0, 2.0, 3.0]).eval()
    grey = torch.rand(2, 1, 32, 32)
    assert torch.equal(module.images(grey), module.images(grey.repeat(1, 3, 1, 1)))
    assert torch.allclose(module.images(grey)[:, 1], grey[:, 0] - 2)


def test_the_proof_of_the_erratum_reckons_without_the_network(monkeypatch):
    monkeypatch.setattr(model, "VGG", None)
    found = variance_must_be_deviation()
    assert found.value is True
    assert "logits of at least 5.9e+05" in found.detail
