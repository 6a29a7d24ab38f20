"""What the demo on the paper's page runs: a phrase is read, with the gates of every step, and written."""

import torch
from torch import Tensor, nn

from literatim.papers.gru.model import EncoderDecoder
from literatim.parts.phrases import PAD

STEPS, WORDS = 10, 14  # words that are read, and written, the marks of the end among them


class Translated(nn.Module):
    """The encoder's gates and states while it reads a phrase, and what the decoder writes.

    Input (1, 10): words as indices, with the mark of the end and PAD behind it. Outputs, in the order of `outputs`: z,
    r and h, each (1, 10, hidden), and (1, 14, K), the probabilities of each word that is written, the likeliest one fed
    back.
    """

    outputs = ("z", "r", "h", "written")
    input = (STEPS,)

    def __init__(self, net: EncoderDecoder) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        encoder, decoder = self.net.encoder, self.net.decoder
        words = x.long()
        inputs, (h,) = encoder.inputs(encoder.e(words)), encoder.start(1)
        seen = []
        for t in range(STEPS):
            at = tuple(of[:, t] for of in inputs)
            there = (words[:, t] != PAD).unsqueeze(1)  # behind the end nothing is read
            z, r = encoder.gates(at, h)
            h = torch.where(there, encoder.moved(at, h), h)
            seen.append((z, r, h))
        c = encoder.summary(h)
        context, h, y = decoder.context(c), decoder.start(c), torch.full_like(words[:, 0], PAD)
        written = []
        for _ in range(WORDS):
            found, h = decoder.step(y, h, context)
            written.append(found.exp())
            y = found.argmax(dim=1)
        z, r, h = (torch.stack(column, dim=1) for column in zip(*seen, strict=True))
        return z, r, h, torch.stack(written, dim=1)
