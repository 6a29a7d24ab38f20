"""ProGAN: what its claims do not cover. Resuming in a fade, minibatches, refusals, what a run leaves behind."""

import json

import pytest
import torch
import yaml
from PIL import Image
from pytorch_lightning import Callback, Trainer

import literatim
import trainings
from literatim.cli import main
from literatim.datasets.digits import Digits
from literatim.errors import LiteratimError
from literatim.experiment.callbacks import Identity
from literatim.experiment.plots import write_grid
from literatim.papers.progan import checks, distance, evaluation
from literatim.papers.progan.evaluation import shuffled
from literatim.papers.progan.growth import Schedule, Stage, as_shown
from literatim.papers.progan.training import ProGANTraining
from literatim.registry.ledger import recipe_path
from trainings import sixty_digits

SMALL = {"images": 12, "descriptors": 2, "projections": 4}


def training(**options) -> ProGANTraining:
    torch.manual_seed(0)
    given = {"stabilise": 40, "fade": 40, "minibatch": 10, **SMALL, **options}
    return ProGANTraining("mnist16", given.pop("options", {"width": 0.1}), **given)


@pytest.fixture
def few():
    """Sixty digits in batches of 25, the last of ten."""
    return sixty_digits(batch_size=25, size=32, background=-1.0, ink=1.0)


def trainer(folder, **options) -> Trainer:
    return trainings.trainer(folder, limit_val_batches=0, **options)


class SaveAfter(Callback):
    """After so many batches of the data, counted over all epochs."""

    def __init__(self, batches, path) -> None:
        self.batches, self.path, self.seen = batches, path, 0

    def on_train_batch_end(self, trainer, *args) -> None:
        self.seen += 1
        if self.seen == self.batches:
            trainer.save_checkpoint(self.path)
            trainer.should_stop = True


# --- Networks and schedule -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "generator", "discriminator"),
    [("celebahq1024", 23_079_115, 23_087_249), ("cifar10", 1_296_908, 1_298_689), ("mnist16", 204_259, 205_089)],
)
def test_exact_numbers_of_parameters(variant, generator, discriminator):
    with torch.device("meta"):
        net = literatim.load("progan", variant)
    assert sum(p.numel() for p in net.generator.parameters()) == generator
    assert sum(p.numel() for p in net.discriminator.parameters()) == discriminator


def test_the_last_stage_of_table_2_has_its_sums_of_parameters():
    with torch.device("meta"):
        net = literatim.load("pggan")
    used = [sum(p.numel() for m in part.in_use(1024, False) for p in m.parameters())
            for part in (net.generator, net.discriminator)]  # fmt: skip
    assert used == [23_071_507, 23_077_137]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"resolution": 24}, "resolution is 24; it must be a power of two, of at least 4"),
        ({"resolution": 2}, "resolution is 2; it must be a power of two, of at least 4"),
        ({"width": 0.0001}, "leave no maps"),
        ({"deviation": "groups"}, "progan has no deviation"),
    ],
)
def test_networks_that_cannot_be(options, words):
    with pytest.raises(LiteratimError) as caught:
        literatim.load("progan", **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_does_not_know_other_resolutions():
    net = checks.tiny()
    with pytest.raises(ValueError, match="resolution is 12; it must be a power of two"):
        net.generator(torch.zeros(1, 6), 12)
    with pytest.raises(ValueError, match="resolution is 20"):
        net.discriminator(torch.zeros(1, 1, 20, 20))
    with pytest.raises(KeyError):
        net.generator(torch.zeros(1, 6), 32)


def test_groups_of_four_need_as_many():
    net = checks.tiny(deviation="groups-of-4").discriminator
    assert net(torch.zeros(3, 1, 4, 4)).shape == (3, 1)
    with pytest.raises(ValueError, match="a minibatch of 6 has no groups of 4"):
        net(torch.zeros(6, 1, 4, 4))


def test_a_schedule_without_fades_and_one_that_does_not_grow():
    sudden = Schedule(4, 16, 10, 0)
    assert [tuple(sudden.stage(n)) for n in (0, 9, 10, 19, 20, 1000)] == [
        (4, 1),
        (4, 1),
        (8, 1),
        (8, 1),
        (16, 1),
        (16, 1),
    ]
    assert tuple(Schedule(16, 16, 10, 10).stage(0)) == (16, 1)
    assert Schedule(16, 16, 10, 10).landmarks() == []
    assert Schedule(4, 16, 10, 6).landmarks() == [10, 13, 26, 29]


def test_what_the_images_lose_is_what_the_samples_have_not_yet():
    images = torch.rand(3, 1, 32, 32)
    small = as_shown(images, Stage(8, 1.0))
    assert small.shape == (3, 1, 8, 8)
    assert torch.allclose(small.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)))
    start = as_shown(images, Stage(8, 0.0))
    assert torch.equal(start[:, :, ::2, ::2], start[:, :, 1::2, 1::2])
    assert not torch.equal(small[:, :, ::2, ::2], small[:, :, 1::2, 1::2])


# --- The distance ----------------------------------------------------------------------------------


def test_the_distance_of_a_set_from_itself_is_that_of_two_draws_of_patches():
    images = torch.randn(60, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    images = images.repeat_interleave(4, 2).repeat_interleave(4, 3)
    near = distance.distance(images, images, 32, 64)
    assert 0 < near < distance.distance(shuffled(images), images, 32, 64) / 1.5
    assert distance.distance(images, images, 32, 64) == near
    assert distance.distance(images, images, 32, 64, seed=1) != near


def test_shuffled_images_have_each_pixels_own_values():
    images = torch.rand(20, 1, 8, 8)
    found = shuffled(images)
    assert torch.equal(found.sort(dim=0).values, images.sort(dim=0).values)
    assert not (found.flatten(1)[:, None] == images.flatten(1)).all(dim=2).any()


# --- Training --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["keep", "reset"])
@pytest.mark.parametrize("after", [1, 4])
def test_a_run_stopped_in_the_middle_of_a_fade_goes_on_bit_for_bit(after, state, few, tmp_path):
    """Both networks and optimisers, the averaged generator, alpha and resolution, images that wait, rows drawn."""
    given = {"stabilise": 12, "fade": 50, "optimizer_state": state, "minibatches": {8: 8, 16: 7}}

    def run(name, after, seed=0, path=None):
        module = training(**given)
        torch.manual_seed(seed)
        fitting = trainer(
            tmp_path,
            max_epochs=4,
            callbacks=[Identity({"paper": "progan", "recipe": "quick"}, tmp_path), SaveAfter(after, tmp_path / name)],
        )
        fitting.fit(module, datamodule=few, ckpt_path=path, weights_only=True if path else None)
        return module

    run("whole.ckpt", 7)
    stopped = run("half.ckpt", after)
    assert stopped.stage.fading
    assert stopped.stage.resolution == (8 if after == 1 else 16)
    run("again.ckpt", 7 - after, seed=99, path=tmp_path / "half.ckpt")

    whole, again, half = (
        torch.load(tmp_path / f"{name}.ckpt", weights_only=True) for name in ("whole", "again", "half")
    )
    assert half["global_step"] < again["global_step"] == whole["global_step"]
    assert len(half["growing"]["waiting"]) > 0
    assert torch.equal(again["growing"]["online"], whole["growing"]["online"])
    assert torch.equal(again["growing"]["waiting"], whole["growing"]["waiting"])
    assert len(whole["growing"]["drawn"]) == len(again["growing"]["drawn"]) >= 3
    for one, other in zip(whole["growing"]["drawn"], again["growing"]["drawn"], strict=True):
        assert torch.equal(one, other)
    assert again["state_dict"].keys() == whole["state_dict"].keys()
    for name, value in whole["state_dict"].items():
        assert torch.equal(value, again["state_dict"][name]), name
    assert any(not torch.equal(value, half["state_dict"][name]) for name, value in whole["state_dict"].items()
               if name.startswith("averaged"))  # fmt: skip
    for one, other in zip(whole["optimizer_states"], again["optimizer_states"], strict=True):
        assert one["state"].keys() == other["state"].keys()
        for key, kept in one["state"].items():
            assert all(torch.equal(kept[name], other["state"][key][name]) for name in kept)


def test_every_minibatch_is_whole_and_of_its_resolutions_size(few, tmp_path):
    seen = []

    class Listening(ProGANTraining):
        def update(self, images):
            seen.append((self.stage.resolution, len(images)))
            return super().update(images)

    torch.manual_seed(0)
    module = Listening(
        "mnist16", {"width": 0.1}, stabilise=20, fade=20, minibatch=10, minibatches={8: 7, 16: 4}, **SMALL
    )
    trainer(tmp_path, max_epochs=2).fit(module, datamodule=few)
    assert {size for side, size in seen if side == 4} == {10}
    assert {size for side, size in seen if side == 8} == {7}
    assert {size for side, size in seen if side == 16} == {4}
    total = sum(size for _, size in seen)
    assert int(module.shown) == total
    assert total + len(module.waiting) == 120


def test_the_memory_of_the_optimisers_is_kept_or_reset_where_layers_come_and_go():
    def steps(state):
        module = checks.trainer_of(stabilise=8, fade=8, optimizer_state=state)
        found = []
        for _ in range(6):
            module.update(checks.images(4, 16))
            weight = module.net.generator.blocks["4x4"].conv1.weight
            found.append(int(module.optimizers()[1].optimizer.state[weight]["step"]))
        return found

    assert steps("keep") == [1, 2, 3, 4, 5, 6]
    assert steps("reset") == [1, 2, 1, 2, 1, 2]


def test_layers_that_are_not_in_use_do_not_move(few, tmp_path):
    module = training(stabilise=1000)
    before = {name: value.clone() for name, value in module.net.state_dict().items()}
    trainer(tmp_path, max_epochs=1).fit(module, datamodule=few)
    moved = {name for name, value in module.net.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {name for name in before if ".4x4." in name}


REFUSED = [
    ({"minibatch": 1}, {}, "a minibatch of 1 has no deviation, which D looks at"),
    ({"minibatches": {16: 1}}, {}, "a minibatch of 1 has no deviation"),
    (
        {"minibatch": 6, "options": {"width": 0.1, "deviation": "groups-of-4"}},
        {},
        "a minibatch of 6 has no groups of 4",
    ),
    ({"minibatch": 61}, {}, "there are 60 images to train on and a minibatch has 61; lower --model.minibatch"),
    ({"minibatches": {16: 99}}, {}, "a minibatch has 99"),
    ({"start": 6}, {}, "model.start is 6; this network's resolutions are 4, 8, 16"),
    ({"start": 32}, {}, "model.start is 32; this network's resolutions are 4, 8, 16"),
    ({"stabilise": 0}, {}, "model.stabilise is 0; it must be at least 1"),
    ({"fade": -1}, {}, "model.fade is -1"),
    ({"target": 0.0}, {}, "model.target is 0.0"),
    ({}, {"images": -torch.ones(60, 1, 28, 28)}, "the images have 28x28 pixels and the network's 16x16"),
    ({}, {"images": -torch.ones(60, 1, 8, 8)}, "the images have 8x8 pixels"),
    ({}, {"images": -torch.ones(60, 3, 16, 16)}, "the images have 3 channels and the network's 1"),
    ({}, {"images": torch.rand(60, 1, 16, 16)}, "--data.background -1 --data.ink 1"),
    ({}, {"images": -2 * torch.rand(60, 1, 16, 16)}, "the pixels lie between -"),
]


@pytest.mark.parametrize(("options", "given", "words"), REFUSED, ids=[words[:40] for _, _, words in REFUSED])
def test_what_cannot_be_trained_is_refused_in_a_sentence(options, given, words, few, tmp_path):
    images, labels = few.sets["train"]
    few.sets["train"] = (given.get("images", images), labels)
    with pytest.raises(LiteratimError) as caught:
        trainer(tmp_path, max_epochs=1).fit(training(**options), datamodule=few)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_half_precision_is_refused(few, tmp_path):
    module = training()
    fitting = trainer(tmp_path, max_epochs=1)
    fitting.strategy.connect(module)
    fitting.strategy.precision_plugin.precision = "16-mixed"
    module._trainer = fitting
    with pytest.raises(LiteratimError, match=r"needs the range of fp32"):
        module.configure_optimizers()


def test_what_quick_expects_is_beyond_what_no_learning_gives(tmp_path):
    """Neither an untrained generator nor independent pixels come near; training images do better than is asked."""
    settings = yaml.safe_load(recipe_path("progan", "quick").read_text())
    data = Digits(**settings["data"])
    data.setup("fit")
    torch.manual_seed(0)
    module = ProGANTraining("mnist16", **settings["model"])
    module.shown.fill_(10**6)
    found = trainings.trainer(tmp_path).test(module, datamodule=data, verbose=False)[0]
    expects = literatim.card("progan").recipes["quick"].expects
    assert expects.met(found["test_swd_real"])
    for other in ("test_swd", "test_swd_untrained", "test_swd_pixels"):
        assert not expects.met(0.8 * found[other]), other


# --- The command -----------------------------------------------------------------------------------

SHORT = ["--model.options.width", "0.1", "--model.stabilise", "400", "--model.fade", "300", "--model.minibatch", "60",
         "--model.images", "20", "--model.descriptors", "2", "--model.projections", "4",
         "--trainer.check_val_every_n_epoch", "1"]  # fmt: skip


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_ends_with_pictures_of_its_growth_and_its_generator_makes_more(here, capsys):
    assert main(["fit", "progan", *SHORT, "--trainer.max_epochs", "2"]) == 0, capsys.readouterr().err
    folder = here / "runs" / "progan" / "quick" / "0"
    assert Image.open(folder / "samples.png").size == (320, 320)
    growth = Image.open(folder / "growth.png")
    assert growth.size == (320, 5 * 32)  # 4, half of the fade, 8, half of the fade, 16
    for row, block in ((0, 8), (2, 4), (4, 2)):  # how wide what is really one pixel is drawn
        first = growth.crop((0, 32 * row, 32, 32 * row + 32))
        small = first.resize((32 // block, 32 // block), Image.Resampling.NEAREST)
        same = small.resize((32, 32), Image.Resampling.NEAREST).tobytes() == first.tobytes()
        assert same, f"row {row}"
        if block > 2:
            continue
        smaller = first.resize((8, 8), Image.Resampling.NEAREST).resize((32, 32), Image.Resampling.NEAREST)
        assert smaller.tobytes() != first.tobytes()
    assert Image.open(folder / "walk.png").size == (320, 5 * 32)
    record = json.loads((folder / "record.json").read_text())
    assert {"test_swd", "discriminator_loss", "generator_loss", "alpha", "resolution"} <= set(record["metrics"])
    assert record["metrics"]["resolution"] == 16

    ask = ["predict", "progan", "--ckpt_path", "last", "--number", "5", "--to"]
    for name, more in {"a": [], "b": [], "other": ["--seed", "3"]}.items():
        assert main([*ask, f"{name}.png", *more]) == 0
    files = {name: (here / f"{name}.png").read_bytes() for name in ("a", "b", "other")}
    assert files["a"] == files["b"] != files["other"]
    assert Image.open("a.png").size == (96, 64)
    capsys.readouterr()
    assert main([*ask, "x.png", "--label", "3"]) == 2
    assert "progan takes no label" in capsys.readouterr().err
    assert not (here / "x.png").exists()


def test_a_loss_that_is_no_number_stops_with_its_step(here, capsys):
    status = main(["fit", "progan", *SHORT, "--model.lr", "1e30", "--trainer.max_epochs", "1"])
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert status == 2
    assert "the loss became" in said
    assert "at step" in said
    assert "of epoch 1" in said


def test_a_grid_of_colours(tmp_path):
    images = torch.zeros(2, 3, 3, 4, 5)
    images[1, 2, 0] = 1
    write_grid(images, tmp_path / "a.png", scale=1)
    picture = Image.open(tmp_path / "a.png")
    assert (picture.size, picture.mode) == ((15, 8), "RGB")
    assert picture.getpixel((14, 7)) == (255, 0, 0)
    assert picture.getpixel((9, 7)) == picture.getpixel((14, 3)) == (0, 0, 0)
    write_grid(images[:, :, :1], tmp_path / "b.png", scale=1)
    write_grid(images[:, :, 0], tmp_path / "c.png", scale=1)
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "c.png").read_bytes()
    assert Image.open(tmp_path / "b.png").mode == "L"


def test_large_images_have_fewer_columns():
    net = type("Net", (), {"resolution": 1024})
    assert evaluation.Evaluation.columns.fget(type("Run", (), {"net": net})) == 2
