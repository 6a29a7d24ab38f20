r"""Deep Q-learning with experience replay: Algorithm 1 of 2013."""

from __future__ import annotations

import statistics
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule
from torch import Tensor, nn

import literatim
from literatim.errors import LiteratimError
from literatim.papers.dqn2013.model import DeepQNetwork
from literatim.parts.allocator import keep_memory
from literatim.parts.rmsprop import CentredRMSProp
from literatim.parts.smoke import Smoke
from literatim.parts.transitions import Episode, Transitions


class DQN2013Training(LightningModule):
    r"""Targets, loss, optimiser and the scores of tests.

    Logged: `train_loss`, a minibatch's mean over the epoch; `value`, the mean of the greatest value in its states;
    `score`, the mean score of the episodes that ended in the epoch, `episodes` and `steps`, the agent's so far, and
    `epsilon`. `val_score` and `test_score` are means over the episodes of a test, `…_deviation`, `…_least`, `…_most` of
    the same, `…_steps` and `…_value`, the greatest value of a state, means over its steps; `test_score_<game>` and its
    deviation are those of random play, in the games that the data module names.

    Args:
        variant: a variant of the card
        options: options of the model, such as `actions: 6`
        gamma: the discount of future rewards
        lr: the learning rate
        gradient_momentum: the decay of the gradient's running mean
        squared_gradient_momentum: the decay of the squared gradient's
        min_squared_gradient: the constant inside RMSProp's root
        engine: "plain" torch; "exact", RMSProp's step in one pass, compiled by numba; "half", the same with copies of
            the networks in bf16, which also act
    """

    paper = "dqn2013"
    bf16 = True
    best = ("val_score", "max")
    net: DeepQNetwork

    def __init__(
        self, variant: str = "breakout", options: dict[str, Any] = {}, gamma: float = 0.99,  # noqa: B006
        lr: float = 0.00025, gradient_momentum: float = 0.95, squared_gradient_momentum: float = 0.95,
        min_squared_gradient: float = 0.01, engine: Literal["plain", "exact", "half"] = "plain",
    ) -> None:  # fmt: skip
        super().__init__()
        self.save_hyperparameters()
        if not 0 <= gamma <= 1:
            raise LiteratimError(f"model.gamma is {gamma}; a discount is from 0 to 1")
        self.gamma, self.engine = gamma, engine
        self.rmsprop = (lr, gradient_momentum, squared_gradient_momentum, min_squared_gradient)
        self.net = cast(DeepQNetwork, literatim.load(self.paper, variant, **options))
        self.net.to(memory_format=torch.channels_last)
        self.made: dict[str, nn.Module] = {}  # copies in bf16, which are no part of the checkpoint
        self.episodes: list[Episode] = []

    def setup(self, stage: str) -> None:
        """Raises LiteratimError for several devices, and for a game that the network does not fit."""
        if self.trainer.world_size > 1:
            raise LiteratimError(f"{self.paper} has one agent and runs on one device: --trainer.devices 1")
        data = self.trainer.datamodule
        if hasattr(data, "act_by"):
            data.act_by(self.values_of)
            units, shown = self.net.values.out_features, data.game.actions
            if units != shown:
                raise LiteratimError(
                    f"{data.environment} has {shown} actions ({', '.join(data.game.names)}), and the network values "
                    f"{units}: --model.variant breakout --model.options.actions {shown}"
                )
            seen, made = (data.frames, data.game.size), (self.net.frames, self.net.size)
            if seen != made:
                raise LiteratimError(
                    f"the agent sees {seen[0]} screens of {seen[1]}x{seen[1]}, and the network is made for {made[0]} "
                    f"of {made[1]}x{made[1]}: model.options.frames, model.options.size"
                )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        if self.engine == "half":
            from literatim.parts.half import HalfRMSProp, half

            self.check_half()
            self.made["net"] = half(self.net)
            return HalfRMSProp(self.net, self.made["net"], *self.rmsprop)
        return CentredRMSProp(self.net.parameters(), *self.rmsprop, engine=self.engine)

    def check_half(self) -> None:
        """Raises LiteratimError where a network in bf16 cannot learn, or not as it was asked to."""
        if self.device.type != "cpu" or str(self.trainer.precision) != "bf16-mixed":
            raise LiteratimError('the engine "half" is bf16 on a processor: --trainer.precision bf16-mixed')
        if self.trainer.gradient_clip_val:
            raise LiteratimError('the engine "half" clips no gradients: leave out trainer.gradient_clip_val')

    def on_fit_start(self) -> None:
        keep_memory()

    def on_fit_end(self) -> None:
        self.made.clear()

    # --- learning ----------------------------------------------------------------------------------

    def training_step(self, batch: Transitions, batch_idx: int) -> Tensor:
        state, following = levels(batch.screens[:, :-1]), levels(batch.screens[:, 1:])
        with torch.no_grad():
            y = batch.rewards + self.gamma * (1 - batch.ended) * self.target(following).float().amax(dim=1)
        values = self.working("net")(state).float()
        loss = self.loss(values.gather(1, batch.actions[:, None])[:, 0], y)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=1)
        self.log("value", values.detach().amax(dim=1).mean(), on_step=False, on_epoch=True, batch_size=1, prog_bar=True)
        return loss

    def target(self, following: Tensor) -> Tensor:
        """(N, A): the values of the next states, by the network itself."""
        return self.working("net")(following)

    def working(self, name: str) -> nn.Module:
        """The network of that name, or the copy of it that computes."""
        found: nn.Module = self.made.get(name) or getattr(self, name)
        return found

    def loss(self, value: Tensor, y: Tensor) -> Tensor:
        """Half the squared errors, summed: its gradient is that of Eq. 3."""
        return 0.5 * (y - value).square().sum()

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        data = self.trainer.datamodule
        last = batch_idx + 1 == self.trainer.num_training_batches or self.trainer.global_step == self.trainer.max_steps
        if last and hasattr(data, "scores"):
            self.tell_progress(data)

    def tell_progress(self, data: Any) -> None:
        """At the end of an epoch, what the agent has done in it."""
        if data.scores:
            self.log("score", statistics.fmean(data.scores), prog_bar=True)
        self.log("episodes", float(len(data.scores)))
        self.log("steps", float(data.memory.seen), prog_bar=True)
        self.log("epsilon", data.epsilon_now())
        data.scores.clear()

    @torch.inference_mode()
    def values_of(self, state: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(A,) of a state (1, F, S, S): what the agent acts by."""
        with torch.autocast(self.device.type, enabled=False):  # in a test as in training
            net = self.working("net")
            shown = levels(torch.from_numpy(state).to(self.device)).to(next(net.parameters()).dtype)
            values: NDArray[np.float32] = net(shown)[0].float().cpu().numpy()
        return values

    # --- tests -------------------------------------------------------------------------------------

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        if isinstance(batch, Transitions):
            values = self.net(levels(batch.screens[:, :-1])).gather(1, batch.actions[:, None])[:, 0]
            self.log("val_loss", self.loss(values, batch.rewards), batch_size=1)
        else:
            self.episodes.append(self.trainer.datamodule.episode("val", batch))

    def on_validation_epoch_end(self) -> None:
        self.tell("val")

    def test_step(self, batch: int, batch_idx: int) -> None:
        self.episodes.append(self.trainer.datamodule.episode("test", batch))

    def on_test_epoch_end(self) -> None:
        self.tell("test")
        data = self.trainer.datamodule
        for name in data.random_play:
            self.tell_scores(f"test_score_{snake(name)}", data.at_random(name))

    def tell(self, purpose: str) -> None:
        episodes, self.episodes = self.episodes, []
        if episodes:
            self.tell_scores(f"{purpose}_score", [episode.score for episode in episodes])
            self.log(f"{purpose}_steps", statistics.fmean(episode.steps for episode in episodes))
            if values := [episode.value for episode in episodes if episode.value == episode.value]:
                self.log(f"{purpose}_value", statistics.fmean(values))

    def tell_scores(self, name: str, scores: list[float]) -> None:
        self.log(name, statistics.fmean(scores))
        self.log(f"{name}_deviation", statistics.stdev(scores) if len(scores) > 1 else 0.0)
        self.log(f"{name}_least", min(scores))
        self.log(f"{name}_most", max(scores))

    def predict_step(self, batch: Transitions, batch_idx: int) -> Tensor:
        """(N, A): the values of states."""
        return self.net(levels(batch.screens[:, :-1]))

    def smoke(self) -> Smoke:
        """Eight transitions that end: the values must come near their rewards."""
        net, random = self.net, torch.Generator().manual_seed(0)
        screens = torch.randint(256, (8, net.frames + 1, net.size, net.size), generator=random, dtype=torch.uint8)
        rewards = torch.tensor([1.0, -1.0] * 4)
        batch = Transitions(screens, torch.arange(8) % net.values.out_features, rewards, torch.ones(8))
        return Smoke(batch, "loss", "down", steps=60)


def levels(screens: Tensor) -> Tensor:
    """Grey levels from 0 to 1 of bytes (N, F, S, S), side by side in memory, as convolutions are quickest."""
    return screens.contiguous(memory_format=torch.channels_last).float() / 255


def snake(name: str) -> str:
    """ "ALE/SpaceInvaders-v5" as "space_invaders"."""
    game = name.rpartition("/")[2].partition("-")[0]
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in game).lstrip("_")
