"""Checks of Elman's claims, and broken models that they must notice. What is printed, and reckonings with it, is in
`claimed`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from literatim.claims.given import setting, stated
from literatim.claims.verdicts import Finding, build
from literatim.datasets import streams
from literatim.papers.elman import codes, evaluation, model
from literatim.papers.elman.training import ElmanTraining

NUMBERED = {"inputs": 0, "hidden": 1, "outputs": 2, "context": 3}


def layers(variant: str) -> tuple[int, int, int, int]:
    """Input, hidden, output and context units of a network, as two inputs pass through it."""
    net = build("elman", variant, "cpu")
    inputs = net.from_input.weight.shape[1]
    y, hidden = net.run(torch.zeros(1, 2, inputs))
    return inputs, hidden.shape[-1], y.shape[-1], net.start(1)[0].shape[1]


def units(row: str) -> int:
    """Of `<experiment>-<layer>`."""
    variant, _, layer = row.partition("-")
    return layers(variant)[NUMBERED[layer]]


def context_start() -> float:
    (context,) = build("elman", "sentences", "cpu").start(1)
    return float(context.min()) if context.min() == context.max() else math.nan


def copied() -> float:
    """By how much each context unit changes with its hidden unit."""
    hidden = torch.rand(1, 20, requires_grad=True)
    (weights,) = torch.autograd.grad(build("elman", "letters", "cpu").copy(hidden).sum(), hidden)
    return float(weights.mean()) if bool((weights == weights[0, 0]).all()) else math.nan


def context_is_hidden() -> bool:
    """After a step the context units have exactly the values that the hidden units had in it."""
    net = build("elman", "letters", "cpu")
    x, (context,) = torch.rand(1, 6), net.start(1)
    return torch.equal(net.step(x, context)[1], net.hidden(x, context))


def not_adjusted() -> bool:
    """No weight of the connections to the context units is among those that are learned."""
    return not list(build("elman", "letters", "cpu").copy.parameters())


def bounded() -> bool:
    """Hidden and output units lie between 0 and 1 whatever comes in, and reach both ends."""
    net = build("elman", "letters", "cpu")
    y, hidden = net.run(torch.randn(4, 6, 6, generator=torch.Generator().manual_seed(0)) * 1e4)
    values = torch.cat([y.flatten(), hidden.flatten()]).detach()
    return 0 <= float(values.min()) < 0.01 and 0.99 < float(values.max()) <= 1


def by_hand(net: model.SimpleRecurrentNetwork, x: Any, rate: float) -> list[Any]:
    """The weights after one pass, by the rule of back-propagation written out: one step back and no further."""
    w, b = (p.detach().double().numpy().copy() for p in (net.from_input.weight, net.from_input.bias))
    u = net.from_context.weight.detach().double().numpy().copy()
    v, a = (p.detach().double().numpy().copy() for p in (net.output.weight, net.output.bias))
    context = np.full(len(b), 0.5)
    for t in range(len(x)):
        hidden = 1 / (1 + np.exp(-(w @ x[t] + u @ context + b)))
        y = 1 / (1 + np.exp(-(v @ hidden + a)))
        out = (y - x[(t + 1) % len(x)]) * y * (1 - y)
        back = (v.T @ out) * hidden * (1 - hidden)
        v, a = v - rate * np.outer(out, hidden), a - rate * out
        w, u, b = w - rate * np.outer(back, x[t]), u - rate * np.outer(back, context), b - rate * back
        context = hidden
    return [w, b, u, v, a]


def one_update_an_input() -> bool:
    """Learning corrects all weights after every input, by the error of that step alone: as the rule by hand has it."""
    training = ElmanTraining("letters", lr=0.5)
    x = codes.table("letters")[[0, 3, 1, 4, 4, 2, 5, 5, 5]]
    expected = by_hand(training.net, x, 0.5)
    inner = torch.optim.SGD(training.net.parameters(), lr=0.5)
    wrapped = SimpleNamespace(optimizer=inner, step=inner.step, zero_grad=inner.zero_grad)
    rows = torch.tensor(x, dtype=torch.float32)
    with mock.patch.object(training, "optimizers", return_value=wrapped):
        training.plain_pass(rows, rows.roll(-1, 0), *training.net.start(1))
    net = training.net
    learned = [net.from_input.weight, net.from_input.bias, net.from_context.weight, net.output.weight, net.output.bias]
    return all(np.allclose(p.detach().numpy(), e, atol=1e-5) for p, e in zip(learned, expected, strict=True))


def error_of(outputs: float) -> float:
    """The squared error of a step, summed over the outputs, where one of 31 is to be on and all are at this value."""
    target = torch.tensor(codes.table("sentences")[:1], dtype=torch.float64)
    return 2 * float(model.squared_error(torch.full_like(target, outputs), target))


def error_all_off() -> Finding:
    root = math.sqrt(error_of(0) / len(codes.table("sentences")[0]))
    return Finding(
        error_of(0),
        f"the squared error summed over the outputs; its root mean square is {root:.2f}",
        f"对输出求和的平方误差；其均方根为 {root:.2f}",
    )


def error_at_first() -> Finding:
    """The summed absolute error of outputs that are all at one half."""
    target = codes.table("sentences")[0]
    return Finding(
        float(np.abs(0.5 - target).sum()),
        f"all outputs at one half, errors summed without squaring; squared they sum to {error_of(0.5)}",
        f"全部输出取二分之一，误差不平方而求和；若平方，则和为 {error_of(0.5)}",
    )


# --- What is presented -------------------------------------------------------------------------------


def stream(task: str, **options: Any) -> streams.Stream:
    return streams.Streams(task, **options).stream("train")  # type: ignore[arg-type]


def bits() -> int:
    return len(stream("xor").ids)


def triples() -> bool:
    """The third bit of every three is the exclusive or of the two before, and the pairs are all there."""
    triple = stream("xor").ids.reshape(-1, 3)
    pairs = {(int(a), int(b)) for a, b, _ in triple}
    return bool((triple[:, 2] == (triple[:, 0] != triple[:, 1])).all()) and len(pairs) == 4


def sample_of_bits() -> bool:
    """From its pairs our generator makes the printed sample."""
    from literatim.papers.elman.claimed.printed import SAMPLE

    pairs = np.array([[int(bit) for bit in SAMPLE[i : i + 2]] for i in range(0, len(SAMPLE), 3)])
    drawn = streams.Streams("xor").draw_xor(mock.Mock(integers=lambda *_: pairs), len(pairs))
    return "".join(str(bit) for triple in drawn for bit in triple) == SAMPLE


def cycles() -> float:
    """Of twelve inputs, in the stream on which the error of Fig. 3 is taken."""
    return len(streams.Streams("xor").stream("test").ids) / evaluation.CYCLE


def least_rms() -> float:
    """The least root mean squared error of a prediction of the first two bits of a triple, over all triples."""
    pairs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    drawn = np.array(streams.Streams("xor").draw_xor(mock.Mock(integers=lambda *_: pairs), 4))
    return float(np.sqrt(drawn[:, :2].var()))


def greatest_rms() -> float:
    """The greatest root mean squared error that a letter's prediction can have: all outputs on the wrong side."""
    target = codes.table("words")
    return float(np.sqrt(((1 - target - target) ** 2).mean(axis=1)).max())


def letter(row: str) -> tuple[int, ...]:
    """A letter's vector in the second experiment."""
    return tuple(int(bit) for bit in codes.table("letters")[codes.SYMBOLS["letters"].index(row)])


def syllable(row: str) -> bool:
    """Whether each of a consonant's syllables is the printed one."""
    from literatim.papers.elman.claimed.printed import RULES

    data = streams.Streams("letters", number=200).stream("train")
    spelt = ["".join(data_letter(i) for i in data.ids[data.units == unit]) for unit in range(200)]
    own = {s for s in spelt if s[0] == row}
    return own == {RULES[row]}


def data_letter(number: int) -> str:
    return streams.ALPHABETS["letters"][number]


def expansion() -> bool:
    """The printed sequence of consonants becomes the printed sequence of letters."""
    from literatim.papers.elman.claimed.printed import CONSONANTS, EXPANDED

    first = [s[0] for s in streams.SYLLABLES]
    order = np.array([first.index(consonant) for consonant in CONSONANTS])
    drawn = streams.Streams("letters").draw_letters(mock.Mock(integers=lambda *_: order), len(order))
    return "".join(data_letter(i) for unit in drawn for i in unit) == EXPANDED


def consonants() -> int:
    return int((stream("letters").places == 0).sum())


def five_bits(row: str) -> tuple[int, ...]:
    """A letter's vector in the third experiment; a row may say where it stands, as `i-last`."""
    return tuple(int(bit) for bit in codes.five_bits(row[0]))


def words_at_random() -> bool:
    """Whether the letters' vectors are anything but the letters' numbers in the alphabet."""
    numbers = [int("".join(str(int(bit)) for bit in row), 2) for row in codes.table("words")]
    return numbers != [*range(1, 27)]


def bits_at_random() -> bool:
    """Whether the words' bits are in any order but that of the alphabet."""
    return list(codes.WORDS) != sorted(codes.WORDS) or bool(
        (np.diff(codes.table("sentences").argmax(axis=1)) < 1).any()
    )


def lexicon() -> int:
    return len(set(streams.Streams("words").lexicon))


def seen_words() -> bool:
    """The words of Fig. 6, in their order, are the first of our lexicon."""
    from literatim.papers.elman.claimed.printed import FIGURE_6

    known = streams.Streams("words").lexicon
    return "".join(known[:14]) == FIGURE_6


def sentences(row: str) -> int:
    """Of the words experiment: how many sentences, and how long."""
    data = streams.Streams("words")
    return {"number": data.number or streams.PRINTED["words"], "shortest": data.shortest, "longest": data.longest}[row]


def words_expected() -> float:
    """Words in the stream of the words experiment, the mean over forty streams."""
    data = streams.Streams("words")
    return float(np.mean([data.stream("train", k).units[-1] + 1 for k in range(40)]))


def items() -> int:
    return len({word for words in streams.CLASSES.values() for word in words})


def figure_7() -> bool:
    """The leaves of the printed tree are the words of our classes."""
    from literatim.papers.elman.claimed.printed import LEAVES

    return set(LEAVES) == set(streams.ALPHABETS["sentences"]) == set(codes.WORDS) and len(LEAVES) == len(codes.WORDS)


def examples(row: str) -> bool:
    """Whether the words that Table 3 gives of a class are in ours."""
    from literatim.papers.elman.claimed.printed import EXAMPLES

    name = row.upper()
    return set(EXAMPLES[name]) <= set(streams.CLASSES[name])


def classes() -> int:
    return len(streams.CLASSES)


def templates() -> int:
    return len(streams.Streams("sentences").templates)


def template(row: str) -> tuple[int, ...]:
    """The classes of a template, by their rows in Table 3."""
    order = list(streams.CLASSES)
    return tuple(order.index(name) + 1 for name in streams.TEMPLATES[int(row) - 1].split())


def code(row: str) -> int:
    """Which bit stands for a word."""
    return int(codes.table("sentences")[codes.WORDS.index(row)].argmax()) + 1


def spare_bits() -> int:
    return int((codes.table("sentences").sum(axis=0) == 0).sum())


def orthogonal() -> bool:
    table = codes.table("sentences")
    return bool((table @ table.T == np.eye(len(table))).all())


def parsed() -> bool:
    """Table 5's words, but for the last, are sentences of Table 4 with our classes, one after the other."""
    from literatim.papers.elman.claimed.printed import TABLE_5

    def rest(words: tuple[str, ...]) -> bool:
        frames = [frame.split() for frame in streams.TEMPLATES]
        return not words or any(
            len(frame) <= len(words)
            and all(word in streams.CLASSES[name] for name, word in zip(frame, words, strict=False))
            and rest(words[len(frame) :])
            for frame in frames
        )

    return rest(tuple(TABLE_5[:-1]))


def sentence_number() -> int:
    return int((stream("sentences").places == 0).sum())


def expected_words() -> float:
    """Words in the stream of the sentences, the mean over four streams."""
    data = streams.Streams("sentences")
    return float(np.mean([len(data.stream("train", k).ids) for k in range(4)]))


def vectors_of_words(row: str) -> int:
    """How many hidden vectors there are of a stream of as many words as the paper first says it has: so many a word,
    by a short one."""
    short = torch.zeros(1, 50, 31)
    vectors = build("elman", "sentences", "cpu").run(short)[1].shape[1]
    return round(stated("elman", "words") * vectors / short.shape[1])


def likelihood_of_prefix() -> bool:
    """The likelihoods come from all sentences that are the same up to the word: of boy eat bread (twice), boy eat
    cookie and girl eat cookie, after boy eat, bread has two thirds."""
    ids, places = np.array([1, 2, 3, 1, 2, 4, 5, 2, 4, 1, 2, 3]), np.array([0, 1, 2] * 4)
    found = evaluation.likelihoods(ids, places, 6)
    return bool(np.allclose(found[1], [0, 0, 0, 2 / 3, 1 / 3, 0]) and np.allclose(found.sum(axis=1), 1))


def likelihood_afresh() -> bool:
    """Of boy eat bread (twice), boy eat cookie and girl eat cookie: boy comes after any of them with three quarters; of
    dog move (twice) and dog move cat: cat comes after dog move with a third, a beginning with two."""
    ids, places = np.array([1, 2, 3, 1, 2, 4, 5, 2, 4, 1, 2, 3]), np.array([0, 1, 2] * 4)
    found = evaluation.afresh(ids, places, 6)
    over, within = places == 2, evaluation.likelihoods(ids, places, 6)
    right = bool(np.allclose(found[over], [0, 3 / 4, 0, 0, 0, 1 / 4]) and np.allclose(found[~over], within[~over]))
    found = evaluation.afresh(np.array([0, 1, 0, 1, 2, 0, 1]), np.array([0, 1, 0, 1, 2, 0, 1]), 3)
    return right and bool(np.allclose(found[1], [2 / 3, 0, 1 / 3]))


def rival_forgets() -> bool:
    """What the feed-forward network predicts after an input is the same whatever came before; with context not."""
    x = torch.tensor(codes.table("letters")[[[0, 3, 4], [1, 4, 4]]], dtype=torch.float32)
    alike = [torch.equal(*build("elman", name, "cpu").run(x)[0][:, -1]) for name in ("letters-feedforward", "letters")]
    return alike == [True, False]


def recipe(row: str) -> int:
    """Passes of a recipe."""
    return int(setting("elman", row, "trainer.max_epochs"))


def torch_differs() -> bool:
    """nn.RNN: tanh, two biases, a start at zero, and error that flows back through time."""
    theirs, ours = nn.RNN(1, 2, batch_first=True), model.SimpleRecurrentNetwork(1, 2, 1)
    names = {name for name, _ in theirs.named_parameters()}
    two_biases = {"bias_ih_l0", "bias_hh_l0"} <= names and ours.from_context.bias is None
    x = torch.tensor([[[100.0], [1.0], [-100.0]]])
    below = bool((theirs(x)[0] < 0).any()) and bool((ours.run(x)[1] >= 0).all())
    zero = torch.equal(theirs(x)[0], theirs(x, torch.zeros(1, 1, 2))[0])
    return two_biases and below and zero and _reaches_back(lambda x: theirs(x)[0]) and not _reaches_back(ours)


def _reaches_back(net: Callable[[Tensor], Tensor]) -> bool:
    """Whether the last output of a sequence passes error back to its first input."""
    x = torch.rand(1, 3, 1, requires_grad=True)
    (found,) = torch.autograd.grad(net(x)[0, -1].sum(), x)
    return bool(found[0, 0].any())


# --- Broken models -----------------------------------------------------------------------------------


def instead(where: Any, **what: Any) -> Callable[[], AbstractContextManager[None]]:
    @contextmanager
    def breaking() -> Iterator[None]:
        with mock.patch.multiple(where, **what):
            yield

    return breaking


def made(change: Callable[[model.SimpleRecurrentNetwork], None], **wider: int) -> Any:
    """A network as it is, with other sizes or changed after it was made."""
    build_it = model.SimpleRecurrentNetwork.__init__

    def begun(self: Any, inputs: int = 1, hidden: int = 2, outputs: int = 1, **rest: Any) -> None:
        sizes: dict[str, Any] = {"inputs": inputs, "hidden": hidden, "outputs": outputs}
        build_it(self, **{name: size + wider.get(name, 0) for name, size in sizes.items()}, **rest)
        change(self)

    return instead(model.SimpleRecurrentNetwork, __init__=begun)


def nothing(_: model.SimpleRecurrentNetwork) -> None:
    pass


def halve(net: model.SimpleRecurrentNetwork) -> None:
    net.copy.weight = net.copy.weight / 2


def learn_copy(net: model.SimpleRecurrentNetwork) -> None:
    weight = net.copy.weight
    del net.copy.weight
    net.copy.weight = nn.Parameter(weight)


def through_time(self: Any, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
    hidden = self.hidden(x, context)
    return torch.sigmoid(self.output(hidden)), self.copy(hidden)


def sparse_context(net: model.SimpleRecurrentNetwork) -> None:
    class Diagonal(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return x * torch.diagonal(self.weight)

    net.from_context = Diagonal(net.from_context.in_features, net.from_context.out_features, bias=False)


def of_tanh(self: Any, x: Tensor, context: Tensor) -> Tensor:
    return torch.tanh(self.from_input(x) + self.from_context(context))


def shifted(frames: tuple[str, ...]) -> tuple[str, ...]:
    """Each template in the place of the one before, and one of another length at the end."""
    return (*frames[1:], "NOUN-HUM")


CLASSES_ROTATED = dict(zip(streams.CLASSES, [*list(streams.CLASSES.values())[1:], ("see",)], strict=True))
LETTERS_ROTATED = dict(zip(codes.LETTERS, [*list(codes.LETTERS.values())[1:], "101001"], strict=True))

BROKEN: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "an input more": made(nothing, inputs=1),
    "a hidden unit more": made(nothing, hidden=1),
    "an output more": made(nothing, outputs=1),
    "context starts at 0": instead(
        model.SimpleRecurrentNetwork, start=lambda self, n: (torch.zeros(n, self.from_context.in_features),)
    ),
    "half of the hidden units copied": made(halve),
    "the copy learned": made(learn_copy),
    "a copy of the context only": made(sparse_context),
    "hidden units of tanh": instead(model.SimpleRecurrentNetwork, hidden=of_tanh),
    "error through time": instead(model.SimpleRecurrentNetwork, step=through_time),
    "error not squared": instead(model, squared_error=lambda y, t: (y - t).abs().sum()),
    "third bit of a triple the or": instead(
        streams.Streams, draw_xor=lambda self, rng, n: [[a, b, a | b] for a, b in rng.integers(0, 2, (n, 2)).tolist()]
    ),
    "zeros alone": instead(streams.Streams, draw_xor=lambda self, rng, n: [[0, 0, 0]] * n),
    "half as much of everything": instead(
        streams,
        PRINTED={name: n // 2 for name, n in streams.PRINTED.items()},
        TESTED={name: n // 2 for name, n in streams.TESTED.items()},
    ),
    "letters in each other's place": instead(codes, LETTERS=LETTERS_ROTATED),
    "a vowel more": instead(streams, SYLLABLES=tuple(s + s[1] for s in streams.SYLLABLES)),
    "letters from zero": instead(codes, five_bits=lambda letter: f"{codes.ALPHABET.index(letter):05b}"),
    "outputs of 0 to 2": instead(codes, table=lambda task, whole=codes.table: 2 * whole(task)),
    "words in the wrong order": instead(codes, WORDS=tuple(reversed(codes.WORDS))),
    "no bit to spare": instead(codes, EXTRA=(), WORD_BITS=29),
    "two words alike": instead(
        codes, table=lambda task, whole=codes.table: np.concatenate([whole(task)[:1], whole(task)[:-1]])
    ),
    "thirteen words, of sentences to ten": instead(
        streams.Streams, __init__=lambda self, task="words", number=None, made=streams.Streams.__init__: made(
            self, task, number or (201 if task == "words" else None), ["house", *streams.SEEN[:12]], 5, 10
        )
    ),
    "a word unknown to Fig. 7": instead(
        streams,
        CLASSES={**streams.CLASSES, "NOUN-HUM": ("man", "woman", "boy", "girl", "king"), "NOUN-KING": ("king",)},
        ALPHABETS={**streams.ALPHABETS, "sentences": (*streams.WORDS, "king")},
    ),
    "to break as food": instead(
        streams, CLASSES={**streams.CLASSES, "NOUN-FOOD": (*streams.CLASSES["NOUN-FOOD"], "break")}
    ),
    "classes in each other's place": instead(streams, CLASSES=CLASSES_ROTATED),
    "templates in each other's place": instead(streams, TEMPLATES=shifted(streams.TEMPLATES)),
    "fifteen templates": instead(streams, TEMPLATES=streams.TEMPLATES[:11] + streams.TEMPLATES[12:]),
    "sentences of three words alone": instead(
        streams, TEMPLATES=tuple(frame for frame in streams.TEMPLATES if len(frame.split()) == 3) + ("NOUN-HUM",) * 4
    ),
    "a vector every second word": instead(
        model.SimpleRecurrentNetwork,
        run=lambda self, x, whole=model.SimpleRecurrentNetwork.run: tuple(part[:, ::2] for part in whole(self, x)),
    ),
    "a rival with memory": instead(
        model.SimpleRecurrentNetwork,
        step=lambda self, x, context: (
            torch.sigmoid(self.output(self.hidden(x, context))),
            self.copy(self.hidden(x, context)).detach(),
        ),
    ),
    "sentences of eight words at most": instead(
        streams.Streams,
        draw_words=lambda self, rng, n, whole=streams.Streams.draw_words: whole(
            mock.Mock(shortest=4, longest=8, lexicon=self.lexicon, alphabet=self.alphabet), rng, n
        ),
    ),
    "beginnings all alike": instead(evaluation, afresh=evaluation.likelihoods),
    "likelihoods of the last word alone": instead(
        evaluation, likelihoods=lambda ids, places, n, whole=evaluation.likelihoods: whole(ids, 0 * places, n)
    ),
    "a pass less": instead(
        __import__(__name__, fromlist=["setting"]), setting=lambda *path, whole=setting: whole(*path) - 1
    ),
}  # fmt: skip
BREAK_TRAINING: tuple[str, ...] = ()
