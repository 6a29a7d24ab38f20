"""scikit-learn's handwritten digits: 1,797 real ones, offline, for the `quick` recipes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from literatim.datasets.images import field, read_digit
from literatim.datasets.tensors import Order, TensorDataModule
from literatim.errors import LiteratimError


def scikit_learns() -> tuple[np.ndarray, np.ndarray]:
    """(images, labels) as `sklearn.datasets.load_digits(return_X_y=True)` gives them: (1797, 64) from 0 to 16, (1797,).

    From its file, where that lies in its place: to import sklearn.datasets takes longer than all else in `setup`.
    """
    spec = find_spec("sklearn")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "datasets", "data", "digits.csv.gz")
        if path.is_file():
            table = np.loadtxt(path, delimiter=",")
            return table[:, :-1], table[:, -1].astype(int)
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return images, labels


class Digits(TensorDataModule):
    """The digits of 8x8 pixels and 17 grey levels, enlarged so that they look to a network as MNIST's do.

    Every fifth image is kept for the test: 1,437 to train on and 360 to test.

    Args:
        batch_size: examples a step
        eval_batch_size: examples a step when evaluating
        size: side of the square field, in pixels
        background: input level of white paper
        ink: input level of black ink
        order: shuffle "each epoch", "once" or "none"
        watch: sets whose error is taken after every epoch: train, test
        seed: of the order
    """

    classes = tuple("0123456789")

    def __init__(
        self,
        batch_size: int = 32,
        eval_batch_size: int = 512,
        size: int = 32,
        background: float = -0.1,
        ink: float = 1.175,
        order: Order = "each epoch",
        watch: list[str] = ["test"],  # noqa: B006 (Lightning shows the default in --help)
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, eval_batch_size, watch, order, seed)
        if size < 20:
            raise LiteratimError(f"data.size is {size}; a digit needs a field of at least 20 pixels")
        self.size, self.background, self.ink = size, background, ink

    def setup(self, stage: str) -> None:
        if self.sets:
            return
        images, labels = scikit_learns()
        small = torch.from_numpy(images.astype(np.float32) / 16).view(-1, 1, 8, 8)
        # 8x8 pixels hold what MNIST has in its box of 20x20.
        large = torch.nn.functional.interpolate(small, size=(20, 20), mode="bilinear")
        inputs = field(large[:, 0].numpy(), self.size, self.background, self.ink)
        targets = torch.from_numpy(labels).long()
        test = torch.arange(len(targets)) % 5 == 0
        self.sets = {"train": (inputs[~test], targets[~test]), "test": (inputs[test], targets[test])}

    def read_image(self, path: str) -> Tensor:
        return field(read_digit(path, min(28, self.size)), self.size, self.background, self.ink)[0]
