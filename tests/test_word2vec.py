"""What only the two word2vec papers have: text as windows, the tree, the vectors' uses, phrases."""

import gzip
import hashlib
import importlib.util
import lzma
import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import assert_refused, literatim
from literatim.claims import stated
from literatim.datasets.corpus import Corpus, WindowBatches
from literatim.datasets.text import Encoded
from literatim.errors import LiteratimError
from literatim.papers.word2vec import checks as word2vec_checks
from literatim.papers.word2vec import evaluation, model
from literatim.papers.word2vec.huffman import HuffmanTree
from literatim.papers.word2vec.training import Word2VecTraining
from literatim.papers.word2vec_phrases import checks as phrases_checks
from literatim.papers.word2vec_phrases import phrases
from literatim.papers.word2vec_phrases.model import NegativeSampling, SkipGram, discarded
from literatim.papers.word2vec_phrases.training import SkipGramTraining
from literatim.registry import claims
from trainings import SaveAfter, trainer

LINES = ["the cat sat on the mat", "the dog sat on the cat", "A dog isn't a cat", "", "mat"] * 4


@pytest.fixture
def text(tmp_path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    return path


def corpus(source, **options) -> Corpus:
    data = Corpus(source=str(source), **{"min_count": 1, "batch_size": 4, "window": 2, "watch": [], **options})
    data.setup("fit")
    return data


def sentences(source, **options) -> list[list[str]]:
    """The text of a source as its data module takes it, in words again."""
    data = corpus(source, **options)
    encoded = data.sets["train"]
    parts = np.split(encoded.ids, encoded.offsets[1:-1])
    return [[data.vocabulary.words[i] for i in part] for part in parts]


# --- Text ---------------------------------------------------------------------------------------------


def test_a_text_is_the_same_plain_packed_and_in_a_folder(text, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    content = text.read_bytes()
    half = content.index(b"\n") + 1
    (folder / "a.txt").write_bytes(content[:half])
    (folder / "b.txt.gz").write_bytes(gzip.compress(content[half:]))
    (folder / "notes.md").write_text("not read")
    (tmp_path / "text.txt.xz").write_bytes(lzma.compress(content))
    plain = sentences(text)
    assert plain == sentences(tmp_path / "text.txt.xz") == sentences(folder)
    assert plain[:3] == [LINES[0].split(), LINES[1].split(), ["a", "dog", "isn't", "a", "cat"]]


def test_tokens_and_case(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("New_York's 42 Größen, don't\n", encoding="utf-8")
    assert sentences(path) == [["new", "york's", "größen", "don't"]]
    assert sentences(path, lower=False, tokens="whitespace") == [["New_York's", "42", "Größen,", "don't"]]


def test_a_vocabulary_is_ordered_and_cut(text):
    found = corpus(text, min_count=5).vocabulary
    assert found.words == ["the", "cat", "a", "dog", "mat", "on", "sat"]  # equal counts by their letters
    assert found.counts.tolist() == [16, 12, *[8] * 5]
    assert corpus(text, min_count=8).vocabulary.words == found.words  # 8 is often enough, 4 is not
    assert corpus(text, at_most=3).vocabulary.words == found.words[:3]


def test_sentences_are_cut_and_unknown_words_dropped(tmp_path):
    (tmp_path / "long.txt").write_text("a b " * 1200 + "\nb rare a")
    data = corpus(tmp_path / "long.txt", min_count=2)
    assert np.diff(data.sets["train"].offsets).tolist() == [1000, 1000, 400, 2]
    assert data.sets["train"].ids.dtype == np.int32


def test_every_so_many_th_sentence_is_held_out(text):
    data = corpus(text, hold_out=4)
    assert len(data.sets["train"]) == 4 * 17
    assert [data.vocabulary.words[i] for i in data.sets["test"].ids] == ["mat"] * 4


@pytest.mark.parametrize(("change", "word"), [
    ({"source": "nowhere.txt"}, "there is no such text"),
    ({"min_count": 1000}, "at least two are needed"),
    ({"window": 0}, "data.window is 0"),
    ({"batch_size": 0}, "data.batch_size is 0"),
    ({"hold_out": 1}, "data.hold_out is 1"),
    ({"at_most": 1}, "data.at_most is 1"),
])  # fmt: skip
def test_options_that_cannot_be(text, change, word):
    with pytest.raises(LiteratimError, match=word):
        corpus(**{"source": text, **change})


@pytest.mark.parametrize(("name", "content", "word"), [
    ("empty.txt", b"", "of 0 different words"),
    ("one.txt", b"one one one", "of 1 different words"),
    ("latin.txt", "Größe".encode("latin-1"), "not UTF-8"),
    ("cut.txt.gz", gzip.compress(b"a b " * 999, mtime=0)[:30], "cannot be read"),
    ("cut.txt.xz", lzma.compress(b"a b " * 999)[:40], "cannot be read"),
])  # fmt: skip
def test_texts_that_cannot_be(tmp_path, name, content, word):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LiteratimError, match=word):
        corpus(tmp_path / name)
    with pytest.raises(LiteratimError, match=word):
        corpus(tmp_path)


def test_a_folder_without_texts(tmp_path):
    with pytest.raises(LiteratimError, match="no text in this folder"):
        corpus(tmp_path)


# --- Windows ------------------------------------------------------------------------------------------


def encoded(*lengths: int) -> Encoded:
    offsets = np.cumsum([0, *lengths])
    return Encoded(np.arange(offsets[-1], dtype=np.int32), offsets.astype(np.int64))


def test_windows_reach_past_what_is_left_out():
    keep = np.ones(7)
    keep[[2, 3]] = 0
    [batch] = WindowBatches(encoded(7), 2, 10, "fixed", keep)
    assert batch.centre.tolist() == [0, 1, 4, 5, 6]
    assert batch.context[1].tolist() == [-1, 0, 4, 5]
    assert batch.words == 7


def test_batches_cover_the_text_once_in_its_order():
    batches = list(WindowBatches(encoded(40_000, 3, 1, 900), 3, 64))
    centres = torch.cat([b.centre for b in batches]).tolist()
    assert centres == [i for i in range(40_904) if i != 40_003]  # a sentence of one word predicts nothing
    assert sum(b.words for b in batches) == 40_904
    assert len(batches) == len(WindowBatches(encoded(40_000, 3, 1, 900), 3, 64))


def test_draws_follow_from_seed_and_epoch_and_a_stopped_epoch_goes_on():
    def batches(seed=0, epoch=0, state=None):
        made = WindowBatches(encoded(20_000, 20_000), 5, 512, "uniform", np.full(40_000, 0.7), seed)
        made.set_epoch(epoch)
        if state:
            made.load_state_dict(state)
        return made

    whole = list(batches(epoch=3))
    stopped = batches(epoch=3)
    for _, _ in zip(range(50), stopped, strict=False):
        pass
    rest = list(batches(epoch=3, state=stopped.state_dict()))
    assert len(rest) == len(whole) - 50
    assert all(torch.equal(a.context, b.context) for a, b in zip(rest, whole[50:], strict=True))
    for other in (batches(epoch=2), batches(seed=1, epoch=3)):
        assert not torch.equal(next(iter(other)).context, whole[0].context)


# --- The tree -----------------------------------------------------------------------------------------


def released_codes(counts: list[int]) -> list[tuple[list[int], list[int]]]:
    """(inner nodes, bits) from the root to each word, by the two pointers of CreateBinaryTree in word2vec.c."""
    v = len(counts)
    count, parent, binary = [*counts, *[10**15] * v], [0] * (2 * v), [0] * (2 * v)
    word, inner = v - 1, v
    for made in range(v - 1):
        least = []
        for _ in range(2):
            if word >= 0 and count[word] < count[inner]:
                least.append(word)
                word -= 1
            else:
                least.append(inner)
                inner += 1
        count[v + made] = count[least[0]] + count[least[1]]
        parent[least[0]] = parent[least[1]] = v + made
        binary[least[1]] = 1
    found = []
    for leaf in range(v):
        nodes, bits, node = [], [], leaf
        while node != 2 * v - 2:
            bits.append(binary[node])
            node = parent[node]
            nodes.append(node - v)
        found.append((nodes[::-1], bits[::-1]))
    return found


@pytest.mark.parametrize("counts", [[5, 1], [9, 9, 9, 9, 9], [40, 20, 13, 9, 5, 3, 2, 1, 1], model.zipf(300)])
def test_the_tree_is_that_of_the_released_code(counts):
    nodes, turns = HuffmanTree.of(counts).paths
    for word, (inner, bits) in enumerate(released_codes(counts)):
        assert nodes[word][: len(inner)].tolist() == inner
        assert turns[word].tolist() == [1 - 2 * bit for bit in bits] + [0] * (turns.shape[1] - len(bits))


def least_cost(counts: tuple[int, ...]) -> int:
    """Of all binary trees over the words: a tree costs its words once, and its two halves."""
    if len(counts) == 1:
        return 0
    halves = range(1, 2 ** (len(counts) - 1))
    return sum(counts) + min(
        least_cost(tuple(c for i, c in enumerate(counts) if half >> i & 1))
        + least_cost(tuple(c for i, c in enumerate(counts) if not half >> i & 1))
        for half in halves
    )


@pytest.mark.parametrize("counts", [(7, 5, 2, 2, 1), (1, 1, 1, 1, 1, 1), (30, 9, 8, 7, 1, 1)])
def test_no_tree_is_shorter(counts):
    assert int((HuffmanTree.of(counts).lengths * np.array(counts)).sum()) == least_cost(counts)


def test_a_tree_needs_two_words():
    with pytest.raises(LiteratimError, match="at least two words, not 1"):
        HuffmanTree.of([4])


# --- The models' losses -------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["cbow", "skip-gram"])
def test_the_loss_and_its_gradient_are_those_of_the_full_distribution(architecture):
    torch.manual_seed(0)
    net = model.Word2Vec(architecture, 6, counts=[9, 5, 4, 2, 1, 1]).double()
    torch.nn.init.normal_(net.output.inner.weight)
    centre, context = torch.tensor([0, 3]), torch.tensor([[1, 2, -1], [5, 0, 4]])
    words, target = net.predictions(centre, context)

    def gradients(loss):
        net.zero_grad()
        loss.sum().backward()
        return [p.grad.to_dense().clone() for p in net.parameters()]

    full = -net(words).gather(1, target[:, None])[:, 0]
    assert torch.allclose(net.loss(centre, context), full)
    for ours, theirs in zip(gradients(net.loss(centre, context)), gradients(full), strict=True):
        assert torch.allclose(ours, theirs)
    assert torch.allclose(net(words).exp().sum(dim=1), torch.ones(len(words), dtype=torch.float64))


def test_noise_words_are_drawn_to_the_last_one():
    output = NegativeSampling([1, 1], 2, k=3)
    torch.manual_seed(0)
    assert set(output.draw(100).flatten().tolist()) == {0, 1}
    output.cumulative[-1] = 0.999  # as rounding may leave it
    assert int(output.draw(10_000).max()) == 1


def test_the_two_formulas_of_subsampling_part_and_meet():
    t, golden = 1e-3, (1 + 5**0.5) / 2
    f = np.array([t, golden**2 * t, 0.01, 0.999])
    printed, released = discarded(f, t), discarded(f, t, "released")
    assert np.allclose(printed[:3], [0, 1 - 1 / golden, 1 - 0.316228], atol=1e-6)
    assert np.allclose(released[:3], [0, 0, 1 - 0.416228], atol=1e-6)
    assert abs(printed[3] - released[3]) < 0.0011
    assert not discarded(f, 0).any()


@pytest.mark.parametrize(("make", "word"), [
    (lambda: model.Word2Vec(dimension=0), "the dimension of word vectors is 0"),
    (lambda: model.Word2Vec(vocabulary=1), "the vocabulary has 1 words"),
    (lambda: SkipGram(k=0, vocabulary=5), "k is 0"),
])  # fmt: skip
def test_models_that_cannot_be(make, word):
    with pytest.raises(ValueError, match=word):
        make()


# --- Training -----------------------------------------------------------------------------------------


class Listening(Word2VecTraining):
    def training_step(self, batch, batch_idx):
        before = [p.detach().clone() for p in self.net.parameters()]
        loss = self.net.loss(batch[0], batch[1])
        expected = torch.autograd.grad(loss.sum(), list(self.net.parameters()))
        rate = self.rate()
        out = super().training_step(batch, batch_idx)
        for p, old, gradient in zip(self.net.parameters(), before, expected, strict=True):
            assert torch.allclose(p, old - rate * gradient.to_dense(), atol=1e-7)
        self.rates.append(rate)
        return out


def test_a_step_is_the_sum_of_its_predictions_and_the_rate_falls_in_a_line(text, tmp_path):
    torch.manual_seed(0)
    module = Listening("skip-gram", {"dimension": 5}, lr=0.1)
    module.rates = []
    data = corpus(text, batch_size=9)
    trainer(tmp_path, max_epochs=2).fit(module, datamodule=data)
    seen = 9 * np.arange(16) / 144
    assert np.allclose(module.rates, 0.1 * (1 - seen)), module.rates
    assert trainer(tmp_path).test(module, datamodule=data, verbose=False)[0]["test_gain"] > -1


def test_a_run_stopped_in_mid_epoch_ends_the_same(text, tmp_path):
    def fitted(checkpoint=None):
        torch.manual_seed(0)
        module = Word2VecTraining("cbow", {"dimension": 5}, lr=0.5)
        made = trainer(tmp_path, max_epochs=3, callbacks=[SaveAfter(25, tmp_path / "stopped.ckpt")])  # of 18 an epoch
        made.fit(module, datamodule=corpus(text), ckpt_path=checkpoint)
        assert made.global_step == 3 * 18
        return module

    straight, again = fitted(), fitted(tmp_path / "stopped.ckpt")
    assert torch.equal(straight.net.vectors.weight, again.net.vectors.weight)
    assert torch.equal(straight.seen, again.seen)


def test_a_checkpoint_of_another_vocabulary_is_refused(text, tmp_path):
    made = trainer(tmp_path, max_epochs=1)
    made.fit(Word2VecTraining("cbow", {"dimension": 2}), datamodule=corpus(text))
    made.save_checkpoint(tmp_path / "one.ckpt")
    with pytest.raises(LiteratimError, match="of another text or vocabulary"):
        trainer(tmp_path).test(
            Word2VecTraining("cbow", {"dimension": 2}),
            datamodule=corpus(text, min_count=9),
            ckpt_path=tmp_path / "one.ckpt",
        )


def test_subsampling_reaches_the_data_module(text, tmp_path):
    data = corpus(text)
    module = SkipGramTraining("neg-5", {"dimension": 2}, sample=0.01, subsampling="released")
    made = trainer(tmp_path, max_epochs=1)
    made.fit(module, datamodule=data)
    share = data.vocabulary.counts / data.vocabulary.counts.sum()
    assert np.allclose(data.keep, 1 - discarded(share, 0.01, "released"))
    assert 0 < made.callback_metrics["kept"] < 60
    assert "test_gain" not in trainer(tmp_path).test(module, datamodule=data, verbose=False)[0]


# --- What the vectors are good for --------------------------------------------------------------------


@pytest.fixture
def plane() -> evaluation.Vectors:
    """Two directions, royal and female, as the textbooks have them."""
    words = ["Man", "woman", "king", "queen", "cat", "man"]
    return evaluation.Vectors(
        words, torch.tensor([[1, 0, 0.0], [1, 1, 0], [1, 0, 1], [1, 1, 1], [-1, 0, 0], [0, -1, 0]])
    )


def test_neighbours_and_analogies(plane):
    assert [word for word, _ in plane.neighbours("queen", 2)] == ["woman", "king"]
    assert plane.analogy("man", "woman", "KING")[0][0] == "queen"
    assert len(plane.neighbours("cat", 99)) == 5
    with pytest.raises(LiteratimError, match='"quen" is not among the 6 words; did you mean "queen"'):
        plane.neighbours("quen")


def test_unknown_words_count_both_ways(plane, tmp_path):
    path = tmp_path / "questions.txt"
    family = ["man woman king queen", "man woman king cat", "man man king queen", "man woman boy girl"]
    path.write_text("\n".join([": family", *family, ": gram8-plural", "cat cats a b"]))
    scores = evaluation.analogies(plane, evaluation.read_questions(path))
    assert scores["family"] == scores["semantic"] == (4, 3, 2)
    assert scores["syntactic"] == (1, 0, 0)
    assert (scores["total"].paper, scores["total"].released) == (40, pytest.approx(200 / 3))
    assert evaluation.analogies(plane, evaluation.read_questions(path), 3)["total"] == (5, 0, 0)


@pytest.mark.parametrize("content", ["a b c d\n", ": x\na b c\n", ": two words\n"])
def test_a_file_that_is_no_list_of_questions(tmp_path, content):
    (tmp_path / "q.txt").write_text(content)
    with pytest.raises(LiteratimError, match=r"q\.txt:\d: neither a category"):
        evaluation.read_questions(tmp_path / "q.txt")


def test_similarity_is_a_rank_correlation_over_known_pairs(plane, tmp_path):
    (tmp_path / "s.tsv").write_text("Word 1\tWord 2\tmean\nqueen\twoman\t9\nking\tman\t5\ncat\tman\t1\ncat\tdog\t7\n")
    judged = evaluation.read_similarities(tmp_path / "s.tsv")
    found = evaluation.similarity(plane, judged)
    assert (found.correlation, found.covered, found.pairs) == (pytest.approx(1.0), 3, 4)
    turned = [(a, b, -value) for a, b, value in judged]
    assert evaluation.similarity(plane, turned).correlation == pytest.approx(-1.0)
    assert np.isnan(evaluation.similarity(plane, judged[3:]).correlation)


def test_sensible_neighbours_tell_what_is_learnt_from_what_is_not():
    families = [["a", "b", "c"], ["d", "e"], ["f", "g", "unknown"], ["h", "unseen"]]
    words = list("abcdefgh")
    kinds = torch.eye(4)[[0, 0, 0, 1, 1, 2, 2, 3]]
    share, chance = evaluation.sensible_neighbours(evaluation.Vectors(words, kinds + 0.01), families)
    assert (share, chance) == (100, pytest.approx(100 * (3 * 2 + 4 * 1) / 7 / 6))
    torch.manual_seed(0)
    known = sorted({word for family in evaluation.families() for word in family})
    random = evaluation.Vectors(known, torch.randn(len(known), 100))
    share, chance = evaluation.sensible_neighbours(random, evaluation.families())
    assert share < 12
    assert chance < 5


def test_the_families_are_in_the_help_texts():
    known = set(corpus("pydoc", min_count=5).vocabulary.words)
    listed = [word for family in evaluation.families() for word in family]
    assert len(listed) > 100
    assert sum(word in known for word in listed) > 0.9 * len(listed)


@pytest.mark.parametrize(("package", "name"), [(word2vec_checks, "words"), (phrases_checks, "phrases")])
def test_the_questions_formed_of_the_pairs_are_those_of_the_released_file(package, name):
    places = [Path(os.environ.get("LITERATIM_DATA", "")) / f"questions-{name}.txt"]
    if found := importlib.util.find_spec("gensim"):
        places.append(Path(found.origin or "").parent / "test" / "test_data" / f"questions-{name}.txt")
    path = next((path for path in places if path.is_file()), None)
    if path is None:
        pytest.skip(f"no questions-{name}.txt in $LITERATIM_DATA or in an installed gensim")
    assert evaluation.read_questions(path) == package.asked()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == package.SHA256


@pytest.mark.parametrize("paper", ["word2vec", "word2vec-phrases"])
def test_no_run_is_held_against_two_experiments(paper):
    read = [claim.result.model_dump_json() for claim in claims(paper) if claim.result]
    assert len(read) == len(set(read))


def both_rnnlms(semantic: int) -> bool:
    """Whether the totals of both RNNLM rows of Table 4 follow with so many semantic questions, each printed number
    being known to half of its last digit."""

    def fits(row: str) -> bool:
        of = {kind: stated("word2vec", f"table-4-{kind}.{row}") for kind in ("semantic", "syntactic", "total")}
        total = (semantic * of["semantic"] + 10675 * of["syntactic"]) / (semantic + 10675)
        return abs(total - of["total"]) <= 0.1 + 1e-9

    return fits("rnnlm-80") and fits("rnnlm-640")


def test_the_reading_that_fits_both_rnnlm_rows_and_what_else_does():
    asked = {name: len(some) for name, some in word2vec_checks.asked().items() if not name.startswith("gram")}
    assert [n for n in range(8870) if both_rnnlms(n)] == [*range(7824, 8041)]
    without = {out: 8869 - sum(asked[n] for n in out) for k in range(5) for out in combinations(asked, k)}
    assert {out: n for out, n in without.items() if both_rnnlms(n)} == {
        ("currency",): 8003, ("capital-common-countries", "family"): 7857
    }  # fmt: skip


# --- Phrases ------------------------------------------------------------------------------------------


def test_a_word_is_in_one_phrase_of_a_pass_at_most():
    text = [["new", "york", "new", "york"]] * 10
    counts = phrases.Counts.of(text)
    assert counts.pairs == {("new", "york"): 20, ("york", "new"): 10}
    assert phrases.joined(text[0], counts, 0, 0, "printed") == ["new_york", "new_york"]
    score = counts.score("new", "york", 0)
    assert phrases.joined(text[0], counts, score, 0, "printed") == text[0]  # above the threshold, not at it


def test_the_released_score_knows_the_size_of_the_text():
    text = [["new", "york"]] * 10
    [once], [thrice] = ([phrases.Counts.of(text * n).score("new", "york", 5, "released")] for n in (1, 3))
    assert once == 20 * 5 / 100
    assert thrice == pytest.approx(60 * 25 / 900)
    assert phrases.Counts.of(text).score("new", "york", 11, "released") == 0
    assert phrases.Counts.of(text).score("old", "york") == 0


def test_thresholds_must_fall():
    with pytest.raises(LiteratimError, match="100, 200 must fall"):
        phrases.passes(lambda: [], [100, 200])


# --- The command --------------------------------------------------------------------------------------


def test_fit_and_refusals(tmp_path, text):
    done = literatim("fit", "word2vec", "--trainer.max_steps", "20", "--runs", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "online_loss" in done.stdout
    assert_refused(
        literatim("fit", "word2vec", "--data.source", "nowhere.txt", "--runs", str(tmp_path)),
        "nowhere.txt: there is no such text",
    )
    assert_refused(
        literatim("fit", "word2vec", "--model.options.dimension", "0", "--runs", str(tmp_path)), "must be at least 1"
    )
