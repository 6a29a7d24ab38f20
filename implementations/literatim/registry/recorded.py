"""The schema of record.json and curve.csv: what `literatim reproduce` writes, and what is believed of what is found."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError, field_validator

from literatim.errors import LiteratimError
from literatim.registry.reading import read_text, shown
from literatim.registry.schema import Number, Word

Sum = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,64}$")]
# The name of a file beside the record's other files: it leads to no other folder.
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]


# Metrics that tell how long something took.
TIMES = ("minutes", "words_per_second", "wall_s")


class Open(BaseModel):
    """Strict in what it knows; what a newer version adds is passed over."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Shipped(Open):
    """Weights of this run in papers/<id>/weights/."""

    name: Word
    file: FileName
    sha256: Sum


class Carried(Open):
    """Later code that began the run with the same bits, over so many steps."""

    code_sha256: Sum
    commit: Commit | None
    steps: int = Field(ge=0)


class IdentityFile(Open):
    """run.json, and what a checkpoint says: what makes two runs the same, and where the code stood."""

    paper: Word
    recipe: Word
    variant: Word
    seed: int = Field(ge=0, lt=2**32)
    options: dict[str, JsonValue] = {}  # of the model
    args: tuple[str, ...] = ()
    overrides: tuple[str, ...]
    commit: Commit | None  # none outside of a checkout
    dirty: bool
    recipe_sha256: Sum
    code_sha256: Sum
    data_sha256: Sum
    files_sha256: dict[str, Sum] = {}
    began_from: Sum | None = None  # of the checkpoint, lying in no run's folder, that the run went on from


class RecordFile(IdentityFile):
    """record.json: what was run, on what, with what outcome."""

    metrics: dict[Word, Number]
    tested: bool = False
    versions: dict[str, str]
    machine: str
    accelerator: str = ""
    precision: str = ""
    threads: int = Field(ge=1, lt=2**16)
    wall_s: Number = Field(ge=0, lt=1e12)  # seconds
    weights: Shipped | None = None
    carried: Carried | None = None

    @field_validator("metrics")
    @classmethod
    def _finite(cls, metrics: dict[str, Number]) -> dict[str, Number]:
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise ValueError(f"{name} is {value}")
        return metrics


FIELDS = tuple(name for name, field in RecordFile.model_fields.items() if field.is_required())


def checked(path: Path) -> dict[str, Any]:
    """What a record.json says. Raises LiteratimError with the file and the field of its first fault."""
    faults, data = faults_of(path)
    if faults:
        raise LiteratimError(f"{faults[0]}; delete it and run the recipe again")
    return data


def identity_fault(data: Any) -> str:
    """The first fault of what a run says of itself; empty where it is sound."""
    try:
        IdentityFile.model_validate_json(json.dumps(data))
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


def faults_of(path: Path) -> tuple[list[str], dict[str, Any]]:
    """(faults as `file: field: what`, the data as they stand there)."""
    try:
        text = read_text(path)
    except LiteratimError as error:
        return [str(error)], {}
    try:
        data = json.loads(text, parse_constant=float, object_pairs_hook=_once)
        RecordFile.model_validate_json(json.dumps(data))
    except LiteratimError as error:
        return [f"{shown(path)}: {error}"], {}
    except (json.JSONDecodeError, RecursionError) as error:
        return [f"{shown(path)}: not a record: {error}"], {}
    except ValidationError as error:
        return [f"{shown(path)}: {_fault(fault)}" for fault in error.errors()], {}
    return [], data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A mapping in which nothing is said twice: of two words readers would believe the last."""
    names = [name for name, _ in pairs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise LiteratimError(f"{twice[0]}: the key stands here twice")
    return dict(pairs)


def _fault(fault: Any) -> str:
    *steps, last = map(str, fault["loc"]) if fault["loc"] else ("",)
    if last in ("int", "float"):  # of the two kinds of number that were tried
        return f"{'.'.join(steps)}: a number is expected"
    place = ".".join([*steps, last])
    if fault["type"] == "missing":
        return f"not a record: it lacks {place}" if len(fault["loc"]) == 1 else f"{place}: it is missing"
    what = fault["msg"].removeprefix("Value error, ")
    return f"{place or 'not a record'}: {what[0].lower() + what[1:]}"


def curve_rows(path: Path) -> list[dict[str, float]]:
    """The rows of curve.csv, empty cells left out: one an epoch, in order.

    Raises LiteratimError with the line that is no row of numbers.
    """
    lines = csv.DictReader(read_text(path).splitlines(keepends=True))
    rows: list[dict[str, float]] = []
    try:
        for row in lines:
            if None in row or None in row.values():
                raise ValueError(f"it has not the {len(lines.fieldnames or ())} cells of the head")
            numbers = {name: float(cell) for name, cell in row.items() if cell}
            if numbers.get("epoch", -1) <= (rows[-1]["epoch"] if rows else 0):
                raise ValueError("its epoch is missing, or not after the one before it")
            rows.append(numbers)
    except (csv.Error, ValueError) as error:
        raise LiteratimError(f"{shown(path)}:{lines.line_num}: not a row of a curve: {error}") from None
    return rows
