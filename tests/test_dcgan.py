"""DCGAN: what its claims do not cover. Resuming, refusals, odd minibatches, classifiers, the end of a run, colours."""

import json
import re
from itertools import pairwise

import pytest
import torch
import yaml
from PIL import Image

import literatim
from conftest import CHECKOUT
from literatim.cli import main
from literatim.datasets.digits import Digits
from literatim.errors import LiteratimError
from literatim.experiment.callbacks import Identity
from literatim.experiment.plots import write_grid
from literatim.papers.dcgan import features
from literatim.papers.dcgan.model import DCGAN
from literatim.papers.dcgan.neighbours import nearest_error
from literatim.papers.dcgan.training import DCGANTraining
from literatim.papers.gan.parzen import squared_distances
from literatim.registry import card
from literatim.registry.ledger import recipe_path
from trainings import SaveAfter, sixty_digits, trainer

TINY = {"width": 1 / 16}


def training(**options):
    torch.manual_seed(0)
    return DCGANTraining(**{"variant": "mnist32", "options": TINY, "samples": 20, "labels": 20, "draws": 2, **options})


@pytest.fixture
def few():
    """Sixty digits in minibatches of 25, the last of ten."""
    return sixty_digits(batch_size=25, size=32, background=-1.0, ink=1.0)


# --- Networks --------------------------------------------------------------------------------------

NUMBERS = {
    "lsun": (18_885_760, 17_232_768),
    "imagenet32": (6_690_688, 4_586_112),
    "svhn32": (1_446_976, 1_033_664),
    "mnist32": (465_888, 259_232),
    "mnist-conditional": (6_820_538, 6_688_202),
    "mnist-conditional-gains": (6_820_538 + 2 * (1024 + 6272 + 64), 6_688_202 + 2 * (128 + 1024)),
}


@pytest.mark.parametrize("variant", NUMBERS)
def test_exact_numbers_of_parameters(variant):
    with torch.device("meta"):
        net = literatim.load("dcgan", variant)
    found = tuple(sum(p.numel() for p in part.parameters()) for part in (net.generator, net.discriminator))
    assert found == NUMBERS[variant]


def test_numbers_by_hand():
    """Those of Fig. 1's sizes from its sizes alone: matrices, filters, and two numbers a unit that is normalised."""
    maps = (1024, 512, 256, 128)
    square = 25 * sum(a * b for a, b in pairwise(maps))
    generator = 100 * 16 * 1024 + 2 * 16 * 1024 + square + 2 * sum(maps[1:]) + 25 * 128 * 3
    assert (generator, 25 * 3 * 128 + square + 2 * sum(maps[:3]) + 16 * 1024) == NUMBERS["lsun"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"maps": [4, 8]}, "there are 2 maps and 4 strides"),
        ({"kernel": 4}, "kernel is 4; only an odd one"),
        ({"width": 0.001}, "width is 0.001; it must leave one map of 128"),
    ],
)
def test_a_network_that_cannot_be_is_refused(options, words):
    with pytest.raises(LiteratimError) as caught:
        literatim.load("1511.06434", **options)
    assert words in str(caught.value)


@pytest.mark.parametrize("strides", [(2, 2), (1, 2, 1), (2, 1)])
def test_other_strides_give_images_of_the_size_that_the_discriminator_takes(strides):
    net = DCGAN(maps=(4, 5, 6)[: len(strides)], strides=strides, kernel=3, channels=2, noise=7)
    images = net.generator(net.noise(3))
    assert images.shape[1:] == net.image
    assert net.discriminator(images).shape == (3, 1)


def test_noise_follows_from_its_generator():
    net = literatim.load("dcgan", "mnist32", **TINY)
    drawn = [net.noise(3, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


# --- Training --------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"update": "released", "weight_decay": 1e-5}, {"k": 2}], ids=str)
def test_a_run_stopped_in_the_middle_of_an_epoch_goes_on_bit_for_bit(options, few, tmp_path):
    """Both networks with what they have averaged, both optimisers, noise, whose turn it is, and what is logged."""

    def run(name, **more):
        module = training(**options)
        saving = [
            Identity({"paper": "dcgan", "recipe": "quick"}, tmp_path),
            SaveAfter(more.pop("after", 6), tmp_path / name),
        ]
        fitting = trainer(tmp_path, max_steps=6, callbacks=saving)
        fitting.fit(module, datamodule=few, **more)

    run("whole.ckpt")
    run("half.ckpt", after=4)
    torch.manual_seed(99)
    run("again.ckpt", ckpt_path=tmp_path / "half.ckpt", weights_only=True)
    whole, again = (torch.load(tmp_path / f"{name}.ckpt", weights_only=True) for name in ("whole", "again"))
    assert again["global_step"] == whole["global_step"] == 6
    assert torch.equal(again["online"], whole["online"])
    assert any("running_var" in name for name in whole["state_dict"])
    for name, value in whole["state_dict"].items():
        assert torch.equal(value, again["state_dict"][name]), name
    assert len(whole["optimizer_states"]) == 2
    for one, other in zip(whole["optimizer_states"], again["optimizer_states"], strict=True):
        for key, state in one["state"].items():
            for moment in ("exp_avg", "exp_avg_sq"):
                assert torch.equal(state[moment], other["state"][key][moment])


@pytest.mark.parametrize("update", ["algorithm-1", "released"])
def test_a_last_minibatch_of_a_single_image_is_trained_on(update, few, tmp_path):
    few.batch_size = 59
    module = training(update=update)
    fitting = trainer(tmp_path, max_epochs=2)
    fitting.fit(module, datamodule=few)
    assert fitting.global_step == 4
    assert all(torch.isfinite(p).all() for p in module.parameters())


def test_fewer_images_than_a_minibatch(few, tmp_path):
    few.batch_size = 128
    fitting = trainer(tmp_path, max_epochs=2)
    fitting.fit(training(), datamodule=few)
    assert fitting.global_step == 2


def test_sampling_and_judging_change_nothing(few, tmp_path):
    module = training(statistics="batch")
    fitting = trainer(tmp_path, max_epochs=1)
    fitting.fit(module, datamodule=few)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    module.sample(7, seed=0)
    list(module.pictures())
    fitting.test(module, datamodule=few, verbose=False)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_statistics_of_the_batch_and_of_the_training(few, tmp_path):
    """By those of the training a sample does not depend on the others; by those of the batch it does."""
    module = training()
    trainer(tmp_path, max_epochs=1).fit(module, datamodule=few)
    z = module.net.noise(40)
    kinds = {}
    for module.statistics in ("running", "batch"):
        many, some = module.drawn(z, torch.zeros(40)), module.drawn(z[:5], torch.zeros(5))
        kinds[module.statistics] = torch.allclose(many[:5], some, atol=1e-5)
    assert kinds == {"running": True, "batch": False}
    with pytest.raises(LiteratimError, match="one sample has no statistics of a batch: --number 2"):
        module.sample(1, seed=0)
    assert module.sample(129, seed=0).shape == (129, 1, 32, 32)  # not one alone at the end


REFUSED = [
    ({"k": 0}, {}, "model.k is 0; it must be at least 1"),
    ({"draws": 0}, {}, "model.draws is 0"),
    ({}, {"images": torch.rand(60, 1, 28, 28) * 2 - 1}, "1x28x28 and the generator's 1x32x32: --data.size 32"),
    ({}, {"images": torch.rand(60, 3, 32, 32) * 2 - 1}, "3x32x32 and the generator's 1x32x32"),
    ({}, {"images": torch.rand(60, 1, 32, 32)}, "--data.background -1 --data.ink 1"),
    ({}, {"images": torch.rand(60, 1, 32, 32) * 255}, "between 0"),
]


@pytest.mark.parametrize(("options", "given", "words"), REFUSED, ids=[words[:40] for _, _, words in REFUSED])
def test_what_cannot_be_trained_is_refused_in_a_sentence(options, given, words, few, tmp_path):
    images, labels = few.sets["train"]
    few.sets["train"] = (given.get("images", images), labels)
    with pytest.raises(LiteratimError) as caught:
        trainer(tmp_path, max_epochs=1, limit_val_batches=0).fit(training(**options), datamodule=few)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


# --- The conditional pair --------------------------------------------------------------------------

CONDITIONAL = {"variant": "mnist-conditional", "options": {"width": 1 / 16}, "labels": 200, "draws": 2}


@pytest.fixture
def told():
    """Sixty digits of 28x28 pixels between 0 and 1, as the conditional pair takes them."""
    return sixty_digits(batch_size=20, size=28, background=0.0, ink=1.0)


@pytest.mark.parametrize("update", ["algorithm-1", "released"])
def test_the_conditional_pair_is_told_the_labels_of_each_minibatch(update, told, tmp_path):
    """Both networks, for images and for samples; and both move."""
    module = training(**CONDITIONAL, update=update)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    seen = []
    for part in (module.net.generator, module.net.discriminator):
        part.register_forward_hook(lambda _, args, out: seen.append(args[1].argmax(1)))
    fitting = trainer(tmp_path, max_epochs=1, limit_val_batches=0)
    fitting.fit(module, datamodule=told)
    expected = [labels for _, labels in told.train_dataloader()]
    assert all(any(torch.equal(labels, given) for labels in expected) for given in seen)
    assert len(seen) == {"algorithm-1": 3 * 5, "released": 2 + 3 + 2}[update]
    moved = [name for name, value in module.state_dict().items() if not torch.equal(value, before[name])]
    assert {name.split(".")[1] for name in moved if name.endswith("weight")} == {"generator", "discriminator"}


def test_the_test_tells_digits_by_samples_and_by_training_images(told, tmp_path):
    """Samples that are the training images err as these do; those of other labels nearly always."""
    module = training(**CONDITIONAL)
    images, labels = told.sets["train"]
    of = [images[labels == label][0] for label in range(10)]
    errors = []
    for shift in (0, 1):
        module.drawn = lambda z, asked, shift=shift: torch.stack([of[(int(label) + shift) % 10] for label in asked])
        errors.append(trainer(tmp_path).test(module, datamodule=told, verbose=False)[0])
    assert errors[0]["test_error"] < 50 < 75 < errors[1]["test_error"]
    assert errors[0]["test_real_error"] == errors[1]["test_real_error"]
    known, test = told.sets["train"], told.sets["test"]
    assert errors[0]["test_real_error"] == pytest.approx(nearest_error(known, test))


@pytest.mark.parametrize("statistics", ["running", "batch"])
def test_samples_are_of_the_label_that_is_asked_for(statistics):
    """As many as asked for, between 0 and 1, and others for another label."""
    module = training(**CONDITIONAL, statistics=statistics)
    three, four, all_ = (module.sample(12, seed=0, label=label) for label in (3, 4, None))
    assert three.shape == (12, 1, 28, 28)
    assert three.min() >= 0
    assert three.max() <= 1
    assert not torch.equal(three, four)
    if statistics == "running":
        assert torch.allclose(all_[3], three[3], atol=1e-5)
    with pytest.raises(LiteratimError, match="there is a label 10; the networks know those from 0 to 9"):
        module.sample(2, seed=0, label=10)


def test_the_conditional_pair_refuses_images_of_the_unconditional_one(told, tmp_path):
    images, labels = told.sets["train"]
    told.sets["train"] = (2 * images - 1, labels)
    with pytest.raises(LiteratimError, match=r"between 0 and 1 .*--data.background 0 --data.ink 1 of digits$"):
        trainer(tmp_path, max_epochs=1, limit_val_batches=0).fit(training(**CONDITIONAL), datamodule=told)


# --- Classifiers -----------------------------------------------------------------------------------


def test_classifiers_are_compared_on_the_same_labels(few, tmp_path, monkeypatch):
    """Three kinds of features, of the right lengths; the trained and the untrained discriminator differ."""
    seen = []

    def svm_error(extract, train, val, test, number, draws):
        seen.append((extract(few.sets["train"][0][:3]), train, val, test, number, draws))
        return float(len(seen)), 0.01

    monkeypatch.setattr("literatim.papers.dcgan.training.svm_error", svm_error)
    module = training()
    fitting = trainer(tmp_path, max_epochs=1)
    fitting.fit(module, datamodule=few)
    found = fitting.test(module, datamodule=few, verbose=False)[0]
    assert (found["test_error"], found["test_untrained_error"], found["test_pixel_error"]) == (1, 2, 3)
    trained, untrained, pixels = (row[0] for row in seen)
    assert trained.shape == untrained.shape == (3, 16 * (2 + 4 + 8))
    assert not torch.allclose(trained, untrained)
    assert torch.equal(pixels, few.sets["train"][0][:3].flatten(1))
    assert [row[1:] for row in seen] == [seen[0][1:]] * 3
    assert seen[0][2] is None
    assert seen[0][4:] == (20, 2)


def test_the_untrained_discriminator_follows_from_the_seed(few, tmp_path, monkeypatch):
    drawn, x = [], few.sets["train"][0][:2]

    def svm_error(extract, *rest):
        drawn.append(extract(x))
        return 0.0, 0.01

    monkeypatch.setattr("literatim.papers.dcgan.training.svm_error", svm_error)
    for state, few.seed in ((1, 0), (2, 0), (2, 1)):
        module = training()
        torch.manual_seed(state)
        trainer(tmp_path).test(module, datamodule=few, verbose=False)
    first, again, other = drawn[1], drawn[4], drawn[7]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_classifier_learns_and_never_chooses_on_the_test():
    """Two classes that lie apart are told with few errors; wrong labels in the test raise the error and change no C."""
    random = torch.Generator().manual_seed(0)
    y = torch.arange(300) % 2
    x = torch.randn(300, 6, generator=random) + 4 * y[:, None]
    train, test = (x[:200], y[:200]), (x[200:], y[200:])
    error, c = features.svm_error(features.pixels, train, None, test, 40, 3)
    wrong, same = features.svm_error(features.pixels, train, None, (test[0], 1 - test[1]), 40, 3)
    assert error < 10
    assert wrong > 90
    assert c == same


LABELS = torch.arange(60) % 10
IMPOSSIBLE = [
    (25, LABELS, "model.labels is 25; there are 10 classes"),
    (5, LABELS, "model.labels is 5"),
    (70, LABELS, "there are 6 images only; --model.labels 60"),
]


@pytest.mark.parametrize(("number", "labels", "words"), IMPOSSIBLE)
def test_labels_that_cannot_be_drawn(number, labels, words):
    with pytest.raises(LiteratimError) as caught:
        features.drawn(labels, number, seed=0)
    assert words in str(caught.value)


def test_no_image_left_to_choose_on():
    x = torch.randn(60, 3)
    with pytest.raises(LiteratimError, match="no labelled image is left"):
        features.svm_error(features.pixels, (x, LABELS), None, (x, LABELS), 60, 1)


def test_without_labels_there_are_no_classifiers(few, tmp_path):
    few.sets = {name: (images, torch.zeros_like(labels)) for name, (images, labels) in few.sets.items()}
    found = trainer(tmp_path).test(training(), datamodule=few, verbose=False)[0]
    assert found.keys() == {"test_distance", "test_discriminator_loss"}


# --- Recipes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", ["mnist", "mnist-conditional", "lsun"])
def test_recipes_hold_what_is_printed_for_all_models(recipe):
    """Sec. 4: 128 images a minibatch; nothing of the optimiser is otherwise than by default."""
    settings = yaml.safe_load(recipe_path("dcgan", recipe).read_text())
    assert settings["data"]["batch_size"] == 128
    assert not {"lr", "beta1", "k", "loss", "weight_decay"} & settings["model"].keys()


def test_bedrooms_from_a_folder(tmp_path, capsys, monkeypatch):
    """LSUN's recipe on folders as its export writes them: images in colour of 64x64 from -1 to 1, and a picture."""
    monkeypatch.chdir(tmp_path)
    random = torch.Generator().manual_seed(0)
    for name in "0f":
        (tmp_path / "bedrooms" / name).mkdir(parents=True)
        for i in range(3):
            pixels = torch.randint(256, (70, 90, 3), generator=random, dtype=torch.uint8)
            Image.fromarray(pixels.numpy()).save(tmp_path / "bedrooms" / name / f"{i}.jpg")
    short = ["--model.options.width", "0.0625", "--model.samples", "10", "--trainer.max_epochs", "1"]
    root = ["--data.root", "bedrooms", "--data.workers", "0"]
    assert main(["fit", "dcgan", "--recipe", "lsun", *short, *root]) == 0, capsys.readouterr().err
    folder = tmp_path / "runs" / "dcgan" / "lsun" / "0"
    picture = Image.open(folder / "samples.png")
    assert (picture.size, picture.mode) == ((2 * 640, 2 * 640), "RGB")
    assert (
        main(["predict", "dcgan", "--recipe", "lsun", "--ckpt_path", "last", "--to", "two.png", "--number", "2"]) == 0
    )
    assert Image.open("two.png").size == (256, 128)
    assert Image.open("two.png").mode == "RGB"


def test_what_quick_expects_is_beyond_what_no_learning_gives():
    """Neither an untrained generator, nor black paper, nor independent pixels, nor one image come near."""
    settings = yaml.safe_load(recipe_path("dcgan", "quick").read_text())
    data = Digits(**settings["data"])
    data.setup("fit")
    images, test = (data.sets[name][0] for name in ("train", "test"))

    def distance(samples):
        return float(squared_distances(test.flatten(1), samples.flatten(1)).amin(1).sqrt().mean())

    torch.manual_seed(0)
    untrained = DCGANTraining(**settings["model"]).sample(1000, seed=0) * 2 - 1
    at = torch.randint(len(images), (1000, images[0].numel()), generator=torch.Generator().manual_seed(0))
    pixels = images.flatten(1).gather(0, at)
    expects = card("dcgan").recipes["quick"].expects
    assert expects.metric == "test_distance"
    for samples in (untrained, -torch.ones_like(images[:1]), pixels, images.mean(0, keepdim=True), images[:10]):
        assert not expects.met(distance(samples))
    # What is expected can be had: with some training images themselves.
    assert expects.met(distance(images[:200]))


# --- The command -----------------------------------------------------------------------------------

SHORT = ["--model.options.width", "0.0625", "--model.samples", "50"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_ends_with_pictures_and_its_generator_makes_more(here, capsys):
    assert main(["fit", "dcgan", *SHORT, "--trainer.max_epochs", "1"]) == 0, capsys.readouterr().err
    folder = here / "runs" / "dcgan" / "quick" / "0"
    assert Image.open(folder / "samples.png").size == (640, 640)
    assert Image.open(folder / "walk.png").size == (640, 320)
    metrics = json.loads((folder / "record.json").read_text())["metrics"]
    assert {"test_distance", "discriminator_loss", "generator_loss", "sample_probability"} <= set(metrics)
    files = {}
    for name, more in {"a": [], "b": [], "other": ["--seed", "3"]}.items():
        assert main(["predict", "dcgan", "--ckpt_path", "last", "--to", f"{name}.png", "--number", "5", *more]) == 0
        files[name] = (here / f"{name}.png").read_bytes()
    assert files["a"] == files["b"] != files["other"]
    assert Image.open("a.png").size == (64 * 3, 64 * 2)
    capsys.readouterr()
    assert main(["predict", "dcgan", "--ckpt_path", "last", "--to", "x.png", "--label", "3"]) == 2
    assert "dcgan takes no label" in capsys.readouterr().err


def test_a_loss_that_is_no_number_stops_with_its_step(here, capsys):
    status = main(["fit", "dcgan", *SHORT, "--model.lr", "1e38", "--trainer.max_epochs", "2"])
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert status == 2
    assert re.search("the loss became (nan|inf) at step", said)
    assert "of epoch 1" in said


def test_pictures_in_grey_and_in_colour(tmp_path):
    red = torch.zeros(1, 2, 3, 4, 5)
    red[0, 1, 0] = 1
    write_grid(red, tmp_path / "red.png", scale=1)
    picture = Image.open(tmp_path / "red.png")
    assert picture.size == (10, 4)
    assert picture.getpixel((0, 0)) == (0, 0, 0)
    assert picture.getpixel((5, 0)) == (255, 0, 0)
    for images in (red[:, :, 0], red[:, :, :1]):
        write_grid(images, tmp_path / "grey.png", scale=1)
        picture = Image.open(tmp_path / "grey.png")
        assert (picture.mode, picture.size, picture.getpixel((9, 3)), picture.getpixel((4, 3))) == (
            "L",
            (10, 4),
            255,
            0,
        )


def test_the_essays_have_the_same_structure():
    texts = [(CHECKOUT / "papers" / "dcgan" / name).read_text() for name in ("essay.md", "essay.zh.md")]
    for mark in ("**", "$", "`", "\n1. ", "\n2. ", "\n6. "):
        assert texts[0].count(mark) == texts[1].count(mark), mark
