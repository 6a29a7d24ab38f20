"""The schema of cards and claims: exported for editors, and wide enough for the papers to come."""

import json
import re
import subprocess
import sys
import textwrap

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from conftest import CHECKOUT
from literatim.claims.verdicts import agrees, measured
from literatim.cli import main
from literatim.errors import LiteratimError
from literatim.registry import reading
from literatim.registry.printed import cut, number
from literatim.registry.reading import validate
from literatim.registry.schema import Card, Claim, Claims

SCHEMAS = {"card": Card, "claims": Claims}
HEAD = """
schema: 1
id: made-up
title: A Made-up Paper
authors: [Ada Lovelace]
year: 2015
venue: {type: misc, name: Notes}
bibtex: lovelace2015made
topics: [vision]
sources: {print: {is: the printing}}
summary: {en: "…"}
"""


def editor_schema(kind):
    return json.loads((CHECKOUT / f"papers/{kind}.schema.json").read_text(encoding="utf-8"))


def read(tmp_path, kind, text):
    """The validated card or claims of a YAML text, which must please the editors' JSON Schema as well."""
    path = tmp_path / f"{kind}.yaml"
    path.write_text(text, encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), editor_schema(kind))
    faults, found = validate(path, SCHEMAS[kind])
    assert faults == []
    return found


def claims(tmp_path, text):
    """Claims by their id, tables row by row; each example leaves out what all claims have."""
    common = {"where": "Table 6", "source": "print", "states": {"en": "the error of {row}"}}
    written = [{**common, **claim} for claim in yaml.safe_load(textwrap.dedent(text))]
    found = read(tmp_path, "claims", json.dumps(written)).expanded()
    return {claim.id: claim for claim in found}


def claim(**fields):
    base = {"id": "c", "kind": "structural", "where": "Sec. 1", "source": "print", "states": {"en": "…"}}
    how = {"measure": {"what": "parameters", "variant": "v"}}
    return Claim.model_validate_json(json.dumps({**base, **how, **fields}))


@pytest.mark.parametrize("kind", [*SCHEMAS, "record", "index"])
def test_the_exported_schemas_are_current(kind, capsys):
    assert main(["lint", "--schema", kind]) == 0
    assert json.loads(capsys.readouterr().out) == editor_schema(kind), "run `make schema`"
    jsonschema.Draft202012Validator.check_schema(editor_schema(kind))


OURS = [*sorted(CHECKOUT.glob("papers/*/c*.yaml")), CHECKOUT / "papers/index.yaml"]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.parent.name)
def test_cards_and_claims_please_the_editors_schema(path):
    """Editors find the schema by the comment at the head of the file."""
    text = path.read_text(encoding="utf-8")
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)[1]
    schema = json.loads((path.parent / named).read_text(encoding="utf-8"))
    assert schema == editor_schema(path.stem)
    jsonschema.validate(yaml.safe_load(text), schema)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("card", {"schema": 1}),
        ("card", yaml.safe_load(HEAD) | {"colour": "red"}),
        ("card", yaml.safe_load(HEAD) | {"id": "A b"}),
        ("claims", {}),
        ("claims", [{"id": "x"}]),
    ],
)
def test_the_editors_schema_refuses(kind, data):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, editor_schema(kind))


def test_a_table_over_variants_of_one_recipe(tmp_path):
    """ResNet's Table 6."""
    found = claims(tmp_path, """
        - id: table-6
          kind: empirical
          relation: at_most
          result: {recipe: cifar10, variant: resnet20, metric: test_error}
          over: variant
          rows:
            resnet20: "8.75"
            resnet32: "7.51"
            resnet44: "7.17"
            resnet56: "6.97"
            resnet110: {printed: "6.43", of: best, where: "Table 6, best of 5"}
            resnet1202: {printed: "7.93", not_attempted: {en: a week of computing}}
    """)  # fmt: skip
    depths = (20, 32, 44, 56, 110, 1202)
    assert list(found) == [f"table-6.resnet{depth}" for depth in depths]
    assert [c.result.variant for c in found.values()] == [f"resnet{depth}" for depth in depths]
    assert {c.result.recipe for c in found.values()} == {"cifar10"}
    assert [c.result.of for c in found.values()] == ["mean"] * 4 + ["best", "mean"]
    assert [c.stated for c in found.values()] == [8.75, 7.51, 7.17, 6.97, 6.43, 7.93]
    assert found["table-6.resnet56"].states.en == "the error of resnet56"
    assert found["table-6.resnet110"].where == "Table 6, best of 5"
    assert [c.id for c in found.values() if c.not_attempted] == ["table-6.resnet1202"]


def test_a_table_over_metrics_and_over_modules(tmp_path):
    found = claims(tmp_path, """
        - id: errors
          kind: empirical
          result: {recipe: imagenet, variant: d, metric: top1}
          over: metric
          rows:
            top1: "24.4"
            top5: {printed: "7.1", relation: at_most}
            short: {printed: "9.9", recipe: quick, metric: top5}
        - id: shape
          kind: structural
          measure: {what: output_shape, variant: d, with: {num_classes: 10}}
          over: module
          rows:
            conv1: {printed: "6@28x28", value: [6, 28, 28]}
            last: {printed: "10", value: [10], module: features.9}
    """)  # fmt: skip
    errors = [(c.result.recipe, c.result.metric, c.relation) for c in found.values() if c.result]
    assert errors == [("imagenet", "top1", "equals"), ("imagenet", "top5", "at_most"), ("quick", "top5", "equals")]
    assert found["shape.conv1"].stated == (6, 28, 28)
    assert [found[f"shape.{row}"].measure.module for row in ("conv1", "last")] == ["conv1", "features.9"]
    assert found["shape.last"].measure.with_ == {"num_classes": 10}


def test_a_table_of_a_check_that_is_called_with_its_rows(tmp_path, monkeypatch):
    from literatim.claims.verdicts import judge
    from literatim.papers.lenet import checks

    found = claims(tmp_path, """
        - id: table-6
          kind: structural
          check: literatim.papers.lenet.checks:answer
          over: check
          rows:
            one: "3"
            three: {printed: "5", name: {en: the third row, zh: 第三行}}
            true: {}
    """)  # fmt: skip
    monkeypatch.setattr(checks, "answer", lambda row: row == "true" or len(row), raising=False)
    assert [(c.argument, judge("lenet", c).verdict) for c in found.values()] == [
        ("one", "holds"), ("three", "holds"), ("true", "holds")
    ]  # fmt: skip
    monkeypatch.setattr(checks, "answer", len)
    assert judge("lenet", found["table-6.true"]).verdict == "fails"
    assert [c.states.en for c in found.values()][:2] == ["the error of one", "the error of the third row"]


def test_relations_differences_and_orderings(tmp_path):
    found = claims(tmp_path, """
        - id: most-of-them
          kind: empirical
          printed: "60 %"
          relation: more_than
          result: {recipe: paper, variant: maxout, metric: share}
        - id: gain
          kind: empirical
          printed: "2.8 %"
          result: {recipe: imagenet, variant: plain34, metric: top1_error,
                   minus: {recipe: imagenet, variant: resnet34, metric: top1_error, epoch: 90}}
        - id: deeper-is-worse
          kind: empirical
          relation: more_than
          result: {recipe: cifar10, variant: plain56, metric: train_error,
                   minus: {recipe: cifar10, variant: plain20, metric: train_error}}
    """)  # fmt: skip
    assert (found["most-of-them"].stated, agrees(found["most-of-them"], 60.0)) == (60, False)
    assert agrees(found["most-of-them"], 60.1)
    gain = found["gain"]
    assert (gain.result.minus.variant, gain.result.minus.epoch, gain.stated) == ("resnet34", 90, 2.8)
    assert (agrees(gain, 2.84), agrees(gain, 2.86)) == (True, False)
    ordering = found["deeper-is-worse"]
    assert ordering.stated is None
    assert [agrees(ordering, difference) for difference in (0.1, 0.0, -0.1)] == [True, False, False]


def test_a_number_that_nobody_can_explain(tmp_path):
    """GoogLeNet's Table 1: 463K parameters of inception 4c, K being 1,024; the printed design gives 509,440."""
    (found,) = claims(tmp_path, """
        - id: table-1
          kind: structural
          measure: {what: parameters, variant: googlenet, with: {bias: false}}
          over: module
          rows:
            inception4c:
              printed: 463K
              value: 474112
              tolerance: {is: 512, why: {en: printed in units of 1024}}
              unexplained: {value: 509440, why: {en: no width in the row gives it}}
    """).values()  # fmt: skip
    assert (found.stated, found.slack, found.unexplained.value) == (463 * 1024, 512, 509440)
    assert agrees(found, 463 * 1024 + 512)
    assert not agrees(found, found.unexplained.value)


def test_a_paper_of_two_networks(tmp_path, monkeypatch):
    """DCGAN: each network has its own input, and a measure says first in which of the two it looks."""
    package = tmp_path / "package"
    (package / "twonets").mkdir(parents=True)
    (package / "twonets/__init__.py").write_text(
        textwrap.dedent("""
        from torch import nn

        class Nets(nn.Module):
            def __init__(self):
                super().__init__()
                self.generator = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 8, bias=False))
                self.discriminator = nn.Sequential(nn.Flatten(), nn.Linear(8, 1))
    """)
    )
    import literatim.papers

    monkeypatch.setattr(literatim.papers, "__path__", [*literatim.papers.__path__, str(package)])
    monkeypatch.setenv("LITERATIM_PAPERS", str(tmp_path))
    (tmp_path / "two-nets").mkdir()
    (tmp_path / "two-nets/card.yaml").write_text(
        HEAD.replace("made-up", "two-nets")
        + textwrap.dedent("""
        variants:
          both: {model: "literatim.papers.twonets:Nets", input: {generator: [3], discriminator: [1, 2, 4]}}
    """)
    )
    found = claims(tmp_path, """
        - {id: size, kind: structural, printed: "60", measure: {what: parameters, variant: both, module: generator}}
        - {id: last, kind: structural, printed: "40", measure: {what: connections, variant: both, module: generator.1}}
        - {id: judge, kind: structural, printed: "9", measure: {what: parameters, variant: both, module: discriminator}}
        - {id: verdict, kind: structural, printed: "1", value: [1],
           measure: {what: output_shape, variant: both, module: discriminator}}
    """)  # fmt: skip
    assert {name: agrees(c, measured("two-nets", c.measure)) for name, c in found.items()} == dict.fromkeys(found, True)


def test_a_paper_without_a_model(tmp_path, monkeypatch, capsys):
    """Only a card: it is listed, shown and cited, and has nothing to load."""
    folder = tmp_path / "made-up"
    folder.mkdir()
    card = read(folder, "card", HEAD)
    assert (card.variants, card.recipes, card.training) == ({}, {}, None)
    with pytest.raises(LiteratimError, match="made-up has no model in this collection"):
        _ = card.default_variant
    monkeypatch.setenv("LITERATIM_PAPERS", str(tmp_path))
    for command in (["list"], ["show", "made-up"], ["cite", "made-up"], ["lint"], ["verify"]):
        assert main(command) == 0, command
    assert "made-up" in capsys.readouterr().out


def test_a_paper_on_arxiv_only(tmp_path):
    card = read(tmp_path, "card", HEAD + 'arxiv: "1312.6120"\n')
    assert (card.arxiv, card.doi) == ("1312.6120", None)
    for wrong in ("1312.6120v2", "arXiv:1312.6120", "math/0112017"):
        (tmp_path / "card.yaml").write_text(HEAD + f'arxiv: "{wrong}"\n')
        assert validate(tmp_path / "card.yaml", Card)[0][0].partition(" ")[2].startswith("arxiv: string should match")


def test_a_card_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        reading.card("lenet").year = 1989


@pytest.mark.parametrize(
    ("printed", "value", "digit"),
    [
        ("60,000", 60_000, 1),
        ("0.95 %", 0.95, 0.01),
        ("4.0%", 4.0, 0.1),
        ("1.7M", 1_700_000, 1e5),
        ("401K", 401_000, 1e3),
        ("3.6e9", 3.6e9, 1e8),
        ("3.6G", 3.6e9, 1e8),
        ("-1", -1, 1),
        ("−1.5", -1.5, 0.1),
        ("60 million", 60_000_000, 1e6),
        ("1.2 Billion", 1.2e9, 1e8),
        ("7e-5", 7e-5, 1e-5),
        (" 16 ", 16, 1),
        ("3.8×10^9", 3.8e9, 1e8),
        ("6 x 10^−4", 6e-4, 1e-4),
    ],
)
def test_printed_numbers(printed, value, digit):
    assert number(printed) == (pytest.approx(value, rel=1e-12), pytest.approx(digit, rel=1e-12))
    found = claim(printed=printed)
    assert found.stated == number(printed)[0]
    assert found.slack == pytest.approx(digit / 2)  # half the last printed digit


def test_whole_numbers_stay_whole():
    assert [type(number(printed)[0]) for printed in ("60,000", "401K", "60 million", "4.0")] == [int, int, int, float]


@pytest.mark.parametrize("printed", ["6@28x28", "", " ", "about 60", "60 to 70", "5x", "1e999", ".", "84 inputs", "K"])
def test_no_plain_numbers(printed):
    assert number(printed) is None
    with pytest.raises(ValidationError, match=r"no plain number|prints nothing"):
        claim(printed=printed)


@pytest.mark.parametrize(
    ("relation", "tolerance", "holds", "fails"),
    [
        ("equals", None, (0.945, 0.95, 0.955), (0.9449, 0.9551)),
        ("equals", 0.1, (0.85, 1.05), (0.849, 1.051)),
        ("equals", 0, (0.95,), (0.9501, 0.9499)),
        ("at_most", None, (-1.0, 0.95, 0.955), (0.9551,)),
        ("at_most", 0.15, (1.1,), (1.101,)),
        ("at_least", None, (2.0, 0.95, 0.945), (0.9449,)),
        ("less_than", None, (0.9499,), (0.95, 0.9501)),
        ("more_than", None, (0.9501,), (0.95, 0.9499)),
        ("less_than", 0.1, (1.049,), (1.06,)),
        ("more_than", 0.1, (0.851,), (0.84,)),
    ],
)
def test_relations_at_their_bounds(relation, tolerance, holds, fails):
    given = {} if tolerance is None else {"tolerance": {"is": tolerance, "why": {"en": "…"}}}
    found = claim(printed="0.95 %", relation=relation, **given)
    assert [agrees(found, value) for value in holds] == [True] * len(holds)
    assert [agrees(found, value) for value in fails] == [False] * len(fails)


def test_a_value_of_our_own_reading_is_exact():
    found = claim(printed="84 inputs each", value=840)
    assert (agrees(found, 840), agrees(found, 841), found.slack) == (True, False, 0)
    assert claim(printed="463K", value=463 * 1024).slack == 0


def test_a_number_that_follows_from_printed_ones_is_known_to_half_its_last_digit():
    found = claim(follows_from={"en": "Table 1: 97 minutes over 38"}, value=2.55)
    assert [agrees(found, value) for value in (97 / 38, 2.554, 2.556, 2.544)] == [True, True, False, False]
    assert [claim(follows_from={"en": "…"}, value=v).slack for v in (97, 0.5, 1e-7)] == pytest.approx([0.5, 0.05, 5e-8])
    assert claim(follows_from={"en": "…"}, value=2.55, tolerance={"is": 0, "why": {"en": "…"}}).slack == 0


def test_a_row_that_prints_its_number_follows_from_no_other(tmp_path):
    found = claims(tmp_path, """
        - id: speed-up
          kind: structural
          measure: {what: parameters, variant: d}
          follows_from: {en: Table 1}
          over: module
          rows: {a: {value: 3}, b: "4", c: {value: 5, follows_from: {en: Table 2}}}
    """)  # fmt: skip
    assert [c.follows_from and c.follows_from.en for c in found.values()] == ["Table 1", None, "Table 2"]
    assert [c.stated for c in found.values()] == [3, 4, 5]


@pytest.mark.parametrize(
    ("printed", "value", "stated", "left", "rounded"),
    [
        ("60 million", 60_965_224, 60_000_000, 60_000_000, False),
        ("650,000", 659_272, 650_000, 650_000, False),  # zeros at the end fill places
        ("650,000", 652_000, 650_000, 650_000, True),
        ("3.8×10^9", 3_857_925_096, 3.8e9, 3.8e9, False),
        ("73M", 73_600_000, 73_000_000, 73_000_000, False),
        ("4.0 %", 4.09, 4.0, 4.0, False),
        ("4.0 %", 4.04, 4.0, 4.0, True),
        ("463K", 463 * 1024 + 600, 463 * 1024, 463 * 1024, False),  # a K of 1,024
        ("463K", 463 * 1024 - 1, 463 * 1024, 462 * 1024, True),
        ("0.29", 0.29, 0.29, 0.29, True),  # which the processor has as .28999…
        ("-1.5", -1.58, -1.5, -1.5, False),
        ("15", 15.99, 15, 15, False),
        ("15", 16, 15, 16, False),
        ("0", 0.7, 0, 0, False),
    ],
)
def test_numbers_cut_off(printed, value, stated, left, rounded):
    assert cut(value, printed, stated) == (pytest.approx(left, rel=1e-12), rounded)


def test_shapes_agree_number_by_number():
    found = claim(printed="6@28x28", value=[6, 28, 28])
    assert agrees(found, (6, 28, 28))
    assert not any(agrees(found, shape) for shape in [(6, 28, 27), (6, 28), 4704])


def test_reading_a_card_needs_no_torch():
    code = (
        "import sys; from literatim.registry import card, claims; card('lenet'), claims('lenet'); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "pydantic" in loaded
    assert "torch" not in loaded
