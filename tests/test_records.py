"""Records and curves as others may leave them: one sentence with file and field, from every command that reads."""

import hashlib
import json
import shutil

import pytest

from conftest import CHECKOUT, assert_refused, inside, sound_record
from literatim.registry.ledger import records
from literatim.registry.reading import papers_folder
from literatim.registry.recorded import FIELDS, curve_rows, faults_of

ODD = [None, "x", -1, 1.5, True, [], [1], {}, {"x": [1]}, {"../x": 1}, float("nan"), 10**400]
READERS = [("show", "lenet"), ("verify", "lenet", "--kind", "empirical"), ("predict", "lenet", __file__), ("lint",)]
READERS += [
    ("reproduce", "lenet"),
    ("test", "lenet", "--recipe", "mnist"),
    ("carry", "lenet"),
    ("pages", "--to", "pages"),
]


@pytest.fixture
def place(papers):
    """The folder of a recorded run with shipped weights, in a copy of the cards."""
    for folder in ("results/mnist/lenet5-s0", "weights"):
        shutil.copytree(CHECKOUT / "papers/lenet" / folder, papers / "lenet" / folder)
    return papers / "lenet/results/mnist/lenet5-s0"


def sound(field, value):
    """Whether the schema lets the field have this odd value."""
    return {
        "seed": [], "metrics": [{}], "overrides": [[]], "args": [[]], "commit": [None], "dirty": [True],
        "versions": [{}], "machine": ["x"], "wall_s": [1.5, True], "options": [{}, {"x": [1]}, {"../x": 1}],
        "files_sha256": [{}], "tested": [True], "weights": [None], "carried": [None], "accelerator": ["x"],
        "precision": ["x"], "paper": ["x"], "recipe": ["x"], "variant": ["x"],
    }.get(field, []).count(value) > 0  # fmt: skip


@pytest.mark.parametrize("field", [*FIELDS, "options", "args", "files_sha256", "tested", "weights", "carried"])
def test_a_field_of_another_kind_is_named(tmp_path, field):
    path = tmp_path / "record.json"
    for value in [value for value in ODD if not sound(field, value)]:
        path.write_text(json.dumps({**sound_record(), field: value}))
        faults, _ = faults_of(path)
        assert faults, (field, value)
        assert f"record.json: {field}" in faults[0], value
    path.write_text(json.dumps(sound_record()))
    assert faults_of(path) == ([], sound_record())


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_that_is_missing_is_named(tmp_path, field):
    data = sound_record()
    del data[field]
    (tmp_path / "record.json").write_text(json.dumps(data))
    assert faults_of(tmp_path / "record.json")[0] == [f"{tmp_path}/record.json: not a record: it lacks {field}"]


BROKEN = {
    "no JSON": lambda data: "{",
    "cut": lambda data: json.dumps(data)[:200],
    "no mapping": lambda data: "[1]",
    "deep": lambda data: "[" * 100_000,
    "metrics null": lambda data: json.dumps({**data, "metrics": None}),
    "a seed that is a word": lambda data: json.dumps({**data, "seed": "x"}),
    "a path for the weights": lambda data: json.dumps(
        {**data, "weights": {**data["weights"], "file": "../../gan/x.safetensors"}}
    ),
    "another paper's": lambda data: json.dumps({**data, "paper": "gan"}),
    "no text": lambda data: b"\xff\xfe",
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_every_command_that_reads_a_broken_record_says_which(place, command, how, tmp_path):
    path = place / "record.json"
    content = BROKEN[how](json.loads(path.read_text()))
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = inside(*command, cwd=tmp_path)
    if command == ("lint",):
        assert done.returncode == 1, done.stderr
        assert "lenet5-s0/record.json" in done.stdout
    else:
        assert_refused(done, "lenet5-s0/record.json")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "cannot be read"),
        ("epoch,test_error\n1,x\n", ":2: "),
        ("epoch,test_error\n1\n", "2 cells"),
        ("epoch,test_error\n1,2,3\n", "2 cells"),
        ("epoch,test_error\n2,1\n1,1\n", ":3: "),
        ("test_error\n1\n", "epoch"),
        (b"\xff\xfe", "UTF-8"),
        ("epoch,test_error\n1,\x00\n", ":2: "),
    ],
)
def test_a_curve_that_is_no_table_is_named(place, text, what, tmp_path):
    path = place / "curve.csv"
    if text == "":
        path.unlink()
    else:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    linted = inside("lint", cwd=tmp_path)
    assert linted.returncode == 1, linted.stderr
    assert "lenet5-s0/curve.csv" in linted.stdout
    assert what in linted.stdout


def test_what_is_recorded_is_sound_and_lies_where_it_belongs():
    paths = list(papers_folder().glob("*/results/*/*/record.json"))
    assert len(paths) > 60
    for path in paths:
        assert faults_of(path)[0] == []
        assert curve_rows(path.with_name("curve.csv"))


def test_a_record_in_another_run_s_folder_is_a_fault(place, tmp_path):
    place.rename(place.with_name("lenet5-s7"))
    said = inside("lint", cwd=tmp_path).stdout
    assert "it lies in results/mnist/lenet5-s7, and belongs in results/mnist/lenet5-s0" in said
    assert_refused(inside("show", "lenet", cwd=tmp_path), "belongs in results/mnist/lenet5-s0")


def test_a_copy_of_a_run_is_no_second_seed(place, tmp_path):
    shutil.copytree(place, place.with_name("lenet5-s1"))
    assert_refused(inside("verify", "lenet", "--kind", "empirical", cwd=tmp_path), "lenet5-s1/record.json: recipe: ")


def test_a_record_that_says_something_twice_is_refused(place, tmp_path):
    path = place / "record.json"
    path.write_text(path.read_text().replace('"dirty": false', '"dirty": true,\n "dirty": false'))
    assert_refused(inside("show", "lenet", cwd=tmp_path), "record.json: dirty: the key stands here twice")


def test_a_run_without_an_outcome_is_not_judged(place):
    path = place / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"metrics": {}}))
    assert "the run has no outcome" in {reason.en for reason in records("lenet")[0].unjudged}


def test_one_run_entered_twice_or_changed_by_hand_is_a_fault(place, tmp_path):
    copied = place.with_name("lenet5-s41")
    shutil.copytree(place, copied)
    data = json.loads((copied / "record.json").read_text())
    (copied / "record.json").write_text(json.dumps({**data, "seed": 41}))
    assert "one run is entered twice" in inside("lint", cwd=tmp_path).stdout
    shutil.rmtree(copied)
    assert "lenet5-s0" not in inside("lint", cwd=tmp_path).stdout
    (place / "record.json").write_text(json.dumps({**data, "metrics": {**data["metrics"], "online_error": 0.001}}))
    assert "metrics.online_error: 0.001, and " in inside("lint", cwd=tmp_path).stdout


def test_shipped_weights_that_are_no_safetensors_are_named(place, papers, tmp_path):
    path = papers / "lenet/weights/mnist.safetensors"
    path.write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00not json")
    data = json.loads((place / "record.json").read_text())
    data["weights"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (place / "record.json").write_text(json.dumps(data))
    (tmp_path / "x.png").write_bytes(b"")
    for command in (("predict", "lenet", "x.png"), ("export", "lenet", "--weights", "mnist", "--to", "x.onnx")):
        assert_refused(inside(*command, cwd=tmp_path), "mnist.safetensors")
