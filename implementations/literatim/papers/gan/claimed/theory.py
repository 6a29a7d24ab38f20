"""Sec. 4 with distributions over a few points: what the best D is, what it leaves to G, and where that leads."""

from __future__ import annotations

import math
from fractions import Fraction

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from literatim.claims import Finding
from literatim.papers.gan import model
from literatim.papers.gan.checks import FAKE, REAL, seeded, small_pair


def distributions(number: int = 10, size: int = 5) -> list[tuple[Tensor, Tensor]]:
    """Pairs of distributions over a few points."""
    logits = 1.5 * torch.randn(number, 2, size, dtype=torch.float64, generator=seeded())
    return [(p, q) for p, q in logits.softmax(dim=2)]


def value(p: Tensor, q: Tensor, logits: Tensor) -> Tensor:
    """V for a D that has a logit at every point: the model's own loss, its expectations taken over the points."""
    zero = torch.full((1,), -1e9, dtype=logits.dtype)  # a sample that D is sure of adds nothing, and so does an image
    of_data = torch.stack([model.discriminator_loss(s[None], zero) for s in logits])
    of_samples = torch.stack([model.discriminator_loss(-zero, s[None]) for s in logits])
    return -(p * of_data + q * of_samples).sum()


def best_table(p: Tensor, q: Tensor, start: float = 0.0) -> Tensor:
    """The logits of the D that maximises V, found by following its gradient from where all of them are `start`."""
    logits = torch.full_like(p, start).requires_grad_()
    ascent = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-10, tolerance_change=0, history_size=20)

    def closure() -> Tensor:
        ascent.zero_grad()
        loss = -value(p, q, logits)
        loss.backward()
        return loss

    ascent.step(closure)
    return logits.detach()


def best_discriminator_is_the_ratio() -> bool:
    return all(torch.allclose(best_table(p, q).sigmoid(), p / (p + q), atol=1e-4) for p, q in distributions(number=4))


def half_everywhere() -> float:
    """D at its best where the samples have the distribution of the data; -1 where it is not the same everywhere."""
    p, _ = distributions()[0]
    found = best_table(p, p, start=1.5).sigmoid()
    return float(found.mean()) if float(found.max() - found.min()) < 1e-6 else -1


SIGNS = ((2.0, 1.0), (-2.0, -1.0), (2.0, -1.0), (-1.0, 2.0))  # a and b: one pair for each pair of signs


def quadrants_with_the_peak() -> int:
    """For how many pairs of signs a log D + b log(1 - D), by the model's losses, is largest at D = a/(a + b)."""
    d = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    zero = torch.full((1,), -1e9, dtype=d.dtype)
    of_data = torch.stack([-model.discriminator_loss(s[None], zero) for s in d.logit()])
    of_samples = torch.stack([-model.discriminator_loss(-zero, s[None]) for s in d.logit()])
    peaks = [(float(d[(a * of_data + b * of_samples).argmax()]), a / (a + b)) for a, b in SIGNS]
    return sum(abs(found - said) < 0.002 for found, said in peaks)


def quadrants_by_hand() -> int:
    """The same with logarithms alone."""
    grid = [i / 1000 for i in range(1, 1000)]
    peaks = [(max(grid, key=lambda y: a * math.log(y) + b * math.log(1 - y)), a / (a + b)) for a, b in SIGNS]
    return sum(abs(found - said) < 0.002 for found, said in peaks)


def objective_is_a_likelihood() -> bool:
    """V against the log-likelihood of the labels, 1 for data and 0 for samples, under D, over each half's size."""
    said = -F.binary_cross_entropy_with_logits(torch.cat([REAL, FAKE]), torch.tensor([[1.0]] * 3 + [[0.0]] * 3))
    return math.isclose(-float(model.discriminator_loss(REAL, FAKE)), 2 * float(said), rel_tol=1e-5)


def criterion_is_two_divergences() -> bool:
    """The largest V against Eq. 5, its two Kullback-Leibler divergences from the mean taken by torch."""
    for p, q in distributions(number=4):
        of = [torch.distributions.Categorical(probs=each) for each in (p, q, (p + q) / 2)]
        kl = [float(torch.distributions.kl_divergence(each, of[2])) for each in of[:2]]
        if abs(float(value(p, q, best_table(p, q))) - (sum(kl) - math.log(4))) > 1e-6:
            return False
    return True


def gradient_is_that_at_the_best() -> bool:
    """C after a small change of p_g, less C before it, against the change times log(1 - D*)."""
    for p, q in distributions(number=3):
        change = 1e-4 * (p - q)
        found = (value(p, q + change, best_table(p, q + change)) - value(p, q - change, best_table(p, q - change))) / 2
        if not math.isclose(float(found), float((change * (q / (p + q)).log()).sum()), rel_tol=1e-3):
            return False
    return True


def descent_of_both_losses() -> bool:
    """Against the best D: neither loss moves p_g where it is p_data, and elsewhere both bring it nearer."""
    for p, q in distributions(number=3):
        for loss in ("minimax", "non-saturating"):
            moved = []
            for of in (p, q):
                logits = of.log().requires_grad_()
                terms = torch.stack([model.generator_loss(s[None], loss) for s in (p / of).log()])
                (gradient,) = torch.autograd.grad((logits.softmax(0) * terms).sum(), logits)
                moved.append((logits.detach() - 0.01 * gradient).softmax(0))
            if (moved[0] - p).abs().max() > 1e-9 or divergence(p, moved[1]) >= divergence(p, q):
                return False
    return True


def divergence(p: Tensor, q: Tensor) -> float:
    """Jensen and Shannon's."""
    m = (p + q) / 2
    return float((p * (p / m).log()).sum() + (q * (q / m).log()).sum()) / 2


def noise_is_like_samples() -> bool:
    """Whether what G is given has as many components as what it makes, as draws from p_g would have."""
    net = small_pair()
    return net.noise(2).shape == net.generator(torch.zeros(2, net.generator.h0.in_features)).shape


def prior_is_not_the_samples_distribution() -> bool:
    """Sec. 4's p_g, the distribution of G(z), by counting: of a G on three points it is not that of z, and noise drawn
    from it would give samples of a third distribution."""
    z = {0: Fraction(1, 2), 1: Fraction(1, 4), 2: Fraction(1, 4)}

    def samples(prior: dict[int, Fraction]) -> dict[int, Fraction]:
        made: dict[int, Fraction] = {}
        for point, share in prior.items():
            made[(0, 0, 1)[point]] = made.get((0, 0, 1)[point], Fraction(0)) + share
        return made

    return len({tuple(sorted(each.items())) for each in (z, samples(z), samples(samples(z)))}) == 3


def density(x: Tensor, centre: float) -> Tensor:
    return torch.exp(-((x - centre) ** 2) / 2) / math.sqrt(2 * math.pi)


def trained_discriminator_is_the_ratio() -> Finding:
    """A network of maxout units is trained to tell N(-1, 1) from N(1, 1), as in Algorithm 1; D* beside it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(model.Maxout(1, 16, 5), model.Maxout(16, 16, 5), nn.Linear(16, 1))
        descent = torch.optim.Adam(net.parameters(), lr=5e-3)
        for step in range(400):
            for group in descent.param_groups:
                group["lr"] = 5e-3 * (1 - step / 400)
            descent.zero_grad()
            model.discriminator_loss(net(torch.randn(1000, 1) - 1), net(torch.randn(1000, 1) + 1)).backward()
            descent.step()
    x = torch.linspace(-2.5, 2.5, 101)[:, None]
    p, q = density(x, -1), density(x, 1)
    worst = float((net(x).detach().sigmoid() - p / (p + q)).abs().max())
    return Finding(
        worst < 0.05,
        f"after 400 updates nowhere between -2.5 and 2.5 further than {worst:.3f} from p/(p + q)",
        f"更新 400 次之后，在 -2.5 与 2.5 之间与 p/(p + q) 相差不超过 {worst:.3f}",
    )


def criterion_at_equality() -> float:
    """C(G) where G has the distribution of the data: the largest value of V, found by ascent."""
    p, _ = distributions()[0]
    return float(value(p, p, best_table(p, p)))


def criterion_is_the_divergence() -> Finding:
    r"""The largest $V$ against $-\log 4 + 2\,\mathrm{JSD}$, the divergence written out, and above $-\log 4$ itself."""
    worst, least = 0.0, math.inf
    for p, q in distributions():
        found = float(value(p, q, best_table(p, q)))
        worst, least = max(worst, abs(found - (2 * divergence(p, q) - math.log(4)))), min(least, found)
    return Finding(
        worst < 1e-6 and least > -math.log(4),
        f"on ten pairs of distributions over five points, off by at most {worst:.0e}",
        f"在五个点上的十对分布上，误差不超过 {worst:.0e}",
    )


def fit_to_the_end(images: Tensor, made: Tensor, net: nn.Module, steps: int = 80) -> float:
    """V on these images after D was trained on them alone."""
    descent = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(steps):
        descent.zero_grad()
        loss = model.discriminator_loss(net(images), net(made))
        loss.backward()
        descent.step()
    return -float(loss.detach())


def discriminator_overfits() -> Finding:
    """Images and samples of one and the same distribution, 20 each: D, trained to the end, tells them apart."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = small_pair().discriminator.eval()
        images, made, fresh, others = torch.rand(4, 20, 784)
        seen = fit_to_the_end(images, made, net)
        with torch.no_grad():
            unseen = -float(model.discriminator_loss(net(fresh), net(others)))
    return Finding(
        seen > -0.1 and unseen < -math.log(4),
        f"of one distribution, where D can have no more than -1.39, it has {seen:.2f} on what it has seen, "
        f"{unseen:.2f} on fresh draws",
        f"二者同分布，最优值不过 -1.39；D 在见过的样本上达 {seen:.2f}，在新抽取的样本上为 {unseen:.2f}",
    )


def generator_collapses() -> Finding:
    """G is trained against a D that stands still: how far its samples lie from their mean, before and after."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = small_pair()
        net.discriminator.eval()
        descent, z = torch.optim.Adam(net.generator.parameters(), lr=0.05), net.noise(200)
        spread = [float(net.generator(z).detach().std(0).mean())]
        for _ in range(200):
            descent.zero_grad()
            model.generator_loss(net.discriminator(net.generator(net.noise(50))), "non-saturating").backward()
            descent.step()
        spread.append(float(net.generator(z).detach().std(0).mean()))
    return Finding(
        spread[1] < spread[0] / 3,
        f"the samples of 200 noises differ by {spread[0]:.2f} a pixel, after 200 updates of G alone by {spread[1]:.4f}",
        f"200 个噪声的样本，每像素标准差原为 {spread[0]:.2f}，只更新 G 200 次之后为 {spread[1]:.4f}",
    )


def generator_converges() -> Finding:
    """Proposition 2: with D at its optimum in every step, small steps of p_g on E log(1 - D) bring it to p_data."""
    p, q = distributions()[1]
    logits = q.log().requires_grad_()
    before = float((p - q).abs().sum()) / 2
    for _ in range(1500):
        now = logits.softmax(0)
        best = (p / now.detach()).log()  # of D* = p / (p + p_g)
        terms = torch.stack([model.generator_loss(s[None], "minimax") for s in best])
        (gradient,) = torch.autograd.grad((now * terms).sum(), logits)
        logits = (logits - 2 * gradient).detach().requires_grad_()
    after = float((p - logits.detach().softmax(0)).abs().sum()) / 2
    return Finding(
        before > 0.1 and after < 1e-3,
        f"the distance in total variation goes from {before:.2f} to {after:.0e}",
        f"全变差距离由 {before:.2f} 降至 {after:.0e}",
    )
