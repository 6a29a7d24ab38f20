"""fit, validate, test, predict, reproduce: names, recipes and files are checked here, before torch is imported."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from literatim.cli import print_json, words
from literatim.errors import LiteratimError, plain
from literatim.experiment.launch import first
from literatim.experiment.runs import (
    CHECKPOINTS,
    LARGEST_SEED,
    drop_if_unused,
    find_checkpoint,
    known_recipe,
    new_run_folder,
    run_of,
)
from literatim.experiment.signals import LISTENER, Stopped
from literatim.imports import quickly
from literatim.interop import NETWORKS, same_network
from literatim.loading import TORCHVISION, known_variant, weights_record
from literatim.places import writable
from literatim.registry import head, heads
from literatim.registry.names import chosen, network

ABOUT = {
    "fit": "Train a recipe. The run's folder holds its configuration, curve, checkpoints and record.",
    "validate": "Evaluate on the sets that the recipe watches.",
    "test": "Evaluate on the test set.",
    "predict": "Classify image files: literatim predict PAPER FILE …\n"
    "Or have a paper that generates make some: literatim predict PAPER --to samples.png\n"
    "Or film the agent of one that plays: literatim predict PAPER --to film.gif\n"
    "Or let one that reads sequences read one: literatim predict PAPER --text ...\n"
    "Or ask one that learns words: literatim predict PAPER --ckpt_path last --words king queen",
    "reproduce": "Run a recipe for each seed, test it, record it, and compare with the card.",
}
OWN = """\
  PAPER                    id, alias, arXiv id, DOI, BibTeX key or title; or a network's name, such as resnet20
  --recipe NAME            a recipe of the card; quick where none is named
  --runs DIR               where run folders are made (default: runs)
  --config FILE            a configuration laid over the recipe
  --ckpt_path WHICH        last, best or a file: go on with that run (fit), or evaluate it
  --seed_everything N      the seed of weights, data order and everything else
  --allow_code MODULE      let configurations name classes of your own module (callbacks, loggers): code that you trust
  --print_config           print the whole configuration and stop"""
EXTRA = {
    "validate": "\n  --weights NAME           shipped weights; the first there are where no checkpoint is given",
    "test": "\n  --weights NAME           shipped weights; the first there are where no checkpoint is given",
    "predict": "\n  --weights NAME           shipped weights; the first there are where no checkpoint is given"
    "\n                           (of VGG and ResNet torchvision too, for photographs)"
    "\n  --json                   a list of files with classes and probabilities, or of what was made of a text"
    "\n  --text WORDS             of a paper that reads sequences: what it is to read"
    "\n  --to FILE.png            write generated images; with it --number N (default: 16), --seed K (default: 0)"
    "\n                           and, of a conditional paper, --label L (all in turn where none is named)"
    "\n  --to FILE.gif            write a film of an agent that plays, with the value of each action; or FILE.mp4,"
    "\n                           which needs literatim[film]; with it --number N steps (default: 300), from the"
    "\n                           test's episode --seed K on (default: 0)"
    "\n  --words WORD …           of a paper that learns words: whose neighbours to name; or --analogy A B C; by the"
    "\n                           run of --ckpt_path or by --vectors FILE; --number N answers to each (default: 10)",
    "reproduce": "\n  --variant NAME           a variant of the recipe; all of them where none is named"
    "\n  --seeds N                run the seeds 0 to N - 1 (default: 1)"
    "\n  --seed K                 run only the seed K\n  --again                  repeat what has been run before",
}


# Where the data are and who reads them may change when a run goes on; that they are the same is held.
WHERE = ("--data.root", "--data.workers")
MOST_SAMPLES = 10_000  # a picture of a hundred by a hundred
FILMS = {".gif", ".mp4"}
STEPS, MOST_STEPS = 300, 3000  # of an agent in a film: at fifteen a second twenty seconds, and over three minutes
SAMPLING = ("to", "number", "label")  # with `seed`, what `predict` is told of the images to generate


def main(command: str, args: list[str]) -> int:
    if not args or args[0].startswith("-"):
        papers = ", ".join(heads())
        if not args or args[0] in ("-h", "--help"):
            print(
                usage(command)
                + f"\n\npapers: {papers}\nliteratim {command} PAPER --help shows the paper's own options."
            )
            return 0 if args else 2
        raise LiteratimError(f"{command}: name a paper first, such as: literatim {command} lenet (there are {papers})")
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # of a process that is gone we say a sentence ourselves
    name, *rest = args
    rest = [re.sub("^-c=?(.*)", lambda found: f"--config={found[1]}" if found[1] else "--config", arg) for arg in rest]
    paper, implied = network(name)
    if command == "predict" and words.learns_words(paper):
        return words.predict(paper, rest, implied)
    own, rest = take(
        rest,
        {"recipe", "runs", "ckpt_path", "allow_code", "weights", "variant", "seeds", "seed", "text", *SAMPLING},
        {"json", "again", "help-all"},
    )
    recipe = known_recipe(paper, own.get("recipe"))
    if {"-h", "--help"} & set(rest) or "help-all" in own:
        return show_help(command, paper, recipe, everything="help-all" in own)
    for foreign in set(own) - allowed(command):
        raise LiteratimError(f"{command} has no option --{foreign}")
    check_files(rest)
    _, variant = chosen(name, own.get("variant") or option(rest, "model.variant"))
    if command == "reproduce":
        own |= {"variant": variant} if variant else {}
        return reproduce(paper, recipe, own, rest)
    if command == "fit":
        return fit(paper, recipe, own, rest, variant)
    return evaluate(command, paper, recipe, own, rest, variant)


def allowed(command: str) -> set[str]:
    more = {
        "validate": {"weights"},
        "test": {"weights"},
        "predict": {"weights", "json", "seed", "text", *SAMPLING},
        "reproduce": {"variant", "seeds", "seed", "again"},
    }
    return (
        {"recipe", "runs", "allow_code"}
        | more.get(command, set())
        | ({"ckpt_path"} if command != "reproduce" else set())
    )


def usage(command: str) -> str:
    files = " FILE …" if command == "predict" else ""
    return f"usage: literatim {command} PAPER{files} [options]\n\n{ABOUT[command]}\n\n{OWN}{EXTRA.get(command, '')}"


def take(args: list[str], named: set[str], flags: set[str]) -> tuple[dict[str, str], list[str]]:
    """Our own options out of the list, as `--name value` or `--name=value`; the rest is Lightning's."""
    own: dict[str, str] = {}
    rest: list[str] = []
    waiting = iter(args)
    for arg in waiting:
        name, equals, value = arg.removeprefix("--").partition("=")
        if arg.startswith("--") and name in flags:
            own[name] = "true"
        elif arg.startswith("--") and name in named:
            found = value if equals else next(waiting, None)
            if found is None:
                raise LiteratimError(f"--{name} needs a value")
            own[name] = found
        else:
            rest.append(arg)
    return own, rest


def allowed_code(own: dict[str, str]) -> list[str]:
    """Modules of others that may be imported; then also those of the current folder."""
    if "allow_code" not in own:
        return []
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.insert(0, os.getcwd())
    return own["allow_code"].split(",")


def option(args: list[str], name: str) -> str | None:
    """The value of one of Lightning's options, where it is given."""
    for i, arg in enumerate(args):
        if arg == f"--{name}" and i + 1 < len(args):
            return args[i + 1]
        if arg.startswith(f"--{name}="):
            return arg.partition("=")[2]
    return None


def of_variant(args: list[str], variant: str | None) -> list[str]:
    """The options with the variant among them that the name of a network stands for."""
    return args if variant is None or option(args, "model.variant") else [*args, f"--model.variant={variant}"]


def check_files(args: list[str]) -> None:
    config = option(args, "config")
    if config and not Path(config).is_file():
        raise LiteratimError(f"{config}: there is no such configuration file")


def fit(paper: str, recipe: str, own: dict[str, str], args: list[str], variant: str | None) -> int:
    root = Path(own.get("runs", "runs"))
    checkpoint = folder = None
    if given := own.get("ckpt_path"):
        checkpoint = find_checkpoint(root, paper, recipe, given)
        folder = run_of(checkpoint)
        named = [arg.split("=")[0] for arg in args if arg.startswith(("--model", "--data", "--seed", "--config"))]
        if changed := [name for name in named if name not in WHERE]:
            raise LiteratimError(
                f"{changed[0]} cannot be changed when a run goes on, for the checkpoint has the old value; begin a new "
                f"run: literatim fit {paper} --recipe {recipe} {' '.join(args)}"
            )
        if folder is not None and "recipe" not in own and folder.parent.name in head(paper)["recipes"]:
            recipe = folder.parent.name
    else:
        args = of_variant(args, variant)
    if "--print_config" in args or any(arg.startswith("--print_config=") for arg in args):
        folder = None
    elif folder is None:
        folder = new_run_folder(root, paper, recipe)
    began = f"literatim fit {paper} --recipe {recipe}"
    more = [f"--{name} {value}" for name, value in own.items() if name == "runs"]
    try:
        with LISTENER.listening():
            with quickly():
                from literatim.experiment.lightning import Request, run

            request = Request("fit", paper, recipe, args, folder, checkpoint, variant=variant)
            request.allowed = allowed_code(own)
            metrics = metrics_of(run(request))
    except Stopped as stopped:
        last = folder / CHECKPOINTS / "last.ckpt" if folder else None
        if last and last.is_file():
            return interrupted(stopped, f"{began} --ckpt_path {last}")
        return interrupted(stopped, " ".join([began, *more, *map(shlex.quote, args)]), nothing=True)
    finally:
        if folder:
            drop_if_unused(folder)
    if metrics is not None:
        print(f"run  {folder}\n" + "\n".join(f"  {k} {v:g}" for k, v in metrics.items()))
    return 0


def metrics_of(cli: Any) -> dict[str, Any] | None:
    """What a run came to, in the first process.

    Not a part of `fit`, whose names live on to the interpreter's end, by frames of the imports that are never
    collected: with a name for it the run's model and data would too.
    """
    return cli.record["metrics"] if cli.trainer.is_global_zero else None


def interrupted(stopped: Stopped, command: str, nothing: bool = False) -> int:
    """Say how to go on, in one process of all; returns the exit status."""
    saved = "everything is saved" if stopped.saved else "the last checkpoint is whole"
    what = "before anything was learnt; begin again" if nothing else f"{saved}; go on"
    if first():
        print(f"literatim: stopped{' ' if nothing else ', '}{what} with:\n  {command}", file=sys.stderr)
    return stopped.status


def evaluate(command: str, paper: str, recipe: str, own: dict[str, str], args: list[str], variant: str | None) -> int:
    """validate, test, predict."""
    files: list[str] = []
    to = sampling(own) if command == "predict" else None
    text = own.get("text")
    if text is not None and (others := [*(["--to"] if to else []), *(arg for arg in args[:1] if arg[:1] != "-")]):
        raise LiteratimError(f"--text and {others[0]} exclude each other; leave one of them out")
    if command == "predict" and to is None and text is None:
        while args and not args[0].startswith("-"):
            files.append(args.pop(0))
        if not files:
            raise LiteratimError(
                f"predict: name image files: literatim predict {paper} seven.png; of a paper that generates say where "
                "its images go: --to samples.png; of one that plays, its film: --to film.gif; to one that reads "
                "sequences give one: --text"
            )
        if missing := [file for file in files if not Path(file).is_file()]:
            odd = Path(missing[0]).exists()
            raise LiteratimError(f"{missing[0]}: {'not a plain file' if odd else 'there is no such file'}")
    checkpoint = weights = None
    if given := own.get("ckpt_path"):
        if "weights" in own:
            raise LiteratimError("--ckpt_path and --weights exclude each other")
        checkpoint = find_checkpoint(Path(own.get("runs", "runs")), paper, recipe, given)
        folder = run_of(checkpoint)
        if folder is not None and "recipe" not in own and folder.parent.name in head(paper)["recipes"]:
            recipe = folder.parent.name
    elif own.get("weights") == TORCHVISION and paper in NETWORKS:
        return by_torchvision(command, paper, variant, files, args, "json" in own)
    else:
        weights = shipped_name(paper, own.get("weights") or own.get("recipe"), command)
        record = weights_record(paper, weights)
        if variant not in (None, record["variant"]):
            raise LiteratimError(f'the weights "{weights}" are of {paper} {record["variant"]}, not of {variant}')
        recipe = record["recipe"]
        args = [f"--model.variant={record['variant']}", f"--model.options={json.dumps(record['options'])}", *args]
    with quickly():
        from literatim.experiment.lightning import Request, run

    asked: dict[str, int] = {name: int(own[name]) for name in ("number", "seed", "label") if to and name in own}
    request = Request(command, paper, recipe, args, None, checkpoint, files, weights=weights, to=to, variant=variant)
    request.allowed = allowed_code(own)
    request.text = text
    filmed = to is not None and to.suffix.lower() in FILMS
    request.sampling = {"number": STEPS if filmed else 16, "seed": 0, **asked} if to else {}
    tell(run(request), "json" in own)
    return 0


def tell(cli: Any, as_json: bool) -> None:
    """What an evaluation has found, in the first process; no part of `evaluate`, as `metrics_of` is none of `fit`."""
    request = cli.request
    if not first():
        return
    if request.to:
        number, seed = request.sampling["number"], request.sampling["seed"]
        filmed = request.to.suffix.lower() in FILMS
        what = (
            f"{number} steps from episode {seed} on; {ended(cli.scores)}" if filmed else f"{number} images, seed {seed}"
        )
        print(f"{request.to}: {what}")
    elif request.text is not None:
        print_rows(cli.rows, as_json)
    elif request.command == "predict":
        print_predictions(request.files, cli.datamodule.classes, cli.predictions, as_json)


def by_torchvision(
    command: str, paper: str, variant: str | None, files: list[str], args: list[str], as_json: bool
) -> int:
    """Photographs in the thousand classes of ImageNet."""
    if command != "predict":
        raise LiteratimError(
            f"torchvision's weights name photographs (literatim predict {paper} x.jpg --weights torchvision) and are a "
            f"start for your own (--model.weights torchvision); {command} takes a run, --ckpt_path last"
        )
    if others := [arg for arg in args if arg.startswith("-") and not arg.startswith("--model.variant")]:
        raise LiteratimError(f"{others[0].partition('=')[0]} does not go with --weights torchvision; leave it out")
    same_network(paper, known_variant(paper, variant))
    from literatim.experiment.classify import classify

    print_predictions(files, *classify(paper, variant, files), as_json)
    return 0


def sampling(own: dict[str, str]) -> Path | None:
    """Where generated images are to be written, if any are asked for; what is said of them is checked."""
    to = Path(own["to"]) if "to" in own else None
    filmed = to is not None and to.suffix.lower() in FILMS
    most_of = {"number": MOST_STEPS if filmed else MOST_SAMPLES, "seed": LARGEST_SEED, "label": LARGEST_SEED}
    for name, most in most_of.items():
        if name not in own:
            continue
        if to is None:
            raise LiteratimError(f"--{name} is of images to generate: say where to write them with --to samples.png")
        whole_number(name, own[name], int(name == "number"), most)
    if to is None:
        return None
    if filmed and "label" in own:
        raise LiteratimError("--label is of images to generate, and a film has none; leave it out")
    if not filmed and to.suffix.lower() != ".png":
        raise LiteratimError(f"--to {to}: name a file ending in .png, for a film of an agent in .gif or .mp4")
    return writable(to)


def ended(scores: list[float]) -> str:
    """What became of the episodes that are shown."""
    if not scores:
        return "the episode had not ended"
    return f"{len(scores)} ended, with a mean score of {sum(scores) / len(scores):.3g}"


def whole_number(name: str, given: str, least: int, most: int) -> int:
    """The number that an option gives. Raises LiteratimError for anything else than digits, and beyond the bounds."""
    if not re.fullmatch("[0-9]{1,20}", given) or not least <= int(given) <= most:
        raise LiteratimError(f"--{name} is {given[:40]}; it must be a whole number from {least} to {most:,}")
    return int(given)


def shipped_name(paper: str, name: str | None, command: str) -> str:
    """The name of shipped weights, the first there are where none is given. Raises LiteratimError where none ship."""
    from literatim.loading import shipped_weights

    shipped = shipped_weights(paper)
    if name is None and shipped:
        name = next(iter(shipped))
    if name not in shipped:
        have = f"; weights ship for {', '.join(shipped)}" if shipped else ""
        if paper in NETWORKS and command == "predict":
            have += "; photographs are named by --weights torchvision"
        recipe = f" --recipe {name}" if name in head(paper)["recipes"] else ""
        raise LiteratimError(
            f"{paper} has no weights{f' for {name}' if name else ''}{have}; train first, then evaluate that run: "
            f"literatim fit {paper}{recipe}, literatim {command} {paper}{recipe} --ckpt_path last"
        )
    return str(name)


def print_predictions(files: list[str], classes: list[str], predictions: Any, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "file": file,
            "class": classes[int(row.argmax())],
            "probabilities": dict(zip(classes, row.tolist(), strict=True)),
        }
        for file, row in zip(files, predictions, strict=True)
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        best = sorted(row["probabilities"].items(), key=lambda item: -item[1])[:3]
        print(f"{row['file']}: {row['class']}   " + "  ".join(f"{name} {100 * p:.1f} %" for name, p in best))


def print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    """What was made of a text, a line for each step of it, under the names of the columns."""
    if as_json:
        print_json(rows)
        return
    lines = [[*rows[0]]] if rows else []
    for row in rows:
        lines.append([f"{cell:.3f}" if isinstance(cell, float) else plain(str(cell)) for cell in row.values()])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print("\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines))


def reproduce(paper: str, recipe: str, own: dict[str, str], args: list[str]) -> int:
    for name, instead in (("seed_everything", "--seed K"), ("model.variant", "--variant NAME")):
        if option(args, name) is not None:
            raise LiteratimError(f"reproduce sets --{name} itself; say {instead}")
    runs = whole_number("seeds", own.get("seeds", "1"), 1, LARGEST_SEED + 1)
    seeds = [whole_number("seed", own["seed"], 0, LARGEST_SEED)] if "seed" in own else range(runs)
    from literatim.registry import card
    from literatim.registry.ledger import records

    entry = card(paper)
    records(paper)  # a faulty one is named now, not after hours
    variants = [own["variant"]] if "variant" in own else list(entry.recipe_variants(recipe))
    root = Path(own.get("runs", "runs"))
    words = [f"--{name} {shlex.quote(value)}" for name, value in own.items() if name != "again"]
    words += ["--again"] * ("again" in own) + [shlex.quote(arg) for arg in args]
    lines: list[str] = []
    met = True
    try:
        with LISTENER.listening():
            with quickly():
                from literatim.claims import verify
                from literatim.cli.browse import print_verdicts
                from literatim.experiment.lightning import Request, alone
                from literatim.experiment.reproduce import reproduce as run_seed

            asked = Request("reproduce", paper, recipe, args, allowed=allowed_code(own))
            for variant in variants:
                for seed in seeds:
                    if first():
                        print(f"{paper}, recipe {recipe}: {variant}, seed {seed}", file=sys.stderr)
                    record, folder, place, before = run_seed(asked, root, variant, seed, "again" in own)
                    again = " (run before; --again repeats it)" * before
                    lines.append(f"{variant}, seed {seed}: {said(record['metrics'])}{again}")
                    expects = entry.recipes[recipe].expects
                    if expects and expects.metric in record["metrics"]:
                        good = expects.met(record["metrics"][expects.metric])
                        met = met and good
                        lines.append(f"  the card expects {expects}: {'met' if good else 'MISSED'}")
                    lines += [f"  run     {folder}", f"  curve   {folder / 'curve.png'}"]
                    lines.append(f"  record  {place / 'record.json'}")
            alone()
            if not first():
                return 0
            verdicts = verify(paper, claim="*")
    except Stopped as stopped:
        return interrupted(stopped, " ".join([f"literatim reproduce {paper}", *words]))
    print_verdicts(verdicts)
    print("\n" + "\n".join(lines))
    return int(not met or any(v.verdict == "fails" for v in verdicts))


def said(metrics: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in metrics.items() if name.startswith("test_"))


def show_help(command: str, paper: str, recipe: str, everything: bool) -> int:
    """The paper's own options, from its training and data modules; the Trainer's on --help-all."""
    with quickly():
        from literatim.experiment.help import options_help

    print(usage(command) + "\n\n" + options_help(paper, recipe, command, everything))
    return 0
