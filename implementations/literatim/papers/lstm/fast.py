"""The step of the network and its truncated derivatives (Appendix A.1), compiled by numba.

Of the past is kept, as in Eq. 14, the derivative of every cell's state with respect to the weights of the cell and of
the gates that it has. Tables have a row for each source (the inputs, what the hidden layer feeds back, and a 1 for the
biases) and the units in their columns: cells, then input gates, output gates, forget gates.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit

from literatim.papers.lstm.vectors import STAMP, add_rows, add_to_rows, scale_rows, squash
from literatim.parts.compiled import COMPILED, kernel

STEP, SEQUENCE = 0, 1  # when weights change: after every step with an error, or once at the end of a sequence


@njit(**COMPILED)
def adapt(w, v, biased, v_biased, step, e, below, own, gate_error, trace, source, x, row, size, fed_back, output_gate):  # type: ignore[no-untyped-def]
    """Add to the tables `step` times what an error asks of every weight: Eqs. 19 to 25 times the sources.

    e: (outputs,) of the output units; own: (cells,) of the states; gate_error: (hidden,) of the output gates;
    below: what the output units see; row: the input that is 1, or -1 where x (inputs,) has them all.
    """
    sources, cells, outputs = len(w), len(own), len(e)
    blocks, inputs, last = cells // size, sources - 1 - fed_back, sources - 1
    for r in range(len(v)):
        if below[r] != 0.0:
            scaled = step * below[r] * (v_biased if r == cells else 1.0)
            for k in range(outputs):
                v[r, k] += scaled * e[k]
    for r in range(sources):
        for c in range(cells):
            change = step * own[c] * trace[r, c]
            w[r, c] += change if r < last else change * biased[c]
        for kind in range(1, trace.shape[1] // cells):
            for b in range(blocks):
                unit = cells + b if kind == 1 else cells + (1 + output_gate) * blocks + b
                change = 0.0
                for c in range(b * size, (b + 1) * size):
                    change += own[c] * trace[r, kind * cells + c]
                w[r, unit] += step * (change if r < last else change * biased[unit])
    if output_gate:
        for unit in range(cells + blocks, cells + 2 * blocks):
            change = step * gate_error[unit]
            for r in range(fed_back):
                w[inputs + r, unit] += change * source[r]
            w[last, unit] += change * biased[unit]
            if row >= 0:
                w[row, unit] += change
            else:
                for r in range(inputs):
                    w[r, unit] += change * x[r]


@cache
def learner(
    inputs: int, outputs: int, blocks: int, size: int, fed_back: int, output_gate: bool, forget_gate: bool,
    shortcut: bool, symbols: bool, squashed: bool, scale: float, shift: float, learns: bool,
) -> Any:  # fmt: skip
    """The kernel for networks of a shape; `learns`: whether it changes weights.

    Args:
        fed_back: how many hidden units, in the columns' order, the hidden layer sees of the step before
        shortcut: whether the output units see the inputs
        symbols: whether an input is the index of the one unit that is 1
        squashed: whether h is Eq. 4, or else the identity
        scale, shift: g is scale times a logistic less shift
    """
    cells = blocks * size
    hidden = cells + (1 + output_gate + forget_gate) * blocks
    at_in, at_out, at_forget = cells, cells + blocks, cells + (1 + output_gate) * blocks
    fed = fed_back + 1  # with the 1 of the biases, the last source
    sources = inputs + fed
    traced = (3 if forget_gate else 2) * cells  # derivatives with respect to weights of cell, input gate, forget gate
    seen = cells + 1 + (inputs if shortcut else 0)  # by an output unit: cells, the 1, inputs
    returned = min(cells, fed_back)
    stamp = STAMP  # numba, which looks into this file alone for changes, sees those of the other by it

    def run(  # type: ignore[no-untyped-def]
        w, v, biased, v_biased, x, ids, offsets, first, last, targets, following, legal, rate, decay, when, slope,
        awake, limit, ring, rule, counted, found, final,
    ):  # fmt: skip
        """Go through the sequences from `first` to before `last`, or until the rule is met.

        Args:
            w: (sources, hidden); v: (seen, outputs): weights
            biased: (hidden,) 1 where a unit has a bias, else 0; v_biased: the same of all output units
            x: (steps, inputs); ids: (steps,) int64 in their place for symbols; offsets: (sequences + 1,)
            targets: (sequences, outputs) for the ends; following: (steps,) the unit that shall be 1, or -1 for no
                target; one of the two is empty
            legal: (steps,) bits of the units that may be the most active; may be empty
            rate, decay: the learning rate, and by what it is multiplied after every step
            when: STEP or SEQUENCE
            slope: whether the error of an output unit is multiplied by its slope, as Eq. 19 has it
            awake: whether there are cells yet
            limit: a sequence ends where an absolute error reaches it
            ring: (2, window) of the most recent sequences the largest error and the mean one; may be empty
            rule: (tolerance, how many of them may reach it, below what their mean error must be, 1 for squared errors)
            counted: sequences before these
            found: (sequences, 4): largest and mean absolute error, mean squared error, steps with a wrong winner
            final: (sequences, outputs): the outputs at the last step with an error

        Returns (the first sequence that was not gone through, whether the rule was met, rate).
        """
        net, h, s = np.empty(hidden), np.empty(cells), np.empty(cells)
        source, none = np.empty(fed), np.empty(0)
        trace, coefficient, keep = np.zeros((sources, traced)), np.empty(traced), np.ones(traced)
        y, e, below = np.empty(outputs), np.empty(outputs), np.zeros(seen)
        own, gate_error = np.zeros(cells), np.zeros(hidden)
        dw, dv = np.zeros((sources, hidden)), np.zeros((seen, outputs))
        every, row, window = len(following) > 0, -1 if stamp else 0, ring.shape[1]
        wrong = 0
        for place in range(window):
            wrong += ring[0, place] >= rule[0]
        below[cells] = 1.0
        for n in range(first, last):
            s[:] = 0.0
            source[:] = 0.0
            source[fed_back] = 1.0
            trace[:] = 0.0
            top, total, squares, errors, misled = 0.0, 0.0, 0.0, 0, 0
            for t in range(offsets[n], offsets[n + 1]):
                net[:] = 0.0
                add_rows(net, w, inputs, source, fed, hidden)  # type: ignore[call-arg]
                if symbols:
                    row = ids[t]
                    for k in range(hidden):
                        net[k] += w[row, k]
                else:
                    add_rows(net, w, 0, x[t], inputs, hidden)
                squash(net, hidden)
                for c in range(cells):
                    b = c // size
                    i, g = net[at_in + b], scale * net[c] - shift
                    kept = net[at_forget + b] if forget_gate else 1.0
                    if learns:
                        coefficient[c] = i * scale * net[c] * (1.0 - net[c])
                        coefficient[cells + c] = i * (1.0 - i) * g
                        if forget_gate:
                            coefficient[2 * cells + c] = kept * (1.0 - kept) * s[c]
                            keep[c] = keep[cells + c] = keep[2 * cells + c] = kept
                    s[c] = kept * s[c] + i * g
                    h[c] = s[c]
                if learns:  # Eq. 14
                    if forget_gate:
                        scale_rows(trace, sources, keep, traced)
                    add_to_rows(trace, inputs, source, fed, coefficient, traced)
                    if symbols:
                        for k in range(traced):
                            trace[row, k] += coefficient[k]
                    else:
                        add_to_rows(trace, 0, x[t], inputs, coefficient, traced)
                if squashed:
                    squash(h, cells)
                    for c in range(cells):
                        h[c] = 2.0 * h[c] - 1.0
                for c in range(cells):
                    out = net[at_out + c // size] if output_gate else 1.0
                    below[c] = out * h[c] if awake else 0.0
                stop = False
                if (following[t] >= 0) if every else (t == offsets[n + 1] - 1):
                    if shortcut:
                        for k in range(inputs):
                            below[cells + 1 + k] = (1.0 if k == row else 0.0) if symbols else x[t, k]
                    y[:] = 0.0
                    add_rows(y, v, 0, below, cells + 1, outputs)
                    if shortcut and symbols:
                        for k in range(outputs):
                            y[k] += v[cells + 1 + row, k]
                    elif shortcut:
                        add_rows(y, v, cells + 1, x[t], inputs, outputs)
                    squash(y, outputs)
                    for k in range(outputs):
                        target = (1.0 if k == following[t] else 0.0) if every else targets[n, k]
                        error = target - y[k]
                        e[k] = y[k] * (1.0 - y[k]) * error if slope else error  # Eq. 19
                        error = abs(error)
                        top = max(top, error)
                        total += error
                        squares += error * error
                        final[n, k] = y[k]
                    errors += outputs
                    stop = top >= limit
                    if len(legal):
                        may, other = 1.0, 0.0
                        for k in range(outputs):
                            if legal[t] >> k & 1:
                                may = min(may, y[k])
                            else:
                                other = max(other, y[k])
                        misled += may <= other
                    if learns:
                        if awake:
                            for b in range(blocks):
                                out = net[at_out + b] if output_gate else 1.0
                                arriving = 0.0
                                for c in range(b * size, (b + 1) * size):
                                    error = 0.0
                                    for k in range(outputs):
                                        error += v[c, k] * e[k]
                                    arriving += h[c] * error
                                    own[c] = out * (0.5 * (1.0 - h[c] * h[c]) if squashed else 1.0) * error
                                if output_gate:
                                    gate_error[at_out + b] = out * (1.0 - out) * arriving
                        here = none if symbols else x[t]
                        if when == STEP or not every:
                            adapt(w, v, biased, v_biased, rate, e, below, own, gate_error, trace, source, here, row,
                                  size, fed_back, output_gate)  # fmt: skip
                        else:
                            adapt(dw, dv, biased, v_biased, 1.0, e, below, own, gate_error, trace, source, here, row,
                                  size, fed_back, output_gate)  # fmt: skip
                rate *= decay
                for k in range(fed_back):
                    source[k] = below[k] if k < returned else net[k]
                if stop:
                    break
            if learns and every and when == SEQUENCE:
                w += rate * dw
                v += rate * dv
                dw[:] = 0.0
                dv[:] = 0.0
            many = max(1, errors)
            found[n, 0], found[n, 1], found[n, 2], found[n, 3] = top, total / many, squares / many, misled
            if window:
                place = (counted + n - first) % window
                judged = top * top if rule[3] else top
                wrong += (1 if judged >= rule[0] else 0) - (1 if ring[0, place] >= rule[0] else 0)
                ring[0, place], ring[1, place] = judged, found[n, 2] if rule[3] else found[n, 1]
                if wrong <= rule[1] and np.mean(ring[1]) < rule[2]:
                    return n + 1, True, rate
        return last, False, rate

    return kernel(run)
