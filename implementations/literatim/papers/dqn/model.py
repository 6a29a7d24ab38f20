r"""The Deep Q-Network of 2015 (Mnih, Kavukcuoglu, Silver and 16 others), Methods, *Model architecture*; Fig. 1.

That of 2013 with a third convolution, twice the maps in the first two, and twice the units in the full connection.
The target network is a second copy of this one, and stands with the training.
"""

from __future__ import annotations

from collections.abc import Sequence

from literatim.papers.dqn2013 import model as dqn2013


class DeepQNetwork(dqn2013.DeepQNetwork):
    r"""$Q(s, a; \theta)$ for all actions a at once. Input (N, frames, size, size), grey levels from 0 to 1; output
    (N, actions), in rewards.

    The defaults are those of the Methods, with the four actions of Breakout. Options beside those of 2013:

    - `layers`, `hidden`: 32 kernels of 8x8 at every fourth place, 64 of 4x4 at every second, 64 of 3x3; 512 rectified
      units. `layers: []` with `hidden: null` is the network of Extended Data Table 4, "a linear function approximator".
    - `padding`: zeros around the frames, which the paper does not speak of. The authors' code (`convnet.lua`) has 1;
      the first maps are 20x20 with it and without.
    """

    def __init__(
        self,
        actions: int = 4,
        frames: int = 4,
        size: int = 84,
        layers: Sequence[Sequence[int]] = ((32, 8, 4), (64, 4, 2), (64, 3, 1)),
        hidden: int | None = 512,
        padding: int = 0,
    ) -> None:
        padded = [[*layer, padding] for layer in layers[:1]] + [list(layer) for layer in layers[1:]]
        super().__init__(actions, frames, size, padded, hidden)
