"""Eq. 1 to 8 and the supplement's, written out by hand: each row with all before it as the network has them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from literatim.papers.gru import model
from literatim.papers.gru.claimed.small import SOURCE, TARGET, close, small

H = torch.tensor([0.3, -0.8, 0.1, 0.9, -0.2], dtype=torch.float64)  # a state
C = torch.tensor([-0.6, 0.2, 0.7, -0.1, 0.4], dtype=torch.float64)  # a summary
WORD = 2


def sigmoid(a: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-a))


class ByHand:
    """The equations of A.1 on the matrices of a network, with their biases; one state, one word."""

    def __init__(self, net: model.EncoderDecoder) -> None:
        self.enc = {name: p.detach() for name, p in net.encoder.named_parameters()}
        self.dec = {name: p.detach() for name, p in net.decoder.named_parameters()}
        self.ex, self.ey = self.enc["e.weight"][WORD], self.dec["e.weight"][WORD]

    def r(self, h: Tensor = H) -> Tensor:
        p = self.enc
        return sigmoid(p["w_r.weight"] @ self.ex + p["u_r.weight"] @ h + p["b_r"])

    def z(self, h: Tensor = H) -> Tensor:
        p = self.enc
        return sigmoid(p["w_z.weight"] @ self.ex + p["u_z.weight"] @ h + p["b_z"])

    def candidate(self, h: Tensor = H) -> Tensor:
        p = self.enc
        return torch.tanh(p["w.weight"] @ self.ex + p["u.weight"] @ (self.r(h) * h) + p["b"])

    def h(self) -> Tensor:
        return self.z() * H + (1 - self.z()) * self.candidate()

    def r_of_decoder(self) -> Tensor:
        p = self.dec
        return sigmoid(p["w_r.weight"] @ self.ey + p["u_r.weight"] @ H + p["c_r.weight"] @ C + p["b_r"])

    def z_of_decoder(self) -> Tensor:
        p = self.dec
        return sigmoid(p["w_z.weight"] @ self.ey + p["u_z.weight"] @ H + p["c_z.weight"] @ C + p["b_z"])

    def candidate_of_decoder(self) -> Tensor:
        p, r = self.dec, self.r_of_decoder()
        return torch.tanh(p["w.weight"] @ self.ey + r * (p["u.weight"] @ H + p["c.weight"] @ C) + p["b"])

    def h_of_decoder(self) -> Tensor:
        z = self.z_of_decoder()
        return z * H + (1 - z) * self.candidate_of_decoder()

    def s(self) -> Tensor:
        p = self.dec
        s = p["o_h.weight"] @ H + p["o_y.weight"][WORD] + p["o_c.weight"] @ C + p["b_s"]
        return torch.stack([torch.maximum(s[2 * i], s[2 * i + 1]) for i in range(len(s) // 2)])

    def p(self) -> Tensor:
        g = self.dec["g_l.weight"] @ self.dec["g_r.weight"]
        scores = torch.exp(g @ self.s() + self.dec["b_g"])
        return scores / scores.sum()


def solved_for_candidate(h: Tensor, z: Tensor) -> Tensor:
    """h~ from a state that the network made of H, and its gate: h = z H + (1 - z) h~."""
    return (h - z * H) / (1 - z)


def of_encoder(row: str) -> tuple[Tensor, Tensor]:
    """(what the network has, what the equation gives)."""
    net = small()
    enc, hand = net.encoder, ByHand(net)
    inputs = enc.inputs(enc.e(torch.tensor([WORD])))
    z, r = (gate[0] for gate in enc.gates(inputs, H[None]))
    moved = enc.moved(inputs, H[None])[0]
    found: dict[str, Callable[[], tuple[Tensor, Tensor]]] = {
        "reset": lambda: (r, hand.r()),
        "update": lambda: (z, hand.z()),
        "state": lambda: (moved, hand.h()),
        "candidate": lambda: (solved_for_candidate(moved, z), hand.candidate()),
        "start": lambda: (enc.start(2)[0], torch.zeros(2, 5, dtype=torch.float64)),
        "summary": lambda: (enc.summary(H), torch.tanh(hand.enc["v.weight"] @ H + hand.enc["b_v"])),
        "last": lambda: (enc.read(SOURCE)[1], enc.summary(enc(SOURCE[1:2, :2])[0, -1])),
    }
    return found[row]()


def of_decoder(row: str) -> tuple[Tensor, Tensor]:
    net = small()
    dec, hand = net.decoder, ByHand(net)
    context, inputs = dec.context(C[None]), dec.inputs(dec.e(torch.tensor([WORD])))
    z, r = (gate[0] for gate in dec.gates(inputs, H[None], context))
    moved = dec.moved(inputs, H[None], context)[0]
    s = dec.maxout(H[None], dec.o_y(torch.tensor([WORD])), context.of_s)[0]
    found: dict[str, Callable[[], tuple[Tensor, Tensor]]] = {
        "start": lambda: (dec.start(C), torch.tanh(hand.dec["v.weight"] @ C + hand.dec["b_v"])),
        "reset": lambda: (r, hand.r_of_decoder()),
        "update": lambda: (z, hand.z_of_decoder()),
        "candidate": lambda: (solved_for_candidate(moved, z), hand.candidate_of_decoder()),
        "state": lambda: (moved, hand.h_of_decoder()),
        "maxout": lambda: (s, hand.s()),
        "softmax": lambda: (dec.words(s).exp(), hand.p()),
    }
    return found[row]()


def encoder_as_printed(row: str) -> bool:
    return close(*of_encoder(row))


def decoder_as_printed(row: str) -> bool:
    return close(*of_decoder(row))


def first_word_is_zero() -> bool:
    """The first step as if the word before had the zero vector, in the unit as in the output."""
    dec = small().decoder
    context, zero = dec.context(C[None]), torch.zeros(1, dec.e.weight.shape[1], dtype=torch.float64)
    h = dec.moved(dec.inputs(zero), dec.start(C[None]), context)
    by_hand = dec.words(dec.maxout(h, torch.zeros_like(context.of_s), context.of_s))
    return close(dec(C[None])[:, 0], by_hand)


def low_rank_output() -> bool:
    """G has the rank of its factors and not that of a free matrix."""
    dec = small(target_words=9, maxout=6).decoder
    return int(torch.linalg.matrix_rank(dec.g_l.weight @ dec.g_r.weight)) == 4


def tanh_has_no_gates() -> bool:
    net = small(unit="tanh")
    enc, hand = net.encoder, ByHand(net)
    moved = enc.moved(enc.inputs(enc.e(torch.tensor([WORD]))), H[None])[0]
    by_hand = torch.tanh(hand.enc["w.weight"] @ hand.ex + hand.enc["u.weight"] @ H + hand.enc["b"])
    gates = [name for name, _ in net.named_parameters() if name.endswith(("_z", "_r", "_z.weight", "u_r.weight"))]
    return close(moved, by_hand) and not gates


# --- What Sec. 2.3 says of the gates ---------------------------------------------------------------


def encoder_with(name: str, value: float) -> model.Encoder:
    """An encoder whose gate of that bias is open or closed."""
    enc = small().encoder
    with torch.no_grad():
        getattr(enc, name).fill_(value)
    return enc


def moved_from(enc: model.Encoder, h: Tensor) -> Tensor:
    return enc.step(torch.tensor([WORD]), h[None])[0][0]


def closed_reset_forgets() -> bool:
    """With r at 0 the new candidate is the same whatever the state was: that of the input alone."""
    enc = encoder_with("b_r", -1e3)
    with torch.no_grad():
        enc.b_z.fill_(-1e3)  # nothing is carried over, so that the state is the candidate
    hand = torch.tanh(enc.w.weight @ enc.e.weight[WORD] + enc.b)
    return close(moved_from(enc, H), hand) and close(moved_from(enc, -2 * H), hand)


def open_update_carries_over() -> bool:
    return close(moved_from(encoder_with("b_z", 1e3), H), H)


def closed_update_replaces() -> bool:
    enc = encoder_with("b_z", -1e3)
    return close(moved_from(enc, H), ByHandOf(enc).candidate()) and not close(moved_from(enc, H), H)


class ByHandOf(ByHand):
    """The equations on an encoder alone."""

    def __init__(self, enc: model.Encoder) -> None:
        self.enc = {name: p.detach() for name, p in enc.named_parameters()}
        self.ex = self.enc["e.weight"][WORD]


def leaky_integration() -> bool:
    """With a gate that stands still the state moves to the candidate by a fixed share of the way."""
    enc = encoder_with("b_z", 0.0)
    with torch.no_grad():
        enc.w_z.weight.zero_()
        enc.u_z.weight.zero_()
    return close(moved_from(enc, H), H + 0.5 * (ByHandOf(enc).candidate() - H))


def gates() -> int:
    """Gates of a unit, as the network makes them for a state."""
    enc = small().encoder
    found = enc.gates(enc.inputs(enc.e(torch.tensor([WORD]))), H[None])
    return len({tuple(gate[0].tolist()) for gate in found})


# --- What depends on what, Sec. 2.2 ----------------------------------------------------------------


def depends(row: str) -> bool:
    """Whether one of the decoder's equations has a derivative by c, or by the word before."""
    dec = small().decoder
    c = C[None].clone().requires_grad_()
    e = dec.e.weight[WORD][None].detach().clone().requires_grad_()
    context, inputs = dec.context(c), dec.inputs(e)
    z, r = dec.gates(inputs, H[None], context)
    candidate = solved_for_candidate(dec.moved(inputs, H[None], context), z)
    s = dec.maxout(H[None], dec.o_y(torch.tensor([WORD])), context.of_s)
    what, by = row.split("-by-")
    if (what, by) == ("output", "word"):  # O_y takes the word itself
        other = dec.maxout(H[None], dec.o_y(torch.tensor([0])), context.of_s)
        return not torch.allclose(s, other)
    made = {"start": dec.start(c), "reset": r, "update": z, "candidate": candidate, "output": s}[what]
    found = torch.autograd.grad(made.sum(), {"c": c, "word": e}[by], allow_unused=True)[0]
    return found is not None and bool(found.abs().max() > 1e-6)


def summary_of_fixed_length() -> bool:
    enc = small().encoder
    phrases = [torch.tensor([[3] * n + [6]]) for n in range(1, 10)]
    return {tuple(enc.read(x).shape) for x in phrases} == {(1, 5)}


def lengths_may_differ() -> bool:
    """Pairs of all lengths in one batch, each with the score that it has alone."""
    net = small()
    together = net(SOURCE, TARGET)
    alone = [
        net(x[x >= 0][None], y[y >= 0][None])[0] for x, y in zip(SOURCE, TARGET, strict=True)
    ]  # fmt: skip
    return close(together, torch.stack(alone))


def order_matters() -> bool:
    enc = small().encoder
    one, other = (enc.read(torch.tensor([words])) for words in ([0, 1, 2, 6], [2, 1, 0, 6]))
    return float((one - other).abs().max().detach()) > 1e-3


def reads_the_end() -> bool:
    """The mark of the end is read as a word is, before c is taken."""
    enc = small().encoder
    with_end, without = (enc.read(torch.tensor([words])) for words in ([0, 1, 6], [0, 1]))
    return float((with_end - without).abs().max().detach()) > 1e-3
