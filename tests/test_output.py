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
