#!/usr/bin/env bash
# A convolution in bf16 on a processor leaves a part of its weights' gradient as the memory was: where the map is smaller
# than the stride (a 3x3 kernel of stride 2, padding 1, on a 1x1 map, as the last stage of a ResNet-18 has it of a 12x12
# image), the rows and columns of the kernel that meet padding alone have gradient 0 in fp32, and whatever lay in the
# memory in bf16: NaN, or numbers to 3e38. A loss cannot show it; the weights take it in the next step.
# Guess: 0, as in fp32, or a rounding of it. Seen with torch 2.14.1 (oneDNN) on a processor with avx512_bf16: 15 of 135 sizes,
# in all of which the map is smaller than the stride or the padding. A processor without bf16 of its own takes another way,
# and the script says so.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "torch==2.14.1" "numpy==2.4.0" 2>&1 | grep -v "^WARNING" || true
venv/bin/python - <<'P'
from itertools import product

import torch
import torch.nn.functional as F

print("torch", torch.__version__, "bf16 of its own:", torch.ops.mkldnn._is_mkldnn_bf16_supported())
if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
    raise SystemExit("nothing to see on this processor")


def gradient(dtype, kernel, stride, pad, side):
    """Of the weights; with ones for weights and images it is how often a place of the kernel met the map."""
    x, w = torch.ones(4, 256, side, side, dtype=dtype), torch.ones(512, 256, kernel, kernel, dtype=dtype)
    answer = F.conv2d(x, w.requires_grad_(), stride=stride, padding=pad)
    used = [torch.full((w.numel(),), float("nan")) for _ in range(6)]  # what programs have in memory, and give back
    del used
    return torch.autograd.grad(answer, w, torch.ones_like(answer))[0].float()


tried, undefined = 0, []
for kernel, stride, pad, side in product((2, 3, 5, 7), (1, 2, 3), (0, 1, 2, 3), (1, 2, 3, 4, 6)):
    if pad >= kernel or side + 2 * pad < kernel:
        continue
    tried += 1
    right = gradient(torch.float32, kernel, stride, pad, side)
    if any(not torch.equal(gradient(torch.bfloat16, kernel, stride, pad, side), right) for _ in range(3)):
        undefined.append((kernel, stride, pad, side))
        assert (right == 0).any(), "only where a place of the kernel never meets the map"
        assert side < max(stride, pad), "only where the map is smaller than the stride, or than the padding"
print(f"{tried} sizes of kernel, stride, padding and map: the gradient in bf16 is another in {len(undefined)}:")
print(*undefined)
worst = gradient(torch.bfloat16, 3, 2, 1, 1)
worst[:, :, 1, 1] = 0
print("3x3 of stride 2 on a 1x1 map: outside the middle, not numbers:", int(worst.isnan().sum()), "of", worst.numel() * 8 // 9)
assert (3, 2, 1, 1) in undefined and (3, 2, 1, 2) not in undefined, "the behaviour has changed"
P
