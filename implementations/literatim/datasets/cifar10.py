"""CIFAR-10: 50,000 + 10,000 colour images of 32x32 pixels in ten classes."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy._core.multiarray import _reconstruct
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from literatim.datasets.pictures import read_picture
from literatim.datasets.tensors import Order, TensorBatches, TensorDataModule
from literatim.errors import LiteratimError
from literatim.places import data_folders, looked_in

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IMAGES_A_FILE = 10_000
PYTHON, BINARY = "cifar-10-batches-py", "cifar-10-batches-bin"
TRAIN_FILES, TEST_FILES = tuple(f"data_batch_{i}" for i in range(1, 6)), ("test_batch",)
# Of the files of the Python version, as torchvision has them.
MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
IMAGE_FOLDERS = ("cifar10-jpeg", "cifar10")  # of copies as image files: train/<class>/ and test/<class>/
Images = NDArray[np.uint8]  # (N, 3, 32, 32)
Labels = NDArray[np.int64]


class CIFAR10(TensorDataModule):
    """The images as colours from 0 to 1, less the mean of each pixel over the training images.

    Training images are augmented anew each time: four pixels of zeros on each side, a random crop of 32x32, and every
    other one its mirror image. The originals are looked for in `root`, in `$LITERATIM_DATA` and in the user's cache,
    there in the folder cifar-10-batches-py, as torchvision lays it out, or cifar-10-batches-bin; copies as image files
    in cifar10-jpeg or cifar10, with folders train and test and a folder in them for each class.

    Args:
        root: folder that holds one of these
        files: "original", or "images" for copies as image files, which are not what the papers measured on
        hold_out: images at the end of the training set that are not trained on, as the set `val`
        augment: pad, crop and mirror the training images
        batch_size: examples a step
        eval_batch_size: examples a step when evaluating
        order: shuffle "each epoch", "once" or "none"
        watch: sets whose error is taken after every epoch: train, val, test
        seed: of the order and of the augmentation
    """

    classes = CLASSES

    def __init__(
        self,
        root: str | None = None,
        files: Literal["original", "images"] = "original",
        hold_out: int = 0,
        augment: bool = True,
        batch_size: int = 128,
        eval_batch_size: int = 500,
        order: Order = "each epoch",
        watch: list[str] = ["test"],  # noqa: B006 (Lightning shows the default in --help)
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, eval_batch_size, watch, order, seed)
        if not 0 <= hold_out < 50_000:
            raise LiteratimError(f"data.hold_out is {hold_out}; it must lie between 0 and 49,999")
        self.root, self.files, self.hold_out, self.augment = root, files, hold_out, augment

    def setup(self, stage: str) -> None:
        if not self.sets and stage != "predict":
            self.fill(*read(self.files, self.root))

    def fill(self, train: tuple[Images, Labels], test: tuple[Images, Labels]) -> None:
        """Take the sets, which stay bytes until a batch is asked for, and the mean of the images to train on."""
        inputs, targets = (torch.from_numpy(part) for part in train)
        kept = len(inputs) - self.hold_out
        self.sets = {
            "train": (inputs[:kept], targets[:kept]),
            "test": (torch.from_numpy(test[0]), torch.from_numpy(test[1])),
        }
        if self.hold_out:
            self.sets["val"] = (inputs[kept:], targets[kept:])
        total = sum(part.sum(dim=0, dtype=torch.float64) for part in inputs[:kept].split(1000))
        self.mean = (total / kept / 255).float()  # (3, 32, 32)

    def train_dataloader(self) -> TensorBatches:
        return ImageBatches(self.mean, self.augment, *self._set("train"), self.batch_size, self.order, self.seed)

    def val_dataloader(self) -> list[TensorBatches]:
        return [ImageBatches(self.mean, False, *self._set(name), self.eval_batch_size) for name in self.watch]

    def test_dataloader(self) -> TensorBatches:
        return ImageBatches(self.mean, False, *self._set("test"), self.eval_batch_size)

    def read_image(self, path: str) -> Tensor:
        """Any image file, its middle square made 32x32; the training images are read for their mean."""
        self.setup("fit")
        return centred(torch.from_numpy(read_file(Path(path), square=True)), self.mean)


class ImageBatches(TensorBatches):
    """Batches of images held as bytes, centred and, for training, augmented as they are handed out.

    What is drawn for a batch follows from the seed, the epoch and its place in it, as the order of the images does, so
    that a resumed run sees the very images that the interrupted one would have seen.
    """

    def __init__(self, mean: Tensor, augment: bool, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.mean, self.augment = mean, augment

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for inputs, targets in super().__iter__():
            images = centred(inputs, self.mean)
            yield (crop_and_mirror(images, self.generator()) if self.augment else images), targets

    def generator(self) -> torch.Generator:
        rank, _ = self.share()
        seed = 0
        for part in (self.seed, self.epoch, self.position, rank):
            seed = (seed * 1_000_003 + part) % 2**63
        return torch.Generator().manual_seed(seed)


def centred(images: Tensor, mean: Tensor) -> Tensor:
    """(N, 3, 32, 32) or (3, 32, 32): bytes as colours from 0 to 1, less the mean of each pixel."""
    return images.float().div_(255).sub_(mean)


def crop_and_mirror(images: Tensor, generator: torch.Generator, padding: int = 4) -> Tensor:
    """Each image padded with zeros, which are the mean, on all sides and cropped anywhere; every other one mirrored.

    The whole batch at once: the rows and columns of all crops are one gathering of indices.
    """
    n, maps, height, width = images.shape
    padded = F.pad(images, (padding,) * 4)
    top, left = torch.randint(0, 2 * padding + 1, (2, n), generator=generator)
    mirrored = torch.rand(n, generator=generator) < 0.5
    columns = torch.arange(width).expand(n, width)
    columns = torch.where(mirrored[:, None], columns.flip(1), columns) + left[:, None]
    rows = torch.arange(height) + top[:, None]
    example = torch.arange(n).view(n, 1, 1, 1)
    return padded[example, torch.arange(maps).view(1, maps, 1, 1), rows[:, None, :, None], columns[:, None, None, :]]


# --- Reading ----------------------------------------------------------------------------------------


def read(files: str, root: str | None) -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    """The training and the test set. Raises LiteratimError for what is missing or damaged."""
    if files == "images":
        folder = find(IMAGE_FOLDERS, root)
        if folder is None:
            raise LiteratimError(missing("copies as image files", IMAGE_FOLDERS, root))
        return read_folder(folder / "train"), read_folder(folder / "test")
    folder = find((PYTHON, BINARY), root)
    if folder is None:
        copies = find(IMAGE_FOLDERS, root)
        hint = f"; the copies in {copies} are read with --data.files images" if copies else ""
        raise LiteratimError(missing("files", (PYTHON, BINARY), root) + hint)
    one = read_batch if folder.name == PYTHON else read_binary
    train, test = ([one(folder / name) for name in names] for names in (TRAIN_FILES, TEST_FILES))
    return joined(train), joined(test)


def joined(parts: list[tuple[Images, Labels]]) -> tuple[Images, Labels]:
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


def find(names: tuple[str, ...], root: str | None) -> Path | None:
    return next((place / name for place in data_folders(root) for name in names if (place / name).is_dir()), None)


def missing(what: str, names: tuple[str, ...], root: str | None) -> str:
    looked = looked_in(data_folders(root))
    return (
        f"CIFAR-10's {what} are missing: there is no folder {' or '.join(names)} in {looked}; put it there or name the "
        "folder that holds it with --data.root or LITERATIM_DATA"
    )


def content_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise LiteratimError(f"CIFAR-10's {path.name} is missing from {path.parent}; fetch the set again") from None
    except OSError as error:
        raise LiteratimError(f"{path} cannot be read: {error.strerror}; fetch the set again") from None


class OnlyArrays(pickle.Unpickler):
    """Reads a pickle of dicts, lists, bytes, numbers and arrays; one that names anything else is not run."""

    allowed = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return self.allowed[module, name]


def read_batch(path: Path) -> tuple[Images, Labels]:
    """One file of the Python version: a pickled dict with `data`, 10,000 rows of 3,072 bytes, and `labels`."""
    content = content_of(path)
    damaged = f"{path} is damaged: {{}}; fetch the set again"
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != MD5[path.name]:
        raise LiteratimError(damaged.format(f"its checksum is not the one of CIFAR-10's {path.name}"))
    try:
        with path.open("rb") as file:
            found = OnlyArrays(file, encoding="bytes").load()
        return checked(found[b"data"], found[b"labels"])
    except Exception as error:  # whatever a pickle may raise
        raise LiteratimError(damaged.format(" ".join(f"{type(error).__name__}: {error}".split()))) from None


def read_binary(path: Path) -> tuple[Images, Labels]:
    """One file of the binary version: 10,000 times a byte for the label and 3,072 for the image."""
    path = path.with_name(path.name + ".bin")
    content = content_of(path)
    size = IMAGES_A_FILE * 3073
    if len(content) != size:
        raise LiteratimError(f"{path} is damaged: it has {len(content):,} bytes, not {size:,}; fetch the set again")
    rows = np.frombuffer(content, dtype=np.uint8).reshape(IMAGES_A_FILE, 3073)
    try:
        return checked(rows[:, 1:], rows[:, 0])
    except ValueError as error:
        raise LiteratimError(f"{path} is damaged: {error}; fetch the set again") from None


def checked(data: Any, labels: Any) -> tuple[Images, Labels]:
    """Images and labels of one file. Raises ValueError where they are not what they should be."""
    images, targets = np.asarray(data), np.asarray(labels, dtype=np.int64)
    if images.dtype != np.uint8 or images.shape != (IMAGES_A_FILE, 3072) or targets.shape != (IMAGES_A_FILE,):
        raise ValueError(f"images of shape {images.shape} with {targets.shape} labels")
    if targets.min() < 0 or targets.max() >= len(CLASSES):
        raise ValueError("a label is not between 0 and 9")
    return images.reshape(-1, 3, 32, 32).copy(), targets


def read_folder(folder: Path) -> tuple[Images, Labels]:
    """Image files in a folder for each class, in the order of their names, so that the classes take turns."""
    found = []
    for label, name in enumerate(CLASSES):
        files = [path for path in (folder / name).glob("*.*") if not path.name.startswith(".")]
        if not files:
            raise LiteratimError(f"there are no images in {folder / name}; each class has a folder there")
        found += [(path.name, label, path) for path in files]
    found.sort()
    images = np.empty((len(found), 3, 32, 32), dtype=np.uint8)
    for i, (_, _, path) in enumerate(found):
        images[i] = read_file(path)
    return images, np.array([label for _, label, _ in found], dtype=np.int64)


def read_file(path: Path, square: bool = False) -> Images:
    """(3, 32, 32): one image file; with `square` one of any size, cut to its middle square and scaled."""
    image = read_picture(path)
    if square and image.size != (32, 32):
        side = min(image.size)
        left, top = ((length - side) // 2 for length in image.size)
        image = image.resize((32, 32), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    if image.size != (32, 32):
        raise LiteratimError(f"{path}: an image of {image.width}x{image.height} pixels; those of CIFAR-10 have 32x32")
    return np.asarray(image, dtype=np.uint8).transpose(2, 0, 1)
