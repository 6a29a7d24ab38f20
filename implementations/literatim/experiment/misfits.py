"""Sentences on what torch says where images, labels or a rate do not fit a network."""

from __future__ import annotations

import re
from traceback import extract_tb

# What torch says where the last maps of a network are smaller than a pixel, or than a window.
TOO_SMALL = ("Output size is too small", "Kernel size can't be greater than actual input size")
OTHER_SIZE = "shapes cannot be multiplied"
READER = "DataLoader worker"  # torch says so wherever the main process happens to be
NO_MEMORY = "can't allocate memory"
TOO_LARGE = ("Storage size calculation overflowed", NO_MEMORY, "numel: integer multiplication overflow")
NO_FLOAT = "value cannot be converted to type float without overflow"


def mismatch(message: str) -> str:
    """A sentence on images, labels or a rate that do not fit the network; nothing where torch means something else."""
    if found := re.match(r"Target (\d+) is out of bounds", message):
        return (
            f"the data have a class {found[1]} (counted from 0), for which the network has no output; say how many "
            "classes there are with --model.options.num_classes"
        )
    if any(words in message for words in TOO_SMALL):
        return "the images are too small for this network, whose maps shrink to nothing; take larger ones (--data.size)"
    if OTHER_SIZE in message:
        return "the images have another size than the network was made for; make data.size and the network's size equal"
    if READER in message:
        return (
            "a process that reads images was stopped from outside, for want of memory perhaps; go on with fewer of "
            "them (--data.workers) or smaller batches"
        )
    if any(words in message for words in TOO_LARGE):
        return "more memory is asked for than there is; make the sizes, numbers of channels or batches smaller"
    if NO_FLOAT in message:
        return "a step is too large for a number of 32 bits; lower the learning rate (--model.lr)"
    return ""


def unfit(error: BaseException) -> str:
    """A sentence on a checkpoint that is of another network; nothing where torch or Lightning mean something else."""
    message = str(error)
    if "loading state_dict" in message:
        if found := re.search(
            r"size mismatch for ([\w.]+): .*?torch.Size\(\[(.*?)\]\).*?torch.Size\(\[(.*?)\]\)", message
        ):
            differs = f"{found[1]} is {found[2]} there and {found[3]} in this network"
        elif found := re.search(r"Missing key\(s\) in state_dict: \"([^\"]+)\"", message):
            differs = f"it lacks {found[1]}"
        elif found := re.search(r"Unexpected key\(s\) in state_dict: \"([^\"]+)\"", message):
            differs = f"it has {found[1]}, which this network has not"
        else:
            differs = " ".join(message.split())
        return (
            f"a checkpoint of another network: {differs}; give the options it was trained with, or go back to the "
            "version of the code that made it"
        )
    restoring = any("checkpoint_connector" in frame.filename for frame in extract_tb(error.__traceback__))
    if isinstance(error, Exception) and restoring:
        what = f"{type(error).__name__}: {' '.join(message.split())}"
        return f"its state cannot be taken over ({what}); take another checkpoint, or begin anew"
    return ""
