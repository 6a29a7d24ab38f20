r"""Training the growing pair: the updates, the schedule in images, and all that a resumed run needs."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

import literatim
from literatim.errors import LiteratimError
from literatim.papers.progan import distance, growth
from literatim.papers.progan.evaluation import Evaluation
from literatim.papers.progan.model import FIRST, discriminator_loss, generator_loss, gradient_penalty, sides
from literatim.parts.averaging import Averaged
from literatim.parts.smoke import Smoke

BETAS, EPSILON = (0.0, 0.99), 1e-8  # App. A.1, of Adam
TARGETS = {"cifar10": 750.0}  # Sec. 6.5, of the penalty; 1 elsewhere
# What is averaged over an epoch.
COUNTED = ("discriminator_loss", "generator_loss", "wasserstein")


class ProGANTraining(Evaluation):
    r"""WGAN-GP with Adam and growing networks (Sec. 2, App. A.1). Logged:

    - `discriminator_loss`, `generator_loss`: means over an epoch, each before its update;
    - `wasserstein`: likewise the mean score of real images less that of samples, and `<set>_wasserstein` on a set;
    - `resolution`, `alpha`: of the epoch's last update;
    - `<set>_swd`: the sliced Wasserstein distance of Sec. 5 between samples of the averaged generator, enlarged while
      they are small, and images of a set; and in the test the same of other things than samples, to compare it with:
      `test_swd_untrained`, an untrained generator's; `test_swd_pixels`, of the test images' own pixels, each drawn
      from a random image; `test_swd_real`, of training images.

    Every minibatch is whole: what a batch of the data leaves over waits for the next one.

    Args:
        variant: a variant of the card
        options: options of the model, such as `max_maps: 64`
        stabilise: real images for which the first resolution is trained, and each one after it is faded in
        fade: real images during which new layers are faded in
        start: the first resolution; with the last one nothing grows
        minibatch: images in an update
        minibatches: at these resolutions another number
        lr: Adam's step size, for both networks
        target: the norm of the gradient that the penalty asks for; by default 1, for the variant cifar10 750
        average: decay of the running average of the generator's weights, which is what is evaluated
        optimizer_state: where layers come or go, "keep" what Adam remembers, or "reset" it as the released TensorFlow
            code does
        images: how many of a set, and as many samples, `swd` compares
        descriptors: patches of each on each level
        projections: directions they are projected on
    """

    paper = "progan"
    best = ("val_swd", "min")  # what a run's best checkpoint is best in
    online: Tensor
    shown: Tensor

    def __init__(
        self,
        variant: str = "celebahq1024",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        stabilise: int = 800_000,
        fade: int = 800_000,
        start: int = FIRST,
        minibatch: int = 16,
        minibatches: dict[int, int] = {256: 14, 512: 6, 1024: 3},  # noqa: B006
        lr: float = 0.001,
        target: float | None = None,
        average: float = 0.999,
        optimizer_state: Literal["keep", "reset"] = "keep",
        images: int = distance.IMAGES,
        descriptors: int = distance.DESCRIPTORS,
        projections: int = distance.PROJECTIONS,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.net = literatim.load(self.paper, variant, **options)
        self.averaged = Averaged(self.net.generator, average)
        self.schedule = growth.Schedule(start, self.net.resolution, stabilise, fade)
        self.minibatch, self.minibatches = minibatch, minibatches
        self.lr, self.optimizer_state = lr, optimizer_state
        self.target = TARGETS.get(variant, 1.0) if target is None else target
        self.images, self.descriptors, self.projections = images, descriptors, projections
        self.check_options(options)
        self.register_buffer("shown", torch.zeros((), dtype=torch.long))  # real images so far
        # Sums of what COUNTED names in the epoch so far, and of how many updates; saved in an epoch's middle.
        self.register_buffer("online", torch.zeros(2, 3), persistent=False)
        self.waiting: Tensor | None = None  # images that no update has had yet
        self.drawn: list[Tensor] = []  # a row of samples, in bytes, for each landmark of the schedule
        self.entered: tuple[int, bool] | None = None

    def check_options(self, options: dict[str, Any]) -> None:
        for name, least in (("stabilise", 1), ("fade", 0), ("images", 2), ("descriptors", 1), ("projections", 1)):
            if self.hparams[name] < least:
                raise LiteratimError(f"model.{name} is {self.hparams[name]}; it must be at least {least}")
        known = sides(self.net.resolution)
        if unknown := [side for side in (self.schedule.first,) if side not in known]:
            raise LiteratimError(
                f"model.start is {unknown[0]}; this network's resolutions are {', '.join(map(str, known))}"
            )
        for number in (self.minibatch, *self.minibatches.values()):
            if number < 2:
                raise LiteratimError(
                    f"a minibatch of {number} has no deviation, which D looks at; --model.minibatch must be at least 2"
                )
            if options.get("deviation") == "groups-of-4" and number > 4 and number % 4:
                raise LiteratimError(f"a minibatch of {number} has no groups of 4; take a multiple of 4, or at most 4")
        if not self.target > 0:
            raise LiteratimError(f"model.target is {self.target}; the norm of a gradient is more than 0")

    def untrained(self) -> Any:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return literatim.load(self.paper, self.hparams["variant"], **self.hparams["options"]).generator

    # --- Where the training stands ---------------------------------------------------------------------

    @property
    def stage(self) -> growth.Stage:
        return self.schedule.stage(int(self.shown))

    def minibatch_at(self, resolution: int) -> int:
        return self.minibatches.get(resolution, self.minibatch)

    def configure_optimizers(self) -> Any:
        if str(self.trainer.precision).startswith("16"):
            raise LiteratimError(
                "the gradients' penalty needs the range of fp32: --trainer.precision 32, or bf16-mixed"
            )
        return [torch.optim.Adam(part.parameters(), lr=self.lr, betas=BETAS, eps=EPSILON) for part in self.parts]

    @property
    def parts(self) -> tuple[Any, Any]:
        return self.net.discriminator, self.net.generator

    def on_train_start(self) -> None:
        number = len(getattr(self.trainer.train_dataloader, "inputs", ()))
        most = max(self.minibatch_at(side) for side in sides(self.net.resolution) if side >= self.schedule.first)
        if 0 < number < most:
            raise LiteratimError(
                f"there are {number} images to train on and a minibatch has {most}; lower --model.minibatch, or take "
                "more images"
            )
        here, self.entered = self.entered or (self.stage.resolution, self.stage.fading), None
        self.enter(here)  # a resumed run where its last update was: the next one may find that layers come or go

    def enter(self, here: tuple[int, bool]) -> bool:
        """Let those layers learn that are in use at a resolution, fading or not; returns whether others were before."""
        if here == self.entered:
            return False
        self.entered = here
        for part in self.parts:
            part.requires_grad_(False)
            for layer in part.in_use(*here):
                layer.requires_grad_(True)
        return True

    # --- Updates ---------------------------------------------------------------------------------------

    def on_train_epoch_start(self) -> None:
        self.online.zero_()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        if self.waiting is None:
            self.check_images(batch[0])
        images = batch[0] if self.waiting is None else torch.cat([self.waiting.to(batch[0]), batch[0]])
        loss = self.online.new_zeros(())
        ready = len(images)
        if self.trainer.world_size > 1:  # as many updates in every rank
            ready = int(self.trainer.strategy.reduce(torch.tensor(ready, device=self.device), reduce_op="min"))
        while ready >= (number := self.minibatch_at(self.stage.resolution)):
            loss = loss + self.update(images[:number])
            images, ready = images[number:], ready - number
        self.waiting = images
        return loss

    def update(self, images: Tensor) -> Tensor:
        """One update of D and one of G: "we alternate between optimizing" them "on a per-minibatch basis"."""
        stage = self.stage
        if self.enter((stage.resolution, stage.fading)) and self.optimizer_state == "reset":
            for optimizer in self.optimizers(use_pl_optimizer=False):
                optimizer.state.clear()
        discriminator, generator = self.parts
        real, n = growth.as_shown(images, stage), len(images)
        with torch.no_grad():
            fake = generator(self.noise(n, 0), *stage)
        share = torch.rand(n, 1, 1, 1, generator=self.random(2)).to(self.device)
        penalty = gradient_penalty(discriminator, real, fake, share, stage.alpha, self.target)
        scores = discriminator(real, stage.alpha), discriminator(fake, stage.alpha)
        loss = discriminator_loss(*scores, penalty)
        self.step(0, loss)
        of_generator = generator_loss(discriminator(generator(self.noise(n, 1), *stage), stage.alpha))
        self.step(1, of_generator)
        self.averaged.update(generator)
        self.advance(n * self.trainer.world_size, stage)
        with torch.no_grad():
            gap = scores[0].mean() - scores[1].mean()
            self.online += torch.stack([torch.stack([loss, of_generator, gap]).float(), self.online.new_ones(3)])
        return loss.detach() + of_generator.detach()

    def advance(self, images: int, stage: growth.Stage) -> None:
        """Count the images; where they reach a landmark of the schedule, draw a row of samples as they now are."""
        before = int(self.shown)
        self.shown += images
        if any(before < mark <= before + images for mark in self.schedule.landmarks()):
            row = self.samples_at(stage, self.columns, seed=0)
            self.drawn.append(row.mul(255).round().byte().cpu())

    def step(self, which: int, loss: Tensor) -> None:
        """Of one network alone, by the mean of the gradients over the ranks where there are several."""
        learning = [weight for weight in self.parts[which].parameters() if weight.requires_grad]
        for weight in self.parts[which].parameters():
            weight.grad = None  # Adam passes over layers that are not in use
        for weight, gradient in zip(learning, torch.autograd.grad(loss, learning), strict=True):
            if (ranks := self.trainer.world_size) > 1:  # minibatches are whole, and all ranks weigh the same
                gradient = self.trainer.strategy.reduce(gradient, reduce_op="sum") / ranks
            weight.grad = gradient
        optimizer = self.optimizers()[which]
        # Lightning's wrapper counts steps: those of the discriminator, one for each minibatch.
        (optimizer if which == 0 else optimizer.optimizer).step()

    def random(self, use: int) -> torch.Generator:
        """What is drawn follows from seed, update, rank and use, so that a resumed run draws the same."""
        seed = 0
        for part in (self.trainer.datamodule.seed, self.global_step, use, self.global_rank):
            seed = (seed * 1_000_003 + part) % 2**63
        return torch.Generator().manual_seed(seed)

    def noise(self, number: int, use: int) -> Tensor:
        return self.net.noise(number, self.random(use)).to(self.device)

    def on_train_epoch_end(self) -> None:
        sums, updates = self.online
        if updates.any():
            for name, value in zip(COUNTED, sums / updates, strict=True):
                self.log(name, value, sync_dist=True)
        self.log("resolution", float(self.stage.resolution))
        self.log("alpha", self.stage.alpha)

    # --- Going on ----------------------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        waiting = None if self.waiting is None else self.waiting.cpu()
        kept = {"waiting": waiting, "drawn": self.drawn, "entered": self.entered}
        checkpoint["growing"] = {"online": self.online.cpu(), **kept}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        state = checkpoint["growing"]
        self.online.copy_(state["online"])
        self.waiting, self.drawn, self.entered = state["waiting"], list(state["drawn"]), state["entered"]

    def smoke(self) -> Smoke:
        """In the middle of the first fade: in a few updates D tells images of one colour from samples better."""
        schedule = self.schedule
        self.shown.fill_(schedule.stabilise + schedule.fade // 2)
        self.minibatch, self.images, self.descriptors, self.projections = 6, 6, 4, 8
        size = (self.net.channels, self.net.resolution, self.net.resolution)
        images = 2 * torch.rand(6, 1, 1, 1, generator=torch.Generator().manual_seed(0)).expand(6, *size) - 1
        return Smoke((images.contiguous(), torch.zeros(6, dtype=torch.long)), "wasserstein", "up", steps=5)
