"""Who may import whom, what stays light, and what is in the wheel."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conftest import CHECKOUT
from literatim.registry import card, find

SOURCE = CHECKOUT / "implementations" / "literatim"
# What the modules of a floor may import of ours.
FLOORS = {
    "registry": {"registry", "errors", "places"},
    "claims": {"claims", "registry", "errors", "imports"},
    "datasets": {"datasets", "parts", "registry", "errors", "places"},
    "parts": {"parts", "errors"},
    "experiment": {
        "experiment",
        "claims",
        "datasets",
        "registry",
        "loading",
        "interop",
        "seeing",
        "weightfiles",
        "errors",
        "places",
        "",
    },
    "pages": {"pages", "registry", "errors"},
    "trace": {"trace", "pages", "claims", "experiment", "registry", "loading", "errors", "places"},
    "weightfiles.py": {"errors"},
    "seeing.py": set(),
    "loading.py": {"interop", "registry", "errors", "places", "weightfiles"},
    "interop.py": {"loading", "registry", "errors", "places", "weightfiles"},
    "cli": {
        "cli",
        "pages",
        "trace",
        "experiment",
        "claims",
        "datasets",
        "registry",
        "loading",
        "interop",
        "errors",
        "places",
        "imports",
        "weightfiles",
        "",
    },
}
PAPER_FILES = {
    "model.py": {"parts"},
    "training.py": {"parts", "errors", ""},  # "" is the public API: literatim.load
    "checks.py": {"parts", "claims", "datasets", "errors", ""},
}


def imports(path: Path) -> set[str]:
    """The modules that a file imports, those inside functions and under TYPE_CHECKING included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(path: Path) -> set[str]:
    """`registry`, `papers.lenet`, … of what a file imports; "" for the package itself."""
    names = [name.split(".")[1:] for name in imports(path) - {"literatim.__version__"} if name.startswith("literatim")]
    return {".".join(parts[:2] if parts[:1] == ["papers"] else parts[:1]) for parts in names}


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floor_imports_from_below_only(floor):
    for path in [SOURCE / floor] if floor.endswith(".py") else (SOURCE / floor).rglob("*.py"):
        assert ours(path) <= FLOORS[floor], path


@pytest.mark.parametrize(
    "floor",
    [
        *("registry", "pages", "cli/__init__.py", "cli/browse.py", "cli/site.py", "cli/train.py", "cli/look.py"),
        *("__init__.py", "loading.py", "interop.py", "places.py", "weightfiles.py", "imports.py"),
        *(f"experiment/{name}.py" for name in ("launch", "signals", "runs", "holding")),
    ],
)
def test_what_starts_first_imports_no_torch_at_the_top(floor):
    paths = [SOURCE / floor] if floor.endswith(".py") else (SOURCE / floor).glob("*.py")
    for path in paths:
        top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for n in top if isinstance(n, ast.Import) for alias in n.names}
        names |= {n.module or "" for n in top if isinstance(n, ast.ImportFrom)}
        assert not {name for name in names if name.split(".")[0] in ("torch", "pytorch_lightning", "numpy")}, path


@pytest.mark.parametrize("paper", find())
def test_a_paper_imports_only_what_its_card_builds_on(paper):
    package = SOURCE / "papers" / paper.replace("-", "_")
    built_on = {f"papers.{before.id}" for before in card(paper).builds_on if before.id}
    for path in package.glob("*.py"):
        allowed = PAPER_FILES.get(path.name, {"parts", "errors"}) | built_on | {f"papers.{package.name}"}
        assert ours(path) <= allowed, path
        if path.name == "model.py":
            assert "pytorch_lightning" not in {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("paper", find())
def test_a_paper_has_the_same_files_as_every_other(paper):
    if card(paper).variants:
        package = SOURCE / "papers" / paper.replace("-", "_")
        assert {"__init__.py", "model.py", "training.py", "checks.py"} <= {path.name for path in package.iterdir()}
        assert len((package / "model.py").read_text().splitlines()) <= 260


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    to = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(to), str(CHECKOUT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(to.glob("*.whl"))


def test_the_wheel_holds_the_tree(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=CHECKOUT, capture_output=True, text=True
    ).stdout.splitlines()
    source = {name.removeprefix("implementations/") for name in listed if name.startswith("implementations/")}
    cards = {"literatim/cards/" + name.removeprefix("papers/") for name in listed if name.startswith("papers/")}
    removed = {name for name in source if not (CHECKOUT / "implementations" / name).exists()}
    removed |= {name for name in cards if not (CHECKOUT / "papers" / name.removeprefix("literatim/cards/")).exists()}
    assert held == (source | cards) - removed
