"""One picture for each paper: what its runs made or drew, else its network, else the course of its runs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from literatim.pages.architecture import silhouette
from literatim.pages.edition import Entry
from literatim.pages.markup import Lang, esc
from literatim.pages.runs import FILM
from literatim.pages.words import word
from literatim.registry.ledger import Record

DRAWN = ("samples.png", "figure.png", "states.png", "values.png", "weights.png", "phrases.png", FILM)
SMALL, LARGE = (360, 240), (760, 500)  # pixels at most, for a card and for the head of a paper's page
NAMES = {SMALL: "card.webp", LARGE: "picture.webp"}  # below the paper's folder in the site
NETWORK = 4  # layers that a drawing needs to say anything
COURSE = ("error", "loss", "score")
# Of the course of runs, in units of its drawing.
WIDE, HIGH, EDGE = 300, 150, 8


def source(entry: Entry) -> tuple[Record, Path] | None:
    """The recorded run whose picture stands for the paper: of a recipe of the paper's own size where there is one."""
    found = [
        (record["recipe"] == "quick", order, record, record.folder / name)
        for runs in entry.runs().values()
        for record in runs
        for order, name in enumerate(DRAWN)
        if (record.folder / name).is_file()
    ]
    wanted = entry.card.demo.weights if entry.card.demo else ""
    best = min(found, key=lambda each: (each[2]["recipe"] != wanted, *each[:2]), default=None)
    return best and best[2:]


def images(entry: Entry) -> dict[str, bytes]:
    """The picture of a run in both sizes, by the name that it has below the paper's folder."""
    found = source(entry)
    if found is None:
        return {}
    from PIL import Image

    files = {}
    with Image.open(found[1]) as whole:
        whole.seek(getattr(whole, "n_frames", 1) // 3)
        for size, name in NAMES.items():
            one = whole.convert("RGB")
            one.thumbnail(size, Image.Resampling.LANCZOS)
            kept = io.BytesIO()
            one.save(kept, "WEBP", quality=80, method=6)
            files[name] = kept.getvalue()
    return files


def picture(entry: Entry, lang: Lang, folder: str, size: tuple[int, int]) -> tuple[str, str]:
    """The picture as HTML, "" where there is none, and what it shows; `folder` leads to that of the paper."""
    if found := source(entry):
        record, path = found
        what = "picture-samples" if path.name == DRAWN[0] else "picture-film" if path.name == FILM else "picture-run"
        shows = word(what, lang, name=entry.name, recipe=record["recipe"], seed=record["seed"])
        paper = "" if path.name in (DRAWN[0], FILM) else " paper"  # black on white: turned round in the dark
        lazy = ' loading="lazy"' if size == SMALL else ""
        wide, high = _size(path, size)
        named = f'src="{folder}{NAMES[size]}" alt="{esc(shows)}" width="{wide}" height="{high}"'
        return f'<img class="shown{paper}" {named}{lazy}>', shows
    nets: list[dict[str, Any]] = next(iter((entry.facts or {}).get("networks", {}).values()), [])
    if nets and len(nets[0]["layers"]) >= NETWORK and len(nets[0]["input"]) == 3:
        shows = word("picture-network", lang, name=entry.name)
        return silhouette(nets[0], shows), shows
    return _course(entry, lang)


def _size(path: Path, most: tuple[int, int]) -> tuple[int, int]:
    from PIL import Image

    with Image.open(path) as whole:
        whole.thumbnail(most)
        return whole.size


def _course(entry: Entry, lang: Lang) -> tuple[str, str]:
    """The course of a metric over the epochs of recorded runs, a line for each seed."""
    wanted = entry.card.demo.weights if entry.card.demo else ""
    runs = entry.runs()
    order = sorted(runs, key=lambda key: (key[0] != wanted, key[0] == "quick"))
    for recipe, variant in order:
        curves = [record.curve() for record in runs[recipe, variant] if (record.folder / "curve.csv").is_file()]
        names = [name for curve in curves for row in curve for name in row if name.endswith(COURSE)]
        if not names:
            continue
        lines = [[(row["epoch"], row[names[0]]) for row in curve if names[0] in row] for curve in curves]
        shows = word("picture-course", lang, metric=names[0], name=entry.name, recipe=recipe)
        return _lines([line for line in lines if line], shows), shows
    return "", ""


def _lines(lines: list[list[tuple[float, float]]], label: str) -> str:
    xs, ys = zip(*(point for line in lines for point in line), strict=True)
    across, up = ((size - 2 * EDGE) / (max(all_) - min(all_) or 1) for size, all_ in ((WIDE, xs), (HIGH, ys)))
    drawn = f'<path d="M{EDGE},{EDGE}V{HIGH - EDGE}H{WIDE - EDGE}"/>'
    for line in lines:
        points = (f"{EDGE + across * (x - min(xs)):.1f},{HIGH - EDGE - up * (y - min(ys)):.1f}" for x, y in line)
        drawn += f'<polyline points="{" ".join(points)}"/>'
    return f'<svg class="course" role="img" aria-label="{esc(label)}" viewBox="0 0 {WIDE} {HIGH}">{drawn}</svg>'
