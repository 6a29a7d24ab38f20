"""`literatim.recipe`: from Python a recipe trains as the command trains it."""

import subprocess
import sys

import pytest
import torch
from pytorch_lightning import Trainer

import literatim
from conftest import inside
from literatim.errors import LiteratimError
from literatim.registry import card, find

SHORT = {"max_epochs": 1, "limit_train_batches": 3, "limit_val_batches": 1}


@pytest.mark.parametrize("paper", ["lenet", "gan", "resnet32"])
def test_it_trains_to_the_bits_of_the_command(paper, tmp_path):
    options = [word for name, value in SHORT.items() for word in (f"--trainer.{name}", str(value))]
    done = inside("fit", paper, *options, "--seed_everything", "3", "--runs", str(tmp_path))
    assert done.returncode == 0, done.stderr
    [checkpoint] = tmp_path.glob("*/quick/0/checkpoints/last.ckpt")
    made = literatim.recipe(paper, "quick", seed=3)
    module, data = made
    trainer = Trainer(**made.trainer | SHORT, enable_progress_bar=False)
    trainer.fit(module, data)
    wanted = torch.load(checkpoint, weights_only=True)["state_dict"]
    assert module.state_dict().keys() == wanted.keys()
    for name, entry in module.state_dict().items():
        assert torch.equal(entry, wanted[name]), name


@pytest.mark.parametrize("paper", find())
def test_it_has_the_settings_of_the_recipe(paper):
    made = literatim.recipe(paper)
    entry = card(paper)
    assert made.module.hparams["variant"] == entry.recipe_variants("quick")[0]
    assert made.module.__module__ == (entry.training or "").partition(":")[0]
    assert made.data.seed == 0
    assert made.trainer["max_epochs"] > 1
    assert Trainer(**made.trainer).max_epochs == made.trainer["max_epochs"]


def test_other_values_are_laid_over_the_recipe():
    plain = literatim.recipe("resnet20").module.hparams
    made = literatim.recipe(
        "ResNet-32", seed=5, model={"lr": 0.05, "options": {"shortcut": "b"}}, data={"batch_size": 16}
    )
    wanted = {"lr": 0.05, "variant": "resnet32", "options": {**plain["options"], "shortcut": "b"}}
    assert dict(made.module.hparams) == {**plain, **wanted}
    assert (made.data.seed, made.data.batch_size) == (5, 16)


def test_it_leaves_no_run_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = literatim.recipe("lenet")
    Trainer(**made.trainer | SHORT, enable_progress_bar=False).fit(*made)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"paper": "lenett"}, 'there is no paper called "lenett"; did you mean "lenet"'),
        ({"recipe": "quik"}, 'lenet has no recipe "quik"; did you mean "quick"?'),
        ({"variant": "lenet6"}, 'lenet has no variant "lenet6"; did you mean "lenet5"'),
        ({"model": {"jj": 1}}, 'there is no option "--model.jj"; did you mean "--model.j"'),
        ({"model": {"j": "soon"}}, "model.j"),
        ({"model": {"options": {"int": "sqrt"}}}, 'lenet lenet5 has no option "int"; did you mean "init"?'),
        ({"data": {"sizes": 1}}, 'there is no option "--data.sizes"'),
        ({"recipe": "mnist", "data": {"root": "/nowhere"}}, "/nowhere"),
        ({"seed": -1}, "seed is -1; it must be a whole number from 0 to 4,294,967,295"),
        ({"seed": "0"}, "seed is '0'; it must be"),
        ({"model": 3}, "model is 3; it must be a mapping of options"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(given, said, tmp_path, monkeypatch):
    monkeypatch.delenv("LITERATIM_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(LiteratimError) as refused:
        literatim.recipe(**{"paper": "lenet"} | given).data.setup("fit")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_package_stays_light_with_it():
    code = "import sys, literatim; assert 'recipe' in literatim.__all__; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
