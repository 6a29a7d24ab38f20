"""The page of one paper, made from its card, claims, records and traced facts."""

from __future__ import annotations

from literatim.pages.architecture import architecture
from literatim.pages.claims import ORDER, chip, claims_table, code_link, errata, heading
from literatim.pages.edition import Edition, Entry, code_links, place_of_code
from literatim.pages.essay import essay
from literatim.pages.lineage import predecessor
from literatim.pages.literature import indexed
from literatim.pages.markup import (
    Lang,
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
    scrolling,
    sentence,
    table,
    unspaced,
)  # fmt: skip
from literatim.pages.runs import recipes, runs
from literatim.pages.scholarly import linked_data, meta
from literatim.pages.words import word
from literatim.registry.citing import bibtex
from literatim.registry.reading import head, weights_path
from literatim.registry.schema import Predecessor


def paper_page(entry: Entry, edition: Edition, lang: Lang) -> str:
    """Markdown of `papers/<id>/index.md`."""
    card = entry.card
    summary = unspaced(card.summary.zh) if lang == "zh" and card.summary.zh else card.summary.en
    parts = [
        front_matter(
            title=plain_title(f"{entry.name} ({card.year})"),
            description=plain_title(summary),
            citation=meta(card),
            linked_data=linked_data(card),
        ),
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


def byline(entry: Entry, lang: Lang) -> str:
    card = entry.card
    names = [link(doi_url(card.doi), f"doi&#58;{esc(card.doi)}")] if card.doi else []
    names += [link(f"https://arxiv.org/abs/{card.arxiv}", f"arXiv&#58;{esc(card.arxiv)}")] if card.arxiv else []
    if (known := indexed()) and entry.id in known.by_id:
        names.append(link(f"../../literature/#{entry.id}", word("in-index", lang)))
    said_of = f"{esc(', '.join(card.authors))}<br>{esc(str(card.venue))}, {card.year}"
    lines = block(element("p", "<br>".join([said_of, " · ".join(names)]), class_="byline"))
    cite = code_block(bibtex(head(card.id))).strip()
    return lines + block(f'<details class="bibtex"><summary>{word("copy-bibtex", lang)}</summary>{cite}</details>')


def glance(entry: Entry, lang: Lang) -> str:
    """How many claims have which verdict, and the ways on from here."""
    counted = entry.count(causes=True)
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
    year = edition.entries[work.id].card.year if work.id else work.year
    name = predecessor(work, edition, "../") + (f" ({year})" if year else "")
    name += f" ({word('imports', lang)})" if work.id in real else ""
    return f"{name}{word('colon', lang)}{said(work.takes, lang)}"


def demo(entry: Entry, lang: Lang) -> str:
    found = entry.card.demo
    if found is None or not weights_path(entry.id, found.weights).is_file():  # the run is still to be made
        return ""
    files = [f"{name}.safetensors" for name in (found.weights, *found.beside)]
    model = f' data-model="{entry.id}.onnx"' if found.network else f' data-model="{" ".join(files)}"'
    inside = f"<noscript>{word('javascript', lang)}</noscript>"
    return (
        heading("try", lang)
        + block(element("p", sentence(found.about, lang) + word("stop", lang)))
        + block(f'<div class="demo" data-demo="{found.script}"{model}>{inside}</div>')
        + demo_picture(entry, lang)
    )


def demo_picture(entry: Entry, lang: Lang) -> str:
    """The picture of the demo's weights, at its own width in a box that scrolls: its words must stay readable."""
    picture, drawn = entry.card.demo and entry.card.demo.picture, (entry.facts or {}).get("picture")
    if not picture or not drawn:
        return ""
    shows = sentence(picture.shows, lang)
    seen = drawn.replace("max-width:100%", "max-width:none", 1)
    seen = seen.replace("<svg ", f'<svg role="img" aria-label="{shows}" ', 1)
    caption = element("figcaption", shows + word("stop", lang))
    return block(f'<figure class="picture" data-search-exclude>{scrolling(seen, shows)}{caption}</figure>')


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
