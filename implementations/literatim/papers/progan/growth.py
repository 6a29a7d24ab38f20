"""How far the networks have grown after so many real images (App. A.1), and what the data look like then (Fig. 2)."""

from typing import NamedTuple

from torch import Tensor

from literatim.papers.progan import layers


class Stage(NamedTuple):
    """`alpha`: how far the newest layers are faded in."""

    resolution: int
    alpha: float

    @property
    def fading(self) -> bool:
        return self.alpha < 1


class Schedule(NamedTuple):
    """The first resolution is trained for `stabilise` images; then each doubling is faded in over `fade` images, alpha
    rising from 0 to 1 in a straight line, and stabilised for `stabilise` more. The last one goes on to the end."""

    first: int
    last: int
    stabilise: int
    fade: int

    def stage(self, shown: int) -> Stage:
        """After so many real images that D was shown."""
        if shown < self.stabilise or self.first == self.last:
            return Stage(self.first, 1.0)
        doublings, rest = divmod(shown - self.stabilise, self.fade + self.stabilise)
        resolution = self.first << doublings + 1
        if resolution > self.last:
            return Stage(self.last, 1.0)
        return Stage(resolution, min(1.0, rest / self.fade) if self.fade else 1.0)

    def landmarks(self) -> list[int]:
        """The images after which each stage has ended and each fade is half over; the last stage has no end."""
        found, end, side = [], self.stabilise, self.first
        while side < self.last:
            found += [end, end + self.fade // 2]
            end, side = end + self.fade + self.stabilise, 2 * side
        return found


def as_shown(images: Tensor, stage: Stage) -> Tensor:
    """(N, c, r, r): real images (N, c, s, s) averaged down to a stage's resolution r, and faded as its samples are."""
    while images.shape[-1] > stage.resolution:
        images = layers.reduce(images)
    return layers.faded(layers.enlarge(layers.reduce(images)), images, stage.alpha) if stage.fading else images
