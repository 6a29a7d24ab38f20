"""The Atom feed: what RFC 4287 asks of one, dates from the repository, links that lead somewhere."""

import html
import re
import subprocess
from datetime import datetime
from urllib.parse import urldefrag
from xml.etree import ElementTree

import feedparser
import pytest

from conftest import CHECKOUT, forget
from literatim.pages import feed as feeds
from literatim.pages.edition import Edition, Entry
from literatim.pages.feed import FEEDS, added, feed
from literatim.pages.runs import runs
from literatim.registry import card, heads
from literatim.registry.ledger import records

ATOM = "{http://www.w3.org/2005/Atom}"


def edition(papers):
    return Edition({paper: Entry(card(paper), (), tuple(records(paper)), None, False) for paper in papers})


@pytest.fixture
def dated(monkeypatch):
    """Every card came on the first of a month, every run on the second."""
    papers = CHECKOUT / "papers"
    dates = {f"{paper}/card.yaml": "2015-01-01T00:00:00Z" for paper in heads()}
    dates |= {path.relative_to(papers).as_posix(): "2015-01-02T00:00:00Z" for path in papers.rglob("record.json")}
    monkeypatch.setattr(feeds, "added", lambda: dates)
    return dates


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_feed_is_what_the_standard_asks_and_leads_to_papers_and_runs(dated, lang):
    found = edition(heads())
    root = ElementTree.fromstring(feed(found, lang))
    assert root.tag == f"{ATOM}feed"
    assert root.find(f"{ATOM}author/{ATOM}name").text == "literatim"
    assert [link.get("href") for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"] == [FEEDS[lang]]
    entries = root.findall(f"{ATOM}entry")
    for element in (root, *entries):
        for name in ("title", "id", "updated"):
            assert [child.text for child in element.findall(f"{ATOM}{name}") if child.text] != [], name
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert datetime.fromisoformat(element.find(f"{ATOM}updated").text).tzinfo
    assert all(entry.find(f"{ATOM}summary").text for entry in entries)
    ids = [element.find(f"{ATOM}id").text for element in (root, *entries)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", name) for name in ids)
    dates = [entry.find(f"{ATOM}updated").text for entry in entries]
    assert dates == sorted(dates, reverse=True)
    assert root.find(f"{ATOM}updated").text == dates[0]
    links = [entry.find(f"{ATOM}link").get("href").removeprefix("zh/" if lang == "zh" else "") for entry in entries]
    assert {f"papers/{paper}/" for paper in heads()} == {link for link in links if "#" not in link}
    recorded = {(entry.id, of) for entry in found.entries.values() for of in entry.runs()}
    assert len(links) == len(set(links)) == len(heads()) + len(recorded)
    shown = {entry.id: html.unescape(runs(entry, lang)) for entry in found.entries.values()}
    for link in links:
        page, anchor = urldefrag(link)
        assert not anchor or f'id="{anchor}"' in shown[page.split("/")[1]], link


@pytest.mark.parametrize(
    ("served", "root"), [("", "http://here/"), ("https://example.org/literatim/", "https://example.org/literatim/")]
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_feed_reader_finds_the_same_wherever_the_site_is_served(dated, lang, served, root):
    written = feed(edition(["lenet"]), lang, served)
    told = {"content-type": "application/atom+xml", "content-location": f"http://here/{FEEDS[lang]}"}
    read = feedparser.parse(written, response_headers=told)
    assert not read.bozo, read.get("bozo_exception")
    assert read.version == "atom10"
    assert read.feed.language == lang
    home = root + ("zh/" if lang == "zh" else "")
    assert {link.rel: link.href for link in read.feed.links} == {"self": root + FEEDS[lang], "alternate": home}
    assert read.entries[-1].link == home + "papers/lenet/"
    assert read.entries[-1].updated_parsed[:3] == (2015, 1, 1)
    assert read.entries[0].link.startswith(home + "papers/lenet/#run-")
    assert served in written.decode()


def test_a_name_cannot_break_the_feed(dated, papers):
    path = papers / "lenet/card.yaml"
    text = re.sub(r"(?m)^name: .*$", 'name: "</title><script>&amp; ]]>"', path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    forget()
    root = ElementTree.fromstring(feed(edition(["lenet"]), "en"))
    titles = [title.text for title in root.iter(f"{ATOM}title")]
    assert "</title><script>&amp; ]]> (1998)" in titles
    assert len(titles) == len(root.findall(f"{ATOM}entry")) + 1


def test_a_date_is_that_on_which_the_repository_got_the_file(papers, monkeypatch):
    assert added() == {}
    assert feed(edition(["lenet"]), "en") is None

    def git(*words, at="2015-03-04T23:30:00-02:00"):
        env = {"GIT_COMMITTER_DATE": at, "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z", "PATH": "/usr/bin:/bin"}
        named = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", papers, *named, *words], check=True, env=env, capture_output=True)

    git("init")
    git("add", "lenet/card.yaml")
    git("commit", "-m", "a card")
    card_file = papers / "lenet/card.yaml"
    card_file.write_text(card_file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    git("commit", "-am", "an edit", at="2016-01-01T00:00:00Z")
    assert added() == {"lenet/card.yaml": "2015-03-05T01:30:00Z"}
    root = ElementTree.fromstring(feed(edition(["lenet"]), "en"))
    assert [when.text for when in root.iter(f"{ATOM}updated")] == ["2015-03-05T01:30:00Z"] * 2


def test_the_feeds_are_generated_and_not_kept():
    ignored = (CHECKOUT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {f"/docs/{name}" for name in FEEDS.values()} <= set(ignored)
