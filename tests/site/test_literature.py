"""The page of the literature index: search and filters, links to entries, the timeline, the graph, and its speed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, Route

CHECKOUT = Path(__file__).parents[2]
PAPERS = {p["id"]: p for p in yaml.safe_load((CHECKOUT / "papers/index.yaml").read_text(encoding="utf-8"))["papers"]}
# The time from a keystroke until what it leaves is laid out, in milliseconds.
KEYSTROKE = """(text) => {
  const field = document.querySelector(".filter-literature input[name=text]");
  const began = performance.now();
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  document.body.getBoundingClientRect();
  return performance.now() - began;
}"""


def shown(page: Page) -> list[str]:
    return page.locator(".entries > article:not([hidden])").evaluate_all("(all) => all.map((one) => one.id)")


@pytest.mark.parametrize("lang", ["", "zh/"])
def test_the_index_is_searched_and_filtered_as_one_types(page: Page, site: str, lang: str):
    page.goto(f"{site}/{lang}literature/")
    assert sorted(shown(page)) == sorted(PAPERS)
    text = page.locator(".filter-literature input[name=text]")
    for words, found in (
        ("velickovic", ["gat"]),
        ("attention is all", ["transformer"]),
        ("1706.03762", ["transformer"]),
        ("残差 152", ["resnet"]),
        ("lukasz vaswani", ["transformer"]),
        ("xyzzy", []),
    ):
        text.fill(words)
        assert set(found) <= set(shown(page)), words
        assert len(shown(page)) < 12, words
    text.fill("")
    page.locator("select[name=topic]").select_option("graphs")
    assert set(shown(page)) == {paper for paper, entry in PAPERS.items() if "graphs" in entry["topics"]}
    page.locator("select[name=topic]").select_option("")
    page.locator("input[name=from]").fill("1990")
    page.locator("input[name=to]").fill("1999")
    assert set(shown(page)) == {paper for paper, entry in PAPERS.items() if 1990 <= entry["year"] <= 1999}
    page.locator("select[name=code]").select_option("with")
    assert {"lenet", "elman", "lstm"} <= set(shown(page))
    assert page.locator("article.entry:not(.ours):visible").count() == 0
    assert str(len(shown(page))) in page.locator(".filter-literature output").inner_text()


def test_a_bar_of_the_timeline_shows_its_year_and_once_more_all(page: Page, site: str):
    page.goto(f"{site}/literature/")
    bar = page.locator(".years button[data-year='2014']")
    bar.click()
    assert {PAPERS[paper]["year"] for paper in shown(page)} == {2014}
    bar.click()
    assert len(shown(page)) == len(PAPERS)


def test_an_entry_can_be_linked_to_whatever_is_filtered_out(page: Page, site: str):
    page.goto(f"{site}/literature/#transformer")
    assert page.evaluate("Math.abs(document.querySelector('#transformer').getBoundingClientRect().top) < 400")
    page.locator(".filter-literature input[name=text]").fill("xyzzy")
    assert shown(page) == []
    page.evaluate("location.hash = '#resnet'")
    page.wait_for_function("document.querySelectorAll('.entries > article:not([hidden])').length > 100")
    page.goto(f"{site}/papers/resnet/")
    page.locator(".byline a[href*='literature/#resnet']").click()
    assert page.url.endswith("/literature/#resnet")
    page.locator("#resnet .byline a").first.click()
    assert page.url.endswith("/papers/resnet/")


def test_the_graph_has_every_paper_and_link_and_is_zoomed(page: Page, site: str):
    page.goto(f"{site}/literature/")
    page.locator(".whole-graph summary").click()
    assert page.locator(".whole-graph g").count() == len(PAPERS)
    assert page.locator(".whole-graph path").count() == sum(len(entry["builds_on"]) for entry in PAPERS.values())
    width = "Number(document.querySelector('.whole-graph svg').getAttribute('width'))"
    before = page.evaluate(width)
    page.locator("[data-zoom='1.25']").click()
    assert page.evaluate(width) == pytest.approx(1.25 * before)
    page.locator("[data-zoom='0']").click()
    assert page.evaluate(width) < page.evaluate("document.querySelector('.whole-graph .scroll').clientWidth")
    page.mouse.move(0, 0)  # not over what scrolls below it
    page.locator(".whole-graph a[href='#transformer']").focus()
    lit = page.locator(".whole-graph path.lit")
    followers = sum("transformer" in entry["builds_on"] for entry in PAPERS.values())
    assert lit.count() == len(PAPERS["transformer"]["builds_on"]) + followers


def test_five_hundred_entries_stay_smooth(page: Page, site: str):
    """Under 100 ms a keystroke."""

    def grown(route: Route) -> None:
        answer = route.fetch()
        text = answer.text()
        articles = re.findall(r"<article id=.*?</article>", text, re.DOTALL)
        more = (articles * 3)[: 500 - len(articles)]
        more = [re.sub(r'id="([^"]+)"', rf'id="\1-{i}"', article, count=1) for i, article in enumerate(more)]
        route.fulfill(response=answer, body=text.replace(articles[-1], articles[-1] + "".join(more)))

    page.route("**/literature/", grown)
    page.goto(f"{site}/literature/")
    assert len(shown(page)) == 500
    typed = [page.evaluate(KEYSTROKE, "recurrent network"[:n]) for n in range(1, 18)]
    typed += [page.evaluate(KEYSTROKE, "recurrent network"[:n]) for n in range(16, -1, -1)]
    assert sorted(typed)[-3] < 100, typed  # two may be interrupted by what else the machine does
