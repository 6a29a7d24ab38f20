"""The curve of a run as a picture."""

from __future__ import annotations

from pathlib import Path


def draw_curve(rows: list[dict[str, float]], title: str, path: Path) -> None:
    """Errors above, losses below, over the epochs; errors on a logarithmic scale, where their end can be seen."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 1, figsize=(6.4, 6.4), sharex=True, layout="constrained")
    for axis, suffix, label in ((axes[0], "_error", "error, %"), (axes[1], "_loss", "loss")):
        names = [name for name in rows[-1] if name.endswith(suffix)]
        for name in sorted(names):
            points = [(row["epoch"], row[name]) for row in rows if name in row]
            axis.plot(*zip(*points, strict=True), marker=".", label=name.removesuffix(suffix))
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
        if names:
            axis.legend(frameon=False)
        if suffix == "_error" and all(row.get(name, 1) > 0 for row in rows for name in names):
            axis.set_yscale("log")
            axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axis.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    axes[1].set_xlabel("epoch")
    axes[1].xaxis.get_major_locator().set_params(integer=True)
    axes[0].set_title(title)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)
