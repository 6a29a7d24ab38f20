"""Every paper of the registry, through its smoke(): a paper added later is covered by adding its card."""

import inspect
from importlib import import_module

import pytest
import torch
from pytorch_lightning import LightningDataModule, Trainer
from torch.utils.data import DataLoader

import trainings
from literatim.claims.verdicts import call
from literatim.registry import card, find

CASES = [(paper, variant) for paper in find() if card(paper).training for variant in card(paper).variants]
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here"))]


class OneBatch(LightningDataModule):
    """The smoke batch, as often as asked; the set `val` is the same batch."""

    watch = ["val"]
    seed = 0
    classes: tuple[int, ...] = ()

    def __init__(self, batch, steps: int) -> None:
        super().__init__()
        self.batch, self.steps = batch, steps
        self.sets = {"train": batch, "val": batch}

    def train_dataloader(self):
        return DataLoader([self.batch] * self.steps, batch_size=None)

    def val_dataloader(self):
        return DataLoader([self.batch], batch_size=None)

    predict_dataloader = val_dataloader


def trainer(folder, device: str, epochs: int = 1) -> Trainer:
    return trainings.trainer(folder, accelerator=device, devices=1, max_epochs=epochs)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("paper", "variant"), CASES)
def test_it_learns_saves_and_answers(paper, variant, device, tmp_path):
    torch.manual_seed(0)
    options = smoke_options(paper, variant)
    module = call(card(paper).training, variant=variant, **options)
    smoke = module.smoke()
    data = OneBatch(smoke.batch, smoke.steps)
    data.classes = tuple(range(trainer(tmp_path, device).predict(module, datamodule=data)[0].shape[-1]))
    metric = f"val_{smoke.metric}"
    before = trainer(tmp_path, device).validate(module, datamodule=data, verbose=False)[0][metric]

    moved: set[str] = set()
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            parameter.register_hook(lambda grad, name=name: moved.add(name) if grad.any() else None)
    fitting = trainer(tmp_path, device)
    fitting.fit(module, datamodule=data)
    after = fitting.callback_metrics[metric].item()
    assert (after < before) if smoke.goes == "down" else (after > before), f"{metric} went from {before} to {after}"
    assert moved == {name for name, p in module.named_parameters() if p.requires_grad}, "parameters without a gradient"

    fitting.save_checkpoint(tmp_path / "smoke.ckpt")
    saved = torch.load(tmp_path / "smoke.ckpt", weights_only=True)
    again = call(card(paper).training, variant=variant, **options)
    again.load_state_dict(saved["state_dict"])
    answers = [trainer(tmp_path, device).predict(m, datamodule=data)[0] for m in (module, again)]
    assert torch.equal(*answers)
    assert torch.isfinite(answers[0]).all()


def smoke_options(paper: str, variant: str) -> dict:
    """The options of the first recipe: a model as printed need not train (LeNet-5's does not)."""
    import yaml

    from literatim.registry.ledger import recipe_path

    recipe = next(iter(card(paper).recipes))
    settings = yaml.safe_load(recipe_path(paper, recipe).read_text())["model"]
    if variant not in card(paper).recipe_variants(recipe):  # the recipe is not for this one: a plain optimiser
        module, _, name = (card(paper).training or "").partition(":")
        choices = inspect.signature(getattr(import_module(module), name)).parameters
        return {"optimizer": "adam"} if "optimizer" in choices else {}
    return {name: value for name, value in settings.items() if name != "variant"}
