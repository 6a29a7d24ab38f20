"""completion: what a shell asks when Tab is pressed. Names and options are found without torch."""

from __future__ import annotations

import contextlib
import io
import re

from literatim.cli import COMMANDS, Parser, main
from literatim.errors import LiteratimError

SCRIPTS = {
    "bash": """\
_literatim() {
    local IFS=$'\\n'
    COMPREPLY=($(literatim completion --of "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _literatim literatim
""",
    "zsh": """\
_literatim() {
    local -a found
    found=(${(f)"$(literatim completion --of "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    if (( $#found )); then compadd -a found; else _files; fi
}
compdef _literatim literatim
""",
    "fish": """\
function __literatim
    set -l typed (commandline -opc) (commandline -ct)
    literatim completion --of $typed[2..-1] 2>/dev/null
end
complete -c literatim -a '(__literatim)'
""",
}
EPILOG = (
    'For bash, in ~/.bashrc: eval "$(literatim completion bash)"; for zsh, in ~/.zshrc after compinit: eval '
    '"$(literatim completion zsh)"; for fish: literatim completion fish > ~/.config/fish/completions/literatim.fish'
)
NO_PAPER = ("list", "lint", "completion", "trace", "pages")


def print_script(args: list[str]) -> int:
    """The script of a shell; with `--of` and what has been typed, the words that may stand last."""
    if args[:1] == ["--of"]:
        print("\n".join(candidates(args[1:])))
        return 0
    about = COMMANDS["completion"]
    parser = Parser(prog="literatim completion", description=about[0].upper() + about[1:] + ".", epilog=EPILOG)
    parser.add_argument("shell", choices=tuple(SCRIPTS))
    print(SCRIPTS[parser.parse_args(args).shell], end="")
    return 0


def candidates(typed: list[str]) -> list[str]:
    """What the last of the words behind `literatim`, perhaps empty, may become; nothing where it is a file."""
    *before, last = typed or [""]
    while "=" in before or last == "=":  # bash takes `--recipe=quick` for three words
        typed = [*before, last]
        i = typed.index("=")
        typed = [*typed[: i - 1], typed[i - 1], *(typed[i + 1 :] or [""])]
        *before, last = typed
    prefix = ""
    if last.startswith("--") and "=" in last:
        option, _, last = last.partition("=")
        before, prefix = [*before, option], f"{option}="
    try:
        return [prefix + word for word in known(before, last) if word.startswith(last)]
    except LiteratimError:
        return []


def known(before: list[str], last: str) -> list[str]:
    if not before:
        return [*COMMANDS, "--help", "--version"] if last.startswith("-") else list(COMMANDS)
    command, *rest = before
    if command not in COMMANDS:
        return []
    paper = next((word for word in rest if not word.startswith("-")), None)
    if rest and rest[-1].startswith("--") and (values := values_of(command, rest[-1], paper)) is not None:
        return values
    if last.startswith("-"):
        return options(command, paper)
    if command == "completion":
        return list(SCRIPTS)
    return papers(command, last) if command not in NO_PAPER and (paper is None or command in ("verify", "cite")) else []


def papers(command: str, last: str) -> list[str]:
    """The ids, of the index too where the command knows it; where none begins so, names of networks and aliases."""
    from literatim.registry import heads
    from literatim.registry.names import everything

    entries = heads()
    if command in ("show", "cite") and last:
        entries = everything()
    if found := [paper for paper in entries if paper.startswith(last)]:
        return found
    others = [(*e["aliases"], *e["variants"], *e.get("variant_aliases", {})) for e in entries.values()]
    return sorted({name for names in others for name in names if len(name) > 1})


def values_of(command: str, option: str, paper: str | None) -> list[str] | None:
    """What may stand behind an option; None where nothing needs to, or nothing is known of it."""
    from literatim.registry import heads, resolve
    from literatim.registry.reading import head

    if option == "--topic":
        return sorted({topic for entry in heads().values() for topic in entry["topics"]})
    if option in ("--config", "--runs", "--to", "--vectors", "--image"):
        return []  # the shell's own business
    if option == "--ckpt_path":
        return ["last", "best"]
    if found := re.search(rf"{option} {{(\S+)}}", help_of(command)):
        return found[1].split(",")
    if paper and option == "--recipe":
        return list(head(resolve(paper))["recipes"])
    if paper and option in ("--variant", "--model.variant"):
        return list(head(resolve(paper))["variants"])
    if paper and option == "--weights":
        from literatim.loading import known_weights

        return known_weights(resolve(paper))
    return None


def options(command: str, paper: str | None) -> list[str]:
    """Those of the command's help, and those that the paper's recipes set."""
    found = dict.fromkeys(re.findall(r"(?<![\w-])--[a-z_]+", help_of(command)))
    if paper and command in ("fit", "reproduce", "validate", "test", "predict"):
        from literatim.registry import resolve
        from literatim.registry.ledger import recipe_path
        from literatim.registry.reading import head
        from literatim.registry.settings import settings

        paper = resolve(paper)
        for recipe in head(paper)["recipes"]:
            for section, inner in settings(recipe_path(paper, recipe)).items():
                found |= dict.fromkeys(f"--{section}.{name}" for name in (inner if isinstance(inner, dict) else ()))
    return list(found)


def help_of(command: str) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main([command, "--help"])
    return said.getvalue()
