"""Checks of the second paper's claims that need code of their own, and the broken models that show that they bite."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from itertools import product
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

import literatim
from literatim.claims import Finding, setting, stated
from literatim.datasets import corpus
from literatim.papers.word2vec import huffman
from literatim.papers.word2vec import model as first
from literatim.papers.word2vec_phrases import model, phrases
from literatim.parts import analogies

GOLDEN = (1 + 5**0.5) / 2
# Of questions-phrases.txt in the authors' repository at commit 20c129a.
SHA256 = "55cfc0894d0fe6cf974d106da3e09b5fb2fa6125b6ddc633d06e298dc5aa7901"


def printed(claim: str) -> float:
    """A number of the paper's tables, as its claim has it."""
    return stated("word2vec-phrases", claim)


def net(output: str, counts: list[int], dimension: int = 4, k: int = 5) -> Any:
    """A network with vectors of an ordinary size in both tables, in double precision, the same each time."""
    made = model.SkipGram(output, k, dimension, counts).double()  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return made


COUNTS = [40, 20, 13, 9, 5, 3, 2, 1, 1]


# --- Sec. 2: the softmax, and the walk down the tree -----------------------------------------------


def softmax_by_hand() -> bool:
    """Eq. 2, each sum written out."""
    neg = net("neg", COUNTS)
    inputs, outputs = neg.vectors.weight.detach(), neg.output.words.weight.detach()
    scores = [[float(outputs[w] @ inputs[i]) for w in range(9)] for i in (0, 5)]
    by_hand = [[np.exp(s) / sum(np.exp(r) for r in row) for s in row] for row in scores]
    return torch.allclose(neg(torch.tensor([0, 5])).exp(), torch.tensor(by_hand, dtype=torch.float64))


def walk(output: Any, h: Tensor, counts: list[int], word: int) -> Tensor:
    """Eq. 3, from the word up to the root by the tree's own links; ch(n) is the first child."""
    tree, node, probability = huffman.HuffmanTree.of(counts), word, torch.ones((), dtype=torch.float64)
    while tree.parent[node] >= 0:
        sign = -1 if tree.second[node] else 1
        inner = int(tree.parent[node])
        probability = probability * torch.sigmoid(sign * output.inner.weight[inner] @ h)
        node = len(counts) + inner
    return probability


def tree_by_hand() -> bool:
    """The loss of every word after every word, and what `forward` gives, against the product of Eq. 3."""
    hs = net("hs", COUNTS)
    for centre in (0, 5):
        h = hs.vectors.weight[centre]
        by_hand = torch.stack([walk(hs.output, h, COUNTS, word) for word in range(9)])
        loss = hs.loss(torch.full((9,), centre), torch.arange(9)[:, None])
        if not (torch.allclose(loss, -by_hand.log()) and torch.allclose(hs(torch.tensor([centre]))[0].exp(), by_hand)):
            return False
    return True


def tree_sums_to_one() -> bool:
    hs = net("hs", [1 + 3 * i for i in range(100, 0, -1)])
    return torch.allclose(hs(torch.arange(100)).exp().sum(dim=1), torch.ones(100, dtype=torch.float64))


def tree_costs_its_path() -> Finding:
    """The inner vectors with a gradient after the loss of one word are the L(w) - 1 above it."""
    hs = net("hs", COUNTS)
    tree = huffman.HuffmanTree.of(COUNTS)
    touched, lengths = [], []
    for word in range(9):
        lengths.append(0)
        node = word
        while tree.parent[node] >= 0:
            node, lengths[-1] = 9 + int(tree.parent[node]), lengths[-1] + 1
        hs.zero_grad()
        hs.loss(torch.tensor([3]), torch.tensor([[word]])).sum().backward()
        touched.append(int(hs.output.inner.weight.grad.to_dense().any(dim=1).sum()))
    counts = first.zipf(30_000)
    mean = np.average(huffman.HuffmanTree.of(counts).lengths, weights=counts)
    return Finding(
        touched == lengths and bool(mean <= np.log2(len(counts))),
        f"{mean:.2f} on average for 30,000 words after Zipf's law, log2 W is {np.log2(len(counts)):.2f}",
        f"30,000 词按 Zipf 定律平均 {mean:.2f}，log2 W 为 {np.log2(len(counts)):.2f}",
    )


# --- Sec. 2.2: negative sampling -------------------------------------------------------------------


def neg_by_hand() -> bool:
    """Eq. 4 for given noise words, and its gradient in closed form: sigma(s) - 1 for the word that is there, sigma(s)
    for each of the noise, times the other vector."""
    neg = net("neg", COUNTS, k=3)
    centre, word, noise = torch.tensor([4, 1]), torch.tensor([2, 0]), torch.tensor([[1, 1, 8], [0, 3, 7]])
    h = neg.vectors.weight[centre].detach().requires_grad_()
    loss = neg.output.loss(h, word, noise)
    neg.zero_grad()
    loss.sum().backward()
    outputs = neg.output.words.weight.detach()
    to_h, to_outputs = torch.zeros_like(h), torch.zeros_like(outputs)
    by_hand = []
    for i in range(2):
        total = 0.0
        for w, label in [(word[i], 1), *((w, 0) for w in noise[i])]:
            s = outputs[w] @ h[i].detach()
            total -= float(torch.log(torch.sigmoid(s if label else -s)))
            to_h[i] += (torch.sigmoid(s) - label) * outputs[w]
            to_outputs[w] += (torch.sigmoid(s) - label) * h[i].detach()
        by_hand.append(total)
    assert h.grad is not None
    right = torch.allclose(loss, torch.tensor(by_hand, dtype=torch.float64))
    gradient = neg.output.words.weight.grad.to_dense()
    return right and torch.allclose(h.grad, to_h) and torch.allclose(gradient, to_outputs)


def neg_in_expectation() -> bool:
    """The mean over many draws is the objective with its k expectations as sums over the whole vocabulary."""
    neg = net("neg", COUNTS, k=5)
    h = 0.5 * neg.vectors.weight[:1].detach()
    scores = neg.output.words.weight @ h[0]
    share = torch.tensor(COUNTS, dtype=torch.float64) ** 0.75
    expected = (
        -torch.log(torch.sigmoid(scores[2])) - 5 * (share / share.sum() * torch.log(torch.sigmoid(-scores))).sum()
    )
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        parts = [neg.output.loss(h.expand(20_000, -1), torch.full((20_000,), 2)).mean() for _ in range(10)]
    return bool((torch.stack(parts).mean() - expected).abs() < 0.01)


def noise_power() -> float:
    """The slope of the noise over the counts, both as logarithms."""
    noise = model.NegativeSampling(COUNTS, 2).noise
    slope = np.polyfit(np.log(COUNTS), np.log(np.asarray(noise, dtype=np.float64)), 1)[0]
    return round(float(slope), 4)


def noise_by_hand() -> bool:
    """P_n(w) is the unigram distribution to the power 3/4, and so are the draws."""
    raised = [n**0.75 for n in COUNTS]
    expected = torch.tensor([r / sum(raised) for r in raised], dtype=torch.float64)
    output = model.NegativeSampling(COUNTS, 2, k=4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        draws = output.draw(50_000)
    share = torch.bincount(draws.flatten(), minlength=9) / draws.numel()
    return draws.shape == (50_000, 4) and torch.allclose(share.double(), expected, atol=0.004)


# --- Sec. 2.3: sub-sampling ------------------------------------------------------------------------


def frequencies(*times: float, t: float = 1e-5) -> Any:
    return np.array([t * x for x in times])


def subsampling_by_hand() -> bool:
    found = model.discarded(frequencies(0.5, 1, 4, 100, 10_000), 1e-5)
    return np.allclose(found, [0, 0, 1 - 0.5, 1 - 0.1, 1 - 0.01])


def discarded_at(times: str) -> float:
    """Of a word so many times as frequent as t."""
    return round(float(model.discarded(frequencies(float(times)), 1e-5)[0]), 6)


def subsampling_keeps_the_ranking() -> bool:
    """What is left of a word, f (1 - P), still grows with its frequency; and nothing above t is left whole."""
    f = np.geomspace(1e-8, 0.1, 2000)
    left = f * (1 - model.discarded(f, 1e-5))
    return bool((np.diff(left) > 0).all()) and bool((left[f > 1.01e-5] < f[f > 1.01e-5]).all())


def released_subsampling() -> bool:
    """The released code keeps sqrt(t/f) + t/f: all of a word up to the golden ratio's square times t."""
    edge = GOLDEN**2
    found = model.discarded(frequencies(1, 0.999 * edge, 1.001 * edge, 4, 100), 1e-5, "released")
    edges = bool(found[0] == found[1] == 0 < found[2] < 0.001)
    return edges and np.allclose(found[3:], [1 - 0.75, 1 - 0.11])


def thinned() -> float:
    """The share that Eq. 5 leaves of a text whose words, as many as the paper's, follow Zipf's law."""
    f = 1 / np.arange(1, printed("vocabulary") + 1)
    f /= f.sum()
    return float((f * (1 - model.discarded(f, 1e-5))).sum())


def speed_up() -> Finding:
    """By Table 1, to half a minute; and by what Eq. 5 leaves."""
    rows = ("neg-5", "neg-15", "hs-huffman")
    pairs = [(printed(f"table-1-minutes.{row}"), printed(f"table-1-minutes-subsampled.{row}")) for row in rows]
    ratios = [((plain - 0.5) / (faster + 0.5), (plain + 0.5) / (faster - 0.5)) for plain, faster in pairs]
    left = thinned()
    return Finding(
        all(high >= 2 and low <= 10 for low, high in ratios) and 2 <= 1 / left <= 10,
        f"Zipf's law leaves {100 * left:.0f} % of the text, {1 / left:.1f} times less",
        f"按 Zipf 定律余下文本的 {100 * left:.0f} %，少了 {1 / left:.1f} 倍",
    )


# --- Sec. 3: Table 1 -------------------------------------------------------------------------------


@cache
def number_of(syntactic: bool) -> int:
    """Of the questions of one kind in the first paper's test set, whose syntactic categories begin with "gram"."""
    pairs = analogies.read_pairs("literatim.papers.word2vec.claimed")
    return sum(len(analogies.questions(some)) for name, some in pairs.items() if name.startswith("gram") is syntactic)


def total_of(half: str, row: str) -> float:
    """The total accuracy that follows from the two kinds of questions by their numbers."""
    syntactic, semantic = (printed(f"table-1-{kind}{half}.{row}") for kind in ("syntactic", "semantic"))
    one, other = number_of(True), number_of(False)
    return round((one * syntactic + other * semantic) / (one + other), 1)


def total(row: str) -> float:
    return total_of("", row)


def total_subsampled(row: str) -> float:
    return total_of("-subsampled", row)


def gains() -> dict[str, list[float]]:
    """What sub-sampling adds to the accuracies of Table 1, in points, for each of its three models."""
    return {
        kind: [
            printed(f"table-1-{kind}-subsampled.{row}") - printed(f"table-1-{kind}.{row}")
            for row in ("neg-5", "neg-15", "hs-huffman")
        ]
        for kind in ("total", "semantic", "syntactic")
    }


# What the text says of its tables, each by the numbers printed in them.
SAID: dict[str, Callable[[], bool]] = {
    "neg-and-hs": lambda: all(
        printed(f"table-1-total{half}.{neg}") > printed(f"table-1-total{half}.hs-huffman")
        for half in ("", "-subsampled")
        for neg in ("neg-5", "neg-15")
    ),
    "neg-and-nce": lambda: printed("table-1-total.neg-5") > printed("table-1-total.nce-5"),
    "terms": lambda: 1e5 <= printed("vocabulary") <= 1e7,
    "fifteen": lambda: all(
        printed(f"table-3{half}.neg-15") > printed(f"table-3{half}.neg-5") for half in ("", "-subsampled")
    ),
    "hs-lower": lambda: printed("table-3.hs-huffman") < min(printed("table-3.neg-5"), printed("table-3.neg-15")),
    "hs-best": lambda: printed("table-3-subsampled.hs-huffman")
    > max(printed("table-3-subsampled.neg-5"), printed("table-3-subsampled.neg-15")),
    "less-text": lambda: printed("phrases-large.6b-words") < printed("phrases-large.33b-words"),
}  # fmt: skip


def said(row: str) -> bool:
    """Whether the numbers bear out a sentence of the text."""
    return SAID[row]()


def more_accurate() -> Finding:
    found = gains()

    def listed(kind: str) -> str:
        return ", ".join(f"{points:+.0f}" for points in found[kind])

    return Finding(
        min(found["total"]) >= 0 < max(found["total"]),
        f"NEG-5, NEG-15 and the tree: {listed('total')} points in total, {listed('semantic')} semantic, "
        f"{listed('syntactic')} syntactic",
        f"NEG-5、NEG-15 与树：总准确率 {listed('total')} 个百分点，语义 {listed('semantic')}，"
        f"句法 {listed('syntactic')}",
    )


def of_the_recipe(option: str) -> float:
    """What the recipe of Table 1's lower half sets."""
    return setting("word2vec-phrases", "text", option)


def least_count() -> int:
    """How often a word must occur where nothing is said, as in the recipe."""
    default = inspect.signature(corpus.Corpus).parameters["min_count"].default
    return setting("word2vec-phrases", "text", "data").get("min_count", default)


def negatives(variant: str) -> int:
    """How many noise words are drawn for a prediction."""
    net = literatim.load("word2vec-phrases", variant, counts=COUNTS, dimension=2)
    return net.output.draw(3).shape[1]


# --- Sec. 4: phrases -------------------------------------------------------------------------------

TEXT = (
    ["this is new york times"] * 12
    + ["this is a new day"] * 8
    + ["is this times square"] * 6
    + ["york is old"] * 2
    + ["this way or this", "is it what is"] * 20
    + ["rare pair"]
)


def text() -> list[list[str]]:
    return [line.split() for line in TEXT]


def score_by_hand() -> bool:
    """new: 20, york: 14, new york: 12; the delta is taken off once."""
    counts = phrases.Counts.of(text())
    exact = [((12 - delta) / (20 * 14)) for delta in (0, 5)]
    return np.allclose([counts.score("new", "york", delta) for delta in (0, 5)], exact)


def delta_discounts() -> bool:
    """Two words that occur once, together, have the highest score without a delta, and less than none with it."""
    counts = phrases.Counts.of(text())
    scores = {pair: counts.score(*pair, 0) for pair in counts.pairs}
    return max(scores, key=lambda pair: scores[pair]) == ("rare", "pair") and counts.score("rare", "pair", 5) < 0


def released_score() -> bool:
    """As Eq. 6, times the words of the text; nothing for a word that occurs less often than delta."""
    counts = phrases.Counts.of(text())
    words = sum(len(line) for line in text())
    exact = words * (12 - 5) / (20 * 14)
    return bool(
        np.isclose(counts.score("new", "york", 5, "released"), exact)
        and counts.score("rare", "pair", 5, "released") == 0
        and counts.score("is", "old", 3, "released") == 0
    )


def phrases_in_passes() -> bool:
    """Two passes make one token of "new york times", and leave "this is", which is frequent apart too."""
    one = next(iter(phrases.passes(text, [0.02], delta=5)))
    two = next(iter(phrases.passes(text, [0.02, 0.01], delta=5)))
    return one == ["this", "is", "new_york", "times"] and two == ["this", "is", "new_york_times"]


@cache
def released() -> dict[str, list[analogies.Question]]:
    """category -> the questions of the released test set, formed of its word pairs."""
    return {name: analogies.questions(pairs) for name, pairs in analogies.read_pairs(f"{__package__}.claimed").items()}


def asked() -> dict[str, list[analogies.Question]]:
    return released()


def phrase_questions() -> int:
    return sum(map(len, asked().values()))


def phrase_categories() -> Finding:
    names = ", ".join(asked())
    return Finding(len(asked()), names, names)


def released_file() -> bool:
    """The questions formed by the rule, line by line, are the very file."""
    return analogies.sha256(asked()) == SHA256


def hockey() -> bool:
    """The analogy that Sec. 1 calls typical."""
    return ("Montreal", "Montreal_Canadiens", "Toronto", "Toronto_Maple_Leafs") in asked()["ice_hockey"]


def sums_are_products() -> bool:
    """Sec. 5: after the sum of two vectors a word has the product of its probabilities after each, made to sum to
    one."""
    neg = net("neg", COUNTS)
    for a, b in product((0, 3, 7), repeat=2):
        one, other = neg(torch.tensor([a, b])).exp()
        both = neg.output((neg.vectors.weight[a] + neg.vectors.weight[b])[None]).exp()[0]
        if not torch.allclose(both, one * other / (one * other).sum()):
            return False
    return True


# --- What the released code does otherwise ---------------------------------------------------------


def released_differs() -> bool:
    """A draw of the noise that is the predicted word itself counts here as a negative, as printed; word2vec.c skips
    it. Sub-sampling parts as `released_subsampling` says."""
    neg = net("neg", COUNTS, k=1)
    h, word = neg.vectors.weight[:1], torch.tensor([2])
    itself = neg.output.loss(h, word, torch.tensor([[2]]))
    score = neg.output.words.weight[2] @ h[0]
    both = -torch.log(torch.sigmoid(score)) - torch.log(torch.sigmoid(-score))
    return torch.allclose(itself[0], both) and released_subsampling()


# --- Broken models: each must cost at least one claim its verdict ----------------------------------


class OneVectorMore(first.HierarchicalSoftmax):
    """A vector for every word in place of one for every inner node."""

    def __init__(self, counts: Any, dimension: int) -> None:
        super().__init__(counts, dimension)
        self.inner = nn.Embedding(len(counts), dimension)


def _loss(positive: int, negative: int) -> Callable[..., Tensor]:
    """Eq. 4 with other signs inside."""

    def loss(self: Any, h: Tensor, word: Tensor, negatives: Tensor | None = None) -> Tensor:
        negatives = self.draw(len(h)) if negatives is None else negatives
        there = positive * (self.words(word) * h).sum(dim=1)
        noise = negative * (self.words(negatives) * h[:, None]).sum(dim=2)
        return -nn.functional.logsigmoid(there) - nn.functional.logsigmoid(noise).sum(dim=1)

    return loss


def _power(power: float) -> Callable[[], AbstractContextManager[object]]:
    exact = model.NegativeSampling.__init__
    return lambda: patch.object(
        model.NegativeSampling,
        "__init__",
        lambda self, counts, dimension, k=5: exact(self, counts, dimension, k, power),
    )


def _discarding(formula: Callable[[Any, float], Any]) -> Callable[[], AbstractContextManager[object]]:
    return lambda: patch.object(model, "discarded", lambda f, t, kind="printed": np.clip(formula(f, t), 0, 1))


def _pairs_of_all(cls: Any, text: Any) -> phrases.Counts:
    """Pairs across the ends of sentences, and of every two words of a sentence."""
    words, pairs = Counter[str](), Counter[tuple[str, str]]()
    for sentence in text:
        words.update(sentence)
        pairs.update(product(sentence, repeat=2))
    return phrases.Counts(words, pairs, words.total())


def _asking(change: Callable[[Any], Any]) -> Callable[[], AbstractContextManager[object]]:
    """Another test set."""
    return lambda: patch(f"{__name__}.asked", lambda: change(released()))


def _scoring(change: Callable[..., float]) -> Callable[[], AbstractContextManager[object]]:
    return lambda: patch.object(phrases.Counts, "score", change)


BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "the softmax without its sum": lambda: patch.object(
        model.NegativeSampling, "forward", lambda self, h: h @ self.words.weight.T
    ),
    "the softmax with the input vectors' noise": lambda: patch.object(
        model.NegativeSampling, "forward", lambda self, h: torch.log_softmax(h @ self.words.weight.T + self.noise, 1)
    ),
    "every turn to the same side": lambda: patch.object(
        huffman.HuffmanTree,
        "paths",
        property(lambda self, exact=huffman.HuffmanTree.paths.func: (exact(self)[0], abs(exact(self)[1]))),
    ),
    "the last decision is left out": lambda: patch.object(
        huffman.HuffmanTree,
        "paths",
        property(lambda self, exact=huffman.HuffmanTree.paths.func: tuple(part[:, :-1] for part in exact(self))),
    ),
    "every inner node for every word": lambda: patch.object(
        first.HierarchicalSoftmax, "loss", lambda self, h, word: self(h).sum(dim=1)
    ),
    "one vector more in the tree": lambda: patch.object(first, "HierarchicalSoftmax", OneVectorMore),
    "the noise is called right": lambda: patch.object(model.NegativeSampling, "loss", _loss(1, 1)),
    "the word is called wrong": lambda: patch.object(model.NegativeSampling, "loss", _loss(-1, -1)),
    "one negative sample whatever k": lambda: patch.object(
        model.NegativeSampling, "draw", lambda self, n, exact=model.NegativeSampling.draw: exact(self, n)[:, :1]
    ),
    "the unigram distribution as noise": _power(1.0),
    "uniform noise": _power(0.0),
    "the released formula as the printed one": _discarding(lambda f, t: 1 - np.sqrt(t / f) - t / f),
    "the printed formula as the released one": _discarding(lambda f, t: 1 - np.sqrt(t / f)),
    "no square root in Eq. 5": _discarding(lambda f, t: 1 - t / f),
    "t over the square root": _discarding(lambda f, t: 1 - t / np.sqrt(f)),
    "delta taken from the words": _scoring(
        lambda self, a, b, delta=5, scoring="printed": (
            self.pairs[a, b] / ((self.words[a] + delta) * (self.words[b] + delta))
        )
    ),
    "no delta": _scoring(
        lambda self, a, b, delta=5, scoring="printed": self.pairs[a, b] / (self.words[a] * self.words[b] or 1)
    ),
    "pairs that are not neighbours": lambda: patch.object(phrases.Counts, "of", classmethod(_pairs_of_all)),
    "a pair at any score": lambda: patch.object(phrases, "joined", lambda sentence, *rest: ["_".join(sentence)]),
    "a category of phrases too few": _asking(
        lambda q: {name: some for name, some in q.items() if name != "ice_hockey"}
    ),
    "semantic questions only": lambda: patch(f"{__name__}.number_of", lambda syntactic: int(not syntactic)),
    "syntactic questions only": lambda: patch(f"{__name__}.number_of", int),
    "tables whose rows are all alike": lambda: patch(f"{__name__}.printed", lambda claim: 1.0),
    "another recipe": lambda: patch(
        f"{__name__}.setting", lambda paper, recipe, option: {"data": {"min_count": 1}}.get(option, 0)
    ),
}
# No claim trains.
BREAK_TRAINING: tuple[str, ...] = ()
