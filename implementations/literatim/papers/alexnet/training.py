r"""Training AlexNet as in Sec. 4 and 5, and testing it on ten views."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn import functional as F

import literatim
from literatim.papers.alexnet.model import AlexNet
from literatim.papers.alexnet.momentum import Momentum
from literatim.parts.colour import Magnitude, PixelStatistics, colour_noise, principal_components
from literatim.parts.crops import random_crops, ten_crops
from literatim.parts.smoke import Smoke

CENTRE = 4  # of the ten views
REDUCTIONS = 3  # Sec. 5: the rate was "reduced three times prior to termination"


class AlexNetTraining(LightningModule):
    r"""Loss, optimiser, schedule and metrics.

    Takes square images (N, 3, h, w) at levels from 0 to 255, of at least the network's input; small and grey ones
    are enlarged and made RGB. The mean image and the colours' covariance are taken from the training set before the
    first epoch, and are saved with the network.

    Logged, errors in per cent:

    - `online_error`, `online_loss`: on the training images as they are altered, with dropout, before each update;
    - `<set>_error`, `<set>_top5_error`, `<set>_loss`: of the predictions averaged over the ten views, on the sets that
      the data module watches; `<set>_centre_error` and `<set>_centre_top5_error` of the centre alone;
    - `rate`: the learning rate of an epoch.

    Args:
        variant: a variant of the card
        options: options of the model
        image_size: side of the images that the crops are taken from
        reflect: mirror every other training image, and test on the mirrored views too
        colour: magnitude of the colour noise along each principal component: its "eigenvalue" as printed, its standard
            "deviation", or "none"
        optimizer: "momentum", the paper's, or "adam", for trials
        lr: the first rate; 0.01 as printed, or 0.0001 for adam
        momentum: the factor of the velocity
        weight_decay: of the weights; biases are not decayed
        drops: epochs after which the rate is divided by ten; where none are given it is divided when the error on
            the first watched set has stopped improving, three times at most
        patience: epochs without a better error after which it "stopped improving"
    """

    bf16 = True
    mean: Tensor
    components: Tensor
    plateau: Tensor

    def __init__(
        self,
        variant: str = "alexnet",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        image_size: int | None = None,
        reflect: bool = True,
        colour: Literal["eigenvalue", "deviation", "none"] = "eigenvalue",
        optimizer: Literal["momentum", "adam"] = "momentum",
        lr: float | None = None,
        momentum: float = 0.9,
        weight_decay: float = 0.0005,
        drops: list[int] = [],  # noqa: B006
        patience: int = 5,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = cast(AlexNet, literatim.load("alexnet", variant, **options))
        # Sec. 2 and 4.1: 256 for an input of 224, and in that proportion.
        self.image_size = image_size or self.net.size * 256 // 224
        self.reflect, self.colour, self.optimizer = reflect, colour, optimizer
        self.lr = lr or (0.01 if optimizer == "momentum" else 0.0001)
        self.momentum, self.weight_decay = momentum, weight_decay
        self.drops, self.patience = drops, patience
        self.register_buffer("mean", torch.zeros(3, self.image_size, self.image_size))
        self.register_buffer("components", torch.zeros(3, 3))
        # The best error so far, epochs since then, reductions of the rate.
        self.register_buffer("plateau", torch.tensor([torch.inf, 0.0, 0.0]))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def criterion(self, y: Tensor, target: Tensor) -> Tensor:
        """Sec. 3.5: the negative log-probability of the correct label, averaged over the cases."""
        return F.cross_entropy(y, target)

    # --- Images

    def images(self, raw: Tensor) -> Tensor:
        """RGB images of the size that crops are taken from."""
        x = raw.float()
        x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x
        side = (self.image_size, self.image_size)
        return x if x.shape[2:] == side else F.interpolate(x, size=side, mode="bilinear")

    def on_fit_start(self) -> None:
        """The mean of every pixel and the principal components of the colours, unless a checkpoint brought them."""
        if bool(self.mean.any()):
            return
        statistics = PixelStatistics(self.image_size, self.device)
        for raw, _ in self.trainer.datamodule.train_dataloader():
            statistics.add(self.images(raw.to(self.device)))
        if self.trainer.world_size > 1:  # each rank has seen its share
            for total in (statistics.images, statistics.sum, statistics.products):
                total.copy_(self.all_gather(total).sum(0))
        self.mean.copy_(statistics.mean)
        if self.colour != "none":
            magnitude: Magnitude = self.colour
            self.components.copy_(principal_components(statistics.covariance, magnitude))

    def altered(self, raw: Tensor) -> Tensor:
        """Training images: a random crop, mirrored every other time, its colours shifted (Sec. 4.1)."""
        crops = random_crops(self.images(raw) - self.mean, self.net.size, self.reflect)
        return crops if self.colour == "none" else colour_noise(crops, self.components)

    def views(self, raw: Tensor) -> Tensor:
        """(N, 10, 3, 224, 224): the views of a test."""
        return ten_crops(self.images(raw) - self.mean, self.net.size, self.reflect)

    def predictions(self, raw: Tensor) -> Tensor:
        """(N, 10, classes): the softmax of each view. Their mean is the network's prediction (Sec. 4.1)."""
        views = self.views(raw)
        return self.net.probabilities(self.net(views.flatten(0, 1))).unflatten(0, views.shape[:2])

    # --- Learning

    def configure_optimizers(self) -> torch.optim.Optimizer:
        if self.optimizer == "adam":
            return torch.optim.Adam(self.net.parameters(), lr=self.lr)
        weights = [p for name, p in self.net.named_parameters() if name.endswith("weight")]
        biases = [p for name, p in self.net.named_parameters() if name.endswith("bias")]
        groups = [{"params": weights}, {"params": biases, "weight_decay": 0.0}]
        return Momentum(groups, self.lr, self.momentum, self.weight_decay)

    def reductions(self) -> int:
        """How often the rate has been divided by ten when the present epoch begins."""
        return sum(epoch <= self.current_epoch for epoch in self.drops) if self.drops else int(self.plateau[2])

    def on_train_epoch_start(self) -> None:
        rate = self.lr / 10 ** self.reductions()
        for group in self.optimizers(use_pl_optimizer=False).param_groups:
            group["lr"] = rate
        self.log("rate", rate)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        raw, target = batch
        y = self.net(self.altered(raw))
        loss = self.criterion(y, target)
        how: dict[str, Any] = {"on_step": False, "on_epoch": True, "batch_size": len(raw), "sync_dist": True}
        self.log("online_error", 100 * (y.argmax(1) != target).float().mean(), **how)
        self.log("online_loss", loss, **how)
        return loss

    def on_train_epoch_end(self) -> None:
        watched = getattr(self.trainer.datamodule, "watch", ["val"])
        if not self.drops and watched and f"{watched[0]}_error" in self.trainer.callback_metrics:
            self.note_error(float(self.trainer.callback_metrics[f"{watched[0]}_error"]))

    def note_error(self, error: float) -> None:
        """Sec. 5: divide the rate by ten "when the validation error rate stopped improving"."""
        best, waited, reductions = self.plateau.tolist()
        waited = 0 if error < best else waited + 1
        if waited >= self.patience and reductions < REDUCTIONS:
            waited, reductions = 0, reductions + 1
        self.plateau.copy_(self.plateau.new_tensor([min(best, error), waited, reductions]))

    # --- Testing

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int, dataloader_idx: int = 0) -> None:
        names = getattr(self.trainer.datamodule, "watch", ["val"])
        self.evaluate(names[dataloader_idx], batch)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.evaluate("test", batch)

    def evaluate(self, name: str, batch: tuple[Tensor, Tensor]) -> None:
        raw, target = batch
        p = self.predictions(raw)
        how: dict[str, Any] = {
            "on_epoch": True, "batch_size": len(raw), "sync_dist": True, "add_dataloader_idx": False
        }  # fmt: skip
        for views, mean in (("", p.mean(1)), ("centre_", p[:, CENTRE])):
            best = mean.topk(min(5, mean.shape[1]), dim=1).indices == target[:, None]
            self.log(f"{name}_{views}error", 100 * (~best[:, 0]).float().mean(), prog_bar=not views, **how)
            self.log(f"{name}_{views}top5_error", 100 * (~best.any(1)).float().mean(), **how)
        self.log(f"{name}_loss", F.nll_loss(p.mean(1).clamp(min=1e-30).log(), target), **how)

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """(N, 1000): the probabilities of the classes, averaged over the views."""
        return self.predictions(batch[0]).mean(1)

    def smoke(self) -> Smoke:
        """Two images of noise: a few steps on them must lower the loss, from about log(1000)."""
        generator = torch.Generator().manual_seed(0)
        side = self.image_size
        return Smoke((255 * torch.rand(2, 3, side, side, generator=generator), torch.arange(2)), "loss", "down", 3)
