"""Words as characters."""

import unicodedata

LONGEST = 1000  # characters; the time that marks take grows with the square of their number


def composed(word: str) -> str:
    """A word in Unicode's form NFC, an accent one character with its letter; what is too long stays as it is."""
    return unicodedata.normalize("NFC", word) if len(word) <= LONGEST else word
