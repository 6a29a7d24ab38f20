"""The page of the literature index: each entry with its anchor, links both ways, references, and nothing that acts."""

import html
import json
import re
from typing import get_args

import pytest
from jinja2 import Environment

from conftest import CHECKOUT, forget
from literatim.pages.edition import Edition, Entry
from literatim.pages.lineage import predecessor
from literatim.pages.literature import graph, indexed, literature_page
from literatim.pages.misquoted import misquoted_page
from literatim.pages.scholarly import linked_data, meta
from literatim.registry import card, heads
from literatim.registry.index_schema import Kind
from literatim.registry.schema import Predecessor, Text


@pytest.fixture(scope="module")
def edition():
    return Edition({paper: Entry(card(paper), (), (), None, False) for paper in heads()})


def articles(page):
    return dict(re.findall(r'<article id="([^"]+)"(.*?)</article>', page))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_entry_has_an_anchor_its_sentence_its_address_and_its_reference(edition, lang):
    found, page = indexed(), literature_page(edition, indexed(), lang)
    shown = articles(page)
    assert set(shown) == {paper.id for paper in found.papers}
    for paper in found.papers:
        text = html.unescape(shown[paper.id])
        assert paper.summary.zh in text
        assert (f"<p>{paper.summary.en}</p>" in text) == (lang == "en")
        assert f"@{paper.venue.type}{{" in text
        assert paper.url is None or f'href="{paper.url}"' in text
        assert paper.arxiv is None or f'href="https://arxiv.org/abs/{paper.arxiv}"' in text
        assert (f'href="../papers/{paper.id}/"' in text) == (paper.id in edition.entries) == ('"entry ours"' in text)
        for before in paper.builds_on:
            assert f'href="#{before}"' in text
            assert f'href="#{paper.id}"' in html.unescape(shown[before])


def test_the_graph_frames_the_papers_of_the_edition_alone_and_sets_no_two_in_one_place(edition):
    drawn = graph(edition, indexed(), "a graph")
    ours = set(re.findall(r'<g class="ours" data-paper="([^"]+)"', drawn))
    assert ours == set(edition.entries) & set(indexed().by_id)
    places = re.findall(r"<rect x=\"([\d.]+)\" y=\"([\d.]+)\"", drawn)
    assert len(places) == len(set(places)) == len(indexed().papers)


def test_what_is_recalled_is_shown_as_unconfirmed(edition, papers):
    path = papers / "index.yaml"
    text = path.read_text(encoding="utf-8")
    assert "Unconfirmed" not in literature_page(edition, indexed(), "en")
    entry = re.search(r"(?ms)^- id: bert\n.*?(?=^- id: )", text)[0]
    path.write_text(text.replace(entry, entry + "  recalled: [venue.pages]\n"), encoding="utf-8")
    forget()
    shown = articles(literature_page(edition, indexed(), "en"))
    assert [paper for paper, article in shown.items() if "Unconfirmed" in article] == ["bert"]
    assert "venue.pages" in html.unescape(shown["bert"])


def test_an_entry_cannot_act(edition, papers):
    path = papers / "index.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace('title: "Adam: A Method', 'title: "<script>alert(1)</script> *Adam*: A Method')
    path.write_text(text, encoding="utf-8")
    forget()
    page = literature_page(edition, indexed(), "en")
    assert "<script" not in page
    assert "<script>alert(1)</script> *Adam*" in html.unescape(articles(page)["adam"])


def test_what_a_card_builds_on_leads_to_its_entry_in_the_index(edition):
    text = Text(en="the activation")
    known = Predecessor(title="Maxout Networks", year=2013, takes=text)
    assert predecessor(known, edition, "../").startswith('<a href="../../literature/#maxout">')
    by_doi = Predecessor(title="Another title", doi="10.48550/arXiv.1302.4389", takes=text)
    assert 'literature/#maxout"' in predecessor(by_doi, edition, "../")
    outside = Predecessor(title="Perceptrons", year=1969, takes=text)
    assert predecessor(outside, edition, "../") == "Perceptrons"


def test_a_papers_page_tells_reference_managers_what_it_is(papers):
    path = papers / "lenet/card.yaml"
    hostile = 'title: "</script><script>alert(1)</script>\\" Learning"'
    path.write_text(re.sub(r"(?m)^title: .*$", hostile, path.read_text(encoding="utf-8")), encoding="utf-8")
    forget()
    template = (CHECKOUT / "docs/overrides/main.html").read_text(encoding="utf-8")
    part = re.search(r"(?s){% if page and page.meta and page.meta.citation %}.*?{% endif %}", template)[0]
    lenet = card("lenet")
    page = {"meta": {"citation": meta(lenet), "linked_data": linked_data(lenet)}}
    head = Environment().from_string(part).render(page=page)
    assert head.count("<script") == head.count("</script>") == 1
    tags = [(name, html.unescape(content)) for name, content in re.findall(r'<meta name="(\S+)" content="(.*)">', head)]
    assert [content for name, content in tags if name == "citation_author"] == list(lenet.authors)
    known = dict(tags)
    assert known["citation_title"] == lenet.title
    assert (known["citation_doi"], known["citation_publication_date"]) == ("10.1109/5.726791", "1998")
    assert (known["citation_firstpage"], known["citation_lastpage"]) == ("2278", "2324")
    data = json.loads(re.search(r">(\{.*\})</script>", head)[1])
    assert (data["@type"], data["headline"], data["sameAs"]) == (
        "ScholarlyArticle", lenet.title, ["https://doi.org/10.1109/5.726791"],
    )  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_citation_error_stands_beside_what_the_index_has_and_where_it_was_read(lang):
    found = indexed()
    page = misquoted_page(found, lang)
    rows = [html.unescape(row) for row in re.findall(r"<tr>(<td>.*?)</tr>", page)]
    assert len(rows) == len(found.misquoted) > 30
    told = [error for kind in get_args(Kind) for error in found.misquoted if error.kind == kind]
    for error, row in zip(told, rows, strict=True):
        paper, given, right, seen = re.findall(r"<td>(.*?)</td>", row)
        assert error.given in given
        assert error.given not in re.split(r"<br>|, ", right)
        assert all(str(where) in seen for where in error.seen.values())
        if error.title:
            assert (paper, right) == (error.title, "")
            continue
        assert f'href="../literature/#{error.paper}"' in paper
        entry = found.by_id[error.paper]
        if error.field in ("pages", "number"):
            assert getattr(entry.venue, error.field) in right
        assert error.kind != "pagination" or entry.doi in right


def test_an_identifier_of_another_paper_leads_to_it():
    page = html.unescape(misquoted_page(indexed(), "en"))
    row = re.search(r"<tr>(?:(?!</tr>).)*Swin Transformer V2.*?</tr>", page)[0]
    assert 'given: that of <a href="../literature/#convnext">ConvNeXt</a> (2022)' in row
    densenet = re.search(r"<tr>(?:(?!</tr>).)*<code>10.1109/CVPR.2017.634.*?</tr>", page)[0]
    assert 'href="../literature/#resnext"' in densenet
    assert "doi.org/10.1109/CVPR.2017.243" in densenet


def test_the_pages_are_generated_and_not_kept():
    ignored = (CHECKOUT / ".gitignore").read_text(encoding="utf-8").splitlines()
    pages = ("literature", "citation-errors")
    assert {f"/docs/{page}{end}" for page in pages for end in (".md", ".zh.md")} <= set(ignored)
