"""Negative sampling, prediction by prediction, compiled by numba: the kernels of the engines `exact` and `shared`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from literatim.papers.word2vec.engine import LINE, SAMPLED
from literatim.papers.word2vec.fast import (
    AHEAD,
    STAMP,
    advanced,
    listed,
    number,
    prefetch,
    project,
    reaches,
    sigmoid,
    softplus,
    step_back,
    thinned,
    trace,
)
from literatim.parts.compiled import INLINED, kernel


@kernel
def alias(share):  # type: ignore[no-untyped-def]
    """A distribution (V,) as an alias table: (thresholds (V,) uint32, other words (V,) int32).

    To draw, take a place with equal chances; then its own word, or, where 32 random bits are above the threshold, the
    other word of the place. So a draw costs one look into memory, where a search through sums costs log2 V.
    """
    n = len(share)
    part = share * (n / share.sum())
    threshold, other = np.full(n, 2.0**32 - 1), np.arange(n).astype(np.int32)
    poor, rich = np.empty(n, np.int64), np.empty(n, np.int64)
    poors, riches = 0, 0
    for i in range(n):
        if part[i] < 1:
            poor[poors] = i
            poors += 1
        else:
            rich[riches] = i
            riches += 1
    while poors and riches:  # what a poor place has to spare goes to a rich word
        poors -= 1
        place, giver = poor[poors], rich[riches - 1]
        threshold[place], other[place] = part[place] * 2.0**32, giver
        part[giver] -= 1 - part[place]
        if part[giver] < 1:
            riches -= 1
            poor[poors] = giver
            poors += 1
    return np.minimum(threshold, 2.0**32 - 1).astype(np.uint32), other


@njit(**INLINED)
def drawn(state, threshold, other):  # type: ignore[no-untyped-def]
    """A word from the noise, of a state of the generator."""
    bits = number(state)
    place = np.int64(((bits >> np.uint64(32)) * np.uint64(len(other))) >> np.uint64(32))
    if (bits & np.uint64(0xFFFFFFFF)) > np.uint64(threshold[place]):
        place = np.int64(other[place])
    return place


def independent(width: int, cbow: bool, whole: bool, k: int) -> Callable[..., Any]:
    """The kernel of the engine `exact`: k noise words for every prediction, for rows of so many float32; `whole`: what
    CBOW's words take."""
    lines, stamp = width // LINE, STAMP  # the stamp is in the kernel only for its place on disk

    @kernel
    def train(  # type: ignore[no-untyped-def]
        ids, offsets, first, after, seed, vectors, keep, window, uniform, rate, slope, least, traced,
        outputs, threshold, other,
    ):  # fmt: skip
        longest = np.max(np.diff(offsets)) if stamp else 0
        sentence, low, high = np.empty(longest, np.int32), np.empty(longest, np.int64), np.empty(longest, np.int64)
        inputs, targets = np.empty(longest * 2 * window, np.int32), np.empty(longest * 2 * window, np.int32)
        h, g, f = np.zeros(width, np.float32), np.zeros(width, np.float32), np.zeros(k + 1, np.float32)
        ring = np.zeros((AHEAD, k + 1), np.int32)  # the words of the predictions that come next: the one there, noise
        state, predictions, measured, loss = np.uint64(seed), 0, 0, 0.0
        for s in range(first, after):
            step = np.float32(max(least, rate - slope * (offsets[s] - offsets[first])))
            n, state = thinned(ids, offsets[s], offsets[s + 1], keep, state, sentence)
            state = reaches(n, window, uniform, state, low, high)
            made = listed(n, low, high, cbow, sentence, inputs, targets)
            for i in range(made + AHEAD):
                now = i % AHEAD  # the place in the ring of prediction i - AHEAD, and then of prediction i
                if i >= AHEAD:
                    source = inputs[i - AHEAD]
                    if predictions < len(traced):
                        row = traced[predictions]
                        trace(row, s, source, ring[now, 0], low, high, sentence, cbow)
                        row[len(row) - k :] = ring[now, 1:]
                    project(vectors, source, low, high, sentence, cbow, h, width)
                    for t in range(k + 1):
                        word, score = ring[now, t], np.float32(0)
                        for d in range(width):
                            score += h[d] * outputs[word, d]
                        f[t] = score
                    if predictions % SAMPLED == 0:
                        loss += softplus(-f[0])
                        for t in range(1, k + 1):
                            loss += softplus(f[t])
                        measured += 1
                    predictions += 1
                    for t in range(k + 1):  # the derivative of log sigma(+-score), times the rate
                        f[t] = (np.float32(t == 0) - sigmoid(f[t])) * step
                    g[:] = np.float32(0)
                    for t in range(k + 1):
                        word, a = ring[now, t], f[t]
                        for d in range(width):
                            g[d] += a * outputs[word, d]
                    for t in range(k + 1):  # after all gradients, for a word may be drawn twice
                        word, a = ring[now, t], f[t]
                        for d in range(width):
                            outputs[word, d] += a * h[d]
                    step_back(vectors, source, low, high, sentence, cbow, whole, g, width)
                if i < made:
                    ring[now, 0] = targets[i]
                    for line in range(lines):
                        prefetch(outputs, np.int64(targets[i]), line)
                    for t in range(1, k + 1):
                        state = advanced(state)
                        word = drawn(state, threshold, other)
                        ring[now, t] = word
                        for line in range(lines):
                            prefetch(outputs, word, line)
        return predictions, measured, loss

    return train


def shared(width: int, k: int) -> Callable[..., Any]:
    """The kernel of the engine `shared`: Skip-gram, k noise words for all predictions of a centre word together.

    Its m predictions have one input; their steps are taken at once: each noise word's error counts m times.
    """
    lines, stamp = width // LINE, STAMP  # the stamp is in the kernel only for its place on disk

    @kernel
    def train(  # type: ignore[no-untyped-def]
        ids, offsets, first, after, seed, vectors, keep, window, uniform, rate, slope, least, traced,
        outputs, threshold, other,
    ):  # fmt: skip
        longest = np.max(np.diff(offsets)) if stamp else 0
        sentence, low, high = np.empty(longest, np.int32), np.empty(longest, np.int64), np.empty(longest, np.int64)
        h, g = np.zeros(width, np.float32), np.zeros(width, np.float32)
        f, words = np.zeros(2 * window + k, np.float32), np.zeros(2 * window + k, np.int32)
        ring = np.zeros((AHEAD, k), np.int32)  # the noise words of the centres that come next
        state, centres, predictions, measured, loss = np.uint64(seed), 0, 0, 0, 0.0
        for s in range(first, after):
            step = np.float32(max(least, rate - slope * (offsets[s] - offsets[first])))
            n, state = thinned(ids, offsets[s], offsets[s + 1], keep, state, sentence)
            state = reaches(n, window, uniform, state, low, high)
            for i in range(n + AHEAD):
                if i >= AHEAD:
                    place = i - AHEAD
                    centre, m = sentence[place], 0
                    for j in range(low[place], high[place]):
                        if j != place:
                            words[m] = sentence[j]
                            m += 1
                    rows = m + k if m else 0
                    for t in range(m, rows):
                        words[t] = ring[i % AHEAD, t - m]
                    if m and centres < len(traced):
                        row = traced[centres]
                        row[:] = -1
                        row[0], row[1], row[2 : 2 + m], row[len(row) - k :] = s, centre, words[:m], words[m:rows]
                    for d in range(width):
                        h[d], g[d] = vectors[centre, d], np.float32(0)
                    for t in range(rows):
                        word, score = words[t], np.float32(0)
                        for d in range(width):
                            score += h[d] * outputs[word, d]
                        f[t] = score
                    if centres % SAMPLED == 0:
                        for t in range(rows):
                            loss += softplus(-f[t]) if t < m else m * softplus(f[t])
                        measured += m
                    centres += m > 0
                    predictions += m
                    for t in range(rows):
                        there = np.float32(t < m)
                        weight = step * (there + (np.float32(1) - there) * np.float32(m))
                        f[t] = (there - sigmoid(f[t])) * weight
                    for t in range(rows):
                        word, a = words[t], f[t]
                        for d in range(width):
                            g[d] += a * outputs[word, d]
                    for t in range(rows):
                        word, a = words[t], f[t]
                        for d in range(width):
                            outputs[word, d] += a * h[d]
                    for d in range(width):
                        vectors[centre, d] += g[d]
                if i < n:
                    ahead = np.int64(sentence[min(i + window, n - 1)])
                    for line in range(lines):
                        prefetch(outputs, ahead, line)
                        prefetch(vectors, np.int64(sentence[i]), line)
                    for t in range(k):
                        state = advanced(state)
                        word = drawn(state, threshold, other)
                        ring[i % AHEAD, t] = word
                        for line in range(lines):
                            prefetch(outputs, word, line)
        return predictions, measured, loss

    return train
