"""The playground against the tutorial's own Python: the same paths, whatever is set."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from playwright.sync_api import Page

from literatim.trace.tutorial import run

CHECKOUT = Path(__file__).parents[2]
SETTINGS = [
    (surface, optimiser, rate, momentum)
    for surface in ("bowl", "valley", "turned", "saddle", "wells", "rosenbrock")
    for optimiser, rate, momentum in (
        ("gradient-descent", 0.01, 0.9),
        ("momentum", 0.01, 0.8),
        ("nesterov", 0.01, 0.95),
        ("adam", 0.1, 0.9),
    )
]


@pytest.fixture(scope="module")
def tutorial() -> dict:
    return run((CHECKOUT / "tutorials" / "sgd.md").read_text(encoding="utf-8")).namespace


def fill(page: Page, **values: float) -> None:
    for name, value in values.items():
        page.locator(f".playground input[name={name}]").fill(repr(value))


def far(page: Page, wanted: list[tuple[float, float]]) -> float:
    """The largest difference to the page's path."""
    path = page.evaluate("document.querySelector('.playground').path")
    assert len(path) == len(wanted)
    return max(math.dist(a, b) for a, b in zip(path, wanted, strict=True))


@pytest.mark.parametrize("language", ["", "zh/"])
def test_the_paths_are_those_of_the_tutorial(page: Page, site: str, tutorial: dict, language: str):
    page.goto(f"{site}/{language}playground/")
    page.locator(".playground button[name=run]").wait_for()
    for surface, optimiser, rate, momentum in SETTINGS:
        page.locator(".playground select[name=surface]").select_option(surface)
        page.locator(".playground select[name=optimiser]").select_option(optimiser)
        fill(page, x=-0.7, y=0.9, rate=rate, steps=60)
        if optimiser != "gradient-descent":
            fill(page, momentum=momentum)
        wanted = tutorial["descend"](surface, (-0.7, 0.9), optimiser, rate, momentum, 60)
        assert far(page, wanted) < 1e-6, (surface, optimiser)


def test_a_run_plays_to_its_end_and_says_where_it_came(page: Page, site: str, tutorial: dict):
    page.goto(f"{site}/playground/#surface=saddle&x=-1.2&y=0.001&optimiser=gradient-descent&rate=0.1&steps=120")
    page.locator(".playground button[name=run]").click()
    page.locator(".playground[data-state=done]").wait_for()
    wanted = tutorial["descend"]("saddle", (-1.2, 0.001), "gradient-descent", 0.1, steps=120)
    assert far(page, wanted) < 1e-6
    status = page.locator(".playground .status")
    status.filter(has_text="120").wait_for()


def test_a_rate_past_the_bound_is_said_to_diverge(page: Page, site: str):
    page.goto(f"{site}/playground/#surface=valley&x=-4&y=1&optimiser=gradient-descent&rate=0.5&steps=500")
    page.locator(".playground .status").filter(has_text="diverge").wait_for()
    assert len(page.evaluate("document.querySelector('.playground').path")) < 500


def test_a_click_sets_the_start_and_every_experiment_runs(page: Page, site: str):
    page.goto(f"{site}/playground/")
    page.locator(".playground .plots svg").first.click(position={"x": 120, "y": 60})
    start = page.evaluate("document.querySelector('.playground').path[0]")
    shown = [float(page.locator(f".playground input[name={name}]").input_value()) for name in ("x", "y")]
    assert start == shown
    for button in page.locator("button.playground-set").all():
        button.click()
        wanted = dict(pair.split("=") for pair in (button.get_attribute("data-state") or "").split("&"))
        for name in {"x", "y", "rate", "steps"} & set(wanted):
            shown = page.locator(f".playground input[name={name}]").input_value()
            assert float(shown) == pytest.approx(float(wanted[name]), rel=1e-6)
        assert page.evaluate("document.querySelector('.playground').path.length") > 1


def test_the_keyboard_runs_it(page: Page, site: str):
    page.goto(f"{site}/playground/")
    rate = page.locator(".playground input[name=rate]")
    rate.fill("0.05")
    rate.press("Enter")
    page.locator(".playground[data-state=done]").wait_for()
    before = page.evaluate("document.querySelector('.playground').path.length")
    page.locator(".playground button[name=step]").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('.playground').path.length") == before + 1
