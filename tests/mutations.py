"""Damaged files and odd values, drawn from a seed: what the fuzz tests try."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 0.0, -0.5, 1e-320, 1e308, float("nan"), float("inf"),
    "", " ", "0", "-1", "1e-4", "null", "yes", "~", "nan", "..", "/", "../../x", "~nobody", "a/b", "a\x00b", "\ufeff",
    "é", "e\u0301", "\u202e", "家", "\ud83d\ude00", "x" * 5000, "{", "[", "*", "&a", "!!python/name:os.sep", "%s", "{}",
    "--", [], {}, [[]], [None], {"": ""}, {"a": {"b": [1, 2]}}, [1, "a", None], ["x"] * 50, {1: 2},
]  # fmt: skip
PIECES = [
    b"\x00", b"\xff", b"\xff" * 4, b"\x00" * 4, b"\n", b"\r", b" ", b"\t", b":", b"- ", b"{", b"}", b"[", b"]", b'"',
    b"'", b"&a ", b"*a", b"!!", b"#", b"\xef\xbb\xbf", b"\xc3", b"9" * 40, b"-", b".", b"e", b"\x80",
]  # fmt: skip


def damaged(content: bytes, draw: random.Random) -> bytes:
    """One to four of: a bit turned, bytes overwritten, cut out, put in, moved or repeated; the end cut off."""
    found = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        at, length = draw.randrange(len(found) + 1), draw.choice((1, 1, 2, 4, 16, 100))
        how = draw.randrange(8)
        if how == 0 and at < len(found):
            found[at] ^= 1 << draw.randrange(8)
        elif how == 1:
            found[at : at + length] = draw.randbytes(len(found[at : at + length]))
        elif how == 2:
            del found[at : at + length]
        elif how == 3:
            found[at:at] = draw.choice(PIECES)
        elif how == 4:
            found[at : at + 1] = draw.choice(PIECES)
        elif how == 5:
            found[at:at] = found[draw.randrange(len(found) + 1) :][:length]
        elif how == 6:
            found[at : at + length] = b"\x00" * length
        elif draw.random() < 0.3:
            del found[at:]
    return bytes(found)


def changed(tree: Any, draw: random.Random) -> Any:
    """A tree of mappings and lists with one to three of its values odd, gone, doubled or elsewhere."""
    tree = deepcopy(tree)
    for _ in range(draw.randint(1, 3)):
        inner = [part for part in parts(tree) if part]
        if not inner:
            return deepcopy(draw.choice(ODD))
        part = draw.choice(inner)
        key = draw.choice(list(part) if isinstance(part, dict) else range(len(part)))
        how = draw.randrange(6)
        if how < 2:
            part[key] = deepcopy(draw.choice(ODD))
        elif how == 2:
            part[key] = [part[key]]
        elif how == 3:
            part[key] = deepcopy(draw.choice(inner))
        elif how == 4:
            del part[key]
        elif isinstance(part, list):
            part.append(part[key])
        else:
            part[draw.choice([f"{key}s", "", "a b", "null", "..", "é", 1, None])] = part[key]
    return tree


def parts(tree: Any) -> list[Any]:
    """The mappings and lists in a tree."""
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [*([tree] if isinstance(tree, dict | list) else []), *(part for of in inner for part in parts(of))]
