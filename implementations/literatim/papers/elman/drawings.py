"""The paper's figures, of a network of ours: the error over time (Fig. 3, 4, 6) and the tree of Fig. 7."""

from __future__ import annotations

from typing import Any

import numpy as np

from literatim.papers.elman.codes import SYMBOLS, WORDS
from literatim.papers.elman.evaluation import CYCLE, Run, mean_vectors, tree

SHOWN = {"letters": 20, "words": 55}  # predictions in Fig. 4 and 6


def figure(task: str, run: Run) -> Any:
    """A figure of matplotlib's."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(6.4, 4.4 if task != "sentences" else 6.4), layout="constrained")
    axis = drawn.subplots()
    if task == "sentences":
        from scipy.cluster.hierarchy import dendrogram

        dendrogram(tree(mean_vectors(run)), labels=list(WORDS), orientation="left", ax=axis, color_threshold=0)
        axis.set_xlabel("distance")
        return drawn
    error = run.squares.sum(axis=1)
    if task == "xor":
        whole = len(error) // CYCLE * CYCLE
        axis.plot(range(1, CYCLE + 1), error[:whole].reshape(-1, CYCLE).mean(axis=0), marker=".")
        axis.set(xlabel="cycle", ylabel="squared error", ylim=(0, 0.5), xticks=range(1, CYCLE + 1))
        return drawn
    error = error[: SHOWN[task]]
    axis.plot(error, marker=".")
    for t, value in enumerate(error):
        axis.annotate(SYMBOLS[task][run.ids[t + 1]], (t, value), xytext=(3, 2), textcoords="offset points")
    axis.set(xlabel="prediction", ylabel="squared error", ylim=(0, float(np.max(error)) * 1.1))
    return drawn
