"""Recipes and recorded runs, as sections of a paper's page."""

from __future__ import annotations

import io
import statistics

from literatim.pages.edition import Entry
from literatim.pages.markup import Lang, block, code_block, element, esc, few, fold, prose, row, said, table
from literatim.pages.words import word
from literatim.registry.data import DATA_SETS
from literatim.registry.ledger import Record, recipe_path
from literatim.registry.reading import read_text
from literatim.registry.schema import Recipe

PICTURES = "runs"  # below the paper's folder in the site


def recipes(entry: Entry, lang: Lang) -> str:
    if not entry.card.recipes:
        return ""
    parts: list[str] = []
    for name, recipe in entry.card.recipes.items():
        path = recipe_path(entry.id, name)
        config = fold(prose(word("configuration", lang, name=name)), code_block(read_text(path)).strip())
        seeds = max((len(found) for (of, _), found in entry.runs().items() if of == name), default=1)
        command = f"literatim reproduce {entry.id} --recipe {name}" + (f" --seeds {seeds}" if seeds > 1 else "")
        about = f"{word('colon', lang)}{said(recipe.about, lang)}"
        inner = [
            element("p", _data(recipe, lang)),
            code_block(command).strip(),
            element("p", _expected(entry, name, recipe, lang), class_="expected"),
            _deviations(recipe, lang) + (config if path.exists() else ""),
        ]
        summary = f"<b><code>{esc(name)}</code></b>{about}"
        parts.append(fold(summary, "".join(inner), opened=not parts, class_="recipe", id=f"recipe-{name}"))
    folded = few(parts, word("more", lang, n="{n}"))
    return f"\n## {word('recipes', lang)} {{#recipes}}\n" + block(f"<div>{folded}</div>")


def _data(recipe: Recipe, lang: Lang) -> str:
    """Which data; where they are files of one's own, where these are looked for."""
    named = f"{word('data', lang)}{word('colon', lang)}<code>{esc(recipe.data)}</code>"
    if recipe.data in DATA_SETS and DATA_SETS[recipe.data].sha256:
        named += f" ({word('data-place', lang)})"
    return named + word("stop", lang)


def _expected(entry: Entry, name: str, recipe: Recipe, lang: Lang) -> str:
    """The number to expect: the card's bound, and what the recorded runs gave."""
    said_so = []
    if expects := recipe.expects:
        most = expects.at_most is not None
        limit = expects.at_most if most else expects.at_least
        said_so.append(
            f"<code>{esc(expects.metric)}</code> {word('at_most' if most else 'at_least', lang)} <b>{esc(limit)}</b>"
        )
    for (of, variant), found in entry.runs().items():
        if of != name:
            continue
        if given := outcome(entry, name, found, lang):
            wanted, span, seeds = given
            took = _minutes(statistics.median(r["wall_s"] for r in found))
            said_so.append(
                f"{word('recorded-gave', lang)} <code>{esc(wanted)}</code> <b>{span}</b> "
                f'(<a href="#run-{name}-{variant}">{esc(variant)}, {seeds}, {took}</a>)'
            )
    return word("expect", lang) + word("colon", lang) + word("semicolon", lang).join(said_so) if said_so else ""


def outcome(entry: Entry, name: str, found: list[Record], lang: Lang) -> tuple[str, str, str] | None:
    """(the metric that matters, its span over runs of one recipe, of how many seeds), as HTML; None without values."""
    recipe = entry.card.recipes.get(name)
    wanted = recipe.expects.metric if recipe and recipe.expects else _main_metric(entry, name, found[0])
    values = [r["metrics"][wanted] for r in found if wanted in r["metrics"]]
    if not values:
        return None
    span = f"{min(values):.4g}" + (f" – {max(values):.4g}" if len(values) > 1 else "")
    seeds = word("seeds", lang, n=len(values)) if len(values) > 1 else word("seed1", lang)
    return wanted, esc(span) + _unit(entry, wanted), seeds


def _main_metric(entry: Entry, recipe: str, record: Record) -> str:
    """What the paper's claims read from the recipe, or the first metric of the test."""
    claimed = [c.result.metric for c in entry.claims if c.result and c.result.recipe == recipe]
    of_test = [name for name in record["metrics"] if name.startswith("test_")]
    return next(iter([*claimed, *of_test, *record["metrics"]]), "")


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f}&nbsp;s" if seconds < 120 else f"{seconds / 60:.0f}&nbsp;min"


def _unit(entry: Entry, metric: str) -> str:
    return "&nbsp;%" if metric.endswith("_error") and entry.card.error_unit == "%" else ""


def _deviations(recipe: Recipe, lang: Lang) -> str:
    if not recipe.deviations:
        return element("p", word("deviations", lang) + word("colon", lang) + word("no-deviations", lang))
    items, colon, stop = [], word("colon", lang), word("stop", lang)
    for d in recipe.deviations:
        parts = [("paper-says", d.paper), ("we-do", d.ours), ("because", d.why)]
        told = word("semicolon", lang).join(f"{word(key, lang)}{colon}{said(text, lang)}" for key, text in parts)
        harmless = f" <em>{word('harmless', lang)}{colon}{said(d.harmless, lang)}{stop}</em>" if d.harmless else ""
        items.append(f"<li>{told}{stop}{harmless}</li>")
    return f"<p>{word('deviations', lang)}{colon}</p><ol>{''.join(items)}</ol>"


def runs(entry: Entry, lang: Lang) -> str:
    if not entry.card.recipes:
        return ""
    about = f"\n## {word('runs', lang)} {{#runs}}\n" + block(element("p", word("runs-about", lang)))
    drawn = (entry.facts or {}).get("curves", {})
    parts: list[str] = []
    for (recipe, variant), found in entry.runs().items():
        label = f"{recipe}, {variant}"
        inner = _table(found, label, lang)
        if curve := drawn.get(f"{recipe}/{variant}"):
            named = esc(word("curve-of", lang, name=label))
            seen = curve.replace("<svg ", f'<svg role="img" aria-label="{named}" ', 1)
            inner += f'<figure class="chart">{seen}</figure>'
        inner += "".join(_samples(record, label, lang) + _film(record, label, lang) for record in found)
        seeds = word("seeds", lang, n=len(found)) if len(found) > 1 else word("seed1", lang)
        summary = f"<b><code>{esc(recipe)}</code></b> {esc(variant)} <small>{seeds}</small>"
        parts.append(fold(summary, inner, class_="run", id=f"run-{recipe}-{variant}"))
    if not parts:
        return about + f"\n{word('no-runs', lang)}\n"
    return about + block(f"<div>{few(parts, word('more', lang, n='{n}'))}</div>")


def _table(found: list[Record], label: str, lang: Lang) -> str:
    """A row for each seed, the tests first; below it what most often is the same for all of them."""
    metrics = sorted({name for r in found for name in r["metrics"]}, key=lambda name: (name[:5] != "test_", name))
    first = ("seed", "commit", "time")
    head = [*(word(key, lang) for key in first), *(f"<code>{esc(name)}</code>" for name in metrics)]
    rows = []
    for r in found:
        values = [f"{r['metrics'][name]:.6g}" if name in r["metrics"] else "–" for name in metrics]
        commit = f"<code>{esc(str(r['commit'] or '–')[:7])}</code>"
        cells = {"seed": esc(r["seed"]), "commit": commit, "time": _minutes(r["wall_s"])}
        rows.append(row([*(cells[key] for key in first), *map(esc, values)]))
    below = [(word("judged", lang), [_judged(r, lang) for r in found])]
    below.append((word("machine", lang), [_machine(r, lang) for r in found]))
    colon, semicolon = word("colon", lang), word("semicolon", lang)
    notes = [f"{name}{colon}{semicolon.join(dict.fromkeys(said_of))}" for name, said_of in below]
    shown = table(head, rows, label=f"{word('runs', lang)}: {label}", kind="runs").strip()
    return f'{shown}<p class="run-notes">{"<br>".join(notes)}</p>'


def _machine(record: Record, lang: Lang) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    threads = word("thread1" if record["threads"] == 1 else "threads", lang, n=record["threads"])
    return esc(f"{record['machine']}, {threads}; {versions}")


def _judged(record: Record, lang: Lang) -> str:
    if record.stale:
        return word("changed", lang, what=esc(", ".join(record.stale)))
    reasons = [said(reason, lang) for reason in record.unjudged]
    kept = word("carried", lang, steps=f"{record.carried['steps']:,}") if record.carried else ""
    return (
        word("no-because", lang, why=word("semicolon", lang).join(reasons)) if reasons else word("yes", lang)
    ) + kept


def samples(record: Record) -> list[str]:
    """The pictures of a run but for its curve, which the page draws itself."""
    return sorted(path.name for path in record.folder.glob("*.png") if path.name != "curve.png")


def _samples(record: Record, label: str, lang: Lang) -> str:
    from PIL import Image

    named, shown = word("sample-of", lang, name=label, seed=record["seed"]), ""
    for name in samples(record):
        with Image.open(record.folder / name) as picture:
            wide, high = picture.size
        size = f'width="{wide}" height="{high}" loading="lazy"'
        shown += f'<p><img src="{_folder(record, lang)}/{name}" alt="{esc(f"{named}: {name}")}" {size}></p>'
    return shown


def _folder(record: Record, lang: Lang) -> str:
    """Where a record's pictures lie, from its paper's page; in raw HTML nobody else finds the way."""
    up = "" if lang == "en" else f"../../../papers/{record['paper']}/"
    return f"{up}{PICTURES}/{record['recipe']}/{record.folder.name}"


FILM, STILL = "film.gif", "film.png"  # of an agent at play, and its first picture, for those who want nothing to move


def film(record: Record) -> dict[str, bytes]:
    """A run's film, where it lies beside the record, and its first picture."""
    path = record.folder / FILM
    if not path.is_file():
        return {}
    from PIL import Image

    still = io.BytesIO()
    with Image.open(path) as whole:
        whole.convert("RGB").save(still, "PNG", optimize=True)
    return {FILM: path.read_bytes(), STILL: still.getvalue()}


def _film(record: Record, label: str, lang: Lang) -> str:
    """It can be stopped, and where the reader wants no motion it begins when it is asked to."""
    if not (found := film(record)):
        return ""
    width, height = (int.from_bytes(found[FILM][at : at + 2], "little") for at in (6, 8))
    folder = _folder(record, lang)
    shows = esc(word("film-of", lang, name=label, seed=record["seed"]))
    still = f'<source media="(prefers-reduced-motion: reduce)" srcset="{folder}/{STILL}">'
    moving = f'<img src="{folder}/{FILM}" alt="{shows}" width="{width}" height="{height}" loading="lazy">'
    says = f'data-play="{word("film-play", lang)}" data-stop="{word("film-stop", lang)}"'
    button = f'<button type="button" class="md-button" hidden {says}></button>'
    caption = element("figcaption", f"{shows}{word('stop', lang)} {button}")
    return f'<figure class="film" data-search-exclude><picture>{still}{moving}</picture>{caption}</figure>'
