"""The engines of DQN's updates: equal to the readable one, or to what autocast computes."""

import pytest
import torch

from literatim.papers.dqn.training import DQNTraining
from literatim.parts.transitions import Transitions

pytest.importorskip("numba", reason="the engines are compiled by numba")


class Trainer:
    """What the training asks of a Trainer outside of one."""

    precision, gradient_clip_val, global_step = "bf16-mixed", None, 0


def losses(engine: str, updates: int, half: bool) -> tuple[list[float], DQNTraining]:
    torch.manual_seed(0)
    training = DQNTraining("catch", engine=engine, target_every=20)
    training.log = lambda *args, **options: None  # type: ignore[method-assign]
    training._trainer = Trainer()  # type: ignore[assignment]
    optimizer = training.configure_optimizers()
    random, found = torch.Generator().manual_seed(1), []
    for update in range(updates):
        screens = torch.randint(256, (32, 5, 10, 10), generator=random, dtype=torch.uint8)
        rewards = torch.randint(-1, 2, (32,), generator=random).float()
        batch = Transitions(screens, torch.arange(32) % 3, rewards, torch.arange(32) % 5 / 4 // 1)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = training.training_step(batch, update)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (update + 1) % 20 == 0:
            training.copy()
        found.append(float(loss))
    return found, training


def test_a_step_in_one_pass_is_the_readable_one():
    plain, one = losses("plain", 100, False)
    exact, other = losses("exact", 100, False)
    assert len(set(plain)) == 100
    torch.testing.assert_close(torch.tensor(exact), torch.tensor(plain), rtol=1e-5, atol=0)
    for name, weights in one.net.named_parameters():
        torch.testing.assert_close(other.net.get_parameter(name), weights, rtol=1e-4, atol=1e-6)


def test_copies_in_bf16_compute_what_autocast_does():
    autocast, one = losses("exact", 60, True)
    half, other = losses("half", 60, True)
    assert half == autocast
    assert all(torch.equal(other.net.get_parameter(name), weights) for name, weights in one.net.named_parameters())
    assert other.net.state_dict().keys() == one.net.state_dict().keys()
