"""Printed numbers: what a paper's string is worth, to which digit, and what cutting off leaves of a number of ours."""

from __future__ import annotations

import math
import re

SCALE = {"": 1, "k": 1e3, "m": 1e6, "million": 1e6, "g": 1e9, "billion": 1e9}
NUMBER = re.compile(
    r"(?P<digits>[-−+]?\d[\d,]*(\.\d+)?)((e|\s*[×x]\s*10\^)(?P<power>[-−+]?\d{1,2}))?\s*"
    r"(?P<unit>%|k|m|g|million|billion)?",
    re.IGNORECASE,
)


def number(printed: str) -> tuple[float, float] | None:
    """(value, worth of the last printed digit) of a printed number: "60,000", "0.95 %", "1.7M", "3.6e9", "3.6×10^9"."""
    found = NUMBER.fullmatch(printed.strip())
    if not found:
        return None
    digits = found["digits"].replace(",", "").replace("−", "-")
    unit = (found["unit"] or "").lower()
    scale = SCALE.get(unit, 1) * 10.0 ** int((found["power"] or "0").replace("−", "-"))
    decimals = len(digits.partition(".")[2])
    value = float(digits) * scale
    return (int(value) if value == math.floor(value) and not decimals else value), scale * 10.0**-decimals


def cut(value: float, printed: str, stated: float) -> tuple[float, bool]:
    """(what is left of a value where the printed digits end, whether the printed number is the value rounded there).

    They end with the last one that is printed, be it a zero, where a point, a power or a unit says so ("60 million",
    "4.0 %"); in a number written out ("650,000") zeros at the end only fill its places. `stated` is what is printed
    means: where a K is 1,024, a digit is worth so much more.
    """
    plain, digit = number(printed) or (stated, 1.0)
    written_out = re.fullmatch(r"[-−+]?[\d,]*[1-9](?P<zeros>[0,]*)", printed.strip())
    unit = digit * 10 ** (written_out["zeros"].count("0") if written_out else 0) * (stated / plain if plain else 1)
    digits = round(value / unit, 9)  # so that .29 is 29 hundredths, and not a little less
    return math.trunc(digits) * unit, abs(digits - stated / unit) <= 0.5
