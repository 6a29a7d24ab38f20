"""The README's numbers are those of the ledger, and its commands exist."""

import re
import statistics

import pytest

from conftest import CHECKOUT
from literatim.cli import COMMANDS
from literatim.registry import card
from literatim.registry.ledger import records

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def row(recipe: str) -> str:
    """A recipe's row of the table, from the card and the recorded runs."""
    runs = records("lenet", recipe)
    errors = [r["metrics"]["test_error"] for r in runs]
    seconds = statistics.median(r["wall_s"] for r in runs)
    time = f"{seconds / 60:.0f} min" if seconds >= 100 else f"{seconds:.0f} s"
    found = f"{min(errors):.2f} to {max(errors):.2f} %" if len(errors) > 1 else f"{errors[0]:.2f} %"
    seeds = f"{len(errors)} seed{'s' * (len(errors) > 1)}"
    return f"| `{recipe}` | {card('lenet').recipes[recipe].about.en} | {found} ({seeds}) | {time} |"


@pytest.mark.parametrize("recipe", [r for r in card("lenet").recipes if records("lenet", r)])
def test_the_table_is_what_was_recorded(recipe):
    assert row(recipe) in README


@pytest.mark.parametrize("recipe", [r for r in card("lenet").recipes if card("lenet").recipes[r].expects])
def test_every_expectation_is_met_by_every_recorded_run(recipe):
    runs, expects = records("lenet", recipe), card("lenet").recipes[recipe].expects
    assert len(runs) == 3
    for r in runs:
        assert not r.stale
        assert not r["dirty"]
        assert not r["overrides"]
        assert expects.met(r["metrics"][expects.metric])


def test_its_commands_exist():
    commands = set(re.findall(r"^(?:\.venv/bin/)?literatim (\w+)", README, re.MULTILINE))
    assert commands
    assert commands <= set(COMMANDS)
