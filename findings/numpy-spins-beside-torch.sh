#!/usr/bin/env bash
# numpy's wheel multiplies by OpenBLAS with threads of its own, torch's computes by OpenMP with others. After a product that
# is over in a tenth of a millisecond OpenBLAS's threads wait in a loop for the next, on the very cores where torch's threads
# then start: a convolution that follows takes two to three times as long, though numpy has nothing to do any more. One thread
# for OpenBLAS (OPENBLAS_NUM_THREADS=1) ends it. Who makes each frame of a game small by a matrix product, and then learns
# from it, pays for it at every update.
# Guess: what is done before the clock starts, and is done, does not slow down what comes after it.
# Seen with numpy 2.4.0, torch 2.13.0 on two cores of x86-64, Linux; nothing else may run, for the clock is what is looked at.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "numpy==2.4.0" "torch==2.13.0" 2>&1 | grep -v "^WARNING" || true
cat > tried.py <<'P'
import statistics
import time

import numpy as np
import torch

net, images = torch.nn.Conv2d(32, 64, 4, 2), torch.rand(32, 32, 20, 20)
rng = np.random.default_rng(0)
left, right = rng.random((84, 210), dtype=np.float32), rng.random((210, 160), dtype=np.float32)


def convolutions(product):
    if product:
        left @ right  # before the clock starts
    start = time.perf_counter()
    with torch.no_grad():
        for _ in range(5):
            net(images)
    return time.perf_counter() - start


alone, after = [], []
for turn in range(6):
    alone.append(statistics.median(convolutions(False) for _ in range(100)))
    after.append(statistics.median(convolutions(True) for _ in range(100)))
print(f"{statistics.median(a / b for a, b in zip(after, alone)):.1f}")
P
unset OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS
all=$(venv/bin/python tried.py); one=$(OPENBLAS_NUM_THREADS=1 venv/bin/python tried.py)
echo "convolutions after a product of numpy's take so many times as long: $all; with one thread for OpenBLAS: $one"
venv/bin/python -c "import sys; sys.exit(not (float('$all') > 1.5 > 1.2 > float('$one')))"
# Seen:
# convolutions after a product of numpy's take so many times as long: 2.7; with one thread for OpenBLAS: 1.0
