"""What a command imports before its first step, and that what was put off is there for whoever asks."""

import subprocess
import sys

import pytest

PUT_OFF = ("torchvision", "scipy.signal", "torchmetrics.functional", "torchmetrics.classification", "sklearn")
# After a fit, in one process: each way to ask is tried in a fork of it, as if it were the first.
PROGRAM = """
import gc, os, sys
from literatim.cli import main
status = main(["fit", "lenet", "--trainer.limit_train_batches", "1", "--trainer.max_epochs", "1"])
print("fit", status, gc.isenabled(), *(name for name in {put_off} if name in sys.modules), flush=True)
import torch
from pytorch_lightning.core.module import Metric
half = torch.tensor([1, 1]), torch.tensor([1, 0])
for way in {ways}:
    if not (child := os.fork()):
        exec(way)
        print(way, "works", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""
WAYS = [
    "import torchmetrics; m = torchmetrics.Accuracy(task='binary'); assert m(*half) == 0.5 and isinstance(m, Metric)",
    "from torchmetrics import Accuracy as A; assert A(task='binary')(*half) == 0.5",
    "from torchmetrics import *; assert MeanMetric()(torch.ones(2)) == 1",
    "from torchmetrics.classification import BinaryAccuracy; assert BinaryAccuracy()(*half) == 0.5",
    "import torchmetrics.functional as F, torchmetrics; assert F is torchmetrics.functional",
    "from torchmetrics.detection import IntersectionOverUnion",
    "from torchmetrics.utilities.data import dim_zero_cat",
    "from torchmetrics import Metric as M; assert M is Metric",
]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    program = PROGRAM.format(put_off=PUT_OFF, ways=[*WAYS, "import torchmetrics.nothing"])
    folder = tmp_path_factory.mktemp("imports")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, timeout=300)
    assert "\nfit " in done.stdout, done.stderr
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]


def test_a_fit_imports_no_torchvision_no_scikit_learn_and_not_all_of_torchmetrics(said: list[str]) -> None:
    assert "fit 0 True" in said


@pytest.mark.parametrize("way", WAYS)
def test_whoever_asks_for_the_rest_of_torchmetrics_gets_it(said: list[str], way: str) -> None:
    assert f"{way} works" in said, said


def test_what_torchmetrics_has_not_is_refused_in_pythons_words(said: list[str]) -> None:
    assert "ModuleNotFoundError: No module named 'torchmetrics.nothing'" in said


def test_a_torchmetrics_whose_classes_do_not_import_alone_is_imported_whole(tmp_path) -> None:
    package = tmp_path / "torchmetrics"
    package.mkdir()
    (package / "__about__.py").write_text('__version__ = "9.0"\n__all__ = ["__version__"]\n')
    (package / "utilities.py").write_text("from torchmetrics import functional\n")
    (package / "functional.py").write_text("")
    (package / "__init__.py").write_text("from torchmetrics import functional, utilities\nMetric = 1\n")
    program = (
        "from literatim.imports import quickly\n"
        "with quickly():\n    import torchmetrics\nprint(torchmetrics.Metric, torchmetrics.functional.__name__)"
    )
    lines = f"import sys; sys.path[:0] = {[str(tmp_path), *sys.path]}; {program}"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True)
    assert done.stdout == "1 torchmetrics.functional\n", done.stderr
