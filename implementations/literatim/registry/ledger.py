"""The ledger: recorded runs, and whether the recipe, code and data they were made with are still today's."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import tokenize
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from literatim.errors import LiteratimError
from literatim.registry.data import DATA_SETS
from literatim.registry.reading import card, paper_folder, read_text, shown
from literatim.registry.settings import settings

if TYPE_CHECKING:
    from literatim.registry.schema import Text

PACKAGE = Path(__file__).resolve().parents[1]
# Files of a paper's package that decide no outcome: what is claimed of it, and what its page runs.
BESIDE = ("checks.py", "demo.py")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Record:
    """One recorded run, as it stands in its record.json."""

    folder: Path
    data: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def metric(self, name: str, epoch: int | None = None) -> float | None:
        """A metric at the end of the run, or after an epoch (counted from 1) as the curve has it."""
        if epoch is None:
            return self.data["metrics"].get(name)
        for row in self.curve():
            if row["epoch"] == epoch and name in row:
                return row[name]
        return None

    def curve(self) -> list[dict[str, float]]:
        """The rows of curve.csv, empty cells left out."""
        from literatim.registry.recorded import curve_rows

        return curve_rows(self.folder / "curve.csv")

    @property
    def stale(self) -> list[str]:
        """Which of recipe, code and data have changed since the run."""
        try:
            now = hashes(self["paper"], self["recipe"])
        except LiteratimError:
            return ["recipe"]
        old = [name for name in ("recipe", "code", "data") if self[f"{name}_sha256"] != now[f"{name}_sha256"]]
        return [name for name in old if name != "code" or self.carried.get("code_sha256") != now["code_sha256"]]

    @property
    def carried(self) -> dict[str, Any]:
        """What `literatim carry` has shown: the hash of later code that begins this run with the same bits."""
        return self.data.get("carried") or {}

    @property
    def unjudged(self) -> list[Text]:
        """Why this run is not held against the paper; empty when it is."""
        from literatim.registry.schema import Text

        reasons = []
        if self["dirty"]:
            reasons.append(Text(en="the tree was not clean", zh="代码有未提交的改动"))
        if not self["metrics"]:
            reasons.append(Text(en="the run has no outcome", zh="运行没有结果"))
        if self.data.get("began_from"):
            reasons.append(Text(en="the run went on from a checkpoint found elsewhere", zh="运行从别处的检查点继续"))
        if self["overrides"]:
            given = " ".join(self["overrides"])
            reasons.append(Text(en=f"options were overridden: {given}", zh=f"选项有改动：{given}"))
        deviations = card(self["paper"]).recipes[self["recipe"]].deviations
        if harmful := [d.ours for d in deviations if d.harmless is None]:
            en, zh = "; ".join(ours.en for ours in harmful), "；".join(ours.zh or ours.en for ours in harmful)
            reasons.append(Text(en=f"the recipe deviates from the paper: {en}", zh=f"配方与论文不同：{zh}"))
        return reasons


def record_files(paper: str) -> list[Path]:
    return sorted((paper_folder(paper) / "results").glob("*/*/record.json"))


def read_record(path: Path, paper: str) -> Record:
    """Raises LiteratimError, naming file and field, for what is no record or is one of another paper."""
    from literatim.registry.recorded import checked

    data = checked(path)
    if data["paper"] != paper:
        raise LiteratimError(f"{shown(path)}: paper: a record of {data['paper']}; move it to that paper's results")
    if misplaced := astray(path, data):  # a copy would count as one more seed
        raise LiteratimError(misplaced)
    return Record(path.parent, data)


def astray(path: Path, data: dict[str, Any]) -> str | None:
    """What is wrong with the place of a record, if anything."""
    lies, belongs = f"{path.parents[1].name}/{path.parent.name}", f"{data['recipe']}/{data['variant']}-s{data['seed']}"
    if lies == belongs:
        return None
    return f"{shown(path)}: recipe: it lies in results/{lies}, and belongs in results/{belongs}"


def records(paper: str, recipe: str | None = None, variant: str | None = None) -> list[Record]:
    """The recorded runs of a paper, in order of recipe, variant and seed."""
    found = [read_record(path, paper) for path in record_files(paper)]
    chosen = [r for r in found if recipe in (None, r["recipe"]) and variant in (None, r["variant"])]
    return sorted(chosen, key=lambda r: (r["recipe"], r["variant"], r["seed"]))


def recipe_path(paper: str, recipe: str) -> Path:
    return paper_folder(paper) / "recipes" / f"{recipe}.yaml"


@cache
def hashes(paper: str, recipe: str) -> dict[str, str]:
    """Today's `recipe_sha256`, `code_sha256` and `data_sha256`: a record with others is stale."""
    sets = settings(recipe_path(paper, recipe), recipe=True)
    if recipe not in card(paper).recipes:
        raise LiteratimError(f'{paper} has no recipe "{recipe}"')
    data = DATA_SETS[card(paper).recipes[recipe].data]
    return {
        "recipe_sha256": _sha256(json.dumps(sets, sort_keys=True)),
        "code_sha256": _sha256("".join(code(path) for path in code_files(paper, data.module))),
        "data_sha256": _sha256(json.dumps(data.sha256, sort_keys=True)),
    }


def package(paper: str) -> Path:
    """The folder of a paper's code."""
    return PACKAGE / "papers" / paper.replace("-", "_")


def code_files(paper: str, data_module: str) -> list[Path]:
    """What decides the outcome of a run: the paper's package but for its checks and demo, its data module, and whatever
    these import from papers, parts and datasets."""
    waiting = [path for path in package(paper).glob("[!.]*.*") if path.name not in BESIDE and path.is_file()]
    waiting.append(_module_file(data_module.partition(":")[0]))
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        if path.suffix == ".py":
            ours = (name for name in imported(path) if re.match(r"literatim\.(papers|parts|datasets)\b", name))
            waiting += [file for file in map(_module_file, ours) if file.is_file()]
    return sorted(found)


def imported(path: Path) -> list[str]:
    """The modules that a file imports, and the names it takes from them, which may be modules too."""
    return _imported(read_text(path))


@cache
def _imported(text: str) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _module_file(name: str) -> Path:
    path = PACKAGE.joinpath(*name.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def code(path: Path) -> str:
    """A source file without docstrings, comments and empty lines: what prose is improved stales no record."""
    text = read_text(path)
    return f"{path.name}\n{_bare(text)}" if path.suffix == ".py" else text


@cache
def _bare(text: str) -> str:
    lines = text.split("\n")  # as Python counts them; splitlines() knows more ends of a line
    within: set[int] = set()  # lines that end inside a string: all of their spaces count
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        (row, column), (last, _) = token.start, token.end
        if token.type == tokenize.COMMENT:
            lines[row - 1] = lines[row - 1][:column]
        within.update(range(row - 1, last - 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            doc = node.body[0]
            rows = range(doc.lineno - 1, doc.end_lineno or doc.lineno)
            before, after = lines[rows[0]].encode()[: doc.col_offset], lines[rows[-1]].encode()[doc.end_col_offset :]
            lines[rows[0] : rows[-1] + 1] = [(before + after).decode(), *[""] * (len(rows) - 1)]
            within.difference_update(rows)
    kept = [line if i in within else line.rstrip() for i, line in enumerate(lines) if i in within or line.strip()]
    return "\n".join(kept) + "\n"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
