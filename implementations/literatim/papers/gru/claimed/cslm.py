"""The neural language model of Sec. 4.1.2 that the paper adds to its system: its sizes, built from the text."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

N, EMBEDDING, LAYERS, BOUND = 7, 512, (1536, 1024), 0.01


class CSLM(nn.Module):
    """A 7-gram model: the six words before are embedded and concatenated, two rectified layers, a softmax.

    Input (N, 6) words, output (N, K) log-probabilities of the next one.
    """

    def __init__(self, words: int = 15_000) -> None:
        super().__init__()
        self.projection = nn.Embedding(words, EMBEDDING)
        self.first = nn.Linear((N - 1) * EMBEDDING, LAYERS[0])
        self.second = nn.Linear(*LAYERS)
        self.output = nn.Linear(LAYERS[1], words)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -BOUND, BOUND)

    def forward(self, words: Tensor) -> Tensor:
        x = self.projection(words).flatten(1)
        x = F.relu(self.second(F.relu(self.first(x))))
        return torch.log_softmax(self.output(x), dim=1)


def size(row: str) -> int:
    """What passes through the layers for the words before one, by the layer."""
    with torch.device("meta"):
        net = CSLM()
    seen: dict[str, int] = {}

    def listener(name: str) -> Callable[..., None]:
        def listen(layer: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
            seen[name] = out.shape[-1]
            if name == "first":
                seen["concatenated"] = args[0].shape[-1]

        return listen

    for name, layer in net.named_children():
        layer.register_forward_hook(listener(name))
    net(torch.zeros(1, N - 1, dtype=torch.long, device="meta"))
    return seen[row]


def starts_within() -> float:
    """The bound of its first weights, from a small one: the largest, rounded to the third digit."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = CSLM(words=20)
    weights = [p.detach() for p in net.parameters() if p.dim() > 1]
    if any(abs(float(w.mean())) > 1e-3 for w in weights):
        raise ValueError("the weights are not drawn about zero")
    return round(max(float(w.abs().max()) for w in weights), 4)
