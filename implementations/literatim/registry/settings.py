"""Recipes and configurations: read as strictly as cards, and plain: nobody's file names a class to be built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from literatim.errors import LiteratimError, did_you_mean
from literatim.registry.reading import plain, shown

SECTIONS = ("model", "data", "trainer")
PLAIN = ("model", "data")  # of these sections: what is built of them are our own classes
NO_CLASS = "an option holds no class; it holds numbers, words, lists and mappings"


def settings(path: Path, recipe: bool = False) -> dict[str, Any]:
    """A recipe or a configuration by its sections. Raises LiteratimError with file:line:column of its first fault.

    It is read as strictly as cards are, and what stands under `model` and `data` is plain: nobody's file names a class
    that is built there.
    """
    faults, found = _faults(path, recipe)
    if faults:
        raise LiteratimError(faults[0])
    return found


def recipe_faults(path: Path) -> list[str]:
    """Every fault of a recipe as `file:line:column: where: what`: it has sections and a seed, and nothing else."""
    return _faults(path, recipe=True)[0]


def _faults(path: Path, recipe: bool = False) -> tuple[list[str], dict[str, Any]]:
    """(faults, what is set): of the two one is empty."""
    faults, node, found = plain(path, keys=("str", "int"))  # ProGAN's recipes have mappings by resolution
    if faults:
        return faults, {}
    if not isinstance(node, yaml.MappingNode):
        return [f"{shown(path)}:1:1: a configuration is a mapping with {', '.join(SECTIONS)} in it"], {}
    placed = [fault for key, value in node.value for fault in _section_faults(key, value, recipe)]
    faults = [f"{shown(path)}:{mark.line + 1}:{mark.column + 1}: {what}" for mark, what in placed]
    return (faults, {}) if faults else ([], found)


def _section_faults(key: yaml.Node, value: yaml.Node, recipe: bool) -> Iterator[tuple[Any, str]]:
    name = key.value
    if name in SECTIONS and not isinstance(value, yaml.MappingNode):
        yield key.start_mark, f"{name}: a mapping is expected; leave an empty section out"
    elif name in PLAIN:
        for mark, place in _classes_named(value, name):
            yield mark, f"{place}: {NO_CLASS}"
    elif name == "ckpt_path" and value.tag != "tag:yaml.org,2002:null":
        yield key.start_mark, "ckpt_path: a configuration names no checkpoint; give it as --ckpt_path"
    elif recipe and name == "seed_everything" and value.tag != "tag:yaml.org,2002:int":
        yield key.start_mark, "seed_everything: a whole number is expected"
    elif recipe and name not in (*SECTIONS, "seed_everything"):
        yield key.start_mark, f'there is no section "{name}"{did_you_mean(name, SECTIONS)}'


def _classes_named(node: yaml.Node, place: str) -> Iterator[tuple[Any, str]]:
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            yield from _classes_named(item, f"{place}[{i}]")
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in ("class_path", "init_args"):
                yield key.start_mark, place
            yield from _classes_named(value, f"{place}.{key.value}")


def check_plain(value: Any, place: str) -> None:
    """Raises LiteratimError where an option from a checkpoint or a record is anything but numbers, words, yes or no,
    and lists and mappings of these, or names a class to be built."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str | int) or key in ("class_path", "init_args", "_class_path", "_instantiator"):
                raise LiteratimError(f"{place}: {NO_CLASS}")
            check_plain(inner, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for inner in value:
            check_plain(inner, place)
    elif value is not None and not isinstance(value, str | int | float):
        raise LiteratimError(
            f"{place}: an option holds numbers, words, lists and mappings, not a {type(value).__name__}"
        )
