"""look: what a network has learned and what it makes of an image, drawn. Names and files are checked before torch."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from literatim.cli import Parser, print_json
from literatim.errors import LiteratimError
from literatim.experiment.runs import find_checkpoint, known_recipe, run_of
from literatim.imports import quickly
from literatim.loading import TORCHVISION, known_weights, weights_record
from literatim.registry import card, head, heads
from literatim.registry.names import chosen
from literatim.weightfiles import is_file_name, read_weights

ABOUT = """\
Draw the filters of a network's convolutions and the feature maps of each of its layers for an image, as PNG files.

The image is shown to the network as the recipe of the weights shows images. In a picture of filters grey is zero; each
map is drawn from its least value, black, to its largest, white. Files are called by their place in the network,
01-c1-filters.png, 01-c1-maps.png, and 00-input.png is what the network sees."""
EXAMPLES = """\
examples:
  literatim look lenet --image seven.png --to seen --weights mnist         LeNet-5 as it has learned MNIST
  literatim look lenet --image seven.png --to seen --ckpt_path last        what your last run of quick learned
  literatim look resnet50 --image cat.jpg --to seen --weights torchvision  a network by its own name
  literatim look vgg --variant d --image cat.jpg --to seen                 without weights: before any learning
  literatim look dcgan --image seven.png --to seen --weights mnist --json  the discriminator; a list for a program"""


def main(args: list[str]) -> int:
    parser = Parser(
        prog="literatim look", description=ABOUT, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paper", help="id, alias, arXiv id, DOI, BibTeX key or title, or a network's name")
    parser.add_argument("--variant", help="a variant of the card; the first, or that of the weights, by default")
    parser.add_argument("--image", required=True, type=Path, metavar="FILE", help="what the network is shown")
    parser.add_argument(
        "--to", required=True, type=Path, metavar="DIR", help="where pictures go; made where it is missing"
    )
    parser.add_argument("--weights", metavar="NAME", help="shipped weights, torchvision, or a file of weights")
    parser.add_argument("--ckpt_path", metavar="WHICH", help="last, best or a file: what that run has learned")
    parser.add_argument("--recipe", help="the recipe of the run (default: quick), or how the image is shown")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="default: runs")
    parser.add_argument("--json", action="store_true", help="a list of files with layers, shapes and ranges of values")
    given = parser.parse_args(args)
    found, what = request(given)
    with quickly():
        from literatim.experiment.look import Asked, look

    asked = Asked(**found)
    rows: list[dict[str, Any]] = []
    for row in look(asked):
        if not given.json:
            if not rows:
                print(f"{asked.paper} {asked.variant}, {what}")
            print(f"{row['file']}: {row['drawn']}", flush=True)
        rows.append(row)
    if given.json:
        print_json(rows)
    return 0


def request(given: Any) -> tuple[dict[str, Any], str]:
    """What is asked for, and whose weights they are, in words. Raises LiteratimError before torch is imported."""
    paper, variant = chosen(given.paper, given.variant)
    if given.ckpt_path and given.weights:
        raise LiteratimError("--ckpt_path and --weights exclude each other")
    takes_images(paper)
    if not given.image.is_file():
        odd = given.image.exists()
        raise LiteratimError(f"{given.image}: {'not a plain file' if odd else 'there is no such file'}")
    check_folder(given.to)
    recipe = known_recipe(paper, given.recipe) if given.recipe else None
    weights, checkpoint, what = given.weights, None, "untrained: with weights as they are first drawn"
    if given.ckpt_path:
        checkpoint = find_checkpoint(given.runs, paper, known_recipe(paper, recipe), given.ckpt_path)
        run = run_of(checkpoint)
        recipe = recipe or (run.parent.name if run and run.parent.name in head(paper)["recipes"] else None)
        what = f"the run of {checkpoint}"
    elif weights and is_file_name(weights):
        checkpoint, what = Path(weights), f"the weights of {weights}"
        if not checkpoint.is_file():
            raise LiteratimError(f"{weights}: there is no such file")
    elif weights and not (weights == TORCHVISION and TORCHVISION in known_weights(paper)):
        record = weights_record(paper, weights)
        variant, recipe = variant or record["variant"], record["recipe"]
    if weights and not checkpoint:
        what = f"the weights {weights}"
    entry = card(paper)
    variant = variant or of_checkpoint(checkpoint) or entry.default_variant
    part, shape = image_of(entry.variants[variant].input)
    if shape is None:
        raise LiteratimError(unseen(paper, f"{paper} {variant}", entry.variants[variant].input))
    if recipe is None and weights != TORCHVISION:
        recipe = usual(entry, variant, shape[0])
    found: dict[str, Any] = {"paper": paper, "variant": variant, "part": part, "channels": shape[0], "side": shape[1]}
    found |= {"image": given.image, "to": given.to, "checkpoint": checkpoint, "recipe": recipe}
    return found | {"weights": None if checkpoint else weights}, what


def of_checkpoint(path: Path | None) -> str | None:
    """The variant that a run's checkpoint is of; a state dict does not say."""
    given = read_weights(path)[1].get("hyper_parameters") if path else None
    return given.get("variant") if isinstance(given, dict) else None


def usual(entry: Any, variant: str, channels: int) -> str | None:
    """The first recipe of a variant whose data are photographs or digits, as the network's channels ask for."""
    wanted = ("digits", "mnist") if channels == 1 else ("imagenet", "imagefolder")
    return next(
        (
            name
            for name, recipe in entry.recipes.items()
            if recipe.data in wanted and variant in entry.recipe_variants(name)
        ),
        None,
    )


def image_of(given: Any) -> tuple[str | None, tuple[int, ...] | None]:
    """(of a pair of networks the one that takes images, the image's shape, or None where there is none)."""
    parts = given if isinstance(given, dict) else {None: given}
    for part, shape in parts.items():
        if len(shape) == 3 and shape[0] in (1, 3) and shape[1] == shape[2]:
            return part, tuple(shape)
    return None, None


def takes_images(paper: str) -> None:
    """Raises LiteratimError for a paper none of whose networks takes an image."""
    inputs = [variant.input for variant in card(paper).variants.values()]
    if not any(image_of(shape)[1] for shape in inputs):
        raise LiteratimError(unseen(paper, paper, inputs[0] if inputs else ()))


def unseen(paper: str, name: str, shape: Any) -> str:
    """A sentence on a network that takes no image, with the papers that have one that does."""
    others = [
        other
        for other in heads()
        if other != paper and any(image_of(variant.input)[1] for variant in card(other).variants.values())
    ]
    why = "takes no image"
    if isinstance(shape, list | tuple) and len(shape) == 3:
        why = f"takes {shape[0]} screens at once, not an image"
    elif isinstance(shape, dict) and any(len(s) == 3 for s in shape.values()):
        why = "takes an image together with its label"
    elif isinstance(shape, dict):
        why = "has no convolutions: its networks take rows of numbers"
    return f"{name} {why}; look shows {', '.join(others)}"


def check_folder(to: Path) -> None:
    """Raises LiteratimError where pictures cannot be written."""
    place = to if to.exists() else to.parent
    if not place.is_dir():
        what = "not a folder" if place.exists() else "there is no such folder"
        raise LiteratimError(f"{place}: {what}")
    if not os.access(place, os.W_OK | os.X_OK):
        raise LiteratimError(f"{place}: nothing can be written there; name another folder")
