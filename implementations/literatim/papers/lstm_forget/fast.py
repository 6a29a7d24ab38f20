r"""Learning at every symbol, compiled by numba: truncated derivatives by hand (Sec. 3.2), one stream after another.

Tables have a row for each source (inputs, what the cells gave a step before, and a 1 for the biases) and the hidden
units in their columns: cells, then input gates, output gates, forget gates. An input is the number of the unit that
is 1.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from literatim.papers.lstm.vectors import STAMP, add_rows, add_to_rows, scale_rows, squash
from literatim.papers.lstm_forget.learning import VANISHED
from literatim.parts.compiled import kernel

TRAIN, TEST = 0, 1  # whether a kernel trains and tests, or tests alone


@cache
def streamer(inputs: int, outputs: int, blocks: int, size: int, gated: bool, shortcut: bool) -> Any:
    """The kernel for networks of a shape; `gated`: with forget gates."""
    cells = blocks * size
    hidden = cells + (3 if gated else 2) * blocks
    at_in, at_out, at_forget = cells, cells + blocks, cells + 2 * blocks
    fed = cells + 1  # with the 1 of the biases, the last source
    sources = inputs + fed
    traced = (3 if gated else 2) * cells
    heard = cells + 1 + (inputs if shortcut else 0)  # by an output unit: cells, the 1, inputs

    def run(  # type: ignore[no-untyped-def]
        w, v, rng, test_rng, first, second, after, resets, legal, allowed, winners, limit, kept, rate, decay, what,
        lengths, found, largest,
    ):  # fmt: skip
        """Train on streams, one for each of `lengths`, and after each take a test, until one is perfect; or test alone.

        Args:
            w: (sources, hidden); v: (heard, outputs): weights, which change
            rng, test_rng: generators of what is drawn where two symbols may follow
            first, second: (places,) int64: the symbols that may follow at a place of the grammar, alike where one may
            after: (places, 2) int64: the places that they lead to; a stream begins at place 0
            resets: whether the state is set to zero where a string begins
            legal: whether all symbols that may follow are the target, or the one that does
            allowed: a prediction is right where the squared error of every unit is below this
            winners: whether in a test the units of the symbols that may follow must be the most active besides
            limit: symbols of a stream
            kept: what a state keeps where there are no forget gates
            rate, decay: the learning rate at the start of a stream, and by what it is multiplied after every symbol
            what: TRAIN or TEST
            lengths: (streams,) symbols of the training streams before the first mistake, at most `limit`
            found: (streams, tests) the same of the test streams after each; one is perfect where all reach `limit`, and
                while training it ends with the first that does not: -1 from there on
            largest: (1,) becomes the largest amount of a state in the tests

        Returns how many training streams it took, or -1.
        """
        stamp = STAMP  # numba, which looks into this file alone for changes, sees those of the other by it
        net, h, s = np.empty(hidden), np.empty(cells), np.empty(cells)
        source, below = np.empty(fed), np.zeros(heard)
        trace, coefficient, keep = np.zeros((sources, traced)), np.empty(traced), np.empty(traced)
        y, e, own, gate_error = np.empty(outputs), np.empty(outputs), np.empty(cells), np.empty(blocks)
        below[cells] = 1.0
        for n in range(len(lengths)):
            for test in range(-1 if what == TRAIN else 0, found.shape[1]):
                learns, now = test < 0, rate
                s[:] = 0.0
                source[:] = 0.0
                source[cells] = 1.0
                trace[:] = 0.0
                place, row, right = after[0, 0], first[0] if stamp else 0, limit
                for t in range(limit):
                    net[:] = 0.0
                    add_rows(net, w, inputs, source, fed, hidden)  # type: ignore[call-arg]
                    for k in range(hidden):
                        net[k] += w[row, k]
                    squash(net, hidden)
                    learns = learns and now > VANISHED
                    for c in range(cells):
                        b, j = c // size, c % size
                        i, g = net[at_in + b], 4.0 * net[c] - 2.0
                        share = net[at_forget + b] if gated else kept
                        if learns:  # Eqs. 3.10 to 3.12; the cells of a block stand apart, so that their gates add up
                            at = cells + j * blocks + b
                            coefficient[c] = i * 4.0 * net[c] * (1.0 - net[c])
                            coefficient[at] = i * (1.0 - i) * g
                            keep[c] = keep[at] = share
                            if gated:
                                coefficient[cells + at] = share * (1.0 - share) * s[c]
                                keep[cells + at] = share
                        s[c] = share * s[c] + i * g
                        h[c] = s[c]
                    squash(h, cells)
                    for c in range(cells):
                        h[c] = 2.0 * h[c] - 1.0
                        below[c] = net[at_out + c // size] * h[c]
                    y[:] = 0.0
                    add_rows(y, v, 0, below, cells + 1, outputs)
                    if shortcut:
                        for k in range(outputs):
                            y[k] += v[cells + 1 + row, k]
                    squash(y, outputs)
                    one, other = first[place], second[place]
                    way = 1 if one != other and (rng if test < 0 else test_rng).random() < 0.5 else 0
                    follows = other if way else one
                    wrong, may, others = False, 1.0, 0.0
                    for k in range(outputs):
                        target = 1.0 if k == follows or (legal and k in (one, other)) else 0.0
                        e[k] = target - y[k]
                        wrong = wrong or not e[k] * e[k] < allowed
                        if k in (one, other):
                            may = min(may, y[k])
                        else:
                            others = max(others, y[k])
                    wrong = wrong or (winners and test >= 0 and not may > others)
                    if learns:
                        if kept != 1.0 or gated:
                            scale_rows(trace, sources, keep, traced)
                        add_to_rows(trace, inputs, source, fed, coefficient, traced)
                        for k in range(traced):
                            trace[row, k] += coefficient[k]
                        for k in range(outputs):
                            e[k] *= y[k] * (1.0 - y[k])
                        for b in range(blocks):
                            arriving = 0.0
                            for c in range(b * size, (b + 1) * size):
                                error = 0.0
                                for k in range(outputs):
                                    error += v[c, k] * e[k]
                                arriving += h[c] * error
                                # as the trace's columns are, block by block for each cell of a block
                                own[(c % size) * blocks + b] = now * net[at_out + b] * 0.5 * (1.0 - h[c] * h[c]) * error
                            gate_error[b] = now * net[at_out + b] * (1.0 - net[at_out + b]) * arriving
                        for r in range(cells + 1):
                            scaled = now * below[r]
                            for k in range(outputs):
                                v[r, k] += scaled * e[k]
                        if shortcut:
                            for k in range(outputs):
                                v[cells + 1 + row, k] += now * e[k]
                        for r in range(sources):
                            if r < sources - 1:  # cells have no bias
                                for b in range(blocks):
                                    for j in range(size):
                                        w[r, b * size + j] += own[j * blocks + b] * trace[r, b * size + j]
                            for j in range(size):
                                for b in range(blocks):
                                    at = j * blocks + b
                                    w[r, at_in + b] += own[at] * trace[r, cells + at]
                                    if gated:
                                        w[r, at_forget + b] += own[at] * trace[r, 2 * cells + at]
                        for b in range(blocks):
                            for r in range(fed):
                                w[inputs + r, at_out + b] += gate_error[b] * source[r]
                            w[row, at_out + b] += gate_error[b]
                    now *= decay
                    if wrong:
                        right = t
                        break
                    for c in range(cells):
                        source[c] = below[c]
                        if test >= 0:
                            largest[0] = max(largest[0], abs(s[c]))
                    if resets and place == 0:
                        s[:] = 0.0
                        source[:cells] = 0.0
                        trace[:] = 0.0
                    place, row = after[place, way], follows
                if test < 0:
                    lengths[n] = right
                else:
                    found[n, test] = right
                    if what == TRAIN and right < limit:
                        break
                    if what == TRAIN and test == found.shape[1] - 1:
                        return n + 1
        return -1

    return kernel(run)
