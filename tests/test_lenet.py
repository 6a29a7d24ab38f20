"""LeNet-5: what its claims lean on. The counts of MNIST's images, and the sums that were tried for Fig. 11."""

from itertools import product

import pytest

from literatim.datasets import mnist
from literatim.errors import LiteratimError
from literatim.papers.lenet.claimed import inputs
from literatim.registry import ledger
from literatim.registry.data import DATA_SETS

IMAGES = "train-images-idx3-ubyte"


def test_the_counts_are_of_the_file_that_the_data_module_reads():
    counted = inputs.counted()
    assert counted["sha256"] == DATA_SETS["mnist"].sha256[IMAGES]
    assert len(counted["levels"]) == 256
    assert sum(counted["levels"]) == 60_000 * 28 * 28


def test_counted_again_the_images_have_the_same_levels():
    try:
        images = mnist.read_idx(IMAGES, None)
    except LiteratimError:
        pytest.skip("MNIST is not at hand: name its folder with LITERATIM_DATA")
    found = inputs.counts(images)
    assert {name: inputs.counted()[name] for name in found} == found


def test_no_sum_of_the_layers_costs_comes_near_401_thousand():
    """What the card says was tried: every choice among the costs of one character, with C3 by Table I or dense."""
    places = {"c1": 28 * 28, "s2": 14 * 14, "c3": 10 * 10, "s4": 5 * 5}
    common = [
        6 * 25 * places["c1"],  # C1: weights, biases, squashing
        6 * places["c1"],
        6 * places["c1"],
        4 * 6 * places["s2"],  # S2: sums, coefficients, biases and squashing
        6 * places["s2"],
        2 * 6 * places["s2"],
        2 * 16 * places["c3"],  # C3: biases and squashing
        4 * 16 * places["s4"],  # S4
        16 * places["s4"],
        2 * 16 * places["s4"],
        16 * 25 * 120,  # C5
        2 * 120,
        120 * 84,  # F6
        2 * 84,
        10 * 84,  # the RBFs
    ]
    kernels = [0, 60 * 25 * places["c3"], 96 * 25 * places["c3"]]
    sums = {c3 + sum(cost for cost, taken in zip(common, choice, strict=True) if taken)
            for c3 in kernels for choice in product((False, True), repeat=len(common))}  # fmt: skip
    near = {total for total in sums if abs(total - 401_000) < 500}
    assert not near
    assert abs(340_908 + 60_000 - 401_000) < 500


@pytest.mark.parametrize("paper", ["lenet", "alexnet"])
def test_what_is_claimed_decides_the_outcome_of_no_run(paper):
    assert (ledger.package(paper) / "claimed").is_dir()
    deciding = ledger.code_files(paper, DATA_SETS["digits"].module)
    assert ledger.package(paper) / "model.py" in deciding
    assert not [path for path in deciding if path.name == "checks.py" or path.parent.name == "claimed"]
