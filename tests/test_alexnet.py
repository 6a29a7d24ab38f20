"""AlexNet: what its claims do not cover. Its update rule beside torch's, its statistics, its crops, its halves."""

import sys
from types import ModuleType

import pytest
import torch
from torch import nn

from literatim.errors import LiteratimError
from literatim.papers.alexnet import checks
from literatim.papers.alexnet.claimed import layers, learning
from literatim.papers.alexnet.model import PerCard, ResponseNormalization, WithinMapNormalization, overhang
from literatim.papers.alexnet.momentum import Momentum
from literatim.papers.alexnet.training import AlexNetTraining
from literatim.parts.colour import PixelStatistics, colour_noise, principal_components
from literatim.parts.crops import random_crops, ten_crops
from test_smoke import OneBatch, trainer


def descend(optimizer, w, rates):
    torch.manual_seed(0)
    for rate in rates:
        for group in optimizer.param_groups:
            group["lr"] = rate
        w.grad = torch.randn(3)
        optimizer.step()
    return w.detach().clone()


@pytest.mark.parametrize(("rates", "same"), [([0.01] * 6, True), ([0.01] * 3 + [0.001] * 3, False)])
def test_the_printed_rule_is_torchs_while_the_rate_stands(rates, same):
    ours, theirs = (nn.Parameter(torch.ones(3)) for _ in range(2))
    found = descend(Momentum([ours]), ours, rates)
    assert (
        torch.allclose(
            found, descend(torch.optim.SGD([theirs], 0.01, momentum=0.9, weight_decay=5e-4), theirs, rates), atol=1e-7
        )
        == same
    )


def test_statistics_in_parts_are_those_of_the_whole():
    images = 255 * torch.rand(7, 3, 6, 6)
    whole, parts = PixelStatistics(6), PixelStatistics(6)
    whole.add(images)
    for part in images.split(3):
        parts.add(part)
    assert torch.allclose(whole.mean, parts.mean)
    assert torch.allclose(whole.covariance, parts.covariance)
    assert torch.allclose(whole.covariance, torch.cov(images.double().transpose(0, 1).flatten(1), correction=0))


def test_noise_of_grey_images_is_grey():
    statistics = PixelStatistics(4)
    statistics.add(torch.rand(9, 1, 4, 4).expand(-1, 3, -1, -1))
    noise = colour_noise(torch.zeros(5, 3, 4, 4), principal_components(statistics.covariance, "deviation"))
    assert noise.any()
    assert torch.allclose(noise, noise[:, :1].expand_as(noise), atol=1e-6)


@pytest.mark.parametrize("crops", [random_crops, ten_crops])
def test_a_crop_must_fit(crops):
    assert crops(torch.zeros(2, 3, 5, 6), 5).shape[-2:] == (5, 5)
    with pytest.raises(LiteratimError, match="5x6 pixels"):
        crops(torch.zeros(2, 3, 5, 6), 6)


def test_the_first_layer_loses_no_pixel():
    for side in range(11, 260):
        assert (side + overhang(side) - 11) % 4 == 0
        assert 0 <= overhang(side) < 4


def test_each_card_by_itself():
    x = torch.randn(2, 8, 3, 3)
    norm = ResponseNormalization()
    assert torch.allclose(PerCard(norm, 2)(x), torch.cat([norm(half) for half in x.chunk(2, dim=1)], dim=1))
    assert not torch.allclose(PerCard(norm, 2)(100 * x), norm(100 * x))


def test_normalisation_within_a_map():
    a = 100 * torch.rand(1, 2, 6, 6)
    corner = a[0, :, :3, :3].square().sum((1, 2)) / 25
    assert torch.allclose(WithinMapNormalization()(a)[0, :, 0, 0], a[0, :, 0, 0] / (1 + 1e-3 * corner) ** 0.75)


def test_the_mean_is_taken_once_and_kept(tmp_path):
    module = AlexNetTraining(options=checks.SMALL, colour="deviation")
    smoke = module.smoke()
    trainer(tmp_path, "cpu").fit(module, datamodule=OneBatch(smoke.batch, 2))
    assert torch.allclose(module.mean, smoke.batch[0].mean(0), atol=1e-3)
    assert module.components.any()
    again = AlexNetTraining(options=checks.SMALL, colour="deviation")
    again.load_state_dict(module.state_dict())
    others = (smoke.batch[0] / 2, smoke.batch[1])
    trainer(tmp_path, "cpu").fit(again, datamodule=OneBatch(others, 1))
    assert torch.equal(again.mean, module.mean)


def test_the_rate_falls_when_the_watched_error_stays(tmp_path):
    module = AlexNetTraining(options=checks.SMALL, colour="none", patience=1, lr=1e-9)
    fitting = trainer(tmp_path, "cpu", epochs=4)
    fitting.fit(module, datamodule=OneBatch(module.smoke().batch, 1))
    assert module.reductions() == 3
    assert fitting.optimizers[0].param_groups[0]["lr"] == pytest.approx(1e-11)


def test_drops_at_given_epochs():
    module = AlexNetTraining(options=checks.SMALL, drops=[0, 3])
    assert module.reductions() == 1
    module.note_error(50.0)
    assert module.reductions() == 1


def test_small_grey_images_are_enlarged():
    module = AlexNetTraining(options=checks.SMALL)
    assert module.images(torch.zeros(2, 1, 20, 20)).shape == (2, 3, 72, 72)
    assert module.images(torch.zeros(2, 3, 72, 72, dtype=torch.uint8)).dtype == torch.float32


def test_a_torchvision_that_had_the_papers_network_would_be_noticed(monkeypatch):
    models = ModuleType("torchvision.models")
    models.alexnet = checks.model.AlexNet
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    assert checks.torchvision_differs() is False


@pytest.mark.parametrize(
    "differs",
    [
        layers.released_alpha_differs,
        layers.released_relu_differs,
        layers.released_normalisations_differ,
        learning.released_deviations_differ,
        checks.released_differs,
    ],
)
def test_a_released_network_as_printed_would_be_noticed(differs):
    assert differs() is True
    with checks.network(released=False)():
        assert differs() is False
