"""Every page in both languages, on a wide screen and a narrow one, light and dark."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Request

from literatim.registry.reading import claims

CHECKOUT = Path(__file__).parents[2]
AXE = CHECKOUT / "node_modules" / "axe-core" / "axe.min.js"
PAGES = sorted(
    path.parent.relative_to(CHECKOUT / "site").as_posix() for path in (CHECKOUT / "site").rglob("index.html")
)
# One page of each kind, whose look and weight are like those of the others.
KINDS = (
    "", "demos", "papers", "papers/lenet", "papers/lenet/model", "lineage", "literature", "citation-errors", "method",
    "tutorials/gradients", "tutorials/sgd", "tutorials/paper", "playground", "guides/quickstart",
)  # fmt: skip
WITH_DEMOS = ("papers/lenet", "playground")


def settled(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_and_asks_nobody_else(page: Page, site: str, name: str):
    settled(page, f"{site}/{name}/".replace("/./", "/"))
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == ("zh" if name.split("/")[0] == "zh" else "en")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, "it scrolls sideways on a phone"
    # Formulas are set, none is left as its source.
    assert (
        page.locator(".arithmatex").count()
        == page.locator(".arithmatex > .katex, .arithmatex > .katex-display").count()
    )
    assert page.locator(".katex-error").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*KINDS, "zh/papers/lenet", "zh/tutorials/sgd"])
def test_axe_finds_nothing_serious(browser, site: str, name: str, scheme: str):
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    settled(page, f"{site}/{name}/".replace("//", "/").replace(":/", "://"))
    assert page.locator("body").get_attribute("data-md-color-scheme") == {"light": "default", "dark": "slate"}[scheme]
    page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    page.add_script_tag(path=AXE)
    options = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa"]}}
    found = page.evaluate("(options) => axe.run(document, options)", options)["violations"]
    serious = [
        f"{fault['id']}: {node['target']} {node.get('failureSummary', '')[:300]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"][:4]
    ]
    context.close()
    assert serious == []


@pytest.mark.parametrize("name", [kind for kind in KINDS if kind not in WITH_DEMOS])
def test_a_first_visit_is_light(page: Page, site: str, name: str):
    """Bytes on the wire, text compressed, under 700 KB."""
    requests: list[Request] = []
    page.on("requestfinished", lambda request: requests.append(request))
    settled(page, f"{site}/{name}/")
    weights = {request.url: request.sizes()["responseBodySize"] for request in requests}
    heaviest = sorted(weights.items(), key=lambda item: -item[1])[:4]
    assert 50_000 < sum(weights.values()) < 700_000, heaviest


def test_a_demo_loads_its_runtime_only_when_asked(page: Page, context: BrowserContext, site: str):
    settled(page, f"{site}/papers/lenet/")
    assert not [url for url in context.watch.requests if "onnxruntime" in url or url.endswith(".onnx")]  # type: ignore[attr-defined]


def test_the_csp_forbids_third_parties(browser, site: str):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site}/")
    refused = "fetch('http://127.0.0.2:9/').then(() => 'sent', () => 'refused')"
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    assert page.evaluate(refused) == "refused"
    assert any("Content Security Policy" in text for text in said)
    context.close()


# --- Links -----------------------------------------------------------------------------------------------


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.to: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.to += [given[name] or "" for name in ("href", "src") if name in given]
        self.ids += [given["id"] or ""] if "id" in given else []


def test_all_internal_links_and_anchors_are_whole(built: Path):
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in built.rglob("*.html")}
    faults = []
    for path, found in pages.items():
        doubled = {name for name in found.ids if found.ids.count(name) > 1}
        faults += [f"{path.relative_to(built)}: the id {name} twice" for name in sorted(doubled)]
        here = "/" + path.relative_to(built).as_posix().removesuffix("index.html")
        for to in found.to:
            address = urlsplit(urljoin(f"http://site{here}", to))
            if address.netloc != "site" or address.scheme not in ("http", "https"):
                continue
            target = built / unquote(address.path).lstrip("/")
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                faults.append(f"{path.relative_to(built)}: {to} leads nowhere")
            elif address.fragment and target.suffix == ".html" and unquote(address.fragment) not in pages[target].ids:
                faults.append(f"{path.relative_to(built)}: {to}: there is no such anchor")
    assert len(pages) > 20
    assert faults == []


def test_both_languages_have_the_same_anchors(built: Path):
    """So that the switch of languages and links from elsewhere lead to the same place."""
    for path in (built / "zh").rglob("index.html"):
        english = built / path.relative_to(built / "zh")
        ids = [set(Links(p.read_text(encoding="utf-8")).ids) for p in (english, path)]
        own = [{i for i in found if not i.startswith(("__", "fn", "toc"))} for found in ids]
        assert own[0] == own[1], (path.relative_to(built), own[0] ^ own[1])


def test_the_vendored_files_bring_their_licences(built: Path):
    for folder in (built / "assets" / "vendor").iterdir():
        found = [*folder.glob("LICENSE"), *folder.glob("*.mjs")]
        words = " ".join(path.read_text(encoding="utf-8")[:400] for path in found)
        assert re.search(r"MIT|Open Font License|SIL", words), folder


# --- Three clicks ------------------------------------------------------------------------------------------


def test_a_newcomer_finds_the_errata_in_three_clicks(page: Page, site: str):
    page.goto(f"{site}/")
    page.get_by_role("link", name="LeNet-5", exact=True).first.click()
    page.locator(".errata").get_by_text("erratum").first.wait_for()
    page.get_by_role("link", name="Errata and open questions").first.click()
    page.wait_for_url("**/papers/lenet/#errata")
    page.locator("#erratum-weighted-sums-correlated > summary").click()
    page.locator("#erratum-initialisation").get_by_text("weighted sums of all units").first.wait_for()


def test_a_newcomer_finds_the_command_and_its_number_in_three_clicks(page: Page, site: str):
    page.goto(f"{site}/")
    page.locator("a[href$='papers/lenet/#recipes']", has_text="reproduce it").first.click()
    page.wait_for_url("**/papers/lenet/#recipes")
    page.locator("#recipe-quick").get_by_text("literatim reproduce lenet --recipe quick").wait_for()
    said = page.locator(".expected").first.inner_text()
    assert re.search(r"test_error at most 4.*recorded runs gave test_error [\d.]+ – [\d.]+", said), said


def test_a_newcomer_finds_the_saddle_point_in_three_clicks(page: Page, site: str):
    page.goto(f"{site}/")
    page.get_by_role("link", name="the saddle point, drawn").click()
    page.wait_for_url("**/tutorials/sgd/#saddle")
    figures = page.locator("#saddle ~ figure.chart svg")
    assert re.search("saddle", figures.first.get_attribute("aria-label") or "", re.IGNORECASE)


# --- What one does with the pages ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "words", "wanted"),
    [
        ("", "sub-sampling coefficient", "papers/lenet/"),
        ("", "saddle", "tutorials/sgd/"),
        ("zh/", "鞍点", "zh/tutorials/sgd/"),
        ("zh/", "径向基", "zh/papers/lenet/"),  # a word of no other paper: errata are now on many pages
        ("zh/", "反向传播", "zh/tutorials/gradients/"),
    ],
)
def test_search_finds_pages_in_its_language(page: Page, site: str, start: str, words: str, wanted: str):
    page.goto(f"{site}/{start}")
    page.locator(".md-search__input").click()
    page.keyboard.type(words, delay=10)
    hit = page.locator(f".md-search-result__link[href*='{wanted}']").first
    hit.wait_for(timeout=15_000)
    links = page.locator(".md-search-result__link").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert all(("/zh/" in urljoin(f"{site}/{start}", to)) == bool(start) for to in links), links


def test_every_section_in_the_search_belongs_to_a_page(page: Page, site: str):
    for name in ("search_index.json", "search_index.zh.json"):
        found = {doc["location"] for doc in page.request.get(f"{site}/search/{name}").json()["docs"]}
        assert {location.partition("#")[0] for location in found} <= found, name


def test_the_bibtex_is_copied(page: Page, site: str):
    page.goto(f"{site}/papers/lenet/")
    page.locator("details.bibtex summary").click()
    page.locator("details.bibtex pre").hover()
    page.locator("details.bibtex .md-clipboard, details.bibtex [data-md-type=copy]").first.click()
    page.wait_for_timeout(200)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("@article{lecun1998gradient,")
    assert "Yann LeCun and Léon Bottou" in copied


def test_the_index_sorts_and_filters(page: Page, site: str):
    page.goto(f"{site}/papers/")
    rows = page.locator(".scroll.papers tbody tr")
    everything = rows.count()
    years = page.get_by_role("button", name="Year")
    for order in ("ascending", "descending"):
        years.click()
        assert page.locator("th", has=years).get_attribute("aria-sort") == order
        shown = [int(row.get_attribute("data-year") or 0) for row in rows.all()]
        assert shown == sorted(shown, reverse=order == "descending")
    page.get_by_label("Words in title or author").fill("lecun gradient")
    assert [row.get_attribute("data-paper") for row in rows.all() if row.is_visible()] == ["lenet-5"]
    page.get_by_label("From year").fill("2999")
    assert not any(row.is_visible() for row in rows.all())
    assert page.locator(".filter-papers output").inner_text() == f"0 of {everything} papers"


def test_claims_filter_by_verdict_and_a_link_still_finds_its_row(page: Page, site: str):
    page.goto(f"{site}/papers/lenet/#claims")
    rows = page.locator(".scroll.claims tbody tr")
    page.get_by_role("button", name=re.compile("^erratum")).click()
    err = {f"claim-{claim.id.replace('.', '-')}" for claim in claims("lenet") if claim.erratum}
    assert {row.get_attribute("id") for row in rows.all() if row.is_visible()} == err
    assert "claim-initialisation" in err
    page.evaluate("location.hash = '#claim-parameters-c3'")
    page.locator("#claim-parameters-c3").wait_for(state="visible")


def test_a_number_leads_to_the_line_that_shows_it(page: Page, site: str):
    page.goto(f"{site}/papers/lenet/#claim-mu")
    page.locator("#claim-mu").get_by_role("link", name="0.02").click()
    page.wait_for_url(re.compile(r"/papers/lenet/checks/#L\d+$"))
    line = page.locator(":target")
    assert line.inner_text().strip().startswith("def mu(")
    assert line.bounding_box()["y"] < 900


def test_language_and_scheme_switch(page: Page, site: str):
    page.goto(f"{site}/tutorials/sgd/")
    page.locator(".md-header .md-select").hover()
    page.get_by_role("link", name="中文").click()
    page.wait_for_url(f"{site}/zh/tutorials/sgd/**")
    assert page.locator("html").get_attribute("lang") == "zh"
    body = page.locator("body")
    before = body.get_attribute("data-md-color-scheme")
    page.locator("label.md-header__button[for^=__palette]:visible").first.click()
    assert body.get_attribute("data-md-color-scheme") != before
    page.reload()
    assert body.get_attribute("data-md-color-scheme") != before, "the choice is kept"


def test_the_keyboard_reaches_everything_on_a_page(page: Page, site: str):
    page.goto(f"{site}/papers/")
    reached = []
    for _ in range(150):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(document.activeElement.name || document.activeElement.textContent || '').trim()")
        )
    for wanted in ("text", "topic", "verdict", "Year", "LeNet-5"):
        assert wanted in reached, (wanted, reached)


@pytest.mark.parametrize("name", ["gradients", "time", "sgd", "paper"])
def test_a_tutorial_can_be_downloaded_as_a_notebook(page: Page, site: str, name: str):
    page.goto(f"{site}/tutorials/{name}/")
    with page.expect_download() as download:
        page.locator("a.notebook").click()
    cells = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))["cells"]
    assert any(cell["cell_type"] == "code" for cell in cells)
