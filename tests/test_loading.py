"""`literatim.load`, weights that ship with a record, and the hashes that say whether a record is still today's."""

import hashlib
import json
import shutil

import pytest
import torch
from torch import nn

import literatim
from conftest import forget, sound_record
from literatim.errors import LiteratimError
from literatim.experiment.record import ship
from literatim.loading import shipped_weights
from literatim.papers.lenet import LeNet5
from literatim.registry import find, ledger


def enter(papers, net, name="mnist", variant="lenet5", options=None, **changes):
    """A record of a run of the recipe mnist whose weights ship."""
    entry = ship("lenet", name, net)
    about = {"variant": variant, "metrics": {"test_error": 1.0}, "options": options or {}, "weights": entry}
    record = sound_record(**about) | ledger.hashes("lenet", "mnist") | changes
    place = papers / "lenet" / "results" / "mnist" / f"{variant}-s0"
    place.mkdir(parents=True)
    (place / "record.json").write_text(json.dumps(record))
    return papers / "lenet" / "weights" / entry["file"]


def sentence(*args, **options):
    """What loading says where it fails, which must be one line."""
    with pytest.raises(LiteratimError) as caught:
        literatim.load(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- names and options


@pytest.mark.parametrize(
    "name",
    [
        "lenet",
        "LeNet5",
        "lenet-5",
        "10.1109/5.726791",
        "https://doi.org/10.1109/5.726791",
        "lecun1998gradient",
        "Gradient-Based Learning Applied to Document Recognition",
        "gradient-based learning  applied to document recognition",
    ],
)
def test_a_paper_loads_by_any_of_its_names(name):
    net = literatim.load(name)
    assert type(net) is LeNet5
    assert sum(p.numel() for p in net.parameters()) == 60_000


def test_what_loads_is_a_plain_module():
    net = literatim.load("lenet")
    assert isinstance(net, nn.Module)
    assert not [kind for kind in type(net).__mro__ if kind.__module__.startswith(("pytorch_lightning", "lightning"))]
    assert net.training
    assert all(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize("paper", find())
def test_a_model_is_made_on_the_default_device(paper):
    with torch.device("meta"):
        net = literatim.load(paper)
    assert {tensor.device.type for tensor in (*net.parameters(), *net.buffers())} == {"meta"}


def test_the_first_variant_is_the_default_and_the_popular_one_is_larger():
    default, popular = literatim.load("lenet"), literatim.load("lenet", "lenet5-popular")
    assert [type(m) for m in default.modules()] == [type(m) for m in literatim.load("lenet", "lenet5").modules()]
    assert sum(p.numel() for p in popular.parameters()) == 61_706
    assert isinstance(popular.output, nn.Linear)


def test_keywords_reach_the_model():
    net = literatim.load("lenet", subsampling="average", coefficient=0.5)
    assert net.s2.share.item() == 0.25
    assert net.s4.coefficient.tolist() == [0.5] * 16
    assert isinstance(literatim.load("lenet", c3="dense").c3, nn.Conv2d)


def test_an_option_that_makes_a_variant_what_it_is_stays():
    assert "is what it is by its output" in sentence("lenet", "lenet5-popular", output="rbf")
    assert isinstance(literatim.load("lenet", "lenet5-popular", output="softmax").output, nn.Linear)


def test_an_unknown_choice_is_refused_with_the_nearest():
    assert sentence("lenet", init="squrt") == 'lenet has no init "squrt"; did you mean "sqrt"?'


def test_an_unknown_paper_is_refused_with_the_nearest_name():
    assert sentence("lenett") == 'there is no paper called "lenett"; did you mean "lenet" or "lenet5" or "lenet-5"?'


def test_an_unknown_variant_is_refused_with_the_nearest_name():
    assert sentence("lenet", "lenet5-popula").startswith(
        'lenet has no variant "lenet5-popula"; did you mean "lenet5-popular"'
    )
    assert sentence("lenet", "x") == 'lenet has no variant "x"; it has lenet5, lenet5-popular'


def test_an_unknown_option_is_refused_with_the_nearest_name():
    assert sentence("lenet", subsampling_="sum") == (
        'lenet lenet5 has no option "subsampling_"; did you mean "subsampling"?'
    )
    assert sentence("lenet", width=3) == (
        'lenet lenet5 has no option "width"; it has subsampling, init, coefficient, c3, output'
    )


# --- weights


@pytest.fixture
def net():
    torch.manual_seed(0)
    return LeNet5(subsampling="average", init="sqrt")


def test_weights_load_exactly_and_for_evaluation(papers, net):
    enter(papers, net, options={"subsampling": "average", "init": "sqrt"})
    loaded = literatim.load("lenet", weights="mnist")
    assert not any(module.training for module in loaded.modules())
    assert loaded.state_dict().keys() == net.state_dict().keys()
    for key, value in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key
    x = torch.rand(3, 1, 32, 32)
    assert torch.equal(loaded(x), net(x))  # so the recorded options hold too: S2 averages


def test_weights_choose_the_variant_they_are_of(papers):
    enter(papers, literatim.load("lenet", "lenet5-popular"), name="mnist-lenet5-popular", variant="lenet5-popular")
    for variant in (None, "lenet5-popular"):
        loaded = literatim.load("lenet", variant, weights="mnist-lenet5-popular")
        assert sum(p.numel() for p in loaded.parameters()) == 61_706
    assert list(shipped_weights("lenet")) == ["mnist-lenet5-popular"]


def test_weights_of_another_variant_are_refused(papers, net):
    enter(papers, net)
    assert sentence("lenet", "lenet5-popular", weights="mnist") == (
        'the weights "mnist" are of lenet lenet5, not of lenet5-popular'
    )


def test_weights_do_not_load_into_a_model_of_other_options(papers, net):
    enter(papers, net)
    said = sentence("lenet", weights="mnist", output="softmax")
    assert said.startswith('the weights "mnist" do not fit lenet with these options')
    assert "output.weight" in said


def test_unknown_weights_are_refused_with_the_nearest_name(papers, net):
    assert sentence("lenet", weights="mnist") == 'lenet has no weights "mnist"; none ship'
    enter(papers, net)
    assert sentence("lenet", weights="mnits") == 'lenet has no weights "mnits"; did you mean "mnist"?'
    assert sentence("lenet", weights="x") == 'lenet has no weights "x"; it has mnist'


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_flipped_byte_in_the_weights_is_noticed(papers, net, place):
    path = enter(papers, net)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert sentence("lenet", weights="mnist") == (
        f"{path} is damaged: its checksum is not the record's; install the package again"
    )


def test_a_missing_weights_file_is_named(papers, net):
    path = enter(papers, net)
    path.unlink()
    said = sentence("lenet", weights="mnist")
    assert said.startswith(f"{path}: the weights cannot be read: No such file")


def test_shipping_leaves_one_file_whose_checksum_is_in_the_entry(papers, net):
    for _ in range(2):
        entry = ship("lenet", "mnist", net)
    folder = papers / "lenet" / "weights"
    assert [path.name for path in folder.iterdir()] == ["mnist.safetensors"]
    assert entry == {
        "name": "mnist",
        "file": "mnist.safetensors",
        "sha256": hashlib.sha256((folder / "mnist.safetensors").read_bytes()).hexdigest(),
    }


def test_a_flipped_bit_in_a_file_of_weights_is_noticed(tmp_path, net):
    path = tmp_path / "own.pt"
    torch.save(net.state_dict(), path)
    assert literatim.load("lenet", weights=path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(LiteratimError, match="damaged"):
        literatim.load("lenet", weights=path)


# --- records


def test_a_record_is_stale_when_and_only_when_something_changed(papers, net):
    enter(papers, net)
    assert ledger.records("lenet")[0].stale == []
    recipe = papers / "lenet" / "recipes" / "mnist.yaml"
    recipe.write_text(recipe.read_text().replace("max_epochs: ", "max_epochs: 9"))
    ledger.hashes.cache_clear()
    assert ledger.records("lenet")[0].stale == ["recipe"]
    recipe.unlink()
    ledger.hashes.cache_clear()
    assert ledger.records("lenet")[0].stale == ["recipe"]


@pytest.mark.parametrize("name", ["recipe", "code", "data"])
def test_a_record_says_which_of_its_hashes_are_not_todays(papers, net, name):
    enter(papers, net, **{f"{name}_sha256": "0" * 64})
    assert ledger.records("lenet")[0].stale == [name]


@pytest.mark.parametrize(
    ("content", "what"),
    [("{", "not a record"), ("[]", "not a record"), ("3", "not a record"), ('{"paper": "lenet"}', "it lacks recipe")],
)
def test_what_is_not_a_record_is_named(papers, net, content, what):
    enter(papers, net)
    path = papers / "lenet/results/mnist/lenet5-s0/record.json"
    path.write_text(content)
    said = sentence("lenet", weights="mnist")
    assert said.startswith(f"{path}: ")
    assert what in said


# --- the hash of the code


SOURCE = '''
"""A module."""

from math import pi  # the ratio


class Circle:
    """A circle."""

    sign = "# no comment"

    def area(self, r):
        """Its area,

        in squares.
        """
        # the well-known rule
        text = """
not a docstring  # nor a comment
"""
        return pi * r * r, text
'''


def code(tmp_path, text, name="module.py"):
    path = tmp_path / name
    path.write_text(text)
    return ledger.code(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""\n', ""),
        ('"""A module."""', '"""Another,\n\nlonger module."""'),
        ('    """A circle."""\n', ""),
        ("  # the ratio", ""),
        ("        # the well-known rule\n", ""),
        ("# the well-known rule", "# as Archimedes has it\n        # on two lines"),
        ("        in squares.\n", ""),
        ("\n\n\n", "\n\n\n\n\n"),
        ("import pi  #", "import pi    #"),
    ],
)
def test_prose_does_not_change_the_code(tmp_path, old, new):
    assert old in SOURCE
    assert code(tmp_path, SOURCE.replace(old, new)) == code(tmp_path, SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("r * r", "r * r * 1.0"),
        ("# no comment", "# a comment"),
        ("# nor a comment", "# never a comment"),
        ('    sign = "# no comment"\n', ""),
        ("class Circle", "class Disc"),
    ],
)
def test_a_change_of_code_changes_the_code(tmp_path, old, new):
    assert old in SOURCE
    assert code(tmp_path, SOURCE.replace(old, new)) != code(tmp_path, SOURCE)


def test_an_indent_counts(tmp_path):
    inside, after = (f"def f(x):\n    if x:\n        x = 1\n{indent}return x\n" for indent in (8 * " ", 4 * " "))
    assert code(tmp_path, inside) != code(tmp_path, after)


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_docstring_of_any_function_is_prose(tmp_path, kind):
    one, other = (f'{kind} f():\n    """{words}"""\n    return 1\n' for words in ("One.", "Two."))
    assert code(tmp_path, one) == code(tmp_path, other)


def test_code_beside_a_docstring_counts(tmp_path):
    one, other = (f'def f(x={x}): """Doc."""\n' for x in (1, 2))
    assert code(tmp_path, one) != code(tmp_path, other)
    one, other = (f'def f():\n    """Doc."""; return {x}\n' for x in (1, 2))
    assert code(tmp_path, one) != code(tmp_path, other)


def test_blank_lines_and_spaces_in_a_string_count(tmp_path):
    texts = ['x = """a\nb"""\n', 'x = """a\n\nb"""\n', 'x = """a \nb"""\n']
    assert len({code(tmp_path, text) for text in texts}) == 3


def test_signs_that_end_a_line_for_some_do_not_move_the_docstrings(tmp_path):
    one, other = (f's = "a\x0cb\u2028c"\n\n\ndef f():\n    """{w}"""\n    return 1\n' for w in ("One.", "Two."))
    assert code(tmp_path, one) == code(tmp_path, other)
    assert "return 1" in code(tmp_path, one)


def test_a_text_file_counts_to_the_letter(tmp_path):
    assert code(tmp_path, "# head\n.#.\n", "codes.txt") != code(tmp_path, "# head\n.##\n", "codes.txt")
    assert code(tmp_path, "# head\n.#.\n", "codes.txt") != code(tmp_path, "# had\n.#.\n", "codes.txt")


def test_the_code_of_a_run_is_what_decides_its_outcome():
    found = {str(path.relative_to(ledger.PACKAGE)) for path in mnist_files()}
    assert {
        "papers/lenet/__init__.py",
        "papers/lenet/model.py",
        "papers/lenet/training.py",
        "papers/lenet/levenberg_marquardt.py",
        "papers/lenet/codes.txt",
        "datasets/mnist.py",
        "datasets/tensors.py",
        "datasets/images.py",
        "parts/one_by_one.py",
    } <= found
    assert not found & {"papers/lenet/checks.py", "datasets/digits.py"}
    assert all(name.startswith(("papers/lenet/", "datasets/", "parts/")) for name in found)


def mnist_files(module="literatim.datasets.mnist:MNIST"):
    return ledger.code_files("lenet", module)


def test_the_data_module_counts_by_its_recipe():
    names = {path.name for path in mnist_files("literatim.datasets.digits:Digits")}
    assert {"digits.py", "tensors.py", "images.py"} <= names
    assert "mnist.py" not in names


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package's sources, which is hashed in place of ours."""
    folder = tmp_path / "literatim"
    shutil.copytree(ledger.PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(ledger, "PACKAGE", folder)
    forget()
    yield folder
    forget()


def code_hash():
    ledger.hashes.cache_clear()
    return ledger.hashes("lenet", "mnist")["code_sha256"]


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        ("papers/lenet/codes.txt", "#", ".", True),
        ("papers/lenet/model.py", "1.7159, 2 / 3", "1.7159, 1 / 3", True),
        ("datasets/tensors.py", "1_000_003", "1_000_033", True),
        ("parts/one_by_one.py", "set_num_threads(1)", "set_num_threads(2)", True),
        ("papers/lenet/model.py", "Seven layers after the input", "Eight layers", False),
        ("papers/lenet/model.py", "# 6 @ 28x28", "# six maps", False),
        ("papers/lenet/checks.py", "def ", "def another_", False),
        ("datasets/digits.py", "batch_size: int = 32", "batch_size: int = 33", False),
    ],
)
def test_the_code_hash_follows_the_code_alone(package, file, old, new, changes):
    before = code_hash()
    path = package / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert (code_hash() != before) == changes


@pytest.mark.parametrize(
    "line",
    [
        "from literatim.parts.block import Block",
        "from literatim.parts import block",
        "import literatim.parts.block",
        "from literatim.parts import (\n    block,\n)",
        "def f():\n    from literatim.parts.block import Block",
    ],
)
def test_a_part_counts_however_it_is_imported(package, line):
    (package / "parts" / "block.py").write_text("Block = 1\n")
    (package / "papers" / "lenet" / "more.py").write_text(line + "\n")
    assert package / "parts" / "block.py" in mnist_files()


def test_what_an_editor_or_a_file_browser_leaves_does_not_count(package):
    before = code_hash()
    (package / "papers" / "lenet" / ".DS_Store").write_bytes(b"\0\xff\0")
    (package / "papers" / "lenet" / ".model.py.swp").write_bytes(b"\0\xff\0")
    assert code_hash() == before


# --- the hashes of recipe and data


def test_the_recipe_hash_follows_its_values_alone(papers):
    before = ledger.hashes("lenet", "mnist")
    recipe = papers / "lenet" / "recipes" / "mnist.yaml"
    text = recipe.read_text()

    def after(changed):
        assert changed != text
        recipe.write_text(changed)
        ledger.hashes.cache_clear()
        return ledger.hashes("lenet", "mnist")

    assert after("# Another word on it.\n" + text.replace("# ", "# And: ")) == before
    assert after(text.replace("lr: 0.006", "lr:   6.0e-3  # as before")) == before
    changed = after(text.replace("lr: 0.006", "lr: 0.007"))
    assert changed["recipe_sha256"] != before["recipe_sha256"]
    assert {k: v for k, v in changed.items() if k != "recipe_sha256"} == {
        k: v for k, v in before.items() if k != "recipe_sha256"
    }


def test_the_data_hash_follows_the_files_of_the_data_set(papers):
    hashes = {recipe: ledger.hashes("lenet", recipe)["data_sha256"] for recipe in ("quick", "mnist", "paper")}
    assert hashes["mnist"] == hashes["paper"] != hashes["quick"]
