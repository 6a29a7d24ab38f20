"""Options as they are given: on the command line and in configurations, with errors of one sentence."""

from __future__ import annotations

import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from pytorch_lightning.cli import LightningArgumentParser

from literatim.errors import LiteratimError, did_you_mean
from literatim.registry.reading import read_text, shown

# Options that say where things are or what is shown, not what is computed.
NOT_OVERRIDES = (
    "data.root", "data.download", "data.workers", "trainer.default_root_dir", "trainer.enable_progress_bar",
    "trainer.logger", "seed_everything", "data.seed", "model.variant", "ckpt_path", "config", "verbose", "weights_only",
)  # fmt: skip


class PaperParser(LightningArgumentParser):
    """Says what is wrong in one line, with the nearest options, where argparse prints the whole usage."""

    def error(self, message: str, ex: Exception | None = None) -> Any:
        raise LiteratimError(self.sentence(" ".join(str(message).split())))

    def sentence(self, message: str) -> str:
        options = [action.dest for action in self._actions]
        if commands := self._subcommands_action:
            options += [action.dest for parser in commands.choices.values() for action in parser._actions]
        if found := re.search(r"unrecognized arguments: --([^\s=]+)", message, re.IGNORECASE):
            return f'there is no option "--{found[1]}"{did_you_mean(found[1], options)}'
        if found := re.search(r"does not accept option '([\w.]+)'", message):
            return f'there is no option "{found[1]}"{did_you_mean(found[1], options)}'
        if found := re.match(r'Parser key "([\w.]+)": (.*)', message):
            return f"{found[1]}: {found[2][0].lower() + found[2][1:]}"
        return message


def place_in(files: list[Path], message: str) -> str:
    """`file:line:column: ` of the option a message speaks of, in the first file that sets it; else nothing."""
    for name in re.findall(r"(?:model|data|trainer)(?:\.\w+)+", message):
        for path in files:
            node: Any = yaml.compose(read_text(path))
            for step in name.split("."):
                found = [(key, value) for key, value in getattr(node, "value", ()) if key.value == step]
                if not found:
                    break
                key, node = found[0]
            else:
                return f"{shown(path)}:{key.start_mark.line + 1}:{key.start_mark.column + 1}: "
    return ""


def import_path(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def options(args: list[str], name: str) -> list[str]:
    """All values given to one of Lightning's options, as `--name value` or `--name=value`."""
    split = [value for arg, value in pairwise(args) if arg == f"--{name}"]
    return split + [arg.partition("=")[2] for arg in args if arg.startswith(f"--{name}=")]


def flat(config: Any) -> dict[str, Any]:
    """`{"model.lr": 0.1, …}` of a parsed configuration."""
    return dict(config.items(branches=False))


def check_config(path: Path) -> None:
    """Read a configuration once before anything is built from it, for an error that names the line."""
    try:
        found = yaml.safe_load(read_text(path))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise LiteratimError(f"{shown(path)}:{line}: not YAML: {error.problem}") from None
    if not isinstance(found, dict):
        raise LiteratimError(f"{shown(path)}:1:1: a configuration is a mapping with model, data and trainer in it")
