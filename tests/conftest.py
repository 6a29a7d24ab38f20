"""What several test files use."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
os.environ.setdefault("OMP_NUM_THREADS", "2")


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


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """One clear sentence, exit status 2, no traceback."""
    said = done.stderr.strip()
    assert done.returncode == 2, said
    assert "Traceback" not in said
    assert said.startswith("literatim: ")
    assert len(said.splitlines()) == 1, said
    for word in words:
        assert word in said


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The tables that tests made, such as which claim each broken model costs."""
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        for name, table in report.user_properties:
            if name == "table" and report.when == "call":
                terminalreporter.write_line(f"\n{table}")


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
    from literatim.registry import ledger, reading

    for cached in (reading.card, reading.claims, ledger.hashes):
        cached.cache_clear()
