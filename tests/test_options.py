"""Every option with values that cannot be meant: one short sentence, status 2, and no run left behind."""

import sys

import pytest

from conftest import assert_refused, inside

SHORT = ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1"]

REFUSED = [
    ("vgg", ["--model.lr", "-1"], ["model.lr is -1.0", "not be negative"]),
    ("lenet", ["--model.mu", "-1"], ["model.mu is -1.0", "not be negative"]),
    ("lenet", ["--data.size", "1000000000000000000"], ["more memory"]),
    ("googlenet", ["--model.weight_decay", ".inf"], ["weight_decay"]),
    ("lenet", ["--seed_everything", "-1"], ["seed_everything is -1", "4,294,967,295"]),
    ("lenet", ["--seed_everything", "99999999999"], ["seed_everything is 99999999999"]),
    ("lenet", ["--seed_everything", "false"], ["seed_everything is false"]),
    ("lenet", ["--model.options.coefficient", ".nan"], ["coefficient"]),
    ("resnet", ["--model.options.num_classes", "-1"], ["num_classes", "-1"]),
    ("lenet", ["--trainer.max_epochs", "abc"], ['"abc"; it must be a whole number or null']),
    ("lenet", ["--trainer.precision", "7"], ['"7"; it must be 64, 32, 16, ']),
    ("lenet", ["--trainer.logger", "CSVLoger"], ['no "CSVLoger"', '"CSVLogger"']),
    ("lenet", ["--trainer.callbacks", "EarlyStopping"], ["EarlyStopping needs monitor too"]),
    ("lenet", ["--trainer.max_epochs", "-1"], ["no end", "--trainer.max_steps"]),
    ("word2vec", ["--trainer.max_epochs", "-1", "--trainer.max_time", "00:01:00:00"], ["length of the run"]),
    ("lenet", ["--trainer.devices", "1000"], ["on this machine", "at most"]),
    ("lenet", ["--trainer.num_nodes", "2"], ["nothing says which", "torchrun"]),
    ("alexnet", ["--model.options.released", "word"], ["must be true or false"]),
    ("vgg", ["--model.mean", "[1, 2, 3, 4, 5]"], ["torch says", "size of tensor"]),
    ("lenet", ["--trainer.max_epochs", "0"], ["nothing is trained"]),
    ("lenet", ["--trainer.max_steps", "0"], ["nothing is trained"]),
    ("lenet", ["--trainer.limit_train_batches", "0"], ["nothing is trained"]),
    ("progan", ["--trainer.check_val_every_n_epoch", "0"], ["at least 1"]),
    ("lenet", ["--trainer.precision", "64-true"], ["torch says", "float"]),
    ("lenet", ["--trainer.callbacks", "LearningRateFinder"], ["LearningRateFinder", "--model.lr"]),
    ("lenet", ["--trainer.callbacks", "BatchSizeFinder"], ["BatchSizeFinder", "--data.batch_size"]),
    ("lenet", ["--trainer.enable_checkpointing", "false"], ["leave it out"]),
    ("vgg", ["--trainer.check_val_every_n_epoch", "2"], ["test_error", "after every epoch"]),
    ("vgg", ["--trainer.limit_val_batches", "0"], ["test_error", "after every epoch"]),
    ("vgg", ["--data.watch", "[]"], ["--data.watch"]),
    ("lenet", ["--lr", "0.1"], ['"--model.lr"']),
    ("lenet", ["--trainer.profiler", "clock"], ["Lightning says", "profiler"]),
    ("lenet", ["--trainer.max_time", "soon"], ["Lightning says", "soon"]),
]


@pytest.mark.parametrize(("paper", "args", "words"), REFUSED, ids=lambda value: " ".join(value)[:50])
def test_a_value_that_cannot_be_meant_is_refused_in_one_short_sentence(paper, args, words, tmp_path):
    done = inside("fit", paper, *SHORT, *args, cwd=tmp_path)
    assert_refused(done, *words)
    assert len(done.stderr) < 400
    assert not list(tmp_path.glob("runs/*/*/*"))


def test_a_metric_that_is_not_there_is_named_with_those_that_are(tmp_path):
    stopping = ["--trainer.callbacks", "EarlyStopping", "--trainer.callbacks.monitor", "loss_of_hope"]
    done = inside("fit", "lenet", *SHORT, *stopping, cwd=tmp_path)
    done.stderr = done.stderr[done.stderr.find("literatim: ") :]  # after the line of the epoch
    assert_refused(done, "`loss_of_hope`", "`test_error`")


@pytest.mark.parametrize(
    ("logger", "package"), [("WandbLogger", "wandb"), ("MLFlowLogger", "mlflow"), ("CometLogger", "comet")]
)
def test_a_logger_without_its_package_says_what_to_install(logger, package, tmp_path, monkeypatch):
    if package in sys.modules:
        pytest.skip(f"{package} is installed")
    done = inside("fit", "lenet", *SHORT, "--trainer.logger", logger, cwd=tmp_path)
    assert_refused(done, logger, f"pip install -U '{package}")
    assert len(done.stderr) < 200


def test_a_logger_writes_into_the_folder_of_its_run_and_no_configuration_keeps_that(tmp_path):
    done = inside("fit", "lenet", *SHORT, "--trainer.logger", "CSVLogger", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs/lenet/quick/0"
    assert list(run.glob("lightning_logs/*/metrics.csv"))
    for config in run.rglob("config.yaml"):
        assert "save_dir: ''" in config.read_text()


def test_another_bar_takes_the_place_of_ours(tmp_path):
    done = inside("fit", "lenet", *SHORT, "--trainer.callbacks", "RichProgressBar", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "epoch 1/1" not in done.stderr


def test_a_run_that_its_time_has_cut_and_one_that_is_finished_say_so(tmp_path):
    batches = ["--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1"]
    time = ["--trainer.max_epochs", "500", "--trainer.max_time"]
    assert_refused(inside("fit", "lenet", *batches, *time, "00:00:00:00", cwd=tmp_path), "nothing was trained")
    assert not list(tmp_path.glob("runs/lenet/quick/*"))
    timed = inside("fit", "lenet", *batches, *time, "00:00:00:01", cwd=tmp_path)
    assert " of 500; to go on: literatim fit lenet --recipe quick --ckpt_path " in timed.stderr
    assert inside("fit", "lenet", *SHORT, cwd=tmp_path).returncode == 0
    again = inside("fit", "lenet", "--ckpt_path", "last", cwd=tmp_path)
    assert (again.returncode, again.stderr.count("\n")) == (0, 1), again.stderr
    assert "finished, with 1 of 1 epochs" in again.stderr
    assert "--trainer.max_epochs 2" in again.stderr


@pytest.mark.parametrize(("command", "known"), [("train", "fit"), ("evaluate", "test"), ("info", "show")])
def test_a_command_by_the_name_it_has_elsewhere_is_hinted_at(command, known):
    assert_refused(inside(command, "lenet"), f'did you mean "{known}"?')


OURS = [
    ("raise ValueError('a fault of ours')", SHORT),
    ("import torch; torch.nn.Linear(-1, 2)", []),  # of another package, but no option can have asked for it
]


@pytest.mark.parametrize(("code", "args"), OURS, ids=["in our own code", "without options"])
def test_a_fault_of_our_own_is_seen_as_it_is(code, args, tmp_path, monkeypatch):
    from literatim.papers.lenet.training import LeNetTraining

    space = {"__name__": "literatim.papers.lenet.training"}
    exec(f"def broken(self, batch, batch_idx):\n    {code}", space)
    monkeypatch.setattr(LeNetTraining, "training_step", space["broken"])
    done = inside("fit", "lenet", *args, cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
