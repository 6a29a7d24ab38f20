"""A step of the adding problem's learning: the engine, the readable module with autograd, torch.nn.LSTM, in turns.

    python benchmarks/lstm.py [--rounds 7]

Sequences of T = 100; torch.nn.LSTM has as many hidden units as the network has cells, and is trained in float32, one
sequence an update, by its own backward pass.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from literatim.datasets.lags import Marked
from literatim.papers.lstm.engine import Exact, Plain
from literatim.papers.lstm.model import LSTM
from literatim.parts.trials import Trials


class Torchs(nn.Module):
    """torch's LSTM under an output unit."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.output = nn.LSTM(2, 4, batch_first=True), nn.Linear(4, 1)

    def learn(self, x: torch.Tensor, target: torch.Tensor, optimizer: torch.optim.Optimizer) -> None:
        loss = (torch.sigmoid(self.output(self.lstm(x)[0][:, -1])) - target).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def contestants() -> list[Callable[[], float]]:
    """Each trains for a while and returns nanoseconds a step."""
    net = LSTM()
    few, many = (Marked(sequences=n).chunk("train") for n in (5, 2000))
    exact, plain = Exact(net, Trials([net]), False), Plain(net, Trials([net]), False)
    other = Torchs()
    optimizer = torch.optim.SGD(other.parameters(), lr=0.01)
    ends = few.offsets.tolist()
    x = torch.from_numpy(few.x).float()
    pairs = [
        (x[None, a:b], torch.from_numpy(t).float()[None])
        for a, b, t in zip(ends[:-1], ends[1:], few.targets, strict=True)
    ]

    def timed(what: Callable[[], object], steps: int) -> float:
        start = time.perf_counter()
        what()
        return (time.perf_counter() - start) / steps * 1e9

    return [
        lambda: timed(lambda: exact.learn(0, many, 0, len(many), 0.5), int(many.offsets[-1])),
        lambda: timed(lambda: plain.learn(0, few, 0, len(few), 0.5), ends[-1]),
        lambda: timed(lambda: [other.learn(*pair, optimizer) for pair in pairs], ends[-1]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    runs = contestants()
    rows = [[run() for run in runs] for _ in range(rounds + 1)][1:]  # the first warms up
    engine, readable, torchs = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"the engine, float64            {engine:.0f} ns a step")
    print(f"the readable module, float64   {readable:.0f} ns, {readable / engine:.0f} times")
    print(f"torch.nn.LSTM, float32         {torchs:.0f} ns, {torchs / engine:.0f} times")


if __name__ == "__main__":
    main()
