"""Verdicts, and that every claim can lose its own."""

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import CHECKOUT, sound_record
from literatim.claims import verdicts
from literatim.claims.once import measured_once
from literatim.claims.verdicts import VERDICTS, causes, count, judge, verify
from literatim.cli.browse import print_verdicts
from literatim.errors import LiteratimError
from literatim.registry import ledger, reading
from literatim.registry.schema import Claim

GOOD = {"holds", "erratum", "unexplained"}
PAPERS = [path.parent.name for path in (CHECKOUT / "papers").glob("*/card.yaml")]


def claim(**fields) -> Claim:
    base = {"id": "c", "kind": "structural", "where": "Sec. 1", "source": "preprint", "states": {"en": "…"}}
    return Claim.model_validate_json(json.dumps({**base, **fields}))


@pytest.mark.parametrize("paper", PAPERS)
def test_no_claim_fails(paper):
    failed = [(v.claim, v.measured, v.detail) for v in verify(paper, claim="*") if v.verdict == "fails"]
    assert not failed


def verdict_on(paper: str, claim: Claim) -> str | None:
    """None where a broken model lacks the very layer of which the claim speaks."""
    try:
        return judge(paper, claim).verdict
    except LiteratimError:
        return None


@pytest.mark.parametrize("paper", PAPERS)
def test_every_executed_claim_is_killed_by_a_broken_model(paper, record_property):
    checks = import_module(f"literatim.papers.{paper.replace('-', '_')}.checks")
    executed = [c for c in reading.claims(paper) if c.kind != "empirical"]
    with measured_once():
        sound = {c.id: judge(paper, c).verdict for c in executed}
    assert set(sound.values()) <= GOOD
    killers: dict[str, list[str]] = {c.id: [] for c in executed}
    # A claim that trains takes seconds, so it faces only the broken models that are meant for it.
    for name, breaking in checks.BROKEN.items():
        with breaking(), measured_once():
            for c in executed:
                if (not c.trains or name in checks.BREAK_TRAINING) and verdict_on(paper, c) != sound[c.id]:
                    killers[c.id].append(name)
    rows = [f"  {name:40} {', '.join(c for c, by in killers.items() if name in by)}" for name in checks.BROKEN]
    record_property("table", "\n".join([f"{paper}: the claims that each broken model costs", *rows]))
    assert not [c for c, by in killers.items() if not by], "claims that nothing kills"
    assert {name for by in killers.values() for name in by} == set(checks.BROKEN), "a broken model that kills nothing"


def test_a_measure_that_cannot_run_fails_its_claim():
    v = judge("lenet", claim(measure={"what": "parameters", "variant": "lenet5"}, printed="60,001"))
    assert (v.verdict, v.measured, v.stated) == ("fails", 60_000, 60_001)


@pytest.mark.parametrize(
    ("proof", "value", "printed", "verdict"),
    [
        ("multiply_adds", 326520, "401K", "fails"),  # the proof gives another number than we measure
        ("squash_at_one", 60000, "60,001", "fails"),  # the proof does not give the erratum's number
        ("parameters_by_hand", 60000, "60,000", "fails"),  # what is printed holds after all
        ("parameters_by_hand", 60000, "61,706", "erratum"),
    ],
)
def test_an_erratum_needs_its_proof(monkeypatch, proof, value, printed, verdict):
    from literatim.papers.lenet import checks

    monkeypatch.setattr(checks, "parameters_by_hand", lambda: 60_000, raising=False)
    erratum = {"value": value, "why": {"en": "…"}, "proof": f"literatim.papers.lenet.checks:{proof}"}
    c = claim(measure={"what": "parameters", "variant": "lenet5"}, printed=printed, erratum=erratum)
    assert judge("lenet", c).verdict == verdict


def test_unexplained_must_be_the_value_that_the_card_gives():
    c = {"measure": {"what": "parameters", "variant": "lenet5"}, "printed": "61K"}
    assert judge("lenet", claim(**c, unexplained={"value": 60000, "why": {"en": "…"}})).verdict == "unexplained"
    assert judge("lenet", claim(**c, unexplained={"value": 59999, "why": {"en": "…"}})).verdict == "fails"


@pytest.mark.parametrize(
    ("printed", "verdict", "detail"),
    [
        ("60.9 million", "holds", "cut off, not rounded: 60,965,224"),
        ("60 million", "holds", "cut off, not rounded: 60,965,224"),
        ("61 million", "fails", "cut off, 60,965,224 would be 60,000,000"),
        ("60.97 million", "fails", "cut off, 60,965,224 would be 60,960,000"),
        ("60.965 million", "fails", "60,965,224 rounded is what is printed: `cut_off` is needless"),
    ],
)
def test_a_number_cut_off_is_exactly_that_and_not_the_rounded_one(monkeypatch, capsys, printed, verdict, detail):
    from literatim.papers.lenet import checks

    monkeypatch.setattr(checks, "answer", lambda: 60_965_224, raising=False)
    v = judge("lenet", claim(check="literatim.papers.lenet.checks:answer", printed=printed, cut_off=True))
    assert (v.verdict, v.detail, v.cut_off) == (verdict, detail, True)
    print_verdicts([v])
    assert f"c, {verdict}: {detail}" in capsys.readouterr().out, "it is said, though it holds"


def test_a_shape_is_never_a_number_cut_off(monkeypatch):
    from literatim.papers.lenet import checks

    monkeypatch.setattr(checks, "answer", lambda: (1, 2), raising=False)
    cut = claim(check="literatim.papers.lenet.checks:answer", printed="12", cut_off=True)
    assert judge("lenet", cut).verdict == "fails"


def test_a_derived_number_is_said_to_follow_and_not_to_be_printed(monkeypatch, capsys):
    from literatim.papers.lenet import checks

    monkeypatch.setattr(checks, "answer", lambda: 97 / 38, raising=False)
    how = {"en": "Table 1: 97 over 38 minutes"}
    v = judge("lenet", claim(check="literatim.papers.lenet.checks:answer", value=2.55, follows_from=how))
    assert (v.verdict, v.printed, v.stated, v.as_json()["follows_from"]) == ("holds", None, 2.55, how["en"])
    print_verdicts([v])
    assert "2.55, follows from Table 1: 97 over 38 minutes" in capsys.readouterr().out


def test_errata_of_one_slip_are_counted_by_their_cause(monkeypatch, capsys):
    from literatim.papers.lenet import checks

    monkeypatch.setattr(checks, "answer", lambda: 2, raising=False)
    path = "literatim.papers.lenet.checks:answer"
    erratum = {"value": 2, "why": {"en": "…"}, "proof": path}
    wrong = {"check": path, "printed": "1"}
    found = [claim(**wrong, id=name, erratum=erratum) for name in ("a", "b")]
    found += [claim(**wrong, id=name, erratum={**erratum, "consequence_of": "a"}) for name in ("c", "d")]
    verdicts = [judge("lenet", c) for c in found]
    assert [v.consequence_of for v in verdicts] == [None, None, "a", "a"]
    assert (count(verdicts), causes(verdicts)) == ({"erratum": 4}, 2)
    print_verdicts(verdicts)
    assert capsys.readouterr().out.rstrip().endswith("4 erratum of 2 causes")
    print_verdicts(verdicts[:2])
    assert capsys.readouterr().out.rstrip().endswith("2 erratum")


@pytest.mark.parametrize(
    ("answer", "verdict"), [(np.True_, "holds"), (np.False_, "fails"), (torch.tensor(False), "fails")]
)
def test_the_truth_of_a_check_may_be_numpys_or_torchs(monkeypatch, answer, verdict):
    from literatim.papers.lenet import checks

    monkeypatch.setattr(checks, "answer", lambda: answer, raising=False)
    assert judge("lenet", claim(check="literatim.papers.lenet.checks:answer")).verdict == verdict


def test_a_verdict_is_no_matter_of_chance(monkeypatch):
    from literatim.papers.lenet import checks

    monkeypatch.setattr(checks, "answer", lambda: float(torch.rand(())), raising=False)
    drawn = claim(check="literatim.papers.lenet.checks:answer", printed="0")
    torch.manual_seed(5)
    first = judge("lenet", drawn).measured
    torch.manual_seed(6)
    assert judge("lenet", drawn).measured == first
    # And the caller's numbers go on as if nothing had been judged.
    after = torch.rand(2)
    torch.manual_seed(6)
    assert torch.equal(after, torch.rand(2))


def test_claims_that_train_run_only_when_asked():
    assert {v.claim: v.verdict for v in verify("lenet")}["initialisation"] == "not run"
    assert {v.verdict for v in verify("lenet", claim="initialisation")} == {"erratum"}


def test_kinds_and_patterns_select():
    assert {v.kind for v in verify("lenet", kind="structural")} == {"structural"}
    assert [v.claim for v in verify("lenet", claim="parameters")] == [
        f"parameters.{layer}" for layer in ("c1", "s2", "c3", "s4", "c5", "f6")
    ]


def test_all_verdicts_are_known():
    assert {v.verdict for v in verify()} <= set(VERDICTS)


# --- The ledger --------------------------------------------------------------------------------------

RESULT = {"recipe": "paper", "variant": "lenet5", "metric": "test_error"}


@pytest.fixture
def record(tmp_path, monkeypatch):
    """Write a sound record of the recipe `paper`, changed as asked; returns the verdict on 0.95 +- 0.1."""

    def write(seed: int = 0, error: float = 1.0, **changes):
        about = {"recipe": "paper", "seed": seed, "metrics": {"test_error": error}}
        data = sound_record(**about, **ledger.hashes("lenet", "paper")) | changes
        folder = tmp_path / "results" / data["recipe"] / f"lenet5-s{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "record.json").write_text(json.dumps(data))
        (folder / "curve.csv").write_text("epoch,test_error\n1,3.5\n2,1.5\n")

    monkeypatch.setattr(ledger, "paper_folder", lambda paper: tmp_path)
    monkeypatch.setattr(ledger, "recipe_path", lambda p, r: CHECKOUT / "papers" / p / "recipes" / f"{r}.yaml")
    return write


def error_claim(printed: str = "0.95 %", slack: float = 0.1, **result) -> Claim:
    tolerance = {"is": slack, "why": {"en": "…"}}
    return claim(
        kind="empirical", printed=printed, relation="at_most", tolerance=tolerance, result={**RESULT, **result}
    )


def test_a_check_runs_in_one_thread_whatever_there_are(monkeypatch):
    seen = []
    monkeypatch.setattr("literatim.claims.verdicts.call", lambda path: seen.append(torch.get_num_threads()) or True)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        judge("lenet", claim(check="literatim.papers.lenet.checks:anything"))
        assert (seen, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)


def test_the_evidence_does_not_depend_on_the_threads():
    before, said = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            said.append(verify("lenet", claim="initialisation"))
    finally:
        torch.set_num_threads(before)
    assert said[0] == said[1]


def test_a_mean_over_seeds_is_reproduced_or_missed(record):
    record(0, 1.0)
    record(1, 1.1)
    v = judge("lenet", error_claim())
    assert (v.verdict, v.measured) == ("reproduced", 1.05)
    assert "2 seeds" in v.detail
    record(2, 1.2)
    assert judge("lenet", error_claim()).verdict == "missed"
    assert judge("lenet", error_claim(of="best")).measured == 1.0


def test_no_record_is_not_attempted(record):
    assert judge("lenet", error_claim()).verdict == "not attempted"


@pytest.mark.parametrize(
    ("change", "verdict", "word"),
    [
        ({"dirty": True}, "indicative", "not clean"),
        ({"overrides": ["model.j=1"]}, "indicative", "model.j=1"),
        ({"code_sha256": "0" * 64}, "stale", "code"),
        ({"recipe_sha256": "0" * 64}, "stale", "recipe"),
        ({"data_sha256": "0" * 64}, "stale", "data"),
    ],
)
def test_what_is_not_judged(record, change, verdict, word):
    record(0, 1.0, **change)
    v = judge("lenet", error_claim())
    assert (v.verdict, v.measured) == (verdict, 1.0)
    assert word in v.detail


def test_a_run_whose_beginning_today_s_code_repeats_is_judged_and_says_so(record):
    today = ledger.hashes("lenet", "paper")["code_sha256"]
    record(0, 1.0, code_sha256="0" * 64, carried={"code_sha256": today, "commit": "0" * 40, "steps": 1200})
    v = judge("lenet", error_claim())
    assert (v.verdict, v.measured) == ("reproduced", 1.0)
    assert "the same bits over the first 1,200 steps" in v.detail
    record(1, 1.0, code_sha256="0" * 64, carried={"code_sha256": "1" * 64, "commit": "0" * 40, "steps": 1200})
    assert [r.stale for r in ledger.records("lenet", "paper")] == [[], ["code"]]


def test_a_run_that_is_not_judged_does_not_touch_those_that_are(record):
    record(0, 1.0)
    record(1, 50.0, overrides=["trainer.max_epochs=1"])
    v = judge("lenet", error_claim())
    assert (v.verdict, v.measured) == ("reproduced", 1.0)


def test_a_deviation_without_evidence_is_indicative(record):
    record(0, 1.0, recipe="mnist", **ledger.hashes("lenet", "mnist"))
    v = judge("lenet", error_claim(recipe="mnist"))
    assert v.verdict == "indicative"
    assert "Adam" in v.detail


def test_an_epoch_of_the_curve_a_difference_and_a_ratio(record):
    record(0, 1.0)
    assert judge("lenet", error_claim("1.5 %", epoch=2)).verdict == "reproduced"
    assert judge("lenet", error_claim("1.3 %", epoch=2)).verdict == "missed"
    v = judge("lenet", error_claim("0.5", epoch=2, minus=RESULT))
    assert (v.verdict, v.measured) == ("reproduced", 0.5)
    v = judge("lenet", error_claim("0.4", epoch=2, per={**RESULT, "epoch": 1}))
    assert (v.verdict, v.measured) == ("reproduced", round(1.5 / 3.5, 6))
    with pytest.raises(ValueError, match="not by both"):
        error_claim("0.4", per=RESULT, minus=RESULT)


def test_where_no_trial_ends_its_learning_the_number_of_steps_is_missed(record):
    record(metrics={"solved": 0.0})
    v = judge("lenet", error_claim(metric="sequences"))
    assert (v.verdict, v.measured) == ("missed", None)
    record(metrics={"solved": 0.0}, dirty=True)
    assert judge("lenet", error_claim(metric="sequences")).verdict == "not attempted"


@pytest.mark.parametrize(("solved", "over_all", "over_the_learned"), [
    (100.0, "reproduced", "reproduced"), (95.0, "missed", "reproduced"),
])  # fmt: skip
def test_there_is_no_mean_over_all_trials_where_some_never_learned(record, solved, over_all, over_the_learned):
    record(metrics={"solved": solved, "sequences": 1.0})
    v = judge("lenet", error_claim(metric="sequences", all_trials=True))
    assert (v.verdict, v.measured) == (over_all, 1.0)
    assert ("95 % of them" in v.detail) == (over_all == "missed")
    assert judge("lenet", error_claim(metric="sequences")).verdict == over_the_learned


@pytest.mark.parametrize("text", ["", "{", "[]", '{"paper": "lenet"}'])
def test_a_broken_record_is_named(record, text):
    record()
    path: Path = next(ledger.paper_folder("lenet").glob("results/*/*/record.json"))
    path.write_text(text)
    with pytest.raises(LiteratimError, match=r"record\.json: not a record"):
        verdicts.judge("lenet", error_claim())


# --- What popular implementations change ---------------------------------------------------------------

# What a row of `compared` runs that comes with `make compare` alone.
NEEDS = {"timm": "timm", "AtariPreprocessing": "cv2"}

COMPARED = [(paper, i) for paper in PAPERS for i in range(len(reading.card(paper).compared))]


@pytest.mark.parametrize(("paper", "row"), COMPARED)
def test_popular_implementations_still_differ_so(paper, row):
    other = reading.card(paper).compared[row]
    for word in (word for word in NEEDS if word in str(other.with_)):
        pytest.importorskip(
            NEEDS[word], reason=f"this row of the card needs {NEEDS[word]}, which `make compare` installs"
        )
    assert verdicts.call(other.check) is True


def test_a_popular_network_that_were_the_papers_would_be_noticed(monkeypatch):
    from literatim.papers.lenet import checks, model

    as_printed = model.LeNet5
    monkeypatch.setattr(model, "LeNet5", lambda **options: as_printed())
    assert checks.popular_differs() is False


def test_nothing_is_drawn_for_parameters_without_numbers():
    """The parameters of a network on the meta device are counted; drawing them anew would take most of the time."""
    from literatim.claims.measures import shapes_only

    with shapes_only():
        layer = torch.nn.Linear(3, 2)
        assert torch.nn.init.kaiming_uniform_(layer.weight) is layer.weight
        assert torch.nn.init.zeros_(tensor=layer.bias) is layer.bias
    drawn = [p.device.type for p in layer.parameters()]
    assert drawn == ["meta", "meta"]
    assert torch.nn.Linear(3, 2).weight.std() > 0
