r"""Training residual networks as in Sec. 3.4 (ImageNet) and Sec. 4.2 (CIFAR-10)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, Literal, cast

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.nn import functional as F

import literatim
from literatim.errors import LiteratimError
from literatim.papers.resnet.model import CifarResNet, ResNet, initialise
from literatim.papers.resnet.testing import LayerResponses, multi_scale_probabilities, ten_crop_probabilities
from literatim.parts.smoke import Smoke

# Sec. 4.2: "we use 0.01 to warm up the training until the training error is below 80%, and then go back to 0.1".
WARM_UP_RATE, WARM_UP_ERROR = 0.01, 80.0
STATISTICS_BATCHES = 100
WARM_UP_BATCHES = 100  # how many of the last mini-batches the training error is taken over: open, and chosen here


def rate_of_step(done: int, lr: float, drops: list[int]) -> float:
    """The rate of the iteration that follows `done` finished ones: divided by 10 at each of `drops`."""
    return lr / 10 ** sum(done >= drop for drop in drops)


class WarmUp:
    """Goes on until the training error, over the last hundred mini-batches, is below 80 %."""

    def __init__(self, over: bool) -> None:
        self.over = over
        self.errors: list[float] = []

    def saw(self, error: float) -> None:
        """The error on one mini-batch in per cent."""
        self.errors = [*self.errors, error][-WARM_UP_BATCHES:]
        full = len(self.errors) == WARM_UP_BATCHES
        self.over = self.over or (full and sum(self.errors) / WARM_UP_BATCHES < WARM_UP_ERROR)


class ResNetTraining(LightningModule):
    r"""Loss, optimiser, schedule and metrics.

    Cross-entropy; stochastic gradient descent with momentum, $v \leftarrow m v + g + \lambda w$ and
    $w \leftarrow w - \eta v$, the weight decay on all parameters. Logged, errors in per cent and losses as means:

    - `online_error`, `online_loss`: on the training images of an epoch, as augmented, each before its update;
    - `rate`: the learning rate of the epoch's last iteration;
    - `<set>_error`, `<set>_loss`: on the sets that the data module watches, after the epoch, and
      `<set>_top5_error` where there are a hundred classes or more;
    - `test_response`: the mean over the 3x3 layers of what Fig. 7 shows, on the test images.

    Args:
        variant: a variant of the card
        options: options of the model, such as `shortcut: b`
        lr: the learning rate at the start
        momentum: of the gradients
        weight_decay: the factor $\lambda$ on all parameters
        schedule: "iterations" divides the rate by 10 at `drops`, "plateau" when the error of the first watched set has
            not fallen for `patience` epochs in a row; "printed" is the one of Sec. 4.2 for its networks, the other for
            Table 1's
        drops: the iterations at which "iterations" divides the rate
        patience: epochs in a row without a lower error, however little, that make a plateau
        warm_up: "yes" starts at a rate of 0.01 until the training error is below 80 %; "printed" does so for 110 and
            1202 layers
        statistics: of batch normalisation when evaluating: "moving" averages, or "exact" ones over a hundred
            mini-batches of the training set, as in the release
        views: of the images to test on: "one", "ten-crop" or "multi-scale" (Sec. 3.4)
        weights: to start from, "torchvision" or shipped ones, instead of the printed initialisation
        num_classes: of the last layer, which begins anew where the weights have another number
        freeze: what stays as it is, statistics included: "nothing", the "stem" (conv1), or all "features", so that
            only the last layer learns
    """

    bf16 = True
    online: Tensor

    def __init__(
        self,
        variant: str = "resnet20",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 1e-4,
        schedule: Literal["printed", "iterations", "plateau"] = "printed",
        drops: list[int] = [32_000, 48_000],  # noqa: B006
        patience: int = 5,
        warm_up: Literal["printed", "yes", "no"] = "printed",
        statistics: Literal["moving", "exact"] = "moving",
        views: Literal["one", "ten-crop", "multi-scale"] = "one",
        weights: str | None = None,
        num_classes: int | None = None,
        freeze: Literal["nothing", "stem", "features"] = "nothing",
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        net = started(variant, options, weights, num_classes)
        # The same numbers in another order in memory, in which processors convolve faster.
        self.net = net.to(memory_format=torch.channels_last)
        stem, features = [net.conv1], [part for name, part in net.named_children() if name != "fc"]
        self.frozen = {"nothing": [], "stem": stem, "features": features}[freeze]
        for part in self.frozen:
            part.requires_grad_(False)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        by_iterations = isinstance(self.net, CifarResNet) if schedule == "printed" else schedule == "iterations"
        self.drops, self.patience = (drops if by_iterations else None), patience
        self.statistics, self.views = statistics, views
        warms_up = variant in ("resnet110", "resnet1202") if warm_up == "printed" else warm_up == "yes"
        self.warm_up = WarmUp(over=not warms_up)
        # Images seen, mistakes and summed loss of the epoch so far; saved with a checkpoint in its middle.
        self.register_buffer("online", torch.zeros(3), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits; a grey image (recipe quick) is shown as three equal colours."""
        return self.net(x.expand(-1, 3, -1, -1))

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(
            self.net.parameters(), lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay
        )
        if self.drops is not None:
            return optimizer
        # PyTorch's patience is of the epochs that change nothing yet: with 4 the rate falls after the fifth.
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=0.1, patience=self.patience - 1, threshold=0.0
        )
        watched = getattr(self.trainer.datamodule, "watch", ["val"])[0]
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, "monitor": f"{watched}_error"}}

    def on_fit_start(self) -> None:
        known, answers = len(self.trainer.datamodule.classes), self.net.fc.out_features
        if known != answers:
            raise LiteratimError(
                f"the data have {known} classes and the network {answers}; give it {known} with --model.num_classes"
            )

    def on_train_epoch_start(self) -> None:
        self.online.zero_()
        for part in self.frozen:
            part.eval()

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        if self.drops is not None:
            rate = rate_of_step(self.global_step, self.lr, self.drops) if self.warm_up.over else WARM_UP_RATE
            for group in self.optimizers(use_pl_optimizer=False).param_groups:
                group["lr"] = rate

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        inputs, targets = batch
        y = self(inputs)
        loss = F.cross_entropy(y, targets)
        wrong = self.net.decide(y.detach()) != targets
        counted = (self.online.new_tensor(len(inputs)), wrong.sum().float(), loss.detach().float() * len(inputs))
        self.online += torch.stack(counted)
        if not self.warm_up.over:
            self.warm_up.saw(float(self.trainer.strategy.reduce(100 * wrong.float().mean())))
        return loss

    def on_train_epoch_end(self) -> None:
        images, mistakes, loss = self.online
        self.log("online_error", 100 * mistakes / images, sync_dist=True)
        self.log("online_loss", loss / images, sync_dist=True)
        self.log("rate", self.optimizers(use_pl_optimizer=False).param_groups[0]["lr"])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["online"] = self.online.cpu()
        checkpoint["warm_up"] = {"over": self.warm_up.over, "errors": self.warm_up.errors}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.online.copy_(checkpoint["online"])
        self.warm_up.over, self.warm_up.errors = checkpoint["warm_up"]["over"], checkpoint["warm_up"]["errors"]

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int, dataloader_idx: int = 0) -> None:
        names = getattr(self.trainer.datamodule, "watch", ["val"])
        inputs, targets = batch
        y = self(inputs)
        self.log_errors(names[dataloader_idx], y, targets)
        self.log_mean(f"{names[dataloader_idx]}_loss", F.cross_entropy(y, targets), len(inputs))

    def on_validation_start(self) -> None:
        if self.statistics == "exact":
            batches = islice(self.trainer.datamodule.train_dataloader(), STATISTICS_BATCHES)
            take_statistics(self, (images.to(self.device) for images, _ in batches))
            if self.trainer.world_size > 1:
                for layer in (part for part in self.modules() if isinstance(part, nn.BatchNorm2d)):
                    for average in (layer.running_mean, layer.running_var):
                        average.copy_(self.trainer.strategy.reduce(average, reduce_op="mean"))

    def on_test_start(self) -> None:
        self.on_validation_start()
        self.responses = LayerResponses(self.net).__enter__()

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.log_errors("test", self.answers(batch[0]), batch[1])

    def on_test_epoch_end(self) -> None:
        self.responses.__exit__()
        for name, sums in self.responses.sums.items():
            self.responses.sums[name] = self.trainer.strategy.reduce(sums, reduce_op="sum")
        std = self.responses.std().values()
        self.log("test_response", sum(std) / len(std))

    def answers(self, x: Tensor) -> Tensor:
        """(N, classes): the probabilities that one view of each image gives, or several."""
        if self.views == "ten-crop":
            return ten_crop_probabilities(self.net, x)
        return (
            multi_scale_probabilities(cast(ResNet, self.net), x)
            if self.views == "multi-scale"
            else self.net.probabilities(self(x))
        )

    def log_errors(self, name: str, y: Tensor, targets: Tensor) -> None:
        self.log_mean(f"{name}_error", 100 * (self.net.decide(y) != targets).float().mean(), len(y), prog_bar=True)
        if y.shape[1] >= 100:
            missed = (y.topk(5, dim=1).indices != targets[:, None]).all(dim=1)
            self.log_mean(f"{name}_top5_error", 100 * missed.float().mean(), len(y))

    def log_mean(self, name: str, value: Tensor, images: int, **how: Any) -> None:
        self.log(name, value, on_epoch=True, batch_size=images, sync_dist=True, add_dataloader_idx=False, **how)

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """(N, classes): the probabilities of the classes."""
        return self.answers(batch[0])

    def smoke(self) -> Smoke:
        """Four images of noise with four classes: a few steps on them must lower the loss.

        They are small, for the networks end with an average over whatever is left of the maps. Moving averages would
        lag so far behind these few steps that the sums of a hundred layers overflow in evaluation.
        """
        plain = not any("shortcut" in name for name, _ in self.net.named_modules())
        self.lr, self.warm_up.over, self.statistics = (1e-2 if plain else 1e-3), True, "exact"
        side = (16 if plain else 8) if isinstance(self.net, CifarResNet) else 64
        images = torch.randn(4, 3, side, side, generator=torch.Generator().manual_seed(0))
        return Smoke((images, torch.arange(4)), "loss", "down", steps=8)


def started(variant: str, options: dict[str, Any], weights: str | None, num_classes: int | None) -> Any:
    """The network in training mode: as printed, or with given weights and, for other classes, a new last layer."""
    if weights is None:
        return literatim.load("resnet", variant, **(options | ({"num_classes": num_classes} if num_classes else {})))
    net: Any = literatim.load("resnet", variant, weights=weights, **options)
    if num_classes not in (None, net.fc.out_features):
        net.fc = nn.Linear(net.fc.in_features, num_classes)
        initialise(net.fc)
    return net.train()


@torch.no_grad()
def take_statistics(net: torch.nn.Module, batches: Iterable[Tensor]) -> None:
    """Give batch normalisation the averages over these mini-batches of their means and variances."""
    layers = [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    kept, was_training = [layer.momentum for layer in layers], net.training
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain average, not a moving one
    net.train()
    for images in batches:
        net(images)
    net.train(was_training)
    for layer, momentum in zip(layers, kept, strict=True):
        layer.momentum = momentum
