"""Experience replay: what was seen last, each screen stored once, and kept on disk so that a run can go on."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from literatim.errors import LiteratimError
from literatim.parts.transitions import Transitions

SEGMENT = 8192  # steps of a file of the memory
# What a step is: was the episode, or a life, over after it; and does the next screen follow on its own.
ENDED, CUT = 1, 2


class ReplayMemory:
    """A ring of the last `capacity` steps: for each the newest screen, the action, its reward and whether it ended.

    Step t stands in row t modulo the capacity. A state's F screens are put together when they are read; those of an
    earlier episode, or life, are black.

    Args:
        capacity: steps
        size: S, of a screen (S, S)
        frames: F, screens of a state
    """

    def __init__(self, capacity: int, size: int, frames: int) -> None:
        if capacity <= frames + 1:
            raise LiteratimError(
                f"data.capacity is {capacity}; it must be more than {frames + 1}, a state and its next"
            )
        self.capacity, self.frames = capacity, frames
        needed, there = capacity * size * size, memory_of_this_machine()
        if needed > there:
            raise LiteratimError(
                f"data.capacity is {capacity:,}, whose screens of {size}x{size} would take {needed / 1e9:.1f} GB; this "
                f"machine has {there / 1e9:.1f}"
            )
        self.screens = np.zeros((capacity, size, size), np.uint8)
        self.actions, self.flags = np.zeros((2, capacity), np.uint8)
        self.rewards = np.zeros(capacity, np.float32)
        self.seen = 0  # steps, ever

    def add(self, screen: NDArray[np.uint8], action: int, reward: float, ended: bool, cut: bool) -> None:
        """A step: what was seen, what was done, what it brought; `cut`: the next screen is another episode's."""
        row = self.seen % self.capacity
        self.screens[row], self.actions[row], self.rewards[row] = screen, action, reward
        self.flags[row] = ENDED * ended + CUT * cut
        self.seen += 1

    def draw(self, number: int, rng: np.random.Generator) -> Transitions:
        """Uniformly drawn transitions; the newest step, whose next screen is not known yet, is none of them."""
        first = max(self.seen - self.capacity, 0) + self.frames - 1  # before it screens may be missing
        steps = rng.integers(first, self.seen - 1, size=number)
        while (bad := ~self.followed(steps)).any():
            steps[bad] = rng.integers(first, self.seen - 1, size=int(bad.sum()))
        return self.at(steps)

    def newest(self, number: int) -> Transitions:
        """The last transitions, in their order: what is learned from without replay."""
        steps = np.arange(self.seen - 2, max(self.seen - self.capacity, 0) + self.frames - 2, -1)
        return self.at(steps[self.followed(steps)][:number][::-1])

    def followed(self, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a step has a next state, or needs none: not where the time was up."""
        followed: NDArray[np.bool_] = self.flags[steps % self.capacity] != CUT
        return followed

    def at(self, steps: NDArray[np.int64]) -> Transitions:
        """The transitions that began with these steps."""
        rows = (steps[:, None] + np.arange(1 - self.frames, 2)) % self.capacity
        screens = self.screens[rows]
        # From the newest screen back: once a step has ended, all before it is black. What follows an end is not used.
        dark = np.zeros(len(steps), bool)
        for back in range(self.frames - 2, -1, -1):
            dark |= self.flags[rows[:, back]] != 0
            screens[dark, back] = 0
        row = rows[:, -2]
        ended = (self.flags[row] & ENDED).astype(np.float32)
        parts = (screens, self.actions[row].astype(np.int64), self.rewards[row], ended)
        return Transitions(*map(torch.from_numpy, parts))

    # --- on disk -----------------------------------------------------------------------------------

    def save(self, folder: Path) -> dict[str, Any]:
        """Write what is not there yet, in compressed files of SEGMENT steps; returns what `load` needs.

        Nothing that is there is changed, so that the state before this one stays whole until `forget`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        oldest, files = max(self.seen - self.capacity, 0), []
        for begin in range(oldest - oldest % SEGMENT, self.seen, SEGMENT):
            end = min(begin + SEGMENT, self.seen)
            name = f"{begin}-{end}.steps"
            path = folder / name
            if end - begin < SEGMENT or not path.is_file():
                self.write(path, max(begin, oldest), end)
            files.append(name)
        return {"seen": self.seen, "capacity": self.capacity, "files": files}

    def write(self, path: Path, begin: int, end: int) -> None:
        rows = np.arange(begin, end) % self.capacity
        parts = (self.screens[rows], self.actions[rows], self.flags[rows], self.rewards[rows])
        packed = zlib.compress(b"".join(part.tobytes() for part in parts), 1)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with beside.open("wb") as file:
                file.write(zlib.crc32(packed).to_bytes(4, "big") + packed)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except OSError as error:
            raise LiteratimError(
                f"{path}: the replay memory could not be saved ({error.strerror}); the last checkpoint and its memory "
                "are untouched"
            ) from None
        finally:
            beside.unlink(missing_ok=True)

    def load(self, folder: Path, state: dict[str, Any]) -> None:
        """Raises LiteratimError where a file is missing or damaged, or the memory has another capacity."""
        if state["capacity"] != self.capacity:
            raise LiteratimError(
                f"data.capacity is {self.capacity}, and the run began with {state['capacity']}; leave it at that"
            )
        self.seen = state["seen"]
        for name in state["files"]:  # the oldest first: rows that were taken again since then are overwritten
            self.read(folder / name, int(name.removesuffix(".steps").partition("-")[2]))

    def read(self, path: Path, end: int) -> None:
        try:
            found = path.read_bytes()
            if zlib.crc32(found[4:]).to_bytes(4, "big") != found[:4]:
                raise ValueError
            content = np.frombuffer(zlib.decompress(found[4:]), np.uint8)
        except FileNotFoundError:
            raise LiteratimError(
                f"{path}: the replay memory of this checkpoint is not there any more: a run keeps that of last.ckpt "
                "alone; go on from that, or test the checkpoint, which needs none"
            ) from None
        except (OSError, ValueError, zlib.error):
            raise LiteratimError(
                f"{path}: this part of the replay memory cannot be read, or is not as it was written; begin anew, or "
                "test the checkpoint, which needs none"
            ) from None
        steps = len(content) // (self.screens[0].size + 6)
        rows = np.arange(end - steps, end) % self.capacity
        for part in (self.screens, self.actions, self.flags, self.rewards):
            of = steps * part[0].nbytes
            part[rows] = content[:of].view(part.dtype).reshape(steps, *part.shape[1:])
            content = content[of:]


def memory_of_this_machine() -> float:
    """Bytes in all; an untouched array is given more than that, and its process is killed hours later."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # where the system does not say
        return float("inf")


def forget(folder: Path, *kept: dict[str, Any]) -> None:
    """Remove the files that none of these states has."""
    names = {name for state in kept for name in state["files"]}
    for path in folder.glob("*.steps"):
        if path.name not in names:
            path.unlink(missing_ok=True)
