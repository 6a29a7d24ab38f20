r"""The losses (Sec. II-C), how often weights are updated (Appendix C), and how far apart they start (Appendix A)."""

from __future__ import annotations

import math
from itertools import product
from types import SimpleNamespace
from typing import cast
from unittest.mock import patch

import torch
from torch import Tensor

from literatim.claims import Finding, given
from literatim.datasets.tensors import TensorBatches
from literatim.papers.lenet import levenberg_marquardt as lm
from literatim.papers.lenet import model, training
from literatim.papers.lenet.claimed.layers import net_as_trained

# --- Losses ----------------------------------------------------------------------------------------


def states(n: int) -> Tensor:
    return 3 * torch.rand(n, 84, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1.5


def outputs_are_log_likelihoods() -> bool:
    """An output and the log-density of a Gaussian about the code, with a variance of a half, have one constant sum."""
    net, x = net_as_trained().double(), states(5)
    gaussian = torch.distributions.Normal(cast(Tensor, net.output.codes), math.sqrt(0.5))
    total = net.output(x) + gaussian.log_prob(x[:, None]).sum(2)
    return torch.allclose(total, total[0, 0].expand_as(total))


def collapsed() -> Tensor:
    """(1, 10): outputs where all parameter vectors are one, and the state of F6 is that vector."""
    output = net_as_trained().output
    output.codes = output.codes[:1].expand(10, -1)
    return output(output.codes[:1])


CORRECT = torch.tensor([0])


def collapse_satisfies_eq_8() -> bool:
    return float(model.correct_class_loss(collapsed(), CORRECT)) == 0


def collapse_costs_in_eq_9() -> bool:
    """The collapsed outputs are as bad as guessing, and codes that are apart are better."""
    apart = torch.full((1, 10), 40.0)
    apart[0, 0] = 0
    together = float(model.discriminative_loss(collapsed(), CORRECT, j=10.0))
    return together > math.log(10) and float(model.discriminative_loss(apart, CORRECT, j=10.0)) < 0.01


def pulls(row: str) -> bool:
    """Whether a loss pulls up the outputs of the wrong classes: Eq. 8 does not touch them, Eq. 9 pulls all of them."""
    y = torch.tensor([[1.0, 2.0, 0.5, 3.0]], requires_grad=True)
    loss = model.correct_class_loss(y, CORRECT) if row == "eq8" else model.discriminative_loss(y, CORRECT, j=10.0)
    (gradient,) = torch.autograd.grad(loss, y)
    wrong = gradient[0, 1:]
    others = bool((wrong == 0).all()) if row == "eq8" else bool((wrong < 0).all())
    return others and float(gradient[0, 0]) > 0


def loss_9_is_a_posterior() -> bool:
    """Eq. 9 is minus the logarithm of the posterior of the correct class, where a class "rubbish" has the penalty j."""
    y, j = states(6)[:, :4] + 1.5, 0.7
    classes = torch.cat([y, torch.full((6, 1), j)], dim=1)
    by_hand = -torch.log_softmax(-classes, dim=1)[:, 0].mean()
    return torch.allclose(model.discriminative_loss(y, torch.zeros(6, dtype=torch.long), j), by_hand)


# --- Updates ---------------------------------------------------------------------------------------


def updates_after(patterns: int) -> int:
    """Updates of the weights while the training module goes through so many patterns."""
    module = training.LeNetTraining()
    steps: list[int] = []
    optimizer = SimpleNamespace(zero_grad=lambda: None, step=lambda: steps.append(1))
    optimizer.optimizer = optimizer
    generator = torch.Generator().manual_seed(0)
    batch = torch.rand(patterns, 1, 32, 32, generator=generator), torch.zeros(patterns, dtype=torch.long)
    with patch.object(module, "optimizers", lambda **options: optimizer):
        module.training_step(batch, 0)
    return len(steps)


def one_update_a_pattern() -> bool:
    return updates_after(3) == 3


def order_is_constant_and_random() -> bool:
    """Two passes in the order that the recipe `paper` asks for: the same both times, and not that of the files."""
    order = given.setting("lenet", "paper", "data.order")
    numbers = torch.arange(1000)
    batches = TensorBatches(numbers, numbers, 100, order)
    passes = []
    for epoch in (0, 1):
        batches.set_epoch(epoch)
        passes.append(torch.cat([inputs for inputs, _ in batches]))
    whole = torch.equal(passes[0].sort().values, numbers)
    return whole and torch.equal(passes[0], passes[1]) and not torch.equal(passes[0], numbers)


def passes_of_the_recipe() -> int:
    return given.setting("lenet", "paper", "trainer.max_epochs")


def rate_in_passes(row: str) -> float:
    """The global rate in the passes `first-last`, counted from 1; not a number where it is not one rate."""
    first, last = (int(number) for number in row.split("-"))
    rates = {training.rate_of_pass(done) for done in range(first - 1, last)}
    return rates.pop() if len(rates) == 1 else math.nan


def largest_step() -> bool:
    """Where the second derivative is zero the rate is the global one over mu, and nowhere is it larger."""
    weights = torch.nn.Parameter(torch.zeros(3))
    optimizer = lm.StochasticDiagonalLM([weights], lr=0.0005, mu=0.02)
    optimizer.measure([torch.tensor([0.0, 0.01, 100.0])])
    rates = optimizer.state[weights]["rate"]
    return math.isclose(float(rates[0]), 0.0005 / 0.02, rel_tol=1e-6) and bool((rates[1:] < rates[:-1]).all())


# --- The spread of weighted sums -------------------------------------------------------------------


def drawn(units: int, fan_in: int) -> Tensor:
    """(units, fan_in) weights as Appendix A draws them, but for the bound: uniform between -1 and 1."""
    return 2 * torch.rand(units, fan_in, generator=torch.Generator().manual_seed(fan_in)) - 1


def spread(weights: Tensor, row: str) -> float:
    """Root mean square of the weighted sums of inputs with mean zero and variance one, over inputs and units.

    A unit's mean square over the inputs is w' C w, with C their correlations: one on the diagonal, and elsewhere zero
    (independent) or one (all inputs the same).
    """
    over_inputs = weights.square().sum(1) if row == "independent" else weights.sum(1).square()
    return float(over_inputs.double().mean().sqrt())


def started(layer: str) -> Tensor:
    """(units, F) weights of a layer in twenty networks as they start, times F: all between -2.4 and 2.4, whatever F."""
    layers = [model.LeNet5().get_submodule(layer) for _ in range(20)]
    return torch.cat([each.weight.detach().flatten(1) * model.fan_in(each) for each in layers])


def growth_of_sums(row: str) -> float:
    """The power of the number of inputs with which the spread of a unit's weighted sum grows, from C1's to C5's."""
    few, many = started("c1"), started("c5")
    return round(math.log(spread(many, row) / spread(few, row)) / math.log(many.shape[1] / few.shape[1]), 1)


def growth_by_all_signs() -> float | None:
    r"""The same for inputs that are all the same, counted out: every choice of signs for up to ten equal weights.

    $E[(\sum_i w_i x_i)^2] = \sum_{ij} E[w_i w_j]\, E[x_i x_j]$, and where weights are drawn independently about zero
    $E[w_i w_j] = 0$ for i other than j: what is left is $s^2 \sum_i E[x_i^2]$, whatever the inputs have in common.
    """
    mean_squares = {}
    for inputs in (2, 4, 10):
        sums = [sum(signs) for signs in product((-1, 1), repeat=inputs)]
        mean_squares[inputs] = sum(s * s for s in sums) / len(sums)
    if any(of != inputs for inputs, of in mean_squares.items()):
        return None
    return math.log(mean_squares[10] / mean_squares[2]) / (2 * math.log(10 / 2))


def aim_needs_the_root() -> Finding:
    r"""The aim printed beside the rule, weighted sums in one range for every unit, against $2.4/F$ and $2.4/\sqrt F$.

    Weights drawn independently about zero give sums whose mean square is $s^2 \sum E[x^2]$ whatever the correlation of
    the inputs (`growth_by_all_signs`); the second hypothesis of Appendix A, sums that grow linearly, does not occur.
    Only S2 and S4 escape this: their four inputs share one coefficient. So with $2.4/F$ the spread falls with the root
    of F, and with $2.4/\sqrt F$ it is one.
    """
    fan_ins = (25, 75, 100, 150, 120, 400)
    rules = {"2.4/F": lambda f: 2.4 / f, "2.4/sqrt(F)": lambda f: 2.4 / math.sqrt(f)}
    ratios = {}
    for name, bound in rules.items():
        for row in ("independent", "correlated"):
            spreads = [bound(fan_in) * spread(drawn(4000, fan_in), row) for fan_in in fan_ins]
            ratios[name, row] = max(spreads) / min(spreads)
    falls = all(abs(ratios["2.4/F", row] - 4) < 0.3 for row in ("independent", "correlated"))
    stays = all(ratios["2.4/sqrt(F)", row] < 1.1 for row in ("independent", "correlated"))
    apart = ratios["2.4/F", "independent"], ratios["2.4/F", "correlated"]
    return Finding(
        falls and stays,
        f"from 25 to 400 inputs the spread of the sums falls to 1/{apart[0]:.1f} if these are independent and to "
        f"1/{apart[1]:.1f} if they are all the same",
        f"输入数从 25 增至 400 时，加权和的标准差在输入独立时降至 1/{apart[0]:.1f}，"
        f"在输入完全相同时降至 1/{apart[1]:.1f}",
    )
