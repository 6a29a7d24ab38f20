"""Numbers in words, English and French: phrase pairs made by rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator

ENGLISH = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
ENGLISH_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
FRENCH = (
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize",
    "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
)  # fmt: skip
FRENCH_TENS = (
    "", "", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt", "quatre-vingt",
)  # fmt: skip
MOST = 999_999


def english(n: int) -> list[str]:
    """The words of a number from 0 to 999,999, those of a compound apart: twenty one, and no "and"."""
    return _english(n).split()


def french(n: int) -> list[str]:
    """The same in the French of France, the words that hyphens join apart: quatre vingt dix sept."""
    return _french(n).replace("-", " ").split()


def _english(n: int) -> str:
    if n >= 1000:
        return f"{_english(n // 1000)} thousand {_rest(n % 1000, _english)}"
    if n >= 100:
        return f"{ENGLISH[n // 100]} hundred {_rest(n % 100, _english)}"
    return ENGLISH[n] if n < 20 else f"{ENGLISH_TENS[n // 10]} {_rest(n % 10, _english)}"


def _rest(n: int, words: Callable[[int], str]) -> str:
    return words(n) if n else ""


def _french(n: int, last: bool = True) -> str:
    """`last`: nothing follows, so that vingts and cents have their plural; before mille they have none."""
    if n >= 1000:
        thousands = "" if n < 2000 else _french(n // 1000, last=False)
        return f"{thousands} mille {_rest(n % 1000, _french)}"
    if n >= 100:
        many, rest = "" if n < 200 else FRENCH[n // 100], n % 100
        plural = "s" if many and not rest and last else ""
        return f"{many} cent{plural} {_french(rest, last) if rest else ''}"
    if n < 20:
        return FRENCH[n]
    tens, ones = FRENCH_TENS[n // 10], n % 10 + (10 if n // 10 in (7, 9) else 0)
    if n == 80:
        return tens + ("s" if last else "")
    # Un and onze are joined by et, but not behind quatre-vingt.
    joint = " et " if ones in (1, 11) and n < 80 else " "
    return tens + (joint + FRENCH[ones] if ones else "")


def number_pairs(most: int) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The numbers from 0 to the largest in words."""
    for n in range(most + 1):
        yield tuple(english(n)), tuple(french(n))
