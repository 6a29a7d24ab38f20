"""The memory cells on LSTM's page: what the browser works out is what the package's network gives."""

import pytest
import torch
from playwright.sync_api import expect

import literatim

SYMBOLS = "abcdEBXY"
TYPED = ["EabcdXabcdbbaYdcB", "EYYYB", "XbXa"]  # not of the task, but read like any other


@pytest.fixture(scope="module")
def net():
    return literatim.load("lstm", "order-6a", weights="6a").double()


def traced(net, sequence):
    """For each symbol the gates, states and outputs, by the package."""
    ids = torch.tensor([SYMBOLS.index(symbol) for symbol in sequence])
    y, s = net.start(1)
    rows, cells, blocks = [], net.blocks * net.size, net.blocks
    with torch.no_grad():
        for x in torch.eye(len(SYMBOLS), dtype=torch.float64)[ids]:
            outputs, y, s = net.step(x[None], y, s)
            gates = y[0, cells:].split(blocks)
            rows.append([*gates[0], *gates[1], *s[0], *y[0, :cells], *outputs[0]])
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("language", ["", "/zh"])
def test_what_the_page_draws_is_what_the_network_does(page, site, net, language):
    page.goto(f"{site}{language}/papers/lstm/")
    demo = page.locator(".demo[data-demo=cell]")
    field, slider = demo.locator("input[type=text]"), demo.locator("input[type=range]")
    expect(demo.locator(".cell-readings")).to_be_visible(timeout=60_000)
    for sequence in [field.input_value(), *TYPED]:
        field.fill(sequence)
        found = demo.evaluate("demo => demo.trace.map(t => [...t.in, ...t.out, ...t.s, ...t.y, ...t.outputs])")
        wanted = traced(net, sequence)
        assert torch.allclose(torch.tensor(found, dtype=torch.float64), wanted, atol=1e-6)
        winner = "QRSU"[int(wanted[-1, -4:].argmax())]
        expect(demo.locator("p[role=status]")).to_contain_text(f" {winner}")
        expect(slider).to_have_value(str(len(sequence)))
    slider.press("ArrowLeft")
    expect(demo.locator("output")).to_contain_text(f"{len(TYPED[-1]) - 1}")
    field.fill("Eab?B")
    expect(demo.locator("p[role=status]")).to_contain_text("“?”")
    expect(field).to_have_attribute("aria-invalid", "true")
    demo.get_by_role("button").first.click()
    expect(field).to_have_attribute("aria-invalid", "false")
    assert 100 <= len(field.input_value()) <= 110
