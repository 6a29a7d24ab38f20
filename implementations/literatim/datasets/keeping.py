"""Folders of files that took long to make, kept for later runs: whole, or made anew."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

SUMS = "sums"  # the sizes and checksums of the other files, written last
BLOCK = 1 << 20


def kept(folder: Path, files: Sequence[str], make: Callable[[Path], None]) -> None:
    """Let `folder` hold `files` as `make` writes them into the folder it is given.

    A folder that is there is held against its sums; where a file is damaged or missing all are made anew. Of several
    processes one makes them while the others wait. What processes that were killed have left is removed.
    Raises OSError where it cannot be written.
    """
    if is_whole(folder, files):
        return
    root = folder.parent
    root.mkdir(parents=True, exist_ok=True)
    for left in root.glob(".writing-*"):
        with suppress(OSError), _lock(left, blocking=False):  # whose lock is held is being written
            shutil.rmtree(left)
    beside = root / f".writing-{folder.name}"
    with _lock(beside):
        if is_whole(folder, files):
            return
        shutil.rmtree(beside, ignore_errors=True)  # of one that was killed while this one waited
        beside.mkdir()
        try:
            make(beside)
            for file in files:
                _flush(beside / file)
            (beside / SUMS).write_bytes(sums(beside, files))
            _flush(beside / SUMS)
            if folder.is_dir():
                shutil.rmtree(folder)
            else:
                folder.unlink(missing_ok=True)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def is_whole(folder: Path, files: Sequence[str]) -> bool:
    try:
        return (folder / SUMS).read_bytes() == sums(folder, files)
    except OSError:
        return False


def sums(folder: Path, files: Sequence[str]) -> bytes:
    """A line for each file: its name, size in bytes, and CRC-32, which is read as fast as memory."""
    lines = []
    for name in files:
        total = 0
        with (folder / name).open("rb") as stream:
            while block := stream.read(BLOCK):
                total = zlib.crc32(block, total)
            lines.append(f"{name} {stream.tell()} {total:08x}\n")
    return "".join(lines).encode()


def _lock(beside: Path, blocking: bool = True) -> FileLock:
    return FileLock(beside.with_name(f"{beside.name.replace('.writing-', '.lock-')}"), blocking=blocking)


def _flush(path: Path) -> None:
    """To the disk, so that a loss of power after the renaming leaves no empty file under a good name."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
