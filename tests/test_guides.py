"""The guides do what they say: their Python runs, their commands exist, and both languages show the same."""

import contextlib
import hashlib
import io
import re
import shlex
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from conftest import CHECKOUT
from literatim.claims.verdicts import VERDICTS
from literatim.cli import COMMANDS, main, train
from literatim.registry import card, ledger, reading

DOCS = CHECKOUT / "docs"
GUIDES = sorted(path for path in (DOCS / "guides").glob("*.md") if not path.name.endswith(".zh.md"))
PAGES = [*GUIDES, DOCS / "method.md", CHECKOUT / "tutorials" / "paper.md"]
FENCE = re.compile(r"(?ms)^(?P<indent> *)``` ?(?P<head>\S[^\n]*)\n(?P<body>.*?)^(?P=indent)```$")
HEADING = re.compile(r"(?m)^(#+) .*?(?:\{#([\w-]+)\})?$")
PLACEHOLDERS = {"PAPER", "NAME"}


class Fence(NamedTuple):
    kind: str
    title: str | None
    body: str


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def fences(text: str) -> list[Fence]:
    """The fenced blocks of a page; "output" is what the Python before it prints."""
    found = []
    for match in FENCE.finditer(text):
        head, indent = match["head"], match["indent"]
        title = re.search(r'title="(.*?)"', head)
        body = re.sub(rf"(?m)^{indent}", "", match["body"])
        kind = "output" if ".output" in head else head.split()[0]
        found.append(Fence(kind, title and title[1], body))
    return found


def named(page: Path) -> str:
    return page.stem


# --- Running ------------------------------------------------------------------------------------------


def forget() -> None:
    """Cards are read once in a process; here they change."""
    for remembered in (reading.card, reading.claims, ledger.hashes):
        remembered.cache_clear()


@pytest.fixture
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to be in, without data; the cards are ours again afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LITERATIM_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LITERATIM_PAPERS", str(CHECKOUT / "papers"))
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def say(args: list[str]) -> tuple[int, str]:
    """Run the command in this process: (exit status, what it prints and complains of)."""
    out, err = io.StringIO(), io.StringIO()
    forget()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            status = main(args)
        except SystemExit as stop:  # argparse after --help and --print_config
            status = int(stop.code or 0)
    return status, out.getvalue() + err.getvalue()


def fits(expected: str, said: str) -> bool:
    """Whether the lines are those expected: `…` stands for anything in a line, alone on a line for any lines."""
    pattern = "".join(
        r"(?:.*\n)*" if line.strip() == "…" else ".*".join(map(re.escape, line.rstrip().split("…"))) + r"\n"
        for line in expected.splitlines()
        if line.strip()
    )
    lines = "".join(f"{line.rstrip()}\n" for line in said.splitlines() if line.strip())
    return re.fullmatch(pattern, lines) is not None


def test_what_fits():
    assert fits("a …\n…\nz\n", "a 1\n\nb\nc \nz\n")
    assert fits("…\nz\n", "z\n")
    assert not fits("a\n", "a\nb\n")
    assert not fits("a …\n", "b 1\n")


def python(code: str, names: dict[str, object]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code, "<guide>", "exec"), names)
    return printed.getvalue()


@pytest.mark.parametrize("page", GUIDES, ids=named)
def test_a_reader_who_types_along_sees_what_the_guide_shows(page, somewhere, monkeypatch):
    """Files are written, Python is run and `$` lines are called in the order of the page; of the other commands only
    those that prepare something."""
    names: dict[str, object] = {"__name__": "__main__"}
    blocks = fences(text_of(page))
    for block, after in zip(blocks, [*blocks[1:], Fence("", None, "")], strict=True):
        if block.kind == "yaml" and block.title:
            with (somewhere / block.title).open("a", encoding="utf-8") as file:
                file.write(block.body)
        elif block.kind == "python":
            forget()
            printed = python(block.body, names)
            assert printed.rstrip() == (after.body.rstrip() if after.kind == "output" else ""), block.body
        elif block.kind == "console":
            for call in re.split(r"(?m)^\$ ", block.body)[1:]:
                line, _, expected = call.partition("\n")
                _, said = say(shlex.split(line)[1:])
                assert fits(expected, said), f"{line}\n{said}"
        elif block.kind == "sh":
            for words in commands(block.body):
                prepare(words, somewhere, monkeypatch)


def prepare(words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of a guide that later ones need."""
    if words[0] == "export":
        monkeypatch.setenv(*words[1].split("="))
    elif words[0] == "mkdir":
        (folder / words[-1]).mkdir(parents=True)
    elif words[0] == "touch":
        (folder / words[1]).touch()
    elif words[:2] == ["literatim", "export"]:
        status, said = say(words[1:])
        assert status == 0, said


# --- Commands that are only shown ---------------------------------------------------------------------


def commands(body: str) -> list[list[str]]:
    """The words of each line, without comments, settings in front and what follows a redirection."""
    found = []
    for line in body.splitlines():
        words = shlex.split(line, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        if ">" in words:
            words = words[: words.index(">")]
        if words[:1] == ["torchrun"]:
            words = words[words.index("-m") + 1 :]
        if words:
            found.append(words)
    return found


def shown() -> list[list[str]]:
    """The commands that are not called with `$`: those of the guides, and the tutorial's."""
    blocks = [block for page in PAGES for block in fences(text_of(page))]
    plain = [block for block in blocks if block.kind == "sh" or (block.kind == "console" and "$ " not in block.body)]
    return [words for block in plain for words in commands(block.body)]


def unique(rows: list[list[str]]) -> list[list[str]]:
    return [list(row) for row in dict.fromkeys(map(tuple, rows))]


OURS = unique([words[1:] for words in shown() if words[0] == "literatim"])
# What prints the whole configuration parses every option, and trains nothing.
PRINTED = [words for words in OURS if words[0] == "fit" and not {"--ckpt_path", "--help", "--help-all"} & set(words)]


def test_there_are_commands():
    assert {words[0] for words in OURS} >= {"fit", "test", "reproduce", "verify", "list", "show", "cite", "export"}
    assert len(PRINTED) > 8


@pytest.mark.parametrize("words", OURS, ids=" ".join)
def test_a_command_and_its_options_exist(words):
    command = words[0]
    assert command in COMMANDS
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    if command in ("fit", "validate", "test", "predict", "reproduce"):
        known = set(re.findall(r"--[\w.-]+", train.usage(command) + " --help --help-all"))
        options = {name for name in options if not name.startswith(("--model.", "--data.", "--trainer."))}
    else:
        known = set(re.findall(r"--[\w-]+", say([command, "--help"])[1]))
    assert options <= known, options - known
    if "--recipe" in words and (recipe := words[words.index("--recipe") + 1]) not in PLACEHOLDERS:
        assert recipe in card(words[1]).recipes


def test_the_training_commands_are_accepted(somewhere):
    for block in (block for page in GUIDES for block in fences(text_of(page))):
        if block.kind == "yaml" and block.title and not Path(block.title).parent.name:
            Path(block.title).write_text(block.body, encoding="utf-8")
    for words in PRINTED:
        status, said = say([*words, "--print_config"])
        assert status == 0, f"{words}\n{said}"
        assert yaml.safe_load(said)["model"], words


def test_options_of_training_are_known_to_every_command_that_takes_them():
    """What `--print_config` cannot try: `test`, `validate` and `reproduce` know the options that `fit` knows."""
    helps: dict[tuple[str, str], set[str]] = {}
    for words in OURS:
        given = {word.partition("=")[0] for word in words if re.match(r"--(model|data|trainer)\.", word)}
        if not given:
            continue
        of = words[1], words[words.index("--recipe") + 1] if "--recipe" in words else "quick"
        if of not in helps:
            helps[of] = set(re.findall(r"--[\w.]+", say(["fit", of[0], "--recipe", of[1], "--help-all"])[1]))
        assert {re.sub(r"(--model\.options)\..*", r"\1", name) for name in given} <= helps[of], words


def test_make_has_the_targets():
    targets = set(re.findall(r"(?m)^([a-z-]+):", (CHECKOUT / "Makefile").read_text()))
    made = {word for words in shown() if words[0] == "make" for word in words[1:] if "=" not in word}
    assert made
    assert made <= targets


# --- Numbers and texts ---------------------------------------------------------------------------------


def test_the_expected_number_is_the_cards():
    expects = card("lenet").recipes["quick"].expects
    quickstart = text_of(DOCS / "guides" / "quickstart.md")
    assert f"the card expects {expects}: met" in quickstart
    assert f"at most {expects.at_most:g}." in quickstart


def test_the_method_explains_every_verdict():
    for language in ("", ".zh"):
        ids = [identifier for _, identifier in HEADING.findall(text_of(DOCS / f"method{language}.md"))]
        assert {verdict.replace(" ", "-") for verdict in VERDICTS} <= set(ids)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_translation_is_of_this_text_and_shows_the_same(page):
    ours, theirs = text_of(page), text_of(page.with_suffix(".zh.md"))
    front = yaml.safe_load(theirs.split("---")[1])
    assert front["translates"] == hashlib.sha256(page.read_bytes()).hexdigest()[:12], "the translation is behind"
    assert {"title", "description"} <= front.keys() & yaml.safe_load(ours.split("---")[1]).keys()
    assert fences(ours) == fences(theirs)
    plain, chinese = FENCE.sub("", ours), FENCE.sub("", theirs)
    assert HEADING.findall(plain) == HEADING.findall(chinese)
    assert all(identifier for _, identifier in HEADING.findall(plain)), "a heading without an id"
    targets = [re.findall(r"\]\((\S+?)\)", text) for text in (plain, chinese)]
    assert sorted(targets[0]) == sorted(targets[1])
    assert re.findall(r"(?m)^\$\$\n(.*?)\n\$\$$", plain, re.DOTALL) == re.findall(
        r"(?m)^\$\$\n(.*?)\n\$\$$", chinese, re.DOTALL
    )
