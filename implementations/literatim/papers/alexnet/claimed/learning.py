"""The settings of Sec. 4 and 5, as the network starts, the images are altered and the recipe trains."""

from __future__ import annotations

import math
from unittest.mock import patch

import torch

from literatim.claims import given
from literatim.datasets import imagenet
from literatim.papers.alexnet import checks, model, training
from literatim.parts import colour


def started(released: bool = False) -> model.AlexNet:
    """A network of some maps, drawn from one seed."""
    with checks.seeded():
        return model.AlexNet(maps=(48, 64, 64, 64, 64), hidden=256, size=63, num_classes=50, released=released)


def deviation(layer: str) -> float:
    """Root mean square of a layer's first weights: its deviation about zero."""
    return round(float(getattr(started(), layer).weight.detach().double().square().mean().sqrt()), 3)


def bias(layer: str) -> float:
    """Where the biases of a layer start; not a number where they start apart."""
    biases = getattr(started(), layer).bias.detach().unique()
    return float(biases[0]) if len(biases) == 1 else math.nan


def released_deviations_differ() -> bool:
    """0.01 in all layers as printed; in the released configuration 0.03 in the third, fourth and fifth convolution."""
    net = started(released=True)
    wider = {name for name in checks.LEARNED if round(float(getattr(net, name).weight.detach().std()), 2) == 0.03}
    return wider == {"conv3", "conv4", "conv5"} and all(deviation(name) == 0.01 for name in checks.LEARNED)


def dropout(row: str) -> float:
    """`training`: the share of outputs set to zero; `test`: what outputs are multiplied by."""
    layer, x = model.Dropout(), torch.ones(300, 1000)
    with checks.seeded():
        out = layer.train(row == "training")(x)
    return round(float((out == 0).float().mean() if row == "training" else out.mean()), 2)


def side(row: str) -> int:
    with torch.device("meta"):
        module = training.AlexNetTraining()
    return {"image": module.image_size, "patch": module.net.size}[row]


def views(row: str) -> int:
    """Patches that a test image is seen in: all of them, or those that are not reflections."""
    x = checks.noise(1, 3, 8, 9)
    found = training.ten_crops(x, 4)[0]
    if row == "all":
        return len({tuple(view.flatten().tolist()) for view in found})
    upright = [x[0, :, i : i + 4, j : j + 4] for i in range(5) for j in range(6)]
    return sum(any(torch.equal(view, window) for window in upright) for view in found)


def noise_deviation() -> float:
    """Standard deviation of the random variables, from the noise along components of one length."""
    with checks.seeded():
        added = colour.colour_noise(torch.zeros(100_000, 3, 1, 1), torch.eye(3))
    return round(float(added.std()), 3)


def noise_is_drawn_anew() -> bool:
    """One draw for all pixels of an image; another image, and the same image used again, get others."""
    images, components = torch.zeros(2, 3, 4, 4), torch.eye(3)
    with checks.seeded():
        first, again = (colour.colour_noise(images, components) for _ in range(2))
    one = all(torch.equal(x, x[:, :, :1, :1].expand_as(x)) for x in (first, again))
    return one and not torch.equal(first[0], first[1]) and not torch.equal(first, again)


def reductions(row: str) -> float:
    """`times`: how often the rate falls while the error stands still; `factor`: by what it is divided each time."""
    module = checks.small_training(patience=1)
    rates: list[float] = []
    for _ in range(12):
        module.note_error(50.0)
        with patch.object(module, "optimizers", module_optimizer(rates)), patch.object(module, "log"):
            module.on_train_epoch_start()
    seen = list(dict.fromkeys(rates))
    return len(seen) - 1 if row == "times" else round(seen[0] / seen[1], 6)


def module_optimizer(rates: list[float]):  # type: ignore[no-untyped-def]
    """Stands for Lightning's `optimizers`: what the module sets as its rate is noted."""

    class Group(dict[str, float]):
        def __setitem__(self, key: str, value: float) -> None:
            rates.append(value)

    class Optimizer:
        param_groups = (Group(),)

    return lambda **options: Optimizer()


def top_5_counts_the_five_most_probable() -> bool:
    """An image counts as wrong where its label is not among the five most probable."""
    module, logged = checks.small_training(), {}
    ranks = torch.tensor([0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05])
    p = ranks.expand(7, 1, 7)  # every image sees one view; label i is the (i + 1)-th most probable
    with (
        patch.object(module, "predictions", lambda raw: p.expand(-1, training.CENTRE + 1, -1)),
        patch.object(module, "log", lambda name, value, **how: logged.update({name: float(value)})),
    ):
        module.evaluate("test", (torch.zeros(7, 3, 63, 63), torch.arange(7)))
    return math.isclose(logged["test_error"], 600 / 7, rel_tol=1e-5) and math.isclose(
        logged["test_top5_error"], 200 / 7, rel_tol=1e-5
    )


def batch_size() -> int:
    return given.setting("alexnet", "imagenet", "data.batch_size")


def passes() -> int:
    return given.setting("alexnet", "imagenet", "trainer.max_epochs")


def images(row: str) -> int:
    """Images of ILSVRC-2012, the contest that our data module holds, which checks their number."""
    return imagenet.IMAGES[row]
