"""Run folders, `<runs>/<paper>/<recipe>/<n>/`, and the checkpoints in them. No torch here."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from literatim.errors import LiteratimError, did_you_mean
from literatim.experiment.launch import first
from literatim.registry.reading import head

CHECKPOINTS, IDENTITY, CONFIG = "checkpoints", "run.json", "config.yaml"


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
    folder = root / paper / recipe / str(int(earlier[0].name) + 1 if earlier else 0)
    try:
        (folder / CHECKPOINTS).mkdir(parents=True)
        (folder / ".writable").write_text("")
        (folder / ".writable").unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise LiteratimError(
            f"{folder}: the run folder cannot be written: {reason}; name another with --runs"
        ) from None
    return folder


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
    for folder in run_folders(root, paper, recipe):
        path = folder / CHECKPOINTS / f"{given}.ckpt"
        if path.is_file():
            return path.resolve()
    raise LiteratimError(
        f"no run in {root / paper / recipe} has a checkpoint called {given}; "
        f"train first: literatim fit {paper} --recipe {recipe}"
    )


def run_of(checkpoint: Path) -> Path | None:
    """The run folder a checkpoint lies in, or None for one that lies elsewhere."""
    folder = checkpoint.parent.parent
    return folder if checkpoint.parent.name == CHECKPOINTS and (folder / IDENTITY).is_file() else None


def write_atomically(path: Path, text: str) -> None:
    """Write beside and move into place: a full disk leaves the file that was there."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
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
