"""The gated units on the page of the RNN encoder-decoder: what the browser shows, the package's network makes."""

from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

import literatim
from literatim.papers.gru.demo import Translated
from literatim.papers.gru.table import PhraseTable
from literatim.parts.number_words import french

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
LANGUAGES = {"en": "", "zh": "/zh"}
TYPED = "eight thousand seventy-one"
SLOW = 120_000  # ms: fourteen megabytes to compile, on a machine with other things to do


def gates(phrase):
    """(words, units): z as the package has it, of the units that are shown."""
    ids = PhraseTable().words()[0].read(phrase)[0]
    x = torch.full((1, 10), -1.0)
    x[0, : len(ids)] = ids.float()
    with torch.no_grad():
        return Translated(literatim.load("gru", weights="quick")).eval()(x)[0][0, : len(ids), :40]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_is_read_and_written_with_keys_alone(page, site, language):
    page.goto(f"{site}{LANGUAGES[language]}/papers/gru/", timeout=SLOW)
    demo = page.locator(".demo")
    expect(demo.locator("button")).to_be_visible(timeout=SLOW)
    demo.locator("button").focus()
    page.keyboard.press("Enter")
    expect(demo.locator("input")).to_be_focused(timeout=SLOW)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("eight thousand seventy-one")
    page.wait_for_function(
        "() => document.querySelector('.demo').settled === 'eight thousand seventy-one'", timeout=SLOW
    )
    said = [bold.text_content() for bold in demo.locator(".gates-said b").all()]
    assert said[:-1] == list(french(8071))
    shown = demo.locator(".gates-map").evaluate("e => [...e.querySelectorAll('i')].map(i => Number(i.style.opacity))")
    assert (torch.tensor(shown).view(-1, 40) - gates("eight thousand seventy one")).abs().max() < 1e-3
    page.keyboard.type(" thousandth")
    expect(demo.locator(".gates-status")).to_contain_text("thousandth")
    h = demo.locator("button[data-kind=h]")
    h.focus()
    page.keyboard.press("Space")
    expect(h).to_have_attribute("aria-pressed", "true")
    page.add_script_tag(path=AXE)
    assert page.evaluate("async () => (await axe.run('.demo')).violations.map(v => v.id)") == []
