"""One process at a time writes into a run folder, and clears away what killed ones have left there. No torch here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from literatim.errors import LiteratimError

try:
    import fcntl
except ImportError:  # not a POSIX system: nothing is locked
    fcntl = None  # type: ignore[assignment]

WRITTEN = re.compile(r"(run|record)\.json|config\.yaml|curve\.csv|\w+\.png|(last|best)\.ckpt|[\w-]+\.safetensors")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other processes from writing into a run folder. The lock goes with the process, however it ends.

    Raises LiteratimError where another process holds it.
    """
    if fcntl is None:
        yield
        return
    lock = os.open(folder, os.O_RDONLY)
    LOCKS.add(lock)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LiteratimError(
                f"{folder}: another process{holder(folder)} is at work on this run; wait for its end or stop it, or "
                "begin a new run without --ckpt_path"
            ) from None
        except OSError:  # a file system without locks
            pass
        clear_leftovers(folder)
        yield
    finally:
        LOCKS.discard(lock)
        os.close(lock)


def at_work(folder: Path) -> bool:
    """Whether a process holds a run folder."""
    try:
        with held(folder):
            return False
    except LiteratimError:
        return True


LOCKS: set[int] = set()


def let_go() -> None:
    """In processes that read data, which are forked from this one and may outlive it by seconds."""
    while LOCKS:
        os.close(LOCKS.pop())


if fcntl:
    os.register_at_fork(after_in_child=let_go)


def holder(folder: Path) -> str:
    """The number of the process that holds a folder, where the system tells it."""
    found = folder.stat()
    inode = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    try:
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        return next(f" ({fields[4]})" for fields in locks if inode in fields)
    except (OSError, StopIteration, IndexError):
        return ""


def clear_leftovers(folder: Path) -> None:
    """Remove what processes that were killed had begun to write in a folder and in those within it."""
    for path in folder.rglob(".*.*.[0-9]*"):
        name, _, process = path.name[1:].rpartition(".")
        if WRITTEN.fullmatch(name) and process.isdecimal() and not is_running(int(process)):
            path.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
