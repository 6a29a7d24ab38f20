"""What Zotero and Google Scholar read in the built page of every paper, against its card as YAML has it."""

import json
from html.parser import HTMLParser

import pytest
import yaml

from conftest import CHECKOUT

CARDS = {path.parent.name: path for path in sorted((CHECKOUT / "papers").glob("*/card.yaml"))}
WITHIN = {"article": "citation_journal_title", "inproceedings": "citation_conference_title"}
PARTS = (("volume", "volume"), ("issue", "number"))
IDENTIFIERS = (("doi", "doi"), ("arxiv_id", "arxiv"))
ADDRESSES = (("https://doi.org/", "doi"), ("https://arxiv.org/abs/", "arxiv"))


class Head(HTMLParser):
    """The citation tags of a page in their order, and its linked data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, str]] = []
        self.linked: list[str] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "meta" and (found.get("name") or "").startswith("citation_"):
            self.tags.append((found["name"], found["content"]))
        self.inside = tag == "script" and found.get("type") == "application/ld+json"

    def handle_data(self, data):
        if self.inside:
            self.linked.append(data)


@pytest.mark.parametrize("lang", ["", "zh/"])
@pytest.mark.parametrize("paper", CARDS)
def test_a_papers_page_carries_its_reference(built, paper, lang):
    card = yaml.safe_load(CARDS[paper].read_text(encoding="utf-8"))
    head = Head((built / lang / "papers" / paper / "index.html").read_text(encoding="utf-8"))
    venue, (first, _, last) = card["venue"], str(card["venue"].get("pages", "")).partition("–")
    expected = [("citation_title", card["title"]), *(("citation_author", name) for name in card["authors"])]
    expected += [
        ("citation_publication_date", str(card["year"])),
        (WITHIN.get(venue["type"], "citation_publisher"), venue["name"]),
        *((f"citation_{name}", venue[field]) for name, field in PARTS if field in venue),
        *(pair for pair in (("citation_firstpage", first), ("citation_lastpage", last)) if pair[1]),
        *((f"citation_{name}", card[field]) for name, field in IDENTIFIERS if field in card),
    ]
    assert head.tags == expected
    [linked] = filter(str.strip, head.linked)
    data = json.loads(linked)
    assert (data["@context"], data["@type"]) == ("https://schema.org", "ScholarlyArticle")
    assert (data["name"], data["datePublished"]) == (card["title"], str(card["year"]))
    assert [person["name"] for person in data["author"]] == card["authors"]
    assert data.get("sameAs", []) == [at + card[field] for at, field in ADDRESSES if field in card]


def test_no_other_page_passes_for_a_paper(built):
    papers = {built / lang / "papers" / paper / "index.html" for lang in ("", "zh") for paper in CARDS}
    others = set(built.rglob("index.html")) - papers
    assert len(others) > len(papers)
    assert not [path for path in others if "citation_title" in path.read_text(encoding="utf-8")]
