"""The neurons of this package: whatever a module of this folder declares, found and not listed."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import ModuleType

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.model import NeuronModel

__all__ = ["FIRST", "shipped_neurons", "shipped_rest"]

FIRST = "stg"
"""The neuron that is listed first, and taken where none is chosen; the others follow by name."""


def _modules() -> Iterator[ModuleType]:
    package = import_module(__name__.rpartition(".")[0])
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        yield import_module(module.name)


@cache
def shipped_neurons() -> tuple[NeuronModel, ...]:
    """Return every `NeuronModel` that a module of this folder declares at its top level.

    Raises
    ------
    NeuronModelError
        If two declarations have one name.
    """
    found: dict[str, NeuronModel] = {}
    for module in _modules():
        for value in vars(module).values():
            # one that is imported to be changed is met again, and is no other
            if isinstance(value, NeuronModel) and found.setdefault(value.name, value) is not value:
                raise NeuronModelError(f"{module.__name__} declares another neuron named {value.name!r}.")
    return tuple(sorted(found.values(), key=lambda neuron: (neuron.name != FIRST, neuron.name)))


@cache
def shipped_rest() -> dict[str, str]:
    """Return ``{name: words}``: what each does at rest, as `AT_REST` beside its declaration says.

    The words are those of `spike2pop_nb.simulation.at_rest`, kept so that a list simulates nothing.
    """
    return {
        value.name: words
        for module in _modules()
        if (words := getattr(module, "AT_REST", ""))
        for name in module.__all__  # its own, and not one that it imports to change it
        if isinstance(value := getattr(module, name), NeuronModel)
    }
