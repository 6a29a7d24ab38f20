"""Environments by their Gymnasium id, and the tiny ones that tests and `quick` need."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.metadata import version
from typing import Any

from literatim.errors import LiteratimError, did_you_mean

CATCH = "literatim/Catch-v0"
NEEDED = 'environments come from Gymnasium: pip install "literatim[atari]"'


@cache
def _gymnasium() -> Any:
    """Gymnasium with all environments that are installed: its own, ALE's, and ours."""
    try:
        import gymnasium
    except ModuleNotFoundError:
        raise LiteratimError(NEEDED) from None
    try:
        import ale_py

        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # else it greets whoever makes a game
        gymnasium.register_envs(ale_py)
    except ModuleNotFoundError:
        pass  # the others do without
    gymnasium.register(CATCH, entry_point="literatim.datasets.catch:Catch", disable_env_checker=True)
    return gymnasium


def make(name: str, **options: Any) -> Any:
    """A gymnasium.Env by its id, such as "FrozenLake-v1" or "ALE/Pong-v5".

    Raises LiteratimError where Gymnasium or ALE are not installed, for an id that none has (with the nearest), and for
    options that it does not take: whatever it raises of its own, for anyone may register an environment.
    """
    gymnasium = _gymnasium()
    if name not in gymnasium.registry:
        if name.startswith("ALE/") and not any(known.startswith("ALE/") for known in gymnasium.registry):
            raise LiteratimError(f"{name} is a game of ALE, which is not installed: {NEEDED.partition(': ')[2]}")
        raise LiteratimError(f'there is no environment "{name}"{near(name, gymnasium.registry)}')
    try:
        return gymnasium.make(name, **options)
    except Exception as error:
        said = " ".join(str(error).split()).rstrip(".")
        if isinstance(error, LookupError):  # whose words are but what was looked for
            said = f"it has no {said}"
        raise LiteratimError(f"{name}: the environment cannot be made: {said}") from None


def known(name: str) -> bool:
    """Whether there is an environment of that id."""
    return name in _gymnasium().registry


def near(name: str, registry: dict[str, Any]) -> str:
    """The ids like one that there is not: a game's by the game's name alone, and none of ALE's former ones."""
    ids = [known for known, spec in registry.items() if "ale_py" not in str(spec.entry_point) or is_atari(known)]
    game = re.sub(r"(NoFrameskip|Deterministic)?(-v\d+)?$", "", name.rpartition("/")[2]).lower()
    same = [known for known in ids if known.rpartition("/")[2].rpartition("-")[0].lower() == game]
    if same:
        return f'; did you mean "{same[-1]}"?'
    hint = did_you_mean(name, ids) or did_you_mean(f"ALE/{name}-v5", ids)
    return hint or "; gymnasium.pprint_registry() shows all"


def sum_of(name: str) -> str:
    """What the outcomes of an environment depend on, as a sum: the packages' versions, and of a game of ALE its ROM."""
    total = hashlib.sha256(f"{name} gymnasium {version('gymnasium')}".encode())
    if is_atari(name):
        from ale_py.roms import get_rom_path

        if rom := get_rom_path(make(name).spec.kwargs["game"]):
            total.update(f"ale-py {version('ale-py')}".encode() + rom.read_bytes())
    return total.hexdigest()


def packages(name: str) -> dict[str, str]:
    """The versions of the packages that make an environment."""
    return {package: version(package) for package in ("gymnasium", *(["ale-py"] if is_atari(name) else []))}


def is_atari(name: str) -> bool:
    """Whether an id is that of a game of the Arcade Learning Environment."""
    return name.startswith("ALE/")
