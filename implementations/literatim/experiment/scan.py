"""A recurrent network as an ONNX file that takes sequences of any length.

torch's exporter follows a network's loop over time for the example's steps and writes as many copies of them. So only
one step is exported by it, and ONNX's operator Scan repeats that.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

INPUT, OUTPUT = "input", "output"


def recurrent(net: nn.Module) -> bool:
    """Whether a network says what its state is before the first input, and what one step makes of it."""
    return callable(getattr(net, "start", None)) and callable(getattr(net, "step", None))


def scan_model(net: nn.Module, shape: tuple[int, ...]) -> onnx.ModelProto:
    """A network with `start(n) -> states` and `step(x, *states) -> (y, *states)` as a model of any length and batch.

    Args:
        net: the states that `start` gives are the same for all sequences of a batch
        shape: (T, ...) of one sequence of numbers; (T,) of one whose steps are whole numbers, such as words

    It maps `input` (N, T, ...) to `output` (N, T, ...).
    """
    import torch
    from onnx import TensorProto, helper, numpy_helper

    with torch.no_grad():
        start = tuple(net.start(1))  # type: ignore[operator]
    step = exported_step(net, shape[1:], start)
    body = step.graph
    states = [given.name for given in body.input[1:]]
    body.name = "step"
    # Scan hands the states over before the input, and takes them in the same order.
    inputs, outputs = [*body.input[1:], body.input[0]], [*body.output[1:], body.output[0]]
    del body.input[:], body.output[:]
    body.input.extend(inputs)
    body.output.extend(outputs)
    kind = TensorProto.FLOAT if len(shape) > 1 else TensorProto.INT64
    nodes = [helper.make_node("Shape", [INPUT], ["batch_size"], start=0, end=1)]
    constants = list(body.initializer)
    del body.initializer[:]
    for name, value in zip(states, start, strict=True):
        constants.append(numpy_helper.from_array(value.numpy(), f"{name}.start"))
        constants.append(numpy_helper.from_array(torch.tensor(value.shape[1:]).numpy(), f"{name}.shape"))
        nodes.append(helper.make_node("Concat", ["batch_size", f"{name}.shape"], [f"{name}.sizes"], axis=0))
        nodes.append(helper.make_node("Expand", [f"{name}.start", f"{name}.sizes"], [f"{name}.first"]))
    firsts, lasts = [f"{name}.first" for name in states], [f"{name}.last" for name in states]
    axes: dict[str, Any] = {"scan_input_axes": [1], "scan_output_axes": [1]}
    nodes.append(helper.make_node("Scan", [*firsts, INPUT], [*lasts, OUTPUT], body=body, num_scan_inputs=1, **axes))
    width = [axis.dim_value or None for axis in body.output[-1].type.tensor_type.shape.dim][1:]
    graph = helper.make_graph(
        nodes,
        type(net).__name__,
        [helper.make_tensor_value_info(INPUT, kind, ["batch", "time", *shape[1:]])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", "time", *width])],
        constants,
    )
    return helper.make_model(
        graph, opset_imports=step.opset_import, functions=step.functions, ir_version=step.ir_version
    )


def exported_step(net: nn.Module, shape: tuple[int, ...], start: tuple[Tensor, ...]) -> onnx.ModelProto:
    """One step: `x` and the states to `y` and the states after it, of a batch of any size."""
    import torch

    class Step(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
            return tuple(self.net.step(x, *states))  # type: ignore[operator]

    x = torch.zeros(2, *shape) if shape else torch.zeros(2, dtype=torch.int64)
    states = [value.repeat(2, *[1] * (value.dim() - 1)) for value in start]
    batch = torch.export.Dim("batch")
    names = [f"state{i}" for i in range(len(states))]
    program = torch.onnx.export(
        Step(),
        (x, states),
        input_names=["x", *names],
        output_names=["y", *(f"{name}.next" for name in names)],
        dynamic_shapes=({0: batch}, [{0: batch} for _ in states]),
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # as of torch's older exporter
    return program.model_proto


def write_scan(net: nn.Module, shape: tuple[int, ...], to: Path) -> None:
    import onnx

    onnx.save(scan_model(net, shape), to)
