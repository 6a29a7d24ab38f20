"""The curve of a run, what a generator makes, and what a training draws of its network, as pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def draw_curve(rows: list[dict[str, float]], title: str, path: Path, error_unit: str = "%") -> None:
    """Errors above, losses below, over the epochs; errors on a logarithmic scale, where their end can be seen.

    Above are log-likelihoods where the run has no errors, or the share of the trials that have learned, or scores.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    error = f"error, {error_unit}" if error_unit else "error"
    kinds = (
        ("_error", error), ("_likelihood", "log-likelihood, nats"), ("solved", "trials that have learned, %"),
        ("score", "score"),
    )  # fmt: skip
    upper = [kind for kind in kinds if any(name.endswith(kind[0]) for name in rows[-1])][:1]
    lower = [("_loss", "loss")] * any(name.endswith("_loss") for name in rows[-1])
    if not (panels := upper + lower):
        return
    figure, axes = plt.subplots(len(panels), 1, figsize=(6.4, 6.4), sharex=True, squeeze=False, layout="constrained")
    for axis, (suffix, label) in zip(axes[:, 0], panels, strict=True):
        names = [name for name in rows[-1] if name.endswith(suffix)]
        for name in sorted(names):
            points = [(row["epoch"], row[name]) for row in rows if name in row]
            axis.plot(*zip(*points, strict=True), marker=".", label=name.removesuffix(suffix).rstrip("_") or name)
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
        if names:
            axis.legend(frameon=False)
        if suffix == "_error" and all(row.get(name, 1) > 0 for row in rows for name in names):
            axis.set_yscale("log")
            axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axis.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    axes[-1, 0].set_xlabel("epoch")
    axes[-1, 0].xaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].set_title(title)
    write_figure(figure, path)


def write_figure(figure: Any, path: Path) -> None:
    """A figure of matplotlib's as a PNG; it is closed."""
    from matplotlib import pyplot as plt

    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)


def write_grid(images: Any, path: Path, scale: int = 2, made_by: str = "") -> None:
    """A PNG of images from 0 to 1 on black, each pixel `scale` wide; `made_by` is kept in the file.

    A tensor (rows, columns, h, w), or (rows, columns, channels, h, w) of one channel or of three, which are colours.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    of = images[:, :, None] if images.dim() == 4 else images
    rows, columns, channels, height, width = of.shape
    levels = of.detach().cpu().clamp(0, 1).mul(255).round().byte()
    tiled = levels.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)
    picture = Image.fromarray((tiled[:, :, 0] if channels == 1 else tiled).numpy())
    large = picture.resize((scale * columns * width, scale * rows * height), Image.Resampling.NEAREST)
    about = PngInfo()
    if made_by:
        about.add_text("Software", made_by)
    beside = path.with_name(f".{path.name}.{os.getpid()}")  # a full disk leaves the picture that was there
    try:
        large.save(beside, "PNG", pnginfo=about)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
