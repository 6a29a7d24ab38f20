"""Going on with a run: with the same data, to the same bits."""

import json

import torch

from conftest import assert_refused, inside
from literatim.datasets.digits import Digits

TINY = ("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1")


def test_a_run_goes_on_with_the_data_it_began_with_or_not_at_all(tmp_path, monkeypatch, fault):
    monkeypatch.setattr(Digits, "fingerprint", lambda self: "one", raising=False)
    assert inside("fit", "lenet", *TINY, cwd=tmp_path).returncode == 0
    folder = tmp_path / "runs" / "lenet" / "quick" / "0"
    for name in ("run.json", "record.json"):
        assert json.loads((folder / name).read_text())["fingerprint"] == "one"
    saved = folder / "checkpoints" / "last.ckpt"
    assert torch.load(saved, weights_only=True)["literatim"]["fingerprint"] == "one"
    before = saved.read_bytes()
    on = ("fit", "lenet", "--ckpt_path", "last", "--trainer.max_epochs", "2")
    monkeypatch.setattr(Digits, "fingerprint", lambda self: "other", raising=False)
    assert_refused(inside(*on, cwd=tmp_path), "the data are not those the run began with", "literatim fit lenet")
    assert saved.read_bytes() == before
    monkeypatch.setattr(Digits, "fingerprint", lambda self: "one", raising=False)
    assert inside(*on, cwd=tmp_path).returncode == 0
    fault("data-changed")
