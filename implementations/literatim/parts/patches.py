"""Random patches of an image for training (Szegedy et al. 2015, Sec. 6)."""

import torch

TRIES = 100


def patch_of(
    height: int,
    width: int,
    generator: torch.Generator,
    area: tuple[float, float] = (0.08, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
) -> tuple[int, int, int, int]:
    """(top, left, height, width) of a random patch of an image of that size.

    Its part of the image's area is drawn evenly, its place too. Open in the paper: how the aspect ratio, width over
    height, is drawn (here evenly), and what happens where a patch does not fit into the image. Here another one is
    drawn; images so long that none fits give the largest patch in their middle.
    """
    for _ in range(TRIES):
        share, ratio, down, across = torch.rand(4, generator=generator).tolist()
        pixels = (area[0] + share * (area[1] - area[0])) * height * width
        ratio = aspect[0] + ratio * (aspect[1] - aspect[0])
        tall, wide = round((pixels / ratio) ** 0.5), round((pixels * ratio) ** 0.5)
        if 0 < tall <= height and 0 < wide <= width:
            return int(down * (height - tall + 1)), int(across * (width - wide + 1)), tall, wide
    tall, wide = min(height, max(1, round(width / aspect[0]))), min(width, max(1, round(height * aspect[1])))
    return (height - tall) // 2, (width - wide) // 2, tall, wide
