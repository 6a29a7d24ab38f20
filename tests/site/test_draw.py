"""Draw a digit, on LeNet's page: what is drawn in the browser, the network of the package reads."""

import inspect
import json
import math
import re
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

import literatim
from literatim.datasets.mnist import MNIST
from literatim.papers.lenet.demo import FeatureMaps

STROKES = Path(__file__).parents[2] / "docs" / "assets" / "strokes"
DIGITS = (2, 5, 7)
PAGES = {"en": "/papers/lenet/", "zh": "/zh/papers/lenet/"}
READS = {"en": "A {}, with probability", "zh": "读作 {}，概率"}
LOADED = [
    "models/lenet.onnx",
    "vendor/onnxruntime/ort-wasm-simd-threaded.mjs",
    "vendor/onnxruntime/ort-wasm-simd-threaded.wasm",
    "vendor/onnxruntime/ort.wasm.min.mjs",
]
SIZE, WHITE, BLACK = (inspect.signature(MNIST).parameters[name].default for name in ("size", "background", "ink"))
SLOW = 60_000  # ms: fourteen megabytes to compile, on a machine with other things to do


def strokes(digit):
    return json.loads((STROKES / f"{digit}.json").read_text())


def demo_on(page, address):
    page.goto(address)
    return page.locator(".demo[data-demo=draw]")


def start(page, address):
    """The demo, ready to be drawn on."""
    demo = demo_on(page, address)
    demo.locator("button").click()
    expect(demo.locator(".draw-pad")).to_be_visible(timeout=SLOW)
    return demo


def draw(page, demo, given, clear=True):
    """With the mouse, along the strokes."""
    if clear:
        demo.locator(".draw-buttons button").first.click()
    pad = demo.locator(".draw-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    for stroke in given:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()
    page.evaluate("async () => { for (let n = 0; n < 5; n++) await new Promise(requestAnimationFrame) }")


def reads(demo, digit, language="en"):
    """What went into the network and came out of it, once it reads the digit."""
    expect(demo.get_by_role("status")).to_contain_text(READS[language].format(digit), timeout=10_000)
    found = demo.evaluate(
        "e => Object.entries({input: e.lastInput, ...e.lastOutputs}).map(([name, values]) => [name, [...values]])"
    )
    return {name: torch.tensor(values, dtype=torch.float32) for name, values in found}


@pytest.fixture(scope="module")
def maps():
    return FeatureMaps(literatim.load("lenet", weights="mnist")).eval()


@pytest.mark.parametrize("language", PAGES)
def test_what_is_drawn_is_read(page, site, maps, language):
    demo = start(page, site + PAGES[language])
    for digit in DIGITS:
        draw(page, demo, strokes(digit))
        found = reads(demo, digit, language)
        assert found["probabilities"][digit] > 0.9
        assert found["probabilities"].argmax() == found["output"].argmin() == digit
        with torch.no_grad():
            expected = maps(found["input"].view(1, 1, SIZE, SIZE))
        for name, values in zip(maps.outputs, expected, strict=True):
            assert torch.allclose(found[name], values.flatten(), rtol=1e-4, atol=1e-4), name

        rows = demo.locator(".draw-outputs tbody tr")
        assert rows.count() == 10
        for row, p, y in zip(rows.all_inner_texts(), found["probabilities"], found["output"], strict=True):
            assert f"{100 * p:.1f} %" in row
            assert float(row.split()[1]) == pytest.approx(y.item(), abs=0.0501)
        assert demo.locator(".draw-winner th").inner_text() == str(digit)


def test_the_network_sees_a_digit_as_mnist_has_it(page, site):
    demo = start(page, site + PAGES["en"])
    for digit in DIGITS:
        draw(page, demo, [[(0.1 + 0.3 * x, 0.6 + 0.3 * y) for x, y in stroke] for stroke in strokes(digit)])
        image = reads(demo, digit)["input"].view(SIZE, SIZE)
        assert image.min() == pytest.approx(WHITE)
        assert image.max() == pytest.approx(BLACK)
        ink = (image - WHITE) / (BLACK - WHITE)
        height, width = (int((ink.amax(dim=axis) > 1e-6).sum()) for axis in (1, 0))
        assert max(height, width) == 20  # Sec. III-A: a box of 20x20, the proportions kept
        pixel = (SIZE - 28) // 2 + 14  # the files of MNIST have the centre of mass within half a pixel of the 14th
        for axis in (0, 1):
            centre = (ink.sum(dim=1 - axis) * torch.arange(SIZE)).sum() / ink.sum()
            assert abs(centre - pixel) <= 0.501
        assert 60 < ink.sum() < 136  # in MNIST a 1 has 60 pixels of ink on average, a 0 has 136


def test_other_hands_are_read_too(page, site):
    demo = start(page, site + PAGES["en"])
    for digit in DIGITS:
        for turn, slant, width in ((0.15, 0, 1), (-0.15, 0, 0.8), (0, 0.25, 1.1), (0, -0.25, 0.9)):
            other = []
            for stroke in strokes(digit):
                other.append([])
                for k, (x, y) in enumerate(stroke[::2]):
                    x, y = width * (x - 0.5) - slant * (y - 0.5), y - 0.5
                    x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
                    other[-1].append((0.5 + x + 0.01 * math.sin(0.7 * k), 0.5 + y + 0.01 * math.cos(0.9 * k)))
            draw(page, demo, other)
            assert reads(demo, digit)["probabilities"][digit] > 0.9, (digit, turn, slant, width)


def test_nothing_is_loaded_before_the_reader_asks(page, site, built):
    asked = set()
    page.on("request", lambda request: asked.add(request.url.partition("/assets/")[2]))
    demo = demo_on(page, site + PAGES["en"])
    size = sum((built / "assets" / name).stat().st_size for name in LOADED)
    expect(demo.locator("button")).to_have_text(f"Start (loads up to {size / 1e6:.1f} MB)")
    page.wait_for_load_state("networkidle")
    assert "draw.js" in str(asked)
    assert not asked & set(LOADED)
    demo.locator("button").click()
    expect(demo.locator(".draw-pad")).to_be_visible(timeout=SLOW)
    assert sorted(asked & set(LOADED)) == LOADED


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_keyboard_is_enough(page, site, motion):
    page.emulate_media(reduced_motion=motion)
    demo = demo_on(page, site + PAGES["en"])
    demo.locator("button").focus()
    page.keyboard.press("Enter")
    expect(demo.locator(".draw-pad")).to_be_visible(timeout=SLOW)
    for digit in DIGITS:  # the first example has the focus that the start button had
        page.keyboard.press("Enter")
        assert reads(demo, digit)["probabilities"][digit] > 0.9
        page.keyboard.press("Tab")
    demo.get_by_role("button", name="Clear").press("Enter")
    expect(demo.get_by_role("status")).to_have_text("Draw a digit, or press an example.")
    assert demo.locator(".draw-winner").count() == 0
    assert demo.evaluate("e => Math.max(...e.lastInput)") == pytest.approx(WHITE)


def test_a_drawing_ends_an_example_and_a_dot_is_no_mistake(page, site):
    demo = start(page, site + PAGES["en"])
    demo.get_by_role("button", name="5: draw this example").click()
    expect(demo.get_by_role("status")).to_have_text("Drawing …")
    draw(page, demo, strokes(7), clear=False)
    alone = reads(demo, 7)["input"]
    draw(page, demo, strokes(7))
    assert torch.equal(reads(demo, 7)["input"], alone)
    draw(page, demo, [[(0.5, 0.5)]])
    expect(demo.get_by_role("status")).to_have_text(re.compile(", with probability"))
    ink = demo.evaluate("(e, white) => e.lastInput.filter(v => v > white + 1e-6).length", WHITE)
    assert 4 <= ink <= 16


def test_the_maps_follow_the_scheme(page, site):
    demo = start(page, site + PAGES["en"])
    draw(page, demo, strokes(2))
    reads(demo, 2)
    counts = {"input": 1, "c1": 6, "s2": 6, "c3": 16, "s4": 16, "c5": 1, "f6": 2}  # F6 and the code beside it
    found = {name: demo.locator(f".draw-{name} canvas") for name in counts}
    assert {name: canvases.count() for name, canvases in found.items()} == counts
    colours = """e => {
        const copy = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
        copy.drawImage(e, 0, 0);
        return [...copy.getImageData(0, 0, e.width, e.height).data].join();
    }"""
    before = {name: canvases.first.evaluate(colours) for name, canvases in found.items()}
    for name, picture in before.items():
        assert len(set(picture.split(","))) > 10, name  # it shows something
    page.evaluate(
        "() => document.body.setAttribute('data-md-color-scheme',"
        " document.body.getAttribute('data-md-color-scheme') === 'slate' ? 'default' : 'slate')"
    )
    for name, canvases in found.items():
        canvas = canvases.first.element_handle()
        page.wait_for_function(f"([canvas, before]) => ({colours})(canvas) !== before", arg=[canvas, before[name]])


@pytest.mark.parametrize("language", PAGES)
def test_a_telephone_needs_no_sideways_scroll(page, site, language):
    page.set_viewport_size({"width": 360, "height": 740})
    demo = start(page, site + PAGES[language])
    draw(page, demo, strokes(5))
    reads(demo, 5, language)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_webassembly_one_sentence_says_so(page, site):
    page.add_init_script("delete window.WebAssembly")
    demo = demo_on(page, site + PAGES["en"])
    demo.locator("button").click()
    expect(demo.get_by_role("status")).to_have_text("This demo needs WebAssembly, which this browser does not offer.")


def test_what_cannot_be_loaded_is_named_and_may_be_tried_again(page, site):
    page.route("**/models/lenet.onnx", lambda route: route.fulfill(status=200, body="none"))
    demo = demo_on(page, site + PAGES["en"])
    demo.locator("button").click()
    expect(demo.get_by_role("status")).to_contain_text("The demo does not work here: ", timeout=SLOW)
    page.unroute("**/models/lenet.onnx")
    demo.locator("button").click()
    expect(demo.locator(".draw-pad")).to_be_visible(timeout=SLOW)
