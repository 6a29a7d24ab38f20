"""The README's numbers are those of the ledger, and its commands exist."""

import re
import shlex
import shutil
import statistics
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image

import literatim
from conftest import CHECKOUT, assert_refused, inside
from literatim.cli import COMMANDS
from literatim.registry import card
from literatim.registry.ledger import records

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def row(recipe: str) -> str:
    """A recipe's row of the table, from the card and the recorded runs."""
    runs = records("lenet", recipe)
    errors = [r["metrics"]["test_error"] for r in runs]
    seconds = statistics.median(r["wall_s"] for r in runs)
    time = f"{seconds / 60:.0f} min" if seconds >= 100 else f"{seconds:.0f} s"
    found = f"{min(errors):.2f} to {max(errors):.2f} %" if len(errors) > 1 else f"{errors[0]:.2f} %"
    seeds = f"{len(errors)} seed{'s' * (len(errors) > 1)}"
    return f"| `{recipe}` | {card('lenet').recipes[recipe].about.en} | {found} ({seeds}) | {time} |"


@pytest.mark.parametrize("recipe", [r for r in card("lenet").recipes if records("lenet", r)])
def test_the_table_is_what_was_recorded(recipe):
    assert row(recipe) in README


@pytest.mark.parametrize("recipe", [r for r in card("lenet").recipes if card("lenet").recipes[r].expects])
def test_every_expectation_is_met_by_every_recorded_run(recipe):
    runs, expects = records("lenet", recipe), card("lenet").recipes[recipe].expects
    assert len(runs) == 3
    for r in runs:
        assert not r.stale
        assert not r["dirty"]
        assert not r["overrides"]
        assert expects.met(r["metrics"][expects.metric])


def test_its_commands_exist():
    commands = set(re.findall(r"^(?:\.venv/bin/)?literatim (\w+)", README, re.MULTILINE))
    assert commands
    assert commands <= set(COMMANDS)


def test_every_command_is_named_in_it_or_in_that_for_contributors():
    text = README + (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [
        name for name in COMMANDS if not re.search(rf"`(literatim )?{name}\b|^literatim {name}\b", text, re.M)
    ] == []


# --- Its lines run, offline ---------------------------------------------------------------------------

# What follows a command behind four blanks is said about it.
LINES = [re.split(" {4,}", line)[0].rstrip() for line in re.findall(r"(?m)^literatim .*$", README)]
# Lines that need data which are not ours to ship, or hours: what they say where the data are not.
DATA_MISSING = {
    "literatim fit lenet --recipe mnist --data.root DIR": "MNIST's train-images-idx3-ubyte is missing",
    "literatim fit lenet --recipe paper --seed_everything 1": "MNIST's train-images-idx3-ubyte is missing",
    "literatim fit resnet --recipe imagenet --data.root DIR": "ImageNet",
    "literatim reproduce lenet --recipe mnist --seeds 3": "MNIST's train-images-idx3-ubyte is missing",
}
FINETUNE = "literatim fit resnet --recipe finetune --data.root PHOTOS --model.num_classes 10"
# So that it takes seconds: a run of the README's is the same command with more epochs, or a larger network.
SHORTER = {
    "literatim fit lenet": ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1"],
    "literatim fit lenet --model.j 5 --trainer.max_epochs 3": ["--trainer.limit_train_batches", "1"],
    "literatim fit resnet32 --trainer.max_epochs 1": ["--trainer.limit_train_batches", "2"],
    FINETUNE: ["--model.variant", "resnet18", "--trainer.max_epochs", "1", "--data.size", "64", "--data.workers", "0"],
}


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, as README expects it, on a machine without a connection and without data."""

    def refused(*args: object, **options: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr("torch.hub.urlopen", refused)
    monkeypatch.delenv("LITERATIM_DATA", raising=False)
    for name in ("XDG_CACHE_HOME", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "DIR").mkdir()
    (tmp_path / "docs/assets").mkdir(parents=True)
    shutil.copy(CHECKOUT / "docs/assets/seven.png", tmp_path / "docs/assets")
    noise = np.random.default_rng(0)
    for kind in range(10):
        (tmp_path / "PHOTOS" / f"kind{kind}").mkdir(parents=True)
        for i in range(5):
            pixels = noise.integers(0, 256, (80, 90, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "PHOTOS" / f"kind{kind}" / f"{i}.png")
    return tmp_path


def published(paper: str, variant: str) -> dict[str, torch.Tensor]:
    """A stand-in for torchvision's weights of a residual network."""
    return dict(literatim.load(paper, variant, **literatim.interop.NETWORKS[paper][variant].options).state_dict())


def test_every_line_runs_offline_in_their_order(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("literatim.interop.published", published)
    ran = [line for line in LINES if line not in DATA_MISSING]
    assert len(ran) > 10
    for line in ran:
        done = inside(*shlex.split(line)[1:], *SHORTER.get(line, []), cwd=offline)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        if line.startswith("literatim predict") and "seven.png" in line:
            assert done.stdout.startswith("docs/assets/seven.png: 7 ")
        if "--analogy" in line:
            assert done.stdout.splitlines()[1].split()[0] == "queen", done.stdout
    assert {"sevens.png", "seen", "lenet.onnx", "vectors.bin", "runs"} <= {path.name for path in offline.iterdir()}


@pytest.mark.parametrize("line", DATA_MISSING)
def test_a_line_whose_data_are_not_there_says_so(line: str, offline: Path) -> None:
    assert line in LINES
    done = inside(*shlex.split(line)[1:], cwd=offline)
    done.stderr = done.stderr.removeprefix("lenet, recipe mnist: lenet5, seed 0\n")  # `reproduce` says what it begins
    assert_refused(done, DATA_MISSING[line])
    assert not (offline / "runs").exists() or not list((offline / "runs").rglob("*.json"))


def test_without_a_connection_finetuning_names_the_file_it_lacks(offline: Path) -> None:
    pytest.importorskip("torchvision", reason="torchvision, whose weights these are, is not installed")
    done = inside(*shlex.split(FINETUNE)[1:], cwd=offline)
    assert done.returncode == 2
    assert re.search(
        r"literatim: https://\S+ could not be downloaded: .*; fetch it elsewhere and put it at ", done.stderr
    )


def test_its_python_runs_offline(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("literatim.interop.published", published)
    torch.save(literatim.load("lenet").state_dict(), "mine.ckpt")
    [code] = re.findall(r"(?s)```python\n(.*?)```", README)
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert type(names["module"]).__name__ == "LeNetTraining"


def test_extras_are_named_in_one_form() -> None:
    texts = [CHECKOUT / "README.md", *(CHECKOUT / "docs/guides").glob("*.md")]
    for path in texts:
        for named in re.findall(r"pip install [^\n`]*\[[^\n`]*", path.read_text(encoding="utf-8")):
            assert re.match(r"pip install 'literatim\[\w+\]'", named), f"{path}: {named}"
