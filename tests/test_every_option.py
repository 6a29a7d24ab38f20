"""Every option of every training and data module and of the Trainer, with values that are good and bad for its type.

The options come from the parser, so that those of a new paper are tried as soon as its card is there. All values go
through the parser and the checks behind it; of those that are taken there the odd ones are trained with, for a batch.
Left out of that are the choices of a Literal, true, false and null, with which other tests train, and of the
Trainer's whole numbers nought and huge ones, which are as good as any where they are taken.
"""

import inspect
import shutil
import types
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from PIL import Image

from conftest import Late, in_time, inside
from literatim.datasets import digits
from literatim.errors import LiteratimError
from literatim.experiment.checkpoints import AtomicCheckpoints
from literatim.experiment.lightning import PaperCLI, Request
from literatim.experiment.limits import check_options
from literatim.registry import card, heads
from test_imagefolder import photographs_in

TINY = [
    "--trainer.max_epochs=1", "--trainer.limit_train_batches=1", "--trainer.limit_val_batches=1",
    "--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false",
]  # fmt: skip
FINETUNE = [
    "--data.root=photos", "--model.num_classes=2", "--model.variant=resnet20", "--model.weights=null",
    "--data.size=32", "--data.eval_scale=32", "--data.batch_size=4", "--data.workers=0",
]  # fmt: skip
HUGE = "1000000000000000000"
# Of a type: what may be given, and what of that is trained with where it is taken.
OF_TYPE: dict[Any, tuple[list[str], list[str]]] = {
    int: (["-1", "0", HUGE, "1.5", "word", "null"], ["0", HUGE]),
    float: ([".nan", "-1", "0", "1e30", "word", "null"], ["0"]),
    bool: (["true", "word", "null"], []),
    str: (["", "null", ".", "picture.png"], ["picture.png"]),
    list: (["[]", "word", "[-1]", "[1, 2, 3, 4, 5]", "null"], ["[1, 2, 3, 4, 5]"]),
    dict: (["{}", "[1]", "{1: 2}", "{-1: -1}", "{a: b}", "null"], ["{1: 2}", "{a: b}"]),
    type(None): (["null"], []),
}
OF_TYPE[Path] = OF_TYPE[str]
OTHERS = ["word", "", "null", "{}", "[]", "1", "{class_path: os.system}"]


class Enough(Exception):
    """The parser is there."""


class Asked(PaperCLI):
    def parse_arguments(self, parser: Any, args: Any) -> None:
        raise Enough(self._parser("fit"))


@cache
def parser_of(paper: str, recipe: str) -> Any:
    """The parser of what stands behind `literatim fit`."""
    try:
        Asked(Request("fit", paper, recipe))
    except Enough as found:
        return found.args[0]


def options_of(paper: str, recipe: str) -> dict[str, Any]:
    """name -> type of every option that `literatim fit` has for a recipe, those of the model included."""
    actions = parser_of(paper, recipe)._actions
    named = [a for a in actions if a.option_strings and a.dest.startswith(("model.", "data.", "trainer."))]
    options = {a.dest: a._typehint for a in named if hasattr(a, "_typehint") and not a.dest.endswith(".help")}
    variant = card(paper).variants[card(paper).recipe_variants(recipe)[0]]
    module, _, name = variant.model.partition(":")
    model = inspect.signature(getattr(import_module(module), name), eval_str=True).parameters
    return options | {f"model.options.{key}": of.annotation for key, of in model.items()}


def values(kind: Any) -> dict[str, bool]:
    """What may be given for an option of a type, most of it wrong, and whether it is trained with if it is taken."""
    if get_origin(kind) in (Union, types.UnionType):
        return {value: trained for one in get_args(kind) for value, trained in values(one).items()}
    if get_origin(kind) is Literal:
        near = f"{get_args(kind)[0]}x"
        return dict.fromkeys([*map(str, get_args(kind)), "null"], False) | {near: True, "": True}
    given, trained = OF_TYPE.get(get_origin(kind) or kind, (OTHERS, OTHERS))
    return {value: value in trained for value in given}


def parsed(paper: str, recipe: str, args: list[str]) -> str:
    """What the parser and the checks behind it say against options; nothing where they take them."""
    try:
        check_options(parser_of(paper, recipe).parse_args(args), "fit")
    except LiteratimError as error:
        return f"literatim: {error}"
    return ""


def trained(paper: str, recipe: str, args: list[str], cwd: Path) -> str:
    """What is wrong with what the whole command does; nothing where it runs, or refuses in a sentence."""
    try:
        with in_time(60):
            done = inside("fit", paper, "--recipe", recipe, *args, cwd=cwd)
    except Late:
        return "does not end"
    finally:
        shutil.rmtree(cwd / "runs", ignore_errors=True)
    said = [line for line in done.stderr.splitlines() if not line.startswith("epoch ")]
    if done.returncode == 0 or (done.returncode == 2 and sentence("\n".join(said))):
        return ""
    return f"status {done.returncode}, {done.stderr[-600:]}"


def sentence(said: str) -> bool:
    return said.startswith("literatim: ") and "\n" not in said and 20 < len(said) < 1000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("options")
    photographs_in(folder / "photos")
    Image.new("L", (28, 28)).save(folder / "picture.png")
    return folder


RECIPES = [(paper, recipe) for paper in heads() for recipe in card(paper).recipes]
# The Trainer's options are tried with one recipe, a fast one, those of a data module with the first recipe that has it;
# of the recipes for photographs that is the one for which there are some.
RECIPES.sort(key=lambda of: (of != ("vgg", "quick"), of[1] != "quick", of[1] != "finetune"))
TRIED: dict[tuple[str, str], dict[str, Any]] = {}


def options_tried() -> dict[tuple[str, str], dict[str, Any]]:
    """(paper, recipe) -> the options that are tried with it, each once."""
    seen: set[Any] = set()
    for paper, recipe in RECIPES:
        for name, kind in options_of(paper, recipe).items():
            key = (name, str(kind), paper if name.startswith("model.") else "")
            if key not in seen:
                seen.add(key)
                TRIED.setdefault((paper, recipe), {})[name] = kind
    return TRIED


@pytest.mark.parametrize("paper", heads())
def test_every_value_of_every_option_is_taken_or_refused_in_one_sentence(
    paper: str, place: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None]
) -> None:
    monkeypatch.setattr(digits, "scikit_learns", cache(digits.scikit_learns))
    monkeypatch.setattr("literatim.experiment.lightning.draw_curve", lambda *args: None)
    monkeypatch.setattr(AtomicCheckpoints, "save_checkpoint", lambda *args, **options: None)
    for name in ("LITERATIM_DATA", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(place / "nothing"))
    wrong: list[str] = []
    tried = 0
    for (of, recipe), options in (TRIED or options_tried()).items():
        more = FINETUNE if recipe == "finetune" else []
        if of == paper and recipe in ("quick", "finetune"):
            assert inside("fit", paper, "--recipe", recipe, *TINY, *more, cwd=place).returncode == 0
        for name, kind in options.items() if of == paper else ():
            for value, odd in values(kind).items():
                args = [*TINY, *more, f"--{name}={value}"]
                said = parsed(paper, recipe, args)
                if said and not sentence(said):
                    wrong.append(f"{recipe} {name}={value}: {said}")
                elif said or not odd or (value in ("0", HUGE) and name.startswith("trainer.")):
                    pass
                elif what := trained(paper, recipe, args, place):
                    wrong.append(f"{recipe} {name}={value}: {what}")
                tried += 1
    assert not wrong, f"{len(wrong)} of {tried}\n\n" + "\n".join(wrong)
    assert tried > 50
    fault("option", tried)
