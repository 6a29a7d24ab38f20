"""The literature index: read quickly and strictly, checked by lint, searched, shown and cited."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import rispy
import yaml
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON
from pybtex.database import parse_string

import literatim
from conftest import CHECKOUT, forget
from literatim import find
from literatim.cli import main
from literatim.cli.completion import candidates
from literatim.errors import LiteratimError
from literatim.registry import index, names, reading
from literatim.registry.citing import cited, parts_of

FILE = CHECKOUT / "papers/index.yaml"
WHOLE = yaml.safe_load(FILE.read_text(encoding="utf-8"))
PAPERS = {paper["id"]: paper for paper in WHOLE["papers"]}
HEAD = """\
schema: 1
topics:
  vision: {en: seeing, zh: 视觉}
sources:
  book: a book
papers:
"""
PAPER = """\
- id: first
  name: "First, the very first"
  title: A First Paper
  authors: [Ada Lovelace, Hado van Hasselt]
  year: 1998
  venue: {type: article, name: Notes, volume: "3", number: "1–2", pages: "7–9"}
  doi: 10.1000/Ab1
  bibtex: lovelace1998first
  topics: [vision]
  builds_on: []
  summary:
    en: "Something: new."
    zh: 新东西。
  confirmed: {title: [book], authors: [book], year: [book], venue: [book], doi: [book]}
- id: second
  title: A Second Paper
  authors: [Ada Lovelace]
  year: 1999
  venue: {type: misc, name: arXiv preprint}
  arxiv: "0901.0001"
  bibtex: lovelace1999second
  topics: [vision]
  builds_on: [first]
  summary:
    en: More of it.
    zh: 更多。
  confirmed: {title: [book], authors: [book], year: [book], venue: [book], arxiv: [book]}
"""


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A folder of one card, lenet's."""
    folder, left_out = tmp_path / "papers", shutil.ignore_patterns("results", "weights")
    shutil.copytree(CHECKOUT / "papers/lenet", folder / "lenet", ignore=left_out)
    monkeypatch.setenv("LITERATIM_PAPERS", str(folder))
    forget()
    yield folder
    forget()


@pytest.fixture
def small(alone):
    """The same with an index of two papers."""
    path = alone / "index.yaml"
    path.write_text(HEAD + PAPER, encoding="utf-8")
    return path


def refused(capsys, *args):
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err.startswith("literatim: ")) == ("", 1, True)
    return err.removeprefix("literatim: ").rstrip()


# --- Reading ------------------------------------------------------------------------------------------


def test_the_quick_reader_and_yaml_agree_on_every_entry():
    rows = index.rows()
    assert list(rows) == list(PAPERS)
    for paper, kept in rows.items():
        row = dict(kept)
        called = row.pop("aliases")
        assert row == {key: value for key, value in PAPERS[paper].items() if key in index.LISTED}
        assert called == [*filter(None, PAPERS[paper].get("name", "").split(", ")), *row.get("also_titled", ())]
        assert index.row(paper) == PAPERS[paper]
    for quick, paper in zip(index.references(PAPERS), PAPERS.values(), strict=True):
        assert {key: quick.get(key) for key in ("venue", "url")} == {key: paper.get(key) for key in ("venue", "url")}
        assert quick.keys() <= {*index.LISTED, "aliases", "venue", "url"}, "by yaml"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: A First Paper", "title: >\n    A First\n    Paper: of it"),
        ("title: A First Paper", 'title: "A \\"First\\" Paper"'),
        ("title: A First Paper", "title: 'It''s a First'"),
        ("authors: [Ada Lovelace, Hado van Hasselt]", "authors:\n  - Ada Lovelace\n  - Hado"),
        ("authors: [Ada Lovelace, Hado van Hasselt]", 'authors: [Ada Lovelace, "van Hasselt, Hado"]'),
        ("authors: [Ada Lovelace, Hado van Hasselt]", "authors: [Ada Lovelace,\n    Hado van Hasselt]"),
        ("year: 1998", "year: 0x7CE"),
        ("topics: [vision]", "topics: [vision]  # a remark"),
    ],
)
def test_an_entry_written_otherwise_is_read_as_yaml_reads_it(small, old, new):
    text = HEAD + PAPER.replace(old, new, 1)
    small.write_text(text, encoding="utf-8")
    expected = yaml.safe_load(text)["papers"][0]
    found = index.rows()["first"]
    assert {name: found[name] for name in ("title", "authors", "year", "topics")} == {
        name: expected[name] for name in ("title", "authors", "year", "topics")
    }


def test_without_an_index_there_are_the_cards_alone(alone):
    assert (index.rows(), find(collection="all")) == ({}, ["lenet"])


# --- Lint ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("id: second", "id: first", '21:3: papers[1].id: two entries are called "first"'),
        (
            "  bibtex: lovelace1999",
            "  doi: 10.1000/aB1\n  recalled: [doi]\n  bibtex: lovelace1999",
            '27:3: papers[1].doi: "10.1000/aB1" is that of first already',
        ),
        ("lovelace1999second", "lovelace1998first", '27:3: papers[1].bibtex: "lovelace1998first" is that of first'),
        ("10.1000/Ab1", "doi.org/10.1000/Ab1", "13:3: papers[0].doi: string should match pattern"),
        ("10.1000/Ab1", "10.48550/arXiv.0901.0001", "13:3: papers[0].doi: this is arXiv's own DOI"),
        ('"0901.0001"', '"1998.12345"', "26:3: papers[1].arxiv: string should match pattern"),
        ('"0901.0001"', '"0901.00012"', "26:3: papers[1].arxiv: string should match pattern"),
        ('"0901.0001"', '"1501.0001"', "26:3: papers[1].arxiv: string should match pattern"),
        ("topics: [vision]", "topics: [sight]", '15:12: papers[0].topics[0]: there is no topic "sight"'),
        ("builds_on: [first]", "builds_on: [third]", '29:15: papers[1].builds_on[0]: no entry is called "third"'),
        ("builds_on: []", "builds_on: [second]", "16:3: papers[0].builds_on: a circle: first ← second ← first"),
        ("builds_on: []", "builds_on: [first]", "16:3: papers[0].builds_on: a circle: first ← first"),
        ("title: [book]", "title: [film]", '20:23: papers[0].confirmed.title[0]: there is no source "film"'),
        (", doi: [book]}", "}", "20:3: papers[0].confirmed: nothing bears out `doi`"),
        (", doi: [book]}", ", doi: [book], arxiv: [book]}", "papers[0].confirmed.arxiv: the entry has no arxiv"),
        ("  builds_on: []", "  colour: red\n  builds_on: []", "16:3: papers[0].colour: unknown field"),
        ("    zh: 新东西。\n", "", "17:3: papers[0].summary.zh: field required"),
    ],
)
def test_a_fault_of_the_index_is_named_with_its_line(small, old, new, fault, capsys):
    text = HEAD + PAPER
    assert old in text
    small.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert main(["lint", str(small)]) == 1
    out = capsys.readouterr().out
    assert fault in out.partition("index.yaml:")[2], out


MISQUOTED = """\
misquoted:
- paper: first
  kind: reference
  field: pages
  given: "1–3"
  seen: {book: lovelace}
- title: A Paper from Elsewhere
  kind: identifier
  field: doi
  given: 10.1000/AB1
  seen: {book: 2}
"""


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("paper: first", "paper: third", '7:3: misquoted[0].paper: no entry is called "third"'),
        ("book: lovelace", "film: lovelace", '11:10: misquoted[0].seen: there is no source "film"'),
        ('given: "1–3"', 'given: "7–9"', '10:3: misquoted[0].given: "7–9" is what the index has'),
        ("field: pages", "field: arxiv", "9:3: misquoted[0].field: the index has no arxiv of it to compare with"),
        ('given: "1–3"\n  seen', "given: Hado van Hasselt\n  field: authors\n  seen", "misquoted[0].given: "),
        ("paper: first\n", "paper: first\n  title: A First Paper\n", "7:3: misquoted[0].paper: name the paper by"),
        ("seen: {book: 2}", "seen: {}", "16:3: misquoted[1].seen: "),
        ("- title", '- paper: first\n  kind: reference\n  field: pages\n  given: "1–3"\n  seen: {book: 1}\n- title',
         "15:3: misquoted[1].given: told already"),
    ],
)  # fmt: skip
def test_a_fault_of_the_citation_errors_is_named_with_its_line(small, old, new, fault, capsys):
    text = HEAD.replace("papers:\n", MISQUOTED + "papers:\n") + PAPER
    small.write_text(text, encoding="utf-8")
    assert main(["lint", str(small)]) == 0
    assert old in text
    text = text.replace("  field: pages\n", "", 1) if "Hado" in new else text
    small.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert main(["lint", str(small)]) == 1
    out = capsys.readouterr().out
    assert fault in out, out


def test_two_papers_with_one_arxiv_id_are_a_fault(small, capsys):
    third = PAPER[PAPER.index("- id: second") :].replace("second", "third")
    small.write_text(HEAD + PAPER + third, encoding="utf-8")
    assert main(["lint", str(small)]) == 1
    assert 'papers[2].arxiv: "0901.0001" is that of second already' in capsys.readouterr().out


def test_what_is_recalled_needs_no_source(small, capsys):
    text = (HEAD + PAPER).replace(", doi: [book]}", "}\n  recalled: [doi]")
    small.write_text(text, encoding="utf-8")
    assert main(["lint", str(small)]) == 0
    capsys.readouterr()
    assert main(["show", "first"]) == 0
    assert re.search(r"unconfirmed +doi", capsys.readouterr().out)
    small.write_text(text.replace("[doi]", "[doi, isbn]"), encoding="utf-8")
    assert main(["lint", str(small)]) == 1
    assert 'there is no field "isbn"' in capsys.readouterr().out


def test_a_card_and_the_index_must_not_contradict_each_other(small, alone, capsys):
    as_lenet = PAPER.replace("- id: first", "- id: lenet").replace("[first]", "[lenet]")
    as_lenet = as_lenet.replace("A First Paper", "Neocognitron").replace("10.1000/Ab1", "10.1000/x")
    small.write_text(HEAD + as_lenet, encoding="utf-8")
    card = (alone / "lenet/card.yaml").read_text(encoding="utf-8")
    assert main(["lint"]) == 1
    out = capsys.readouterr().out
    assert "doi: the card has 10.1109/5.726791, index.yaml 10.1000/x" in out
    assert "bibtex: the card has lecun1998gradient, index.yaml lovelace1998first" in out
    assert "year" not in out
    # A predecessor that the index knows, with the year of the preprint or without its identifier.
    known = re.search(r"title: (Neocog.*|\"Neocog.*\")\n    doi: (\S+)\n    year: (\d+)", card)
    same = PAPER.replace("A First Paper", known[1].strip('"').replace(":", "")).replace("10.1000/Ab1", known[2])
    small.write_text(HEAD + same, encoding="utf-8")
    forget()
    assert main(["lint"]) == 1
    assert re.search(r"builds_on\[\d\]: index.yaml has the year 1998 for first", capsys.readouterr().out)


def test_a_broken_index_is_said_in_a_sentence_wherever_it_is_read(small, capsys):
    small.write_text(HEAD + PAPER.replace("title: A First Paper", "title: [A"), encoding="utf-8")
    for command in (["list", "--all"], ["cite", "first"], ["show", "first"], ["cite", "--all"]):
        assert re.match(r"\S*index.yaml:\d+:\d+: ", refused(capsys, *command))
    assert main(["list"]) == 0


# --- Names and searching ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["transformer", "Transformer", "1706.03762", "https://arxiv.org/abs/1706.03762v5", "arXiv:1706.03762",
     "10.48550/arXiv.1706.03762", "vaswani2017attention", "attention is all you need"],
)  # fmt: skip
def test_an_indexed_paper_goes_by_any_of_its_names(name, capsys):
    assert main(["cite", name]) == 0
    assert capsys.readouterr().out.startswith("@inproceedings{vaswani2017attention,")


@pytest.mark.parametrize(("name", "paper"), [("10.1023/x", None), ("ReLU", "relu"), ("heavy ball", "heavy-ball")])
def test_names_in_use_are_names_too(name, paper):
    assert (names.indexed(name) or {}).get("id") == paper


def test_a_paper_of_the_edition_is_its_card_not_its_row(capsys):
    assert main(["cite", "lstm"]) == 0
    assert "@article{hochreiter1997lstm," in capsys.readouterr().out
    assert names.reference("imagenet")[0]["id"] == "imagenet"  # an id goes before another paper's alias


def test_load_of_a_paper_without_code_says_so_and_names_the_nearest_that_has(capsys):
    with pytest.raises(LiteratimError) as caught:
        literatim.load("resnext")
    assert str(caught.value) == (
        '"Aggregated Residual Transformations for Deep Neural Networks" (2017) is in the literature index only: '
        "the edition has no code of it; the nearest paper that has is googlenet (literatim show googlenet)"
    )
    assert "literature index only" in refused(capsys, "fit", "bert")
    assert refused(capsys, "cite", "atention is all you need") == (
        'there is no paper called "atention is all you need"; did you mean "attention is all you need"?'
    )
    assert refused(capsys, "show", "xyzzy").startswith('there is no paper called "xyzzy"')


def test_find_in_all_goes_by_topic_year_and_author_without_accents():
    everything = find(collection="all")
    assert set(everything) == {*PAPERS, *reading.heads()}
    assert everything[:2] == ["mcculloch-pitts", "robbins-monro"]
    assert find("*", author="velickovic", collection="all") == ["gat"]
    assert "transformer" in find("*", author="Lukasz", collection="all")
    assert find("*", year="-1957", collection="all") == ["mcculloch-pitts", "robbins-monro"]
    graphs = {paper for paper, entry in PAPERS.items() if "graphs" in entry["topics"]}
    assert set(find("*", topic="graphs", collection="all")) == graphs
    assert find("*", topic="graphs") == []
    with pytest.raises(LiteratimError, match='collection is "edition" or "all"'):
        find(collection="some")


def test_list_all_says_which_papers_have_a_card(capsys):
    assert main(["list", "--all", "--json", "--topic", "convolution"]) == 0
    rows = {row["id"]: row["card"] for row in json.loads(capsys.readouterr().out)}
    assert rows["resnet"] is True
    assert rows["densenet"] is False
    assert main(["list", "--all", "attention is*"]) == 0
    assert "transformer" in capsys.readouterr().out


def test_show_tells_what_a_paper_builds_on_and_what_builds_on_it(capsys):
    assert main(["show", "bert"]) == 0
    out = capsys.readouterr().out
    entry = PAPERS["bert"]
    assert entry["summary"]["en"] in " ".join(out.split())
    assert re.search(r"builds on +transformer \(2017\), gpt \(2018\), elmo \(2018\)", out)
    assert "roberta (2019)" in out
    assert "no code of it in the edition; the nearest paper that has is " in out
    assert main(["show", "bert", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {key: shown[key] for key in entry} == entry


def test_completion_knows_the_index_where_the_command_does():
    assert candidates(["cite", "transf"]) == ["transferable", "transformer"]
    assert candidates(["cite", "gan", "mamb"]) == ["mamba"]
    assert candidates(["fit", "transf"]) == []


# --- References ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def entries():
    return [e if "venue" in e else index.row(paper) for paper, e in names.everything().items()]


def family(person):
    return " ".join([*person.prelast_names, *person.last_names])


def test_pybtex_reads_all_references_back(entries):
    found = parse_string(cited(entries), "bibtex").entries
    assert len(found) == len(entries)
    for entry in entries:
        read = found[entry["bibtex"]]
        assert read.fields["title"].strip("{}") == entry["title"].replace("&", r"\&")
        people = [person for person in read.persons["author"] if str(person) != "others"]
        wanted = [" ".join(parts_of(author)[1:]).strip() for author in entry["authors"]]
        assert [family(person) for person in people] == wanted
        assert ("others" in map(str, read.persons["author"])) == bool(entry.get("et_al"))
        for field in ("year", "doi"):
            assert read.fields.get(field) == (str(entry[field]) if field in entry else None)
        assert read.fields.get("eprint") == entry.get("arxiv")
        assert read.fields.get("pages", "").replace("--", "–") == entry["venue"].get("pages", "")


def test_rispy_reads_all_references_back(entries):
    found = rispy.loads(cited(entries, "ris"))
    for entry, read in zip(entries, found, strict=True):
        assert (read["title"], read["year"], read.get("doi")) == (
            entry["title"], str(entry["year"]), entry.get("doi")
        )  # fmt: skip
        assert len(read["authors"]) == len(entry["authors"]) + bool(entry.get("et_al"))
        pages = "–".join(filter(None, [read.get("start_page"), read.get("end_page")]))
        assert pages == entry["venue"].get("pages", "")


def test_citeproc_sets_all_references(entries):
    source = CiteProcJSON(json.loads(cited(entries, "csl")))
    style = CitationStylesStyle("harvard-cite-them-right", validate=False)
    bibliography = CitationStylesBibliography(style, source, formatter.plain)
    for entry in entries:
        bibliography.register(Citation([CitationItem(entry["bibtex"])]))
    lines = [str(line) for line in bibliography.bibliography()]
    assert len(lines) == len(entries)
    for entry in entries:
        first = parts_of(entry["authors"][0])[2]
        start = " ".join(entry["title"].split()[:3]).casefold()
        fitting = [line for line in lines if start in line.casefold() and first in line and str(entry["year"]) in line]
        assert fitting, entry["id"]


def test_family_names_of_several_words():
    assert parts_of("Mohammad Gheshlaghi Azar") == ("Mohammad", "", "Gheshlaghi Azar")
    assert parts_of("Laurens van der Maaten") == ("Laurens", "van der", "Maaten")
    assert parts_of("Diego de Las Casas") == ("Diego", "de", "Las Casas")
    assert parts_of("DeepSeek-AI") == ("", "", "DeepSeek-AI")


def test_cite_takes_one_many_or_a_selection(capsys):
    assert main(["cite", "gan", "GAN", "dropout"]) == 0
    assert list(parse_string(capsys.readouterr().out, "bibtex").entries) == [
        "goodfellow2014generative", PAPERS["dropout"]["bibtex"],
    ]  # fmt: skip
    assert main(["cite", "--all", "--topic", "speech"]) == 0
    found = set(parse_string(capsys.readouterr().out, "bibtex").entries)
    assert found == {entry["bibtex"] for entry in PAPERS.values() if "speech" in entry["topics"]}
    assert main(["cite", "--author", "lecun"]) == 0
    assert set(parse_string(capsys.readouterr().out, "bibtex").entries) == {"lecun1998gradient"}
    said = "cite: name papers, or say which by --year, --topic, --author or --all, not both"
    assert refused(capsys, "cite") == refused(capsys, "cite", "gan", "--all") == said
    assert refused(capsys, "cite", "--year", "1700").startswith("cite: no paper matches")


def test_the_paper_of_2012_has_not_the_doi_of_its_reprint(capsys):
    assert main(["cite", "alexnet"]) == 0
    assert "doi" not in capsys.readouterr().out


def test_no_card_has_the_doi_that_arxiv_gives():
    assert not [paper for paper, entry in reading.heads().items() if "48550" in str(entry.get("doi"))]


# --- Speed --------------------------------------------------------------------------------------------


def test_a_thousand_entries_are_listed_and_cited_without_pydantic_or_torch(alone):
    """0.12 CPU s on a quiet machine; the bound leaves room for a busy one."""
    text = FILE.read_text(encoding="utf-8")
    head, *parts = re.split(r"^(?=- id: )", text, flags=re.MULTILINE)
    many = [re.sub(r"^(- id: \S+)", rf"\1-{k}", part) for k in range(5) for part in parts][:1000]
    (alone / "index.yaml").write_text(head + "".join(many), encoding="utf-8")
    measured = "import resource, sys; from literatim.cli import main; main(sys.argv[1:]); "
    measured += "print(resource.getrusage(0).ru_utime, 'pydantic' in sys.modules, 'torch' in sys.modules)"
    for command in (["list", "--all"], ["cite", "transformer-4"], ["cite", "--all"]):
        took = []
        for _ in range(3):
            done = subprocess.check_output([sys.executable, "-c", measured, *command], text=True)
            spent, *heavy = done.split()[-3:]
            assert heavy == ["False", "False"]
            took.append(float(spent))
        assert min(took) < 0.35
