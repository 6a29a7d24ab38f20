"""Families of trials, and data that are drawn by the chunk."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from literatim.datasets.made import Chunks, MadeDataModule
from literatim.errors import LiteratimError
from literatim.parts.trials import Trials


@pytest.fixture
def trials():
    return Trials([nn.Linear(2, 1) for _ in range(4)])


def test_what_is_written_into_a_table_is_a_trials_parameter(trials):
    trials.table("weight")[2] = [[3.0, 4.0]]
    net = nn.Linear(2, 1)
    trials.load_into(net, 2)
    assert net.weight.tolist() == [[3, 4]]
    assert trials.stacked("weight").dtype == torch.float64


def test_a_checkpoint_has_all_trials_and_how_far_they_are(trials):
    trials.table("bias")[:] = 7
    trials.seen += 5
    trials.solved_at[1] = 3
    other = Trials([nn.Linear(2, 1) for _ in range(4)])
    other.load_state_dict(trials.state_dict())
    assert other.table("bias").tolist() == [[7]] * 4
    assert (other.seen.tolist(), other.live(), other.first()) == ([5] * 4, [0, 2, 3], 1)


def test_the_summary_is_over_the_trials_that_met_the_rule(trials):
    assert trials.summary() == {"solved": 0, "solved_trials": 0}
    trials.solved_at[:] = torch.tensor([-1, 10, 20, 60])
    assert trials.summary("sweeps") == {
        "solved": 75, "solved_trials": 3, "sweeps": 30, "sweeps_least": 10, "sweeps_most": 60, "sweeps_median": 20,
        "sweeps_deviation": pytest.approx(np.std([10, 20, 60], ddof=1)),
    }  # fmt: skip


def test_no_trial_at_all_is_refused():
    with pytest.raises(LiteratimError, match=r"model\.trials is 0"):
        Trials([])


def test_chunks_go_on_where_they_were_interrupted():
    chunks = Chunks(4)
    chunks.set_epoch(2)
    begun = list(itertools.islice(chunks, 3))
    again = Chunks(4)
    again.load_state_dict(chunks.state_dict())
    again.set_epoch(2)
    assert begun + list(again) == [8, 9, 10, 11]
    again.set_epoch(3)
    assert list(again) == [12, 13, 14, 15]


def test_each_purpose_trial_and_chunk_draws_numbers_of_its_own():
    data = MadeDataModule(chunks=3, seed=1)
    keys = [("train", 0, 0), ("train", 0, 1), ("train", 1, 0), ("test", 0, 0)]
    drawn = [data.rng(*key).random() for key in keys]
    assert len({*drawn, MadeDataModule(chunks=3, seed=2).rng(*keys[0]).random()}) == 5
    assert [data.rng(*key).random() for key in keys] == drawn


@pytest.mark.parametrize(("options", "words"), [
    ({"chunks": 0}, r"data\.chunks is 0"),
    ({"chunks": 1, "watch": ["train"]}, 'no set "train" to watch'),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused(options, words):
    with pytest.raises(LiteratimError, match=words):
        MadeDataModule(**options)
