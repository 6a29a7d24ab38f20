"""What a checkpoint says of its run: which one it is, and what it was made with. Nothing of it is believed unread."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from literatim.errors import LiteratimError
from literatim.experiment.checkpoints import read_checkpoint
from literatim.experiment.launch import first
from literatim.experiment.runs import CONFIG, IDENTITY, broken_config, read_json, write_atomically
from literatim.registry.ledger import recipe_path
from literatim.registry.recorded import identity_fault
from literatim.registry.settings import check_plain, settings

# What run.json and a checkpoint in its folder must say alike. It is the checkpoint that is believed: overrides grow,
# and a run becomes dirty, where it goes on, and the weights are of what was so when they were saved.
ALIKE = ("paper", "recipe", "variant", "options", "seed", "args", "recipe_sha256", "code_sha256", "data_sha256")
EVALUATED = ("seed_everything", "data")  # what decides on which examples numbers are measured


@dataclass(frozen=True)
class Origin:
    identity: dict[str, Any]
    model: dict[str, Any]  # the options of the training module
    config: str  # YAML; empty where a checkpoint of an older version holds none
    checkpoint: Path

    @contextmanager
    def defaults(self, command: str, folder: Path | None) -> Iterator[list[Path]]:
        """Configuration files, each laid over the one before, that a command with this checkpoint starts from."""
        recipe = recipe_path(self.identity["paper"], self.identity["recipe"])
        with TemporaryDirectory(prefix="literatim-") as place:
            file = Path(place) / CONFIG
            file.write_text(self.config, encoding="utf-8")
            if not self.config and folder and not broken_config(folder / CONFIG):
                file = folder / CONFIG
            elif not self.config:
                differs = [text for text in self.identity["overrides"] if command == "fit" or text.startswith("data.")]
                if differs and not self.earlier(command, folder):
                    raise LiteratimError(
                        f"{self.checkpoint}: it was made with other options than the recipe's ({', '.join(differs)}), "
                        f"and no {CONFIG} beside it tells them all; put it back into its run's folder"
                    )
                yield [recipe]
                return
            if command == "fit":
                if self.config and folder and first() and broken_config(folder / CONFIG):
                    write_atomically(folder / CONFIG, self.config)
                yield [file]
            else:
                found = {key: value for key, value in settings(file).items() if key in EVALUATED}
                data = Path(place) / "data.yaml"
                data.write_text(yaml.safe_dump(found), encoding="utf-8")
                yield [recipe, data]

    def earlier(self, command: str, folder: Path | None) -> list[str]:
        """The command line that the run began with, where nothing else tells its options."""
        lost = command == "fit" and not self.config and not (folder and not broken_config(folder / CONFIG))
        return list(self.identity["args"]) if lost else []


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def origin_of(checkpoint: Path, folder: Path | None, command: str) -> Origin:
    """Raises LiteratimError for a checkpoint that does not say what it is of, and for one of another run."""
    state = read_checkpoint(checkpoint, tensors=False)
    found = state["literatim"]
    if fault := identity_fault(found):
        raise LiteratimError(f"{checkpoint}: it does not say of which run it is ({fault}); take another one")
    identity = {"args": [], "options": {}, **found}
    config = identity.pop("config", "")
    model = dict(state.get("hyper_parameters") or {})
    model.pop("_instantiator", None)  # Lightning's word for how the module was made
    check_plain(model, f"{checkpoint}: hyper_parameters")
    check_plain(identity["options"], f"{checkpoint}: options")
    if folder:
        beside = read_json(folder / IDENTITY)  # lost or cut, it is written anew from what the checkpoint says
        told = beside if beside and not identity_fault(beside) else identity
        if other := [name for name in ALIKE if (told.get(name) or None) != (identity.get(name) or None)]:
            raise LiteratimError(
                f"{checkpoint}: a checkpoint of another run than {IDENTITY} in its folder ({other[0]} differs); "
                "take one that was made there"
            )
    elif command == "fit":
        identity["began_from"] = digest(checkpoint)
    return Origin(identity, model, config if isinstance(config, str) else "", checkpoint)
