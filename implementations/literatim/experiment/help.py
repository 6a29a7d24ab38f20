"""The options of a paper's training and data modules, for `--help`."""

from __future__ import annotations

from pytorch_lightning import Trainer
from pytorch_lightning.cli import LightningArgumentParser

from literatim.experiment.options import import_path
from literatim.registry.data import DATA_SETS
from literatim.registry.ledger import recipe_path
from literatim.registry.reading import card, shown
from literatim.registry.settings import settings


def options_help(paper: str, recipe: str, command: str, everything: bool) -> str:
    """The help text, with the recipe's values as defaults; with `everything` the Trainer's options too."""
    entry = card(paper)
    parser = LightningArgumentParser(prog="", usage="", description="", add_help=False)
    parser.add_lightning_class_args(import_path(entry.training or ""), "model")
    data = import_path(DATA_SETS[entry.recipes[recipe].data].module)
    parser.add_class_arguments(data, "data", skip={"seed"})
    if everything:
        parser.add_lightning_class_args(Trainer, "trainer")
    values = settings(recipe_path(paper, recipe))
    parser.set_defaults({f"{part}.{k}": v for part in ("model", "data") for k, v in values.get(part, {}).items()})
    text = parser.format_help().partition("\n")[2].strip()
    head = f"recipe {recipe}: {entry.recipes[recipe].about.en}\n{shown(recipe_path(paper, recipe))}"
    tail = "" if everything else f"\n\nThe Trainer's options: literatim {command} {paper} --help-all"
    return f"{head}\n\n{text}{tail}"
