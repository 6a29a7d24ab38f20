"""Checks of ProGAN's claims that need code of their own, and the broken models that show that the claims bite."""

from __future__ import annotations

import inspect
import math
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import literatim
from literatim.claims import Finding, given
from literatim.papers.progan import distance, growth, layers, model, training

TINY: dict[str, Any] = {"resolution": 16, "channels": 1, "base": 64, "max_maps": 8, "latent": 6}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tiny(seed: int = 0, **options: Any) -> model.ProGAN:
    """A pair for 16x16 with at most eight maps, the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return model.ProGAN(**{**TINY, **options})


def images(number: int = 5, side: int = 16) -> Tensor:
    return 2 * torch.rand(number, 1, side, side, generator=seeded(7)) - 1


def default(name: str) -> Any:
    return inspect.signature(training.ProGANTraining).parameters[name].default


# --- Table 2, App. A.1 ------------------------------------------------------------------------------


def parameters_in_use() -> int:
    """Of the generator at its last resolution, when nothing fades any more."""
    with torch.device("meta"):
        generator = model.ProGAN().generator
    return sum(p.numel() for layer in generator.in_use(1024, False) for p in layer.parameters())


def latent_components() -> int:
    with torch.device("meta"):
        return model.ProGAN().noise(1).shape[1]


def mirror_images() -> bool:
    """Convolution by convolution: what one network makes of many maps, the other makes many maps of; D has one map more
    once, for the deviation."""
    with torch.device("meta"):
        pair = model.ProGAN()
    up, down = [], []
    for side in pair.generator.sides:
        one, other = pair.generator.blocks[f"{side}x{side}"], pair.discriminator.blocks[f"{side}x{side}"]
        up += [(layer.in_channels, layer.out_channels) for layer in (one.conv1, one.conv2)]
        more = int(hasattr(other, "deviation"))
        first, second = other.conv1, other.conv2
        down += [(second.out_channels, second.in_channels), (first.out_channels, first.in_channels - more)]
    return up == down


def without_batch_statistics() -> bool:
    """Neither batch nor layer normalisation; and what is made of a latent vector depends on no other."""
    net = tiny()
    kinds = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)
    if any(isinstance(layer, kinds) for layer in net.modules()):
        return False
    z = torch.randn(5, 6, generator=seeded())
    return torch.allclose(net.generator(z)[:2], net.generator(z[:2]), atol=1e-5)


def only_layers_have_parameters() -> bool:
    """All that is learnt are weights and biases of convolutions and of the score."""
    owners = [layer for layer in tiny().modules() if list(layer.parameters(recurse=False))]
    return len(owners) == 19 and all(isinstance(layer, layers.Equalized) for layer in owners)


def latents_on_the_sphere() -> bool:
    """512 numbers, all vectors of one length, in no direction more than in others."""
    with torch.device("meta"):
        net = model.ProGAN()
    z = net.noise(2000, seeded())
    lengths = z.norm(dim=1)
    even = float(z.mean(dim=0).abs().max()) < 0.12 and float((z.square().mean(dim=0) - 1).abs().max()) < 0.2
    return z.shape[1] == 512 and float(lengths.max() - lengths.min()) < 1e-3 * float(lengths.mean()) and even


def slope(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.2 * x)


def conv(layer: Any, x: Tensor) -> Tensor:
    """A layer's convolution with its weights as they are used, by its number of inputs."""
    fan_in = layer.weight[0].numel()
    gain = 1.0 if layer.weight.shape[0] == 1 else math.sqrt(2)  # in the tiny pair toRGB and the score have one output
    weight, bias = layer.weight * gain / math.sqrt(fan_in), layer.bias
    return F.linear(x, weight, bias) if x.dim() == 2 else F.conv2d(x, weight, bias, padding=layer.padding)


def normalised(x: Tensor) -> Tensor:
    return x / (x.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()


def up_block(block: Any, x: Tensor) -> Tensor:
    x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return normalised(slope(conv(block.conv2, normalised(slope(conv(block.conv1, x))))))


def first_block(block: Any, z: Tensor) -> Tensor:
    """Each latent component times a patch of 4x4; He's constant of a 4x4 convolution."""
    weight = block.conv1.weight * math.sqrt(2) / math.sqrt(16 * z.shape[1])
    x = torch.einsum("nl,lmhw->nmhw", z, weight) + block.conv1.bias[:, None, None]
    return normalised(slope(conv(block.conv2, normalised(slope(x)))))


def generator_by_hand(net: Any, z: Tensor) -> Tensor:
    x = up_block(net.blocks["8x8"], first_block(net.blocks["4x4"], z))
    return conv(net.to_rgb["8x8"], x)


def discriminator_by_hand(net: Any, x: Tensor) -> Tensor:
    h = slope(conv(net.from_rgb["8x8"], x))
    block, last = net.blocks["8x8"], net.blocks["4x4"]
    h = slope(conv(block.conv2, slope(conv(block.conv1, h))))
    h = h.unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(4, 5))
    number = (h.var(dim=0, correction=0) + 1e-8).sqrt().mean()
    h = torch.cat([h, number.expand(len(h), 1, 4, 4)], dim=1)
    return conv(last.score, slope(conv(last.conv2, slope(conv(last.conv1, h)))).flatten(1))


def with_biases(net: model.ProGAN) -> model.ProGAN:
    for name, weight in net.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(weight, std=0.3, generator=seeded())
    return net


def activations_as_printed() -> bool:
    """Both networks at 8x8, written out with a slope of 0.2 below zero and nothing at the end."""
    net = with_biases(tiny())
    z, x = torch.randn(4, 6, generator=seeded()), images(4, 8)
    return torch.allclose(net.generator(z, 8), generator_by_hand(net.generator, z), atol=1e-4) and torch.allclose(
        net.discriminator(x), discriminator_by_hand(net.discriminator, x), atol=1e-4
    )


def rgb_by_1x1() -> bool:
    net = tiny()
    ends = [*net.generator.to_rgb.values(), *net.discriminator.from_rgb.values()]
    return len(ends) == 6 and all(isinstance(end, nn.Conv2d) and end.kernel_size == (1, 1) for end in ends)


def cifar_maps() -> tuple[int, ...]:
    net: Any = literatim.load("progan", "cifar10")
    most = max(layer.out_channels for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d))
    return (net.resolution, most, net.noise(1).shape[1])


# --- Sec. 2 -----------------------------------------------------------------------------------------


def resolutions() -> tuple[int, ...]:
    """Those that the training goes through, in order, as the schedule has them for images of 1024x1024."""
    schedule = growth.Schedule(default("start"), 1024, 10, 10)
    return tuple(dict.fromkeys(schedule.stage(shown).resolution for shown in range(0, 400, 5)))


def resampling_as_printed() -> bool:
    x = torch.arange(16.0).view(1, 1, 4, 4)
    doubled, halved = layers.enlarge(x)[0, 0], layers.reduce(x)[0, 0]
    places = all(doubled[i, j] == x[0, 0, i // 2, j // 2] for i in range(8) for j in range(8))
    means = torch.tensor([[2.5, 4.5], [10.5, 12.5]])
    return doubled.shape == (8, 8) and places and torch.equal(halved, means)


def doubled(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def generator_fades() -> bool:
    """To the last bit at both ends, and a straight line between them."""
    generator, z = tiny().generator, torch.randn(3, 6, generator=seeded())
    with torch.no_grad():
        old, new = doubled(generator(z, 8)), generator(z, 16)
        ends = torch.equal(generator(z, 16, 0.0), old) and torch.equal(generator(z, 16, 1.0), new)
        return ends and torch.allclose(generator(z, 16, 0.3), 0.7 * old + 0.3 * new, atol=1e-5)


def discriminator_fades() -> bool:
    """At alpha 0 the score of the halved image at the resolution before; at 1 the new layers'; else a blend of maps."""
    net, x = tiny().discriminator, images()
    with torch.no_grad():
        halved = F.avg_pool2d(x, 2)
        if not torch.equal(net(x, 0.0), net(halved)) or torch.equal(net(x), net(halved)):
            return False
        maps = net.blocks["16x16"](slope(conv(net.from_rgb["16x16"], x)))
        blend = 0.7 * slope(conv(net.from_rgb["8x8"], halved)) + 0.3 * maps
        rest = net.blocks["4x4"](net.blocks["8x8"](blend))
        return torch.allclose(net(x, 0.3), rest, atol=1e-5) and torch.allclose(
            net(x, 1.0), net.blocks["4x4"](net.blocks["8x8"](maps)), atol=1e-5
        )


def images_fade() -> bool:
    x = images(2, 32)
    eight = x.unfold(2, 4, 4).unfold(3, 4, 4).mean(dim=(4, 5))
    four = x.unfold(2, 8, 8).unfold(3, 8, 8).mean(dim=(4, 5))
    at = {alpha: growth.as_shown(x, growth.Stage(8, alpha)) for alpha in (0.0, 0.25, 1.0)}
    return all(
        torch.allclose(found, (1 - alpha) * doubled(four) + alpha * eight, atol=1e-6) for alpha, found in at.items()
    )


def trainer_of(**options: Any) -> training.ProGANTraining:
    """A training of a tiny pair without Lightning around it; its steps are counted."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = training.ProGANTraining("mnist16", {"width": 0.1}, **{"minibatch": 4, **options})
    optimizers = [torch.optim.Adam(part.parameters(), 1e-3, (0.0, 0.99)) for part in module.parts]
    wrapped = [SimpleNamespace(optimizer=optimizer, step=optimizer.step) for optimizer in optimizers]
    module.optimizers = lambda use_pl_optimizer=True: wrapped if use_pl_optimizer else optimizers  # type: ignore
    state: Any = SimpleNamespace(world_size=1, global_step=0, global_rank=0, datamodule=SimpleNamespace(seed=0))
    module._trainer = state
    return module


def all_layers_in_use_learn() -> bool:
    """An update in a fade to 16x16 moves every weight of all resolutions but the layer to RGB of 4x4, in both networks;
    one at 4x4 moves that, and nothing that belongs to later resolutions."""
    for shown, unused in ((35, ("rgb.4x4",)), (0, ("8x8", "16x16"))):
        module = trainer_of(stabilise=10, fade=10)
        module.shown.fill_(shown)
        before = {name: weight.detach().clone() for name, weight in module.net.named_parameters()}
        module.update(images(4, 32))
        for name, weight in module.net.named_parameters():
            if torch.equal(weight, before[name]) != any(f"{part}." in name for part in unused):
                return False
    return True


def schedule_as_printed() -> bool:
    schedule = growth.Schedule(default("start"), 1024, default("stabilise"), default("fade"))
    k = 1000
    expected = {
        0: (4, 1), 799 * k: (4, 1), 800 * k: (8, 0), 1000 * k: (8, 0.25), 1400 * k: (8, 0.75), 1600 * k: (8, 1),
        2399 * k: (8, 1), 2400 * k: (16, 0), 2800 * k: (16, 0.5), 12_000 * k: (1024, 0), 12_400 * k: (1024, 0.5),
        12_800 * k: (1024, 1), 19_000 * k: (1024, 1),
    }  # fmt: skip
    return all(tuple(schedule.stage(shown)) == stage for shown, stage in expected.items())


def begins(resolution: str) -> int:
    """After how many real images a resolution's layers begin to be faded in."""
    schedule = growth.Schedule(default("start"), 1024, default("stabilise"), default("fade"))
    side = int(resolution.partition("x")[0])
    return bisect_left(range(20_000_000), side, key=lambda shown: schedule.stage(shown).resolution)


def grown() -> int:
    """After how many real images the last layers are in full use."""
    schedule = growth.Schedule(default("start"), 1024, default("stabilise"), default("fade"))
    return bisect_left(range(20_000_000), growth.Stage(1024, 1.0), key=schedule.stage)


def length_of_training(recipe: str) -> float:
    """Real images in thousands: the epochs of the recipe on CelebA-HQ, 30,000 images, or on CIFAR-10, 50,000."""
    images = {"celebahq1024": 30, "cifar10": 50}[recipe]
    return images * given.setting("progan", recipe, "trainer.max_epochs")


# --- Secs. 3 and 4 ----------------------------------------------------------------------------------


def deviation_is_one_number() -> bool:
    """By hand, in one map that is the same at all places and for all examples; the other maps are untouched."""
    x = torch.randn(6, 3, 4, 4, generator=seeded())
    found = model.MinibatchDeviation()(x)
    spread = [float(((x[:, c, i, j] - x[:, c, i, j].mean()) ** 2).mean() ** 0.5)
              for c in range(3) for i in range(4) for j in range(4)]  # fmt: skip
    number = sum(spread) / len(spread)
    return torch.equal(found[:, :3], x) and torch.allclose(found[:, 3], torch.tensor(number), atol=1e-5)


def deviation_has_no_parameters() -> bool:
    layer = tiny().discriminator.blocks["4x4"].deviation
    return not list(layer.parameters()) and not list(layer.buffers()) and layer.group is None


def deviation_at_4x4() -> bool:
    """In one place, which its input of 4x4 and what follows show: two convolutions and the score."""
    seen: list[tuple[str, int]] = []
    net = tiny().discriminator
    for name, layer in net.named_modules():
        if not list(layer.children()):
            layer.register_forward_pre_hook(
                lambda _, args, name=name: seen.append((name.rpartition(".")[2], args[0].shape[-1]))
            )
    net(images())
    return [name for name, _ in seen].count("deviation") == 1 and seen[-4:] == [
        ("deviation", 4), ("conv1", 4), ("conv2", 4), ("score", net.blocks["4x4"].score.in_features)
    ]  # fmt: skip


def groups_of_four() -> bool:
    """Examples i, i + 2, i + 4 and i + 6 of eight share a number, which is theirs alone."""
    layer = tiny(deviation="groups-of-4").discriminator.blocks["4x4"].deviation
    x = torch.randn(8, 3, 4, 4, generator=seeded())
    found, plain = layer(x)[:, 3, 0, 0], model.MinibatchDeviation()
    return all(torch.allclose(found[i::2], plain(x[i::2])[:, 3, 0, 0], atol=1e-6) for i in (0, 1)) and bool(
        found[0] != found[1]
    )


def starts_from_unit_normal() -> bool:
    net = tiny(base=512, max_maps=32, latent=32)
    weights = [w for name, w in net.named_parameters() if name.endswith("weight") and w.numel() > 5000]
    unit = all(abs(float(w.detach().std()) - 1) < 0.05 and abs(float(w.detach().mean())) < 0.05 for w in weights)
    return unit and len(weights) >= 8 and not any(w.any() for name, w in net.named_parameters() if "bias" in name)


def scaled_at_run_time() -> bool:
    """The output of each layer for one input of ones at a time: its weights times gain over the root of its inputs."""
    net = tiny()
    checked = 0
    for name, layer in net.named_modules():
        if not hasattr(layer, "weight"):
            continue
        transposed = isinstance(layer, nn.ConvTranspose2d)
        fan_in = layer.weight.shape[0] * 16 if transposed else layer.weight[0].numel()
        gain = 1.0 if "to_rgb" in name or "score" in name else math.sqrt(2)
        side = 1 if transposed else layer.kernel_size[0] if hasattr(layer, "kernel_size") else None
        x = torch.randn(
            2, layer.weight.shape[0 if transposed else 1], *([side, side] if side else []), generator=seeded()
        )
        plain = nn.Module.__getattribute__(layer, "forward")(x)
        weight = layer.weight * (gain / math.sqrt(fan_in))
        if transposed:
            by_hand = F.conv_transpose2d(x, weight)
        else:
            by_hand = F.conv2d(x, weight, padding=layer.padding) if side else F.linear(x, weight)
        if not torch.allclose(plain, by_hand, atol=1e-5):
            return False
        checked += 1
    return checked == 19


def relative_steps(net: model.ProGAN) -> list[float]:
    """After a step of Adam: how far the weights of each larger layer moved, over their deviation."""
    weights = {n: w for n, w in net.generator.named_parameters() if n.endswith("weight") and w.numel() >= 256}
    before = {n: w.detach().clone() for n, w in weights.items()}
    descent = torch.optim.Adam(net.parameters(), 1e-3, (0.0, 0.99), 1e-8)
    generated = net.generator(net.noise(4, seeded()))
    (generated * torch.randn(generated.shape, generator=seeded())).sum().backward()
    descent.step()
    return [float((w.detach() - before[n]).abs().mean() / before[n].std()) for n, w in weights.items()]


def speeds_are_equal() -> Finding:
    """The same function, with He's constants in the weights from the start in place of the equalised layers."""
    options = {"base": 512, "max_maps": 64, "latent": 16}
    equal, plain = tiny(**options), tiny(**options)
    layer: Any
    for layer in plain.modules():
        if hasattr(layer, "scale"):
            with torch.no_grad():
                layer.weight *= layer.scale
            layer.scale = 1.0
    ours, he = relative_steps(equal), relative_steps(plain)
    spread, spread_he = max(ours) / min(ours), max(he) / min(he)
    return Finding(
        spread < 1.1 and spread_he > 1.5,
        f"between the fastest and the slowest layer a factor of {spread:.2f}, with He's initialisation {spread_he:.1f}",
        f"最快与最慢层之间相差 {spread:.2f} 倍；仅用 He 初始化时为 {spread_he:.1f} 倍",
    )


def pixels_are_normalised() -> bool:
    """The formula on numbers, a pixel of zeros included; and in G after each 3x3 convolution, nowhere in D."""
    x = torch.randn(2, 5, 3, 3, generator=seeded())
    x[0, :, 0, 0] = 0
    by_hand = x / (x.square().sum(dim=1, keepdim=True) / 5 + 1e-8).sqrt()
    if not torch.allclose(layers.pixel_norm(x), by_hand, atol=1e-6):
        return False
    calls: list[int] = []
    with patch.object(layers, "pixel_norm", lambda x: calls.append(1) or x):  # type: ignore[func-returns-value]
        net = tiny()
        net.generator(torch.randn(2, 6))
        of_generator = len(calls)
        net.discriminator(images())
    return of_generator == len(calls) == 6


def vectors_have_unit_length() -> bool:
    x = layers.pixel_norm(torch.randn(2, 9, 3, 3, generator=seeded()))
    return torch.allclose(x.norm(dim=1), torch.ones(2, 3, 3), atol=1e-3)


def formula_gives_root_n() -> bool:
    """The printed formula in plain numbers, for vectors of 4, 16 and 512 components: lengths of 2, 4 and 22.6."""
    for n in (4, 16, 512):
        a = [math.sin(1 + j) for j in range(n)]
        b = [x / math.sqrt(sum(y * y for y in a) / n + 1e-8) for x in a]
        if not math.isclose(math.sqrt(sum(x * x for x in b)), math.sqrt(n), rel_tol=1e-6):
            return False
    return True


# --- App. A.1 ---------------------------------------------------------------------------------------

REAL, FAKE = torch.tensor([[2.0], [-1.0], [0.5]]), torch.tensor([[1.0], [4.0], [-2.0]])


def losses_as_printed() -> bool:
    expected = 1.0 - 0.5 + 7.0 + 0.001 * (4 + 1 + 0.25) / 3
    found = float(model.discriminator_loss(REAL, FAKE, torch.tensor(7.0)))
    return math.isclose(found, expected, rel_tol=1e-6) and math.isclose(float(model.generator_loss(FAKE)), -1.0)


def penalty_as_released() -> bool:
    """By finite differences of the sum of the scores, in double precision, for targets of 1 and of 750."""
    net = tiny(channels=1, max_maps=4).discriminator.double()
    real, fake = images(3, 4).double(), images(3, 8)[:, :, :4, :4].double()
    share = torch.tensor([0.0, 0.4, 0.9], dtype=torch.float64).view(3, 1, 1, 1)
    at, h = real + share * (fake - real), 1e-5
    gradient = torch.zeros_like(at)
    with torch.no_grad():
        for place in range(at.numel()):
            step = torch.zeros(at.numel(), dtype=torch.float64)
            step[place] = h
            step = step.view_as(at)
            gradient.view(-1)[place] = (net(at + step).sum() - net(at - step).sum()) / (2 * h)
    norms = gradient.flatten(1).norm(dim=1)
    return all(
        math.isclose(
            model.gradient_penalty(net, real, fake, share, 1.0, target).item(),
            float(10 * ((norms - target) / target).square().mean()),
            rel_tol=1e-4,
        )
        for target in (1.0, 750.0)
    )


def second_gradients() -> bool:
    """Of the penalty by each weight of the last block, against finite differences; none of it is lost on the way."""
    net = tiny(max_maps=3).discriminator.double()
    real, fake = images(4, 4).double(), images(4, 8)[:, :, 4:, 4:].double()
    share = torch.full((4, 1, 1, 1), 0.3, dtype=torch.float64)

    def value() -> Tensor:
        return model.gradient_penalty(net, real, fake, share, 1.0, 1.0)

    weight: Any = net.blocks["4x4"].conv1.weight
    h = 1e-6
    (gradient,) = torch.autograd.grad(value(), weight)
    for place in range(0, weight.numel(), 5):
        flat = weight.data.view(-1)
        ends = []
        for step in (h, -2 * h):
            flat[place] += step
            ends.append(value().item())
        flat[place] += h
        slope_there = (ends[0] - ends[1]) / (2 * h)
        if not math.isclose(slope_there, float(gradient.flatten()[place]), rel_tol=1e-3, abs_tol=1e-5):
            return False
    # The map of the deviation has weights of its own, the last of the inputs, which the penalty moves as well.
    return bool(gradient[:, -1].abs().max() > 0)


def target_elsewhere() -> float:
    with torch.device("meta"):
        return training.ProGANTraining("celebahq1024").target


def target_of_cifar() -> float:
    return training.ProGANTraining("cifar10").target if trainer_of().target == 1 else -1.0


def optimizers() -> Any:
    module = trainer_of()
    module._trainer.precision = "32-true"
    return training.ProGANTraining.configure_optimizers(module)


def adam(constant: str) -> float:
    """One of its constants, the same for both networks."""
    made = [o.defaults for o in optimizers() if type(o) is torch.optim.Adam]
    of = {"alpha": lambda o: o["lr"], "beta1": lambda o: o["betas"][0], "beta2": lambda o: o["betas"][1]}
    found = {of.get(constant, lambda o: o["eps"])(defaults) for defaults in made}
    return found.pop() if len(made) == 2 and len(found) == 1 else math.nan


def rate_stays() -> bool:
    """Nothing but the two optimisers is handed to Lightning, and a few updates leave their rates as they were."""
    module = trainer_of(stabilise=4, fade=4)
    for _ in range(5):
        module.update(images(4, 16))
    return isinstance(optimizers(), list) and {
        o.param_groups[0]["lr"] for o in module.optimizers(use_pl_optimizer=False)
    } == {0.001}


def average_as_printed() -> bool:
    """After three updates, 0.999 of the average before and 0.001 of the new weights, from those of the first on."""
    module = trainer_of(stabilise=1000)
    by_hand: dict[str, Tensor] = {}
    for _ in range(3):
        module.update(images(4, 16))
        for name, weight in module.net.generator.named_parameters():
            now = weight.detach().double()
            by_hand[name] = 0.999 * by_hand[name] + 0.001 * now if name in by_hand else now.clone()
    return all(
        torch.allclose(weight.double(), by_hand[name], atol=1e-7)
        for name, weight in module.averaged.net.named_parameters()
    ) and torch.equal(
        module.sample(2, seed=3),
        module.full(module.made(module.averaged.net, module.net.noise(2, seeded(3)), module.stage)),
    )


def minibatch(resolution: str) -> int:
    module = trainer_of(**{name: default(name) for name in ("minibatch", "minibatches")})
    return module.minibatch_at(int(resolution.partition("x")[0]))


def networks_alternate() -> bool:
    """D, then G, and so on, one each for a minibatch."""
    turns = []
    module = trainer_of()
    exact = module.step

    def step(which: int, loss: Tensor) -> None:
        turns.append("DG"[which])
        exact(which, loss)

    module.step = step  # type: ignore[method-assign]
    for _ in range(3):
        module.update(images(4, 16))
    return "".join(turns) == "DGDGDG"


# --- Sec. 5 -----------------------------------------------------------------------------------------


def distance_settings() -> tuple[int, ...]:
    given = tuple(default(name) for name in ("images", "descriptors"))
    lowest = min(level.shape[-1] for level in distance.pyramid(images(1, 64)))
    return (*given, distance.PATCH, default("projections"), lowest)


def descriptors_of_a_level() -> int:
    return default("images") * default("descriptors")


def numbers_of_a_descriptor() -> int:
    """Of a patch in colour."""
    return distance.patches(torch.rand(2, 3, 16, 16, generator=seeded()), 1, seeded()).shape[1]


def levels(side: str) -> int:
    return len(distance.pyramid(images(1, int(side.partition("x")[0]))))


def average_of_levels() -> bool:
    """At 128x128, each of the four levels by itself; with the same patches and directions."""
    one, other = torch.rand(6, 1, 128, 128, generator=seeded()), images(6, 128)
    random = seeded()
    pairs = list(zip(distance.pyramid(one), distance.pyramid(other), strict=True))
    each = [
        distance.sliced(distance.patches(a, 8, random), distance.patches(b, 8, random), 16, random) for a, b in pairs
    ]
    found = distance.distance(one, other, 8, 16, seed=0)
    return len(each) == 4 and math.isclose(found, 1000 * sum(each) / 4, rel_tol=1e-5)


def pyramid_gives_image() -> bool:
    """From the lowest level up: enlarged between zeros, blurred by a kernel of its own writing, and added."""
    x = images(2, 64)
    levels = distance.pyramid(x)
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 8
    found = levels[-1]
    for level in reversed(levels[:-1]):
        wide = torch.zeros(*found.shape[:2], 2 * found.shape[2], 2 * found.shape[3])
        wide[:, :, ::2, ::2] = found
        padded = F.pad(wide, (2, 2, 2, 2), mode="reflect")
        found = level + F.conv2d(padded, (row[:, None] * row)[None, None])
    small = levels[0].mean().abs() < 0.02 and levels[0].std() < x.std()
    return [level.shape[-1] for level in levels] == [64, 32, 16] and torch.allclose(found, x, atol=1e-5) and bool(small)


def distance_as_released() -> Finding:
    """One line of patches by hand; and of smooth images against others, and against their own pixels shuffled."""
    random = seeded()
    a, b = torch.randn(50, 4, generator=random), torch.randn(50, 4, generator=random)
    directions = F.normalize(torch.randn(4, 3, generator=seeded(5)), dim=0)
    by_hand = (
        sum(
            sum(abs(x - y) for x, y in zip(sorted((a @ d).tolist()), sorted((b @ d).tolist()), strict=True)) / 50
            for d in directions.T
        )
        / 3
    )
    same = math.isclose(distance.sliced(a, b, 3, seeded(5)), by_hand, rel_tol=1e-4)
    patches = distance.patches(3 * images(20) + 5, 8, seeded())
    unit = abs(float(patches.mean())) < 1e-4 and abs(float(patches.std()) - 1) < 1e-2 and patches.shape == (160, 49)
    smooth = F.interpolate(torch.randn(400, 1, 4, 4, generator=random), size=(16, 16), mode="bilinear")
    one, other = smooth[:200], smooth[200:]
    mixed = one.flatten(1)[:, torch.randperm(256, generator=random)].view_as(one)
    alike, unlike = distance.distance(one, other, 16, 64), distance.distance(mixed, other, 16, 64)
    return Finding(
        same and unit and unlike > 5 * alike,
        f"{alike:.0f} between smooth images of one kind, {unlike:.0f} where the pixels change their places",
        f"同类平滑图像之间为 {alike:.0f}，像素换位之后为 {unlike:.0f}",
    )


# --- What ports have --------------------------------------------------------------------------------


def tensorflow_differs() -> bool:
    """Groups of four give another number than the minibatch; the phases and the memory of the optimisers differ."""
    x = torch.randn(8, 3, 4, 4, generator=seeded())
    differ = not torch.allclose(model.MinibatchDeviation(4)(x)[:, 3], model.MinibatchDeviation()(x)[:, 3], atol=1e-4)
    ours = (default("stabilise"), default("fade"), default("optimizer_state"), model.MinibatchDeviation().group)
    return differ and ours == (800_000, 800_000, "keep", None)


# --- Broken models: each must cost at least one claim its verdict ------------------------------------


def _model(**changed: Any) -> AbstractContextManager[object]:
    class Changed(model.ProGAN):
        __signature__ = inspect.signature(model.ProGAN)

        def __init__(self, **options: Any) -> None:
            super().__init__(**{**changed, **options})

    return patch.object(model, "ProGAN", Changed)


def _he_start(self: Any) -> None:
    nn.init.kaiming_normal_(self.weight)
    nn.init.ones_(self.bias)


def _unit_length(x: Tensor) -> Tensor:
    return x / (x.square().sum(dim=1, keepdim=True) + 1e-8).sqrt()


def _single_penalty(net: Any, real: Tensor, fake: Tensor, share: Tensor, alpha: float, target: float) -> Tensor:
    """Its gradient treats the deviation as a constant."""
    with patch.object(
        layers.MinibatchDeviation,
        "forward",
        lambda self, x: torch.cat(
            [x, (x.var(0, correction=0) + 1e-8).sqrt().mean().detach().expand(len(x), 1, 4, 4)], 1
        ),
    ):
        return _PENALTY(net, real, fake, share, alpha, target)


_PENALTY = model.gradient_penalty


def _every_map(self: Any, x: Tensor) -> Tensor:
    deviations = x.var(dim=0, correction=0, keepdim=True).mean(dim=1, keepdim=True).sqrt()
    return torch.cat([x, deviations.expand(len(x), 1, *x.shape[2:])], dim=1)


def _early(self: Any, x: Tensor, alpha: float = 1.0, exact: Any = model.Discriminator.forward) -> Tensor:
    """The deviation of the image is looked at first."""
    self.blocks["4x4"].deviation(x)
    return exact(self, x, alpha)


def _rounded(self: Any, shown: int, exact: Any = growth.Schedule.stage) -> growth.Stage:
    stage = exact(self, shown)
    return growth.Stage(stage.resolution, float(stage.alpha > 0))


def _only_newest(self: Any, here: tuple[int, bool]) -> bool:
    for part in self.parts:
        part.requires_grad_(False)
        part.in_use(*here)[-1].requires_grad_(True)
        part.blocks[f"{here[0]}x{here[0]}"].requires_grad_(True)
    return True


def _defaults(**changed: Any) -> AbstractContextManager[object]:
    signature = inspect.signature(training.ProGANTraining)
    given = [p.replace(default=changed.get(p.name, p.default)) for p in signature.parameters.values()]
    return patch.object(training.ProGANTraining, "__signature__", signature.replace(parameters=given), create=True)


@contextmanager
def _all(*changes: AbstractContextManager[object]) -> Iterator[None]:
    """Several changes at once, to claims that have nothing to do with each other."""
    with ExitStack() as stack:
        for change in changes:
            stack.enter_context(change)
        yield


def _twice(self: Any, images: Tensor, exact: Any = training.ProGANTraining.update) -> Tensor:
    exact(self, images)
    return exact(self, images)


def _decaying(self: Any, which: int, loss: Tensor, exact: Any = training.ProGANTraining.step) -> None:
    exact(self, which, loss)
    for optimizer in self.optimizers(use_pl_optimizer=False):
        optimizer.param_groups[0]["lr"] *= 0.9


def _faster(self: Any, exact: Any = training.ProGANTraining.configure_optimizers) -> Any:
    self.lr = 0.002
    return exact(self)


class Narrowing(model.DownBlock):
    def __init__(self, maps: int, outputs: int) -> None:
        super().__init__(maps, outputs)
        self.conv1, self.conv2 = layers.Convolution(maps, outputs, 3), layers.Convolution(outputs, outputs, 3)


BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "twice as many maps": lambda: patch.object(
        model, "maps_at", lambda side, base, most: min(4 * base // side, 2 * most)
    ),
    "four channels, 256 latent components": lambda: _model(channels=4, latent=256),
    "two scores, to RGB by 3x3": lambda: _all(
        patch.object(model, "FullyConnected", lambda inputs, outputs: layers.FullyConnected(inputs, 2)),
        patch.object(
            model,
            "Convolution",
            lambda inputs, outputs, kernel, *rest, **more: layers.Convolution(
                inputs, outputs, max(kernel, 3), *rest, **more
            ),
        ),
    ),
    "latents of any length, a slope of 0.01": lambda: _all(
        patch.object(
            model.ProGAN, "noise", lambda self, n, random=None: torch.randn(n, self.latent, generator=random)
        ),
        patch.object(layers, "activated", F.leaky_relu),
    ),
    "other numbers in the training": lambda: _all(
        _defaults(start=8, stabilise=600_000, minibatch=15, minibatches={}, images=1000),
        patch.object(training, "TARGETS", {"celebahq1024": 750.0}),
    ),
    "a block of D that narrows first": lambda: patch.object(model, "DownBlock", Narrowing),
    "another recipe": lambda: patch.object(given, "setting", lambda paper, recipe, name: 100),
    "bilinear doubling, halving by the largest": lambda: _all(
        patch.object(layers, "enlarge", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear")),
        patch.object(layers, "reduce", lambda x: F.max_pool2d(x, 2)),
    ),
    "no blend": lambda: patch.object(layers, "faded", lambda old, new, alpha: new),
    "layers that come at once, of which only the newest learn": lambda: _all(
        patch.object(growth.Schedule, "stage", _rounded), patch.object(training.ProGANTraining, "enter", _only_newest)
    ),
    "a deviation for each place": lambda: patch.object(layers.MinibatchDeviation, "forward", _every_map),
    "a deviation that learns": lambda: patch.object(
        model,
        "MinibatchDeviation",
        lambda group: nn.Sequential(layers.MinibatchDeviation(group), nn.LazyBatchNorm2d()),
    ),
    "the deviation at the first layer too, groups of two": lambda: _all(
        patch.object(model.Discriminator, "forward", _early), patch.object(model, "GROUP", 2)
    ),
    "He's initialisation, weights used as they are": lambda: _all(
        patch.object(layers.Equalized, "reset_parameters", _he_start),
        patch.object(layers, "he_constant", lambda n, gain: 1.0),
    ),
    "to unit length": lambda: patch.object(layers, "pixel_norm", _unit_length),
    "no drift, no gradient through the deviation": lambda: _all(
        patch.object(model, "DRIFT", 0.0), patch.object(model, "gradient_penalty", _single_penalty)
    ),
    "a penalty of one": lambda: patch.object(model, "PENALTY", 1.0),
    "Adam as usual, a rate that decays, no average, two updates for one": lambda: _all(
        patch.object(training, "BETAS", (0.9, 0.999)),
        patch.object(training, "EPSILON", 1e-7),
        patch.object(training.ProGANTraining, "configure_optimizers", _faster),
        patch.object(training.ProGANTraining, "step", _decaying),
        patch.object(training, "Averaged", lambda net, decay, exact=training.Averaged: exact(net, 0.0)),
        patch.object(training.ProGANTraining, "update", _twice),
    ),
    "patches of 5x5 that are not sorted, of halved images": lambda: _all(
        patch.object(distance, "PATCH", 5),
        patch.object(distance, "pyramid", lambda x: [x, F.avg_pool2d(x, 2), F.avg_pool2d(x, 4)]),
        patch.object(distance, "sliced", lambda a, b, n, random: float((a.mean(0) - b.mean(0)).abs().mean())),
    ),
}  # fmt: skip
BREAK_TRAINING: tuple[str, ...] = ()
