r"""Deep Q-learning with experience replay and a target network: Algorithm 1 of 2015."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import literatim
from literatim.errors import LiteratimError
from literatim.papers.dqn2013.training import DQN2013Training
from literatim.parts.half import half


class DQNTraining(DQN2013Training):
    r"""The training of 2013 with what came in 2015: a second network for the targets, and errors that are clipped.

    What is logged is what 2013's logs.

    Args:
        variant: a variant of the card
        options: options of the model, such as `actions: 6`
        gamma: the discount of future rewards
        target_every: updates after which the network is copied as the one that gives the targets; 0 for none of its own
        clip_error: whether the error that is propagated back is clipped to -1 to 1
        lr: the learning rate
        gradient_momentum: the decay of the gradient's running mean
        squared_gradient_momentum: the decay of the squared gradient's
        min_squared_gradient: the constant inside RMSProp's root
        engine: "plain" torch; "exact", RMSProp's step in one pass, compiled by numba; "half", the same with copies of
            the networks in bf16, which also act
    """

    paper = "dqn"

    def __init__(
        self, variant: str = "breakout", options: dict[str, Any] = {}, gamma: float = 0.99,  # noqa: B006
        target_every: int = 10_000, clip_error: bool = True, lr: float = 0.00025, gradient_momentum: float = 0.95,
        squared_gradient_momentum: float = 0.95, min_squared_gradient: float = 0.01,
        engine: Literal["plain", "exact", "half"] = "plain",
    ) -> None:  # fmt: skip
        super().__init__(
            variant, options, gamma, lr, gradient_momentum, squared_gradient_momentum, min_squared_gradient, engine
        )
        if target_every < 0:
            raise LiteratimError(
                f"model.target_every is {target_every}; it must be at least 1, or 0 for no target network"
            )
        self.save_hyperparameters()
        self.target_every, self.clip_error = target_every, clip_error
        self.target_net = cast(nn.Module, literatim.load(self.paper, variant, **options)) if target_every else self.net
        self.target_net.to(memory_format=torch.channels_last).requires_grad_(not target_every)
        self.copy()

    @torch.no_grad()
    def copy(self) -> None:
        """Every C steps, $\\hat Q = Q$."""
        if self.target_every:
            self.target_net.load_state_dict(self.net.state_dict())
            self.made.pop("target_net", None)

    def target(self, following: Tensor) -> Tensor:
        """(N, A): the values of the next states, by the network of up to `target_every` updates ago."""
        if self.engine == "half" and "target_net" not in self.made:
            self.made["target_net"] = half(self.target_net)
        return self.working("target_net")(following)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_end(outputs, batch, batch_idx)
        if self.target_every and self.trainer.global_step % self.target_every == 0:
            self.copy()

    def loss(self, value: Tensor, y: Tensor) -> Tensor:
        """Summed over the minibatch; clipped errors are those of an absolute value beyond 1 (Methods, *Training*)."""
        if self.clip_error:
            return F.smooth_l1_loss(value, y, reduction="sum")
        return super().loss(value, y)
