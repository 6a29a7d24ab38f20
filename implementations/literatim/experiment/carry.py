"""Carrying a record over a change of the code: the run's beginning, with the code of then and of now, bit by bit."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from literatim.errors import LiteratimError
from literatim.experiment import record as kept
from literatim.experiment.runs import CHECKPOINTS, read_json, write_json
from literatim.registry.ledger import PACKAGE, Record, hashes
from literatim.registry.recorded import TIMES

# In either tree, with what both have of the machinery. The run is the recorded one, schedules and all; it is left after
# some epochs.
BEGINNING = """
import sys
from pathlib import Path
from pytorch_lightning import Callback
from literatim.experiment.lightning import PaperCLI, Request

paper, recipe, folder, epochs, *args = sys.argv[1:]

class Leave(Callback):
    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = trainer.current_epoch + 1 >= int(epochs)

class Beginning(PaperCLI):
    def instantiate_trainer(self, **kwargs):
        trainer = super().instantiate_trainer(**kwargs)
        trainer.callbacks.append(Leave())
        return trainer

(Path(folder) / "checkpoints").mkdir(parents=True)
Beginning(Request("fit", paper, recipe, args, Path(folder), test_after=True))
"""


def carry(record: Record, epochs: int, batches: int | None, tests: int | None = None) -> tuple[int, str | None]:
    """(steps compared, what differs or None); where nothing does, the record is given today's hash of the code.

    Raises LiteratimError where today's code is not committed, or where either code cannot begin the run.
    """
    commit, dirty = kept.commit_and_dirty()
    if dirty:
        raise LiteratimError("carry compares with code that is committed: commit first")
    more = ["--trainer.enable_progress_bar=false"]
    more += [f"--trainer.limit_train_batches={batches}"] if batches else []
    more += [f"--data.tests={tests}"] if tests else []
    with tempfile.TemporaryDirectory(prefix="literatim-") as beside, tree_of(record["commit"], beside) as then:
        old = begun(then, record, Path(beside) / "old", epochs, more)
        new = begun(PACKAGE.parent, record, Path(beside) / "new", epochs, more)
    steps = int(new["global_step"])
    if differing := next(differences(old, new), None):
        return steps, differing
    compared = {
        "code_sha256": hashes(record["paper"], record["recipe"])["code_sha256"],
        "commit": commit,
        "steps": steps,
    }
    write_json(record.folder / kept.RECORD, {**record.data, "carried": compared})
    return steps, None


@contextmanager
def tree_of(commit: str, beside: str) -> Iterator[Path]:
    """The sources as they stood at a commit, in a work tree of their own."""
    folder = Path(beside) / "then"
    git = ["git", "-C", str(PACKAGE.parents[1]), "worktree"]
    made = subprocess.run([*git, "add", "--detach", str(folder), commit], capture_output=True, text=True)
    if made.returncode:
        why = made.stderr.strip().splitlines()[-1]
        raise LiteratimError(f"the code of {commit[:7]} is not in this repository: {why}; fetch its whole history")
    try:
        yield folder / PACKAGE.parent.name
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], capture_output=True)


def begun(sources: Path, record: Record, folder: Path, epochs: int, more: list[str]) -> dict[str, Any]:
    """The last checkpoint of the run's beginning, with the metrics of its end."""
    args = [record["paper"], record["recipe"], str(folder), str(epochs), *record["args"], *more]
    env = {**os.environ, "PYTHONPATH": str(sources), "OMP_NUM_THREADS": str(record["threads"])}
    done = subprocess.run([sys.executable, "-c", BEGINNING, *args], capture_output=True, text=True, env=env)
    if done.returncode:
        raise LiteratimError(f"{record.folder}: its run does not begin: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, Any] = torch.load(folder / CHECKPOINTS / "last.ckpt", map_location="cpu", weights_only=True)
    return found | {"record": read_json(folder / kept.RECORD)}


def differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Where two beginnings are not the same."""
    for name, parts in {"weights": "state_dict", "optimiser": "optimizer_states", "steps": "global_step"}.items():
        yield from unequal(name, old[parts], new[parts])
    for name in ("Curve", "Identity"):  # the epochs' metrics, and the state of the random numbers
        yield from unequal(name.lower(), old["callbacks"][name], new["callbacks"][name])
    yield from unequal("record", old["record"]["metrics"], new["record"]["metrics"])


def unequal(place: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new} - set(TIMES), key=str):
            if key in old and key in new:
                yield from unequal(f"{place}.{key}", old[key], new[key])
            else:
                yield f"{place}.{key}, which only one of the two has"
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        for i, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from unequal(f"{place}[{i}]", one, other)
    elif isinstance(old, torch.Tensor) and isinstance(new, torch.Tensor):
        if not old.is_floating_point() and not new.is_floating_point():  # numpy's state was kept as uint32 once
            old, new = old.long(), new.long()
        if old.dtype != new.dtype or not torch.equal(old, new):
            yield place
    elif old != new:
        yield f"{place}: {old} then, {new} now"
