"""`make serve`: what is edited shows, without a second build for what the generator wrote itself."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


class Served:
    def __init__(self, folder: Path) -> None:
        self.papers, self.log = folder / "papers", folder / "log"
        shutil.copytree(CHECKOUT / "papers", self.papers)
        shutil.copytree(CHECKOUT / "docs", folder / "docs")
        (folder / "mkdocs.yml").write_text(
            f"INHERIT: {CHECKOUT}/mkdocs.yml\nhooks: [{CHECKOUT}/implementations/literatim/pages/hooks.py]\n"
            f"watch: [papers]\ntheme: {{custom_dir: {CHECKOUT}/docs/overrides}}\n"
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        env = {**os.environ, "LITERATIM_PAPERS": str(self.papers), "NO_MKDOCS_2_WARNING": "1"}
        command = [sys.executable, "-m", "mkdocs", "serve", "-a", f"127.0.0.1:{self.port}"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True
            )

    def page(self, name: str) -> str:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{name}", timeout=30).read().decode()
        except OSError:
            return ""

    def shows(self, name: str, words: str, seconds: float = 300) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if words in self.page(name):
                return True
            time.sleep(0.1)
        return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("serve"))
    yield served
    os.killpg(served.process.pid, signal.SIGTERM)
    served.process.wait()


def test_an_edited_card_shows_in_both_languages_and_in_the_search(served: Served):
    assert served.shows("papers/lenet/", "LeNet-5"), served.log.read_text()
    path = served.papers / "lenet" / "card.yaml"
    before = path.read_text(encoding="utf-8")
    path.write_text(
        before.replace("A convolutional network learns", "A convolutional xylograph learns"), encoding="utf-8"
    )
    assert served.shows("papers/lenet/", "xylograph"), served.log.read_text()
    index = served.page("search/search_index.json")
    assert "xylograph" in index
    assert "tutorials/sgd/#saddle" in index, "pages that have not changed are still found"
    assert "zh/tutorials/sgd/#saddle" in served.page("search/search_index.zh.json")
    path.write_text(before, encoding="utf-8")
    assert served.shows("papers/lenet/", "A convolutional network learns")


def test_a_card_with_a_fault_says_so_and_serving_goes_on(served: Served):
    assert served.shows("papers/lenet/", "LeNet-5"), served.log.read_text()
    path = served.papers / "lenet" / "card.yaml"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace("year: 1998", "year: soon", 1), encoding="utf-8")
    end = time.monotonic() + 60
    while "card.yaml:" not in served.log.read_text() and time.monotonic() < end:
        time.sleep(0.1)
    assert "lenet/card.yaml:" in served.log.read_text()
    path.write_text(
        before.replace("A convolutional network learns", "A convolutional zoetrope learns"), encoding="utf-8"
    )
    assert served.shows("papers/lenet/", "zoetrope"), served.log.read_text()


def test_one_edit_makes_one_build(served: Served):
    assert served.shows("papers/lenet/", "LeNet-5"), served.log.read_text()
    time.sleep(3)
    before = served.log.read_text().count("Detected file changes")
    path = served.papers / "lenet" / "card.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("learns to read", "learns how to read"), encoding="utf-8")
    assert served.shows("papers/lenet/", "learns how to read"), served.log.read_text()
    time.sleep(3)
    assert served.log.read_text().count("Detected file changes") == before + 1
