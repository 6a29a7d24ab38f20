"""What recipes do otherwise than the paper is declared on the card: every option is held against its settings."""

import textwrap

import pytest

from conftest import CHECKOUT
from literatim.registry import faithful, reading
from literatim.registry.defaults import UNKNOWN, defaults
from literatim.registry.lint import lint
from literatim.registry.schema import Deviation, Text

PAPERS = sorted(path.parent.name for path in CHECKOUT.glob("papers/*/card.yaml"))
CARD = """\
schema: 1
id: mlp
title: A Network of Three Layers
authors: [Ada Lovelace]
year: 1998
venue: {type: misc, name: Notes}
bibtex: lovelace1998network
topics: [vision]
sources: {preprint: {is: our own}}
summary: {en: "three layers"}
variants:
  small: {model: "literatim.papers.lenet.model:LeNet5", input: [1, 32, 32]}
  large: {model: "literatim.papers.lenet.model:LeNet5", input: [1, 32, 32], with: {init: sqrt}}
training: "literatim.papers.lenet.training:LeNetTraining"
recipes:
  quick:
    about: {en: "offline"}
    data: mnist
    variants: [small, large]
    deviations:
      - {paper: {en: "twenty passes"}, ours: {en: "two"}, why: {en: "fast"}, options: [trainer.max_epochs]}
settings:
  model.j: {left: open}
  model.options.init:
    - {is: printed, where: Sec. 2, of: [small]}
    - {is: sqrt, where: Sec. 3, of: [large]}
  data.size: {is: 32, where: Sec. 2}
  data.batch_size: {is: 100, where: Sec. 4}
  trainer.max_epochs: {is: 20, where: Sec. 4}
"""
RECIPE = """\
model: {j: 3.0}
data:
  batch_size: 100
  watch: [val]
trainer: {max_epochs: 2}
"""


@pytest.fixture
def mlp(tmp_path, monkeypatch):
    """The folder of a paper whose recipe is as its card says."""
    folder = tmp_path / "papers/mlp"
    (folder / "recipes").mkdir(parents=True)
    (folder / "card.yaml").write_text(CARD)
    (folder / "recipes/quick.yaml").write_text(RECIPE)
    monkeypatch.setenv("LITERATIM_PAPERS", str(tmp_path / "papers"))
    monkeypatch.chdir(tmp_path)
    reading.card.cache_clear(), reading.claims.cache_clear()
    yield folder
    reading.card.cache_clear(), reading.claims.cache_clear()


def after(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))
    reading.card.cache_clear()
    return lint()


def test_a_recipe_as_its_card_says_has_no_faults(mlp):
    assert lint() == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("batch_size: 100", "batch_size: 50", "3:3: data.batch_size: 50, and the paper has 100 (Sec. 4): declare it in "
         "a deviation of the recipe, with `options: [data.batch_size]`"),
        ("  batch_size: 100\n", "", "2:1: data.batch_size: 64 by default, and the paper has 100 (Sec. 4)"),
        ("j: 3.0", "j: 3.0, mu: 0.5", "1:17: model.mu: the settings on the card of mlp do not say what the paper has"),
        ("j: 3.0", "j: 3.0, options: {init: printed}", "1:27: model.options.init: printed, and the paper has sqrt "),
        ("max_epochs: 2}", "max_epochs: 2, max_steps: 7}", "5:26: trainer.max_steps: the settings on the card of mlp"),
    ],
)  # fmt: skip
def test_an_option_that_the_card_does_not_account_for_is_a_fault(mlp, old, new, fault):
    (found,) = after(mlp / "recipes/quick.yaml", old, new)
    assert found.startswith(f"papers/mlp/recipes/quick.yaml:{fault}")


def test_a_declared_deviation_is_none(mlp):
    more = "options: [trainer.max_epochs, data.batch_size]"
    assert after(mlp / "recipes/quick.yaml", "batch_size: 100", "batch_size: 50") != []
    assert after(mlp / "card.yaml", "options: [trainer.max_epochs]", more) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("options: [trainer.max_epochs]", "options: []",
         "papers/mlp/recipes/quick.yaml:5:11: trainer.max_epochs: 2, and the paper has 20 (Sec. 4)"),
        ("[trainer.max_epochs]", "[trainer.max_epochs, data.size]",
         "papers/mlp/card.yaml:20:5: recipes.quick: a deviation names data.size, which is as the paper has it"),
        ("[trainer.max_epochs]", "[trainer.max_epochs, data.sise]",
         "papers/mlp/card.yaml:20:5: recipes.quick: a deviation names data.sise, of which the settings say nothing"),
        ("data.size: {is", "data.sise: {is",
         'papers/mlp/card.yaml:27:3: settings: no recipe has an option data.sise; did you mean "data.size" or '),
        ("{is: 32, where: Sec. 2}", "{is: 32}", "papers/mlp/card.yaml:27:3: settings.data.size: give what the"),
        ("{is: 32, where: Sec. 2}", "{where: Sec. 2}", "papers/mlp/card.yaml:27:3: settings.data.size: give what the"),
        ("{is: 32, where: Sec. 2}", "{is: 32, where: Sec. 2, left: open}", "papers/mlp/card.yaml:27:3: settings.data"),
        ("{left: open}", "{left: nobody}", "papers/mlp/card.yaml:23:13: settings.model.j.left: input should be 'open'"),
        ("of: [small]", "of: [tiny]",
         'papers/mlp/card.yaml:24:3: settings.model.options.init: the card has no recipe and no variant "tiny"'),
    ],
)  # fmt: skip
def test_faults_of_settings_and_deviations(mlp, old, new, fault):
    (found,) = after(mlp / "card.yaml", old, new)
    assert found.startswith(fault)


@pytest.mark.parametrize("paper", PAPERS)
def test_no_deviation_of_the_collection_could_be_left_out(paper, monkeypatch):
    """What a deviation names differs from the paper, or is left open by it: without the name it is a fault."""
    found = reading.card(paper)
    for name, recipe in found.recipes.items():
        for i, deviation in enumerate(recipe.deviations):
            told = [o for o in deviation.options if not any(entry.left for entry in found.setting(o))]
            bare = Deviation(paper=Text(en="…"), ours=Text(en="…"), why=Text(en="…"))
            rest = (*recipe.deviations[:i], bare, *recipe.deviations[i + 1 :])
            recipes = {**found.recipes, name: recipe.model_copy(update={"deviations": rest})}
            monkeypatch.setattr(
                faithful, "card", lambda _, recipes=recipes: found.model_copy(update={"recipes": recipes})
            )
            faults = " ".join(faithful.undeclared(paper))
            assert [option for option in told if f" {option}: " not in faults] == []


def test_defaults_are_read_without_importing_anything(tmp_path, monkeypatch):
    package = tmp_path / "papers/made"
    package.mkdir(parents=True)
    (package / "base.py").write_text("SIZE, NAME = 7, 'x'\nDEEP: int = 3\n")
    (package / "training.py").write_text(
        textwrap.dedent("""
        import torch_that_is_not_there
        from literatim.papers.made import base
        from literatim.papers.made.base import DEEP as HOW_DEEP

        class Old(torch_that_is_not_there.Module):
            def __init__(self, lr: float = -1e-3, size=base.SIZE, deep=HOW_DEEP, *, many=(1, [2]), odd=len("x")): ...

        class New(Old):
            pass

        class Alone:
            pass
        """)
    )
    monkeypatch.setattr("literatim.registry.defaults.PACKAGE", tmp_path)
    expected = {"lr": -1e-3, "size": 7, "deep": 3, "many": (1, [2]), "odd": UNKNOWN}
    assert defaults("literatim.papers.made.training:New") == expected
    assert defaults("literatim.papers.made.training:Alone") == defaults("literatim.papers.nowhere:New") == {}


def test_the_defaults_read_are_those_of_the_class():
    """Of all that recipes are made of, against what Python itself says."""
    from inspect import Parameter, signature

    from literatim.registry.data import DATA_SETS
    from literatim.registry.names import find

    cards = [reading.card(paper) for paper in find()]
    paths = {variant.model for card in cards for variant in card.variants.values()}
    paths |= {card.training for card in cards if card.training} | {data.module for data in DATA_SETS.values()}
    beyond = {"Corpus": ["phrases"], "Streams": ["lexicon"]}  # no plain values
    for path in paths:
        module, _, name = path.partition(":")
        whole = signature(getattr(__import__(module, fromlist=[name]), name)).parameters.values()
        told = {p.name: p.default for p in whole if p.default is not Parameter.empty}
        differ = [name for name, value in told.items() if defaults(path).pop(name) != value]
        assert (defaults(path).keys(), differ) == (told.keys(), beyond.get(name, [])), path
