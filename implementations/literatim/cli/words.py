"""predict and export of papers whose outcome is words with vectors: neighbours, analogies, files of vectors."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from literatim.cli import Parser, print_json
from literatim.errors import LiteratimError, plain
from literatim.experiment.runs import find_checkpoint, known_recipe
from literatim.loading import load, shipped_vectors
from literatim.registry import card

ABOUT = "The words nearest to words, and answers to analogies, by vectors that ship, of a run or of a file."


def learns_words(paper: str) -> bool:
    return any(recipe.data == "corpus" for recipe in card(paper).recipes.values())


def add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ckpt_path", metavar="WHICH", help="last, best or a file: what that run has learned")
    parser.add_argument("--vectors", type=Path, metavar="FILE", help="word vectors in word2vec's text or binary format")
    parser.add_argument("--recipe", help="the recipe of the run (default: quick)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="default: runs")


def predict(paper: str, args: list[str], network: str | None = None) -> int:
    parser = Parser(prog=f"literatim predict {paper}", description=ABOUT)
    parser.add_argument("--words", nargs="+", default=[], metavar="WORD", help="whose neighbours to name")
    parser.add_argument("--analogy", nargs=3, metavar=("A", "B", "C"), help="A is to B as C is to what?")
    parser.add_argument("--number", type=int, default=10, metavar="N", help="answers to each (default: 10)")
    parser.add_argument("--json", action="store_true", help="a list of what was asked, with words and cosines")
    parser.add_argument("--weights", metavar="NAME", help="shipped word vectors; the first there are by default")
    add_source(parser)
    given = parser.parse_args(args, argparse.Namespace(network=network))
    if not given.words and not given.analogy:
        raise LiteratimError(f"predict: ask something of {paper}: --words king queen, or --analogy man king woman")
    if given.number < 1:
        raise LiteratimError(f"--number is {given.number}; it must be at least 1")
    vectors = looked_up(paper, given)
    asked = [({"word": word}, vectors.neighbours(word, given.number)) for word in given.words]
    if given.analogy:
        asked.append(({"analogy": given.analogy}, vectors.analogy(*given.analogy, given.number)))
    if given.json:
        rows = [{**what, "answers": [{"word": w, "cosine": c} for w, c in answers]} for what, answers in asked]
        print_json(rows)
        return 0
    for what, answers in asked:
        print(what.get("word") or "{} is to {} as {} is to".format(*what["analogy"]))
        shown = [(plain(word), cosine) for word, cosine in answers]
        width = max((len(word) for word, _ in shown), default=0)
        print("\n".join(f"  {word:{width}}  {cosine:.4f}" for word, cosine in shown))
    return 0


def export(paper: str, given: argparse.Namespace) -> int:
    """Write vectors that ship, of a run, or of a file in the other format."""
    if given.variant:
        raise LiteratimError(f"{paper} exports word vectors, which have no variant: leave --variant out")
    if given.weights:
        training = training_of(paper)
        found = training.unit_vectors(looked_up(paper, given))
    else:
        training, found = stored(paper, given)
    training.write_vectors(found, given.to)
    print(given.to)
    return 0


def looked_up(paper: str, given: argparse.Namespace) -> Any:
    """Words with their vectors, to be asked."""
    others = [f"--{name}" for name in ("ckpt_path", "vectors") if getattr(given, name)]
    if given.weights and others:
        raise LiteratimError(f"{others[0]} and --weights exclude each other")
    if not others and (name := given.weights or next(iter(shipped_vectors(paper)), None)):
        return load(paper, weights=name)
    training, found = stored(paper, given)
    return training.look_up(found)


def training_of(paper: str) -> Any:
    from literatim.experiment.options import import_path

    return import_path(card(paper).training or "")


def stored(paper: str, given: argparse.Namespace) -> tuple[Any, Any]:
    """The paper's training, which knows its files, and the words with their vectors."""
    if bool(given.ckpt_path) == bool(given.vectors):
        raise LiteratimError(
            f"name either a run, --ckpt_path last (first train it: literatim fit {paper}), or a file, --vectors FILE"
        )
    if given.vectors and not given.vectors.is_file():
        raise LiteratimError(f"{given.vectors}: there is no such file")
    checkpoint = None
    if given.ckpt_path:
        checkpoint = find_checkpoint(given.runs, paper, known_recipe(paper, given.recipe), given.ckpt_path)
    from literatim.experiment.checkpoints import read_checkpoint

    training = training_of(paper)
    if checkpoint is None:
        return training, training.read_vectors(given.vectors)
    state = read_checkpoint(checkpoint)
    try:
        if (of := state["literatim"]["paper"]) != paper:
            raise LiteratimError(f"{checkpoint}: a checkpoint of {of}, not of {paper}; name the paper as it is")
        if given.network not in (None, of := state["literatim"]["variant"]):
            raise LiteratimError(f"{checkpoint}: a checkpoint of {paper} {of}, not of {given.network}")
        return training, training.vectors_of(state)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        what = "not whole: it has no finite vector for each of its words"
        raise LiteratimError(f"{checkpoint}: {what}; take another one") from None
