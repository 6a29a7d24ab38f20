"""`literatim reproduce`: run a recipe for each seed, test it, enter it in the ledger, hold it against the card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from literatim.experiment import record
from literatim.experiment.fingerprint import fingerprint_now
from literatim.experiment.holding import at_work
from literatim.experiment.lightning import Request, run
from literatim.experiment.runs import (
    CHECKPOINTS,
    CONFIG,
    IDENTITY,
    broken_config,
    drop_if_unused,
    new_run_folder,
    read_json,
    run_folders,
)
from literatim.registry.ledger import hashes
from literatim.registry.recorded import checked


def reproduce(
    asked: Request, root: Path, variant: str, seed: int, again: bool
) -> tuple[dict[str, Any], Path, Path, bool]:
    """Run one seed: (record, run folder, where the record was entered, whether it had been run before).

    A run that was begun with the same recipe, code, data, seed and options is finished, not begun anew, unless another
    process is at work on it; one that was finished is not repeated unless `again`.
    """
    args = [*asked.args, f"--model.variant={variant}", f"--seed_everything={seed}"]
    request = replace(asked, command="fit", args=args, test_after=True)
    wanted = {"args": args, "config_sha256": record.configurations(args), **hashes(asked.paper, asked.recipe)}
    for folder in run_folders(root, asked.paper, asked.recipe):
        begun = read_json(folder / IDENTITY)
        if not begun or any((begun.get(name) or []) != value for name, value in wanted.items()):
            continue
        if at_work(folder) or (begun.get("fingerprint") and others(begun["fingerprint"], asked, folder)):
            continue
        done = read_json(folder / record.RECORD)
        if again and done:  # what was finished; a repetition that was begun after that is finished now
            break
        if done and done.get("tested") and (place := record.ledger_place(done, folder) / record.RECORD).is_file():
            return checked(place), folder, place.parent, True
        if (checkpoint := folder / CHECKPOINTS / "last.ckpt").is_file():
            request = replace(request, folder=folder, checkpoint=checkpoint, args=[])
            break
    if request.folder is None:
        request = replace(request, folder=new_run_folder(root, asked.paper, asked.recipe))
    assert request.folder
    try:
        cli = run(request)
    finally:
        drop_if_unused(request.folder)
    place = request.folder
    if cli.trainer.is_global_zero:
        place = record.enter(request.folder, cli.model.net, again=again)
    return cli.record, request.folder, place, False


def others(began: str, asked: Request, folder: Path) -> bool:
    """Whether the data are others today than when a run began."""
    config = folder / CONFIG
    return broken_config(config) or fingerprint_now(asked.paper, asked.recipe, config) != began
