r"""The Gaussian Parzen window of Sec. 5, as in the released `parzen_ll.py`.

The samples of a generator are taken for the centres of a mixture of Gaussians of one width $\sigma$,

$$p(x) = \frac{1}{M} \sum_{j=1}^{M} (2 \pi \sigma^2)^{-d/2} \exp\left(-\frac{\|x - s_j\|^2}{2 \sigma^2}\right),$$

and $\log p$ of test images is reported. It is no likelihood of the generator. The paper says itself that it has high
variance and does not do well in many dimensions; it also depends on the number of samples and on $\sigma$.
"""

import math

import torch
from torch import Tensor

SAMPLES = 10_000  # --num_samples
SIGMAS = tuple(10 ** (-1 + i / 9) for i in range(10))  # numpy.logspace(-1, 0, 10)
FITTED_ON = 1_000  # --limit_size: images of the validation set on which the width is chosen
CHUNK = 1_000  # images at a time: their distances to 10,000 samples take 40 MB


def squared_distances(x: Tensor, y: Tensor, norms: Tensor | None = None) -> Tensor:
    r"""(N, M) of the rows of (N, d) and (M, d), by $\|x\|^2 - 2 x \cdot y + \|y\|^2$; `norms`: $\|y\|^2$, if known."""
    norms = y.square().sum(1) if norms is None else norms
    return torch.addmm(norms, x, y.T, alpha=-2).add_(x.square().sum(1)[:, None]).clamp_(min=0)


def log_likelihood(x: Tensor, samples: Tensor, sigmas: tuple[float, ...]) -> Tensor:
    """(len(sigmas), N): the log-density, in nats, of each row of x (N, d) under windows on the samples (M, d)."""
    scale = [-0.5 / sigma**2 for sigma in sigmas]
    rest = [math.log(len(samples)) + x.shape[1] * math.log(sigma * math.sqrt(2 * math.pi)) for sigma in sigmas]
    norms, found = samples.square().sum(1), []
    for part in x.split(CHUNK):
        distances = squared_distances(part, samples, norms)
        room = torch.empty_like(distances)  # the same for all widths: to fill new memory takes longer than the sums
        found.append(torch.stack([log_sum(a, distances, room) - b for a, b in zip(scale, rest, strict=True)]))
    return torch.cat(found, dim=1)


def log_sum(a: float, distances: Tensor, room: Tensor) -> Tensor:
    """(N,): log of the sum of exp(a d) over each row of distances (N, M), worked out in `room`, of the same shape."""
    exponents = torch.mul(distances, a, out=room)
    largest = exponents.amax(1, keepdim=True)
    return exponents.sub_(largest).exp_().sum(1).log_().add_(largest[:, 0])


def best_sigma(samples: Tensor, validation: Tensor) -> float:
    """The width, of the ten tried, under which the first thousand validation images are likeliest on average."""
    means = log_likelihood(validation[:FITTED_ON], samples, SIGMAS).mean(1)
    return SIGMAS[int(means.argmax())]


def nearest(x: Tensor, images: Tensor) -> Tensor:
    """(N,): for each row of x (N, d), which of the images (M, d) is nearest to it (Fig. 2, rightmost column)."""
    return torch.cat([squared_distances(part, images).argmin(1) for part in x.split(CHUNK)])
