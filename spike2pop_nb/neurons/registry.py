"""The neurons that can be named: those of this package, and those that other packages declare."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.dopamine import DA
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.stg import STG

__all__ = ["get_neuron", "list_neurons", "register_neuron"]

ENTRY_POINT_GROUP = "spike2pop_nb.neurons"
_registered: dict[str, NeuronModel] = {neuron.name: neuron for neuron in (STG, DA)}


def register_neuron(neuron: NeuronModel) -> NeuronModel:
    """Make a declaration available under its name in this session.

    Raises
    ------
    NeuronModelError
        If another neuron already has the name.
    """
    if _registered.setdefault(neuron.name, neuron) is not neuron:
        raise NeuronModelError(f"A neuron named {neuron.name!r} is already declared; choose another name.")
    return neuron


@cache
def _load_entry_points() -> None:
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        neuron = entry.load()
        if not isinstance(neuron, NeuronModel):
            raise NeuronModelError(f"The entry point {entry.name!r} of {entry.value} is not a NeuronModel.")
        register_neuron(neuron)


def list_neurons() -> list[str]:
    """Return the names of all neurons that can be used."""
    _load_entry_points()
    return list(_registered)


def get_neuron(neuron: str | NeuronModel) -> NeuronModel:
    """Return a declaration by its name; a declaration is returned as it is.

    Raises
    ------
    NeuronModelError
        If no neuron has this name.
    """
    if isinstance(neuron, NeuronModel):
        return neuron
    _load_entry_points()
    found = _registered.get(str(neuron).strip().lower())
    if found is None:
        raise NeuronModelError(f"There is no neuron {neuron!r}; choose one of {', '.join(_registered)}.")
    return found
