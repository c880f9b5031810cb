"""Voltage in tables and NWB files, as it stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.behaviour import is_counter
from spike2pop_nb.spiketrains.layouts.reading import times_of, values_of
from spike2pop_nb.spiketrains.layouts.traces import find_trace
from spike2pop_nb.spiketrains.limits import MAX_SAMPLES
from spike2pop_nb.spiketrains.names import named_unit
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .raw import Source, counted, shown
from .text_table import text_table

__all__ = ["RawTrace", "traces_from_signals", "traces_from_text"]

_VOLTS: Final = {
    **dict.fromkeys(("v", "volt", "volts"), "V"),
    **dict.fromkeys(("mv", "millivolt", "millivolts"), "mV"),
    **dict.fromkeys(("uv", "µv", "μv", "microvolt", "microvolts"), "uV"),
}
# The unit closes the name, set off from it: V_mV, Vm (mV), voltage [V], soma.mV. V alone names a voltage.
_IN_NAME: Final = re.compile(
    rf"^(?:.*?[\s_.,/(\[{{:-]+|(?!v$))({'|'.join(sorted(_VOLTS, key=len, reverse=True))})[)\]}}]?$",
    re.IGNORECASE,
)
_CURRENT: Final = re.compile(r"^(?:.*[\s_.,/(\[{:-])?(?:pA|nA|uA|µA|A|pS|nS|mM|uM)[)\]}]?$|^i(?:[\s_(].*)?$")


@dataclass(frozen=True)
class RawTrace:
    """A trace in the file's units.

    Attributes
    ----------
    id : str
        Name of the trace.
    times, samples : ndarray, shape (n,)
        In `time_unit` and `unit`.
    location : str
        Place in the file, in words.
    time_unit, unit : str or None
        What the file says, None when it does not.
    reason : str
        How the units are fixed, in words; "" where they may be chosen.
    """

    id: str
    times: FloatArray
    samples: FloatArray
    location: str
    time_unit: str | None
    unit: str | None
    reason: str = ""


def traces_from_text(source: Source) -> tuple[list[RawTrace], list[str]]:
    """Traces of a table with a column of times and columns of voltage, and what was left out.

    Raises
    ------
    SpikeTrainError
        When there is no column of times with equal steps, or a cell is no number.
    """
    table = text_table(source)
    trace = find_trace(table, any_steps=True)
    if trace is None:
        raise source.error(
            "no trace of voltage is found; a table needs a column of times in equal steps and a column per "
            "trace, such as time_ms, V_mV."
        )
    columns = trace.columns
    skipped = list(table.skipped)
    other = [c for c in columns if table.named and _CURRENT.match(c.name)]
    if other and len(other) < len(columns):
        columns = [c for c in columns if c not in other]
        skipped.append(
            f"{counted(len(other), 'column')} of another quantity, {shown([c.name for c in other])}"
        )
    if len(columns) > 1 and columns[0] is table.columns[0] and is_counter(values_of(columns[0])):
        columns = columns[1:]
        skipped.append("the first column, which numbers the rows")
    if len(trace.clock) * len(columns) > MAX_SAMPLES:
        raise source.error(f"the file holds more than {MAX_SAMPLES:,} samples; split it into smaller files.")
    times = _every(trace.clock, source)
    time_unit = named_unit(trace.clock_name) if table.named else None
    found = []
    for column in columns:
        match = _IN_NAME.match(column.name.strip()) if table.named else None
        unit = _VOLTS[match[1].lower()] if match else None
        name = column.name if table.named and len(columns) > 1 else source.stem
        place = f"column {column.name!r}"
        found.append(RawTrace(name, times, _every(column, source), place, time_unit, unit))
    return found, skipped


def _every(column: Column, source: Source) -> FloatArray:
    """All numbers of a column; a blank cell is refused."""
    values = times_of(column, source)
    if column.empty is not None and column.empty.any() and column.rows is not None:
        row = int(column.rows[int(column.empty.argmax())])
        raise source.error(f"a number is missing (column {column.name!r}).", row=row)
    return values


def traces_from_signals(table: Table) -> list[RawTrace]:
    """Traces of the signals that NWB files and acquisition systems hold."""
    signals, stamps = (table.column(name) for name in ("signals", "timestamps"))
    assert isinstance(signals.values, list)
    assert isinstance(stamps.values, list)
    start, rate = (np.asarray(table.column(name).values, dtype=np.float64) for name in ("start", "rate"))
    names, places, reasons = (table.column(name).values for name in ("name", "place", "reason"))
    found = []
    for k, samples in enumerate(signals.values):
        times = stamps.values[k]
        if not times.size:
            times = start[k] + np.arange(samples.size) / rate[k]
        place, reason = str(places[k]), str(reasons[k])
        found.append(RawTrace(str(names[k]), times, samples, place, "s", signals.unit, reason))
    return found
