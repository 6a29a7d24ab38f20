"""The Chinese of the notes beside a model's code: `papers/<id>/notes.zh.yaml`, each under the hash of the English."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from literatim.registry.ledger import PACKAGE
from literatim.registry.reading import papers_folder, plain, read_text, shown

NAME = "notes.zh.yaml"


def key(note: str) -> str:
    return hashlib.sha256(note.encode()).hexdigest()[:12]


def in_chinese(paper: str) -> dict[str, str]:
    """key of a note -> its Chinese; nothing where the paper has none."""
    path = papers_folder() / paper / NAME
    return plain(path)[2] if path.exists() else {}


def note_faults() -> Iterator[str]:
    """Faults as `file:line:column: what`: notes of a model without Chinese, and Chinese of notes that are no more."""
    from literatim.pages.code import notes_of

    for path in sorted(papers_folder().glob(f"*/{NAME}")):
        faults, _, chinese = plain(path)
        yield from faults
        model = PACKAGE / "papers" / path.parent.name.replace("-", "_") / "model.py"
        if faults or not model.exists():
            continue
        notes = {key(text): first for (first, _), text in notes_of(read_text(model)).items()}
        for missing in sorted(set(notes) - set(chinese), key=lambda name: notes[name]):
            yield f"{shown(model)}:{notes[missing]}:1: this note has no Chinese: give it in {shown(path)} as {missing}"
        for line, text in enumerate(read_text(path).splitlines(), 1):
            if (name := text.split(":")[0].strip("'\"")) in set(chinese) - set(notes):
                yield f"{shown(path)}:{line}:1: {name}: {model.name} has no such note any more"
