"""trace and pages: what `make docs` runs before MkDocs. Only trace imports torch."""

from __future__ import annotations

from pathlib import Path

from literatim.cli import COMMANDS, Parser
from literatim.errors import LiteratimError
from literatim.registry.facts import facts_folder, facts_of
from literatim.registry.ledger import PACKAGE


def main(command: str, args: list[str]) -> int:
    parser = Parser(prog=f"literatim {command}", description=COMMANDS[command][0].upper() + COMMANDS[command][1:] + ".")
    return {"trace": trace, "pages": pages}[command](parser, args)


def trace(parser: Parser, args: list[str]) -> int:
    parser.epilog = (
        "Runs every claim, draws every network, exports the demos' models and runs the tutorials; what has not changed "
        "is kept. Exit status 1 if a claim fails."
    )
    parser.add_argument("papers", nargs="*", metavar="PAPER", help="all papers, and the tutorials, where none is named")
    parser.add_argument("--to", type=Path, default=facts_folder(), metavar="DIR", help="(default: build/facts)")
    parser.add_argument("--again", action="store_true", help="also what has not changed")
    given = parser.parse_args(args)
    from literatim.registry import find, resolve

    papers = [resolve(name) for name in given.papers]  # before torch
    tutorials = None if papers else checkout() / "tutorials"
    from literatim.trace import trace as bring_up_to_date

    for said in bring_up_to_date(papers or find(), tutorials, given.to, again=given.again):
        print(said, flush=True)
    failing = {paper: failures(paper, given.to) for paper in papers or find()}
    print("".join(f"{paper} fails: {', '.join(names)}\n" for paper, names in failing.items() if names), end="")
    return int(any(failing.values()))


def failures(paper: str, facts: Path) -> list[str]:
    """The claims of a paper whose traced verdict is `fails`."""
    found = (facts_of(paper, facts) or {}).get("verdicts", {})
    return [name for name, verdict in found.items() if verdict["verdict"] == "fails"]


def pages(parser: Parser, args: list[str]) -> int:
    parser.add_argument("--to", type=Path, metavar="DIR", help="the site's sources (default: docs of the checkout)")
    parser.add_argument("--facts", type=Path, default=facts_folder(), metavar="DIR", help="(default: build/facts)")
    given = parser.parse_args(args)
    from literatim.pages.site import write

    done = write(given.to or checkout() / "docs", given.facts, checkout() / "tutorials")
    print("\n".join(done) or "nothing has changed")
    return 0


def checkout() -> Path:
    """The root of the checkout, where tutorials and site are."""
    root = PACKAGE.parents[1]
    if not (root / "mkdocs.yml").exists():
        raise LiteratimError("the site is made in a checkout of the project, not from the installed package")
    return root
