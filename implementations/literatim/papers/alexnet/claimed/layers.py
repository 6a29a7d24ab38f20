"""The layers of Sec. 3, one at a time: kernels, rectified units, normalisation, pooling, and the shares of each."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.claims.measures import passing
from literatim.claims.verdicts import build
from literatim.papers.alexnet import checks, model

CONVOLUTIONS = ("conv1", "conv2", "conv3", "conv4", "conv5")


def learned_layers(row: str) -> int:
    kinds = {"all": (nn.Conv2d, nn.Linear), "convolutional": (nn.Conv2d,), "connected": (nn.Linear,)}[row]
    return sum(isinstance(layer, kinds) for layer in checks.shapes_only().modules())


def kernels(layer: str) -> int:
    return len(getattr(checks.shapes_only(), layer).weight)


def kernel_size(layer: str) -> tuple[int, ...]:
    """Rows, columns and maps that a kernel sees."""
    _, maps, rows, columns = getattr(checks.shapes_only(), layer).weight.shape
    return rows, columns, maps


def kernels_of_one_card() -> int:
    """Maps of the first layer that a kernel of the second sees: those of its own card."""
    return checks.shapes_only().conv2.weight.shape[1]


def _parameters(net: nn.Module, layer: str) -> int:
    return sum(p.numel() for p in getattr(net, layer).parameters())


def share(layer: str) -> float:
    """Parameters of a layer in per cent of the network's."""
    net = checks.shapes_only()
    return round(100 * _parameters(net, layer) / sum(p.numel() for p in net.parameters()), 2)


def share_of_printed_sizes(layer: str) -> float | None:
    """The same from the sizes that Sec. 3.5 prints, and whether the 60 million printed for all would change it much."""
    kernels = {
        "conv1": 96 * (11 * 11 * 3 + 1),
        "conv2": 256 * (5 * 5 * 48 + 1),
        "conv3": 384 * (3 * 3 * 256 + 1),
        "conv4": 384 * (3 * 3 * 192 + 1),
        "conv5": 256 * (3 * 3 * 192 + 1),
    }
    connected = 4096 * (6 * 6 * 256 + 1) + 4096 * (4096 + 1) + 1000 * (4096 + 1)
    counted = 100 * kernels[layer] / (sum(kernels.values()) + connected)
    rounded = 100 * kernels[layer] / 60e6
    return round(counted, 2) if min(counted, rounded) > 1 else None


def share_of_conv3() -> float | None:
    return share_of_printed_sizes("conv3")


def share_of_conv4() -> float | None:
    return share_of_printed_sizes("conv4")


def one_gpu_kernels(layer: str) -> float:
    """Kernels, or neurons, of a layer of the one-GPU net over those of the two-GPU net."""
    one = build("alexnet", "alexnet-one-gpu")
    return len(getattr(one, layer).weight) / kernels(layer)


def hands_on_the_positive(layer: str) -> bool:
    """What a layer hands on is max(0, its sums), of which there are some of both signs."""
    seen = checks.passing(checks.signed_net(), 50 * checks.noise(1, 3, 63, 63))
    sums, handed = seen[layer][1], seen[checks.NEXT[layer]][0]
    mixed = bool((sums < 0).any()) and bool((sums > 0).any())
    return mixed and torch.equal(handed, torch.where(sums > 0, sums, 0.0))


def normalisation(row: str) -> float:
    """A constant of the normalisation, from what it makes of a few activities.

    `n`: how many maps weigh on the one in their middle. The others from a lone activity a: a / (k + alpha a²)^beta.
    """
    norm = checks.shapes_only().norm1

    def alone(a: float) -> float:
        x = torch.zeros(1, 96, 1, 1, dtype=torch.float64)
        x[0, 40] = a
        return float(norm(x)[0, 40])

    if row == "n":
        x = torch.full((1, 96, 1, 1), 100.0, dtype=torch.float64)
        whole, felt = float(norm(x)[0, 40]), 0
        for i in range(96):
            without = x.clone()
            without[0, i] = 0
            felt += i == 40 or float(norm(without)[0, 40]) != whole
        return felt
    # Far out a / b grows like a^(2 beta), near zero it is k^beta, and between the two alpha decides.
    beta = math.log((1e9 / alone(1e9)) / (1e8 / alone(1e8))) / (2 * math.log(10))
    k = (1e-3 / alone(1e-3)) ** (1 / beta)
    alpha = ((100 / alone(100)) ** (1 / beta) - k) / 100**2
    return {"k": round(k, 4), "alpha": round(alpha, 9), "beta": round(beta, 4)}[row]


def neighbours_inhibit() -> bool:
    """The larger the activities of the two maps on either side, the less is left of one; others do nothing."""
    norm, x = model.ResponseNormalization(), torch.full((1, 9, 1, 1), 50.0)
    left = float(norm(x)[0, 4])
    for i in range(9):
        larger = x.clone()
        larger[0, i] = 500.0
        less = float(norm(larger)[0, 4]) < left
        if i != 4 and less != (abs(i - 4) <= 2):
            return False
    return True


def pooling(row: str) -> int:
    """`z`: rows that a pooling unit sees; `s`: how far apart neighbouring units lie. Found by one large neuron."""
    pool, answers = checks.shapes_only().pool1, []
    for at in range(13):
        x = torch.zeros(1, 1, 13, 13)
        x[..., at, :] = 1
        answers.append(pool(x)[0, 0, :, 0] == 1)
    heard = torch.stack(answers)  # (rows, units): which unit answers to which row
    first = heard.long().argmax(0)
    return int(heard[:, 1].sum()) if row == "z" else int(first[2] - first[1])


def pooled_alike(layer: str) -> bool:
    """Maxima of 2x2 at every second neuron, inside the map, give maps of the same size."""
    seen = checks.passing(checks.shapes_only(), torch.zeros(1, *checks.INPUT, device="meta"))
    x, pooled = seen[layer]
    return F.max_pool2d(x, 2, 2).shape == pooled.shape


def ways() -> int:
    net = checks.shapes_only()
    return net.probabilities(passing(net, "fc8", checks.INPUT)[1]).shape[1]


def bits() -> float:
    """What a label among so many classes tells."""
    return math.log2(ways())


def released_alpha_differs() -> bool:
    """alpha before the sum of squares: 10⁻⁴ as printed, and a fifth of it in the released configuration."""
    return checks.lone_alpha(released=False) == 1e-4 and checks.lone_alpha(released=True) == 2e-5


def released_relu_differs() -> bool:
    """As printed every ReLU stands behind its layer; in the released configuration the first is behind the pooling."""
    printed, released = checks.signed_net(), checks.signed_net(released=True)
    seen = checks.passing(released, 50 * checks.noise(1, 3, 63, 63))
    late: Tensor = seen["norm1"][0]
    return checks.rectified(printed) and not checks.rectified(released) and bool((late < 0).any())


def normalisations(net: model.AlexNet) -> int:
    return sum(isinstance(m, model.ResponseNormalization | model.WithinMapNormalization) for m in net.modules())


def released_normalisations_differ() -> bool:
    """Two normalisations as printed; in the released configuration a third, within each map."""
    return normalisations(checks.small()) == 2 and normalisations(checks.small(released=True)) == 3
