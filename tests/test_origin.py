"""Which run a checkpoint is of and what it was made with: taken from itself, never guessed."""

import json
import re
import shutil

import pytest
import torch

from conftest import assert_refused, inside

SHORT = ["--trainer.limit_train_batches", "2", "--trainer.max_epochs", "2"]
OTHER = ["--data.background", "1", "--data.ink", "0"]


@pytest.fixture(scope="module")
def dark(tmp_path_factory):
    """A run on digits that are dark on white, which is not the recipe's way."""
    folder = tmp_path_factory.mktemp("dark")
    assert inside("fit", "lenet", *SHORT, *OTHER, cwd=folder).returncode == 0
    return folder


@pytest.fixture
def copy(dark, tmp_path):
    shutil.copytree(dark, tmp_path, dirs_exist_ok=True)
    return tmp_path


def run_of(folder, number=0):
    return folder / f"runs/lenet/quick/{number}"


def record(folder, number=0):
    return json.loads((run_of(folder, number) / "record.json").read_text())


def error(done):
    assert done.returncode == 0, done.stderr
    return float(re.search(r"test_error\s*│\s*([\d.]+)", done.stdout)[1])


@pytest.mark.parametrize("command", ["test", "validate"])
@pytest.mark.parametrize("lies", ["in its run", "elsewhere", "without its configuration"])
def test_it_is_evaluated_on_the_data_of_its_run(command, lies, copy):
    last = run_of(copy) / "checkpoints/last.ckpt"
    if lies == "elsewhere":
        last = shutil.move(last, copy / "moved.ckpt")
    if lies == "without its configuration":
        (run_of(copy) / "config.yaml").write_text("")
    measured = error(inside(command, "lenet", "--ckpt_path", str(last), cwd=copy))
    assert measured == pytest.approx(record(copy)["metrics"]["test_error"], abs=1e-3)
    typed = inside(
        command, "lenet", "--ckpt_path", str(last), "--data.background", "-0.1", "--data.ink", "1.2", cwd=copy
    )
    assert error(typed) != pytest.approx(measured, abs=1e-3)


BROKEN = {
    "lost": None,
    "empty": "",
    "cut": '{"paper": "lenet", "reci',
    "a list": "[]",
    "half": '{"paper": "lenet", "recipe": "quick"}',
    "null": '{"paper": null, "recipe": null, "variant": null, "options": null, "overrides": null}',
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("config", ["kept", "lost"])
def test_a_run_whose_identity_is_broken_goes_on_as_what_it_is(how, config, copy):
    identity, before = run_of(copy) / "run.json", record(copy)
    identity.unlink() if BROKEN[how] is None else identity.write_text(BROKEN[how])
    (run_of(copy) / "record.json").unlink()
    if config == "lost":
        (run_of(copy) / "config.yaml").unlink()
    done = inside("fit", "lenet", "--ckpt_path", "last", "--trainer.max_epochs", "3", cwd=copy)
    assert done.returncode == 0, done.stderr
    after = record(copy)
    assert after["overrides"] == [*before["overrides"][:-1], "trainer.max_epochs=3"]
    assert "data.background=1.0" in after["overrides"]
    assert json.loads(identity.read_text())["overrides"] == after["overrides"]
    rows = (run_of(copy) / "curve.csv").read_text().splitlines()
    assert len(rows) == 4
    assert len(list(copy.glob("runs/lenet/quick/*"))) == 1


def test_a_checkpoint_that_lies_elsewhere_begins_a_run_that_says_so(copy):
    shutil.move(run_of(copy) / "checkpoints/last.ckpt", copy / "moved.ckpt")
    shutil.rmtree(run_of(copy))
    done = inside("fit", "lenet", "--ckpt_path", "moved.ckpt", "--trainer.max_epochs", "3", cwd=copy)
    assert done.returncode == 0, done.stderr
    assert "data.background=1.0" in record(copy)["overrides"]
    assert re.fullmatch("[0-9a-f]{64}", record(copy)["began_from"])


def changed(path, change):
    found = torch.load(path, weights_only=True)
    change(found)
    torch.save(found, path)


def test_a_checkpoint_of_another_run_is_refused_in_the_folder_of_a_run(copy):
    changed(run_of(copy) / "checkpoints/last.ckpt", lambda found: found["literatim"].update(seed=5))
    said = inside("fit", "lenet", "--ckpt_path", "last", cwd=copy)
    assert_refused(said, "another run", "seed")


def test_an_old_checkpoint_with_options_of_its_own_is_not_guessed_at(copy):
    last = run_of(copy) / "checkpoints/last.ckpt"
    changed(last, lambda found: found["literatim"].pop("config"))
    kept = error(inside("test", "lenet", "--ckpt_path", str(last), cwd=copy))  # by config.yaml in its folder
    assert kept == pytest.approx(record(copy)["metrics"]["test_error"], abs=1e-3)
    shutil.move(last, copy / "moved.ckpt")
    refused = inside("test", "lenet", "--ckpt_path", "moved.ckpt", cwd=copy)
    assert_refused(refused, "other options than the recipe's", "data.background=1.0", "config.yaml")


@pytest.mark.parametrize("form", [["-c", "own.yaml"], ["-cown.yaml"], ["--config=own.yaml"]], ids=" ".join)
def test_no_configuration_is_laid_over_a_run_that_goes_on(form, copy):
    (copy / "own.yaml").write_text("model: {j: 5.0}\n")
    assert_refused(inside("fit", "lenet", "--ckpt_path", "last", *form, cwd=copy), "--config cannot be changed")
