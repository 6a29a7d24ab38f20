"""Deep Q-learning: games and their screens, the agent's draws, its learning, and what a run of it withstands."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from conftest import assert_refused, inside
from literatim.datasets import environments
from literatim.datasets.environments import CATCH, make
from literatim.datasets.experience import ExperienceDataModule
from literatim.datasets.games import Game
from literatim.datasets.replay import CUT, ENDED
from literatim.errors import LiteratimError
from literatim.experiment.lightning import has_bf16
from literatim.papers.dqn.training import DQNTraining
from literatim.papers.dqn2013.training import DQN2013Training
from literatim.parts.rmsprop import CentredRMSProp
from literatim.parts.transitions import Transitions
from test_going_on import outcome, same
from trainings import trainer

PONG = "ALE/Pong-v5"
TINY = ("--data.start=60", "--data.capacity=150", "--data.tests=2", "--trainer.accelerator=cpu")
RUNS = {
    "quick": ("--data.updates=6", "--trainer.max_epochs=3", *TINY),
    "pong": ("--data.updates=4", "--trainer.max_epochs=3", "--data.test_frames=80", *TINY),
}


def agent(**options: Any) -> ExperienceDataModule:
    """A data module whose agent finds the second action best."""
    data = ExperienceDataModule(**{"start": 40, "capacity": 300, "updates": 5, "tests": 2, **options})
    data.setup("fit")
    data.act_by(lambda state: np.array([0.0, 1.0, 0.5], np.float32))
    return data


def played(data: ExperienceDataModule, batches: int) -> list[Transitions]:
    return [data.played() for _ in range(batches)]


# --- going on --------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from literatim.cli import run
from literatim.papers.dqn.training import DQNTraining
learn = DQNTraining.training_step
def killed(self, batch, batch_idx):
    if (self.current_epoch, batch_idx) == (2, 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return learn(self, batch, batch_idx)
DQNTraining.training_step = killed
run()
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with an undisturbed run of each recipe in small."""
    folder = tmp_path_factory.mktemp("dqn")
    for recipe, args in RUNS.items():
        done = inside("fit", "dqn", "--recipe", recipe, *args, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder / "runs" / "dqn"


def memory_of(folder: Path) -> dict[str, bytes]:
    """The files of the memory that the last checkpoint has."""
    saved = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    return {name: (folder / "memory" / name).read_bytes() for name in saved["ExperienceDataModule"]["memory"]["files"]}


@pytest.mark.parametrize("recipe", RUNS)
def test_a_run_that_was_killed_within_an_epoch_ends_bit_for_bit_as_undisturbed(recipe, runs, tmp_path, fault):
    fit = [sys.executable, "-c", KILLED, "fit", "dqn", "--recipe", recipe, *RUNS[recipe]]
    killed = subprocess.run(fit, cwd=tmp_path, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    done = inside("fit", "dqn", "--recipe", recipe, "--ckpt_path", "last", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found, undisturbed = tmp_path / "runs" / "dqn" / recipe / "0", runs / recipe / "0"
    assert same(outcome(undisturbed), outcome(found)) == []
    assert memory_of(found) == memory_of(undisturbed)
    fault("killed-after-an-epoch")


def test_a_run_on_ale_leaves_nothing_behind_at_the_processes_end(tmp_path):
    """Not the game, of whose binding the interpreter would complain, nor half-written files."""
    fit = [sys.executable, "-m", "literatim", "fit", "dqn", "--recipe", "pong", *RUNS["pong"]]
    done = subprocess.run([*fit, "--trainer.max_epochs=1"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, [line for line in done.stderr.splitlines() if not line.startswith("epoch 1/1")]) == (0, [])
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]


def test_a_checkpoint_without_its_memory_is_tested_but_not_gone_on_with(runs, tmp_path, fault):
    shutil.copytree(runs, tmp_path / "runs" / "dqn")
    folder = tmp_path / "runs" / "dqn" / "quick" / "0"
    shutil.rmtree(folder / "memory")
    last = folder / "checkpoints" / "last.ckpt"
    before = last.read_bytes()
    done = inside("test", "dqn", "--ckpt_path", "last", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "test_score" in done.stdout
    on = inside("fit", "dqn", "--ckpt_path", "last", "--trainer.max_epochs", "4", cwd=tmp_path)
    assert_refused(on, "is not there any more", "test the checkpoint, which needs none")
    assert last.read_bytes() == before
    fault("memory-damaged")


def test_a_run_goes_on_from_its_best_checkpoint_only_while_its_memory_is_kept(tmp_path):
    args = (*RUNS["quick"], "--data.watch=[val]", "--data.tests=1", "--trainer.max_epochs=5")
    assert inside("fit", "dqn", *args, cwd=tmp_path).returncode == 0
    folder = tmp_path / "runs" / "dqn" / "quick" / "0" / "checkpoints"
    epochs = [torch.load(folder / f"{name}.ckpt", weights_only=True)["epoch"] for name in ("best", "last")]
    assert epochs[0] < 3 < epochs[1] == 4  # the first of equal scores is the best
    before = {path: path.read_bytes() for path in folder.parent.rglob("*/*") if path.is_file()}
    on = inside("fit", "dqn", "--ckpt_path", "best", "--trainer.max_epochs", "6", cwd=tmp_path)
    assert_refused(on, "a run keeps that of last.ckpt alone; go on from that")
    assert {path: path.read_bytes() for path in folder.parent.rglob("*/*") if path.is_file()} == before


def test_a_run_that_was_moved_goes_on_where_it_lies(runs, tmp_path):
    folder = tmp_path / "elsewhere"
    shutil.copytree(runs / "quick" / "0", folder)
    on = ("--ckpt_path", str(folder / "checkpoints" / "last.ckpt"), "--trainer.max_epochs", "4")
    done = inside("fit", "dqn", "--recipe", "quick", *on, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "epoch 4/4" in done.stderr
    assert set(memory_of(folder)) == {"0-152.steps"}
    assert not (tmp_path / "runs").exists()


def test_a_run_goes_on_with_the_version_of_the_game_that_it_began_with_alone(runs, tmp_path, monkeypatch):
    shutil.copytree(runs, tmp_path / "runs" / "dqn")
    folder = tmp_path / "runs" / "dqn" / "pong" / "0"
    versions = json.loads((folder / "record.json").read_text())["versions"]
    assert {name: versions[name] for name in ("gymnasium", "ale-py")} == environments.packages(PONG)
    monkeypatch.setattr(environments, "version", lambda name: "9.9.9")
    before = (folder / "checkpoints" / "last.ckpt").read_bytes()
    on = inside("fit", "dqn", "--recipe", "pong", "--ckpt_path", "last", "--trainer.max_epochs", "4", cwd=tmp_path)
    assert_refused(on, "install the one of then (here are gymnasium 9.9.9, ale-py 9.9.9)")
    assert (folder / "checkpoints" / "last.ckpt").read_bytes() == before


# --- the agent -------------------------------------------------------------------------------------


def test_the_step_after_an_end_is_no_transition():
    """Gymnasium's vectors of environments have one, which resets: every tenth of Catch, whose episodes are nine."""
    data = agent(start=200, epsilon=(1.0, 1.0))
    data.begin()
    asked: list[str] = []
    step, reset = data.game.env.step, data.game.env.reset
    data.game.env.step = lambda action: asked.append("step") or step(action)
    data.game.env.reset = lambda **options: asked.append("reset") or reset(**options)
    played(data, 1)
    assert (asked.count("step"), data.memory.seen, asked.count("reset")) == (200, 200, 200 // 9)
    ends = np.flatnonzero(data.memory.flags[:200])
    assert ends.tolist() == list(range(8, 200, 9))
    assert set(data.memory.flags[ends]) == {ENDED | CUT}
    assert len(data.scores) == len(ends)
    make(CATCH).close()  # registers it
    vector = gymnasium.vector.SyncVectorEnv([lambda: gymnasium.make(CATCH)])
    vector.reset(seed=0)
    told = np.array([vector.step(np.array([0]))[2][0] for _ in range(200)])
    assert (np.flatnonzero(told) + 1).tolist() == [9 + 10 * k for k in range(20)]


def test_equal_seeds_play_the_same_and_others_do_not():
    one, other, again = (played(agent(seed=seed), 30) for seed in (3, 4, 3))
    assert all(torch.equal(a, b) for x, y in zip(one, again, strict=True) for a, b in zip(x, y, strict=True))
    assert not all(torch.equal(x.screens, y.screens) for x, y in zip(one, other, strict=True))


def test_training_validation_test_and_random_play_are_each_drawn_anew():
    """Of equal seeds: their first numbers differ, and so do the episodes of a test among themselves."""
    data = agent(seed=7)
    first = [
        data.rng(*key).random() for key in (("train",), ("val", 0, 0), ("test", 0, 0), ("test", 0, 1), (PONG, 0, 0))
    ]
    assert len(set(first)) == 5
    balls = [[], []]
    for purpose, seen in zip(("val", "test"), balls, strict=True):
        for number in range(12):
            data.episode(purpose, number, lambda game, state, action, seen=seen: seen.append(state[-1].argmax()))
    starts = [seen[::9] for seen in balls]
    assert starts[0] != starts[1]
    assert len(set(starts[0])) > 3 < len(set(starts[1]))
    assert data.episode("test", 3) == data.episode("test", 3)
    data.tests = 12
    assert data.at_random(CATCH) == data.at_random(CATCH)
    assert set(data.at_random(CATCH)) == {-1, 1}


def test_the_probability_of_a_random_action_falls_in_a_straight_line():
    data = agent(epsilon=(0.9, 0.1), exploration=100, exploration_after=50)
    data.begin()
    found = []
    for seen in (0, 39, 40, 50, 75, 100, 149, 150, 1000):
        data.memory.seen = seen
        found.append(data.epsilon_now())
    assert found == pytest.approx([1, 1, 0.9, 0.9, 0.7, 0.5, 0.108, 0.1, 0.1])
    data = agent(epsilon=(1.0, 0.1), exploration=0)
    data.begin()
    data.memory.seen = 40
    assert data.epsilon_now() == pytest.approx(0.1)


def test_the_agent_acts_at_random_as_often_as_it_is_told():
    data, rng = agent(), np.random.default_rng(0)
    data.begin()
    for epsilon, others in ((0.0, 0), (0.3, 0.2), (1.0, 2 / 3)):  # of three actions one is the best
        actions = np.array([data.choose(data.state, epsilon, rng)[0] for _ in range(3000)])
        assert (actions != 1).mean() == pytest.approx(others, abs=0.03)


def test_to_print_a_data_module_plays_nothing():
    data = agent()
    assert str(data) == f"ExperienceDataModule: {CATCH}, 5 updates of 32 transitions"
    assert data.memory is None


def test_between_two_updates_stand_as_many_steps_as_said():
    data = agent(every=3, start=50)
    seen = []
    for _ in range(4):
        played(data, 1)
        seen.append(data.memory.seen)
    assert seen == [50, 53, 56, 59]


def test_rewards_are_clipped_where_the_agent_learns_and_not_in_its_score(monkeypatch):
    data = agent(start=45)
    step = Game.step
    monkeypatch.setattr(Game, "step", lambda self, action: step(self, action)._replace(reward=7.5))
    played(data, 1)
    assert set(data.memory.rewards[:45]) == {1.0}
    assert data.scores == [9 * 7.5] * 5
    assert data.episode("test", 0).score == 9 * 7.5


@pytest.mark.parametrize("epsilon", [0.999, 1.0])
def test_an_episode_of_random_actions_alone_has_no_value_and_says_nothing(epsilon, recwarn):
    data = agent(test_epsilon=epsilon)
    assert np.isnan(data.episode("test", 0).value)
    assert not recwarn.list


def test_a_set_that_no_episode_is_played_of_is_not_watched():
    with pytest.raises(LiteratimError, match=r'data\.watch: the episodes of "val" alone'):
        ExperienceDataModule(watch=["test"])


def test_a_game_of_random_play_that_there_is_not_is_named_before_anything_is_learned():
    with pytest.raises(LiteratimError, match='there is no environment "ALE/Pogn-v5"'):
        agent(random_play=["ALE/Pong-v5", "ALE/Pogn-v5"])


def test_an_epoch_that_max_steps_cuts_short_tells_what_the_agent_did_in_it(tmp_path):
    training, told = DQNTraining("catch"), []
    training.log = lambda name, value, **options: told.append((name, value))  # type: ignore[method-assign]
    trainer(tmp_path, max_steps=7).fit(training, ExperienceDataModule(start=40, capacity=300, updates=5))
    assert [value for name, value in told if name == "steps"] == [40 + 4 * 4, 40 + 4 * 6]


# --- learning --------------------------------------------------------------------------------------


class Watched(DQNTraining):
    """Notes after every update whether the target network is the network."""

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_end(outputs, batch, batch_idx)
        pairs = zip(self.net.parameters(), self.target_net.parameters(), strict=True)
        self.equal = [*getattr(self, "equal", []), all(torch.equal(a, b) for a, b in pairs)]


@pytest.mark.parametrize(("every", "equal"), [(3, [False, False, True] * 3), (1, [True] * 9), (0, [True] * 9)])
def test_the_target_network_is_copied_after_as_many_updates_as_said(every, equal, tmp_path):
    training = Watched("catch", target_every=every)
    assert (training.target_net is training.net) == (every == 0)
    data = ExperienceDataModule(start=40, capacity=300, updates=9)
    trainer(tmp_path, max_epochs=1).fit(training, data)
    assert training.equal == equal


def transitions(**changes: Any) -> Transitions:
    random = torch.Generator().manual_seed(0)
    screens = torch.randint(256, (6, 5, 10, 10), generator=random, dtype=torch.uint8)
    parts = {"screens": screens, "actions": torch.arange(6) % 3, "rewards": torch.tensor([1.0, 0, -1] * 2)}
    return Transitions(**{**parts, "ended": torch.tensor([0.0, 0, 1] * 2), **changes})


@pytest.mark.parametrize("kind", [DQNTraining, DQN2013Training])
def test_the_targets_are_the_papers(kind, monkeypatch):
    """r where nothing follows, else r and gamma times the greatest value of the next four screens."""
    torch.manual_seed(0)
    training, batch = kind("catch", gamma=0.9), transitions()
    monkeypatch.setattr(training, "log", lambda *args, **options: None)
    found: list[torch.Tensor] = []
    monkeypatch.setattr(training, "loss", lambda value, y: found.extend((value, y)) or value.sum())
    if kind is DQNTraining:  # only the targets are by the second network
        for parameter in training.target_net.parameters():
            parameter.data.mul_(2)
    training.training_step(batch, 0)
    second = getattr(training, "target_net", training.net)
    for i in range(6):
        q = training.net(batch.screens[i : i + 1, :4] / 255)[0, batch.actions[i]]
        after = second(batch.screens[i : i + 1, 1:] / 255).max()
        y = batch.rewards[i] + (0 if batch.ended[i] else 0.9 * after)
        assert found[0][i].item() == pytest.approx(q.item(), abs=1e-5)
        assert found[1][i].item() == pytest.approx(y.item(), abs=1e-5)
    assert found[0].requires_grad
    assert not found[1].requires_grad


def test_errors_are_clipped_where_they_are_passed_back():
    errors = torch.tensor([-3.0, -1, -0.5, 0, 0.25, 1, 20])
    for training, gradient in (
        (DQNTraining("catch"), errors.clamp(-1, 1)),
        (DQNTraining("catch", clip_error=False), errors),
        (DQN2013Training("catch"), errors),
    ):
        value = errors.clone().requires_grad_()
        training.loss(value, torch.zeros(7)).backward()
        assert torch.allclose(value.grad, gradient)  # summed over the minibatch, not averaged


def test_rmsprop_is_that_of_a_hand_computation_and_not_torchs():
    start, gradients = np.array([1.0, -2.0, 0.5]), np.random.default_rng(0).normal(size=(20, 3))
    lr, a, b, least = 0.1, 0.9, 0.8, 0.01
    by_hand, m, n = start.copy(), np.zeros(3), np.zeros(3)
    for g in gradients:
        m, n = a * m + (1 - a) * g, b * n + (1 - b) * g * g
        by_hand = by_hand - lr * g / np.sqrt(n - m * m + least)
    found = {}
    for name, optimiser in {
        "plain": lambda p: CentredRMSProp(p, lr, a, b, least),
        "exact": lambda p: CentredRMSProp(p, lr, a, b, least, engine="exact"),
        "torch": lambda p: torch.optim.RMSprop(p, lr, alpha=b, eps=least, centered=True),
    }.items():
        parameter = torch.tensor(start, dtype=torch.float32, requires_grad=True)
        steps = optimiser([parameter])
        for g in gradients:
            parameter.grad = torch.tensor(g, dtype=torch.float32)
            steps.step()
        found[name] = parameter.detach().numpy()
    assert found["plain"] == pytest.approx(by_hand, abs=1e-6)
    assert found["exact"] == pytest.approx(by_hand, abs=1e-6)
    assert abs(found["torch"] - by_hand).max() > 0.01


def test_both_engines_have_equal_losses_over_a_hundred_updates():
    losses = []
    for engine in ("plain", "exact"):
        torch.manual_seed(0)
        training = DQNTraining("catch", target_every=10, engine=engine)
        training.log = lambda *args, **options: None  # type: ignore[method-assign]
        optimiser, mine = training.configure_optimizers(), []
        data = agent()
        data.act_by(training.values_of)
        for k in range(100):
            optimiser.zero_grad()
            loss = training.training_step(data.played(), k)
            loss.backward()
            optimiser.step()
            mine.append(loss.item())
            if k % 10 == 9:
                training.copy()
        losses.append(mine)
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert len(set(losses[0])) > 90


# --- withstood -------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_checkpoint(tmp_path, fault):
    done = inside("fit", "dqn", *RUNS["quick"], "--model.lr=1e30", cwd=tmp_path)
    said = done.stderr.splitlines()[-1]
    assert done.returncode == 2
    assert said.startswith("literatim: the loss became nan at step")
    assert "Traceback" not in done.stderr
    fault("option")


def test_several_devices_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("pytorch_lightning.Trainer.world_size", 2)
    assert_refused(inside("fit", "dqn", *RUNS["quick"], cwd=tmp_path), "dqn has one agent", "--trainer.devices 1")


@pytest.mark.parametrize(("options", "steps"), [
    (["--trainer.limit_train_batches=3"], 60 + 4 * 8),
    (["--trainer.limit_train_batches=0.5"], 60 + 4 * 8),
    (["--trainer.accumulate_grad_batches=2"], 60 + 4 * 17),
])  # fmt: skip
def test_the_agent_plays_for_the_updates_that_there_are(options, steps, tmp_path):
    done = inside("fit", "dqn", *RUNS["quick"], *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"steps {steps}" in " ".join(done.stdout.split())


def test_a_checkpoint_is_tested_in_the_game_that_it_learned_alone(runs, tmp_path):
    shutil.copytree(runs, tmp_path / "runs" / "dqn")
    test = ("test", "dqn", "--recipe", "pong", "--ckpt_path", "last")
    assert_refused(inside(*test, "--data.environment=ALE/Breakout-v5", cwd=tmp_path), "ALE/Breakout-v5 has 4 actions")
    on = inside("fit", *test[1:], "--data.environment=ALE/Breakout-v5", cwd=tmp_path)
    assert_refused(on, "--data.environment cannot be changed when a run goes on")


def test_a_run_is_validated_on_the_episodes_that_it_watches(tmp_path):
    assert inside("fit", "dqn", *RUNS["quick"], "--data.watch=[val]", cwd=tmp_path).returncode == 0
    folder = tmp_path / "runs" / "dqn" / "quick" / "0"
    found = json.loads((folder / "record.json").read_text())["metrics"]
    assert (folder / "checkpoints" / "best.ckpt").is_file()
    done = inside("validate", "dqn", "--ckpt_path", "last", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "val_score_most" in done.stdout
    assert {"val_score", "val_score_deviation", "val_steps", "val_value"} <= set(found)


def test_a_run_with_networks_in_bf16_goes_on_to_the_same_bits(tmp_path):
    if not has_bf16():
        pytest.skip("this processor has no bf16 of its own")
    half = (*RUNS["quick"], "--model.engine=half", "--model.target_every=4", "--trainer.precision=bf16-mixed")
    assert inside("fit", "dqn", *half, cwd=tmp_path).returncode == 0
    assert inside("fit", "dqn", *half, "--trainer.max_epochs=2", cwd=tmp_path).returncode == 0
    folders = [tmp_path / "runs" / "dqn" / "quick" / name for name in "01"]
    on = ("--ckpt_path", str(folders[1] / "checkpoints" / "last.ckpt"), "--trainer.max_epochs=3")
    done = inside("fit", "dqn", *on, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    undisturbed, found = map(outcome, folders)
    assert [place for place in same(undisturbed, found) if "args" not in place] == []
    assert memory_of(folders[0]) == memory_of(folders[1])
