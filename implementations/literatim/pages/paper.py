"""The page of one paper, made from its card, claims, records and traced facts."""

from __future__ import annotations

from typing import Any

from literatim.pages.architecture import architecture
from literatim.pages.edition import Edition, Entry, code_links, place_of_code, place_of_module
from literatim.pages.essay import essay
from literatim.pages.markup import (
    Lang,
    amount,
    block,
    code_block,
    doi_url,
    element,
    esc,
    front_matter,
    link,
    named,
    plain_title,
    prose,
    row,
    said,
    sentence,
    table,
    unspaced,
)  # fmt: skip
from literatim.pages.runs import recipes, runs
from literatim.pages.words import word
from literatim.registry.bibtex import bibtex
from literatim.registry.schema import Claim, Predecessor, Text

ORDER = (
    "holds", "reproduced", "erratum", "unexplained", "missed", "indicative",
    "stale", "fails", "not attempted", "not run", "not traced",
)  # fmt: skip


def paper_page(entry: Entry, edition: Edition, lang: Lang) -> str:
    """Markdown of `papers/<id>/index.md`."""
    card = entry.card
    summary = unspaced(card.summary.zh) if lang == "zh" and card.summary.zh else card.summary.en
    parts = [
        front_matter(title=plain_title(f"{entry.name} ({card.year})"), description=plain_title(summary)),
        f"# {esc(card.title)} {{#top}}\n",
        byline(entry, lang),
        block(element("p", said(card.summary, lang), class_="summary")),
        glance(entry, lang),
        lineage(entry, edition, lang),
        essay(entry.id, lang),
        demo(entry, lang),
        claims_table(entry, lang),
        errata(entry, lang),
        left_open(entry, lang),
        compared(entry, lang),
        architecture(entry, lang),
        recipes(entry, lang),
        runs(entry, lang),
        load(entry, lang),
        sources(entry, lang),
    ]
    return "\n".join(part for part in parts if part)


def heading(key: str, lang: Lang, anchor: str | None = None, level: int = 2) -> str:
    return f"\n{'#' * level} {word(key, lang)} {{#{anchor or key}}}\n"


def byline(entry: Entry, lang: Lang) -> str:
    card = entry.card
    names = [link(doi_url(card.doi), f"doi&#58;{esc(card.doi)}")] if card.doi else []
    names += [link(f"https://arxiv.org/abs/{card.arxiv}", f"arXiv&#58;{esc(card.arxiv)}")] if card.arxiv else []
    said_of = f"{esc(', '.join(card.authors))}<br>{esc(str(card.venue))}, {card.year}"
    lines = block(element("p", "<br>".join([said_of, " · ".join(names)]), class_="byline"))
    cite = code_block(bibtex(card)).strip()
    return lines + block(f'<details class="bibtex"><summary>{word("copy-bibtex", lang)}</summary>{cite}</details>')


def glance(entry: Entry, lang: Lang) -> str:
    """How many claims have which verdict, and the ways on from here."""
    counted = entry.count()
    chips = [chip(name, lang, counted[name], "../../method/") for name in ORDER if counted[name]]
    ways = [(f"{path.stem}/", file_word(path.stem, lang)) for path in entry.sources]
    code = (
        word("code-beside", lang) + word("colon", lang) + " · ".join(link(to, name) for to, name in ways)
        if ways
        else ""
    )
    stale = "" if entry.fresh or not entry.claims else element("p", prose(word("not-traced", lang)), class_="outrun")
    inner = f'<p class="chips">{" ".join(chips)}</p>' + (f"<p>{code}</p>" if code else "")
    return block(f'<div class="glance">{inner}{stale}</div>')


def file_word(stem: str, lang: Lang) -> str:
    known = stem in ("model", "training", "checks", "demo")
    return word(stem, lang) if known else f"<code>{esc(stem + '.py')}</code>"


def chip(verdict: str, lang: Lang, number: int | None, method: str) -> str:
    """A verdict as a small label that leads to its explanation."""
    anchor = verdict.replace(" ", "-")
    many = f" <b>{number}</b>" if number is not None else ""
    content = f"{word(verdict, lang)}{many}"
    if verdict == "not traced":
        return element("span", content, class_="verdict v-not-run")
    return f'<a class="verdict v-{anchor}" href="{method}#{anchor}">{content}</a>'


def lineage(entry: Entry, edition: Edition, lang: Lang) -> str:
    real = code_links(entry)
    before = [_before(work, edition, real, lang) for work in entry.card.builds_on]
    after = [link(f"../{e.id}/", esc(e.name)) + f" ({e.card.year})" for e in edition.followers(entry.id)]
    new = [said(text, lang) for text in entry.card.introduces]
    rows = [
        f"<dt>{word(key, lang)}</dt>" + "".join(f"<dd>{item}</dd>" for item in items)
        for key, items in (("before", before), ("introduced", new), ("after", after))
        if items
    ]
    return block(f'<dl class="lineage-list">{"".join(rows)}</dl>') if rows else ""


def _before(work: Predecessor, edition: Edition, real: set[str], lang: Lang) -> str:
    if work.id:
        other = edition.entries[work.id]
        name = link(f"../{other.id}/", esc(other.name)) + f" ({other.card.year})"
        if work.id.replace("-", "_") in real:
            name += f" ({word('imports', lang)})"
    else:
        title = esc(work.title)
        name = link(doi_url(work.doi), title) if work.doi else title
        name += f" ({work.year})" if work.year else ""
    return f"{name}{word('colon', lang)}{said(work.takes, lang)}"


def demo(entry: Entry, lang: Lang) -> str:
    found = entry.card.demo
    if found is None:
        return ""
    model = f' data-model="{entry.id}.onnx"'
    inside = f"<noscript>{word('javascript', lang)}</noscript>"
    return (
        heading("try", lang)
        + block(element("p", sentence(found.about, lang) + word("stop", lang)))
        + block(f'<div class="demo" data-demo="{found.script}"{model}>{inside}</div>')
    )


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
    label = f"{word('claims', lang)}: {entry.name}"
    return (
        heading("claims", lang)
        + block(element("p", word("claims-about", lang)))
        + block(f'<div class="filter-verdicts" role="group" aria-label="{word("filter-verdict", lang)}">{chosen}</div>')
        + table(head, [claim_row(entry, claim, lang) for claim in entry.claims], label=label, kind="claims")
    )


def claim_anchor(claim: Claim) -> str:
    return "claim-" + claim.id.replace(".", "-")


def claim_row(entry: Entry, claim: Claim, lang: Lang) -> str:
    found = entry.finding(claim)
    notes = [said(claim.states, lang), *(f"<small>{note}</small>" for note in _notes(claim, found, lang))]
    anchor = claim_anchor(claim)
    named = f'<a class="self" href="#{anchor}"><code>{esc(claim.id)}</code></a>'
    where = f'{esc(claim.where)}<br><a class="source" href="#source-{claim.source}">{esc(claim.source)}</a>'
    ours = evidence(entry, claim, found["measured"], lang)
    cells = (
        "<br>".join([*notes, named]),
        where,
        stated(claim, lang),
        ours,
        chip(found["verdict"], lang, None, "../../method/"),
    )
    return row(cells, id=anchor, data_verdict=found["verdict"])


def stated(claim: Claim, lang: Lang) -> str:
    """The paper's number, with "at most" and the like before it where the claim is no equality."""
    if not claim.printed:
        return "–"
    relation = "" if claim.relation == "equals" else f"{word(claim.relation, lang)} "
    return relation + esc(claim.printed)


def _notes(claim: Claim, found: dict[str, Any], lang: Lang) -> list[str]:
    """What stands below a statement: how our number came about, why there is none, why it may be so far off."""
    notes = []
    if claim.not_attempted and found["verdict"] in ("not attempted", "not traced"):
        notes.append(said(claim.not_attempted, lang))
    elif found["verdict"] not in ("erratum", "unexplained") and found["detail"]["en"]:
        notes.append(said(Text(**found["detail"]), lang))
    if claim.tolerance:
        notes.append(f"± {esc(claim.tolerance.is_)}{word('colon', lang)}{said(claim.tolerance.why, lang)}")
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
    parts = []
    for claim in entry.claims:
        found = entry.finding(claim)
        wrong = claim.erratum or claim.unexplained
        if not wrong:
            continue
        has_value = wrong.value is not None
        pairs = [
            (word("printed", lang), esc(claim.printed)) if claim.printed else None,
            (word("follows" if claim.erratum else "design-gives", lang), amount(wrong.value)) if has_value else None,
            (word("measured", lang), evidence(entry, claim, found["measured"], lang)) if has_value else None,
            (word("evidence", lang), said(Text(**found["detail"]), lang)) if found["detail"]["en"] else None,
        ]
        if claim.erratum:
            name = claim.erratum.proof.partition(":")[2]
            proof = code_link(entry, place_of_code(claim.erratum.proof), f"<code>{esc(name)}</code>")
            pairs.append((word("proof", lang), proof))
        terms = "".join(f"<dt>{pair[0]}</dt><dd>{pair[1]}</dd>" for pair in pairs if pair)
        parts.append(
            f"\n### {esc(claim.where)} {{#erratum-{claim.id.replace('.', '-')}}}\n"
            + block(
                f'<div class="erratum"><p>{chip(found["verdict"], lang, None, "../../method/")} '
                f"{link('#' + claim_anchor(claim), said(claim.states, lang))}</p>"
                f"<p>{sentence(wrong.why, lang)}{word('stop', lang)}</p><dl>{terms}</dl></div>"
            )
        )
    if not entry.claims:
        return ""
    return heading("errata", lang) + ("".join(parts) or f"\n{word('no-errata', lang)}\n")


def left_open(entry: Entry, lang: Lang) -> str:
    if not entry.card.open:
        return ""
    rows = [row([said(o.lacks, lang), esc(o.where), named(o.chosen, lang), said(o.why, lang)]) for o in entry.card.open]
    head = [word(key, lang) for key in ("lacks", "where", "chosen", "why")]
    about = block(element("p", word("open-about", lang)))
    return heading("open", lang) + about + table(head, rows, label=word("open", lang), kind="open")


def compared(entry: Entry, lang: Lang) -> str:
    if not entry.card.compared:
        return ""
    items = []
    for other in entry.card.compared:
        name = other.check.partition(":")[2]
        check = code_link(entry, place_of_code(other.check), f"<code>{esc(name)}</code>")
        proof = f"<small>({word('asserted', lang)} {check})</small>"
        items.append(
            f"<li><b>{named(other.with_, lang)}</b>{word('colon', lang)}{said(other.differs, lang)} {proof}</li>"
        )
    return heading("compared", lang) + block(f"<ul>{''.join(items)}</ul>")


def load(entry: Entry, lang: Lang) -> str:
    if not entry.card.variants:
        return heading("load", lang) + f"\n{word('no-model', lang)}\n"
    name, alias = entry.id, entry.card.doi or entry.card.arxiv or next(iter(entry.card.aliases), entry.id)
    lines = ["import literatim", "", f'net = literatim.load("{name}")  # {word("load-default", lang)}']
    lines.append(f'net = literatim.load("{alias}")  # {word("load-name", lang)}')
    lines += [f'net = literatim.load("{name}", "{variant}")' for variant in list(entry.card.variants)[1:]]
    shipped = [r["weights"]["name"] for r in entry.records if r.data.get("weights")]
    lines += [f'net = literatim.load("{name}", weights="{w}")  # {word("load-weights", lang)}' for w in shipped]
    return heading("load", lang) + code_block("\n".join(lines))


def sources(entry: Entry, lang: Lang) -> str:
    items = [
        f'<dt id="source-{name}"><code>{esc(name)}</code></dt><dd>{named(source.is_, lang)}'
        + (f"<br>{said(source.note, lang)}" if source.note else "")
        + "</dd>"
        for name, source in entry.card.sources.items()
    ]
    return heading("sources", lang) + block(f"<dl>{''.join(items)}</dl>")
