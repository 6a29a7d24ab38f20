"""Functions compiled by numba, where it is installed, and kept on disk for the next run."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pickle import UnpicklingError
from typing import Any

from literatim.errors import LiteratimError, LiteratimWarning

COMPILED: dict[str, Any] = {"nogil": True, "fastmath": {"contract", "reassoc", "nsz"}, "error_model": "numpy"}
INLINED: dict[str, Any] = {**COMPILED, "inline": "always"}
KEPT: list[Any] = []  # the kernels that are kept on disk


def kernel(function: Callable[..., Any]) -> Any:
    """Compiled, and kept on disk for the next run; not kept where numba finds no place that can be written.

    numba looks for changes in a kernel's own file alone: what a kernel calls stands in its file, or is passed to it.
    """
    from numba import njit

    if os.path.expanduser("~") != "~":  # else there is no home, and numba would make a folder of this name
        try:
            KEPT.append(njit(**COMPILED, cache=True)(function))
            return KEPT[-1]
        except RuntimeError as error:
            if "no locator available" not in str(error):
                raise
    _say_that_nothing_is_kept()
    return njit(**COMPILED)(function)


@cache
def _say_that_nothing_is_kept() -> None:
    what = "there is no place to keep the compiled engine, so that each run compiles it anew"
    warnings.warn(f"{what}; set HOME, or NUMBA_CACHE_DIR, to a folder", LiteratimWarning, stacklevel=3)


@contextmanager
def compiling() -> Iterator[None]:
    """Around the import and the first call of kernels. Raises LiteratimError where numba is not installed, and where a
    kept kernel is damaged."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in ("numba", "llvmlite"):
            raise
        raise LiteratimError('this engine is compiled by numba: pip install "literatim[fast]"') from None
    except (EOFError, UnpicklingError):  # as a loss of power leaves them
        where = KEPT[-1].stats.cache_path
        raise LiteratimError(f"{where}: the compiled engine kept here is damaged; delete the files *.nb?") from None
