"""What is learned from what: what reaches G, and what the pictures of a run show."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from literatim.papers.gan import model, training
from literatim.papers.gan.checks import SMALL, Minibatches, seeded, small_pair, trainer


def dropout_stays_for_the_generator() -> bool:
    """While D passes the gradient on to G, its layers are given inputs of which some are dropped."""
    seen: list[bool] = []

    class Noted(training.GANTraining):
        def noise(self, number: int, use: int) -> Tensor:
            self.use = use
            return super().noise(number, use)

    with trainer() as fitting:
        module = Noted(options={"hidden": 12, "units": 200})

        def note(_: Any, args: tuple[Tensor, ...]) -> None:
            if module.use == 1:  # of G's own update
                seen.append(0.4 < float((args[0] == 0).float().mean()) < 0.6)

        for layer in (module.net.discriminator.h1, module.net.discriminator.y):
            nn.init.ones_(module.net.discriminator.h0.sums.bias)
            nn.init.ones_(module.net.discriminator.h1.sums.bias)
            layer.register_forward_pre_hook(note)
        fitting.fit(module, datamodule=Minibatches(1))
    return seen == [True, True]


def generator_sees_no_image() -> bool:
    """With D held still, G's update is the same whatever the images of the minibatch are."""

    class Held(training.GANTraining):
        def step(self, which: int, gradients: tuple[Tensor, ...]) -> None:
            if which == 1:
                super().step(which, gradients)

    ends = []
    for turn in range(2):
        with patch.object(training, "start_at_marginals", lambda output, images: None), trainer() as fitting:
            data = Minibatches(1)
            images, labels = data.sets["train"]
            data.sets["train"] = (images.flip(0) if turn else images**3, labels)
            module = Held(options=SMALL, lr=10.0)
            fitting.fit(module, datamodule=data)
            ends.append(module.net.generator.y.bias.detach().clone())
    return torch.equal(*ends) and bool(ends[0].any())


def tested() -> tuple[training.GANTraining, dict[str, Tensor], Tensor]:
    """A small pair with the pictures of its run, and the training images."""
    with trainer() as testing:
        module = training.GANTraining(options=SMALL, samples=20)
        for weight in module.net.parameters():
            nn.init.normal_(weight, std=0.3)
        data = Minibatches(1)
        testing.test(module, datamodule=data, verbose=False)
        return module, dict(module.pictures()), data.sets["train"][0].flatten(1)


def samples_are_the_first() -> bool:
    """The hundred of the picture, row by row, are what G makes of the first hundred noises of its seed."""
    module, pictures, _ = tested()
    with torch.no_grad():
        first = module.net.eval().generator(module.net.noise(100, seeded()))
    return torch.allclose(pictures["samples"][:, :10].reshape(100, 784), first, atol=1e-6)


def nearest_is_beside() -> bool:
    """The rightmost image of each row is the training image nearest to the sample beside it."""
    _, pictures, images = tested()
    rows = pictures["samples"].flatten(2)
    at = torch.stack([(images - sample).norm(dim=1).argmin() for sample in rows[:, 9]])
    return rows.shape[1] == 11 and torch.equal(rows[:, 10], images[at]) and len(at.unique()) > 1


def walk_is_straight() -> bool:
    """The noises of each walk lie on a line at equal distances, and the images are what G makes of them."""
    module, pictures, _ = tested()
    with torch.random.fork_rng():
        seen: list[Tensor] = []
        module.net.generator.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
        walk = module.walk(torch.zeros(5, dtype=torch.long))
    z = torch.cat(seen).view(5, 10, -1)
    straight = (z[:, 2:] - 2 * z[:, 1:-1] + z[:, :-2]).abs().max() < 1e-5 < (z[:, 9] - z[:, 0]).abs().max()
    return bool(straight) and torch.equal(walk.unflatten(2, (28, 28)), pictures["walk"])


def samples_are_independent() -> bool:
    """Each sample follows from its own noise, whatever stands beside it."""
    net, z = small_pair().eval(), torch.randn(6, model.NOISE, generator=seeded())
    alone = torch.cat([net.generator(each[None]) for each in z])
    return torch.allclose(net.generator(z), alone, atol=1e-5) and len(alone.unique(dim=0)) == 6
