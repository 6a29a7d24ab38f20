"""Environments and games: their screens against other implementations, lives and time, and what is refused."""

import ast
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits
from torch.nn import functional as F

from conftest import CHECKOUT, assert_refused, inside
from literatim.datasets import environments
from literatim.datasets.environments import CATCH, make
from literatim.datasets.games import Atari, game
from literatim.errors import LiteratimError

PONG, BREAKOUT = "ALE/Pong-v5", "ALE/Breakout-v5"
TINY = ("--data.start=60", "--data.capacity=150", "--data.updates=3", "--trainer.max_epochs=1", "--data.tests=1")


# --- screens ---------------------------------------------------------------------------------------


def frames_of(name: str, actions: list[int]) -> list[list[np.ndarray]]:
    """The emulator's own colours, four frames to an action, without anything of ours."""
    ale = make(name, frameskip=1, repeat_action_probability=0.0, full_action_space=False).unwrapped.ale
    ale.reset_game()
    legal, seen = ale.getMinimalActionSet(), []
    for action in actions:
        seen.append([ale.act(legal[action]) * 0 + ale.getScreenRGB() for _ in range(4)])
    return seen


def played(playing: Atari, actions: list[int]) -> list[np.ndarray]:
    playing.begin(np.random.default_rng(0))
    return [playing.step(action).screen for action in actions]


def bilinear(grey: np.ndarray, rows: int) -> np.ndarray:
    return F.interpolate(torch.from_numpy(grey)[None, None].double(), (rows, 84), mode="bilinear").numpy()[0, 0]


def luminance(frame: np.ndarray) -> np.ndarray:
    return 0.299 * frame[..., 0] + 0.587 * frame[..., 1] + 0.114 * frame[..., 2]


@pytest.mark.parametrize("name", [PONG, BREAKOUT])
def test_the_screens_of_2015_are_of_the_greater_colours_of_two_frames(name):
    actions = [1] * 3 + np.random.default_rng(1).integers(4, size=60).tolist()
    frames, screens = frames_of(name, actions), played(Atari(name, noops=0), actions)
    differing = 0
    for (*_, before, newest), screen in zip(frames, screens, strict=True):
        expected = bilinear(luminance(np.maximum(before, newest)), 84)
        assert abs(screen - expected).max() < 0.501  # rounded, and nothing else
        differing += bool((before != newest).any())
    assert differing > 10
    assert len({screen.tobytes() for screen in screens}) > 10


def test_the_screens_of_2013_are_the_last_frames_luminance_cropped_to_84_rows():
    actions = np.random.default_rng(1).integers(6, size=40).tolist()
    screens = played(Atari(PONG, plan="crop", noops=0), actions)
    for (*_, newest), screen in zip(frames_of(PONG, actions), screens, strict=True):
        assert screen.shape == (84, 84)
        assert abs(screen - bilinear(luminance(newest), 110)[18:102]).max() < 0.501


def test_area_is_the_mean_of_what_a_new_pixel_covers():
    grey = np.random.default_rng(0).integers(256, size=(210, 160)).astype(np.float32)
    playing = Atari(PONG, resize="area", noops=0)
    twice = grey.repeat(2, 0).reshape(84, 5, 160).mean(1)  # 210 rows are to 84 as 5 to 2, 160 columns as 40 to 21
    exact = twice.repeat(21, 1).reshape(84, 84, 40).mean(2)
    assert abs(playing.down @ grey @ playing.across - exact).max() < 1e-3


def test_gymnasiums_preprocessing_has_area_and_differs_in_few_pixels():
    """It takes the greater of two luminances, the paper the greater of two colours."""
    pytest.importorskip("cv2", reason="Gymnasium's AtariPreprocessing needs OpenCV")
    from gymnasium.wrappers import AtariPreprocessing

    actions = np.random.default_rng(1).integers(6, size=60).tolist()
    raw = make(PONG, frameskip=1, repeat_action_probability=0.0, full_action_space=False)
    theirs = AtariPreprocessing(raw, noop_max=0, frame_skip=4, screen_size=84)
    theirs.reset(seed=0)
    found = np.stack([theirs.step(action)[0] for action in actions]).astype(int)
    differing = {
        how: (abs(found - np.stack(played(Atari(PONG, resize=how, noops=0), actions))) > 1).mean(axis=(1, 2)).max()
        for how in ("area", "bilinear")
    }
    assert differing["area"] < 0.01 < 0.02 < differing["bilinear"]


def test_a_screen_takes_one_thread_and_leaves_numpy_its_own(monkeypatch):
    """Those of OpenBLAS wait in a loop for more to do, on the cores where torch then learns."""

    def threads():
        found = [library for library in threadpool_info() if library["user_api"] == "blas"]
        return [library["num_threads"] for library in found if "numpy" in library["filepath"]]

    playing, within, rint = Atari(PONG, noops=0), [], np.rint
    monkeypatch.setattr(np, "rint", lambda values: within.append(threads()) or rint(values))
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        played(playing, [0])
        assert within == [[1] * len(before)] * len(within)
        assert threads() == before
    assert within


# --- an episode ------------------------------------------------------------------------------------


def test_a_lost_life_ends_what_is_expected_and_not_the_episode():
    for life_ends, ends in ((True, 5), (False, 1)):
        playing = Atari(BREAKOUT, noops=0, life_ends=life_ends)
        playing.begin(np.random.default_rng(0))
        seen = [playing.step(1)]
        while not seen[-1].over:
            seen.append(playing.step(1))
        assert sum(step.ended for step in seen) == ends  # of five balls
        assert (seen[-1].ended, sum(step.over for step in seen)) == (True, 1)


def test_a_life_that_was_lost_before_the_agent_acted_ends_nothing():
    playing = Atari(BREAKOUT, noops=3)

    class Losing:
        left = 5

        def __getattr__(self, name):
            return getattr(emulator, name)

        def lives(self):
            return self.left

    emulator, playing.ale = playing.ale, Losing()
    playing.press = lambda action: setattr(playing.ale, "left", 4) or 0.0
    playing.begin(SimpleNamespace(integers=lambda most: most - 1))
    assert not playing.step(0).ended


def test_an_episode_whose_time_is_up_is_over_and_has_not_ended():
    playing = Atari(PONG, noops=0, most=40)
    playing.begin(np.random.default_rng(0))
    seen = [playing.step(0) for _ in range(10)]
    assert [step.over for step in seen] == [False] * 9 + [True]
    assert not any(step.ended for step in seen)


@pytest.mark.parametrize("name", [PONG, BREAKOUT, CATCH])
def test_a_game_goes_on_from_its_state_to_the_same_screens(name):
    playing, rng = game(name), np.random.default_rng(0)
    playing.begin(rng)
    actions = rng.integers(playing.actions, size=60 if name != CATCH else 8)
    for action in actions[: len(actions) // 2]:
        playing.step(action)
    state = playing.state()
    first = [playing.step(action) for action in actions[len(actions) // 2 :]]
    other = game(name)
    other.restore(state)
    second = [other.step(action) for action in actions[len(actions) // 2 :]]
    assert [step[1:] for step in first] == [step[1:] for step in second]
    assert all((a.screen == b.screen).all() for a, b in zip(first, second, strict=True))
    assert playing.state() == other.state()


def test_up_to_thirty_actions_that_do_nothing_begin_an_episode():
    playing, rng = Atari(PONG), np.random.default_rng(0)
    begun = []
    for _ in range(60):
        playing.begin(rng)
        begun.append(playing.frames // 4)
    assert min(begun) < 4
    assert max(begun) > 26
    assert set(begun) <= set(range(31))


# --- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "words"), [
    ("ALE/Pogn-v5", 'there is no environment "ALE/Pogn-v5"; did you mean "ALE/Pong-v5"'),
    ("ALE/Pong", 'did you mean "ALE/Pong-v5"?'),
    ("Pong", 'there is no environment "Pong"; did you mean "ALE/Pong-v5"?'),
    ("pong-v5", 'did you mean "ALE/Pong-v5"?'),
    ("catch", 'did you mean "literatim/Catch-v0"?'),
    ("Breakout-v4", 'give a game of ALE by an id such as "ALE/Pong-v5"'),
    ("literatim/catch-v0", 'did you mean "literatim/Catch-v0"'),
    ("os:system", 'there is no environment "os:system"'),
    ("FrozenLake-v1", "FrozenLake-v1 shows no square grey screen of bytes"),
    ("Pendulum-v1", "Pendulum-v1 has no numbered actions"),
    ("ALE/Freeway-v5", "network values 6: --model.variant breakout --model.options.actions 3"),
])  # fmt: skip
def test_what_the_agent_cannot_play_is_refused_in_a_sentence(name, words, tmp_path):
    assert_refused(inside("fit", "dqn", "--recipe", "pong", f"--data.environment={name}", *TINY, cwd=tmp_path), words)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_game_with_another_number_of_actions_is_played_by_a_network_that_has_them(tmp_path):
    actions = ("--data.environment=ALE/Freeway-v5", "--model.options.actions=3", "--data.test_frames=40")
    done = inside("fit", "dqn", "--recipe", "breakout", *actions, *TINY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = inside("test", "dqn", "--recipe", "breakout", "--ckpt_path", "last", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "test_score" in done.stdout


@pytest.mark.parametrize(("option", "said"), [
    ({"size": 84}, "unexpected keyword argument"), ({"map_name": "9x9"}, "it has no '9x9'"),
    ({"desc": 3}, ""), ({"render_mode": 3}, ""),
])  # fmt: skip
def test_options_that_an_environment_does_not_take_are_refused(option, said):
    with pytest.raises(LiteratimError, match=f"FrozenLake-v1: the environment cannot be made: .*{said}"):
        make("FrozenLake-v1", **option)


def test_without_gymnasium_or_ale_the_sentence_says_what_to_install(monkeypatch):
    import gymnasium

    others = {name: spec for name, spec in gymnasium.registry.items() if not name.startswith("ALE/")}
    for hidden, name, words in (
        ("gymnasium", CATCH, r'^environments come from Gymnasium: pip install "literatim\[atari\]"$'),
        ("ale_py", PONG, r'ALE/Pong-v5 is a game of ALE, which is not installed: pip install "literatim\[atari\]"$'),
    ):
        environments._gymnasium.cache_clear()
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, hidden, None)
            patch.setattr(gymnasium, "registry", others)
            with pytest.raises(LiteratimError, match=words):
                make(name)
            if hidden == "ale_py":
                assert make(CATCH).action_space.n == 3
    environments._gymnasium.cache_clear()


def test_nothing_but_the_environments_themselves_imports_gymnasium_at_its_top():
    source = CHECKOUT / "implementations" / "literatim"
    found = set()
    for path in source.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {name.split(".")[0] for name in names} & {"gymnasium", "ale_py"}:
                found.add(str(path.relative_to(source)))
    assert found == {"datasets/catch.py"}
