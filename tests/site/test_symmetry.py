"""The symmetry net on back-propagation's page: it learns in the browser as the recorded run learned."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from literatim.registry.ledger import records

STARTS = json.loads((Path(__file__).parents[2] / "docs" / "assets" / "symmetry.json").read_text())
PAGES = {"en": "papers/backprop/", "zh": "zh/papers/backprop/"}


def demo_on(page, address):
    page.goto(address)
    demo = page.locator(".demo[data-demo=symmetry]")
    expect(demo.locator("button").first).to_be_visible(timeout=60_000)
    return demo


@pytest.mark.parametrize("lang", PAGES)
def test_it_needs_as_many_sweeps_as_the_record_says(page, site, lang):
    demo = demo_on(page, f"{site}/{PAGES[lang]}")
    (record,) = (run for run in records("backprop", "paper", "symmetry") if run["seed"] == 0)
    slider = demo.locator("input[type=range]")
    slider.focus()
    page.keyboard.press("End")
    demo.locator("button").first.focus()
    page.keyboard.press("Enter")
    expect(demo.locator("button").first).to_be_disabled(timeout=60_000)
    assert demo.get_attribute("data-sweeps") == str(int(record["metrics"]["first_sweeps"]))
    assert f"{int(record['metrics']['first_sweeps']):,}" in demo.locator("[role=status]").inner_text()


def test_a_start_that_does_not_learn_is_said_to_be_stuck_and_another_begins_anew(page, site):
    demo = demo_on(page, f"{site}/{PAGES['en']}")
    stuck = next(row["trial"] for row in STARTS["trials"] if row["sweeps"] < 0)
    demo.locator("select").select_option(str(stuck))
    demo.locator("button").nth(1).click()
    assert demo.get_attribute("data-sweeps") == "1"
    demo.locator("input[type=range]").fill("3")
    demo.locator("button").first.click()
    expect(demo.locator("[role=status]")).to_contain_text("Not learned within 10,000 sweeps", timeout=60_000)
    demo.locator("select").select_option("6")
    assert (demo.get_attribute("data-sweeps"), demo.locator("[role=status]").inner_text()) == ("0", "")
