"""A model as an ONNX file."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from literatim.errors import LiteratimError
from literatim.experiment.scan import recurrent, write_scan
from literatim.loading import TORCHVISION, known_variant, known_weights, load, weights_record
from literatim.registry.reading import card
from literatim.weightfiles import read_weights

if TYPE_CHECKING:
    from torch import nn

WORTH_HALVING = 1_000  # numbers; below that the cast takes more room than it saves


def export(paper: str, variant: str | None, weights: str | None, to: Path, checkpoint: Path | None = None) -> None:
    """Write a model, of a run where there is a checkpoint, with its batch left open; of several networks the first,
    where it is recurrent.

    Raises LiteratimError where the ONNX packages are missing, and for a paper of several networks of another kind.
    """
    need_onnx()
    if variant is None and weights not in (None, TORCHVISION):
        variant = weights_record(paper, str(weights))["variant"]
    options: dict[str, Any] = {}
    if checkpoint:
        found = read_weights(checkpoint)[1].get("hyper_parameters")
        options = dict((found or {}).get("options") or {})
        variant = variant or (found or {}).get("variant")
    asked = card(paper).variants[known_variant(paper, variant)]
    shape = asked.input
    net = load(paper, variant, weights=checkpoint or weights).eval()
    if isinstance(shape, dict):
        first, one = next(iter(shape.items()))
        if not recurrent(getattr(net, first)):
            raise LiteratimError(
                f"{paper} has several networks ({', '.join(shape)}); exporting one of them is not there yet"
            )
        net, shape = getattr(net, first), one
    if asked.words:
        shape = shape[:1]
    if side := options.get("size"):  # of a miniature
        shape = (shape[0], side, side)
    write_onnx(net, shape, to, ["output"], batch=True)
    if not (checkpoint or weights):
        print(
            f"literatim: these weights are untrained, as {paper} draws them; name a run, --ckpt_path last"
            + "".join(f", or --weights {name}" for name in known_weights(paper)),
            file=sys.stderr,
        )


def write_onnx(net: nn.Module, shape: tuple[int, ...], to: Path, outputs: list[str], *, batch: bool = False) -> None:
    """Write a network that takes an input of `shape`, one example, or a batch of any size; a recurrent one takes
    sequences of any length besides.

    Raises LiteratimError where the ONNX packages are missing.
    """
    need_onnx()
    import torch

    beside = to.with_name(f".{to.name}.part")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, which nothing here needs
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if batch and recurrent(net):
                write_scan(net, shape, beside)
            else:
                torch.onnx.export(
                    net,
                    (torch.zeros(2 if batch else 1, *shape),),
                    beside,
                    input_names=["input"],
                    output_names=outputs,
                    dynamic_shapes=({0: torch.export.Dim("batch")},) if batch else None,
                    dynamo=True,
                    external_data=False,
                    verbose=False,
                )
        halve(beside)
        beside.replace(to)
    finally:
        beside.unlink(missing_ok=True)


def halve(path: Path) -> None:
    """Store what half precision holds exactly in half precision: weights that ship so take half of the room.

    They are cast back as the file is loaded, and every computation stays in single precision.
    """
    import numpy as np
    import onnx

    model = onnx.load(path)
    graph = model.graph
    for tensor in list(graph.initializer):
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < WORTH_HALVING:
            continue
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if np.array_equal(half, values):
            name = f"{tensor.name}.half"
            graph.initializer.remove(tensor)
            graph.initializer.append(onnx.numpy_helper.from_array(half, name))
            cast = onnx.helper.make_node("Cast", [name], [tensor.name], to=onnx.TensorProto.FLOAT)
            graph.node.insert(0, cast)
    onnx.save(model, path)


def need_onnx() -> None:
    try:
        import onnx  # noqa: F401 (torch's exporter needs both)
        import onnxscript  # noqa: F401
    except ImportError:
        raise LiteratimError("writing ONNX needs two more packages: pip install 'literatim[onnx]'") from None
