"""Words of the world's scripts: letters stay together with the marks that belong to them."""

import gzip
import hashlib
import os
import time
import unicodedata
from pathlib import Path

import pytest
import torch

from literatim.datasets.text import END, tokenised
from literatim.papers.word2vec.evaluation import Vectors

ZWNJ, ZWJ, BOM = "\u200c", "\u200d", "\ufeff"
SCRIPTS = {
    "Hindi": "हिन्दी में लिखा हुआ",
    "Hindi with joiners": f"क्{ZWJ}ष क्{ZWNJ}ष",
    "Bengali": "বাংলা ভাষা",
    "Tamil": "தமிழ் மொழி",
    "Malayalam, old chillu": f"അവന്{ZWJ} വന്നു",
    "Thai": "ภาษาไทย หนังสือ",
    "Tibetan": "བོད་སྐད".replace("\u0f0b", " "),
    "Burmese": "မြန်မာ ဘာသာ",
    "Arabic with vowels": "اَلْعَرَبِيَّةُ كِتَابٌ",
    "Persian": f"می{ZWNJ}خواهم کتاب{ZWNJ}ها",
    "Hebrew with points": "שָׁלוֹם עִבְרִית",
    "Devanagari in Latin": "saṃskṛtam r̥ṣi",
    "Vietnamese": "tiếng Việt",
    "Yoruba": "ẹ̀kọ́ èdè",
    "Greek": "ἄνθρωπος ᾠδή",
    "Cyrillic with stress": "за́мок замо́к",
    "Turkish": "İstanbul ılık",
    "Korean": "한국어 말",
    "Chinese with a variant": "葛\U000e0100城 漢字",
    "Adlam": "𞤆𞤵𞤤𞤢𞤪 𞤀𞤣𞤤𞤢𞤥",
}


def tokens(folder: Path, content: str | bytes, **options) -> list[str]:
    path = folder / "text.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [word for some in tokenised(str(path), **options) for word in some if word != END]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_words_of_a_script_stay_whole(tmp_path, script, form):
    """However they are typed, and whatever stands between them, they are the words in NFC."""
    words = SCRIPTS[script].split()
    expected = [unicodedata.normalize("NFC", word) for word in words]
    text = unicodedata.normalize(form, ", ".join(words)) + " 42. (" + unicodedata.normalize(form, "–".join(words)) + ")"
    assert tokens(tmp_path, text, lower=False) == expected * 2
    assert len(tokens(tmp_path, text)) == 2 * len(words)


@pytest.mark.parametrize(("text", "words"), [
    ("it's o’neill 'tis", ["it's", "o’neill", "tis"]),
    ("l'été", ["l'été"]),
    (f"word{ZWNJ} {ZWNJ}word wo{ZWJ}rd", ["word", "word", f"wo{ZWJ}rd"]),  # a joiner at an end joins nothing
    ("\u0301alone 7\u0301 \u0301", ["alone"]),  # a mark without a letter is no word
    ("x² R2D2 a_b", ["x²", "R", "D", "a", "b"]),
    ("\u212bngström", ["Ångström"]),  # the sign of the unit is the letter
])  # fmt: skip
def test_where_words_end(tmp_path, text, words):
    assert tokens(tmp_path, text + " é", lower=False)[:-1] == words


def test_a_text_of_nothing_but_marks_takes_no_square_of_its_length(tmp_path):
    """Bringing a million marks in order would take minutes."""
    marked = "a" + "\u0301\u0316" * 500_000
    begin = time.process_time()
    assert "".join(tokens(tmp_path, marked)) == marked
    Vectors([marked], torch.ones(1, 1))
    assert time.process_time() - begin < 5


def test_tokens_between_spaces_stay_as_they_stand(tmp_path):
    assert tokens(tmp_path, "cafe\u0301 पानी, x", tokens="whitespace") == ["cafe\u0301", "पानी,", "x"]


@pytest.mark.parametrize("tokens_are", ["words", "whitespace"])
@pytest.mark.parametrize("words", ["one two one", "één twee één"])
def test_a_byte_order_mark_line_ends_of_dos_and_nul_are_no_words(tmp_path, words, tokens_are):
    lines = "\r\n".join([BOM + words, words.replace(" ", "\0"), ""]).encode()
    assert tokens(tmp_path, lines, tokens=tokens_are) == words.split() * 2
    (tmp_path / "text.txt.gz").write_bytes(gzip.compress(lines))
    found = [w for some in tokenised(str(tmp_path / "text.txt.gz"), tokens=tokens_are) for w in some]
    assert found.count(END) == 3


def test_a_folder_s_texts_are_its_plain_files_in_any_case(tmp_path):
    (tmp_path / "b.TXT").write_text("two")
    (tmp_path / "a.Txt.GZ").write_bytes(gzip.compress(b"one"))
    (tmp_path / "folder.txt").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")  # which would wait for somebody who writes into it
    (tmp_path / "c.md").write_text("three")
    assert [w for some in tokenised(str(tmp_path)) for w in some if w != END] == ["one", "two"]


# The tokens of the recorded runs' texts, as the code that recorded them took them.
RECORDED = {
    "dictionary": (10_171_763, "46cdcb99cd564ff59756fbad0a94c608ff4f4708b71b6b61011a9ecd8776f8a8"),
    "wordnet": (3_973_144, "5da85f06a50c35215e461f49bad678296706d9c25368f37c5fc3ebc6e0ecb09d"),
}


@pytest.mark.parametrize("name", RECORDED)
def test_the_texts_of_recorded_runs_have_the_words_they_had(name):
    path = Path(os.environ.get("LITERATIM_DATA", "")) / "text" / f"{name}.txt"
    if not path.is_file():
        pytest.skip(f"needs text/{name}.txt in $LITERATIM_DATA")
    digest, n = hashlib.sha256(), 0
    for some in tokenised(str(path)):
        digest.update(" ".join(some).encode() + b"\n")
        n += len(some)
    assert (n, digest.hexdigest()) == RECORDED[name]
