"""Checks of the conditional GAN's claims that need code of their own, and the broken models that test them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.claims import Finding, given
from literatim.papers.cgan import model, training
from literatim.papers.gan import model as gan
from literatim.papers.gan import parzen
from literatim.papers.gan.checks import Minibatches, trainer
from literatim.papers.gan.training import momentum_of_epoch, rate_of_update

SMALL = {"width": 0.04}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small_pair() -> model.CGAN:
    """A small pair with weights of an ordinary size, the same each time; without dropout."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = model.CGAN(**SMALL)
        for weight in net.parameters():
            nn.init.normal_(weight, std=0.3)
        return net.eval()


def labels(number: int) -> Tensor:
    return model.one_hot(torch.arange(number) % 10)


def default(name: str) -> Any:
    return inspect.signature(training.CGANTraining).parameters[name].default


def setting(name: str) -> float:
    """By the name of the training's option; `batch` of the recipe; `dropout` of all layers that have one, or -1."""
    if name == "batch":
        return float(given.setting("cgan", "mnist", "data.batch_size"))
    if name == "dropout":
        found = {layer.p for layer in model.CGAN(**SMALL).modules() if isinstance(layer, nn.Dropout)}
        return found.pop() if len(found) == 1 else -1
    return float(default(name))


# --- The networks ----------------------------------------------------------------------------------


def noise_size() -> int:
    return model.CGAN(**SMALL).noise(1).shape[1]


def one_hot_labels() -> bool:
    found = model.one_hot(torch.tensor([0, 3, 9]))
    return found.shape == (3, 10) and found.nonzero().tolist() == [[0, 0], [1, 3], [2, 9]] and bool(found.max() == 1)


def noise_in_the_unit_cube() -> bool:
    """100 numbers, spread evenly from 0 to 1."""
    z = model.CGAN(**SMALL).noise(4000, seeded())
    tenths = torch.histc(z, 10, min=0, max=1) / z.numel()
    return z.shape[1] == 100 and 0 <= float(z.min()) <= float(z.max()) <= 1 and bool((tenths - 0.1).abs().max() < 0.005)


def generator_as_printed() -> bool:
    """Written out: noise and label through rectified linear units of their own, then joint ones, then sigmoids."""
    net, z, y = small_pair().generator, torch.rand(4, 100, generator=seeded()), labels(4)
    of_z = (z @ net.z.weight.T + net.z.bias).clamp(min=0)
    of_y = (y @ net.y.weight.T + net.y.bias).clamp(min=0)
    joint = (torch.cat([of_z, of_y], 1) @ net.joint.weight.T + net.joint.bias).clamp(min=0)
    by_hand = 1 / (1 + torch.exp(-(joint @ net.output.weight.T + net.output.bias)))
    given = torch.cat([z, y], dim=1)
    return torch.allclose(net(z, y), by_hand, atol=1e-5) and torch.allclose(net(given), by_hand, atol=1e-5)


def pieces() -> tuple[int, ...]:
    """Weighted sums a unit, by the weights over those that one sum of each unit would have."""
    net = model.CGAN().discriminator
    layers = ((net.x, 784, 240), (net.y, 10, 50), (net.joint, 290, 240))
    return tuple(sum(p.numel() for p in layer.parameters()) // (units * (n + 1)) for layer, n, units in layers)


def discriminator_as_printed() -> bool:
    """Written out: image and label through maxout units of their own, then joint ones, then one weighted sum."""
    net, x, y = small_pair().discriminator, torch.rand(4, 784, generator=seeded()), labels(4)

    def maxout(layer: gan.Maxout, given: Tensor) -> Tensor:
        sums = given @ layer.sums.weight.T + layer.sums.bias
        return torch.stack(sums.split(layer.units, dim=1)).max(dim=0).values

    joint = maxout(net.joint, torch.cat([maxout(net.x, x), maxout(net.y, y)], 1))
    by_hand = joint @ net.output.weight.T + net.output.bias
    return all(torch.allclose(found, by_hand, atol=1e-4) for found in (net(x, y), net(torch.cat([x, y], 1))))


def half_is_dropped_in_both() -> bool:
    """Of what the joint and the last layer of each network are given, half is zero and the rest doubled."""
    net = model.CGAN().train()
    for weight in net.parameters():
        nn.init.ones_(weight)
    given: list[Tensor] = []
    for part in (net.generator, net.discriminator):
        for layer in (part.joint, part.output):
            layer.register_forward_pre_hook(lambda _, args: given.append(args[0]))
    net.generator(torch.rand(50, 100), labels(50))
    net.discriminator(torch.rand(50, 784), labels(50))
    return len(given) == 4 and all(abs(float((of == 0).float().mean()) - 0.5) < 0.02 for of in given)


# --- The game --------------------------------------------------------------------------------------


def both_are_conditioned() -> bool:
    """Another label, and both networks answer otherwise."""
    net, z, x = small_pair(), torch.rand(1, 100, generator=seeded()), torch.rand(1, 784, generator=seeded())
    made = net.generator(z.expand(10, -1), labels(10))
    judged = net.discriminator(x.expand(10, -1), labels(10))
    return len(made.unique(dim=0)) == 10 and len(judged.unique()) == 10


def value_as_printed() -> bool:
    """Eq. 2 for a minibatch, written out from D's probabilities, against what the training's losses descend."""
    net, x, y = small_pair(), torch.rand(6, 784, generator=seeded()), labels(6)
    with torch.no_grad():
        samples = net.generator(torch.rand(6, 100, generator=seeded(1)), y)
        real, fake = net.discriminator(x, y), net.discriminator(samples, y)
    rejected = sum(math.log(1 - p) for p in fake.sigmoid()[:, 0].tolist()) / 6
    by_hand = sum(math.log(p) for p in real.sigmoid()[:, 0].tolist()) / 6 + rejected
    found = -float(gan.discriminator_loss(real, fake))
    return math.isclose(found, by_hand, rel_tol=1e-4) and math.isclose(
        float(gan.generator_loss(fake, default("loss"))), rejected, rel_tol=1e-4
    )


def log_d_after_a_step() -> tuple[float, float]:
    """The mean of log D(x) over images before and after a small step of D down its loss."""
    net, x, y = small_pair(), torch.rand(20, 784, generator=seeded()), labels(20)
    before = net.discriminator(x, y)
    # The samples' term is left out: the sentence is on log D(x) alone.
    loss = gan.discriminator_loss(before, torch.full((20, 1), -1e9))
    gradients = torch.autograd.grad(loss, list(net.discriminator.parameters()))
    with torch.no_grad():
        for weight, gradient in zip(net.discriminator.parameters(), gradients, strict=True):
            weight -= 1e-3 * gradient
        after = net.discriminator(x, y)
    return float(F.logsigmoid(before.detach()).mean()), float(F.logsigmoid(after).mean())


def discriminator_minimises() -> Finding:
    """True if D's training lowers log D(x), as the sentence says."""
    before, after = log_d_after_a_step()
    return Finding(
        after < before,
        f"a step of D moves the mean of log D(x) from {before:.4f} to {after:.4f}",
        f"D 更新一步，log D(x) 的均值由 {before:.4f} 变为 {after:.4f}",
    )


def value_is_maximised_upwards() -> bool:
    """Eq. 1's maximum over D: on a grid of values of D(x), with weights a and b, it is where log D(x) is not least."""
    d = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    best = [int((a * d.log() + b * (1 - d).log()).argmax()) for a, b in ((1.0, 1.0), (3.0, 1.0), (1.0, 0.1))]
    return all(i > 0 for i in best) and best[0] < best[1] < best[2]  # the more data there, the higher D


# --- Training and measure --------------------------------------------------------------------------


def rates_as_printed() -> bool:
    given = [default(name) for name in ("lr", "decay", "lowest_rate")]
    rates = [rate_of_update(done, *given) for done in (0, 1, 10_000, 280_000, 300_000)]
    expected = (0.1, 0.1 / 1.00004, 0.1 / 1.00004**10_000, 0.1 / 1.00004**280_000, 1e-6)
    return all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(rates, expected, strict=True))


def momenta_as_printed() -> bool:
    """From 0.5 up to 0.7 and no further."""
    given = [default(name) for name in ("momentum", "final_momentum", "saturates")]
    found = [momentum_of_epoch(done, *given) for done in range(400)]
    return found[0] == 0.5 and math.isclose(found[-1], 0.7) and found == sorted(found)


def samples_of_each_class() -> int:
    """How many there are of each class, or -1 where the classes differ in it."""
    module = training.CGANTraining(options=SMALL)
    counts = set(module.labels_of_samples(module.samples).bincount(minlength=10).tolist())
    return counts.pop() if len(counts) == 1 else -1


def stops_at_best_likelihood() -> bool:
    return training.CGANTraining.stops_at_best and training.CGANTraining.best == ("val_likelihood", "max")


def window_as_in_gan() -> bool:
    """The logged likelihood against GAN's window written out: Gaussians on samples of all classes, of one width."""
    with trainer() as testing:
        module = training.CGANTraining(options=SMALL, samples=20)
        for weight in module.net.parameters():
            nn.init.normal_(weight, std=0.3)
        found = testing.test(module, datamodule=Minibatches(1), verbose=False)[0]
    images, sigma = Minibatches(1).sets["train"][0].flatten(1).double(), found["test_sigma"]
    samples = module.generate(torch.arange(20) % 10, seed=0).double()
    exponents = -(images[:, None] - samples).square().sum(2) / (2 * sigma**2)
    by_hand = exponents.logsumexp(1) - math.log(20) - 784 * math.log(sigma * math.sqrt(2 * math.pi))
    return math.isclose(found["test_likelihood"], float(by_hand.mean()), rel_tol=1e-4)


# --- Fig. 2 ----------------------------------------------------------------------------------------


def figure() -> tuple[Tensor, Tensor]:
    """(labels that the generator was given, (10, 10); images, (10, 10, 784)), by rows and columns of the picture."""
    module = training.CGANTraining(options=SMALL)
    for weight in module.net.parameters():
        nn.init.normal_(weight, std=0.3)
    given: list[Tensor] = []
    module.net.generator.register_forward_pre_hook(lambda _, args: given.append(args[1]))
    with torch.no_grad():
        pictures = dict(module.pictures())["samples"]
    return given[0].argmax(1).view(10, 10).T, pictures.flatten(2)


def rows_have_one_label() -> bool:
    """Row k of the picture was asked for digit k, and nothing else."""
    labels, images = figure()
    return torch.equal(labels, torch.arange(10)[:, None].expand(10, 10)) and images.shape == (10, 10, 784)


def columns_differ() -> bool:
    """No image of a row is another one again, or nearly."""
    images = figure()[1]
    return all(float(torch.pdist(row).min()) > 0.5 for row in images)


# --- What tutorials call a conditional GAN ---------------------------------------------------------


def popular_differs() -> bool:
    """Ours: a layer for noise and one for the label, 2,413,984 parameters; maxout and 1,224,351 in D; no embedding."""
    net = model.CGAN()
    counts = [sum(p.numel() for p in part.parameters()) for part in (net.generator, net.discriminator)]
    popular = any(isinstance(layer, nn.Embedding | nn.BatchNorm1d) for layer in net.modules())
    return counts == [2_413_984, 1_224_351] and not popular


# --- Broken models: each must cost at least one claim its verdict ----------------------------------


class OtherGenerator(model.Generator):
    def __init__(self, z: int = 200, y: int = 1000, joint: int = 1200) -> None:
        super().__init__(z + 1, y + 1, joint + 1)


class OtherDiscriminator(model.Discriminator):
    def __init__(self, x: int = 240, y: int = 50, joint: int = 240) -> None:
        super().__init__(x + 1, y + 1, joint + 1)


class TwoOutputs(model.Discriminator):
    def __init__(self, x: int = 240, y: int = 50, joint: int = 240) -> None:
        super().__init__(x, y, joint)
        self.output = nn.Linear(joint, 2)


class SixPieces(model.Discriminator):
    def __init__(self, x: int = 240, y: int = 50, joint: int = 240) -> None:
        super().__init__(x, y, joint)
        self.joint = gan.Maxout(x + y, joint, pieces=5)


class LinearLabels(model.Generator):
    def forward(self, z: Tensor, y: Tensor | None = None, kept: Tensor | None = None) -> Tensor:
        if y is None:
            z, y = z.split([100, 10], dim=1)
        both = torch.cat([F.relu(self.z(z)), self.y(y)], dim=1)
        return torch.sigmoid(self.output(F.relu(self.joint(both))))


class Hasty(training.CGANTraining):
    def __init__(
        self,
        options: dict[str, Any] = {},  # noqa: B006
        loss: gan.Loss = "non-saturating",
        lr: float = 0.2,
        decay: float = 1.000004,
        lowest_rate: float = 0.0,
        momentum: float = 0.4,
        final_momentum: float = 0.9,
        samples: int = 1000,
    ) -> None:
        super().__init__(
            options=options, loss=loss, lr=lr, decay=decay, lowest_rate=lowest_rate, momentum=momentum,
            final_momentum=final_momentum, samples=samples,
        )  # fmt: skip


def _repeated(self: Any, labels: Tensor, seed: int, exact: Any = training.CGANTraining.generate) -> Tensor:
    return exact(self, labels, seed)[labels]


BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "every layer of G one unit wider": lambda: patch.object(model, "Generator", OtherGenerator),
    "every layer of D one unit wider": lambda: patch.object(model, "Discriminator", OtherDiscriminator),
    "two outputs of D": lambda: patch.object(model, "Discriminator", TwoOutputs),
    "images of 27x27": lambda: patch.object(model, "PIXELS", 27 * 27),
    "five pieces in the joint layer": lambda: patch.object(model, "Discriminator", SixPieces),
    "labels as two-hot vectors": lambda: patch.object(
        model, "one_hot", lambda found: F.one_hot(found, 10).float() + F.one_hot((found + 1) % 10, 10)
    ),
    "noise between -1 and 1": lambda: patch.object(
        model.CGAN, "noise", lambda self, number, random=None: 2 * torch.rand(number, 100, generator=random) - 1
    ),
    "linear units for the label": lambda: patch.object(model, "Generator", LinearLabels),
    "means of the pieces": lambda: patch.object(
        gan.Maxout, "forward", lambda self, x: self.sums(x).view(-1, self.pieces, self.units).mean(1)
    ),
    "less dropout": lambda: patch.object(model, "DROPOUT", 0.2),
    "labels ignored": lambda: patch.object(model, "one_hot", lambda found: torch.ones(len(found), 10)),
    "D's loss turned": lambda: patch.object(
        gan, "discriminator_loss", lambda real, fake: F.softplus(real).mean() + F.softplus(-fake).mean()
    ),
    "noise of 99 numbers": lambda: patch.object(
        model.CGAN, "noise", lambda self, number, random=None: torch.rand(number, 99, generator=random)
    ),
    "one sample of each label, again and again": lambda: patch.object(training.CGANTraining, "generate", _repeated),
    "labels in blocks": lambda: patch.object(
        training.CGANTraining, "labels_of_samples", lambda self, number: torch.arange(number) * 10 // number
    ),
    "a window that is not normalised": lambda: patch.object(
        parzen, "log_likelihood", lambda x, s, sigmas, exact=parzen.log_likelihood: exact(x, s, sigmas) + 1.0
    ),
    "another recipe": lambda: patch.object(given, "setting", lambda paper, recipe, name: 64),
    "GAN's decay and loss, more momentum, fewer samples": lambda: patch.object(training, "CGANTraining", Hasty),
    "the last weights are tested": lambda: patch.object(training.CGANTraining, "stops_at_best", False),
}
BREAK_TRAINING = ()
