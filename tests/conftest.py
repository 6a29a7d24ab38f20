"""What several test files use."""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).parents[1]
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.pop("COLUMNS", None)  # xdist tells its workers how wide the terminal is, but what is read here is piped


def literatim(*args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """The command as users run it, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "literatim", *args],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **env},
        timeout=300,
    )


def inside(*args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """The command in this process, which has torch imported already: for tests of many command lines."""
    from literatim.cli import main

    out, err, status = io.StringIO(), io.StringIO(), 1
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.chdir(cwd or Path.cwd())
        for name, value in env.items():
            patch.setenv(name, value)
        try:
            status = main(args)
        except Exception:
            traceback.print_exc(file=err)
    return subprocess.CompletedProcess(args, status, out.getvalue(), err.getvalue())


class Late(BaseException):
    """Not an Exception, so that nothing takes it for a fault of what it was given."""


@contextlib.contextmanager
def in_time(seconds: int) -> Iterator[None]:
    """Raises Late where what is within takes longer; in the main thread."""

    def stop(*args: Any) -> None:
        raise Late

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """One clear sentence, exit status 2, no traceback."""
    said = done.stderr.strip()
    assert done.returncode == 2, said
    assert "Traceback" not in said
    assert said.startswith("literatim: ")
    assert len(said.splitlines()) == 1, said
    for word in words:
        assert word in said


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", metavar="FILE", help="write which faults were tried how often, as JSON")


def sound_record(**changes: Any) -> dict[str, Any]:
    """What a record.json says, with changes."""
    sums = dict.fromkeys(("recipe_sha256", "code_sha256", "data_sha256"), "0" * 64)
    about = {"versions": {"torch": "2.6.0"}, "machine": "a machine", "threads": 1, "wall_s": 1.5}
    run = {"paper": "lenet", "recipe": "mnist", "variant": "lenet5", "seed": 0, "overrides": [], "options": {}}
    return {**run, "metrics": {}, "commit": "0" * 40, "dirty": False, **sums, **about, **changes}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The tables that tests made: which claim each broken model costs, and which faults were tried."""
    faults: dict[str, dict[str, Any]] = {}
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        for name, found in report.user_properties if report.when == "call" else []:
            if name == "table":
                terminalreporter.write_line(f"\n{found}")
            if name == "fault" and report.passed:
                kind, tried = found
                row = faults.setdefault(kind, {"tried": 0, "tests": [], **FAULTS[kind]})
                row["tried"] += tried
                row["tests"] = sorted({*row["tests"], report.nodeid.partition("[")[0]})
    if faults:
        rows = [f"{row['tried']:>7}  {row['en']}" for row in faults.values()]
        terminalreporter.write_line("\n".join(["\nfaults tried, after which nothing was lost:", *rows]))
    if path := terminalreporter.config.getoption("--faults"):
        Path(path).write_text(json.dumps(dict(sorted(faults.items())), indent=1, ensure_ascii=False) + "\n")


FAULTS: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "faults.yaml").read_text())


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`fault(kind, tried)`: a test's assertions held for so many faults of a kind of faults.yaml, for the page."""

    def note(kind: str, tried: int = 1) -> None:
        assert kind in FAULTS, f"faults.yaml has no {kind}"
        request.node.user_properties.append(("fault", [kind, tried]))

    return note


@pytest.fixture(scope="session")
def quick_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one finished, uninterrupted one: quick, four epochs."""
    runs = tmp_path_factory.mktemp("quick")
    done = literatim("fit", "lenet", "--trainer.max_epochs", "4", "--runs", str(runs))
    assert done.returncode == 0, done.stderr
    return runs


@pytest.fixture
def papers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the cards without results or weights, which is read in place of ours."""
    from literatim.registry.reading import papers_folder

    folder = tmp_path / "papers"
    shutil.copytree(papers_folder(), folder, ignore=shutil.ignore_patterns("results", "weights"))
    monkeypatch.setenv("LITERATIM_PAPERS", str(folder))
    forget()
    yield folder
    forget()


def forget() -> None:
    """Let the cards be read again."""
    from literatim.registry import index, ledger, reading

    for cached in (index.read_index, reading.card, reading.claims, ledger.hashes):
        cached.cache_clear()
