"""The starts of the demo on the paper's page.

`python -m literatim.papers.backprop.claimed.starts > docs/assets/symmetry.json` writes them. They are those of the
first trials of the recorded run `paper`, with the sweeps after which each has learned.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

from literatim.datasets.symmetry import Symmetry
from literatim.papers.backprop.training import BackpropTraining

TRIALS = 12
SEED = 0
MOST = 10_000  # sweeps of the recipe


def starts(trials: int = TRIALS) -> dict[str, Any]:
    """Of each trial its number, the weights where it starts and `sweeps`, -1 where it has not learned; and `first`, the
    first that has."""
    data = Symmetry(seed=SEED)
    module = BackpropTraining(trials=trials)
    module.x, module.d = data.cases()
    module.kept = module.x.new_ones(trials, len(module.x)).bool()
    for trial in range(trials):
        module.start(trial, data)
    flat = [module.trials.stacked(name).flatten(1).tolist() for name in module.trials.names]
    weights = [[*chain(*parts)] for parts in zip(*flat, strict=True)]
    for _ in range(MOST):
        if not module.sweep():
            break
    module.still_learning(module.net.states(module.x, module.weights())[module.net.top])
    found = module.trials.solved_at.tolist()
    rows = zip(range(trials), found, weights, strict=True)
    return {
        "first": module.trials.first(),
        "trials": [{"trial": trial, "sweeps": sweeps, "weights": start} for trial, sweeps, start in rows],
    }


if __name__ == "__main__":
    print(json.dumps(starts()))
