#!/usr/bin/env bash
# Lightning averages a logged value over processes as the quotient of two means, and cuts the mean of the batch sizes down
# to a whole number: where processes have unequal numbers of examples, `self.log(..., sync_dist=True)` is wrong.
# Ends with status 1 if that has changed.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv --system-site-packages "$place/venv"
"$place/venv/bin/pip" install -q pytorch-lightning==2.6.6
cat > "$place/errors.py" <<'PYTHON'
import logging
import os
import sys
import warnings

import torch
import torch.distributed as dist
from pytorch_lightning import LightningModule, Trainer, __version__
from torch.utils.data import DataLoader

warnings.filterwarnings("ignore")
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
WRONG = [1.0, 1.0, 0.0, 0.0, 0.0]  # two of five examples are mistaken: 40 %


class Net(LightningModule):
    def test_step(self, batch, batch_idx):
        self.log("error", 100 * batch.mean(), batch_size=len(batch), on_epoch=True, sync_dist=True)

    def test_dataloader(self):
        rank, ranks = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        return DataLoader(torch.tensor(WRONG)[rank::ranks], batch_size=5)


devices = int(sys.argv[1])
trainer = Trainer(
    accelerator="cpu", devices=devices, strategy="ddp" if devices > 1 else "auto", logger=False,
    enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False, default_root_dir=sys.argv[2],
)
(found,) = trainer.test(Net(), verbose=False)
if trainer.is_global_zero:
    print(f"pytorch-lightning {__version__}, processes {devices}: guess 40.0 %, is {found['error']:.1f} %", flush=True)
    if (abs(found["error"] - 40) > 0.1) != (devices > 1):
        sys.exit("the behaviour has changed")
PYTHON
for devices in 1 2 3; do
  "$place/venv/bin/python" "$place/errors.py" $devices "$place"
done
