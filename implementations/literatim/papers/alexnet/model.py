r"""AlexNet (Krizhevsky, Sutskever, Hinton 2012), Sec. 3, Fig. 2."""

from torch import Tensor, nn
from torch.nn import functional as F


class ResponseNormalization(nn.Module):
    r"""Local response normalisation (Sec. 3.3): big activities hold down their neighbours in adjacent maps.

    $$b^i = a^i \Big/ \Big(k + \alpha \sum_{j = \max(0,\, i - n/2)}^{\min(N - 1,\, i + n/2)} (a^j)^2\Big)^\beta$$

    The sum runs over the n maps nearest to map i, at the same place; maps beyond the first and the last count as
    zero. n is odd. The printed formula takes $\alpha$ times the *sum* of the squares; `released` takes $\alpha$ times
    their *mean* over n, as the released code does and libraries after it (`torch.nn.LocalResponseNorm` too).
    Input and output (N, maps, height, width).
    """

    def __init__(
        self, n: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, released: bool = False
    ) -> None:
        super().__init__()
        self.n, self.k, self.beta = n, k, beta
        self.alpha = alpha / n if released else alpha

    def forward(self, a: Tensor) -> Tensor:
        beside = self.n // 2
        total = F.pad(a.square(), (0, 0, 0, 0, beside, beside)).unfold(1, self.n, 1).sum(dim=-1)
        return a / (self.k + self.alpha * total) ** self.beta
