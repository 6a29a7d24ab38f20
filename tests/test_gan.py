"""GAN and the conditional GAN: what their claims do not cover. Resuming, refusals, the end of a run, samples."""

import inspect
import json
import math
import os
import re
import subprocess
import sys
from importlib import import_module

import pytest
import torch
import yaml
from PIL import Image

import literatim
from literatim.cli import main
from literatim.datasets.digits import Digits
from literatim.datasets.mnist import MNIST
from literatim.errors import LiteratimError
from literatim.experiment.callbacks import Identity
from literatim.experiment.checkpoints import read_checkpoint
from literatim.papers.cgan.training import CGANTraining, known
from literatim.papers.gan import parzen, sampling
from literatim.papers.gan.training import GANTraining, start_at_marginals
from literatim.registry import reading
from literatim.registry.ledger import recipe_path
from trainings import SaveAfter, sixty_digits, trainer

SMALL = {"gan": {"hidden": 16, "units": 8}, "cgan": {"width": 0.04}}
CLASS = {"gan": GANTraining, "cgan": CGANTraining}


def training(paper: str, **options):
    torch.manual_seed(0)
    return CLASS[paper](options=SMALL[paper], **{"samples": 20, **options})


@pytest.fixture
def few():
    """Sixty digits in minibatches of 25, the last of ten."""
    return sixty_digits(batch_size=25, size=28, background=0.0, ink=1.0)


# --- Networks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paper", "generator", "discriminator"), [("gan", 2_503_984, 1_231_441), ("cgan", 2_413_984, 1_224_351)]
)
def test_exact_numbers_of_parameters(paper, generator, discriminator):
    net = literatim.load(paper)
    assert sum(p.numel() for p in net.generator.parameters()) == generator
    assert sum(p.numel() for p in net.discriminator.parameters()) == discriminator


def test_names():
    assert literatim.load("1406.2661", hidden=10).generator.h0.out_features == 10
    assert literatim.load("conditional-gan", width=0.1).generator.z.out_features == 20
    with pytest.raises(LiteratimError, match=r"width is 0.01; it must be at least 0.02"):
        literatim.load("cgan", width=0.01)


@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_that_is_none(label):
    with pytest.raises(LiteratimError, match=f"there is a label {label}; the network knows those from 0 to 9"):
        known(torch.tensor([0, label]))


# --- Parzen ----------------------------------------------------------------------------------------


def test_the_window_is_the_same_however_it_is_cut(monkeypatch):
    x, centres = torch.rand(10, 30), torch.rand(50, 30)
    whole = parzen.log_likelihood(x, centres, (0.2, 0.4)), parzen.nearest(x, centres)
    monkeypatch.setattr(parzen, "CHUNK", 3)
    assert torch.allclose(parzen.log_likelihood(x, centres, (0.2, 0.4)), whole[0], atol=1e-4)
    assert torch.equal(parzen.nearest(x, centres), whole[1])


def test_the_nearest_image_is_found():
    images = torch.rand(30, 20)
    assert parzen.nearest(images[[4, 17]] + 0.01 * torch.rand(2, 20), images).tolist() == [4, 17]


def test_a_window_far_from_everything_is_finite():
    found = parzen.log_likelihood(torch.ones(2, 784), torch.zeros(3, 784), (0.1,))
    assert torch.isfinite(found).all()
    assert (found < -30_000).all()


def test_the_width_is_chosen_on_the_validation_set_and_never_on_the_test(few, tmp_path):
    module = training("gan")
    few.sets["val"] = (few.sets["train"][0][:30], few.sets["train"][1][:30])
    trainer(tmp_path).test(module, datamodule=few, verbose=False)
    mine = parzen.best_sigma(module.centres, few.sets["val"][0].flatten(1))
    assert module.sigma == mine
    few.sets["test"] = (torch.rand(60, 1, 28, 28), few.sets["test"][1])
    trainer(tmp_path).test(module, datamodule=few, verbose=False)
    assert module.sigma == mine
    few.sets["val"] = (torch.rand(30, 1, 28, 28), few.sets["val"][1])
    trainer(tmp_path).test(module, datamodule=few, verbose=False)
    assert module.sigma != mine


def test_the_window_is_the_density_to_the_last_bit():
    """Worked out in one piece of memory or with a new one for every step: the same numbers."""
    x, centres, sigmas = torch.rand(7, 30), torch.rand(50, 30), (0.1, 0.3)
    squares = parzen.squared_distances(x, centres)
    for sigma, found in zip(sigmas, parzen.log_likelihood(x, centres, sigmas), strict=True):
        scale = math.log(50) + 30 * math.log(sigma * math.sqrt(2 * math.pi))
        assert torch.equal(found, (-0.5 / sigma**2 * squares).logsumexp(1) - scale)


# --- Dropout in the samples of the conditional pair -------------------------------------------------


def test_samples_are_drawn_through_the_dropout_of_the_training(few):
    """Of noise and label that are the same in all, the mean and the spread of samples are those of the training net."""
    module = CGANTraining(options={"width": 0.1})
    for weight in module.net.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    z, labels = torch.rand(1, 100).expand(4000, -1), torch.full((4000,), 3)
    with torch.no_grad():
        found = module.drawn(z, labels, torch.Generator().manual_seed(1))
        expected = module.net.train().generator(z, *module.condition(labels))
        once = module.drawn(z, labels)
    assert (found.mean(0) - expected.mean(0)).abs().max() < 0.05
    assert (found.std(0) - expected.std(0)).abs().max() < 0.03
    assert expected.std(0).mean() > 0.2
    assert once.std(0).max() == 0  # one draw for all: a walk shows what z does


def test_samples_follow_from_the_seed_and_not_from_the_size_of_a_piece(few, monkeypatch):
    module = training("cgan")
    labels = torch.arange(20) % 10
    first = module.generate(labels, 5)
    monkeypatch.setattr(parzen, "CHUNK", 7)
    state = torch.get_rng_state()
    assert torch.allclose(module.generate(labels, 5), first, atol=1e-6)
    assert torch.equal(torch.get_rng_state(), state)  # the training's own dropout goes on as if none had been asked
    assert not torch.allclose(module.generate(labels, 6), first, atol=1e-3)


def test_without_dropout_samples_are_those_of_the_network_in_evaluation(few):
    module = training("cgan", dropout_in_samples=False)
    labels = torch.arange(20) % 10
    z = module.net.noise(20, torch.Generator().manual_seed(5))
    found = module.train().generate(labels, 5)
    assert torch.equal(found, module.net.eval().generator(z, *module.condition(labels)).detach())
    module.dropout_in_samples = True
    assert not torch.allclose(module.generate(labels, 5), found, atol=1e-3)


@pytest.mark.parametrize("paper", ["gan", "cgan", "dcgan", "progan"])
def test_what_a_generator_does_otherwise_in_training_is_an_option_of_its_samples(paper):
    with torch.device("meta"):
        layers = list(literatim.load(paper).generator.modules())
    module, _, name = reading.card(paper).training.partition(":")
    options = inspect.signature(getattr(import_module(module), name)).parameters
    for kinds, option in (
        (torch.nn.Dropout, "dropout_in_samples"),
        (torch.nn.modules.batchnorm._BatchNorm, "statistics"),
    ):
        assert any(isinstance(layer, kinds) for layer in layers) == (option in options)


def essay(paper):
    return (recipe_path(paper, "mnist").parents[1] / "essay.md").read_text()


def spread(images, labels):
    """How far images of one label lie from their mean: the root of the pixels' summed variances, over ten labels."""
    return float(torch.stack([images[labels == k].flatten(1).var(0).sum().sqrt() for k in range(10)]).mean())


@pytest.mark.skipif(not os.environ.get("LITERATIM_DATA"), reason="LITERATIM_DATA names no folder with MNIST")
def test_samples_of_one_label_differ_as_much_as_the_images_do():
    """With the shipped weights: through the dropout within a tenth, and without it less than a quarter."""
    data = MNIST(size=28, background=0.0, ink=1.0)
    data.setup("test")
    of_data = spread(*data.sets["test"])
    module = CGANTraining()
    module.net = literatim.load("cgan", weights="mnist")
    labels = module.labels_of_samples(2000)
    assert 0.9 < spread(module.generate(labels, 0), labels) / of_data < 1.1
    module.dropout_in_samples = False
    assert spread(module.generate(labels, 0), labels) / of_data < 0.25


@pytest.mark.skipif(not os.environ.get("LITERATIM_DATA"), reason="LITERATIM_DATA names no folder with MNIST")
def test_the_essay_says_what_dropout_and_noise_are_worth():
    """Its table against every tenth test image, whose mean lies within four standard errors of that of all."""
    lines = re.findall(r"^\| dropout .*\| (\S+) ± (\S+) \|$|^\| one draw .*\| (\S+) ± (\S+) \|$", essay("cgan"), re.M)
    said = [float((a or b).replace("−", "-")) for a, _, b, _ in lines]
    data = MNIST(size=28, background=0.0, ink=1.0, hold_out=10_000)
    data.setup("fit")
    data.setup("test")
    fitted, images = data.sets["val"][0][:1000].flatten(1), data.sets["test"][0][::10].flatten(1)
    module = CGANTraining()
    module.net = literatim.load("cgan", weights="mnist")
    labels, z = module.labels_of_samples(10_000), module.net.noise(10_000, torch.Generator().manual_seed(0))
    with torch.no_grad():
        samples = [
            module.generate(labels, 0),
            module.drawn(z[:1].expand(10_000, -1), labels, torch.Generator().manual_seed(1)),
            module.net.eval().generator(z, *module.condition(labels)),
            module.drawn(z, labels),
        ]
    assert len(said) == 4
    for mean, centres in zip(said, samples, strict=True):
        found = parzen.log_likelihood(images, centres, (parzen.best_sigma(centres, fitted),))[0]
        assert abs(float(found.mean()) - mean) < 4 * float(found.std()) / len(images) ** 0.5


# --- Training --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paper", "options"),
    [("gan", {}), ("gan", {"k": 2}), ("gan", {"update": "released", "loss": "non-saturating"}), ("cgan", {})],
    ids=str,
)
def test_a_run_stopped_in_the_middle_of_an_epoch_goes_on_bit_for_bit(paper, options, few, tmp_path):
    """Both networks, both optimisers with their velocities, both schedules, noise, dropout and what is averaged."""
    given = {**options, "momentum": 0.1, "saturates": 4, "decay": 1.1}

    def run(name, **more):
        module = training(paper, **given)
        saving = [
            Identity({"paper": "gan", "recipe": "quick"}, tmp_path),
            SaveAfter(more.pop("after", 6), tmp_path / name),
        ]
        fitting = trainer(tmp_path, max_steps=6, callbacks=saving, **more)
        return fitting, module

    fitting, module = run("whole.ckpt")
    fitting.fit(module, datamodule=few)
    fitting, module = run("half.ckpt", after=4)
    fitting.fit(module, datamodule=few)
    fitting, module = run("again.ckpt")
    torch.manual_seed(99)
    fitting.fit(module, datamodule=few, ckpt_path=tmp_path / "half.ckpt", weights_only=True)

    whole, again = (torch.load(tmp_path / f"{name}.ckpt", weights_only=True) for name in ("whole", "again"))
    assert again["global_step"] == whole["global_step"] == 6
    assert torch.equal(again["online"], whole["online"])
    assert again["state_dict"].keys() == whole["state_dict"].keys()
    for name, value in whole["state_dict"].items():
        assert torch.equal(value, again["state_dict"][name]), name
    assert len(whole["optimizer_states"]) == 2
    for one, other in zip(whole["optimizer_states"], again["optimizer_states"], strict=True):
        settings = [{k: v for k, v in of["param_groups"][0].items() if k in ("lr", "momentum")} for of in (one, other)]
        assert settings[0] == settings[1]
        assert settings[0]["lr"] < 0.1
        assert settings[0]["momentum"] > 0.1
        for key, state in one["state"].items():
            assert torch.equal(state["momentum_buffer"], other["state"][key]["momentum_buffer"])


def test_the_schedules_of_a_run_are_those_of_its_updates(few, tmp_path):
    seen = []

    class Listening(GANTraining):
        def step(self, which, gradients):
            super().step(which, gradients)
            group = self.optimizers(use_pl_optimizer=False)[which].param_groups[0]
            seen.append((which, round(group["lr"], 6), round(group["momentum"], 6)))

    module = Listening(options=SMALL["gan"], decay=2.0, lowest_rate=0.02, momentum=0.4, saturates=3, samples=20)
    trainer(tmp_path, max_epochs=2).fit(module, datamodule=few)
    rates = [(0.1, 0.4), (0.05, 0.4), (0.025, 0.4), (0.02, 0.55), (0.02, 0.55), (0.02, 0.55)]
    assert seen == [(which, *rate) for rate in rates for which in (0, 1)]


def test_noise_differs_between_updates_uses_ranks_and_seeds(few, tmp_path):
    class Ranked(GANTraining):
        rank = 0
        global_rank = property(lambda self: self.rank)

    module = Ranked(options=SMALL["gan"], samples=20)
    trainer(tmp_path, max_steps=1).fit(module, datamodule=few)
    drawn = [module.noise(2, 0), module.noise(2, 1)]
    module.rank = 1
    drawn.append(module.noise(2, 0))
    module.rank, few.seed = 0, 1
    drawn.append(module.noise(2, 0))
    few.seed = 0
    assert torch.equal(module.noise(2, 0), drawn[0])
    assert len({tuple(z.flatten().tolist()) for z in drawn}) == 4


REFUSED = [
    ("gan", {"k": 0}, {}, "model.k is 0; it must be at least 1"),
    ("gan", {"samples": 0}, {}, "model.samples is 0"),
    ("gan", {"update": "released", "k": 2}, {}, "leave --model.k out"),
    ("cgan", {"samples": 25}, {}, "model.samples is 25; there are 10 classes"),
    ("gan", {}, {"images": torch.zeros(60, 1, 32, 32)}, "32x32 pixels and the generator's 28x28: --data.size 28"),
    ("gan", {}, {"images": torch.full((60, 1, 28, 28), -0.1)}, "--data.background 0 --data.ink 1"),
    ("cgan", {}, {"labels": torch.full((60,), 3)}, "all images are of class 3"),
    ("cgan", {}, {"labels": torch.arange(60) % 11}, "there is a label 10"),
]


@pytest.mark.parametrize(("paper", "options", "given", "words"), REFUSED, ids=lambda value: str(value)[:30])
def test_what_cannot_be_trained_is_refused_in_a_sentence(paper, options, given, words, few, tmp_path):
    images, labels = few.sets["train"]
    few.sets["train"] = (given.get("images", images), given.get("labels", labels))
    with pytest.raises(LiteratimError) as caught:
        trainer(tmp_path, max_epochs=1).fit(training(paper, **options), datamodule=few)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_conditional_pair_looks_for_the_label_that_was_asked(few, tmp_path):
    """`test_label_error` of a generator that gives real images: none with their own labels, all with others'."""
    images, labels = few.sets["train"]
    module = training("cgan", samples=50)
    of = {label: images[labels == label][0].flatten() for label in range(10)}

    def test(shift):
        module.generate = lambda asked, seed: torch.stack([of[(int(a) + shift) % 10] for a in asked])
        return trainer(tmp_path).test(module, datamodule=few, verbose=False)[0]["test_label_error"]

    assert test(0) == 0
    assert test(1) == 100


@pytest.mark.parametrize("paper", CLASS)
def test_what_quick_expects_is_beyond_what_no_learning_gives(paper, tmp_path):
    """Neither an untrained generator nor independent pixels, each with the values it has in some digit, come near."""
    settings = yaml.safe_load(recipe_path(paper, "quick").read_text())
    data = Digits(**settings["data"])
    data.setup("fit")
    images = data.sets["train"][0]
    torch.manual_seed(0)
    module = CLASS[paper](**settings["model"])
    start_at_marginals(module.output_layer(), images)
    expects = literatim.card(paper).recipes["quick"].expects

    def pixels(labels, seed):
        of = torch.randint(len(images), (len(labels), images[0].numel()), generator=torch.Generator().manual_seed(seed))
        return images.flatten(1).gather(0, of)

    for generate in (module.generate, pixels):
        module.generate = generate
        found = trainer(tmp_path).test(module, datamodule=data, verbose=False)[0]
        if paper == "gan":
            assert not expects.met(found["test_likelihood"] + 5 * found["test_se"])
        else:
            assert found["test_label_error"] > 2 * expects.at_most
    # What is expected can be had: with the training images themselves, under their own labels.
    order = torch.arange(1000) % 10
    labels = data.sets["train"][1]
    of = [(labels == digit).nonzero()[k // 10 % 100] for k, digit in enumerate(order)]
    module.generate = lambda labels, seed: images[torch.cat(of)].flatten(1)
    found = trainer(tmp_path).test(module, datamodule=data, verbose=False)[0]
    assert expects.met(found[expects.metric])


# --- The command -----------------------------------------------------------------------------------

SHORT = {
    "gan": ["--model.options.hidden", "16", "--model.options.units", "8"],
    "cgan": ["--model.options.width", "0.04"],
}


def command(capsys, *args: str) -> str:
    status = main([*args])
    out, err = capsys.readouterr()
    assert status == 0, err
    return out


def refused(capsys, *args: str) -> str:
    status = main([*args])
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.strip().count("\n") == 0, err
    assert "Traceback" not in err
    return err


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("paper", "walks"), [("gan", 5), ("cgan", 10)])
def test_a_run_ends_with_pictures_and_its_generator_makes_more(paper, walks, here, capsys):
    command(capsys, "fit", paper, *SHORT[paper], "--trainer.max_epochs", "1")
    folder = here / "runs" / paper / "quick" / "0"
    beside = 1 if paper == "gan" else 0  # the nearest training images
    assert Image.open(folder / "samples.png").size == (56 * (10 + beside), 56 * 10)
    assert Image.open(folder / "walk.png").size == (56 * 10, 56 * walks)
    record = json.loads((folder / "record.json").read_text())
    assert {"test_likelihood", "discriminator_loss", "generator_loss"} <= set(record["metrics"])

    ask = ("predict", paper, "--ckpt_path", "last", "--number", "5")
    files = {}
    for name, more in {"a": [], "b": [], "other": ["--seed", "3"]}.items():
        assert "5 images" in command(capsys, *ask, "--to", f"{name}.png", *more)
        files[name] = (here / f"{name}.png").read_bytes()
    assert files["a"] == files["b"] != files["other"]
    picture = Image.open("a.png")
    assert picture.size == (56 * 3, 56 * 2)
    assert picture.crop((56 * 2, 56, 56 * 3, 56 * 2)).getextrema() == (0, 0)
    if paper == "gan":
        assert "takes no label" in refused(capsys, *ask, "--to", "x.png", "--label", "3")
    else:
        command(capsys, *ask, "--to", "threes.png", "--label", "3")
        assert (here / "threes.png").read_bytes() != files["a"]
        assert "there is a label 12" in refused(capsys, *ask, "--to", "x.png", "--label", "12")
    assert "generates images" in refused(capsys, "predict", paper, "a.png", "--ckpt_path", "last")
    assert not (here / "x.png").exists()


MISTAKES = [
    (["--to", "a.png", "--number", "0"], "--number is 0; it must be a whole number from 1 to 10,000"),
    (["--to", "a.png", "--label", "three"], "--label is three"),
    (["--to", "a.jpg"], "ending in .png"),
    (["--to", "nowhere/a.png"], "nowhere: there is no such folder"),
    (["--number", "3"], "say where to write them"),
    ([], "--to samples.png"),
]


@pytest.mark.parametrize(("args", "words"), MISTAKES, ids=lambda value: " ".join(value)[:30])
def test_a_mistake_in_what_is_asked(args, words, here, capsys):
    assert words in refused(capsys, "predict", "gan", *args)


def test_shipped_weights_make_samples(here, capsys):
    assert "a.png: 4 images" in command(capsys, "predict", "gan", "--to", "a.png", "--number", "4")
    assert (here / "a.png").is_file()


@pytest.mark.usefixtures("papers")
def test_a_paper_that_ships_no_weights_is_to_be_trained_first(here, capsys):
    assert "gan has no weights; train first" in refused(capsys, "predict", "gan", "--to", "b.png")
    assert not (here / "b.png").exists()


def test_a_paper_that_classifies_generates_nothing(here, capsys):
    said = refused(capsys, "predict", "lenet", "--to", "a.png")
    assert "lenet generates no images" in said


def test_other_commands_have_no_such_options(here, capsys):
    assert "fit has no option --label" in refused(capsys, "fit", "gan", "--label", "3")


def test_a_loss_that_is_no_number_stops_with_its_step(here, capsys):
    status = main(["fit", "gan", *SHORT["gan"], "--model.lr", "1e38", "--trainer.max_epochs", "1"])
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert status == 2
    assert "the loss became nan at step" in said
    assert "of epoch 1" in said


@pytest.mark.parametrize(("paper", "likelihoods"), [("cgan", (0, -1, -2)), ("gan", (-2, -1, 0))])
def test_a_run_ends_with_its_best_weights(paper, likelihoods, here, capsys, monkeypatch):
    """Of three epochs whose likelihood falls, or rises, from one to the next: weights, pictures and record."""
    exact = Digits.setup

    def setup(self, stage):
        exact(self, stage)
        self.sets["val"] = self.sets["test"]

    seen = {}

    def density(self, images):
        when = "tested" if self.trainer.testing else self.current_epoch
        seen[when] = self.net.generator.state_dict()["h0.weight" if paper == "gan" else "z.weight"].clone()
        return torch.full((len(images),), 7.0 if self.trainer.testing else float(likelihoods[self.current_epoch]))

    drawn = CLASS[paper].pictures

    def pictures(self):
        seen["drawn"] = self.net.generator.state_dict()["h0.weight" if paper == "gan" else "z.weight"].clone()
        return drawn(self)

    monkeypatch.setattr(Digits, "setup", setup)
    monkeypatch.setattr(sampling.Sampling, "density", density)
    monkeypatch.setattr(CLASS[paper], "pictures", pictures)
    from literatim.experiment.lightning import Request, run
    from literatim.experiment.runs import new_run_folder

    folder = new_run_folder(here / "runs", paper, "quick")
    args = [*SHORT[paper], "--trainer.max_epochs=3", "--data.watch=[val]", f"--model.variant={'mnist'}"]
    run(Request("fit", paper, "quick", args, folder, test_after=True))
    best = likelihoods.index(0)
    assert torch.equal(seen["tested"], seen[best])
    assert torch.equal(seen["drawn"], seen[best])
    assert not torch.equal(seen[0], seen[2])
    assert read_checkpoint(folder / "checkpoints" / "best.ckpt")["epoch"] == best
    kept = json.loads((folder / "record.json").read_text())["metrics"]
    assert (kept["best_epoch"], kept["val_likelihood"], kept["test_likelihood"]) == (best + 1, 0, 7)
    # A run that goes on from `last` knows the best of all epochs up to there.
    states = read_checkpoint(folder / "checkpoints" / "last.ckpt")["callbacks"].items()
    assert [state["best_model_score"] for name, state in states if "val_likelihood" in name] == [0]


RANKS = """
import torch
from pytorch_lightning import Trainer
from literatim.datasets.digits import Digits
from literatim.papers.cgan.training import CGANTraining

torch.manual_seed(0)
module = CGANTraining(options={"width": 0.04}, samples=20)
data = Digits(batch_size=300, size=28, background=0.0, ink=1.0)
trainer = Trainer(
    accelerator="cpu", devices=2, strategy="ddp", max_epochs=2, logger=False, enable_checkpointing=False,
    enable_progress_bar=False, use_distributed_sampler=False, num_sanity_val_steps=0,
)
trainer.fit(module, datamodule=data)
likelihood = trainer.callback_metrics["test_likelihood"].item()
mine = module.density(data.sets["test"][0]).mean().item()
torch.save((module.net.state_dict(), module.noise(3, 0), likelihood, mine), f"{trainer.global_rank}.pt")
"""


def test_two_processes_train_one_pair(here):
    """Two gloo ranks on the CPU: their noise differs, their weights stay the same to the last bit, and the logged
    likelihood is that of the whole set."""
    (here / "ranks.py").write_text(RANKS)
    done = subprocess.run(
        [sys.executable, "ranks.py"], capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (one, noise, likelihood, mine), (other, others_noise, *_) = (torch.load(here / f"{rank}.pt") for rank in (0, 1))
    assert not torch.equal(noise, others_noise)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert likelihood == pytest.approx(mine, abs=1e-2)
