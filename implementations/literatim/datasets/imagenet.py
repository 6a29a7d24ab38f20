"""ImageNet of the contest of 2012: 1,281,167 + 50,000 photographs of a thousand classes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import torch

from literatim.datasets.folders import Found, look, subfolders
from literatim.datasets.imagefolder import ImageFolder
from literatim.errors import LiteratimError
from literatim.places import data_folders, looked_in

CLASSES = 1000
IMAGES = {"train": 1_281_167, "val": 50_000}
META = "meta.bin"  # written by torchvision from the devkit: the classes' names
ARCHIVES = {"train": "ILSVRC2012_img_train.tar", "val": "ILSVRC2012_img_val.tar", META: "ILSVRC2012_devkit_t12.tar.gz"}


class ImageNet(ImageFolder):
    """ILSVRC-2012 in the layout that torchvision makes: `train` and `val` with a folder for each class, and meta.bin.

    It is looked for in `root`, in `$LITERATIM_DATA` and in the user's cache, there also in a folder `imagenet`. Where
    the contest's three archives are found instead, torchvision unpacks them. The labels are the classes in the order of
    their WordNet ids; without meta.bin these are their names. The test is on `val`, for the labels of the contest's
    test images were not published. The options are those of `ImageFolder`.
    """

    def prepare_data(self) -> None:
        """Unpack the archives, where they are all there is. Lightning calls this in one process only."""
        folder = place_of(self.root)
        if folder and any(packed(folder, name) for name in IMAGES):
            unpack(folder)

    @staticmethod
    def look_for(root: str | None) -> None:
        if place_of(root) is None:
            raise LiteratimError(
                f"ImageNet is missing: there are no folders train and val, nor {ARCHIVES['train']} and "
                f"{ARCHIVES['val']}, in {looked_in(data_folders(root))}; put them there or name the folder that holds "
                "them with --data.root or LITERATIM_DATA"
            )

    def named(self) -> bool:
        return place_of(self.root) is not None

    def look(self) -> tuple[Path, Found]:
        self.look_for(self.root)
        folder = place_of(self.root) or Path()
        for name in IMAGES:
            if not (folder / name).is_dir():
                raise LiteratimError(f"ImageNet in {folder} lacks the folder {name}, and its archive {ARCHIVES[name]}")
            if (number := len(subfolders(folder / name))) != CLASSES:
                raise LiteratimError(
                    f"{folder / name} holds {number:,} folders of classes; ImageNet of 2012 has {CLASSES:,}: delete it "
                    "and unpack it again"
                )
        found = look(folder, tuple(IMAGES))
        for name, number in IMAGES.items():
            if (there := len(found.sets[name].labels)) != number:
                raise LiteratimError(
                    f"{folder / name} holds {there:,} images, not {number:,}: delete it and unpack it again"
                )
        return folder, found._replace(classes=names_of(found.classes, folder / META))


def place_of(root: str | None) -> Path | None:
    """The folder that holds the set, or its archives."""
    candidates = [folder for place in data_folders(root) for folder in (place, place / "imagenet")]
    whole = (folder for folder in candidates if all((folder / name).is_dir() for name in IMAGES))
    partly = (
        folder
        for folder in candidates
        if any((folder / ARCHIVES[name]).is_file() or (folder / name).is_dir() for name in IMAGES)
    )
    return next(whole, None) or next(partly, None)


def packed(folder: Path, name: str) -> bool:
    """Whether a set is there as its archive alone."""
    return (folder / ARCHIVES[name]).is_file() and not (folder / name).is_dir()


def unpack(folder: Path) -> None:
    """Let torchvision unpack what is packed: hours, and as much space again. Raises LiteratimError where it cannot."""
    try:
        from torchvision.datasets import ImageNet as Theirs
    except (ImportError, RuntimeError):  # a torchvision that does not fit torch fails with RuntimeError
        raise LiteratimError(
            f"{folder} holds ImageNet's archives, and torchvision is needed to unpack them: pip install "
            "'literatim[download]'"
        ) from None
    try:
        for name in IMAGES:
            if packed(folder, name):
                Theirs(str(folder), split=name)
    except (OSError, RuntimeError, ValueError) as error:
        why = " ".join(str(error).split())
        raise LiteratimError(f"ImageNet's archives in {folder} could not be unpacked: {why}") from None


def names_of(wnids: tuple[str, ...], meta: Path) -> tuple[str, ...]:
    """What the classes are called, synonyms in a row; two that are called alike (crane) have their ids with them."""
    if not meta.is_file():
        return wnids
    try:
        named = torch.load(meta, weights_only=True)[0]
        names = [", ".join(named[wnid]) for wnid in wnids]
    except Exception as error:  # torch raises anything from OSError to UnpicklingError here
        why = " ".join(str(error).split()) or type(error).__name__
        raise LiteratimError(f"{meta} is damaged: {why[:200]}; delete it, and torchvision makes it anew") from None
    often = Counter(names)
    return tuple(name if often[name] == 1 else f"{name} ({wnid})" for name, wnid in zip(names, wnids, strict=True))
