"""The facts of one paper: verdicts, layers, curves of the recorded runs, the model of its demo."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from literatim.claims.given import reading_noted, still_stated
from literatim.claims.once import measured_once
from literatim.claims.verdicts import call, judge
from literatim.experiment.export import write_onnx
from literatim.loading import load
from literatim.registry.facts import claim_key, facts_of, paper_key
from literatim.registry.ledger import Record, records
from literatim.registry.reading import card, claims, weights_path
from literatim.registry.schema import Claim, Text
from literatim.trace.curves import curves
from literatim.trace.drawing import style, svg
from literatim.trace.networks import networks


def facts_anew(paper: str, to: Path, *, again: bool = False) -> str:
    """Bring the facts of a paper up to date; returns what was done in a few words.

    Verdicts are kept for claims that have not changed, nor any number that they read of others; the rest is made anew
    when code, recipes or records have.
    """
    key, old = paper_key(paper), facts_of(paper, to) or {}
    same = old.get("key") == key and not again
    kept = old.get("verdicts", {}) if same else {}
    verdicts: dict[str, Any] = {}
    with measured_once():
        for claim in claims(paper):
            known = kept.get(claim.id, {})
            fresh = known.get("key") == claim_key(claim) and still_stated(known["read"])
            verdicts[claim.id] = known if fresh else verdict_of(paper, claim)
    folder = to / paper
    if not same:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    rest = {name: old[name] for name in ("networks", "curves", "picture")} if same else drawn(paper)
    demo = card(paper).demo
    if demo and demo.network and not same and weights_path(paper, demo.weights).is_file():
        export_demo(paper, demo.network, demo.weights, folder / f"{paper}.onnx")
    facts = {"key": key, "verdicts": verdicts, **rest}
    beside = folder / "facts.json.new"
    beside.write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    beside.replace(folder / "facts.json")
    new = sum(kept.get(name) != verdict for name, verdict in verdicts.items())
    return f"{paper}: {len(verdicts)} verdicts ({new} new), {len(rest['networks'])} variants drawn"


def verdict_of(paper: str, claim: Claim) -> dict[str, Any]:
    """A verdict as the pages want it; the card's own reasons, which pages take from the card, are left out."""
    with reading_noted() as read:
        found = judge(paper, claim)
    wrong = claim.erratum or claim.unexplained
    why = wrong.why if wrong else Text(en="", zh="")
    return {
        "key": claim_key(claim),
        "read": read,
        "verdict": found.verdict,
        "measured": found.measured,
        "detail": {
            "en": found.detail.removeprefix(why.en).lstrip("; "),
            "zh": (found.detail_zh or "").removeprefix(why.zh or "").lstrip("；") or None,
        },
    }


def drawn(paper: str) -> dict[str, Any]:
    """What the card's claims do not change: the layers of each variant and the curves of each recipe."""
    named: dict[str, set[str]] = {}
    for claim in claims(paper):
        if claim.measure and claim.measure.module:
            named.setdefault(claim.measure.variant, set()).add(claim.measure.module)
    groups: dict[str, list[Record]] = {}
    for record in records(paper):
        groups.setdefault(f"{record['recipe']}/{record['variant']}", []).append(record)
    unit, of = card(paper).error_unit, {claim.id: claim for claim in claims(paper)}
    lines = {
        name: {kind: of[one] for kind, one in recipe.lines.items()} for name, recipe in card(paper).recipes.items()
    }
    return {
        "networks": {
            name: networks(paper, name, variant, named.get(name, set()))
            for name, variant in card(paper).variants.items()
        },
        "curves": {
            name: curves(runs, f"{paper}-{name.replace('/', '-')}", unit, lines[name.partition("/")[0]])
            for name, runs in groups.items()
        },
        "picture": picture(paper),
    }


def picture(paper: str) -> str | None:
    """SVG: the picture that the card's demo wants of its weights."""
    demo = card(paper).demo
    if demo is None or demo.picture is None:
        return None
    with style():
        return svg(call(demo.picture.draw, weights_path(paper, demo.weights)), f"{paper}-picture")


def export_demo(paper: str, network: str, weights: str, path: Path) -> None:
    """The demo's module, around the model with its recorded weights, as ONNX: for its own input, or the model's."""
    net = call(network, load(paper, weights=weights))
    shape = getattr(net, "input", card(paper).variants[card(paper).default_variant].input)
    if isinstance(shape, dict):
        shape = next(iter(shape.values()))
    write_onnx(net.eval(), shape, path, list(net.outputs))
