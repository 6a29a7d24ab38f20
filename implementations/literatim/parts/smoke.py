"""What a training module offers so that one test can drive every paper of the collection."""

from typing import Any, Literal, NamedTuple


class Smoke(NamedTuple):
    """A few steps on one tiny batch must move a metric the way it should go.

    `batch` is what the training module's steps take; `metric` is logged by its validation step under that name with
    the prefix `val_`; `steps` training steps on the batch must move it in the direction `goes`.
    """

    batch: Any
    metric: str
    goes: Literal["down", "up"]
    steps: int
