"""The generators on the pages of GAN and the conditional GAN: what the browser shows, the package's networks make.

Where no recorded weights are there yet, the pages have no demo; it is then put into them with stand-in weights.
"""

from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

import literatim
from literatim.experiment.export import write_onnx
from literatim.papers.cgan.demo import Asked
from literatim.papers.gan.demo import Walk
from literatim.registry import card

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
DEMOS = {"gan": (Walk, 100), "cgan": (Asked, 2510)}
LANGUAGES = {"en": "", "zh": "/zh"}
RUNTIME = [
    "vendor/onnxruntime/ort-wasm-simd-threaded.mjs",
    "vendor/onnxruntime/ort-wasm-simd-threaded.wasm",
    "vendor/onnxruntime/ort.wasm.min.mjs",
]
SLOW = 120_000  # ms: fourteen megabytes to compile, on a machine with other things to do
EXACT = 1e-5  # of pixels between 0 and 1


@pytest.fixture(scope="module")
def generators(built, tmp_path_factory):
    """paper -> the network that the demo is to agree with, and its file, where the site has none."""
    found = {}
    for paper, (kind, size) in DEMOS.items():
        if (built / "assets" / "models" / f"{paper}.onnx").exists():
            found[paper] = kind(literatim.load(paper, weights="mnist")).eval(), None
            continue
        torch.manual_seed(0)
        net = literatim.load(paper)
        with torch.no_grad():
            for value in net.parameters():
                value.copy_((2 * value).half())
        module, path = kind(net).eval(), tmp_path_factory.mktemp(paper) / f"{paper}.onnx"
        write_onnx(module, (size,), path, ["image"])
        found[paper] = module, path
    return found


@pytest.fixture
def demo_on(page, site, generators):
    """A function that opens a paper's page and finds the demo on it."""

    def opened(paper, language="en", on=page):
        address, model = f"{site}{LANGUAGES[language]}/papers/{paper}/", generators[paper][1]
        if model:
            script = card(paper).demo.script
            mark = f'<div class="demo" data-demo="{script}" data-model="{paper}.onnx"></div>'

            def put_in(route):
                text = route.fetch().text()
                assert 'class="demo"' not in text
                text = text.replace("</article>", mark + "</article>", 1)
                route.fulfill(body=text, content_type="text/html; charset=utf-8")

            on.route(address, put_in)
            on.route(f"**/models/{paper}.onnx", lambda route: route.fulfill(path=model))
        on.goto(address, timeout=SLOW)
        demo = on.locator(".demo")
        expect(demo.locator("button")).to_be_visible(timeout=SLOW)
        return demo

    return opened


def start(demo):
    demo.locator("button").click()
    expect(demo.locator(".walk-large")).to_be_visible(timeout=SLOW)
    return settled(demo)


def settled(demo):
    """(input, image) of what is chosen, once it is shown."""
    demo.page.wait_for_function("() => document.querySelector('.demo').settled === true", timeout=SLOW)
    return [
        torch.tensor(demo.evaluate(f"e => [...e.{name}]"), dtype=torch.float32) for name in ("lastInput", "lastImage")
    ]


def pixels(canvas):
    """(784,): the grey levels that a canvas shows, which must be grey."""
    levels = canvas.evaluate(
        """c => {
            const copy = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
            copy.drawImage(c, 0, 0);
            return [...copy.getImageData(0, 0, 28, 28).data];
        }"""
    )
    red, green, blue, opacity = torch.tensor(levels).view(-1, 4).T
    assert torch.equal(red, green)
    assert torch.equal(red, blue)
    assert (opacity == 255).all()
    return red / 255


def images(module, inputs):
    with torch.no_grad():
        return module(inputs)


def agrees(demo, module):
    """Holds what is shown large against the network of the package; returns its input."""
    given, image = settled(demo)
    expected = images(module, given[None])[0]
    assert expected.std() > 0.02  # there is something to see
    assert (image - expected).abs().max() < EXACT
    assert (pixels(demo.locator(".walk-large")) - expected).abs().max() < 0.6 / 255
    return given


def row(demo):
    return torch.stack([pixels(canvas) for canvas in demo.locator(".walk-row canvas").all()])


def pressed(demo):
    return [b.get_attribute("aria-pressed") == "true" for b in demo.locator(".walk-row button").all()].index(True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_walk_leads_from_one_point_in_a_straight_line_to_another(page, demo_on, generators, language):
    module = generators["gan"][0]
    demo = demo_on("gan", language)
    start(demo)
    slider = demo.get_by_role("slider")
    ends = {}
    for value in (0, 90, 45, 20):
        slider.fill(str(value))
        ends[value] = agrees(demo, module)
    assert ((ends[0] >= 0) & (ends[0] <= 1)).all()
    assert (ends[0] - ends[90]).abs().max() > 0.5
    for value in (45, 20):
        assert torch.allclose(ends[value], torch.lerp(ends[0], ends[90], value / 90), atol=1e-6)
    assert pressed(demo) == 2
    steps = torch.lerp(ends[0], ends[90], torch.linspace(0, 1, 10)[:, None])
    assert (row(demo) - images(module, steps)).abs().max() < 0.6 / 255
    demo.locator(".walk-row button").nth(7).click()
    assert torch.allclose(agrees(demo, module), steps[7], atol=1e-6)
    assert slider.input_value() == "70"
    said = demo.locator(".walk-large").get_attribute("aria-label")
    assert said == {"en": "A generated image, 78 % of the way", "zh": "生成的图像，位于路程的 78 %"}[language]


def test_other_noise_is_other_noise(page, demo_on, generators):
    module = generators["gan"][0]
    demo = demo_on("gan")
    start(demo)
    before, shown = agrees(demo, module), row(demo)
    demo.get_by_role("button", name="Other noise").click()
    assert (agrees(demo, module) - before).abs().max() > 0.5
    assert (row(demo) - shown).abs().max() > 0.02
    expect(demo.get_by_role("status")).to_have_text("Two other points of the noise are drawn (1).")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_digit_that_is_asked_for_is_what_the_generator_is_told(page, demo_on, generators, language):
    module = generators["cgan"][0]
    demo = demo_on("cgan", language)
    start(demo)
    for value in (0, 30):
        demo.get_by_role("slider").fill(str(value))
        noise, _, kept = agrees(demo, module).split([100, 10, 2400])
        both = torch.cat([noise.expand(10, -1), torch.eye(10), kept.expand(10, -1)], dim=1)
        assert (row(demo) - images(module, both)).abs().max() < 0.6 / 255
        for digit in (0, 9):
            demo.get_by_role("button", name={"en": f"Digit {digit}", "zh": f"数字 {digit}"}[language]).click()
            assert torch.equal(agrees(demo, module), both[digit])
            assert pressed(demo) == digit


@pytest.mark.parametrize("language", LANGUAGES)
def test_dropout_is_drawn_apart_from_the_noise_and_gives_other_digits(page, demo_on, generators, language):
    module = generators["cgan"][0]
    demo = demo_on("cgan", language)
    start(demo)
    inputs, rows = [agrees(demo, module)], [row(demo)]
    name, said = {
        "en": ("Other dropout", "Other units are dropped ({})."),
        "zh": ("换一组 dropout", "已改为丢弃另一批单元（第 {} 次）。"),
    }[language]
    for k in range(1, 5):
        demo.get_by_role("button", name=name).click()
        inputs.append(agrees(demo, module))
        rows.append(row(demo))
        expect(demo.get_by_role("status")).to_have_text(said.format(k))
        assert torch.equal(inputs[-1][:110], inputs[0][:110])
    kept = torch.stack(inputs)[:, 110:]
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    assert abs(kept.mean() - 0.5) < 0.03
    assert (kept[1:] != kept[:-1]).float().mean() > 0.45
    each = torch.stack(rows).std(0).norm(dim=1)  # how much five images of one digit differ
    assert each.min() > 1


@pytest.mark.parametrize("paper", DEMOS)
def test_nothing_is_loaded_before_the_reader_asks_and_no_more_than_is_said(page, demo_on, built, generators, paper):
    asked = set()
    page.on("request", lambda request: asked.add(request.url.partition("/assets/")[2]))
    demo = demo_on(paper)
    page.wait_for_load_state("networkidle")
    model = generators[paper][1] or built / "assets" / "models" / f"{paper}.onnx"
    assert model.stat().st_size < 6_000_000
    size = model.stat().st_size + sum((built / "assets" / name).stat().st_size for name in RUNTIME)
    expect(demo.locator("button")).to_have_text(f"Start (loads up to {size / 1e6:.1f} MB)")
    wanted = {f"models/{paper}.onnx", *RUNTIME}
    assert "walk.js" in asked
    assert not asked & wanted
    start(demo)
    assert wanted <= asked


@pytest.mark.parametrize("paper", DEMOS)
def test_the_keyboard_is_enough(page, demo_on, generators, paper):
    module = generators[paper][0]
    demo = demo_on(paper)
    demo.locator("button").focus()
    page.keyboard.press("Enter")
    expect(demo.locator(".walk-large")).to_be_visible(timeout=SLOW)
    first = agrees(demo, module)[:100]
    page.keyboard.press("End")  # the slider has the focus that the start button had
    last = agrees(demo, module)[:100]
    assert demo.get_by_role("slider").get_attribute("aria-valuetext") == "100 % of the way"
    page.keyboard.press("ArrowLeft")
    assert torch.allclose(agrees(demo, module)[:100], torch.lerp(first, last, 89 / 90), atol=1e-6)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # other noise
    given = agrees(demo, module)
    assert (given[:100] - last).abs().max() > 0.5
    if paper == "cgan":
        page.keyboard.press("Tab")
        page.keyboard.press("Space")  # other dropout
        other = agrees(demo, module)
        assert torch.equal(other[:110], given[:110])
        assert not torch.equal(other[110:], given[110:])
    for k in range(3):
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        given = agrees(demo, module)
        assert pressed(demo) == k
        assert paper == "gan" or given[100:110].argmax() == k


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("paper", DEMOS)
def test_a_telephone_needs_no_sideways_scroll(page, demo_on, paper, language):
    page.set_viewport_size({"width": 360, "height": 740})
    demo = demo_on(paper, language)
    start(demo)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert demo.locator(".walk-row button").first.bounding_box()["width"] >= 44  # a finger's


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, demo_on, scheme):
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    for paper in DEMOS:
        start(demo_on(paper, on=page))
        page.add_script_tag(path=AXE)
        tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa"]}}
        found = page.evaluate("(tags) => axe.run('.demo', tags)", tags)
        assert len(found["passes"]) > 3
        assert [(fault["id"], fault["nodes"][0]["target"]) for fault in found["violations"]] == []
    context.close()


def test_without_webassembly_one_sentence_says_so(page, demo_on):
    page.add_init_script("delete window.WebAssembly")
    demo = demo_on("gan")
    demo.locator("button").click()
    expect(demo.get_by_role("status")).to_have_text("This demo needs WebAssembly, which this browser does not offer.")


def test_a_slow_load_says_so_and_one_that_fails_may_be_tried_again(page, context, demo_on, generators, built):
    demo = demo_on("gan")
    model = generators["gan"][1] or built / "assets" / "models" / "gan.onnx"
    held, status, button = [], demo.get_by_role("status"), demo.locator("button")
    page.route("**/models/gan.onnx", lambda route: held.append(route))

    def load():
        """The request for the model, left without an answer."""
        button.click()
        while not held:
            page.wait_for_timeout(100)
        expect(status).to_have_text("Loading ONNX Runtime and the generator …")
        expect(button).to_be_disabled()
        return held.pop()

    for fail in (
        lambda route: route.abort(),
        lambda route: route.fulfill(status=404),
        lambda route: route.fulfill(body="none"),
    ):
        fail(load())
        expect(status).to_contain_text("The demo does not work here: ", timeout=SLOW)
        expect(button).to_be_enabled()
    assert len(context.watch.faults) == 3  # a 404, and what the browser itself says of it and of the first
    assert all("404" in fault or "ERR_FAILED" in fault for fault in context.watch.faults)
    context.watch.faults.clear()
    load().fulfill(path=model)
    expect(demo.locator(".walk-large")).to_be_visible(timeout=SLOW)
