"""GRU: phrases by rule, from dictionaries and from files, what is asked of a network, and what is refused."""

import gzip

import numpy as np
import pytest
import torch

import literatim
from conftest import assert_refused, inside
from literatim.datasets import dictd
from literatim.datasets.phrase_pairs import PhrasePairs, lines
from literatim.errors import LiteratimError
from literatim.papers.gru.model import EncoderDecoder
from literatim.papers.gru.table import PhraseTable
from literatim.papers.gru.training import GRUTraining
from literatim.parts.number_words import MOST, english, french
from literatim.parts.phrases import Words

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
ENTRIES = {
    "run": "run /ɹˈʌn/ <v>\n1. laufen <v, intr>, rennen [ugs.]\n   Synonym: {dash}\n\n see: {running}\n",
    "in the end": 'in the end /ɪn ði ˈɛnd/\nam Ende\n      "All is well in the end."  - Am Ende ist alles gut.\n',
    "he/she runs": "he/she runs /hiː ʃiː ɹˈʌnz/\ner/sie läuft\n",
}


def base64(n: int) -> str:
    return (base64(n // 64) if n >= 64 else "") + DIGITS[n % 64]


def dictionary(folder, name="freedict-eng-deu", entries=ENTRIES):
    """The entries as dictd has them; an entry may stand in the index twice."""
    text, index = b"", []
    for head, entry in entries.items():
        index += [f"{head}\t{base64(len(text))}\t{base64(len(entry.encode()))}\n"] * 2
        text += entry.encode()
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.dict.dz").write_bytes(gzip.compress(text))
    (folder / f"{name}.index").write_text("".join(["00databaseinfo\tA\tB\n", *index]))
    return folder


@pytest.mark.parametrize(
    ("n", "said", "dit"),
    [
        (0, "zero", "zéro"),
        (21, "twenty one", "vingt et un"),
        (71, "seventy one", "soixante et onze"),
        (80, "eighty", "quatre vingts"),
        (81, "eighty one", "quatre vingt un"),
        (91, "ninety one", "quatre vingt onze"),
        (97, "ninety seven", "quatre vingt dix sept"),
        (100, "one hundred", "cent"),
        (200, "two hundred", "deux cents"),
        (201, "two hundred one", "deux cent un"),
        (1100, "one thousand one hundred", "mille cent"),
        (80_000, "eighty thousand", "quatre vingt mille"),
        (200_080, "two hundred thousand eighty", "deux cent mille quatre vingts"),
    ],
)
def test_numbers_are_said_as_in_english_and_in_the_french_of_france(n, said, dit):
    assert (" ".join(english(n)), " ".join(french(n))) == (said, dit)


def test_no_two_numbers_are_said_alike():
    some = [*range(3000), *range(79_000, 82_000), MOST]
    for words in (english, french):
        assert len({tuple(words(n)) for n in some}) == len(some)


def test_a_dictionary_gives_translations_and_examples_and_nothing_beside_them(tmp_path):
    found = list(dictd.pairs("freedict-eng-deu", str(dictionary(tmp_path / "dictd").parent)))
    assert found == [
        ("run", "laufen"),
        ("run", "rennen"),
        ("in the end", "am Ende"),
        ("All is well in the end.", "Am Ende ist alles gut."),
    ], "each entry once, no pronunciation, no note, no alternative"


def test_phrases_kept_for_the_test_are_in_no_training_pair():
    data = PhrasePairs(most=400, hold_out=5)
    data.setup("fit")
    train, test = ({tuple(row[row >= 0].tolist()) for row in data.sets[name][0]} for name in ("train", "test"))
    assert len(test) == 80
    assert not train & test
    again = PhrasePairs(most=400, hold_out=5, seed=3)
    again.setup("fit")
    assert torch.equal(again.sets["test"][0], data.sets["test"][0]), "every seed is tested on the same"
    assert again.fingerprint() == data.fingerprint() != PhrasePairs(most=300).fingerprint()


def test_words_are_read_back_as_they_were():
    words = Words.of([("un", "deux"), ("trois",)], at_most=10)
    ids = words.encoded([("deux", "un"), ("trois",)])
    assert [words.decoded(row) for row in ids] == ["deux un", "trois"]
    with pytest.raises(
        LiteratimError, match=r'word 2 of the phrase, "dex", is none of the 3 words; did you mean "deux"'
    ):
        words.read("un dex")
    assert Words.of([("un", "deux")], at_most=2).read("neuf")[0].tolist() == [0, 2], "[UNK], where some were unknown"


# --- What is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (b"a\tb\nc d\n", 2, "a line holds two phrases with a tab between them, and this one 1"),
        (b"a\tb\tc\n", 1, "and this one 3"),
        (b"\na\tb\n \tc\n", 3, "the first phrase is empty"),
        (b"a\t\n", 1, "the second phrase is empty"),
        ("a\tb\nné\tborn\n".encode("latin-1"), 2, "not UTF-8; convert the file"),
        ("a\tb\n".encode("utf-16"), 1, "not UTF-8"),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path, content, place, words):
    path = tmp_path / "pairs.tsv"
    path.write_bytes(content)
    with pytest.raises(LiteratimError) as error:
        list(lines(path))
    assert str(error.value).startswith(f"{path}:{place}: ")
    assert words in str(error.value)


def test_the_command_refuses_in_a_sentence(tmp_path):
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("a\tb\n")
    fit = ("fit", "gru", "--runs", str(tmp_path / "runs"))
    assert_refused(inside(*fit, "--data.source", str(pairs)), "1 phrases of 1 to 20 words", "data.hold_out")
    assert_refused(inside(*fit, "--data.source", "freedict-xx-yy"), "apt install dict-freedict-xx-yy", "a tab between")
    assert_refused(inside(*fit, "--data.most", "99"), "--model.options.source_words")
    assert_refused(inside(*fit, "--data.most", "1000000"), "data.most is 1000000; it must be at most 999,999")
    assert_refused(inside(*fit, "--model.rho", "1"), "model.rho is 1")
    assert_refused(inside(*fit, "--model.eps", "0"), "model.eps is 0")
    for name in ("hidden", "maxout", "rank"):
        assert_refused(inside(*fit, f"--model.options.{name}", "0"), f"{name} is 0; it must be at least 1")
    assert not (tmp_path / "runs" / "gru" / "quick" / "0" / "checkpoints").exists()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text, index: text.write_bytes(text.read_bytes()[:-20]), "cannot be read"),
        (lambda text, index: index.write_text("run\tA\n"), ":1: no line of an index"),
        (lambda text, index: index.write_text("run\tÄ\tB\n"), ":1: no line of an index"),
        (lambda text, index: index.write_bytes(b"\xff\xfe"), "not UTF-8"),
        (lambda text, index: text.write_bytes(gzip.compress(b"\xff" * 200)), "is not UTF-8"),
        (lambda text, index: text.unlink(), "is not installed (looked in "),
    ],
)
def test_a_damaged_dictionary_is_named(tmp_path, monkeypatch, damage, words):
    monkeypatch.delenv("LITERATIM_DATA", raising=False)
    folder = dictionary(tmp_path)
    damage(folder / "freedict-eng-deu.dict.dz", folder / "freedict-eng-deu.index")
    with pytest.raises(LiteratimError) as error:
        list(dictd.pairs("freedict-eng-deu", str(folder)))
    assert words in str(error.value)


# --- What a network is asked ---------------------------------------------------------------------------

TINY = {"source_words": 31, "target_words": 28, "hidden": 6, "embedding": 4, "rank": 4, "maxout": 3}


def test_the_table_goes_with_a_checkpoint_whatever_its_size():
    one, other = GRUTraining(options=TINY), GRUTraining(options=TINY)
    words = Words.of([("a", "b")], 9), Words.of([("c",)], 9)
    one.table.fill((words[0].encoded([("a", "b")]), words[1].encoded([("c",)])), words)
    other.load_state_dict(one.state_dict())
    assert other.table.words() == words
    assert other.table.source.tolist() == one.table.source.tolist() == [[1, 2, 3]]
    assert other.table.holds(torch.tensor([1, 2]))
    assert not other.table.holds(torch.tensor([0, 2]))


def test_the_pairs_that_share_most_words_are_offered():
    table = PhraseTable()
    source, target = table.words()
    asked = source.read("nine hundred ninety seven")[0]
    offered = [target.decoded(phrase) for phrase in table.offered(asked, 50)]
    assert "neuf cent quatre vingt dix sept" in offered
    assert len(set(offered)) == len(offered) == 50


def test_an_answer_has_the_best_of_the_table_and_the_best_samples():
    torch.manual_seed(0)
    module = GRUTraining(options=TINY).eval()
    with torch.no_grad():
        rows = module.answer(module.read_text("ninety seven"))
        assert rows == module.answer("ninety seven"), "it is asked twice"
    assert [row["from"] for row in rows[:3]] == ["phrase table"] * 3
    for of in ("phrase table", "network"):
        scores = [row["log p"] for row in rows if row["from"] == of]
        assert scores == sorted(scores, reverse=True)
    with pytest.raises(LiteratimError, match='word 1 of the phrase, "ninty"'):
        module.answer("ninty seven")
    with pytest.raises(LiteratimError, match="no word"):
        module.read_text("  ")


def test_padding_changes_no_score():
    torch.manual_seed(0)
    net = EncoderDecoder(**TINY)
    data = PhrasePairs(most=300)
    data.setup("fit")
    x, y = (side[:20] for side in data.sets["train"])
    wide = [torch.nn.functional.pad(side, (0, 3), value=-1) for side in (x, y)]
    with torch.no_grad():
        x, y, wide = x.clamp(max=31), y.clamp(max=28), [wide[0].clamp(max=31), wide[1].clamp(max=28)]
        assert torch.allclose(net(x, y), net(*wide), atol=1e-5)


def test_a_map_of_too_few_long_phrases_is_not_drawn(monkeypatch):
    from literatim.papers.gru.drawing import phrase_map

    net = EncoderDecoder(**TINY)
    words = PhraseTable().words()[0]
    x = words.encoded([("one", "hundred", "twenty", "one"), ("one",)])
    assert phrase_map(net.encoder, x, words) is None


def test_the_encoder_that_ships_is_exported_for_phrases_of_any_length(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    path = tmp_path / "encoder.onnx"
    done = inside("export", "gru", "--weights", "quick", "--to", str(path))
    assert done.returncode == 0, done.stderr
    encoder = literatim.load("gru", weights="quick").encoder
    session = onnxruntime.InferenceSession(path)
    for n, steps in ((1, 1), (3, 7)):
        x = torch.randint(31, (n, steps), generator=torch.Generator().manual_seed(n))
        with torch.no_grad():
            expected = encoder(x).numpy()
        assert np.abs(session.run(["output"], {"input": x.numpy()})[0] - expected).max() < 1e-5


def test_the_demo_reads_and_writes_as_the_network_does():
    from literatim.papers.gru.demo import STEPS, Translated
    from literatim.papers.gru.writing import likeliest, written

    net = literatim.load("gru", weights="quick")
    source, target = PhraseTable().words()
    for n in (0, 81, 7777):
        ids = source.read(" ".join(english(n)))
        x = torch.full((1, STEPS), -1.0)
        x[0, : ids.shape[1]] = ids
        with torch.no_grad():
            z, r, h, shares = Translated(net)(x)
            c = net.encoder.read(ids)
            assert torch.allclose(net.encoder.summary(h[:, -1]), c, atol=1e-5), "what is behind the end is not read"
            phrase = written(net, c, 14, likeliest)
        assert target.decoded(shares[0].argmax(1)) == target.decoded(phrase[0]) == " ".join(french(n))
        assert float(z.min()) > 0
        assert float(r.max()) < 1
