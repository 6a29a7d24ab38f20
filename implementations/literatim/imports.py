"""torch and Lightning, imported in less time than they take otherwise, which is most of a short command's."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

# What Lightning imports of torchmetrics.
LIGHT = {"Metric": "torchmetrics.metric", "MetricCollection": "torchmetrics.collections"}


@contextmanager
def quickly() -> Iterator[None]:
    """Around the first import of torch and Lightning: no garbage is looked for, and torchmetrics is put off."""
    before, collects = imported(), gc.isenabled()
    gc.disable()
    package = light_torchmetrics()
    try:
        yield
    finally:
        if package:
            put_off(package)
        if imported() != before:
            gc.freeze()  # the modules' objects stay; without this, each later collection would walk through them
        if collects:
            gc.enable()


def imported() -> set[str]:
    return {"torch", "pytorch_lightning"} & sys.modules.keys()


def light_torchmetrics() -> ModuleType | None:
    """torchmetrics with the two classes that Lightning names and nothing more, without running its `__init__`.

    That imports scipy.signal, and torchvision where it is installed. None where torchmetrics has been imported
    before, or where its classes do not import alone: then it is imported as ever.
    """
    if isinstance(package := sys.modules.get("torchmetrics"), PutOff):
        package.at_hand()
        return package
    if package or (spec := find_spec("torchmetrics")) is None:
        return None
    package = sys.modules["torchmetrics"] = module_from_spec(spec)
    try:
        about = import_module("torchmetrics.__about__")
        package.__dict__.update({name: getattr(about, name) for name in about.__all__})
        package.__dict__["_logger"] = logging.getLogger("torchmetrics")
        import_module("torchmetrics.utilities")  # first: it and `metric` import each other
        package.__dict__.update({name: getattr(import_module(place), name) for name, place in LIGHT.items()})
    except (ImportError, AttributeError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchmetrics"]:
            del sys.modules[name]
        return None
    return package


class PutOff(ModuleType):
    """A package whose `__init__` runs when a name or a module of it is asked for that is not there yet."""

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        if spec is None or spec.loader is None or (name.startswith("__") and name not in ("__all__", "__path__")):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.at_hand()
        try:
            spec.loader.exec_module(self)
        except BaseException:
            put_off(self)
            raise
        return getattr(self, name)

    def at_hand(self) -> None:
        """Be a package like any other, with what has been imported of it."""
        assert self.__spec__
        self.__dict__["__path__"] = self.__spec__.submodule_search_locations
        self.__class__ = ModuleType  # type: ignore[assignment]


def put_off(package: ModuleType) -> None:
    """Let the package's `__init__` run later. Python asks for `__path__` before it imports a module of a package."""
    del package.__dict__["__path__"]
    package.__class__ = PutOff
