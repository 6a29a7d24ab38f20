"""What a run is trained on, as a sum: a run goes on with the data it began with, or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
import yaml
from jsonargparse import ArgumentParser

from literatim.errors import LiteratimError
from literatim.experiment.options import import_path
from literatim.registry.data import DATA_SETS
from literatim.registry.reading import Loader, card


def fingerprint(paper: str, recipe: str, data: Any) -> str | None:
    """The sum of what a data module holds after `setup`, or None where it need not be taken.

    A module says it itself with a method `fingerprint() -> str`; of sets held as bytes it is that of these. Files with
    known sums are checked as they are read, and what is inside a package has the package's version.
    """
    if own := getattr(data, "fingerprint", None):
        return str(own())
    sets = getattr(data, "sets", None) or {}
    held_as_bytes = all(inputs.dtype == torch.uint8 for inputs, _ in sets.values())
    if DATA_SETS[card(paper).recipes[recipe].data].sha256 or not sets or not held_as_bytes:
        return None
    total = hashlib.sha256()
    for name, tensors in sorted(sets.items()):
        for tensor in tensors:
            total.update(f"{name} {tuple(tensor.shape)}".encode())
            total.update(memoryview(tensor.contiguous().numpy()).cast("B"))
    return total.hexdigest()


def fingerprint_now(paper: str, recipe: str, config: Path) -> str | None:
    """That of the data which a run's configuration names, as they are today."""
    parser = ArgumentParser()
    parser.add_class_arguments(import_path(DATA_SETS[card(paper).recipes[recipe].data].module), "data")
    given = yaml.load(config.read_text(encoding="utf-8"), Loader)["data"]
    data: Any = parser.instantiate_classes(parser.parse_object({"data": given})).data
    data.prepare_data()
    data.setup("fit")
    return fingerprint(paper, recipe, data)


def packages(data: Any) -> dict[str, str]:
    """The versions of what makes the data, by the data module's own `packages()`; none of data that are read."""
    found: dict[str, str] = data.packages() if hasattr(data, "packages") else {}
    return found


def check_fingerprint(began: str | None, now: str | None, paper: str, recipe: str, made_by: dict[str, str]) -> None:
    """Raises LiteratimError where a run would go on with other data. Runs of earlier versions have no sum.

    `made_by`: the data's `packages`.
    """
    if began and now and began != now:
        changed = "their content has changed since then; put the old data back"
        if made_by:
            changed = "what makes them is another version; install the one of then"
            changed += f" (here are {', '.join(f'{name} {version}' for name, version in made_by.items())})"
        raise LiteratimError(
            f"the data are not those the run began with: {changed}, "
            f"or begin a new run: literatim fit {paper} --recipe {recipe}"
        )
