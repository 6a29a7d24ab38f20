"""Opening somebody's file never runs their code: a stand-in of our own is named in every place, and is never built."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from conftest import CHECKOUT, assert_refused, forget, inside, literatim
from literatim.errors import LiteratimError
from literatim.registry.settings import check_plain

STAND_IN = """
from pathlib import Path
from pytorch_lightning import Callback

Path("imported").touch()

class Marker(Callback):
    def __init__(self):
        Path("built").touch()
"""
NAMED = {"class_path": "stand_in.Marker"}
SHORT = ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1"]
PAPERS = ("lenet", "vgg", "progan")
SAID = {
    "model": ["an option holds no class"],
    "trainer": ["stand_in.Marker is no part of Lightning", "--allow_code stand_in"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A short run of each paper."""
    folder = tmp_path_factory.mktemp("runs")
    for paper in PAPERS:
        done = inside("fit", paper, *SHORT, "--runs", "runs", cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder / "runs"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A current folder with the stand-in in it, from where Python would import it."""
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("stand_in", None)
    forget()


def never_ran(here: Path) -> bool:
    return "stand_in" not in sys.modules and not {"imported", "built"} & {path.name for path in here.iterdir()}


def refused(done, *words: str) -> None:
    """As by `assert_refused`; `reproduce` has said before which seed it is at."""
    said = done.stderr.strip().splitlines()
    assert len(said) <= 2, done.stderr
    assert_refused(subprocess.CompletedProcess(done.args, done.returncode, done.stdout, said[-1]), *words)


def copied(runs: Path, paper: str, here: Path) -> Path:
    """The last checkpoint of a copy of the run, below the current folder."""
    shutil.copytree(runs / paper, here / "runs" / paper)
    return here / "runs" / paper / "quick" / "0" / "checkpoints" / "last.ckpt"


def changed(text: str, section: str) -> str:
    """A configuration that names the stand-in."""
    found = yaml.safe_load(text)
    if section == "trainer":
        found["trainer"]["callbacks"] = [dict(NAMED)]
    else:
        found.setdefault("model", {})["options"] = {"init": dict(NAMED)}
    return yaml.safe_dump(found)


@pytest.mark.parametrize("command", ["fit", "validate", "test", "predict"])
@pytest.mark.parametrize("paper", PAPERS)
def test_options_of_a_checkpoint_build_nothing(runs, here, paper, command):
    checkpoint = copied(runs, paper, here)
    saved = torch.load(checkpoint, weights_only=True)
    saved["hyper_parameters"]["options"] = {"init": dict(NAMED)}
    torch.save(saved, checkpoint)
    (here / "x.png").touch()
    files = (["--to", "made.png"] if paper == "progan" else ["x.png"]) if command == "predict" else []
    done = inside(command, paper, *files, "--ckpt_path", str(checkpoint), cwd=here)
    assert_refused(done, "an option holds no class")
    assert never_ran(here)


@pytest.mark.parametrize("section", SAID)
@pytest.mark.parametrize("kept", ["in its checkpoint", "beside an older checkpoint"])
@pytest.mark.parametrize("paper", PAPERS)
def test_the_configuration_of_a_run_builds_nothing(runs, here, paper, kept, section):
    checkpoint = copied(runs, paper, here)
    saved = torch.load(checkpoint, weights_only=True)
    text = changed(saved["literatim"].pop("config"), section)
    if kept == "in its checkpoint":
        saved["literatim"]["config"] = text
    (checkpoint.parents[1] / "config.yaml").write_text(text)
    torch.save(saved, checkpoint)
    assert_refused(inside("fit", paper, "--ckpt_path", str(checkpoint), cwd=here), *SAID[section])
    assert never_ran(here)


@pytest.mark.parametrize("section", SAID)
@pytest.mark.parametrize("command", ["fit", "reproduce"])
def test_a_configuration_that_is_given_builds_nothing(here, command, section):
    (here / "theirs.yaml").write_text(changed("trainer: {max_epochs: 1}", section))
    refused(inside(command, "lenet", "--config", "theirs.yaml", cwd=here), *SAID[section])
    assert never_ran(here)


@pytest.mark.parametrize("section", SAID)
@pytest.mark.parametrize("command", ["fit", "reproduce", "fit --help", "lint"])
def test_a_recipe_of_others_builds_nothing(here, command, section, monkeypatch):
    shutil.copytree(CHECKOUT / "papers" / "lenet", here / "papers" / "lenet")
    monkeypatch.setenv("LITERATIM_PAPERS", str(here / "papers"))
    forget()
    recipe = here / "papers/lenet/recipes/quick.yaml"
    recipe.write_text(changed(recipe.read_text(), section))
    name, *more = command.split()
    done = inside(name, *(["lenet"] if name != "lint" else []), *more, cwd=here)
    if not more and name != "lint":
        refused(done, *SAID[section])
    assert "Traceback" not in done.stderr
    assert never_ran(here)


@pytest.mark.parametrize(
    "given",
    [
        ["--trainer.callbacks", "stand_in.Marker"],
        ["--trainer.logger", '{"class_path": "stand_in.Marker"}'],
        ["--trainer.plugins", "[stand_in.Marker]"],
        ["--trainer.profiler", "stand_in.Marker"],
        ["--model.options.init", '{"class_path": "stand_in.Marker"}'],
        ["--model.options", '{"init": {"class_path": "stand_in.Marker"}}'],
        ["--data.watch", '[{"class_path": "stand_in.Marker"}]'],
    ],
    ids=" ".join,
)
def test_a_class_that_is_not_allowed_is_not_imported(here, given):
    assert_refused(inside("fit", "lenet", *given, cwd=here))
    assert never_ran(here)
    assert not list(here.glob("runs/lenet/quick/*"))


HANDED_ON = {
    "a function that is called": {"class_path": "LambdaCallback", "init_args": {"on_fit_start": "os.getcwd"}},
    "a function of torch": {
        "class_path": "pytorch_lightning.callbacks.LambdaCallback",
        "init_args": {"on_fit_start": "torch.manual_seed"},
    },
    "a launcher of torch": {"class_path": "torch.distributed.launcher.api.elastic_launch"},
    "a class of torch": {"class_path": "torch.nn.Identity"},
    "a function where a class is meant": {"class_path": "pytorch_lightning.callbacks.callback.deepcopy"},
    "averages by somebody's function": {
        "class_path": "StochasticWeightAveraging",
        "init_args": {"swa_lrs": 0.1, "avg_fn": "os.getcwd"},
    },
}


@pytest.mark.parametrize("callback", HANDED_ON.values(), ids=HANDED_ON)
def test_not_all_of_torch_and_lightning_may_be_named(here, callback):
    (here / "theirs.yaml").write_text(yaml.safe_dump({"trainer": {"callbacks": [callback]}}))
    assert_refused(inside("fit", "lenet", *SHORT, "--config", "theirs.yaml", cwd=here))
    assert not list(here.glob("runs/lenet/quick/*"))


def test_a_class_of_the_user_s_own_is_used_where_they_allow_it(here):
    given = ["--trainer.callbacks", "stand_in.Marker", "--allow_code", "stand_in"]
    done = inside("fit", "lenet", *SHORT, *given, cwd=here)
    assert done.returncode == 0, done.stderr
    assert (here / "built").exists()


def test_no_module_of_the_current_folder_is_imported(here):
    """`python -m` has the current folder first on the way, with files there that bear a library's name."""
    for name in ("yaml", "json", "torch", "rich"):
        (here / f"{name}.py").write_text("open('imported', 'w').close()")
    done = literatim("show", "lenet", cwd=here)
    assert done.returncode == 0, done.stderr
    assert never_ran(here)


@pytest.mark.parametrize("value", [{"x": [object()]}, {1.5: 2}, [{"class_path": "a.B"}], {"init_args": {}}, b"x"])
def test_what_is_not_plain_is_no_option(value):
    with pytest.raises(LiteratimError, match="an option holds"):
        check_plain({"option": value}, "model.options")
    check_plain({"a": [1, 2.5, "x", True, None, {"b": [], 256: 14}]}, "model.options")


def test_a_run_s_configuration_begins_another_run_and_leaves_the_first_alone(runs, here):
    """What a run was resumed from, and where it lies, is no part of the configuration that others begin with."""
    last = copied(runs, "lenet", here)
    first = last.parents[1]
    assert inside("fit", "lenet", "--ckpt_path", "last", "--trainer.max_epochs", "2", cwd=here).returncode == 0
    before = {path.name: path.read_bytes() for path in first.iterdir() if path.is_file()}
    config = yaml.safe_load((first / "config.yaml").read_text())
    assert config["ckpt_path"] is None
    assert config["trainer"]["default_root_dir"] is None
    done = inside("fit", "lenet", "--config", str(first / "config.yaml"), "--seed_everything", "5", cwd=here)
    assert done.returncode == 0, done.stderr
    second = first.with_name("1")
    assert {path.name for path in second.iterdir()} == {path.name for path in first.iterdir()}
    assert {path.name: path.read_bytes() for path in first.iterdir() if path.is_file()} == before
    saved = torch.load(second / "checkpoints/last.ckpt", weights_only=True)
    assert (saved["literatim"]["seed"], saved["epoch"]) == (5, 0), "it began anew"


@pytest.mark.parametrize("command", ["fit", "reproduce"])
def test_a_configuration_names_no_checkpoint(runs, here, command):
    (here / "mine.yaml").write_text(f"ckpt_path: {copied(runs, 'lenet', here)}\n")
    given = ["--seed", "5"] if command == "reproduce" else ["--model.j", "7"]
    refused(inside(command, "lenet", "--config", "mine.yaml", *given, cwd=here), "mine.yaml:1:1: ckpt_path")


def test_a_run_that_was_moved_goes_on_where_it_lies(runs, here):
    copied(runs, "lenet", here)
    (here / "runs").rename(here / "moved")
    done = inside("fit", "lenet", "--ckpt_path", "last", "--runs", "moved", "--trainer.max_epochs", "2", cwd=here)
    assert done.returncode == 0, done.stderr
    assert not (here / "runs").exists()
    assert len((here / "moved/lenet/quick/0/curve.csv").read_text().splitlines()) == 3
