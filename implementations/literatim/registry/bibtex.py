"""BibTeX from a card."""

from literatim.registry.schema import Card

# BibTeX has no shield for these in a plain field.
SPECIAL = {"&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_"}


def bibtex(card: Card) -> str:
    """The BibTeX entry of a paper, UTF-8, titles in double braces so that styles keep their capitals."""
    where = {"article": "journal", "inproceedings": "booktitle", "phdthesis": "school", "techreport": "institution"}
    fields = {
        "title": "{" + _safe(card.title) + "}",
        "author": " and ".join(_safe(author) for author in card.authors),
        where.get(card.venue.type, "howpublished"): _safe(card.venue.name),
        "year": str(card.year),
        "volume": card.venue.volume,
        "number": card.venue.number,
        "pages": card.venue.pages and card.venue.pages.replace("–", "--"),
        "publisher": card.venue.publisher and _safe(card.venue.publisher),
        "doi": card.doi,
        "eprint": card.arxiv,
        "archiveprefix": card.arxiv and "arXiv",
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@{card.venue.type}{{{card.bibtex},\n" + ",\n".join(lines) + "\n}"


def _safe(text: str) -> str:
    return "".join(SPECIAL.get(sign, sign) for sign in text)
