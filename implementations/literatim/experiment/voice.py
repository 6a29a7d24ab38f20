"""Several processes speak with one voice: what ends the run is said once, and all of them end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch.distributed as dist
from pytorch_lightning.strategies.launchers import subprocess_script

from literatim.errors import SaidElsewhere, SaidForAll
from literatim.experiment.launch import first, launch
from literatim.experiment.signals import LISTENER, Stopped

PATIENCE = 10.0  # seconds in which a process has to notice by itself that another one has ended
ENDED = (
    "a process of this training was ended from outside, by a kill or for want of memory perhaps; go on from the last "
    "checkpoint (--ckpt_path last; reproduce does so by itself)"
)
WORDS = re.compile("gloo|nccl|connection|socket|process group|rendezvous", re.IGNORECASE)
CHILDREN: list[subprocess.Popen[Any]] = []  # started by Lightning for this process
OVER = threading.Event()  # the run, in this process


def of_another(error: BaseException) -> bool:
    """Whether an error says no more than that another process is gone."""
    return isinstance(error, RuntimeError) and (isinstance(error, dist.DistError) or bool(WORDS.search(str(error))))


def told(error: BaseException) -> str:
    if isinstance(error, Stopped):
        return f"signal {error.number}"
    return ENDED if of_another(error) else str(error)


def understood(what: str) -> BaseException:
    found = re.fullmatch(r"signal (\d+)", what)
    return Stopped(int(found[1])) if found else SaidForAll(what)


def one_voice(error: BaseException) -> BaseException:
    """What this process of several is to end with: `SaidElsewhere`, unless it is the one to say what has happened.

    That is rank 0 or, where it is gone or does not notice, another. It says what any of them has met with, by a store
    that lives in rank 0 or the launcher; therefore rank 0 is the last to go.
    """
    LISTENER.asked = LISTENER.asked or signal.SIGTERM  # launchers send it to the rest when one has ended
    rank, world = dist.get_rank(), dist.get_world_size()
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    try:
        store = dist.TCPStore(address, port, None, False, timedelta(seconds=3))
        if not of_another(error) and store.add("literatim/met", 1) == 1:
            store.set("literatim/what", told(error))
        waited(lambda: store.check(["literatim/said" if rank else "literatim/what"]), PATIENCE if rank else 1)
        speaks = store.add("literatim/speaks", 1) == 1
        what = store.get("literatim/what").decode() if store.check(["literatim/what"]) else told(error)
        store.set("literatim/said", "")
        gone = store.add("literatim/gone", 1)
        if not rank:
            waited(lambda: store.add("literatim/gone", 0) == world, PATIENCE / 2 if gone < world else 0)
    except RuntimeError:  # rank 0 was killed, and its store with it
        speaks, what = rank == 1 or world == 1, told(error)
    waited(lambda: all(child.poll() is not None for child in CHILDREN), 3)
    for child in CHILDREN:
        child.kill()
    return understood(what) if speaks else SaidElsewhere()


def waited(done: Callable[[], bool], seconds: float) -> None:
    """Until something is done, but not longer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not done():
        time.sleep(0.05)


def watch(children: list[subprocess.Popen[Any]]) -> None:
    """In place of Lightning's observer, which kills this process without a word when another one ends."""
    CHILDREN[:] = children
    watch_for(lambda: any(child.poll() for child in children))


def watch_parent() -> None:
    """In a process that Lightning has started: whether the one that did so is still there."""
    parent = os.getppid()
    if launch() is None and not first():
        watch_for(lambda: os.getppid() != parent)


def watch_for(end: Callable[[], bool]) -> None:
    """Some backends wait for ever for a process that is gone."""

    def look() -> None:
        while not end():
            time.sleep(1)
        if OVER.wait(PATIENCE):
            return
        print(f"literatim: {ENDED}", file=sys.stderr, flush=True)
        for child in CHILDREN:
            child.kill()
        os._exit(2)

    threading.Thread(target=look, daemon=True).start()


@contextmanager
def watched() -> Iterator[None]:
    """While a run lasts its processes are watched by us; Lightning's own observer is there for everybody else's."""
    others = subprocess_script._launch_process_observer
    subprocess_script._launch_process_observer = watch  # type: ignore[assignment]
    OVER.clear()
    watch_parent()
    try:
        yield
    finally:
        OVER.set()
        subprocess_script._launch_process_observer = others
