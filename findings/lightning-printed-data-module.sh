#!/usr/bin/env bash
# Lightning's Trainer takes any iterable as a dataloader, and a LightningDataModule that gives one trains as it should. But
# print(datamodule) is made for DataLoaders alone: it begins to go through any other iterable, looking for one, and raises an
# AttributeError about the first batch that it finds there. Where batches are made as they are asked for (experience of an
# agent, a stream, a simulation) to print the module makes one, and moves on all that the next are drawn from.
# Guess: str() names the class and changes nothing.
# Seen with pytorch-lightning 2.6.6, torch 2.14.1.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "pytorch-lightning==2.6.6" "torch==2.14.1" "numpy==2.4.0" 2>&1 | grep -v "^WARNING" || true
cat > tried.py <<'P'
import logging
import warnings

import pytorch_lightning as pl
import torch

warnings.filterwarnings("ignore")
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)


class Stream:
    made = 0

    def __iter__(self):
        for _ in range(100):
            Stream.made += 1
            yield torch.ones(4, 1)


class Data(pl.LightningDataModule):
    def train_dataloader(self):
        return Stream()


class Net(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch):
        return self.layer(batch).sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


data = Data()
trainer = pl.Trainer(
    max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Net(), datamodule=data)
print("batches trained on:", trainer.global_step)
before = Stream.made
try:
    print(data)
except AttributeError as error:
    print(error)
print("batches made by print:", Stream.made - before)
P
found=$(venv/bin/python tried.py 2>&1); echo "$found"
[ "$found" = "batches trained on: 100
'Tensor' object has no attribute 'available'
batches made by print: 1" ]
# Seen:
# batches trained on: 100
# 'Tensor' object has no attribute 'available'
# batches made by print: 1
