"""What popular programs do otherwise than the letter. Wrappers and optimisers are run; of stable-baselines3, CleanRL
and Dopamine, which are not installed, their own files' defaults stand here: dqn/dqn.py, dqn/policies.py and
common/atari_wrappers.py of stable_baselines3 at e05d2db (2.9.0a4), cleanrl/dqn_atari.py at fe8d8a0,
dopamine/tf/agents/dqn/configs/dqn.gin of Dopamine at 5873f54."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from literatim.claims.verdicts import build
from literatim.datasets import games
from literatim.datasets.environments import make
from literatim.papers.dqn2013.claimed import learning

STABLE_BASELINES = {"lr": 1e-4, "start": 100, "last_epsilon": 0.05, "copied_after_steps": 10_000, "gradient_norm": 10.0}
CLEANRL = {"lr": 1e-4, "start": 80_000, "last_epsilon": 0.01, "copied_after_steps": 1_000, "epsilon_steps": 1_000_000}
DOPAMINE = {"lr": 2.5e-4, "start": 20_000, "last_epsilon": 0.01, "copied_after_steps": 8_000, "in_the_root": 1e-5}
RELEASED = {"target_q": 10_000, "learn_start": 50_000}  # of run_gpu; both in steps of the agent
RED, BLUE = (255, 0, 0), (0, 0, 255)


def ours() -> dict[str, float]:
    steps_of_an_update = learning.between_updates("dqn")
    return {
        "lr": learning.rate("dqn"),
        "start": learning.data("dqn").start,
        "last_epsilon": learning.epsilon_at("dqn", 10**10),
        "copied_after_steps": learning.copied_after("dqn") * steps_of_an_update,
    }


def all_others(theirs: dict[str, float]) -> bool:
    return all(theirs[name] != value for name, value in ours().items())


def gradients(loss: Any) -> torch.Tensor:
    """Of a loss of two values whose errors are 3 and 0.5, by the values."""
    values = torch.zeros(2, requires_grad=True)
    (found,) = torch.autograd.grad(loss(values, torch.tensor([3.0, 0.5])), values)
    return found


def released_differs() -> bool:
    """The authors' Lua: `run_gpu`, `NeuralQLearner.lua` and `convnet.lua` of DQN 3.0 at 9d9b1d1."""
    padded = [build("dqn", variant).convolutions[0].padding for variant in ("breakout", "released")]
    return (
        padded == [(0, 0), (1, 1)]
        and ours()["copied_after_steps"] == 4 * RELEASED["target_q"]
        and learning.data("dqn").exploration_after != RELEASED["learn_start"]
    )


def stable_baselines_differs() -> bool:
    """Its loss is the mean of ours: `F.smooth_l1_loss` as it comes; Adam and a bound on the gradient's norm follow."""
    mean, total = gradients(F.smooth_l1_loss), gradients(learning.untouched("dqn").loss)
    adam = isinstance(learning.untouched("dqn").configure_optimizers(), torch.optim.Adam)
    return torch.allclose(2 * mean, total) and not adam and all_others(STABLE_BASELINES)


def cleanrl_differs() -> bool:
    """Its loss is the mean squared error, `F.mse_loss`: the error of 3 is propagated back whole."""
    theirs, total = gradients(F.mse_loss), gradients(learning.untouched("dqn").loss)
    return theirs.tolist() == [-3.0, -0.5] and total.tolist() == [-1.0, -0.5] and all_others(CLEANRL)


def dopamine_differs() -> bool:
    """Its errors are averaged over the minibatch: the constant in the root is ours over the square of its size."""
    at, optimiser = ours(), learning.untouched("dqn").configure_optimizers()
    size = learning.data("dqn").batch_size
    return (
        at.pop("lr") == DOPAMINE["lr"]
        and abs(DOPAMINE["in_the_root"] * size**2 / optimiser.least - 1) < 0.03
        and all(DOPAMINE[name] != value for name, value in at.items())
    )


def torch_rmsprop_differs() -> bool:
    """Alike for large gradients; for small ones its constant, outside the root, stops less."""
    optimiser = learning.untouched("dqn").configure_optimizers()
    lr, least = optimiser.param_groups[0]["lr"], optimiser.least
    steps = []
    for gradient in (1e3, 1e-3):
        weight = torch.nn.Parameter(torch.zeros(1))
        weight.grad = torch.tensor([gradient])
        torch.optim.RMSprop([weight], lr=lr, alpha=optimiser.decay, eps=least, centered=True).step()
        steps.append(-float(weight.detach()) / float(learning.first_step("dqn", gradient)[1][0]))
    large, small = steps
    return abs(large - 1) < 1e-3 and small > 5


def preprocessing_differs() -> bool:
    """A red frame and then a blue one are to it as grey as the brighter of the two, to the letter as what is both; a
    line of the screen is spread over what it covers; actions that do nothing are one frame each, and at least one."""
    from gymnasium.wrappers import AtariPreprocessing

    wrapped: Any = AtariPreprocessing(make("ALE/Breakout-v5", frameskip=1))
    red, blue = (int(np.rint(np.array(colour, np.float32) @ games.LUMINANCE)) for colour in (RED, BLUE))
    for buffer, grey in zip(wrapped.obs_buffer, (red, blue), strict=True):
        buffer.fill(grey)
    brighter = int(wrapped._get_obs().max())
    line = np.zeros((210, 160), np.uint8)
    line[100] = 255
    wrapped.obs_buffer[0][:], wrapped.obs_buffer[1][:] = line, 0
    spread = wrapped._get_obs()[:, 0]
    lone = np.rint(games.smaller(210, 84, "bilinear") @ line[:, 0]).astype(np.uint8)
    default = signature(AtariPreprocessing.__init__).parameters["terminal_on_life_loss"].default
    begun = []
    for wrapped.noop_max in (0, 1):
        begun.append({wrapped.reset(seed=seed) and wrapped.ale.getEpisodeFrameNumber() for seed in range(4)})
    return (
        begun[1] == {frames + 1 for frames in begun[0]}
        and brighter == max(red, blue) < int(learning.seen("dqn", RED, BLUE).max())
        and not np.array_equal(spread, lone)
        and default is False
        and learning.lives("dqn", "learning")
    )


def vector_environment_differs() -> bool:
    """What it does unless told otherwise; and by the other door, `make_vec`, actions stick besides."""
    import gymnasium
    from ale_py.vector_env import AtariVectorEnv

    make("ALE/Pong-v5")  # which registers the games
    default = {name: each.default for name, each in signature(AtariVectorEnv.__init__).parameters.items()}
    vectors = gymnasium.make_vec("ALE/Pong-v5", num_envs=1)
    sticky = vectors.spec.kwargs["repeat_action_probability"] if vectors.spec else None
    vectors.close()
    return (
        (default["use_fire_reset"], default["episodic_life"], default["repeat_action_probability"])
        == (True, False, 0.0)
        and default["reward_clipping"] is True
        and sticky == 0.25
        and isinstance(vectors, AtariVectorEnv)
    )
