"""Experience: the replay memory against a plain list, on disk and on a faulty one; and what an agent draws."""

import errno
import io
import itertools
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import stats

from literatim.datasets import replay
from literatim.datasets.replay import ReplayMemory, forget
from literatim.errors import LiteratimError

SIZE = 2


class Step(NamedTuple):
    """What a step of a made-up agent was; `number` counts all that ever were."""

    number: int
    screen: Any
    action: int
    reward: float
    ended: bool
    cut: bool


def steps(seed: int, number: int, first: int = 0) -> list[Step]:
    """Random steps: each screen is another, every fifth ends an episode or a life, every eighth is cut by time."""
    rng = np.random.default_rng([seed, first])
    made = []
    for k in range(first, first + number):
        ended, cut = rng.random() < 0.2, rng.random() < 0.12
        screen = np.array([[k % 251, k // 251], [rng.integers(256), 1 + rng.integers(255)]], np.uint8)
        made.append(Step(k, screen, int(rng.integers(18)), float(rng.integers(-1, 2)), ended, cut))
    return made


def remember(memory: ReplayMemory, of: list[Step]) -> None:
    for step in of:
        memory.add(*step[1:])


def state_of(held: dict[int, Step], number: int, frames: int) -> Any:
    """What the agent saw at a step: back to the last end, black before it."""
    screens, black = [held[number].screen], False
    for before in range(number - 1, number - frames, -1):
        black = black or held[before].ended or held[before].cut
        screens.insert(0, np.zeros((SIZE, SIZE), np.uint8) if black else held[before].screen)
    return np.stack(screens)


def possible(held: dict[int, Step], frames: int) -> list[int]:
    """The steps of which all screens and what came of them are known."""
    first, newest = min(held), max(held)
    inside = range(first + frames - 1, newest)
    return [number for number in inside if held[number].ended or not held[number].cut]


def number_of(screen: Any) -> int:
    return int(screen[0, 0]) + 251 * int(screen[0, 1])


@pytest.mark.parametrize("seed", range(6))
def test_what_is_drawn_is_what_a_list_of_all_steps_has(seed):
    rng = np.random.default_rng(seed)
    capacity, frames = int(rng.integers(9, 60)), int(rng.integers(1, 5))
    memory, held, count = ReplayMemory(capacity, SIZE, frames), {}, 0
    for more in rng.integers(8, 50, size=12):
        new = steps(seed, int(more), count)
        remember(memory, new)
        held |= {step.number: step for step in new}
        count += int(more)
        held = {number: step for number, step in held.items() if number >= count - capacity}
        allowed = set(possible(held, frames))
        if not allowed:
            continue
        drawn = memory.draw(64, rng)
        for screens, action, reward, ended in zip(*drawn, strict=True):
            assert screens.shape == (frames + 1, SIZE, SIZE)
            step = held[number_of(screens[-2].numpy())]
            assert step.number in allowed
            assert (int(action), float(reward), bool(ended)) == (step.action, step.reward, step.ended)
            assert (screens[:-1].numpy() == state_of(held, step.number, frames)).all()
            if not step.ended:
                assert (screens[1:].numpy() == state_of(held, step.number + 1, frames)).all()


@pytest.mark.parametrize("seen", [40, 400])
def test_every_transition_is_drawn_equally_often_and_none_else(seen):
    memory = ReplayMemory(50, SIZE, 4)
    made = steps(3, seen)
    remember(memory, made)
    allowed = possible({step.number: step for step in made[-50:]}, 4)
    drawn = memory.draw(20_000, np.random.default_rng(0)).screens[:, -2].numpy()
    found = np.array([number_of(screen) for screen in drawn])
    counts = [int((found == number).sum()) for number in allowed]
    assert sum(counts) == 20_000
    assert stats.chisquare(counts).pvalue > 0.001


def test_without_replay_the_newest_transitions_come_in_their_order():
    memory, made = ReplayMemory(50, SIZE, 4), steps(5, 130)
    remember(memory, made)
    allowed = possible({step.number: step for step in made[-50:]}, 4)
    found = [number_of(screens[-2].numpy()) for screens in memory.newest(25).screens]
    assert found == allowed[-25:]
    assert any(step.cut and not step.ended for step in made[found[0] : found[-1]])  # else the seed shows little


def test_a_transition_takes_little_more_than_its_screen():
    memory = ReplayMemory(1000, 84, 4)
    held = sum(part.nbytes for part in vars(memory).values() if isinstance(part, np.ndarray))
    assert held / 1000 <= 1.1 * 84 * 84


def test_a_memory_that_holds_no_state_and_its_next_is_refused():
    with pytest.raises(LiteratimError, match=r"data\.capacity is 5; it must be more than 5"):
        ReplayMemory(5, SIZE, 4)


def test_a_memory_that_the_machine_has_not_is_refused_before_it_is_filled(monkeypatch):
    monkeypatch.setattr(replay, "memory_of_this_machine", lambda: 4e9)
    with pytest.raises(
        LiteratimError, match=r"data\.capacity is 1,000,000, .* would take 7\.1 GB; this machine has 4\.0"
    ):
        ReplayMemory(1_000_000, 84, 4)
    ReplayMemory(500_000, 84, 4)


# --- on disk ---------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(replay, "SEGMENT", 16)


def content(memory: ReplayMemory) -> tuple[Any, ...]:
    """Of the steps that are still held, the oldest first."""
    rows = np.arange(max(memory.seen - memory.capacity, 0), memory.seen) % memory.capacity
    parts = (memory.screens, memory.actions, memory.rewards, memory.flags)
    return (memory.seen, *(part[rows].tolist() for part in parts))


@pytest.mark.parametrize("capacity", [10, 16, 50, 64])
def test_what_was_saved_anywhere_is_read_again_whole(capacity, tmp_path, small):
    memory, count = ReplayMemory(capacity, SIZE, 3), 0
    for more in (7, 9, 1, 15, 16, 40, 3, 70):
        remember(memory, steps(1, more, count))
        count += more
        saved = memory.save(tmp_path)
        forget(tmp_path, saved)
        again = ReplayMemory(capacity, SIZE, 3)
        again.load(tmp_path, saved)
        assert content(again) == content(memory)
        assert {path.name for path in tmp_path.iterdir()} == set(saved["files"])


def test_only_what_is_new_is_written(tmp_path, small):
    memory = ReplayMemory(64, SIZE, 3)
    remember(memory, steps(1, 40))
    memory.save(tmp_path)
    before = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    assert set(before) == {"0-16.steps", "16-32.steps", "32-40.steps"}
    remember(memory, steps(1, 10, 40))
    saved = memory.save(tmp_path)
    after = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    assert {name for name in after if after[name] != before.get(name)} == {"32-48.steps", "48-50.steps"}
    assert set(saved["files"]) == set(after) - {"32-40.steps"}


def test_of_two_states_each_stays_whole_until_it_is_forgotten(tmp_path, small):
    memory, states = ReplayMemory(40, SIZE, 3), []
    for k in range(4):
        remember(memory, steps(2, 21, 21 * k))
        states.append((memory.save(tmp_path), content(memory)))
        forget(tmp_path, *(saved for saved, _ in states[-2:]))
        for saved, held in states[-2:]:
            again = ReplayMemory(40, SIZE, 3)
            again.load(tmp_path, saved)
            assert content(again) == held
    with pytest.raises(LiteratimError, match=r"not there any more: a run keeps that of last\.ckpt alone"):
        ReplayMemory(40, SIZE, 3).load(tmp_path, states[0][0])


class FullDisk(io.BytesIO):
    def write(self, found: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("when", ["open", "fsync", "replace"])
def test_a_full_disk_leaves_the_memory_that_was_saved_before(when, tmp_path, small, monkeypatch, fault):
    memory = ReplayMemory(40, SIZE, 3)
    remember(memory, steps(4, 37))
    saved, held = memory.save(tmp_path), content(memory)
    remember(memory, steps(4, 37, 37))

    def full(*args: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if when == "open":
            patch.setattr(Path, "open", lambda *args: FullDisk())
        else:
            patch.setattr(replay.os, when, full)
        with pytest.raises(LiteratimError, match="No space left on device"):
            memory.save(tmp_path)
    assert not list(tmp_path.glob(".*"))  # nothing half written is left
    again = ReplayMemory(40, SIZE, 3)
    again.load(tmp_path, saved)
    assert content(again) == held
    fault("memory-damaged")


def test_a_flipped_bit_anywhere_is_noticed_and_said_in_a_sentence(tmp_path, small, fault):
    memory = ReplayMemory(40, SIZE, 3)
    remember(memory, steps(4, 37))
    saved = memory.save(tmp_path)
    rng = np.random.default_rng(0)
    for name, flipped in itertools.product(saved["files"], range(20)):
        path = tmp_path / name
        whole = path.read_bytes()
        bit = int(rng.integers(8 * len(whole))) if flipped else 8 * len(whole) - 1
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << bit % 8
        path.write_bytes(broken)
        with pytest.raises(LiteratimError, match=r"\.steps: this part of the replay memory cannot be read") as said:
            ReplayMemory(40, SIZE, 3).load(tmp_path, saved)
        assert "\n" not in str(said.value)
        path.write_bytes(whole)
        fault("memory-damaged")


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "a folder"])
def test_a_file_that_is_no_memory_is_a_sentence(damage, tmp_path, small, fault):
    memory = ReplayMemory(40, SIZE, 3)
    remember(memory, steps(4, 37))
    saved = memory.save(tmp_path)
    path = tmp_path / saved["files"][1]
    whole = path.read_bytes()
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage != "gone":
        path.write_bytes(whole[: len(whole) // 2 if damage == "cut" else 0])
    with pytest.raises(LiteratimError, match=r"16-32\.steps: (this part of )?the replay memory"):
        ReplayMemory(40, SIZE, 3).load(tmp_path, saved)
    fault("memory-damaged")


def test_another_capacity_than_the_run_began_with_is_refused(tmp_path):
    memory = ReplayMemory(40, SIZE, 3)
    remember(memory, steps(4, 37))
    saved = memory.save(tmp_path)
    with pytest.raises(LiteratimError, match=r"data\.capacity is 41, and the run began with 40"):
        ReplayMemory(41, SIZE, 3).load(tmp_path, saved)
