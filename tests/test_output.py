"""What the command prints, whatever encoding the output has."""

import json
import os
import subprocess
import sys

import pytest

COMMANDS = [("list",), ("show", "lenet"), ("cite", "lenet"), ("show", "word2vec", "--json"), ("list", "--json")]
COMMANDS += [("verify", "gan", "--kind", "empirical"), ("verify", "gan", "--kind", "empirical", "--json")]


def printed(command: tuple[str, ...], encoding: str) -> str:
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-m", "literatim", *command], capture_output=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode(encoding)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_letters_that_an_encoding_lacks_end_no_command_and_lose_no_json(command, encoding):
    text, whole = printed(command, encoding), printed(command, "utf-8")
    if "--json" in command:
        assert json.loads(text) == json.loads(whole)
    else:
        assert len(text.splitlines()) == len(whole.splitlines())


@pytest.mark.parametrize(("printed", "status"), [("60,000", 0), ("60,001", 1)])
def test_verify_says_all_gives_its_status_and_takes_nothing_down(printed, status, papers):
    """Into a pipe, whose last lines wait in a buffer; what is registered for the interpreter's end does not run."""
    claims = papers / "lenet" / "claims.yaml"
    claims.write_text(claims.read_text().replace('printed: "60,000"', f'printed: "{printed}"', 1))
    script = "import atexit; atexit.register(print, 'down'); from literatim.cli import run; run()"
    rest = ["verify", "lenet", "--claim", "parameters-total", "--json"]
    done = subprocess.run([sys.executable, "-c", script, *rest], capture_output=True, text=True)
    (row,) = json.loads(done.stdout)
    assert (done.returncode, done.stderr, row["stated"]) == (status, "", float(printed.replace(",", "")))
    assert "down" in subprocess.run([sys.executable, "-c", script, "list"], capture_output=True, text=True).stdout
