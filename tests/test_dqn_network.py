"""The networks of DQN (2013, 2015) and what their cards say of other programs and of the games."""

import json
import math
from importlib.resources import files

import pytest
import torch

from literatim.claims.once import measured_once
from literatim.papers.dqn import DeepQNetwork
from literatim.papers.dqn.claimed import others, scores
from literatim.papers.dqn2013 import DeepQNetwork as DeepQNetwork2013
from literatim.papers.dqn2013.claimed import learning
from literatim.papers.dqn2013.model import side_after


@pytest.mark.parametrize("network", [DeepQNetwork, DeepQNetwork2013])
def test_weights_and_biases_start_within_the_root_of_the_inputs(network):
    net = network()
    for layer in (*net.convolutions, net.hidden, net.values):
        bound = 1 / math.sqrt(layer.weight[0].numel())
        for parameter in layer.parameters():
            assert parameter.abs().max() <= bound
        assert layer.weight.abs().max() > 0.95 * bound
        assert abs(float(layer.weight.detach().mean())) < bound / 10


def test_the_first_maps_are_as_large_with_the_authors_padding():
    assert [side_after(84, [[32, 8, 4, padding]]) for padding in (0, 1)] == [20, 20]
    plain, padded = DeepQNetwork(), DeepQNetwork(padding=1)
    padded.load_state_dict(plain.state_dict())
    x = torch.rand(1, 4, 84, 84)
    assert not torch.allclose(plain(x), padded(x))
    assert padded.convolutions[0](x).shape == plain.convolutions[0](x).shape


def test_the_linear_network_is_linear():
    net = DeepQNetwork(layers=[], hidden=None)
    a, b, nothing = torch.rand(1, 4, 84, 84), torch.rand(1, 4, 84, 84), torch.zeros(1, 4, 84, 84)
    assert torch.allclose(net(a) + net(b) - net(nothing), net(a + b), atol=1e-5)


def test_a_kernel_larger_than_its_maps_is_refused():
    with pytest.raises(ValueError, match="a kernel of 8x8 does not fit into maps of 6x6"):
        DeepQNetwork(size=6)
    with pytest.raises(ValueError, match="a kernel of 3x3 does not fit into maps of 2x2"):
        DeepQNetwork(size=30)


def test_the_counts_of_actions_are_those_of_the_emulator():
    ale_py = pytest.importorskip("ale_py", reason="the games come with pip install 'literatim[atari]'")
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    counted = json.loads(files("literatim.papers.dqn2013.claimed").joinpath("actions.json").read_text())
    assert sorted(counted) == sorted(scores.games("agent"))
    for game in ("atlantis", "breakout", "freeway", "pong", "seaquest"):
        ale = ale_py.ALEInterface()
        ale.loadROM(ale_py.roms.get_rom_path(game))
        assert len(ale.getMinimalActionSet()) == counted[game]


@pytest.mark.parametrize(
    ("differs", "change"),
    [
        (
            others.stable_baselines_differs,
            {"smooth_l1_loss": lambda v, y: 2 * torch.nn.functional.smooth_l1_loss(v, y)},
        ),
        (others.cleanrl_differs, {"mse_loss": lambda v, y: torch.nn.functional.smooth_l1_loss(v, y, reduction="sum")}),
    ],
)
def test_a_program_that_did_as_the_letter_would_be_noticed(monkeypatch, differs, change):
    with measured_once():
        assert differs()
        monkeypatch.setattr(
            others, "F", type("Others", (), {name: staticmethod(loss) for name, loss in change.items()})
        )
        assert not differs()


def test_an_optimiser_with_its_constant_in_the_root_would_be_noticed(monkeypatch):
    from literatim.parts.rmsprop import CentredRMSProp

    with measured_once():
        as_ours = lambda params, lr, alpha, eps, centered: CentredRMSProp(params, lr, alpha, alpha, eps)  # noqa: E731
        monkeypatch.setattr(torch.optim, "RMSprop", as_ours)
        assert not others.torch_rmsprop_differs()


def test_a_wrapper_that_took_the_maximum_of_colours_would_be_noticed(monkeypatch):
    pytest.importorskip("gymnasium", reason="the games come with pip install 'literatim[atari]'")
    pytest.importorskip("cv2", reason="Gymnasium's AtariPreprocessing needs OpenCV, which `make compare` installs")
    with measured_once():
        monkeypatch.setattr(learning, "seen", lambda *_: torch.tensor(76))
        assert not others.preprocessing_differs()
