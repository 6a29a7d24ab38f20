r"""Q-learning (Watkins, Dayan 1992): the values of all actions in all states, learned step by step, and the proof.

The world is a controlled Markov process with finitely many states $x$ and actions $a$. Neither the mean rewards
$\Re_x(a)$ nor the probabilities $P_{xy}[a]$ are known to the agent; it learns "by experiencing the consequences of
actions". What follows are the rule (Sec. 2) and the artificial process by which its convergence is proved (Sec. 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn


def value(row: Sequence[float]) -> float:
    r"""Eq. 2, "the best the agent thinks it can do from state $y$", of the values of its actions there:

    $$V_{n-1}(y) \equiv \max_b \{ Q_{n-1}(y, b) \}$$
    """
    return max(row)


def adjusted(q: float, r: float, v: float, alpha: float, gamma: float) -> float:
    r"""Eq. 1, for the pair that was tried; all others stay as they are.

    $$Q_n(x, a) = (1 - \alpha_n)\, Q_{n-1}(x, a) + \alpha_n [r_n + \gamma V_{n-1}(y_n)]$$
    """
    return (1 - alpha) * q + alpha * (r + gamma * v)


def learning_factor(i: int, rate: float = 0.5, power: float = 1.0) -> float:
    r"""The learning factor of the $i$th time that an action is tried in a state: `rate` $\cdot\, i^{-\text{power}}$.

    The paper has conditions for it and no formula: $0 \le \alpha_n < 1$ and Eq. 3, of every pair,

    $$\sum_{i=1}^\infty \alpha_{n^i(x,a)} = \infty, \qquad \sum_{i=1}^\infty [\alpha_{n^i(x,a)}]^2 < \infty.$$

    These hold with a `power` above one half and at most 1. With 0 the factor is constant, and the second fails; with
    2 the first.
    """
    return float(rate * i**-power)


class QTable(nn.Module):
    """Sec. 2: "this description assumes a look-up table representation": a number for every state and action.

    Input (N,), the numbers of states; output (N, A), the values of the actions there.

    Options:

    - `states`, `actions`: how many there are; the defaults are those of the smallest lake, four by four.
    - `start`: $Q_0(x, a)$, which is "assumed given", the same for all pairs.
    """

    def __init__(self, states: int = 16, actions: int = 4, start: float = 0.0) -> None:
        super().__init__()
        self.q = nn.Parameter(torch.full((states, actions), float(start)))

    def forward(self, x: Tensor) -> Tensor:
        return self.q[x.long()]

    def policy(self, x: Tensor) -> Tensor:
        r"""(N,): the actions at which the maximum is attained, $\pi(x) \equiv a^*$; of several the first."""
        return self(x).argmax(dim=1)


class Card(NamedTuple):
    r"""Sec. 3: an episode $\langle x_t, a_t, y_t, r_t, \alpha_t \rangle$ "written on a card".

    An episode is one step of the agent. `end` says that the goal was reached with it: from there nothing is earned
    any more (Sec. 4), and $y_t$ is never asked for its value.
    """

    x: int
    a: int
    y: int
    r: float
    alpha: float
    end: bool = False


class Replayed(NamedTuple):
    r"""What an action in the replay process may come to: with a `probability` it earns `r`, and goes on in state `y`
    at a `level`, or is absorbed there, which no $y$ says."""

    probability: float
    r: float
    y: int | None
    level: int


class ActionReplay:
    r"""The action-replay process, ARP (Sec. 3 and Appendix), of a deck of cards and of the values $Q_0$ on its bottom.

    Its states $\langle x, n \rangle$ are a state of the real process and a level. To act there, the cards above $n$ are
    thrown away. From the top of the rest cards are examined until one has this $x$ and $a$; with the probability
    $\alpha_t$ that is on it it is replayed, or else the search goes on below it. Replaying card $t$ earns its $r_t$
    and leads to $\langle y_t, t - 1 \rangle$. Who comes to the bottom is absorbed and earns $Q_0(x, a)$.

    The deck is a row of levels, the first of which is level 1. Each has the cards of its step: one, or, where more than
    one value is changed on each iteration (Sec. 4), several of different pairs.

    The printed definition in the appendix looks only at cards below level $n$; with it Lemma A would be false. Here
    card $n$ is among them, as in the card game of Sec. 3 and in the proof of the lemma.
    """

    def __init__(self, deck: Sequence[Sequence[Card]], q0: Sequence[Sequence[float]], gamma: float) -> None:
        self.deck, self.q0, self.gamma = deck, q0, gamma
        self.known: dict[tuple[int, int, int], float] = {}

    def outcomes(self, x: int, n: int, a: int) -> Iterator[Replayed]:
        r"""All that action `a` at $\langle x, n \rangle$ may come to; the probabilities sum to 1."""
        left: float = 1  # whole numbers and fractions stay exact
        for level in range(n, 0, -1):
            for card in self.deck[level - 1]:
                if (card.x, card.a) == (x, a):
                    yield Replayed(left * card.alpha, card.r, None if card.end else card.y, level - 1)
                    left *= 1 - card.alpha
        yield Replayed(left, self.q0[x][a], None, 0)

    def optimal(self, x: int, n: int, a: int) -> float:
        r"""$Q^*_{ARP}(\langle x, n \rangle, a)$: what is earned, discounted, by `a` and then by whatever is best.

        It always ends, for every action leads to a lower level. Eq. 1 is not used here: that both give the same is
        Lemma A.
        """
        if (x, n, a) not in self.known:
            self.known[x, n, a] = sum(
                each.probability * (each.r + self.gamma * self.best(each.y, each.level))
                for each in self.outcomes(x, n, a)
            )
        return self.known[x, n, a]

    def best(self, y: int | None, level: int) -> float:
        r"""$V^*(\langle y, n \rangle)$; nothing where the process is absorbed."""
        return 0 if y is None else max(self.optimal(y, level, b) for b in range(len(self.q0[y])))

    def reward(self, x: int, n: int, a: int) -> float:
        r"""$\Re_x^{(n)}(a)$, the expected reward of an action at $\langle x, n \rangle$."""
        return sum(each.probability * each.r for each in self.outcomes(x, n, a))

    def leads_to(self, x: int, n: int, a: int) -> list[float]:
        r"""(X,): $P_{xy}^{(n)}[a]$, the probabilities of coming to $y$ at some lower level."""
        found: list[float] = [0] * len(self.q0)
        for each in self.outcomes(x, n, a):
            if each.y is not None:
                found[each.y] += each.probability
        return found

    def strays(self, x: int, n: int, actions: Sequence[int], below: int) -> float:
        r"""The probability that these actions, from $\langle x, n \rangle$ on, lead below a level or are absorbed."""
        if n < below:
            return 1
        if not actions:
            return 0
        first, *rest = actions
        return sum(
            each.probability * (1 if each.y is None else self.strays(each.y, each.level, rest, below))
            for each in self.outcomes(x, n, first)
        )
