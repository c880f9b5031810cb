"""Voltage in tables and NWB files, as it stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spike2pop_nb.spiketrains.behaviour import is_counter
from spike2pop_nb.spiketrains.layouts.reading import times_of
from spike2pop_nb.spiketrains.layouts.tables import values_of
from spike2pop_nb.spiketrains.layouts.traces import find_trace
from spike2pop_nb.spiketrains.limits import MAX_SAMPLES, MAX_TRAINS
from spike2pop_nb.spiketrains.names import named_unit
from spike2pop_nb.spiketrains.table import Column
from spike2pop_nb.spiketrains.train import FloatArray

from .nwb_file import nwb_content
from .raw import Source, counted, shown
from .text_table import text_table

if TYPE_CHECKING:
    import h5py

__all__ = ["RawTrace", "traces_from_nwb", "traces_from_text"]

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
        columns = [c for c in columns if not any(c is o for o in other)]
        skipped.append(
            f"{counted(len(other), 'column')} of another quantity, {shown([c.name for c in other])}"
        )
    if len(columns) > 1 and columns[0] is table.columns[0] and is_counter(values_of(columns[0])):
        columns = columns[1:]
        skipped.append("the first column, which numbers the rows")
    if len(trace.clock) * len(columns) > MAX_SAMPLES:
        raise source.error(
            f"the file holds more than {MAX_SAMPLES:,} samples; split it into smaller files."
        )
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


def traces_from_nwb(file: h5py.File, source: Source) -> tuple[list[RawTrace], list[str]]:
    """Acquired series in volts of an NWB file, and what was left out.

    Raises
    ------
    SpikeTrainError
        When the series together have too many samples.
    """
    found: list[RawTrace] = []
    other: list[str] = []
    n_samples = 0
    with nwb_content(file, source) as content:
        for name, series in list(content.acquisition.items())[:MAX_TRAINS]:
            data: Any = getattr(series, "data", None)
            scale = _to_volts(getattr(series, "unit", ""))
            shape: tuple[int, ...] = getattr(data, "shape", ())
            if scale is None or len(shape) != 1 or shape[0] < 2:
                other.append(name)
                continue
            n_samples += int(shape[0])
            if n_samples > MAX_SAMPLES:
                raise source.error(
                    f"the file holds more than {MAX_SAMPLES:,} samples; split it into smaller files."
                )
            samples = np.asarray(data[:], dtype=np.float64) * float(series.conversion or 1.0)
            samples = (samples + float(series.offset or 0.0)) * scale
            place = f"acquisition {name!r}"
            found.append(
                RawTrace(name, _nwb_times(series, source), samples, place, "s", "V", "V and s, as NWB says")
            )
    skipped = []
    if other:
        skipped.append(f"{counted(len(other), 'acquired series')} of no single voltage, {shown(other)}")
    return found, skipped


def _nwb_times(series: Any, source: Source) -> FloatArray:
    n = int(series.data.shape[0])
    if series.timestamps is not None:
        times = np.asarray(series.timestamps[: n + 1], dtype=np.float64)
        if times.shape != (n,):
            raise source.error(f"{shown([series.name])} has {n:,} samples but {times.size:,} times.")
        return times
    if not series.rate or series.rate <= 0:
        raise source.error(
            f"{shown([series.name])} has neither a rate nor timestamps, so its times are not known."
        )
    return float(series.starting_time or 0.0) + np.arange(n) / float(series.rate)


def _to_volts(unit: object) -> float | None:
    """Factor from a unit to V; None when it is no unit of voltage."""
    return {"V": 1.0, "mV": 1e-3, "uV": 1e-6}.get(_VOLTS.get(str(unit).strip().lower(), ""))

