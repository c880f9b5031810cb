"""What a rig can do to a cell: some thirty experiments, each with its price."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from spike2pop_nb.errors import ExperimentError, Spike2PopError
from spike2pop_nb.experiments.making import (
    block,
    calcium_buffering,
    conductance_pulses,
    constant_current,
    potassium,
    temperature,
)
from spike2pop_nb.experiments.protocol import Protocol
from spike2pop_nb.neurons import NeuronModel, get_neuron

__all__ = ["PRICES", "Feasible", "feasible_experiments", "priced", "read_prices"]

PRICES: dict[str, float] = {
    "current": 1.0,
    "pulses": 2.0,
    "potassium": 4.0,
    "temperature": 4.0,
    "buffer": 8.0,
    "block": 10.0,
}
"""Usual prices by kind of experiment, a current being 1."""
_CURRENTS = (-4.0, -2.0, -1.0, 1.0, 2.0, 4.0, 8.0)
_SHARES = (0.5, 1.0)
_FACTORS = (0.5, 1.5, 2.5)
_WARMER = (-6.0, -3.0, 3.0, 6.0)
_EVERY_MS, _PULSE_MS = 500.0, 100.0
_PULSES = {"inhibitory": (0.5, -80.0), "excitatory": (0.05, 0.0)}  # mS/cm², mV
_BUFFERED = 5.0
_DOSED = {
    "current": "{0:g} µA/cm²",
    "potassium": "× {0:g}",
    "temperature": "{0:g} °C",
    "buffer": "× {0:g}",
    "block": "{0:.0%}",
}


@dataclass(frozen=True)
class Feasible:
    """An experiment that could be done.

    Attributes
    ----------
    name
        Such as ``block A 0.5``: its kind, what it is done to, and the dose.
    protocol
        What is done.
    price
        In any unit, above zero.

    Examples
    --------
    >>> from spike2pop_nb.experiments import feasible_experiments
    >>> first = feasible_experiments("stg")[0]
    >>> first.name, first.price, first.protocol.label
    ('current -4', 1.0, '-4 µA/cm²')
    """

    name: str
    protocol: Protocol
    price: float = 1.0

    @property
    def kind(self) -> str:
        """The first word of its name."""
        return self.name.split(" ", 1)[0]

    @property
    def label(self) -> str:
        """Its name with the unit of the dose, where it is one of those named so.

        Examples
        --------
        >>> from spike2pop_nb.experiments import feasible_experiments
        >>> [one.label for one in feasible_experiments("stg") if one.kind in ("buffer", "current")][-2:]
        ['current 8 µA/cm²', 'buffer calcium × 5']
        """
        what, _, dose = self.name.rpartition(" ")
        try:
            shown = _DOSED[self.kind].format(float(dose))
        except (KeyError, ValueError):
            return self.name
        return f"{what} {shown}".replace("-", "−").replace("%", " %")


def feasible_experiments(
    neuron: str | NeuronModel,
    *,
    duration_ms: float | None = None,
    rate_q10: float | None = None,
    conductance_q10: float | None = None,
    declared_C: float | None = None,
    prices: Mapping[str, float] | None = None,
) -> tuple[Feasible, ...]:
    """Return what can be done to a neuron at the bench, with prices.

    Currents, regular pulses of a conductance, other potassium, other temperatures, a calcium buffer, and each
    channel but the leak blocked by half and entirely. What the neuron lacks is left out: another temperature
    where it declares no Q10s and none are assumed, a buffer where it has no calcium.

    Parameters
    ----------
    neuron
        A neuron or its name.
    duration_ms
        Length of a recording, which pulses fill; the neuron's own by default.
    rate_q10, conductance_q10, declared_C
        What to assume of temperature where the neuron states none; see `temperature`.
    prices
        See `priced`.

    Raises
    ------
    ExperimentError
        If a price is none, or nothing is left.

    Examples
    --------
    >>> from spike2pop_nb.experiments import feasible_experiments
    >>> [len(feasible_experiments(name)) for name in ("stg", "pyloric")]
    [27, 31]
    """
    neuron = get_neuron(neuron)
    begin, end = neuron.recording_window_ms
    named = dict(_named(neuron, end - begin if duration_ms is None else duration_ms))
    assumed = {"rate_q10": rate_q10, "conductance_q10": conductance_q10, "declared_C": declared_C}
    at_C = neuron.temperature_C if neuron.temperature_C is not None else declared_C
    if at_C is not None:
        for by in _WARMER:
            named[f"temperature {at_C + by:g}"] = temperature(at_C + by, **assumed)
    found = []
    for name, protocol in named.items():
        try:
            protocol.check(neuron, 1, math.inf)
        except Spike2PopError:
            continue  # the neuron lacks it
        found.append(Feasible(name, protocol, PRICES[name.split(" ", 1)[0]]))
    return priced(found, prices or {})


def _named(neuron: NeuronModel, duration_ms: float) -> Iterator[tuple[str, Protocol]]:
    for current in _CURRENTS:
        yield f"current {current:g}", constant_current(current)
    times = np.arange(0.0, duration_ms - _PULSE_MS, _EVERY_MS).tolist()
    for kind, (g, E_mV) in _PULSES.items() if times else ():
        yield f"pulses {kind}", conductance_pulses(g, E_mV, times, duration_ms=_PULSE_MS)
    for factor in _FACTORS:
        yield f"potassium {factor:g}", potassium(factor)
    yield f"buffer calcium {_BUFFERED:g}", calcium_buffering(_BUFFERED)
    for channel in neuron.channel_names[:-1]:
        for share in _SHARES:
            yield f"block {channel} {share:g}", block(channel, share)


def priced(experiments: Sequence[Feasible], prices: Mapping[str, float]) -> tuple[Feasible, ...]:
    """Return experiments at other prices, without those that cannot be had.

    Parameters
    ----------
    experiments
        What could be done.
    prices
        By the name of an experiment or the first words of it, of which the longest holds: ``{"block": 20,
        "block H": 5}``. Infinite for what this rig cannot do.

    Raises
    ------
    ExperimentError
        If a price is not above zero, fits no experiment, or none is left.

    Examples
    --------
    >>> from spike2pop_nb.experiments import feasible_experiments, priced
    >>> own = priced(feasible_experiments("stg"), {"block": float("inf"), "block H": 5})
    >>> [(one.name, one.price) for one in own if one.kind == "block"]
    [('block H 0.5', 5), ('block H 1', 5)]
    """
    if wrong := [name for name, price in prices.items() if not price > 0]:
        raise ExperimentError(f"The price of {wrong[0]!r} must be above zero, not {prices[wrong[0]]:g}.")
    fits = {name: [one for one in experiments if f"{one.name} ".startswith(f"{name} ")] for name in prices}
    if wrong := [name for name, those in fits.items() if not those]:
        raise ExperimentError(
            f"There is no experiment {wrong[0]!r} to have a price; there are "
            f"{', '.join(dict.fromkeys(one.kind for one in experiments))}, such as {experiments[0].name!r}."
        )
    found = []
    for one in experiments:
        names = [name for name, those in fits.items() if one in those]
        price = prices[max(names, key=len)] if names else one.price
        if math.isfinite(price):
            found.append(replace(one, price=price))
    if not found:
        raise ExperimentError("No experiment is left: give at least one a finite price.")
    return tuple(found)


def read_prices(path: str | Path) -> dict[str, float]:
    """Read prices from a CSV table with the columns ``experiment`` and ``price``.

    An empty price means that this rig cannot do it.

    Raises
    ------
    ExperimentError
        If it is no such table.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from spike2pop_nb.experiments import read_prices
    >>> path = Path(mkdtemp()) / "prices.csv"
    >>> _ = path.write_text("experiment,price\\nblock,20\\ntemperature,\\n")
    >>> read_prices(path)
    {'block': 20.0, 'temperature': inf}
    """
    path = Path(path)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise ExperimentError(f"{path.name}: there is no such file.") from None
    except (ValueError, OSError):
        raise ExperimentError(f"{path.name} is not a CSV table that can be read.") from None
    if not {"experiment", "price"} <= set(table.columns):
        raise ExperimentError(f"{path.name} needs the columns experiment and price.")
    prices = {}
    for row, (name, text) in enumerate(zip(table["experiment"], table["price"], strict=True), 2):
        try:
            prices[name.strip()] = float(text) if text.strip() else math.inf
        except ValueError:
            raise ExperimentError(f"{path.name}, row {row}: {text!r} is no price.") from None
    return prices
