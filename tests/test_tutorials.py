"""The tutorials do what their pages say, in both languages, and the reader of their sources refuses what it must."""

import base64
import functools
import html
import io
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import nbformat
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from PIL import Image

from conftest import CHECKOUT
from literatim.errors import LiteratimError
from literatim.pages import tutorials
from literatim.pages.blocks import tidy
from literatim.trace.drawing import style, svg
from literatim.trace.tutorial import Ran, run

FOLDER = CHECKOUT / "tutorials"
NAMES = sorted(path.stem for path in FOLDER.glob("*.md") if "." not in path.stem)
HEADING = re.compile(r"(?m)^(#+) .*?(?:\{#([\w-]+)\})?\s*$")
SMALL = """---
title: Small
translates: 0123456789ab
---
# Small {#small}

See [the table](../papers/index.md){ .x } and [PyTorch](https://pytorch.org/).

```python
import torch
print(torch.ones(2).sum().item())
```

```output
2.0
```

## Figure {#figure}

```python
from matplotlib import pyplot as plt
plt.plot([0, 1], [0.001, 1])
plt.yscale("log")
```

![A "line" & <its> slope](figures/line.svg)

??? question "Why?"

    Because, says

    ```python
    print("it")
    ```

    ```output
    it
    ```

    and nothing else.

The end.
"""


def source(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


@functools.cache
def ran(name: str) -> Ran:
    return run(source(name))


def test_there_are_tutorials():
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_block_prints_what_the_page_says(name):
    for block, output in zip(tutorials.parse(source(name)).blocks, ran(name).outputs, strict=True):
        assert tidy(output) == tidy(block.output), block.label


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_are_there_small_and_well_formed(name):
    shown = [figure for block in tutorials.parse(source(name)).blocks for figure, _ in block.figures]
    assert Counter(shown) == Counter(ran(name).figures.keys())
    for figure, drawn in ran(name).figures.items():
        assert "\n" not in drawn
        shown_as = tutorials.lighter(drawn)
        assert len(shown_as) < 80_000, f"{figure}: {len(shown_as)} bytes"
        ElementTree.fromstring(drawn)


@pytest.mark.parametrize("name", NAMES)
def test_the_translation_has_the_same_blocks_and_headings(name):
    ours, theirs = tutorials.parse(source(name)), tutorials.parse(source(f"{name}.zh"))
    assert (ours.language, theirs.language) == ("en", "zh")
    assert {"title", "description"} <= ours.meta.keys() & theirs.meta.keys()

    def same(tutorial: tutorials.Tutorial) -> list:
        return [(b.code, b.output, b.indent, [name for name, _ in b.figures]) for b in tutorial.blocks]

    for one, other in zip(same(ours), same(theirs), strict=True):
        assert one == other
    assert HEADING.findall(ours.markdown) == HEADING.findall(theirs.markdown)
    assert all(identifier for _, identifier in HEADING.findall(ours.markdown)), "a heading without an id"
    assert all(alt.strip() for t in (ours, theirs) for b in t.blocks for _, alt in b.figures)


@pytest.mark.parametrize("name", [*NAMES, *(f"{name}.zh" for name in NAMES)])
def test_the_notebook_is_valid_and_holds_the_same_code(name):
    made = tutorials.notebook(source(name))
    nbformat.validate(nbformat.from_dict(made))
    code = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
    blocks = tutorials.parse(source(name)).blocks
    if any("import literatim" in block.code or "from literatim" in block.code for block in blocks):
        install = "".join(code.pop(0)["source"])
        assert re.fullmatch(r"# .*ADDRESS.*\n# %pip install -q ADDRESS", install)
    assert ["".join(cell["source"]) for cell in code] == [block.code.strip("\n") for block in blocks]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    prose = "".join("".join(cell["source"]) for cell in made["cells"] if cell["cell_type"] == "markdown")
    assert not re.search(r"^\?\?\?|^!!!|\{#|\.md\)|\]\(#|figures/", prose, re.MULTILINE)


# --- The reader --------------------------------------------------------------------------------------


def test_blocks_have_output_figures_and_indent():
    small = tutorials.parse(SMALL)
    assert small.meta["title"] == "Small"
    assert [(b.code.splitlines()[-1], b.output, b.indent) for b in small.blocks] == [
        ("print(torch.ones(2).sum().item())", "2.0", ""),
        ('plt.yscale("log")', "", ""),
        ('print("it")', "it", "    "),
    ]
    assert small.blocks[1].figures == (("line", 'A "line" & <its> slope'),)
    assert small.blocks[0].label == "the block `import torch` (line 10)"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# T\n\n```output\n1\n```\n", ("line 3", "output", "none is there")),
        ("```python\nprint(1)\n```\n\nProse.\n\n```output\n1\n```\n", ("line 7", "output")),
        ("```python\n1\n```\n```output\n1\n```\n```output\n1\n```\n", ("line 7", "output already")),
        ("Prose.\n\n![a](figures/a.svg)\n", ("line 3", '"a"', "none is there")),
        ("```python\n1\n```\n\nSee ![a](figures/a.svg) here.\n", ("line 5", "line of its own")),
        ("```python\n1\n```\n![a](figures/a.svg)\n![b](figures/a.svg)\n", ("line 5", '"a" already')),
        ("# T\n\n```python\nprint(1)\n", ("line 3", "```python", "never closed")),
        ("---\ntitle: T\n", ("front matter", "not closed")),
        ("---\ntitle: [\n---\n", ("front matter", "not YAML")),
        ("---\n- a\n---\n", ("front matter", "mapping")),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(text, words):
    with pytest.raises(LiteratimError) as refused:
        tutorials.parse(text)
    said = str(refused.value)
    assert "\n" not in said
    assert all(word in said for word in words), said


def test_python_inside_another_fence_is_not_run():
    assert not tutorials.parse("````text\n```python\n1 / 0\n```\n````\n").blocks


def test_a_page_has_the_figure_the_output_and_the_link():
    page = tutorials.page(SMALL, {"line": '<svg viewBox="0 0 1 1"></svg>'}, notebook="small.ipynb")
    assert "translates" not in page
    assert page.index("# Small {#small}") < page.index("(small.ipynb)") < page.index("See [the table]")
    assert "\n``` {.text .output}\n2.0\n```\n" in page
    assert "\n    ``` {.text .output}\n    it\n    ```\n" in page
    assert (
        '\n<figure class="chart"><svg role="img" aria-label="A &quot;line&quot; &amp; &lt;its&gt; slope" '
        'viewBox="0 0 1 1"></svg></figure>\n' in page
    )
    with pytest.raises(LiteratimError, match='draws "line"'):
        tutorials.page(SMALL, {}, notebook="small.ipynb")


def test_a_notebook_is_plain_markdown_with_outputs():
    cells = [("".join(c["source"]), c.get("outputs")) for c in tutorials.notebook(SMALL)["cells"]]
    assert cells[0][0] == "# Small\n\nSee the table and [PyTorch](https://pytorch.org/)."
    assert cells[1][1] == [{"name": "stdout", "output_type": "stream", "text": ["2.0\n"]}]
    assert [text for text, _ in cells[4:]] == [
        "**Why?**\n\nBecause, says",
        'print("it")',
        "and nothing else.\n\nThe end.",
    ]
    assert tutorials.notebook(SMALL) == tutorials.notebook(SMALL)


# --- Running and drawing -----------------------------------------------------------------------------


def test_a_run_gives_outputs_figures_and_names():
    done = run(SMALL)
    assert done.outputs == ("2.0\n", "", "it\n")
    assert set(done.figures) == {"line"}
    assert done.namespace["torch"] is torch


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1\n1 / 0", ("`x = 1`", "line 2", "ZeroDivisionError: division by zero")),
        ("def", ("`def`", "SyntaxError")),
    ],
)
def test_a_block_that_stops_is_named(code, words):
    with pytest.raises(LiteratimError) as stopped:
        run(f"```python\n{code}\n```\n")
    assert all(word in str(stopped.value) for word in words), stopped.value


def test_a_block_draws_what_the_page_shows():
    with pytest.raises(LiteratimError, match=r"should draw 1 figure\(s\), and 0 are open"):
        run("```python\nx = 1\n```\n![a](figures/a.svg)\n")


def test_a_run_leaves_the_settings_as_they_were():
    plt.switch_backend("svg")
    before, state, dtype = dict(matplotlib.rcParams), torch.get_rng_state(), torch.get_default_dtype()
    changes = "import torch\ntorch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)\ntorch.rand(3)\n"
    run(
        f"```python\n{changes}from matplotlib import pyplot as plt\nplt.rcParams['lines.linewidth'] = 9\n```\n"
        + SMALL[54:]
    )
    assert dict(matplotlib.rcParams) == before
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_default_dtype() == dtype
    assert torch.is_grad_enabled()
    assert not plt.get_fignums()


def drawn(prefix: str) -> str:
    with style():
        figure, axes = plt.subplots()
        for n in range(4):
            axes.plot([0, 1], [0, n], marker="o", label=f"line {n}")
        axes.text(0.5, 0.00123, "0.00123", family="monospace")
        axes.set_xlabel(r"step $\theta_1$")
        axes.plot([0, 1], [1, 1], color="gray")
        axes.grid(True)
        axes.legend()
        try:
            return svg(figure, prefix)
        finally:
            plt.close(figure)


def test_a_figure_is_the_same_twice_and_follows_the_page():
    one, other = drawn("a-"), drawn("b-")
    assert one == drawn("a-")
    assert one == other.replace('"b-', '"a-').replace("#b-", "#a-")
    assert "\n" not in one
    assert not re.search(r"#[0-9a-f]{6}\b|rgb\(|<style|<metadata|<\?xml|<!|DejaVu", one)
    used = [f"--chart-{n})" for n in range(1, 5)] + [
        "--md-default-fg-color--light)",
        "--md-default-fg-color--lightest)",
    ]
    assert all(name in one for name in [*used, "--md-code-font-family", "max-width:100%;height:auto", ">0.00123<"])
    root = ElementTree.fromstring(one)
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & root.attrib.keys()


def test_a_photograph_becomes_jpeg_and_a_small_picture_stays_as_it_is():
    chance = np.random.default_rng(0)
    with style():
        figure, axes = plt.subplots(1, 2)
        axes[0].imshow(chance.integers(0, 2, (8, 8)), interpolation="none")
        axes[1].imshow(
            np.kron(chance.random((6, 6, 3)), np.ones((30, 30, 1))) + 0.1 * chance.random((180, 180, 1)) - 0.05
        )
        heavy = svg(figure, "a-")
        plt.close(figure)
    light = tutorials.lighter(heavy)
    assert re.findall(r"image/(\w+);base64", heavy) == ["png", "png"]
    assert re.findall(r"image/(\w+);base64", light) == ["png", "jpeg"]
    assert len(light) < len(heavy) / 3
    png, jpeg = (re.findall(r"base64,([^\"]*)", text)[1] for text in (heavy, light))
    one, other = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), int) for data in (png, jpeg)
    )
    assert one.shape == other.shape
    assert abs(one - other).mean() < 8
    assert tutorials.lighter(light) == light


def test_the_ids_of_two_figures_do_not_clash():
    one, other = (set(re.findall(r' id="([^"]*)"', drawn(prefix))) for prefix in ("a-", "b-"))
    assert one
    assert not one & other
    assert set(re.findall(r'(?:href="|url\()#([^")]*)', drawn("a-"))) == one


def test_the_reader_knows_no_torch():
    for path in (Path(tutorials.__file__), Path(tutorials.__file__).with_name("blocks.py")):
        assert not re.search(r"import (torch|matplotlib|numpy)|from (torch|matplotlib|numpy)", path.read_text())


# --- What the playground's page says of its experiments --------------------------------------------------

PLAYGROUND = (CHECKOUT / "docs" / "playground.md").read_text(encoding="utf-8")


def experiments() -> dict[tuple[str, str], list[tuple[float, float]]]:
    """(surface, label) of each button on the playground's page -> the tutorial's own path for its setting."""
    paths = {}
    for state, label in re.findall(r'data-state="([^"]+)" hidden>([^<]+)<', PLAYGROUND):
        given = dict(pair.split("=") for pair in html.unescape(state).split("&"))
        x, y, rate, momentum = (float(given.get(name, 0.9)) for name in ("x", "y", "rate", "momentum"))
        steps = int(given["steps"])
        paths[given["surface"], label] = ran("sgd").namespace["descend"](
            given["surface"], (x, y), given["optimiser"], rate, momentum, steps
        )
    return paths


def settled(surface: str, path: list[tuple[float, float]], lowest: float = 0.0) -> int | None:
    """The step from which on the surface is within a millionth of its lowest value."""
    f = ran("sgd").namespace["SURFACES"][surface][0]
    far = [i for i, point in enumerate(path) if f(*point) - lowest > 1e-6]
    return far[-1] + 1 if far[-1] + 1 < len(path) else None


def test_the_playgrounds_page_says_what_its_experiments_do():
    paths = experiments()
    assert len(paths) == 15
    fast = paths["valley", "Rate 0.081"]
    assert max(map(abs, fast[560])) > 1e6 > max(map(abs, fast[559]))
    assert "after 560 steps" in PLAYGROUND
    for surface, label, steps in (
        ("valley", "Gradient descent", 106),
        ("valley", "Momentum 0.444", 30),
        ("valley", "Nesterov", 47),
        ("valley", "Adam, straight", 167),
        ("turned", "Adam, turned", 367),
        ("turned", "Gradient descent, turned", 100),
    ):
        assert settled(surface, paths[surface, label]) == steps, label
        assert re.search(rf"\b{steps}\b", PLAYGROUND), label
    assert settled("valley", paths["valley", "Momentum 0.9"]) is None, "it overshoots for a long time"
    assert min(y for _, y in paths["valley", "Nesterov"]) >= 0, "it never swings across"
    assert all(y == 0 for _, y in paths["saddle", "On the ridge"])
    off = [y for _, y in paths["saddle", "Just off the ridge"]]
    assert off[10] / off[9] == pytest.approx(1.1, rel=1e-3)
    ends = {label: path[-1][0] for (surface, label), path in paths.items() if surface == "wells"}
    assert {label: x > 0 for label, x in ends.items()} == {  # the shallow well is the right one
        "Momentum 0.8": True,
        "Momentum 0.9": False,
        "Momentum 0.97": True,
    }
