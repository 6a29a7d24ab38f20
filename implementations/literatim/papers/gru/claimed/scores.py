"""Probabilities of phrases, Eq. 2 to 4, how they are learned, and what is drawn from them."""

from __future__ import annotations

import inspect
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from literatim.datasets import phrase_pairs
from literatim.papers.gru import drawing, model, table, training, writing
from literatim.papers.gru.claimed.small import SOURCE, TARGET, close, small
from literatim.parts.number_words import number_pairs
from literatim.parts.phrases import Words


def sums_to_one() -> bool:
    """Over all phrases of up to three words, and over what begins with three and goes on."""
    net, total = small(target_words=3), 0.0
    c = net.encoder.read(SOURCE[:1])
    end = net.target_end
    beginnings = [[]]  # type: list[list[int]]
    for length in range(4):
        ended = torch.tensor([[*words, end] for words in beginnings])
        total += float(net.score(c.expand(len(ended), -1), ended).detach().exp().sum())
        if length < 3:
            beginnings = [[*words, word] for words in beginnings for word in range(end)]
    going_on = torch.tensor([[*words, word] for words in beginnings for word in range(end)])
    total += float(net.score(c.expand(len(going_on), -1), going_on).detach().exp().sum())
    return abs(total - 1) < 1e-10


def product_of_steps() -> bool:
    """Eq. 3: the score of a phrase is the sum of what each step gives its word, the steps taken one by one."""
    net = small()
    c = net.encoder.read(SOURCE)
    h, context, before = net.decoder.start(c), net.decoder.context(c), torch.full((3,), -1)
    total = torch.zeros(3, dtype=torch.float64)
    for t in range(TARGET.shape[1]):
        found, h = net.decoder.step(before, h, context)
        total += torch.where(TARGET[:, t] >= 0, found[torch.arange(3), TARGET[:, t].clamp(min=0)], 0)
        before = TARGET[:, t]
    return close(net(SOURCE, TARGET), total)


def a_module(**options: int) -> training.GRUTraining:
    """With a table of the numbers up to 99, which is made in no time."""
    with patch.object(table, "number_pairs", lambda most: number_pairs(99)):
        return training.GRUTraining(options=options)


def one_module() -> training.GRUTraining:
    return a_module(source_words=6, target_words=5, hidden=5, maxout=2)


def likelihood_is_maximised() -> bool:
    """Eq. 4: what a step descends is the mean over the pairs of -log p(y | x)."""
    module = one_module()
    by_hand = -torch.stack(
        [module.net(x[x >= 0][None], y[y >= 0][None])[0] for x, y in zip(SOURCE, TARGET, strict=True)]
    )
    return bool(torch.isclose(module.training_step((SOURCE, TARGET), 0), by_hand.mean(), atol=1e-6))


def trained_jointly() -> bool:
    """Every weight of both networks gets a gradient, and the optimiser moves it."""
    module = one_module().double()  # where the smallest move is seen
    before = {name: p.detach().clone() for name, p in module.net.named_parameters()}
    optimizer = module.configure_optimizers()
    module.training_step((SOURCE, TARGET), 0).backward()
    optimizer.step()
    return all(not torch.equal(p, before[name]) for name, p in module.net.named_parameters())


def adadelta_as_published() -> bool:
    """Five updates of the rule that the paper cites, from zero means, against the optimiser's."""
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    module = one_module()
    module.net = torch.nn.ParameterList([weight])  # type: ignore[assignment]
    optimizer = module.configure_optimizers()
    x, squares, moves = weight.detach().clone(), torch.zeros(2).double(), torch.zeros(2).double()
    for step in range(5):
        gradient = torch.tensor([0.5, -3.0], dtype=torch.float64) * (step + 1)
        squares = 0.95 * squares + 0.05 * gradient**2
        move = -torch.sqrt(moves + 1e-6) / torch.sqrt(squares + 1e-6) * gradient
        moves = 0.95 * moves + 0.05 * move**2
        x += move
        weight.grad = gradient
        optimizer.step()
    return close(weight.detach(), x)


def setting_of_training(row: str) -> float:
    return float(inspect.signature(training.GRUTraining).parameters[row].default)


def pairs_a_step() -> int:
    return len(next(iter(small_data().train_dataloader()))[0])


def small_data(most: int = 199) -> phrase_pairs.PhrasePairs:
    data = phrase_pairs.PhrasePairs(most=most)
    data.setup("fit")
    return data


def each_pair_once() -> bool:
    """A pair that stands there five times is one pair."""

    class Repeated(phrase_pairs.PhrasePairs):
        def _pairs(self):  # type: ignore[no-untyped-def]
            return iter([(("abcde"[i % 5], "pqrs"[i % 4]), ("x",)) for i in range(100)])

    data = Repeated(hold_out=2)
    data.setup("fit")
    rows = [tuple(row.tolist()) for name in ("train", "test") for row in data.sets[name][0]]
    return len(rows) == len(set(rows)) == 20


def most_frequent_words() -> bool:
    """The shortlist has the most frequent words of a text, and no other."""
    words = Words.of([("a", "b", "c"), ("b", "c"), ("c", "d", "b")], at_most=3)
    return words.words[1:] == ("b", "c")


def unknown_words_are_one() -> bool:
    """Phrases that differ in words outside the shortlist alone are the same to the network."""
    words = Words.of([("a", "b"), ("a", "c"), ("b", "a")], at_most=3)
    ids = words.encoded([("a", "c"), ("a", "xyz"), ("a", "b")])
    return (
        bool(torch.equal(ids[0], ids[1])) and not torch.equal(ids[0], ids[2]) and words.words[int(ids[0, 1])] == "[UNK]"
    )


def end_is_marked() -> bool:
    """Each phrase of the data, source and target, ends with the mark, which stands nowhere else."""
    data = small_data()
    assert data.words is not None
    found = [
        bool(((ids == len(words)).sum(dim=1) == 1).all() and (last_of(ids) == len(words)).all())
        for sets in data.sets.values()
        for ids, words in zip(sets, data.words, strict=True)
    ]
    return all(found)


def last_of(ids: Tensor) -> Tensor:
    return ids[torch.arange(len(ids)), (ids >= 0).sum(dim=1) - 1]


# --- Tables 2 and 3, Fig. 5 ------------------------------------------------------------------------


def numbers_module() -> training.GRUTraining:
    return a_module(source_words=29, target_words=25, hidden=8, maxout=4)


def listed_of_table() -> int:
    """Target phrases that are named of the phrase table."""
    with torch.no_grad():
        return sum(row["from"] == "phrase table" for row in numbers_module().answer("ninety seven"))


def samples_drawn() -> int:
    counted: list[int] = []
    module = numbers_module()
    step = module.net.decoder.step

    def counting(y: Tensor, *rest: Any) -> Any:
        counted.append(len(y))
        return step(y, *rest)

    with patch.object(module.net.decoder, "step", counting), torch.no_grad():
        module.sampled(torch.zeros(8), 0)
    return counted[0]


def samples_shown() -> int:
    """The most that are shown of a network whose samples nearly all differ."""
    module = numbers_module()
    with torch.no_grad():
        module.net.decoder.b_g[-1] = 3.0  # so that phrases end
        return len(module.sampled(torch.zeros(8), 0))


def samples_in_order() -> bool:
    module = numbers_module()
    with torch.no_grad():
        module.net.decoder.b_g[-1] = 3.0
        c = torch.zeros(8)
        found = module.sampled(c, 0)
        scores = [float(module.scores(c, phrase[None])) for phrase, _, _ in found]
    return (
        len(found) > 1
        and scores == sorted(scores, reverse=True)
        and np.allclose(scores, [s for _, s, _ in found], atol=1e-4)
    )


def sampled_word_by_word() -> bool:
    """Each word is chosen from the softmax of its step, and fed back."""
    net, seen = small(), []

    def choose(found: Tensor) -> Tensor:
        seen.append(found.detach())
        return torch.full((len(found),), len(seen) % 3)

    c = net.encoder.read(SOURCE)
    phrase = writing.written(net, c, 3, choose)
    expected = net.decoder(c, phrase)
    return close(torch.stack(seen, dim=1), expected.detach())


class Chosen(Exception):
    """Stops the drawing of a map as soon as its phrases are known."""


def on_the_map(x: Tensor) -> Tensor:
    """The phrases (N, T) that the map shows of some."""

    class Noting:
        def read(self, chosen: Tensor) -> Tensor:
            raise Chosen(chosen)

    try:
        drawing.phrase_map(Noting(), x, Words((), False))  # type: ignore[arg-type]
    except Chosen as found:
        return found.args[0]
    raise ValueError("the map shows nothing")


def words_of_the_map() -> int:
    """The least words, the end not counted, of a phrase on the map."""
    data = small_data(most=299)
    x = torch.cat([data.sets["train"][0], data.sets["test"][0]])
    return min(int((row >= 0).sum()) - 1 for row in on_the_map(x))


def points_of_the_map() -> int:
    return len(on_the_map(torch.arange(5000)[:, None].repeat(1, 6)))


def vector_of_a_phrase() -> int:
    with torch.device("meta"):
        encoder = model.EncoderDecoder().encoder
        return encoder.summary(encoder.start(1)[0]).shape[1]
