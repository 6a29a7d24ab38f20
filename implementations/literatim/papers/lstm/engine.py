"""Who computes the learning of a network: the readable module with autograd, or the kernels."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from literatim.papers.lstm.model import LSTM
from literatim.parts.compiled import compiling
from literatim.parts.sequences import Floats, Sequences
from literatim.parts.trials import Trials

Update = Literal["step", "sequence"]
UNITS = ("cells", "input_gates", "output_gates", "forget_gates")  # the columns of the kernels' table, in this order


class Rule(NamedTuple):
    """When training has succeeded, by the most recent training sequences: at most `wrong` of them have an error of
    `tolerance` or more, and their mean error is below `mean_error`. The errors are absolute, or squared."""

    tolerance: float
    wrong: int
    mean_error: float = np.inf
    squared: bool = False


@dataclass
class Recent:
    """(2, window) of the most recent sequences the largest error and the mean one, and how many there were before."""

    ring: Floats
    counted: int
    rule: Rule


class Found(NamedTuple):
    """What came out for sequences: (N,) each, but `final` (N, O), the outputs at the last step with a target.

    `largest`, `mean` absolute error and mean `square`d error over outputs and steps; `misled`: steps after which an
    output unit that may not be the most active one was.
    """

    largest: Floats
    mean: Floats
    square: Floats
    misled: Floats
    final: Floats

    @classmethod
    def of(cls, columns: Floats, final: Floats) -> Found:
        return cls(columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3], final)


def nothing(many: int, outputs: int) -> tuple[Floats, Floats]:
    return np.zeros((many, 4)), np.zeros((many, outputs))


class Exact:
    """The kernels, on the tables of all trials.

    A network with a gate that forgets has it as `forget_gates`; whatever else is a matter of the module's attributes.
    `slope`: whether the error of an output unit is multiplied by the unit's slope, as Eq. 19 has it.

    Raises LiteratimError where numba is not installed.
    """

    def __init__(self, net: LSTM, trials: Trials, symbols: bool, slope: bool = True) -> None:
        self.net, self.trials, self.slope = net, trials, slope
        units = [name for name in UNITS if f"{name}.weight" in trials.names]
        scale, shift = (4.0, 2.0) if net.g == "[-2, 2]" else (1.0, 0.0)
        with compiling():
            from literatim.papers.lstm.fast import learner

            shape = (
                net.inputs, net.outputs, net.blocks, net.size, net.fed_back, "output_gates" in units,
                "forget_gates" in units, net.shortcut, symbols, net.h == "[-1, 1]", scale, shift,
            )  # fmt: skip
            self.kernels = {learns: learner(*shape, learns) for learns in (True, False)}
        self.units = units
        self.biased = np.concatenate([np.full(self.width(name), float(self.has_bias(name))) for name in units])

    def has_bias(self, name: str) -> bool:
        return f"{name}.bias" in self.trials.names

    def width(self, name: str) -> int:
        return self.trials.stacked(f"{name}.weight").shape[1]

    def packed(self, trial: int) -> tuple[Floats, Floats]:
        """The kernels' tables of a trial: (sources, hidden) and (seen by an output unit, outputs)."""
        table, cells = self.trials.table, self.net.blocks * self.net.size
        columns = [
            np.vstack([
                table(f"{name}.weight")[trial].T,
                table(f"{name}.bias")[trial] if self.has_bias(name) else np.zeros(self.width(name)),
            ])
            for name in self.units
        ]  # fmt: skip
        out = table("output.weight")[trial].T
        bias = table("output.bias")[trial] if self.has_bias("output") else np.zeros(self.net.outputs)
        return np.ascontiguousarray(np.hstack(columns)), np.ascontiguousarray(
            np.vstack([out[:cells], bias, out[cells:]])
        )

    def unpack(self, trial: int, w: Floats, v: Floats) -> None:
        """Give a trial what its tables have become."""
        table, cells, first = self.trials.table, self.net.blocks * self.net.size, 0
        for name in self.units:
            columns = w[:, first : first + self.width(name)]
            first += self.width(name)
            table(f"{name}.weight")[trial] = columns[:-1].T
            if self.has_bias(name):
                table(f"{name}.bias")[trial] = columns[-1]
        table("output.weight")[trial] = np.vstack([v[:cells], v[cells + 1 :]]).T
        if self.has_bias("output"):
            table("output.bias")[trial] = v[cells]

    def learn(
        self, trial: int, given: Sequences, first: int, last: int, rate: float, update: Update = "step",
        awake: bool = True, recent: Recent | None = None, limit: float = np.inf, decay: float = 1.0,
    ) -> tuple[int, bool, Found, float]:  # fmt: skip
        """Let a trial learn from sequences, until the rule for the `recent` ones is met.

        Returns (the first one that it was not shown, whether the rule was met, what came out, the rate by then).
        """
        w, v = self.packed(trial)
        ran = self.run(True, w, v, given, first, last, rate, decay, int(update == "sequence"), awake, limit, recent)
        self.unpack(trial, w, v)
        return ran

    def evaluate(self, trial: int, given: Sequences, first: int, last: int, awake: bool = True) -> Found:
        """What comes out for the sequences from `first` to before `last`; in rows of all."""
        w, v = self.packed(trial)
        return self.run(False, w, v, given, first, last, 0.0, 1.0, 0, awake, np.inf, None)[2]

    def run(
        self, learns: bool, w: Floats, v: Floats, given: Sequences, first: int, last: int, rate: float, decay: float,
        when: int, awake: bool, limit: float, recent: Recent | None,
    ) -> tuple[int, bool, Found, float]:  # fmt: skip
        found, final = nothing(len(given), self.net.outputs)
        ring = recent.ring if recent else np.zeros((2, 0))
        rule = np.array(recent.rule if recent else Rule(0.0, 0), np.float64)
        end, met, rate = self.kernels[learns](
            w, v, self.biased, float(self.has_bias("output")), given.x, given.ids, given.offsets, first, last,
            given.targets, given.following, given.legal, rate, decay, when, self.slope, awake, limit, ring, rule,
            recent.counted if recent else 0, found, final,
        )  # fmt: skip
        return end, met, Found.of(found, final), rate


class Plain:
    """The readable module with autograd, in double precision: what the kernels are held against."""

    def __init__(self, net: LSTM, trials: Trials, symbols: bool, slope: bool = True) -> None:
        self.net, self.trials, self.symbols, self.slope = copy.deepcopy(net).double(), trials, symbols, slope

    def inputs(self, given: Sequences, steps: slice) -> Tensor:
        if self.symbols:
            return torch.nn.functional.one_hot(torch.from_numpy(given.ids[steps]), self.net.inputs).double()
        return torch.from_numpy(given.x[steps])

    def learn(
        self, trial: int, given: Sequences, first: int, last: int, rate: float, update: Update = "step",
        awake: bool = True, recent: Recent | None = None, limit: float = np.inf, decay: float = 1.0,
    ) -> tuple[int, bool, Found, float]:  # fmt: skip
        """As that of `Exact`."""
        self.trials.load_into(self.net, trial)
        found, final = nothing(len(given), self.net.outputs)
        end, met = last, False
        for n in range(first, last):
            rate = self.sequence(given, n, awake, limit, found, final, rate, decay, update)
            if recent and judged(recent, n - first, *found[n, :3]):
                end, met = n + 1, True
                break
        with torch.no_grad():
            for name, parameter in self.net.named_parameters():
                self.trials.stacked(name)[trial] = parameter
        return end, met, Found.of(found, final), rate

    def evaluate(self, trial: int, given: Sequences, first: int, last: int, awake: bool = True) -> Found:
        """As that of `Exact`."""
        self.trials.load_into(self.net, trial)
        found, final = nothing(len(given), self.net.outputs)
        with torch.no_grad():
            for n in range(first, last):
                self.sequence(given, n, awake, np.inf, found, final)
        return Found.of(found, final)

    def sequence(
        self, given: Sequences, n: int, awake: bool, limit: float, found: Floats, final: Floats, rate: float = 0.0,
        decay: float = 1.0, update: Update | None = None,
    ) -> float:  # fmt: skip
        """One sequence; weights change after every step with an error, at its end, or not at all."""
        net, every, weights = self.net, len(given.following) > 0, list(self.net.parameters())
        steps = range(given.offsets[n], given.offsets[n + 1])
        x = self.inputs(given, slice(steps.start, steps.stop))
        state: Sequence[Tensor] = net.start(1)
        errors: list[Tensor] = []
        total = torch.zeros((), dtype=torch.float64)
        for i, t in enumerate(steps):
            y, *state = net.step(x[i : i + 1], *state) if awake else asleep(net, x[i : i + 1], *state)
            if (given.following[t] >= 0) if every else (t == steps.stop - 1):
                target = torch.from_numpy(one(given.following[t], net.outputs) if every else given.targets[n])
                errors.append((target - y[0]).detach())
                final[n] = y[0].detach()
                found[n, 3] += len(given.legal) > 0 and misled(final[n], int(given.legal[t]))
                loss = error_of(y[0], target, self.slope)
                total = total + loss
                if update == "step":
                    change(weights, torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True), rate)
            rate *= decay
            if errors and float(errors[-1].abs().max()) >= limit:
                break
        if update == "sequence":
            change(weights, torch.autograd.grad(total, weights, allow_unused=True), rate)
        all_errors = torch.stack(errors) if errors else torch.zeros(1, 1)
        found[n, :3] = float(all_errors.abs().max()), float(all_errors.abs().mean()), float((all_errors**2).mean())
        return rate


def asleep(net: LSTM, x: Tensor, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A step of a network that has no cells yet: its outputs see the inputs alone."""
    below = torch.cat([torch.zeros_like(s), x], dim=1)
    return torch.sigmoid(net.output(below)), y, s


def error_of(y: Tensor, target: Tensor, slope: bool) -> Tensor:
    """Half the squared error, whose derivative is that of Eq. 19; or cross-entropy, which lacks the slope."""
    if slope:
        return ((target - y) ** 2).sum() / 2
    return torch.nn.functional.binary_cross_entropy(y, target, reduction="sum")


def one(place: int, width: int) -> Floats:
    hot = np.zeros(width)
    hot[place] = 1.0
    return hot


def misled(outputs: Floats, legal: int) -> bool:
    """Whether an output unit that may not be the most active one is, or one that may be is not."""
    may = np.array([bool(legal >> k & 1) for k in range(len(outputs))])
    return bool(outputs[may].min(initial=1.0) <= outputs[~may].max(initial=0.0))


@torch.no_grad()
def change(weights: list[Any], gradients: Any, rate: float) -> None:
    for weight, gradient in zip(weights, gradients, strict=True):
        if gradient is not None:
            weight -= rate * gradient


def judged(recent: Recent, number: int, largest: float, mean: float, square: float) -> bool:
    """Enter the next sequence among the recent ones; whether the rule is met by them now."""
    place = (recent.counted + number) % recent.ring.shape[1]
    rule = recent.rule
    recent.ring[:, place] = (largest**2, square) if rule.squared else (largest, mean)
    return bool((recent.ring[0] >= rule.tolerance).sum() <= rule.wrong and recent.ring[1].mean() < rule.mean_error)
