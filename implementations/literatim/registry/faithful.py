"""What recipes set against what the paper has, by the card's `settings`: what differs is among the deviations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from literatim.errors import did_you_mean
from literatim.registry.data import DATA_SETS
from literatim.registry.defaults import UNKNOWN, defaults
from literatim.registry.ledger import recipe_path
from literatim.registry.reading import card, paper_folder, place_of
from literatim.registry.schema import Card, Setting
from literatim.registry.settings import recipe_faults, settings

# Where things lie, how much fits into memory, what is watched: of no paper's experiment.
APPARATUS = {
    "model.variant", "model.workers", "data.root", "data.download", "data.workers", "data.cache", "data.seed",
    "data.eval_batch_size", "data.watch", "trainer.check_val_every_n_epoch",
}  # fmt: skip


def undeclared(paper: str) -> Iterator[str]:
    """Faults as `file:line:column: option: what`: an option that the settings pass over, one that is not as the paper
    has it without a deviation that names it, and a deviation that names what is as the paper has it."""
    found = card(paper)
    used: set[str] = set()
    for recipe, about in found.recipes.items():
        path = recipe_path(paper, recipe)
        if not path.is_file() or recipe_faults(path) or about.data not in DATA_SETS:
            continue  # said elsewhere
        told = settings(path, recipe=True)
        named = [option for deviation in about.deviations for option in deviation.options]
        differs: set[str] = set()
        said: dict[str, str] = {}
        for variant in found.recipe_variants(recipe):
            options = _options(found, recipe, variant, told)
            used |= options.keys()
            for option, value in options.items():
                left = _left(found, recipe, variant, option, value, option in _flat(told))
                differs |= {option} if left else set()
                if left and option not in named:
                    said.setdefault(option, left)
        for option, what in said.items():
            yield f"{place_of(path, tuple(option.split('.')))}{option}: {what}"
        at = place_of(paper_folder(paper) / "card.yaml", ("recipes", recipe, "deviations")) if named else ""
        for option in named:
            if option not in found.settings:
                yield f"{at}recipes.{recipe}: a deviation names {option}, of which the settings say nothing"
            elif option not in differs and not any(entry.left for entry in found.setting(option)):
                yield f"{at}recipes.{recipe}: a deviation names {option}, which is as the paper has it"
    for option in found.settings.keys() - used if found.recipes else ():
        at = place_of(paper_folder(paper) / "card.yaml", ("settings", option))
        yield f"{at}settings: no recipe has an option {option}{did_you_mean(option, used)}"


def _left(found: Card, recipe: str, variant: str, option: str, value: Any, told: bool) -> str | None:
    """What is to be said of an option of a recipe, or None where it is as the paper has it, or the paper leaves it."""
    said = [entry for entry in found.setting(option) if not entry.of or {recipe, variant} & {*entry.of}]
    if not said:
        return f"the settings on the card of {found.id} do not say what the paper has" if told else None
    if any(entry.left for entry in said) or any(_alike(value) == _alike(entry.is_) for entry in said):
        return None
    if value is UNKNOWN:
        return "its default is no plain value that could be compared with the paper's"
    paper = " or ".join(f"{_shown(entry)} ({entry.where})" for entry in said)
    ours = value if told else f"{value} by default"
    return f"{ours}, and the paper has {paper}: declare it in a deviation of the recipe, with `options: [{option}]`"


def _alike(value: Any) -> Any:
    """A value as JSON has it, so that a tuple is a list and a mapping's numbers are words."""
    if isinstance(value, dict):
        return {str(key): _alike(inner) for key, inner in value.items()}
    return [_alike(inner) for inner in value] if isinstance(value, list | tuple) else value


def _shown(entry: Setting) -> str:
    return "none" if entry.is_ is None else str(entry.is_)


def _flat(told: dict[str, Any]) -> dict[str, Any]:
    """option -> value of all that a recipe sets."""
    flat: dict[str, Any] = {}
    for section in ("model", "data", "trainer"):
        for name, value in told.get(section, {}).items():
            inner = value if (section, name) == ("model", "options") else {"": value}
            flat |= {f"{section}.{name}.{key}".rstrip("."): each for key, each in inner.items()}
    return flat


def _options(found: Card, recipe: str, variant: str, told: dict[str, Any]) -> dict[str, Any]:
    """option -> value with which a variant is trained: the recipe's, the variant's, or the default."""
    entry = found.variants[variant]
    of_model = {**defaults(entry.model), **entry.with_}
    whole = {f"model.options.{name}": value for name, value in of_model.items()}
    whole |= {f"model.{name}": value for name, value in defaults(found.training or "").items() if name != "options"}
    whole |= {f"data.{name}": value for name, value in defaults(DATA_SETS[found.recipes[recipe].data].module).items()}
    whole |= {"trainer.devices": "auto"} | _flat(told)
    return {name: value for name, value in whole.items() if name not in APPARATUS}
