"""`literatim.load`: the paper's model by the paper's name."""

from __future__ import annotations

import hashlib
import inspect
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from literatim.errors import LiteratimError, did_you_mean
from literatim.registry.ledger import Record, records
from literatim.registry.names import resolve
from literatim.registry.reading import card, paper_folder, weights_path

if TYPE_CHECKING:
    from torch import nn

    from literatim.registry.schema import Demo


TORCHVISION = "torchvision"  # the name of the weights that torchvision publishes


def load(paper: str, variant: str | None = None, *, weights: str | None = None, **options: Any) -> nn.Module | Any:
    """The model of a paper, a plain `torch.nn.Module` in evaluation mode where it has weights.

    Args:
        paper: id, alias, arXiv id, DOI, BibTeX key or title, in any case
        variant: the paper's own name for the network, in lower case; the first on the card where none is given
        weights: name of shipped weights, which is that of the recipe whose recorded run made them; or "torchvision"
            for VGG's a, b, d, e and ResNet's resnet18 to resnet152: torchvision's IMAGENET1K_V1, with the options
            under which the network is torchvision's. What they expect of images is in `literatim.interop`. Of a paper
            that learns words shipped weights are words with their vectors and no network, and come as
            `literatim.papers.word2vec.evaluation.Vectors`, with `words`, `table`, `neighbours` and `analogy`.
        options: keywords of the model, by default as printed; see its docstring

    Raises LiteratimError for a name that is unknown, with the nearest ones.
    """
    name = resolve(paper)
    if weights is None:
        return build(name, known_variant(name, variant), options)
    if weights in shipped_vectors(name):
        if variant or options:
            raise LiteratimError(f'the weights "{weights}" are words with their vectors: no variant, no options')
        return word_vectors(name, weights)
    if weights == TORCHVISION:
        from literatim import interop

        variant = known_variant(name, variant)
        net = build(name, variant, interop.options_of_published(name, variant, options))
        state = interop.published(name, variant)
    else:
        recorded = weights_record(name, weights)
        variant = known_variant(name, recorded["variant"] if variant is None else variant)
        if recorded["variant"] != variant:
            raise LiteratimError(f'the weights "{weights}" are of {name} {recorded["variant"]}, not of {variant}')
        net = build(name, variant, {**recorded["options"], **options})
        state = weights_state(recorded)
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        what = " ".join(str(error).split())
        raise LiteratimError(f'the weights "{weights}" do not fit {name} with these options: {what}') from None
    return net.eval()


def build(name: str, variant: str, options: dict[str, Any]) -> nn.Module:
    """A variant with options that go on to its model, whose names and choices are looked at first."""
    entry = card(name).variants[variant]
    module, _, attribute = entry.model.partition(":")
    model = getattr(import_module(module), attribute)
    for key, value in entry.with_.items():
        if options.get(key, value) != value:
            raise LiteratimError(
                f'{name} {variant} is what it is by its {key} of "{value}"; leave the option {key} out'
            )
    settings = {**entry.with_, **options}
    keywords = inspect.signature(model).parameters
    if unknown := [key for key in settings if key not in keywords]:
        hint = did_you_mean(unknown[0], keywords) or f"; it has {', '.join(keywords)}"
        raise LiteratimError(f'{name} {variant} has no option "{unknown[0]}"{hint}')
    for key, value in settings.items():
        known = get_args(get_type_hints(model.__init__).get(key))  # of a Literal, what may be chosen
        if known and all(isinstance(choice, str) for choice in known) and value not in known:
            hint = did_you_mean(str(value), known) or f"; it is one of {', '.join(known)}"
            raise LiteratimError(f'{name} has no {key} "{value}"{hint}')
    try:
        net: nn.Module = model(**settings)
    except (TypeError, ValueError) as error:
        raise LiteratimError(
            f"{name} {variant} cannot be made with {settings}: {' '.join(str(error).split())}"
        ) from None
    import torch

    return net.to(torch.get_default_device())  # what a model makes of numpy's arrays is on the CPU


def known_variant(paper: str, variant: str | None) -> str:
    """The variant, or the default where none is named. Raises LiteratimError with the nearest names."""
    variants = card(paper).variants
    if variant is None:
        return card(paper).default_variant
    if variant not in variants:
        hint = did_you_mean(variant, variants) or f"; it has {', '.join(variants)}"
        raise LiteratimError(f'{paper} has no variant "{variant}"{hint}')
    return variant


def shipped_weights(paper: str) -> dict[str, Record]:
    """name -> the record of the run whose weights ship under that name."""
    return {r["weights"]["name"]: r for r in records(paper) if r.data.get("weights")}


def shipped_vectors(paper: str) -> dict[str, Demo]:
    """name -> what the card says of word vectors that ship under that name; no record has them."""
    demo = card(paper).demo
    return {demo.weights: demo} if demo and demo.vectors else {}


def word_vectors(paper: str, weights: str) -> Any:
    """Shipped words with their vectors, the checksum of their file held against the card."""
    demo = shipped_vectors(paper)[weights]
    path = weights_path(paper, weights)
    checked(path, demo.sha256 or "", "the card's")
    module, _, attribute = (demo.vectors or "").partition(":")
    return getattr(import_module(module), attribute)(path)


def weights_record(paper: str, weights: str) -> Record:
    from literatim.interop import NETWORKS

    shipped = shipped_weights(paper)
    if weights not in shipped:
        known = [*shipped, *shipped_vectors(paper), *([TORCHVISION] if paper in NETWORKS else [])]
        hint = did_you_mean(weights, known) or (f"; it has {', '.join(known)}" if known else "; none ship")
        raise LiteratimError(f'{paper} has no weights "{weights}"{hint}')
    return shipped[weights]


def weights_state(record: Record) -> dict[str, Any]:
    """The weights of a recorded run by name. Raises LiteratimError for a file that is damaged or holds none."""
    from safetensors import SafetensorError
    from safetensors.torch import load as parse

    content = weights_bytes(record)
    try:
        return parse(content)
    except (SafetensorError, ValueError) as error:
        path = paper_folder(record["paper"]) / "weights" / record["weights"]["file"]
        raise LiteratimError(f"{path}: no weights can be read from it: {error}; install the package again") from None


def weights_bytes(record: Record) -> bytes:
    """The weights file of a recorded run, its checksum held against the record."""
    path: Path = paper_folder(record["paper"]) / "weights" / record["weights"]["file"]
    return checked(path, record["weights"]["sha256"], "the record's")


def checked(path: Path, sha256: str, whose: str) -> bytes:
    """What a file of weights holds. Raises LiteratimError where that is not what its checksum says."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LiteratimError(
            f"{path}: the weights cannot be read: {error.strerror}; install the package again"
        ) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise LiteratimError(f"{path} is damaged: its checksum is not {whose}; install the package again")
    return content
