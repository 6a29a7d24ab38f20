"""What may happen to a run's files: kills, flipped bits, full disks, others at work, checkpoints that do not fit."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import assert_refused, inside
from literatim.errors import LiteratimError
from literatim.experiment.checkpoints import read_checkpoint
from literatim.experiment.holding import clear_leftovers, held
from literatim.experiment.lightning import Request
from literatim.experiment.reproduce import reproduce
from literatim.experiment.runs import new_run_folder, write_atomically
from test_going_on import outcome, same

TINY = ("--trainer.max_epochs", "2", "--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1")
ON = ("fit", "lenet", "--ckpt_path", "last", "--trainer.max_epochs", "3")


@pytest.fixture(scope="module")
def two_epochs(tmp_path_factory):
    """A folder with a finished run of two epochs."""
    folder = tmp_path_factory.mktemp("two")
    assert inside("fit", "lenet", *TINY, cwd=folder).returncode == 0
    return folder


@pytest.fixture
def run(two_epochs, tmp_path):
    """A copy of that run's folder, in runs/ of tmp_path."""
    shutil.copytree(two_epochs / "runs", tmp_path / "runs")
    return tmp_path / "runs" / "lenet" / "quick" / "0"


@pytest.fixture(scope="module")
def third_epoch(two_epochs, tmp_path_factory):
    """What the run comes to in a third epoch."""
    folder = tmp_path_factory.mktemp("third")
    shutil.copytree(two_epochs / "runs", folder / "runs")
    assert inside(*ON, cwd=folder).returncode == 0
    return outcome(folder / "runs" / "lenet" / "quick" / "0")


def begin(barrier: Any, root: Path, found: Any) -> None:
    for _ in range(30):
        barrier.wait()
        found.put(str(new_run_folder(root, "lenet", "quick")))


def test_processes_that_begin_at_the_same_moment_get_folders_of_their_own(tmp_path, fault):
    context = multiprocessing.get_context("fork")
    barrier, found = context.Barrier(8), context.Queue()
    processes = [context.Process(target=begin, args=(barrier, tmp_path, found)) for _ in range(8)]
    for process in processes:
        process.start()
    folders = [found.get(timeout=60) for _ in range(8 * 30)]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert len(set(folders)) == 240
    assert sorted(int(Path(folder).name) for folder in folders) == list(range(240))
    fault("begun-at-once", 240)


def test_a_run_that_another_process_is_at_work_on_is_not_gone_on_with(run, tmp_path, fault):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with held(run):
        assert_refused(inside(*ON, cwd=tmp_path), str(run), f"another process ({os.getpid()})")
        assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
        assert inside("test", "lenet", "--ckpt_path", "last", cwd=tmp_path).returncode == 0
    assert inside(*ON, cwd=tmp_path).returncode == 0
    fault("two-go-on")


def test_the_hold_on_a_run_ends_with_its_process_however_that_ends(run):
    holding = "import sys, time; from pathlib import Path; from literatim.experiment.holding import held\n"
    holding += "with held(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", holding, str(run)], stdout=subprocess.PIPE, text=True)
    assert other.stdout
    assert other.stdout.readline() == "held\n"
    with pytest.raises(LiteratimError, match=str(other.pid)), held(run):
        pass
    other.send_signal(signal.SIGKILL)
    other.wait()
    hears, says = os.pipe()
    with held(run):
        reader = os.fork()  # as those that read data are, which may outlive the process
        if not reader:
            os.write(says, b"x")
            signal.pause()
        os.read(hears, 1)
    try:
        with held(run):
            pass
    finally:
        os.kill(reader, signal.SIGKILL)
        os.waitpid(reader, 0)


def test_every_flipped_bit_of_a_checkpoint_is_found_and_another_one_named(run, tmp_path, fault):
    path = run / "checkpoints" / "last.ckpt"
    whole = path.read_bytes()
    shutil.copyfile(path, best := path.with_name("best.ckpt"))
    good = read_checkpoint(path)
    with zipfile.ZipFile(path) as parts:
        inside_parts = [
            (part.header_offset + 30 + len(part.filename), part.file_size)
            for part in parts.infolist()
            if part.file_size
        ]
    draws = random.Random(0)
    found = 0
    for tried in range(500):
        content = bytearray(whole)
        if tried % 5:  # somewhere in the file; else in one of its parts, of which the pickle is the first
            place = draws.randrange(len(whole))
        else:
            start, size = inside_parts[0 if tried % 10 else draws.randrange(len(inside_parts))]
            place = start + draws.randrange(size)
        content[place] ^= 1 << draws.randrange(8)
        path.write_bytes(content)
        said = ""
        try:
            read = read_checkpoint(path)
        except LiteratimError as error:
            said = str(error)
        if said:
            assert said.startswith(f"{path}: ")
            assert f"the last good one of the run is {best}" in said
            found += 1
        else:
            assert same(good, read) == [], f"a bit of byte {place} has been flipped"
    assert found > 400, "in between there are bytes that nothing reads"
    fault("flipped-bit", 500)
    path.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    best.write_bytes(whole[:90_000])
    for command in (ON, ("test", "lenet", "--ckpt_path", "last")):
        assert_refused(inside(*command, cwd=tmp_path), str(path), "there is no other one of the run that is whole")


def change(path: str, value: Any) -> Any:
    """A change of what lies at a path in a checkpoint; `...` takes it out."""

    def changed(saved: dict[str, Any]) -> None:
        *steps, last = path.split("/")
        for step in steps:
            saved = saved[int(step) if isinstance(saved, list) else step]
        if value is ...:
            del saved[last]
        else:
            saved[last] = value(saved.get(last)) if callable(value) else value

    return changed


WEIGHTS, SGD = "state_dict/net.c1.weight", "optimizer_states/0/"
UNFIT = {
    "weights of another shape": (change(WEIGHTS, torch.zeros(7, 1, 5, 5)), "net.c1.weight is 7, 1, 5, 5 there"),
    "weights missing": (change(WEIGHTS, ...), "it lacks net.c1.weight"),
    "weights of another network": (change("state_dict/net.c9.weight", torch.zeros(1)), "it has net.c9.weight"),
    "weights that are no tensor": (change(WEIGHTS, "x"), "state_dict.net.c1.weight"),
    "weights that are not a number": (change(WEIGHTS, lambda w: w.fill_(torch.nan)), "not a number in net.c1.weight"),
    "no weights": (change("state_dict", ...), "state_dict"),
    "identity a list": (change("literatim", ["lenet"]), "literatim"),
    "identity without paper": (change("literatim/paper", ...), "literatim.paper"),
    "identity with another recipe": (change("literatim/recipe", None), "literatim.recipe"),
    "options null": (change("literatim/options", None), "literatim.options"),
    "hyper-parameters null": (change("hyper_parameters", None), "hyper_parameters"),
    "no state of optimisers": (change("optimizer_states", ...), "optimizer_states"),
    "one optimiser more": (change("optimizer_states", lambda states: states * 2), "optimiser"),
    "no optimiser": (change("optimizer_states", []), "optimiser"),
    "groups of another size": (change(SGD + "param_groups/0/params", [0]), "optimiser"),
    "groups a number": (change(SGD + "param_groups", 3), "optimiser"),
    "a schedule more": (change("lr_schedulers", [{"last_epoch": 1}]), "optimiser"),
    "callbacks a list": (change("callbacks", []), "callbacks"),
    "no random state": (change("callbacks/Identity", ...), "callbacks.Identity"),
    "random state of another size": (change("callbacks/Identity/torch", torch.zeros(3, dtype=torch.uint8)), "random"),
    "random state of another kind": (change("callbacks/Identity/numpy/bit_generator", "PCG64"), "random"),
    "curve no list": (change("callbacks/Curve/rows", "x"), "callbacks.Curve.rows"),
    "an epoch below zero": (change("epoch", -1), "epoch"),
    "loops null": (change("loops", None), "loops"),
    "loops without an epoch": (change("loops/fit_loop/epoch_progress", 3), "cannot be taken over"),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_a_checkpoint_that_is_whole_and_does_not_fit_is_refused_in_a_sentence(kind, run, tmp_path, fault):
    path = run / "checkpoints" / "last.ckpt"
    saved = torch.load(path, weights_only=True)
    changed, words = UNFIT[kind]
    changed(saved)
    torch.save(saved, path)
    before = path.read_bytes()
    assert_refused(inside(*ON, cwd=tmp_path), words)
    assert path.read_bytes() == before
    if kind in list(UNFIT)[:11]:  # the others are of training alone
        assert_refused(inside("test", "lenet", "--ckpt_path", "last", cwd=tmp_path), words)
    fault("does-not-fit")


@pytest.mark.parametrize("name", ["run.json", "config.yaml"])
@pytest.mark.parametrize("content", ["", "{", "[]", "{}", None])
def test_a_run_whose_files_were_lost_or_cut_goes_on_as_what_it_is(name, content, run, tmp_path, third_epoch, fault):
    if content is None:
        (run / name).unlink()
    else:
        (run / name).write_text(content)
    done = inside(*ON, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert same(third_epoch, outcome(run)) == []
    record = json.loads((run / "record.json").read_text())
    assert {"trainer.limit_train_batches=2", "trainer.max_epochs=3"} <= set(record["overrides"])
    assert [path.name for path in run.parent.iterdir()] == ["0"]
    fault("file-lost")


def test_options_given_on_going_on_hold_when_it_goes_on_once_more(run, tmp_path):
    assert inside(*ON, cwd=tmp_path).returncode == 0
    config = (run / "config.yaml").read_bytes()
    (run / "record.json").unlink()
    done = inside("fit", "lenet", "--ckpt_path", "last", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (run / "config.yaml").read_bytes() == config, "it is written once"
    assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 2
    assert "trainer.max_epochs=3" in json.loads((run / "record.json").read_text())["overrides"]


def test_a_run_that_was_moved_goes_on_where_it_is(run, tmp_path, third_epoch):
    assert str(tmp_path) not in (run / "config.yaml").read_text()
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    done = inside(*ON, "--runs", "elsewhere", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]
    assert same(third_epoch, outcome(tmp_path / "elsewhere" / "lenet" / "quick" / "0")) == []


def test_what_killed_processes_left_is_cleared_and_nothing_else(run, tmp_path, fault):
    gone = subprocess.Popen(["true"])
    gone.wait()
    ours = [run / f".{name}.{gone.pid}" for name in ("curve.csv", "record.json", "run.json", "config.yaml")]
    ours += [run / "checkpoints" / f".{name}.{gone.pid}" for name in ("last.ckpt", "best.ckpt")]
    theirs = [run / f".curve.csv.{os.getppid()}", run / f".notes.{gone.pid}", run / ".hidden", run / "curve.csv.1"]
    for begun in (("fit", "lenet", *TINY, "--trainer.max_epochs", "1"), ON):
        for path in ours + theirs:
            path.write_text("x")
        assert inside(*begun, "--runs", "runs", cwd=tmp_path).returncode == 0 or begun is ON
        if begun is not ON:
            shutil.rmtree(run.parent / "1")
        assert [path for path in ours + theirs if path.exists()] == theirs
    place = tmp_path / "papers" / "lenet" / "results" / "quick" / "lenet5-s0" / f".record.json.{gone.pid}"
    place.parent.mkdir(parents=True)
    place.write_text("x")
    clear_leftovers(tmp_path / "papers" / "lenet")
    assert not place.exists()
    fault("left-over", 2 * len(ours) + 1)


def test_a_full_disk_leaves_the_file_that_was_there_and_is_named(tmp_path, fault):
    path = tmp_path / "curve.csv"
    write_atomically(path, "good")
    full = "import resource, sys; from pathlib import Path; from literatim.experiment.runs import write_atomically\n"
    full += "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    full += "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); write_atomically(Path(sys.argv[1]), 'x' * 5000)"
    done = subprocess.run([sys.executable, "-c", full, str(path)], capture_output=True, text=True)
    assert f"File too large: '{path}'" in done.stderr
    assert path.read_text() == "good"
    assert list(tmp_path.iterdir()) == [path]
    fault("disk-full")


def test_a_newer_run_without_a_checkpoint_is_not_passed_over_in_silence(run, tmp_path):
    (run.parent / "1" / "checkpoints").mkdir(parents=True)
    done = inside(*ON, cwd=tmp_path)
    assert done.returncode == 0
    assert f"{Path('runs/lenet/quick/1')} passed over: no checkpoint called last in it" in done.stderr


def test_reproduce_does_not_take_a_run_on_other_data_for_the_same(papers, tmp_path, fault):
    text = tmp_path / "a.txt"
    text.write_text("the cat sat on the mat and the dog sat on the cat\n" * 60)
    tiny = ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--data.source", str(text)]
    asked = Request("reproduce", "word2vec", "quick", [*tiny, "--data.min_count", "1"])

    def run_before() -> bool:
        return reproduce(asked, tmp_path / "runs", "skip-gram", 0, False)[3]

    assert [run_before(), run_before()] == [False, True]
    text.write_text("the dog sat on the mat and the cat sat on the dog\n" * 60)
    assert [run_before(), run_before()] == [False, True]
    fault("data-changed")
