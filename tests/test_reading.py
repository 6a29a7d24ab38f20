"""No check tests only itself: what it says it reads off the model, the recipe, the data, the records or the card.

Whatever a check imports from these is taken away, so that to use it stops the check. One that answers all the same has
reckoned with nothing but what stands in the check, and its claim must say so (`reckoned_from`).
"""

import ast
import builtins
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

from literatim.claims.once import measured_once
from literatim.registry import find
from literatim.registry.reading import claims

# What a check may use and yet have read nothing.
TOOLS = {"literatim.claims.Finding", "literatim.claims.once.once", "literatim.errors.LiteratimError"}
ASKED = (
    "getattr call iter next len getitem contains enter exit bool int float index str repr format hash round abs neg eq"
    " ne lt le gt ge add radd sub rsub mul rmul truediv rtruediv floordiv mod pow rpow matmul or and instancecheck"
)


class Read(BaseException):
    """A check asked for something that is not its own. No check catches it."""


def stop(*args: Any, **options: Any) -> Any:
    raise Read


Taken = type("Taken", (), {f"__{name}__": stop for name in ASKED.split()})


def is_check(module: str) -> bool:
    return module.startswith("literatim.papers.") and module.split(".")[3:4] in (["checks"], ["claimed"])


def is_source(path: str) -> bool:
    return path.startswith("literatim.") and not is_check(path) and path not in TOOLS


@cache
def imported(file: str) -> list[str]:
    """The names by which a module of checks has what it can read, from its import statements."""
    names: list[str] = []
    for node in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names += [a.asname or a.name.split(".")[0] for a in node.names if a.name.split(".")[0] == "literatim"]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [a.asname or a.name for a in node.names if is_source(f"{node.module}.{a.name}")]
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:  # what has been read on import
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if {each.id for each in ast.walk(node.value) if isinstance(each, ast.Name)} & {*names}:
                names += [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    return names


def guarded(name: str, given: Any = None, *rest: Any, plainly: Any = builtins.__import__) -> Any:
    """Python's `import`, which takes no source to a check either."""
    names = rest[1] or ("",) if len(rest) > 1 else ("",)
    if given and is_check(given.get("__name__", "")) and any(is_source(f"{name}.{each}") for each in names):
        raise Read
    return plainly(name, given, *rest)


@contextmanager
def nothing_to_read() -> Iterator[None]:
    modules = [module for name, module in sys.modules.items() if is_check(name)]
    taken = [vars(module)[name] for module in modules for name in imported(str(module.__file__))]
    # One module of checks may have a table from another that has read what stands in it.
    known = {id(value) for value in taken if isinstance(value, dict | list)}
    kept = [(vars(m), name, value) for m in modules for name, value in vars(m).items() if id(value) in known]
    kept += [(vars(m), name, vars(m)[name]) for m in modules for name in imported(str(m.__file__))]
    for module in modules:
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
    try:
        for names, name, _ in kept:
            names[name] = Taken()
        with patch.object(builtins, "__import__", guarded), patch.object(io, "open", stop):
            yield
    finally:
        for names, name, value in kept:
            names[name] = value


def answers_alone(check: str, *argument: str) -> bool:
    """Whether a check comes to its answer with nothing to read."""
    module, _, name = check.partition(":")
    function = getattr(import_module(module), name)
    try:
        with nothing_to_read(), measured_once():
            function(*argument)
    except Read:
        return False
    return True


@pytest.mark.parametrize("paper", find())
def test_a_check_reads_something_or_its_claim_says_that_it_only_reckons(paper):
    asked = [claim for claim in claims(paper) if claim.check]
    alone = {c.id for c in asked if answers_alone(c.check, *([c.argument] if c.argument else []))}
    assert alone == {claim.id for claim in asked if claim.reckoned_from}


OWN = "literatim.papers.sample.checks"


@pytest.mark.parametrize(
    ("body", "alone"),
    [
        ("def check(): return 2 + 2", True),
        ("def check(): return Finding(True, 'so it is')", True),
        ("def check(): return model.C5", False),
        ("def check(): return sum(p.numel() for p in model.LeNet5().parameters())", False),
        ("def check(): return isinstance(3, LeNet5)", False),
        ("def check(): return setting('lenet', 'paper', 'trainer.max_epochs')", False),
        ("def check():\n    from literatim.datasets import mnist\n    return len(mnist.MNIST.classes)", False),
        ("def check(): return Path(__file__).read_text()", False),
        ("@cache\ndef kept(): return model.C5\nkept()\ndef check(): return kept()", False),
    ],
)  # fmt: skip
def test_a_check_that_reads_is_told_from_one_that_does_not(tmp_path, monkeypatch, body, alone):
    path = tmp_path / "checks.py"
    path.write_text(
        "from functools import cache\nfrom pathlib import Path\nfrom literatim.claims import Finding, setting\n"
        "from literatim.papers.lenet import model\nfrom literatim.papers.lenet.model import LeNet5\n"
        f"{body.replace('model.C5', 'model.TABLE_I')}\n"
    )
    module = ModuleType(OWN)
    module.__file__ = str(path)
    exec(compile(path.read_text(), path, "exec"), vars(module))
    monkeypatch.setitem(sys.modules, OWN, module)
    assert answers_alone(f"{OWN}:check") is alone
