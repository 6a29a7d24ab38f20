"""After how many epochs without a lower error the rate falls, where a paper says only that it does."""

import re
from types import SimpleNamespace

import pytest

import literatim
from literatim.papers.alexnet.checks import SMALL
from literatim.papers.alexnet.training import AlexNetTraining
from literatim.papers.resnet.training import ResNetTraining
from literatim.papers.vgg.training import VGGTraining

TINY = {"width": 8, "hidden": 16, "size": 32, "num_classes": 5}
MODULES = {
    "alexnet": lambda **how: AlexNetTraining(options=SMALL, **how),
    "vgg": lambda **how: VGGTraining("a", TINY, **how),
    "resnet": lambda **how: ResNetTraining(schedule="plateau", **how),
}


def rates(module, errors: list[float]) -> list[float]:
    """The learning rate after each epoch, by the module's own rule."""
    if isinstance(module, AlexNetTraining):
        found = []
        for error in errors:
            module.note_error(error)
            found.append(module.lr / 10 ** module.reductions())
        return found
    module._trainer = SimpleNamespace(datamodule=SimpleNamespace(watch=["val"]))
    configured, found = module.configure_optimizers(), []
    for error in errors:
        configured["lr_scheduler"]["scheduler"].step(error)
        found.append(configured["optimizer"].param_groups[0]["lr"])
    return found


def of_the_card(paper: str) -> int:
    """The number of epochs that the card says was chosen for what the paper leaves open."""
    (item,) = [item for item in literatim.card(paper).open if re.search("improv|reached a plateau", item.lacks.en)]
    return int(re.search(r"\d+", str(item.chosen))[0])


@pytest.mark.parametrize("paper", MODULES)
def test_the_rate_falls_after_as_many_epochs_as_the_card_says(paper):
    module, epochs = MODULES[paper](), of_the_card(paper)
    found = rates(module, [50.0, *[50.0] * epochs])
    assert found[:-1] == [module.lr] * epochs
    assert found[-1] == pytest.approx(module.lr / 10)


@pytest.mark.parametrize("paper", MODULES)
def test_the_least_improvement_begins_the_count_anew(paper):
    module = MODULES[paper](patience=3)
    found = rates(module, [50.0, 50.0, 51.0, 49.9999, 50.0, 50.0, 50.0, 49.9999, 49.9999])
    assert found[:6] == [module.lr] * 6
    assert found[6:] == pytest.approx([module.lr / 10] * 3)
