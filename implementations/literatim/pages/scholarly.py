"""What reference managers and search engines read of a paper's page: citation meta tags, and schema.org's terms."""

from __future__ import annotations

from typing import Any

from literatim.registry.schema import Card


def meta(card: Card) -> list[list[str]]:
    """The meta tags that Zotero and Google Scholar read, as pairs of name and content."""
    venue, first_last = card.venue, (card.venue.pages or "").split("–")
    within = {"article": "citation_journal_title", "inproceedings": "citation_conference_title"}
    tags = [("citation_title", card.title), *(("citation_author", author) for author in card.authors)]
    tags += [
        ("citation_publication_date", str(card.year)),
        (within.get(venue.type, "citation_publisher"), venue.name),
        ("citation_volume", venue.volume or ""),
        ("citation_issue", venue.number or ""),
        ("citation_firstpage", first_last[0]),
        ("citation_lastpage", first_last[1] if len(first_last) > 1 else ""),
        ("citation_doi", card.doi or ""),
        ("citation_arxiv_id", card.arxiv or ""),
    ]
    return [[name, content] for name, content in tags if content]


def linked_data(card: Card) -> dict[str, Any]:
    """The paper as schema.org's ScholarlyArticle."""
    venue = card.venue
    same = [f"https://doi.org/{card.doi}"] if card.doi else []
    same += [f"https://arxiv.org/abs/{card.arxiv}"] if card.arxiv else []
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "name": card.title,
        "headline": card.title,
        "author": [{"@type": "Person", "name": author} for author in card.authors],
        "datePublished": str(card.year),
        "isPartOf": {
            "@type": "Periodical" if card.venue.type == "article" else "CreativeWork",
            "name": card.venue.name,
        },
        "pagination": venue.pages,
        "identifier": card.doi or (card.arxiv and f"arXiv:{card.arxiv}"),
        "sameAs": same,
    }
    return {name: value for name, value in found.items() if value}
