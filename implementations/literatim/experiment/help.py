"""The options of a paper's training and data modules, for `--help`."""

from __future__ import annotations

from pytorch_lightning import Trainer
from pytorch_lightning.cli import LightningArgumentParser

from literatim.experiment.lightning import import_path
from literatim.registry.data import DATA_SETS
from literatim.registry.ledger import recipe_path
from literatim.registry.reading import card, shown


def options_help(paper: str, recipe: str, command: str, everything: bool) -> str:
    """The help text; with `everything` the Trainer's options too (some 150 lines more)."""
    entry = card(paper)
    parser = LightningArgumentParser(
        prog=f"literatim {command} {paper}", usage="", add_help=False, formatter_class=None
    )
    parser.add_lightning_class_args(import_path(entry.training or ""), "model")
    parser.add_lightning_class_args(import_path(DATA_SETS[entry.recipes[recipe].data].module), "data")
    if everything:
        parser.add_lightning_class_args(Trainer, "trainer")
    text = parser.format_help().partition("\n")[2].strip()
    head = f"recipe {recipe}: {entry.recipes[recipe].about.en}\n{shown(recipe_path(paper, recipe))}"
    tail = "" if everything else f"\n\nThe Trainer's options: literatim {command} {paper} --help-all"
    return f"{head}\n\n{text}{tail}"
