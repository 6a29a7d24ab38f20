"""Training through the command: resuming, stopping, saving, recording."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from conftest import CHECKOUT, assert_refused, literatim
from literatim.experiment import lightning
from literatim.experiment.options import import_path
from literatim.registry import card
from literatim.registry.recorded import FIELDS

EPOCHS = ("--trainer.max_epochs", "4")


def weights(runs: Path, number: int = 0) -> dict[str, torch.Tensor]:
    path = runs / "lenet" / "quick" / str(number) / "checkpoints" / "last.ckpt"
    return torch.load(path, weights_only=True)["state_dict"]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def curve(runs: Path, number: int = 0) -> list[str]:
    """The curve without its column of wall time."""
    rows = (runs / "lenet" / "quick" / str(number) / "curve.csv").read_text().splitlines()
    return [",".join(cell for i, cell in enumerate(row.split(",")) if i != 2) for row in rows]


def begin_and_stop(runs: Path, how: signal.Signals, after: str, delay: float = 0.3) -> tuple[int, str]:
    """Begin the quick run, send a signal some time after a line of its output; (status, what it said)."""
    command = [sys.executable, "-u", "-m", "literatim", "fit", "lenet", *EPOCHS, "--runs", str(runs)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    said = ""
    assert process.stderr
    while after not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    time.sleep(delay)
    process.send_signal(how)
    said += process.communicate(timeout=120)[1]
    return process.returncode, said


def test_a_run_folder_holds_everything(quick_runs):
    folder = quick_runs / "lenet" / "quick" / "0"
    assert {path.name for path in folder.iterdir()} == {
        "config.yaml", "curve.csv", "curve.png", "checkpoints", "record.json", "run.json"
    }  # fmt: skip
    assert curve(quick_runs)[0].startswith("epoch,step,")
    assert len(curve(quick_runs)) == 1 + 4


def test_a_record_says_what_was_run(quick_runs):
    record = json.loads((quick_runs / "lenet" / "quick" / "0" / "record.json").read_text())
    assert set(FIELDS) <= set(record)
    assert record["overrides"] == ["trainer.max_epochs=4"]
    assert (record["paper"], record["recipe"], record["variant"], record["seed"]) == ("lenet", "quick", "lenet5", 0)
    assert record["threads"] >= 1
    assert record["versions"]["torch"] == torch.__version__
    assert record["metrics"]["test_error"] < 20
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True).stdout.strip()
    assert record["commit"] == (head or None)


def test_the_same_seed_gives_the_same_weights_and_another_others(quick_runs, tmp_path):
    assert literatim("fit", "lenet", *EPOCHS, "--runs", str(tmp_path)).returncode == 0
    assert same(weights(quick_runs), weights(tmp_path))
    assert curve(quick_runs) == curve(tmp_path)
    assert literatim("fit", "lenet", *EPOCHS, "--runs", str(tmp_path), "--seed_everything", "1").returncode == 0
    assert not same(weights(quick_runs), weights(tmp_path, 1))


def test_kill_minus_nine_and_going_on_ends_bit_for_bit_the_same(quick_runs, tmp_path):
    status, _ = begin_and_stop(tmp_path, signal.SIGKILL, after="epoch 2/4")
    assert status == -signal.SIGKILL
    assert not same(weights(quick_runs), weights(tmp_path))
    assert literatim("fit", "lenet", "--ckpt_path", "last", "--runs", str(tmp_path)).returncode == 0
    assert same(weights(quick_runs), weights(tmp_path))
    assert curve(quick_runs) == curve(tmp_path)
    assert [path.name for path in (tmp_path / "lenet" / "quick").iterdir()] == ["0"]


def test_ctrl_c_saves_in_mid_epoch_and_says_how_to_go_on(quick_runs, tmp_path):
    status, said = begin_and_stop(tmp_path, signal.SIGINT, after="epoch 2/4")
    assert status == 2
    assert "Traceback" not in said
    command = said.strip().splitlines()[-1].split()
    assert command[:3] == ["literatim", "fit", "lenet"]
    saved = torch.load(command[-1], weights_only=True)
    assert 30 < saved["global_step"] < 60, "stopped within the third or fourth epoch"
    assert literatim(*command[1:], "--runs", str(tmp_path)).returncode == 0
    assert same(weights(quick_runs), weights(tmp_path))
    assert curve(quick_runs) == curve(tmp_path)


def test_going_on_refuses_what_the_checkpoint_has_decided(quick_runs):
    for option in ("--model.j=1", "--data.batch_size=7", "--seed_everything=3"):
        done = literatim("fit", "lenet", "--ckpt_path", "last", option, "--runs", str(quick_runs))
        assert_refused(done, option.split("=")[0], "new run")


def test_options_given_to_test_win_over_those_the_network_was_trained_with(tmp_path):
    short = ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1"]
    assert literatim("fit", "resnet", *short, cwd=tmp_path).returncode == 0
    tested = ["test", "resnet", "--ckpt_path", "last", "--trainer.limit_test_batches", "1"]
    said = {}
    for statistics in ("moving", "exact"):
        done = literatim(*tested, "--model.statistics", statistics, cwd=tmp_path)
        said[statistics] = re.search(r"test_response\W+([\d.]+)", done.stdout)[1]
    assert said["moving"] != said["exact"]


def test_a_loss_that_turns_nan_stops_and_says_where(tmp_path):
    done = literatim(
        "fit", "lenet", "--runs", str(tmp_path), "--model.optimizer", "adam", "--model.lr", "1e38",
        "--trainer.max_epochs", "2",
    )  # fmt: skip
    said = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "the loss became nan at step" in said
    assert "of epoch 1" in said
    assert not list(tmp_path.glob("lenet/quick/0/checkpoints/*"))


def test_a_full_disk_leaves_the_last_good_checkpoint(quick_runs, tmp_path):
    """A limit on the size of files stands for the full disk: it stops root too."""
    good = weights(quick_runs)
    folder = tmp_path / "lenet" / "quick"
    folder.mkdir(parents=True)
    subprocess.run(["cp", "-r", str(quick_runs / "lenet" / "quick" / "0"), str(folder)], check=True)
    command = [sys.executable, "-m", "literatim", "fit", "lenet", "--ckpt_path", "last", "--runs", str(tmp_path)]
    done = subprocess.run(
        [*command, "--trainer.max_epochs", "6"],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    said = done.stderr.strip().splitlines()[-1]
    assert "could not be saved" in said
    assert "last.ckpt, is untouched" in said
    assert same(good, weights(tmp_path))
    assert [path.name for path in (folder / "0" / "checkpoints").iterdir()] == ["last.ckpt"]


@pytest.mark.parametrize("content", [b"", b"no checkpoint", "cut", "foreign", "another paper"])
@pytest.mark.parametrize("command", ["fit", "test"])
def test_what_is_no_checkpoint_is_refused(quick_runs, tmp_path, content, command):
    path = tmp_path / "x.ckpt"
    whole = quick_runs / "lenet" / "quick" / "0" / "checkpoints" / "last.ckpt"
    if content == "cut":
        path.write_bytes(whole.read_bytes()[:50_000])
    elif content == "foreign":
        torch.save({"state_dict": {}}, path)
    elif content == "another paper":
        saved = torch.load(whole, weights_only=True)
        saved["literatim"]["paper"] = "alexnet"
        torch.save(saved, path)
    else:
        path.write_bytes(content)
    done = literatim(command, "lenet", "--ckpt_path", str(path), "--runs", str(tmp_path / "runs"))
    assert_refused(done, str(path))


def test_a_checkpoint_of_another_recipe_is_refused(quick_runs, tmp_path):
    last = str(quick_runs / "lenet" / "quick" / "0" / "checkpoints" / "last.ckpt")
    done = literatim("test", "lenet", "--recipe", "paper", "--ckpt_path", last, "--runs", str(tmp_path))
    assert_refused(done, "recipe quick", "recipe paper")


def test_a_checkpoint_holds_plain_data_only(quick_runs):
    path = quick_runs / "lenet" / "quick" / "0" / "checkpoints" / "last.ckpt"
    saved = torch.load(path, weights_only=True)
    assert saved["literatim"]["paper"] == "lenet"
    assert saved["hyper_parameters"]["variant"] == "lenet5"


def test_best_and_last_are_those_of_the_newest_run(quick_runs):
    done = literatim("test", "lenet", "--ckpt_path", "last", "--runs", str(quick_runs))
    assert done.returncode == 0
    assert "test_error" in done.stdout
    assert_refused(literatim("test", "lenet", "--ckpt_path", "best", "--runs", str(quick_runs)), "best")


def test_reproduce_records_skips_what_is_done_and_finishes_what_was_begun(tmp_path):
    """Against a copy of the cards whose recipe is short, so that its ledger is not ours."""
    cards = tmp_path / "papers"
    subprocess.run(["cp", "-r", str(CHECKOUT / "papers"), str(cards)], check=True)
    recipe = cards / "lenet" / "recipes" / "quick.yaml"
    recipe.write_text(recipe.read_text().replace("max_epochs: 12", "max_epochs: 3"))
    card = cards / "lenet" / "card.yaml"
    card.write_text(card.read_text().replace("at_most: 4.0", "at_most: 20.0"))
    run = ("reproduce", "lenet", "--runs", str(tmp_path / "runs"))
    env = {"LITERATIM_PAPERS": str(cards)}
    place = cards / "lenet" / "results" / "quick" / "lenet5-s0"
    subprocess.run(["rm", "-rf", str(place)], check=True)

    first = literatim(*run, **env)
    assert first.returncode == 0, first.stderr
    record = json.loads((place / "record.json").read_text())
    assert record["metrics"]["test_error"] < 20
    assert record["metrics"]["test_mistakes"] == round(3.6 * record["metrics"]["test_error"])
    assert (place / "curve.png").stat().st_size > 5_000
    assert "the card expects test_error at most 20.0: met" in first.stdout
    assert "parameters-total" in first.stdout

    begun = time.time()
    second = literatim(*run, **env)
    assert second.returncode == 0
    assert "run before" in second.stdout
    assert time.time() - begun < 60
    assert len(list((tmp_path / "runs" / "lenet" / "quick").iterdir())) == 1

    # The same run elsewhere, as by somebody who has just cloned: the ledger keeps the record it has.
    kept = (place / "record.json").read_bytes()
    other = literatim(*run[:2], "--runs", str(tmp_path / "others"), **env)
    assert other.returncode == 0, other.stderr
    assert "run before" not in other.stdout
    assert (place / "record.json").read_bytes() == kept
    assert (tmp_path / "others" / "lenet" / "quick" / "0" / "record.json").is_file()

    (tmp_path / "runs" / "lenet" / "quick" / "0" / "record.json").unlink()  # begun, not finished
    third = literatim(*run, **env)
    assert third.returncode == 0, third.stderr
    assert len(list((tmp_path / "runs" / "lenet" / "quick").iterdir())) == 1

    card.write_text(card.read_text().replace("at_most: 20.0", "at_most: 0.01"))
    missed = literatim(*run, **env)
    assert missed.returncode == 1
    assert "MISSED" in missed.stdout


def test_two_processes_train_together(tmp_path):
    """Two gloo ranks on the CPU: shares, metrics and the one run folder are right."""
    done = literatim(
        "fit", "lenet", "--runs", str(tmp_path), "--trainer.max_epochs", "1", "--trainer.devices", "2",
        "--trainer.accelerator", "cpu", "--trainer.strategy", "ddp", "--model.optimizer", "adam",
        "--data.watch", "[test,train]", OMP_NUM_THREADS="1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "lenet" / "quick" / "0" / "record.json").read_text())
    alone = literatim(
        "validate", "lenet", "--ckpt_path", "last", "--runs", str(tmp_path), "--data.watch", "[test,train]"
    )
    rows = [[cell.strip() for cell in row.split("│") if cell.strip()] for row in alone.stdout.splitlines()]
    found = {row[0]: float(row[1]) for row in rows if row and row[0].endswith("_error")}
    assert record["metrics"]["test_error"] == pytest.approx(found["test_error"], abs=1e-3)
    # Of 1,437 images one rank has one more than the other.
    assert record["metrics"]["train_error"] == pytest.approx(found["train_error"], abs=1e-4)
    assert [path.name for path in (tmp_path / "lenet" / "quick").iterdir()] == ["0"]
    alone = literatim(
        "fit", "lenet", "--runs", str(tmp_path), "--trainer.devices", "2", "--trainer.accelerator", "cpu",
        "--trainer.strategy", "ddp", OMP_NUM_THREADS="1",
    )  # fmt: skip
    assert alone.returncode != 0
    assert "runs on one device" in alone.stderr


@pytest.mark.skipif(torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="this processor has bf16 of its own")
def test_emulated_bf16_is_refused(tmp_path):
    assert_refused(literatim("fit", "lenet", "--trainer.precision", "bf16-mixed", "--runs", str(tmp_path)), "emulation")


def test_bf16_is_refused_only_where_it_is_emulated(monkeypatch):
    from types import SimpleNamespace

    from literatim.errors import LiteratimError
    from literatim.experiment.lightning import check_precision

    asked = SimpleNamespace(precision="bf16-mixed", accelerator="cpu")
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    with pytest.raises(LiteratimError, match="emulation"):
        check_precision(asked)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    check_precision(asked)


@pytest.mark.parametrize(
    ("bf16", "gpu", "paper", "precision"),
    [
        (True, False, "resnet", "bf16-mixed"),
        (False, False, "resnet", "32-true"),
        (True, True, "resnet", "32-true"),
        (True, False, "lenet", "32-true"),
    ],
)
def test_bf16_is_the_default_where_it_is_the_processors_own(monkeypatch, bf16, gpu, paper, precision):
    monkeypatch.setattr(lightning, "has_bf16", lambda: bf16)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: gpu)
    assert lightning.fastest_precision(import_path(card(paper).training)) == precision


def test_an_epoch_cut_short_does_not_repeat_the_errors_of_the_one_before(tmp_path):
    cut = ["--trainer.max_epochs", "-1", "--trainer.max_steps", "3", "--trainer.limit_train_batches", "2"]
    done = literatim("fit", "lenet", *cut, "--runs", str(tmp_path))
    assert "epoch 1/2" in done.stderr
    first, second = (
        dict(zip(curve(tmp_path)[0].split(","), row.split(","), strict=True)) for row in curve(tmp_path)[1:]
    )
    assert first["test_error"]
    assert (second["step"], second["test_error"]) == ("3", "")


def test_what_runs_write_does_not_make_the_tree_dirty(tmp_path, monkeypatch):
    """In a clone of the last commit: a new result is no change to the code, a new source file is."""
    from literatim.experiment import record

    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(clone)], check=True)
    monkeypatch.setattr(record, "PACKAGE", clone / "implementations" / "literatim")
    monkeypatch.setattr(record, "in_checkout", lambda: True)
    assert record.commit_and_dirty()[1] is False
    for written in ("results/new/x-s0/record.json", "weights/new.safetensors"):
        (path := clone / "papers" / "newpaper" / written).parent.mkdir(parents=True)
        path.write_text("{}")
    assert record.commit_and_dirty()[1] is False
    (clone / "implementations" / "literatim" / "new.py").write_text("")
    assert record.commit_and_dirty()[1] is True


assert os.name == "posix", "these tests send signals"


def test_a_whole_configuration_given_back_keeps_the_run_in_its_folder(tmp_path):
    """What --print_config writes says `default_root_dir: null`; the run's files belong into its folder all the same."""
    whole = literatim("fit", "lenet", "--trainer.max_epochs", "1", "--print_config", cwd=tmp_path)
    (tmp_path / "whole.yaml").write_text(whole.stdout)
    done = literatim("fit", "lenet", "--config", "whole.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"whole.yaml", "runs"}
    assert (tmp_path / "runs" / "lenet" / "quick" / "0" / "config.yaml").is_file()
