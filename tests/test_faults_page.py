"""The page of faults, and that what it counts is what the tests try."""

import json
import re

import yaml

from conftest import CHECKOUT
from literatim.pages.faults import faults_page

COUNTED = json.loads((CHECKOUT / "docs" / "faults.json").read_text(encoding="utf-8"))
KNOWN = yaml.safe_load((CHECKOUT / "tests" / "faults.yaml").read_text(encoding="utf-8"))


def test_the_counts_are_of_the_kinds_that_the_tests_know():
    assert set(COUNTED) == set(KNOWN), "make faults"
    for kind, found in COUNTED.items():
        assert {name: found.get(name) for name in ("en", "zh", "lost")} == {
            name: KNOWN[kind].get(name) for name in ("en", "zh", "lost")
        }
        assert found["tried"] >= 1


def test_the_tests_that_are_named_exist():
    for found in COUNTED.values():
        for test in found["tests"]:
            path, _, name = test.partition("::")
            assert re.search(rf"def {name}\(", (CHECKOUT / path).read_text(encoding="utf-8")), test


def test_the_page_shows_every_count_in_both_languages():
    for lang, nothing in (("en", "nothing"), ("zh", "无")):
        page = faults_page(COUNTED, lang)
        assert f"{sum(found['tried'] for found in COUNTED.values()):,}" in page
        for kind, found in COUNTED.items():
            (line,) = re.findall(rf'<tr id="{kind.replace("-", "&#45;")}">(.*?)</tr>', page)
            cells = re.findall(r"<td>(.*?)</td>", line)
            assert cells[1] == f"{found['tried']:,}".replace(",", "&#44;") or cells[1] == f"{found['tried']:,}"
            assert "lost" in found or cells[2] == nothing
            assert len(re.findall("<code>", cells[3])) == len(found["tests"])
