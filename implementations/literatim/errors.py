"""What people see: an exception, and a warning, of a sentence that says what is wrong, where, and what to do."""

import difflib
from collections.abc import Iterable


class LiteratimWarning(UserWarning):
    """Something in what we were given that need not stop us. The command prints the sentence and goes on."""


class LiteratimError(Exception):
    """A mistake in what we were given. The command prints the sentence and exits with status 2."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """`; did you mean "…"?` for the nearest known names, or `` where nothing is near."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(given.lower(), by_lower, n=3, cutoff=0.6)
    return "; did you mean " + " or ".join(f'"{by_lower[name]}"' for name in near) + "?" if near else ""
