"""What the paper prints where it errs, reckoned exactly with nothing else, and the sums of its proof."""

from __future__ import annotations

from fractions import Fraction as F
from math import prod

from literatim.claims import Finding

HALF = F(1, 2)


def action_left_out() -> Finding:
    """Sec. 2, the definition of Q values: two actions with the same reward, of which one leads to a state that is worth
    something and the other does not. With the transition of the policy's action in the formula both have one value."""
    gamma, v = HALF, {"rich": F(2), "poor": F(0)}
    leads = {"policy's": "rich", "other": "poor"}
    printed = dict.fromkeys(leads, gamma * v[leads["policy's"]])
    in_words = {a: gamma * v[leads[a]] for a in leads}
    return Finding(
        printed["other"] != in_words["other"] and len(set(printed.values())) == 1,
        f"what leads to the state worth nothing has {printed['other']} by the formula, {in_words['other']} in words",
        f"对通往零值状态的动作，公式给出 {printed['other']}，文字给出 {in_words['other']}",
    )


def last_card_left_out() -> Finding:
    """Appendix, $i_*$: with $n^i < n$ the process at level 1 never sees card 1: it has $Q_0$, the rule $Q_1$."""
    q0, r, alpha = F(0), F(1), HALF
    by_rule, tries = (1 - alpha) * q0 + alpha * r, [1]
    seen = [i for i in tries if i < 1]  # n is 1
    by_process = q0 if not seen else by_rule
    return Finding(
        by_process != by_rule,
        f"after one episode the rule has {by_rule}, and the process as printed {by_process}",
        f"一个片段之后，规则得 {by_rule}，而原文定义的过程得 {by_process}",
    )


def first_level_left_out() -> Finding:
    """Sec. 3, $P^{(n)}$: card 1 leads to level 0, which a sum from level 1 leaves out."""
    alpha, levels = HALF, {0: HALF}  # after one episode: card 1 is replayed with probability alpha
    printed, recursion = sum((p for level, p in levels.items() if level >= 1), F(0)), alpha
    return Finding(
        printed != recursion,
        f"after one episode the sum gives {printed}, the recursion of B.3 {recursion}",
        f"一个片段之后，该和给出 {printed}，B.3 的递推给出 {recursion}",
    )


def as_much_as_the_bound() -> Finding:
    """B.1: a state that leads to itself and always earns the most is worth all of $\\Re / (1 - \\gamma)$."""
    most, gamma = F(1), HALF
    v = 1 / (1 - gamma) * most
    return Finding(
        v == most + gamma * v and not v < most / (1 - gamma),
        f"with a reward of 1 at every step and a discount of one half it is worth {v}, which is the bound itself",
        f"每步奖励 1、折扣二分之一时，其值为 {v}，恰等于上界",
    )


def straying() -> Finding:
    """B.2: three cards of one pair, one half on each; from level 3, below level 2. Card 2 is counted as staying, but to
    replay it leads to level 1."""
    alphas, level, below = {1: HALF, 2: HALF, 3: HALF}, 3, 2
    bound = prod((1 - alphas[i] for i in range(below, level + 1)), start=F(1))
    replayed = {t: alphas[t] * prod((1 - alphas[j] for j in range(t + 1, level + 1)), start=F(1)) for t in alphas}
    strays = 1 - sum(p for t, p in replayed.items() if t - 1 >= below)
    return Finding(
        strays > bound,
        f"of three such cards the probability is {strays}, the printed bound {bound}",
        f"三张这样的牌，概率为 {strays}，原文的上界为 {bound}",
    )


def many_states() -> Finding:
    """B.4: twenty states to go to, half of which earn the most and half lose as much; each probability is off by a
    little, and the differences add up over the states."""
    states, most, eta, gamma = 20, F(1), F(1, 100), F(9, 10)
    off = eta / most * F(9, 10)
    rewards = [most if y < states // 2 else -most for y in range(states)]
    exact = [F(1, states)] * states
    near = [p + (off if r > 0 else -off) for p, r in zip(exact, rewards, strict=True)]
    apart = gamma * sum(((q - p) * r for p, q, r in zip(exact, near, rewards, strict=True)), F(0))
    return Finding(
        sum(near) == 1 and min(near) > 0 and apart > 3 * eta,
        f"two actions in twenty states come out {float(apart):.3f} apart, and three eta are {float(3 * eta):.3f}",
        f"二十个状态中两个动作之值相差 {float(apart):.3f}，而 3η 为 {float(3 * eta):.3f}",
    )


def rest_of_the_series() -> Finding:
    """Sec. 4: what is left of the series after so many terms is smaller than its next term only where it ends there."""
    p, terms = HALF, 3
    left = (1 - p) ** terms / p  # of the printed sum, whose whole is 1 / p
    return Finding(
        left > (1 - p) ** terms,
        f"with a probability of one half, after three times {left} of what is earned each time is left; printed is "
        f"{(1 - p) ** terms}",
        f"概率为二分之一时，三轮之后余下的是每轮所得的 {left} 倍，而原文为 {(1 - p) ** terms} 倍",
    )


# --- Sums of Sec. 3.2, with epsilon as the unit --------------------------------------------------------

SMALL = {"reward": F(3), "gamma": F(4, 5), "s": F(7)}  # any others would do: they cancel


def first_term() -> F:
    """Eq. 4: the probability of straying, times the bound of what that costs."""
    most, gamma, s = SMALL["reward"], SMALL["gamma"], SMALL["s"]
    return (1 - gamma) / (6 * s * most) * (2 * s * most / (1 - gamma))


def second_term() -> F:
    """Eq. 4: what rewards and probabilities are off by, times what that may grow to."""
    s = SMALL["s"]
    return 2 / (3 * s * (s + 1)) * (s * (s + 1) / 2)


def sums(row: str) -> float:
    """In units of epsilon: the two terms of Eq. 4, their sum, and with what B.1 leaves out, twice one sixth."""
    both = first_term() + second_term()
    return float({"first": first_term(), "second": second_term(), "both": both, "whole": both + 2 * F(1, 6)}[row])
