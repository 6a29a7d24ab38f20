"""Table 1's rows against each other, as the claims state them."""

from __future__ import annotations

from literatim.claims.given import stated
from literatim.registry.reading import claims

HNEAT = ("hneat-best", "hneat-pixel")
# Who is compared with whom, by the rows of Table 1.
COMPARED = {
    "learned": ("dqn", ("sarsa", "contingency")),
    "average": ("dqn", HNEAT),
    "best": ("dqn-best", HNEAT),
    "previous": ("dqn", ("sarsa", "contingency", *HNEAT)),
    "human": ("dqn", ("human",)),
}


def games() -> list[str]:
    return [each.id.partition(".")[2] for each in claims("dqn2013") if each.id.startswith("dqn.")]


def is_ahead(who: str, others: tuple[str, ...], game: str) -> bool:
    return all(stated("dqn2013", f"{who}.{game}") > stated("dqn2013", f"{other}.{game}") for other in others)


def ahead(row: str) -> int:
    return sum(is_ahead(*COMPARED[row], game) for game in games())


def beats_the_human(game: str) -> bool:
    return is_ahead(*COMPARED["human"], game)


def hneat_ahead_in_space_invaders_alone() -> bool:
    behind = [[game for game in games() if not is_ahead(*COMPARED[row], game)] for row in ("average", "best")]
    return behind == [["space_invaders"]] * 2


def games_played() -> int:
    return len(games())
