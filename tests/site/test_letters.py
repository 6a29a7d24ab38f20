"""The letters on Elman's page: what the browser works out is what the package's network predicts."""

from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

import literatim
from literatim.papers.elman.codes import LETTERS, table

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
NAMES = list(LETTERS)
TYPED = ["ba dii guuu", "b", "uiadbg", "guuuuuubadiii"]  # the last three not of the task, but read like any other


@pytest.fixture(scope="module")
def net():
    return literatim.load("elman", "letters", weights="letters").double()


def predicted(net, letters):
    """For each letter the hidden units and outputs, the nearest letter, and the error of the next, by the package."""
    codes = torch.from_numpy(table("letters"))
    x = codes[[NAMES.index(letter) for letter in letters]]
    with torch.no_grad():
        y, hidden = (found[0] for found in net.run(x[None]))
    nearest = [NAMES[k] for k in torch.cdist(y, codes).argmin(dim=1)]
    return torch.cat([hidden, y], dim=1), nearest, (y[:-1] - x[1:]).square().sum(dim=1)


@pytest.mark.parametrize("language", ["", "/zh"])
def test_what_the_page_predicts_is_what_the_network_does(page, site, net, language):
    page.goto(f"{site}{language}/papers/elman/")
    demo = page.locator(".demo[data-demo=letters]")
    field, status = demo.locator("input"), demo.locator("p[role=status]")
    expect(demo.locator(".letters-table")).to_be_visible(timeout=60_000)
    for text in [field.input_value(), *TYPED]:
        field.fill(text)
        letters = text.replace(" ", "")
        units, nearest, errors = predicted(net, letters)
        found = demo.evaluate("demo => demo.trace.map(t => [...t.hidden, ...t.outputs])")
        assert torch.allclose(torch.tensor(found, dtype=torch.float64), units, rtol=0, atol=1e-6)
        found = demo.evaluate("demo => demo.trace.map(t => t.error)")
        assert found.pop() is None
        assert torch.allclose(torch.tensor(found, dtype=torch.float64), errors, rtol=0, atol=1e-6)
        assert demo.locator("tbody th").all_inner_texts() == list(letters)
        assert demo.locator(".letters-nearest").all_inner_texts() == nearest
        heights = demo.evaluate(
            "e => [...e.querySelectorAll('.letters-hidden i')].map(i => parseFloat(i.style.height))"
        )
        assert torch.allclose(torch.tensor(heights).view(-1, 20) / 100, units[:, :20].float(), atol=1e-4)
        expect(status).to_contain_text(nearest[-1])
        expect(field).to_have_attribute("aria-invalid", "false")


@pytest.mark.parametrize("language", ["", "/zh"])
def test_a_letter_that_is_none_of_the_six_is_named_with_its_place(page, site, language):
    page.goto(f"{site}{language}/papers/elman/")
    demo = page.locator(".demo[data-demo=letters]")
    field, status = demo.locator("input"), demo.locator("p[role=status]")
    expect(demo.locator(".letters-table")).to_be_visible(timeout=60_000)
    field.focus()
    page.keyboard.press("End")
    page.keyboard.type("dix")
    expect(status).to_contain_text("“x”")
    expect(status).to_contain_text("12")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(demo.locator(".letters-table")).to_have_count(0)
    field.fill("b" * 61)
    expect(status).to_contain_text("60")
    field.fill(" ")
    expect(field).to_have_attribute("aria-invalid", "true")
    demo.get_by_role("button").press("Enter")
    expect(field).to_have_attribute("aria-invalid", "false")
    assert field.input_value().replace("ba", "").replace("dii", "").replace("guuu", "") == ""
    assert demo.locator("tbody tr").count() == len(field.input_value())
    page.add_script_tag(path=AXE)
    assert page.evaluate("async () => (await axe.run('.demo')).violations.map(v => v.id)") == []
