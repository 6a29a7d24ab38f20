"""Carrying records over changes of code: only what comes out the same, bit for bit, is carried."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from conftest import CHECKOUT, sound_record
from literatim.experiment.carry import differences
from literatim.experiment.record import same_run

TRAINING = Path("implementations/literatim/papers/lenet/training.py")
RECORD = Path("papers/lenet/results/quick/lenet5-s0/record.json")


def checkpoint() -> dict:
    random = {"torch": torch.arange(9), "numpy": {"state": {"key": torch.arange(4), "pos": 3}}}
    return {
        "state_dict": {"w": torch.ones(2, 3)},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]}],
        "global_step": 30,
        "callbacks": {"Curve": {"rows": [{"epoch": 1, "test_error": 5.0, "wall_s": 1.0}]}, "Identity": random},
        "record": {"metrics": {"test_error": 5.0, "minutes": 1.0}},
    }


def alter(found: dict, *steps: object, to: object) -> None:
    *before, last = steps
    for step in before:
        found = found[step]
    found[last] = to


CHANGES = {
    "a weight": (("state_dict", "w"), torch.ones(2, 3).nextafter(torch.tensor(2.0))),
    "a weight of another kind": (("state_dict", "w"), torch.ones(2, 3).double()),
    "a weight more": (("state_dict", "b"), torch.ones(1)),
    "a moment": (("optimizer_states", 0, "state", 0, "exp_avg"), torch.tensor([0.0, 0.0, 1e-30])),
    "a rate": (("optimizer_states", 0, "param_groups", 0, "lr"), 0.2),
    "a random number": (("callbacks", "Identity", "numpy", "state", "pos"), 4),
    "an epoch's error": (("callbacks", "Curve", "rows", 0, "test_error"), 5.1),
    "an epoch more": (("callbacks", "Curve", "rows"), []),
    "the test": (("record", "metrics", "test_error"), 4.9),
    "a step more": (("global_step",), 31),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_bit_is_a_difference(change):
    old, new = checkpoint(), checkpoint()
    alter(new, *CHANGES[change][0], to=CHANGES[change][1])
    assert len(list(differences(old, new))) == 1


def test_how_long_it_took_is_none():
    old, new = checkpoint(), checkpoint()
    alter(new, "record", "metrics", "minutes", to=2.0)
    alter(new, "callbacks", "Curve", "rows", 0, "wall_s", to=2.0)
    assert not list(differences(old, new))


def test_whole_numbers_in_a_wider_kind_are_the_same_and_another_number_is_not():
    old, new = checkpoint(), checkpoint()
    key = ("callbacks", "Identity", "numpy", "state", "key")
    alter(old, *key, to=torch.tensor([0, 1, 2, 2**32 - 1], dtype=torch.uint32))
    alter(new, *key, to=torch.tensor([0, 1, 2, 2**32 - 1]))
    assert not list(differences(old, new))
    alter(new, *key, to=torch.tensor([0, 1, 2, -1]))
    assert list(differences(old, new)) == ["identity.numpy.state.key"]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the last commit, with the record of a run that was made there."""
    folder = tmp_path_factory.mktemp("carry") / "clone"
    subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(folder)], check=True)
    shutil.rmtree(folder / "papers/lenet/results/quick/lenet5-s1")
    shutil.rmtree(folder / "papers/lenet/results/quick/lenet5-s2")
    record = json.loads((folder / RECORD).read_text())
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
    (folder / RECORD).write_text(json.dumps(record | {"commit": head.stdout.strip()}))
    return folder


@pytest.mark.parametrize(
    ("old", "new", "status", "said"),
    [
        ("done = self.global_step /", "done = 1.0 * self.global_step /", 0, "the same bits over 2 steps: carried"),
        ("SCHEDULE = ((2, 0.0005)", "SCHEDULE = ((2, 0.0004)", 1, "differs in weights."),
    ],
    ids=["another way to say the same", "another schedule"],
)
def test_a_record_is_carried_where_and_only_where_its_run_begins_the_same(clone, old, new, status, said):
    text = (clone / TRAINING).read_text()
    assert text.count(old) == 1
    before = (clone / RECORD).read_text()
    (clone / TRAINING).write_text(text.replace(old, new))
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "commit", "-qam", "changed"], cwd=clone, check=True)
    command = [sys.executable, "-m", "literatim", "carry", "lenet", "--recipe", "quick", "--batches", "2"]
    env = {**os.environ, "PYTHONPATH": str(clone / "implementations")}
    done = subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True)
    (clone / TRAINING).write_text(text)
    assert done.returncode == status, done.stderr
    assert said in done.stdout
    assert ((clone / RECORD).read_text() == before) == (status == 1)
    (clone / RECORD).write_text(before)
    assert (
        subprocess.run(["git", "worktree", "list"], cwd=clone, capture_output=True, text=True).stdout.count("\n") == 1
    )


def test_code_that_is_not_committed_is_not_compared(clone):
    (clone / TRAINING).write_text((clone / TRAINING).read_text().replace("done / 0.25", "done / 0.2"))
    env = {**os.environ, "PYTHONPATH": str(clone / "implementations")}
    command = [sys.executable, "-m", "literatim", "carry", "lenet", "--recipe", "quick"]
    done = subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert "commit first" in done.stderr


def test_a_carried_record_is_that_of_the_same_run_with_todays_code():
    kept = sound_record(carried={"code_sha256": "1" * 64, "commit": "2" * 40, "steps": 15})
    assert same_run(kept, sound_record(code_sha256="1" * 64))
    assert not same_run(kept, sound_record())
