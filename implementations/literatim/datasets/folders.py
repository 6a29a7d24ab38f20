"""Folders of image files, one for each class: what is in them, and what is held out of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from literatim.datasets.fingerprints import beginning, digest
from literatim.errors import LiteratimError

ENDINGS = (
    ".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".avif",
    ".jp2",
)  # fmt: skip
# The sets, and what people call their folders, in any case.
SETS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
PARTS = tuple(SETS)


class Files(NamedTuple):
    """Paths, as bytes side by side for a million of them weigh on every process that reads, and labels."""

    paths: NDArray[np.bytes_]
    labels: NDArray[np.int64]

    def take(self, index: NDArray[np.int64]) -> Files:
        return Files(self.paths[index], self.labels[index])


class Found(NamedTuple):
    classes: tuple[str, ...]  # in the order of their names
    sets: dict[str, Files]
    passed_over: str  # what was not taken, in words; "" for nothing


def look(root: Path, parts: tuple[str, ...] = PARTS, trains: bool = True) -> Found:
    """The classes and the files of `train` and, where they are there, `val` and `test`.

    `train` is the folder itself where there are no folders of sets in it. Only to test (not `trains`) no `train` is
    needed, and one class will do. Raises LiteratimError for a folder that holds no such set.
    """
    places = {name: place for name, place in sets_of(root).items() if name in parts} or {"train": root}
    if trains and "train" not in places:
        there = next(iter(places.values())).name
        raise LiteratimError(f"{root}: there is {there} in it and no train; the images to train on are missing")
    first = places.get("train") or next(iter(places.values()))
    classes = subfolders(first)
    if len(classes) < (2 if trains else 1):
        found = f"one class only, {classes[0]}" if classes else "no folder of a class"
        raise LiteratimError(f"{first}: there is {found}; each class, of two at least, has a folder of images there")
    for place in places.values():
        if strange := [name for name in subfolders(place) if name not in classes]:
            raise LiteratimError(f"{place / strange[0]}: there is no class of that name in {first}")
    walk = Walk(place / name for place in places.values() for name in classes if (place / name).is_dir())
    sets = {name: files_of(place, classes, walk, partly=place != first) for name, place in places.items()}
    return Found(tuple(classes), walk.without_repeated(sets), walk.passed_over())


def sets_of(root: Path) -> dict[str, Path]:
    """The folders of the sets in a folder; none where it holds the folders of the classes itself.

    Raises LiteratimError where it holds neither, or both.
    """
    folders = subfolders(root)
    if not folders:
        raise LiteratimError(f"{root}: there is no folder for each class in it, and no folders train and val with them")
    found: dict[str, Path] = {}
    for folder in folders:
        name = next((name for name, called in SETS.items() if folder.lower() in called), None)
        if name in found:
            raise LiteratimError(f"{root}: {found[name].name} and {folder} are both the set {name}; keep one of them")
        if name:
            found[name] = root / folder
    others = [folder for folder in folders if root / folder not in found.values()]
    if found and others and "train" not in found:
        raise LiteratimError(
            f"{root}: {next(iter(found.values())).name} is the name of a set, and beside it is {others[0]}: put the "
            "folders of the classes to train on into a folder train, or name that class otherwise"
        )
    return dict(sorted(found.items(), key=lambda item: PARTS.index(item[0])))


def subfolders(folder: Path) -> list[str]:
    """The names of the folders in a folder, in order, hidden ones left out."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if is_folder(entry) and not entry.name.startswith("."))
    except FileNotFoundError:
        raise LiteratimError(f"{folder}: there is no such folder; name where it is now with --data.root") from None
    except OSError as error:
        raise LiteratimError(f"{folder}: the folder of images cannot be read: {error.strerror}") from None


def is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def files_of(folder: Path, classes: list[str], walk: Walk, partly: bool = False) -> Files:
    """The image files in the folder of each class and in folders in there; the label is the place of the class.

    Raises LiteratimError for a class without images, unless the folder needs to have them but `partly`.
    """
    paths: list[bytes] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = walk.images_in(folder / name) if not partly or (folder / name).is_dir() else []
        if not found and not partly:
            raise LiteratimError(f"{folder / name}: there are no images in it (files that end in {', '.join(ENDINGS)})")
        paths += found
        labels += [label] * len(found)
    if not paths:
        raise LiteratimError(f"{folder}: there are no images in its folders (files that end in {', '.join(ENDINGS)})")
    return Files(np.array(paths), np.array(labels, dtype=np.int64))


class Walk:
    """Takes the image files below the folders of the classes, each folder and each file once, whatever links there are.

    Links are followed, but those into or around the folders of the classes, which are read in their own right, are
    not. A pipe, a socket or a device is never an image, whatever it is called.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self.own: dict[str, Path] = {}  # where the folders of the classes really are
        for folder in folders:
            if other := self.own.get(real := os.path.realpath(folder)):
                raise LiteratimError(f"{folder}: it is the same folder as {other}; remove the link or the name of one")
            self.own[real] = folder
        self.around = {str(parent) for real in self.own for parent in PurePath(real).parents}
        if both := self.around & set(self.own):
            raise LiteratimError(f"{self.own[min(both)]}: the folder leads to one that holds other classes; remove it")
        self.seen: set[str] = set()
        self.links: dict[bytes, str] = {}  # images that are links, and where they lead
        self.passed: Counter[str] = Counter()

    def images_in(self, folder: Path) -> list[bytes]:
        """The paths of the image files in and below a folder, in order; hidden files and others are passed over."""
        found: list[bytes] = []
        waiting = [(str(folder), os.path.realpath(folder))]
        while waiting:
            place, real = waiting.pop()
            if real in self.seen:
                continue
            self.seen.add(real)
            try:
                with os.scandir(place) as entries:
                    for entry in entries:
                        if entry.name.startswith("."):
                            continue
                        if is_folder(entry):
                            to = os.path.realpath(entry.path) if entry.is_symlink() else os.path.join(real, entry.name)
                            if not (entry.is_symlink() and self.is_read_anyway(to)):
                                waiting.append((entry.path, to))
                        elif self.is_image(entry):
                            found.append(os.fsencode(entry.path))
            except OSError as error:
                raise LiteratimError(f"{place}: the folder of images cannot be read: {error.strerror}") from None
        return sorted(found)

    def is_read_anyway(self, real: str) -> bool:
        return real in self.own or real in self.around or any(str(p) in self.own for p in PurePath(real).parents)

    def is_image(self, entry: os.DirEntry[str]) -> bool:
        ending = os.path.splitext(entry.name)[1].lower()
        if not (entry.is_file(follow_symlinks=False) or os.path.isfile(entry)):
            self.passed["links to nothing, pipes or devices"] += 1
            return False
        if ending not in ENDINGS:
            self.passed[f"of {ending}" if ending else "without an ending"] += 1
            return False
        if entry.is_symlink():
            self.links[os.fsencode(entry.path)] = os.path.realpath(entry.path)
        return True

    def without_repeated(self, sets: dict[str, Files]) -> dict[str, Files]:
        """The sets without links to an image that is there already, as itself or by another link."""
        if not self.links:
            return sets
        taken: set[str] = set()
        out = {}
        for name, files in sets.items():
            keep = np.ones(len(files.labels), dtype=bool)
            for i, path in enumerate(files.paths):
                if real := self.links.get(bytes(path)):
                    place, of = os.path.split(real)
                    itself = place in self.seen and not of.startswith(".") and of.lower().endswith(ENDINGS)
                    keep[i] = not itself and real not in taken
                    taken.add(real)
            self.passed["links to an image that is there already"] += int((~keep).sum())
            out[name] = files.take(np.flatnonzero(keep))
            if not keep.any():
                raise LiteratimError(
                    f"the images of {name} are all links to images that are there already: remove them"
                )
        return out

    def passed_over(self) -> str:
        often = [(what, number) for what, number in self.passed.most_common() if number]
        more = [f"{sum(number for _, number in often[5:]):,} others"] if often[5:] else []
        return ", ".join([*(f"{number:,} {what}" for what, number in often[:5]), *more])


def held_out(files: Files, root: Path, share: float, seed: int) -> tuple[Files, Files]:
    """(what stays, what is held out): a share of each class; of two images or more at least one.

    Those of a class are put in order by a hash of the seed and of their names below the root, and the first are held
    out, so that one image more or less moves at most one other.
    """
    begin, key = beginning(root), str(seed).encode()[:64]
    keys = np.fromiter((digest(path[begin:], key) for path in files.paths), dtype=np.int64, count=len(files.labels))
    out = np.zeros(len(files.labels), dtype=bool)
    for label in np.unique(files.labels):
        of_class = np.flatnonzero(files.labels == label)
        number = min(max(1, round(share * len(of_class))), len(of_class) - 1)
        out[of_class[np.argsort(keys[of_class])[:number]]] = True
    return files.take(np.flatnonzero(~out)), files.take(np.flatnonzero(out))
