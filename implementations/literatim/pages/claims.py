"""What a paper states and what became of it: the table of claims, the errata, the verdicts as labels."""

from __future__ import annotations

from typing import Any

from literatim.pages.edition import Entry, claim_anchor, place_of_code, place_of_module
from literatim.pages.markup import Lang, amount, block, element, esc, link, row, said, sentence, table
from literatim.pages.words import word
from literatim.registry.schema import Claim, Text

ORDER = (
    "holds", "reproduced", "erratum", "unexplained", "missed", "indicative",
    "stale", "fails", "not attempted", "not run", "not traced",
)  # fmt: skip


def heading(key: str, lang: Lang) -> str:
    return f"\n## {word(key, lang)} {{#{key}}}\n"


def chip(verdict: str, lang: Lang, number: int | None, method: str) -> str:
    """A verdict as a small label that leads to its explanation."""
    anchor = verdict.replace(" ", "-")
    many = f" <b>{number}</b>" if number is not None else ""
    content = f"{word(verdict, lang)}{many}"
    if verdict == "not traced":
        return element("span", content, class_="verdict v-not-run")
    return f'<a class="verdict v-{anchor}" href="{method}#{anchor}">{content}</a>'


def claims_table(entry: Entry, lang: Lang) -> str:
    if not entry.claims:
        return ""
    head = [word(key, lang) for key in ("states", "where", "paper-number", "our-number", "verdict")]
    counted = entry.count()
    buttons = [("all", word("all", lang), len(entry.claims))]
    buttons += [(name, word(name, lang), counted[name]) for name in ORDER if counted[name]]
    chosen = "".join(
        f'<button type="button" data-verdict="{name}" aria-pressed="{str(name == "all").lower()}">{label} {n}</button>'
        for name, label, n in buttons
    )
    label = word("claims", lang) + word("colon", lang) + entry.name
    return (
        heading("claims", lang)
        + block(element("p", word("claims-about", lang)))
        + block(f'<div class="filter-verdicts" role="group" aria-label="{word("filter-verdict", lang)}">{chosen}</div>')
        + table(head, [claim_row(entry, claim, lang) for claim in entry.claims], label=label, kind="claims")
    )


def claim_row(entry: Entry, claim: Claim, lang: Lang) -> str:
    found = entry.finding(claim)
    notes = [said(claim.states, lang), *(f"<small>{note}</small>" for note in _notes(claim, found, lang))]
    anchor = claim_anchor(claim)
    itself = f'<a class="self" href="#{anchor}"><code>{esc(claim.id)}</code></a>'
    where = f'{esc(claim.where)}<br><a class="source" href="#source-{claim.source}">{esc(claim.source)}</a>'
    ours = evidence(entry, claim, found["measured"], lang)
    cells = (
        "<br>".join([*notes, itself]),
        where,
        stated(claim, lang),
        ours,
        chip(found["verdict"], lang, None, "../../method/"),
    )
    return row(cells, id=anchor, data_verdict=found["verdict"])


def stated(claim: Claim, lang: Lang) -> str:
    """The paper's number, with "at most" and the like before it where the claim is no equality; where it follows from
    printed ones, from which."""
    relation = "" if claim.relation == "equals" else f"{word(claim.relation, lang)} "
    if claim.follows_from:
        how = word("follows-from", lang, what=said(claim.follows_from, lang))
        return f"{relation}{amount(claim.value)}<br><small>{how}</small>"
    return relation + esc(claim.printed) if claim.printed else "–"


def _notes(claim: Claim, found: dict[str, Any], lang: Lang) -> list[str]:
    """What stands below a statement: how our number came about, why there is none, why it may be so far off."""
    notes = []
    if claim.not_attempted and found["verdict"] in ("not attempted", "not traced"):
        notes.append(said(claim.not_attempted, lang))
    elif found["verdict"] not in ("erratum", "unexplained") and found["detail"]["en"]:
        notes.append(said(Text(**found["detail"]), lang))
    if claim.tolerance:
        notes.append(f"± {amount(claim.tolerance.is_)}{word('colon', lang)}{said(claim.tolerance.why, lang)}")
    return notes


def evidence(entry: Entry, claim: Claim, measured: object, lang: Lang) -> str:
    """Our number, in the paper's unit, leading to the line of code or the run that shows it."""
    number = amount(measured)
    if isinstance(measured, bool):
        number = f'<span role="img" aria-label="{word("yes" if measured else "no", lang)}">{number}</span>'
    elif measured is not None and claim.printed and claim.printed.rstrip().endswith("%"):
        number += "&nbsp;%"
    if claim.result:
        key = (claim.result.recipe, claim.result.variant)
        return link(f"#run-{'-'.join(key)}", number) if key in entry.runs() else number
    place = None
    if claim.measure and claim.measure.variant in entry.card.variants:
        place = place_of_module(entry.card.variants[claim.measure.variant].model, claim.measure.module)
    elif claim.check:
        place = place_of_code(claim.check)
    return code_link(entry, place, number)


def code_link(entry: Entry, place: object, content: str) -> str:
    """A link to a line of the annotated source, where the file is one of this paper's."""
    if isinstance(place, tuple) and place[0] in entry.sources:
        return link(f"{place[0].stem}/#L{place[1]}", content)
    return content


def errata(entry: Entry, lang: Lang) -> str:
    """Errata and what is unexplained, in the paper's order; the consequences of a slip stand below their cause."""
    if not entry.claims:
        return ""
    parts = []
    for claim in entry.claims:
        if not (claim.erratum or claim.unexplained) or (claim.erratum and claim.erratum.consequence_of):
            continue
        parts.append(f"\n### {esc(claim.where)} {{#{_anchor(claim)}}}\n" + block(_wrong(entry, claim, lang)))
        following = [c for c in entry.claims if c.erratum and c.erratum.consequence_of == claim.id]
        if following:
            parts.append(block(element("p", word("consequences", lang))))
        parts += [block(_wrong(entry, other, lang, id=_anchor(other))) for other in following]
    return heading("errata", lang) + ("".join(parts) or f"\n{word('no-errata', lang)}\n")


def _anchor(claim: Claim) -> str:
    return f"erratum-{claim.id.replace('.', '-')}"


def _wrong(entry: Entry, claim: Claim, lang: Lang, **attributes: str) -> str:
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
    terms = "".join(f"<dt>{pair[0]}</dt><dd>{pair[1]}</dd>" for pair in pairs if pair)
    place = f"{esc(claim.where)}{word('colon', lang)}" if attributes else ""  # the others have it as their heading
    return element(
        "div",
        f"<p>{chip(found['verdict'], lang, None, '../../method/')} {place}"
        f"{link('#' + claim_anchor(claim), said(claim.states, lang))}</p>"
        f"<p>{sentence(wrong.why, lang)}{word('stop', lang)}</p><dl>{terms}</dl>",
        class_="erratum",
        **attributes,
    )
