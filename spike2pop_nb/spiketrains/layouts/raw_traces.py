"""Traces as they stand in a file: samples, their clock, their unit, and the sweeps that they fall into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.behaviour import falls_back
from spike2pop_nb.spiketrains.signal_units import Quantity, SignalUnit, signal_unit
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .reshaped import label_at

__all__ = ["FEWEST", "Clock", "RawTrace", "Signals", "pieces_of", "signals_of_format"]

FEWEST: Final = 10
"""Fewest samples of a sweep."""


@dataclass(frozen=True)
class Clock:
    """How times are known: their unit, None where only the step tells it, and the rate they rest on."""

    unit: str | None
    reason: str = ""
    rate_hz: float | None = None


@dataclass(frozen=True)
class RawTrace:
    """A trace in the file's units.

    Attributes
    ----------
    id, channel : str
        Name of the trace, and of its channel, which several sweeps share.
    times, samples : ndarray, shape (n,)
        In the units of `clock` and `unit`.
    location : str
        Place in the file, in words.
    clock : Clock
        The unit of the times.
    quantity : str
        What the file says that is measured, "" for nothing.
    unit : SignalUnit or None
        What the file says, None when it does not.
    reason : str
        Where it says so, in words.
    own : SignalUnit or None
        The unit in the file itself, where the samples were converted from it.
    """

    id: str
    channel: str
    times: FloatArray
    samples: FloatArray
    location: str
    clock: Clock
    quantity: Quantity
    unit: SignalUnit | None
    reason: str
    own: SignalUnit | None = None


@dataclass
class Signals:
    """The traces of a file, with what was left out, put right and looks odd, in words."""

    traces: list[RawTrace]
    skipped: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)


def signals_of_format(table: Table) -> Signals:
    """The signals of a format that says what they are, as `formats.read_signals` gives them."""
    signals, stamps = (table.column(name) for name in ("signals", "timestamps"))
    assert isinstance(signals.values, list)
    assert isinstance(stamps.values, list)
    start, rate = (np.asarray(table.column(name).values, dtype=np.float64) for name in ("start", "rate"))
    names, channels, places, units, own, reasons = (
        table.column(name).values for name in ("name", "channel", "place", "unit", "own", "reason")
    )
    found = []
    for k, samples in enumerate(signals.values):
        times = stamps.values[k]
        if not times.size:
            times = start[k] + np.arange(samples.size) / rate[k]
        unit = signal_unit(str(units[k])) or SignalUnit("odd", "unknown")
        found.append(
            RawTrace(
                str(names[k]),
                str(channels[k]),
                times,
                samples,
                str(places[k]),
                Clock("s", "", None if stamps.values[k].size else float(rate[k])),
                unit.quantity,
                unit,
                str(reasons[k]),
                signal_unit(str(own[k])),
            )
        )
    return Signals(found, list(table.skipped), list(table.repairs), list(table.cautions))


def pieces_of(trace: RawTrace, keys: Sequence[Column], table: Table, signals: Signals) -> list[RawTrace]:
    """Sweeps that stand one after another: told apart by columns, or by times that start over."""
    n = trace.samples.size
    keys = [key for key in keys if len(key) >= n]  # arrays of a file may have any length
    bounds = np.empty(0, dtype=np.int64)
    labels: list[str] = []
    if keys:
        changes = [
            np.flatnonzero(np.asarray(c.values)[1:n] != np.asarray(c.values)[: n - 1]) + 1 for c in keys
        ]
        bounds = np.unique(np.concatenate(changes))
        starts = np.concatenate(([0], bounds)).astype(int)
        labels = ["/".join(label_at(c, int(k)) for c in keys) for k in starts]
        if trace.id == trace.channel or len(set(labels)) == 1:
            labels = [f"{trace.id}/{label}" for label in labels]
    elif n == trace.times.size and not (np.diff(trace.times) > 0).all():
        bounds = falls_back(trace.times)
        if not bounds.size or int(np.diff(np.concatenate(([0], bounds, [n]))).min()) < FEWEST:
            return [trace]
        labels = [f"{trace.id}/{k}" for k in range(1, bounds.size + 2)]
        text = f"{bounds.size + 1:,} sweeps one after another, since the times start over"
        if text not in signals.cautions:
            signals.cautions.append(text)
    if not bounds.size:
        return [trace]
    parts = zip(labels, np.split(trace.times[:n], bounds), np.split(trace.samples, bounds), strict=True)
    return [replace(trace, id=label, times=times, samples=values) for label, times, values in parts]
