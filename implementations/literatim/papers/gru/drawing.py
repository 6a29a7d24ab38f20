"""The map of phrase vectors that Fig. 5 and Fig. 7 draw, by Barnes-Hut-SNE."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from literatim.papers.gru.model import Encoder
from literatim.parts.phrases import PAD, Words

POINTS, LABELS, WORDS = 1000, 24, 4  # Fig. 7 has 1000 points; Sec. 4.4 takes phrases "of four or more words"


@torch.no_grad()
def phrase_map(encoder: Encoder, x: Tensor, words: Words) -> Any:
    """A figure of phrases (N, T): all on the left, on the right the closest neighbourhood with its phrases.

    None where there are too few of four or more words.
    """
    from matplotlib import pyplot as plt
    from sklearn.manifold import TSNE

    long = torch.unique(x[(x != PAD).sum(dim=1) > WORDS], dim=0)
    chosen = long[torch.randperm(len(long), generator=torch.Generator().manual_seed(0))[:POINTS]]
    if len(chosen) < 2 * LABELS:
        return None
    vectors = encoder.read(chosen).cpu().numpy()
    placed = TSNE(random_state=0, init="pca", perplexity=min(30, len(chosen) // 4)).fit_transform(vectors)
    points = torch.from_numpy(placed)
    # The point whose neighbours are nearest, and these.
    near = torch.cdist(points, points).topk(LABELS, largest=False)
    shown = near.indices[near.values[:, -1].argmin()]
    figure, (whole, part) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    whole.scatter(*points.T, s=4, color="#888888")
    whole.scatter(*points[shown].T, s=6, color="#c0392b")
    part.scatter(*points[shown].T, s=8, color="#c0392b")
    for i in shown.tolist():
        part.annotate(words.decoded(chosen[i].cpu()), tuple(points[i].tolist()), fontsize=7)
    for axis, title in ((whole, f"{len(chosen)} phrases"), (part, "where they lie closest")):
        axis.set_title(title)
        axis.set_xticks([])
        axis.set_yticks([])
    return figure
