"""Back-propagation: what only this paper has."""

import json
import subprocess
import sys

import pytest
import torch

import trainings
from conftest import CHECKOUT, inside
from literatim.datasets.familytrees import FamilyTrees
from literatim.datasets.symmetry import Symmetry
from literatim.papers.backprop import learned
from literatim.papers.backprop.claimed import starts
from literatim.papers.backprop.model import SymmetryNet, total_error
from literatim.papers.backprop.training import BackpropTraining
from literatim.parts.familytrees import facts, families
from literatim.parts.symmetry import all_vectors
from literatim.registry.ledger import records

STARTS = CHECKOUT / "docs/assets/symmetry.json"


def trained(folder, module, data, epochs=2, **options):
    trainer = trainings.trainer(folder, max_epochs=epochs, **options)
    trainer.fit(module, datamodule=data)
    return module


def test_hundreds_of_sweeps_by_hand_end_where_torchs_derivatives_end(tmp_path):
    module = trained(tmp_path, BackpropTraining(trials=2), Symmetry(sweeps=150))
    start = BackpropTraining(trials=2)
    start.start(1, Symmetry())
    net = SymmetryNet().double()
    start.trials.load_into(net, 1)
    x, d = all_vectors()
    changes = [torch.zeros_like(p) for p in net.parameters()]
    for _ in range(300):
        gradients = torch.autograd.grad(total_error(net(x), d), list(net.parameters()))
        with torch.no_grad():
            for p, change, gradient in zip(net.parameters(), changes, gradients, strict=True):
                change.mul_(0.9).sub_(0.1 * gradient)
                p.add_(change)
    for name, p in net.named_parameters():
        assert torch.allclose(module.trials.stacked(name)[1], p, rtol=0, atol=1e-10)
    assert module.trials.seen.tolist() == [300, 300]


def test_a_trial_is_the_same_whoever_learns_beside_it(tmp_path):
    few, many = (trained(tmp_path, BackpropTraining(trials=n), Symmetry(sweeps=100)) for n in (2, 5))
    for name in few.trials.names:
        assert torch.equal(few.trials.stacked(name), many.trials.stacked(name)[:2])


def test_a_run_that_goes_on_ends_with_the_same_bits(tmp_path):
    options = {"variant": "family", "trials": 2, "eps": 0.07, "first_eps": 0.005, "first_alpha": 0.5, "decay": 0.002,
               "dead_zone": True, "within": 0.5, "stop": False}  # fmt: skip
    data = {"chunks": 3, "sweeps": 7}
    at = tmp_path / "middle.ckpt"
    whole = trained(tmp_path, BackpropTraining(**options), FamilyTrees(**data), callbacks=[trainings.SaveAfter(2, at)])
    on = BackpropTraining(**options)
    trainings.trainer(tmp_path, max_epochs=2).fit(on, datamodule=FamilyTrees(**data), ckpt_path=at)
    assert on.trials.seen.tolist() == [42, 42]
    assert all(torch.equal(one, on.state_dict()[name]) for name, one in whole.state_dict().items())


def test_a_trial_that_has_learned_moves_no_more_and_the_run_ends_with_the_last(tmp_path):
    trial = json.loads(STARTS.read_text())["trials"][6]
    data = Symmetry(sweeps=100)
    module = BackpropTraining(trials=1)
    data.rng = lambda purpose, number, exact=data.rng: exact(purpose, 6)
    trained(tmp_path, module, data, epochs=100)
    assert module.trials.solved_at.tolist() == module.trials.seen.tolist() == [trial["sweeps"]]
    assert module.trainer.current_epoch < 100
    assert all(((module.net(all_vectors()[0].float()) > 0.5) == (all_vectors()[1] > 0.5)).flatten())


def test_the_demo_learns_as_the_record_has_it():
    kept = json.loads(STARTS.read_text())
    (record,) = (run for run in records("backprop", "paper", "symmetry") if run["seed"] == starts.SEED)
    assert kept["trials"][kept["first"]]["sweeps"] == record["metrics"]["first_sweeps"]
    assert kept["first"] < 4
    assert starts.starts(4) == {"first": kept["first"], "trials": kept["trials"][:4]}


def test_what_a_unit_stands_for_is_found_in_weights_that_stand_for_it():
    nation = torch.tensor([1.0] * 12 + [-1.0] * 12).double()
    generation, branch = (torch.tensor([*of, *of]).double() for of in (learned.GENERATION, learned.BRANCH))
    rest = torch.randn(3, 12, generator=torch.Generator().manual_seed(0)).double().repeat(1, 2)
    w = torch.cat([torch.stack([3 * nation, -generation, branch + 5]), rest])[None]
    found = learned.family({"people.weight": w})
    assert [found[name] for name in ("nationality", "generation", "branch", "twins", "ignoring")] == pytest.approx(
        [1, 1, 1, 1, 5]
    )


def test_each_tree_has_52_questions_and_56_answers():
    english = facts()[: len(facts()) // 2]
    assert (len(english), sum(len(others) for _, _, others in english)) == (52, 56)
    assert [len(names) for names, _ in families()] == [12, 12]


def test_the_shipped_weights_answer(tmp_path):
    asked = inside("predict", "backprop", "--text", "100001", "--json", cwd=tmp_path)
    (row,) = json.loads(asked.stdout)
    assert (row["vector"], row["symmetrical"], row["output"] > 0.8) == ("100001", "yes", True)
    aunts = inside(
        "predict", "backprop", "--weights", "family-long", "--text", "Colin has-aunt", "--json", cwd=tmp_path
    )
    assert {r["person 2"] for r in json.loads(aunts.stdout) if r["answer"] == "yes"} == {"Jennifer", "Margaret"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["predict", "--text", "10x001"], '"10x001", place 3: "x" is no bit; a vector is 6 letters 0 or 1'),
        (["predict", "--text", "1001"], '"1001" has 4 bits; a vector has 6, such as 100001'),
        (["predict", "--weights", "family-long", "--text", "Colin"], '"Colin" has 1 words; ask with a person and'),
        (
            ["predict", "--weights", "family-long", "--text", "Colim has-aunt"],
            '"Colim has-aunt", word 1: nobody is called Colim; did you mean "Colin"',
        ),
        (
            ["predict", "--weights", "family-long", "--text", "Colin has-ant"],
            '"Colin has-ant", word 2: there is no relationship "ant"; did you mean "aunt"?',
        ),
        (["fit", "--model.eps", "0"], "model.eps is 0.0; it must be more than 0"),
        (["fit", "--model.alpha", "1"], "model.alpha is 1.0; it must be from 0 to below 1"),
        (["fit", "--model.first_alpha", "2"], "model.first_alpha is 2.0; it must be from 0 to below 1"),
        (["fit", "--model.first_eps", "0"], "model.first_eps is 0.0; it must be more than 0"),
        (["fit", "--data.low", "1"], "data.low is 1, as is the input of a bit that is 1"),
        (["fit", "--model.options.hidden", "-1"], "backprop symmetry cannot be made with {'hidden': -1}: hidden is -1"),
        (["fit", "--model.options.spread", "-1"], "backprop symmetry cannot be made with {'spread': -1}: spread is -1"),
        (["fit", "--model.trials", "0"], "model.trials is 0; it must be at least 1"),
        (["fit", "--model.within", "0.7"], "model.within is 0.7; it must be more than 0 and at most 0.5"),
        (["fit", "--data.sweeps", "0"], "data.sweeps is 0; it must be at least 1"),
        (["fit", "--recipe", "family", "--data.held_out", "104"], "data.held_out is 104; of 104 cases some must"),
        (["fit", "--model.variant", "family"], "the FamilyNet takes vectors of 36 numbers, and these data have 6"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(args, said, tmp_path):
    result = inside(args[0], "backprop", *args[1:], cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("literatim: ")]
    assert [line[: len(said) + 11] for line in lines] == [f"literatim: {said}"], result.stderr


def test_two_processes_are_refused_in_a_sentence(tmp_path):
    command = [sys.executable, "-m", "literatim", "fit", "backprop", "--trainer.devices", "2"]
    options = ["--trainer.accelerator", "cpu", "--trainer.strategy", "ddp", "--trainer.max_epochs", "1"]
    result = subprocess.run(
        [*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 2
    assert "the trials learn side by side in one process: --trainer.devices 1" in result.stderr
    assert "Traceback" not in result.stderr
