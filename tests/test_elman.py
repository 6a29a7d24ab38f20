"""Elman's network: the compiled engine against autograd, its streams, what it reads, and going on to the same bits."""

import numpy as np
import pytest
import torch

import trainings
from literatim.datasets.streams import ALPHABETS, Streams
from literatim.errors import LiteratimError
from literatim.papers.elman.codes import SYMBOLS, table
from literatim.papers.elman.model import SimpleRecurrentNetwork, squared_error
from literatim.papers.elman.training import ElmanTraining
from literatim.parts.trials import Trials


def by_autograd(net, x, context, rate):
    """One pass by the readable model: its summed squared error, and the context after it."""
    optimizer, total = torch.optim.SGD(net.parameters(), lr=rate), 0.0
    for t in range(len(x)):
        y, context = net.step(x[t : t + 1], context)
        loss = squared_error(y, x[(t + 1) % len(x)][None])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += 2 * loss.item()
    return total, context


@pytest.mark.parametrize(("task", "sizes", "number", "passes"), [
    ("xor", (1, 2, 1), 500, 2), ("letters", (6, 20, 6), 300, 3), ("sentences", (31, 30, 31), 300, 1),
])  # fmt: skip
def test_the_engine_makes_the_very_updates_of_autograd(task, sizes, number, passes):
    pytest.importorskip("numba", reason="the compiled engine needs numba: pip install 'literatim[fast]'")
    from literatim.papers.elman.engine import Engine

    torch.manual_seed(1)
    net = SimpleRecurrentNetwork(*sizes).double()
    trials, contexts = Trials([net]), np.full((1, sizes[1]), 0.5)
    engine = Engine(trials, contexts, workers=1)
    stream = Streams(task, number=number).stream("train")
    x, (context,) = torch.from_numpy(table(task)[stream.ids]), net.start(1)
    for _ in range(passes):
        (error,) = engine.train(table(task), [stream.ids], 0.3)
        expected, context = by_autograd(net, x, context, 0.3)
        assert error == pytest.approx(expected, rel=1e-12)
    for name in trials.names:
        assert np.abs(trials.table(name)[0] - net.get_parameter(name).detach().numpy()).max() < 1e-12
    assert np.abs(contexts[0] - context[0].numpy()).max() < 1e-12


def test_codes_and_streams_speak_of_the_same_symbols():
    assert SYMBOLS == ALPHABETS


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"number": 0}, "data.number is 0"),
        ({"task": "words", "shortest": 5, "longest": 4}, "data.shortest is 5 and data.longest is 4"),
        ({"task": "words", "lexicon": []}, "data.lexicon has no word"),
        ({"task": "words", "lexicon": ["sea", "Sea"]}, '"Sea" is no word'),
        ({"task": "words", "lexicon": ["sea", "sea"]}, 'has "sea" twice'),
        ({"task": "sentences", "templates": []}, "data.templates has no template"),
        ({"task": "sentences", "templates": [" "]}, "one without a class"),
        ({"task": "sentences", "templates": ["NOUN-HUM VERB-EATS"]}, 'no class "VERB-EATS".*VERB-EAT'),
    ],
)
def test_a_stream_that_cannot_be_is_refused(options, what):
    with pytest.raises(LiteratimError, match=what):
        Streams(**options)


@pytest.mark.parametrize(
    ("variant", "text", "what"),
    [
        ("letters", "diix", 'letter 4 is "x"'),
        ("letters", " ", "is empty"),
        ("sentences", "boy eats", 'word 2 is "eats"'),
    ],
)
def test_what_is_not_of_the_alphabet_is_named_with_its_place(variant, text, what):
    with pytest.raises(LiteratimError, match=what):
        ElmanTraining(variant).read_text(text)


def test_a_text_is_answered_symbol_by_symbol():
    training = ElmanTraining("letters")
    rows = training.answer(training.read_text("dii ba"))
    assert [row["symbol"] for row in rows] == list("diiba")
    assert [row["error"] is None for row in rows] == [False] * 4 + [True]


@pytest.mark.parametrize("engine", ["plain", "exact"])
def test_a_run_goes_on_to_the_same_bits_with_its_context(engine, tmp_path):
    if engine == "exact":
        pytest.importorskip("numba", reason="the compiled engine needs numba: pip install 'literatim[fast]'")

    def fitted(epochs, checkpoint=None):
        torch.manual_seed(3)
        training = ElmanTraining("letters", trials=2, engine=engine)
        fitting = trainings.trainer(tmp_path, max_epochs=epochs)
        fitting.fit(training, datamodule=Streams("letters", number=20), ckpt_path=checkpoint)
        return training, fitting

    whole, _ = fitted(4)
    fitted(2)[1].save_checkpoint(tmp_path / "half.ckpt")
    again, _ = fitted(4, tmp_path / "half.ckpt")
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in whole.state_dict().items())


def test_streams_of_another_experiment_are_refused(tmp_path):
    with pytest.raises(LiteratimError, match='a network for letters cannot read the stream "xor"'):
        trainings.trainer(tmp_path, max_epochs=1).fit(ElmanTraining("letters"), datamodule=Streams("xor", number=2))
