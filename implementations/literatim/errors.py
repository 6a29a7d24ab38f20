"""What people see: an exception, and a warning, of a sentence that says what is wrong, where, and what to do."""

import difflib
import unicodedata
from collections.abc import Iterable


class LiteratimWarning(UserWarning):
    """Something in what we were given that need not stop us. The command prints the sentence and goes on."""


class LiteratimError(Exception):
    """A mistake in what we were given. The command prints the sentence and exits with status 2."""


class NotInstalled(LiteratimError):
    """What an extra of this package brings is not there; the sentence says how to get it."""


def plain(text: str) -> str:
    """Somebody's text on one line and with nothing in it that a terminal would obey."""
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)


def quoted(text: str) -> str:
    """The same in quotes, and short."""
    return f'"{plain(text if len(text) <= 60 else text[:59] + "…")}"'


class SaidForAll(LiteratimError):
    """What this process says for all of its run."""


class SaidElsewhere(LiteratimError):
    """Another process of the same run says the sentence; this one ends without."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """`; did you mean "…"?` for the nearest known names, or `` where nothing is near."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(given.lower(), by_lower, n=3, cutoff=0.6)
    return "; did you mean " + " or ".join(quoted(by_lower[name]) for name in near) + "?" if near else ""
