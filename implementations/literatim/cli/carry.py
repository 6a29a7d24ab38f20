"""carry: what recorded runs are worth after a change of the code that changes no outcome."""

from __future__ import annotations

from literatim.cli import COMMANDS, Parser
from literatim.errors import LiteratimError
from literatim.registry import resolve
from literatim.registry.ledger import records
from literatim.registry.reading import shown

EPILOG = (
    "A record is stale when the code has changed. Of each such record the beginning is run twice, with the code of its "
    "commit and with today's, on this machine; where weights, optimiser, random numbers, curve and test agree in every "
    "bit, the record is given today's hash and the number of steps that were compared. Files that the run's options "
    "name are looked for in the current folder. --data.tests 2 makes the tests of both shorter. Exit status 1 "
    "where a bit differs."
)


def main(args: list[str]) -> int:
    parser = Parser(prog="literatim carry", description=COMMANDS["carry"][0].upper() + COMMANDS["carry"][1:] + ".")
    parser.epilog = EPILOG
    parser.add_argument("paper", metavar="PAPER")
    parser.add_argument("--recipe", help="of one recipe only")
    parser.add_argument("--epochs", type=int, default=1, metavar="N", help="so many are run (default: 1)")
    parser.add_argument("--batches", type=int, metavar="N", help="of each epoch only so many (default: all)")
    parser.add_argument(
        "--data.tests", dest="tests", type=int, metavar="N", help="tests of so many, where there are more"
    )
    given = parser.parse_args(args)
    paper = resolve(given.paper)
    if given.epochs < 1 or (given.batches or 1) < 1 or (given.tests or 1) < 1:
        raise LiteratimError("carry: --epochs, --batches and --data.tests are at least 1")
    stale = [record for record in records(paper, given.recipe) if record.stale == ["code"]]
    if not stale:
        print(f"{paper}: no record is stale for its code alone")
        return 0
    from literatim.experiment.carry import carry

    differing = 0
    for record in stale:
        steps, what = carry(record, given.epochs, given.batches, given.tests)
        differing += what is not None
        said = f"differs in {what}" if what else f"the same bits over {steps:,} steps: carried"
        print(f"{shown(record.folder)}: {said}", flush=True)
    return int(differing > 0)
