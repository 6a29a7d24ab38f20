"""Checks of AlexNet's claims that need code of their own, and the broken models that show that the claims bite."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import pairwise, product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.claims import Finding, given
from literatim.claims.measures import parameters
from literatim.claims.verdicts import build
from literatim.datasets import imagenet
from literatim.papers.alexnet import model, momentum, training
from literatim.parts import colour

LEARNED = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
INPUT = (3, 224, 224)
SMALL: dict[str, Any] = {
    "num_classes": 4, "maps": (8, 16, 16, 16, 8), "hidden": 400, "size": 63, "deviation": 0.05
}  # fmt: skip


def shapes_only(**options: Any) -> model.AlexNet:
    with torch.device("meta"):
        return model.AlexNet(**options)


def small(**options: Any) -> model.AlexNet:
    """A network of few maps, the same each time, in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return model.AlexNet(**{**SMALL, **options}).eval()


def small_training(**options: Any) -> training.AlexNetTraining:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return training.AlexNetTraining(options=SMALL, **options).eval()


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def photographs(n: int = 3, side: int = 72) -> Tensor:
    """Images (N, 3, side, side) with levels from 0 to 255."""
    return 255 * torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0))


Passed = dict[str, tuple[Tensor, Tensor]]


def passing(net: nn.Module, x: Tensor) -> Passed:
    """module -> (input, output), in the order in which they are called."""
    seen: Passed = {}
    hooks = [
        module.register_forward_hook(lambda _, args, out, name=name: seen.update({name: (args[0], out)}))
        for name, module in net.named_children()
    ]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return seen


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


# --- Layers and connections ------------------------------------------------------------------------


def neurons_in_all() -> int:
    seen = passing(shapes_only(), torch.zeros(1, *INPUT, device="meta"))
    return sum(seen[name][1].numel() for name in LEARNED)


def input_dimensions() -> int:
    net = shapes_only()
    return net.conv1.in_channels * net.size**2


def stride_of_conv1() -> int:
    """How far apart the windows of neighbouring neurons lie: move the image so far and the map moves by one."""
    net, x = small(), noise(1, 3, 63, 63)
    with torch.no_grad():
        still = net.conv1(x)[:, :, :10, :10]
        for far in range(1, 12):
            moved = net.conv1(F.pad(x, (far, 0, far, 0)))[:, :, 1:11, 1:11]
            if torch.allclose(moved, still, atol=1e-5):
                return far
    return 0


def last_windows_hang_over() -> bool:
    """conv1 sees the image and, on its right and below it, three pixels of zeros."""
    with torch.device("meta"):
        net = model.AlexNet(maps=(8, 16, 16, 16, 8), hidden=8)
    net = net.to_empty(device="cpu")
    image = noise(1, 3, 224, 224)
    seen = passing(net, image)["conv1"][0]
    return seen.shape == (1, 3, 227, 227) and torch.equal(seen, F.pad(image, (0, 3, 0, 3)))


def cards_meet_where_printed() -> bool:
    """Change the maps of the first card and see which maps answer: its own in 2, 4 and 5, all of them in 3."""
    net = small()
    for name, meets in (("conv2", False), ("conv3", True), ("conv4", False), ("conv5", False)):
        layer = getattr(net, name)
        half = layer.in_channels // 2
        x = noise(1, 2 * half, 9, 9)
        other = torch.cat([x[:, :half] + 1, x[:, half:]], dim=1)
        with torch.no_grad():
            answers = (layer(x) != layer(other)).flatten(2).any(2)[0]
        own, far = answers.chunk(2)
        if not bool(own.all()) or bool(far.any()) != meets or bool(far.all()) != meets:
            return False
    return True


def layers_in_order() -> bool:
    """Normalisation behind conv1 and conv2, pooling behind both of them and behind conv5; nothing between 3, 4, 5."""
    called = [name for name in passing(small(), noise(1, 3, 63, 63)) if "dropout" not in name]
    return called == [
        "conv1", "norm1", "pool1", "conv2", "norm2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc6", "fc7", "fc8"
    ]  # fmt: skip


NEXT = {
    "conv1": "norm1", "conv2": "norm2", "conv3": "conv4", "conv4": "conv5", "conv5": "pool5",
    "fc6": "dropout6", "fc7": "dropout7",
}  # fmt: skip


def rectified(net: model.AlexNet) -> bool:
    """Whether what each layer hands on is max(0, its sums)."""
    seen = passing(net, 50 * noise(1, 3, 63, 63))
    sums = {name: seen[name][1] for name in NEXT}
    mixed = all(bool((a < 0).any()) and bool((a > 0).any()) for a in sums.values())
    return mixed and all(torch.equal(seen[NEXT[name]][0], torch.where(a > 0, a, 0.0)) for name, a in sums.items())


def signed_net(**options: Any) -> model.AlexNet:
    """Biases of zero, so that every layer has sums of both signs."""
    net = small(**options)
    with torch.no_grad():
        without_biases(net)
    return net


def normalisation_by_hand() -> bool:
    """The formula with k = 2, n = 5, alpha = 1e-4, beta = 0.75, map by map, where its sum weighs as much as k."""
    a = 100 * noise(2, 9, 2, 3).double()
    b = torch.empty_like(a)
    for i in range(9):
        total = sum(a[:, j] ** 2 for j in range(max(0, i - 2), min(8, i + 2) + 1))
        b[:, i] = a[:, i] / (2 + 1e-4 * total) ** 0.75
    return torch.allclose(model.ResponseNormalization()(a), b, rtol=1e-6)


def pooling_by_hand() -> bool:
    """z = 3 and s = 2: the maximum of rows and columns 2i to 2i + 2."""
    x, net = noise(1, 2, 13, 13), small()
    by_hand = torch.zeros(1, 2, 6, 6)
    for i in range(6):
        for j in range(6):
            by_hand[..., i, j] = x[..., 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].amax((2, 3))
    return all(torch.equal(pool(x), by_hand) for pool in (net.pool1, net.pool2, net.pool5))


def probabilities_by_hand() -> bool:
    """The output is a distribution over the classes: exp(y) over the sum of exp(y)."""
    y = noise(3, 5)
    return torch.allclose(small().probabilities(y), y.exp() / y.exp().sum(1, keepdim=True))


def one_gpu_has_about_as_many() -> float:
    """Parameters of the one-GPU net over those of the two-GPU net."""
    return parameters(build("alexnet", "alexnet-one-gpu"), None, INPUT) / parameters(shapes_only(), None, INPUT)


# --- Images ----------------------------------------------------------------------------------------


def mean_of_every_pixel() -> bool:
    """The statistics against the mean written out, and that this mean is what a view lacks."""
    x, module = photographs(5), small_training()
    statistics = colour.PixelStatistics(72)
    statistics.add(x[:2])
    statistics.add(x[2:])
    module.mean.copy_(statistics.mean)
    view = module.views(x[:1])[0, training.CENTRE]
    by_hand = (x[0] - sum(x) / 5)[:, 4:67, 4:67]
    return torch.allclose(view, by_hand, atol=1e-3)


def crops_are_windows() -> bool:
    """A training image is a piece of its own image, upright about as often as mirrored."""
    x = torch.arange(400 * 9 * 9, dtype=torch.float32).view(400, 1, 9, 9)
    with seeded():
        crops = training.random_crops(x, 6)
    mirrored = 0
    for image, crop in zip(x, crops, strict=True):
        back = bool(crop[0, 0, 0] > crop[0, 0, 5])
        mirrored += back
        upright = crop.flip(2) if back else crop
        windows = [image[:, i : i + 6, j : j + 6] for i in range(4) for j in range(4)]
        if not any(torch.equal(upright, window) for window in windows):
            return False
    return 150 < mirrored < 250


def distinct_crops() -> int:
    """Different training images from one image: all that 30,000 draws show. Only the margin of 32 pixels matters."""
    side = 2 + 256 - 224
    image = torch.arange(float(side * side)).view(1, 1, side, side)
    with seeded():
        crops = training.random_crops(image.expand(30_000, -1, -1, -1), 2)
    return len({tuple(pair) for pair in crops[:, 0, 0].tolist()})


def crops_counted() -> int:
    """Places of a window of 224 in 256 pixels, along both sides, times two for the mirror: counted one by one."""
    places = [first for first in range(256) if first + 224 <= 256]
    return 2 * len(places) * len(places)


def ten_views() -> bool:
    x = noise(2, 3, 8, 9)
    corners = [x[..., :4, :4], x[..., :4, 5:], x[..., 4:, :4], x[..., 4:, 5:]]
    five = [*corners, x[..., 2:6, 2:6]]
    by_hand = [*five, *(view.flip(3) for view in five)]
    found = training.ten_crops(x, 4)
    return found.shape[1] == 10 and all(any(torch.equal(view, found[:, i]) for i in range(10)) for view in by_hand)


def views_are_averaged() -> bool:
    """The prediction is the mean of the ten softmaxes, not the softmax of the mean."""
    module, x = small_training(), 40 * noise(2, 3, 72, 72)
    with torch.no_grad():
        without_biases(module.net)
        module.net.fc8.weight.mul_(1000)  # so that the views disagree
        sums = torch.stack([module.net(view) for view in module.views(x).unbind(1)])
        by_hand = sum(s.exp() / s.exp().sum(1, keepdim=True) for s in sums) / len(sums)
        return len(sums) == 10 and torch.allclose(module.predict_step((x, torch.zeros(2)), 0), by_hand, atol=1e-6)


def colour_noise_as_printed() -> bool:
    """What is added to an image: one colour for all its pixels, sum of alpha_i lambda_i p_i with alpha ~ N(0, 0.1)."""
    mixing = torch.tensor([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])
    pixels = torch.einsum("cd,ndhw->nchw", mixing, noise(4, 3, 8, 8))
    statistics = colour.PixelStatistics(8)
    statistics.add(pixels)
    rows = pixels.transpose(0, 1).flatten(1).double()
    covariance = torch.cov(rows, correction=0)
    images = torch.zeros(20_000, 3, 2, 2)
    with seeded():
        added = colour.colour_noise(images, colour.principal_components(statistics.covariance))
    if not torch.equal(added, added[:, :, :1, :1].expand_as(added)):
        return False
    values, vectors = torch.linalg.eigh(covariance)
    alpha = added[:, :, 0, 0].double() @ vectors / values  # along each eigenvector, in eigenvalues
    spread = alpha.std(0)
    apart = torch.corrcoef(alpha.T) - torch.eye(3)
    return bool(((spread - 0.1).abs() < 0.003).all()) and bool((apart.abs() < 0.03).all())


@cache
def colours() -> Tensor:
    """(3, pixels): RGB levels from 0 to 255 of two real photographs that come with scikit-learn."""
    spec = find_spec("sklearn")
    assert spec
    assert spec.origin
    folder = Path(spec.origin).parent / "datasets" / "images"  # to import it takes longer than all else here
    images = [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.jpg"))]
    return torch.cat([torch.from_numpy(image.copy()).reshape(-1, 3)[::7] for image in images]).T.double()


def colour_noise_leaves_the_image() -> Finding:
    """Whether noise as printed is smaller than the differences between the pixels of real photographs."""
    pixels = colours()
    covariance = torch.cov(pixels, correction=0)
    module = small_training()
    components = colour.principal_components(covariance, module.colour)  # type: ignore[arg-type]
    with seeded():
        added = colour.colour_noise(torch.zeros(1000, 3, 1, 1), components)
    size, spread = float(added.std()), float(pixels.std())
    return Finding(
        size < spread,
        f"noise of {size:.0f} levels on photographs whose pixels differ by {spread:.0f}",
        f"照片像素值的标准差为 {spread:.0f} 级，而噪声为 {size:.0f} 级",
    )


def eigenvalues_have_the_wrong_unit() -> Finding:
    r"""A tenth of an eigenvalue against a tenth of its square root, on two real photographs in two units.

    Eigenvalues of a covariance are squares: with pixels from 0 to 255 instead of 0 to 1 the images grow by 255 and
    the printed noise by $255^2$. Their square roots grow as the images do. So what the noise leaves of an image hangs
    on the unit, which the paper does not print; on levels from 0 to 1 it is small.
    """
    pixels = colours()
    levels = torch.linalg.eigvalsh(torch.cov(pixels))[-1].item()
    fractions = torch.linalg.eigvalsh(torch.cov(pixels / 255))[-1].item()
    unit = math.isclose(levels / fractions, 255**2, rel_tol=1e-6)
    beyond = 0.1 * levels > 255 and 0.1 * math.sqrt(levels) < float(pixels.std())
    return Finding(
        unit and beyond,
        f"along the first component a tenth of the eigenvalue is {0.1 * levels:.0f} levels of 255, a tenth of its "
        f"square root {0.1 * math.sqrt(levels):.0f}; on levels from 0 to 1 the former is like {25.5 * fractions:.0f}",
        f"沿第一主成分，特征值的十分之一为 {0.1 * levels:.0f} 级（满级 255），其平方根的十分之一为 "
        f"{0.1 * math.sqrt(levels):.0f} 级；若取值在 0 至 1 之间，前者相当于 255 级中的 {25.5 * fractions:.0f} 级",
    )


# --- Dropout, initialisation, learning -------------------------------------------------------------


def dropout_as_printed() -> bool:
    """In training about half of the outputs are zero and the rest as they were; at test all are halved."""
    layer, x = model.Dropout(), noise(100, 100).abs() + 1
    with seeded():
        trained = layer.train()(x)
    kept = trained != 0
    halved = torch.allclose(layer.eval()(x), x * 0.5)
    return halved and torch.equal(trained[kept], x[kept]) and 0.47 < float(kept.float().mean()) < 0.53


def dropout_of_two_layers() -> bool:
    """It stands behind fc6 and fc7 alone: what fc6 sees is whole, what fc7 and fc8 see is not."""
    net, x = small().train(), 50 * noise(4, 3, 63, 63)
    with seeded():
        seen = passing(net, x)
    whole = torch.equal(seen["fc6"][0], seen["pool5"][1].flatten(1))
    dropped = []
    for before, after in (("fc6", "fc7"), ("fc7", "fc8")):
        alive = seen[before][1] > 0
        dropped.append(float((seen[after][0][alive] == 0).float().mean()))
    return whole and all(0.4 < share < 0.6 for share in dropped)


def initial_weights() -> bool:
    """Mean 0, standard deviation 0.01 and a Gaussian's fourth moment in every layer."""
    with seeded():
        net = model.AlexNet(maps=(48, 64, 64, 64, 64), hidden=256, size=63, num_classes=50)
    for name in LEARNED:
        w = getattr(net, name).weight.detach().double().flatten()
        moments = float(w.mean()) / 0.01, float(w.std()) / 0.01, float((w / 0.01).pow(4).mean())
        if abs(moments[0]) > 0.05 or abs(moments[1] - 1) > 0.03 or abs(moments[2] - 3) > 0.4:
            return False
    return True


def objective_by_hand() -> bool:
    """The mean of the log-probability of the correct label, with its sign turned."""
    y, target = noise(3, 4), torch.tensor([2, 0, 3])
    p = y.exp() / y.exp().sum(1, keepdim=True)
    by_hand = -sum(math.log(p[i, t]) for i, t in enumerate(target.tolist())) / 3
    return math.isclose(float(small_training().criterion(y, target)), by_hand, rel_tol=1e-5)


def update_by_hand() -> bool:
    """Sec. 5's two lines for one weight over four updates, the rate divided by ten after the second."""
    w, by_hand, v = nn.Parameter(torch.tensor([2.0])), 2.0, 0.0
    optimizer = momentum.Momentum([w])
    for i, gradient in enumerate((3.0, -1.0, 0.5, 2.0)):
        rate = 0.01 if i < 2 else 0.001
        optimizer.param_groups[0]["lr"] = rate
        w.grad = torch.tensor([gradient])
        optimizer.step()
        v = 0.9 * v - 0.0005 * rate * by_hand - rate * gradient
        by_hand += v
        if not math.isclose(w.item(), by_hand, rel_tol=1e-6):
            return False
    return True


def first_group(name: str) -> float:
    return float(small_training().configure_optimizers().param_groups[0][name])


def first_rate() -> float:
    return first_group("lr")


def momentum_of_training() -> float:
    return first_group("momentum")


def decay_of_training() -> float:
    return first_group("weight_decay")


def equal_rates() -> bool:
    optimizer = small_training().configure_optimizers()
    trained = sum(p.numel() for group in optimizer.param_groups for p in group["params"])
    alike = len({group["lr"] for group in optimizer.param_groups}) == 1
    return alike and trained == sum(p.numel() for p in small().parameters())


def rate_falls_three_times() -> bool:
    """Divided by ten when the error stops improving, not while it improves, and no fourth time."""
    module = small_training(patience=2)
    seen = []
    for error in (50.0, 40.0, 41.0, 39.0, 39.0, 39.5, 38.0, *[38.0] * 12):
        module.note_error(error)
        seen.append(module.reductions())
    return seen[:7] == [0, 0, 0, 0, 0, 1, 1] and seen[7:11] == [1, 2, 2, 3] and seen[-1] == 3


# --- Errata -----------------------------------------------------------------------------------------


def conv1_units() -> int | None:
    """Neurons of the first layer, from the printed sizes alone.

    96 maps of one square size cannot have 253,440 neurons, for 2,640 is no square. The second layer's printed 186,624
    neurons are 256 maps of 27x27, and the third's 64,896 are 384 of 13x13. Whatever the padding, and whether a last
    window must lie inside or may hang over, in the convolution and in the pooling, 224 leads there by a side of 54, 55
    or 56. Of these 55 alone divides the printed number, which is 55 x 48 x 96.
    """
    if math.isqrt(253_440 // 96) ** 2 * 96 == 253_440:
        return None

    def windows(side: int, kernel: int, stride: int, rounded: Callable[[float], int]) -> int:
        return rounded((side - kernel) / stride) + 1

    printed = [math.isqrt(186_624 // 256), math.isqrt(64_896 // 384)]
    leading = set()
    for padding, convolved, pooled in product(range(11), (math.floor, math.ceil), (math.floor, math.ceil)):
        first = windows(224 + 2 * padding, 11, 4, convolved)
        second = windows(first, 3, 2, pooled)
        if [second, windows(second, 3, 2, pooled)] == printed:
            leading.add(first)
    dividing = [side for side in leading if 253_440 % (side * 96) == 0]
    return 96 * dividing[0] ** 2 if leading == {54, 55, 56} and len(dividing) == 1 else None


def lone_alpha(released: bool) -> float:
    """What a network multiplies a lone square by, from its answer to one neuron of activity 100."""
    x = torch.zeros(1, 8, 1, 1, dtype=torch.float64)
    x[0, 0] = 100.0
    shrunk = float(small(released=released).norm1(x)[0, 0]) / 100
    return round((shrunk ** (-1 / 0.75) - 2) / 100**2, 9)


# --- What popular implementations change ------------------------------------------------------------

# torchvision's convolutions as read in torchvision/models/alexnet.py: maps, input maps of each kernel, kernel size.
TORCHVISION = [(64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3)]


def convolutions(net: nn.Module) -> list[tuple[int, int, int]]:
    kernels = [m.weight.shape for m in net.modules() if isinstance(m, nn.Conv2d)]
    return [(maps, seen, side) for maps, seen, side, _ in kernels]


def torchvisions() -> list[tuple[int, int, int]]:
    """The convolutions of torchvision's AlexNet: of the library where it imports, else as read."""
    try:
        from torchvision.models import alexnet
    except (ImportError, RuntimeError):  # a torchvision that does not fit torch fails with RuntimeError
        return TORCHVISION
    with torch.device("meta"):
        return convolutions(alexnet())


def torchvision_pads_and_drops() -> bool:
    """Two pixels round the image, dropout before the fully connected layers, and biases neither zero nor one."""
    try:
        from torchvision.models import alexnet
    except (ImportError, RuntimeError):
        return True
    with torch.random.fork_rng():
        net = alexnet()
    first, bound = net.features[0], (3 * 11**2) ** -0.5  # of PyTorch's own rule for weights and biases
    uniform = all(0.9 * bound < float(p.detach().abs().max()) <= bound for p in first.parameters())
    return first.padding == (2, 2) and [type(net.classifier[at]) for at in (0, 3)] == [nn.Dropout] * 2 and uniform


def torchvision_differs() -> bool:
    """Another first layer, no groups, and 61,100,840 parameters, counted from its sizes."""
    theirs, ours = torchvisions(), convolutions(shapes_only())
    kernels = sum(maps * (seen * side**2 + 1) for maps, seen, side in theirs)
    count = kernels + sum(out * (into + 1) for into, out in ((theirs[-1][0] * 36, 4096), (4096, 4096), (4096, 1000)))
    ungrouped = all(seen == before[0] for before, (_, seen, _) in pairwise(theirs))
    sizes = theirs[0] != ours[0] and ungrouped and ours[1][1] == 48 and count == 61_100_840
    return sizes and torchvision_pads_and_drops()


def timm_has_none() -> bool:
    import timm

    return bool(timm.list_models("*resnet50*")) and not timm.list_models("*alex*")


def torch_normalises_by_the_mean() -> bool:
    """torch.nn.LocalResponseNorm with the printed constants is the released code's, not the printed formula."""
    a = 100 * noise(1, 9, 2, 2)
    theirs = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)(a)
    as_released = torch.allclose(theirs, model.ResponseNormalization(released=True)(a), rtol=1e-5)
    return as_released and not torch.allclose(theirs, model.ResponseNormalization()(a), rtol=1e-2)


def released_differs() -> bool:
    """With the same weights the released configuration gives other answers, and its cards normalise apart."""
    printed, released = small(), small(released=True)
    released.load_state_dict(printed.state_dict())
    x = 50 * noise(1, 3, 63, 63)
    maps = torch.zeros(1, 8, 1, 1)
    maps[0, 3:5] = 1000.0  # neighbours, one on each card
    alone = maps.clone()
    alone[0, 4] = 0
    with torch.no_grad():
        apart = torch.equal(released.norm1(maps)[0, 3], released.norm1(alone)[0, 3])
        together = not torch.equal(printed.norm1(maps)[0, 3], printed.norm1(alone)[0, 3])
        return not torch.allclose(printed(x), released(x), rtol=1e-3) and apart and together


# --- Broken models: each must cost at least one claim its verdict ----------------------------------

Breaking = Callable[[], AbstractContextManager[object]]


def network(change: Callable[[model.AlexNet], None] = lambda net: None, **other: Any) -> Breaking:
    """Networks with other options than those asked for, or changed once they are made."""
    exact = model.AlexNet

    class Broken(exact):  # type: ignore[valid-type]
        __signature__ = inspect.signature(exact)  # `load` reads the options' names from it

        def __init__(self, **options: Any) -> None:
            super().__init__(**{**options, **other})
            with torch.no_grad():
                change(self)

    return lambda: patch.object(model, "AlexNet", Broken)


def replaced(name: str, like: Callable[[Any], nn.Module]) -> Breaking:
    return network(lambda net: setattr(net, name, like(getattr(net, name))))


def retrained(**defaults: Any) -> Breaking:
    """Training with other defaults."""
    exact = training.AlexNetTraining

    class Broken(exact):  # type: ignore[valid-type]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**defaults, **options})

    return lambda: patch.object(training, "AlexNetTraining", Broken)


def conv(layer: nn.Conv2d, **other: Any) -> nn.Conv2d:
    """A convolution like another one, but for what is given."""
    same = {name: getattr(layer, name) for name in ("in_channels", "out_channels", "kernel_size", "stride", "padding")}
    return nn.Conv2d(**{**same, "groups": layer.groups, "device": layer.weight.device, **other})


def meeting_later(net: model.AlexNet) -> None:
    net.conv3, net.conv4 = conv(net.conv3, groups=2), conv(net.conv4, groups=1)


def halved_throughout() -> AbstractContextManager[object]:
    """The one-GPU net with half of conv5's kernels too, and of the hidden neurons."""
    exact = model.AlexNet.__init__

    def halved(self: model.AlexNet, **options: Any) -> None:
        one = options.get("groups") == 1
        half = {"maps": [*options["maps"][:4], options["maps"][4] // 2], "hidden": 2048} if one else {}
        exact(self, **{**options, **half})

    halved.__signature__ = inspect.signature(exact)
    return patch.object(model.AlexNet, "__init__", halved)


def unnormalised(net: model.AlexNet) -> None:
    net.norm1 = net.norm2 = nn.Identity()


def without_biases(net: model.AlexNet) -> None:
    for name, p in net.named_parameters():
        if name.endswith("bias"):
            p.zero_()


def biases_of_one(net: model.AlexNet) -> None:
    for name, p in net.named_parameters():
        if name.endswith("bias"):
            p.fill_(1)


def normalised(**other: Any) -> Breaking:
    exact = model.ResponseNormalization.__init__
    return lambda: patch.object(
        model.ResponseNormalization, "__init__", lambda self, **options: exact(self, **{**options, **other})
    )


def whole_windows(x: Tensor) -> Tensor:
    return F.pad(x, (0, model.overhang(x.shape[3]), 0, model.overhang(x.shape[2])))


def pooled_first(self: model.AlexNet, x: Tensor) -> Tensor:
    x = self.norm1(self.pool1(F.relu(self.conv1(whole_windows(x)))))
    x = self.norm2(self.pool2(F.relu(self.conv2(x))))
    x = self.pool5(F.relu(self.conv5(F.relu(self.conv4(F.relu(self.conv3(x)))))))
    return self.fc8(self.dropout7(F.relu(self.fc7(self.dropout6(F.relu(self.fc6(x.flatten(1))))))))


def dropped_before(self: model.AlexNet, x: Tensor) -> Tensor:
    """Dropout of the inputs of fc6 and fc7, as torchvision has it."""
    x = self.pool1(self.norm1(F.relu(self.conv1(whole_windows(x)))))
    x = self.pool2(self.norm2(F.relu(self.conv2(x))))
    x = self.pool5(F.relu(self.conv5(F.relu(self.conv4(F.relu(self.conv3(x)))))))
    return self.fc8(F.relu(self.fc7(self.dropout7(F.relu(self.fc6(self.dropout6(x.flatten(1))))))))


def rate_outside(self: momentum.Momentum) -> None:
    """torch.optim.SGD's form: the velocity is multiplied by today's rate."""
    for group in self.param_groups:
        for w in group["params"]:
            v = self.state[w].setdefault("v", torch.zeros_like(w))
            v.mul_(group["momentum"]).add_(w.grad + group["weight_decay"] * w)
            w.data.sub_(group["lr"] * v)


def two_rates(self: training.AlexNetTraining) -> torch.optim.Optimizer:
    """Biases at twice the rate, as in the released configuration."""
    weights = [p for p in self.net.parameters() if p.dim() > 1]
    biases = [p for p in self.net.parameters() if p.dim() == 1]
    return momentum.Momentum([{"params": weights}, {"params": biases, "lr": 0.02}])


def softmax_of_the_mean(self: training.AlexNetTraining, raw: Tensor) -> Tensor:
    views = self.views(raw)
    return self.net(views.flatten(0, 1)).unflatten(0, views.shape[:2]).mean(1, keepdim=True).softmax(2)


def one_place_less(images: Tensor, size: int, reflect: bool = True) -> Tensor:
    """32 places along each side instead of 33: the paper's factor."""
    return exact_crops(images[:, :, :-1, :-1], size, reflect)


def first_class_alone(self: training.AlexNetTraining, name: str, batch: tuple[Tensor, Tensor]) -> None:
    error = 100 * (self.predictions(batch[0]).mean(1).argmax(1) != batch[1]).float().mean()
    for metric in ("error", "top5_error"):
        self.log(f"{name}_{metric}", error)


exact_crops = training.random_crops
BROKEN: dict[str, Breaking] = {
    "no groups": network(groups=1),
    "the cards meet in conv4 instead of conv3": network(meeting_later),
    "maps of another paper": network(maps=(64, 192, 384, 256, 256)),
    "half of every layer in the one-GPU net": halved_throughout,
    "many maps and few neurons": network(maps=(512, 256, 400, 384, 400), hidden=128),
    "no conv4": replaced("conv4", lambda layer: nn.Identity()),
    "conv1 of 7x7 kernels": replaced("conv1", lambda layer: conv(layer, kernel_size=7)),
    "hidden layers half as wide": network(hidden=2048),
    "no fc7": replaced("fc7", lambda layer: nn.Identity()),
    "conv1 at every second pixel": replaced("conv1", lambda layer: conv(layer, stride=2, padding=2)),
    "an input of 227": network(size=227),
    "ten classes": network(num_classes=10),
    "windows inside the image alone": lambda: patch.object(model, "overhang", lambda side: 0),
    "no normalisation": network(unnormalised),
    "normalisation by the mean": normalised(released=True),
    "normalisation over three maps": normalised(n=3),
    "other constants of the normalisation": normalised(k=1.0, beta=0.5),
    "pooling at every third neuron": lambda: patch.object(model, "pooling", lambda: nn.MaxPool2d(3)),
    "a view less": lambda: patch.object(
        training, "ten_crops", lambda x, size, reflect=True, exact=training.ten_crops: exact(x, size, reflect)[:, 1:]
    ),
    "one noise for all images": lambda: patch.object(
        colour,
        "colour_shifts",
        lambda n, c, deviation=0.1, exact=colour.colour_shifts: exact(1, c, deviation).expand(n, 3),
    ),
    "another recipe": lambda: patch.object(given, "setting", lambda paper, recipe, name: 60),
    "a smaller contest": lambda: patch.object(imagenet, "IMAGES", {"train": 1_150_000, "val": 40_000}),
    "the one most probable class counts": lambda: patch.object(training.AlexNetTraining, "evaluate", first_class_alone),
    "pooling before normalisation": lambda: patch.object(model.AlexNet, "forward", pooled_first),
    "pooling that does not overlap": lambda: patch.object(model, "pooling", lambda: nn.MaxPool2d(2)),
    "average pooling": lambda: patch.object(model, "pooling", lambda: nn.AvgPool2d(3, 2, ceil_mode=True)),
    "softplus": lambda: patch.object(F, "relu", F.softplus),
    "dropout of inputs": lambda: patch.object(model.AlexNet, "forward", dropped_before),
    "dropout scaled in training": lambda: patch.object(
        model.Dropout, "forward", lambda self, x: F.dropout(x, self.p, self.training)
    ),
    "dropout of a quarter": lambda: patch.object(
        model.Dropout, "__init__", lambda self, exact=model.Dropout.__init__: exact(self, 0.25)
    ),
    "biases of zero": network(without_biases),
    "all biases one": network(biases_of_one),
    "weights of deviation 0.02": network(deviation=0.02),
    "a sigmoid for each class": lambda: patch.object(model.AlexNet, "probabilities", lambda self, y: torch.sigmoid(y)),
    "crops of the centre": lambda: patch.object(
        training, "random_crops", lambda x, size, reflect=True: x[..., 1 : 1 + size, 1 : 1 + size]
    ),
    "a place less for the crops": lambda: patch.object(training, "random_crops", one_place_less),
    "images of 232": retrained(image_size=232),
    "views not mirrored": lambda: patch.object(
        training, "ten_crops", lambda x, size, reflect=True, exact=training.ten_crops: exact(x, size, False)
    ),
    "the softmax of the mean": lambda: patch.object(training.AlexNetTraining, "predictions", softmax_of_the_mean),
    "one mean for each colour": lambda: patch.object(
        colour.PixelStatistics,
        "mean",
        property(lambda self: (self.sum / self.images).mean((1, 2), keepdim=True).expand_as(self.sum)),
    ),
    "colour noise in deviations": retrained(colour="deviation"),
    "colour noise of twice the size": lambda: patch.object(
        colour, "colour_noise", lambda x, c, exact=colour.colour_noise: exact(x, c, 0.2)
    ),
    "the rate outside the velocity": lambda: patch.object(momentum.Momentum, "step", rate_outside),
    "another rate, momentum and decay": retrained(lr=0.1, momentum=0.99, weight_decay=5e-3),
    "biases at twice the rate": lambda: patch.object(training.AlexNetTraining, "configure_optimizers", two_rates),
    "the rate divided by a hundred": lambda: patch.object(
        training.AlexNetTraining,
        "reductions",
        lambda self, exact=training.AlexNetTraining.reductions: 2 * exact(self),
    ),
    "the rate divided once": lambda: patch.object(training, "REDUCTIONS", 1),
    "labels smoothed": lambda: patch.object(
        training.AlexNetTraining, "criterion", lambda self, y, t: F.cross_entropy(y, t, label_smoothing=0.1)
    ),
}
BREAK_TRAINING = ()
