"""Options as they are given: on the command line and in configurations, with errors of one sentence."""

from __future__ import annotations

import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import set_parsing_settings
from pytorch_lightning.cli import LightningArgumentParser

from literatim.errors import LiteratimError, did_you_mean
from literatim.experiment.wording import worded
from literatim.registry.reading import read_text, shown

# Options that say where things are or what is shown, not what is computed.
NOT_OVERRIDES = (
    "data.root", "data.download", "data.workers", "trainer.default_root_dir", "trainer.enable_progress_bar",
    "trainer.logger", "seed_everything", "data.seed", "model.variant", "ckpt_path", "config", "verbose", "weights_only",
)  # fmt: skip


class PaperParser(LightningArgumentParser):
    """Says what is wrong in one line, with the nearest options, where argparse prints the whole usage."""

    def error(self, message: str, ex: Exception | None = None) -> Any:
        raise LiteratimError(self.sentence(str(message)))

    def sentence(self, message: str) -> str:
        if found := re.search(r"Importing '([\w.]+)' is not allowed", message):
            return (
                f"{found[1]} is no part of Lightning that a configuration may name, and code of "
                f"others is not run unasked; if you trust it: --allow_code {found[1].rpartition('.')[0] or found[1]}"
            )
        if found := re.match(r'Parser key "([\w.]+)":\s*((?:.|\n)*)', message):
            return worded(found[1], found[2])
        message = " ".join(message.split())
        options = [action.dest for action in self._actions]
        if commands := self._subcommands_action:
            options += [action.dest for parser in commands.choices.values() for action in parser._actions]
        if found := re.search(r"unrecognized arguments: --([^\s=]+)", message, re.IGNORECASE):
            return f'there is no option "--{found[1]}"{did_you_mean(found[1], options)}'
        if found := re.match(r"unrecognized arguments: (.+)", message, re.IGNORECASE):
            return f'"{found[1].split()[0]}" is one word too many; options begin with --'
        if found := re.search(r"does not accept option '([\w.]+)'", message):
            return f'there is no option "{found[1]}"{did_you_mean(found[1], options)}'
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


# What a class path in a configuration may lead to; of anything else no module is even imported. Not all of torch or
# Lightning, which have classes that start programs, and none that calls a function of somebody's choice.
PARTS = ("accelerators", "callbacks", "loggers", "plugins", "profilers", "strategies")
MAY_BE_NAMED = [f"pytorch_lightning.{part}" for part in PARTS] + ["lightning_fabric.plugins"]
CALLS_ANYTHING = ["pytorch_lightning.callbacks.LambdaCallback", "pytorch_lightning.callbacks.lambda_function"]


def guard_imports(allowed: list[str]) -> None:
    """Let class paths lead only where MAY_BE_NAMED and the user's --allow_code say, and build nothing of plain data.

    Raises LiteratimError for what is no dotted name.
    """
    for name in allowed:
        if not all(part.isidentifier() for part in name.split(".")):
            raise LiteratimError(f'--allow_code is "{name}"; it names a module, such as my_callbacks')
    set_parsing_settings(
        instantiate_subclass_spec_in_any=False,
        import_path_denylist=["*", *CALLS_ANYTHING],
        import_path_allowlist=[*MAY_BE_NAMED, *allowed],
    )
