"""The notes beside a model's code, in Chinese."""

import re
import shutil

import pytest

from conftest import CHECKOUT
from literatim.pages import notes
from literatim.pages.code import code_page, notes_of
from literatim.pages.edition import edition
from literatim.registry.ledger import PACKAGE

MODEL = PACKAGE / "papers/gan/model.py"


def sample(tmp_path, monkeypatch, change):
    """The faults where the Chinese of GAN's notes is changed."""
    (tmp_path / "gan").mkdir()
    found = (CHECKOUT / "papers/gan" / notes.NAME).read_text(encoding="utf-8")
    (tmp_path / "gan" / notes.NAME).write_text(change(found), encoding="utf-8")
    monkeypatch.setattr(notes, "papers_folder", lambda: tmp_path)
    return list(notes.note_faults())


def test_every_note_of_every_model_has_its_chinese():
    assert list(notes.note_faults()) == []
    assert sorted(path.parent.name for path in (CHECKOUT / "papers").glob(f"*/{notes.NAME}")) == sorted(
        path.parent.name for path in (CHECKOUT / "papers").glob("*/card.yaml")
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda text: text[: text.rindex("\n'")] + "\n", r"papers/gan/model\.py:\d+:1: this note has no Chinese: give"),
        (
            lambda text: text + "'0123456789ab': 无\n",
            r"notes\.zh\.yaml:\d+:1: 0123456789ab: model\.py has no such note",
        ),
        (lambda text: "- 无\n" + text, r"notes\.zh\.yaml:\d+:\d+: not YAML"),
        (lambda text: "", r"notes\.zh\.yaml:1:1: the file is empty"),
    ],
)
def test_notes_and_their_chinese_are_held_together(tmp_path, monkeypatch, change, fault):
    found = sample(tmp_path, monkeypatch, change)
    assert len(found) == 1
    assert re.search(fault, found[0])


def test_the_chinese_page_of_a_model_has_the_notes_in_chinese_and_those_of_other_files_say_that_they_are_not(tmp_path):
    entry = edition(tmp_path).entries["gan"]
    page, english = code_page(entry, MODEL, "zh"), code_page(entry, MODEL, "en")
    for note in notes_of(MODEL.read_text(encoding="utf-8")).values():
        first = note.split("\n")[0]
        assert (first in english, first in page) == (True, False), first
    assert "两层修正线性单元与一层 sigmoid 单元" in page
    assert "此文件的注解为英文" not in page
    assert "此文件的注解为英文" in code_page(entry, MODEL.with_name("training.py"), "zh")


def test_what_looks_like_html_in_a_note_is_text(tmp_path, monkeypatch):
    folder = tmp_path / "gan"
    folder.mkdir()
    text = (CHECKOUT / "papers/gan" / notes.NAME).read_text(encoding="utf-8")
    (folder / notes.NAME).write_text(text.replace("一层 maxout 单元", "<b>一层</b> maxout 单元"), encoding="utf-8")
    shutil.copy(CHECKOUT / "papers/gan/card.yaml", folder)
    monkeypatch.setattr(notes, "papers_folder", lambda: tmp_path)
    page = code_page(edition(tmp_path).entries["gan"], MODEL, "zh")
    assert "&lt;b>一层" in page
