"""Cards full of markup, through the whole of MkDocs and Material: the browser must see text, and run none of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from conftest import Watch, serve
from literatim.pages.hooks import split_index
from sample_papers import HOSTILE, write_papers

CHECKOUT = Path(__file__).parents[2]
WRITE = "import sys; from pathlib import Path; from literatim.pages.site import write; write(*map(Path, sys.argv[1:]))"


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile")
    env = {**os.environ, "LITERATIM_PAPERS": str(write_papers(folder / "papers")), "NO_MKDOCS_2_WARNING": "1"}
    shutil.copytree(CHECKOUT / "docs" / "assets", folder / "docs" / "assets")
    (folder / "tutorials").mkdir()
    (folder / "mkdocs.yml").write_text(
        f"INHERIT: {CHECKOUT}/mkdocs.yml\nhooks: []\nwatch: []\nstrict: false\n"
        f"theme: {{custom_dir: {CHECKOUT}/docs/overrides}}\n"
    )
    commands = [
        ["-m", "literatim", "trace", "backprop", "hostile", "--to", "facts"],
        ["-c", WRITE, "docs", "facts", "tutorials"],
        ["-m", "mkdocs", "build", "-q", "-d", "site"],
    ]
    for command in commands:
        done = subprocess.run([sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    split_index(folder / "site" / "search")
    shutil.copytree(CHECKOUT / "site" / "assets" / "vendor", folder / "site" / "assets" / "vendor")
    yield from serve(folder / "site")


@pytest.mark.parametrize(
    "name",
    ["", "papers/", "papers/hostile/", "papers/backprop/", "lineage/", "zh/", "zh/papers/hostile/", "zh/lineage/"],
)
def test_markup_in_a_card_is_text_in_the_browser(browser: Browser, hostile_site: str, name: str):
    context = browser.new_context()
    watch = Watch(context, hostile_site)
    page = context.new_page()
    page.goto(f"{hostile_site}/{name}")
    page.wait_for_load_state("networkidle")
    if "hostile" in name:
        assert HOSTILE in page.title()
        assert page.locator("h1").inner_text().removesuffix("¶").strip() == HOSTILE
    if name.endswith("papers/hostile/"):
        page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    strange = page.locator("img[src=x], a[href^='javascript'], [onerror], .md-content script").count()
    assert strange == 0
    page.locator(".md-search__input").fill("alert")
    page.wait_for_timeout(1500)
    context.close()
    assert watch.faults == []
