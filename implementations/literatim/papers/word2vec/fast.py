"""The same algorithm, prediction by prediction, compiled by numba: the tools of the kernels, and that of the tree.

A kernel reads sentences, leaves words out by chance, draws windows, and takes for every prediction the step of the
readable model in model.py: all scores first, then all gradients, then the sums. It works on the model's own tables,
whose rows are padded with zeros to whole cache lines; their width is a constant when a kernel is compiled, so its inner
loops are plain vector code. Compiled kernels are kept on disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from literatim.papers.word2vec.engine import SAMPLED
from literatim.parts.compiled import COMPILED, INLINED, kernel

AHEAD = 4  # predictions by which rows are fetched into the cache before they are needed
# numba looks for changes in a kernel's own file alone; a kernel elsewhere names this number to see those of this file.
STAMP = os.stat(__file__).st_mtime_ns


def _prefetch(typing: Any, table: Any, row: Any, line: Any) -> Any:
    """prefetch(table, row, line) asks the processor for a cache line of a row that will be written to."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        wide, narrow = ir.IntType(64), ir.IntType(32)
        row_bytes = cgutils.unpack_tuple(builder, array.strides)[0]
        row = builder.sext(args[1], wide) if args[1].type.width < 64 else args[1]
        place = builder.add(builder.mul(row, row_bytes), builder.mul(args[2], wide(64)))
        address = builder.inttoptr(builder.add(builder.ptrtoint(array.data, wide), place), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), narrow, narrow, narrow])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [address, narrow(1), narrow(3), narrow(1)])  # to write, to keep, data
        return context.get_dummy_value()

    return types.void(table, row, line), codegen


prefetch: Any = intrinsic(_prefetch)


@njit(**INLINED)
def advanced(state):  # type: ignore[no-untyped-def]
    """The next state of the generator xorshift64*."""
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    return state ^ (state >> np.uint64(27))


@njit(**INLINED)
def number(state):  # type: ignore[no-untyped-def]
    """64 random bits of a state."""
    return state * np.uint64(2685821657736338717)


@njit(**INLINED)
def below(bits, n):  # type: ignore[no-untyped-def]
    """A whole number from 0 to n - 1, of the upper half of 64 random bits."""
    return np.int64(((bits >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@njit(**INLINED)
def sigmoid(x):  # type: ignore[no-untyped-def]
    """1 / (1 + e^-x), to about 1e-7: e^y is 2^i e^r with whole i, |r| <= ln 2 / 2, and e^r by its Taylor polynomial."""
    y = -min(max(x, np.float32(-60)), np.float32(60)) * np.float32(1.4426950408889634)
    i = np.floor(y + np.float32(0.5))
    r = (y - i) * np.float32(0.6931471805599453)
    e = np.float32(1 / 24) + r * (np.float32(1 / 120) + r * np.float32(1 / 720))
    e = np.float32(1) + r * (np.float32(1) + r * (np.float32(1 / 2) + r * (np.float32(1 / 6) + r * e)))
    power = np.int32((np.int32(i) + np.int32(127)) << np.int32(23)).view(np.float32)
    return np.float32(1) / (np.float32(1) + e * power)


@njit(**COMPILED)
def softplus(x):  # type: ignore[no-untyped-def]
    """log(1 + e^x) = -log sigma(-x)."""
    return max(x, 0.0) + np.log1p(np.exp(-abs(x)))


@njit(**COMPILED)
def thinned(ids, start, end, keep, state, sentence):  # type: ignore[no-untyped-def]
    """The words of a sentence that chance leaves, into `sentence`: (how many, state). `keep` are probabilities."""
    n = 0
    for i in range(start, end):
        state = advanced(state)
        # 24 bits of chance, from 0 to below 1
        if np.float32(number(state) >> np.uint64(40)) * np.float32(2.0**-24) < keep[ids[i]]:
            sentence[n] = ids[i]
            n += 1
    return n, state


@njit(**COMPILED)
def reaches(n, window, uniform, state, low, high):  # type: ignore[no-untyped-def]
    """The windows of n words: word i has those from low[i] to before high[i] around it, itself among them."""
    for i in range(n):
        reach = window
        if uniform:
            state = advanced(state)
            reach = 1 + below(number(state), window)
        low[i], high[i] = max(0, i - reach), min(n, i + reach + 1)
    return state


@njit(**COMPILED)
def listed(n, low, high, cbow, sentence, inputs, targets):  # type: ignore[no-untyped-def]
    """The predictions of a sentence in their order, how many: for CBOW the place of its centre is the input."""
    made = 0
    for i in range(n):
        if cbow:
            if high[i] - low[i] > 1:
                inputs[made], targets[made] = i, sentence[i]
                made += 1
        else:
            for j in range(low[i], high[i]):
                if j != i:
                    inputs[made], targets[made] = sentence[i], sentence[j]
                    made += 1
    return made


@njit(**INLINED)
def project(table, source, low, high, sentence, cbow, h, width):  # type: ignore[no-untyped-def]
    """The projection layer, into h: the vector of word `source`, or the average over the window at place `source`."""
    if cbow:
        h[:] = np.float32(0)
        for j in range(low[source], high[source]):
            if j != source:
                word = sentence[j]
                for d in range(width):
                    h[d] += table[word, d]
        share = np.float32(1) / np.float32(high[source] - low[source] - 1)
        for d in range(width):
            h[d] *= share
    else:
        for d in range(width):
            h[d] = table[source, d]


@njit(**INLINED)
def step_back(table, source, low, high, sentence, cbow, whole, g, width):  # type: ignore[no-untyped-def]
    """The step g of the projection layer, to the vector it is, or in equal shares to those it is the average of, or the
    whole of it to each of them."""
    if cbow:
        share = np.float32(1) if whole else np.float32(1) / np.float32(high[source] - low[source] - 1)
        for j in range(low[source], high[source]):
            if j != source:
                word = sentence[j]
                for d in range(width):
                    table[word, d] += share * g[d]
    else:
        for d in range(width):
            table[source, d] += g[d]


@njit(**COMPILED)
def trace(row, s, source, target, low, high, sentence, cbow):  # type: ignore[no-untyped-def]
    """What a prediction was, for the tests: sentence, target, inputs from place 2 on."""
    row[0], row[1], row[2] = s, target, source
    if cbow:
        place = 2
        for j in range(low[source], high[source]):
            if j != source:
                row[place] = sentence[j]
                place += 1


def hierarchical(width: int, cbow: bool, whole: bool) -> Callable[..., Any]:
    """The kernel of the hierarchical softmax, for rows of so many float32; `whole`: what CBOW's words take."""

    @kernel
    def train(  # type: ignore[no-untyped-def]
        ids, offsets, first, after, seed, vectors, keep, window, uniform, rate, slope, least, traced,
        inner, nodes, turns,
    ):  # fmt: skip
        longest = np.max(np.diff(offsets))
        sentence, low, high = np.empty(longest, np.int32), np.empty(longest, np.int64), np.empty(longest, np.int64)
        inputs, targets = np.empty(longest * 2 * window, np.int32), np.empty(longest * 2 * window, np.int32)
        h, g = np.zeros(width, np.float32), np.zeros(width, np.float32)
        f = np.zeros(nodes.shape[1], np.float32)
        state, predictions, measured, loss = np.uint64(seed), 0, 0, 0.0
        for s in range(first, after):
            step = np.float32(max(least, rate - slope * (offsets[s] - offsets[first])))
            n, state = thinned(ids, offsets[s], offsets[s + 1], keep, state, sentence)
            state = reaches(n, window, uniform, state, low, high)
            made = listed(n, low, high, cbow, sentence, inputs, targets)
            for k in range(made):
                source, target = inputs[k], targets[k]
                if predictions < len(traced):
                    trace(traced[predictions], s, source, target, low, high, sentence, cbow)
                project(vectors, source, low, high, sentence, cbow, h, width)
                length = 0
                while length < nodes.shape[1] and turns[target, length] != 0:
                    length += 1
                # Two nodes at a time, here and below: h and g are then read and written half as often.
                for j in range(0, length - 1, 2):
                    one, two = nodes[target, j], nodes[target, j + 1]
                    first_score, second_score = np.float32(0), np.float32(0)
                    for d in range(width):
                        first_score += h[d] * inner[one, d]
                        second_score += h[d] * inner[two, d]
                    f[j], f[j + 1] = first_score, second_score
                if length % 2:
                    last, score = nodes[target, length - 1], np.float32(0)
                    for d in range(width):
                        score += h[d] * inner[last, d]
                    f[length - 1] = score
                if predictions % SAMPLED == 0:
                    for j in range(length):
                        loss += softplus(-turns[target, j] * f[j])
                    measured += 1
                predictions += 1
                for j in range(length):  # the derivative of log sigma(turn * score), times the rate
                    turn = np.float32(turns[target, j])
                    f[j] = turn * (np.float32(1) - sigmoid(turn * f[j])) * step
                g[:] = np.float32(0)
                for j in range(0, length - 1, 2):  # no node is twice on a path
                    one, two, a, b = nodes[target, j], nodes[target, j + 1], f[j], f[j + 1]
                    for d in range(width):
                        before, other = inner[one, d], inner[two, d]
                        g[d] += a * before + b * other
                        inner[one, d] = before + a * h[d]
                        inner[two, d] = other + b * h[d]
                if length % 2:
                    last, a = nodes[target, length - 1], f[length - 1]
                    for d in range(width):
                        before = inner[last, d]
                        g[d] += a * before
                        inner[last, d] = before + a * h[d]
                step_back(vectors, source, low, high, sentence, cbow, whole, g, width)
        return predictions, measured, loss

    return train
