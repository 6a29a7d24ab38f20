"""Ctrl-C and the signals with which jobs are ended: at once, or while a network learns after the batch at hand."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from literatim.experiment.launch import first


class Stopped(BaseException):
    """Asked to stop by a signal; `saved` is the checkpoint that holds everything, where there is one.

    `agreed`: all processes of the run stop here.

    No `Exception`, so that nothing takes it for a fault of its own, and no `KeyboardInterrupt`, which Lightning ends
    the process for.
    """

    def __init__(self, number: int, saved: Path | None = None, agreed: bool = False) -> None:
        super().__init__(number)
        self.number, self.saved, self.agreed = number, saved, agreed

    @property
    def status(self) -> int:
        """Of Ctrl-C that of a mistake, of others 128 and the signal's number, as shells have it."""
        return 2 if self.number == signal.SIGINT else 128 + self.number


class Listener:
    """`asked`: the signal that has come; `waits`: whether it waits for the end of the batch."""

    def __init__(self) -> None:
        self.asked, self.waits = 0, False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals over; of SLURM's jobs SIGUSR1 too, which announces the end of their time."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self.asked, self.waits = 0, False
        numbers = [signal.SIGINT, signal.SIGTERM] + [signal.SIGUSR1] * bool(
            {"SLURM_JOB_ID", "SLURM_NTASKS"} & os.environ.keys()
        )
        earlier = {number: signal.signal(number, self.ask) for number in numbers}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked and (number, self.asked) != (signal.SIGINT, signal.SIGINT):
            return  # launchers send SIGTERM after what they were sent themselves
        again, self.asked = bool(self.asked), number
        if again or not self.waits:
            raise Stopped(number)
        if first():
            more = " (Ctrl-C again: at once)" if number == signal.SIGINT else ""
            print(f"\nstopping after this batch{more} …", file=sys.stderr)


LISTENER = Listener()
