"""The neurons of this package: whatever a module of this folder declares, found and not listed."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.model import NeuronModel

__all__ = ["FIRST", "shipped_neurons"]

FIRST = "stg"
"""The neuron that is listed first, and taken where none is chosen; the others follow by name."""


@cache
def shipped_neurons() -> tuple[NeuronModel, ...]:
    """Return every `NeuronModel` that a module of this folder declares at its top level.

    Raises
    ------
    NeuronModelError
        If two declarations have one name.
    """
    package = import_module(__name__.rpartition(".")[0])
    found: dict[str, NeuronModel] = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for value in vars(import_module(module.name)).values():
            # one that is imported to be changed is met again, and is no other
            if isinstance(value, NeuronModel) and found.setdefault(value.name, value) is not value:
                raise NeuronModelError(f"{module.name} declares another neuron named {value.name!r}.")
    return tuple(sorted(found.values(), key=lambda neuron: (neuron.name != FIRST, neuron.name)))
