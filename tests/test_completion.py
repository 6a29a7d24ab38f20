"""What Tab completes, by the shells' own functions where the shell is here; and words that other programs use."""

import os
import shutil
import subprocess
import sys

import pytest

from conftest import assert_refused, inside
from literatim.cli import COMMANDS, ELSEWHERE
from literatim.cli.completion import SCRIPTS, candidates
from literatim.registry import find, head


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A PATH on which `literatim` is the command of this checkout."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "literatim").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m literatim "$@"\n')
    (folder / "literatim").chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def completed(shell, script, path):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, env={**os.environ, "PATH": path})
    assert not done.stderr
    return done.stdout.split()


# As bash cuts the line: at blanks, and at every =.
TYPED = {
    ("rep",): ["reproduce"],
    ("show", "len"): ["lenet"],
    ("show", "resnet-"): ["resnet-v2"],  # of the literature index
    ("fit", "resnet-"): [],
    ("show", "resnet10"): ["resnet101"],
    ("fit", "vgg", "--recipe", ""): ["quick", "imagenet"],
    ("fit", "vgg", "--recipe", "=", "q"): ["quick"],
    ("fit", "vgg", "--recipe", "="): ["quick", "imagenet"],
    ("reproduce", "word2vec", "--variant", "s"): ["skip-gram"],
    ("fit", "lenet", "--model.l"): ["--model.loss", "--model.lr"],
    ("verify", "--ki"): ["--kind"],
    ("verify", "lenet", "--kind", "b"): ["behavioural"],
    ("predict", "lenet", "--weights", ""): ["mnist"],
    ("test", "lenet", "--ckpt_path", ""): ["last", "best"],
    ("list", "--topic", "lang"): ["language"],
    ("lint", "--schema", "r"): ["record"],
    ("look", "lenet", "--weights", ""): ["mnist"],
    ("look", "resnet", "--variant", "resnet18"): ["resnet18"],
    ("look", "lenet", "--im"): ["--image"],
    ("completion", ""): ["bash", "zsh", "fish"],
}


@pytest.mark.parametrize("typed", TYPED, ids=" ".join)
def test_what_has_been_typed_becomes(typed):
    assert sorted(candidates(list(typed))) == sorted(TYPED[typed])


def test_a_joined_option_is_completed_whole():
    assert candidates(["fit", "lenet", "--recipe=q"]) == ["--recipe=quick"]


@pytest.mark.parametrize("typed", [("no-command", "x"), ("show", "nonsense"), ("fit", "nonsense", "--recipe", "")])
def test_where_nothing_is_known_nothing_is_offered(typed):
    assert candidates(list(typed)) == []


def test_every_command_paper_recipe_and_network_is_offered():
    assert candidates([""]) == list(COMMANDS)
    for paper in find():
        assert paper in candidates(["fit", paper])
        assert candidates(["fit", paper, "--recipe", ""]) == list(head(paper)["recipes"])
        assert candidates(["reproduce", paper, "--variant", ""]) == list(head(paper)["variants"])
    for command in COMMANDS:
        assert "--help" in candidates([command, "-"])


def test_bash_itself_completes(path):
    script = f"{SCRIPTS['bash']}\n" + "\n".join(
        f"COMP_WORDS=(literatim {' '.join(repr(word) for word in typed)}); COMP_CWORD={len(typed)}; _literatim; "
        'echo "${COMPREPLY[@]}" .'
        for typed in list(TYPED)[:5]
    )
    assert completed("bash", script, path) == [word for typed in list(TYPED)[:5] for word in (*TYPED[typed], ".")]


def test_zsh_itself_completes(path):
    script = f"compdef() {{ }}; compadd() {{ print -l -- $found }}\n{SCRIPTS['zsh']}\n"
    assert completed("zsh", script + "words=(literatim show len); CURRENT=3; _literatim", path) == ["lenet"]


def test_fish_itself_completes(path):
    script = f"{SCRIPTS['fish']}\ncomplete -C 'literatim show len'"
    assert completed("fish", script, path) == ["lenet"]


def test_completing_imports_no_torch():
    command = [sys.executable, "-X", "importtime", "-m", "literatim", "completion", "--of"]
    done = subprocess.run([*command, "predict", "lenet", "--weights", ""], capture_output=True, text=True)
    assert done.stdout.split() == ["mnist"]
    assert not [line for line in done.stderr.splitlines() if line.split("|")[-1].strip() == "torch"]


@pytest.mark.parametrize("word", ELSEWHERE)
def test_the_words_of_other_programs_lead_to_ours(word):
    assert_refused(inside(word, "lenet"), f'no command "{word}"; did you mean "{ELSEWHERE[word]}"?')
    assert ELSEWHERE[word] in COMMANDS
    assert word not in COMMANDS


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_a_list_fits_its_terminal(columns):
    lines = inside("list", COLUMNS=str(columns)).stdout.splitlines()
    assert len(lines) == len(find()) + 1
    assert max(map(len, lines)) <= columns
    assert ("recipes" in lines[0]) == (columns == 200)


def test_show_names_all_networks_and_all_weights():
    for paper in find():
        said = inside("show", paper, COLUMNS="200").stdout
        for variant in head(paper)["variants"]:
            assert f"\n  {variant} " in said
    assert 'literatim.load("lenet", weights="mnist")' in inside("show", "lenet", COLUMNS="200").stdout
    assert 'load("word2vec-phrases", weights="wordnet")' in inside("show", "word2vec-phrases", COLUMNS="200").stdout
    assert "of resnet18, resnet34, resnet50" in inside("show", "resnet50", COLUMNS="200").stdout
    assert "also vgg16" in inside("show", "vgg16", COLUMNS="200").stdout
