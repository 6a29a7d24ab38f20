"""Films of agents at play: `literatim predict PAPER --to film.gif`, or film.mp4."""

import resource
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from conftest import inside
from literatim.datasets.experience import ExperienceDataModule
from literatim.experiment import film
from literatim.experiment.film import Watcher

SHORT = ["--data.start", "40", "--data.updates", "2", "--data.tests", "1", "--trainer.max_epochs", "1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder in which there is a run of an agent that has hardly learned."""
    folder = tmp_path_factory.mktemp("run")
    done = inside("fit", "dqn", *SHORT, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def filmed(run, to, *more):
    return inside("predict", "dqn", "--ckpt_path", "last", "--to", str(to), *more, cwd=run)


def refused(done):
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("literatim: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def seen(path, k):
    with Image.open(path) as whole:
        whole.seek(k)
        return np.asarray(whole.convert("RGB"))


def test_a_film_shows_each_step_of_the_test_s_episodes_as_the_game_has_it(run, tmp_path):
    to = tmp_path / "film.gif"
    done = filmed(run, to, "--number", "25", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{to}: 25 steps from episode 3 on; 2 ended, with a mean score of ")
    data, pictures = ExperienceDataModule(test_epsilon=1.0), []
    data.setup("predict")
    with Image.open(to) as whole:
        assert whole.n_frames == 25
        times = []
        for k in range(25):
            whole.seek(k)
            times.append(whole.info["duration"])
    assert times == ([200] * 9 + [1000]) * 2 + [200] * 5
    for number in (3, 4, 5):
        data.episode("test", number, lambda game, state, action: pictures.append(game.picture()))
    for k in (0, 10, 20):  # where an episode begins nothing has been chosen yet
        assert np.array_equal(seen(to, k)[:, :320], pictures[9 * k // 10].repeat(2, 0).repeat(2, 1))


def test_the_same_seed_gives_the_same_film_and_another_another(run, tmp_path):
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert filmed(run, tmp_path / f"{name}.gif", "--seed", seed, "--number", "12").returncode == 0
    a, b, c = ((tmp_path / f"{name}.gif").read_bytes() for name in "abc")
    assert a == b != c


def moments(values, picture, actions):
    watcher = Watcher(lambda state: values, 9)
    watcher.names = ["stay", "left", "right"]
    watcher.moments = [film.Moment(picture, values, action, 0.0) for action in actions]
    return watcher


def test_the_chosen_action_is_marked_and_bars_are_as_long_as_values():
    values = np.array([0.5, -0.25, 1.0], np.float32)
    for action in range(3):
        (one,) = film.frames(moments(values, np.zeros((160, 160, 3), np.uint8), [action]), "Catch")
        beside = np.asarray(one)[94:, 320:].reshape(226, 260, 3)
        lengths = []
        for row in range(3):
            line = beside[30 * row + 7]  # through a bar, above the letters
            marked = (line == film.CHOSEN).all(-1).sum()
            assert (marked > 20) == (row == action)
            lengths.append(marked if row == action else (line == film.BAR).all(-1).sum())
        assert lengths[0] / lengths[2] == pytest.approx(0.5, abs=0.06)
        assert lengths[1] / lengths[2] == pytest.approx(0.25, abs=0.06)


def test_that_an_action_was_drawn_is_said_beside_it():
    values, picture = np.array([0.5, -0.25, 1.0], np.float32), np.zeros((160, 160, 3), np.uint8)
    greedy, drawn, ended = film.frames(moments(values, picture, [2, 0, None]), "Catch")
    foot = [np.asarray(one)[290:, 320:] for one in (greedy, drawn, ended)]
    assert [(part == film.CHOSEN).all(-1).any() for part in foot] == [False, True, False]


def test_a_game_of_ale_is_filmed_in_its_own_colours_within_a_megabyte_for_ten_seconds(tmp_path):
    data = ExperienceDataModule("ALE/Pong-v5", test_epsilon=1.0)
    data.setup("predict")
    rng = np.random.default_rng(0)
    watcher = Watcher(lambda state: rng.normal(size=6).astype(np.float32), 150)
    with pytest.raises(film.Enough):
        data.episode("test", 0, watcher)
    watcher.leave()
    assert watcher.rate == 15
    assert (watcher.scores, watcher.names[:2]) == ([], ["NOOP", "FIRE"])
    assert min(moment.score for moment in watcher.moments) <= -1  # points were lost on the way
    film.write_film(watcher, "Pong", tmp_path / "a.gif")
    assert (tmp_path / "a.gif").stat().st_size < 1_000_000
    for k in (0, 77, 149):
        shown = watcher.moments[k].picture.repeat(2, 0).repeat(2, 1)
        assert np.array_equal(seen(tmp_path / "a.gif", k)[:, :320], shown)


def test_an_mp4_has_the_same_pictures(run, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="it is the extra film")
    done = filmed(run, tmp_path / "a.mp4", "--number", "20")
    assert done.returncode == 0, done.stderr
    assert ffmpeg.count_frames_and_secs(str(tmp_path / "a.mp4"))[0] == 18 + 2 * 5  # the ends stand for a second
    assert filmed(run, tmp_path / "a.gif", "--number", "20").returncode == 0
    asked = f"-v quiet -nostdin -i {tmp_path / 'a.mp4'} -frames:v 1 -f rawvideo -pix_fmt rgb24 -".split()
    one = subprocess.run([ffmpeg.get_ffmpeg_exe(), *asked], capture_output=True, check=True)
    levels = np.frombuffer(one.stdout, np.uint8).reshape(320, 580, 3)
    assert np.abs(levels.astype(int) - seen(tmp_path / "a.gif", 0)).mean() < 4


@contextmanager
def full_disk(size):
    """A limit on the size of files stands for it: it stops root too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_a_full_disk_leaves_the_film_that_was_there(run, tmp_path, name, fault):
    if name == "film.mp4":
        pytest.importorskip("imageio_ffmpeg", reason="it is the extra film")
    to = tmp_path / name
    to.write_bytes(b"good")
    with full_disk(2000):
        said = refused(filmed(run, to, "--number", "30"))
    assert f"{to}: the film cannot be written: " in said
    assert to.read_bytes() == b"good"
    assert list(tmp_path.iterdir()) == [to]
    fault("disk-full")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--to", "film.avi"], "--to film.avi: name a file ending in .png, for a film of an agent in .gif or .mp4"),
        (["--to", "nowhere/film.gif"], "nowhere: there is no such folder"),
        (["--to", "film.gif", "--number", "0"], "--number is 0; it must be a whole number from 1 to 3,000"),
        (["--to", "film.gif", "--number", "9999"], "--number is 9999; it must be a whole number from 1 to 3,000"),
        (["--to", "film.gif", "--seed", "x"], "--seed is x"),
        (["--to", "film.gif", "--label", "3"], "--label is of images to generate, and a film has none"),
        (["--to", "film.png"], "dqn plays a game: literatim predict dqn --to film.gif, or film.mp4"),
        (["--text", "100"], "dqn plays a game"),
        ([], "of one that plays, its film: --to film.gif"),
        (["--to", "film.gif", "--data.environment", "ALE/Pong-v5"], "ALE/Pong-v5 has 6 actions"),
    ],
)
def test_a_mistake_in_what_is_asked(run, args, words):
    before = sorted(run.iterdir())
    assert words in refused(inside("predict", "dqn", "--ckpt_path", "last", *args, cwd=run))
    assert sorted(run.iterdir()) == before


def test_a_paper_that_plays_no_game_has_no_film(tmp_path):
    for paper in ("lenet", "gan"):
        said = refused(inside("predict", paper, "--to", "film.gif", cwd=tmp_path))
        assert f"{paper} plays no game, and a film shows an agent that does" in said
    assert list(tmp_path.iterdir()) == []


def test_without_its_package_an_mp4_is_refused_in_a_sentence(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    said = refused(filmed(run, tmp_path / "film.mp4", "--number", "2"))
    assert 'pip install "literatim[film]"; a .gif needs none' in said
    assert list(tmp_path.iterdir()) == []


def test_help_teaches_films(tmp_path):
    done = inside("predict", "dqn", "--help", cwd=tmp_path)
    assert "--to FILE.gif" in done.stdout
    assert "--number N steps (default: 300)" in done.stdout
