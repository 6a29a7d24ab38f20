"""A network drawn from its trace: a picture of shapes, and a table with the paper's own numbers beside each layer."""

from __future__ import annotations

import math
from typing import Any

from literatim.pages.edition import Entry, claim_anchor
from literatim.pages.markup import Lang, amount, block, element, esc, few, fold, link, row, scrolling, table
from literatim.pages.words import word
from literatim.registry.schema import Claim

HEIGHT = 150  # of the picture's drawing, without its labels


def architecture(entry: Entry, lang: Lang) -> str:
    """The section: one part for each variant, the first of them open."""
    if not entry.card.variants:
        return ""
    traced = (entry.facts or {}).get("networks", {})
    parts: list[str] = []
    for i, (name, variant) in enumerate(entry.card.variants.items()):
        notes = [esc(variant.where)] if variant.where else []
        notes += [word("default", lang)] if i == 0 else []
        notes += [] if variant.faithful else [word("not-faithful", lang)]
        drawn = "".join(_network(entry, name, net, lang) for net in traced.get(name, []))
        about = f" ({', '.join(notes)})" if notes else ""
        parts.append(fold(f"<code>{esc(name)}</code>{about}", drawn, opened=i == 0, class_="variant"))
    about = block(element("p", word("architecture-about", lang)))
    folded = few(parts, word("more", lang, n="{n}"), 3)
    return f"\n## {word('architecture', lang)} {{#architecture}}\n" + about + block(f"<div>{folded}</div>")


def _network(entry: Entry, variant: str, net: dict[str, Any], lang: Lang) -> str:
    stated: dict[str, list[Claim]] = {}
    for claim in entry.claims:
        # What is claimed of other options is not of the network that is drawn.
        if claim.measure and claim.measure.variant == variant and claim.printed and not claim.measure.with_:
            stated.setdefault(claim.measure.module or "", []).append(claim)
    head = [word(key, lang) for key in ("layer", "shape", "parameters", "multiply_adds", "paper-prints")]
    rows = [row([word("input", lang), amount(net["input"]), "", "", ""])]
    for layer in net["layers"]:
        what = f"<code>{esc(layer['name'])}</code><br><small><code>{esc(layer['what'])}</code></small>"
        numbers = [amount(layer["shape"]), amount(layer["parameters"]), amount(layer["multiply_adds"] or None)]
        rows.append(row([what, *numbers, _prints(entry, stated.get(layer["name"], []), lang)]))
    whole = f"{net['name']} {word('in-all', lang)}".strip()
    total = [
        esc(whole),
        "",
        amount(net["parameters"]),
        amount(net["multiply_adds"]),
        _prints(entry, stated.get(net["name"], []), lang),
    ]
    rows.append(row(total, class_="total"))
    label = f"{word('architecture', lang)}{word('colon', lang)}{variant} {net['name']}"
    layers = table(head, rows, label=label, kind="layers").strip()
    return scrolling(drawing(net, label), label) + fold(word("layers", lang, name=esc(whole)), layers)


def _prints(entry: Entry, claims: list[Claim], lang: Lang) -> str:
    """What the paper prints of a layer, each with its verdict's colour."""
    said = []
    for claim in claims:
        verdict = entry.finding(claim)["verdict"].replace(" ", "-")
        what = claim.measure.what if claim.measure else ""
        label = f'{word(what, lang).lower()} <span class="printed v-{verdict}">{esc(claim.printed)}</span>'
        said.append(link("#" + claim_anchor(claim), label))
    return "<br>".join(said)


def drawing(net: dict[str, Any], label: str) -> str:
    """SVG of the shapes, left to right: as high as the maps, as many sheets as there are maps (both logarithmic)."""
    return _drawn(net, label, labels=True)


def silhouette(net: dict[str, Any], label: str) -> str:
    """The same without words, as wide as its place."""
    return _drawn(net, label, labels=False)


def _drawn(net: dict[str, Any], label: str, *, labels: bool) -> str:
    x, parts = 12.0, []
    shapes = [("", net["input"]), *((layer["name"], layer["shape"]) for layer in net["layers"])]
    tallest = max([_tall(shape) for _, shape in shapes] or [1.0])
    for name, shape in shapes:
        tall = HEIGHT * _tall(shape) / tallest
        sheets = min(12, 1 + round(math.log2(max(1, shape[0])))) if len(shape) == 3 else 1
        wide = max(5.0, 0.5 * tall) if len(shape) == 3 else 7.0
        step, middle = 3.5, 12 + HEIGHT / 2
        for i in range(sheets):
            left, top = x + i * step, middle - tall / 2 + i * 1.5
            parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{tall:.1f}"/>')
        size, room = "×".join(map(str, shape)), wide + sheets * step + (18 if labels else 10)
        if labels:
            parts.append(f'<text x="{x:.1f}" y="{HEIGHT + 48}">{esc(name)}</text>')
            parts.append(f'<text class="size" x="{x:.1f}" y="{HEIGHT + 63}">{esc(size)}</text>')
            room = max(room, 7.2 * max(len(name), len(size)) + 10)
        x += room
    width, height = math.ceil(x + 6), HEIGHT + (74 if labels else 44)
    place = f'viewBox="0 0 {width} {height}"' + (f' width="{width}" height="{height}"' if labels else "")
    kind = "network" if labels else "network silhouette"
    return f'<svg class="{kind}" role="img" aria-label="{esc(label)}" {place}>{"".join(parts)}</svg>'


def _tall(shape: list[int]) -> float:
    """The height of a layer: logarithmic in the side of its maps, or in its number of units."""
    if len(shape) == 3:
        return 0.4 + math.log2(max(1, shape[1])) if shape[1] > 1 else 0.8
    return 0.4 + 0.5 * math.log2(max(1, shape[0])) if shape else 0.8
