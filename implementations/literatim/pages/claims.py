"""What a paper states and what became of it: the tables of claims, and the verdicts as labels."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from literatim.pages.code import NUMBER, equations
from literatim.pages.edition import Entry, claim_anchor, lines_of_model, place_of_code, place_of_module
from literatim.pages.markup import Lang, amount, block, element, esc, few, fold, link, row, said, table
from literatim.pages.words import word
from literatim.registry.schema import Claim, Text

ORDER = (
    "holds", "reproduced", "erratum", "unexplained", "missed", "indicative",
    "stale", "fails", "not attempted", "not run", "not traced",
)  # fmt: skip
OPEN, PLACES = 6, 12  # rows that stand open at first, and parts that are not folded away once more


def heading(key: str, lang: Lang) -> str:
    return f"\n## {word(key, lang)} {{#{key}}}\n"


def chip(verdict: str, lang: Lang, number: int | None, method: str = "") -> str:
    """A verdict as a small label that leads to its explanation, where there is a way to `method`."""
    anchor = verdict.replace(" ", "-")
    many = f" <b>{number}</b>" if number is not None else ""
    content = f"{word(verdict, lang)}{many}"
    if not method:
        return element("span", content, class_=f"verdict v-{anchor}")
    if verdict == "not traced":
        return element("span", content, class_="verdict v-not-run")
    return f'<a class="verdict v-{anchor}" href="{method}#{anchor}">{content}</a>'


def claims_table(entry: Entry, lang: Lang) -> str:
    """The claims by their place in the paper, a part for each that opens; the first short ones stand open."""
    if not entry.claims:
        return ""
    counted = entry.count()
    buttons = [("all", word("all", lang), len(entry.claims))]
    buttons += [(name, word(name, lang), counted[name]) for name in ORDER if counted[name]]
    chosen = "".join(
        f'<button type="button" data-verdict="{name}" aria-pressed="{str(name == "all").lower()}">{label} {n}</button>'
        for name, label, n in buttons
    )
    places: dict[str, list[Claim]] = {}
    for claim in entry.claims:
        places.setdefault(re.split("[,;]", claim.where)[0].strip(), []).append(claim)
    parts, room = [], OPEN
    for place, claims in places.items():
        room -= len(claims)
        parts.append(_place(entry, place, claims, lang, opened=room >= 0))
    more = word("more", lang, n="{n}")
    heads = "; ".join(f"--{key}: '{word(key, lang)}'" for key in ("where", "paper-number", "our-number"))
    says = f'data-copy="{word("copy-claim", lang)}" data-copied="{word("copied", lang)}"'
    return (
        heading("claims", lang)
        + block(element("p", word("claims-about", lang)))
        + block(f'<div class="filter-verdicts" role="group" aria-label="{word("filter-verdict", lang)}">{chosen}</div>')
        + block(f'<div class="places" style="{heads}" {says}>{few(parts, more, PLACES)}</div>')
    )


def _place(entry: Entry, place: str, claims: list[Claim], lang: Lang, *, opened: bool) -> str:
    """What is claimed of one section, table or figure; what nobody attempted in a part of its own."""
    counted = Counter(entry.finding(claim)["verdict"] for claim in claims)
    chips = " ".join(chip(name, lang, counted[name]) for name in ORDER if counted[name])
    untried = [claim for claim in claims if entry.finding(claim)["verdict"] == "not attempted"]
    tried = [claim for claim in claims if claim not in untried]
    inner = _table(entry, place, tried or untried, lang)
    if tried and untried:
        reasons = dict.fromkeys(said(claim.not_attempted, lang) for claim in untried)
        why = word("colon", lang) + next(iter(reasons)) if len(reasons) == 1 else ""
        summary = chip("not attempted", lang, len(untried)) + why
        inner += fold(summary, _table(entry, place, untried, lang), class_="untried")
    return fold(f'<b>{esc(place)}</b> <span class="chips">{chips}</span>', inner, opened=opened, class_="place")


def _table(entry: Entry, place: str, claims: list[Claim], lang: Lang) -> str:
    head = [word(key, lang) for key in ("states", "where", "paper-number", "our-number", "verdict")]
    label = f"{word('claims', lang)}{word('colon', lang)}{entry.name}, {place} {claims[0].id}"
    return table(head, [claim_row(entry, claim, lang) for claim in claims], label=label, kind="claims").strip()


def claim_row(entry: Entry, claim: Claim, lang: Lang) -> str:
    found = entry.finding(claim)
    notes = [said(claim.states, lang), *(f"<small>{note}</small>" for note in _notes(claim, found, lang))]
    anchor = claim_anchor(claim)
    itself = f'<a class="self" href="#{anchor}"><code>{esc(claim.id)}</code></a>'
    where = f'{esc(claim.where)}<br><a class="source" href="#source-{claim.source}">{esc(claim.source)}</a>'
    ours = evidence(entry, claim, found["measured"], lang)
    if way := _in_the_model(entry, claim, lang):
        itself += f" {way}"
    cells = (
        "<br>".join([*notes, itself]),
        where,
        stated(claim, lang),
        ours,
        chip(found["verdict"], lang, None, "../../method/"),
    )
    return row(cells, id=anchor, data_verdict=found["verdict"])


def _in_the_model(entry: Entry, claim: Claim, lang: Lang) -> str:
    """Links to the line of the claim's equation and to what its check takes of the model, two at most."""
    found = lines_of_model(entry, claim.check) if claim.check else []
    if number := re.search(rf"\bEqs?\. ({NUMBER})", claim.where):
        named = [path for path in entry.sources if path.parent.name != "claimed" and path.stem != "checks"]
        at = [(path, equations(path)[number[1]]) for path in named if number[1] in equations(path)]
        found = [(path, line, word("equation", lang, n=number[1])) for path, line in at[:1]] + found
    ways = [code_link(entry, (path, line), f"<code>{esc(name)}</code>") for path, line, name in found[:2]]
    return f'<small class="way">{word("in-model", lang)} {", ".join(ways)}</small>' if ways else ""


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
