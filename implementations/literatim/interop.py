"""Between torchvision's names and the papers': state dicts translated both ways, and torchvision's published weights.

torchvision's `vgg11`, `vgg13`, `vgg16` and `vgg19` are columns A, B, D and E of VGG's Table 1. Its `resnet18` and
`resnet34` are the networks of ResNet's Table 1 with projections where dimensions increase (`shortcut="b"`), its
`resnet50`, `resnet101` and `resnet152` those with the stride in the 3x3 layers (`stride="3x3"`). With the same weights
they give the same answers and learn alike, which the tests hold; the entries of their state dicts have other names.

    net = literatim.load("resnet", "resnet50", stride="3x3")
    net.load_state_dict(literatim.interop.from_torchvision("resnet", "resnet50", theirs.state_dict()))

The translation needs no torchvision. `literatim.load(…, weights="torchvision")` does: it takes the weights that
torchvision publishes as IMAGENET1K_V1. They expect RGB images whose levels of 0 to 1 are lessened by 0.485, 0.456 and
0.406 and then divided by 0.229, 0.224 and 0.225, channel by channel (torchvision/transforms/_presets.py).
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from literatim.errors import LiteratimError
from literatim.loading import known_variant, load
from literatim.registry.names import chosen
from literatim.registry.reading import card
from literatim.weightfiles import misfit

if TYPE_CHECKING:
    from torch import Tensor

CLASSES = 1000  # of the published weights


class Network(NamedTuple):
    """What torchvision calls a variant, and the options with which the variant is that network."""

    theirs: str
    options: dict[str, Any]


WHOLE = {"width": 64, "hidden": 4096, "size": 224}  # which only miniatures change
PROJECTIONS = {"shortcut": "b"}
V1_5 = {"shortcut": "b", "stride": "3x3"}  # for these depths "b" is what is printed
NETWORKS = {
    "vgg": {
        "a": Network("vgg11", WHOLE),
        "b": Network("vgg13", WHOLE),
        "d": Network("vgg16", WHOLE),
        "e": Network("vgg19", WHOLE),
    },
    "resnet": {
        "resnet18": Network("resnet18", PROJECTIONS),
        "resnet34": Network("resnet34", PROJECTIONS),
        "resnet50": Network("resnet50", V1_5),
        "resnet101": Network("resnet101", V1_5),
        "resnet152": Network("resnet152", V1_5),
    },
}

Rules = tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...]
PLACE = {"first": 1, "second": 2, "third": 3}
# From our names to torchvision's, rule by rule. What follows the layer (weight, running_mean …) is the same in both.
RESNET: Rules = (
    (r"^conv1\.(conv|bn)\.", r"\g<1>1."),
    (r"^conv(\d)_x\.conv\d_(\d+)\.", lambda at: f"layer{int(at[1]) - 1}.{int(at[2]) - 1}."),  # conv2_x is layer1
    (r"\.(first|second|third)\.(conv|bn)\.", lambda at: f".{at[2]}{PLACE[at[1]]}."),
    (r"\.shortcut\.conv\.", ".downsample.0."),
    (r"\.shortcut\.bn\.", ".downsample.1."),
)


def vgg(names: Iterable[str]) -> Rules:
    """For VGG it depends on the column: torchvision counts all the layers of its `features`.

    Before a convolution stand two layers for each one before it, itself and its ReLU, and a pooling for each block.
    `classifier` has fc6, ReLU, dropout, fc7, ReLU, dropout, fc8.
    """
    convolutions = [name for name in names if re.fullmatch(r"block\d\.conv\d_\d\.weight", name)]

    def place(at: re.Match[str]) -> str:
        return f"features.{2 * convolutions.index(f'{at[0]}weight') + int(at[1]) - 1}."

    return (r"^block(\d)\.conv\d_\d\.", place), (r"^fc(\d)\.", lambda at: f"classifier.{3 * (int(at[1]) - 6)}.")


def from_torchvision(paper: str, variant: str | None, state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A new state dict of the paper's network from that of torchvision's.

    Args:
        paper: "vgg" or "resnet", by any of its names
        variant: "a", "b", "d" or "e"; "resnet18" to "resnet152"; the first on the card where it is None
        state_dict: of torchvision's network, for any number of classes; the new one has its very tensors

    Batch normalisation's `num_batches_tracked` may be missing, as it is in files older than it: it becomes 0.
    Raises LiteratimError where another entry is missing, surplus or of another shape, and for every other network.
    """
    network, entries = correspondence(paper, variant, state_dict)
    return translated(
        state_dict, {theirs: (ours, shape) for ours, theirs, shape in entries}, f"torchvision's {network.theirs}"
    )


def to_torchvision(paper: str, variant: str | None, state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A new state dict of torchvision's network from that of the paper's: `from_torchvision` the other way round.

    The paper's network is made with `shortcut="b"` for 18 and 34 layers and with `stride="3x3"` for the deeper ones.
    A state dict does not show the latter, which changes no shape: without it the answers are not the same.
    """
    network, entries = correspondence(paper, variant, state_dict)
    made = ", ".join(f"{key}={value!r}" for key, value in network.options.items())
    return translated(
        state_dict, {ours: (theirs, shape) for ours, theirs, shape in entries}, f"the paper's network with {made}"
    )


def correspondence(
    paper: str, variant: str | None, state_dict: Mapping[str, Tensor]
) -> tuple[Network, list[tuple[str, str, tuple[int, ...]]]]:
    """torchvision's network, and of each entry (our name, torchvision's name, shape), with as many classes as given."""
    import torch

    if not isinstance(state_dict, Mapping):
        kind = type(state_dict).__name__
        raise LiteratimError(f"a state dict is translated, not a {kind}; take what its state_dict() returns")
    paper, variant = chosen(paper, variant)
    variant = known_variant(paper, variant)
    network = same_network(paper, variant)
    last = [state_dict.get(name) for name in ("fc.bias", "fc8.bias", "classifier.6.bias")]
    classes = next((len(bias) for bias in last if isinstance(bias, torch.Tensor) and bias.ndim == 1), CLASSES)
    with torch.device("meta"):  # shapes, and no memory
        net = load(paper, variant, num_classes=classes, **network.options)
    shapes = {name: tuple(entry.shape) for name, entry in net.state_dict().items()}
    rules = RESNET if paper == "resnet" else vgg(shapes)
    entries = []
    for ours, shape in shapes.items():
        theirs = ours
        for pattern, name in rules:
            theirs = re.sub(pattern, name, theirs)
        entries.append((ours, theirs, shape))
    return network, entries


def translated(
    given: Mapping[str, Tensor], names: Mapping[str, tuple[str, tuple[int, ...]]], whose: str
) -> dict[str, Tensor]:
    """The entries under their other names. Raises LiteratimError where they are not those of `whose` network."""
    import torch

    tensors = dict(given)
    for name in names:
        if name.endswith("num_batches_tracked"):
            tensors.setdefault(name, torch.tensor(0))
    if fault := misfit(tensors, {name: shape for name, (_, shape) in names.items()}):
        raise LiteratimError(f"this is no state dict of {whose}: {fault}; name the variant that it is of")
    return {other: tensors[name] for name, (other, _) in names.items()}


def same_network(paper: str, variant: str) -> Network:
    """torchvision's network that is the paper's. Raises LiteratimError that says why there is none."""
    if paper not in NETWORKS:
        named = [str(row.with_) for row in card(paper).compared if str(row.with_).startswith("torchvision.models.")]
        why = f"{named[0]} is another network (see `compared` on the card)" if named else f"torchvision has no {paper}"
        raise LiteratimError(f"{why}; only {' and '.join(NETWORKS)} can be taken from torchvision, or given to it")
    if variant not in NETWORKS[paper]:
        raise LiteratimError(f"torchvision has no {paper} {variant}; of {paper} it has {', '.join(NETWORKS[paper])}")
    return NETWORKS[paper][variant]


def options_of_published(paper: str, variant: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options given and those of the network that the published weights are of. Raises where they contradict."""
    network = same_network(paper, variant)
    fixed = {**network.options, "num_classes": CLASSES}
    for key, value in fixed.items():
        if given.get(key, value) != value:
            then = ", and give the network that you get another last layer" if key == "num_classes" else ""
            raise LiteratimError(
                f"torchvision's weights are of a {network.theirs} with {key}={value!r}, not {given[key]!r}; leave the "
                f"option {key} out{then}"
            )
    return {**given, **fixed}


def categories() -> list[str]:
    """What torchvision calls the thousand classes of ImageNet, in the order of the outputs."""
    try:
        from torchvision.models import ResNet18_Weights
    except (ImportError, RuntimeError) as error:
        raise missing(error) from None
    return list(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


def missing(error: Exception) -> LiteratimError:
    """A torchvision that does not fit torch fails with RuntimeError."""
    return LiteratimError(
        f"these weights need torchvision, which does not import ({error}); pip install 'literatim[download]'"
    )


def published(paper: str, variant: str) -> dict[str, Tensor]:
    """torchvision's IMAGENET1K_V1 weights of a variant, under the paper's names.

    The file is looked for in `checkpoints` in torch.hub's folder (TORCH_HOME), and else fetched there by torchvision.
    Raises LiteratimError where torchvision is missing, the download fails or the file is damaged.
    """
    import torch

    try:
        from torchvision.models import get_model_weights
    except (ImportError, RuntimeError) as error:
        raise missing(error) from None
    weights: Any = get_model_weights(same_network(paper, variant).theirs)["IMAGENET1K_V1"]
    file = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rpartition("/")[2]
    if file.exists():
        hold_against_checksum(file)
    try:
        with redirect_stdout(sys.stderr):  # it announces a download
            found = weights.get_state_dict(check_hash=True, weights_only=True)
    except (OSError, RuntimeError, HTTPException) as error:
        raise LiteratimError(
            f"{weights.url} could not be downloaded: {' '.join(str(error).split())}; fetch it elsewhere and put it at "
            f"{file}"
        ) from None
    return from_torchvision(paper, variant, found)


def hold_against_checksum(file: Path) -> None:
    """The beginning of the checksum is in the file's name; torchvision looks at it only after a download."""
    try:
        with file.open("rb") as content:
            checksum = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise LiteratimError(f"{file} cannot be read: {error.strerror}; put torchvision's file there") from None
    if not checksum.startswith(file.stem.rpartition("-")[2]):
        raise LiteratimError(f"{file} is damaged: its checksum is not the one in its name; delete it and load again")
