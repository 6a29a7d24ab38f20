"""Checks of VGG's claims that need code of their own, and the broken models that show that the claims bite."""

from __future__ import annotations

import inspect
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.claims import Finding, setting, stated
from literatim.papers.alexnet.model import ResponseNormalization
from literatim.papers.vgg import evaluation, model, training

NAMES = ("A", "A-LRN", "B", "C", "D", "E")

# Table 1 transcribed a second time, by rows of blocks: the kernels of each configuration's convolutions.
KERNELS = {
    "A": ("3", "3", "33", "33", "33"),
    "A-LRN": ("3", "3", "33", "33", "33"),
    "B": ("33", "33", "33", "33", "33"),
    "C": ("33", "33", "331", "331", "331"),
    "D": ("33", "33", "333", "333", "333"),
    "E": ("33", "33", "3333", "3333", "3333"),
}
CHANNELS = (64, 128, 256, 512, 512)
SMALL = {"num_classes": 7, "width": 8, "hidden": 32, "size": 32}


def on_meta(configuration: str) -> model.VGG:
    return _on_meta(model.VGG, configuration, model.TABLE_1[configuration])


@cache  # by the class and the column too, so that a broken one is built anew
def _on_meta(vgg: type[model.VGG], configuration: str, column: str) -> model.VGG:
    with torch.device("meta"):
        return vgg(configuration).eval()  # type: ignore[arg-type]


def miniature(configuration: str = "D", seed: int = 0, **options: Any) -> model.VGG:
    """A narrow net of the configuration, its weights and biases of an ordinary size, the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = model.VGG(configuration, **{"num_classes": 7, "width": 8, "hidden": 32, "size": 64, **options})  # type: ignore[arg-type]
        for layer in weighted(net):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.uniform_(layer.bias, -0.1, 0.1)
    return net.eval()


def weighted(net: nn.Module) -> list[Any]:
    return [layer for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def default_of(name: str) -> Any:
    return inspect.signature(training.VGGTraining).parameters[name].default


# --- Table 1 ---------------------------------------------------------------------------------------


def built(configuration: str) -> list[list[tuple[int, int, int]]]:
    """(inputs, outputs, kernel) of each convolution, block by block, as the network has them."""
    net = on_meta(configuration)
    blocks = [net.block1, net.block2, net.block3, net.block4, net.block5]
    return [[(c.in_channels, c.out_channels, c.kernel_size[0]) for c in weighted(block)] for block in blocks]


def printed(configuration: str) -> list[list[tuple[int, int, int]]]:
    before, rows = 3, []
    for kernels, channels in zip(KERNELS[configuration], CHANNELS, strict=True):
        sizes = [int(kernel) for kernel in kernels]
        rows.append([(before if i == 0 else channels, channels, k) for i, k in enumerate(sizes)])
        before = channels
    return rows


def configuration_a() -> bool:
    return built("A") == printed("A")


def configuration_a_lrn() -> bool:
    """A's convolutions, with one normalisation: in the first block, between the convolution and the pooling."""
    net = on_meta("A-LRN")
    where = [name for name, layer in net.named_modules() if isinstance(layer, ResponseNormalization)]
    first = [type(layer) for layer in net.block1]
    between = first.index(nn.Conv2d) < first.index(ResponseNormalization) < first.index(nn.MaxPool2d)
    return built("A-LRN") == printed("A-LRN") and where == ["block1.norm1"] and between


def configuration_b() -> bool:
    return built("B") == printed("B")


def configuration_c() -> bool:
    return built("C") == printed("C")


def configuration_d() -> bool:
    return built("D") == printed("D")


def configuration_e() -> bool:
    return built("E") == printed("E")


def weight_layers() -> bool:
    return [len(weighted(on_meta(name))) for name in NAMES] == [11, 11, 13, 16, 16, 19]


def widths_double() -> bool:
    """64 at first, twice as many after each pooling, until 512."""
    widths = {name: [{c[1] for c in block} for block in built(name)] for name in NAMES}
    return all(found == [{64}, {128}, {256}, {512}, {512}] for found in widths.values())


def fully_connected_alike() -> bool:
    nets = [on_meta(name) for name in NAMES]
    shapes = [[tuple(layer.weight.shape) for layer in (net.fc6, net.fc7, net.fc8)] for net in nets]
    return all(shape == [(4096, 7 * 7 * 512), (4096, 4096), (1000, 4096)] for shape in shapes)


def one_by_one_keeps_channels() -> bool:
    """C has three convolutions of 1x1, each with as many outputs as inputs; no other net has any."""
    found = {name: [c for block in built(name) for c in block if c[2] == 1] for name in NAMES}
    c = found.pop("C")
    return [width for _, width, _ in c] == [256, 512, 512] and all(i == o for i, o, _ in c) and not any(found.values())


def convolutions_of(name: str) -> int:
    return sum(isinstance(layer, nn.Conv2d) for layer in weighted(on_meta(name.upper())))


def alike_in_all_nets(what: str) -> int:
    """A number that all nets must have in common; 0 where they have not."""
    found: set[int] = set()
    for net in map(on_meta, NAMES):
        convolutions = [layer for layer in weighted(net) if isinstance(layer, nn.Conv2d)]
        poolings: list[Any] = [layer for layer in net.modules() if isinstance(layer, nn.MaxPool2d)]
        found |= {
            "poolings": {len(poolings)},
            "window": {layer.kernel_size for layer in poolings},
            "pooling-stride": {layer.stride for layer in poolings},
            "stride": {side for layer in convolutions for side in layer.stride},
            "padding": {side for c in convolutions if c.kernel_size == (3, 3) for side in c.padding},
        }[what]
    return found.pop() if len(found) == 1 else 0


def shallow_net() -> bool:
    """Sec. 4.1: five convolutions of 5x5, of B's channels."""
    before = (3, *CHANNELS)
    return built("B-shallow") == [[(before[i], channels, 5)] for i, channels in enumerate(CHANNELS)]


# --- Sec. 2: units and sizes -----------------------------------------------------------------------


def by_hand(net: model.VGG, configuration: str, x: Tensor) -> Tensor:
    """Sec. 2.1 written out with the net's weights: the order of convolution, rectification, normalisation, pooling."""
    layers = iter(weighted(net))
    for block, kernels in enumerate(KERNELS[configuration]):
        for kernel in kernels:
            layer, pad = next(layers), (int(kernel) - 1) // 2
            x = F.conv2d(x, layer.weight, layer.bias, padding=pad).clamp_min(0)
        if configuration == "A-LRN" and block == 0:
            x = normalised(x)
        x = torch.stack([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]).amax(0)
    fc6, fc7, fc8 = layers
    x = (x.flatten(1) @ fc6.weight.T + fc6.bias).clamp_min(0)
    return (x @ fc7.weight.T + fc7.bias).clamp_min(0) @ fc8.weight.T + fc8.bias


def normalised(a: Tensor) -> Tensor:
    """Krizhevsky et al. (2012), Sec. 3.3, map by map, with their k = 2, n = 5, alpha = 1e-4, beta = 0.75."""
    maps = a.shape[1]
    squares = [sum(a[:, j] ** 2 for j in range(max(0, i - 2), min(maps - 1, i + 2) + 1)) for i in range(maps)]
    return torch.stack([a[:, i] / (2 + 1e-4 * squares[i]) ** 0.75 for i in range(maps)], dim=1)


def agrees_by_hand(configuration: str, scale: float = 1.0) -> bool:
    net, x = miniature(configuration), scale * noise(1, 3, 64, 64)
    with torch.no_grad():
        return torch.allclose(net(x), by_hand(net, configuration, x), rtol=1e-3, atol=1e-4)


def layers_as_printed() -> bool:
    return all(agrees_by_hand(name) for name in NAMES if name != "A-LRN")


def normalisation_is_alexnets() -> bool:
    """At levels like those of pixels, where the normalisation is felt; only A-LRN has one."""
    others = [on_meta(name) for name in NAMES if name != "A-LRN"]
    without = not any("Norm" in type(layer).__name__ for net in others for layer in net.modules())
    return agrees_by_hand("A-LRN", scale=100.0) and without


def field_of(convolutions: list[Any]) -> int:
    """Side of the square of inputs that one output of a stack of convolutions hangs on."""
    x = torch.ones(1, convolutions[0].in_channels, 31, 31, requires_grad=True)
    y = x
    for layer in convolutions:
        y = F.conv2d(y, layer.weight.abs() + 1, padding=layer.padding, stride=layer.stride)
    (reach,) = torch.autograd.grad(y[0, 0, y.shape[2] // 2, y.shape[3] // 2], x)
    return int((reach[0, 0] != 0).any(dim=0).sum())


def field_of_two() -> int:
    return field_of(weighted(miniature("B").block2))


def field_of_three() -> int:
    return field_of(weighted(miniature("D").block3))


def shallow_field() -> bool:
    """In each block, the single 5x5 convolution sees what B's pair of 3x3 sees."""
    b, shallow = miniature("B"), miniature("B-shallow")
    pairs = zip((b.block1, b.block3, b.block5), (shallow.block1, shallow.block3, shallow.block5), strict=True)
    return all(field_of(weighted(one)) == field_of(weighted(other)) for one, other in pairs)


def stack_weights() -> float:
    """Weights of three 3x3 convolutions, in squares of the channels: those of D's fourth block after its first."""
    *_, layer = weighted(on_meta("D").block4)
    return 3 * layer.weight.numel() / layer.in_channels**2


def seven_by_seven_more() -> float:
    """By how many per cent a single 7x7 convolution of the same channels has more."""
    *_, layer = weighted(on_meta("D").block4)
    return 100 * (7 * 7 * layer.in_channels * layer.out_channels / (3 * layer.weight.numel()) - 1)


def mean_is_subtracted() -> bool:
    """The net sees each pixel less the mean RGB value of the training set, and nothing else is done to it."""
    with torch.random.fork_rng():
        module = training.VGGTraining("a", SMALL)
    x = noise(5, 3, 32, 32) * 50 + torch.tensor([120.0, 110.0, 100.0])[:, None, None]
    data = SimpleNamespace(train_dataloader=lambda: [(x[:2], None), (x[2:], None)])
    module._trainer = SimpleNamespace(datamodule=data, world_size=1)  # type: ignore[assignment]
    module.on_fit_start()
    mean = torch.stack([x[:, c].mean() for c in range(3)])
    return torch.allclose(module.images(x), x - mean[None, :, None, None], atol=1e-3)


# --- Sec. 3.1: training -----------------------------------------------------------------------------


def momentum() -> float:
    return default_of("momentum")


def weight_decay() -> float:
    return default_of("weight_decay")


def first_rate() -> float:
    return default_of("lr")


def batch_size() -> int:
    return setting("vgg", "imagenet", "data.batch_size")


def epochs() -> float:
    """Passes of the recipe's iterations and batches over the 1,281,167 training images of ILSVRC-2012."""
    return setting("vgg", "imagenet", "trainer.max_steps") * batch_size() / 1_281_167


def update_by_hand() -> bool:
    """Two updates of one weight with a constant gradient: momentum, and a decay that goes through it."""
    with torch.random.fork_rng():
        module = training.VGGTraining("a", SMALL, patience=None)
    optimizer, weight = module.configure_optimizers(), module.net.fc8.weight
    with torch.no_grad():
        weight.fill_(1.0)
    w, v = 1.0, 0.0
    for _ in range(2):
        weight.grad = torch.full_like(weight, 2.0)
        optimizer.step()
        v = 0.9 * v + 2.0 + 5e-4 * w
        w -= 1e-2 * v
    return torch.allclose(weight, torch.full_like(weight, w), rtol=1e-6)


def drops() -> bool:
    """Fed an error that never improves, the rate falls by ten three times, and no further."""
    with torch.random.fork_rng():
        module = training.VGGTraining("a", SMALL)
    module._trainer = SimpleNamespace(datamodule=SimpleNamespace(watch=["val"]))  # type: ignore[assignment]
    found = module.configure_optimizers()
    rates = []
    for _ in range(40):
        found["optimizer"].step()
        found["lr_scheduler"]["scheduler"].step(50.0)
        rates.append(found["optimizer"].param_groups[0]["lr"])
    levels = sorted({float(f"{rate:.3g}") for rate in rates}, reverse=True)
    return levels == [1e-2, 1e-3, 1e-4, 1e-5] and found["lr_scheduler"]["monitor"] == "val_error"


def dropout_of_two() -> bool:
    """In training half of the outputs of fc6 and of fc7 are zero, and no others are; at test all are kept."""
    net = miniature("A", hidden=1000).train()
    layers, seen, x = (net.fc6, net.fc7, net.fc8), [], noise(2, 3, 64, 64)
    hooks = [layer.register_forward_hook(lambda _, args, out: seen.append(args[0])) for layer in layers]
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        for layer in (net.fc6, net.fc7):  # so that a zero behind them is dropout's
            layer.weight.zero_(), layer.bias.fill_(1.0)
        net(x)
        features = net.features(x).flatten(1)
        answers = [net.eval()(x) for _ in range(2)]
    for hook in hooks:
        hook.remove()
    before, after6, after7 = seen[:3]
    halves = all(0.45 < float((out == 0).float().mean()) < 0.55 for out in (after6, after7))
    return halves and torch.equal(before, features) and torch.equal(*answers)


def drawn_as_printed() -> bool:
    """Mean zero and variance 1e-2 in every layer, normal (two thirds within one deviation), and biases of zero."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = model.VGG("E", width=16, hidden=128, size=32)
    ok = all(not layer.bias.any() for layer in weighted(net))
    for layer in weighted(net):
        w = layer.weight.detach()
        error = 5 / math.sqrt(w.numel())  # five standard errors, of each of the three
        inside = float((w.abs() < 0.1).float().mean())
        ok &= abs(float(w.mean())) < 0.1 * error and abs(float(w.var()) - 1e-2) < 1e-2 * math.sqrt(2) * error
        ok &= abs(inside - 0.6827) < 0.5 * error
    return ok


def layers_from_net_a() -> bool:
    """Four convolutions and three fully connected layers are A's; every other layer keeps what it had."""
    a, ok = miniature("A", seed=1), True
    firsts = [layer.weight for layer in weighted(a)]
    taken = {"B": (0, 2, 4, 5), "C": (0, 2, 4, 5), "D": (0, 2, 4, 5), "E": (0, 2, 4, 5)}
    for name, places in taken.items():
        net = miniature(name)
        before = [layer.weight.clone() for layer in weighted(net)]
        model.start_from_net_a(net, a)
        after = [layer.weight for layer in weighted(net)]
        last = tuple(range(len(after) - 3, len(after)))
        sources = dict(zip(places + last, firsts[:4] + firsts[-3:], strict=True))
        ok &= all(torch.equal(w, sources.get(i, before[i])) for i, w in enumerate(after))
    return ok


# --- The erratum of Sec. 3.1 -------------------------------------------------------------------------

UPDATES = 3


@cache
def digits() -> tuple[Tensor, Tensor]:
    """Four digits of scikit-learn, RGB of 32x32, at levels from 0 to 255 less their mean."""
    from literatim.datasets.digits import Digits

    module = Digits(background=0.0, ink=255.0)
    module.setup("fit")
    images, labels = (part[:4] for part in module.sets["train"])
    return images.expand(-1, 3, -1, -1) - images.mean(), labels


def first_losses(init: model.Init, updates: int = UPDATES) -> list[float]:
    """The loss before each of a few updates as printed (rate 1e-2, momentum 0.9, decay 5e-4) on the same digits.

    The net is A at all its own widths, with its thousand classes and its dropout. The images are 32 pixels wide, so
    that it fits into memory: fc6 has 512 inputs instead of 25,088, which spares it a factor of seven.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = model.VGG("A", init=init, size=32)
        optimizer = torch.optim.SGD(net.parameters(), lr=1e-2, momentum=0.9, weight_decay=5e-4)
        images, labels = digits()
        losses: list[float] = []
        while len(losses) <= updates and (not losses or math.isfinite(losses[-1])):
            loss = F.cross_entropy(net(images), labels)
            losses.append(loss.item())
            if len(losses) <= updates and math.isfinite(losses[-1]):
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return losses


def trains(losses: list[float]) -> bool:
    return all(math.isfinite(loss) for loss in losses) and losses[-1] < losses[0]


def trains_as_printed() -> Finding:
    """True if the loss stays finite and falls over the first updates on the same few images.

    Beside it, the same updates from weights of a deviation of 1e-2.
    """
    losses, others = first_losses("variance"), first_losses("deviation")
    first, *after = (f"{loss:.2g}" for loss in losses)
    return Finding(
        trains(losses),
        f"weights as drawn: the first loss is {first}, and after the updates {', '.join(after)}; with 1e-2 as the "
        f"deviation, {others[0]:.3f} and {others[-1]:.3f}",
        f"按此抽取权重，首个损失为 {first}，各次更新之后为 {'、'.join(after)}；"
        f"若 1e-2 为标准差，则为 {others[0]:.3f} 与 {others[-1]:.3f}",
    )


def mean_squares(deviation: float, width: int = 64, hidden: int = 4096, size: int = 224) -> tuple[float, float]:
    r"""Bounds on the mean square of A's logits over all draws of the weights, for an image of mean square one.

    Worked out layer by layer without the network. With independent weights of mean zero and variance $\sigma^2$ and no
    biases, a weighted sum has the mean square $\sigma^2$ times the sum of the mean squares of its inputs, and it
    is as often positive as negative, so that the ReLU leaves half: exact, padding included, with one map of
    mean squares per layer since all channels are alike. Only the maximum over four places has no such formula;
    its mean square lies between the largest of the four and their sum.
    """
    variance, bounds = deviation**2, []
    for pool in (lambda q: F.max_pool2d(q, 2), lambda q: 4 * F.avg_pool2d(q, 2)):
        q, inputs = torch.ones(1, 1, size, size, dtype=torch.float64), 3
        window = torch.ones(1, 1, 3, 3, dtype=torch.float64)
        for kernels, channels in zip(KERNELS["A"], CHANNELS, strict=True):
            for _ in kernels:
                q, inputs = variance * inputs * F.conv2d(q, window, padding=1) / 2, channels * width // 64
            q = pool(q)
        fc6 = variance * inputs * float(q.sum()) / 2
        fc7 = variance * hidden * fc6 / 2
        bounds.append(variance * hidden * fc7)
    return bounds[0], bounds[1]


def variance_must_be_deviation() -> Finding:
    """The spread of the logits at the start for both readings, by the gains of the layers alone.

    With logits of spread s the first loss is about 3.2 s, the expected largest of a thousand, less that of the right
    class. From a variance of 1e-2 it is beyond a hundred thousand, for pixels of spread one. From a deviation of 1e-2
    the logits are as good as equal, and the first loss is log(1000).
    """
    low, high = (math.sqrt(mean_squares(deviation)[i]) for deviation, i in ((0.1, 0), (0.01, 1)))
    return Finding(
        low > 1e5 and high < 1e-3,
        f"for pixels of spread 1 the gains of A's layers multiply to logits of at least {low:.2g} from a variance of "
        f"1e-2, and of at most {high:.1g} from a deviation of 1e-2",
        f"像素标准差为 1 时，A 各层增益之积使 logits 的标准差在方差 1e-2 下至少为 {low:.2g}，"
        f"在标准差 1e-2 下至多为 {high:.1g}",
    )


def one_rate_after_net_a() -> bool:
    """All parameters, those from net A among them, in groups of one and the same rate."""
    with torch.random.fork_rng():
        module = training.VGGTraining("b", SMALL, patience=None)
    model.start_from_net_a(module.net, miniature("A", width=8, hidden=32, size=32, num_classes=7))
    groups = module.configure_optimizers().param_groups
    learning = sum(p.numel() for group in groups for p in group["params"])
    return {group["lr"] for group in groups} == {0.01} and learning == sum(p.numel() for p in module.net.parameters())


def from_scale_256() -> float:
    """The rate at which a net goes on that has begun with all weights of another one of its kind; 0 if it lacks any."""
    with torch.random.fork_rng(), tempfile.TemporaryDirectory() as folder:
        at_256 = training.VGGTraining("b", SMALL)
        path = Path(folder) / "256.ckpt"
        torch.save({"state_dict": at_256.state_dict(), "hyper_parameters": {"variant": "b"}}, path)
        module = training.VGGTraining("b", SMALL, start=str(path), lr=1e-3, patience=None)
    pairs = zip(at_256.net.parameters(), module.net.parameters(), strict=True)
    same = all(torch.equal(ours, theirs) for ours, theirs in pairs)
    return module.configure_optimizers().param_groups[0]["lr"] if same else 0.0


# --- Sec. 3.1, 3.2: scales, dense evaluation, crops --------------------------------------------------


def jitter_covers_the_range() -> bool:
    """S is drawn from [256; 512], both ends included, and evenly."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = [evaluation.training_scale() for _ in range(6000)]
    return (min(drawn), max(drawn)) == (256, 512) and abs(sum(drawn) / len(drawn) - 384) < 4


def rescaling_is_isotropic() -> bool:
    wide, tall = torch.zeros(3, 300, 400), torch.zeros(3, 500, 250)
    return evaluation.rescale(wide, 256).shape == (3, 256, 341) and evaluation.rescale(tall, 384).shape == (3, 768, 384)


def training_inputs_are_crops() -> bool:
    """Of 224 out of the image at S: every place is met, and one in two is mirrored."""
    image = torch.arange(228 * 226, dtype=torch.float32).view(1, 228, 226).expand(3, -1, -1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = [evaluation.training_input(image, 226)[:, 0, [0, -1]] for _ in range(150)]
        whole = evaluation.training_input(image, 240).shape == (3, 224, 224)
    corners = torch.stack(found)[:, 0]
    mirrored = corners[:, 0] - corners[:, 1]
    rows, columns = corners.amin(dim=1).long() // 226, corners.amin(dim=1).long() % 226
    every = set(rows.tolist()) == set(range(5)) and set(columns.tolist()) == set(range(3))
    sides = set(mirrored.abs().tolist()) == {223.0}
    return whole and every and sides and 0.35 < float((mirrored > 0).float().mean()) < 0.65


def dense_equals_plain() -> bool:
    """At the training size the score map is one place, with the logits of the plain net."""
    net, x = miniature("D"), noise(2, 3, 64, 64)
    with torch.no_grad():
        scores = net.score_map(x)
        return scores.shape == (2, 7, 1, 1) and torch.allclose(scores[..., 0, 0], net(x), atol=1e-4)


def dense_is_a_map() -> bool:
    """D on 384x512: 6 by 10 places, a thousand channels; and a place inside is the plain net on its window.

    The latter without padding, which differs: on a net whose 3x3 kernels are zero but in the middle.
    """
    whole = on_meta("D").score_map(torch.zeros(1, 3, 384, 512, device="meta"))
    net, x = miniature("D"), noise(1, 3, 96, 128)
    with torch.no_grad():
        for layer in weighted(net):
            if isinstance(layer, nn.Conv2d):
                layer.weight.copy_(F.pad(layer.weight[..., 1:2, 1:2], (1, 1, 1, 1)))
        scores = net.score_map(x)
        windows = [[net(x[..., 32 * r : 32 * r + 64, 32 * c : 32 * c + 64]) for c in range(3)] for r in range(2)]
    by_hand = torch.stack([torch.stack(row, dim=-1) for row in windows], dim=-2)
    return whole.shape == (1, 1000, 6, 10) and torch.allclose(scores, by_hand, atol=1e-4)


def scores_are_averaged() -> bool:
    net, x = miniature("A"), noise(2, 3, 96, 128)
    with torch.no_grad():
        scores, found = net.score_map(x), evaluation.dense_scores(net, x)
    return torch.allclose(
        found, torch.stack([scores[:, :, r, c] for r in range(2) for c in range(3)]).sum(0) / 6, atol=1e-5
    )


def flips_are_averaged() -> bool:
    net, x = miniature("A"), noise(2, 3, 64, 64)
    mirrored = torch.from_numpy(x.numpy()[..., ::-1].copy())
    with torch.no_grad():
        by_hand = (torch.softmax(net(x), 1) + torch.softmax(net(mirrored), 1)) / 2
        return torch.allclose(evaluation.posteriors(net, x), by_hand, atol=1e-5)


def crops_of_a_scale() -> Finding:
    """The number of views of 224 in a 256 x 320 image: five rows and five columns, from edge to edge, each twice."""
    image = torch.arange(256 * 320, dtype=torch.float32).view(1, 256, 320)
    views = evaluation.crops(image)
    corners = {int(view[0, 0, 0]) for view in views[: len(views) // 2]}
    grid = {320 * y + x for y in (0, 8, 16, 24, 32) for x in (0, 24, 48, 72, 96)}
    mirrored = torch.equal(views[len(views) // 2 :], views[: len(views) // 2].flip(3))
    even = corners == grid and mirrored and views.shape[1:] == (1, 224, 224)
    return Finding(len(views) if even else 0, "from edge to edge" if even else "not a regular grid, or not mirrored")


def crops_of_three_scales() -> int:
    """Views that the multi-crop evaluation of one image puts through the net."""
    seen: list[int] = []
    with torch.device("meta"):
        net = model.VGG("A", num_classes=7, width=8, hidden=32)
    net.register_forward_hook(lambda _, args, out: seen.append(len(args[0])))
    with torch.no_grad():
        scales = evaluation.several_scales(256, 512)
        evaluation.multi_crop_evaluation(net.eval(), torch.zeros(3, 260, 300, device="meta"), scales)
    return sum(seen)


def one_test_scale() -> bool:
    return (evaluation.single_scale(256), evaluation.single_scale(384), evaluation.single_scale(256, 512)) == (
        256,
        384,
        384,
    )


def three_test_scales() -> bool:
    found = [evaluation.several_scales(*s) for s in ((256,), (384,), (256, 512))]
    return found == [(224, 256, 288), (352, 384, 416), (256, 384, 512)]


def posteriors_over_scales() -> bool:
    """Sec. 4.2: the posteriors of the rescaled versions of an image are averaged."""
    net, image, scales = miniature("A"), noise(3, 70, 90), (64, 96, 128)
    with torch.no_grad():
        each = [evaluation.posteriors(net, evaluation.rescale(image, q)[None])[0] for q in scales]
        return torch.allclose(evaluation.dense_evaluation(net, image, scales), torch.stack(each).sum(0) / 3, atol=1e-6)


# --- What the paper reckons from its own numbers ------------------------------------------------------


def difference(one: str, other: str) -> float:
    return round(stated("vgg", one) - stated("vgg", other), 4)


def better_than_googlenet() -> float:
    return difference("others-classification.googlenet-1", "test-top5-best")


def better_than_chatfield(data: str) -> float:
    return difference(f"table-11.d-and-e-{data}", f"others-features.chatfield-{data}")


def margin_on_caltech_256() -> float:
    return better_than_chatfield("caltech-256")


def behind_wei() -> float:
    return difference("others-features.wei-voc-2012-extended", "table-11.d-and-e-voc-2012")


def crops_of_googlenet() -> float:
    return stated("googlenet", "crops")


# What the paper quotes of others that this edition has, and where these give it.
QUOTED = {
    "krizhevsky-1-top-1": ("alexnet", "ilsvrc-2012.test_error"),
    "krizhevsky-1-top-5": ("alexnet", "ilsvrc-2012.test_top5_error"),
    "krizhevsky-5-top-1": ("alexnet", "five-networks.val_error"),
    "krizhevsky-5-top-5": ("alexnet", "five-networks.val_top5_error"),
    "krizhevsky-5-test": ("alexnet", "five-networks.test_top5_error"),
    "googlenet-1": ("googlenet", "top5.1-model-144-crops"),
    "googlenet-7": ("googlenet", "top5-test"),
}


def quoted(row: str) -> float:
    return stated(*QUOTED[row])


# --- What is shown under this name elsewhere ----------------------------------------------------------


def torchvision_differs() -> bool:
    """From the numbers that torchvision publishes of its `vgg16_bn`: D with a scale and a shift for each channel.

    And the start of its convolutions, a variance of 2 over the outputs times the kernel, is not 1e-2 in any layer.
    """
    d = on_meta("D")
    normalised_channels = sum(layer.out_channels for layer in weighted(d) if isinstance(layer, nn.Conv2d))
    variances = {2 / (9 * channels) for channels in CHANNELS}
    published = {"vgg16": 138_357_544, "vgg16_bn": 138_365_992}
    ours = sum(p.numel() for p in d.parameters())
    counted = (
        ours == published["vgg16"]
        and ours + 2 * normalised_channels == published["vgg16_bn"]
        and all(v < 0.5e-2 for v in variances)
    )
    try:
        from torchvision.models import VGG16_Weights, vgg
    except (ImportError, RuntimeError):  # a torchvision that does not fit torch fails with RuntimeError
        return counted
    with torch.device("meta"):
        built = {name: sum(p.numel() for p in getattr(vgg, name)().parameters()) for name in published}
        pooled = vgg.vgg16().avgpool(torch.zeros(1, 512, 9, 12)).shape[2:] == (7, 7)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = vgg.vgg11()
    started = starts_from_outputs(theirs.features) and starts_from(theirs.classifier[0], 1e-2)
    divided = VGG16_Weights.IMAGENET1K_V1.transforms().std == [0.229, 0.224, 0.225]
    return counted and built == published and set(vgg.cfgs) == set("ABDE") and pooled and started and divided


def starts_from(layer: Any, deviation: float) -> bool:
    return abs(float(layer.weight.detach().std()) / deviation - 1) < 0.05


def starts_from_outputs(module: nn.Module) -> bool:
    """Whether its convolutions start with a variance of 2 over the outputs times the kernel."""
    convolutions = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    return all(starts_from(c, math.sqrt(2 / (c.out_channels * c.kernel_size[0] ** 2))) for c in convolutions)


def timm_differs() -> bool:
    """Looked at in timm's own class, narrow, with the weights of a narrow net A of ours."""
    import timm
    from timm.models import vgg

    names = set(timm.list_models("vgg*"))
    columns = names == {f"vgg{depth}{bn}" for depth in (11, 13, 16, 19) for bn in ("", "_bn")}
    theirs: Any = timm.create_model("vgg11", num_classes=7)
    dropped = [layer.p for layer in theirs.modules() if isinstance(layer, nn.Dropout)]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        narrow = vgg.VGG([8, "M", 16, "M", 32, 32, "M", 64, 64, "M", 64, 64, "M"], num_classes=7).eval()
    started = starts_from_outputs(narrow.pre_logits)
    ours = miniature("A", hidden=4096, size=224)
    with torch.no_grad():
        for given, layer in zip(ours.parameters(), narrow.parameters(), strict=True):
            layer.copy_(given.view_as(layer))
        wide, small = noise(1, 3, 256, 320), noise(1, 3, 96, 96)
        dense = torch.allclose(narrow(wide), ours.score_map(wide).mean(dim=(2, 3)), atol=1e-4)
        spread = F.adaptive_avg_pool2d(ours.features(small), 7).flatten(1)
        answer = ours.fc8(F.relu(ours.fc7(F.relu(ours.fc6(spread)))))
        enlarged = torch.allclose(narrow(small), answer, atol=1e-4)
    return columns and dropped == [0, 0] and ours.dropout.p == 0.5 and started and dense and enlarged


# --- Broken models: each must cost at least one claim its verdict ----------------------------------


def _table(**columns: str) -> Callable[[], AbstractContextManager[object]]:
    changed = {name.replace("_", "-"): column for name, column in columns.items()}
    return lambda: patch.dict(model.TABLE_1, changed)


def _changed(change: Callable[[model.VGG], None]) -> Callable[[], AbstractContextManager[object]]:
    """A net changed in one place after it is built."""

    class Changed(model.VGG):
        @wraps(model.VGG.__init__)
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            change(self)

    return lambda: patch.object(model, "VGG", Changed)


def _wider_fc7(net: model.VGG) -> None:
    net.fc7, net.fc8 = nn.Linear(net.fc7.in_features, 4097), nn.Linear(4097, net.fc8.out_features)


def _strided(net: model.VGG) -> None:
    weighted(net)[0].stride, weighted(net)[0].padding = (2, 2), (2, 2)


def _without_biases(net: model.VGG) -> None:
    for layer in weighted(net):
        layer.bias = None


def _other_numbers(paper: str, claim: str, exact: Callable[[str, str], float] = stated) -> float:
    number = exact(paper, claim)
    return number - number**2 / 10


def _half(paper: str, recipe: str, option: str, exact: Callable[[str, str, str], Any] = setting) -> Any:
    return exact(paper, recipe, option) // 2


def _no_dropout(net: model.VGG) -> None:
    net.dropout = nn.Identity()  # type: ignore[assignment]


def _pools(net: model.VGG) -> None:
    for number in range(1, 6):
        net.get_submodule(f"block{number}").register_module(f"pool{number}", nn.AvgPool2d(2))


def _linear_units(net: model.VGG) -> None:
    for block in (net.block1, net.block2, net.block3, net.block4, net.block5):
        for name, layer in block.named_children():
            if isinstance(layer, nn.ReLU):
                block.register_module(name, nn.Identity())


def _released_norm(net: model.VGG) -> None:
    for layer in net.modules():
        if isinstance(layer, ResponseNormalization):
            layer.k = 1.0


def _two_rates(self: training.VGGTraining) -> torch.optim.Optimizer:
    groups = [{"params": [p], "lr": self.lr / 10 ** (i % 2)} for i, p in enumerate(self.net.parameters())]
    return torch.optim.SGD(groups, lr=self.lr, momentum=0.9)


def _training(**defaults: Any) -> Callable[[], AbstractContextManager[object]]:
    """A training module with other defaults."""

    class Changed(training.VGGTraining):
        def __init__(self, variant: str = "a", options: Any = {}, **given: Any) -> None:  # noqa: B006
            super().__init__(variant, options, **{**defaults, **given})

    signature = inspect.signature(training.VGGTraining)
    fields = [p.replace(default=defaults.get(p.name, p.default)) for p in signature.parameters.values()]
    Changed.__signature__ = signature.replace(parameters=fields)
    return lambda: patch.object(training, "VGGTraining", Changed)


@contextmanager
def _other_way_round() -> Iterator[None]:
    """The maps of the first fully connected kernel taken in the wrong order."""
    exact = F.conv2d

    def turned(x: Tensor, weight: Tensor, *rest: Any, **named: Any) -> Tensor:
        return exact(x, weight.flip(1) if weight.shape[-1] == 2 else weight, *rest, **named)

    with patch.object(model.F, "conv2d", turned):
        yield


BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "A with two convolutions in its second block": _table(
        A=model.TABLE_1["A"].replace("conv3-128", "conv3-128 conv3-128"),
    ),
    "A-LRN without its normalisation": _table(A_LRN=model.TABLE_1["A"]),
    "B one convolution short": _table(B=model.TABLE_1["B"].replace("conv3-128 conv3-128", "conv3-128")),
    "C without 1x1 kernels": _table(C=model.TABLE_1["D"]),
    "D with 1x1 kernels": _table(D=model.TABLE_1["C"]),
    "E as deep as D": _table(E=model.TABLE_1["D"]),
    "the last block of 1024 channels": _table(
        **{name.replace("-", "_"): "1024".join(model.TABLE_1[name].rsplit("512", 1)) for name in NAMES}
    ),
    "the shallow net of 7x7 kernels": _table(B_shallow=model.TABLE_1["B-shallow"].replace("conv5", "conv7")),
    "fc7 one unit wider": _changed(_wider_fc7),
    "the first convolution of stride 2, padded by 2": _changed(_strided),
    "average pooling": _changed(_pools),
    "no rectification in the blocks": _changed(_linear_units),
    "normalisation with k = 1": _changed(_released_norm),
    "no dropout": _changed(_no_dropout),
    "deviation for variance": lambda: patch.object(
        model.VGG,
        "reset_parameters",
        lambda self, _, exact=model.VGG.reset_parameters: exact(self, "deviation"),
    ),
    "the first four of the deeper net from A": lambda: patch.object(
        model, "FROM_NET_A", ("block1.conv1_1", "block2.conv2_1", "block3.conv3_1", "fc6", "fc7", "fc8")
    ),
    "inputs divided by 255": lambda: patch.object(
        training.VGGTraining,
        "images",
        lambda self, x, exact=training.VGGTraining.images: exact(self, x) / 255,
    ),
    "another rate, momentum and decay": _training(lr=0.1, momentum=0.99, weight_decay=1e-4),
    "four drops of the rate": _training(drops=4),
    "half the batch in the recipe": lambda: patch(f"{__name__}.setting", _half),
    "other numbers in the paper's tables": lambda: patch(f"{__name__}.stated", _other_numbers),
    "no biases": _changed(_without_biases),
    "layers from net A at a tenth of the rate, and none of a net's own": lambda: patch.multiple(
        training.VGGTraining, configure_optimizers=_two_rates, start_from=lambda self, path: None
    ),
    "scales of 224 to 480": lambda: patch.object(
        evaluation, "training_scale", lambda: int(torch.randint(224, 481, ()))
    ),
    "images squeezed to a square": lambda: patch.object(
        evaluation, "rescale", lambda image, smallest: F.interpolate(image[None], size=(smallest, smallest))[0]
    ),
    "the fully connected kernels turned round": _other_way_round,
    "the best place of the score map": lambda: patch.object(
        evaluation, "dense_scores", lambda net, images: net.score_map(images).amax(dim=(2, 3))
    ),
    "no mirror images": lambda: patch.object(
        evaluation, "posteriors", lambda net, images: net.probabilities(evaluation.dense_scores(net, images))
    ),
    "crops of four by four": lambda: patch.object(
        evaluation, "crops", lambda image, size=224, exact=evaluation.crops: exact(image, size, 4)
    ),
    "scales far from the training scale": lambda: patch.multiple(
        evaluation,
        single_scale=lambda low, high=None: high or low,
        several_scales=lambda low, high=None: (low // 2, low, 2 * low),
    ),
    "the largest scale alone": lambda: patch.object(
        evaluation,
        "dense_evaluation",
        lambda net, image, scales: evaluation.posteriors(net, evaluation.rescale(image, max(scales))[None])[0],
    ),
}

# Claims that train face these alone.
BREAK_TRAINING = {"deviation for variance"}
