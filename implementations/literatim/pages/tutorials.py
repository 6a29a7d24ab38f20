"""From the text of a tutorial come the page of the site and the notebook.

What a tutorial looks like, `literatim.pages.blocks` says; whoever runs its blocks is `literatim.trace.tutorial`.
"""

from __future__ import annotations

import base64
import html
import io
import re
import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

from literatim.errors import LiteratimError
from literatim.pages.blocks import Block, Tutorial, parse

__all__ = ["Block", "Tutorial", "notebook", "page", "parse"]

_ADMONITION = re.compile(r'( *)(?:!!!|\?\?\?\+?)\s+[\w -]+?(?:\s+"(.*)")?\s*$')
_HEADING = re.compile(r"(?m)^#{1,6} .*$")
_PNG = re.compile(r"data:image/png;base64,([\w+/=\s]+)")
_LARGE = 8_000  # characters of a picture: a digit has fewer, a photograph more
_NOTEBOOK = {"en": "Download this tutorial as a Jupyter notebook", "zh": "下载本教程的Jupyter笔记本"}
# In a comment, for where literatim is installed already nothing is to be done, and no address is right for everybody.
_INSTALL = {
    "en": "# Once, where literatim is not installed (ADDRESS: where you have it from):\n# %pip install -q ADDRESS",
    "zh": "# 尚未安装literatim时运行一次；ADDRESS是你取得这个项目的地方：\n# %pip install -q ADDRESS",
}


def page(text: str, figures: Mapping[str, str], *, notebook: str) -> str:
    """The Markdown of the site's page: outputs styled as such, `figures` (name to SVG) inlined, `notebook` linked.

    `notebook` is the address of the notebook from the page. Raises LiteratimError: what `parse` raises; a figure that
    `figures` has not.
    """
    tutorial = parse(text)
    kept = {key: value for key, value in tutorial.meta.items() if key != "translates"}
    link = f'[{_NOTEBOOK[tutorial.language]}]({notebook}){{ .notebook download="{notebook.rsplit("/", 1)[-1]}" }}'
    out = [f"---\n{yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, width=10_000)}---\n"] if kept else []
    first = next((p for p in tutorial.parts if isinstance(p, str) and _HEADING.search(p)), None)
    for part in tutorial.parts:
        if part is first:
            part = _HEADING.sub(lambda heading: f"{heading[0]}\n\n{link}", first, count=1)
        out.append(part if isinstance(part, str) else _shown(part, figures))
    return "\n".join(out)


def _shown(block: Block, figures: Mapping[str, str]) -> str:
    pieces = [f"```python\n{block.code}\n```"]
    if block.output.strip():
        pieces.append(f"``` {{.text .output}}\n{block.output}\n```")
    for name, alt in block.figures:
        if name not in figures:
            raise LiteratimError(f'{block.label} of the tutorial draws "{name}", and no such figure is given')
        said = f'<svg role="img" aria-label="{html.escape(alt)}" '
        drawn = " ".join(lighter(figures[name]).split("\n")).strip().replace("<svg ", said, 1)
        pieces.append(f'<figure class="chart">{drawn}</figure>')
    return textwrap.indent("\n\n".join(pieces), block.indent) + "\n"


def notebook(text: str) -> dict[str, Any]:
    """The tutorial as a Jupyter notebook (nbformat 4.5), outputs included.

    Raises LiteratimError: what `parse` raises.
    """
    tutorial = parse(_unfold(text))
    cells: list[dict[str, Any]] = []
    for part in tutorial.parts:
        cell: dict[str, Any] = {"id": f"cell-{len(cells) + 1:03}", "metadata": {}}
        if isinstance(part, Block):
            out = {"name": "stdout", "output_type": "stream", "text": _rows(part.output.rstrip() + "\n")}
            count = 1 + sum(cell["cell_type"] == "code" for cell in cells)
            cell |= {"cell_type": "code", "execution_count": count, "source": _rows(part.code.strip("\n"))}
            cell["outputs"] = [out] if part.output.strip() else []
        elif part.strip():
            cell |= {"cell_type": "markdown", "source": _rows(_plain(part).strip())}
        else:
            continue
        cells.append(cell)
    if any(
        isinstance(part, Block) and re.search(r"(?m)^(import|from) literatim", part.code) for part in tutorial.parts
    ):
        cell = {"id": "install", "metadata": {}, "cell_type": "code", "execution_count": None, "outputs": []}
        cells.insert(0, cell | {"source": _rows(_INSTALL[tutorial.language])})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def lighter(figure: str) -> str:
    """A figure's SVG with its photographs as JPEG, a tenth of the PNG that matplotlib writes; smaller pictures stay."""
    return _PNG.sub(lambda png: png[0] if len(png[1]) < _LARGE else _jpeg(base64.b64decode(png[1])), figure)


def _jpeg(png: bytes) -> str:
    from PIL import Image  # which few pages need

    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        paper = Image.new("RGB", picture.size, "white")
        paper.paste(picture, mask=picture.convert("RGBA").getchannel("A"))
    paper.save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"


def _rows(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _unfold(text: str) -> str:
    """The text with every admonition and folded answer made a bold line, followed by what was indented below it."""
    out: list[str] = []
    indent: int | None = None  # of the admonition that we are in
    for line in text.splitlines():
        if indent is not None and line.strip() and not line.startswith(" " * (indent + 4)):
            indent = None
        head = _ADMONITION.match(line) if indent is None else None
        if head:
            indent = len(head[1])
            out.append(f"{head[1]}**{head[2]}**" if head[2] else "")
        else:
            out.append(line if indent is None else " " * indent + line[indent + 4 :])
    return "\n".join(out) + "\n"


def _plain(markdown: str) -> str:
    """Markdown without what only the site understands: ids of headings, attributes, links to its other pages."""
    markdown = re.sub(r"(?m)^(#+ .*?)[ ]*\{[ ]*[#.][^}]*\}[ ]*$", r"\1", markdown)
    markdown = re.sub(r"\)\{:?[ ]*[.#\w][^}]*\}", ")", markdown)
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|mailto:)[^)\s]*\)", r"\1", markdown)
