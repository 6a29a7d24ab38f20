#!/usr/bin/env bash
# A convolution in bf16 on a processor leaves a part of its weights' gradient as the memory was: where the map is smaller
# than the stride (a 3x3 kernel of stride 2, padding 1, on a 1x1 map, as the last stage of a ResNet-18 has it of a 12x12
# image), the rows and columns of the kernel that meet padding alone have gradient 0 in fp32, and whatever lay in the
# memory in bf16: NaN, or numbers to 3e38. A loss cannot show it; the weights take it in the next step.
# Guess: 0, as in fp32, or a rounding of it. Seen with torch 2.14.1 (oneDNN) on a processor with avx512_bf16; one without
# bf16 of its own takes another way, and the script says so.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "torch==2.14.1" "numpy==2.4.0" 2>&1 | grep -v "^WARNING" || true
venv/bin/python - <<'P'
import torch
import torch.nn.functional as F

print("torch", torch.__version__, "bf16 of its own:", torch.ops.mkldnn._is_mkldnn_bf16_supported())
if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
    raise SystemExit("nothing to see on this processor")


def outside(dtype: torch.dtype, side: int) -> float:
    """The largest entry of the gradient outside the middle of the kernel, a NaN counted as infinite."""
    torch.manual_seed(0)
    worst = 0.0
    for _ in range(10):
        x, w = torch.randn(4, 256, side, side, dtype=dtype), torch.randn(512, 256, 3, 3, dtype=dtype)
        answer = F.conv2d(x, w.requires_grad_(), stride=2, padding=1)
        used = [torch.full((w.numel(),), float("nan")) for _ in range(6)]  # what programs have in memory, and give back
        del used
        (gradient,) = torch.autograd.grad(answer, w, torch.ones_like(answer))
        assert gradient[:, :, 1, 1].isfinite().all(), "the middle is right"
        if side == 1:
            gradient = gradient.clone()
            gradient[:, :, 1, 1] = 0
        else:
            gradient = torch.cat([gradient[:, :, 0].flatten(), gradient[:, :, :, 0].flatten()])  # never on the map
        worst = max(worst, gradient.float().nan_to_num(float("inf"), float("inf"), float("inf")).abs().max().item())
    return worst


found = {(dtype, side): outside(dtype, side) for dtype in (torch.float32, torch.bfloat16) for side in (1, 2)}
for (dtype, side), worst in found.items():
    print(f"{str(dtype):15} map of {side}x{side}: largest gradient where the kernel met padding alone: {worst}")
assert found[torch.float32, 1] == found[torch.float32, 2] == found[torch.bfloat16, 2] == 0, "the behaviour has changed"
assert found[torch.bfloat16, 1] > 0, "the behaviour has changed"
P
