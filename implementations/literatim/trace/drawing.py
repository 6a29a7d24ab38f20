"""A matplotlib figure as SVG that stands in a page: one line, and its colours are the page's own.

Figures are drawn in marker colours, which are replaced by CSS variables afterwards, so a figure follows the page from
light to dark without being drawn again. Text stays text, in the page's font.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

_INK, _GRID = "#010203", "#020406"
_CHART = ("#030609", "#04080c", "#050a0f", "#060c12")
_VARIABLES = {
    _INK: "currentColor",
    "#000000": "currentColor",
    "#808080": "var(--md-default-fg-color--light)",  # "gray"
    "#d3d3d3": "var(--md-default-fg-color--lightest)",  # "lightgray"
    _GRID: "var(--md-default-fg-color--lightest)",
    "#ffffff": "var(--md-default-bg-color)",
    **{marker: f"var(--chart-{n})" for n, marker in enumerate(_CHART, 1)},
}
_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "literatim",
    "figure.figsize": (5.6, 3.4),
    "figure.facecolor": "none",
    "figure.edgecolor": "none",
    "savefig.facecolor": "none",
    "savefig.edgecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.titlecolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=_CHART),
    "axes.axisbelow": True,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "grid.color": _GRID,
    "patch.edgecolor": _INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "font.size": 11,
    "figure.max_open_warning": 0,
}
_TEXT_FONT, _CODE_FONT = "var(--md-text-font-family, sans-serif)", "var(--md-code-font-family, monospace)"


@contextmanager
def style() -> Iterator[None]:
    """Draw without a window and in the marker colours; afterwards backend and settings are as they were."""
    backend = matplotlib.get_backend()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        plt.switch_backend("agg")
        settings: Any = matplotlib.rcParams  # the type of its keys differs between versions
        settings.update(_STYLE)
        try:
            yield
        finally:
            plt.switch_backend(backend)


def svg(figure: Figure, prefix: str) -> str:
    """A figure drawn under `style` as SVG on one line; `prefix` keeps its ids apart from those of other figures.

    The same figure gives the same bytes. It is as wide as drawn, or as the page where that is narrower.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", pad_inches=0.05, metadata={"Date": None})
    text = buffer.getvalue().decode()
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->|<defs>\s*</defs>", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*\n\s*", " ", text[text.index("<svg") :])
    text = re.sub(r"<[^>]*>", _tag, text.replace("> <", "><"))
    text = re.sub(r"<text><tspan.*?</text>", _formula, text)
    return _root(_prefixed(text, prefix)).strip()


def _tag(match: re.Match[str]) -> str:
    """One tag with the page's colours and fonts, and coordinates to a hundredth of a point."""
    tag = match[0].replace("xlink:href", "href").replace(' "', '"')
    if "base64" in tag:
        return tag
    tag = re.sub(r"#[0-9a-f]{6}\b", lambda m: _VARIABLES.get(m[0], m[0]), tag)
    if "font" in tag:
        tag = re.sub(r"'[\w ]+'(?:, (?:'[\w ]+'|[\w-]+))*", _font, tag).replace(f" font-family: {_TEXT_FONT};", "")
    return re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), tag)


def _font(match: re.Match[str]) -> str:
    return _CODE_FONT if "monospace" in match[0] or "Mono'" in match[0] else _TEXT_FONT


def _formula(match: re.Match[str]) -> str:
    """A formula, whose letters matplotlib sets one by one: neighbours in one style become one piece, set by the page.

    Letters further apart than one em have a space of the formula between them and stay apart.
    """
    pieces: list[tuple[str, str, str, str]] = []  # x of the last letter, y, style, text
    starts: list[str] = []
    for x, y, look, letter in re.findall(r'<tspan x="([^"]*)" y="([^"]*)" style="([^"]*)">(.*?)</tspan>', match[0]):
        size = re.search(r"([\d.]+)px", look)
        last = pieces[-1] if pieces else None
        if last and last[1:3] == (y, look) and 0 <= float(x) - float(last[0]) <= float(size[1] if size else 0):
            pieces[-1] = (x, y, look, last[3] + letter)
        else:
            pieces.append((x, y, look, letter))
            starts.append(x)
    made = (f'<tspan x="{x}" y="{y}" style="{s}">{t}</tspan>' for x, (_, y, s, t) in zip(starts, pieces, strict=True))
    return f"<text>{''.join(made)}</text>"


def _prefixed(text: str, prefix: str) -> str:
    """Ids that nothing refers to go; the others, and what refers to them, get the prefix."""
    used = set(re.findall(r'(?:href="|url\()#([\w.-]+)', text))
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", text)
    return re.sub(r'(href="|url\()#', rf"\g<1>#{prefix}", text)


def _root(text: str) -> str:
    """The outermost tag: a view box and a style, no fixed size."""
    box = re.search(r'viewBox="([^"]*)"', text)
    assert box, "matplotlib writes a viewBox"
    width = round(float(box[1].split()[2]) * 4 / 3)
    ours = f"width:{width}px;max-width:100%;height:auto;color:var(--md-default-fg-color);fill:currentColor;"
    ours += f"stroke-linejoin:round;font-family:{_TEXT_FONT}"
    tag = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box[1]}" style="{ours}">'
    return tag + text[text.index(">") + 1 :]
