"""Checks of how the agent learns, for the papers of 2013 and 2015 alike. They read the recipe `breakout`, which is as
printed, and watch the data module and the training at work on a game of nothing, so that none need be installed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from literatim.claims.given import setting
from literatim.claims.once import once
from literatim.datasets import experience, games, replay
from literatim.datasets.games import Seen
from literatim.parts.transitions import Transitions

HERTZ = 60  # frames of the emulator in a second


class Nothing:
    """A game of three actions and screens of 10x10, whose episodes have `length` steps of one reward each."""

    actions, size, names = 3, 10, ("a", "b", "c")

    def __init__(self, reward: float = 0.0, length: int = 7) -> None:
        self.reward, self.length, self.steps, self.taken = reward, length, 0, [0, 0, 0]

    def begin(self, rng: np.random.Generator) -> Any:
        self.steps = 0
        return np.full((10, 10), 1, np.uint8)

    def step(self, action: int) -> Seen:
        self.steps += 1
        self.taken[action] += 1
        over = self.steps == self.length
        return Seen(np.full((10, 10), self.steps % 255 + 1, np.uint8), self.reward, over, over)


def section(paper: str, name: str) -> dict[str, Any]:
    """What the recipe `breakout` sets of the model, the data or the trainer."""
    return dict(setting(paper, "breakout", name))


def data(paper: str, **other: Any) -> Any:
    """The data module as in the recipe; nothing is played yet."""
    return experience.ExperienceDataModule(**{**section(paper, "data"), **other})


def playing(paper: str, game: Any, **other: Any) -> Any:
    """The same with a small memory, on a game of ours."""
    module = data(paper, **{"start": 200, "capacity": 500, **other})
    module.game = game
    module.act_by(lambda state: np.array([0.0, 1.0, 0.5], np.float32))
    return module


def training(paper: str) -> Any:
    """The training as in the recipe, with a small network."""
    found = import_module(f"literatim.papers.{paper}.training")
    made = {"dqn": "DQNTraining", "dqn2013": "DQN2013Training"}[paper]
    return getattr(found, made)(**{**section(paper, "model"), "variant": "catch"})


def untouched(paper: str) -> Any:
    """The same for checks that change nothing of it."""
    return once(("training", paper), lambda: training(paper))


# --- Numbers -----------------------------------------------------------------------------------------


def number(paper: str, row: str) -> float:
    return round(float({**DATA, **OPTIMISER}[row](paper)), 9)


def minibatch(paper: str) -> int:
    return len(playing(paper, Nothing()).played().actions)


def between_updates(paper: str) -> int:
    """Actions that are selected between two minibatches."""
    module = playing(paper, Nothing())
    module.played()
    before = sum(module.game.taken)
    module.played()
    return sum(module.game.taken) - before


def epsilon_at(paper: str, step: int) -> float:
    module = data(paper)
    module.memory = SimpleNamespace(seen=step)
    return float(module.epsilon_now())


def exploration_ends(paper: str) -> int:
    """The step from which on epsilon is what it stays at."""
    last, low, high = epsilon_at(paper, 10**10), 0, 10**8
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if epsilon_at(paper, middle) == last else (middle + 1, high)
    return low


def steps_in_all(paper: str) -> int:
    """Of the agent, one for every frame that it sees, by the end of the recipe."""
    module = data(paper)
    return int(setting(paper, "breakout", "trainer.max_epochs") * module.updates * module.every)


def days_of_play(paper: str) -> float:
    return steps_in_all(paper) * data(paper).screen["repeat"] / HERTZ / 86_400


def first_step(paper: str, gradient: float) -> tuple[Any, Tensor, Any]:
    """(the optimiser, what the first update takes from a weight with such a gradient, its state)."""
    net = untouched(paper)
    weight = torch.nn.Parameter(torch.zeros(100))
    with patch.object(net, "net", torch.nn.ParameterList([weight])):
        optimiser = net.configure_optimizers()
    before = weight.detach().clone()
    weight.grad = torch.full_like(weight, gradient)
    optimiser.step()
    return optimiser, before - weight.detach(), optimiser.state[weight]


def least_square(paper: str) -> float:
    """What stands in the denominator's root beside the squared gradient, which is nearly nothing here."""
    optimiser, taken, _ = first_step(paper, 1e-3)
    return round(float((optimiser.param_groups[0]["lr"] * 1e-3 / taken.mean()) ** 2), 4)


def rate(paper: str) -> float:
    """From a step with a gradient beside which nothing else counts."""
    _, taken, state = first_step(paper, 1e4)
    spread = (state["square"] - state["mean"].square()).mean().sqrt()
    return round(float(taken.mean() * spread / 1e4), 7)


def momentum(paper: str, name: str) -> float:
    """The share of a running mean that an update leaves: the first leaves none, for it was zero."""
    _, _, state = first_step(paper, 2.0)
    return round(1 - float(state[name].mean()) / {"mean": 2.0, "square": 4.0}[name], 6)


DATA = {
    "minibatch": minibatch,
    "memory": lambda paper: data(paper).capacity,
    "history": lambda paper: playing(paper, Nothing()).played().screens.shape[1] - 1,
    "action-repeat": lambda paper: pressed(paper),
    "update-frequency": between_updates,
    "initial-exploration": lambda paper: epsilon_at(paper, 0),
    "final-exploration": lambda paper: epsilon_at(paper, 10**10),
    "exploration-ends": exploration_ends,
    "replay-start": lambda paper: data(paper).start,
    "no-ops": lambda paper: data(paper).screen["noops"],
    "steps": steps_in_all,
    "days": days_of_play,
    "tests": lambda paper: data(paper).tests,
    "minutes": lambda paper: data(paper).tested["most"] / HERTZ / 60,
    "test-epsilon": lambda paper: data(paper).test_epsilon,
    "random-hertz": lambda paper: HERTZ / data(paper).random_repeat,
    "random-frames": lambda paper: data(paper).random_repeat,
}
OPTIMISER = {
    "target": lambda paper: copied_after(paper),  # it stands below
    "discount": lambda paper: discount(paper),
    "rate": rate,
    "gradient-momentum": lambda paper: momentum(paper, "mean"),
    "squared-gradient-momentum": lambda paper: momentum(paper, "square"),
    "least-squared-gradient": least_square,
}


# --- Rules -------------------------------------------------------------------------------------------


def straight(paper: str) -> bool:
    """Whether epsilon falls along a straight line and then stays."""
    end = exploration_ends(paper)
    start = data(paper).start
    first, last = epsilon_at(paper, start), epsilon_at(paper, end)
    half = epsilon_at(paper, start + (end - start) // 2)
    stays = {epsilon_at(paper, step) for step in (end, 2 * end, 10 * end)}
    return math.isclose(half, (first + last) / 2, rel_tol=1e-4) and first > last and stays == {last}


def clipped(paper: str, reward: str) -> float:
    """What is remembered of a reward, `plus-4` or `minus-7` or `none`."""
    sign, _, size = reward.partition("-")
    module = playing(paper, Nothing({"plus": 1, "minus": -1, "none": 0}[sign] * float(size or 0)))
    return float(module.played().rewards[0])


def unclipped_in_tests(paper: str) -> bool:
    """Whether an episode's score is the game's own."""
    module = playing(paper, Nothing())
    with patch.object(experience, "game", lambda *_, **__: Nothing(5.0, 6)):
        return bool(module.episode("test", 0).score == 30.0)


def lives(paper: str, where: str) -> bool:
    """Whether a lost life ends the episode where it is learned, and not in a test."""
    module = data(paper)
    found: dict[str, Any] = {"learning": module.learned, "test": module.tested}[where]
    return bool(found["life_ends"] is (where == "learning"))


def greedy(paper: str) -> bool:
    """Without chance the action of the greatest value; by chance alone each of them."""
    module = playing(paper, Nothing())
    rng = np.random.default_rng(0)
    state = np.zeros((4, 10, 10), np.uint8)
    chosen = {module.choose(state, 0.0, rng)[0] for _ in range(50)}
    drawn = np.bincount([module.choose(state, 1.0, rng)[0] for _ in range(3000)], minlength=3)
    return chosen == {1} and bool((abs(drawn - 1000) < 150).all())


def at_random(paper: str) -> bool:
    """Whether random play asks no network, takes each action as often as any other, and has the game's own score."""
    module, played = data(paper, tests=1), Nothing(5.0, 3000)
    module.act_by(lambda state: {}[0])  # to ask is an error
    with patch.object(experience, "game", lambda *_, **__: played):
        scores = module.at_random("ALE/Nothing-v5")
    return scores == [15_000.0] and all(abs(times - 1000) < 150 for times in played.taken)


def uniform(paper: str) -> bool:
    """Whether every transition of the memory is drawn as often as any other, an old one as a new."""
    rewards = np.asarray(filled(60, 40).draw(20_000, np.random.default_rng(0)).rewards, int)
    counts = np.bincount(rewards)[rewards.min() :]
    return len(rewards) == 20_000 and len(counts) > 30 and bool(counts.max() < 1.5 * counts.min())


def last_kept(paper: str) -> int:
    """How far back a memory of 40 steps reaches."""
    memory = filled(100, 40)
    return 100 - int(memory.draw(2000, np.random.default_rng(0)).rewards.min())


def filled(steps: int, capacity: int) -> replay.ReplayMemory:
    """A memory whose rewards are the numbers of their steps."""
    memory = replay.ReplayMemory(capacity, 2, 1)
    for step in range(steps):
        memory.add(np.zeros((2, 2), np.uint8), 0, float(step), False, False)
    return memory


def batch(ended: float, last: int = 200, actions: int = 3) -> Transitions:
    """Four transitions whose last screen is grey of that level."""
    generator = torch.Generator().manual_seed(0)
    screens = torch.randint(256, (4, 5, 10, 10), generator=generator, dtype=torch.uint8)
    screens[:, -1] = last
    return Transitions(screens, torch.arange(4) % actions, torch.tensor([1.0, -1.0, 0.0, 1.0]), torch.full((4,), ended))


@contextmanager
def quiet(net: Any) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Within it the training logs nothing, and (value, y) of its loss are noted."""
    seen: list[tuple[Tensor, Tensor]] = []
    whole = net.loss

    def note(value: Tensor, y: Tensor) -> Tensor:
        seen.append((value, y))
        return whole(value, y)

    with patch.object(net, "log", lambda *_, **__: None), patch.object(net, "loss", note):
        yield seen


def targets(net: Any, given: Transitions) -> tuple[Tensor, Tensor]:
    """(value, y) of a minibatch."""
    with quiet(net) as seen:
        net.training_step(given, 0)
    return seen[0]


def terminal(paper: str) -> bool:
    """For terminal states y is the reward alone, whatever is seen after them."""
    _, y = targets(untouched(paper), batch(1.0))
    return torch.equal(y, batch(1.0).rewards)


def discount(paper: str) -> float:
    """y less the reward, over the greatest value of the next state."""
    net, given = untouched(paper), batch(0.0)
    _, y = targets(net, given)
    following = net.target(given.screens[:, 1:].float() / 255).amax(dim=1)
    return round(float(((y - given.rewards) / following).detach().mean()), 5)


def fixed_targets(paper: str) -> bool:
    """Whether y stays as it is while the network that learns changes."""
    net = training(paper)
    _, before = targets(net, batch(0.0))
    with torch.no_grad():
        net.net.values.bias += 1.0
    return torch.equal(before, targets(net, batch(0.0))[1])


def own_targets(paper: str) -> bool:
    """Whether y changes with the network that learns."""
    return not fixed_targets(paper)


def constant_targets(paper: str) -> bool:
    """Whether no error is propagated through the targets."""
    _, y = targets(untouched(paper), batch(0.0))
    return not y.requires_grad


def alike_at_first(paper: str) -> bool:
    """θ⁻ = θ."""
    net = untouched(paper)
    pairs = list(zip(net.net.parameters(), net.target_net.parameters(), strict=True))
    return all(torch.equal(a, b) and a is not b for a, b in pairs)


def copied_after(paper: str) -> int:
    """The number of updates after which the target network is as the other again."""
    net = training(paper)
    with torch.no_grad():
        net.net.values.bias += 1.0
    for updates in (1, 10, 100, 1_000, 2_500, 9_999, 10_000, 10_001, 50_000):
        net._trainer = SimpleNamespace(global_step=updates, max_steps=-1, datamodule=None, num_training_batches=-1)
        net.on_train_batch_end(None, None, 0)
        if torch.equal(net.net.values.bias, net.target_net.values.bias):
            return updates
    return 0


def slope_at(paper: str, side: str) -> float:
    """The derivative where Q is less than y by 3, `negative`, or greater, `positive`."""
    return slope(paper, {"negative": 3.0, "positive": -3.0}[side])


def slope(paper: str, error: float) -> float:
    """The derivative of a minibatch's loss, by the value of an action whose y is greater by that error."""
    value = torch.zeros(1, requires_grad=True)
    (found,) = torch.autograd.grad(untouched(paper).loss(value, torch.tensor([error])), value)
    return float(found)


def errors_clipped(paper: str) -> bool:
    """Whether what is propagated back is the error, between -1 and 1."""
    return all(math.isclose(-slope(paper, e), min(max(e, -1.0), 1.0), abs_tol=1e-6) for e in (-9, -1.5, -0.5, 0.25, 3))


def squared_error(paper: str) -> bool:
    """Whether what is propagated back is proportional to the error, however large it is."""
    return all(math.isclose(slope(paper, error), error * slope(paper, 1.0), abs_tol=1e-5) for error in (-9, 0.5, 30))


def printed_loss(y: Tensor, q: Tensor) -> Tensor:
    """(y - Q)², of which the printed gradient is to be the derivative."""
    return (y - q).square()


def factor_of_the_gradient() -> float:
    """The derivative of the printed loss by Q, over the factor that stands before ∇Q in the printed gradient."""
    y, q = torch.tensor(3.0), torch.tensor(1.0, requires_grad=True)
    (found,) = torch.autograd.grad(printed_loss(y, q), q)
    return float(found / (y - q).detach())


def factor_by_hand() -> float:
    """The same as a limit of differences."""
    step, y, q = 1e-6, 3.0, 1.0
    return round(((y - q - step) ** 2 - (y - q + step) ** 2) / (2 * step) / (y - q), 3)


# --- Screens -----------------------------------------------------------------------------------------


def atari(paper: str) -> Any:
    """A game of ALE as in the recipe, around an emulator that counts how often which action is pressed."""
    module = data(paper)
    ale: Any = SimpleNamespace(pressed=[], act=lambda action: ale.pressed.append(action.name) or 0.0)
    ale.getMinimalActionSet = lambda: [SimpleNamespace(name=name) for name in ("NOOP", "FIRE")]
    env = SimpleNamespace(action_space=SimpleNamespace(n=2), reset=lambda **_: None)
    env.unwrapped = SimpleNamespace(ale=ale)
    ale.getScreenRGB = lambda screen: None
    with patch.object(games, "make", lambda name, **_: env):
        return games.Atari("ALE/Nothing-v5", **module.screen, **module.learned)


def pressed(paper: str) -> int:
    """Frames of the emulator in which an action that is selected once is pressed."""
    made = atari(paper)
    made.press(1)
    return int(made.ale.pressed.count("FIRE"))


def seen(paper: str, before: tuple[int, int, int], now: tuple[int, int, int]) -> Any:
    """What the agent gets of two frames of one colour each."""
    made = atari(paper)
    made.before[:] = before

    def fill(screen: Any) -> None:
        screen[:] = now

    made.ale.getScreenRGB = fill
    return made.screen()


def side(paper: str) -> tuple[int, ...]:
    return tuple(seen(paper, (0, 0, 0), (0, 0, 0)).shape)


def maximum(paper: str) -> bool:
    """Red in one frame and blue in the other are seen as what is both."""
    both = seen(paper, (255, 0, 255), (255, 0, 255))
    return bool(both.max() > 0 and np.array_equal(seen(paper, (255, 0, 0), (0, 0, 255)), both))


def luminance(paper: str) -> bool:
    """White is as bright as can be, green brighter than red, and red than blue; the three together are white."""
    colours = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
    red, green, blue, white = (int(seen(paper, colour, colour).max()) for colour in colours)
    return white == 255 and green > red > blue > 0 and abs(red + green + blue - 255) <= 1


def rows_before_the_crop(paper: str) -> tuple[int, ...]:
    """The image of which a part is cropped."""
    found: list[tuple[int, ...]] = []
    whole = games.Atari.small

    def note(self: Any, frame: Any) -> Any:
        small = whole(self, frame)
        found.append(small.shape)
        return small

    with patch.object(games.Atari, "small", note):
        seen(paper, (0, 0, 0), (0, 0, 0))
    return tuple(found[0])
