"""What files hold, in sixteen bytes each: to tell one folder of images from another, and to say what has changed.

A file is known by its name below the root and by its content: all of it where the files have a gibibyte or less
together, else by its size and the first, the middle and the last 4 KiB. So a gibibyte takes a second or two and
ImageNet's 1.3 million files some half a minute of a core; in so large a set only an edit in place that leaves the size
and these parts as they were goes unnoticed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from literatim.errors import LiteratimError

WHOLE = 1 << 30  # bytes of all files together, up to which they are read whole
PART = 4096
CHUNK = 1024  # files that a thread takes at a time
Digests = NDArray[np.int64]


class Fingerprint(NamedTuple):
    """`names` and `contents` are (N,), one for each file in the order of the files."""

    names: Digests
    contents: Digests
    whole: bool

    def sum(self) -> str:
        order = np.argsort(self.names)
        total = hashlib.sha256(b"whole" if self.whole else b"parts")
        for digests in (self.names, self.contents):
            total.update(digests[order].astype("<i8").tobytes())
        return total.hexdigest()

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        names, contents = (torch.from_numpy(digests) for digests in (self.names, self.contents))
        return {"names": names, "contents": contents, "whole": self.whole}

    @staticmethod
    def of_state(state: dict[str, Any]) -> Fingerprint:
        return Fingerprint(state["names"].numpy(), state["contents"].numpy(), bool(state["whole"]))


def fingerprint(root: Path, paths: list[bytes], whole: bool | None = None) -> Fingerprint:
    """Of files below a root, by their contents if `whole`, and as the head of this file says where nothing is said.

    Raises LiteratimError for a file that cannot be read.
    """
    begin = beginning(root)
    names = np.fromiter((digest(path[begin:]) for path in paths), dtype=np.int64, count=len(paths))
    with ThreadPoolExecutor() as threads:
        if whole is None:
            whole = sum(_all(threads, lambda path: os.stat(path).st_size, paths)) <= WHOLE
        contents = np.array(_all(threads, _whole if whole else _parts, paths), dtype=np.int64)
    return Fingerprint(names, contents, whole)


def beginning(root: Path) -> int:
    """How many bytes of a path below the root come before its name there."""
    return len(os.fsencode(root / "x")) - 1


def digest(content: bytes, key: bytes = b"") -> int:
    """64 bits."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8, key=key).digest(), "little", signed=True)


def _all(threads: ThreadPoolExecutor, look: Callable[[bytes], int], paths: list[bytes]) -> list[int]:
    def some(begin: int) -> list[int]:
        return [look(path) for path in paths[begin : begin + CHUNK]]

    try:
        return [found for part in threads.map(some, range(0, len(paths), CHUNK)) for found in part]
    except OSError as error:
        raise LiteratimError(f"{os.fsdecode(error.filename or '')}: cannot be read: {error.strerror}") from None


def _whole(path: bytes) -> int:
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8))
    return int.from_bytes(found.digest(), "little", signed=True)


def _parts(path: bytes) -> int:
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        found = [str(size).encode()]
        for place in sorted({0, max(0, size // 2 - PART // 2), max(0, size - PART)}):
            file.seek(place)
            found.append(file.read(PART))
    return digest(b"".join(found))


def changes(began: Fingerprint, now: Fingerprint, names: list[str]) -> str:
    """What is other than it was, in a few words, with the first file (of `names`, those of `now`); "" for nothing."""
    before = dict(zip(began.names.tolist(), began.contents.tolist(), strict=True))
    here = now.names.tolist()
    known = [name in before for name in here]
    replaced = [
        name
        for name, digested, content in zip(names, here, now.contents.tolist(), strict=True)
        if before.get(digested, content) != content
    ]
    more = [name for name, there in zip(names, known, strict=True) if not there]
    gone = len(before) - sum(known)
    said = [f"{len(more):,} more"] * bool(more) + [f"{gone:,} fewer"] * bool(gone)
    said += [f"{len(replaced):,} replaced"] * bool(replaced)
    first = f" (the first is {(more + replaced)[0]})" if more or replaced else ""
    return ", ".join(said) + first
