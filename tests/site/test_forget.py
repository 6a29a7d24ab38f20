"""The two nets on the forget gates' page: what the browser works out is what the package's networks give."""

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

import literatim
from literatim.papers.lstm_forget.engine import is_right
from literatim.parts.grammars import SYMBOLS, embedded_reber

GRAMMAR = embedded_reber()


@pytest.fixture(scope="module")
def nets():
    forget = literatim.load("lstm-forget", "extended", weights="forget").double()
    return forget, literatim.load("lstm-forget", "standard", weights="reset").double()


@torch.no_grad()
def traced(net, stream, resets=False):
    """For each symbol the gates, states, outputs, and whether these are right, by the package."""
    symbols, may = GRAMMAR.read(stream)
    y, s = net.start(1)
    rows, begins = [], False
    for symbol, legal in zip(symbols, may, strict=True):
        if begins and resets:
            y, s = net.start(1)
        begins = legal == {SYMBOLS.index("B")} and SYMBOLS[symbol] == "E"
        x = torch.eye(len(SYMBOLS), dtype=torch.float64)[symbol][None]
        sources = torch.cat([x, y], dim=1)
        opened = [torch.sigmoid(gates(sources))[0] for gates in (net.input_gates, net.output_gates)]
        forget = torch.sigmoid(net.forget_gates(sources))[0] if net.forget_gates else torch.ones(net.blocks)
        outputs, y, s = net.step(x, y, s)
        target = torch.tensor([float(k in legal) for k in range(len(SYMBOLS))])
        right = is_right(outputs[0], target, legal, 0.49, winners=True)
        rows.append([*forget, *opened[0], *opened[1], *s[0], *outputs[0], float(right)])
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("language", ["", "/zh"])
def test_what_the_page_draws_is_what_the_two_networks_do(page, site, nets, language):
    page.goto(f"{site}{language}/papers/lstm-forget/")
    demo = page.locator(".demo[data-demo=forget]")
    field, slider, status = (demo.locator(name) for name in ("input[type=text]", "input[type=range]", "[role=status]"))
    resets = demo.locator("input[type=checkbox]")
    expect(demo.locator(".cell-readings")).to_have_count(2, timeout=60_000)
    drawn = field.input_value()
    symbols, _ = GRAMMAR.walk(np.random.default_rng(3), 120)
    for stream, reset in ((drawn, False), (drawn, True), ("".join(SYMBOLS[k] for k in symbols), False)):
        resets.set_checked(reset)
        field.fill(stream)
        wanted = {"forget": traced(nets[0], stream), "standard": traced(nets[1], stream, reset)}
        for name, rows in wanted.items():
            found = demo.evaluate(
                f"demo => demo.trace.{name}.map(t => [...t.forget, ...t.in, ...t.out, ...t.s, ...t.outputs, +t.right])"
            )
            assert torch.allclose(torch.tensor(found, dtype=torch.float64), rows, atol=1e-5)
        right = [int(rows[:, -1].sum()) for rows in wanted.values()]
        assert right[0] == len(stream)
        assert (right[1] == len(stream)) == reset  # what the page is there to show
        expect(status).to_contain_text(f"{right[1]}")
        expect(demo.locator(".cell-wrong")).to_have_count(2 * len(stream) - sum(right))
        expect(slider).to_have_value(str(len(stream)))
    slider.press("ArrowLeft")
    expect(demo.locator("output")).to_contain_text("119")


def test_a_symbol_that_the_grammar_does_not_have_there_is_named_with_its_place(page, site):
    page.goto(f"{site}/papers/lstm-forget/")
    demo = page.locator(".demo[data-demo=forget]")
    field, status = demo.locator("input[type=text]"), demo.locator("[role=status]")
    expect(demo.locator(".cell-readings")).to_have_count(2, timeout=60_000)
    for stream, said in (("BTBE", "E cannot stand at 4: T or P"), ("", "empty"), ("B<", "< cannot stand at 2")):
        field.fill(stream)
        expect(status).to_contain_text(said)
        expect(field).to_have_attribute("aria-invalid", "true")
    demo.get_by_role("button").click()
    expect(field).to_have_attribute("aria-invalid", "false")
    assert 90 <= len(field.input_value()) <= 150
