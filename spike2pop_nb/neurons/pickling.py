"""How a neuron goes to another process: by its name and what is varied, or, if nobody knows it, by value."""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Callable
from dataclasses import fields
from typing import Any
from weakref import WeakValueDictionary

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.identity import leaves, warmth_of
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.registry import get_neuron, is_lasting
from spike2pop_nb.neurons.variation import registered_base, variation, varied

__all__ = ["reduce_neuron"]

# Caches of what a neuron was computed to do know it by identity: what comes back is the object that is there.
_known: WeakValueDictionary[str, NeuronModel] = WeakValueDictionary()


def reduce_neuron(neuron: NeuronModel) -> tuple[Callable[..., NeuronModel], tuple[Any, ...]]:
    """Return what pickle needs; see `copyreg.pickle`.

    Raises
    ------
    NeuronModelError
        If the neuron is not registered, and one of its functions cannot be pickled (it is named).
    """
    base = registered_base(neuron)
    alone = None if base is not None and is_lasting(base) else _local_function(neuron)
    if base is not None and (is_lasting(base) or alone is not None):
        V_th, ranges = variation(neuron, base)
        return _by_name, (base.name, base.declaration, V_th, ranges)
    if alone is not None:
        raise NeuronModelError(
            f"Neuron {neuron.name!r} cannot be pickled or sent to another process, since its function "
            f"{alone!r} has no name at the top level of a module that others can import: define it there, "
            "or register the neuron (register_neuron, add_neuron), after which its name is sent."
        )
    _known[_key(neuron)] = neuron
    values = {field.name: getattr(neuron, field.name) for field in fields(neuron)}
    return _by_value, (values, neuron.declaration)


copyreg.pickle(NeuronModel, reduce_neuron)


def _local_function(neuron: NeuronModel) -> str | None:
    """Return where a declaration holds a function that pickle does not take, if it does."""
    for where, leaf in leaves(neuron):
        if callable(leaf):
            try:
                pickle.dumps(leaf)
            except Exception:  # whatever a callable of someone else's raises
                return where
    return None


def _key(neuron: NeuronModel) -> str:
    free = sorted(neuron.baseline.free.items())
    warmth = sorted(warmth_of(neuron).items())
    return repr((neuron.declaration, neuron.title, neuron.references, neuron.V_th_mV, free, warmth))


def _by_name(
    name: str, declaration: str, V_th_mV: float, ranges: tuple[tuple[str, float, float], ...]
) -> NeuronModel:
    try:
        base = get_neuron(name)
    except NeuronModelError as error:
        raise NeuronModelError(
            f"What was pickled is of the neuron {name!r}, which must be registered before that is loaded: "
            f"{error}"
        ) from None
    if base.declaration != declaration:
        raise NeuronModelError(
            f"What was pickled is of another declaration of the neuron {name!r} than the one that is "
            "registered here; load it where that declaration is."
        )
    return varied(base, V_th_mV, ranges)


def _by_value(values: dict[str, Any], declaration: str) -> NeuronModel:
    neuron = NeuronModel(**values)
    if neuron.declaration != declaration:
        raise NeuronModelError(
            f"What was pickled is of the neuron {neuron.name!r}, whose functions have changed since; load it "
            "where they are as they were."
        )
    base = registered_base(neuron)
    return _known.setdefault(_key(neuron), neuron) if base is None else varied(base, *variation(neuron, base))
