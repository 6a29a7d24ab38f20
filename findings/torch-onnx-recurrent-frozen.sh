#!/usr/bin/env bash
# torch.onnx.export (dynamo) with a dynamic axis of time writes the first nn.GRU of a process for any length, and the second
# one for the length of the example alone; so with nn.LSTM, and nn.RNN is frozen from the first. Nobody is warned: the file
# is written, it answers for the example's length, and refuses every other. An nn.LSTM with proj_size is written as a node
# that ONNX Runtime refuses for any length.
# Guess: all of them open in time, as asked for. Seen with torch 2.14.1, onnxscript 0.7.2, onnxruntime 1.32.0.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "torch==2.14.1" "numpy==2.4.0" "onnx==1.23.2" "onnxscript==0.7.2" "onnxruntime==1.32.0" 2>&1 | grep -v "^WARNING" || true
cat > tried.py <<'P'
import logging
import sys
import warnings

import numpy as np
import onnxruntime
import torch
from torch import nn

warnings.simplefilter("ignore")
logging.disable()
onnxruntime.set_default_logger_severity(4)


class Output(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)[0]


def lengths(kind, options):
    """Which of the lengths 5, the example's, and 9 the file answers for, with what torch computes."""
    net = Output(getattr(nn, kind)(3, 4, batch_first=True, **options)).eval()
    free = ({0: torch.export.Dim("batch"), 1: torch.export.Dim("time")},)
    program = torch.onnx.export(net, (torch.zeros(2, 5, 3),), dynamic_shapes=free, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    answered = []
    for steps in (5, 9):
        x = np.random.default_rng(0).standard_normal((2, steps, 3)).astype("float32")
        try:
            found = session.run(None, {session.get_inputs()[0].name: x})[0]
        except Exception:
            continue
        with torch.no_grad():
            assert np.allclose(found, net(torch.from_numpy(x)).numpy(), atol=1e-5)
        answered.append(steps)
    return answered


for kind in sys.argv[1:]:
    name, _, size = kind.partition("-")
    print(kind, lengths(name, {"proj_size": int(size)} if size else {}))
P
for kinds in "GRU GRU" "LSTM LSTM" "RNN" "LSTM-2"; do  # each line in a process of its own
  venv/bin/python tried.py $kinds 2> /dev/null | grep -E '^(GRU|LSTM|RNN)'
done | tee found
diff found - <<'P' || { echo "the behaviour has changed"; exit 1; }
GRU [5, 9]
GRU [5]
LSTM [5, 9]
LSTM [5]
RNN [5]
LSTM-2 []
P
