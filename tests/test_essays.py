"""An essay is text: what a browser would obey is refused, by lint with its line and by the pages."""

import pytest

from conftest import inside
from literatim.errors import LiteratimError
from literatim.pages.essay import essay, essay_faults

ACTS = {
    "a script": "<script>alert(1)</script>",
    "a script in capitals": "<ScRiPt src=//x>",
    "an image that fails": "<img src=x onerror=alert(1)>",
    "a drawing": "<svg/onload=alert(1)>",
    "a frame": "text <iframe src=x></iframe>",
    "a comment": "<!-- x -->",
    "in a code span": "`a`` <script>alert(1)</script> ``",
    "a link": "[x](javascript:alert(1))",
    "a link in brackets": "[x](<javascript:alert(1)>)",
    "a link in capitals": "[x](JavaScript:alert(1))",
    "a link with an entity": "[x](java&#115;cript:alert(1))",
    "a link with a tab": "[x](java\tscript:alert(1))",
    "a link with a control character": "[x](\x01javascript:alert(1))",
    "a link by a colon's name": "[x](javascript&colon;alert(1))",
    "a link with data": "[x](data:text/html,<b>)",
    "a link elsewhere": "[x][y]\n\n[y]: vbscript:x",
    "an attribute": 'A word. {: onclick="alert(1)"}',
    "an attribute of a link": "[x](y){onmouseover=alert(1)}",
    "an attribute that leads": "[x](y){href=javascript:alert(1)}",
}
TEXT = (
    "Data: 1 < 2, $a<3$, `a<3`; [data](data.md), [js](https://example.org/javascript:), {#anchor}. javascript: a word."
)


@pytest.fixture
def essay_file(papers):
    return papers / "lenet" / "essay.md"


@pytest.mark.parametrize("kind", ACTS)
def test_what_acts_is_refused(essay_file, kind, fault):
    essay_file.write_text(f"# An essay\n\nWords.\n\n{ACTS[kind]}\n")
    with pytest.raises(LiteratimError, match=r"lenet/essay\.md:[567]:1: "):
        essay("lenet", "en")
    assert len(essay_faults()) >= 1
    fault("essay-acts", 2)


def test_lint_names_its_line(essay_file):
    essay_file.write_text("# An essay\n\n<script>\n")
    assert "lenet/essay.md:3:1: an essay is Markdown without HTML; write &lt; for the sign\n" in inside("lint").stdout


def test_what_is_text_is_kept(essay_file):
    essay_file.write_text(f"# An essay\n\n{TEXT}\n")
    assert TEXT in essay("lenet", "en")
    assert essay_faults() == []
