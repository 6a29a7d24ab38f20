#!/usr/bin/env bash
# ONNX Runtime's quantiser takes a weight that is computed from constants alone (kept in half precision and cast, say) for
# an activation. quantize_dynamic stops at a convolution with a bias ("Expected w to be an initializer"); quantize_static
# writes its file without a word, and the weights in it are as they were. quant_pre_process folds them, and then both work;
# but the file that it writes says that it needs eight more operator sets, com.microsoft and org.pytorch.aten among them,
# of which it holds not one operator.
# Guess: what is constant counts as constant; preparing a model of standard operators adds no vendor's domain.
# Seen with onnxruntime 1.32.0, onnx 1.23.2.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "onnxruntime==1.32.0" "onnx==1.23.2" "numpy==2.4.0" "sympy==1.14.0" 2>&1 | grep -v "^WARNING" || true
cat > tried.py <<'P'
import logging
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

logging.disable()
print(f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}")
half = np.random.default_rng(0).standard_normal((64, 64, 3, 3)).astype(np.float16)
shape = ["batch", 64, 8, 8]
graph = helper.make_graph(
    [helper.make_node("Cast", ["half"], ["w"], to=TensorProto.FLOAT), helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=[1] * 4)],
    "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    [numpy_helper.from_array(half, "half"), numpy_helper.from_array(np.ones(64, "float32"), "b")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
onnx.checker.check_model(model, full_check=True)
onnx.save(model, "model.onnx")


class Noise(CalibrationDataReader):
    left = 1

    def get_next(self):
        self.left -= 1
        return {"x": np.ones((1, 64, 8, 8), "float32")} if self.left >= 0 else None


def weights(name):
    """Which type the kernels have in a file."""
    return [str(values.dtype) for entry in onnx.load(name).graph.initializer if (values := numpy_helper.to_array(entry)).size > 1000]


for name in ("model", "folded"):
    if name == "folded":
        quant_pre_process("model.onnx", "folded.onnx")
    try:
        quantize_dynamic(f"{name}.onnx", "out.onnx")
        print(name, "dynamic:", weights("out.onnx"))
    except ValueError as error:
        print(name, "dynamic:", error)
    quantize_static(f"{name}.onnx", "out.onnx", Noise())
    print(name, "static:", weights("out.onnx"))
folded = onnx.load("folded.onnx")
declared = {entry.domain for entry in folded.opset_import}
print("domains of its operators:", *{node.domain or "standard" for node in folded.graph.node})
print(f"domains it says it needs: {len(declared)}, com.microsoft and org.pytorch.aten among them:", declared >= {"com.microsoft", "org.pytorch.aten"})
P
found=$(venv/bin/python tried.py 2> /dev/null); echo "$found"
[ "$found" = "onnxruntime 1.32.0, onnx 1.23.2
model dynamic: Expected w to be an initializer
model static: ['float16']
folded dynamic: ['int8']
folded static: ['int8']
domains of its operators: standard
domains it says it needs: 9, com.microsoft and org.pytorch.aten among them: True" ]
# Seen:
# onnxruntime 1.32.0, onnx 1.23.2
# model dynamic: Expected w to be an initializer
# model static: ['float16']
# folded dynamic: ['int8']
# folded static: ['int8']
# domains of its operators: standard
# domains it says it needs: 9, com.microsoft and org.pytorch.aten among them: True
