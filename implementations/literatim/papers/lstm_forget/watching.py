"""What happens inside the cells while a stream passes through (Figs. 5 to 7)."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from literatim.papers.lstm_forget.model import ForgetLSTM
from literatim.parts.sequences import Ints


class Seen(NamedTuple):
    """After each of T symbols: outputs (T, O), states (T, C), forget gates and input gates (T, B)."""

    outputs: Tensor
    states: Tensor
    forget: Tensor
    let_in: Tensor


@torch.no_grad()
def watch(net: ForgetLSTM, symbols: Ints) -> Seen:
    """Let symbols (T,) pass through, from states of zero. Without forget gates they count as what is kept."""
    y, s = net.start(1)
    rows: list[tuple[Tensor, ...]] = []
    for symbol in symbols:
        x = torch.eye(net.inputs, dtype=s.dtype, device=s.device)[int(symbol)][None]
        sources = torch.cat([x, y], dim=1)
        forget = torch.full((1, net.blocks), net.decay, dtype=s.dtype, device=s.device)
        if net.forget_gates is not None:
            forget = torch.sigmoid(net.forget_gates(sources))
        let_in = torch.sigmoid(net.input_gates(sources))
        output, y, s = net.step(x, y, s)
        rows.append((output[0], s[0], forget[0], let_in[0]))
    return Seen(*(torch.stack(column) for column in zip(*rows, strict=True)))


def picture(seen: Seen, letters: str) -> Any:
    """A figure: the states of all cells over the stream, and below the forget gates over its last strings."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    above, below = figure.subplots(2, 1)
    for cell in range(seen.states.shape[1]):
        above.plot(seen.states[:, cell].tolist(), linewidth=0.8, label=f"cell {cell + 1}")
    above.set(xlabel="symbol", ylabel="state")
    above.legend(fontsize="x-small", ncols=4)
    last = range(max(0, len(letters) - 60), len(letters))
    for block in range(seen.forget.shape[1]):
        below.plot(list(last), seen.forget[last.start :, block].tolist(), label=f"block {block + 1}")
    below.set(ylabel="kept", ylim=(-0.05, 1.05), xticks=list(last), xticklabels=list(letters[last.start :]))
    below.tick_params(axis="x", labelsize=7)
    below.legend(fontsize="x-small", ncols=4)
    return figure
