"""The geometry of the layers (Sec. II): which inputs a unit listens to, and what a moved or a larger input does."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from literatim.claims.measures import passing
from literatim.papers.lenet import model

INPUT = (1, 32, 32)


def net_as_trained() -> model.LeNet5:
    """A network with weights of an ordinary size, the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return model.LeNet5(init="sqrt")


def listened_to(net: model.LeNet5, layer: str, unit: tuple[int, ...]) -> Tensor:
    """Which inputs of a layer, in the shape of one input, one of its units has a derivative by."""
    shape = passing(net, layer, INPUT)[0].shape
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    (gradient,) = torch.autograd.grad(getattr(net, layer)(x)[(0, *unit)], x)
    return gradient[0] != 0


def inputs(layer: str) -> int:
    """Inputs of the first unit of a layer."""
    net = net_as_trained()
    unit = passing(net, layer, INPUT)[1].dim() - 1
    return int(listened_to(net, layer, (0,) * unit).sum())


def layers(row: str) -> int:
    """Layers after the input, all of them or those that have trainable parameters."""
    parts = list(net_as_trained().children())
    return len([part for part in parts if row == "all" or any(p.requires_grad for p in part.parameters())])


def layers_with_parameters_left() -> int | None:
    """Sec. II-B counts the trainable parameters of six layers, and their sum is the network's whole number: none is
    left for the seventh, whose parameter vectors the same section keeps fixed."""
    printed = {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48_120, "F6": 10_164}
    return len(printed) if sum(printed.values()) == 60_000 else None


def maps_of_s2(c3_map: str) -> tuple[int, ...]:
    """The maps of S2 that a map of C3 answers to: one after the other is switched on."""
    c3 = net_as_trained().c3
    found = []
    with torch.no_grad():
        silent = c3(torch.zeros(1, 6, 14, 14))
        for s2_map in range(6):
            x = torch.zeros(1, 6, 14, 14)
            x[0, s2_map] = torch.rand(14, 14)
            if bool((c3(x) != silent)[0, int(c3_map)].any()):
                found.append(s2_map)
    return tuple(found)


def rule_of_table_1() -> bool:
    """Every contiguous three of the six maps in a ring, every contiguous four, three others of four, and all."""
    seen = [set(maps_of_s2(str(c3_map))) for c3_map in range(16)]
    threes, fours = ([{(first + i) % 6 for i in range(n)} for first in range(6)] for n in (3, 4))
    gaps = all(len(maps) == 4 and maps not in fours for maps in seen[12:15])
    different = len({frozenset(maps) for maps in seen}) == 16
    first, second = seen[:6], seen[6:12]
    contiguous = all(maps in first for maps in threes) and all(maps in second for maps in fours)
    return contiguous and gaps and different and seen[15] == set(range(6))


def c3_by_table_1() -> int | None:
    """Connections of C3 from the rule printed for Table I: six maps with three inputs, nine with four and one with six
    make sixty kernels, and so the printed 1,516 parameters; each is used at the 10x10 places of its map."""
    kernels = 6 * 3 + 6 * 4 + 3 * 4 + 6
    parameters = kernels * 25 + 16
    return parameters * 10 * 10 if parameters == 1516 else None


def network_by_table_1() -> int | None:
    """Connections of the network: the printed ones of its layers, with C3's by Table I. With C3's as printed in the
    journal they come to the journal's total, so the two are one slip."""
    others = 122_304 + 5_880 + 2_000 + 48_120 + 10_164 + 10 * 84
    c3 = c3_by_table_1()
    return others + c3 if c3 and others + 156_000 == 345_308 else None


def overlap(row: str) -> int:
    """Rows and columns that the receptive fields of two horizontally contiguous units of C1 have in common."""
    net = net_as_trained()
    both = listened_to(net, "c1", (0, 3, 3))[0] & listened_to(net, "c1", (0, 3, 4))[0]
    return int(both.any(1 if row == "rows" else 0).sum())


def fields_lie_side_by_side(layer: str) -> bool:
    """The fields of neighbouring units of a sub-sampling layer: squares of two, each where the one before it ends."""
    net = net_as_trained()
    size = passing(net, layer, INPUT)[0].shape[2:]
    for y, x in ((0, 0), (0, 1), (1, 0), (2, 3)):
        expected = torch.zeros(size, dtype=torch.bool)
        expected[2 * y : 2 * y + 2, 2 * x : 2 * x + 2] = True
        if not torch.equal(listened_to(net, layer, (0, y, x))[0], expected):
            return False
    return True


def centres() -> tuple[int, ...]:
    """Rows and columns of input pixels over which the centres of the receptive fields of C3 are spread, each centre
    standing for the pixels up to the next one; (0, 0) where they do not lie around the middle of the input."""
    net = net_as_trained()
    x = torch.rand(1, *INPUT, generator=torch.Generator().manual_seed(0)).requires_grad_()
    c3 = net.c3(model.squash(net.s2(model.squash(net.c1(x)))))
    sides = []
    for axis in (0, 1):
        middles = []
        for place in range(c3.shape[2 + axis]):
            unit = (0, 0, place, 0) if axis == 0 else (0, 0, 0, place)
            (gradient,) = torch.autograd.grad(c3[unit], x, retain_graph=True)
            seen = (gradient[0, 0] != 0).any(1 - axis).nonzero()
            middles.append(float(seen.min() + seen.max()) / 2)
        apart = middles[1] - middles[0]
        central = middles[0] + middles[-1] == INPUT[1 + axis] - 1
        sides.append(int(len(middles) * apart) if central else 0)
    return tuple(sides)


def maps_shift_with_the_input() -> bool:
    c1, x = net_as_trained().c1, torch.rand(1, *INPUT, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, after = c1(x), c1(torch.roll(x, (1, 2), (2, 3)))
    return torch.allclose(after[:, :, 1:, 2:], before[:, :, :-1, :-2], atol=1e-6)


def up_to_c5(net: model.LeNet5, x: Tensor) -> Tensor:
    with torch.no_grad():
        for layer in (net.c1, net.s2, net.c3, net.s4, net.c5):
            x = model.squash(layer(x))
    return x


def c5_grows() -> bool:
    """A wider input, everything else as it was, makes C5's maps wider than one unit."""
    return tuple(up_to_c5(net_as_trained(), torch.zeros(1, 1, 32, 48)).shape[1:]) == (120, 1, 5)


def replicas_agree() -> bool:
    """Of a wide input the network computes what instances of it compute, that look at places four pixels apart."""
    net, wide = net_as_trained(), torch.rand(1, 1, 32, 44, generator=torch.Generator().manual_seed(0))
    alone = [up_to_c5(net, wide[..., first : first + 32]) for first in (0, 4, 8, 12)]
    return torch.allclose(up_to_c5(net, wide), torch.cat(alone, dim=3), atol=1e-5)


def subsampling_acts(row: str) -> bool:
    """A unit of S2 with a small coefficient, or with a large one and a bias that suits.

    `blur`: nearly linear in its inputs. `or`, `and`: of four inputs that are on (1) or off (-1) it tells whether one is
    on, or all are, nearly saturated either way.
    """
    unit = model.Subsampling(6, "sum")
    states = torch.tensor(list(product((-1.0, 1.0), repeat=4))).view(16, 1, 2, 2).expand(-1, 6, -1, -1)
    coefficient, bias = {"blur": (0.01, 0.0), "or": (4.0, 12.0), "and": (4.0, -12.0)}[row]
    with torch.no_grad():
        unit.coefficient.fill_(coefficient)
        unit.bias.fill_(bias)
        out = model.squash(unit(states))[:, 0, 0, 0]
    on = (states[:, 0] > 0).flatten(1)
    if row == "blur":
        linear = 1.7159 * 2 / 3 * 0.01 * states[:, 0].flatten(1).sum(1)
        return torch.allclose(out, linear, rtol=1e-2, atol=1e-6)
    truth = on.any(1) if row == "or" else on.all(1)
    return torch.equal(out > 0, truth) and bool((out.abs() > 1.6).all())


def squashing(row: str) -> float:
    """The amplitude and the slope of the squashing function, measured on it."""
    far = float(model.squash(torch.tensor(1e3, dtype=torch.float64)))
    if row == "amplitude":
        return round(far, 9)
    origin = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(model.squash(origin), origin)
    return round(float(slope) / far, 9)


def squashing_is_odd() -> bool:
    a = torch.linspace(0, 20, 200, dtype=torch.float64)
    f, mirrored = model.squash(a), model.squash(-a)
    ends = torch.tensor([1.7159, -1.7159], dtype=torch.float64)
    return torch.equal(f, -mirrored) and torch.allclose(torch.stack([f[-1], mirrored[-1]]), ends, atol=1e-9)


def codes_do_not_saturate() -> bool:
    """The components of the codes are well inside the range of F6: the slope there is above half of the steepest."""
    a = torch.linspace(-6, 6, 12_001, dtype=torch.float64, requires_grad=True)
    f = model.squash(a)
    (slope,) = torch.autograd.grad(f.sum(), a)
    f = f.detach()
    nearest = [int((f - code).abs().argmin()) for code in (-1, 1)]
    reached = net_as_trained().output.codes.unique().tolist() == [-1, 1] and bool((f.abs() > 1).any())
    return reached and all(float(slope[at] / slope.max()) > 0.5 for at in nearest)
