"""`literatim.recipe`: module and data of a recipe for a Trainer of one's own, in a script or a notebook."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pytorch_lightning import LightningDataModule, LightningModule, Trainer
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from literatim.errors import LiteratimError
from literatim.experiment.lightning import PaperCLI, Request
from literatim.experiment.runs import known_recipe
from literatim.registry.names import chosen


class Recipe(NamedTuple("Recipe", [("module", LightningModule), ("data", LightningDataModule)])):
    """`module, data = recipe`; what the recipe says to the Trainer is `recipe.trainer`, a dict of keywords."""

    trainer: dict[str, Any]


def recipe(
    paper: str,
    recipe: str | None = None,
    *,
    variant: str | None = None,
    seed: int | None = None,
    model: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Recipe:
    """The Lightning module and the data module of a recipe, with its settings, as `literatim fit` makes them.

        recipe = literatim.recipe("lenet", "quick")
        module, data = recipe
        trainer = Trainer(**recipe.trainer)
        trainer.fit(module, data)

    gives the weights that `literatim fit lenet --recipe quick` gives, bit for bit.

    Args:
        paper: a paper or a network, by any of its names
        recipe: a recipe of the card; quick where none is named
        variant: the paper's own name for the network; the recipe's first where none is named
        seed: of everything, which is seeded here; the recipe's where none is given
        model: other options of the training module, as after `--model.` on the command line; a mapping for `options`
            is laid over the recipe's
        data: other options of the data module, as after `--data.`

    Raises LiteratimError for names, options and values that are not.
    """
    paper, variant = chosen(paper, variant)
    if seed is not None and (type(seed) is not int or not 0 <= seed < 2**32):  # numpy takes no other
        raise LiteratimError(f"seed is {seed!r:.40}; it must be a whole number from 0 to {2**32 - 1:,}")
    args = [f"--seed_everything={seed}"] if seed is not None else []
    args += [f"--model.variant={variant}"] if variant else []
    for part, options in (("model", model), ("data", data)):
        if not isinstance(options, Mapping | type(None)):
            raise LiteratimError(f'{part} is {options!r:.40}; it must be a mapping of options, such as {{"lr": 0.1}}')
        args += [f"--{part}.{name}={value}" for name, value in _flags(options or {})]
    try:
        made = _Prepared(Request("fit", paper, known_recipe(paper, recipe), args))
    except MisconfigurationException as error:
        raise LiteratimError(" ".join(str(error).split())) from None
    found = Recipe(made.model, made.datamodule)
    found.trainer = made.settings
    return found


def _flags(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, value) of each option as the command line has it."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", given) for inner, given in _flags(value))
        else:
            yield name, value if isinstance(value, str) else json.dumps(value, default=str)


class _Prepared(PaperCLI):
    """`fit` up to where the Trainer is made."""

    def new_identity(self, config: Any) -> dict[str, Any]:
        return {}  # there is no run of ours to be recorded

    def instantiate_trainer(self, **kwargs: Any) -> Any:
        plain = {name: parameter.default for name, parameter in inspect.signature(Trainer).parameters.items()}
        given = dict(self.config_init[self.request.command].trainer.items(branches=False))
        self.settings = {name: value for name, value in given.items() if value != plain.get(name)}
        self.settings["enable_checkpointing"] = False  # or Lightning leaves some in the folder one is in
        return None

    def _run_subcommand(self, subcommand: str) -> None:
        pass
