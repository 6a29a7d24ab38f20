"""The Extended Data Tables' scores against each other, as the claims state them."""

from __future__ import annotations

from literatim.claims.given import stated
from literatim.claims.verdicts import Finding
from literatim.registry.reading import claims

LADEN = {"replay": "target-only", "target": "replay-only", "convolutions": "linear"}  # what is left without a part


def games(claim: str) -> list[str]:
    """Those in which a claim has a score."""
    return [each.id.partition(".")[2] for each in claims("dqn") if each.id.startswith(f"{claim}.")]


def share(agent: float, random: float, human: float) -> float:
    """The caption of Fig. 3: 100 × (DQN score − random play score)/(human score − random play score)."""
    return 100 * (agent - random) / (human - random)


def normalised(game: str) -> float:
    return share(*(stated("dqn", f"{who}.{game}") for who in ("agent", "random", "human")))


def games_played() -> int:
    return len(games("agent"))


def above_75() -> Finding:
    found = [game for game in games("agent") if normalised(game) > 75]
    nearest = min(games("agent"), key=lambda game: abs(normalised(game) - 75))
    detail = f"nearest to the bound: {nearest}, {normalised(nearest):.1f}"
    return Finding(len(found), detail, f"最接近界限的是 {nearest}，{normalised(nearest):.1f}")


def rival(game: str) -> float:
    """The better of the two other methods of Extended Data Table 2."""
    return max(stated("dqn", f"{method}.{game}") for method in ("linear-learner", "contingency"))


def best_of_methods() -> int:
    return sum(stated("dqn", f"agent.{game}") > rival(game) for game in games("agent"))


def beats_the_human(game: str) -> bool:
    return normalised(game) > 100


def games_harmed(part: str) -> int:
    """Games of Extended Data Tables 3 and 4 with a lower score where a part is taken away from the whole agent."""
    return sum(stated("dqn", f"{LADEN[part]}.{game}") < stated("dqn", f"both.{game}") for game in games("both"))


def enduro_longer() -> float:
    return stated("dqn", "both.enduro") / stated("dqn", "agent.enduro")
