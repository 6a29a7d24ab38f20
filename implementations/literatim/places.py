"""Paths as people give them: `~` for the home folder, where data are looked for, and what may be written over."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from literatim.errors import LiteratimError


def expanded(path: str | os.PathLike[str]) -> Path:
    """The path with `~` as the home folder. Raises LiteratimError where no home is known."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise LiteratimError(f"{path}: no home folder is known for ~; set HOME, or write the path in full") from None


def at_home(argument: str) -> str:
    """An argument of the command line with `~` expanded where it begins a path, as no shell does after `=`."""
    option, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    return f"{option}{equals}{expanded(value)}" if value == "~" or value.startswith("~/") else argument


def user_cache() -> Path | None:
    """literatim's folder in the user's cache, or None where no home is known."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return expanded(given) / "literatim"
    try:
        return Path.home() / ".cache" / "literatim"
    except RuntimeError:
        return None


def data_folders(root: str | None) -> list[Path]:
    """Where data sets are looked for, in order: `root`, `$LITERATIM_DATA` and the user's cache, last."""
    named = [expanded(place) for place in (root, os.environ.get("LITERATIM_DATA")) if place]
    return [*named, *filter(None, [user_cache()])]


def looked_in(folders: list[Path]) -> str:
    """For a sentence on what is missing."""
    return ", ".join(map(str, folders)) or "no folder at all: none is named, and no home folder is known"


def writable(to: Path) -> Path:
    """The path of a file that is to be written. Raises LiteratimError where there is something else than a file.

    What a link leads to is not ours to replace, and a device would be replaced by a file.
    """
    if not to.parent.is_dir():
        raise LiteratimError(f"{to.parent}: there is no such folder")
    try:
        mode = os.lstat(to).st_mode
    except FileNotFoundError:
        return to
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a link" if stat.S_ISLNK(mode) else "a device or pipe"
        raise LiteratimError(f"{to}: {what} is there, and only plain files are replaced; name another file")
    return to
