"""Several processes: one run, one folder, one record, one sentence; signals end a run with everything saved."""

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from conftest import assert_refused, inside
from literatim.experiment.launch import launch
from literatim.papers.alexnet.training import AlexNetTraining
from literatim.papers.gan.training import GANTraining
from literatim.papers.lenet.training import LeNetTraining
from literatim.papers.resnet.training import ResNetTraining
from test_imagefolder import photographs_in

LENET = ("lenet", "--model.optimizer", "adam", "--trainer.accelerator", "cpu")
TINY = (*LENET, "--trainer.max_epochs", "1", "--trainer.limit_train_batches", "3", "--trainer.limit_val_batches", "1")
TWO = ("--trainer.devices", "2", "--trainer.strategy", "ddp")


def start(*args: str, cwd: Path, **env: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "literatim", *args]
    quiet = {**os.environ, "OMP_NUM_THREADS": "1", **env}
    return subprocess.Popen(command, cwd=cwd, env=quiet, stdout=-1, stderr=-1, text=True)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return str(probe.getsockname()[1])


def torchrun(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", free_port()]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, "-m", "literatim", *args], cwd=cwd, env=env, capture_output=True, text=True, timeout=120
    )


def folders(runs: Path) -> list[str]:
    return sorted(path.name for path in (runs / "lenet" / "quick").iterdir())


def last(runs: Path) -> dict[str, torch.Tensor]:
    path = runs / "runs" / "lenet" / "quick" / "0" / "checkpoints" / "last.ckpt"
    return torch.load(path, weights_only=True)["state_dict"]


def curve(folder: Path) -> list[str]:
    rows = next(folder.glob("runs/*/quick/0/curve.csv")).read_text().splitlines()
    return [",".join(cell for i, cell in enumerate(row.split(",")) if i != 2) for row in rows]


# --- Launchers ------------------------------------------------------------------------------------------


def test_torchrun_makes_one_run_of_its_processes_and_prints_once(tmp_path):
    done = torchrun("fit", *TINY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert folders(tmp_path / "runs") == ["0"]
    assert done.stdout.count("run  runs/lenet/quick/0") == 1
    assert done.stderr.count("epoch 1/1") == 1
    record = json.loads((tmp_path / "runs/lenet/quick/0/record.json").read_text())
    assert {"trainer.devices=2", "trainer.strategy=ddp"} <= set(record["overrides"]), "not the recipe's own batches"


def by_slurm(rank: int, port: str) -> dict[str, str]:
    of = {"JOB_ID": "7", "JOB_NAME": "x", "NTASKS": "2", "NTASKS_PER_NODE": "2", "NNODES": "1", "NODEID": "0"}
    of |= {"PROCID": str(rank), "LOCALID": str(rank), "NODELIST": "localhost", "JOB_NODELIST": "localhost"}
    return {"MASTER_PORT": port, **{f"SLURM_{name}": value for name, value in of.items()}}


def by_kubernetes(rank: int, port: str) -> dict[str, str]:
    return {"MASTER_ADDR": "localhost", "MASTER_PORT": port, "WORLD_SIZE": "2", "RANK": str(rank)}


@pytest.mark.parametrize("by", [by_slurm, by_kubernetes])
def test_a_mistake_is_said_by_the_first_process_alone(tmp_path, by, monkeypatch):
    said = [inside("fit", *TINY, "--model.lrr", "3", cwd=tmp_path, **by(rank, "1")) for rank in (0, 1)]
    assert_refused(said[0], "--model.lrr")
    assert (said[1].returncode, said[1].stderr) == (2, "")
    assert not list(tmp_path.glob("runs/lenet/quick/*"))


@pytest.mark.parametrize("by", [by_slurm, by_kubernetes])
def test_options_for_another_number_of_processes_are_refused(tmp_path, by):
    given = ("--trainer.devices", "3", "--trainer.num_nodes", "1")
    assert_refused(inside("fit", *TINY, *given, cwd=tmp_path, **by(0, "1")), "has started 2 processes", "leave")


@pytest.mark.parametrize("value", ["", "two", "-1", None])
def test_a_variable_that_is_no_number_is_named(tmp_path, value, monkeypatch):
    env = by_slurm(0, "1")
    env.pop("SLURM_PROCID")
    assert_refused(
        inside("fit", *TINY, cwd=tmp_path, **env, **({"SLURM_PROCID": value} if value is not None else {})),
        "SLURM_PROCID",
        "whole number",
    )


@pytest.mark.parametrize("name", ["bash", "interactive"])
def test_an_interactive_job_is_one_process(monkeypatch, name):
    for variable, value in {**by_slurm(1, "1"), "SLURM_JOB_NAME": name}.items():
        monkeypatch.setenv(variable, value)
    assert launch() is None


@pytest.mark.parametrize("strategy", ["ddp_spawn", "ddp_fork", "ddp_notebook", "ddp_fork_find_unused_parameters_true"])
def test_strategies_that_fork_are_refused_at_the_start(tmp_path, strategy):
    done = inside("fit", *TINY, "--trainer.devices", "2", "--trainer.strategy", strategy, cwd=tmp_path)
    assert_refused(done, strategy, "take ddp")
    assert not list(tmp_path.glob("runs/lenet/quick/*"))


def test_fsdp_without_a_gpu_is_refused_in_a_sentence(tmp_path):
    cpu = ("vgg", "--trainer.accelerator", "cpu", "--trainer.devices", "2", "--trainer.strategy", "fsdp")
    assert_refused(inside("fit", *cpu, cwd=tmp_path), "fsdp")


def test_predict_on_two_devices_answers_for_each_file_once_and_in_order(tmp_path):
    from PIL import Image

    files = [f"{i}.png" for i in range(3)]
    for i, file in enumerate(files):
        picture = Image.new("L", (28, 28))
        picture.paste(255, (6 + 4 * i, 4, 10 + 4 * i, 24))
        picture.save(tmp_path / file)
    alone = inside("predict", "lenet", *files, cwd=tmp_path)
    two = start("predict", "lenet", *files, "--trainer.accelerator", "cpu", *TWO, cwd=tmp_path)
    assert two.communicate(timeout=120)[0] == alone.stdout
    assert [line.split(":")[0] for line in alone.stdout.splitlines()] == files


# --- Signals --------------------------------------------------------------------------------------------


def children(process: subprocess.Popen[str]) -> list[int]:
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in found]


def stopped(process: subprocess.Popen[str], number: int, whom: str = "main") -> tuple[int, str, float]:
    """Send a signal in the second epoch: (status, what was said, seconds until the end)."""
    assert process.stderr
    said = ""
    while "epoch 1/" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    time.sleep(0.2)
    whose = {"main": [process.pid], "child": children(process)[:1], "both": [process.pid, *children(process)[:1]]}
    began = time.monotonic()
    for pid in whose[whom]:
        os.kill(pid, number)
    said += process.communicate(timeout=60)[1]
    return process.returncode, said, time.monotonic() - began


LONG = (*LENET, "--data.batch_size", "4", "--trainer.max_epochs", "2")


@pytest.mark.parametrize(
    ("number", "status", "env"),
    [(signal.SIGTERM, 143, {}), (signal.SIGUSR1, 138, {**by_slurm(0, "1"), "SLURM_NTASKS": "1"})],
    ids=["SIGTERM", "SLURM's SIGUSR1"],
)
def test_a_signal_saves_in_mid_epoch_and_names_the_command_that_goes_on(tmp_path, number, status, env, fault):
    env |= {"SLURM_NTASKS_PER_NODE": "1"} if env else {}
    found, said, _ = stopped(start("fit", *LONG, cwd=tmp_path, **env), number)
    assert found == status, said
    assert "Traceback" not in said
    command = said.strip().splitlines()[-1].split()
    assert command[:3] == ["literatim", "fit", "lenet"]
    assert 360 < torch.load(tmp_path / command[-1], weights_only=True)["global_step"] < 720
    assert inside(*command[1:], cwd=tmp_path).returncode == 0
    alone = tmp_path / "alone"
    alone.mkdir()
    assert inside("fit", *LONG, cwd=alone).returncode == 0
    assert all(torch.equal(value, last(alone)[name]) for name, value in last(tmp_path).items())
    assert curve(tmp_path) == curve(alone)
    fault("signal")


@pytest.mark.parametrize(
    ("number", "whom", "status"),
    [(signal.SIGTERM, "child", 143), (signal.SIGTERM, "both", 143), (signal.SIGINT, "main", 2)],
)
def test_two_processes_agree_where_to_stop(tmp_path, number, whom, status, fault):
    found, said, seconds = stopped(start("fit", *LONG, *TWO, cwd=tmp_path), number, whom)
    assert found == status, said
    assert seconds < 30
    assert said.count("literatim: stopped, everything is saved") == 1
    assert "Traceback" not in said
    fault("signal")


def test_a_killed_process_ends_the_others_in_one_sentence(tmp_path, fault):
    found, said, seconds = stopped(start("fit", *LONG, *TWO, cwd=tmp_path), signal.SIGKILL, "child")
    assert found == 2, said
    assert seconds < 30
    assert [line for line in said.splitlines() if not line.startswith("epoch")] == [
        line for line in said.splitlines() if line.startswith("literatim: a process of this training was ended")
    ]
    fault("process-killed")


def test_a_loss_that_is_not_a_number_is_said_once_by_two_processes(tmp_path):
    done = start("fit", *TINY, *TWO, "--model.lr", "1e38", cwd=tmp_path)
    said = done.communicate(timeout=120)[1]
    assert done.returncode == 2
    assert said.count("literatim: ") == 1, said
    assert "the loss became nan" in said or "a step is too large" in said  # as the rates go
    assert "Traceback" not in said


SHORT = ("--trainer.max_epochs", "2", "--trainer.limit_train_batches", "3", "--trainer.limit_val_batches", "1")
SMALL = {
    "lenet": (LeNetTraining, ()),
    "gan": (GANTraining, ("--model.samples", "100")),
    "alexnet": (AlexNetTraining, ()),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("batch", [0, 2])
@pytest.mark.parametrize("paper", ["lenet", "gan"])
def test_a_stop_in_any_batch_of_an_epoch_goes_on_to_the_same_bits(tmp_path, monkeypatch, paper, batch, number, fault):
    module, options = SMALL[paper]
    args = ("fit", paper, *options, *SHORT)
    alone, cut = tmp_path / "alone", tmp_path / "cut"
    for folder in (alone, cut):
        folder.mkdir()
    assert inside(*args, cwd=alone).returncode == 0
    with monkeypatch.context() as patch:
        step = module.training_step

        def interrupted(self, data, batch_idx):
            if (self.current_epoch, batch_idx) == (0, batch):
                os.kill(os.getpid(), number)
            return step(self, data, batch_idx)

        patch.setattr(module, "training_step", interrupted)
        done = inside(*args, cwd=cut)
    assert done.returncode == {signal.SIGINT: 2, signal.SIGTERM: 143}[number]
    command = done.stderr.strip().splitlines()[-1].split()
    assert inside(*command[1:], cwd=cut).returncode == 0
    states = [torch.load(next(f.glob("runs/*/quick/0/checkpoints/last.ckpt")), weights_only=True) for f in (alone, cut)]
    assert all(torch.equal(value, states[1]["state_dict"][name]) for name, value in states[0]["state_dict"].items())
    assert curve(alone) == curve(cut)
    fault("signal")


def test_a_signal_before_the_first_batch_leaves_nothing_and_says_how_to_begin_again(tmp_path, monkeypatch, fault):
    monkeypatch.setattr(LeNetTraining, "configure_optimizers", lambda self: os.kill(os.getpid(), signal.SIGTERM))
    done = inside("fit", *TINY, cwd=tmp_path)
    assert done.returncode == 143
    assert "begin again with:\n  literatim fit lenet --recipe quick --model.optimizer adam" in done.stderr
    assert not list(tmp_path.glob("runs/lenet/quick/*"))
    fault("signal")


def test_a_signal_while_reproduce_tests_loses_nothing(tmp_path, monkeypatch, fault):
    monkeypatch.setattr(LeNetTraining, "test_step", lambda *args: os.kill(os.getpid(), signal.SIGTERM))
    done = inside("reproduce", *TINY, "--seed", "3", cwd=tmp_path)
    assert done.returncode == 143
    assert "go on with:\n  literatim reproduce lenet --seed 3" in done.stderr
    assert (tmp_path / "runs/lenet/quick/0/checkpoints/last.ckpt").is_file()
    monkeypatch.undo()
    monkeypatch.setattr(LeNetTraining, "on_train_batch_start", lambda *args: pytest.fail("it is trained again"))
    monkeypatch.setattr("literatim.experiment.record.in_checkout", lambda: False)
    command = done.stderr.strip().splitlines()[-1].split()
    assert "test_error" in inside(*command[1:], cwd=tmp_path).stdout
    fault("signal")


@pytest.mark.parametrize("hook", ["training_step", "on_train_batch_start"])
def test_a_killed_reader_of_images_is_a_sentence_wherever_torch_notices(tmp_path, monkeypatch, hook, fault):
    root = photographs_in(tmp_path / "photographs", each=20)

    def kill(*args: object) -> None:
        for reader in multiprocessing.active_children():
            os.kill(reader.pid, signal.SIGKILL)
        time.sleep(5)  # torch's handler raises in here

    monkeypatch.setattr(ResNetTraining, hook, kill)
    given = ("--recipe", "finetune", "--data.root", str(root), "--data.workers", "1", "--data.batch_size", "2")
    small = ("--model.variant", "resnet20", "--model.weights", "null", "--model.num_classes", "2", "--data.size", "32")
    done = inside("fit", "resnet", *given, *small, cwd=tmp_path)
    assert_refused(done, "a process that reads images was stopped from outside", "--data.workers")
    fault("process-killed")
