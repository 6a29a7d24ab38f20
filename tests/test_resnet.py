"""What only the residual networks have."""

import re

import pytest
import torch
import yaml

import literatim
from conftest import CHECKOUT
from literatim.claims.verdicts import build
from literatim.errors import LiteratimError
from literatim.papers.resnet.training import ResNetTraining, WarmUp
from literatim.parts.crops import ten_crops
from trainings import SaveAfter, sixty_digits, trainer


def parameters_by_hand(n: int) -> int:
    """Of 6n + 2 layers with option A: weights of 3x3 kernels, a scale and a shift a map, and the output layer."""
    total, maps = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        for _ in range(2 * n):
            total, maps = total + 9 * maps * width + 2 * width, width
    return total + 64 * 10 + 10


@pytest.mark.parametrize(
    ("n", "exact"), [(3, 269_722), (5, 464_154), (7, 658_586), (9, 853_018), (18, 1_727_962), (200, 19_421_274)]
)
def test_exact_numbers_of_parameters(n, exact):
    net = build("resnet", f"resnet{6 * n + 2}")
    assert sum(p.numel() for p in net.parameters()) == parameters_by_hand(n) == exact


def test_names_and_options():
    assert literatim.load("1512.03385", "resnet20", shortcut="b", num_classes=4).fc.out_features == 4
    with pytest.raises(LiteratimError, match="what it is by its shortcut"):
        literatim.load("resnet", "plain20", shortcut="a")
    with pytest.raises(LiteratimError, match="it is one of printed, a, b, c, none"):
        literatim.load("resnet", "resnet20", shortcut="d")
    with pytest.raises(LiteratimError, match='has no option "stride"'):
        literatim.load("resnet", "resnet20", stride="3x3")


def test_the_recipe_is_the_papers():
    recipe = yaml.safe_load((CHECKOUT / "papers/resnet/recipes/cifar10.yaml").read_text())
    assert recipe["trainer"] == {"max_steps": 64_000}
    assert recipe["model"] == {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-4, "drops": [32_000, 48_000]}
    assert recipe["data"] == {"batch_size": 128, "augment": True, "watch": ["test"]}
    declared = literatim.card("resnet").recipes["cifar10"].deviations
    assert [deviation.options for deviation in declared] == [("trainer.devices",)]


def test_the_warm_up_waits_for_a_hundred_mini_batches():
    warm_up = WarmUp(over=False)
    for _ in range(99):
        warm_up.saw(0.0)
    assert not warm_up.over
    warm_up.saw(0.0)
    assert warm_up.over
    warm_up.saw(100.0)
    assert warm_up.over


@pytest.fixture
def few():
    """Sixty digits in mini-batches of ten."""
    return sixty_digits(batch_size=10, background=0.0, ink=1.0)


def test_a_run_stopped_in_the_middle_of_an_epoch_goes_on_bit_for_bit(few, tmp_path):
    def module():
        torch.manual_seed(0)
        return ResNetTraining(warm_up="yes", drops=[7])

    whole = module()
    trainer(tmp_path, max_steps=9).fit(whole, datamodule=few)

    trainer(tmp_path, max_steps=9, callbacks=[SaveAfter(4, tmp_path / "half.ckpt")]).fit(module(), datamodule=few)
    second, again = ResNetTraining(warm_up="yes", drops=[7]), trainer(tmp_path, max_steps=9)
    again.fit(second, datamodule=few, ckpt_path=tmp_path / "half.ckpt", weights_only=True)
    assert again.global_step == 9
    assert second.warm_up.errors == whole.warm_up.errors
    for (name, one), other in zip(whole.net.state_dict().items(), second.net.state_dict().values(), strict=True):
        assert torch.equal(one, other), name


def test_the_rates_of_a_run_are_those_of_its_iterations(few, tmp_path):
    seen = []

    class Listening(ResNetTraining):
        def on_before_optimizer_step(self, optimizer):
            seen.append(round(optimizer.param_groups[0]["lr"], 9))

    trainer(tmp_path, max_steps=6).fit(Listening(drops=[2, 4]), datamodule=few)
    assert seen == [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]


@pytest.mark.parametrize("views", ["ten-crop", "multi-scale"])
def test_testing_with_more_views_logs_the_same_metrics(views, tmp_path):
    torch.manual_seed(0)
    module = ResNetTraining("resnet18", options={"num_classes": 100}, views=views)
    images, targets = torch.randn(1, 3, 224, 230), torch.tensor([3])
    loader = torch.utils.data.DataLoader([(images, targets)], batch_size=None)
    found = trainer(tmp_path).test(module, loader, verbose=False)[0]
    assert set(found) == {"test_error", "test_top5_error", "test_response"}
    assert found["test_error"] in (0.0, 100.0)
    assert found["test_response"] > 0


def test_ten_crops_of_an_image_that_is_too_small():
    assert ten_crops(torch.zeros(1, 3, 5, 5), 5).shape == (1, 10, 3, 5, 5)
    with pytest.raises(LiteratimError, match=re.escape("4x5 pixels is too small for crops of 5x5")):
        ten_crops(torch.zeros(1, 3, 4, 5), 5)
