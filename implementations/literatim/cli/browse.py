"""list, show, cite, verify, lint, export."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from literatim.cli import COMMANDS, Parser, literature, print_json
from literatim.errors import LiteratimError
from literatim.places import writable

if TYPE_CHECKING:
    from literatim.claims.verdicts import Verdict

COLOURS = {
    "holds": "green", "reproduced": "green", "erratum": "yellow", "unexplained": "yellow", "fails": "bold red",
    "missed": "red", "indicative": "cyan", "stale": "dim", "not attempted": "dim", "not run": "dim",
}  # fmt: skip


def main(command: str, args: list[str]) -> int:
    parser = Parser(prog=f"literatim {command}", description=COMMANDS[command][0].upper() + COMMANDS[command][1:] + ".")
    commands = {"list": list_, "show": show, "cite": literature.cite, "verify": verify, "lint": lint, "export": export}
    return commands[command](parser, args)


def list_(parser: argparse.ArgumentParser, args: list[str]) -> int:
    parser.add_argument("pattern", nargs="?", default="*", help='of id, alias or title, such as "*net*"')
    literature.add_filters(parser)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(args)
    from literatim.registry.names import matching

    entries = matching(given.pattern, **literature.filters(given))
    rows = [
        {
            "id": paper,
            "title": entry["title"],
            "year": entry["year"],
            "topics": entry["topics"],
            "variants": list(entry["variants"]),
            "recipes": list(entry["recipes"]),
        }
        | ({"card": "venue" in entry} if given.all else {})
        for paper, entry in entries.items()
    ]
    if given.json:
        print_json(rows)
    elif rows:
        _print_columns([("paper", "year", "title", "variants", "recipes")] + [
            (r["id"], str(r["year"]), r["title"], _few(r["variants"]), _few(r["recipes"])) for r in rows
        ], shutil.get_terminal_size((10_000, 24)).columns)  # fmt: skip
    else:
        print("no paper matches", file=sys.stderr)
    return 0


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _print_columns(rows: list[tuple[str, ...]], room: int) -> None:
    """Plain aligned columns, so many of them as there is room for: a table library takes longer to import than this
    command may take."""
    widths = [min(44, max(len(row[i]) for row in rows)) for i in range(len(rows[0]))]
    while len(widths) > 3 and sum(widths) + 2 * (len(widths) - 1) > room:
        del widths[-1]
    spare = room - sum(widths) - 2 * (len(widths) - 1)
    widths[2] = max(1, min(widths[2] + spare, max(len(row[2]) for row in rows)) if len(widths) == 3 else widths[2])
    for row in rows:
        cells = (
            cell if len(cell) <= width else cell[: width - 1] + "…" for cell, width in zip(row, widths, strict=False)
        )
        print("  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())


def show(parser: argparse.ArgumentParser, args: list[str]) -> int:
    parser.add_argument("paper", help=literature.NAMED)
    parser.add_argument("--json", action="store_true", help="the whole card")
    given = parser.parse_args(args)
    from literatim.registry.names import reference

    entry, has_card = reference(given.paper)
    if not has_card:
        return literature.show(entry["id"], given.json)
    from literatim.interop import NETWORKS
    from literatim.loading import TORCHVISION, known_weights, shipped_weights
    from literatim.registry import card, claims
    from literatim.registry.ledger import records

    found = card(entry["id"])
    if given.json:
        print_json(found.model_dump(by_alias=True, mode="json"))
        return 0
    from rich.console import Console

    out = Console(highlight=False, markup=False)
    out.print(found.title, style="bold")
    out.print(f"{', '.join(found.authors)}\n{found.venue}, {found.year}")
    out.print("  ".join(filter(None, [found.doi and f"doi:{found.doi}", found.arxiv and f"arXiv:{found.arxiv}"])))
    out.print(f"\n{found.summary.en.strip()}\n")
    out.print("variants", style="bold")
    for name, variant in found.variants.items():
        also = ", ".join(alias for alias, of in found.variant_aliases.items() if of == name)
        words = [variant.where, "" if variant.faithful else "not the paper’s, for comparison", also and f"also {also}"]
        out.print(f"  {name:18} {'  '.join(filter(None, words))}")
    out.print("recipes", style="bold")
    recorded = Counter(record["recipe"] for record in records(found.id))
    for name, recipe in found.recipes.items():
        runs = recorded[name]
        out.print(f"  {name:18} {recipe.about.en} ({recipe.data}; {runs} recorded run{'s' * (runs != 1)})")
    runs_of = shipped_weights(found.id)
    if weights := known_weights(found.id):
        out.print("weights", style="bold")
    for name in weights:
        if run := runs_of.get(name):
            what = f"{run['variant']}, of the recorded run of {run['recipe']} with seed {run['seed']}"
        elif name == TORCHVISION:
            what = f"as torchvision publishes them, of {', '.join(NETWORKS[found.id])}"
        else:
            what = "words with their vectors"
        out.print(f'  {name:18} {what}: literatim.load("{found.id}", weights="{name}")')
    out.print(f"\n{len(claims(found.id))} claims: literatim verify {found.id}")
    return 0


def verify(parser: argparse.ArgumentParser, args: list[str]) -> int:
    parser.epilog = "Exit status 1 if a claim fails. Those that take seconds run with --kind behavioural or --claim."
    parser.add_argument("papers", nargs="*", metavar="PAPER", help="all papers where none is named")
    parser.add_argument("--kind", choices=("structural", "behavioural", "empirical"))
    parser.add_argument("--claim", help="a claim's id, or a wildcard pattern")
    parser.add_argument("--json", action="store_true", help="one list of rows")
    given = parser.parse_args(args)
    from literatim.registry import resolve

    papers: list[str | None] = [resolve(name) for name in given.papers]  # before torch
    from literatim.claims.verdicts import verify as judge

    rows = [v for paper in papers or [None] for v in judge(paper, kind=given.kind, claim=given.claim)]
    if given.json:
        print_json([row.as_json() for row in rows])
    else:
        print_verdicts(rows)
    return int(any(row.verdict == "fails" for row in rows))


def print_verdicts(rows: list[Verdict]) -> None:
    """The table of verdicts, and how many there are of each."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from literatim.claims.verdicts import causes, count

    out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 140)
    for paper in dict.fromkeys(row.paper for row in rows):
        table = Table("claim", "where", "the paper says", "we measure", "verdict", box=box.SIMPLE_HEAD, title=paper)
        for row in (row for row in rows if row.paper == paper):
            verdict = Text(row.verdict, style=COLOURS[row.verdict])
            says = row.printed if row.printed is not None else row.states
            if row.follows_from:
                says = f"{_cell(row.stated)}, follows from {row.follows_from}"
            table.add_row(row.claim, row.where, says, _cell(row.measured), verdict)
        out.print(table)
        for row in (row for row in rows if row.paper == paper and row.detail):
            if row.verdict == "holds" and not row.cut_off:
                continue
            out.print(Text.assemble((row.claim, "bold"), f", {row.verdict}: {row.detail}"))
    counted, slips = count(rows), causes(rows)
    of = {"erratum": f" of {slips} cause{'s' * (slips != 1)}"} if slips < counted.get("erratum", 0) else {}
    out.print("\n" + ", ".join(f"{number} {name}{of.get(name, '')}" for name, number in counted.items()))


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "x".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def lint(parser: argparse.ArgumentParser, args: list[str]) -> int:
    parser.epilog = "Exit status 1 if there are faults."
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="a card, recipe, record …; all where none")
    parser.add_argument(
        "--schema", choices=("card", "claims", "record", "index"), help="print the JSON Schema for editors instead"
    )
    given = parser.parse_args(args)
    if given.schema:
        from literatim.registry.index_schema import Index
        from literatim.registry.recorded import RecordFile
        from literatim.registry.schema import Card, Claims

        schemas: dict[str, Any] = {"card": Card, "claims": Claims, "record": RecordFile, "index": Index}
        print_json(schemas[given.schema].model_json_schema())
        return 0
    from literatim.registry.lint import lint as faults_of

    if absent := [file for file in given.files if not file.exists()]:
        raise LiteratimError(f"{absent[0]}: there is no such file")
    faults = faults_of(given.files)
    if not given.files:
        from literatim.pages.essay import essay_faults
        from literatim.pages.glossary import other_words
        from literatim.pages.notes import note_faults
        from literatim.pages.translations import behind
        from literatim.registry import papers_folder

        checkout = papers_folder().parent  # elsewhere there are no pages
        faults += essay_faults() + behind(checkout) + other_words(checkout) + list(note_faults())
    print("\n".join(faults) or "no faults")
    return int(bool(faults))


def export(parser: argparse.ArgumentParser, args: list[str]) -> int:
    from literatim.cli import words

    parser.add_argument("paper", help="id, alias, arXiv id, DOI, BibTeX key or title, or a network's name")
    parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="FILE.onnx; for words .txt or .bin")
    parser.add_argument("--variant")
    parser.add_argument("--weights", help="name of shipped weights")
    words.add_source(parser)
    given = parser.parse_args(args)
    from literatim.registry.names import chosen

    paper, network = chosen(given.paper, given.variant)
    writable(given.to)
    if words.learns_words(paper):
        given.network = network
        return words.export(paper, given)
    given.variant = network
    if given.vectors:
        raise LiteratimError(f"{paper} learns no words: a run of it is exported, --ckpt_path last, or --weights NAME")
    if given.to.suffix.lower() != ".onnx":
        raise LiteratimError(f"--to {given.to}: a network is written as ONNX: name a file ending in .onnx")
    if given.ckpt_path and given.weights:
        raise LiteratimError("--ckpt_path and --weights exclude each other")
    checkpoint = None
    if given.ckpt_path:
        from literatim.experiment.runs import find_checkpoint, known_recipe

        checkpoint = find_checkpoint(given.runs, paper, known_recipe(paper, given.recipe), given.ckpt_path)
    from literatim.experiment.export import export as write

    write(paper, given.variant, given.weights, given.to, checkpoint)
    print(given.to)
    return 0
