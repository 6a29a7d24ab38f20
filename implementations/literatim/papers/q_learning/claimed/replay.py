"""The action-replay process: what the paper says of it, exactly, on decks that are drawn."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import exp, prod
from typing import Any

import numpy as np

from literatim.claims import Finding
from literatim.papers.q_learning import model
from literatim.papers.q_learning.claimed import worlds
from literatim.parts.processes import Process

DECKS = range(6)
PAIRS = [(x, a) for x in range(3) for a in range(worlds.ACTIONS)]
DISCOUNT: Any = Fraction(9, 10)


def replay(seed: int = 0, gamma: Any = DISCOUNT, **kind: Any) -> model.ActionReplay:
    return model.ActionReplay(worlds.deck(seed, **kind), worlds.bottom(seed), gamma)


def levels(arp: model.ActionReplay) -> range:
    return range(len(arp.deck) + 1)


# --- The process ---------------------------------------------------------------------------------------


def whole() -> bool:
    """The probabilities of what an action comes to sum to 1, exactly."""
    return all(
        sum(each.probability for each in arp.outcomes(x, n, a)) == 1
        for arp in map(replay, DECKS)
        for n in levels(arp)
        for x, a in PAIRS
    )


def lower() -> bool:
    """Every outcome that goes on is at a lower level, that of the card below the one replayed."""
    return all(
        each.level < n for arp in map(replay, DECKS) for n in levels(arp) for x, a in PAIRS
        for each in arp.outcomes(x, n, a) if each.y is not None
    )  # fmt: skip


def ends() -> Finding:
    """The longest way through a deck: no more actions than it has cards before the bottom is reached."""

    def longest(arp: model.ActionReplay, x: int, n: int) -> int:
        ways = [each for a in range(worlds.ACTIONS) for each in arp.outcomes(x, n, a)]
        return 1 + max((longest(arp, each.y, each.level) for each in ways if each.y is not None), default=0)

    decks = [replay(seed, levels=8) for seed in DECKS]
    most = max(longest(arp, x, len(arp.deck)) for arp in decks for x in range(3))
    return Finding(most <= 9, f"at most {most} actions with eight cards", f"八张牌时至多 {most} 个动作")


def bottom() -> bool:
    """An action that no card has earns what is written on the bottom card, and ends there."""
    arp = model.ActionReplay([], worlds.bottom(), DISCOUNT)
    return all(list(arp.outcomes(x, 0, a)) == [(1, arp.q0[x][a], None, 0)] for x, a in PAIRS)


def index() -> bool:
    r"""The chances of $i_e$: of the last card $\alpha_{n^{i_*}}$, then $(1 - \alpha_{n^{i_*}})$ times the next."""
    for arp in map(replay, DECKS):
        for x, a in PAIRS:
            alphas = [card.alpha for (card,) in arp.deck if (card.x, card.a) == (x, a)]
            printed = [alphas[i] * prod(1 - other for other in alphas[i + 1 :]) for i in reversed(range(len(alphas)))]
            printed.append(prod(1 - alpha for alpha in alphas))
            if [each.probability for each in arp.outcomes(x, len(arp.deck), a)] != printed:
                return False
    return True


def leads_on() -> bool:
    r"""Replaying card $t$ earns its $r_t$ and leads to $\langle y_t, t - 1 \rangle$."""
    arp = replay()
    cards = {(t - 1, card.y, card.r) for t, (card,) in enumerate(arp.deck, 1)}
    found = {
        (each.level, each.y, each.r)
        for x, a in PAIRS
        for each in arp.outcomes(x, len(arp.deck), a)
        if each.y is not None
    }
    return found == cards


def best_of_all_policies() -> Finding:
    """The optimal values are those of the best of all policies, tried one after another on short decks."""
    tried = 0
    for seed in DECKS:
        arp = replay(seed, levels=3)
        places = [(y, n) for n in range(3) for y in range(3)]
        best: dict[tuple[int, int], Any] = {}
        for actions in product(range(worlds.ACTIONS), repeat=len(places)):
            policy = dict(zip(places, actions, strict=True))
            tried += 1
            for x, a in PAIRS:
                found = _followed(arp, x, 3, a, policy)
                best[x, a] = max(best.get((x, a), found), found)
        if any(best[x, a] != arp.optimal(x, 3, a) for x, a in PAIRS):
            return Finding(False, "another policy is better", "另有更优的策略")
    return Finding(True, f"{tried} policies were tried", f"共试 {tried} 个策略")


def _followed(arp: model.ActionReplay, x: int, n: int, a: int, policy: dict[tuple[int, int], int]) -> Any:
    """What an action is worth if the policy is followed then."""
    total: Any = 0
    for each in arp.outcomes(x, n, a):
        on = 0 if each.y is None else _followed(arp, each.y, each.level, policy[each.y, each.level], policy)
        total += each.probability * (each.r + arp.gamma * on)
    return total


# --- Lemma A -------------------------------------------------------------------------------------------

KINDS: dict[str, dict[str, Any]] = {
    "one": {},
    "several": {"several": True},
    "absorbing": {"ends": True},
    "undiscounted": {"gamma": 1, "ends": True},
    "base": {"levels": 0},
}


def lemma_a(row: str) -> Finding:
    """Whether the rule's values are the replay process' optimal ones, for all pairs and levels, as exact fractions."""
    compared = differs = 0
    for seed in DECKS:
        arp = replay(seed, **KINDS[row])
        for n in levels(arp):
            q = worlds.by_rule(arp.deck[:n], arp.q0, arp.gamma)
            compared += len(PAIRS)
            differs += sum(q[x][a] != arp.optimal(x, n, a) for x, a in PAIRS)
    return Finding(
        not differs,
        f"{compared} values compared, {differs} differ",
        f"比较了 {compared} 个值，{differs} 个不同",
    )


def below_the_level() -> bool:
    """Lemma A with the appendix's $i_*$, which looks only at cards before episode n."""
    arp = replay()
    q = worlds.by_rule(arp.deck, arp.q0, arp.gamma)
    return all(q[x][a] == arp.optimal(x, len(arp.deck) - 1, a) for x, a in PAIRS)


# --- Lemma B -------------------------------------------------------------------------------------------


def b_1(row: str) -> Any:
    """Of a drawn process: what follows after s actions differs by no more than the bound; it tends to 0."""
    process, gamma = worlds.world(), worlds.GAMMA
    rng, policy = np.random.default_rng(0), np.array([0, 1, 1, 0])
    v, most = process.value(policy, gamma), float(np.abs(process.r).max())
    actions = rng.integers(worlds.ACTIONS, size=100).tolist()
    apart = [
        [abs(process.after(x, actions[:s], gamma, v) - process.after(x, actions[:s], gamma))
         for x in range(worlds.STATES)] for s in range(101)
    ]  # fmt: skip
    if row == "bound":
        return all(max(at) <= gamma**s * most / (1 - gamma) for s, at in enumerate(apart))
    return max(apart[100])


def strictly_less() -> bool:
    """Whether every value is less than the bound, also of a process that always earns the most."""
    always = Process(np.ones((1, 1, 1)), np.ones((1, 1)), np.ones(1))
    return bool(always.value(np.array([0]), 0.5)[0] < 1 / (1 - 0.5))


def one_pair(number: int, power: float = 0.7) -> model.ActionReplay:
    """A deck of one pair's cards, with the factors of Eq. 3."""
    cards = [[model.Card(0, 0, 0, 1.0, model.learning_factor(i, 0.9, power))] for i in range(1, number + 1)]
    return model.ActionReplay(cards, [[0.0]], worlds.GAMMA)


def b_2(row: str) -> Any:
    """Straying below level 3 with two actions, from higher and higher levels; the product against the exponential."""
    if row == "product":
        alphas = [card.alpha for (card,) in one_pair(200).deck]
        return all(prod(1 - a for a in alphas[:n]) < exp(-sum(alphas[:n])) for n in range(1, 201))
    strays = [one_pair(n).strays(0, n, [0, 0], 3) for n in (5, 10, 20, 40, 80)]
    return strays[-1] if strays == sorted(strays, reverse=True) else 1.0


def by_the_product() -> bool:
    """The bound of B.2 with the printed product, from the level of the deck, for every level below."""
    for arp in map(replay, DECKS):
        n = len(arp.deck)
        for x, a in PAIRS:
            for below in range(1, n):
                kept = [card.alpha for (card,) in arp.deck[below - 1 : n] if (card.x, card.a) == (x, a)]
                if arp.strays(x, n, [a], below) > prod(1 - alpha for alpha in kept):
                    return False
    return True


def recursion(row: str) -> bool:
    """B.3: each card of a pair takes in its reward, or the indicator of where it led, with its factor, exactly."""
    for arp in map(replay, DECKS):
        for n, (card,) in enumerate(arp.deck, 1):
            x, a = card.x, card.a
            if row == "rewards":
                before = arp.reward(x, n - 1, a)
                right = arp.reward(x, n, a) == before + card.alpha * (card.r - before)
            else:
                old, new = arp.leads_to(x, n - 1, a), arp.leads_to(x, n, a)
                right = all(new[y] == old[y] + card.alpha * ((y == card.y) - old[y]) for y in range(3))
            if not right:
                return False
    return True


def from_level_one() -> bool:
    """The recursion of B.3 for probabilities that are summed from level 1 on, as printed."""
    for arp in map(replay, DECKS):
        for n, (card,) in enumerate(arp.deck, 1):
            old, new = (
                [
                    sum(each.probability for each in arp.outcomes(card.x, m, card.a) if each.y == y and each.level >= 1)
                    for y in range(3)
                ]
                for m in (n - 1, n)
            )
            if any(new[y] != old[y] + card.alpha * ((y == card.y) - old[y]) for y in range(3)):
                return False
    return True


def b_3(row: str) -> float:
    """How far the replay process of ten thousand episodes is from the real one, at its highest level."""
    process, number = worlds.world(), 10_000
    tried, cards = np.zeros(process.r.shape, dtype=int), []
    for x, a, y, r, end in worlds.experience(process, number, noise=0.5):
        tried[x, a] += 1
        cards.append([model.Card(x, a, y, r, model.learning_factor(int(tried[x, a]), 0.9, 0.9), end)])
    arp = model.ActionReplay(cards, [[0.0] * worlds.ACTIONS for _ in range(worlds.STATES)], worlds.GAMMA)
    pairs = list(np.ndindex(*process.r.shape))
    if row == "rewards":
        return max(abs(arp.reward(x, number, a) - float(process.r[x, a])) for x, a in pairs)
    return max(float(np.abs(np.array(arp.leads_to(x, number, a)) - process.p[x, a]).max()) for x, a in pairs)


def b_4(row: str) -> bool:
    """Whether s actions differ by no more than is printed, of processes that are near to one another.

    `sums`: their rows differ, summed over the states, by less than eta over the bound of the rewards; `each`: each
    probability does, as printed.
    """
    states, eta, gamma = 20, 0.01, 0.95
    r = np.where(np.arange(states) < states // 2, 1.0, -1.0)
    p = np.full((states, 1, states), 1 / states)
    off = 0.9 * eta * np.where(r > 0, 1.0, -1.0) / (states if row == "sums" else 1)
    real = Process(p, r[:, None], np.full(states, 1 / states))
    near = Process(p + off, (r + 0.9 * eta)[:, None], real.first)
    return all(
        abs(near.after(0, [0] * s, gamma) - real.after(0, [0] * s, gamma)) < eta * s * (s + 1) / 2 for s in range(1, 30)
    )
