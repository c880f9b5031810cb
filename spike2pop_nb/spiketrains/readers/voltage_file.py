"""Voltage in tables and NWB files, as it stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spike2pop_nb.spiketrains.limits import MAX_SAMPLES, MAX_TRAINS
from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import Unit, unit_from_name

from .columns import is_counter
from .numbers import to_floats
from .nwb_file import nwb_content
from .raw import Source, counted, shown
from .text import read_text, table_blocks
from .traces import find_trace

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
    time_unit: Unit | None
    unit: str | None
    reason: str = ""


def traces_from_text(source: Source) -> tuple[list[RawTrace], list[str]]:
    """Traces of a table with a column of times and columns of voltage, and what was left out.

    Raises
    ------
    SpikeTrainError
        When there is no column of times with equal steps, or a cell is no number.
    """
    text = read_text(source)
    trace = find_trace(text, any_steps=True)
    if trace is None:
        raise source.error(
            "no trace of voltage is found; a table needs a column of times in equal steps and a column per "
            "trace, such as time_ms, V_mV."
        )
    columns, names = trace.columns, text.names
    skipped = list(text.skipped)
    other = [k for k in columns if text.header is not None and _CURRENT.match(names[k])]
    if other and len(other) < len(columns):
        columns = [k for k in columns if k not in other]
        skipped.append(
            f"{counted(len(other), 'column')} of another quantity, {shown([names[k] for k in other])}"
        )
    counter = [k for k in columns if len(columns) > 1 and k == 0 and is_counter(_sampled(text.column(k)))]
    if counter:
        columns = columns[1:]
        skipped.append("the first column, which numbers the rows")
    wanted = [trace.clock, *columns]
    parts: list[FloatArray] = []
    empty = n_samples = 0
    for rows, block in table_blocks(text, source, text.width):
        cells = block[wanted].map(str.strip)
        filled = (cells != "").any(axis=1).to_numpy()
        empty += int((~filled).sum())
        numbers = np.asarray(rows, dtype=np.int64)[filled]
        n_samples += numbers.size * len(columns)
        if n_samples > MAX_SAMPLES:
            raise source.error(
                f"the file holds more than {MAX_SAMPLES:,} samples; split it into smaller files."
            )
        values = [
            to_floats(cells[k][filled].tolist(), source, numbers, f"column {names[k]!r}")[0] for k in wanted
        ]
        parts.append(np.column_stack(values))
    table = np.concatenate(parts)
    if empty:
        skipped.append(counted(empty, "blank line"))
    time_unit = unit_from_name(trace.clock_name)[1] if text.header is not None else None
    found = []
    for place, k in enumerate(columns, start=1):
        match = _IN_NAME.match(names[k].strip()) if text.header is not None else None
        unit = _VOLTS[match[1].lower()] if match else None
        name = names[k] if text.header is not None and len(columns) > 1 else source.stem
        found.append(RawTrace(name, table[:, 0], table[:, place], f"column {names[k]!r}", time_unit, unit))
    return found, skipped


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


def _sampled(cells: list[str]) -> FloatArray:
    return np.array([float(cell.replace(",", ".")) for cell in cells if cell.replace(".", "").isdigit()])
