"""The Atom feed of the built site: feed readers find it on every page, and its links lead somewhere."""

import html
import re
from urllib.parse import urldefrag, urljoin

import feedparser
import pytest

LINK = re.compile(r'<link rel="alternate" type="application/atom\+xml" [^>]*href="([^"]*)"')


@pytest.mark.parametrize(("lang", "file"), [("", "feed.xml"), ("zh/", "feed-zh.xml")])
def test_every_page_names_the_feed_of_its_language_whose_links_lead_somewhere(built, lang, file):
    chinese = bool(lang)
    pages = [path for path in built.rglob("index.html") if ("zh" in path.relative_to(built).parts) is chinese]
    assert len(pages) > 50
    for path in pages:
        page = path.relative_to(built).as_posix().removesuffix("index.html")
        assert [urljoin(f"/{page}", to) for to in LINK.findall(path.read_text(encoding="utf-8"))] == [f"/{file}"], page
    told = {"content-type": "application/atom+xml", "content-location": f"http://here/{file}"}
    read = feedparser.parse((built / file).read_bytes(), response_headers=told)
    assert not read.bozo
    assert len(read.entries) > 40
    for entry in read.entries:
        page, anchor = urldefrag(entry.link.removeprefix("http://here/"))
        assert page.startswith(f"{lang}papers/")
        text = html.unescape((built / page / "index.html").read_text(encoding="utf-8"))
        assert not anchor or f'id="{anchor}"' in text, entry.link


@pytest.mark.parametrize("where", ["", "zh/papers/lenet/", "literature/"])
def test_in_the_browser_too_a_page_names_its_feed_and_asks_for_no_sitemap(page, context, site, where):
    page.goto(f"{site}/{where}")
    page.wait_for_load_state("networkidle")
    found = page.locator("link[rel~=alternate][type='application/atom+xml']")
    assert found.count() == 1
    assert page.request.get(found.evaluate("link => link.href")).ok
    assert not [url for url in context.watch.requests if "sitemap" in url]
