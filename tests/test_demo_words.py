"""What word2vec's page reads: the file with the vectors, and the map drawn from it."""

import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F

from conftest import CHECKOUT
from literatim.errors import LiteratimError
from literatim.papers.word2vec.evaluation import Vectors
from literatim.papers.word2vec_phrases.demo import GROUPS, MAPPED, pack, quantised, read, word_map
from literatim.registry import card
from literatim.registry.reading import weights_path
from literatim.registry.recorded import FIELDS
from literatim.trace.drawing import style

SHIPPED = weights_path("word2vec-phrases", card("word2vec-phrases").demo.weights)
NOTICE = SHIPPED.with_name("LICENSE-WordNet.txt")
LABEL_ROOM = 0.3  # of the words on the map, at least so many have their name there


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Vectors round a few centres, as a run would save them; their words are w0, w1 and so on."""
    torch.manual_seed(0)
    table = torch.randn(8, 20).repeat(20, 1) + 0.5 * torch.randn(160, 20)
    words = [f"w{i}" for i in range(160)]
    found = {"words": words, "state_dict": {"net.vectors.weight": table}, "literatim": {"seed": 3}}
    path = tmp_path_factory.mktemp("run") / "last.ckpt"
    torch.save(found, path)
    return path


def make(*args):
    command = [sys.executable, "-m", "literatim.papers.word2vec_phrases.demo", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_command_makes_the_same_file_twice(checkpoint, tmp_path):
    for name in ("a", "b"):
        done = make(checkpoint, tmp_path / name, "--number", "150", "--notice", NOTICE)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    vectors, tensors, about = read(tmp_path / "a")
    assert vectors.words == [f"w{i}" for i in range(150)]
    assert about["run"] == {"seed": 3}
    assert about["notice"] == NOTICE.read_text()
    assert tensors["map_words"].tolist() == list(range(MAPPED.start, 150))
    assert tensors["map"].shape == (50, 2)


def test_rounding_moves_no_cosine_far():
    torch.manual_seed(0)
    table = torch.randn(300, 100) * torch.logspace(-3, 3, 300)[:, None]
    rounded = quantised(table)
    assert rounded.dtype == torch.int8
    assert (rounded.abs().amax(dim=1) == 127).all()
    exact, found = (Vectors([""] * 300, t).table for t in (table, rounded))
    assert ((exact @ exact.T) - (found @ found.T)).abs().max() < 0.005
    assert torch.equal(quantised(torch.zeros(2, 3)), torch.zeros(2, 3, dtype=torch.int8))


def test_groups_and_neighbours_on_the_map_are_those_of_the_vectors(checkpoint):
    tensors, _ = pack(torch.load(checkpoint), 160, "")
    places = tensors["map"]
    near = torch.cdist(places, places).fill_diagonal_(torch.inf).argmin(dim=1)
    kind = tensors["map_words"] % 8  # of which centre a word is
    assert (kind == kind[near]).float().mean() > 0.9
    groups = tensors["map_groups"]
    assert set(groups.tolist()) == set(range(GROUPS))
    together = [len(set(groups[kind == k].tolist())) == 1 for k in range(8)]
    assert sum(together) >= 7


def test_the_map_names_words_without_covering_any():
    with style():
        figure = word_map(SHIPPED)
        figure.canvas.draw()
        axis = figure.axes[0]
        boxes = [label.get_window_extent() for label in axis.texts]
        names = [label.get_text() for label in axis.texts]
    vectors, tensors, _ = read(SHIPPED)
    mapped = [vectors.words[i] for i in tensors["map_words"]]
    assert names[0] == mapped[0]
    assert set(names) <= set(mapped)
    assert len(mapped) == len(MAPPED)
    assert len(names) > LABEL_ROOM * len(mapped)
    assert not [1 for i, box in enumerate(boxes) for other in boxes[:i] if box.overlaps(other)]


def test_what_ships_says_where_it_comes_from():
    vectors, tensors, about = read(SHIPPED)
    assert SHIPPED.stat().st_size < 500_000
    assert len(vectors.words) == len(set(vectors.words)) == 4000  # as the card says
    assert about["notice"] == NOTICE.read_text()
    run = about["run"]
    assert set(FIELDS[: FIELDS.index("versions")]) - {"metrics"} <= set(run)
    assert run["paper"] == "word2vec-phrases"
    assert run["variant"].startswith("neg-")
    assert F.normalize(tensors["vectors"].float(), dim=1).shape[1] == run["options"]["dimension"]


def test_a_file_of_another_kind_is_refused(tmp_path):
    other = tmp_path / "x.safetensors"
    other.write_text("{}")
    for path in (other, tmp_path / "none", CHECKOUT / "papers" / "lenet" / "weights" / "mnist.safetensors"):
        with pytest.raises(LiteratimError, match="not the page's vectors"):
            read(path)
