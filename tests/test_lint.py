"""Faults of cards: each with its file, line and column, and nothing a card says is executed."""

import time

import pytest

from literatim.cli import main
from literatim.errors import LiteratimError
from literatim.registry import ledger, reading
from literatim.registry.lint import lint

CARD = """\
schema: 1
id: mlp
title: A Network of Three Layers
authors: [Ada Lovelace]
year: 1998
venue: {type: misc, name: Notes}
bibtex: lovelace1998network
topics: [vision]
sources: {preprint: {is: our own}}
summary: {en: "three layers"}
variants:
  small: {model: "literatim.papers.mlp:MLP", input: [4]}
training: "literatim.papers.mlp.training:Training"
recipes:
  quick: {about: {en: "offline"}, data: digits}
"""
CLAIMS = """\
- id: parameters
  kind: structural
  where: Table 1
  source: preprint
  states: {en: "layer {row} has so many parameters"}
  measure: {what: parameters, variant: small}
  over: module
  rows:
    a: "20"
    b: "1,516"
- id: error
  kind: empirical
  where: Table 2
  source: preprint
  states: {en: "the error"}
  printed: "0.95 %"
  result: {recipe: quick, variant: small, metric: test_error}
"""


@pytest.fixture(autouse=True)
def mlp(tmp_path, monkeypatch):
    """The folder of a paper without faults, in a collection of its own and seen from above it."""
    for file, text in {"card.yaml": CARD, "claims.yaml": CLAIMS, "recipes/quick.yaml": "trainer: {}\n"}.items():
        path = tmp_path / "papers/mlp" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("LITERATIM_PAPERS", str(tmp_path / "papers"))
    monkeypatch.chdir(tmp_path)
    reading.card.cache_clear(), reading.claims.cache_clear()
    yield tmp_path / "papers/mlp"
    reading.card.cache_clear(), reading.claims.cache_clear()


def faults_after(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))
    return lint()


def test_a_sound_collection_has_no_faults(capsys):
    assert main(["lint"]) == 0
    assert capsys.readouterr().out == "no faults\n"


def test_the_collection_itself_has_no_faults(monkeypatch):
    monkeypatch.delenv("LITERATIM_PAPERS")
    assert lint() == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("id: mlp", "id: mlp: x", "2:8: not YAML: mapping values are not allowed in this context"),
        ("[vision]", "[vision", "9:8: not YAML: did not find expected ',' or ']'"),
        ("year: 1998", 'year: "1998"', "5:1: year: input should be a valid integer"),
        ("year: 1998", "year: 1998-11-01", "5:7: year: the tag tag:yaml.org,2002:timestamp is not allowed; "
         "quote dates, write plain values"),
        ("year: 1998", "year: !!int many", "1:1: not YAML: invalid literal for int() with base 10: 'many'"),
        ("year: 1998", "year: 3998", "5:1: year: input should be less than or equal to 2100"),
        ("[Ada Lovelace]", "[Ada Lovelace, 7]", "4:25: authors[1]: input should be a valid string"),
        ("[Ada Lovelace]", "[]", "4:1: authors: tuple should have at least 1 item after validation, not 0"),
        ("id: mlp", "id: mlp\naliases:", "3:1: aliases: input should be a valid array"),
        ("bibtex:", "colour: red\nbibtex:", "7:1: colour: unknown field"),
        ("input: [4]", "input: [4], size: 3", "12:58: variants.small.size: unknown field"),
        ("title:", "year: 1999\ntitle:", "6:1: year: the key stands here twice"),
        ("{is: our own}", "{is: our own, is: theirs}", "9:35: sources.preprint.is: the key stands here twice"),
        ("bibtex: lovelace1998network\n", "", "1:1: bibtex: field required"),
        ('{about: {en: "offline"}, data', "{data", "15:3: recipes.quick.about: field required"),
        ("  small:", "  16:", "12:3: variants: a key must be a word; quote numbers, yes and no"),
        ("{en: \"three", "{no: \"three", "10:11: summary: a key must be a word; quote numbers, yes and no"),
        ("literatim.papers.mlp:MLP", "os:system", "12:11: variants.small.model: string should match pattern "
         r"'^literatim\.(papers|datasets)(\.[a-z_][a-z0-9_]*)+:[A-Za-z_][A-Za-z0-9_]*$'"),
        ("papers.mlp:MLP", "cli.os:system", "12:11: variants.small.model: string should match pattern "
         r"'^literatim\.(papers|datasets)(\.[a-z_][a-z0-9_]*)+:[A-Za-z_][A-Za-z0-9_]*$'"),
        ("{type: misc,", "{type: post,", "6:9: venue.type: input should be 'article', 'inproceedings', 'book', "
         "'phdthesis', 'techreport' or 'misc'"),
        ("data: digits}", "data: digits, variants: [small, big]}", "15:49: recipes.quick.variants: "
         'the card has no variant "big"'),
        ("data: digits}", "data: digits, lines: {error: x}}", '15:3: recipes.quick: lines: there is no claim "x"'),
        ("data: digits}", "data: digit}", '15:3: recipes.quick: no data module is called "digit" (there are '),
        ("id: mlp", "id: mpl", "2:1: id: the folder is called mlp, the card mpl"),
        ("topics:", "builds_on:\n  - {id: rnn, takes: {en: units}}\ntopics:",
         '9:5: builds_on[0]: no paper here is called "rnn"'),
        ("topics:", "builds_on:\n  - {takes: {en: units}}\ntopics:", "9:5: builds_on[0]: give either the id of a "
         "paper in the collection or the title of one outside it"),
    ],
)  # fmt: skip
def test_faults_of_a_card(mlp, old, new, fault):
    (found,) = faults_after(mlp / "card.yaml", old, new)
    assert found.startswith(f"papers/mlp/card.yaml:{fault}")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("- id: error", "- id: parameters", '11:3: [1].id: two claims are called "parameters"'),
        ("- id: error", "- id: the.error", "11:3: [1].id: a claim's id has no dot: dots lead to the rows of a table"),
        ("kind: empirical", "kind: believed", "12:3: [1].kind: input should be 'structural', 'behavioural' or "),
        ("kind: empirical", "kind: structural", "11:3: [1]: empirical claims are read from results, the others from "),
        ('b: "1,516"', "b: 1516", "10:5: [0].rows.b: input should be a valid string"),
        ('b: "1,516"', 'b: "6@28x28"', '10:5: [0].rows.b: "6@28x28" is no plain number: say what it means in `value`'),
        ('b: "1,516"', 'b: ""', "10:5: [0].rows.b: leave `printed` out where the paper prints nothing"),
        ('b: "1,516"', 'B: "1,516"', "10:5: [0].rows.B: string should match pattern"),
        ('b: "1,516"', 'b: {printed: "7", size: 3}', "10:23: [0].rows.b.size: unknown field"),
        ('b: "1,516"', 'b: {printed: "7", variant: big}', '1:3: parameters.b: the card has no variant "big"'),
        ('printed: "0.95 %"', 'printed: "few"', '11:3: [1]: "few" is no plain number: say what it means in `value`'),
        ('printed: "0.95 %"', 'printed: "1e999"', '11:3: [1]: "1e999" is no plain number: say what it means in'),
        ("over: module", "over: check", "1:3: [0]: a table of a check is over `check`, and only that"),
        ("over: module", "over: module\n  argument: b", "1:3: [0]: an argument is for a check"),
        ("over: module", "over: module\n  not_attempted: {en: no time}",
         "1:3: [0]: only an empirical claim can be not attempted"),
        ("over: module", "over: module\n  unexplained: {value: 1, why: {en: why}}\n  erratum: {why: {en: why}, proof: "
         '"literatim.papers.mlp.checks:proof"}', "1:3: [0]: a claim is an erratum or unexplained, not both"),
        ('printed: "0.95 %"', 'printed: "0.95 %"\n  value: 0.95\n  follows_from: {en: Table 1}',
         "11:3: [1]: a number is `printed`, or it `follows_from` printed ones, not both"),
        ('printed: "0.95 %"', "follows_from: {en: Table 1}",
         "11:3: [1]: a number that `follows_from` printed ones is given in `value`"),
        ('b: "1,516"', 'b: {follows_from: {en: Table 1}}', "10:5: [0].rows.b: a number that `follows_from` printed"),
        ('b: "1,516"', 'b: {follows_from: {en: "12"}, value: 12, erratum: {why: {en: why}, proof: '
         '"literatim.papers.mlp.checks:proof"}}', "10:5: [0].rows.b: an erratum is in what is printed, not in what"),
        ('b: "1,516"', 'b: {printed: "few", value: 3, cut_off: true}', "10:5: [0].rows.b: only a printed number is"),
        ('b: "1,516"', 'b: {follows_from: {en: "12"}, value: 12, cut_off: true}',
         "10:5: [0].rows.b: only a printed number is cut off"),
        ('b: "1,516"', 'b: {printed: "1.5K", cut_off: true, relation: at_most}',
         "10:5: [0].rows.b: a number is cut off where ours is counted or checked, and the relation is `equals`"),
        ('printed: "0.95 %"', 'printed: "0.95 %"\n  cut_off: true', "11:3: [1]: a number is cut off where ours is"),
        ('b: "1,516"', 'b: {printed: "1.5K", cut_off: true, unexplained: {value: 1516, why: {en: why}}}',
         "10:5: [0].rows.b: a number cut off needs no tolerance, and is neither an erratum nor unexplained"),
        ('b: "1,516"', 'b: {printed: "1,516", erratum: {value: 7, why: {en: why}, consequence_of: parameters.a, proof: '
         '"literatim.papers.mlp.checks:proof"}}', '10:63: [0].rows.b.erratum.consequence_of: no erratum is called "'),
        ("over: module", 'over: module\n  erratum: {value: 7, why: {en: why}, consequence_of: parameters.b, proof: '
         '"literatim.papers.mlp.checks:proof"}', '8:39: [0].erratum.consequence_of: "parameters.b" is itself a conseq'),
        ("2\n  source: preprint", "2\n  source: book", '11:3: error: the card has no source "book"'),
        ("small, metric", "big, metric", '11:3: error: the card has no variant "big"'),
        ("recipe: quick", "recipe: slow", '11:3: error: the card has no recipe "slow"'),
        ("test_error}", "test_error, minus: {recipe: quick, variant: big, metric: test_error}}",
         '11:3: error: the card has no variant "big"'),
    ],
)  # fmt: skip
def test_faults_of_claims(mlp, old, new, fault):
    found = faults_after(mlp / "claims.yaml", old, new)
    assert found[0].startswith(f"papers/mlp/claims.yaml:{fault}")
    assert len({each.split(": ")[0] for each in found}) == 1  # in one place


def test_a_recipe_without_its_file(mlp):
    (mlp / "recipes/quick.yaml").unlink()
    assert lint() == ["papers/mlp/card.yaml:15:3: recipes.quick: there is no file papers/mlp/recipes/quick.yaml"]


def test_a_claim_not_attempted_may_name_a_recipe_that_is_not_there(mlp):
    assert faults_after(mlp / "claims.yaml", "quick, variant: small, metric: test_error}",
                        "slow, variant: small, metric: test_error}\n  not_attempted: {en: no data}") == []  # fmt: skip


@pytest.mark.parametrize(
    "hostile", ["x: !!python/object/apply:os.system [touch owned]", '? !!python/object/apply:os.system ["touch owned"]',
                '!!python/name:os.system "": 1', "summary: !!python/object/apply:pathlib.Path.touch [owned]"]
)  # fmt: skip
def test_hostile_tags_execute_nothing(mlp, hostile, capsys):
    (mlp / "card.yaml").write_text(CARD.replace('summary: {en: "three layers"}', hostile))
    (fault,) = lint()
    assert fault.startswith("papers/mlp/card.yaml:10:")
    assert "tag:yaml.org,2002:python" in fault or "a key must be a word" in fault
    for command in ("list", "show", "verify"):
        main([command, *(["mlp"] if command != "list" else [])])
    assert not list(mlp.parents[1].rglob("owned"))


@pytest.mark.parametrize("place", ["{a5}", "{{? {a5} : 1}}", "\n  <<: {a5}"])
def test_a_bomb_of_aliases_ends_fast(mlp, place):
    """Written out, a5 would have 9 ** 6 items: slow, and yet no trap for who runs this test."""
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 6)]
    (mlp / "card.yaml").write_text(CARD + "\n".join(bomb) + "\nintroduces: " + place.format(a5="*a5") + "\n")
    began = time.process_time()
    faults = lint()
    assert faults[0] == "papers/mlp/card.yaml:16:5: a1[0]: anchors and aliases are not used here; write it out"
    assert time.process_time() - began < 0.1


def test_two_papers_of_one_name(mlp):
    other = mlp.parent / "net"
    other.mkdir()
    card = CARD.replace("id: mlp", "id: net\naliases: [MLP]".lower()).partition("variants:")[0]
    (other / "card.yaml").write_text(card.replace("A Network", "Net").replace("lovelace", "ada"))
    assert lint() == ['papers/net/card.yaml:2:1: id: mlp is also called "mlp"']


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", ":1:1: the file is empty"),
        (b"# nothing\n", ":1:1: the file is empty"),
        (b"just words\n", ":1:1: file: input should be an object"),
        (CARD.encode().replace(b"Ada", "Adà".encode("latin-1")), ":4:13: this is not UTF-8 text"),
        (CARD.encode("utf-16"), ":1:1: this is not UTF-8 text"),
        (CARD.encode().replace(b"Ada", b"A\0a"), ":1:1: not YAML: "),
        (None, ": cannot be read: Is a directory"),
    ],
)
def test_broken_files(mlp, content, fault, capsys):
    """One sentence from every command that needs the card, and no traceback."""
    path = mlp / "card.yaml"
    path.unlink()
    path.mkdir() if content is None else path.write_bytes(content)
    assert main(["lint"]) == 1
    assert capsys.readouterr().out.startswith(f"papers/mlp/card.yaml{fault}")
    for command in (["list"], ["list", "--json"], ["verify"]) + ((["show", "mlp"],) if content is not None else ()):
        assert main(command) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith(f"literatim: papers/mlp/card.yaml{fault}")


@pytest.mark.parametrize("line", ["aliases: 5", "aliases: [5]", "authors: Ada", "topics: [1]", "variants: {16: {}}",
                                  "year: soon", "year: !!int soon", "year: !!bool soon", "recipes: []"])  # fmt: skip
def test_list_refuses_a_head_it_cannot_use(mlp, line, capsys):
    field = line.partition(":")[0]
    kept = [part for part in CARD.partition("variants:")[0].splitlines() if not part.startswith(field)]
    (mlp / "card.yaml").write_text("\n".join([line, *kept]))
    assert main(["list", "--author", "x"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("literatim: papers/mlp/card.yaml:1:")


def test_a_fault_below_the_head_stops_show_and_verify_only(mlp, capsys):
    (mlp / "card.yaml").write_text(CARD + "colour: red\nshape: round\n")
    assert main(["list"]) == 0
    capsys.readouterr()
    assert main(["cite", "mlp"]) == 0
    capsys.readouterr()
    assert main(["show", "mlp"]) == 2
    assert capsys.readouterr().err == (
        "literatim: papers/mlp/card.yaml:16:1: colour: unknown field (and 1 more: literatim lint)\n"
    )
    (mlp / "claims.yaml").write_text(CLAIMS.replace("1,516", "many"))
    assert main(["verify", "mlp"]) == 2
    assert capsys.readouterr().err.startswith("literatim: papers/mlp/claims.yaml:10:5: [0].rows.b: ")


def test_lint_of_named_files(mlp, capsys):
    assert main(["lint", "papers/mlp/card.yaml", "papers/mlp/claims.yaml"]) == 0
    assert capsys.readouterr().out == "no faults\n"
    (mlp / "card.yaml").write_text(CARD.replace("year: 1998", "year: x"))
    assert main(["lint", "papers/mlp/claims.yaml"]) == 0
    capsys.readouterr()
    assert main(["lint", "papers/mlp/claims.yaml", "papers/mlp/card.yaml"]) == 1
    assert capsys.readouterr().out == "papers/mlp/card.yaml:5:1: year: input should be a valid integer\n"


def test_lint_refuses_a_file_that_is_not_there(capsys):
    assert main(["lint", "papers/mlp/card.yaml", "papers/nil/card.yaml"]) == 2
    assert capsys.readouterr() == ("", "literatim: papers/nil/card.yaml: there is no such file\n")


def test_lint_checks_what_it_knows(mlp, capsys):
    (mlp / "essay.md").touch()
    assert main(["lint", "papers/mlp/essay.md"]) == 1
    assert capsys.readouterr().out == (
        "papers/mlp/essay.md:1:1: only card.yaml, claims.yaml, index.yaml, recipes, record.json and curve.csv are "
        "checked\n"
    )
    for name in ("recipes/quick.yaml", "record.json", "curve.csv"):
        (mlp / name).write_text("trainer: {}\ntrainer: {}\n")
        assert main(["lint", f"papers/mlp/{name}"]) == 1
        assert capsys.readouterr().out.startswith(f"papers/mlp/{name}:")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", ":1:1: the file is empty"),
        ("trainer: [", ":2:1: not YAML"),
        ("- trainer\n", ":1:1: a configuration is a mapping"),
        ("trainer: {}\ntrainer: {}\n", ":2:1: trainer: the key stands here twice"),
        ("trainr: {}\n", ':1:1: there is no section "trainr"; did you mean "trainer"?'),
        ("model:\n", ":1:1: model: a mapping is expected"),
        ("seed_everything: zero\n", ":1:1: seed_everything: a whole number is expected"),
        ("model: &a {j: 1}\ndata: *a\n", "aliases are not used here"),
        ("trainer: !!python/name:os.system x\n", ":1:10: trainer: the tag"),
        (b"trainer: \xff\n", ":1:10: this is not UTF-8 text"),
        ("[" * 5000, "not YAML"),
    ],
)
def test_faults_of_recipes_have_their_line_and_no_hash_is_taken_of_them(mlp, text, what, fault):
    path = mlp / "recipes/quick.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert what in lint()[0]
    ledger.hashes.cache_clear()
    with pytest.raises(LiteratimError, match=r"recipes/quick\.yaml"):
        ledger.hashes("mlp", "quick")
    fault("recipe-damaged", 2)


def test_a_recipe_that_the_card_lacks_is_a_fault(mlp):
    (mlp / "recipes/other.yaml").write_text("trainer: {}\n")
    assert lint() == ["papers/mlp/recipes/other.yaml:1:1: the card has no recipe other"]


def another(mlp, name, topics="topics"):
    """A second paper like the first, but of other names."""
    text = CARD.replace("id: mlp", f"id: {name}").replace("A Network", f"{name}, A Network").replace("lovelace", name)
    path = mlp.parent / name / "card.yaml"
    (path.parent / "recipes").mkdir(parents=True)
    path.write_text(text.replace("topics", topics))
    (path.parent / "recipes/quick.yaml").write_text("trainer: {}\n")


def test_an_alias_that_is_the_name_of_anothers_variant_is_a_fault(mlp):
    another(mlp, "other", "aliases: [small]\ntopics")
    assert lint() == ['papers/other/card.yaml:8:11: aliases[0]: a variant of mlp is called "small"']


def test_an_alias_may_be_the_name_of_ones_own_variant(mlp):
    assert faults_after(mlp / "card.yaml", "topics", "aliases: [small]\ntopics") == []


def test_papers_may_have_variants_of_one_name(mlp):
    another(mlp, "other")
    assert lint() == []


def test_the_head_of_each_card_is_read_once_however_many_there_are(mlp, monkeypatch):
    for i in range(40):
        another(mlp, f"paper{i}")
    read, heads_read = reading._head, []
    monkeypatch.setattr(reading, "_head", lambda path: heads_read.append(path) or read(path))
    assert lint() == []
    assert len(heads_read) == 41
