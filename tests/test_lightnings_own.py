"""The private parts of Lightning and torch that ours rely on: where a version has moved one, it fails here at once."""

import inspect
from importlib.metadata import version

import pytest
from pytorch_lightning import Trainer
from pytorch_lightning.strategies.launchers import subprocess_script
from pytorch_lightning.trainer.connectors.logger_connector.result import _ResultCollection
from torch import tensor
from torch.nn import Module
from torch.nn.parallel import DistributedDataParallel

TRIED = "pytorch-lightning 2.6.6 and torch 2.14.1 (pyproject.toml: 2.6 and 2.6 or newer)"
FOUND = f"{version('pytorch-lightning')} and torch {version('torch')} are here, ours was tried with {TRIED}"
PARTS = {
    "plateau.py": ("fit_loop.epoch_loop._num_ready_batches_reached", "fit_loop.epoch_loop.update_lr_schedulers"),
    "means.py": ("fit_loop.epoch_loop._results",),
    "lightning.py": ("fit_loop._iteration_based_training", "_signal_connector.register_signal_handlers"),
}


@pytest.mark.parametrize(("file", "path"), [(file, path) for file, paths in PARTS.items() for path in paths])
def test_a_trainer_has_what_we_take_from_it(file, path):
    part = Trainer(logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu")
    for name in path.split("."):
        assert hasattr(part, name), f"{file} needs trainer.{path}: pytorch-lightning {FOUND}"
        part = getattr(part, name)


def test_an_epoch_is_ended_as_plateau_does_it():
    loop = Trainer(logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu").fit_loop
    names = inspect.signature(loop.epoch_loop.update_lr_schedulers).parameters
    assert {"interval", "update_plateau_schedulers"} <= set(names), FOUND


def test_processes_are_watched_by_a_function_that_can_be_replaced():
    assert callable(subprocess_script._launch_process_observer), f"voice.py: {FOUND}"


def test_results_are_kept_by_name_with_their_sums():
    results = _ResultCollection(training=True)
    results.log("training_step", "loss", tensor(3.0), batch_size=2)
    (name, result), *_ = results.items()
    assert name == "training_step.loss", f"means.py: {FOUND}"
    assert (result.value.item(), int(result.cumulated_batch_size), result.has_reset) == (6, 2, False), FOUND
    assert result.meta.is_mean_reduction, FOUND
    assert (result.meta.sync.should, result.meta.prog_bar, result.meta.is_sum_reduction) == (False, False, False), FOUND


def test_buffers_that_are_each_ranks_own_can_be_left_to_it():
    assert callable(DistributedDataParallel._set_params_and_buffers_to_ignore_for_model), f"ranks.py: {FOUND}"
    assert Module()._non_persistent_buffers_set == set(), f"ranks.py: {FOUND}"
