"""The page of one paper, made from its card, claims, records and traced facts."""

from __future__ import annotations

from literatim.pages.architecture import architecture
from literatim.pages.claims import ORDER, chip, claims_table, code_link, heading
from literatim.pages.edition import Edition, Entry, code_links, place_of_code
from literatim.pages.errata import errata
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
    fold,
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
from literatim.pages.picture import LARGE, SMALL, picture
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
            share=f"{entry.id}/",
            citation=meta(card),
            linked_data=linked_data(card),
        ),
        block(element("p", f"{esc(entry.name)} · {card.year}", class_="eyebrow")),
        f"# {esc(card.title)} {{#top}}\n",
        byline(entry, lang),
        first_look(entry, lang),
        glance(entry, lang),
        block(element("p", said(card.summary, lang), class_="summary")),
        lineage(entry, edition, lang),
        ways_on(entry, lang),
        errata(entry, lang),
        essay(entry.id, lang),
        demo(entry, lang),
        claims_table(entry, lang),
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
    return block(element("p", " · ".join([said_of, *names]), class_="byline"))


def first_look(entry: Entry, lang: Lang) -> str:
    """The paper's picture, and beside it what loads, checks and runs it."""
    up = "" if lang == "en" else f"../../../papers/{entry.id}/"
    seen, shows = picture(entry, lang, up, LARGE)
    figure = f"<figure>{seen}<figcaption>{esc(shows)}</figcaption></figure>" if seen else ""
    recipe = "quick" if "quick" in entry.card.recipes else next(iter(entry.card.recipes), None)
    lines = {"try-load": f'literatim.load("{entry.id}")'} if entry.card.variants else {}
    lines["try-verify"] = f"literatim verify {entry.id}"
    if recipe:
        lines["try-reproduce"] = f"literatim reproduce {entry.id} --recipe {recipe}"
    commands = "".join(element("p", word(key, lang)) + code_block(line).strip() for key, line in lines.items())
    return block(f'<div class="first-look">{figure}<div class="commands">{commands}</div></div>')


def glance(entry: Entry, lang: Lang) -> str:
    """The verdict in a sentence, and how many claims have which."""
    counted = entry.count(causes=True)
    chips = [chip(name, lang, counted[name], "../../method/") for name in ORDER if counted[name]]
    stale = "" if entry.fresh or not entry.claims else element("p", prose(word("not-traced", lang)), class_="outrun")
    told = element("p", verdict(entry, lang), class_="in-a-sentence") if entry.claims and entry.fresh else ""
    return block(f'<div class="glance">{told}<p class="chips">{" ".join(chips)}</p>{stale}</div>')


def verdict(entry: Entry, lang: Lang) -> str:
    """What became of the claims, in a sentence that leaves out what there is none of."""
    counted = entry.count(causes=True)
    good = counted["holds"] + counted["reproduced"]
    parts = {
        "errata": counted["erratum"],
        "unexplained": counted["unexplained"],
        "missed": counted["missed"] + counted["fails"],
        "indicative": counted["indicative"],
        "untried": counted["not attempted"] + counted["not run"],
    }
    told = [word(f"told-{key}" if n > 1 else f"told-{key}-1", lang, n=n) for key, n in parts.items() if n]
    whole = word("told", lang, good=good, all=counted.total())
    return whole + "".join(word("told-and", lang) + each for each in told) + word("stop", lang)


def ways_on(entry: Entry, lang: Lang) -> str:
    """The sources beside the paper, and the entry for a bibliography."""
    ways = [(f"{path.stem}/", file_word(path.stem, lang)) for path in entry.sources]
    code = word("code-beside", lang) + word("colon", lang) + " · ".join(link(to, name) for to, name in ways)
    cite = code_block(bibtex(head(entry.id))).strip()
    return block(element("p", code, class_="sources") if ways else "") + block(
        fold(word("copy-bibtex", lang), cite, class_="bibtex")
    )


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


def has_demo(entry: Entry) -> bool:
    found = entry.card.demo
    return found is not None and weights_path(entry.id, found.weights).is_file()  # else the run is still to be made


def demo(entry: Entry, lang: Lang) -> str:
    if not has_demo(entry) or (found := entry.card.demo) is None:
        return ""
    up = "" if lang == "en" else f"../../../papers/{entry.id}/"
    return (
        heading("try", lang)
        + block(element("p", sentence(found.about, lang) + word("stop", lang)))
        + block(demo_box(entry, lang, up))
        + demo_picture(entry, lang)
    )


def demo_box(entry: Entry, lang: Lang, folder: str, *, waits: bool = False) -> str:
    """The place of a demo, with a still where it begins only when asked to; with `waits` not even its script is loaded
    before. `folder` leads to the paper's."""
    found = entry.card.demo
    if found is None or not has_demo(entry):
        return ""
    files = [f"{name}.safetensors" for name in (found.weights, *found.beside)]
    model = f"{entry.id}.onnx" if found.network else " ".join(files)
    still = f'<div class="still">{picture(entry, lang, folder, SMALL)[0]}</div>' if found.network else ""
    begin = f'<button type="button" class="begin">{word("begin", lang)}</button>' if waits else ""
    inside = f"{still}{begin}<noscript>{word('javascript', lang)}</noscript>"
    given = f'data-demo="{found.script}" data-model="{model}"{" data-waits" if waits else ""}'
    return f'<div class="demo" {given}>{inside}</div>'


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
    shown = table(head, rows, label=word("open", lang), kind="open").strip()
    return heading("open", lang) + about + block(fold(word("points", lang, n=len(rows)), shown))


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
    shown = f"<ul>{''.join(items)}</ul>"
    return heading("compared", lang) + block(fold(word("points", lang, n=len(items)), shown))


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
