"""One Chinese word for each thing, which lint holds."""

import re

import pytest
import yaml

from conftest import CHECKOUT
from literatim.pages.glossary import FILE, TEXTS, entries, other_words

RAW = yaml.safe_load(FILE.read_text(encoding="utf-8"))


PLACES = ("papers/mlp/card.yaml", "papers/mlp/claims.yaml", "papers/mlp/essay.zh.md", "papers/index.yaml",
          "docs/guides/use.zh.md", "implementations/literatim/papers/mlp/checks.py")  # fmt: skip


@pytest.mark.parametrize("path", PLACES)
def test_another_word_is_a_fault_with_its_place_and_the_word_to_use(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text("# \n  zh: 打印见条目，向上取整\n", encoding="utf-8")
    assert other_words(tmp_path) == [f'{path}:2:10: "条目": write 论断 (claim), as glossary.yaml has it']


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("打印、印刷、刊印本", "按所印"),
        ("向下取整，取整数部分", "取整不会是 38 亿"),
        ("每个权重有自己的步长", "步长 2 的池化"),
        ("Adam 步长 0.001", "步长为 4"),
        ("三个全连接层", "第二个卷积层全连接"),
    ],
)
def test_a_word_that_is_right_elsewhere_has_its_way_out(tmp_path, right, wrong):
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs/page.zh.md"
    page.write_text(right, encoding="utf-8")
    assert other_words(tmp_path) == []
    page.write_text(right + wrong, encoding="utf-8")
    assert len(other_words(tmp_path)) == 1


def test_no_entry_forbids_a_word_of_the_glossary():
    for entry in entries():
        assert not [other.zh for other in entries() if (m := entry.other.search(other.zh)) and m["wrong"]]


def test_every_way_out_is_one():
    """A longer word would be a fault without it."""
    for entry in RAW:
        for out in entry.get("but", ()):
            assert re.search(
                "|".join(entry["not"]), out.replace("[上下]", "上").replace("[数个]", "数").replace("\\d", "1")
            )


def test_every_kind_of_text_is_looked_through():
    assert [pattern for pattern in TEXTS if not any(CHECKOUT.glob(pattern))] == []
