r"""What the paper's page reads: the vectors of the most frequent words in one small file, and a map of some of them.

    python -m literatim.papers.word2vec_phrases.demo CHECKPOINT TO [--number 4000] [--notice FILE]

writes the file TO, `weights/<name>.safetensors` of the paper, from a checkpoint of a run; the same checkpoint gives
the same file. It holds `vectors` (N, D) int8; the places of the words on the map: `map_words` (M,) int32, which words,
`map` (M, 2) float32, where they lie, `map_groups` (M,) uint8, the group of each; and as metadata one field `about`,
JSON with `words`, the most frequent first, `run`, the identity of the run, and `notice`, that of the text's licence.

The run whose vectors ship read the glosses of WordNet 3.0, 3.97 million words, lower-cased, letters only:

    literatim fit word2vec-phrases --recipe text --model.workers 1 --model.options.dimension 100 \
        --model.sample 1e-4 --data.source wordnet.txt
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from literatim.errors import LiteratimError
from literatim.papers.word2vec.evaluation import Vectors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAKER = "python -m literatim.papers.word2vec_phrases.demo"
LEVELS = 127  # of int8 on either side of zero
MAPPED = range(100, 700)  # by rank: before them are words such as "the", which go with everything
GROUPS = 4  # as many as the pages have colours for


def quantised(table: Tensor) -> Tensor:
    """(N, D) as int8, the largest number of every row at 127: cosines need no lengths."""
    largest = table.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(table.dtype).tiny)
    return (LEVELS * table / largest).round().to(torch.int8)


def pack(checkpoint: dict[str, Any], number: int, notice: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(tensors, metadata) of the file: the first `number` words of a run, which are its most frequent."""
    words, table = checkpoint["words"], checkpoint["state_dict"]["net.vectors.weight"].float()
    words = words[:number]
    vectors = quantised(table[: len(words)])
    mapped = torch.arange(len(words))[MAPPED.start : MAPPED.stop]
    places, groups = layout(F.normalize(vectors[mapped].float(), dim=1))
    tensors = {"vectors": vectors, "map_words": mapped.int(), "map": places, "map_groups": groups}
    about = {"words": words, "run": checkpoint["literatim"], "notice": notice}
    return tensors, {"about": json.dumps(about, sort_keys=True)}  # one field, for the order of several is chance


def layout(unit: Tensor) -> tuple[Tensor, Tensor]:
    """(M, 2) places by t-SNE on cosine distances, begun from the two principal components, and (M,) groups by k-means
    on the vectors themselves (M, D)."""
    from sklearn.cluster import KMeans
    from sklearn.manifold import TSNE

    seen = unit.numpy()
    perplexity = min(30, max(1, (len(seen) - 1) // 3))
    places = TSNE(metric="cosine", init="pca", perplexity=perplexity, random_state=0).fit_transform(seen)
    groups = KMeans(GROUPS, n_init=10, random_state=0).fit_predict(seen)
    return torch.from_numpy(places).float(), torch.from_numpy(groups).to(torch.uint8)


def read(path: Path) -> tuple[Vectors, dict[str, Tensor], dict[str, Any]]:
    """The vectors of a file that `pack` made, its tensors and what it says about them."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
            about = json.loads(file.metadata()["about"])
        return Vectors(about["words"], tensors["vectors"]), tensors, about
    except (OSError, SafetensorError, KeyError, TypeError):
        raise LiteratimError(f"{path}: not the page's vectors; make them with {MAKER}") from None


def vectors(path: Path) -> Vectors:
    """The words of such a file with their vectors, to ask for neighbours and analogies."""
    return read(path)[0]


def word_map(path: Path) -> Figure:
    """The map: words at their places, the more frequent first, without those that would cover one of them."""
    from matplotlib import pyplot as plt

    words, tensors, _ = read(path)
    places, groups = tensors["map"].numpy(), tensors["map_groups"].tolist()
    figure, axis = plt.subplots(figsize=(7.6, 8.4), layout="constrained")
    axis.set_axis_off()
    axis.set(xlim=(places[:, 0].min(), places[:, 0].max()), ylim=(places[:, 1].min(), places[:, 1].max()))
    figure.canvas.draw()
    taken: list[Any] = []
    for (x, y), word, group in zip(places, tensors["map_words"].tolist(), groups, strict=True):
        label = axis.text(x, y, words.words[word], color=f"C{group}", fontsize=8, ha="center", va="center")
        box = label.get_window_extent().padded(1)
        if any(box.overlaps(other) for other in taken):
            label.remove()
        else:
            taken.append(box)
    return figure


def main(args: list[str]) -> None:
    parser = argparse.ArgumentParser(prog=MAKER, description="Makes the vectors of the page from those of a run.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("to", type=Path)
    parser.add_argument("--number", type=int, default=4000, help="how many words, the most frequent (default: 4000)")
    parser.add_argument("--notice", type=Path, help="a text file with the notice that the text's licence asks for")
    given = parser.parse_args(args)
    from safetensors.torch import save

    try:
        checkpoint = torch.load(given.checkpoint, map_location="cpu", weights_only=True)
        notice = given.notice.read_text(encoding="utf-8") if given.notice else ""
        made = pack(checkpoint, given.number, notice)
    except (OSError, UnpicklingError, RuntimeError, KeyError) as error:
        parser.error(f"not a checkpoint of a word2vec run, or no notice ({error}); name last.ckpt of a run's folder")
    given.to.write_bytes(save(*made))


if __name__ == "__main__":
    main(sys.argv[1:])
