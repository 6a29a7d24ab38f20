"""What jsonargparse says of a value that is of the wrong kind, in one short sentence."""

from __future__ import annotations

import ast
import re

from pytorch_lightning import callbacks, loggers, profilers, strategies

from literatim.errors import did_you_mean, quoted

KINDS = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "NoneType": "null", "str": "a word",
    "dict": "a mapping", "list": "a list", "timedelta": "a time",
    "Iterable": "a list",
}  # fmt: skip
LONGEST = 300
NAMES = [*callbacks.__all__, *loggers.__all__, *profilers.__all__, *strategies.__all__]


def worded(key: str, message: str) -> str:
    """The sentence on the value of an option, from the many lines on all kinds that were tried."""
    if found := re.search(r"Problem with given class_path '([\w.]+)':\s*(.+)", message):
        return f"{key}: {found[1].rpartition('.')[2]}: {found[2].strip()}"
    if found := re.search(r"the following arguments are required: ([\w, .]+)", message):
        named = re.search(r"class_path='([\w.]+)'", message)
        name = named[1].rpartition(".")[2] if named else key
        return f"{key}: {name} needs {found[1]} too, such as --{key}.{found[1].split(',')[0]}"
    if found := re.search(r"Expected a dot import path string: (\S+)", message):
        return f"{key}: Lightning has no {quoted(found[1])}{did_you_mean(found[1], NAMES)}"
    given = re.search(r"(?:Given value|Got value): (.*)", message)
    kinds = re.findall(r"^[-\s]*Expected an? (.+?)(?:\. Got value: .*)?$", message, re.MULTILINE)
    words = list(dict.fromkeys(str(word) for kind in kinds for word in choices(kind)))
    known = [*words, *(k for kind in kinds if (k := in_words(kind)))]
    if given and not given[1].startswith("Namespace(") and known:
        return f"{key} is {quoted(given[1])}; it must be {one_of(known)}{did_you_mean(given[1], words)}"
    line = " ".join(message.split())
    return f"{key}: {line[0].lower() + line[1:]}" if len(line) <= LONGEST else f"{key}: {line[:LONGEST]}…"


def in_words(kind: str) -> str:
    if found := re.match(r"<class '([\w.]+)'>$", kind):
        name = found[1].rpartition(".")[2]
        return KINDS.get(name, f"the name of a {name}")
    name = re.match(r"(\w+)\[", kind)
    return KINDS.get(name[1], "") if name else ""


def choices(kind: str) -> list[str | int]:
    found = re.match(r"typing\.Literal(\[.*\])$", kind)
    return list(ast.literal_eval(found[1])) if found else []


def one_of(kinds: list[str]) -> str:
    kinds = list(dict.fromkeys(kinds))
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}" if len(kinds) > 1 else kinds[0]
