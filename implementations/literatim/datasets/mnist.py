"""MNIST: 60,000 + 10,000 handwritten digits of 28x28 pixels."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from literatim.datasets.images import field, read_digit
from literatim.datasets.tensors import Order, TensorDataModule
from literatim.errors import LiteratimError
from literatim.places import data_folders, expanded, looked_in, user_cache
from literatim.registry.data import DATA_SETS

SHA256 = DATA_SETS["mnist"].sha256


class MNIST(TensorDataModule):
    """The digits in a field of `size` pixels with white at `background` and black at `ink`.

    The four files are looked for in `root`, in `$LITERATIM_DATA` and in the user's cache, there in the folder
    `MNIST/raw` as torchvision lays them out, unpacked or as .gz; what is found must have the known checksums.

    Args:
        root: folder that holds MNIST/raw
        download: let torchvision fetch what is missing into `root` or the user's cache
        hold_out: images at the end of the training set that are not trained on, as the set `val`
        batch_size: examples a step
        eval_batch_size: examples a step when evaluating
        size: side of the square field, in pixels
        background: input level of white paper
        ink: input level of black ink
        order: shuffle "each epoch", "once" or "none"
        watch: sets whose error is taken after every epoch: train, val, test
        seed: of the order
    """

    classes = tuple("0123456789")

    def __init__(
        self,
        root: str | None = None,
        download: bool = False,
        hold_out: int = 0,
        batch_size: int = 64,
        eval_batch_size: int = 500,
        size: int = 32,
        background: float = -0.1,
        ink: float = 1.175,
        order: Order = "each epoch",
        watch: list[str] = ["test"],  # noqa: B006 (Lightning shows the default in --help)
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, eval_batch_size, watch, order, seed)
        if size < 28:
            raise LiteratimError(f"data.size is {size}; an MNIST image needs a field of at least 28 pixels")
        if not 0 <= hold_out < 60_000:
            raise LiteratimError(f"data.hold_out is {hold_out}; it must lie between 0 and 59,999")
        self.root, self.download, self.hold_out = root, download, hold_out
        self.size, self.background, self.ink = size, background, ink

    def prepare_data(self) -> None:
        """Fetch the files, where some are missing and `download` is set."""
        missing = [name for name in SHA256 if find_file(name, self.root) is None]
        if missing and self.download:
            to = expanded(self.root) if self.root else user_cache()
            if to is None:
                raise LiteratimError("name the folder to download MNIST to with --data.root: no home folder is known")
            _download(to)

    def setup(self, stage: str) -> None:
        if self.sets or stage == "predict":
            return
        arrays = {name: read_idx(name, self.root) for name in SHA256}
        inputs, targets = self._tensors(arrays["train-images-idx3-ubyte"], arrays["train-labels-idx1-ubyte"])
        kept = len(inputs) - self.hold_out
        self.sets = {
            "train": (inputs[:kept], targets[:kept]),
            "test": self._tensors(arrays["t10k-images-idx3-ubyte"], arrays["t10k-labels-idx1-ubyte"]),
        }
        if self.hold_out:
            self.sets["val"] = (inputs[kept:], targets[kept:])

    def _tensors(self, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        grey = images / np.float32(255)
        return field(grey, self.size, self.background, self.ink), torch.from_numpy(labels.astype(np.int64))

    def read_image(self, path: str) -> Tensor:
        return field(read_digit(path, min(28, self.size)), self.size, self.background, self.ink)[0]


def find_file(name: str, root: str | None) -> Path | None:
    for folder in data_folders(root):
        for path in (folder / "MNIST" / "raw" / name, folder / "MNIST" / "raw" / f"{name}.gz"):
            if path.is_file():
                return path
    return None


def read_idx(name: str, root: str | None) -> NDArray[np.uint8]:
    """The array in one of the four files, checked. Raises LiteratimError for a missing or a damaged file."""
    path = find_file(name, root)
    if path is None:
        looked = looked_in([folder / "MNIST" / "raw" for folder in data_folders(root)])
        raise LiteratimError(
            f"MNIST's {name} is missing (looked in {looked}); put the file there, name its folder with --data.root "
            "or LITERATIM_DATA, or fetch it with --data.download true"
        )
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise LiteratimError(f"{path} cannot be read: {error}; delete it and fetch it again") from None
    if hashlib.sha256(raw).hexdigest() != SHA256[name]:
        raise LiteratimError(
            f"{path} is damaged: its checksum is not the one of MNIST's {name}; delete it and fetch it again "
            "with --data.download true"
        )
    dimensions = raw[3]
    shape = np.frombuffer(raw, dtype=">i4", count=dimensions, offset=4)
    return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _download(folder: Path) -> None:
    try:
        from torchvision.datasets import MNIST as Torchvision
    except (
        ImportError,
        RuntimeError,
    ) as error:  # a torchvision that does not fit torch fails with RuntimeError
        raise LiteratimError(
            f"downloading MNIST needs torchvision, which does not import ({error}); pip install 'literatim[download]'"
        ) from None
    try:
        Torchvision(str(folder), train=True, download=True)
    except (OSError, RuntimeError, HTTPException) as error:
        raise LiteratimError(
            f"MNIST could not be downloaded to {folder}: {error}; fetch its four files elsewhere and name their folder "
            "with --data.root"
        ) from None
