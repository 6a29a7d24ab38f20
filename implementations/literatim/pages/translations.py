"""Which Chinese pages were made from an older English text: each keeps the hash of the one it translates."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from literatim.registry.reading import read_text, shown

# What a checkout has in both languages by hand; the pages that are generated have one source for both.
BY_HAND = ("docs/*.md", "docs/guides/*.md", "tutorials/*.md", "papers/*/essay*.md")
GENERATED = ("index", "lineage", "literature", "citation-errors", "faults", "demos")


def behind(root: Path) -> list[str]:
    """Faults as `file:1:1: what` of a checkout's Chinese pages (`x.zh.md`), and of English pages that have none."""
    faults = []
    for path in sorted(path for pattern in BY_HAND for path in root.glob(pattern)):
        if path.parent.name == "docs" and path.name.split(".")[0] in GENERATED:
            continue
        if path.name.endswith(".zh.md"):
            english = path.with_name(path.name.removesuffix(".zh.md") + ".md")
            if not english.exists():
                faults.append(f"{shown(path)}:1:1: there is no English page {english.name}")
                continue
            now, kept = hash_of(english), translated(path)
            if kept != now:
                was = (
                    f"an older text of {english.name} ({kept})"
                    if kept
                    else f"a text of {english.name} it does not name"
                )
                faults.append(f"{shown(path)}:1:1: made from {was}; bring it up to date and set `translates: {now}`")
        elif not path.with_name(path.name.removesuffix(".md") + ".zh.md").exists():
            faults.append(f"{shown(path)}:1:1: there is no Chinese page beside it")
    return faults


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def translated(path: Path) -> str | None:
    """The hash that a Chinese page keeps in its front matter."""
    found = re.search(r"\A---\n(?:.*\n)*?translates: *['\"]?([0-9a-f]+)['\"]?\n(?:.*\n)*?---\n", read_text(path))
    return found[1] if found else None
