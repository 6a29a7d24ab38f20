"""Running a tutorial: its blocks in order, in one namespace, with what they print and draw."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib import pyplot as plt

from literatim.errors import LiteratimError
from literatim.pages.blocks import Block, parse
from literatim.trace.drawing import style, svg


@dataclass(frozen=True)
class Ran:
    """What each block printed, the figures by name as SVG, and every name that the blocks defined."""

    outputs: tuple[str, ...]
    figures: dict[str, str]
    namespace: dict[str, Any]


def run(text: str) -> Ran:
    """Run the blocks of a tutorial.

    The caller's random numbers, default dtype, gradient mode and settings of matplotlib are as they were afterwards;
    pyplot's open figures are closed.

    Raises LiteratimError: what `parse` raises; a block that stops with an error, by its first line; a block that does
    not draw as many figures as the text shows.
    """
    tutorial = parse(text)
    outputs: list[str] = []
    figures: dict[str, str] = {}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with style(), _torch_as_it_was():
        plt.close("all")
        try:
            for block in tutorial.blocks:
                outputs.append(_execute(block, namespace))
                if block.figures:
                    figures |= _drawn(block)
        finally:
            plt.close("all")
    return Ran(tuple(outputs), figures, namespace)


def _execute(block: Block, namespace: dict[str, Any]) -> str:
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            exec(compile("\n" * (block.line - 1) + block.code, "<tutorial>", "exec"), namespace)
    except Exception as error:
        said = " ".join(str(error).split()) or "no message"
        raise LiteratimError(f"{block.label} of the tutorial stops: {type(error).__name__}: {said}") from error
    return printed.getvalue()


def _drawn(block: Block) -> dict[str, str]:
    """The figures that are open, in the order in which they were opened, under the names that the text gives them."""
    numbers = plt.get_fignums()
    if len(numbers) != len(block.figures):
        raise LiteratimError(
            f"{block.label} of the tutorial should draw {len(block.figures)} figure(s), and {len(numbers)} are open"
        )
    found = {
        name: svg(plt.figure(number), f"{name}-") for number, (name, _) in zip(numbers, block.figures, strict=True)
    }
    plt.close("all")
    return found


@contextmanager
def _torch_as_it_was() -> Iterator[None]:
    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
