"""Steps of an agent that learns Pong: ours through `fit`, and stable-baselines3's DQN, in turns.

    pip install stable-baselines3 opencv-python-headless
    python benchmarks/dqn.py [--rounds 9] [--threads 2] [--precision 32]

Both have the network of 2015, an update of 32 for four steps, centred RMSProp, the real emulator, and a memory that has
room for all of it. Wall-clock and processor time, medians of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from typing import Any

import gymnasium
import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from literatim.datasets.environments import make
from literatim.datasets.experience import ExperienceDataModule
from literatim.experiment.lightning import has_bf16, quieten
from literatim.papers.dqn.training import DQNTraining

UPDATES, EVERY, START = 100, 4, 1000  # of a round, steps of an update, before the first
Pair = tuple[float, float]


def clocks() -> Pair:
    return time.perf_counter(), time.process_time()


def since(start: Pair) -> Pair:
    now = clocks()
    return now[0] - start[0], now[1] - start[1]


class Peer:
    """stable-baselines3's DQN with its own Atari wrappers."""

    def __init__(self) -> None:
        from stable_baselines3 import DQN
        from stable_baselines3.common.atari_wrappers import AtariWrapper
        from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack

        def one() -> gymnasium.Env[Any, Any]:
            return AtariWrapper(make("ALE/Pong-v5", frameskip=1, repeat_action_probability=0.0))

        self.agent = DQN(
            "CnnPolicy", VecFrameStack(DummyVecEnv([one]), 4), buffer_size=50_000, learning_starts=START,
            batch_size=32, train_freq=EVERY, gradient_steps=1, learning_rate=0.00025, target_update_interval=10_000,
            exploration_initial_eps=0.1, exploration_final_eps=0.1, device="cpu",
            policy_kwargs={
                "optimizer_class": torch.optim.RMSprop,
                "optimizer_kwargs": {"alpha": 0.95, "eps": 0.01, "centered": True},
            },
        )  # fmt: skip
        self.agent.learn(START + EVERY)

    def round(self) -> Pair:
        start = clocks()
        self.agent.learn(UPDATES * EVERY, reset_num_timesteps=False)
        return since(start)


class Turns(Callback):
    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.rounds: list[tuple[Pair, Pair]] = []

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.start = clocks()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        ours = since(self.start)
        self.rounds.append((ours, self.peer.round()))
        print(*(f"{UPDATES * EVERY / t:.0f}" for pair in self.rounds[-1] for t in pair), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--engine", default="half" if has_bf16() else "exact")
    parser.add_argument("--precision", default="bf16-mixed" if has_bf16() else "32-true")
    asked = parser.parse_args()
    quieten()
    torch.set_num_threads(asked.threads)
    turns = Turns(Peer())
    print("steps a second, ours and theirs: wall-clock, processor; wall-clock, processor")
    data = ExperienceDataModule(
        "ALE/Pong-v5", updates=UPDATES, start=START, capacity=50_000, exploration=1, epsilon=(1.0, 0.1)
    )
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            default_root_dir=folder, accelerator="cpu", max_epochs=asked.rounds + 1, callbacks=[turns],
            precision=asked.precision, logger=False, enable_progress_bar=False, enable_model_summary=False,
            enable_checkpointing=False,
        ).fit(DQNTraining("pong", engine=asked.engine), datamodule=data)  # fmt: skip
    rounds = turns.rounds[1:]  # the first warms up, and plays at random before it learns
    for which, name in enumerate(("wall-clock", "processor time")):
        ours, theirs = (statistics.median(UPDATES * EVERY / pair[k][which] for pair in rounds) for k in (0, 1))
        ratio = statistics.median(pair[1][which] / pair[0][which] for pair in rounds)
        print(f"{name:<15} {ours:.0f} steps a second, stable-baselines3 {theirs:.0f}: {ratio:.2f} times")


if __name__ == "__main__":
    main()
