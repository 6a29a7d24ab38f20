"""The networks of Figs. 3 and 5, and what the text says of layered networks."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from literatim.papers.backprop import model


def drawn(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def family() -> model.FamilyNet:
    return model.FamilyNet().double()


def iterative() -> model.IterativeNet:
    return model.IterativeNet(spread=2.0).double()


def inputs(group: str) -> int:
    return family().inputs[group]


def family_layers() -> int:
    """The longest way from an input to the output, in layers with both of them."""
    net = family()
    height = dict.fromkeys(net.inputs, 1)
    for name, below in net.below.items():
        height[name] = 1 + max(height[each] for each in below)
    return height[net.top]


def groups_apart() -> bool:
    """Another relationship leaves the units for people alone, and another person those for relationships."""
    net = family()
    x = torch.zeros(3, 36, dtype=torch.float64)
    x[0, [5, 31]] = x[1, [5, 32]] = x[2, [6, 31]] = 1
    with torch.no_grad():
        y = net.states(x)
    people, relations = y["people"], y["relations"]
    alone = torch.equal(people[0], people[1]) and torch.equal(relations[0], relations[2])
    return alone and not torch.equal(people[0], people[2]) and not torch.equal(relations[0], relations[1])


def upwards_only() -> bool:
    """Every group listens to groups below it: it is connected neither to itself nor to its layer nor to those above."""
    nets = [model.SymmetryNet(), model.SymmetryNet(skip=True), family()]
    found = []
    for net in nets:
        height = dict.fromkeys(net.inputs, 0)
        for name, below in net.below.items():
            height[name] = 1 + max(height[each] for each in below)
            found.append(name not in below and all(height[each] < height[name] for each in below))
    return all(found)


def skips() -> bool:
    """With hidden units that say nothing the output hears the inputs where connections skip, and else does not."""
    x = torch.eye(6, dtype=torch.float64)
    heard = []
    for skip in (True, False):
        net = model.SymmetryNet(skip=skip).double()
        with torch.no_grad():
            net.get_parameter("output.weight")[:, :2] = 0
            heard.append(len(net(x).unique()) > 1)
    return heard == [True, False]


# --- Fig. 5 ------------------------------------------------------------------------------------------


def states_stored() -> int:
    """The states after each iteration that the backward pass is given, the start apart."""
    return len(iterative().history(drawn(4, 3))) - 1


def neighbours() -> bool:
    """Which weight moves which unit in one iteration: w1 the first, w2 and w3 the second, w4 the third."""
    net = model.IterativeNet(iterations=1, spread=2.0).double()
    with torch.no_grad():
        before = net(drawn(1, 3))[0]
        moved = []
        for i in range(4):
            net.w[i] += 1
            moved.append((net(drawn(1, 3))[0] != before).nonzero().flatten().tolist())
            net.w[i] -= 1
    return moved == [[0], [1], [1], [2]]


def synchronous() -> bool:
    """All units take their new states from the old ones, as a layer does: written out unit by unit."""
    net = iterative()
    w1, w2, w3, w4 = net.w.tolist()
    first, second, third = drawn(1, 3)[0].tolist()
    for _ in range(3):
        sums = torch.tensor([w1 * second, w2 * first + w3 * third, w4 * second], dtype=torch.float64)
        first, second, third = torch.sigmoid(sums).tolist()
    with torch.no_grad():
        return torch.allclose(
            net(drawn(1, 3))[0], torch.tensor([first, second, third], dtype=torch.float64), atol=1e-12
        )


def layer_by_layer(net: model.IterativeNet, x: Tensor, d: Tensor) -> Tensor:
    """(3, 4): torch's derivatives of the equivalent layered net, whose layers have copies of the weights."""
    copies = net.w.detach().repeat(3, 1).requires_grad_()
    to, of = (torch.tensor(side) for side in zip(*net.arcs, strict=True))
    y = x
    for layer in copies:
        matrix = torch.zeros(3, 3, dtype=torch.float64).index_put((to, of), layer)
        y = torch.sigmoid(y @ matrix.T)
    model.total_error(y, d).backward()
    assert copies.grad is not None
    return copies.grad


def each_layer() -> bool:
    """The derivatives by hand of every layer are those of the equivalent layered net."""
    net, x, d = iterative(), drawn(5, 3), drawn(5, 3).flip(0)
    with torch.no_grad():
        y = net.history(x)
        ours = net.layer_gradients(y, model.at_the_outputs(y[-1], d))
    return torch.allclose(ours, layer_by_layer(net, x, d), atol=1e-12)


def averaged() -> bool:
    """The gradient is the average over the three layers, and a third of the derivative by the shared weight."""
    net, x, d = iterative(), drawn(5, 3), drawn(5, 3).flip(0)
    y = net.history(x)
    model.total_error(y[-1], d).backward()
    assert net.w.grad is not None
    ours = net.gradient([state.detach() for state in y], (y[-1] - d).detach())
    average = layer_by_layer(net, x, d).mean(dim=0)
    return torch.allclose(ours, average, atol=1e-12) and torch.allclose(3 * ours, net.w.grad, atol=1e-12)


def stay_equal() -> bool:
    """By their own derivatives corresponding weights would part at the first change; by the average they do not."""
    net, x, d = iterative(), drawn(5, 3), drawn(5, 3).flip(0)
    with torch.no_grad():
        y = net.history(x)
        own = net.layer_gradients(y, y[-1] - d)
        of_set = net.gradient(y, y[-1] - d)
    parted = all(not torch.allclose(one, other) for one, other in pairwise(own))
    return parted and of_set.shape == net.w.shape
