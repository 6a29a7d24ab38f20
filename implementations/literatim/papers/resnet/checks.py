"""Checks of ResNet's claims that need code of their own, and the broken models that show that the claims bite."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from functools import wraps
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import literatim
from literatim.claims import Finding, setting, stated
from literatim.claims.measures import shapes_only
from literatim.claims.once import once
from literatim.datasets import cifar10
from literatim.papers.resnet import model, testing, training

PLAIN = "none"


def rand(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def seeded(make: Callable[[], Any]) -> Any:
    """What `make` builds, with the same weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def meta(depth: int, shortcut: str = "printed") -> Any:
    """A network of Table 1, or of Sec. 4.2 for its depths, that has shapes and no memory: one for all claims."""

    def make() -> nn.Module:
        with shapes_only():
            if depth in model.BLOCKS:
                return model.ResNet(depth, shortcut)  # type: ignore[arg-type]
            return model.CifarResNet((depth - 2) // 6, shortcut)  # type: ignore[arg-type]

    return once(("resnet on meta", depth, shortcut), make)


def convolutions(module: nn.Module) -> dict[str, nn.Conv2d]:
    return {name: part for name, part in module.named_modules() if isinstance(part, nn.Conv2d)}


def on_the_way(net: nn.Module) -> list[nn.Conv2d]:
    """The convolutions of a network that are not in a shortcut, in its order."""
    return [conv for name, conv in convolutions(net).items() if "shortcut" not in name]


def blocks(net: nn.Module) -> list[Any]:
    return [module for module in net.modules() if isinstance(module, model.BuildingBlock)]


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def sizes(net: nn.Module, side: int) -> dict[str, tuple[int, ...]]:
    """The shape of what each direct part of a network gives for one image."""
    seen = {}
    hooks = [
        part.register_forward_hook(lambda _, args, out, name=name: seen.update({name: tuple(out.shape[1:])}))
        for name, part in net.named_children()
    ]
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, side, side, device="meta"))
    for hook in hooks:
        hook.remove()
    return seen


# --- Table 1 ---------------------------------------------------------------------------------------


def blocks_as_printed() -> bool:
    """Kernel and filters of every layer that is not a projection, against the brackets of Table 1."""
    printed = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
    for depth, counts in printed.items():
        expected = [(7, 64)]
        for n, width in zip(counts, (64, 128, 256, 512), strict=True):
            block = [(3, width), (3, width)] if depth < 50 else [(1, width), (3, width), (1, 4 * width)]
            expected += block * n
        if [(conv.kernel_size[0], conv.out_channels) for conv in on_the_way(meta(depth))] != expected:
            return False
    return True


def layers_of(name: str) -> int:
    """Convolutions outside the shortcuts and the output layer."""
    kind, depth = re.fullmatch(r"(\D+)(\d+)", name).groups()
    return len(on_the_way(meta(int(depth), PLAIN if kind == "plain" else "printed"))) + 1


def vgg(variant: str) -> Any:
    with torch.device("meta"):
        return literatim.load("vgg", variant)


def times_as_deep_as_vgg_19() -> float:
    layers = [part for part in vgg("e").modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    return layers_of("resnet152") / len(layers)


def strides_as_printed() -> bool:
    """The product of the strides along each block, and its shortcut's, is 2 for conv3_1, conv4_1 and conv5_1 only."""
    for depth in (34, 50):
        net = meta(depth, "b")
        if net.conv1.conv.stride != (2, 2) or (net.pool.kernel_size, net.pool.stride) != (3, 2):
            return False
        for name, block in net.named_modules():
            if not isinstance(block, model.BuildingBlock):
                continue
            expected = 2 if name.split(".")[-1] in ("conv3_1", "conv4_1", "conv5_1") else 1
            strides = [conv.stride[0] for part, conv in convolutions(block).items() if not part.startswith("shortcut")]
            across = block.shortcut.conv.stride[0] if hasattr(block.shortcut, "conv") else 1
            if int(np.prod(strides)) != expected or across != expected:
                return False
    return True


def stride_in_the_first_1x1() -> bool:
    net = meta(50)
    halving = [net.conv3_x.conv3_1, net.conv4_x.conv4_1, net.conv5_x.conv5_1]
    return all(block.first.conv.stride == (2, 2) and block.second.conv.stride == (1, 1) for block in halving)


def multiply_adds(net: nn.Module, side: int) -> int:
    """In all convolutions and the output layer, each weight counted at every place of its maps."""
    total = 0

    def listen(layer: Any, args: Any, out: Tensor) -> None:
        nonlocal total
        total += layer.weight[0].numel() * out[0].numel()

    hooks = [part.register_forward_hook(listen) for part in net.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, side, side, device="meta"))
    for hook in hooks:
        hook.remove()
    return total


def multiply_adds_of_101() -> int:
    return multiply_adds(meta(101), 224)


def multiply_adds_of_152() -> int:
    return multiply_adds(meta(152), 224)


def multiply_adds_of_vgg(name: str) -> int:
    return multiply_adds(vgg({"vgg-16": "d", "vgg-19": "e"}[name]), 224)


def vgg_by_hand(*layers: int) -> int:
    """Multiply-adds of so many layers of 3x3 on maps of 224, 112, 56, 28 and 14, and of three connected ones."""
    total, maps = 0, 3
    for count_of, width, side in zip(layers, (64, 128, 256, 512, 512), (224, 112, 56, 28, 14), strict=True):
        for _ in range(count_of):
            total, maps = total + 9 * maps * width * side**2, width
    return total + 7 * 7 * 512 * 4096 + 4096 * 4096 + 4096 * 1000


def vgg_16_by_hand() -> int | None:
    """With its connected layers, as the 19.6 billion beside it are VGG-19's with them."""
    return vgg_by_hand(2, 2, 3, 3, 3) if round(vgg_by_hand(2, 2, 4, 4, 4) / 1e9, 1) == 19.6 else None


def share_of_vgg_19() -> Finding:
    """In per cent, of the printed numbers; beside it, of the counted ones."""
    plain, whole = stated("resnet", "flops-plain-34"), stated("resnet", "flops-vgg.vgg-19")
    counted = 100 * multiply_adds(meta(34, PLAIN), 224) / vgg_by_hand(2, 2, 4, 4, 4)
    words = f"{plain / 1e9} / {whole / 1e9}"
    return Finding(100 * plain / whole, f"{words}; counted, {counted:.1f} %", f"{words}；逐一计数为 {counted:.1f} %")


# --- Shortcuts and blocks --------------------------------------------------------------------------


def lively(block: nn.Module) -> Any:
    """A block with scales and shifts of batch normalisation that are not one and zero, in evaluation mode."""
    generator = torch.Generator().manual_seed(1)
    for layer in block.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values, low in ((layer.weight, 0.5), (layer.bias, -0.5), (layer.running_mean, -0.5)):
                values.data.uniform_(low, low + 1, generator=generator)
    return block.eval()


def layer_by_hand(layer: Any, x: Tensor, stride: int = 1) -> Tensor:
    """A convolution without bias and batch normalisation in evaluation, with its moments written out."""
    weight = layer.conv.weight
    y = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
    mean, variance = layer.bn.running_mean, layer.bn.running_var
    scale = layer.bn.weight / (variance + 1e-5).sqrt()
    return (y - mean[:, None, None]) * scale[:, None, None] + layer.bn.bias[:, None, None]


def block_by_hand() -> bool:
    block, x = lively(seeded(lambda: model.BuildingBlock(8, 8, 1, "a"))), rand(2, 8, 6, 6)
    with torch.no_grad():
        by_hand = layer_by_hand(block.second, layer_by_hand(block.first, x).clamp(min=0)) + x
        return torch.allclose(block(x), by_hand.clamp(min=0), atol=1e-5)


def bottleneck_by_hand() -> bool:
    block, x = lively(seeded(lambda: model.Bottleneck(8, 4, 2, "b"))), rand(2, 8, 6, 6)
    with torch.no_grad():
        first = layer_by_hand(block.first, x, 2).clamp(min=0)
        second = layer_by_hand(block.second, first).clamp(min=0)
        by_hand = layer_by_hand(block.third, second) + layer_by_hand(block.shortcut, x, 2)
        return torch.allclose(block(x), by_hand.clamp(min=0), atol=1e-5)


def zero_weights_are_identity() -> bool:
    x = rand(2, 8, 6, 6).clamp(min=0)  # what enters a block has passed a ReLU
    given = []
    for shortcut in ("a", PLAIN):
        block = seeded(lambda shortcut=shortcut: model.BuildingBlock(8, 8, 1, shortcut)).eval()
        for conv in convolutions(block).values():
            nn.init.zeros_(conv.weight)
        with torch.no_grad():
            given.append(block(x))
    return torch.equal(given[0], x) and not given[1].any()


def option_a_by_hand() -> bool:
    block, x = model.BuildingBlock(3, 8, 2, "a"), rand(2, 3, 6, 6)
    y = torch.zeros(2, 8, 3, 3)
    for row in range(3):
        for column in range(3):
            y[:, :3, row, column] = x[:, :, 2 * row, 2 * column]
    same = model.BuildingBlock(8, 8, 1, "a")
    return (
        torch.equal(block.shortcut(x), y)
        and not list(block.shortcut.parameters())
        and isinstance(same.shortcut, nn.Identity)
    )


def projects(block: Any) -> bool:
    return block.shortcut is not None and any(
        conv.kernel_size == (1, 1) for conv in convolutions(block.shortcut).values()
    )


def option_b_projects_where_dimensions_increase() -> bool:
    """In 34 layers the first block of three stages, in 50 that of all four: conv2_1 has 64 maps in and 256 out."""
    for depth, expected in (
        (34, {"conv3_1", "conv4_1", "conv5_1"}),
        (50, {"conv2_1", "conv3_1", "conv4_1", "conv5_1"}),
    ):
        net = meta(depth, "b")
        named = {name.split(".")[-1]: block for name, block in net.named_modules() if block in set(blocks(net))}
        strides = {name: block.shortcut.conv.stride[0] for name, block in named.items() if projects(block)}
        if strides != {name: 1 if name == "conv2_1" else 2 for name in expected}:
            return False
    return True


def option_c_projects_everywhere() -> bool:
    return all(projects(block) for depth in (34, 50) for block in blocks(meta(depth, "c")))


def projections_of_c_over_b() -> int:
    c, b = (sum(projects(block) for block in blocks(meta(34, option))) for option in ("c", "b"))
    return c - b


def options_as_printed() -> bool:
    option_a = [not any(map(projects, blocks(meta(depth)))) for depth in (18, 34, 20, 56)]
    option_b = [sum(map(projects, blocks(meta(depth)))) == 4 for depth in (50, 101)]
    residual = [all(block.shortcut is not None for block in blocks(meta(depth))) for depth in (18, 50, 20)]
    return all(option_a + option_b + residual)


def plain_has_as_many_parameters() -> bool:
    depths = (18, 34, 20, 32, 44, 56, 110)
    counts = [(count(meta(depth)), count(plain := meta(depth, PLAIN)), blocks(plain)) for depth in depths]
    return all(ours == theirs and all(b.shortcut is None for b in plain) for ours, theirs, plain in counts)


def weights(module: nn.Module) -> int:
    return sum(conv.weight.numel() for conv in convolutions(module).values())


def bottleneck_over_building_block() -> float:
    """Of Fig. 5; on maps of one size the multiply-adds are as the weights."""
    return weights(model.Bottleneck(256, 64, 1, "b")) / weights(model.BuildingBlock(64, 64, 1, "b"))


def projection_over_identity() -> float:
    return weights(model.Bottleneck(256, 64, 1, "c")) / weights(model.Bottleneck(256, 64, 1, "b"))


def layers_cost_the_same() -> bool:
    """The multiply-adds of the last 3x3 layer of each stage, on maps of the size that the stage really has."""
    for net, side, names in ((meta(18), 224, "2345"), (meta(20), 32, "234")):
        given = sizes(net, side)
        cost = set()
        for name in names:
            conv = on_the_way(getattr(net, f"conv{name}_x"))[-1]
            cost.add(conv.weight.numel() * given[f"conv{name}_x"][1] ** 2)
        if len(cost) != 1:
            return False
    return True


def normalised_after_each_convolution() -> bool:
    """By the order in which the parts are called: what a convolution gives goes to batch normalisation as it is."""
    for net, maps in (
        (seeded(lambda: model.CifarResNet(1, "b")), 3),
        (seeded(lambda: model.Bottleneck(8, 4, 2, "b")), 8),
    ):
        if any(isinstance(part, nn.Dropout) for part in net.modules()):
            return False
        called: list[tuple[nn.Module, Tensor, Tensor]] = []
        parts = [part for part in net.modules() if isinstance(part, nn.Conv2d | nn.BatchNorm2d)]
        hooks = [
            part.register_forward_hook(lambda part, args, out, to=called: to.append((part, args[0], out)))
            for part in parts
        ]
        with torch.no_grad():
            net(rand(2, maps, 32, 32))
        for hook in hooks:
            hook.remove()
        pairs = list(zip(called[::2], called[1::2], strict=True))
        for (conv, _, given), (norm, taken, _) in pairs:
            if not (isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and given is taken):
                return False
            if conv.bias is not None:
                return False
    return True


def halved(*which: Any, **options: Any) -> model.ResNet:
    """A network of Table 1 with half as many maps, in a quarter of the memory."""
    with patch.object(model, "WIDTHS", tuple(maps // 2 for maps in model.WIDTHS)):
        return seeded(lambda: model.ResNet(*which, **options))


def variance_of_the_start() -> bool:
    """Mean and variance of the weights of each layer; scales of one, shifts and biases of zero."""
    net = halved(18, "b")
    close = []
    for layer in [*convolutions(net).values(), net.fc]:
        weight = layer.weight.detach()
        n = weight[0].numel()
        close.append(abs(float(weight.var()) * n / 2 - 1) < 0.1)
        close.append(abs(float(weight.mean())) < 0.1 * (2 / n) ** 0.5)
    ones = [bool((norm.weight == 1).all()) for norm in net.modules() if isinstance(norm, nn.BatchNorm2d)]
    return all(close) and all(ones) and not net.fc.bias.any()


def signals_do_not_vanish() -> Finding:
    """The plain 34 layers, of half the maps, at their start: the spread of the responses, the gradients' norms."""
    net = halved(34, "none").train()
    spread: list[float] = []
    hooks = [
        layer.register_forward_hook(lambda _, args, out: spread.append(float(out.detach().std())))
        for layer in net.modules()
        if isinstance(layer, model.Convolution)
    ]
    norms: list[float] = []

    def note(weight: Tensor) -> None:
        assert weight.grad is not None
        norms.append(float(weight.grad.norm()))
        weight.grad = None  # none is kept: together they are as large as the network

    net.requires_grad_(False)
    for conv in on_the_way(net):
        conv.weight.requires_grad_(True).register_post_accumulate_grad_hook(note)
    F.cross_entropy(net(rand(4, 3, 40, 40)), torch.arange(4)).backward()
    for hook in hooks:
        hook.remove()
    low, high = min(spread), max(spread)
    return Finding(
        low > 0.5 and high < 2 and min(norms) > 1e-3 and max(norms) < 1e3,
        f"standard deviations {low:.2f} to {high:.2f}, gradient norms {min(norms):.2g} to {max(norms):.2g}",
        f"标准差 {low:.2f} 至 {high:.2f}，梯度范数 {min(norms):.2g} 至 {max(norms):.2g}",
    )


# --- CIFAR-10 --------------------------------------------------------------------------------------


def layers_on_each_size() -> bool:
    """By the maps that each layer gives, counted for n = 3 and n = 5."""
    for n in (3, 5):
        net = meta(6 * n + 2)
        sides: list[int] = []
        hooks = [
            conv.register_forward_hook(lambda _, args, out, to=sides: to.append(out.shape[-1]))
            for conv in on_the_way(net)
        ]
        with torch.no_grad():
            net.eval()(torch.zeros(1, 3, 32, 32, device="meta"))
        for hook in hooks:
            hook.remove()
        if sides != [32] * (1 + 2 * n) + [16] * 2 * n + [8] * 2 * n:
            return False
        if sum(block.shortcut is not None for block in blocks(net)) != 3 * n:
            return False
    return True


def tiny(**options: Any) -> cifar10.CIFAR10:
    """A data module with twelve images of noise to train on, four to hold out and four to test on."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(20, 3, 32, 32), dtype=np.uint8)
    labels = np.arange(20) % 10
    data = cifar10.CIFAR10(hold_out=4, **options)
    data.fill((images[:16], labels[:16]), (images[16:], labels[16:]))
    return data


def mean_of_each_pixel() -> bool:
    data = tiny(augment=False, order="none", watch=["val"])
    raw = data.sets["train"][0].double() / 255
    mean = sum(raw) / len(raw)
    train, _ = next(iter(data.train_dataloader()))
    held, _ = next(iter(data.val_dataloader()[0]))
    val = data.sets["val"][0].double() / 255
    centred = torch.allclose(train.double(), raw - mean, atol=1e-6) and torch.allclose(
        held.double(), val - mean, atol=1e-6
    )
    return centred and bool(train.mean(dim=0).abs().max() < 1e-6)


def crops_by_hand() -> bool:
    """Every image that comes out is one of the 81 crops of the padded one or of its mirror image; all occur."""
    images = rand(400, 1, 32, 32)
    out = cifar10.crop_and_mirror(images, torch.Generator().manual_seed(0))
    padded = torch.zeros(400, 1, 40, 40)
    padded[:, :, 4:36, 4:36] = images
    found = set()
    for mirrored, views in ((False, padded), (True, padded.flip(3))):
        for top in range(9):
            for left in range(9):
                crop = views[:, :, top : top + 32, left : left + 32]
                which = (crop == out).flatten(1).all(1).nonzero().flatten().tolist()
                found |= {(i, top, left, mirrored) for i in which}
    tops, lefts, mirrors = ({each[k] for each in found} for k in (1, 2, 3))
    share = sum(each[3] for each in found) / 400
    everywhere = tops == lefts == set(range(9)) and mirrors == {False, True}
    return len(found) == 400 and everywhere and abs(share - 0.5) < 0.1 and tiny().train_dataloader().augment


def test_images_stay_as_they_are() -> bool:
    data = tiny(watch=["test", "val"])
    for name, loader in (("test", data.test_dataloader()), ("val", data.val_dataloader()[1])):
        images, _ = next(iter(loader))
        if not torch.allclose(images + data.mean, data.sets[name][0] / 255, atol=1e-6):
            return False
    return True


def parameters_of_110(than: str) -> int:
    """The number of parameters that is compared with those of other networks."""
    return count(meta(110))


def parameters_of_110_by_hand() -> int:
    """Layers of 3x3 without biases, two numbers for each map, and the output layer: n = 18 of Sec. 4.2."""
    total, maps = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        for _ in range(2 * 18):
            total, maps = total + 9 * maps * width + 2 * width, width
    return total + 64 * 10 + 10


# --- Learning --------------------------------------------------------------------------------------


def ends_with_softmax() -> bool:
    y = rand(3, 10)
    by_hand = y.exp() / y.exp().sum(dim=1, keepdim=True)
    both = (model.ResNet.probabilities, model.CifarResNet.probabilities)
    return all(torch.allclose(given(None, y), by_hand, atol=1e-6) for given in both)  # type: ignore[arg-type]


def small_training(**options: Any) -> training.ResNetTraining:
    return seeded(lambda: training.ResNetTraining("resnet20", **options))


def updates_by_hand() -> bool:
    """Two updates of every parameter with gradients of our own; nothing is spared the weight decay."""
    module = small_training()
    optimizer = module.configure_optimizers()
    mine = [p.detach().clone() for p in module.net.parameters()]
    velocity = [torch.zeros_like(p) for p in mine]
    for step in range(2):
        for i, (p, w) in enumerate(zip(module.net.parameters(), mine, strict=True)):
            p.grad = rand(*p.shape, seed=10 * step + i)
            velocity[i] = 0.9 * velocity[i] + p.grad + 0.0001 * w
            w -= 0.1 * velocity[i]
        optimizer.step()
    return all(torch.allclose(p, w, atol=1e-6) for p, w in zip(module.net.parameters(), mine, strict=True))


def starting_rate() -> float:
    return small_training().configure_optimizers().param_groups[0]["lr"]


def rates_as_printed() -> bool:
    """The rates that the training module sets before chosen iterations."""
    module, rates = small_training(), {}
    optimizer = module.configure_optimizers()
    for done in (0, 31_999, 32_000, 47_999, 48_000, 63_999):
        with (
            patch.object(training.ResNetTraining, "global_step", done),
            patch.object(training.ResNetTraining, "optimizers", lambda self, use_pl_optimizer: optimizer),
        ):
            module.on_train_batch_start(None, 0)
        rates[done] = round(optimizer.param_groups[0]["lr"], 9)
    return rates == {0: 0.1, 31_999: 0.1, 32_000: 0.01, 47_999: 0.01, 48_000: 0.001, 63_999: 0.001}


def rate_falls_on_a_plateau() -> bool:
    """ResNet-18 has this schedule unasked; an error that falls for ten epochs and then stays makes it fall by ten."""
    with shapes_only():
        module: Any = training.ResNetTraining("resnet18", options={"num_classes": 2})
    module._trainer = SimpleNamespace(datamodule=SimpleNamespace(watch=["test"]))
    configured = module.configure_optimizers()
    if not isinstance(configured, dict):
        return False
    schedule, optimizer, rates = configured["lr_scheduler"], configured["optimizer"], []
    for epoch in range(30):
        schedule["scheduler"].step(max(50.0 - 2 * epoch, 30.0))
        rates.append(round(optimizer.param_groups[0]["lr"], 9))
    fell = [b / a for a, b in pairwise(rates) if a != b]
    return schedule["monitor"] == "test_error" and set(rates[:10]) == {0.1} and bool(fell) and np.allclose(fell, 0.1)


def warms_up_until_80_percent() -> bool:
    others = [training.ResNetTraining(name).warm_up.over for name in ("resnet20", "plain56", "resnet56")]
    module = seeded(lambda: training.ResNetTraining("resnet110"))
    optimizer, rates = module.configure_optimizers(), []
    with (
        patch.object(training.ResNetTraining, "global_step", 0),
        patch.object(training.ResNetTraining, "optimizers", lambda self, use_pl_optimizer: optimizer),
    ):
        for error in [90.0] * 300 + [81.0] * 150 + [70.0] * 100 + [95.0] * 150:
            module.on_train_batch_start(None, 0)
            rates.append(optimizer.param_groups[0]["lr"])
            if not module.warm_up.over:
                module.warm_up.saw(error)
    changed = rates.index(0.1) if 0.1 in rates else 0
    return all(others) and set(rates[:changed]) == {0.01} and set(rates[changed:]) == {0.1} and 450 < changed < 550


def batch_size() -> int:
    """Of the data module, which is what the training meets."""
    images, labels = np.zeros((300, 3, 32, 32), dtype=np.uint8), np.zeros(300, dtype=np.int64)
    data = cifar10.CIFAR10()
    data.fill((images, labels), (images, labels))
    return len(next(iter(data.train_dataloader()))[0])


def setting_of_the_recipe(name: str) -> Any:
    """`imagenet-batch_size`: what the recipe of that name sets under data, model or trainer."""
    recipe, _, option = name.partition("-")
    section = {"max_steps": "trainer", "weight_decay": "model", "momentum": "model", "drops": "model"}
    found = setting("resnet", recipe, f"{section.get(option, 'data')}.{option}")
    return tuple(found) if isinstance(found, list) else found


# --- Testing and responses -------------------------------------------------------------------------


class Brightness(nn.Module):
    """Stands in for a network: a hundred times the image's mean and its upper left pixel are the logits."""

    def forward(self, x: Tensor) -> Tensor:
        return 100 * torch.stack([x.mean(dim=(1, 2, 3)), x[:, 0, 0, 0]], dim=1)

    def probabilities(self, y: Tensor) -> Tensor:
        return torch.softmax(y, dim=1)


def ten_crops_by_hand() -> bool:
    images, views = 0.01 * rand(2, 3, 9, 12), []
    for top, left in ((0, 0), (0, 7), (4, 0), (4, 7), (2, 3)):
        crop = images[:, :, top : top + 5, left : left + 5]
        views += [crop, crop.flip(3)]
    by_hand = torch.stack([torch.softmax(Brightness()(view), dim=1) for view in views]).mean(dim=0)
    return torch.allclose(testing.ten_crop_probabilities(Brightness(), images, 5), by_hand, atol=1e-6)


def dense_equals_plain() -> bool:
    """At 224x224 there is one place; on a larger image a place's score is that of its 7x7 window alone."""
    net, x = lively(halved(18, num_classes=5)), rand(1, 3, 288, 224)
    with torch.no_grad():
        maps, once, y = net.score_maps(x), net.score_maps(x[:, :, :224]), net(x[:, :, :224])
        features = net.features(x)
        windows = [net.fc(features[:, :, i : i + 7].mean(dim=(2, 3))) for i in range(3)]
    same = once.shape == (1, 5, 1, 1) and torch.allclose(once.flatten(1), y, rtol=1e-3, atol=1e-3)
    return (
        same
        and maps.shape == (1, 5, 3, 1)
        and torch.allclose(maps[..., 0], torch.stack(windows, 2), rtol=1e-3, atol=1e-3)
    )


class Sides(model.ResNet):
    """Says the sides of the images it is shown: logits of the shorter one, at two places whose mean it is."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.shown: list[tuple[int, int]] = []

    def score_maps(self, x: Tensor) -> Tensor:
        self.shown.append((x.shape[2], x.shape[3]))
        side = float(min(x.shape[2:])) / 100
        return torch.tensor([[side - 1, side + 1], [0.0, 0.0]]).view(1, 2, 1, 2)


def scales_by_hand() -> bool:
    net, sides = Sides(), (224, 256, 384, 480, 640)
    given = testing.multi_scale_probabilities(net, torch.zeros(1, 3, 30, 60))
    by_hand = torch.stack([torch.softmax(torch.tensor([[side / 100, 0.0]]), dim=1) for side in sides]).mean(dim=0)
    return net.shown == [(side, 2 * side) for side in sides] and torch.allclose(given, by_hand, atol=1e-6)


def responses_by_hand() -> bool:
    """Two batches through three blocks, layer after layer; the first layer of the network is a 3x3 layer too."""
    net, batches = lively(seeded(lambda: model.CifarResNet(1))), [rand(2, 3, 16, 16, seed=i) for i in (1, 2)]
    with torch.no_grad(), testing.LayerResponses(net) as listening:
        for x in batches:
            net(x)
    net(batches[0])  # outside the context nothing is listened to
    with torch.no_grad():
        x = torch.cat(batches)
        seen = {"conv1": layer_by_hand(net.conv1, x)}
        x = seen["conv1"].clamp(min=0)
        for i, name in enumerate(("conv2", "conv3", "conv4")):
            block, path = getattr(net, f"{name}_x")[0], f"{name}_x.{name}_1"
            stride = 1 if i == 0 else 2
            seen[f"{path}.first"] = layer_by_hand(block.first, x, stride)
            seen[f"{path}.second"] = layer_by_hand(block.second, seen[f"{path}.first"].clamp(min=0))
            x = (seen[f"{path}.second"] + block.shortcut(x)).clamp(min=0)
    std = listening.std()
    by_hand = {name: float(response.std(correction=0)) for name, response in seen.items()}
    return list(std) == list(by_hand) and np.allclose(list(std.values()), list(by_hand.values()), rtol=1e-3)


# --- What the paper reckons from printed numbers -------------------------------------------------------


def shared_by_the_detector(what: str) -> int:
    """Of the layers that Sec. A shares between proposals and detection: conv1 to conv4_x, and VGG-16's convolutions."""
    if what == "layers":
        net = meta(101)
        return sum(len(on_the_way(part)) for part in (net.conv1, net.conv2_x, net.conv3_x, net.conv4_x))
    if what == "stride":
        return 224 // sizes(meta(101), 224)["conv4_x"][1]
    net = vgg("d")
    if what == "layers-of-vgg-16":
        return len(convolutions(net))
    seen: list[int] = []
    last = list(convolutions(net).values())[-1]
    last.register_forward_hook(lambda _, args, out: seen.append(out.shape[-1]))
    net(torch.zeros(1, 3, 224, 224, device="meta"))
    return 224 // seen[0]


VOC = (
    "areo", "bike", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "table", "dog", "horse", "mbike", "person", "plant", "sheep", "sofa", "train", "tv",
)  # fmt: skip

# (first, second) of printed numbers; their difference, or its share of the second.
DIFFERENCES = {
    "depth-helps": ("imagenet-top-1.resnet18", "imagenet-top-1.resnet34"),
    "shortcuts-help": ("imagenet-top-1.plain34", "imagenet-top-1.resnet34"),
    "coco": ("detection-coco", "detection-vgg-16.coco"),
    "coco-50": ("detection-coco-50", "detection-vgg-16.coco-50"),
    "box-refinement-50": ("detection-steps.box-refinement-50", "detection-coco-50"),
    "box-refinement": ("detection-steps.box-refinement", "detection-coco"),
    "context-50": ("detection-steps.context-50", "detection-steps.box-refinement-50"),
    "multi-scale-50": ("detection-steps.multi-scale-50", "detection-steps.context-50"),
    "multi-scale": ("detection-steps.multi-scale", "detection-steps.context"),
    "voc-2007": ("detection-voc-2007", "detection-vgg-16.voc-2007"),
    "voc-2012": ("detection-voc-2012", "detection-vgg-16.voc-2012"),
}


def mean_over_classes(table: str) -> float:
    """Of a row of Table 10 or 11, as the claims have it, class by class."""
    return sum(stated("resnet", f"{table}.{name}") for name in VOC) / len(VOC)


def reckoned(what: str) -> float:
    if what in DIFFERENCES:
        first, second = (stated("resnet", claim) for claim in DIFFERENCES[what])
        return round(first - second, 4)
    if what == "coco-relative":
        ours, theirs = (stated("resnet", claim) for claim in DIFFERENCES["coco"])
        return 100 * (ours - theirs) / theirs
    if what == "localisation":
        ours, theirs = stated("resnet", "localisation.top-5-ensemble-test"), stated("vgg", "table-9.fusion-test")
        return 100 * (theirs - ours) / theirs
    return stated("resnet", "single-model-top-5.resnet101")


# What the paper quotes of others that this edition has, and where these give it.
QUOTED = {
    "googlenet-10-crops": ("googlenet", "top5.1-model-10-crops"),
    "googlenet": ("googlenet", "top5.1-model-144-crops"),
    "googlenet-ensemble": ("googlenet", "top5-test"),
    "vgg-ensemble-2014": ("googlenet", "others-classification.vgg"),
    "vgg-top-1": ("vgg", "table-5-both-top1.e"),
    "vgg-top-5": ("vgg", "table-5-both-top5.e"),
    "vgg-ensemble": ("vgg", "table-6-both.test_top5_error"),
    "googlenet-detection": ("googlenet", "detection"),
    "vgg-localisation": ("vgg", "table-8.all-pcr"),
}


def quoted(row: str) -> float:
    return stated(*QUOTED[row])


# --- What popular implementations change -----------------------------------------------------------


def torchvision_differs() -> bool:
    """v1.5: as many parameters, the stride in the 3x3 layers, 4.089 billion multiply-adds for 3.858.

    The rest is looked at where torchvision imports.
    """
    with torch.device("meta"):
        v1_5, ours = model.ResNet(50, stride="3x3"), model.ResNet(50)
    work = multiply_adds(v1_5, 224), multiply_adds(ours, 224)
    counted = count(v1_5) == count(ours) == 25_557_032 and work == (4_089_184_256, 3_857_973_248)
    try:
        from torchvision.models import ResNet50_Weights, resnet50
    except (ImportError, RuntimeError):  # a torchvision that does not fit torch fails with RuntimeError
        return counted
    theirs = seeded(resnet50)
    bound = theirs.fc.in_features**-0.5  # of PyTorch's own rule for weights and biases
    uniform = all(0.99 * bound < float(p.detach().abs().max()) <= bound for p in (theirs.fc.weight, theirs.fc.bias))
    divided = ResNet50_Weights.IMAGENET1K_V1.transforms().std == [0.229, 0.224, 0.225]
    return counted and is_v1_5(theirs) and uniform and divided


def is_v1_5(theirs: Any) -> bool:
    """Of a ResNet-50 as torchvision and timm build them."""
    block = theirs.layer2[0]
    with torch.device("meta"):
        same_work = multiply_adds(theirs.to("meta"), 224) == 4_089_184_256
    return (block.conv1.stride, block.conv2.stride) == ((1, 1), (2, 2)) and count(theirs) == 25_557_032 and same_work


def torchvision_18_differs() -> bool:
    """Option B by its parameters, counted in torchvision's networks too where it imports."""
    counted = count(meta(18, "b")) == 11_689_512 and count(meta(18)) == 11_515_688
    try:
        from torchvision import models
    except (ImportError, RuntimeError):
        return counted
    with torch.device("meta"):
        same = count(models.resnet18()) == count(meta(18, "b")) and count(models.resnet34()) == count(meta(34, "b"))
    family = {name for name in models.list_models(models) if name.startswith(("resnet", "plain"))}
    return counted and same and family == {f"resnet{depth}" for depth in model.BLOCKS}


def timm_differs() -> bool:
    """v1.5 too, the residuals silent at first, and weights of another training."""
    import timm

    theirs = seeded(lambda: timm.create_model("resnet50"))
    other = theirs.pretrained_cfg["paper_ids"] == "arXiv:2110.00476"
    return silent(theirs, "bn3") and other and is_v1_5(theirs)


def timm_18_differs() -> bool:
    import timm

    theirs = seeded(lambda: timm.create_model("resnet18"))
    with torch.device("meta"):
        same_34 = count(timm.create_model("resnet34")) == count(meta(34, "b"))
    return silent(theirs, "bn2") and count(theirs) == count(meta(18, "b")) and same_34


def silent(theirs: Any, last: str) -> bool:
    """Whether each block gives its shortcut alone, for its last normalisation has a scale of zero. None of ours has."""
    stages = (theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4)
    scales = [getattr(block, last).weight for stage in stages for block in stage]
    as_printed = [module.weight for module in model.ResNet(18).modules() if isinstance(module, nn.BatchNorm2d)]
    return not any(scale.any() for scale in scales) and all(bool(scale.all()) for scale in as_printed)


# --- Broken models: each must cost at least one claim its verdict ----------------------------------


def _built(changes: dict[type, Callable[[Any], None]]) -> AbstractContextManager[object]:
    """Changes what a class has built, as soon as it is built."""

    def changed(build: Any, change: Callable[[Any], None]) -> Any:
        @wraps(build)
        def init(self: Any, *args: Any, **options: Any) -> None:
            build(self, *args, **options)
            change(self)

        return init

    return _all(patch.object(cls, "__init__", changed(cls.__init__, change)) for cls, change in changes.items())


def _all(patches: Iterable[AbstractContextManager[object]]) -> AbstractContextManager[object]:
    stack = ExitStack()
    for each in patches:
        stack.enter_context(each)
    return stack


def _sum_last(self: Any, x: Tensor) -> Tensor:
    residual = F.relu(self.residual(x))
    return residual if self.shortcut is None else residual + self.shortcut(x)


def _zeros_first(self: Any, x: Tensor) -> Tensor:
    return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.extra_maps, 0))


def _quarters(self: Any) -> None:
    self.average_pool = nn.AdaptiveAvgPool2d(2)
    self.fc = nn.Linear(4 * self.fc.in_features, self.fc.out_features + 1)


def _widen(self: Any) -> None:
    maps = self.first.conv.out_channels
    stride = self.first.conv.stride[0]
    self.first = model.Convolution(self.first.conv.in_channels, maps, 1)
    self.second, self.third = model.Convolution(maps, 2 * maps, 3, stride), model.Convolution(2 * maps, 4 * maps, 1)


def _small_step(self: Any) -> Any:
    return torch.optim.SGD(self.net.parameters(), lr=0.01, momentum=0.5)


def _five_crops(images: Tensor, size: int, exact: Any = testing.ten_crops) -> Tensor:
    return exact(images, size)[:, :5].repeat(1, 2, 1, 1, 1)


class _Late(testing.LayerResponses):
    def _listener(self, name: str) -> Any:
        listen = super()._listener(name)
        return lambda layer, inputs, out: listen(layer, inputs, F.relu(out))


def _unpooled(self: Any, x: Tensor) -> Tensor:
    return F.conv2d(self.features(x), self.fc.weight[:, :, None, None], self.fc.bias)


class OneMean(cifar10.CIFAR10):
    """Augments nothing in training and everything in testing, by tens, and takes the mean of the whole set."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"batch_size": 64, **options})

    def fill(self, train: Any, test: Any) -> None:
        super().fill(train, test)
        self.mean = self.mean.mean().expand(3, 32, 32)

    def train_dataloader(self) -> Any:
        return cifar10.ImageBatches(self.mean, False, *self._set("train"), self.batch_size, "none", 0)

    def test_dataloader(self) -> Any:
        return cifar10.ImageBatches(self.mean, True, *self._set("test"), self.eval_batch_size)


def _project(option: str, *args: Any, exact: Any = model.shortcut_connection) -> Any:
    return exact("c", *args)


def _shallow_vgg(variant: str) -> Any:
    with torch.device("meta"):
        net: Any = literatim.load("vgg", "a")
    net.block1.conv1_1.stride = (2, 2)
    net.fc6 = nn.Linear(9 * 512, 4096, device="meta")
    return net


def _other_numbers(paper: str, claim: str, exact: Callable[[str, str], float] = stated) -> float:
    number = exact(paper, claim)
    return number - number**2 / 50


def _other_settings(paper: str, recipe: str, option: str, exact: Callable[..., Any] = setting) -> Any:
    found = exact(paper, recipe, option)
    return found[::-1] if isinstance(found, list) else 3 * found


BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    # A well-known collection has this one: the maps are never halved, and the number of parameters is right.
    "stride 2 in the first stage only": lambda: patch.multiple(model, STRIDES=(2, 1, 1, 1), CIFAR_STRIDES=(2, 1, 1)),
    "other numbers of filters": lambda: patch.multiple(model, WIDTHS=(48, 96, 192, 400), CIFAR_WIDTHS=(8, 24, 96)),
    "a block more in each stage": lambda: patch.object(
        model, "stage", lambda name, block, n, *how, exact=model.stage: exact(name, block, n + 1, *how)
    ),
    "ReLU before the addition, zeros before the maps": lambda: _all(
        [
            patch.object(model.BuildingBlock, "forward", _sum_last),
            patch.object(model.ZeroPadded, "forward", _zeros_first),
        ]
    ),
    "no batch normalisation": lambda: patch.object(model.Convolution, "forward", lambda self, x: self.conv(x)),
    "shortcuts left out": lambda: patch.object(model, "shortcut_connection", lambda *args: None),
    "every shortcut a projection": lambda: patch.object(model, "shortcut_connection", _project),
    "bottlenecks twice as wide, strided inside": lambda: _built({model.Bottleneck: _widen}),
    "averages over quarters, and a class too many": lambda: _built(
        {model.ResNet: _quarters, model.CifarResNet: _quarters}
    ),
    "other numbers in the papers' tables": lambda: patch(f"{__name__}.stated", _other_numbers),
    "other numbers in the recipes": lambda: patch(f"{__name__}.setting", _other_settings),
    "VGG's shallowest net, each of whose halvings is a stride": lambda: patch(f"{__name__}.vgg", _shallow_vgg),
    "torch's own initialisation": lambda: patch.object(model, "initialise", lambda net: None),
    "another optimiser, no schedule, no warm-up": lambda: patch.multiple(
        training.ResNetTraining, configure_optimizers=_small_step, on_train_batch_start=lambda *args: None
    ),
    "one mean, no crops, batches of 64": lambda: patch.object(cifar10, "CIFAR10", OneMean),
    "half of what testing averages, logits for probabilities": lambda: _all(
        [
            patch.multiple(testing, ten_crops=_five_crops, LayerResponses=_Late, resized=lambda images, side: images),
            patch.multiple(model.ResNet, probabilities=lambda self, y: y, score_maps=_unpooled),
        ]
    ),
}
BREAK_TRAINING: tuple[str, ...] = ()
