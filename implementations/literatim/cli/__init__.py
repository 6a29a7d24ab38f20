"""The command `literatim`. Nothing heavy is imported until a command needs it."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

from literatim.errors import LiteratimError, LiteratimWarning, SaidElsewhere, SaidForAll, did_you_mean
from literatim.experiment.launch import speaks
from literatim.places import at_home

COMMANDS = {
    "list": "the papers, by wildcard, year, topic or author",
    "show": "a paper's card in short",
    "cite": "references to papers: BibTeX, CSL-JSON or RIS",
    "verify": "the verdicts on a paper's claims",
    "lint": "check the cards, recipes and records",
    "fit": "train a recipe (the Lightning CLI)",
    "validate": "evaluate a checkpoint on the sets that a recipe watches",
    "test": "evaluate a checkpoint or shipped weights on the test set",
    "predict": "classify image files, generate images, film an agent, or ask for neighbours of words",
    "look": "draw a network's filters, and its feature maps for an image",
    "reproduce": "fit, test, record, and compare with the card",
    "carry": "show that today's code begins recorded runs with the same bits as the code they were made with",
    "export": "write a model as ONNX, or word vectors in word2vec's formats",
    "trace": "work out the facts that the site shows: verdicts, layers, curves, figures",
    "pages": "write the site's generated pages",
    "completion": "the lines that let bash, zsh or fish complete names and options",
}
# What others call what is called otherwise here.
ELSEWHERE = {
    "train": "fit", "run": "fit", "resume": "fit", "eval": "test", "evaluate": "test", "info": "show", "load": "show",
    "search": "list", "find": "list", "check": "verify", "infer": "predict", "generate": "predict",
    "draw": "look", "visualize": "look", "visualise": "look",
}  # fmt: skip
EXAMPLES = """
start here:
  literatim list                       what there is
  literatim reproduce lenet            train LeNet-5 on real digits, offline, a minute
  literatim verify lenet               what the paper claims, and what holds
  literatim fit lenet --recipe mnist --model.lr 0.001
  literatim predict lenet seven.png

literatim COMMAND --help says more on each.
"""


def run() -> NoReturn:
    """The command as a process. `verify` ends at once when all is said: the libraries of torch would take another
    120 MB and half a second to take themselves down, and it has begun nothing that must be ended in order."""
    status = main()
    if sys.argv[1:2] == ["verify"]:
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, 1 for claims that fail or faults found, 2 for a mistake."""
    args = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # one that cannot hold a letter shows ? in its place
            stream.reconfigure(errors="replace")
    try:
        try:
            with warnings.catch_warnings():
                _show_ours()
                return _dispatch([at_home(arg) for arg in args])
        finally:
            sys.stdout.flush()  # here, where a closed pipe is caught, and not at the interpreter's end
    except SaidElsewhere:
        pass
    except LiteratimError as error:
        if isinstance(error, SaidForAll) or speaks():
            print(f"literatim: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("literatim: stopped", file=sys.stderr)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"literatim: {where}{error.strerror or error}", file=sys.stderr)
    return 2


def _show_ours() -> None:
    """Our own warnings as our errors look, and each time."""
    others = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any) -> None:
        if issubclass(category, LiteratimWarning):
            print(f"literatim: {message}", file=sys.stderr)
        else:
            others(message, category, *rest)

    warnings.showwarning = show  # type: ignore[assignment]
    warnings.simplefilter("always", LiteratimWarning)


def _dispatch(args: list[str]) -> int:
    if not args or args[0] in ("-h", "--help", "help"):
        width = max(map(len, COMMANDS)) + 2
        print("usage: literatim COMMAND …\n\nA critical edition of deep learning's classic papers.\n")
        print("\n".join(f"  {name:{width}}{about}" for name, about in COMMANDS.items()))
        print(EXAMPLES.rstrip())
        return 0 if args else 2
    if args[0] == "--version":
        from literatim import __version__

        print(f"literatim {__version__}")
        return 0
    command, *rest = args
    if command not in COMMANDS:
        known = ELSEWHERE.get(command.lower())
        hint = f'; did you mean "{known}"?' if known else did_you_mean(command, COMMANDS)
        raise LiteratimError(f'there is no command "{command}"{hint}')
    if command in ("fit", "validate", "test", "predict", "reproduce"):
        from literatim.cli import train

        return train.main(command, rest)
    if command == "look":
        from literatim.cli import look

        return look.main(rest)
    if command == "carry":
        from literatim.cli import carry

        return carry.main(rest)
    if command == "completion":
        from literatim.cli import completion

        return completion.print_script(rest)
    if command in ("trace", "pages"):
        from literatim.cli import site

        return site.main(command, rest)
    from literatim.cli import browse

    return browse.main(command, rest)


def print_json(data: Any) -> None:
    """JSON that is whole in whatever encoding the output has."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(data, indent=1, ensure_ascii=not utf8))


class Parser(argparse.ArgumentParser):
    """argparse with errors of one sentence."""

    def error(self, message: str) -> None:  # type: ignore[override]
        unknown = next(iter(message.removeprefix("unrecognized arguments: ").split()), '""')
        hint = did_you_mean(unknown, [option for action in self._actions for option in action.option_strings])
        if message.startswith("unrecognized") and unknown.startswith("-"):
            message = f"there is no option {unknown}{hint}"
        elif message.startswith("unrecognized"):
            message = f'"{unknown}" is one word too many; leave it out'
        elif found := re.match(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", message):
            known = re.findall(r"[\w-]+", found[3])
            message = (
                f'there is no {found[1]} "{found[2]}"{did_you_mean(found[2], known)}; there are {", ".join(known)}'
            )
        raise LiteratimError(f"{self.prog.removeprefix('literatim ')}: {message}")
