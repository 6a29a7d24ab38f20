"""The curves of a recipe's recorded runs as one picture: a panel for each kind of metric, a line for each seed."""

from __future__ import annotations

from literatim.registry.ledger import Record
from literatim.registry.schema import Claim
from literatim.trace.drawing import style, svg

NOT_METRICS = {"epoch", "step", "wall_s", "steps", "episodes", "epsilon"}
FIRST = ("score", "error", "loss")  # panels, from above
NEVER_LOG = ("score", "value")  # whose zero is a point like others
STATISTICS = ("_least", "_most", "_median", "_deviation", "_trials")  # of a metric that is drawn itself


def _two_and_five(value: float, _: int) -> str:
    return f"{value:g}" if f"{value:e}"[0] in "25" else ""


def curves(runs: list[Record], prefix: str, error_unit: str = "%", lines: dict[str, Claim] | None = None) -> str:
    """SVG: errors, losses and whatever else the runs logged after each epoch, over the epochs.

    `lines`: of a panel, a claim whose number is drawn across it.
    """
    rows = [run.curve() for run in runs]
    named = list(dict.fromkeys(name for curve in rows for row in curve for name in row if name not in NOT_METRICS))
    names = [name for name in named if not (name.endswith(STATISTICS) and name.rpartition("_")[0] in named)]
    kinds = sorted(
        {name.rpartition("_")[2] for name in names}, key=lambda kind: (*(kind != one for one in FIRST), kind)
    )
    with style():
        from matplotlib import pyplot as plt
        from matplotlib.ticker import NullFormatter

        figure, axes = plt.subplots(
            len(kinds), 1, figsize=(6.4, 2.1 * len(kinds) + 0.4), sharex=True, squeeze=False, layout="constrained"
        )
        for axis, kind in zip(axes[:, 0], kinds, strict=True):
            for i, name in enumerate(sorted(n for n in names if n.rpartition("_")[2] == kind)):
                label = name.removesuffix(f"_{kind}")
                for curve in rows:
                    points = [(row["epoch"], row[name]) for row in curve if name in row]
                    axis.plot(*zip(*points, strict=True), f"C{i % 4}", lw=1.2, label=label)
                    label = f"_{label}"  # one entry in the legend for all seeds
            if (claim := (lines or {}).get(kind)) and isinstance(claim.stated, int | float):
                axis.axhline(claim.stated, color="gray", lw=1.2, ls="--", label=f"{claim.printed}: {claim.where}")
            axis.set_ylabel(f"error, {error_unit}" if kind == "error" and error_unit else kind)
            axis.grid(True)
            axis.legend(frameon=False, fontsize="small")
            shown = [
                row[name] for curve in rows for row in curve for name in names if name.endswith(kind) and name in row
            ]
            if kind not in NEVER_LOG and all(value > 0 for value in shown):
                axis.set_yscale("log")
                axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
                low, high = axis.get_ylim()
                axis.yaxis.set_minor_formatter(_two_and_five if high < 200 * low else NullFormatter())
        axes[-1, 0].set_xlabel("epoch")
        axes[-1, 0].xaxis.get_major_locator().set_params(integer=True)
        drawn = svg(figure, prefix)
        plt.close(figure)
    return drawn
