"""What the demo on the paper's page needs of Gymnasium's lake.

`python -m literatim.papers.q_learning.claimed.lake > docs/assets/lake.json` writes it.
"""

from __future__ import annotations

import json
from typing import Any

from literatim.datasets.tabular import Tabular


def lake() -> dict[str, Any]:
    """The map's rows, the limit of time, and of each state and action [probability, next state, reward, end]."""
    data = Tabular("FrozenLake-v1")
    env = data.env.unwrapped
    table = [
        [[[p, int(y), float(r), bool(end)] for p, y, r, end in env.P[x][a]] for a in range(len(env.P[x]))]
        for x in range(len(env.P))
    ]
    rows = ["".join(letter.decode() for letter in row) for row in env.desc]
    return {"rows": rows, "limit": data.limit, "table": table}


if __name__ == "__main__":
    print(json.dumps(lake(), separators=(",", ":")))
