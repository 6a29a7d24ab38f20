"""Where a paper errs, or differs for reasons that nobody knows."""

from __future__ import annotations

from literatim.pages.claims import chip, code_link, evidence, heading, stated
from literatim.pages.edition import Entry, claim_anchor, place_of_code
from literatim.pages.markup import Lang, amount, block, element, esc, few, fold, link, said, sentence
from literatim.pages.words import word
from literatim.registry.schema import Claim, Text


def errata(entry: Entry, lang: Lang) -> str:
    """Errata and what is unexplained, in the paper's order; the consequences of a slip stand with their cause."""
    if not entry.claims:
        return ""
    parts: list[str] = []
    for claim in entry.claims:
        if not (claim.erratum or claim.unexplained) or (claim.erratum and claim.erratum.consequence_of):
            continue
        following = [c for c in entry.claims if c.erratum and c.erratum.consequence_of == claim.id]
        also = element("p", word("consequences", lang)) if following else ""
        also += "".join(_wrong(entry, other, lang) for other in following)
        parts.append(_wrong(entry, claim, lang, also, opened=not parts))
    folded = few(parts, word("more", lang, n="{n}"))
    shown = block(f'<div class="errata">{folded}</div>') if parts else ""
    return heading("errata", lang) + (shown or f"\n{word('no-errata', lang)}\n")


def _wrong(entry: Entry, claim: Claim, lang: Lang, also: str = "", *, opened: bool = False) -> str:
    """An erratum, or what is unexplained: what is printed, what follows, why, and how that is proved."""
    wrong = claim.erratum or claim.unexplained
    assert wrong is not None
    found, has_value = entry.finding(claim), wrong.value is not None
    pairs = [
        (word("printed", lang), esc(claim.printed)) if claim.printed else None,
        (word("paper-number", lang), stated(claim, lang)) if claim.follows_from else None,
        (word("follows" if claim.erratum else "design-gives", lang), amount(wrong.value)) if has_value else None,
        (word("measured", lang), evidence(entry, claim, found["measured"], lang)) if has_value else None,
        (word("evidence", lang), said(Text(**found["detail"]), lang)) if found["detail"]["en"] else None,
    ]
    if claim.erratum:
        name = claim.erratum.proof.partition(":")[2]
        proof = code_link(entry, place_of_code(claim.erratum.proof), f"<code>{esc(name)}</code>")
        pairs.append((word("proof", lang), proof))
    pairs.append((word("claim", lang), link("#" + claim_anchor(claim), f"<code>{esc(claim.id)}</code>")))
    terms = "".join(f"<dt>{pair[0]}</dt><dd>{pair[1]}</dd>" for pair in pairs if pair)
    summary = f"{chip(found['verdict'], lang, None)} {esc(claim.where)}{word('colon', lang)}{said(claim.states, lang)}"
    inner = f"<p>{sentence(wrong.why, lang)}{word('stop', lang)}</p><dl>{terms}</dl>{also}"
    anchor = f"erratum-{claim.id.replace('.', '-')}"
    return fold(summary, inner, opened=opened, class_="erratum", id=anchor)
