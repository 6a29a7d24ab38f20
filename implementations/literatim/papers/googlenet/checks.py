"""Checks of GoogLeNet's claims that need code of their own, and the broken models that show that the claims bite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial, wraps
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import literatim
from literatim.claims import Finding, stated
from literatim.claims.once import once
from literatim.papers.alexnet.model import ResponseNormalization
from literatim.papers.googlenet import crops, model, training
from literatim.parts.crops import ten_crops


def shapes_only(**options: Any) -> model.GoogLeNet:
    """The network on the meta device: shapes, and no memory."""
    with torch.device("meta"):
        return model.GoogLeNet(**options)


def miniature(**options: Any) -> model.GoogLeNet:
    """A small network with weights of an ordinary size, the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return model.GoogLeNet(10, stem="small", divide=8, init="he", **options)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


# --- Table 1 ---------------------------------------------------------------------------------------

# The numbers of Table 1 once more, for proofs without the model: inputs, side of the maps, and the six columns.
ROWS = {
    "3a": (192, 28, 64, 96, 128, 16, 32, 32),
    "3b": (256, 28, 128, 128, 192, 32, 96, 64),
    "4a": (480, 14, 192, 96, 208, 16, 48, 64),
    "4b": (512, 14, 160, 112, 224, 24, 64, 64),
    "4c": (512, 14, 128, 128, 256, 24, 64, 64),
    "4d": (512, 14, 112, 144, 288, 32, 64, 64),
    "4e": (528, 14, 256, 160, 320, 32, 128, 128),
    "5a": (832, 7, 256, 160, 320, 32, 128, 128),
    "5b": (832, 7, 384, 192, 384, 48, 128, 128),
}


def filters(module: nn.Module) -> int:
    """Of the convolution in a module."""
    return next(layer for layer in module.modules() if isinstance(layer, nn.Conv2d)).out_channels


def channels(row: str) -> tuple[int, ...]:
    """The six numbers of filters of a module of the built network, in the order of Table 1."""
    module = getattr(once("googlenet on meta", shapes_only), f"inception_{row}")
    names = ("conv1x1", "reduce3x3", "conv3x3", "reduce5x5", "conv5x5", "projection")
    return tuple(filters(getattr(module, name)) for name in names)


channels_3a, channels_3b = partial(channels, "3a"), partial(channels, "3b")
channels_4a, channels_4b, channels_4c = partial(channels, "4a"), partial(channels, "4b"), partial(channels, "4c")
channels_4d, channels_4e = partial(channels, "4d"), partial(channels, "4e")
channels_5a, channels_5b = partial(channels, "5a"), partial(channels, "5b")


def channels_conv2() -> tuple[int, ...]:
    return tuple(filters(convolution) for convolution in shapes_only().conv2)


def weights_of(row: str, fives: int = 5) -> int:
    """By hand, from the columns of Table 1, without biases."""
    inputs, _, *columns = ROWS[row]
    return weights_of_module(inputs, *columns, fives=fives)


def weights_of_module(
    inputs: int, ones: int, reduce3: int, threes: int, reduce5: int, windows: int, projection: int, fives: int = 5
) -> int:
    ahead = inputs * (ones + reduce3 + reduce5 + projection)
    return ahead + reduce3 * threes * 9 + reduce5 * windows * fives**2


def conv1_parameters() -> int:
    return 7 * 7 * 3 * 64 + 64


def conv1_operations() -> int:
    return 7 * 7 * 3 * 64 * 112 * 112


def parameters_5a() -> int:
    return weights_of("5a") + sum(ROWS["5a"][2:])


def operations_5a() -> int:
    return weights_of("5a") * 7 * 7


COUNTED = ("conv1", "conv2", *(f"inception_{row}" for row in ROWS), "linear")  # rows with params and ops


def operations_printed() -> float:
    """What the column ops adds up to."""
    return sum(stated("googlenet", f"operations.{row}") for row in COUNTED)


def parameters_printed() -> float:
    """What the column params adds up to."""
    return round(sum(stated("googlenet", f"parameters.{row}") for row in COUNTED))


def single_changes() -> Finding:
    """For (4a) to (5b), how many ways there are to change one number of the row by a multiple of four so that both its
    printed costs come out: its inputs in the built network, or a column. The costs are rounded, without biases."""
    rows = [row for row in ROWS if not row.startswith("3")]
    found = {row: changes_that_fit(row) for row in rows}
    words = "; ".join(f"({row}) {way}" for row, ways in found.items() for way in ways)
    return Finding(tuple(len(ways) for ways in found.values()), words, words)


def changes_that_fit(row: str) -> list[str]:
    names = ("inputs", "1x1", "3x3 reduce", "3x3", "5x5 reduce", "5x5", "pool proj")
    now = (getattr(once("googlenet on meta", shapes_only), f"inception_{row}").conv1x1[0].in_channels, *channels(row))
    params, ops = (stated("googlenet", f"{column}.inception_{row}") for column in ("parameters", "operations"))
    found = []
    for place, number in enumerate(now):
        for other in range(4, 1100, 4):
            weights = weights_of_module(*(other if i == place else n for i, n in enumerate(now)))
            fits = round(weights / 1024) * 1024 == params and round(weights * ROWS[row][1] ** 2, -6) == ops
            if fits and other != number:
                found.append(f"{names[place]} {other} for {number}")
    return found


def times_fewer_than_alexnet() -> float:
    """AlexNet's parameters over those of the network without its auxiliary classifiers, to one decimal."""
    with torch.device("meta"):
        alexnet = literatim.load("alexnet")
    of = [sum(p.numel() for p in net.parameters()) for net in (alexnet, shapes_only(heads=False))]
    return round(of[0] / of[1], 1)


# --- The network -----------------------------------------------------------------------------------


def longest_chain(*kinds: str) -> int:
    """The most operations of these kinds on a way from the input to the output of the network."""
    net = miniature().eval()
    pools = nn.MaxPool2d(3, 1, padding=1)  # the miniature leaves out the first two poolings
    net.maxpool1, net.maxpool2 = pools, pools
    return longest_way(net(noise(1, 3, 28, 28)), *kinds)


def longest_way(out: Tensor, *kinds: str) -> int:
    """The most operations of these kinds on a way to an output, read off the graph of gradients."""
    known: dict[object, int] = {None: 0}
    stack: list[Any] = [out.grad_fn] if out.grad_fn else []
    while stack:
        node = stack[-1]
        below = [before for before, _ in node.next_functions if before not in known]
        if below:
            stack.extend(below)
            continue
        stack.pop()
        here = any(node.name().startswith(kind) for kind in kinds)
        known[node] = here + max((known[before] for before, _ in node.next_functions), default=0)
    return max(known.values())


def depth() -> int:
    return longest_chain("Convolution", "Addmm")


def depth_with_pooling() -> int:
    """The way through a module's own pooling is no longer than the others: it has one convolution instead of two."""
    return longest_chain("Convolution", "Addmm", "MaxPool2D", "AvgPool2D")


def depth_of(part: str) -> int:
    """Layers with parameters one behind the other in a row of Table 1."""
    layer = getattr(once("miniature of googlenet", miniature).eval(), part)
    first = next((m for m in layer.modules() if isinstance(m, nn.Conv2d | nn.Linear)), None)
    if isinstance(first, nn.Linear):
        x = noise(1, first.in_features)
    else:
        x = noise(1, first.in_channels if first else 3, 28, 28)
    return longest_way(layer(x.requires_grad_()), "Convolution", "Addmm")


def window(part: str) -> tuple[int, int]:
    """Side and stride of the last convolution of a row of Table 1, or of its pooling."""
    layer = getattr(once("googlenet on meta", shapes_only), part)
    last = [m for m in layer.modules() if hasattr(m, "kernel_size")][-1]
    side, stride = (n[0] if isinstance(n, tuple) else n for n in (last.kernel_size, last.stride))
    return side, stride


def building_blocks() -> int:
    """The boxes of Fig. 3, read off the network: its layers but the rectifiers, which the figure does not draw, a
    concatenation for each module and a softmax for each classifier."""
    net = shapes_only()
    kinds = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, ResponseNormalization, nn.Linear, nn.Dropout, model.Inception)
    layers = sum(isinstance(part, kinds) for part in net.modules())
    return layers + len(net.train()(torch.zeros(1, 3, 224, 224, device="meta")))


def order_of(net: nn.Module, size: int) -> list[str]:
    """The names of the layers without parts of their own, as an example passes through them."""
    seen: list[str] = []
    for module in net.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda module, _, out: seen.append(described(module)))
    net.eval()(torch.zeros(1, 3, size, size, device=next(net.parameters()).device))
    return seen


def described(layer: nn.Module) -> str:
    window = getattr(layer, "kernel_size", None)
    window = window[0] if isinstance(window, tuple) else window
    return type(layer).__name__ + (f" {window}" if window else "")


def stem_in_order() -> bool:
    return order_of(shapes_only(), 224)[:10] == [
        "Conv2d 7", "ReLU", "MaxPool2d 3", "ResponseNormalization",
        "Conv2d 1", "ReLU", "Conv2d 3", "ReLU", "ResponseNormalization", "MaxPool2d 3",
    ]  # fmt: skip


def with_signed_biases(module: nn.Module) -> Any:
    """The same module with its biases drawn around zero, so that about half of the units are off."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.bias.copy_(torch.randn(layer.bias.shape, generator=generator) * 0.1)
    return module.eval()


def module_by_hand() -> bool:
    """Module (3a) of the miniature with its four ways written out."""
    net, x = with_signed_biases(miniature().inception_3a), noise(2, 24, 9, 9)

    def through(convolution: Any, x: Tensor, k: int) -> Tensor:
        layer = convolution[0]
        windows = F.unfold(x, k, padding=k // 2)  # (N, inputs k k, places)
        sums = layer.weight.flatten(1) @ windows + layer.bias[:, None]
        return (sums * (sums > 0)).view(len(x), -1, *x.shape[2:])

    with torch.no_grad():
        walled = F.pad(x, (1, 1, 1, 1), value=-torch.inf)
        highest = walled.unfold(2, 3, 1).unfold(3, 3, 1).amax(dim=(4, 5))
        ways = [
            through(net.conv1x1, x, 1),
            through(net.conv3x3, through(net.reduce3x3, x, 1), 3),
            through(net.conv5x5, through(net.reduce5x5, x, 1), 5),
            through(net.projection, highest, 1),
        ]
        return torch.allclose(net(x), torch.cat(ways, dim=1), atol=1e-5)


def all_rectified() -> bool:
    """Every one of the 59 convolutions is followed by a rectifier at once, in training too: 57, and two on the side."""
    net = shapes_only().train()
    seen: list[str] = []
    for module in net.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda module, _, out: seen.append(type(module).__name__))
    net(torch.zeros(1, 3, 224, 224, device="meta"))
    after = [following for layer, following in pairwise(seen) if layer == "Conv2d"]
    return after == ["ReLU"] * 59


def dropout() -> float:
    """How many in a hundred of the outputs of the average pooling, all ones here, the linear layer does not see."""
    net, seen = miniature(), []
    net.linear.register_forward_hook(lambda _, args, out: seen.append(args[0]))
    pooled = torch.ones(400, net.linear.in_features, 1, 1)
    with torch.random.fork_rng(), torch.no_grad(), patch.object(net.avgpool, "forward", lambda x: pooled):
        torch.manual_seed(0)
        net.train()(noise(2, 3, 28, 28))
    return round(100 * float((seen[0] == 0).float().mean()), 1)


# --- The auxiliary classifiers ---------------------------------------------------------------------


def auxiliary_shape(stage: str) -> tuple[int, ...]:
    """What the pooling of an auxiliary classifier makes of the output of its module, while the network trains."""
    net, seen = shapes_only().train(), []
    source = getattr(net, f"inception_{stage}")
    source.register_forward_hook(lambda _, args, out: seen.append(out))
    pool = getattr(net, f"auxiliary_{stage}").avgpool
    pool.register_forward_hook(lambda _, args, out: seen.append((args[0], out)))
    net(torch.zeros(1, 3, 224, 224, device="meta"))
    (went_in, pooled), came_out = seen[1], seen[0]
    return tuple(pooled.shape[1:]) if went_in is came_out else ()


auxiliary_shape_4a, auxiliary_shape_4d = partial(auxiliary_shape, "4a"), partial(auxiliary_shape, "4d")


def auxiliary_by_hand() -> bool:
    """The sizes of the network's two, and one of a few units written out; the dropout counted as it trains."""
    net = shapes_only()
    for head in (net.auxiliary_4a, net.auxiliary_4d):
        if (filters(head), *head.fc[0].weight.shape, *head.linear.weight.shape) != (128, 1024, 2048, 1000, 1024):
            return False
    small, x = with_signed_biases(model.AuxiliaryClassifier(6, 4, 300, 10)), noise(2, 6, 14, 14)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        pooled = x.unfold(2, 5, 3).unfold(3, 5, 3).mean(dim=(4, 5))
        layer = small.conv[0]
        maps = torch.einsum("oi,nihw->nohw", layer.weight[:, :, 0, 0], pooled) + layer.bias[:, None, None]
        units = F.linear(maps.clamp(min=0).flatten(1), small.fc[0].weight, small.fc[0].bias).clamp(min=0)
        by_hand = F.linear(units, small.linear.weight, small.linear.bias)
        seen: list[Tensor] = []
        small.linear.register_forward_hook(lambda _, args, out: seen.append(args[0]))
        same = torch.allclose(small(x), by_hand, atol=1e-5)
        small.fc[0].bias.fill_(100.0)  # all units on
        small.train()(x.repeat(20, 1, 1, 1))
    return same and abs(float((seen[1] == 0).float().mean()) - 0.7) < 0.02


def auxiliary_weight() -> Finding:
    """How fast the loss grows with that of one auxiliary classifier, and with that of the other."""
    target = torch.tensor([0, 1])
    outputs = tuple(noise(3, 2, 4).unbind())
    alone = [float(F.cross_entropy(y, target)) for y in outputs]
    rates = []
    for side in (1, 2):
        more = [y * 3 if i == side else y for i, y in enumerate(outputs)]
        gained = float(F.cross_entropy(more[side], target)) - alone[side]
        loss = float(model.supervised_loss(tuple(more), target)) - float(model.supervised_loss(outputs, target))
        rates.append(round(loss / gained, 5))
    return Finding(rates[0] if rates[0] == rates[1] else 0.0, f"{rates[0]:.4f} and {rates[1]:.4f}", f"{rates}")


def auxiliary_discarded() -> bool:
    """In evaluation neither is called, there is one output, and it is that of the network made without them."""
    net, called = miniature(), []
    for head in (net.auxiliary_4a, net.auxiliary_4d):
        head.register_forward_hook(lambda *_: called.append(1))
    without = miniature(heads=False)
    without.load_state_dict({name: w for name, w in net.state_dict().items() if not name.startswith("auxiliary")})
    x = noise(2, 3, 28, 28)
    with torch.no_grad():
        three, y = net.train()(x), net.eval()(x)
        return len(three) == 3 and len(called) == 2 and torch.equal(y, without.eval()(x))


# --- Training --------------------------------------------------------------------------------------


def trainer_of(**settings: Any) -> training.GoogLeNetTraining:
    return training.GoogLeNetTraining("googlenet-miniature", {"num_classes": 10, "init": "he"}, **settings)


def momentum() -> float:
    """What is left in a step of the step before, on a network without decay whose second gradient is zero."""
    module = trainer_of(weight_decay=0.0)
    (optimizer,), _ = module.configure_optimizers()
    weight: Any = module.net.linear.bias
    places = [weight.detach().clone()]
    for gradient in (1.0, 0.0):
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()
        places.append(weight.detach().clone())
    first, second = places[1] - places[0], places[2] - places[1]
    return round(float((second / first).mean()), 4)


def schedule_as_printed() -> bool:
    """The rates of the first 24 epochs, as the optimiser gets them."""
    module = trainer_of(lr=0.5)
    (optimizer,), (scheduler,) = module.configure_optimizers()
    rates = []
    for _ in range(24):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return torch.allclose(torch.tensor(rates), torch.tensor([0.5] * 8 + [0.48] * 8 + [0.4608] * 8))


def final_model_is_the_mean() -> bool:
    """After three steps the final model has the mean of the three weights, and it is what answers."""
    module, seen = trainer_of(), []
    for step in range(3):
        with torch.no_grad():
            module.net.linear.bias.fill_(float(step**2))
        seen.append(module.net.linear.bias.detach().clone())
        with patch.object(training.GoogLeNetTraining, "current_epoch", 0):
            module.on_train_batch_end(None, None, step)
    x = noise(2, 3, 28, 28)
    with torch.no_grad():
        mean = module.net.eval()(x) - seen[-1] + torch.stack(seen).mean(dim=0)
        return torch.allclose(module.eval()(x), mean, atol=1e-5)


def many_patches(n: int = 4000) -> tuple[Tensor, Tensor]:
    """(areas as parts of the image's, aspect ratios) of patches of a large image, too large for rounding to matter."""
    generator = torch.Generator().manual_seed(0)
    sizes = torch.tensor([crops.patch_of(9000, 12000, generator)[2:] for _ in range(n)], dtype=torch.float64)
    return sizes.prod(dim=1) / (9000 * 12000), sizes[:, 1] / sizes[:, 0]


def patches_as_printed() -> Finding:
    """All within the bounds, some near each of them, and up to where every patch fits the areas evenly spread.

    A patch of any aspect ratio fits into this image of 4:3 while its area is at most 9/16 of it. So of the areas
    from 8 % to 56 % each eighth of that range should hold an eighth, give or take three standard deviations.
    """
    area, aspect = many_patches()
    fits = area[area < 0.56]
    eighths = torch.histc(fits, 8, 0.08, 0.56) / len(fits)
    bounds = [float(f"{value:.3f}") for value in (area.min(), area.max(), aspect.min(), aspect.max())]
    within = bool((area >= 0.0799).all() and (area <= 1.0001).all() and (aspect >= 0.749).all())
    within = within and bool((aspect <= 1.3341).all())
    reached = area.min() < 0.085 and area.max() > 0.9 and aspect.min() < 0.76 and aspect.max() > 1.32
    even = bool(((eighths - 1 / 8).abs() < 0.025).all())
    return Finding(bool(within and reached and even), f"areas and aspect ratios within {bounds}", f"范围 {bounds}")


def interpolations_equally_often() -> bool:
    """How a thousand patches were resized: each way between a fifth and three tenths of the time."""
    asked: list[str] = []
    with patch.object(crops, "resized", lambda image, h, w, how="bilinear": asked.append(how)):
        generator = torch.Generator().manual_seed(0)
        for _ in range(1000):
            crops.training_patch(torch.zeros(3, 40, 40), generator)
    shares = [asked.count(how) / 1000 for how in ("bilinear", "area", "nearest", "bicubic")]
    return sum(shares) == 1 and all(0.2 < share < 0.3 for share in shares)


# --- Test ------------------------------------------------------------------------------------------


def places_image(height: int, width: int) -> Tensor:
    """(2, height, width): each pixel holds its row and its column."""
    return torch.stack(torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij"))


def number_of_crops() -> int:
    """Of an image of one colour, and small; all of them differ."""
    made = crops.crops_144(noise(1, 300, 400), 64)
    return len(made) if len(made.sum(dim=2)[:, 0, :3].unique(dim=0)) == len(made) else 0


def crops_in_place() -> bool:
    """At the scale of 256 an image of 256x384, and one of 384x256, stays as it is: there the places can be read off."""
    wide = torch.cat([crops.crops_144(plane[None])[:18] for plane in places_image(256, 384)], dim=1)
    made = crops.crops_144(noise(1, 300, 400), 64)
    mirrored = torch.equal(made[72:], made[:72].flip(3))
    tall = [crop for square in crops.squares(places_image(384, 256), 256) for crop in crops.six(square, 224)]
    corners = [(0, 0), (0, 32), (32, 0), (32, 32), (16, 16)]
    for square, start in enumerate((0, 64, 128)):
        for crop, (down, across) in enumerate(corners):
            i = 6 * square + crop
            if wide[i, :, 0, 0].tolist() != [down, start + across] or wide[i, 1, 0, 1] != start + across + 1:
                return False
            if tall[i][:, 0, 0].tolist() != [start + down, across]:
                return False
        whole = wide[6 * square + 5]
        if abs(whole[1, 100].mean() - (start + 127.5)) > 0.1 or abs(whole[0, -1, 100] - 255) > 1:
            return False
    # The whole squares at the four scales, of an image that is made larger: each shows all of the square.
    centres = [crops.squares(places_image(128, 192), side)[0].shape[1:] for side in crops.SCALES]
    return mirrored and centres == [(side, side) for side in (256, 288, 320, 352)]


def probabilities_averaged() -> bool:
    """Two networks of one linear layer: the mean of their probabilities, not of their outputs and not the highest."""
    nets: list[Any] = [nn.Sequential(nn.Flatten(), nn.Linear(12, 3)) for _ in range(2)]
    for i, net in enumerate(nets):
        nn.init.normal_(net[1].weight, generator=torch.Generator().manual_seed(i))
    x = noise(5, 3, 2, 2)
    with torch.no_grad():
        by_hand = sum(net(crop[None])[0].exp() / net(crop[None])[0].exp().sum() for net in nets for crop in x) / 10
        return torch.allclose(crops.averaged_probabilities(nets, x, at_once=2), by_hand, atol=1e-6)


def cost(row: str) -> int:
    """Passes through a network for one image: those of the crops, for each model."""
    models, _, how, _ = row.split("-")
    square = noise(1, 256, 256)
    return int(models) * (ten_crops(square[None], 224).shape[1] if how == "10" else len(crops.crops_144(square, 64)))


# --- What the paper reckons from its own numbers ----------------------------------------------------


def compared_to_base(row: str) -> float:
    return round(stated("googlenet", f"top5.{row}") - stated("googlenet", "top5.1-model-1-crop"), 4)


def difference_of_the_last_row() -> float | None:
    """6.67 less 10.07, if no digits behind the printed ones could make it the printed -3.45."""
    exact = round(6.67 - 10.07, 4)
    return exact if abs(exact + 3.45) > 2 * 0.005 else None


def relative_reduction(row: str) -> Finding:
    ours, theirs = stated("googlenet", "top5-test"), stated("googlenet", f"others-classification.{row}")
    return Finding(round(100 * (1 - ours / theirs), 2), f"{ours} of {theirs}", f"{ours} / {theirs}")


def detection_of_one_network() -> float:
    return stated("googlenet", "detection-single")


def gain_of_deep_insight() -> float:
    ensemble, single = (stated("googlenet", f"others-detection{one}.deep-insight") for one in ("", "-single"))
    return round(ensemble - single, 4)


def progress_in_detection() -> float:
    return stated("googlenet", "detection") / stated("googlenet", "others-detection.uva-euvision")


# What the paper quotes of others that this edition has, and where these give it.
QUOTED = {
    "supervision": ("alexnet", "five-networks.test_top5_error"),
    "supervision-22k": ("alexnet", "seven-networks.test_top5_error"),
}


def quoted(row: str) -> float:
    return stated(*QUOTED[row])


# --- What popular implementations change -------------------------------------------------------------


def torchvision_differs() -> bool:
    """Its number of parameters follows from ours by what the card says it changes, and from torchvision if it is here.

    Without biases in convolutions, with two numbers for each filter for batch normalisation, and 3x3 for 5x5.
    """
    modules = sum(weights_of(row, fives=3) + 2 * sum(ROWS[row][2:]) for row in ROWS)
    stem = 9408 + 2 * 64 + 64 * 64 + 2 * 64 + 9 * 64 * 192 + 2 * 192
    main = stem + modules + 1025 * 1000
    heads = sum(inputs * 128 + 2 * 128 + 2049 * 1024 + 1025 * 1000 for inputs in (512, 528))
    counts = (main, main + heads)
    try:
        from torchvision.models import googlenet
    except (ImportError, RuntimeError):
        return counts == (6_624_904, 13_004_888)
    with torch.device("meta"):
        nets = [googlenet(weights=None, aux_logits=aux, init_weights=False) for aux in (False, True)]
    built = [sum(p.numel() for p in net.parameters()) for net in nets]
    pools = nets[0].maxpool4.kernel_size == 2 and nets[0].dropout.p == 0.2
    return counts == tuple(built) == (6_624_904, 13_004_888) and pools


def timm_has_none() -> bool:
    """Of the networks called Inception only those of later papers."""
    import timm

    inceptions = {name for name in timm.list_models("inception*") if not name.startswith("inception_next")}
    return not timm.list_models("*googlenet*") and inceptions == {"inception_v3", "inception_v4", "inception_resnet_v2"}


def caffe_differs() -> bool:
    """The normalisation as Caffe's layer has it by default, which is torch's with k = 1, is not the network's."""
    x = noise(2, 8, 3, 3) * 40
    caffe, ours = ResponseNormalization(k=1.0, released=True), shapes_only().norm1
    same = torch.allclose(caffe(x), nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0)(x), rtol=1e-4)
    return same and not torch.allclose(caffe(x), ours(x), rtol=1e-2)


# --- Broken models: each must cost at least one claim its verdict ----------------------------------


class ThreeForFive(model.Inception):
    """torchvision's third way."""

    def __init__(self, inputs: int, row: tuple[int, ...]) -> None:
        super().__init__(inputs, row)
        self.conv5x5 = model.Convolution(row[3], row[4], 3)


class LinearReductions(model.Inception):
    def __init__(self, inputs: int, row: tuple[int, ...]) -> None:
        super().__init__(inputs, row)
        self.reduce3x3 = nn.Sequential(self.reduce3x3[0])  # type: ignore[assignment]


class AnotherLayer(model.Inception):
    """A third convolution in the second way."""

    def __init__(self, inputs: int, row: tuple[int, ...]) -> None:
        super().__init__(inputs, row)
        self.conv3x3 = nn.Sequential(self.conv3x3, model.Convolution(row[2], row[2], 1))  # type: ignore[assignment]


class WideHead(model.AuxiliaryClassifier):
    def __init__(self, inputs: int, filters: int, units: int, num_classes: int) -> None:
        super().__init__(inputs, filters, units, num_classes)
        self.avgpool = nn.AdaptiveAvgPool2d((5, 5))  # type: ignore[assignment]
        self.fc = nn.Sequential(nn.Linear(filters * 25, units), nn.ReLU())


@wraps(model.GoogLeNet.__init__)
def _normalised_first(self: Any, *args: Any, **options: Any) -> None:
    """The first normalisation before the pooling, as AlexNet has it."""
    _normalised_first.__wrapped__(self, *args, **options)
    self.maxpool1, self.norm1 = self.norm1, self.maxpool1


@wraps(model.GoogLeNet.__init__)
def _wider_reduction(self: Any, *args: Any, **options: Any) -> None:
    _wider_reduction.__wrapped__(self, *args, **options)
    inputs, outputs = filters(self.conv1), filters(self.conv2[1])
    self.conv2 = nn.Sequential(model.Convolution(inputs, 96, 1), model.Convolution(96, outputs, 3))


@wraps(model.GoogLeNet.__init__)
def _other_rows(self: Any, *args: Any, **options: Any) -> None:
    """Poolings of 2x2 and 5x5, a second convolution of 5x5, and two layers more in each row that is no module."""
    _other_rows.__wrapped__(self, *args, **options)
    widths = {"maxpool1": filters(self.conv1), "maxpool2": filters(self.conv2[1])}
    widths |= {"maxpool3": self.inception_3b.outputs, "maxpool4": self.inception_4e.outputs}
    for part, width in widths.items():
        more = [model.Convolution(width, width, 1), model.Convolution(width, width, 1), nn.MaxPool2d(2)]
        setattr(self, part, nn.Sequential(*more) if isinstance(getattr(self, part), nn.MaxPool2d) else more[0])
    width, last = self.inception_5b.outputs, filters(self.conv2[1])
    self.conv1 = nn.Sequential(self.conv1, model.Convolution(widths["maxpool1"], widths["maxpool1"], 1))
    self.conv2 = nn.Sequential(*self.conv2, model.Convolution(last, last, 5))
    self.avgpool = nn.Sequential(model.Convolution(width, width, 1), nn.AvgPool2d(5))
    self.dropout = nn.Sequential(nn.Linear(width, width), nn.Dropout(0.4))
    self.linear = nn.Sequential(nn.Linear(width, width), self.linear)


@contextmanager
def _not_mirrored(exact: Callable[..., Tensor] = crops.crops_144) -> Iterator[None]:
    five = partial(ten_crops, reflect=False)
    with patch(f"{__name__}.ten_crops", five), patch.object(crops, "crops_144", lambda image: exact(image)[:72]):
        yield


def _always_three(self: model.GoogLeNet, x: Tensor, exact: Callable[..., object] = model.GoogLeNet.forward) -> object:
    """Its auxiliary classifiers take part in the answer."""
    was, self.training = self.training, True
    try:
        y = exact(self, x)
    finally:
        self.training = was
    return y if was or isinstance(y, Tensor) else y[0] + y[1] + y[2]


class LastWeights(training.GoogLeNetTraining):
    """No averaging."""

    def on_train_batch_end(self, outputs: object, batch: object, batch_idx: int) -> None:
        self.average.updates += 1
        self.average.net.load_state_dict(self.net.state_dict())


def _smaller_stem(
    stem: model.Stem, filters: int, exact: Callable[..., nn.Module] = model.stem_convolution
) -> nn.Module:
    return exact(stem, filters) if stem == "small" else model.Convolution(3, filters, 5, 2)


def _centres_alone(image: Tensor, side: int, exact: Callable[..., list[Tensor]] = crops.squares) -> list[Tensor]:
    return [exact(image, side)[1]] * 3


def _highest(nets: list[nn.Module], some: Tensor, at_once: int = 48) -> Tensor:
    return torch.stack([torch.softmax(net(some), dim=1).amax(dim=0) for net in nets]).mean(dim=0)


def _floor(*args: Any, ceil_mode: bool = False, exact: Any = nn.MaxPool2d, **options: Any) -> nn.Module:
    return exact(*args, **options)


def _broken(thing: object, name: str, instead: object) -> Callable[[], AbstractContextManager[object]]:
    return lambda: patch.object(thing, name, instead)


def _other_numbers(paper: str, claim: str, exact: Callable[[str, str], float] = stated) -> float:
    number = exact(paper, claim)
    return number + number**2 / 10


BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "other numbers in the paper's tables": lambda: patch(f"{__name__}.stated", _other_numbers),
    "other windows, and two layers more in every row": _broken(model.GoogLeNet, "__init__", _other_rows),
    "crops without mirror images": _not_mirrored,
    "3x3 windows for 5x5": _broken(model, "Inception", ThreeForFive),
    "reductions not rectified": _broken(model, "Inception", LinearReductions),
    "three layers a module": _broken(model, "Inception", AnotherLayer),
    "eight filters more for each way": lambda: patch.object(
        model, "TABLE_1", {row: tuple(n + 8 for n in counts) for row, counts in model.TABLE_1.items()}
    ),
    "max pooling rounded down": lambda: patch.object(nn, "MaxPool2d", _floor),
    "a first convolution of 5x5": _broken(model, "stem_convolution", _smaller_stem),
    "a separable stem of four windows a colour": lambda: patch.object(
        model.SeparableConvolution.__init__, "__defaults__", (4,)
    ),
    "a wider reduction before the second convolution": _broken(model.GoogLeNet, "__init__", _wider_reduction),
    "normalised before the first pooling": _broken(model.GoogLeNet, "__init__", _normalised_first),
    "auxiliary pooling to 5x5": _broken(model, "AuxiliaryClassifier", WideHead),
    "auxiliary classifiers in the answer": _broken(model.GoogLeNet, "forward", _always_three),
    "auxiliary losses in full": lambda: patch.object(model.supervised_loss, "__defaults__", (1.0,)),
    "dropout of a half": _broken(model, "DROPOUT", 0.5),
    "no momentum, a tenth every 8 epochs": lambda: patch.multiple(training, MOMENTUM=0.0, DECAY=0.1),
    "the last weights as the final model": _broken(training, "GoogLeNetTraining", LastWeights),
    "patches of at least a quarter, bilinear alone": lambda: patch.multiple(
        crops, AREA=(0.25, 1.0), INTERPOLATIONS=("bilinear",)
    ),
    "the centre square alone, the highest probability": lambda: patch.multiple(
        crops, squares=_centres_alone, averaged_probabilities=_highest
    ),
}
# No claim here trains a network.
BREAK_TRAINING = ()
