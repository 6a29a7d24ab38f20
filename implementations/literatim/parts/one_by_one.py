"""Settings for running a small network on one example at a time."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_by_one() -> Iterator[None]:
    """One thread and torch's plain convolutions for a while.

    With one image, more threads only wait for each other, and oneDNN spends its time preparing the weights: a LeNet-5
    update takes half the time without it (`benchmarks/updates.py`).
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about TF32 on hardware that is not there
            plain = torch.backends.mkldnn.flags(enabled=False)
            plain.__enter__()
        yield
    finally:
        plain.__exit__(None, None, None)
        torch.set_num_threads(before)
