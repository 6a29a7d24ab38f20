"""Folders of image files, one for each class: what is in them, and what is held out of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from literatim.errors import LiteratimError

ENDINGS = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
PARTS = ("train", "val", "test")


class Files(NamedTuple):
    """Paths, as bytes side by side for a million of them weigh on every process that reads, and labels."""

    paths: NDArray[np.bytes_]
    labels: NDArray[np.int64]

    def take(self, index: NDArray[np.int64]) -> Files:
        return Files(self.paths[index], self.labels[index])


def look(root: Path, parts: tuple[str, ...] = PARTS) -> tuple[tuple[str, ...], dict[str, Files]]:
    """The classes, in the order of their names, and the files of `train` and, where they are there, `val` and `test`.

    `train` is the folder itself where there is none of that name in it. Raises LiteratimError for a folder that
    holds no such set.
    """
    folders = subfolders(root)
    if not folders:
        raise LiteratimError(f"{root}: there is no folder for each class in it, and no folders train and val with them")
    if "train" not in folders and set(folders) <= set(PARTS):
        raise LiteratimError(f"{root}: there is {folders[0]} in it and no train; the images to train on are missing")
    first = root / "train" if "train" in folders else root
    classes = subfolders(first)
    if len(classes) < 2:
        found = f"one class only, {classes[0]}" if classes else "no folders of classes"
        raise LiteratimError(f"{first}: there is {found}; each class, of two at least, has a folder of images there")
    sets = {"train": files_of(first, classes)}
    for name in [name for name in parts[1:] if name in folders and first != root]:
        if strange := [found for found in subfolders(root / name) if found not in classes]:
            raise LiteratimError(f"{root / name / strange[0]}: there is no class of that name in {first}")
        sets[name] = files_of(root / name, classes, partly=True)
    return tuple(classes), sets


def subfolders(folder: Path) -> list[str]:
    """The names of the folders in a folder, in order, hidden ones left out."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise LiteratimError(f"{folder}: the folder of images cannot be read: {error.strerror}") from None


def files_of(folder: Path, classes: list[str], partly: bool = False) -> Files:
    """The image files in the folder of each class and in folders in there; the label is the place of the class.

    Raises LiteratimError for a class without images, unless the folder needs to have them but `partly`.
    """
    paths: list[bytes] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = images_in(folder / name)
        if not found and not partly:
            raise LiteratimError(f"{folder / name}: there are no images in it (files that end in {', '.join(ENDINGS)})")
        paths += found
        labels += [label] * len(found)
    if not paths:
        raise LiteratimError(f"{folder}: there are no images in its folders (files that end in {', '.join(ENDINGS)})")
    return Files(np.array(paths), np.array(labels, dtype=np.int64))


def images_in(folder: Path) -> list[bytes]:
    """The paths of the image files in and below a folder, in order; hidden files and others are passed over."""
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            os.fsencode(os.path.join(place, name))
            for name in names
            if name.lower().endswith(ENDINGS) and not name.startswith(".")
        ]
    return sorted(found)


def held_out(files: Files, share: float, seed: int) -> tuple[Files, Files]:
    """(what stays, what is held out): a share of each class, drawn by the seed; of two images or more at least one."""
    generator = torch.Generator().manual_seed(seed)
    out = np.zeros(len(files.labels), dtype=bool)
    for label in np.unique(files.labels):
        of_class = np.flatnonzero(files.labels == label)
        number = min(max(1, round(share * len(of_class))), len(of_class) - 1)
        out[of_class[torch.randperm(len(of_class), generator=generator)[:number].numpy()]] = True
    return files.take(np.flatnonzero(~out)), files.take(np.flatnonzero(out))
