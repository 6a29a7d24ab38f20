r"""The networks of the letter and its learning procedure, with the backward pass written out by hand.

Layered networks of logistic units (Eqs. 1 and 2), what they are to minimise (Eq. 3), its derivatives from the top layer
down to the bottom one (Eqs. 4 to 7), and the changes of the weights (Eqs. 8 and 9). Below them stand the three networks
that the figures draw.

Every function also takes the weights of many networks at once, stacked in a first dimension K: that is how the trials
of a run learn side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

Weights = Mapping[str, Tensor]

# Fig. 1 prints this range for the symmetry net. For the family trees the letter says no more than "small random
# weights".
SMALL = 0.3


def total_input(y: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    r"""Eq. 1: $x_j = \sum_i y_i w_{ji}$, the bias as the weight on "an extra input … which always has a value of 1".

    y (N, I) or (K, N, I), weight (J, I) or (K, J, I), bias (J) or (K, J); returns (N, J) or (K, N, J).
    """
    return y @ weight.mT + bias.unsqueeze(-2)


def logistic(x: Tensor) -> Tensor:
    r"""Eq. 2: $y_j = 1 / (1 + e^{-x_j})$."""
    return 1 / (1 + torch.exp(-x))


def total_error(y: Tensor, d: Tensor) -> Tensor:
    r"""Eq. 3: $E = \frac12 \sum_c \sum_j (y_{j,c} - d_{j,c})^2$, a sum over cases and units and no mean.

    y (…, N, J), d (N, J); returns (…).
    """
    return 0.5 * (y - d).square().sum(dim=(-2, -1))


def at_the_outputs(y: Tensor, d: Tensor) -> Tensor:
    r"""Eq. 4: $\partial E / \partial y_j = y_j - d_j$."""
    return y - d


def at_the_total_inputs(dE_dy: Tensor, y: Tensor) -> Tensor:
    r"""Eq. 5: $\partial E / \partial x_j = \partial E / \partial y_j \cdot y_j (1 - y_j)$."""
    return dE_dy * y * (1 - y)


def at_the_weights(dE_dx: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    r"""Eq. 6: $\partial E / \partial w_{ji} = \partial E / \partial x_j \cdot y_i$, accumulated over the cases.

    dE_dx (…, N, J), y (…, N, I); returns the derivatives of the weight (…, J, I) and of the bias (…, J), whose $y_i$
    is always 1.
    """
    return dE_dx.mT @ y, dE_dx.sum(dim=-2)


def at_the_units_below(dE_dx: Tensor, weight: Tensor) -> Tensor:
    r"""Eq. 7: $\partial E / \partial y_i = \sum_j \partial E / \partial x_j \cdot w_{ji}$."""
    return dE_dx @ weight


def silent(y: Tensor, d: Tensor, on: float = 0.8, off: float = 0.2) -> Tensor:
    """Fig. 4: where the error is "considered to be zero": above 0.8 what should be on, below 0.2 what should be off."""
    return torch.where(d > 0.5, y > on, y < off)


def change(gradient: Tensor, before: Tensor | float, eps: float, alpha: float) -> Tensor:
    r"""Eq. 9: $\Delta w(t) = -\varepsilon\, \partial E / \partial w(t) + \alpha\, \Delta w(t-1)$.

    With alpha 0 it is Eq. 8.
    """
    return -eps * gradient + alpha * before


class Units(nn.Module):
    """A layer, or a group of units in one: their weights from the units below, and their biases.

    Both are drawn from the same range: the bias "can be treated just like the other weights".
    """

    def __init__(self, below: int, units: int, spread: float = SMALL) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(units, below))
        self.bias = nn.Parameter(torch.empty(units))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -spread, spread)

    def forward(self, y: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        """The states (…, N, J) of these units, from those below, (…, N, I)."""
        w, b = self.weight if weight is None else weight, self.bias if bias is None else bias
        return logistic(total_input(y, w, b))


class Layered(nn.Module):
    """A layered network: groups of units, each with the groups that it listens to, from the bottom up.

    "Connections within a layer or from higher to lower layers are forbidden, but connections can skip intermediate
    layers."

    Args:
        inputs: the groups of input units with their sizes, as they stand side by side in an input vector
        groups: name -> (number of units, the groups below that it is connected to); the last one is the output
        spread: weights start uniformly within plus or minus this
    """

    def __init__(
        self, inputs: Mapping[str, int], groups: Mapping[str, tuple[int, Sequence[str]]], spread: float = SMALL
    ) -> None:
        super().__init__()
        if spread < 0:
            raise ValueError(f"spread is {spread}; it must not be negative")
        self.inputs, self.below = dict(inputs), {name: tuple(below) for name, (_, below) in groups.items()}
        size = self.inputs | {name: units for name, (units, _) in groups.items()}
        for name, (units, below) in groups.items():
            self.add_module(name, Units(sum(size[each] for each in below), units, spread))
        self.size, self.top, self.spread = size, list(groups)[-1], spread

    def forward(self, x: Tensor) -> Tensor:
        """The states of the output units, (N, J), for input vectors (N, I)."""
        return self.states(x)[self.top]

    def states(self, x: Tensor, weights: Weights | None = None) -> dict[str, Tensor]:
        """The forward pass: the states of every group, "starting at the bottom and working upwards"."""
        w = dict(self.named_parameters()) if weights is None else weights
        y = dict(zip(self.inputs, x.split(list(self.inputs.values()), dim=-1), strict=True))
        for name, below in self.below.items():
            y[name] = self.get_submodule(name)(self.seen(y, below), w[f"{name}.weight"], w[f"{name}.bias"])
        return y

    def seen(self, y: Mapping[str, Tensor], below: Sequence[str]) -> Tensor:
        """The states of several groups side by side; input vectors are the same for all K networks."""
        states = [y[each] for each in below]
        stacked = max((state.shape[:-1] for state in states), key=len)
        return torch.cat([state.expand(*stacked, -1) for state in states], dim=-1)

    def gradients(self, y: Mapping[str, Tensor], dE_dy: Tensor, weights: Weights | None = None) -> dict[str, Tensor]:
        r"""The backward pass: $\partial E / \partial w$ of all weights, from the states of the forward pass and
        $\partial E / \partial y$ at the outputs."""
        w = dict(self.named_parameters()) if weights is None else weights
        errors, found = {self.top: dE_dy}, {}
        for name, below in reversed(self.below.items()):
            dE_dx = at_the_total_inputs(errors[name], y[name])
            found[f"{name}.weight"], found[f"{name}.bias"] = at_the_weights(dE_dx, self.seen(y, below))
            # "Taking into account all the connections emanating from unit i": what comes from several groups adds up.
            parts = at_the_units_below(dE_dx, w[f"{name}.weight"]).split([self.size[each] for each in below], dim=-1)
            for each, part in zip(below, parts, strict=True):
                errors[each] = errors[each] + part if each in errors else part
        return found


class SymmetryNet(Layered):
    """Fig. 1: is a vector of six bits symmetrical about its middle? Six inputs, two hidden units, one output.

    Args:
        hidden: units between inputs and output; 0 connects the inputs straight to the output, which the text says
            cannot do
        skip: connect the inputs to the output as well
        spread: weights start uniformly within plus or minus this
    """

    def __init__(self, hidden: int = 2, skip: bool = False, spread: float = SMALL) -> None:
        if hidden < 0:
            raise ValueError(f"hidden is {hidden}; it must be at least 0")
        groups = {"hidden": (hidden, ["input"])} if hidden else {}
        below = ["hidden", "input"] if hidden and skip else ["hidden"] if hidden else ["input"]
        super().__init__({"input": 6}, {**groups, "output": (1, below)}, spread)

    @classmethod
    def printed(cls) -> SymmetryNet:
        """The network of Fig. 1 with the numbers that stand on its arcs and inside its nodes."""
        net = cls().double()
        left = [14.2, -3.6, 7.2, -7.2, 3.6, -14.2]
        right = [-14.2, 3.6, -7.1, 7.1, -3.6, 14.2]
        with torch.no_grad():
            for name, values in {
                "hidden.weight": [left, right],
                "hidden.bias": [-1.1, -1.1],
                "output.weight": [[-8.8, -8.8]],
                "output.bias": [6.4],
            }.items():
                net.get_parameter(name).copy_(torch.tensor(values, dtype=torch.float64))
        return net


class FamilyNet(Layered):
    """Fig. 3: 24 people and 12 relationships, each with its own group of 6 units in the second layer, which together
    are connected to the central layer of 12; from there to a penultimate layer of 6 and to the 24 people again."""

    def __init__(self, spread: float = SMALL) -> None:
        super().__init__(
            {"person_1": 24, "relationship": 12},
            {
                "people": (6, ["person_1"]),
                "relations": (6, ["relationship"]),
                "central": (12, ["people", "relations"]),
                "penultimate": (6, ["central"]),
                "person_2": (24, ["penultimate"]),
            },
            spread,
        )


class IterativeNet(nn.Module):
    """Fig. 5: three units in a row, each connected to its neighbours, run for three iterations.

    The four weights are $w_1$ from the second unit to the first, $w_2$ back, $w_3$ from the third to the second and
    $w_4$ back. Unrolled, every iteration is a layer of a layered net, and the weights of all layers are the same.
    """

    # (to, from) of w1 to w4, counted from 0.
    arcs = ((0, 1), (1, 0), (1, 2), (2, 1))

    def __init__(self, iterations: int = 3, spread: float = SMALL) -> None:
        super().__init__()
        self.iterations, self.spread = iterations, spread
        self.w = nn.Parameter(torch.empty(4))
        nn.init.uniform_(self.w, -spread, spread)

    def matrix(self) -> Tensor:
        """(3, 3): the weights of a layer of the equivalent layered net, which has no biases."""
        to, of = zip(*self.arcs, strict=True)
        return self.w.new_zeros(3, 3).index_put((torch.tensor(to), torch.tensor(of)), self.w)

    def forward(self, x: Tensor) -> Tensor:
        """The states (N, 3) after the last iteration, from those at the start."""
        return self.history(x)[-1]

    def history(self, x: Tensor) -> list[Tensor]:
        """The states at the start and after every iteration: it is "necessary to store the history"."""
        y, matrix = [x], self.matrix()
        for _ in range(self.iterations):
            y.append(logistic(total_input(y[-1], matrix, matrix.new_zeros(3))))
        return y

    def layer_gradients(self, y: Sequence[Tensor], dE_dy: Tensor) -> Tensor:
        r"""(iterations, 4): $\partial E / \partial w$ of $w_1$ to $w_4$ in each layer of the layered net, as if the
        layers had weights of their own."""
        matrix, found = self.matrix(), []
        to, of = zip(*self.arcs, strict=True)
        for below, above in zip(reversed(y[:-1]), reversed(y[1:]), strict=True):
            dE_dx = at_the_total_inputs(dE_dy, above)
            found.append(at_the_weights(dE_dx, below)[0][to, of])
            dE_dy = at_the_units_below(dE_dx, matrix)
        return torch.stack(found[::-1])

    def gradient(self, y: Sequence[Tensor], dE_dy: Tensor) -> Tensor:
        r"""(4): the average of $\partial E / \partial w$ "for all the weights in each set of corresponding weights".

        Times the number of iterations it is the derivative of $E$ by the shared weight.
        """
        return self.layer_gradients(y, dE_dy).mean(dim=0)
