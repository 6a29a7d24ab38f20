"""Forget gates: the kernel against autograd, streams that end at a mistake, a run gone on with, what is refused."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import trainings
from conftest import assert_refused, inside
from literatim.datasets.reber_stream import ContinualReber
from literatim.errors import LiteratimError
from literatim.papers.lstm_forget.engine import Exact, Plain, Way
from literatim.papers.lstm_forget.model import ForgetLSTM
from literatim.papers.lstm_forget.training import ForgetTraining
from literatim.parts.grammars import embedded_reber
from literatim.parts.trials import Trials

EASY = 10.0  # a squared error that no output of a logistic unit comes to: nothing is a mistake
WAY = Way(rate=0.5, decay=1.0, legal=True, allowed=EASY, winners=False, resets=False, limit=400, tests=0)
# Of each options of the network, and what is other about the way.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "forget gates": ({}, {}),
    "a rate that falls": ({}, {"decay": 0.99}),
    "the symbol that follows": ({}, {"legal": False}),
    "standard, reset": ({"forgetting": "none"}, {"resets": True}),
    "standard": ({"forgetting": "none"}, {}),
    "states that decay": ({"forgetting": "decay"}, {}),
}


def network(**options: Any) -> ForgetLSTM:
    torch.manual_seed(0)
    return ForgetLSTM(**options)


def learned(kind: type[Exact] | type[Plain], net: ForgetLSTM, way: Way, many: int = 1) -> tuple[Trials, Any]:
    """The tables after streams, and what came of these."""
    trials = Trials([net])
    draws = [np.random.default_rng(number) for number in (1, 2)]
    return trials, kind(net, trials).streams(0, many, embedded_reber(), way, *draws)


@pytest.mark.parametrize("name", CASES)
def test_the_kernel_changes_weights_as_autograd_does(name):
    pytest.importorskip("numba", reason="numba is not installed")
    options, other = CASES[name]
    net, way = network(**options), WAY._replace(**other)
    (fast, found), (plain, expected) = (learned(kind, net, way) for kind in (Exact, Plain))
    assert found.lengths.tolist() == expected.lengths.tolist() == [400]
    assert max(np.abs(fast.table(name) - plain.table(name)).max() for name in fast.names) < 1e-12
    moved = np.abs(fast.table("cells.weight")[0] - net.cells.weight.detach().numpy()).max()
    assert moved > 1e-3  # it has learned at all


@pytest.mark.parametrize("kind", [Exact, Plain])
def test_a_stream_ends_at_its_first_mistake_and_learns_from_it(kind):
    if kind is Exact:
        pytest.importorskip("numba", reason="numba is not installed")
    net, strict = network(), WAY._replace(allowed=1e-9)
    trials, found = learned(kind, net, strict)
    assert found.lengths.tolist() == [0]
    once, _ = learned(kind, net, WAY._replace(limit=1))
    assert all(np.array_equal(trials.table(name), once.table(name)) for name in trials.names)
    assert not np.array_equal(trials.table("output.bias")[0], net.output.bias.detach().numpy())


def test_both_see_the_same_mistakes_and_the_same_states():
    pytest.importorskip("numba", reason="numba is not installed")
    way = WAY._replace(allowed=0.49, winners=True, limit=60, tests=3)
    (_, fast), (_, plain) = (learned(kind, network(), way, many=20) for kind in (Exact, Plain))
    assert fast.lengths.tolist() == plain.lengths.tolist()
    assert fast.tests.tolist() == plain.tests.tolist()
    assert fast.took is plain.took is None
    assert len(set(fast.lengths.tolist())) > 2
    assert fast.largest == pytest.approx(plain.largest, abs=1e-12)


def training(**options: Any) -> ForgetTraining:
    torch.manual_seed(0)
    return ForgetTraining(trials=2, **options)


def tiny() -> ContinualReber:
    return ContinualReber(limit=20, streams=4, tests=1, chunks=3)


def test_it_goes_on_in_the_middle_of_an_epoch_to_the_same_bits(tmp_path, fault):
    whole, broken, again = training(), training(), training()
    trainings.trainer(tmp_path, max_epochs=2).fit(whole, datamodule=tiny())
    saving = trainings.SaveAfter(2, tmp_path / "two.ckpt")
    trainings.trainer(tmp_path, max_epochs=1, callbacks=[saving]).fit(broken, datamodule=tiny())
    trainings.trainer(tmp_path, max_epochs=2).fit(again, datamodule=tiny(), ckpt_path=tmp_path / "two.ckpt")
    one, other = whole.state_dict(), again.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert again.trials.seen.tolist() == [24, 24]
    assert again.learned.tolist() == whole.learned.tolist()
    fault("stopped-within-an-epoch")


def test_a_trial_without_a_solution_ends_at_its_cap_of_symbols(tmp_path):
    module = training(symbols=1)
    trainer = trainings.trainer(tmp_path, max_epochs=9)
    trainer.fit(module, datamodule=tiny())
    assert module.trials.seen.tolist() == [4, 4]  # one chunk of streams
    assert trainer.current_epoch <= 1
    assert module.progress()["solved"] == 0


def test_a_perfect_test_ends_a_trial(tmp_path):
    module = training(allowed=EASY, winners=False)
    trainer = trainings.trainer(tmp_path, max_epochs=9)
    trainer.fit(module, datamodule=tiny())
    assert module.trials.solved_at.tolist() == [1, 1]
    found = trainer.test(module, datamodule=tiny(), verbose=False)[0]
    assert (found["solved"], found["streams"], found["at_once"]) == (100, 1, 100)


def test_it_learns_on_one_device():
    module = training()
    module.trainer = SimpleNamespace(world_size=2)  # type: ignore[assignment]
    with pytest.raises(LiteratimError, match=r"--trainer\.devices 1"):
        module.setup("fit")


@pytest.mark.parametrize(("text", "words"), [
    ("BTBTXXB", "T or V is expected at 7, not B"),
    ("BTBTSXXVVEPE", "T is expected at 11, not P"),
    ("BTBTSXXVVETEP", "B is expected at 13, not P"),
    ("btb", "B is expected at 1, not b"),
    ("BT5", "B is expected at 3, not 5"),
    (" ", "the stream to be read is empty"),
])  # fmt: skip
def test_what_is_no_stream_of_the_grammar_is_refused_with_its_place(text, words):
    with pytest.raises(LiteratimError, match=words):
        training().read_text(text)


def test_a_stream_is_answered_symbol_by_symbol_across_the_ends_of_strings():
    module = training()
    rows = module.answer(module.read_text("BTBTSXXVVETEBP"))
    assert "".join(row["symbol"] for row in rows) == "BTBTSXXVVETEBP"
    assert [row["may_follow"] for row in rows[9:13]] == ["T", "E", "B", "TP"]
    assert 0 < rows[-1]["forget_4"] < 1


@pytest.mark.parametrize(("options", "words"), [
    ({"symbols": 0}, "model.symbols is 0"),
    ({"workers": 0}, "model.workers is 0"),
    ({"decay": 1.5}, "model.decay is 1.5"),
])  # fmt: skip
def test_options_that_cannot_be_are_refused(options, words):
    with pytest.raises(LiteratimError, match=words):
        ForgetTraining(**{"trials": 1, **options})


@pytest.mark.parametrize(("given", "words"), [
    (("--model.trials", "0"), "model.trials is 0; it must be at least 1"),
    (("--data.limit", "0"), "data.limit is 0; it must be at least 1"),
    (("--data.grammar", "none.txt"), "none.txt: No such file or directory"),
    (("--model.options", "{forget_bias: [1]}"), "1 forget biases are given for 4 blocks"),
    (("--model.options", "{gate_bias: [-1]}"), "1 gate biases are given for 4 blocks"),
    (("--model.options", "{inputs: 5}"), "has 7 symbols, and the network 5 inputs"),
])  # fmt: skip
def test_a_line_that_cannot_be_is_refused_in_one_sentence(given, words, tmp_path):
    assert_refused(inside("fit", "lstm-forget", "--trainer.accelerator", "cpu", *given, cwd=tmp_path), words)


@pytest.mark.parametrize(("content", "said"), [
    ("S B A\nA T C\nA P D\nC E END\n", ":3: D is a dead end: no edge leaves it, and it is not END"),
    ("S B A\nA T A\n", ": S is a dead end: no way leads from it to END"),
    ("S B A\nA E END\nQ T END\n", ": no edge leads to Q; every node but the first, S, must be reached"),
    ("S B A\nA T A\nA T END\n", ":3: T leaves A twice"),
    ("S B A\nA T A\nA P A\nA E END\n", ":4: a third edge leaves A; there may be two"),
    ("S B A\nA E\n", ':2: "A E" is no edge: give a node, a symbol and a node'),
    ("S B A\nA Q END\n", ':2: the symbol "Q" is none of B, T, P, S, X, V, E'),
    ("S B A\nA E S\n", ": S is the start, by one symbol, of every string, but line 2 leads back to it"),
    ("S B END\nEND T S\n", ":2: nothing follows END"),
    ("", ": the grammar is empty"),
    ("S B \xe9\n".encode("latin-1"), ": it is no UTF-8 text"),
])  # fmt: skip
def test_a_grammar_that_cannot_be_is_refused_with_its_line(content, said, tmp_path):
    path = tmp_path / "grammar.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LiteratimError) as error:
        ContinualReber(grammar=str(path))
    assert str(error.value) == f"{path}{said}"


def test_a_grammar_is_read_with_the_mark_and_the_line_ends_of_other_systems(tmp_path):
    path = tmp_path / "grammar.txt"
    path.write_bytes("\ufeffS B A\r\nA T A\r\nA E END\r\n".encode())
    assert ContinualReber(grammar=str(path)).grammar.nodes == [{"B": 1}, {"T": 1, "E": 2}, {}]
