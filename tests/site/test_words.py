"""Neighbours and analogies on word2vec's page: what the browser works out is what the package works out."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from literatim.errors import LiteratimError
from literatim.papers.word2vec import formats
from literatim.papers.word2vec_phrases.demo import read
from literatim.registry.reading import card, weights_path

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PAGES = {"en": "/papers/word2vec-phrases/", "zh": "/zh/papers/word2vec-phrases/"}
FILE = weights_path("word2vec-phrases", card("word2vec-phrases").demo.weights)
QUESTIONS = [
    ("france", "french", "germany"), ("man", "woman", "boy"), ("man", "king", "woman"), ("good", "better", "bad"),
    ("river", "river", "lake"), ("Japan", "JAPANESE", "russia"),
]  # fmt: skip
MISSPELT = ["rivver", "phisician", "germanny", "zz", "qqqqqqqq", "wordd", "beautifull", "colour-blind", "é"]
ASKS = {"en": "Did you mean:", "zh": "是否想输入："}


@pytest.fixture(scope="module")
def vectors():
    return read(FILE)[0]


def demo_on(page, address):
    page.goto(address)
    return page.locator(".demo[data-demo=words]")


def start(page, address):
    demo = demo_on(page, address)
    demo.locator(".words-start").click()
    expect(demo.locator(".words-neighbours input")).to_be_focused(timeout=60_000)
    return demo


def answers(panel):
    """What a panel shows, as (word, cosine)."""
    rows = panel.locator("tbody tr").evaluate_all("rows => rows.map(row => row.innerText.split(/\\s+/))")
    return [(word, float(cosine.replace("−", "-"))) for word, cosine in rows]


def ask(panel, *words):
    for field, word in zip(panel.locator("input").all(), words, strict=True):
        field.fill(word)
    panel.locator("input").last.press("Enter")
    return answers(panel)


def same(found, expected):
    assert [word for word, _ in found] == [word for word, _ in expected]
    assert [cosine for _, cosine in found] == pytest.approx([cosine for _, cosine in expected], abs=1e-3)


@pytest.mark.parametrize("language", PAGES)
def test_the_answers_are_those_of_the_package(page, site, vectors, language):
    demo = start(page, site + PAGES[language])
    neighbours, analogies = demo.locator(".words-neighbours"), demo.locator(".words-analogies")
    for word in [*vectors.words[::211], " King "]:
        same(ask(neighbours, word), vectors.neighbours(word.strip(), 10))
        expect(neighbours.get_by_role("status")).to_contain_text(f"“{word.strip().lower()}”")
    for question in QUESTIONS:
        same(ask(analogies, *question), vectors.analogy(*question, 5))
    for choice in [*neighbours.locator(".words-buttons button").all()]:
        choice.click()
        same(answers(neighbours), vectors.neighbours(choice.inner_text(), 10))
    for choice in [*analogies.locator(".words-buttons button").all()]:
        choice.click()
        same(answers(analogies), vectors.analogy(*re.split(" [:=] ", choice.inner_text()), 5))


def test_the_answers_are_those_of_predict(page, site, vectors, tmp_path):
    path = tmp_path / "shipped.txt"
    formats.write(formats.WordVectors(vectors.words, vectors.table.numpy()), path)

    def predicted(*words):
        command = [sys.executable, "-m", "literatim", "predict", "word2vec-phrases", "--vectors", str(path), *words]
        done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
        return [[(near["word"], near["cosine"]) for near in asked["answers"]] for asked in json.loads(done.stdout)]

    demo = start(page, site + PAGES["en"])
    asked = ["king", "river", "quickly"]
    for word, expected in zip(asked, predicted("--words", *asked, "--number", "10"), strict=True):
        same(ask(demo.locator(".words-neighbours"), word), expected)
    for question in QUESTIONS[:3]:
        [expected] = predicted("--analogy", *question, "--number", "5")
        same(ask(demo.locator(".words-analogies"), *question), expected)


@pytest.mark.parametrize("language", PAGES)
def test_a_misspelt_word_gets_the_spellings_that_the_command_names(page, site, vectors, language):
    demo = start(page, site + PAGES[language])
    neighbours, analogies = demo.locator(".words-neighbours"), demo.locator(".words-analogies")
    for word in MISSPELT:
        with pytest.raises(LiteratimError) as refused:
            vectors.id(word)
        assert ask(neighbours, word) == []
        expect(neighbours.get_by_role("status")).to_contain_text(f"“{word}”")
        named = re.findall('"([^"]*)"', str(refused.value))[1:]
        offered = neighbours.locator("div > .words-buttons")
        assert offered.locator("button").all_inner_texts() == named
        assert (ASKS[language] in neighbours.inner_text()) == bool(named)
        if named:
            offered.locator("button").first.click()
            same(answers(neighbours), vectors.neighbours(named[0], 10))
            expect(neighbours.locator("input")).to_have_value(named[0])
    assert ask(analogies, "king", "quene", "man") == []
    assert analogies.locator("input[aria-invalid=true]").input_value() == "quene"
    analogies.locator("div > .words-buttons button", has_text="queen").click()
    same(answers(analogies), vectors.analogy("king", "queen", "man", 5))
    assert ask(neighbours, " ") == []
    expect(neighbours.get_by_role("status")).to_have_text({"en": "A word is missing.", "zh": "还缺一个词。"}[language])


def test_nothing_is_loaded_before_the_reader_asks(page, site, context):
    demo = demo_on(page, site + PAGES["en"])
    page.wait_for_load_state("networkidle")
    asked = [url for url in context.watch.requests if url.endswith(".safetensors")]
    assert asked == []
    expect(demo.locator(".words-start")).to_have_text(f"Start (loads {FILE.stat().st_size / 1e6:.1f} MB)")
    demo.locator(".words-start").click()
    expect(demo.locator(".words-neighbours input")).to_be_focused()
    assert [url.rpartition("/")[2] for url in context.watch.requests if "models/" in url] == [FILE.name]
    assert not [url for url in context.watch.requests if "onnxruntime" in url]


def test_the_keyboard_is_enough(page, site, vectors):
    demo = demo_on(page, site + PAGES["en"])
    demo.locator(".words-start").focus()
    page.keyboard.press("Enter")
    neighbours = demo.locator(".words-neighbours")
    expect(neighbours.locator("input")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("mother")
    page.keyboard.press("Enter")
    expected = vectors.neighbours("mother", 10)
    same(answers(neighbours), expected)
    for _ in range(2 + len(neighbours.locator(".words-buttons button").all())):  # past the examples, to the answers
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(neighbours.locator("input")).to_have_value(expected[0][0])
    expect(neighbours.locator("input")).to_be_focused()
    same(answers(neighbours), vectors.neighbours(expected[0][0], 10))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", PAGES)
def test_axe_finds_nothing_serious_and_a_telephone_no_sideways_scroll(browser, site, language, scheme):
    context = browser.new_context(color_scheme=scheme, bypass_csp=True, viewport={"width": 360, "height": 740})
    page = context.new_page()
    demo = start(page, site + PAGES[language])
    ask(demo.locator(".words-analogies"), "king", "quene", "man")
    demo.locator("summary").click()
    page.add_script_tag(path=AXE)
    options = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa"]}}
    for part in (".demo", "figure.picture"):
        found = page.evaluate("([part, options]) => axe.run(part, options)", [part, options])["violations"]
        assert [(fault["id"], node["target"]) for fault in found for node in fault["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


@pytest.mark.parametrize("language", PAGES)
def test_the_map_is_drawn_and_said(page, site, vectors, language):
    page.goto(site + PAGES[language])
    seen = page.locator("figure.picture svg[role=img]")
    said = {"en": "A map of these words", "zh": "这些词的地图"}[language]
    assert said in (seen.get_attribute("aria-label") or "")
    words = seen.locator("text").all_text_contents()
    assert len(words) > 100
    assert set(words) <= set(vectors.words[100:700])
    page.set_viewport_size({"width": 360, "height": 740})
    assert seen.bounding_box()["width"] > 680  # it scrolls in its box, and its words stay readable
    assert page.locator("figure.picture .scroll").bounding_box()["width"] <= 360


def test_the_origin_and_the_notice_are_told(page, site):
    demo = start(page, site + PAGES["en"])
    demo.locator("summary").click()
    expect(demo.locator("details p")).to_contain_text("word2vec-phrases neg-5")
    expect(demo.locator("pre")).to_contain_text("WordNet 3.0 Copyright 2006 by Princeton University.")


def test_what_cannot_be_loaded_is_named_and_may_be_tried_again(page, site):
    page.route("**/*.safetensors", lambda route: route.fulfill(status=200, body="none"))
    demo = demo_on(page, site + PAGES["en"])
    demo.locator(".words-start").click()
    expect(demo.get_by_role("status")).to_contain_text("The demo does not work here: ")
    page.unroute("**/*.safetensors")
    demo.locator(".words-start").click()
    expect(demo.locator(".words-neighbours input")).to_be_focused()


def test_the_first_paper_leads_here(page, site):
    for language, address in (("en", "/papers/word2vec/"), ("zh", "/zh/papers/word2vec/")):
        page.goto(site + address)
        page.locator("a[href$='word2vec-phrases/#try']").click()
        page.wait_for_url(f"**{PAGES[language]}#try")
