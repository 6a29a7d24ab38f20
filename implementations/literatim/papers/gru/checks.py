"""Checks of the claims of the RNN Encoder-Decoder, and the broken models that show that the claims bite."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from literatim.claims import stated
from literatim.datasets import phrase_pairs
from literatim.papers.gru import drawing, model, training, writing
from literatim.papers.gru.claimed import cslm, equations, others, scores
from literatim.papers.gru.claimed.small import as_printed
from literatim.parts import phrases

# The checks themselves, under the names that the card has for them.
encoder_as_printed, decoder_as_printed = equations.encoder_as_printed, equations.decoder_as_printed
first_word_is_zero, low_rank_output = equations.first_word_is_zero, equations.low_rank_output
tanh_has_no_gates, gates, depends = equations.tanh_has_no_gates, equations.gates, equations.depends
closed_reset_forgets, leaky_integration = equations.closed_reset_forgets, equations.leaky_integration
open_update_carries_over, closed_update_replaces = equations.open_update_carries_over, equations.closed_update_replaces
summary_of_fixed_length, lengths_may_differ = equations.summary_of_fixed_length, equations.lengths_may_differ
order_matters, reads_the_end = equations.order_matters, equations.reads_the_end
sums_to_one, product_of_steps, adadelta_as_published = (
    scores.sums_to_one, scores.product_of_steps, scores.adadelta_as_published
)  # fmt: skip
likelihood_is_maximised, trained_jointly = scores.likelihood_is_maximised, scores.trained_jointly
setting_of_training, pairs_a_step, each_pair_once = (
    scores.setting_of_training, scores.pairs_a_step, scores.each_pair_once
)  # fmt: skip
most_frequent_words, unknown_words_are_one = scores.most_frequent_words, scores.unknown_words_are_one
end_is_marked, sampled_word_by_word = scores.end_is_marked, scores.sampled_word_by_word
listed_of_table, samples_drawn = scores.listed_of_table, scores.samples_drawn
samples_shown, samples_in_order = scores.samples_shown, scores.samples_in_order
words_of_the_map, points_of_the_map = scores.words_of_the_map, scores.points_of_the_map
vector_of_a_phrase, cslm_size, cslm_bound = scores.vector_of_a_phrase, cslm.size, cslm.starts_within
torch_differs, onnx_as_set, released_differs = others.torch_differs, others.onnx_as_set, others.released_differs
keras_as_set = others.keras_as_set


# --- Sizes -----------------------------------------------------------------------------------------


def hidden_units(row: str) -> int:
    """Units of the state of one of the two networks."""
    net = as_printed()
    return {"encoder": net.encoder.u, "decoder": net.decoder.u}[row].weight.shape[0]


def vocabulary(row: str) -> int:
    """Words of a language, the mark of the end not counted."""
    net = as_printed()
    return {"source": net.encoder.e, "target": net.decoder.e}[row].weight.shape[0] - 1


def rank(row: str) -> int:
    """The rank to which the sizes of the factors limit a product of matrices: that between words and units."""
    net = as_printed()
    if row == "output":
        return min(net.decoder.g_l.weight.shape[1], net.decoder.g_r.weight.shape[0])
    e, w = {"source": (net.encoder.e, net.encoder.w), "target": (net.decoder.e, net.decoder.w)}[row]
    return min(e.weight.shape[1], w.weight.shape[1])


def embedding() -> int:
    return as_printed().encoder.e.weight.shape[1]


def embedding_of_rank() -> int:
    """A.1's embedding from Sec. 4.1.1: a word passes through one of its two low-rank factors."""
    return round(stated("gru", "rank.source"))


def columns_of_g_left() -> int:
    return as_printed().decoder.g_l.weight.shape[1]


def columns_by_efficiency() -> int:
    """Two factors are to have fewer numbers than the one matrix (A.1.1), which with 500 columns they have not: the
    matrix is of K words and as many maxout units. So it is the other rank that is printed, that of Sec. 4.1.1."""
    words, units, printed = (round(stated("gru", claim)) for claim in ("vocabulary.target", "maxout-units", "g-left"))
    if words * printed + printed * units < words * units:
        raise ValueError("with the printed number of columns the factors are the smaller ones")
    return round(stated("gru", "rank.output"))


def shape_of_g_right() -> tuple[int, ...]:
    return tuple(as_printed().decoder.g_r.weight.shape)


def shape_by_design() -> tuple[int, ...]:
    """From the maxout units that it is applied to, to the rank."""
    return round(stated("gru", "rank.output")), round(stated("gru", "maxout-units"))


def maxout_units() -> int:
    """Numbers that the output matrix is applied to."""
    return as_printed().decoder.g_r.weight.shape[1]


def pooled() -> int:
    """Inputs of each maxout unit."""
    net = as_printed()
    return net.decoder.o_h.weight.shape[0] // net.decoder.g_r.weight.shape[1]


# --- The start -------------------------------------------------------------------------------------

RECURRENT = ("u", "u_z", "u_r")


def started() -> model.EncoderDecoder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return model.EncoderDecoder(source_words=300, target_words=300, hidden=120, maxout=60)


def deviation() -> float:
    """The standard deviation of all weights but the recurrent ones, each matrix within a twentieth of it."""
    matrices = [(name.split(".")[1], p.detach()) for name, p in started().named_parameters() if p.dim() == 2]
    drawn = [p for name, p in matrices if name not in RECURRENT]
    whole = torch.cat([p.flatten() for p in drawn])
    if any(abs(float(p.std() / whole.std()) - 1) > 0.05 or abs(float(p.mean())) > 5e-4 for p in drawn):
        raise ValueError("the matrices do not start alike")
    return round(float(whole.std()), 4)


def recurrent_start() -> bool:
    """Each recurrent matrix is orthogonal and none is another, nor a permutation or the identity; each has the left
    singular vectors of what was drawn for it, in the order of their values, and that is white and Gaussian."""
    drawn: list[Tensor] = []

    def noting(like: Tensor, draw: Callable[[Tensor], Tensor] = torch.randn_like) -> Tensor:
        drawn.append(draw(like))
        return drawn[-1].clone()

    with patch.object(torch, "randn_like", noting):
        net = started()
    found = [p.detach() for name, p in net.named_parameters() if name.split(".")[1] in RECURRENT]
    if len(drawn) != len(found) or any(abs(float(g.mean())) > 0.03 or abs(float(g.std()) - 1) > 0.03 for g in drawn):
        return False
    for u, g in zip(found, drawn, strict=True):
        values = (u.T @ g @ g.T @ u).sqrt().diagonal()
        if not torch.allclose(values, torch.linalg.svdvals(g), rtol=1e-3, atol=1e-2):
            return False
    orthogonal = all(torch.allclose(u.T @ u, torch.eye(len(u)), atol=1e-4) for u in found)
    distinct = len({round(float(u[0, 0]), 6) for u in found}) == 6
    return orthogonal and distinct and all(float(u.abs().max()) < 0.6 for u in found)


def biases_omitted() -> bool:
    """The equations show none and the network has them, one in each of its equations."""
    return {name for name, p in started().named_parameters() if p.dim() == 1} == {
        *(f"encoder.{name}" for name in ("b", "b_z", "b_r", "b_v")),
        *(f"decoder.{name}" for name in ("b", "b_z", "b_r", "b_v", "b_s", "b_g")),
    }


# --- Numbers of the text that others of it settle ----------------------------------------------------

BITEXTS = ("europarl", "news-commentary", "un", "crawled-1", "crawled-2")
TABLE_2 = (
    "at the end of the", "for the first time", "in the United States and", ", as well as", "one of the most",
    ", Minister of Communications and Transport", "did not comply with the", "parts of the world .",
    "the past few days .", "on Friday and Saturday",
)  # fmt: skip


def bitext_words() -> int:
    """Words of the five bilingual corpora together."""
    return round(sum(stated("gru", f"corpora.{name}") for name in BITEXTS))


def french_words() -> int:
    """Words for the language model: the newspapers, and "the target side of the bitexts"."""
    return round(stated("gru", "corpora.newspapers")) + bitext_words()


def shortest_of_table_2() -> int:
    """Words of the shortest source phrase, a comma being one, as the table's tokens are."""
    return min(len(phrase.split()) for phrase in TABLE_2)


# --- Broken models -----------------------------------------------------------------------------------


def sized(**changes: int) -> Callable[[], AbstractContextManager[object]]:
    """The network with other sizes by default."""

    class Changed(model.EncoderDecoder):
        def __init__(self, **options: Any) -> None:
            super().__init__(**{**changes, **options})

    return lambda: patch.object(model, "EncoderDecoder", Changed)


def encoder_moves(move: Callable[..., Tensor]) -> Callable[[], AbstractContextManager[object]]:
    return lambda: patch.object(model.Encoder, "moved", move)


def decoder_moves(move: Callable[..., Tensor]) -> Callable[[], AbstractContextManager[object]]:
    return lambda: patch.object(model.Decoder, "moved", move)


def _reset_after(self: model.Encoder, inputs: tuple[Tensor, ...], h: Tensor) -> Tensor:
    z, r = self.gates(inputs, h)
    return z * h + (1 - z) * torch.tanh(inputs[0] + r * self.u(h))


def _z_turned(self: model.Encoder, inputs: tuple[Tensor, ...], h: Tensor) -> Tensor:
    z, r = self.gates(inputs, h)
    return (1 - z) * h + z * torch.tanh(inputs[0] + self.u(r * h))


def _adds(self: model.Encoder, inputs: tuple[Tensor, ...], h: Tensor) -> Tensor:
    """Order does not matter to a sum."""
    return h + torch.tanh(inputs[0])


def _always_gated(self: model.Encoder, inputs: tuple[Tensor, ...], h: Tensor) -> Tensor:
    if len(inputs) == 1:
        return torch.sigmoid(inputs[0] + self.u(h))
    z, r = self.gates(inputs, h)
    return z * h + (1 - z) * torch.tanh(inputs[0] + self.u(r * h))


def _reset_before(
    self: model.Decoder, inputs: tuple[Tensor, ...], h: Tensor, context: model.Context
) -> Tensor:  # fmt: skip
    z, r = self.gates(inputs, h, context)
    return z * h + (1 - z) * torch.tanh(inputs[0] + self.u(r * h) + context.of_h)


def _context_unreset(
    self: model.Decoder, inputs: tuple[Tensor, ...], h: Tensor, context: model.Context
) -> Tensor:  # fmt: skip
    z, r = self.gates(inputs, h, context)
    return z * h + (1 - z) * torch.tanh(inputs[0] + r * self.u(h) + context.of_h)


def _no_word(
    self: model.Decoder, inputs: tuple[Tensor, ...], h: Tensor, context: model.Context
) -> Tensor:  # fmt: skip
    z, r = self.gates(inputs, h, context)
    return z * h + (1 - z) * torch.tanh(r * (self.u(h) + context.of_h))


def _one_gate(self: model.Encoder, inputs: tuple[Tensor, ...], h: Tensor) -> tuple[Tensor, Tensor]:
    z = torch.sigmoid(inputs[1] + self.u_z(h))
    return z, z


def _gates_of_input(self: model.Encoder, inputs: tuple[Tensor, ...], h: Tensor) -> tuple[Tensor, Tensor]:
    return torch.sigmoid(inputs[1]), torch.sigmoid(inputs[2])


def _gates_without_context(
    self: model.Decoder, inputs: tuple[Tensor, ...], h: Tensor, context: model.Context
) -> tuple[Tensor, Tensor]:  # fmt: skip
    return torch.sigmoid(inputs[1] + self.u_z(h)), torch.sigmoid(inputs[2] + self.u_r(h))


def _gates_without_word(
    self: model.Decoder, inputs: tuple[Tensor, ...], h: Tensor, context: model.Context
) -> tuple[Tensor, Tensor]:  # fmt: skip
    c_z, c_r = context.of_gates
    return torch.sigmoid(self.u_z(h) + c_z), torch.sigmoid(self.u_r(h) + c_r)


def _pairs_of_halves(self: model.Decoder, h: Tensor, of_y: Tensor, of_c: Tensor) -> Tensor:
    """The maximum of the first and the second half, not of neighbours."""
    return (self.o_h(h) + of_y + of_c + self.b_s).unflatten(-1, (2, -1)).amax(dim=-2)


def _state_alone(self: model.Decoder, h: Tensor, of_y: Tensor, of_c: Tensor) -> Tensor:
    return (self.o_h(h) + 0 * of_y + 0 * of_c + self.b_s).unflatten(-1, (-1, 2)).amax(dim=-1)


def _not_normalised(self: model.Decoder, s: Tensor) -> Tensor:
    return torch.nn.functional.logsigmoid(self.g_l(self.g_r(s)) + self.b_g)


def _begins_with_end(self: model.Decoder, c: Tensor, y: Tensor | None = None) -> Tensor:
    """The mark of the end in place of the zero vector, as many have it."""
    end = torch.full((len(c), 1), len(self.e.weight) - 1, dtype=torch.long, device=c.device)
    before = end if y is None else torch.cat([end, y[:, :-1]], dim=1)
    inputs, context, h = self.inputs(self.e(before)), self.context(c), self.start(c)
    states = []
    for t in range(before.shape[1]):
        h = self.moved(tuple(of[:, t] for of in inputs), h, context)
        states.append(h)
    return self.words(self.maxout(torch.stack(states, dim=1), self.o_y(before), context.of_s[:, None]))


def _read_to_the_longest(self: model.Encoder, x: Tensor) -> Tensor:
    """The state after the batch's last step, whatever stands there."""
    return self.summary(self.forward(x)[:, -1])


def _read_without_end(self: model.Encoder, x: Tensor) -> Tensor:
    last = (x != phrases.PAD).sum(dim=1) - 2
    return self.summary(self.forward(x)[torch.arange(len(x)), last.clamp(min=0)])


def _all_states(self: model.Encoder, x: Tensor) -> Tensor:
    """All states, one behind another: as long as the phrase."""
    return torch.tanh(self.forward(x)).flatten(1)


def _mean_of_words(self: model.EncoderDecoder, c: Tensor, y: Tensor) -> Tensor:
    of_words = self.decoder(c, y).gather(2, y.clamp(min=0).unsqueeze(2)).squeeze(2)
    return (of_words * (y != phrases.PAD)).sum(dim=1) / (y != phrases.PAD).sum(dim=1)


def _small_start(self: model.EncoderDecoder) -> None:
    """All matrices alike, Gaussian of deviation 0.1."""
    with torch.no_grad():
        for parameter in self.parameters():
            torch.nn.init.normal_(parameter, std=0.1)


def _loss_of_words(self: training.GRUTraining, batch: Any, batch_idx: int) -> Tensor:
    """The mean over the words."""
    x, y = training.trimmed(batch)
    return -self.net(x, y).sum() / (y != phrases.PAD).sum()


def _decoder_alone(self: training.GRUTraining, batch: Any, batch_idx: int) -> Tensor:
    x, y = training.trimmed(batch)
    return -self.net.score(self.net.encoder.read(x).detach(), y).mean()


def _torchs_default(self: training.GRUTraining) -> torch.optim.Optimizer:
    return torch.optim.Adadelta(self.net.parameters())


class Hasty(training.GRUTraining):
    def __init__(
        self,
        variant: str = "tanh",
        options: dict[str, Any] | None = None,
        rho: float = 0.9,
        eps: float = 1e-4,
    ) -> None:
        super().__init__("rnn-encoder-decoder", options or {}, rho, eps)


class WideBatches(phrase_pairs.PhrasePairs):
    def __init__(self, batch_size: int = 32, **options: Any) -> None:
        super().__init__(batch_size=batch_size, **options)


def _rarest(cls: type, found: Any, at_most: int) -> phrases.Words:
    counted = sorted({word for phrase in found for word in phrase})
    return phrases.Words(("[UNK]", *counted[: at_most - 1]), True)


def _no_end(self: phrases.Words, found: list[phrases.Phrase]) -> Tensor:
    """As the words are, with nothing behind them; an unknown word has a number of its own."""
    index = {word: i for i, word in enumerate(self.words)}
    rows = [[index.get(word, 100 + len(word)) for word in phrase] for phrase in found]
    width = max(map(len, rows))
    return torch.tensor([row + [phrases.PAD] * (width - len(row)) for row in rows])


def _unsorted(self: training.GRUTraining, c: Tensor, seed: int) -> Any:
    """Ten samples as they come."""
    made = writing.written(self.net, c.expand(10, -1), 6, lambda found: torch.multinomial(found.exp(), 1)[:, 0])
    return [(phrase, float(self.scores(c, phrase[None])), 1) for phrase in made]


def _fed_nothing(net: model.EncoderDecoder, c: Tensor, longest: int, choose: Any) -> Tensor:
    """Each word chosen without the one before."""
    h, context = net.decoder.start(c), net.decoder.context(c)
    none = torch.full((len(c),), phrases.PAD)
    made = []
    for _ in range(longest + 1):
        found, h = net.decoder.step(none, h, context)
        made.append(choose(found))
    return torch.stack(made, dim=1).detach()


def _three_pieces(made: Callable[..., None]) -> Callable[..., None]:
    def init(self: model.Decoder, words: int, hidden: int, embedding: int, rank: int, maxout: int, unit: Any) -> None:
        made(self, words, hidden, embedding, rank, maxout, unit)
        self.o_h = model.matrix(hidden, 3 * maxout)

    return init


def _without_bias(made: Callable[..., None]) -> Callable[..., None]:
    def init(self: model.Decoder, *sizes: Any) -> None:
        made(self, *sizes)
        self.register_buffer("zero", torch.zeros_like(self.b_g))
        del self.b_g
        self.b_g = self.zero  # type: ignore[assignment]

    return init


def _full_rank(made: Callable[..., None]) -> Callable[..., None]:
    def init(self: model.Decoder, words: int, hidden: int, embedding: int, rank: int, maxout: int, unit: Any) -> None:
        made(self, words, hidden, embedding, maxout, maxout, unit)

    return init


class _Repeating:
    """In the place of `dict`: what stands there twice is there twice."""

    @staticmethod
    def fromkeys(found: Iterable[Any]) -> list[Any]:
        return list(found)


def several(*patches: Callable[[], AbstractContextManager[object]]) -> Callable[[], AbstractContextManager[object]]:
    def entered() -> AbstractContextManager[object]:
        stack = ExitStack()
        for each in patches:
            stack.enter_context(each())
        return stack

    return entered


BROKEN: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "999 hidden units": sized(hidden=999),
    "words in 500 numbers": sized(embedding=500),
    "an output of rank 500": sized(rank=500),
    "501 maxout units": sized(maxout=501),
    "14,999 words": sized(source_words=14_999, target_words=14_999),
    "three pieces a maxout unit": lambda: patch.object(
        model.Decoder, "__init__", _three_pieces(model.Decoder.__init__)
    ),
    "the encoder resets after the matrix": encoder_moves(_reset_after),
    "z turned round": encoder_moves(_z_turned),
    "the encoder adds up its words": encoder_moves(_adds),
    "a logistic unit without gates": encoder_moves(_always_gated),
    "the decoder resets before the matrix": decoder_moves(_reset_before),
    "the context is not reset": decoder_moves(_context_unreset),
    "the state does not see the word": decoder_moves(_no_word),
    "one gate for both": lambda: patch.object(model.Encoder, "gates", _one_gate),
    "gates that do not see the state": lambda: patch.object(model.Encoder, "gates", _gates_of_input),
    "an output of full rank": lambda: patch.object(model.Decoder, "__init__", _full_rank(model.Decoder.__init__)),
    "gates without the context": lambda: patch.object(model.Decoder, "gates", _gates_without_context),
    "gates without the word": lambda: patch.object(model.Decoder, "gates", _gates_without_word),
    "maxout over halves": lambda: patch.object(model.Decoder, "maxout", _pairs_of_halves),
    "the output sees the state alone": lambda: patch.object(model.Decoder, "maxout", _state_alone),
    "probabilities that do not sum to one": lambda: patch.object(model.Decoder, "words", _not_normalised),
    "the first word is the end": lambda: patch.object(model.Decoder, "forward", _begins_with_end),
    "the decoder starts at zero": lambda: patch.object(model.Decoder, "start", lambda self, c: torch.zeros_like(c)),
    "the encoder starts at one": lambda: patch.object(
        model.Encoder, "start", lambda self, n: (self.b.new_ones(n, self.hidden),)
    ),
    "c is the last state": lambda: patch.object(model.Encoder, "summary", lambda self, h: h),
    "c is of twice the size": lambda: patch.object(model.Encoder, "summary", lambda self, h: torch.cat([h, h], -1)),
    "the state after the padding": lambda: patch.object(model.Encoder, "read", _read_to_the_longest),
    "the end is not read": lambda: patch.object(model.Encoder, "read", _read_without_end),
    "a summary as long as the phrase": lambda: patch.object(model.Encoder, "read", _all_states),
    "the mean over the words for the sum": lambda: patch.object(model.EncoderDecoder, "score", _mean_of_words),
    "all matrices start Gaussian": lambda: patch.object(model.EncoderDecoder, "reset_parameters", _small_start),
    "recurrent matrices by another decomposition": lambda: patch.object(
        torch.linalg, "svd", lambda matrix: (torch.linalg.qr(matrix)[0],)
    ),
    "a softmax without bias": lambda: patch.object(model.Decoder, "__init__", _without_bias(model.Decoder.__init__)),
    "a loss of words": lambda: patch.object(training.GRUTraining, "training_step", _loss_of_words),
    "the decoder learns alone": lambda: patch.object(training.GRUTraining, "training_step", _decoder_alone),
    "torch's Adadelta": lambda: patch.object(training.GRUTraining, "configure_optimizers", _torchs_default),
    "rho 0.9, eps 1e-4": lambda: patch.object(training, "GRUTraining", Hasty),
    "32 pairs a step": lambda: patch.object(phrase_pairs, "PhrasePairs", WideBatches),
    "pairs as often as they stand there": lambda: patch.object(phrase_pairs, "dict", _Repeating, create=True),
    "a shortlist by the alphabet": lambda: patch.object(phrases.Words, "of", classmethod(_rarest)),
    "no mark of the end": lambda: patch.object(phrases.Words, "encoded", _no_end),
    "ten samples as they come": lambda: patch.object(training.GRUTraining, "sampled", _unsorted),
    "words chosen without those before": lambda: patch.object(writing, "written", _fed_nothing),
    "one target phrase of the table": lambda: patch.object(training, "FAVOURED", 1),
    "a map of 900 points": lambda: patch.object(drawing, "POINTS", 900),
    "phrases of three words on the map": lambda: patch.object(drawing, "WORDS", 3),
    "an 8-gram model": lambda: patch.object(cslm, "N", 8),
    "a model with smaller layers": several(
        lambda: patch.object(cslm, "LAYERS", (1024, 512)), lambda: patch.object(cslm, "EMBEDDING", 256)
    ),
    "a model that starts within 0.1": lambda: patch.object(cslm, "BOUND", 0.1),
    "a corpus left out": lambda: patch.object(sys.modules[__name__], "BITEXTS", BITEXTS[:-1]),
    "the shortest phrases left out": lambda: patch.object(sys.modules[__name__], "TABLE_2", TABLE_2[:1] + TABLE_2[2:3]),
}
BREAK_TRAINING: tuple[str, ...] = ()
