"""LSTM's training: gone on with to the same bits, one device, both stops, sequences that people write."""

from types import SimpleNamespace

import pytest
import torch

import trainings
from literatim.datasets.lags import Marked
from literatim.errors import LiteratimError
from literatim.papers.lstm.training import LSTMTraining


def training(**options) -> LSTMTraining:
    torch.manual_seed(0)
    return LSTMTraining(trials=2, window=8, **options)


def tiny() -> Marked:
    return Marked(T=20, sequences=5, chunks=3, checks=4, tests=6)


def test_it_goes_on_in_the_middle_of_an_epoch_to_the_same_bits(tmp_path, fault):
    whole, broken, again = training(), training(), training()
    trainings.trainer(tmp_path, max_epochs=2).fit(whole, datamodule=tiny())
    saving = trainings.SaveAfter(2, tmp_path / "two.ckpt")
    trainings.trainer(tmp_path, max_epochs=1, callbacks=[saving]).fit(broken, datamodule=tiny())
    trainings.trainer(tmp_path, max_epochs=2).fit(again, datamodule=tiny(), ckpt_path=tmp_path / "two.ckpt")
    one, other = whole.state_dict(), again.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert again.trials.seen.tolist() == [30, 30]
    fault("stopped-within-an-epoch")


def test_the_first_stop_is_noted_and_the_last_ends_the_training(tmp_path):
    module = training(early_wrong=8, wrong=0, tolerance=0.9)  # a first rule that is met at once, and a loose last one
    trainer = trainings.trainer(tmp_path, max_epochs=50)
    trainer.fit(module, datamodule=tiny())
    found = trainer.test(module, datamodule=tiny(), verbose=False)[0]
    assert module.early[:, 0].tolist() == [8, 8]  # a full window
    assert module.trials.solved_at.tolist() == [9, 9]
    assert trainer.current_epoch == 1
    assert (found["early_sequences"], found["sequences"], found["solved"]) == (8, 9, 100)


def test_a_rule_that_nothing_meets_lets_it_learn_on(tmp_path):
    module = training(tolerance=1e-9)
    trainings.trainer(tmp_path, max_epochs=2).fit(module, datamodule=tiny())
    assert module.trials.solved_at.tolist() == [-1, -1]
    assert module.trials.seen.tolist() == [30, 30]


def test_it_learns_on_one_device():
    module = training()
    module.trainer = SimpleNamespace(world_size=2)  # type: ignore[assignment]
    with pytest.raises(LiteratimError, match=r"--trainer\.devices 1"):
        module.setup("fit")


@pytest.mark.parametrize(("variant", "text", "words"), [
    ("reber-3-2", "BTBTXXB", "T or V is expected at 7, not B"),
    ("adding", "0.1 0.5* -0.2 0.9 0.4", "here there are 1"),
    ("adding", "0.1 2* 1* 0", "number 2 of the text"),
    ("order-6a", "EabXczB", "symbol 6 of the text"),
    ("two-sequence", "1 1 one", '"one", number 3 of the text, is no number'),
    ("adding", " ", "the text is empty"),
])  # fmt: skip
def test_what_is_no_sequence_is_refused_with_its_place(variant, text, words):
    with pytest.raises(LiteratimError, match=words):
        LSTMTraining(variant=variant, trials=1).read_text(text)


def test_a_string_is_answered_symbol_by_symbol():
    module = LSTMTraining(variant="reber-3-2", trials=1)
    rows = module.answer(module.read_text("BTBTXSETE"))
    assert [row["input"] for row in rows] == list("BTBTXSETE")
    assert rows[0]["may follow"] == "TP"
    assert rows[-1]["may follow"] == "nothing"
