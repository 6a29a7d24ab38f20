r"""The RNN Encoder-Decoder with gated hidden units (Cho et al. 2014), Sec. 2.2, Sec. 2.3 and the supplement, A.1.

One recurrent network reads a phrase into a vector $c$ of 1000 numbers, another writes a phrase from it, a word at a
time. A phrase $x_1, \dots, x_T$ is a sequence of one-hot vectors of $K$ words, whose last one marks its end.

The paper never says *GRU*; it calls its unit "hidden unit that adaptively remembers and forgets". The encoder's
equations reset the old state *before* the matrix $U$, the decoder's *after* $U'$. "To make the equations uncluttered,
we omit biases" (A.1): each equation of a unit has one here, which stands apart from the matrices.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from literatim.parts.phrases import PAD

Unit = Literal["gated", "tanh"]

# Sec. 4.1: the 15,000 most frequent words, of which [UNK] is one, as in the released code; besides the mark of the end.
WORDS = 15_000
STD = 0.01  # Sec. 4.1.1: of all weights but the recurrent ones


def matrix(columns: int, rows: int) -> nn.Linear:
    """A matrix of the paper, with no bias."""
    return nn.Linear(columns, rows, bias=False)


def bias(size: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(size))


class Embedding(nn.Module):
    r"""$e(x)$, the vector of a word: the matrix between words and units is of low rank (Sec. 4.1.1).

    Takes words as indices (N, T), or as the one-hot vectors (N, T, K) that the paper writes; PAD has the zero vector.
    """

    def __init__(self, words: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(words, size))

    def forward(self, x: Tensor) -> Tensor:
        if x.is_floating_point():
            return x @ self.weight
        return self.weight[x.clamp(min=0)] * (x >= 0).unsqueeze(-1)


class Network(nn.Module):
    """What both networks do alike."""

    unit: Unit

    def inputs(self, e: Tensor) -> tuple[Tensor, ...]:
        """What the embedded words give to the unit and its gates, of all steps at once."""
        if self.unit == "tanh":
            return (self.w(e) + self.b,)
        return self.w(e) + self.b, self.w_z(e) + self.b_z, self.w_r(e) + self.b_r


class Encoder(Network):
    r"""Reads a phrase and gives its summary $c = \tanh(V h^{\langle N \rangle})$ (A.1).

    Eq. 5 to 8: $r = \sigma(W_r e(x) + U_r h)$, $z = \sigma(W_z e(x) + U_z h)$,
    $\tilde h = \tanh(W e(x) + U (r \odot h))$, $h \leftarrow z \odot h + (1 - z) \odot \tilde h$. A gate $z$ near 1
    keeps the old state; $r$ stands before $U$.
    `unit` "tanh" has no gates: $h \leftarrow \tanh(W e(x) + U h)$, the "oft-used tanh unit" of Sec. 2.3.
    """

    def __init__(self, words: int, hidden: int, embedding: int, unit: Unit) -> None:
        super().__init__()
        self.hidden, self.unit = hidden, unit
        self.e = Embedding(words, embedding)
        self.w, self.u, self.b = matrix(embedding, hidden), matrix(hidden, hidden), bias(hidden)
        if unit == "gated":
            self.w_z, self.u_z, self.b_z = matrix(embedding, hidden), matrix(hidden, hidden), bias(hidden)
            self.w_r, self.u_r, self.b_r = matrix(embedding, hidden), matrix(hidden, hidden), bias(hidden)
        self.v, self.b_v = matrix(hidden, hidden), bias(hidden)

    def start(self, n: int) -> tuple[Tensor]:
        """The state before the first word, of n phrases: "fixed to 0" (A.1)."""
        return (self.b.new_zeros(n, self.hidden),)

    def step(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """(the new state as output, the new state), both (N, hidden); x is (N, K) or (N,)."""
        h = self.moved(self.inputs(self.e(x)), h)
        return h, h

    def gates(self, inputs: tuple[Tensor, ...], h: Tensor) -> tuple[Tensor, Tensor]:
        """(z, r): Eq. 6 and Eq. 5."""
        _, of_z, of_r = inputs
        return torch.sigmoid(of_z + self.u_z(h)), torch.sigmoid(of_r + self.u_r(h))

    def moved(self, inputs: tuple[Tensor, ...], h: Tensor) -> Tensor:
        if self.unit == "tanh":
            return torch.tanh(inputs[0] + self.u(h))
        z, r = self.gates(inputs, h)
        candidate = torch.tanh(inputs[0] + self.u(r * h))  # Eq. 8
        return z * h + (1 - z) * candidate  # Eq. 7

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, hidden): the states of all steps; x is (N, T) or (N, T, K)."""
        inputs, (h,) = self.inputs(self.e(x)), self.start(len(x))
        states = []
        for t in range(x.shape[1]):
            h = self.moved(tuple(of[:, t] for of in inputs), h)
            states.append(h)
        return torch.stack(states, dim=1)

    def summary(self, h: Tensor) -> Tensor:
        """c, (N, hidden), of the state after the last word."""
        return torch.tanh(self.v(h) + self.b_v)

    def read(self, x: Tensor) -> Tensor:
        """c, (N, hidden), of phrases (N, T) with PAD behind their ends."""
        last = (x != PAD).sum(dim=1) - 1
        return self.summary(self.forward(x)[torch.arange(len(x), device=x.device), last])


class Context(NamedTuple):
    """What c gives to the decoder's equations: the same at every step."""

    of_h: Tensor
    of_gates: tuple[Tensor, ...]  # z', r'
    of_s: Tensor


class Decoder(Network):
    r"""Writes a phrase from $c$ (A.1.1), starting with $h'^{\langle 0 \rangle} = \tanh(V' c)$.

    With y the word before, $z' = \sigma(W'_z e(y) + U'_z h' + C_z c)$, $r' = \sigma(W'_r e(y) + U'_r h' + C_r c)$,
    $\tilde h' = \tanh(W' e(y) + r' \odot (U' h' + C c))$, $h' \leftarrow z' \odot h' + (1 - z') \odot \tilde h'$.
    Here the reset gate stands *after* the matrix, and what it resets is the context as well.

    The output is a hidden layer of 500 maxout units, $s_i = \max(s'_{2i-1}, s'_{2i})$ with
    $s' = O_h h' + O_y y + O_c c$, and a softmax over $G s$, where $G = G_l G_r$ is of low rank. As printed, $O_y$ takes
    the word itself and not its embedding.
    """

    def __init__(self, words: int, hidden: int, embedding: int, rank: int, maxout: int, unit: Unit) -> None:
        super().__init__()
        self.unit = unit
        self.e = Embedding(words, embedding)
        self.v, self.b_v = matrix(hidden, hidden), bias(hidden)
        self.w, self.u, self.c, self.b = self.of_a_unit(hidden, embedding)
        if unit == "gated":
            self.w_z, self.u_z, self.c_z, self.b_z = self.of_a_unit(hidden, embedding)
            self.w_r, self.u_r, self.c_r, self.b_r = self.of_a_unit(hidden, embedding)
        self.o_h, self.o_c, self.b_s = matrix(hidden, 2 * maxout), matrix(hidden, 2 * maxout), bias(2 * maxout)
        self.o_y = Embedding(words, 2 * maxout)
        self.g_r, self.g_l, self.b_g = matrix(maxout, rank), matrix(rank, words), bias(words)

    @staticmethod
    def of_a_unit(hidden: int, embedding: int) -> tuple[nn.Linear, nn.Linear, nn.Linear, nn.Parameter]:
        return matrix(embedding, hidden), matrix(hidden, hidden), matrix(hidden, hidden), bias(hidden)

    def context(self, c: Tensor) -> Context:
        of_gates = (self.c_z(c), self.c_r(c)) if self.unit == "gated" else ()
        return Context(self.c(c), of_gates, self.o_c(c))

    def start(self, c: Tensor) -> Tensor:
        """The state before the first word."""
        return torch.tanh(self.v(c) + self.b_v)

    def gates(self, inputs: tuple[Tensor, ...], h: Tensor, context: Context) -> tuple[Tensor, Tensor]:
        """(z', r')."""
        (_, of_z, of_r), (c_z, c_r) = inputs, context.of_gates
        return torch.sigmoid(of_z + self.u_z(h) + c_z), torch.sigmoid(of_r + self.u_r(h) + c_r)

    def moved(self, inputs: tuple[Tensor, ...], h: Tensor, context: Context) -> Tensor:
        if self.unit == "tanh":
            return torch.tanh(inputs[0] + self.u(h) + context.of_h)
        z, r = self.gates(inputs, h, context)
        candidate = torch.tanh(inputs[0] + r * (self.u(h) + context.of_h))
        return z * h + (1 - z) * candidate

    def maxout(self, h: Tensor, of_y: Tensor, of_c: Tensor) -> Tensor:
        """s, (…, 500), of the states, of what O_y gives for the words before, and of what O_c gives for c."""
        s = self.o_h(h) + of_y + of_c + self.b_s
        return s.unflatten(-1, (-1, 2)).amax(dim=-1)

    def words(self, s: Tensor) -> Tensor:
        """(…, K): the logarithms of the probabilities of the next word."""
        return torch.log_softmax(self.g_l(self.g_r(s)) + self.b_g, dim=-1)

    def forward(self, c: Tensor, y: Tensor | None = None) -> Tensor:
        """(N, M, K): log-probabilities of the word at each place of phrases y (N, M), given those before it.

        Of the first word alone, (N, 1, K), where no phrase is given. "e(y_0) is an all-zero vector" (A.1.1).
        """
        first = torch.full((len(c), 1), PAD, dtype=torch.long, device=c.device)
        before = first if y is None else torch.cat([first, y[:, :-1]], dim=1)
        inputs, context, h = self.inputs(self.e(before)), self.context(c), self.start(c)
        states = []
        for t in range(before.shape[1]):
            h = self.moved(tuple(of[:, t] for of in inputs), h, context)
            states.append(h)
        return self.words(self.maxout(torch.stack(states, dim=1), self.o_y(before), context.of_s[:, None]))

    def step(self, y: Tensor, h: Tensor, context: Context) -> tuple[Tensor, Tensor]:
        """(log-probabilities of the next word (N, K), the new state) after the words y (N,); PAD before the first."""
        h = self.moved(self.inputs(self.e(y)), h, context)
        return self.words(self.maxout(h, self.o_y(y), context.of_s)), h


class EncoderDecoder(nn.Module):
    """The encoder and the decoder, "trained jointly" (Sec. 2.2). The defaults are what the paper prints. Options:

    - `source_words`, `target_words`: K of each language, the mark of the end not counted, which is the last index;
    - `hidden`: units of each of the two networks; `embedding`: the rank of the input matrices; `rank`: that of the
      output matrix; `maxout`: units of the hidden layer before it, of two pieces each;
    - `unit`: "gated", or "tanh" without any gate.
    """

    def __init__(
        self,
        source_words: int = WORDS,
        target_words: int = WORDS,
        hidden: int = 1000,
        embedding: int = 100,
        rank: int = 100,
        maxout: int = 500,
        unit: Unit = "gated",
    ) -> None:
        super().__init__()
        for name, size in (
            ("source_words", source_words), ("target_words", target_words), ("hidden", hidden),
            ("embedding", embedding), ("rank", rank), ("maxout", maxout),
        ):  # fmt: skip
            if size < 1:
                raise ValueError(f"{name} is {size}; it must be at least 1")
        self.encoder = Encoder(source_words + 1, hidden, embedding, unit)
        self.decoder = Decoder(target_words + 1, hidden, embedding, rank, maxout, unit)
        self.source_end, self.target_end = source_words, target_words
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Sec. 4.1.1: weights from a Gaussian of deviation 0.01, recurrent ones the left singular vectors of one.

        Biases start at zero, which is open. Which weights are recurrent is not listed: those from a state to the next.
        """
        for name, weight in self.named_parameters():
            if weight.dim() == 1:
                nn.init.zeros_(weight)
            elif name.split(".")[1] in ("u", "u_z", "u_r"):
                weight.copy_(torch.linalg.svd(torch.randn_like(weight))[0])
            else:
                nn.init.normal_(weight, std=STD)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(N,): log p(y | x) of each pair of phrases (N, T) and (N, M), both with their end and PAD behind it."""
        return self.score(self.encoder.read(x), y)

    def score(self, c: Tensor, y: Tensor) -> Tensor:
        """(N,): log p(y | c), of summaries (N, hidden): the sum over the words of each phrase (Eq. 3), PAD left out."""
        of_words = self.decoder(c, y).gather(2, y.clamp(min=0).unsqueeze(2)).squeeze(2)
        return (of_words * (y != PAD)).sum(dim=1)
