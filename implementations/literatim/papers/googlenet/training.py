r"""Training GoogLeNet as in Sec. 6: gradient descent with momentum, a slow schedule, averaged weights."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn

import literatim
from literatim.papers.googlenet.model import AUXILIARY_WEIGHT, GoogLeNet, supervised_loss
from literatim.parts.averaging import Averaged
from literatim.parts.smoke import Smoke

# Sec. 6: "fixed learning rate schedule (decreasing the learning rate by 4% every 8 epochs)", "0.9 momentum".
DECAY, EPOCHS_OF_A_RATE, MOMENTUM = 0.96, 8, 0.9


def rate_after(epochs: int) -> float:
    r"""The learning rate after so many epochs, as a part of the first one: $0.96^{\lfloor e / 8 \rfloor}$."""
    return DECAY ** (epochs // EPOCHS_OF_A_RATE)


class GoogLeNetTraining(LightningModule):
    r"""Loss, optimiser, schedule, averaging and metrics.

    Takes images (N, 3, size, size) with the mean subtracted, or grey ones (N, 1, size, size), which go in as three
    equal colours. What is evaluated is the average of the weights, "the final model used at inference time"; until
    averaging begins, the weights themselves. Logged, errors in per cent and losses as means over examples:

    - `online_loss`, `online_error`: on the training images of an epoch, each measured before its update, the loss
      with those of the auxiliary classifiers;
    - `<set>_error`, `<set>_top5_error`, `<set>_loss`: on the sets that the data module watches, after the epoch. A
      top-5 error counts an image as right if its class is among the five most likely ones.

    The update of a weight is $v \leftarrow 0.9\,v + g + \lambda w$, $w \leftarrow w - \epsilon v$, with the weight
    decay $\lambda$ inside the velocity $v$ and the rate $\epsilon$ outside. The paper gives no formula.

    Args:
        variant: a variant of the card
        options: options of the model, such as `num_classes: 10`
        optimizer: "sgd", the paper's, though in one process, or "adam"
        lr: the first learning rate, which the paper does not give: 0.01 where none is named, 0.001 for adam
        weight_decay: $\lambda$, which the paper does not give
        auxiliary_weight: of the loss of each auxiliary classifier
        average_from: epochs that are over before the averaging begins
    """

    bf16 = True

    def __init__(
        self,
        variant: str = "googlenet",
        options: dict[str, Any] = {},  # noqa: B006 (Lightning shows the default in --help)
        optimizer: Literal["sgd", "adam"] = "sgd",
        lr: float | None = None,
        weight_decay: float = 2e-4,
        auxiliary_weight: float = AUXILIARY_WEIGHT,
        average_from: int = 0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        # The same numbers in another order in memory, in which processors convolve faster.
        self.net = literatim.load("googlenet", variant, **options).to(memory_format=torch.channels_last)
        self.average = Averaged(self.net)
        self.lr = lr if lr is not None else {"sgd": 0.01, "adam": 0.001}[optimizer]
        self.optimizer, self.weight_decay = optimizer, weight_decay
        self.auxiliary_weight, self.average_from = auxiliary_weight, average_from

    @property
    def final(self) -> nn.Module:
        """The model used at inference time."""
        return self.average.net if self.average.updates else self.net

    def forward(self, x: Tensor) -> Any:
        return self.final(coloured(x))

    def configure_optimizers(self) -> Any:
        if self.optimizer == "adam":
            return torch.optim.Adam(self.net.parameters(), lr=self.lr, weight_decay=self.weight_decay)
        sgd = torch.optim.SGD(self.net.parameters(), self.lr, MOMENTUM, weight_decay=self.weight_decay)
        return [sgd], [torch.optim.lr_scheduler.LambdaLR(sgd, rate_after)]  # Lightning steps it after each epoch

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        inputs, target = batch
        outputs = self.net(coloured(inputs))
        loss = supervised_loss(outputs, target, self.auxiliary_weight)
        y = outputs if isinstance(outputs, Tensor) else outputs[0]
        how: dict[str, Any] = {"on_step": False, "on_epoch": True, "batch_size": len(inputs), "sync_dist": True}
        self.log("online_loss", loss.detach(), **how)
        self.log("online_error", 100 * (y.argmax(dim=1) != target).float().mean(), **how)
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.current_epoch >= self.average_from:
            self.average.update(self.net)

    def on_fit_end(self) -> None:
        """The averaged weights become the network's: they are what ships."""
        self.net.load_state_dict(self.final.state_dict())

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int, dataloader_idx: int = 0) -> None:
        names = getattr(self.trainer.datamodule, "watch", ["val"])
        self.evaluate(names[dataloader_idx], batch)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.evaluate("test", batch)

    def evaluate(self, name: str, batch: tuple[Tensor, Tensor]) -> None:
        inputs, target = batch
        y = self(inputs)
        how: dict[str, Any] = {
            "on_epoch": True, "batch_size": len(inputs), "sync_dist": True, "add_dataloader_idx": False
        }  # fmt: skip
        self.log(f"{name}_error", 100 * (y.argmax(dim=1) != target).float().mean(), prog_bar=True, **how)
        among_five = (y.topk(5, dim=1).indices == target[:, None]).any(dim=1)
        self.log(f"{name}_top5_error", 100 * (~among_five).float().mean(), **how)
        self.log(f"{name}_loss", supervised_loss(y, target), **how)

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """(N, classes): the probabilities of the classes."""
        return torch.softmax(self(batch[0]), dim=1)

    def smoke(self) -> Smoke:
        """Two images of noise with two classes: a few steps on them must lower the loss."""
        generator = torch.Generator().manual_seed(0)
        size = cast(GoogLeNet, self.net).size
        images = torch.randn(2, 3, size, size, generator=generator)
        return Smoke((images, torch.arange(2)), "loss", "down", steps=4)


def coloured(x: Tensor) -> Tensor:
    """(N, 3, h, w): grey images as three equal colours; the colours of a pixel side by side, as a CPU likes to pool."""
    return x.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
