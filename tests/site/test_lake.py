"""The lake on Q-learning's page: it learns to the exact values, and shows the recorded table as it is."""

from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

import literatim
from literatim.datasets.tabular import Tabular

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# Of each factor: whether three hundred thousand steps with it come near the exact values.
NEAR = {"power": True, "square": False}


@pytest.mark.parametrize("language", ["", "/zh"])
def test_the_page_learns_the_exact_values_where_the_theorem_says_so(page, site, language):
    page.goto(f"{site}{language}/papers/q-learning/")
    demo = page.locator(".demo[data-demo=lake]")
    expect(demo.locator(".lake-grid")).to_be_visible(timeout=60_000)
    exact = torch.tensor(demo.evaluate("demo => demo.exact"), dtype=torch.float64)
    assert torch.allclose(exact, torch.from_numpy(Tabular("FrozenLake-v1").process.optimal(0.95)), atol=1e-9)
    one, run, many, again = demo.get_by_role("button").all()
    for factor, near in NEAR.items():
        demo.locator("select").first.select_option(factor)
        again.click()
        assert demo.evaluate("demo => demo.agent.steps") == 0
        for _ in range(3):
            many.click()
        q = torch.tensor(demo.evaluate("demo => demo.agent.q"), dtype=torch.float64)
        assert ((q - exact).abs().max() < 0.12) == near
    one.click()
    expect(demo.get_by_role("status")).to_contain_text("300001")
    run.click()
    while demo.evaluate("demo => demo.agent.steps") <= 310_000:
        page.wait_for_timeout(50)
    run.click()
    stopped = demo.evaluate("demo => demo.agent.steps")
    page.wait_for_timeout(200)
    assert demo.evaluate("demo => demo.agent.steps") == stopped
    page.add_script_tag(path=AXE)
    assert page.evaluate("async () => (await axe.run('.demo')).violations.map(v => v.id)") == []


def test_the_recorded_table_is_shown_as_it_is(page, site):
    page.goto(f"{site}/papers/q-learning/")
    demo = page.locator(".demo[data-demo=lake]")
    expect(demo.locator(".lake-grid")).to_be_visible(timeout=60_000)
    demo.locator("select").last.select_option("recorded")
    q = literatim.load("q-learning", weights="frozenlake").q.detach()
    assert torch.allclose(torch.tensor(demo.evaluate("demo => demo.recorded")), q)
    shown = [float("0" + text) for text in demo.locator(".lake-value").all_text_contents()]
    live = Tabular("FrozenLake-v1").reached.tolist()
    assert torch.allclose(torch.tensor(shown), q[live].flatten(), atol=0.0051)
