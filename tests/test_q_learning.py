"""Q-learning: exact values, the rule in real environments, ends and limits of time, going on, and what cannot be."""

import json
import sys

import numpy as np
import pytest
import torch

import trainings
from conftest import CHECKOUT, inside
from literatim.claims.verdicts import call, verify
from literatim.datasets import environments
from literatim.datasets.tabular import Tabular
from literatim.errors import LiteratimError
from literatim.papers.q_learning import checks, learning
from literatim.papers.q_learning.claimed.lake import lake
from literatim.papers.q_learning.evaluation import Exact, play
from literatim.papers.q_learning.model import QTable, adjusted
from literatim.papers.q_learning.training import QLearningTraining
from literatim.registry import card

RULE = learning.Rule(0.9, 0.5, 0.6, 0.5, (0, 1, 2, 3))


@pytest.mark.parametrize(
    ("environment", "options", "state", "worth"),
    [
        ("FrozenLake-v1", {"is_slippery": False}, 0, 0.9**5),  # six steps to the goal
        ("CliffWalking-v1", {}, 36, -(1 - 0.9**13) / 0.1),  # thirteen steps along the edge
        ("CliffWalking-v1", {}, 35, -1.0),  # one step above the goal
    ],
)
def test_values_that_can_be_counted_on_the_map_are_those_of_value_iteration(environment, options, state, worth):
    data = Tabular(environment, options)
    assert data.process.optimal(0.9)[state].max() == pytest.approx(worth)


def test_a_state_that_ends_an_episode_leads_nowhere_though_its_rows_go_on():
    data = Tabular("CliffWalking-v1")
    assert data.env.unwrapped.P[47][0][0][1] != 47
    assert 47 not in data.reached
    assert not data.process.p[:, :, 47].any()
    assert not set(range(37, 47)) & {*data.reached.tolist()}
    assert len(Tabular("Taxi-v4").reached) == 400


def test_the_expected_return_is_that_of_episodes_really_played():
    data = Tabular("FrozenLake-v1")
    exact = Exact(data.process, data.reached, data.limit, 0.95)
    played = play(exact.q, data, np.random.default_rng(0), 2000)
    assert played == pytest.approx(exact.optimal_return, abs=3 * np.sqrt(0.25 / 2000))


class Scripted:
    """An environment of two states whose first step is cut off, or ends."""

    def __init__(self, end, cut):
        self.end, self.cut, self.resets = end, cut, 0

    def first(self):
        self.resets += 1
        return 0

    def step(self, a):
        return 1, 1.0, self.end, self.cut, {}


@pytest.mark.parametrize(("end", "cut", "worth"), [(True, False, 0.5), (False, True, 0.5 * (1 + 0.9 * 7))])
def test_an_end_is_worth_nothing_more_and_a_limit_of_time_is_no_end(end, cut, worth):
    q, env = [[0.0], [7.0]], Scripted(end, cut)
    learning.steps(q, [[0], [0]], env, env.first, np.random.default_rng(0), 1, RULE._replace(allowed=(0,)))
    assert q[0][0] == worth
    assert env.resets == 2


def test_every_step_is_one_transition_and_none_follows_an_end():
    data, rng = Tabular("FrozenLake-v1"), np.random.default_rng(0)
    data.begun(rng)
    noted, starts = checks.Noted(data.env), []
    tried = [[0] * 4 for _ in range(16)]
    learning.steps(
        [[0.0] * 4 for _ in range(16)], tried, noted,
        lambda: starts.append(data.first(rng)) or starts[-1], rng, 3000, RULE,
    )  # fmt: skip
    ends = sum(end or cut for _, _, _, end, cut in noted.episodes)
    assert len(noted.episodes) == 3000 == sum(map(sum, tried))
    assert ends > 100
    assert len(starts) == ends + 1
    assert not any(sum(tried[x]) for x in range(16) if x not in data.reached), "a state that ends was acted in"


def test_a_vector_environments_step_after_an_end_is_no_transition():
    """As many steps are none as episodes have ended before the last step; who counted them would count too many."""
    import gymnasium

    envs = gymnasium.make_vec("FrozenLake-v1", num_envs=2, vectorization_mode="sync")
    envs.reset(seed=0)
    after, none, ends, rng = np.zeros(2, dtype=bool), 0, 0, np.random.default_rng(0)
    for _ in range(200):
        none += int(after.sum())
        x, r, end, cut, _ = envs.step(rng.integers(4, size=2))
        assert (x[after] == 0).all()
        assert not r[after].any()
        assert not end[after].any()
        after = end | cut
        ends += int(after.sum())
    assert ends - none == int(after.sum())
    assert none > 20


def test_a_step_along_the_gradient_is_equation_1():
    training = QLearningTraining(rate=0.25, gamma=0.9)
    with torch.no_grad():
        training.net.q.copy_(torch.arange(64.0).view(16, 4))
    x, a, r, y = torch.tensor([3]), torch.tensor([2]), torch.tensor([5.0]), torch.tensor([7])
    (0.5 * training.differences(x, a, r, y).square().sum()).backward()
    stepped = training.net.q.detach() - 0.25 * training.net.q.grad
    expected = torch.arange(64.0).view(16, 4)
    expected[3, 2] = adjusted(14.0, 5.0, 31.0, 0.25, 0.9)
    assert torch.allclose(stepped, expected)


def test_no_two_trials_or_chunks_have_an_environment_of_one_seed():
    data, seeds = Tabular("FrozenLake-v1"), []
    reset = data.env.reset
    data.env.reset = lambda seed=None: seeds.append(seed) or reset(seed=seed)
    for trial in range(10):
        for number in range(50):
            data.begun(data.rng("train", trial, number))
    assert len({*seeds}) == 500


def test_a_run_goes_on_to_the_same_bits(tmp_path):
    def fitted(epochs, checkpoint=None):
        training = QLearningTraining(trials=2)
        fitting = trainings.trainer(tmp_path, max_epochs=epochs)
        fitting.fit(training, datamodule=Tabular("FrozenLake-v1", steps=700, chunks=2), ckpt_path=checkpoint)
        return training, fitting

    whole, _ = fitted(4)
    fitted(2)[1].save_checkpoint(tmp_path / "half.ckpt")
    again, _ = fitted(4, tmp_path / "half.ckpt")
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in whole.state_dict().items())
    assert int(whole.tried.sum()) == 2 * 4 * 2 * 700
    assert whole.table().any()
    assert len({*whole.trials.seen.tolist()}) == 1


def test_an_action_that_is_never_to_be_tried_is_not():
    training = QLearningTraining(never=1)
    assert training.rule.allowed == (0, 2, 3)
    picks = {learning.chosen([0.0, 9.0, 0.0, 0.0], n % 2 == 0, n / 100, training.rule.allowed) for n in range(100)}
    assert picks == {0, 2, 3}


def test_without_a_discount_the_lake_has_a_shore_along_which_one_slides_for_ever():
    """Not "bound in the end to trap the agent" (Sec. 4): there a table of ones is its own solution."""
    process = Tabular("FrozenLake-v1").process
    shore = [0, 1, 2, 3]
    assert np.allclose(process.p[shore, 3][:, shore].sum(axis=1), 1)
    assert np.allclose(process.optimal(1.0, start=1.0)[shore, 3], 1)
    assert process.optimal(1.0)[0].max() == pytest.approx(14 / 17)


def test_what_others_do_otherwise_is_so():
    assert len(card("q-learning").compared) == 3
    assert all(call(each.check) is True for each in card("q-learning").compared)


def test_the_lake_of_the_page_is_gymnasiums():
    assert json.loads((CHECKOUT / "docs/assets/lake.json").read_text()) == lake()


def test_states_are_answered_with_the_values_of_their_actions():
    training = QLearningTraining()
    with torch.no_grad():
        training.net.q.copy_(torch.arange(64.0).view(16, 4))
    first, second = training.answer(training.read_text("0 15"))
    assert (first["state"], first["takes"], first["action 0"], second["action 3"]) == (0, 3, 0.0, 63.0)
    assert QTable().policy(torch.tensor([3, 4])).tolist() == [0, 0]
    for text, what in (("0 16", 'state 2 is "16"'), ("left", 'state 1 is "left"'), (" ", "is empty")):
        with pytest.raises(LiteratimError, match=what):
            training.read_text(text)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"gamma": 1.5}, "model.gamma is 1.5; it must be more than 0 and at most 1"),
        ({"rate": 1.0}, r"model.rate is 1.0; it must lie between 0 and 1 \(the theorem has"),
        ({"power": -1.0}, "model.power is -1.0"),
        ({"epsilon": 2.0}, "model.epsilon is 2.0"),
        ({"never": 4}, "model.never is 4; the actions are 0 to 3"),
        ({"trials": 0}, "model.trials is 0"),
        ({"played": 0}, "model.played is 0"),
    ],
)
def test_options_that_cannot_be_are_named(options, what):
    with pytest.raises(LiteratimError, match=what):
        QLearningTraining(**options)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"environment": "FrozenLak-v1"}, 'no environment "FrozenLak-v1"; did you mean .*"FrozenLake-v1"'),
        ({"environment": "CartPole-v1"}, "CartPole-v1 .CartPoleEnv. has no table of its states"),
        ({"environment": "Blackjack-v1"}, "has no table of its states"),
        ({"steps": 0}, "data.steps is 0"),
        ({"options": {"map_name": "9x9"}}, "cannot be made: it has no '9x9'"),
        ({"options": {"desc": ["FFF", "FFG"]}}, "has no state in which an episode begins"),
        ({"options": {"render_mode": "human"}}, "render_mode"),
    ],
)
def test_an_environment_that_cannot_be_learned_in_is_named(options, what):
    with pytest.raises(LiteratimError, match=what):
        Tabular(**options)


@pytest.fixture
def no_gymnasium(monkeypatch):
    for kept in (environments._gymnasium, checks.environment, checks.exact, checks.acted):
        kept.cache_clear()
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    yield
    environments._gymnasium.cache_clear()


def test_without_gymnasium_its_claims_are_not_run_and_the_others_are(no_gymnasium):
    found = {v.claim: v for v in verify("q-learning", kind="structural")} | {
        v.claim: v for name in ("optimal-policy", "lemma-a") for v in verify("q-learning", claim=name)
    }
    assert found["optimal-policy.taxi"].verdict == "not run"
    assert "literatim[atari]" in found["optimal-policy.taxi"].detail
    assert found["lemma-a.one"].verdict == found["look-up-table.taxi"].verdict == "holds"


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (
            ["--data.environment", "Taxi-v4"],
            "Taxi-v4 has 500 states and 6 actions, the table 16 and 4: --model.options",
        ),
        (["--data.environment", "Taxy-v4"], 'there is no environment "Taxy-v4"; did you mean'),
        (["--model.gamma", "1.5"], "model.gamma is 1.5"),
    ],
)
def test_the_command_says_in_one_sentence_what_cannot_be(tmp_path, options, what):
    done = inside("fit", "q-learning", "--runs", str(tmp_path), *options, cwd=tmp_path)
    assert done.returncode == 2
    assert what in done.stderr
    assert done.stderr.startswith("literatim: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_the_command_says_that_the_extra_is_missing(tmp_path, no_gymnasium):
    done = inside("fit", "q-learning", "--runs", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert 'pip install "literatim[atari]"' in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_table_multiplies_nothing_and_has_its_facts_all_the_same():
    from literatim.trace.networks import layers

    found = layers(QTable(), ())
    assert (found["parameters"], found["multiply_adds"], found["layers"]) == (64, 0, [])
