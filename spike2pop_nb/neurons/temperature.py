"""A neuron at another temperature than that of its declaration: rates and conductances by their Q10."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.calcium import CALCIUM, CalciumPool

if TYPE_CHECKING:
    from spike2pop_nb.neurons.model import NeuronModel

__all__ = [
    "TEMPERATURE_RANGE_C",
    "conductance_factors",
    "lacking_q10",
    "nernst_factor",
    "rate_factor",
    "stated_q10",
]

ZERO_K = 273.15  # 0 °C on the absolute scale
TEMPERATURE_RANGE_C = (0.0, 50.0)
"""Temperatures at which a neuron can be asked for."""


def _named(pool: CalciumPool) -> str:
    return "the calcium pool" if pool.name == CALCIUM else f"the calcium pool {pool.name}"


def lacking_q10(neuron: NeuronModel) -> list[str]:
    """Return what of a neuron states no Q10, in words: channels with what they lack, the calcium pool."""
    lacking = []
    for channel in neuron.channels:
        missing = [f"gate {gate.name}" for gate in channel.gates if gate.tau is not None and gate.q10 is None]
        if channel.scheme is not None and channel.scheme.q10 is None:
            missing.append("scheme")
        if channel.q10 is None:
            missing.append("conductance")
        if missing:
            lacking.append(f"{channel.name} ({', '.join(missing)})")
    return lacking + [_named(pool) for pool in neuron.pools if pool.q10 is None]


def _change_C(neuron: NeuronModel, temperature_C: float | None) -> float:
    """Return how many degrees a neuron is away from its own temperature, which must be possible."""
    if temperature_C is None or temperature_C == neuron.temperature_C:
        return 0.0
    low, high = TEMPERATURE_RANGE_C
    if not (math.isfinite(temperature_C) and low <= temperature_C <= high):
        raise NeuronModelError(
            f"The temperature must lie between {low:g} and {high:g} °C, not at {temperature_C:g} °C."
        )
    if neuron.temperature_C is None:
        raise NeuronModelError(
            f"The {neuron.name} neuron cannot be brought to {temperature_C:g} °C: its declaration does not "
            "state at which temperature it holds (temperature_C)."
        )
    if lacking := lacking_q10(neuron):
        raise NeuronModelError(
            f"The {neuron.name} neuron cannot be brought from {neuron.temperature_C:g} to "
            f"{temperature_C:g} °C: no Q10 is declared for {', '.join(lacking)}."
        )
    return float(temperature_C) - neuron.temperature_C


def rate_factor(neuron: NeuronModel, q10: float | None, temperature_C: float | None) -> float:
    """Return by how much a rate with this Q10 is faster than at the temperature of the declaration."""
    change = _change_C(neuron, temperature_C)
    return 1.0 if q10 is None or change == 0.0 else q10 ** (0.1 * change)


def nernst_factor(neuron: NeuronModel, temperature_C: float | None) -> float:
    """Return by how much RT/zF is larger than at the temperature of the declaration."""
    change = _change_C(neuron, temperature_C)
    return 1.0 if neuron.temperature_C is None else 1.0 + change / (neuron.temperature_C + ZERO_K)


def conductance_factors(neuron: NeuronModel, temperature_C: float | None) -> npt.NDArray[np.float64]:
    """Return by how much each conductance is larger, (n_channels,); see `NeuronModel.conductance_factors`."""
    factors = [rate_factor(neuron, channel.q10, temperature_C) for channel in neuron.channels]
    return np.array(factors)


def stated_q10(neuron: NeuronModel) -> Iterator[tuple[str, float | None, bool]]:
    """Go through every Q10: whose it is, what it is, and whether it belongs to something that takes time."""
    for channel in neuron.channels:
        yield f"channel {channel.name}", channel.q10, True
        for gate in channel.gates:
            yield f"channel {channel.name}, gate {gate.name}", gate.q10, gate.tau is not None
        if channel.scheme is not None:
            yield f"channel {channel.name}, its scheme", channel.scheme.q10, True
    for pool in neuron.pools:
        yield _named(pool), pool.q10, True
