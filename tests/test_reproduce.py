"""`reproduce` takes nothing for the run that was asked for but that run."""

import json
import shutil

import pytest

from conftest import inside

SHORT = "trainer: {max_epochs: 1, limit_train_batches: 2}\nmodel: {j: 9.0}\n"
RUN = ["--config", "mine.yaml", "--runs", "runs"]


@pytest.fixture
def here(papers, tmp_path):
    """A folder with a configuration, and one run by it."""
    (tmp_path / "mine.yaml").write_text(SHORT)
    done = inside("reproduce", "lenet", "--seed", "5", *RUN, cwd=tmp_path)
    assert "test_error" in done.stdout, done.stderr
    return tmp_path


def again(here, *more: str):
    return inside("reproduce", "lenet", "--seed", "5", *more, *RUN, cwd=here)


def test_another_content_of_a_configuration_is_another_run(here):
    assert "run before" in again(here).stdout
    (here / "mine.yaml").write_text(SHORT.replace("9.0", "1.0"))
    done = again(here)
    assert "test_error" in done.stdout, done.stderr
    assert "run before" not in done.stdout
    assert (here / "runs/lenet/quick/1").is_dir()


def test_a_checkpoint_of_another_seed_makes_no_record(here, papers):
    """The folder of seed 5, unfinished, with the last checkpoint of seed 6 in it."""
    assert "test_error" in inside("reproduce", "lenet", "--seed", "6", *RUN, cwd=here).stdout
    five, six = here / "runs/lenet/quick/0", here / "runs/lenet/quick/1"
    shutil.copyfile(six / "checkpoints/last.ckpt", five / "checkpoints/last.ckpt")
    (five / "record.json").unlink()
    shutil.rmtree(papers / "lenet/results")
    done = again(here)
    said = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 2, done.stdout
    assert "seed" in said
    assert "Traceback" not in done.stderr
    assert not list(papers.glob("lenet/results/*/*/record.json"))
    assert not (five / "record.json").exists()


@pytest.mark.parametrize("change", [{"overrides": []}, {"args": []}, {"dirty": False}, {"commit": "0" * 40}])
def test_what_run_json_is_made_to_say_does_not_reach_a_record(here, change):
    """The checkpoint is believed, which says it of its own weights."""
    run = here / "runs/lenet/quick/0"
    true = json.loads((run / "record.json").read_text())
    (run / "record.json").unlink()
    (run / "run.json").write_text(json.dumps({**json.loads((run / "run.json").read_text()), **change}))
    done = inside("fit", "lenet", "--ckpt_path", "last", "--runs", "runs", cwd=here)
    assert done.returncode == (2 if "args" in change else 0), done.stderr
    if "args" not in change:
        record = json.loads((run / "record.json").read_text())
        assert {name: record[name] for name in change} == {name: true[name] for name in change}


def test_a_damaged_record_of_a_run_is_named_and_not_believed(here):
    path = here / "runs/lenet/quick/0/record.json"
    path.write_text(path.read_text().replace('"test_error": ', '"test_error": "x", "y": '))
    done = again(here)
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        "runs/lenet/quick/0/record.json: metrics.test_error: a number is expected; delete it and run the recipe again"
    )
