"""The defaults of options, read in the source of what is built with them: nothing is imported, so it takes no torch."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]
UNKNOWN = object()  # a default that is no plain value


def defaults(path: str) -> dict[str, Any]:
    """name -> default of the keywords of the class or function that an import path names; none where it is not there.

    A class without an `__init__` of its own has that of its first base.
    """
    module, _, name = path.partition(":")
    found, home = _definition(module, name)
    while isinstance(found, ast.ClassDef):
        own = [part for part in found.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
        bases = [base.id for base in found.bases if isinstance(base, ast.Name)]
        found, home = (own[0], home) if own else _definition(home, bases[0]) if bases else (None, home)
    if not isinstance(found, ast.FunctionDef):
        return {}
    args = found.args
    given: list[tuple[ast.arg, ast.expr | None]] = list(zip(args.kwonlyargs, args.kw_defaults, strict=True))
    given += list(zip(args.args[len(args.args) - len(args.defaults) :], args.defaults, strict=True))
    return {arg.arg: _value(home, node) for arg, node in given if node is not None}


@cache
def _tree(module: str) -> ast.Module:
    place = PACKAGE.joinpath(*module.split(".")[1:])
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    ours = module.partition(".")[0] == "literatim" and file.is_file()
    return ast.parse(file.read_text(encoding="utf-8") if ours else "")


def _definition(module: str, name: str) -> tuple[ast.stmt | ast.expr | None, str]:
    """(the class, function or value that bears a name in a module, the module in which it stands): imports are
    followed."""
    for node in _tree(module).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node, module
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _definition(node.module, alias.name)
        for target, value in _assigned(node):
            if isinstance(target, ast.Name) and target.id == name:
                return value, module
    return None, module


def _assigned(node: ast.stmt) -> list[tuple[ast.expr, ast.expr]]:
    """(target, value) of an assignment, one by one where several stand on both sides."""
    if isinstance(node, ast.AnnAssign):
        return [(node.target, node.value)] if node.value else []
    if not isinstance(node, ast.Assign):
        return []
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts, strict=False))
    return [(target, value)]


def _value(module: str, node: ast.expr) -> Any:
    """A plain value, or a constant of ours by its name, in its own module (`SAMPLES`) or another (`parzen.SAMPLES`)."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        pass
    name, home = getattr(node, "id", ""), module
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        imports = [part for part in _tree(module).body if isinstance(part, ast.ImportFrom)]
        modules = {a.asname or a.name: f"{part.module}.{a.name}" for part in imports for a in part.names}
        name, home = node.attr, modules.get(node.value.id, "")
    found, home = _definition(home, name)
    return _value(home, found) if isinstance(found, ast.expr) else UNKNOWN
