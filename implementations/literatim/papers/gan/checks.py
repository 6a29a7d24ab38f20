"""Checks of the GAN's claims that need code of their own, and the broken models that show that the claims bite."""

from __future__ import annotations

import inspect
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import torch
from pytorch_lightning import LightningDataModule, Trainer
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from literatim.claims import Finding, given
from literatim.datasets.images import field
from literatim.papers.gan import model, parzen, sampling, training

SMALL = {"hidden": 12, "units": 6}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small_pair(seed: int = 0) -> model.GAN:
    """A small pair with weights of an ordinary size, the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = model.GAN(**SMALL)
        for weight in net.parameters():
            nn.init.normal_(weight, std=0.3)
        return net


def default(name: str) -> Any:
    return inspect.signature(training.GANTraining).parameters[name].default


# --- The networks ----------------------------------------------------------------------------------


def noise_size() -> int:
    return model.GAN(**SMALL).noise(1).shape[1]


def noise_is_uniform() -> bool:
    """Its ends, its mean and its variance, which is one; and as many in the outer tenths as in the inner ones."""
    z = model.GAN(**SMALL).noise(4000, seeded())
    ends = 1.73 < float(z.max()) <= math.sqrt(3) and -math.sqrt(3) <= float(z.min()) < -1.73
    tenths = torch.histc(z, 10) / z.numel()
    even = bool((tenths - 0.1).abs().max() < 0.005)
    return ends and even and abs(float(z.mean())) < 0.01 and abs(float(z.var()) - 1) < 0.01


def pieces() -> int:
    """Weighted sums a unit: the weights of the two layers over those that one sum of each unit would have."""
    discriminator = model.GAN().discriminator
    counts = {
        sum(p.numel() for p in layer.parameters()) / (units * (inputs + 1))
        for layer, inputs, units in ((discriminator.h0, 784, 240), (discriminator.h1, 240, 240))
    }
    return int(counts.pop()) if len(counts) == 1 else -1


def units_are_maxout() -> bool:
    """Both hidden layers of D, written out: each unit is the largest of its sums; then one weighted sum."""
    net, x = small_pair().discriminator.eval(), torch.rand(5, 784, generator=seeded())
    h = x
    for layer in (net.h0, net.h1):
        weight, bias = layer.sums.weight.view(5, 6, -1), layer.sums.bias.view(5, 6)
        sums = torch.stack([torch.stack([h @ weight[j, i] + bias[j, i] for j in range(5)]) for i in range(6)])
        h = sums.max(dim=1).values.T
    return torch.allclose(net(x), h @ net.y.weight.T + net.y.bias, atol=1e-4)


def units_are_rectified_and_sigmoid() -> bool:
    net, z = small_pair().generator, torch.randn(5, model.NOISE, generator=seeded())
    h0 = (z @ net.h0.weight.T + net.h0.bias).clamp(min=0)
    h1 = (h0 @ net.h1.weight.T + net.h1.bias).clamp(min=0)
    return torch.allclose(net(z), 1 / (1 + torch.exp(-(h1 @ net.y.weight.T + net.y.bias))), atol=1e-5)


def only_the_discriminator_drops() -> bool:
    """While training, D gives another answer each time and G the same, so that its only noise is z."""
    net, z, x = small_pair().train(), torch.randn(3, model.NOISE), torch.rand(3, 784)
    return torch.equal(net.generator(z), net.generator(z)) and not torch.equal(
        net.discriminator(x), net.discriminator(x)
    )


def dropped_shares() -> bool:
    """What the layers of D are given of ones: 1.25 in four of five places before h0, 2 in every other later."""
    net, given = model.GAN(units=200).discriminator.train(), {}
    for name in ("h0", "h1", "y"):
        getattr(net, name).register_forward_pre_hook(lambda _, args, name=name: given.update({name: args[0]}))
    for layer in (net.h0, net.h1):
        nn.init.zeros_(layer.sums.weight)
        nn.init.ones_(layer.sums.bias)
    net(torch.ones(100, 784))
    expected = {"h0": (0.8, 1.25), "h1": (0.5, 2.0), "y": (0.5, 2.0)}
    return all(
        abs(float((given[name] > 0).float().mean()) - kept) < 0.02
        and set(given[name].unique().tolist()) == {0.0, scale}
        for name, (kept, scale) in expected.items()
    )


def start() -> bool:
    """Weights within their bounds, with some near them; biases zero."""
    net = model.GAN()
    for part, bound in ((net.generator, 0.05), (net.discriminator, 0.005)):
        for layer in (module for module in part.modules() if isinstance(module, nn.Linear)):
            largest = float(layer.weight.detach().abs().max())
            if not 0.95 * bound < largest <= bound * (1 + 1e-6) or layer.bias.any():
                return False
    return True


def first_biases() -> bool:
    """With weights of zero the generator gives the mean of every pixel, and close to 0 and 1 where it is just that."""
    images = torch.rand(50, 1, 28, 28, generator=seeded())
    images[:, :, 0], images[:, :, 1] = 0, 1
    net = model.GAN(**SMALL).generator
    training.start_at_marginals(net.y, images)
    nn.init.zeros_(net.y.weight)
    return torch.allclose(net(torch.zeros(1, model.NOISE))[0], images.mean(0).flatten(), atol=1e-6)


# --- Losses, updates, schedules --------------------------------------------------------------------

REAL, FAKE = torch.tensor([[2.0], [-0.5], [0.1]]), torch.tensor([[-3.0], [0.7], [1.5]])


def chance(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def value_as_printed() -> bool:
    by_hand = sum(math.log(chance(s)) for s in REAL[:, 0].tolist()) / 3
    by_hand += sum(math.log(1 - chance(s)) for s in FAKE[:, 0].tolist()) / 3
    of_generator = sum(math.log(1 - chance(s)) for s in FAKE[:, 0].tolist()) / 3
    same = math.isclose(-float(model.discriminator_loss(REAL, FAKE)), by_hand, rel_tol=1e-5)
    return same and math.isclose(float(model.generator_loss(FAKE, "minimax")), of_generator, rel_tol=1e-5)


def other_loss_as_printed() -> bool:
    by_hand = -sum(math.log(chance(s)) for s in FAKE[:, 0].tolist()) / 3
    return math.isclose(float(model.generator_loss(FAKE, "non-saturating")), by_hand, rel_tol=1e-5)


def gradient_ratio() -> Finding:
    """True if, against a D that gives samples a probability of one in a thousand, log D moves G far more strongly."""
    net, z = small_pair(), torch.randn(20, model.NOISE, generator=seeded())
    net.discriminator.eval()
    with torch.no_grad():
        net.discriminator.y.bias -= net.discriminator(net.generator(z)).mean() - math.log(0.001 / 0.999)

    def strength(loss: model.Loss) -> float:
        found = model.generator_loss(net.discriminator(net.generator(z)), loss)
        return math.hypot(*(float(g.norm()) for g in torch.autograd.grad(found, list(net.generator.parameters()))))

    ratio = strength("non-saturating") / strength("minimax")
    return Finding(
        ratio > 100,
        f"where D(G(z)) is about 0.001, the gradient of log D is {ratio:.0f} times as large",
        f"当 D(G(z)) 约为 0.001 时，log D 的梯度是其 {ratio:.0f} 倍",
    )


class Minibatches(LightningDataModule):
    """Six images of noise, as often as asked."""

    seed, watch = 0, ["test"]

    def __init__(self, number: int) -> None:
        super().__init__()
        images = torch.rand(6, 1, 28, 28, generator=seeded())
        self.number, self.sets = number, {"train": (images, torch.arange(6))}

    def train_dataloader(self) -> Any:
        return DataLoader([self.sets["train"]] * self.number, batch_size=None)  # type: ignore[arg-type]

    def test_dataloader(self) -> Any:
        return DataLoader([self.sets["train"], self.sets["train"]], batch_size=None)  # type: ignore[arg-type]


@contextmanager
def trainer() -> Iterator[Trainer]:
    """One epoch in a folder of its own; what Lightning has to say of so small a run is left unsaid."""
    log = logging.getLogger("pytorch_lightning")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with TemporaryDirectory() as folder, warnings.catch_warnings(), torch.random.fork_rng():
            warnings.simplefilter("ignore")
            torch.manual_seed(0)
            yield quiet_trainer(folder)
    finally:
        log.setLevel(level)


def quiet_trainer(folder: str) -> Trainer:
    return Trainer(
        default_root_dir=folder, accelerator="cpu", max_epochs=1, logger=False, enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False, limit_val_batches=0,
    )  # fmt: skip


def updates(minibatches: int, **options: Any) -> tuple[list[str], list[Tensor]]:
    """Which network moved in each update of a small run, and the noise that was drawn."""
    moved: list[str] = []
    drawn: list[Tensor] = []

    class Noted(training.GANTraining):
        def noise(self, number: int, use: int) -> Tensor:
            drawn.append(super().noise(number, use))
            return drawn[-1]

        def step(self, which: int, gradients: tuple[Tensor, ...]) -> None:
            parts = {"D": self.net.discriminator, "G": self.net.generator}
            before = {name: [p.detach().clone() for p in part.parameters()] for name, part in parts.items()}
            super().step(which, gradients)
            for name, part in parts.items():
                if any((p != q).any() for p, q in zip(part.parameters(), before[name], strict=True)):
                    moved.append(name)

    with trainer() as fitting:
        fitting.fit(Noted(options=SMALL, **options), datamodule=Minibatches(minibatches))
    return moved, drawn


def algorithm_1() -> bool:
    """With k of 1 and of 2: whose turn it is, and that noise is never drawn twice."""
    for k, turns in ((1, "DGDGDGDG"), (2, "DDGDDG")):
        moved, drawn = updates(4, k=k)
        fresh = len({tuple(z[0].tolist()) for z in drawn}) == len(drawn) == len(turns)
        if "".join(moved) != turns or not fresh:
            return False
    return True


def released_update() -> bool:
    """Both networks move once a minibatch, along gradients taken before either moved and from one draw of noise.

    Against the two gradients written out, D's of half the sum; without dropout, so that both see the same network.
    """
    with patch.object(model, "KEPT", (1, 1, 1)), trainer() as fitting:
        module = training.GANTraining(options=SMALL, update="released", loss="non-saturating", k=1, lr=0.1, momentum=0)
        for part in module.net.children():
            for weight in part.parameters():
                nn.init.normal_(weight, std=0.3)
        data = Minibatches(1)
        seen: dict[str, Tensor] = {}
        images = data.sets["train"][0]
        training.start_at_marginals(module.net.generator.y, images)

        def note(_: Any, args: tuple[Tensor, ...], out: Tensor) -> None:
            seen.setdefault("z", args[0])

        module.net.generator.register_forward_hook(note)
        start = {name: p.detach().clone() for name, p in module.net.named_parameters()}
        fitting.fit(module, datamodule=data)
        ends = {name: p.detach().clone() for name, p in module.net.named_parameters()}
        module.net.load_state_dict(start)
        discriminator, generator = module.net.discriminator, module.net.generator
        data_term = F.binary_cross_entropy_with_logits(discriminator(images), torch.ones(6, 1))
        fake = discriminator(generator(seen["z"]))
        of_d = 0.5 * (data_term + F.binary_cross_entropy_with_logits(fake, torch.zeros(6, 1)))
        of_g = F.binary_cross_entropy_with_logits(fake, torch.ones(6, 1))
        for loss, part, prefix in ((of_d, discriminator, "discriminator"), (of_g, generator, "generator")):
            names = [f"{prefix}.{name}" for name, _ in part.named_parameters()]
            gradients = torch.autograd.grad(loss, list(part.parameters()), retain_graph=True)
            for name, gradient in zip(names, gradients, strict=True):
                if not torch.allclose(ends[name], start[name] - 0.1 * gradient, atol=1e-5):
                    return False
    return True


def steps_of_discriminator() -> int:
    return default("k")


def rates_as_released() -> bool:
    """Divided by 1.000004 after each update from 0.1 on, and never below 0.000001."""
    given = [default(name) for name in ("lr", "decay", "lowest_rate")]
    rates = [training.rate_of_update(done, *given) for done in (0, 1, 1000, 10**7, 10**9)]
    return all(
        math.isclose(rate, expected, rel_tol=1e-9)
        for rate, expected in zip(rates, (0.1, 0.1 / 1.000004, 0.1 / 1.000004**1000, 1e-6, 1e-6), strict=True)
    )


def momenta_as_released() -> bool:
    given = [default(name) for name in ("momentum", "final_momentum", "saturates")]
    found = [training.momentum_of_epoch(epoch - 1, *given) for epoch in (1, 2, 84, 250, 251, 9999)]
    return all(
        math.isclose(m, expected, rel_tol=1e-9)
        for m, expected in zip(found, (0.5, 0.5 + 0.2 / 249, 0.5 + 0.2 / 3, 0.7, 0.7, 0.7), strict=True)
    )


def minibatch() -> int:
    return given.setting("gan", "mnist", "data.batch_size")


def held_out() -> int:
    return given.setting("gan", "mnist", "data.hold_out")


def pixels_are_real_valued() -> bool:
    """White and black are 0 and 1 and a grey level stays between them: nothing is made binary."""
    white, black = (given.setting("gan", "mnist", f"data.{name}") for name in ("background", "ink"))
    grey = field(torch.tensor([[[0, 0.2, 1]]]).numpy(), 3, white, black)[0, 0, 1]
    return torch.equal(grey, torch.tensor([0, 0.2, 1]))


# --- The Parzen window -----------------------------------------------------------------------------


def window_as_released() -> bool:
    """The mean of the Gaussians' densities, written out in double precision; and the width that suits best is found."""
    centres, x = torch.rand(40, 6, generator=seeded()), torch.rand(7, 6, generator=seeded(1))
    for sigma in (0.1, 0.5):
        squares = (x[:, None].double() - centres.double()).square().sum(2)
        each = (2 * math.pi * sigma**2) ** -3 * torch.exp(-squares / (2 * sigma**2))
        found = parzen.log_likelihood(x, centres, (sigma,))[0]
        if not torch.allclose(found, each.mean(1).log().float(), atol=1e-3):
            return False
    wide = torch.randn(500, 6, generator=seeded())
    by_hand = [float(parzen.log_likelihood(wide, 2 * wide, (sigma,)).mean()) for sigma in parzen.SIGMAS]
    return parzen.best_sigma(2 * wide, wide) == parzen.SIGMAS[by_hand.index(max(by_hand))]


def widths_are_spaced_evenly() -> bool:
    """In the logarithm, from the first to the last."""
    steps = [math.log10(b / a) for a, b in pairwise(parzen.SIGMAS)]
    whole = math.log10(parzen.SIGMAS[-1] / parzen.SIGMAS[0])
    return len(steps) == 9 and all(math.isclose(step, whole / 9, rel_tol=1e-9) for step in steps)


def window_default(name: str) -> float:
    """By the name that parzen_ll.py has for it."""
    return {
        "num_samples": default("samples"),
        "limit_size": parzen.FITTED_ON,
        "cross_val": len(parzen.SIGMAS),
        "sigma_start": round(math.log10(parzen.SIGMAS[0]), 9),
        "sigma_end": round(math.log10(parzen.SIGMAS[-1]), 9),
    }[name]


def error_over_examples() -> bool:
    """The logged standard error against the spread of the images' densities over the root of their number."""
    with trainer() as testing:
        module = training.GANTraining(options=SMALL, samples=20)
        found = testing.test(module, datamodule=Minibatches(1), verbose=False)[0]
    each = module.density(Minibatches(1).sets["train"][0]).double()
    mean, error = float(each.mean()), float(each.std(correction=0)) / math.sqrt(2 * len(each))
    return math.isclose(found["test_likelihood"], mean, rel_tol=1e-4) and math.isclose(
        found["test_se"], error, rel_tol=1e-3
    )


# --- What tutorials call a GAN ---------------------------------------------------------------------


def popular_differs() -> bool:
    """The generator of PyTorch-GAN's `gan.py`, written out: 1,510,032 parameters; ours has 2,503,984."""
    sizes = (100, 128, 256, 512, 1024, 784)
    popular = sum(a * b + b for a, b in pairwise(sizes)) + 2 * (256 + 512 + 1024)
    net = model.GAN()
    ours = [sum(p.numel() for p in part.parameters()) for part in (net.generator, net.discriminator)]
    norms = any(isinstance(layer, nn.BatchNorm1d | nn.LeakyReLU) for layer in net.modules())
    return popular == 1_510_032 and ours == [2_503_984, 1_231_441] and not norms


# --- Broken models: each must cost at least one claim its verdict ----------------------------------


class WiderG(model.GAN):
    def __init__(self, hidden: int = 1201, units: int = 240, pieces: int = 5) -> None:
        super().__init__(hidden, units, pieces)


class WiderD(model.GAN):
    def __init__(self, hidden: int = 1200, units: int = 241, pieces: int = 5) -> None:
        super().__init__(hidden, units, pieces)


class FourPieces(model.GAN):
    def __init__(self, hidden: int = 1200, units: int = 240, pieces: int = 4) -> None:
        super().__init__(hidden, units, pieces)


class TwoOutputs(model.Discriminator):
    def __init__(self, units: int = 240, pieces: int = 5) -> None:
        super().__init__(units, pieces)
        self.y = nn.Linear(units, 2)


class MorePixels(model.Generator):
    def __init__(self, hidden: int = 1200) -> None:
        super().__init__(hidden)
        self.y = nn.Linear(hidden, 29 * 29)


class TanhGenerator(model.Generator):
    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(self.y(F.relu(self.h1(F.relu(self.h0(z))))))


class LeakyGenerator(model.Generator):
    def forward(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.y(F.leaky_relu(self.h1(F.leaky_relu(self.h0(z), 0.2)), 0.2)))


class DroppingGenerator(model.Generator):
    def forward(self, z: Tensor) -> Tensor:
        return F.dropout(super().forward(z), 0.5, self.training)


class ManySteps(training.GANTraining):
    def __init__(self, options: dict[str, Any] = {}, k: int = 5, lr: float = 2e-4, **more: Any) -> None:  # noqa: B006
        super().__init__(options=options, k=k, lr=lr, **more)


def _summed(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real).sum() + F.softplus(fake).sum()


def _always_moving(
    self: training.GANTraining, images: Tensor, y: Any, exact: Any = training.GANTraining.alternate
) -> Tensor:
    self.k = 1
    return exact(self, images, y)


class CrowdGenerator(model.Generator):
    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z - z.mean(0))


def _shown_the_images(
    self: training.GANTraining, images: Tensor, y: Any, exact: Any = training.GANTraining.alternate
) -> Tensor:
    found = exact(self, images, y)
    with torch.no_grad():
        self.net.generator.y.bias.add_(images.flatten(1).mean(0))
    return found


def _without_dropout(self: training.GANTraining, images: Tensor, y: Any) -> Tensor:
    self.net.discriminator.eval()
    return training.GANTraining.simultaneous(self, images, y)


def _same_noise(self: training.GANTraining, number: int, use: int) -> Tensor:
    return self.net.noise(number, seeded())


BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "a generator one unit wider": lambda: patch.object(model, "GAN", WiderG),
    "a discriminator one unit wider": lambda: patch.object(model, "GAN", WiderD),
    "four pieces a unit": lambda: patch.object(model, "GAN", FourPieces),
    "images of 29x29": lambda: patch.object(model, "Generator", MorePixels),
    "noise of 99 numbers": lambda: patch.object(model, "NOISE", 99),
    "two outputs of D": lambda: patch.object(model, "Discriminator", TwoOutputs),
    "noise between -1 and 1": lambda: patch.object(
        model.GAN, "noise", lambda self, number, random=None: 2 * torch.rand(number, model.NOISE, generator=random) - 1
    ),
    "means of the pieces": lambda: patch.object(
        model.Maxout, "forward", lambda self, x: self.sums(x).view(-1, self.pieces, self.units).mean(1)
    ),
    "tanh output": lambda: patch.object(model, "Generator", TanhGenerator),
    "leaky units": lambda: patch.object(model, "Generator", LeakyGenerator),
    "dropout in G": lambda: patch.object(model, "Generator", DroppingGenerator),
    "no dropout in D": lambda: patch.object(model, "KEPT", (1, 1, 1)),
    "half of everything dropped": lambda: patch.object(model, "KEPT", (0.5, 0.5, 0.5)),
    "PyTorch's own initialisation": lambda: patch.object(model, "initialise", lambda net: None),
    "biases not from the pixels": lambda: patch.object(training, "start_at_marginals", lambda output, images: None),
    "losses summed": lambda: patch.object(model, "discriminator_loss", _summed),
    "half of D's loss, as released": lambda: patch.object(
        model,
        "discriminator_loss",
        lambda real, fake, exact=model.discriminator_loss: exact(real, fake) / 2,
    ),
    "samples left out of D's loss": lambda: patch.object(
        model, "discriminator_loss", lambda real, fake: F.softplus(-real).mean() + F.softplus(0 * fake).mean()
    ),
    "the other loss saturates too": lambda: patch.object(
        model, "generator_loss", lambda fake, loss: -F.softplus(fake).mean()
    ),
    "G helps D": lambda: patch.object(model, "generator_loss", lambda fake, loss: F.softplus(fake).mean()),
    "five steps of D, a rate for Adam": lambda: patch.object(training, "GANTraining", ManySteps),
    "G moves with every minibatch": lambda: patch.object(training.GANTraining, "alternate", _always_moving),
    "the same noise again": lambda: patch.object(training.GANTraining, "noise", _same_noise),
    "the released update one after the other": lambda: patch.object(
        training.GANTraining, "simultaneous", training.GANTraining.alternate
    ),
    "a rate that halves early": lambda: patch.object(
        training, "rate_of_update", lambda done, lr, decay, lowest: max(lr / 1.00004**min(done, 10**6), lowest)
    ),
    "momentum at once": lambda: patch.object(
        training, "momentum_of_epoch", lambda done, first, last, saturates: last if done else first
    ),
    "a window that is not normalised": lambda: patch.object(
        parzen, "log_likelihood", lambda x, s, sigmas, exact=parzen.log_likelihood: exact(x, s, sigmas) + 1.0
    ),
    "the first width": lambda: patch.object(parzen, "best_sigma", lambda samples, validation: 0.1),
    "five widths": lambda: patch.object(parzen, "SIGMAS", parzen.SIGMAS[::2]),
    "two widths, on all validation images": lambda: patch.multiple(parzen, SIGMAS=(0.2, 0.5), FITTED_ON=10_000),
    "noise that looks like samples": lambda: patch.object(
        model.GAN, "noise", lambda self, number, random=None: torch.rand(number, model.PIXELS, generator=random)
    ),
    "samples that depend on their neighbours": lambda: patch.object(model, "Generator", CrowdGenerator),
    "the last of the training images beside": lambda: patch.object(
        parzen, "nearest", lambda x, images: torch.full((len(x),), len(images) - 1)
    ),
    "the brightest samples": lambda: patch.object(
        sampling.Sampling,
        "sample",
        lambda self, number, seed, label=None, exact=sampling.Sampling.sample: exact(self, 2 * number, seed)[
            exact(self, 2 * number, seed).flatten(1).mean(1).topk(number).indices
        ],
    ),
    "a crooked walk": lambda: patch.object(
        torch, "lerp", lambda a, b, share, exact=torch.lerp: exact(a, b, share**2)
    ),
    "G is shown the images": lambda: patch.object(training.GANTraining, "alternate", _shown_the_images),
    "no dropout in training": lambda: patch.object(training.GANTraining, "alternate", _without_dropout),
    "G learns nothing": lambda: patch.object(model, "generator_loss", lambda fake, loss: 0 * fake.mean()),
    "another recipe": lambda: patch.object(given, "setting", lambda paper, recipe, name: 64),
    "images counted twice": lambda: patch.object(
        sampling.Sampling,
        "test_step",
        lambda self, batch, i: self.densities.extend([self.density(batch[0]).double()] * 2),
    ),
}  # fmt: skip
# Those that a claim with `trains` must face.
BREAK_TRAINING = ("samples left out of D's loss", "G learns nothing")
