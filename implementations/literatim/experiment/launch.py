"""Who started this process, and which of how many it is. No torch here."""

from __future__ import annotations

import os
from typing import NamedTuple

from literatim.errors import LiteratimError


class Launch(NamedTuple):  # the import of dataclasses is a tenth of what `literatim list` takes
    """What a launcher says of the processes it has started: `rank` of `world`, `here` of them on this machine."""

    by: str
    rank: int
    world: int
    here: int

    def options(self) -> list[str]:
        """What Lightning has to be told, unless the user says otherwise."""
        if self.world == 1:
            return []
        nodes, left = divmod(self.world, self.here)
        if left:
            raise LiteratimError(f"{self.by} has started {self.world} processes, which are not as many on each machine")
        return [f"--trainer.devices={self.here}", f"--trainer.num_nodes={nodes}", "--trainer.strategy=ddp"]

    def check(self, devices: int, nodes: int) -> None:
        """Raises LiteratimError where the options are for another number of processes than there are."""
        if devices * nodes != self.world:
            raise LiteratimError(
                f"{self.by} has started {self.world} processes and the options are for {devices} on each of {nodes} "
                "machines; leave --trainer.devices, --trainer.num_nodes and --trainer.strategy out"
            )


def launch() -> Launch | None:
    """By torchrun, SLURM or Kubernetes' PyTorchJob, read from the variables they set; None where nobody has.

    Raises LiteratimError where a variable is missing or no number.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return Launch("torchrun", _number("RANK"), _number("WORLD_SIZE"), _number("LOCAL_WORLD_SIZE"))
    if "SLURM_NTASKS" in os.environ and os.environ.get("SLURM_JOB_NAME") not in ("bash", "interactive"):
        tasks = _number("SLURM_NTASKS")
        here = _number("SLURM_NTASKS_PER_NODE", tasks // _number("SLURM_NNODES", 1))
        return Launch("SLURM", _number("SLURM_PROCID"), tasks, here)
    if "LOCAL_RANK" not in os.environ and {"MASTER_ADDR", "WORLD_SIZE", "RANK"} <= os.environ.keys():
        return Launch("Kubernetes", _number("RANK"), _number("WORLD_SIZE"), 1)
    return None


def first() -> bool:
    """Whether this is the process of rank 0, which makes the run's folder and speaks for all."""
    if found := launch():
        return found.rank == 0
    return _number("LOCAL_RANK", 0) == 0 and _number("NODE_RANK", 0) == 0  # Lightning's own


def speaks() -> bool:
    """Whether a mistake that is met before the processes are connected is said by this one: all meet with it."""
    try:
        found = launch()
    except LiteratimError:
        return True
    return found is None or found.rank == 0


def _number(name: str, otherwise: int | None = None) -> int:
    value = os.environ.get(name)
    if value is None and otherwise is not None:
        return otherwise
    if value is None or not value.isdecimal():
        said = "is not set" if value is None else f'is "{value}"'
        raise LiteratimError(f"the launcher's variable {name} {said}; it must be a whole number")
    return int(value)
