"""The sequences of LSTM's experiments: lengths, places, targets; strings of the grammar; what cannot be."""

import numpy as np
import pytest

from conftest import assert_refused, inside
from literatim.datasets.lags import ORDER, Distractors, Marked, NoiseFree, TemporalOrder, TwoSequences
from literatim.datasets.reber import EmbeddedReber
from literatim.errors import LiteratimError
from literatim.parts.reber import EMBEDDED, SYMBOLS, draw_string, walk


def test_two_pairs_are_marked_where_the_paper_marks_them():
    data = Marked(T=40, sequences=3000)
    given = data.chunk("train")
    lengths = np.diff(given.offsets)
    assert (lengths.min(), lengths.max()) == (40, 44)
    seconds = set()
    for n in range(len(given)):
        values, marks = given.x[given.offsets[n] : given.offsets[n + 1]].T
        marked = np.flatnonzero(marks == 1)
        assert len(marked) == 2
        assert marked[0] < 10
        assert marked[1] < 20
        assert marks[-1] == -1
        assert marks[0] == -1 or 0 in marked
        assert (np.delete(marks, [0, len(marks) - 1, *marked]) == 0).all()
        assert given.targets[n, 0] == pytest.approx(0.5 + values[marked].sum() / 4)
        if 0 in marked:
            assert values[0] == 0
        seconds.add(int(marked[1]))
    assert max(seconds) == 19  # the last of the first T/2 - 1 that are still unmarked, where the other stands before it


def test_the_product_has_numbers_from_zero_to_one():
    given = Marked(T=20, target="product", sequences=500).chunk("train")
    assert given.x[:, 0].min() >= 0
    assert given.x[:, 0].max() <= 1
    for n in range(len(given)):
        values, marks = given.x[given.offsets[n] : given.offsets[n + 1]].T
        assert given.targets[n, 0] == pytest.approx(values[marks == 1].prod())
        assert marks[0] == -1 or values[0] == 1


@pytest.mark.parametrize("relevant", [2, 3])
def test_the_class_is_the_order_of_x_and_y(relevant):
    given = TemporalOrder(relevant, sequences=800).chunk("train")
    lengths = np.diff(given.offsets)
    assert (lengths.min(), lengths.max()) == (100, 110)
    assert given.targets.sum(axis=0).min() > 40
    for n in range(len(given)):
        ids = given.ids[given.offsets[n] : given.offsets[n + 1]]
        places = np.flatnonzero(ids >= 6)
        assert (ids[0], ids[-1]) == (4, 5)
        assert (np.delete(ids, [0, len(ids) - 1, *places]) < 4).all()
        assert all(least <= place + 1 <= most for place, (least, most) in zip(places, ORDER[relevant], strict=True))
        assert given.targets[n].argmax() == int("".join(str(ids[place] - 6) for place in places), 2)


def test_distractors_are_q_at_least_and_nine_more_in_the_mean():
    given = Distractors(p=12, q=30, sequences=4000).chunk("train")
    lengths = np.diff(given.offsets)
    assert lengths.min() == 33
    assert lengths.mean() + 1 == pytest.approx(30 + 13, abs=0.5)  # with the last symbol; the paper prints q + 14
    starts, ends = given.offsets[:-1], given.ends
    assert (given.ids[starts] == 13).all()
    assert (given.ids[ends] == 12).all()
    assert np.array_equal(given.ids[starts + 1] - 14, given.targets.argmax(axis=1))
    between = np.delete(given.ids, [*starts, *(starts + 1), *ends])
    assert (between.min(), between.max()) == (0, 11)


def test_the_first_numbers_tell_the_class_and_the_rest_is_noise():
    plain = TwoSequences(T=50, N=3, sequences=2000).chunk("train")
    lengths = np.diff(plain.offsets)
    assert (lengths.min(), lengths.max()) == (50, 55)
    first = np.stack([plain.x[plain.offsets[:-1] + n, 0] for n in range(3)])
    assert np.array_equal(first, np.tile(2 * plain.targets[:, 0] - 1, (3, 1)))
    rest = np.delete(plain.x[:, 0], np.concatenate([plain.offsets[:-1] + n for n in range(3)]))
    assert rest.var() == pytest.approx(0.2, rel=0.05)
    noisy = TwoSequences(T=50, N=1, noisy=True, sequences=2000).chunk("train")
    told = noisy.x[noisy.offsets[:-1], 0] - (2 * noisy.targets[:, 0] - 1)
    assert told.var() == pytest.approx(0.2, rel=0.2)


def test_only_the_targets_of_training_have_noise():
    data = TwoSequences(T=20, targets=(0.2, 0.8), target_noise=0.1, sequences=3000)
    assert set(data.chunk("check").targets[:, 0]) == {0.2, 0.8}
    given = data.chunk("train")
    clear = np.where(given.x[given.offsets[:-1], 0] > 0, 0.2, 0.8)
    assert (given.targets[:, 0] - clear).var() == pytest.approx(0.1, rel=0.1)


def test_the_first_symbol_comes_again_at_the_end():
    for regular in (True, False):
        given = NoiseFree(p=6, regular=regular, sequences=200).chunk("train")
        rows, following = given.ids.reshape(200, 6), given.following.reshape(200, 6)
        assert np.array_equal(rows[:, 0], following[:, -1])
        assert set(rows[:, 0]) == {5, 6}
        assert np.array_equal(rows[:, 1:], following[:, :-1])
        assert (rows[:, 1:] == np.arange(5)).all() == regular


def test_every_drawn_string_is_of_the_grammar_and_the_sets_share_none():
    data = EmbeddedReber()
    train, test = data.pair(0)
    assert (len(train), len(test)) == (256, 256)
    assert not set(train) & set(test)
    for string in train + test:
        legal = walk(string)
        assert all(bits >> SYMBOLS.index(symbol) & 1 for symbol, bits in zip(string[1:], legal, strict=True))
        assert string[1] == string[-2]
    assert min(map(len, train)) == 9
    assert data.pair(9) == data.pair(0) != data.pair(10)
    picked = data.chunk("train", trial=3)
    assert len(picked) == 100
    assert len(data.chunk("check", trial=3)) == 512


def test_a_node_of_two_edges_takes_each_half_the_time():
    rng = np.random.default_rng(0)
    second = [draw_string(rng)[1] for _ in range(2000)]
    assert second.count("T") == pytest.approx(1000, abs=70)
    assert [len(node) for node in EMBEDDED].count(0) == 1


@pytest.mark.parametrize(("string", "words"), [
    ("BTBTXSET", "ends before E"), ("BTBTXSEPE", "T is expected at 8, not P"), ("XB", "B is expected at 1"),
    ("BTBTXSETEB", "nothing more is expected at 10"),
])  # fmt: skip
def test_what_is_no_string_of_the_grammar_is_refused_with_its_place(string, words):
    with pytest.raises(LiteratimError, match=words):
        walk(string)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: Marked(T=19), r"data\.T is 19; it must be at least 20"),
    (lambda: Marked(target="quotient"), 'is "sum" or "product"'),
    (lambda: NoiseFree(p=1), r"data\.p is 1"),
    (lambda: Distractors(q=0), r"data\.q is 0"),
    (lambda: Distractors(p=0), r"data\.p is 0"),
    (lambda: TwoSequences(T=2, N=3), r"data\.T is 2; it must be at least 3"),
    (lambda: TwoSequences(N=0), r"data\.N is 0"),
    (lambda: TwoSequences(target_noise=-1.0), "a variance is not negative"),
    (lambda: TemporalOrder(relevant=4), r"data\.relevant is 4"),
    (lambda: TemporalOrder(sequences=0), r"data\.sequences is 0"),
    (lambda: EmbeddedReber(trials_a_pair=0), r"data\.trials_a_pair is 0"),
    (lambda: EmbeddedReber(strings=0), r"data\.checks is 0|data\.strings is 0"),
])  # fmt: skip
def test_sequences_that_cannot_be_are_refused(make, words):
    with pytest.raises(LiteratimError, match=words):
        make()


def test_a_length_that_cannot_be_is_one_sentence(tmp_path):
    assert_refused(inside("fit", "lstm", "--recipe", "4-1", "--data.T", "10", cwd=tmp_path), "data.T is 10")
