"""Mistakes on the command line: one sentence, status 2, before torch where names, recipes and files are concerned."""

import subprocess
import sys

import pytest

from conftest import assert_refused, inside, literatim

EARLY = [
    (["fit", "lenett"], "lenet"),
    (["fit", "lenet", "--recipe", "quik"], '"quick"'),
    (["fit", "lenet", "--model.variant", "lenet6"], '"lenet5"'),
    (["fit", "lenet", "--model.variant=lenet6"], '"lenet5"'),
    (["fit", "lenet", "--ckpt_path", "last", "--runs", "nowhere"], "train first"),
    (["fit", "lenet", "--ckpt_path", "nowhere.ckpt"], "nowhere.ckpt"),
    (["test", "lenet", "--ckpt_path", "nowhere.ckpt"], "nowhere.ckpt"),
    (["predict", "lenet", "nowhere.png"], "nowhere.png"),
    (["predict", "lenet"], "name image files"),
    (["predict", "lenet", __file__, "--weights", "imagenet"], "no weights"),
    (["fit", "lenet", "--config", "nowhere.yaml"], "nowhere.yaml"),
    (["reproduce", "lenet", "--seeds", "none"], "--seeds"),
    (["reproduce", "lenet", "--variant", "lenet6"], '"lenet5"'),
    (["reproduce", "lenet", "--seed_everything", "3"], "--seed K"),
    (["reproduce", "lenet", "--model.variant=lenet5"], "--variant NAME"),
    (["predict", "lenet", __file__, "--weights", "x", "--ckpt_path", "x"], "exclude each other"),
    (["verify", "lenett"], "lenet"),
    (["verify", "lenet", "--claim", "paramters"], "parameters"),
    (["verify", "lenet", "--kind", "structurall"], "structural"),
    (["export", "lenet", "--to", "nowhere/x.onnx"], "nowhere"),
    (["fit", "--recipe", "quick"], "name a paper first"),
    (["fit", "lenet", "--recipe"], "--recipe needs a value"),
    (["fit", "lenet", "--weights", "mnist"], "no option --weights"),
    (["completion", "bash2"], 'there is no shell "bash2"; did you mean "bash"?'),
    (["list", "a", "b"], '"b" is one word too many'),
]


@pytest.mark.parametrize(
    ("args", "words"), EARLY, ids=lambda value: " ".join(value) if isinstance(value, list) else None
)
def test_it_is_refused_before_torch(args, words, tmp_path):
    program = (
        "import sys; sys.modules['torch'] = None\n"  # to import torch would now fail
        "from literatim.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *args], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert_refused(done, words)


LATE = [
    (["--model.lrr", "3"], "model.lr"),
    (["lenet"], '"lenet" is one word too many'),
    (["--model.j", "soon"], "model.j"),
    (["--model.loss", "eq7"], "eq8"),
    (["--model.options.int", "sqrt"], '"init"'),
    (["--trainer.max_epoch", "3"], "max_epochs"),
    (["--data.batch_size", "0"], "batch size"),
    (["--data.watch", "[exam]"], '"exam"'),
    (["--data.size", "10"], "20 pixels"),
    (["--optimizer", "Adam"], "optimizer"),
    (["--trainer.accelerator", "tpu"], "Lightning says"),
    (["--model.options.coefficient", "soon"], "coefficient"),
]


@pytest.mark.parametrize(
    ("args", "words"), LATE, ids=lambda value: " ".join(value) if isinstance(value, list) else None
)
def test_a_wrong_option_is_refused_and_leaves_no_run(args, words, tmp_path):
    assert_refused(inside("fit", "lenet", *args, cwd=tmp_path), words)
    assert not list(tmp_path.glob("runs/lenet/quick/*"))


MISFITS = [
    ("vgg", ["--model.options.num_classes", "5"], ["class ", "no output", "num_classes"]),
    ("resnet", ["--model.num_classes", "5"], ["10 classes and the network 5", "--model.num_classes"]),
    ("vgg", ["--data.size", "20"], ["too small", "--data.size"]),
    ("vgg", ["--data.size", "64"], ["another size", "data.size"]),
    ("resnet", ["--model.lr", "1e39"], ["32 bits", "--model.lr"]),
]


@pytest.mark.parametrize(("paper", "args", "words"), MISFITS, ids=lambda value: " ".join(value)[:30])
def test_data_that_do_not_fit_the_network_are_refused(paper, args, words, tmp_path):
    assert_refused(inside("fit", paper, *args, cwd=tmp_path), *words)
    assert not list(tmp_path.glob(f"runs/{paper}/quick/*"))


def test_a_checkpoint_of_another_variant_is_refused_and_its_own_is_known(tmp_path):
    short = ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1"]
    assert literatim("fit", "vgg", "--model.variant", "b", *short, cwd=tmp_path).returncode == 0
    tested = ["test", "vgg", "--ckpt_path", "last", "--trainer.limit_test_batches", "1"]
    assert literatim(*tested, cwd=tmp_path).returncode == 0
    assert_refused(literatim(*tested, "--model.variant", "c", cwd=tmp_path), "a checkpoint of vgg b, not of c")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("model:\n  jj: 3\n", "own.yaml:2:3: "),
        ("model:\n  j: soon\n", "own.yaml:2:3: model.j"),
        ("model: [\n", "own.yaml:2:1: not YAML"),
        ("model: !!python/object/apply:os.system [touch hacked]\n", "own.yaml:1:8: model: the tag"),
        ("- 3\n", "own.yaml:1:1: "),
    ],
)
def test_a_wrong_configuration_is_named_with_its_line(text, place, tmp_path):
    (tmp_path / "own.yaml").write_text(text)
    assert_refused(literatim("fit", "lenet", "--config", "own.yaml", cwd=tmp_path), place)
    assert not (tmp_path / "hacked").exists()


def test_a_run_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "runs").write_text("a file in the folder's place")
    assert_refused(literatim("fit", "lenet", cwd=tmp_path), "runs", "cannot be written", "--runs")


def test_missing_data_is_named(tmp_path):
    done = literatim(
        "fit", "lenet", "--recipe", "mnist", cwd=tmp_path, LITERATIM_DATA=str(tmp_path), XDG_CACHE_HOME=str(tmp_path)
    )
    assert_refused(done, "train-images-idx3-ubyte is missing", str(tmp_path / "MNIST" / "raw"), "--data.download true")


def test_help_teaches():
    everything = literatim("--help").stdout
    assert "literatim reproduce lenet" in everything
    own = literatim("fit", "lenet", "--help").stdout
    assert "--model.curvature_samples" in own
    assert "--help-all" in own
    assert "--trainer.max_epochs" not in own
    assert "--trainer.max_epochs" in literatim("fit", "lenet", "--help-all").stdout


def test_print_config_trains_nothing(tmp_path):
    done = literatim("fit", "lenet", "--print_config", cwd=tmp_path)
    assert done.returncode == 0
    assert "curvature_samples: 500" in done.stdout
    assert not (tmp_path / "runs").exists()
