"""Names, searching, and the commands that only read: list, show, cite."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from pybtex.database import parse_string

import literatim
from conftest import CHECKOUT
from literatim import find, verify
from literatim.cli import main
from literatim.errors import LiteratimError
from literatim.registry import reading, resolve

RESNET = """
schema: 1
id: resnet
aliases: [residual-net]
title: Deep Residual Learning for Image Recognition
authors: [Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun]
year: 2015
venue: {type: inproceedings, name: "Vision & Patterns_R #1: 100 %", pages: "770–778", publisher: R&D}
arxiv: "1512.03385"
bibtex: he2016deep
topics: [vision, depth]
sources: {arxiv: {is: version 1}}
summary: {en: "Plain [nets] get worse with depth [/]."}
"""
# Two papers that stay as they are, whatever the collection grows into.
BOTH = ["lenet", "resnet"]


@pytest.fixture(autouse=True)
def papers(tmp_path, monkeypatch):
    shutil.copytree(CHECKOUT / "papers/lenet", tmp_path / "lenet", ignore=shutil.ignore_patterns("results", "weights"))
    (tmp_path / "resnet").mkdir()
    (tmp_path / "resnet/card.yaml").write_text(RESNET, encoding="utf-8")
    monkeypatch.setenv("LITERATIM_PAPERS", str(tmp_path))
    reading.card.cache_clear(), reading.claims.cache_clear()
    yield tmp_path
    reading.card.cache_clear(), reading.claims.cache_clear()


def ran(*command, stdout=subprocess.PIPE):
    """A process of its own, its output buffered as it is for users."""
    env = {**os.environ, "PYTHONUNBUFFERED": ""}
    command = [sys.executable, *command]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=env, timeout=120)


def refusal(capsys, *args):
    """What the command says where it refuses: one sentence, status 2, nothing on standard output."""
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err.startswith("literatim: ")) == ("", 1, True)
    return err.removeprefix("literatim: ").rstrip()


@pytest.mark.parametrize(
    ("name", "paper"),
    [
        ("lenet", "lenet"),
        ("LeNet", "lenet"),
        ("  lenet ", "lenet"),
        ("lenet5", "lenet"),
        ("LeNet-5", "lenet"),
        ("10.1109/5.726791", "lenet"),
        ("doi:10.1109/5.726791", "lenet"),
        ("https://doi.org/10.1109/5.726791", "lenet"),
        ("http://dx.doi.org/10.1109/5.726791", "lenet"),
        ("LeCun1998Gradient", "lenet"),
        ("gradient-based learning  applied to Document Recognition", "lenet"),
        ("1512.03385", "resnet"),
        ("arXiv:1512.03385v1", "resnet"),
        ("ARXIV: 1512.03385", "resnet"),
        ("https://arxiv.org/abs/1512.03385", "resnet"),
        ("arxiv.org/abs/1512.03385v2", "resnet"),
        ("https://arxiv.org/pdf/1512.03385v1.pdf", "resnet"),
        ("Residual-Net", "resnet"),
        ("he2016deep", "resnet"),
    ],
)
def test_names(name, paper):
    assert resolve(name) == paper
    assert literatim.card(name).id == paper


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("lenett", 'there is no paper called "lenett"; did you mean "lenet" or "lenet5" or "lenet-5"?'),
        ("1512.03386", 'there is no paper called "1512.03386"; did you mean "1512.03385"?'),
        ("zzz", 'there is no paper called "zzz"; literatim list shows them all'),
        ("", 'there is no paper called ""; literatim list shows them all'),
        ("../lenet", 'there is no paper called "../lenet"; did you mean "lenet" or "lenet5" or "lenet-5"?'),
    ],
)
def test_unknown_names(name, sentence, capsys):
    with pytest.raises(LiteratimError) as refused:
        resolve(name)
    assert str(refused.value) == sentence
    assert refusal(capsys, "show", name) == sentence


def test_the_oldest_comes_first(papers):
    (papers / "a-net").mkdir()
    (papers / "a-net/card.yaml").write_text(RESNET.replace("id: resnet", "id: a-net"), encoding="utf-8")
    (papers / "b-net").mkdir()
    (papers / "b-net/card.yaml").write_text(RESNET.replace("2015", "2010"), encoding="utf-8")
    assert find() == ["lenet", "b-net", "a-net", "resnet"]


def test_a_known_id_is_found_beside_a_broken_card(papers):
    (papers / "resnet/card.yaml").write_text("{")
    assert resolve("lenet") == "lenet"


@pytest.mark.parametrize(
    ("pattern", "filters", "found"),
    [
        ("*", {}, BOTH),
        ("*NET", {}, BOTH),
        ("*net*", {"year": range(2012, 2016)}, ["resnet"]),
        ("*net*", {"year": range(2012, 2015)}, []),
        ("*", {"year": 1998}, ["lenet"]),
        ("*", {"year": {1998, 2015}}, BOTH),
        ("*-5", {}, ["lenet"]),
        ("deep residual*", {}, ["resnet"]),
        ("[a-m]e?et", {}, ["lenet"]),
        ("len", {}, []),
        ("*", {"topic": "Vision"}, BOTH),
        ("*", {"topic": "depth"}, ["resnet"]),
        ("*", {"topic": "visio"}, []),
        ("*", {"author": "bottou"}, ["lenet"]),
        ("*", {"author": "LÉON"}, ["lenet"]),
        ("*", {"author": "he", "year": 2015, "topic": "vision"}, ["resnet"]),
    ],
)
def test_find(pattern, filters, found):
    assert find(pattern, **filters) == found


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ([], BOTH),
        (["len*"], ["lenet"]),
        (["--year", "1998"], ["lenet"]),
        (["--year", "1990-2000"], ["lenet"]),
        (["--year", "1999-"], ["resnet"]),
        (["--year", "1990-"], BOTH),
        (["--year", "-2000"], ["lenet"]),
        (["--year", "-1997"], []),
        (["--topic", "DEPTH"], ["resnet"]),
        (["--author", "bengio"], ["lenet"]),
        (["*", "--author", "sun", "--year", "2015"], ["resnet"]),
    ],
)
def test_list(args, found, capsys):
    assert main(["list", *args]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()[1:]] == found
    assert err == ("" if found else "no paper matches\n")
    assert main(["list", "--json", *args]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in rows] == found
    assert all(list(row) == ["id", "title", "year", "topics", "variants", "recipes"] for row in rows)


def test_list_as_json_says_what_the_card_says(capsys):
    main(["list", "lenet", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    card = literatim.card("lenet")
    assert row == {
        "id": "lenet", "title": card.title, "year": 1998, "topics": list(card.topics),
        "variants": list(card.variants), "recipes": list(card.recipes),
    }  # fmt: skip


@pytest.mark.parametrize("year", ["x", "98", "19982000", "1998-2000-2002", "-", "", "1998 2000", "1998..2000"])
def test_nonsense_is_no_year(year, capsys):
    assert refusal(capsys, "list", f"--year={year}").startswith(f'"{year}" is no year or span')


def test_show(capsys):
    assert main(["show", "lenet5"]) == 0
    out, card = capsys.readouterr().out, literatim.card("lenet")
    for told in (card.title, *card.authors, card.doi, str(card.venue), *card.variants, *card.recipes):
        assert told in out
    assert "[bold]" not in out


def test_show_takes_brackets_for_brackets(capsys):
    assert main(["show", "resnet"]) == 0
    assert "Plain [nets] get worse with depth [/]." in capsys.readouterr().out


def test_show_as_json_is_the_card(capsys):
    assert main(["show", "lenet", "--json"]) == 0
    out = capsys.readouterr().out
    assert type(literatim.card("lenet")).model_validate_json(out) == literatim.card("lenet")
    assert "Léon" in out  # and not L\\u00e9on
    assert json.loads(out)["sources"]["journal"]["is"]["en"] == "the printing in the Proceedings of the IEEE"


def test_cite(capsys):
    assert main(["cite", "lenet"]) == 0
    entry = parse_string(capsys.readouterr().out, "bibtex").entries["lecun1998gradient"]
    card = literatim.card("lenet")
    assert entry.type == "article"
    assert entry.fields["title"] == "{" + card.title + "}"
    authors = [" ".join(person.first_names + person.last_names) for person in entry.persons["author"]]
    assert authors == ["Yann LeCun", "Léon Bottou", "Yoshua Bengio", "Patrick Haffner"] == list(card.authors)
    fields = {"journal": card.venue.name, "year": "1998", "volume": "86", "number": "11", "doi": card.doi}
    assert {name: entry.fields[name] for name in fields} == fields
    assert entry.fields["pages"] == "2278--2324"


def test_cite_shields_what_bibtex_would_read(capsys):
    assert main(["cite", "resnet"]) == 0
    entry = parse_string(capsys.readouterr().out, "bibtex").entries["he2016deep"]
    assert entry.type == "inproceedings"
    assert entry.fields["booktitle"] == r"Vision \& Patterns\_R \#1: 100 \%"
    assert (entry.fields["publisher"], entry.fields["eprint"]) == (r"R\&D", "1512.03385")
    assert "doi" not in entry.fields


def test_list_imports_nothing_heavy():
    done = ran("-X", "importtime", "-m", "literatim", "list")
    imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "yaml" in imported
    assert not imported & {"torch", "pydantic", "rich", "pytorch_lightning", "numpy"}


def test_importing_the_package_imports_nothing_heavy():
    done = ran("-c", "import sys, literatim; print(*sys.modules)")
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "literatim" in loaded
    assert not loaded & {"torch", "pydantic", "rich", "yaml", "pytorch_lightning", "numpy"}


def test_an_unknown_command_is_refused(capsys):
    assert refusal(capsys, "lsit") == 'there is no command "lsit"; did you mean "list" or "lint"?'
    assert refusal(capsys, "zzz") == 'there is no command "zzz"'


def test_an_unknown_option_is_refused(capsys):
    assert refusal(capsys, "list", "--yaer", "1998") == 'list: there is no option --yaer; did you mean "--year"?'


@pytest.mark.parametrize(("args", "status"), [([], 2), (["--help"], 0), (["-h"], 0), (["help"], 0)])
def test_no_command_shows_them_all(args, status, capsys):
    assert main(args) == status
    out = capsys.readouterr().out
    for command in ("list", "show", "cite", "verify", "lint", "fit", "reproduce", "export"):
        assert f"\n  {command} " in out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"literatim {literatim.__version__}\n"


@pytest.mark.parametrize("args", [["list"], ["list", "--help"], ["show", "lenet", "--json"], ["show", "lenet"], []])
def test_a_closed_pipe_is_no_event(args):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as closed:
        assert ran("-m", "literatim", *args, stdout=closed).stderr == ""


def test_no_cards_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LITERATIM_PAPERS", str(tmp_path / "nowhere"))
    assert refusal(capsys, "list") == (
        f"there are no cards in {tmp_path / 'nowhere'}; set LITERATIM_PAPERS to a folder of cards"
    )


@pytest.mark.parametrize("year", [1998, "1998", "1998-", "-1998", "1990-2000", range(1998, 1999), [1998], {1998}])
def test_a_year_is_given_as_it_is_written_or_as_what_contains_it(year):
    assert "lenet" in find(year=year)
    assert set(find(year=year)) <= set(find())


@pytest.mark.parametrize(
    "odd", [{"pattern": 5}, {"topic": 5}, {"author": ["lecun"]}, {"year": 1.5}, {"year": True}, {"year": object()}]
)
def test_what_no_paper_is_found_by_is_refused_in_a_sentence(odd):
    with pytest.raises(LiteratimError, match=f"^find: {next(iter(odd))} is a"):
        find(**odd)


@pytest.mark.parametrize("year", ["", "-", "98", "1998-12-01", "１９９８", "2012..2015"])
def test_a_span_that_is_none_is_refused(year):
    with pytest.raises(LiteratimError, match="no year or span of years such as 2012-2015"):
        find(year=year)


@pytest.mark.parametrize(("of", "what"), [({"kind": "x"}, "no kind"), ({"claim": 5}, "named by its id")])
def test_what_no_claim_is_called_by_is_refused(of, what):
    with pytest.raises(LiteratimError, match=what):
        verify("lenet", **of)
