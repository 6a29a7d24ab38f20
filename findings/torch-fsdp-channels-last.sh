#!/usr/bin/env bash
# FSDP saves the optimiser's state of a parameter that is channels_last in the order of its indices, and loads it in the
# order of memory: `optim_state_dict_to_load` gives such a parameter its momentum in another order, without a word.
# Guess: what was saved is what is loaded. Ends with status 1 if that has changed.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q torch==2.14.1 numpy
cat > "$place/momentum.py" <<'PYTHON'
import sys
import warnings

import torch
import torch.distributed as dist
from torch.distributed.fsdp import FullOptimStateDictConfig, FullStateDictConfig, StateDictType
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP

warnings.filterwarnings("ignore")
changed = False


def made(order):
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(2, 4, 3).to(memory_format=order)
    net = FSDP(layer, device_id=torch.device("cpu"), use_orig_params=True)
    whole = FullStateDictConfig(rank0_only=False), FullOptimStateDictConfig(rank0_only=False)
    FSDP.set_state_dict_type(net, StateDictType.FULL_STATE_DICT, *whole)
    return net, torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)


dist.init_process_group("gloo")
for order in (torch.contiguous_format, torch.channels_last):
    net, optimizer = made(order)
    net(torch.randn(1, 2, 5, 5)).square().sum().backward()
    optimizer.step()
    saved = FSDP.optim_state_dict(net, optimizer)
    net, optimizer = made(order)
    optimizer.load_state_dict(FSDP.optim_state_dict_to_load(net, optimizer, saved))
    loaded = FSDP.optim_state_dict(net, optimizer)
    one, other = (state["state"]["weight"]["momentum_buffer"] for state in (saved, loaded))
    if dist.get_rank() == 0:
        same, kept = torch.equal(one, other), torch.equal(one.flatten().sort()[0], other.flatten().sort()[0])
        print(f"torch {torch.__version__}, {order}: the momentum is as saved: guess True, is {same}; its numbers are: {kept}")
    changed |= torch.equal(one, other) != (order == torch.contiguous_format)
dist.barrier()
dist.destroy_process_group()
if changed:
    sys.exit("the behaviour has changed")
PYTHON
OMP_NUM_THREADS=1 "$place/venv/bin/python" -m torch.distributed.run --nproc_per_node 2 "$place/momentum.py"
