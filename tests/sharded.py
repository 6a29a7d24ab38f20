"""VGG by FSDP on the CPU, dropout switched off: `python sharded.py COMMAND RUNS FACTOR [options]`.

Lightning refuses FSDPStrategy itself without a GPU. FACTOR is 1 in each of two processes and 2 in one that is to do the
same, without FSDP.
"""

import sys

import torch
from pytorch_lightning.strategies import FSDPStrategy
from torch.distributed.fsdp import FullyShardedDataParallel


class OnCPU(FSDPStrategy):
    """Under this name Lightning takes it; torch has to be told that the device is meant."""

    def _setup_model(self, model: torch.nn.Module) -> torch.nn.Module:
        return FullyShardedDataParallel(
            model, device_id=torch.device("cpu"), sharding_strategy=self.sharding_strategy, **self.kwargs
        )


if __name__ == "__main__":
    from literatim.cli import main
    from without_noise import quieten

    torch.set_num_threads(1)
    quieten()
    command, runs, factor, *options = sys.argv[1:]
    given = [command, "vgg", "--runs", runs, "--trainer.accelerator", "cpu", *options]
    if factor == "1":
        given += [
            "--allow_code",
            "sharded",
            "--trainer.strategy",
            "{class_path: sharded.OnCPU}",
            "--trainer.devices",
            "2",
        ]
    if command == "fit" and "--ckpt_path" not in options:
        given += ["--data.batch_size", str(8 * int(factor)), "--data.eval_batch_size", str(40 * int(factor))]
        given += ["--trainer.precision", "32", "--trainer.limit_train_batches", "6"]
    sys.exit(main([*given, "--trainer.limit_val_batches" if command == "fit" else "--trainer.limit_test_batches", "2"]))
