"""Whether two declarations are the same, also if they were made in different processes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spike2pop_nb.neurons.parts import V_MAX_MV, V_MIN_MV

if TYPE_CHECKING:
    from spike2pop_nb.neurons.model import NeuronModel

__all__ = ["declaration_of", "leaves", "same_neuron", "warmth_of"]

_WORDS = ("title", "references")
_VARIED = ("V_th_mV", "baseline free")
_WARMTH = ("q10", "temperature_C")
_DIGITS = 1e6  # to which functions are compared: other machines round their last digits otherwise
_V = np.linspace(V_MIN_MV, V_MAX_MV, 201)
_G = np.linspace(-30.0, 30.0, 25)


def leaves(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Go through a declaration; give each number, text and function with the names that lead to it."""
    if is_dataclass(value) and not callable(value):
        parts = [
            (field.name, getattr(value, field.name))
            for field in fields(value)
            # a field that came later counts where it says something: files name the digests of before
            if not ("later" in field.metadata and getattr(value, field.name) == field.default)
        ]
    elif isinstance(value, Mapping):
        parts = [(" to ".join(key) if isinstance(key, tuple) else key, value[key]) for key in value]
    elif isinstance(value, tuple | list):
        parts = [(str(getattr(part, "name", place)), part) for place, part in enumerate(value)]
    else:
        yield where, value
        return
    for name, part in parts:
        yield from leaves(part, f"{where} {name}".strip())


def _sampled(function: Any, where: str) -> str:
    with np.errstate(all="ignore"):
        # only modulation asks where in the plane
        values = function(*np.meshgrid(_G, _G)) if where.endswith(" where") else function(_V)
    values = np.asarray(values, dtype=float).ravel()
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    return f"{largest:.6g}:" + ",".join(f"{value:.0f}" for value in values / largest * _DIGITS)


def _encoded(where: str, leaf: Any) -> str:
    if callable(leaf):
        leaf = _sampled(leaf, where)
    elif isinstance(leaf, int | float | np.number):
        leaf = float(leaf)  # 50 and 50.0 are the same
    return f"{where}={leaf!r}"


def declaration_of(neuron: NeuronModel) -> str:
    """Return ``name-digest`` of a declaration, the same on every machine.

    Functions count by their values, to six digits. What `vary_neuron` changes does not count, nor do title
    and references, nor what a neuron is only at other temperatures.
    """
    encoded = sorted(
        _encoded(where, leaf)
        for where, leaf in leaves(neuron)
        if not where.startswith((*_WORDS, *_VARIED)) and not where.endswith(_WARMTH)
    )
    return f"{neuron.name}-{hashlib.sha256(chr(10).join(encoded).encode()).hexdigest()[:12]}"


def warmth_of(neuron: NeuronModel) -> dict[str, float]:
    """Return what a neuron says about temperature: every Q10, and where it stands."""
    return {where: leaf for where, leaf in leaves(neuron) if where.endswith(_WARMTH) and leaf is not None}


def same_neuron(one: NeuronModel, other: NeuronModel) -> bool:
    """Return whether two neurons have the same declaration, V_th, baseline and Q10s.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.neurons import same_neuron
    >>> stg = s2p.get_neuron("stg")
    >>> same_neuron(stg, s2p.vary_neuron(stg, V_th_mV=-52.0))
    False
    """
    return one is other or (
        one.declaration == other.declaration
        and one.V_th_mV == other.V_th_mV
        and dict(one.baseline.free) == dict(other.baseline.free)
        and warmth_of(one) == warmth_of(other)
    )
