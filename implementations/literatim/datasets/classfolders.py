"""A folder of image files as the sets of a data module: which there are, which are held out, and what has changed."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from pytorch_lightning import LightningDataModule
from pytorch_lightning.utilities import rank_zero_only

from literatim.datasets.fingerprints import Fingerprint, beginning, changes, fingerprint
from literatim.datasets.folders import PARTS, Files, Found, held_out, look, sets_of
from literatim.errors import LiteratimError, LiteratimWarning
from literatim.places import expanded


class ClassFolders(LightningDataModule):
    """Sets of image files in a folder for each class.

    A checkpoint holds what its run's images were. A run goes on with these or not at all; it is tested on these, or on
    a folder without any of them, and of such a folder on all images, if it holds the folders of the classes itself.
    """

    tells_changes = True  # `load_state_dict` raises where the images are others, and says which
    kept: tuple[str, ...] = ("classes", "seed", "hold_out")  # in a checkpoint

    def __init__(self, root: str | None, hold_out: float, watch: list[str], seed: int) -> None:
        super().__init__()
        self.root, self.hold_out, self.watch, self.seed = root, hold_out, watch, seed
        self.classes: tuple[str, ...] = ()
        self.folder = Path()
        self.found: dict[str, Files] = {}
        self.stage = "fit"
        self.elsewhere = False  # tested on images of which the checkpoint's run knows none
        self.taken: dict[Any, Fingerprint] = {}
        self.split: dict[tuple[float, int], tuple[Files, Files]] = {}

    @staticmethod
    def look_for(root: str | None) -> None:
        """Before anything is made or downloaded: raises LiteratimError where there is no such folder, or no sets."""
        if root is None:
            raise LiteratimError("name the folder of images with --data.root")
        sets_of(expanded(root))

    def setup(self, stage: str) -> None:
        self.stage = stage
        if not self.found and (stage != "predict" or self.named()):
            self.folder, (self.classes, self.found, passed_over) = self.look()
            if passed_over:
                self.say(f"{self.folder}: passed over: {passed_over}")

    def named(self) -> bool:
        """Whether there is a folder to look into; to predict none is needed."""
        return self.root is not None

    def look(self) -> tuple[Path, Found]:
        self.look_for(self.root)
        place = expanded(self.root or "")
        return place, look(place, trains=self.stage == "fit")

    def files(self, name: str) -> Files:
        """The files of a set."""
        if name == "test" and "test" not in self.found:
            name = "val"
        if "val" not in self.found and "train" in self.found and name in ("train", "val"):
            if self.elsewhere:
                return self.found["train"]
            if self.hold_out:
                return self.held_out()[name == "val"]
        if name not in self.found:
            there = ", ".join(self.found) or "none, for no folder is named: give it with --data.root"
            raise LiteratimError(f'there is no set "{name}"; there are {there}')
        return self.found[name]

    def held_out(self) -> tuple[Files, Files]:
        how = (self.hold_out, self.seed)
        if how not in self.split:
            self.split = {how: held_out(self.found["train"], self.folder, *how)}
        return self.split[how]

    # --- Which images they are

    def fingerprint(self) -> str:
        """A sum over the names and the contents of all files."""
        return self.take_fingerprint().sum()

    def take_fingerprint(self, whole: bool | None = None, sets: tuple[str, ...] = PARTS) -> Fingerprint:
        if (whole, sets) not in self.taken:
            self.taken[whole, sets] = fingerprint(self.folder, self.paths(sets), whole)
        return self.taken[whole, sets]

    def paths(self, sets: tuple[str, ...] = PARTS) -> list[bytes]:
        return [path for name in sets if name in self.found for path in self.found[name].paths.tolist()]

    def names(self) -> list[str]:
        begin = beginning(self.folder)
        return [os.fsdecode(path[begin:]) for path in self.paths()]

    def state_dict(self) -> dict[str, Any]:
        files = {"sets": tuple(self.found), **self.take_fingerprint().state()}
        return {name: getattr(self, name) for name in self.kept} | {"files": files}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self.stage != "predict":
            self.compare(state)
        for name in self.kept:
            setattr(self, name, state[name])

    def compare(self, state: dict[str, Any]) -> None:
        """Raises LiteratimError where what was trained on and what is there are neither the same nor all other."""
        if "files" not in state:
            raise LiteratimError(
                "the checkpoint is of an earlier version and does not say on which images it was trained: begin a run"
            )
        began, going_on = Fingerprint.of_state(state["files"]), self.stage == "fit"
        now = self.take_fingerprint(began.whole)
        same = now if going_on else self.take_fingerprint(began.whole, tuple(state["files"]["sets"]))
        if began.sum() == same.sum():  # a set `test` that came later is no fault in a test
            return
        other = changes(began, now, self.names())
        if going_on:
            raise LiteratimError(
                f"{self.folder}: the images are not those the run began with: {other}; put them back or begin a new run"
            )
        if np.isin(now.contents, began.contents).any():
            raise LiteratimError(
                f"{self.folder}: the images are not those of the training, but some of them are: {other}; put them "
                "back, or name a folder of other images alone with --data.root"
            )
        self.elsewhere = True
        self.relabel(tuple(state["classes"]))
        here = "test" if self.stage == "test" else self.watch[0]
        self.say(f"{self.folder}: no image of the training is in it; the {here} is on {len(self.files(here).labels):,}")

    def relabel(self, classes: tuple[str, ...]) -> None:
        """Give the images the labels that their classes have in the training."""
        if strange := sorted(set(self.classes) - set(classes)):
            raise LiteratimError(f'{self.folder}: the checkpoint knows no class "{strange[0]}"')
        labels = np.array([classes.index(name) for name in self.classes])
        self.found = {name: Files(files.paths, labels[files.labels]) for name, files in self.found.items()}

    def say(self, what: str) -> None:
        if rank_zero_only.rank == 0:  # type: ignore[attr-defined]
            warnings.warn(what, LiteratimWarning, stacklevel=1)
