"""Checks of the claims about the rule, the theorem and Sec. 4, what others do, and the broken models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from itertools import product
from typing import Any
from unittest import mock

import numpy as np
import torch

from literatim.claims import Finding
from literatim.claims.given import setting
from literatim.datasets.tabular import Tabular
from literatim.errors import NotInstalled
from literatim.papers.q_learning import learning, model
from literatim.papers.q_learning.claimed import printed, worlds
from literatim.parts.processes import Process

PAPER = "q-learning"


@cache
def environment(recipe: str) -> Tabular:
    """The environment of a recipe. Raises NotInstalled where Gymnasium is not."""
    try:
        import gymnasium  # noqa: F401
    except ModuleNotFoundError:
        raise NotInstalled('environments come from Gymnasium: pip install "literatim[atari]"') from None

    def given(name: str, otherwise: Any) -> Any:
        try:
            return setting(PAPER, recipe, f"data.{name}")
        except KeyError:
            return otherwise

    return Tabular(given("environment", None), given("options", {}), given("starts", "reset"))


def gamma_of(recipe: str) -> float:
    return float(setting(PAPER, recipe, "model.gamma"))


@cache
def exact(recipe: str) -> Any:
    return environment(recipe).process.optimal(gamma_of(recipe))


# --- Sec. 2: values ------------------------------------------------------------------------------------


def stationary(row: str) -> Finding:
    """The policy that takes an action at which Q* is largest is worth V* in every state, by its linear equations."""
    q, process = exact(row), environment(row).process
    apart = float(np.abs(process.value(q.argmax(axis=1), gamma_of(row)) - q.max(axis=1)).max())
    return Finding(apart < 1e-8, f"differs by at most {apart:.1g}", f"至多相差 {apart:.1g}")


def unique(row: str) -> Any:
    """Value iteration from three starts comes to the same values; in how many states several actions are optimal."""
    process, gamma = environment("frozenlake").process, gamma_of("frozenlake")
    if row == "values":
        found = [process.optimal(gamma, start=start) for start in (-10.0, 0.0, 10.0)]
        return float(max(np.abs(each - found[0]).max() for each in found))
    q = exact("frozenlake")[environment("frozenlake").reached]
    return int(((q >= q.max(axis=1, keepdims=True) - 1e-9).sum(axis=1) > 1).sum())


def of_policy(row: str) -> bool:
    """The Q values of a policy: of the action `a` first and then the policy (`words`), or by the printed formula, whose
    probabilities are those of the policy's action."""
    process, gamma = environment("frozenlake").process, gamma_of("frozenlake")
    policy = exact("frozenlake").argmax(axis=1)
    v, states = process.value(policy, gamma), np.arange(len(policy))
    leads = process.p if row == "words" else process.p[states, policy][:, None, :]
    return bool(np.allclose(process.r + gamma * (leads @ v), exact("frozenlake"), atol=1e-8))


def greedy() -> bool:
    """The table's policy takes an action at which the maximum is attained."""
    net = model.QTable()
    with torch.no_grad():
        net.q.copy_(torch.from_numpy(exact("frozenlake")))
        taken = net.q.gather(1, net.policy(torch.arange(16))[:, None])[:, 0]
        return bool((taken == net.q.max(dim=1).values).all())


# --- Sec. 2: the rule ----------------------------------------------------------------------------------


class Noted:
    """An environment that writes down what happens in it."""

    def __init__(self, env: Any) -> None:
        self.env, self.episodes = env, list[tuple[Any, ...]]()

    def step(self, a: int) -> Any:
        found = self.env.step(a)
        self.episodes.append((a, *found[:4]))
        return found


@cache
def acted(recipe: str = "cliff", number: int = 400, power: float = 0.6) -> tuple[list[Any], list[Any], list[Any]]:
    """(episodes x, a, y, r, end; the table before; the table after) of steps in a real environment."""
    data, rng = environment(recipe), np.random.default_rng(0)
    data.begun(rng)
    noted, starts = Noted(data.env), list[int]()

    def first() -> int:
        starts.append(data.first(rng))
        return starts[-1]

    before = rng.normal(size=data.process.r.shape).tolist()
    after = [list(row) for row in before]
    rule = learning.Rule(0.9, 0.5, power, 1.0, tuple(range(len(before[0]))))
    learning.steps(after, [[0] * len(before[0]) for _ in before], noted, first, rng, number, rule)
    begun, episodes = iter(starts), []
    x = next(begun)
    for a, y, r, end, cut in noted.episodes:
        episodes.append((x, a, int(y), float(r), bool(end)))
        x = next(begun) if end or cut else int(y)
    return episodes, before, after


def rule(row: str) -> Any:
    """Eq. 1, done again from what happened: for the pairs that were tried, and for the others."""
    episodes, before, after = acted()
    q, tried = [list(each) for each in before], dict[tuple[int, int], int]()
    for x, a, y, r, end in episodes:
        tried[x, a] = tried.get((x, a), 0) + 1
        alpha = 0.5 * tried[x, a] ** -0.6
        q[x][a] = (1 - alpha) * q[x][a] + alpha * (r + 0.9 * (0.0 if end else max(q[y])))
    pairs = {(x, a) for x, row_of in enumerate(after) for a in range(len(row_of))}
    if row == "tried":
        return max(abs(after[x][a] - q[x][a]) for x, a in tried)
    return all(after[x][a] == before[x][a] for x, a in pairs - tried.keys())


def best() -> bool:
    """Eq. 2, of rows that are drawn."""
    rows = np.random.default_rng(0).normal(size=(50, 4)).tolist()
    return all(model.value(row) == sorted(row)[-1] for row in rows)


def given_start() -> bool:
    """Q0 is what one gives."""
    return all(bool((model.QTable(start=start).q == start).all()) for start in (0.0, -3.0, 7.5))


# --- Sec. 2: the theorem -------------------------------------------------------------------------------


def factors(recipe: str) -> Any:
    """(2**13,): the learning factors of a recipe."""
    rate, power = (float(setting(PAPER, recipe, f"model.{name}")) for name in ("rate", "power"))
    return np.array([model.learning_factor(i, rate, power) for i in range(1, 2**13 + 1)])


def grows(series: Any) -> bool:
    """Whether the sum of a falling series is infinite, by Cauchy's condensation: its blocks from 2**k to 2**(k+1) then
    do not fall like a geometric series. Decides between powers of the number that are not near to 1."""
    blocks = [series[2**k - 1 : 2 ** (k + 1) - 1].sum() for k in (8, 12)]
    return bool((blocks[1] / blocks[0]) ** 0.25 > 0.98)


def conditions(row: str) -> bool:
    """Whether a recipe's factors satisfy the theorem: from 0 to below 1, with sums as in Eq. 3."""
    alphas = factors(row)
    return bool((alphas >= 0).all() and (alphas < 1).all()) and grows(alphas) and not grows(alphas**2)


def excluded(row: str) -> bool:
    """Whether a recipe's factors break the one condition of Eq. 3 that it is there to break."""
    alphas = factors(row)
    sums = (grows(alphas), not grows(alphas**2))
    return sums == {"constant": (True, False), "stops-short": (False, True)}[row]


def every_action() -> bool:
    """An agent that mostly takes what it thinks best still tries every action in every state that it comes to."""
    allowed, draws = (0, 1, 2, 3), np.random.default_rng(0).random(400).tolist()
    explored = {learning.chosen([3.0, 1.0, 2.0, 0.0], True, draw, allowed) for draw in draws}
    return explored == set(allowed) and all(
        float(setting(PAPER, name, "model.epsilon")) > 0 for name in ("frozenlake", "frozenlake-8x8", "cliff", "taxi")
    )


def converges(row: str) -> float:
    """The largest difference from the exact values after twenty thousand episodes in a drawn process."""
    if row == "absorbing":
        process, gamma = worlds.world(ends=0.1), 1.0
        return off(process, worlds.learned(process, worlds.experience(process, worlds.STEPS), gamma), gamma)
    process = worlds.world()
    kinds: dict[str, dict[str, Any]] = {"isolated": {"isolated": True}, "noisy": {"noise": 0.5}}
    episodes = worlds.experience(process, worlds.STEPS, **kinds.get(row, {}))
    if row == "several":
        return off(process, swept(process, worlds.STEPS // 8))
    return off(process, worlds.learned(process, episodes, q0=10.0 if row == "far" else 0.0))


def off(process: Process, q: Any, gamma: float = worlds.GAMMA) -> float:
    return float(np.abs(q - process.optimal(gamma)).max())


def swept(process: Process, number: int) -> Any:
    """The values after iterations in each of which all pairs are tried once, and all change (Sec. 4)."""
    rng, q = np.random.default_rng(2), np.zeros(process.r.shape).tolist()
    pairs, sums = list(np.ndindex(*process.r.shape)), process.p.cumsum(axis=2)
    for n in range(1, number + 1):
        alpha, draws, before = model.learning_factor(n, 0.9, 0.7), rng.random(len(pairs)), [list(row) for row in q]
        for (x, a), draw in zip(pairs, draws, strict=True):
            y = min(int(np.searchsorted(sums[x, a], draw, side="right")), worlds.STATES - 1)
            v = model.value(before[y])
            q[x][a] = model.adjusted(before[x][a], float(process.r[x, a]), v, alpha, worlds.GAMMA)
    return np.array(q)


def shared_row() -> Finding:
    """Two states that share a row of the table: not a look-up table any more. How far off the values stay."""
    process = worlds.world()
    q = worlds.learned(process, worlds.experience(process, worlds.STEPS), cell=lambda x: max(x, 1))
    apart, own = off(process, q), converges("continuous")
    return Finding(
        apart > 10 * own,
        f"differs by {apart:.2f}; with a row for each state by {own:.3f}",
        f"相差 {apart:.2f}；每个状态各占一行时相差 {own:.3f}",
    )


# --- Sec. 4 --------------------------------------------------------------------------------------------


def crude_bound() -> Finding:
    """No policy of a process that every step may end is worth more than u* R / p*, undiscounted; u* is 1 here."""
    process = worlds.world(ends=0.1)
    most, least = float(np.abs(process.r).max()), float((1 - process.p.sum(axis=2)).min())
    policies = product(range(worlds.ACTIONS), repeat=worlds.STATES)
    worth = max(float(np.abs(process.value(np.array(policy), 1.0)).max()) for policy in policies)
    bound = most / least
    return Finding(
        worth <= bound, f"at most {worth:.2f}, the bound is {bound:.2f}", f"至多 {worth:.2f}，上界为 {bound:.2f}"
    )


def left_over() -> bool:
    """Sec. 4: whether what is earned after phi u* steps is less than (1 - p*)**phi u* R, of a process that earns 1 at
    every step and ends there with a probability of one half."""
    process = Process(np.full((1, 1, 1), 0.5), np.ones((1, 1)), np.ones(1))
    whole = float(process.value(np.array([0]), 1.0)[0])
    earned = [process.after(0, [0] * phi, 1.0) for phi in range(1, 10)]
    return all(whole - part < 0.5**phi for phi, part in enumerate(earned, 1))


def reused() -> Finding:
    """Sixty episodes presented a thousand times: whether the values become the exact ones of what was observed in
    these episodes, and not those of the process itself."""
    process = worlds.world()
    sample = list(worlds.experience(process, 60, seed=3, isolated=True))
    counts, earned = np.zeros(process.p.shape), np.zeros(process.r.shape)
    for x, a, y, r, _ in sample:
        counts[x, a, y] += 1
        earned[x, a] += r
    tries = counts.sum(axis=2)
    observed = Process(counts / tries[:, :, None], earned / tries, process.first)
    q = worlds.learned(process, (each for _ in range(1000) for each in sample))
    own, real = off(observed, q), off(process, q)
    return Finding(
        own < real / 5,
        f"{own:.3f} off the values of the sample, {real:.3f} off those of the process",
        f"与样本之值相差 {own:.3f}，与过程之值相差 {real:.3f}",
    )


# --- What others do ------------------------------------------------------------------------------------


def tutorial() -> bool:
    """Gymnasium's tutorial on FrozenLake: a constant rate of 0.8, which Eq. 3 excludes; and the value of the state that
    an end led to is taken from the table, which is 0 only while the table starts with zeros."""
    constant = np.full(2**13, 0.8)
    of_the_end = [model.adjusted(0.0, 1.0, model.value([start] * 4), 0.8, 0.95) for start in (0.0, 1.0)]
    ours = model.adjusted(0.0, 1.0, 0.0, 0.8, 0.95)
    return grows(constant**2) and of_the_end[0] == ours != of_the_end[1]


def toolbox() -> bool:
    """pymdptoolbox: the factor 1 / sqrt(n + 2) of all steps together; its squares have no finite sum."""
    n = np.arange(1, 2**13 + 1)
    return grows(1 / np.sqrt(n + 2)) and grows(1 / (n + 2))


def vector_step() -> bool:
    """gymnasium.make_vec: the step after an end ignores its action, earns nothing and returns the first observation."""
    import gymnasium

    envs = gymnasium.make_vec("FrozenLake-v1", num_envs=1, vectorization_mode="sync")
    envs.reset(seed=0)
    after, seen = False, 0
    for _ in range(300):
        x, r, end, cut, _ = envs.step(np.array([2]))
        if after:
            seen += 1
            if not (x[0] == 0 and r[0] == 0 and not end[0] and not cut[0]):
                return False
        after = bool(end[0] or cut[0])
    return seen > 0


# --- Broken models -------------------------------------------------------------------------------------


def instead(where: Any, **what: Any) -> Callable[[], AbstractContextManager[None]]:
    @contextmanager
    def breaking() -> Iterator[None]:
        for kept in (environment, exact, acted):
            kept.cache_clear()
        try:
            with mock.patch.multiple(where, **what):
                yield
        finally:
            for kept in (environment, exact, acted):
                kept.cache_clear()

    return breaking


REAL_FACTOR, REAL_CHOICE, REAL_VALUE = model.learning_factor, learning.chosen, Process.value
REAL_OPTIMAL, REAL_TABLE, REAL_OUTCOMES = Process.optimal, Process.of_table, model.ActionReplay.outcomes


def wider(states: int, actions: int) -> Any:
    """A table with more states and actions than asked for."""
    made = model.QTable.__init__

    def begun(self: Any, given: int = 16, of: int = 4, start: float = 0.0, **sizes: int) -> None:
        made(self, sizes.get("states", given) + states, sizes.get("actions", of) + actions, start + 0.5)

    return instead(model.QTable, __init__=begun)


def outcomes_as(change: Callable[[Any, int, Any], Any]) -> Any:
    """A replay process whose outcomes are changed, all but the bottom card's: (process, number, outcome)."""

    def outcomes(self: Any, x: int, n: int, a: int) -> Any:
        found = list(REAL_OUTCOMES(self, x, n, a))
        return iter([*(change(self, k, each) for k, each in enumerate(found[:-1])), found[-1]])

    return instead(model.ActionReplay, outcomes=outcomes)


def same_wherever(table: Any, first: Any) -> Process:
    whole = REAL_TABLE(table, first)
    return whole._replace(p=np.repeat(whole.p[:, :1], whole.p.shape[1], axis=1))


def all_pairs(*given: Any) -> float:
    """Changes a value of a pair that was not tried, too."""
    REAL_STEPS(*given)
    for row in given[0]:
        row[0] += 1e-3
    return 0.0


REAL_STEPS = learning.steps

BROKEN: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "a state and an action more, and values that start half higher": wider(1, 1),
    "the action that is thought the worst": instead(model.QTable, policy=lambda self, x: self(x).argmin(dim=1)),
    "the factor on the old value": instead(
        model, adjusted=lambda q, r, v, alpha, gamma: alpha * q + (1 - alpha) * (r + gamma * v)
    ),
    "no discount": instead(model, adjusted=lambda q, r, v, alpha, gamma: (1 - alpha) * q + alpha * (r + v)),
    "values of pairs that were not tried change": instead(learning, steps=all_pairs),
    "the mean of the actions for the best": instead(model, value=lambda row: sum(row) / len(row)),
    "a constant factor": instead(model, learning_factor=lambda i, rate=0.5, power=1.0: 0.5),
    "factors that fall with the tries whatever is asked": instead(
        model, learning_factor=lambda i, rate=0.5, power=1.0: 0.5 / i
    ),
    "factors with a finite sum": instead(model, learning_factor=lambda i, rate=0.5, power=1.0: 0.5 / i**2),
    "factors of 0": instead(model, learning_factor=lambda i, rate=0.5, power=1.0: 0.0),
    "never a step that explores": instead(
        learning, chosen=lambda row, explores, draw, allowed: REAL_CHOICE(row, False, draw, allowed)
    ),
    "values of the worst actions": instead(
        Process, optimal=lambda self, gamma, **rest: self.backed_up(REAL_OPTIMAL(self, gamma).min(axis=1), gamma)
    ),
    "one sweep of value iteration": instead(
        Process, optimal=lambda self, gamma, start=0.0: self.backed_up(np.full(len(self.r), start), gamma)
    ),
    "a little more for each further action": instead(
        Process,
        optimal=lambda self, gamma, **rest: REAL_OPTIMAL(self, gamma, **rest) + np.arange(self.r.shape[1]) / 1000,
    ),
    "all actions lead where the first does": instead(Process, of_table=staticmethod(same_wherever)),
    "policies worth their next reward": instead(
        Process, value=lambda self, policy, gamma: self.r[range(len(policy)), policy]
    ),
    "policies worth a thousand times as much": instead(
        Process, value=lambda self, policy, gamma: 1000 * REAL_VALUE(self, policy, gamma)
    ),
    "actions worth nothing": instead(Process, after=lambda self, *given: 0.0),
    "actions worth a hundred times the first reward": instead(
        Process, after=lambda self, x, actions, *rest: 100.0 * len(actions) * float(self.r[x, 0])
    ),
    "the bottom card is blank": instead(
        model.ActionReplay,
        outcomes=lambda self, x, n, a: (each._replace(r=0) if each.y is None and not each.level else each
                                        for each in REAL_OUTCOMES(self, x, n, a)),
    ),
    "heads and tails alike": outcomes_as(lambda arp, k, each: each._replace(probability=each.probability / 2)),
    "cards from the bottom": instead(
        model.ActionReplay,
        outcomes=lambda self, x, n, a: sorted(REAL_OUTCOMES(self, x, n, a), key=lambda each: each.level),
    ),
    "the card is not thrown away": outcomes_as(lambda arp, k, each: each._replace(level=each.level + 1)),
    "another card's reward": outcomes_as(lambda arp, k, each: each._replace(r=each.r + 1)),
    "straying is not counted": instead(model.ActionReplay, strays=lambda self, *given: 0),
    "the first term of Eq. 4 halved": instead(printed, first_term=lambda: printed.F(1, 6)),
    "the second term of Eq. 4 halved": instead(printed, second_term=lambda: printed.F(1, 6)),
}  # fmt: skip
BREAK_TRAINING: tuple[str, ...] = ()
