"""Voltage in NWB files as a table: the acquired series in volts, read by h5py in the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spike2pop_nb.spiketrains.limits import MAX_SAMPLES, MAX_TRAINS
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .builder import floats, text_of, texts
from .raw import Source, shown

if TYPE_CHECKING:
    import h5py

__all__ = ["nwb_signals"]

_TO_VOLTS: Final = {
    **dict.fromkeys(("v", "volt", "volts"), 1.0),
    **dict.fromkeys(("mv", "millivolt", "millivolts"), 1e-3),
    **dict.fromkeys(("uv", "µv", "μv", "microvolt", "microvolts"), 1e-6),
}


def nwb_signals(file: h5py.File, source: Source) -> Table:
    """The series of one voltage each among the acquired data, in V and s.

    Returns
    -------
    Table
        A row per signal: "signals" holds its samples, "timestamps" their times or nothing, then "start" and
        "rate" say them; "name", "place" and "reason" (how the units are fixed) are text.

    Raises
    ------
    SpikeTrainError
        When the series together have too many samples, or one has no times.
    """
    signals: list[FloatArray] = []
    times: list[FloatArray] = []
    names: list[str] = []
    numbers: list[tuple[float, float]] = []
    other: list[str] = []
    n_samples = 0
    acquired = file.get("acquisition", {})
    for name in list(acquired)[:MAX_TRAINS]:
        series = acquired[name]
        data = series["data"] if hasattr(series, "keys") and "data" in series else None
        shape: tuple[int, ...] = getattr(data, "shape", None) or ()
        unit = text_of(data.attrs.get("unit", "")).strip().lower() if data is not None else ""
        scale = _TO_VOLTS.get(unit)
        if data is None or scale is None or len(shape) != 1 or shape[0] < 2 or data.dtype.kind not in "iuf":
            other.append(name)
            continue
        n_samples += int(shape[0])
        if n_samples > MAX_SAMPLES:
            raise source.error(
                f"the file holds more than {MAX_SAMPLES:,} samples; split it into smaller files."
            )
        samples = floats(data[()]) * (_number(data, "conversion") or 1.0) + (_number(data, "offset") or 0.0)
        signals.append(samples * scale)
        names.append(name)
        found, start, rate = _times(series, name, int(shape[0]), source)
        times.append(found)
        numbers.append((start, rate))
    table = np.array(numbers, dtype=np.float64).reshape(-1, 2)
    columns = [
        Column("signals", signals, "V"),
        Column("timestamps", times, "s"),
        Column("name", texts(names)),
        Column("place", texts([f"acquisition {name!r}" for name in names])),
        Column("reason", texts(["V and s, as NWB says"] * len(names))),
        Column("start", table[:, 0].copy(), "s"),
        Column("rate", table[:, 1].copy(), "Hz"),
    ]
    skipped = []
    if other:
        skipped.append(f"{len(other):,} acquired series of no single voltage, {shown(other)}")
    return Table("NWB", columns, skipped=skipped)


def _times(series: Any, name: str, n: int, source: Source) -> tuple[FloatArray, float, float]:
    """Time stamps, or none and the start and rate in their place."""
    if "timestamps" in series:
        stamps = series["timestamps"]
        if stamps.shape != (n,) or stamps.dtype.kind not in "iuf":
            raise source.error(f"{shown([name])} has {n:,} samples but {stamps.size:,} times.")
        return floats(stamps[()]), 0.0, 0.0
    clock = series.get("starting_time")
    rate = _number(clock, "rate") if clock is not None else None
    if rate is None or not rate > 0:
        raise source.error(f"{shown([name])} has neither a rate nor timestamps, so its times are not known.")
    start = np.ravel(clock[()])
    return np.empty(0), float(start[0]) if start.size == 1 else 0.0, rate


def _number(item: Any, name: str) -> float | None:
    """An attribute that is a single number."""
    value = np.ravel(item.attrs[name]) if name in item.attrs else np.empty(0)
    return float(value[0]) if value.size == 1 and value.dtype.kind in "iuf" else None
