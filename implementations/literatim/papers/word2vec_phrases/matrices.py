"""The engine `torch`: blocks of words whose predictions are matrix products, in plain torch, on any device.

Every GROUP successive centre words share their NOISE noise words. The scores of a group are one product of its centres'
vectors with those of the words around them and of the noise; a mask picks the windows' band out of it. A batch takes
the step of the sum over its groups, with gradients written out by hand.

Frequent words stand in a batch many times, and the sum of their steps, all taken from where the batch began, overshoots
until everything is NaN. So where the predictions that pull at a row of a table weigh more than CAP together, its step
is scaled down to that weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from literatim.papers.word2vec.engine import Reading
from literatim.papers.word2vec.model import Word2Vec

GROUP, NOISE, BATCH, CAP = 32, 32, 32, 32.0  # words, words, groups, predictions
MEASURED = 8  # the loss is measured in every so many-th batch


@dataclass(frozen=True)
class Block:
    """G groups of g words with their surroundings: `centres` (G, g) and `columns` (G, g + 2c) are ids, `mask`
    (G, g, g + 2c) says which columns are in a centre's window, `noise` (G, n) are ids, `place` (G,) is where in the
    stretch a group begins."""

    centres: Tensor
    columns: Tensor
    mask: Tensor
    noise: Tensor
    place: Tensor

    def part(self, start: int, end: int) -> Block:
        return Block(*(field[start:end] for field in vars(self).values()))


class Matrices:
    """Trains a Skip-gram or CBOW model with negative sampling. With a seed the outcome is the same each time on a CPU.

    Args:
        net: the model; its tables are changed in place
        reading: window, its distance and what is kept
        cap: the largest weight of predictions in the step of a row
    """

    def __init__(self, net: Word2Vec, reading: Reading, cap: float = CAP) -> None:
        output: Any = net.output
        self.cbow, self.k, self.cap, self.reading = net.architecture == "cbow", output.k, cap, reading
        self.whole = net.context_error == "whole"
        self.inputs, self.outputs = net.vectors.weight.data, output.words.weight.data
        self.cumulative = output.cumulative
        self.keep = torch.from_numpy(reading.keep).to(self.inputs.device)
        self.weight_in, self.weight_out = (self.inputs.new_zeros(len(self.inputs)) for _ in range(2))

    def train(
        self, ids: Tensor, offsets: Tensor, seed: int, rate: float, slope: float = 0.0, least: float = 0.0
    ) -> tuple[int, float]:
        """Train on sentences: (predictions made, their loss in nats, as every MEASURED-th batch suggests)."""
        block = self.block(ids.to(self.inputs.device), offsets.to(self.inputs.device), seed)
        places = block.place[::BATCH].tolist()
        made = block.mask.any(dim=2).sum() if self.cbow else block.mask.sum()
        loss = self.inputs.new_zeros(2, dtype=torch.float64)
        for batch, place in enumerate(places):
            part = block.part(batch * BATCH, (batch + 1) * BATCH)
            step = self.cbow_step if self.cbow else self.skip_gram_step
            found = step(part, max(least, rate - slope * place), batch % MEASURED == 0)
            if found is not None:
                loss += found
        return int(made), float(loss[0] / loss[1].clamp(min=1) * made)

    def block(self, ids: Tensor, offsets: Tensor, seed: int) -> Block:
        """What is left of the sentences, the windows and the noise, by chance."""
        draws = torch.Generator(ids.device).manual_seed(seed)
        window, ids = self.reading.window, ids.long()
        sentence = torch.repeat_interleave(torch.arange(len(offsets) - 1, device=ids.device), offsets.diff())
        kept = torch.rand(len(ids), generator=draws, device=ids.device) < self.keep[ids]
        place = kept.nonzero()[:, 0]
        ids, sentence = ids[place], sentence[place]
        reach = torch.full_like(ids, window)
        if self.reading.uniform:
            reach = torch.randint(1, window + 1, reach.shape, generator=draws, device=ids.device)
        short = -len(ids) % GROUP if len(ids) else GROUP
        # Words of no sentence fill up the last group and stand at both ends.
        ids = F.pad(ids, (window, window + short))
        sentence = F.pad(sentence, (window, window + short), value=-1)
        columns, around = (x.unfold(0, GROUP + 2 * window, GROUP) for x in (ids, sentence))
        inner = slice(window, window + GROUP)
        distance = (torch.arange(-window, GROUP + window) - torch.arange(GROUP)[:, None]).to(ids.device)
        within = (distance.abs() <= F.pad(reach, (0, short)).view(-1, GROUP, 1)) & (distance != 0)
        same = (around[:, None] == around[:, inner, None]) & (around[:, inner, None] >= 0)
        at = torch.rand(len(columns), NOISE, dtype=torch.float64, generator=draws, device=ids.device)
        noise = torch.searchsorted(self.cumulative, at, right=True).clamp(max=len(self.cumulative) - 1)
        return Block(columns[:, inner], columns, within & same, noise, place[::GROUP])

    def skip_gram_step(self, part: Block, rate: float, measure: bool) -> Tensor | None:
        columns = torch.cat([part.columns, part.noise], dim=1)
        made = part.mask.sum(dim=2, keepdim=True)
        share = made * (self.k / part.noise.shape[1])  # a centre's weight on each noise word
        weight = torch.cat([part.mask, share.expand(-1, -1, part.noise.shape[1])], dim=2).to(self.inputs.dtype)
        h, o = rows(self.inputs, part.centres), rows(self.outputs, columns)
        scores = h @ o.mT
        there = part.columns.shape[1]
        error = -scores.sigmoid()
        error[:, :, :there] += 1
        error *= weight * rate
        self.add(self.inputs, self.weight_in, part.centres, error @ o, weight.sum(dim=2))
        self.add(self.outputs, self.weight_out, columns, error.mT @ h, weight.sum(dim=1))
        if not measure:
            return None
        scores[:, :, :there] *= -1
        return torch.stack([(F.softplus(scores) * weight).sum(), made.sum()]).double()

    def cbow_step(self, part: Block, rate: float, measure: bool) -> Tensor | None:
        made = part.mask.sum(dim=2, keepdim=True)
        average = part.mask / made.clamp(min=1)
        one = (made > 0).to(self.inputs.dtype)
        share = one * (self.k / part.noise.shape[1])
        i, o = rows(self.inputs, part.columns), rows(self.outputs, part.noise)
        t = rows(self.outputs, part.centres)
        h = average @ i
        positive, negative = (h * t).sum(dim=2, keepdim=True), h @ o.mT
        up, down = (1 - positive.sigmoid()) * one * rate, -negative.sigmoid() * share * rate
        taken = part.mask.to(average.dtype) if self.whole else average
        self.add(self.inputs, self.weight_in, part.columns, taken.mT @ (up * t + down @ o), taken.sum(dim=1))
        words = torch.cat([part.centres, part.noise], dim=1)
        weight = torch.cat([one[:, :, 0], share.sum(dim=1).expand(-1, part.noise.shape[1])], dim=1)
        self.add(self.outputs, self.weight_out, words, torch.cat([up * h, down.mT @ h], dim=1), weight)
        if not measure:
            return None
        loss = (F.softplus(-positive) * one).sum() + (F.softplus(negative) * share).sum()
        return torch.stack([loss, one.sum()]).double()

    def add(self, table: Tensor, weights: Tensor, ids: Tensor, steps: Tensor, weight: Tensor) -> None:
        """Add steps (G, n, D) to rows (G, n) of a table, capped by the sum of their weights (G, n)."""
        ids = ids.flatten()  # int64: index_add_ is many times slower with int32
        weights.index_add_(0, ids, weight.flatten())
        scale = (self.cap / weights[ids].clamp(min=self.cap))[:, None]
        weights.index_fill_(0, ids, 0)
        table.index_add_(0, ids, steps.flatten(0, 1) * scale)


def rows(table: Tensor, ids: Tensor) -> Tensor:
    """(G, n, D): rows (G, n) of a table."""
    return table.index_select(0, ids.flatten()).view(*ids.shape, -1)
