"""What only GoogLeNet has: its two sizes, its options, its crops on odd images, and the averaged copy."""

import pytest
import torch
from torch import nn

import literatim
from literatim.errors import LiteratimError
from literatim.papers.googlenet import crops
from literatim.papers.googlenet.model import supervised_loss
from literatim.parts.averaging import Averaged


def count(**options) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in literatim.load("googlenet", **options).parameters())


def test_parameters_with_and_without_the_auxiliary_classifiers():
    assert count() == 13_378_280
    assert count(heads=False) == 6_998_552
    # 64 x 147 weights of the first convolution for 24 x 49 and 64 x 24.
    assert count(heads=False, stem="separable") == 6_998_552 - 9408 + 2712


@pytest.mark.parametrize("divide", [0, 3, 16])
def test_a_divisor_that_leaves_a_rest_is_refused(divide):
    with pytest.raises(LiteratimError, match=rf"divide is {divide}; it must be 1, 2, 4 or 8"):
        literatim.load("googlenet", divide=divide)


def test_the_whole_network_answers():
    torch.manual_seed(0)
    net = literatim.load("googlenet", num_classes=7)
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        outputs = net.train()(x)
        assert [y.shape for y in outputs] == [(1, 7)] * 3
        torch.testing.assert_close(net.eval().probabilities(x).sum(), torch.tensor(1.0))


def test_the_auxiliary_losses_reach_what_is_below_them_and_no_more():
    torch.manual_seed(0)
    net = literatim.load("googlenet", "googlenet-miniature", num_classes=10, init="he").train()
    _, of_4a, of_4d = net(torch.randn(2, 3, 28, 28))
    target = torch.tensor([0, 1])
    for y, reached, beyond in (
        (of_4a, net.inception_4a, net.inception_4b),
        (of_4d, net.inception_4d, net.inception_4e),
    ):
        net.zero_grad()
        supervised_loss(y, target).backward(retain_graph=True)
        assert any(p.grad.any() for p in reached.parameters())
        assert all(p.grad is None or not p.grad.any() for p in beyond.parameters())


@pytest.mark.parametrize(("height", "width"), [(256, 256), (100, 1000), (333, 250), (1, 1)])
def test_crops_of_odd_images(height, width):
    image = torch.rand(1, height, width)
    for side in crops.SCALES:
        made = crops.squares(image, side)
        assert [square.shape for square in made] == [(1, side, side)] * 3
        assert all(crop.shape == (1, 224, 224) for square in made for crop in crops.six(square, 224))


@pytest.mark.parametrize(("height", "width"), [(300, 400), (10, 90), (1, 1)])
def test_training_patches_of_odd_images(height, width):
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        top, left, tall, wide = crops.patch_of(height, width, generator)
        assert 0 <= top <= height - tall
        assert 0 <= left <= width - wide
        assert min(tall, wide) > 0
    ways = [crops.training_patch(torch.rand(3, height, width), generator, size=32).shape for _ in range(20)]
    assert ways == [(3, 32, 32)] * 20


# --- The averaged copy ---------------------------------------------------------------------------------


def stepped(net: nn.Module, value: float) -> nn.Module:
    with torch.no_grad():
        net.weight.fill_(value)
    return net


@pytest.mark.parametrize(("decay", "expected"), [(None, (3 + 5 + 10) / 3), (0.9, 0.81 * 3 + 0.09 * 5 + 0.1 * 10)])
def test_the_average_of_three_steps(decay, expected):
    net = stepped(nn.Linear(1, 1, bias=False), 100.0)
    average = Averaged(net, decay)
    assert average(torch.ones(1, 1)).item() == 100  # until the first update, what it was made of
    for value in (3.0, 5.0, 10.0):
        average.update(stepped(net, value))
    assert average(torch.ones(1, 1)).item() == pytest.approx(expected)
    assert not any(p.requires_grad for p in average.parameters())
    assert net.weight.requires_grad
    assert net.weight.item() == 10


def test_the_average_goes_on_from_a_checkpoint():
    net = stepped(nn.Linear(1, 1, bias=False), 2.0)
    first, again = Averaged(net), Averaged(nn.Linear(1, 1, bias=False))
    first.update(net)
    again.load_state_dict(first.state_dict())
    for average in (first, again):
        average.update(stepped(net, 4.0))
    assert first.net.weight.item() == again.net.weight.item() == 3


def test_buffers_are_those_of_the_last_update():
    net = nn.BatchNorm1d(2)
    average = Averaged(net)
    net.train()(torch.tensor([[4.0, 8.0], [8.0, 16.0]]))
    average.update(net)
    torch.testing.assert_close(average.net.running_mean, torch.tensor([0.6, 1.2]))
    assert average.net.num_batches_tracked == 1
