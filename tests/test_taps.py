"""Kernels that reach past a small map: bf16 on a processor leaves their gradient undefined, and is refused for it."""

import pytest
import torch
from torch import nn

from conftest import assert_refused, inside
from literatim.experiment import lightning, taps

TINY = ("--data.scale", "16", "--data.size", "12", "--data.eval_scale", "12", "--data.workers", "0",
        "--data.batch_size", "4", "--trainer.max_epochs", "1", "--model.weights", "null",
        "--model.variant", "resnet18", "--model.num_classes", "2", "--trainer.limit_train_batches", "1")  # fmt: skip


@pytest.mark.parametrize("kernel", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_what_a_kernel_misses_is_what_has_no_gradient(kernel, stride, dilation):
    for padding in range(kernel):
        layer = nn.Conv2d(1, 1, kernel, stride, padding, dilation)
        for size in range(max(1, dilation * (kernel - 1) + 1 - 2 * padding), 8):
            x = torch.ones(1, 1, size, 7 * dilation)  # wide enough, so that only the height counts
            (found,) = torch.autograd.grad(layer(x).sum(), layer.weight)
            rows_met, columns_met = found[0, 0].sum(1) > 0, found[0, 0].sum(0) > 0
            assert taps.misses(layer, x) == (not rows_met.all() or not columns_met.all())


def test_such_a_training_is_refused_before_its_first_step_and_goes_in_fp32(tmp_path, monkeypatch):
    from test_changed_images import photographs

    monkeypatch.setattr(lightning, "has_bf16", lambda: True)
    fit = ("fit", "resnet", "--recipe", "finetune", *TINY, "--data.root", str(photographs(tmp_path / "a", each=5)))
    done = inside(*fit, "--trainer.precision", "bf16-mixed", "--trainer.accelerator", "cpu", cwd=tmp_path)
    assert_refused(done, "conv5_x.conv5_1.first.conv are only 1x1", "--trainer.precision 32")
    assert not list((tmp_path / "runs").glob("*/*/*"))
    assert inside(*fit, "--trainer.precision", "32", cwd=tmp_path).returncode == 0
