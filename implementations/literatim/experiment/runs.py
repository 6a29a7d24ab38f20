"""Run folders, `<runs>/<paper>/<recipe>/<n>/`, and the checkpoints in them. No torch here."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from literatim.errors import LiteratimError, did_you_mean
from literatim.experiment.holding import clear_leftovers
from literatim.experiment.launch import first
from literatim.registry.reading import Loader, head

CHECKPOINTS, IDENTITY, CONFIG = "checkpoints", "run.json", "config.yaml"
LARGEST_SEED = 2**32 - 1  # numpy takes no larger one


def known_recipe(paper: str, recipe: str | None) -> str:
    """The recipe, or `quick` (else the first) where none is named. Raises LiteratimError with the nearest names."""
    recipes = list(head(paper)["recipes"])
    if not recipes:
        raise LiteratimError(f"{paper} has no recipes: there is nothing to train")
    if recipe is None:
        return "quick" if "quick" in recipes else recipes[0]
    if recipe not in recipes:
        hint = did_you_mean(recipe, recipes) or f"; it has {', '.join(recipes)}"
        raise LiteratimError(f'{paper} has no recipe "{recipe}"{hint}')
    return recipe


def run_folders(root: Path, paper: str, recipe: str) -> list[Path]:
    """The run folders of a recipe, newest first."""
    found = [path for path in (root / paper / recipe).glob("[0-9]*") if path.name.isdigit() and path.is_dir()]
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def new_run_folder(root: Path, paper: str, recipe: str) -> Path:
    """Make the next run folder. Of several processes only the first does; the others are told when they are connected.

    Raises LiteratimError where it cannot be written.
    """
    if not first():
        return root / paper / recipe / "of-the-first-process"
    earlier = run_folders(root, paper, recipe)
    for folder in earlier:
        clear_leftovers(folder)
    number = int(earlier[0].name) + 1 if earlier else 0
    while True:
        folder = root / paper / recipe / str(number)
        try:
            (folder / CHECKPOINTS).mkdir(parents=True)
            return folder
        except FileExistsError:  # another process, which began at the same moment, has this number
            number += 1
        except OSError as error:
            reason = error.strerror or str(error)
            raise LiteratimError(
                f"{folder}: the run folder cannot be written: {reason}; name another with --runs"
            ) from None


def drop_if_unused(folder: Path) -> None:
    """Remove a run folder that holds no checkpoint and no record: a mistake in the options leaves nothing behind."""
    if first() and not (folder / "record.json").exists() and not any((folder / CHECKPOINTS).glob("*")):
        shutil.rmtree(folder, ignore_errors=True)


def find_checkpoint(root: Path, paper: str, recipe: str, given: str) -> Path:
    """The checkpoint that `last`, `best` or a path names. Raises LiteratimError where there is none."""
    if given not in ("last", "best"):
        path = Path(given)
        if not path.is_file():
            raise LiteratimError(f"{given}: there is no such checkpoint")
        return path.resolve()
    without: list[Path] = []
    for folder in run_folders(root, paper, recipe):
        path = folder / CHECKPOINTS / f"{given}.ckpt"
        if path.is_file():
            if without:
                more = f" and {len(without) - 1} more" if len(without) > 1 else ""
                print(f"literatim: {without[0]}{more} passed over: no checkpoint called {given} in it", file=sys.stderr)
            return path.resolve()
        without.append(folder)
    raise LiteratimError(
        f"no run in {root / paper / recipe} has a checkpoint called {given}; "
        f"train first: literatim fit {paper} --recipe {recipe}"
    )


def run_of(checkpoint: Path) -> Path | None:
    """The run folder a checkpoint lies in, or None for one that lies elsewhere."""
    folder = checkpoint.parent.parent
    known = any((folder / name).is_file() for name in (IDENTITY, CONFIG, "curve.csv"))  # any may have been lost
    return folder if checkpoint.parent.name == CHECKPOINTS and known else None


def broken_config(path: Path) -> bool:
    """Whether a run's configuration is missing or not what was written."""
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), Loader)
    except (OSError, ValueError, yaml.YAMLError):
        return True
    return not isinstance(found, dict) or not {"model", "data", "trainer"} <= found.keys()


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write beside and move into place: a full disk or a loss of power leaves the file that was there.

    Raises OSError with the name of the file.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, data: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """What a JSON file holds, or None where there is none or it is broken."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
