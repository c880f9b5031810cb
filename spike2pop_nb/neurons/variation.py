"""A declared neuron with another threshold voltage or other baseline ranges; the declaration itself stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.identity import warmth_of
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.parts import Range
from spike2pop_nb.neurons.registry import get_neuron

__all__ = ["V_TH_RANGE_MV", "registered_base", "threshold_note", "variation", "varied", "vary_neuron"]

Ranges = tuple[tuple[str, float, float], ...]

V_TH_RANGE_MV = (-90.0, -20.0)
"""Where a threshold voltage can lie, in mV."""
_LOWEST_LEAK, _HIGHEST = 1e-9, 1e6  # mS/cm²; beyond them numbers overflow, and no membrane is like that


def vary_neuron(
    neuron: str | NeuronModel,
    *,
    V_th_mV: float | None = None,
    baseline: Mapping[str, tuple[float, float]] | None = None,
) -> NeuronModel:
    """Return a neuron with another threshold or baseline; the same choices give the same object.

    The result has the name and the equations of the declared neuron, and is not known to the registry.

    Parameters
    ----------
    neuron
        A neuron or its name.
    V_th_mV
        Voltage at which DICs are read; the declared one by default.
    baseline
        ``{channel: (low, high)}``, in mS/cm², for conductances that the baseline draws; two equal numbers fix
        one. The others keep their declared ranges.

    Raises
    ------
    NeuronModelError
        If the voltage or a range is impossible, or the baseline does not draw that conductance.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> s2p.vary_neuron("stg", V_th_mV=-52.0).V_th_mV
    -52.0
    """
    neuron = get_neuron(neuron)
    V_th = neuron.V_th_mV if V_th_mV is None else float(V_th_mV)
    low_mV, high_mV = V_TH_RANGE_MV
    if not low_mV <= V_th <= high_mV:
        raise NeuronModelError(f"V_th must lie between {low_mV:g} and {high_mV:g} mV, not at {V_th:g} mV.")
    ranges = []
    for channel, limits in sorted((baseline or {}).items()):
        if channel not in neuron.baseline.free:
            raise NeuronModelError(
                f"The baseline of the {neuron.name} neuron does not draw {channel!r}; "
                f"it draws {', '.join(neuron.baseline.free)}."
            )
        low, high = (float(value) for value in limits)
        if not 0 <= low <= high <= _HIGHEST:
            raise NeuronModelError(
                f"The baseline range of {channel} must go from a low to a high conductance, neither negative "
                f"nor above {_HIGHEST:g} mS/cm², not from {low:g} to {high:g}."
            )
        if channel == neuron.channel_names[-1] and not _LOWEST_LEAK <= low < high:
            raise NeuronModelError(
                f"The baseline range of {channel} must begin above 0 and be wider than a point, at "
                f"{_LOWEST_LEAK:g} mS/cm² or more, not from {low:g} to {high:g}."
            )
        ranges.append((channel, low, high))
    return varied(neuron, V_th, tuple(ranges))


@lru_cache(maxsize=32)
def varied(neuron: NeuronModel, V_th_mV: float, ranges: Ranges) -> NeuronModel:
    """Return a neuron with another threshold and ranges (channel, low, high), which are not checked."""
    free = dict(neuron.baseline.free)
    for channel, low, high in ranges:
        declared = free[channel]
        kind = type(declared) if isinstance(declared, Range) else Range
        free[channel] = kind(low, high) if low < high else low
    if V_th_mV == neuron.V_th_mV and free == neuron.baseline.free:
        return neuron
    return replace(neuron, V_th_mV=V_th_mV, baseline=replace(neuron.baseline, free=free))


def _limits(drawn: Range | float) -> tuple[float, float]:
    low, high = (drawn.low, drawn.high) if isinstance(drawn, Range) else (drawn, drawn)
    return float(low), float(high)


def variation(neuron: NeuronModel, base: NeuronModel | None) -> tuple[float, Ranges]:
    """Return V_th, and the baseline ranges that are not those of ``base``; all of them if there is none."""
    declared = {} if base is None else base.baseline.free
    drawn = sorted(neuron.baseline.free.items())
    return float(neuron.V_th_mV), tuple(
        (channel, *_limits(spread)) for channel, spread in drawn if declared.get(channel) != spread
    )


def registered_base(neuron: NeuronModel) -> NeuronModel | None:
    """Return the registered declaration that a neuron is, or is a variation of; None if it is of none."""
    try:
        base = get_neuron(neuron.name)
    except NeuronModelError:
        return None
    if base is neuron:
        return base
    same = (base.declaration, base.title, base.references, warmth_of(base))
    if same != (neuron.declaration, neuron.title, neuron.references, warmth_of(neuron)):
        return None
    again = varied(base, *variation(neuron, base))
    return base if dict(again.baseline.free) == dict(neuron.baseline.free) else None


def threshold_note(neuron: NeuronModel) -> str:
    """Say that DICs predicted for a neuron are those at its declared threshold; "" where it has that one.

    Examples
    --------
    >>> from spike2pop_nb.neurons import threshold_note, vary_neuron
    >>> threshold_note(vary_neuron("stg", V_th_mV=-49.0))
    'The network predicts DICs at the declared threshold, -51 mV; here they are taken for those at -49 mV.'
    """
    declared = registered_base(neuron)
    if declared is None or neuron.V_th_mV == declared.V_th_mV:
        return ""
    return (
        f"The network predicts DICs at the declared threshold, {declared.V_th_mV:g} mV; here they are taken "
        f"for those at {neuron.V_th_mV:g} mV."
    )
