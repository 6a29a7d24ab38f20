"""Table 1's rows against each other, as the claims state them."""

from __future__ import annotations

import json
from importlib.resources import files

from literatim.claims.given import stated
from literatim.claims.verdicts import Finding
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


def valid_actions(played: list[str], row: str) -> Finding:
    """The `least` or the `most` that any of these games takes: `getMinimalActionSet` of ale-py 0.12.1, as counted in
    actions.json."""
    counted = json.loads(files(__package__).joinpath("actions.json").read_text(encoding="utf-8"))
    found = {"least": min, "most": max}[row](counted[game] for game in played)
    those = [game for game in played if counted[game] == found]
    shown = f"{', '.join(those[:3])}{f' and {len(those) - 3} more' if len(those) > 3 else ''}"
    return Finding(found, shown, "、".join(those[:3]) + (f"等 {len(those)} 个" if len(those) > 3 else ""))
