"""Going on with a run: with the same data, to the same bits."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_lightning import Trainer

from conftest import assert_refused, inside
from literatim.datasets.digits import Digits
from literatim.experiment.callbacks import Curve
from literatim.experiment.checkpoints import AtomicCheckpoints
from literatim.registry import card, heads

TINY = ("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1")
EPOCHS = ("--trainer.max_epochs", "4", "--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1")
STEPS = ("--trainer.max_epochs", "-1", "--trainer.max_steps", "7", *EPOCHS[2:])
FINETUNE = (
    "resnet", "--recipe", "finetune", "--data.root", "photos", "--model.num_classes", "2", "--model.variant",
    "resnet18", "--model.weights", "null", "--model.patience", "0", "--data.size", "32", "--data.eval_scale", "32",
    "--data.batch_size", "4", "--data.workers", "0",
)  # fmt: skip
SMALL = ("--data.batch_size", "8", "--data.eval_batch_size", "8")
MORE = {
    "alexnet": (*SMALL, "--model.patience", "0"),
    "backprop": ("--data.chunks", "2"),  # so that a run can be stopped within an epoch
    "elman": ("--data.chunks", "2"),
    "googlenet": SMALL,
    "resnet": SMALL,
    "vgg": ("--model.patience", "0"),
}
RUNS = {
    **{f"{paper} quick": (paper, *MORE.get(paper, ()), *EPOCHS) for paper in heads() if "quick" in card(paper).recipes},
    "word2vec skip-gram": ("word2vec", "--model.variant", "skip-gram", *EPOCHS),
    "resnet finetune": (*FINETUNE, *EPOCHS),
    "resnet finetune, by steps": (*FINETUNE, *STEPS),
    "vgg, by steps": ("vgg", *MORE["vgg"], *STEPS),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twelve images of noise in two classes."""
    folder = tmp_path_factory.mktemp("some") / "photos"
    draws = np.random.default_rng(0)
    for number in range(12):
        path = folder / f"class{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draws.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path)
    return folder


BY_THE_CLOCK = ("wall_s", "minutes", "words_per_second", "seconds")
# Written by ModelCheckpoint, which does not read its score back; the others are where the run lies.
UNREAD = (
    "current_score",
    "dirpath",
    "last_model_path",
    "best_model_path",
    "kth_best_model_path",
    "best_k_models",
    "config",
)


def same(one: Any, other: Any, at: str = "") -> list[str]:
    """Where two checkpoints differ, the time that was taken left out."""
    if isinstance(one, torch.Tensor):
        return [] if isinstance(other, torch.Tensor) and torch.equal(one, other) else [at]
    if isinstance(one, dict) and isinstance(other, dict):
        differing = [f"{at}/{key}" for key in one.keys() ^ other.keys() if key not in UNREAD]
        shared = [key for key in one if key in other and key not in (*BY_THE_CLOCK, *UNREAD)]
        return differing + [place for key in shared for place in same(one[key], other[key], f"{at}/{key}")]
    if isinstance(one, (list, tuple)) and len(one) == len(other):
        return [place for i, pair in enumerate(zip(one, other, strict=True)) for place in same(*pair, f"{at}/{i}")]
    return [] if one == other or (one != one and other != other) else [f"{at}: {one} {other}"]


def outcome(folder: Path) -> dict[str, Any]:
    with (folder / "curve.csv").open() as file:
        rows = [{name: cell for name, cell in row.items() if name not in BY_THE_CLOCK} for row in csv.DictReader(file)]
    metrics = json.loads((folder / "record.json").read_text())["metrics"]
    metrics = {name: value for name, value in metrics.items() if name not in BY_THE_CLOCK}
    saved = [torch.load(path, weights_only=True) for path in sorted((folder / "checkpoints").iterdir())]
    return {"saved": saved, "curve": rows, "metrics": metrics}


@pytest.mark.parametrize("run", RUNS)
def test_a_run_that_was_stopped_anywhere_ends_bit_for_bit_as_undisturbed(run, tmp_path, photos, monkeypatch, fault):
    """What a kill leaves is the disk when an epoch's checkpoint has been written; what a stop, one within an epoch."""
    (tmp_path / "photos").symlink_to(photos)
    save = AtomicCheckpoints.save_checkpoint

    def copied(self: AtomicCheckpoints, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        save(self, checkpoint, path)
        if Path(path).name == "last.ckpt":
            shutil.copytree(Path(path).parents[1], tmp_path / f"saved {len(list(tmp_path.glob('saved *')))}")

    def stopped(self: Curve, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if (trainer.current_epoch, batch_idx) == (2, 0):
            trainer.save_checkpoint(self.folder / "checkpoints" / "last.ckpt")

    with monkeypatch.context() as patch:
        patch.setattr(AtomicCheckpoints, "save_checkpoint", copied)
        patch.setattr(Curve, "on_train_batch_end", stopped)
        done = inside("fit", *RUNS[run], "--trainer.accelerator", "cpu", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = next((tmp_path / "runs").glob("*/*/0"))
    undisturbed = outcome(folder)
    for place, kind in ((0, "killed-after-an-epoch"), (1, "killed-after-an-epoch"), (2, "stopped-within-an-epoch")):
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / f"saved {place}", folder)
        done = inside("fit", RUNS[run][0], "--recipe", folder.parent.name, "--ckpt_path", "last", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert same(undisturbed, outcome(folder)) == [], kind
        fault(kind)


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
