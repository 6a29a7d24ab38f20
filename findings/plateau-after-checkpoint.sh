#!/usr/bin/env bash
# A checkpoint at the end of an epoch is written before Lightning steps ReduceLROnPlateau, so that a run that goes on from
# it has lost a step of the schedule. Guess: the checkpoint has the schedule as the next epoch will use it.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.14.1 numpy pytorch-lightning==2.6.6
cd "$folder"
venv/bin/python - <<'P'
import logging
import warnings

import pytorch_lightning as pl
import torch

warnings.filterwarnings("ignore")
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)


class Net(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch, i):
        self.log("error", 1.0, on_epoch=True, on_step=False)
        return self.layer(batch).square().mean()

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=1.0)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "monitor": "error"}}


def steps(epochs, **more):
    saves = pl.callbacks.ModelCheckpoint(".", "last", save_on_train_epoch_end=True, enable_version_counter=False)
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    trainer = pl.Trainer(max_epochs=epochs, callbacks=[saves], **quiet)
    net = Net()
    trainer.fit(net, torch.utils.data.DataLoader(torch.ones(2, 1)), **more)
    return trainer.optimizers[0].param_groups[0]["lr"]


print("pytorch-lightning", pl.__version__)
undisturbed = steps(3)
steps(2)
resumed = steps(3, ckpt_path="last.ckpt")
print(f"the rate after three epochs on a plateau: {undisturbed:g}; after two, and going on for the third: {resumed:g}")
assert undisturbed < resumed, "the behaviour has changed"
P
