r"""Training as in Sec. 3.1: "multinomial logistic regression" by mini-batch gradient descent with momentum."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn import functional as F
from torch.optim.lr_scheduler import ReduceLROnPlateau

import literatim
from literatim.errors import LiteratimError
from literatim.papers.vgg.evaluation import posteriors
from literatim.papers.vgg.model import VGG, start_from_net_a
from literatim.parts.smoke import Smoke


class VGGTraining(LightningModule):
    r"""Loss, optimiser, schedule and metrics.

    The update with momentum $\mu$ and decay $\lambda$ is $v \leftarrow \mu v + (\nabla L + \lambda w)$,
    $w \leftarrow w - \epsilon v$: the decay is part of the gradient, of biases too. Krizhevsky et al. have the rate
    $\epsilon$ inside of $v$, which is the same but for the first steps after the rate has dropped.

    Logged, errors in per cent and losses as means over examples:

    - `online_error`, `online_loss`: on the training images of an epoch, each measured before its update, with
      dropout;
    - `rate`: the learning rate;
    - `<set>_error`, `<set>_top5_error`, `<set>_loss`: on the sets that the data module watches and in the final test,
      by dense evaluation, averaged over mirror images (Sec. 3.2).

    Args:
        variant: a variant of the card
        options: options of the model, such as `init: glorot`
        start: a checkpoint to start from, of net A for a deeper net (seven layers of it), or of the same net, as the
            paper's S = 384 starts from S = 256
        lr: the first learning rate
        momentum: of the gradients
        weight_decay: multiplier of the L2 penalty
        drops: how many times the rate is divided by 10
        patience: epochs in a row without a lower error on the first watched set after which it is; none keeps the rate
        flip: average the posteriors of an image and its mirror image when evaluating
        mean: the mean RGB value to subtract; worked out in one pass over the training images where none is given
    """

    bf16 = True
    mean: Tensor

    def __init__(
        self,
        variant: str = "a",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        start: str | None = None,
        lr: float = 1e-2,
        momentum: float = 0.9,
        weight_decay: float = 5e-4,
        drops: int = 3,
        patience: int | None = 5,
        flip: bool = True,
        mean: list[float] | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.variant, self.options = variant, options
        net: VGG = literatim.load("vgg", variant, **options)  # type: ignore[assignment]
        # The same numbers in another order in memory, in which processors convolve faster.
        self.net = net.to(memory_format=torch.channels_last)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.drops, self.patience, self.flip = drops, patience, flip
        self.given_mean = mean
        # Kept with a checkpoint: what was trained with one mean is not tested with another.
        self.register_buffer("mean", torch.tensor(mean or [0.0, 0.0, 0.0]))
        if start:
            self.start_from(Path(start))

    def start_from(self, path: Path) -> None:
        """Sec. 3.1: a deeper net begins with layers of net A, one of a larger S with all of the smaller one's."""
        try:
            saved = torch.load(path, map_location="cpu", weights_only=True)
            variant = saved["hyper_parameters"]["variant"]
        except (OSError, EOFError, KeyError, RuntimeError, UnpicklingError) as error:
            raise LiteratimError(f"{path}: not a checkpoint to start from: {' '.join(str(error).split())}") from None
        weights = {k.removeprefix("net."): v for k, v in saved["state_dict"].items() if k.startswith("net.")}
        source: VGG = literatim.load("vgg", variant, **self.options)  # type: ignore[assignment]
        try:
            source.load_state_dict(weights)
            if variant == self.variant:
                self.net.load_state_dict(weights)
            elif variant == "a":
                start_from_net_a(self.net, source)
            else:
                raise ValueError(f"{self.variant} starts from net a or from itself, not from {variant}")
        except (RuntimeError, ValueError) as error:
            raise LiteratimError(f"{path} does not fit: {' '.join(str(error).split())}") from None

    def images(self, x: Tensor) -> Tensor:
        """Sec. 2.1: "The only preprocessing we do is subtracting the mean RGB value". A grey image is RGB as well."""
        return x.expand(-1, 3, -1, -1) - self.mean[:, None, None]

    def forward(self, x: Tensor) -> Tensor:
        return self.net(self.images(x))

    def on_fit_start(self) -> None:
        """The mean RGB value, "computed on the training set", unless it was given or a checkpoint brought it."""
        if self.given_mean is not None or bool(self.mean.any()):
            return
        total = torch.zeros(4, dtype=torch.float64, device=self.device)  # red, green, blue; pixels
        for images, _ in self.trainer.datamodule.train_dataloader():
            colours = images.to(self.device).expand(-1, 3, -1, -1)
            total[:3] += colours.sum(dim=(0, 2, 3), dtype=torch.float64)
            total[3] += colours[:, 0].numel()
        if self.trainer.world_size > 1:  # each rank has seen its share
            total = self.all_gather(total).sum(0)
        self.mean.copy_(total[:3] / total[3])

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(  # fused: one pass over the 130 million numbers of the fully connected layers
            self.net.parameters(), lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay, fused=True
        )
        if self.patience is None:
            return optimizer
        # PyTorch's patience is of the epochs that change nothing yet: with 4 the rate falls after the fifth.
        schedule = ReduceLROnPlateau(
            optimizer, factor=0.1, patience=self.patience - 1, threshold=0.0, min_lr=self.lr * 0.1**self.drops
        )
        watched = getattr(self.trainer.datamodule, "watch", ["val"])[0]
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "monitor": f"{watched}_error"}}

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        inputs, targets = batch
        y = self(inputs)
        loss = F.cross_entropy(y, targets)
        how: dict[str, Any] = {"on_step": False, "on_epoch": True, "batch_size": len(inputs), "sync_dist": True}
        self.log("online_error", 100 * (self.net.decide(y) != targets).float().mean(), **how)
        self.log("online_loss", loss.detach(), **how)
        self.log("rate", self.trainer.optimizers[0].param_groups[0]["lr"], **how)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int, dataloader_idx: int = 0) -> None:
        self.evaluate(getattr(self.trainer.datamodule, "watch", ["val"])[dataloader_idx], batch)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.evaluate("test", batch)

    def evaluate(self, name: str, batch: tuple[Tensor, Tensor]) -> None:
        inputs, targets = batch
        p = posteriors(self.net, self.images(inputs), self.flip)
        five = p.topk(min(5, p.shape[1])).indices
        how: dict[str, Any] = {
            "on_epoch": True, "batch_size": len(inputs), "sync_dist": True, "add_dataloader_idx": False
        }  # fmt: skip
        self.log(f"{name}_error", 100 * (five[:, 0] != targets).float().mean(), prog_bar=True, **how)
        self.log(f"{name}_top5_error", 100 * (five != targets[:, None]).all(dim=1).float().mean(), **how)
        self.log(f"{name}_loss", F.nll_loss(p.clamp_min(1e-30).log(), targets), **how)

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """(N, classes): the posteriors."""
        return posteriors(self.net, self.images(batch[0]), self.flip)

    def smoke(self) -> Smoke:
        """Four images of noise with four classes: thirty steps on them must lower the loss."""
        images = torch.rand(4, 3, self.net.size, self.net.size, generator=torch.Generator().manual_seed(0))
        return Smoke((images, torch.arange(4)), "loss", "down", steps=30)
