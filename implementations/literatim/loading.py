"""`literatim.load`: the paper's model by the paper's name."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from literatim.errors import LiteratimError, did_you_mean
from literatim.registry.ledger import Record, records
from literatim.registry.names import chosen, variant_of
from literatim.registry.reading import card, paper_folder, weights_path
from literatim.weightfiles import is_file_name, misfit, read_weights, without_prefixes

if TYPE_CHECKING:
    from torch import nn

    from literatim.registry.schema import Demo


TORCHVISION = "torchvision"  # the name of the weights that torchvision publishes
ANY = {True, "DEFAULT", "IMAGENET1K_V1", "IMAGENET1K_V2", "pretrained", "imagenet"}  # how other collections ask


def load(
    paper: str, variant: str | None = None, *, weights: str | Path | None = None, **options: Any
) -> nn.Module | Any:
    """The model of a paper, a plain `torch.nn.Module` in evaluation mode where it has weights.

    Args:
        paper: id, alias, arXiv id, DOI, BibTeX key or title; or a network's own name, such as "resnet50" or "vgg16";
            in any case, with hyphens or without
        variant: the paper's own name for the network; the first on the card where none is given
        weights: name of shipped weights, which is that of the recipe whose recorded run made them; or "torchvision"
            for VGG's a, b, d, e and ResNet's resnet18 to resnet152: torchvision's IMAGENET1K_V1, with the options
            under which the network is torchvision's (what they expect of images is in `literatim.interop`); or a
            file, .safetensors, .ckpt, .pt or .pth: a checkpoint of a run, which brings its options, or a state dict.
            Of a paper that learns words shipped weights and runs are words with their vectors, no network, and come as
            `literatim.papers.word2vec.evaluation.Vectors`, with `words`, `table`, `neighbours` and `analogy`.
        options: keywords of the model, by default as printed; see its docstring

    Raises LiteratimError for a name that is unknown, with the nearest ones, and for weights that do not fit.
    """
    name, variant = chosen(paper, variant)
    if weights is None:
        return build(name, known_variant(name, variant), options)
    if is_file_name(weights):
        return from_file(name, variant, Path(weights), options)
    if isinstance(weights, str) and weights in shipped_vectors(name):
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
    return filled(net, state, f'the weights "{weights}" do not fit {name} with these options')


def from_file(name: str, variant: str | None, path: Path, options: dict[str, Any]) -> nn.Module | Any:
    """The network with the weights of a file; a checkpoint of a run says of which variant and options it is."""
    state, rest = read_weights(path)
    run, given = rest.get("literatim") or {}, rest.get("hyper_parameters")
    if isinstance(run, dict) and isinstance(given, dict) and isinstance(given.get("variant"), str):
        of = run.get("paper", name), given["variant"]  # a Trainer of one's own does not say of which paper it is
        if of[0] != name or variant not in (None, of[1]):
            raise LiteratimError(
                f"{path}: a checkpoint of {' '.join(of)}, not of {' '.join(filter(None, (name, variant)))}"
            )
        if "words" in rest:
            return words_of_run(name, path, rest)
        variant = known_variant(name, of[1])
        options = {**options_of_run(name, variant, given), **options}
    variant = known_variant(name, variant)
    return filled(build(name, variant, options), state, f"{path} does not fit {name} {variant} with these options")


def words_of_run(name: str, path: Path, checkpoint: dict[str, Any]) -> Any:
    """The words of a run with their vectors, to be asked; the network needs the counts of its text besides."""
    module, _, attribute = (card(name).training or "").partition(":")
    training = getattr(import_module(module), attribute)
    try:
        return training.look_up(training.vectors_of(checkpoint))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        what = "not whole: it has no finite vector for each of its words"
        raise LiteratimError(f"{path}: {what}; take another one") from None


def options_of_run(name: str, variant: str, given: dict[str, Any]) -> dict[str, Any]:
    """The options of the network that a training module was given: its own, and those of what it went on from."""
    options = dict(given.get("options") or {})
    if given.get("weights") == TORCHVISION:
        from literatim import interop

        options = interop.options_of_published(name, variant, options)
    elif given.get("weights"):
        options = {**weights_record(name, given["weights"])["options"], **options}
    return options | ({"num_classes": given["num_classes"]} if given.get("num_classes") else {})


def filled(net: nn.Module, state: Mapping[str, Any], whose: str) -> nn.Module:
    """The network with these weights, in evaluation mode. Raises LiteratimError where they do not fit."""
    shapes = {key: tuple(entry.shape) for key, entry in net.state_dict().items()}
    state = without_prefixes(state, shapes)
    if fault := misfit(state, shapes):
        raise LiteratimError(f"{whose}: {fault}")
    net.load_state_dict(state)
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
    if "pretrained" in settings and "pretrained" not in keywords:
        raise LiteratimError(f"weights are asked for by their name, not by pretrained{there_are(name)}")
    if unknown := [key for key in settings if key not in keywords]:
        hint = did_you_mean(unknown[0], keywords) or f"; it has {', '.join(keywords)}"
        raise LiteratimError(f'{name} {variant} has no option "{unknown[0]}"{hint}')
    types = get_type_hints(model.__init__)
    for key, value in settings.items():
        known = get_args(types.get(key))  # of a Literal, what may be chosen
        if known and all(isinstance(choice, str) for choice in known) and value not in known:
            hint = did_you_mean(str(value), known) or f"; it is one of {', '.join(known)}"
            raise LiteratimError(f'{name} has no {key} "{value}"{hint}')
        if key == "num_classes" and (type(value) is not int or value < 1):
            raise LiteratimError(f"{name} {variant}: {key} is {value!r:.40}; it must be a whole number of at least 1")
        check_kind(f"{name} {variant}: {key}", types.get(key), value)
    try:
        net: nn.Module = model(**settings)
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        raise LiteratimError(
            f"{name} {variant} cannot be made with {settings}: {' '.join(str(error).split())}"
        ) from None
    import torch

    return net.to(torch.get_default_device())  # what a model makes of numpy's arrays is on the CPU


KINDS: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


def check_kind(what: str, kind: Any, value: Any) -> None:
    """Raises LiteratimError for a value of another kind than the annotation, where that is a plain one."""
    kinds = set(get_args(kind)) if get_origin(kind) in (Union, UnionType) else {kind}
    if not kinds <= {*KINDS, type(None)}:
        return
    fits = type(value) in kinds or (float in kinds and type(value) is int)
    if not fits:
        words = " or ".join(KINDS.get(one, "null") for one in sorted(kinds, key=lambda one: one is type(None)))
        raise LiteratimError(f"{what} is {value!r:.40}; it must be {words}")


def known_variant(paper: str, variant: str | None) -> str:
    """The variant, or the default where none is named. Raises LiteratimError with the nearest names."""
    return card(paper).default_variant if variant is None else variant_of(paper, variant)


def shipped_weights(paper: str) -> dict[str, Record]:
    """name -> the record of the run whose weights ship under that name, in the card's order of recipes."""
    place = {name: i for i, name in enumerate(card(paper).recipes)}
    shipped = [r for r in records(paper) if r.data.get("weights")]
    return {r["weights"]["name"]: r for r in sorted(shipped, key=lambda r: place.get(r["recipe"], len(place)))}


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


def weights_record(paper: str, weights: Any) -> Record:
    """The record of the run whose weights are so called. Raises LiteratimError with what there is."""
    shipped = shipped_weights(paper)
    if not isinstance(weights, str) or (weights in ANY and weights not in shipped):
        raise LiteratimError(f"weights are asked for by their name, not by {weights!r:.40}{there_are(paper)}")
    if weights not in shipped:
        known = known_weights(paper)
        hint = did_you_mean(weights, known) or (f"; it has {', '.join(known)}" if known else "; none ship")
        raise LiteratimError(f'{paper} has no weights "{weights}"{hint}')
    return shipped[weights]


def known_weights(paper: str) -> list[str]:
    from literatim.interop import NETWORKS

    return [*shipped_weights(paper), *shipped_vectors(paper), *([TORCHVISION] if paper in NETWORKS else [])]


def there_are(paper: str) -> str:
    """`; lenet has weights="mnist"`, or what to do where none ship."""
    known = " and ".join(f'weights="{name}"' for name in known_weights(paper))
    return f"; {paper} has {known}" if known else f"; for {paper} none ship: train it, or name a file, weights=FILE"


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
