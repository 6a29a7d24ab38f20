"""LeNet-5's single-image update, the unit of the recipe `paper`: with and without the settings of `one_by_one`.

    python benchmarks/updates.py [--rounds 10]

Also the sixty packed kernels of C3 in one convolution, as the model has them, against sixteen small convolutions.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.papers.lenet.levenberg_marquardt import StochasticDiagonalLM
from literatim.papers.lenet.model import TABLE_I, LeNet5, TableConvolution, discriminative_loss
from literatim.parts.one_by_one import one_by_one

UPDATES = 200


class SixteenConvolutions(nn.Module):
    """C3 map by map: each gathers its own maps of S2."""

    def __init__(self, packed: TableConvolution) -> None:
        super().__init__()
        self.weight, self.bias = packed.weight, packed.bias

    def forward(self, x: Tensor) -> Tensor:
        out, row = [], 0
        for out_map, inputs in enumerate(TABLE_I):
            kernel = self.weight[row : row + len(inputs)][None]
            out.append(F.conv2d(x[:, list(inputs)], kernel, self.bias[out_map : out_map + 1]))
            row += len(inputs)
        return torch.cat(out, dim=1)


def updates(split: bool) -> Callable[[], float]:
    """A function that makes the updates and returns milliseconds for one."""
    net = LeNet5(subsampling="average", init="sqrt", coefficient=1.0)
    if split:
        net.c3 = SixteenConvolutions(net.c3)
    optimizer = StochasticDiagonalLM(net.parameters(), lr=1e-6, mu=0.02)
    x, target = torch.rand(1, 1, 32, 32), torch.tensor([3])

    def run() -> float:
        start = time.perf_counter()
        for _ in range(UPDATES):
            loss = discriminative_loss(net(x), target, 10.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return (time.perf_counter() - start) / UPDATES * 1e3

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    whole, split = updates(split=False), updates(split=True)
    rows = []
    for _ in range(parser.parse_args().rounds + 1):
        with one_by_one():
            packed, sixteen = whole(), split()
        with nullcontext():
            rows.append((packed, sixteen, whole()))
    rows = rows[1:]  # the first warms up
    packed, sixteen, usual = (statistics.median(column) for column in zip(*rows, strict=True))

    def ratio(column: int) -> float:
        return statistics.median(row[column] / row[0] for row in rows)

    print(f"as the recipe runs it          {packed:.2f} ms an update")
    print(f"sixteen small convolutions     {sixteen:.2f} ms, {ratio(1):.2f} times")
    print(f"without one_by_one             {usual:.2f} ms, {ratio(2):.2f} times")


if __name__ == "__main__":
    main()
