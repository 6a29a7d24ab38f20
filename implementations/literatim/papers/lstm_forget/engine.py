r"""Who computes the learning from streams: the kernel, or the readable module with autograd."""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from literatim.papers.lstm import engine
from literatim.papers.lstm_forget.learning import VANISHED, Learner
from literatim.papers.lstm_forget.model import ForgetLSTM
from literatim.parts.compiled import compiling
from literatim.parts.grammars import Grammar
from literatim.parts.sequences import Ints
from literatim.parts.trials import Trials


class Way(NamedTuple):
    """How one learns from streams, and when a prediction is right; see `ForgetTraining`."""

    rate: float
    decay: float
    legal: bool
    allowed: float
    winners: bool
    resets: bool
    limit: int
    tests: int


class Streams(NamedTuple):
    """What came of training streams: how many it took until a test was perfect, or None; how many symbols each was
    predicted before its first mistake (N,), and the test streams after it (N, tests), -1 for those not needed; the
    largest amount of a state in the tests."""

    took: int | None
    lengths: Ints
    tests: Ints
    largest: float


class Exact(engine.Exact):
    """The kernel, on the tables of all trials.

    Raises LiteratimError where numba is not installed.
    """

    def __init__(self, net: ForgetLSTM, trials: Trials) -> None:
        super().__init__(net, trials, symbols=True)
        with compiling():
            from literatim.papers.lstm_forget import fast

            gated = net.forget_gates is not None
            self.streamer = fast.streamer(net.inputs, net.outputs, net.blocks, net.size, gated, net.shortcut)
        self.kept = net.decay

    def streams(
        self, trial: int, many: int, grammar: Grammar, way: Way, train: np.random.Generator | None,
        test: np.random.Generator,
    ) -> Streams:  # fmt: skip
        """Let a trial learn from `many` streams, with a test after each; or, with no generator to train, test alone."""
        w, v = self.packed(trial)
        lengths, found, largest = np.zeros(many, np.int64), np.full((many, way.tests), -1), np.zeros(1)
        took = self.streamer(
            w, v, test if train is None else train, test, *grammar.tables, way.resets, way.legal, way.allowed,
            way.winners, way.limit, self.kept, way.rate, way.decay, int(train is None), lengths, found, largest,
        )  # fmt: skip
        if train is not None:
            self.unpack(trial, w, v)
        return Streams(took if took >= 0 else None, lengths, found, float(largest[0]))


class Plain:
    """The readable module with autograd, in double precision: what the kernel is held against."""

    def __init__(self, net: ForgetLSTM, trials: Trials) -> None:
        self.net, self.trials = copy.deepcopy(net).double(), trials

    def streams(
        self, trial: int, many: int, grammar: Grammar, way: Way, train: np.random.Generator | None,
        test: np.random.Generator,
    ) -> Streams:  # fmt: skip
        """As that of `Exact`."""
        self.trials.load_into(self.net, trial)
        lengths, found = np.zeros(many, np.int64), np.full((many, way.tests), -1)
        took, self.largest = None, 0.0
        for n in range(many):
            if train is not None:
                lengths[n] = self.stream(grammar, way, train, learns=True)
            for k in range(way.tests):
                found[n, k] = self.stream(grammar, way, test, learns=False)
                if train is not None and found[n, k] < way.limit:
                    break
            if train is not None and way.tests and (found[n] == way.limit).all():
                took = n + 1
                break
        with torch.no_grad():
            for name, parameter in self.net.named_parameters():
                self.trials.stacked(name)[trial] = parameter
        return Streams(took, lengths, found, self.largest)

    def stream(self, grammar: Grammar, way: Way, rng: np.random.Generator, learns: bool) -> int:
        """One stream up to its first mistake, from which is learned too; the symbols before it."""
        learner, rate = Learner(self.net), way.rate
        place, symbol = int(grammar.after[0, 0]), int(grammar.first[0])
        for t in range(way.limit):
            y = learner.step(torch.eye(self.net.inputs, dtype=torch.float64)[symbol])
            choice = grammar.draw(place, rng)
            may = grammar.may_follow(place)
            target = torch.zeros_like(y)
            target[sorted(may) if way.legal else grammar.symbol(place, choice)] = 1.0
            right = is_right(y.detach(), target, may, way.allowed, way.winners and not learns)
            if learns and rate > VANISHED:
                learner.learn(((target - y) ** 2).sum() / 2, rate)
            rate *= way.decay
            if not right:
                return t
            if not learns:
                self.largest = max(self.largest, float(learner.states.detach().abs().max()))
            if way.resets and place == 0:  # a string begins
                learner.reset()
            symbol, place = grammar.symbol(place, choice), int(grammar.after[place, choice])
        return way.limit


def is_right(y: Tensor, target: Tensor, may: set[int], allowed: float, winners: bool) -> bool:
    """Whether every output unit's squared error is below what is allowed; and, if asked, whether the units of the
    symbols that may follow are the most active."""
    if not bool(((target - y) ** 2 < allowed).all()):
        return False
    legal = torch.zeros(len(y), dtype=torch.bool)
    legal[sorted(may)] = True
    return not winners or bool(y[legal].min() > y[~legal].max())
