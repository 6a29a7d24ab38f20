"""The record of a run: what was run, on what, with what outcome. Nothing in it is typed by hand."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy
import pytorch_lightning
import torch
from torch import nn

import literatim
from literatim.experiment.fingerprint import packages
from literatim.experiment.holding import clear_leftovers
from literatim.experiment.options import options as options_given
from literatim.experiment.runs import read_json, write_atomically, write_json
from literatim.registry.ledger import PACKAGE, hashes
from literatim.registry.reading import card, paper_folder, papers_folder, weights_path

RECORD, CURVE = "record.json", "curve.csv"  # a run's folder holds these; the ledger takes them over


def identity(
    paper: str, recipe: str, variant: str, options: dict[str, Any], seed: int, overrides: list[str], args: list[str]
) -> dict[str, Any]:
    """What makes two runs the same run, and where the code stood when it began."""
    commit, dirty = commit_and_dirty()
    return {
        "paper": paper,
        "recipe": recipe,
        "variant": variant,
        "options": options,
        "seed": seed,
        "overrides": overrides,
        "args": args,
        "commit": commit,
        "dirty": dirty,
        **hashes(paper, recipe),
        "files_sha256": checksums(overrides),
        "config_sha256": configurations(args),
    }


def checksums(overrides: list[str]) -> dict[str, str]:
    """Of the files that options name: a number on a text of one's own says on which."""
    values = [override.partition("=")[2] for override in overrides]
    return {value: hashlib.sha256(Path(value).read_bytes()).hexdigest() for value in values if os.path.isfile(value)}


def configurations(args: list[str]) -> list[str]:
    """The sums of the files that --config names: with another content the same words ask for another run."""
    paths = (Path(file) for file in options_given(args, "config"))
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()]


SAME = (
    "paper", "recipe", "variant", "options", "seed", "overrides", "recipe_sha256", "code_sha256", "data_sha256",
    "files_sha256", "began_from",
)  # fmt: skip


def same_run(one: dict[str, Any], other: dict[str, Any]) -> bool:
    sums = {run["fingerprint"] for run in (one, other) if run.get("fingerprint")}  # old records do not say
    # A record that was carried over a change of the code is that of a run with today's.
    one, other = ({**run, "code_sha256": (run.get("carried") or run).get("code_sha256")} for run in (one, other))
    same = all((one.get(name) or None) == (other.get(name) or None) for name in SAME)  # nothing given is nothing said
    return same and len(sums) < 2


def outcome(
    metrics: dict[str, float], wall_s: float, threads: int, accelerator: str, precision: str, data: Any
) -> dict[str, Any]:
    """The rest of the record, at the end of the run."""
    return {
        "metrics": dict(sorted(metrics.items())),
        "wall_s": round(wall_s, 1),
        "accelerator": accelerator,
        "precision": precision,
        "threads": threads,
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": {
            "literatim": literatim.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "pytorch-lightning": pytorch_lightning.__version__,
            "numpy": numpy.__version__,
            **packages(data),
        },
    }


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def commit_and_dirty() -> tuple[str | None, bool]:
    """The commit the code stands at, and whether files differ from it, but for the results that runs write."""
    folder = PACKAGE.parents[1]

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    if not in_checkout() or (commit := git("rev-parse", "HEAD")) is None:
        return None, True
    written = (":!papers/*/results/*", ":!papers/*/weights/*")
    status = git("status", "--porcelain", "--untracked-files=all", "--", "implementations", "papers", *written)
    return commit, status != ""


def in_checkout() -> bool:
    """Whether the cards that are read are those of a checkout, whose ledger can be written."""
    return papers_folder() != PACKAGE / "cards"


def ledger_place(record: dict[str, Any], run: Path, *, again: bool = False) -> Path:
    """Where a record belongs: in the ledger of a checkout, elsewhere in the run's folder.

    The ledger's record of the very same run stays, unless it is made `again`; and a record that will not be judged
    (changed code, overrides) takes no place that a judged one holds.
    """
    if not in_checkout():
        return run
    name = f"{record['variant']}-s{record['seed']}"
    place = paper_folder(record["paper"]) / "results" / record["recipe"] / name
    kept = read_json(place / RECORD)
    if kept and same_run(kept, record) and (record["dirty"] or not kept["dirty"]) and not again:
        return run
    unjudged = record["dirty"] or record["overrides"]
    return run if unjudged and kept and not (kept["dirty"] or kept["overrides"]) else place


def enter(run: Path, net: nn.Module, *, again: bool = False) -> Path:
    """Copy a run's record, curve and pictures into the ledger; returns its folder there.

    The weights ship where the recipe on the card says so: those of seed 0.
    """
    record = read_json(run / RECORD) or {}
    paper, recipe, variant = (record[name] for name in ("paper", "recipe", "variant"))
    place = ledger_place(record, run, again=again)
    if place == run:
        return run
    place.mkdir(parents=True, exist_ok=True)
    clear_leftovers(paper_folder(paper))
    ships = card(paper).recipes[recipe].ships_weights
    if ships and record["seed"] == 0 and not record["overrides"]:
        first = variant == card(paper).recipe_variants(recipe)[0]
        kind = torch.float16 if ships == "float16" else None
        record["weights"] = ship(paper, recipe if first else f"{recipe}-{variant}", net, kind)
    for path in [*run.glob(CURVE), *run.glob("*.png")]:
        write_atomically(place / path.name, path.read_bytes())
    write_json(place / RECORD, record)
    return place


def ship(paper: str, name: str, net: nn.Module, kind: torch.dtype | None = None) -> dict[str, str]:
    """Write the weights as safetensors, rounded to `kind` where one is given; returns their entry in the record."""
    from safetensors.torch import save

    content = save({key: value.detach().to("cpu", kind).contiguous() for key, value in net.state_dict().items()})
    path = weights_path(paper, name)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, content)
    return {"name": name, "file": path.name, "sha256": hashlib.sha256(content).hexdigest()}
