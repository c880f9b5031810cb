"""Voltage in NWB files as a table: the acquired series in volts, read by h5py in the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spike2pop_nb.spiketrains.limits import MAX_SAMPLES, MAX_TRAINS
from spike2pop_nb.spiketrains.signal_units import SignalUnit, signal_unit
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .builder import floats, text_of, texts
from .raw import Source, shown

if TYPE_CHECKING:
    import h5py

__all__ = ["nwb_signals"]

_CHANNELS: Final = 1_000


def nwb_signals(file: h5py.File, source: Source) -> Table:
    """The series of voltage among the acquired data, in V and s; if there are none, those in counts.

    Returns
    -------
    Table
        A row per signal, also per channel of a series of several: "signals" holds its samples, in the "unit"
        of the row, "timestamps" their times or nothing, then "start" and "rate" say them; "name", "channel"
        (which sweeps share), "place", "own" (the unit in the file) and "reason" (how the units are fixed) are
        text.

    Raises
    ------
    SpikeTrainError
        When the series together have too many samples, or one has no times.
    """
    acquired = file.get("acquisition", {})
    found: list[tuple[str, Any, str, SignalUnit]] = []
    other: list[str] = []
    for name in list(acquired)[:MAX_TRAINS]:
        series = acquired[name]
        data = series["data"] if hasattr(series, "keys") and "data" in series else None
        shape: tuple[int, ...] = getattr(data, "shape", None) or ()
        text = text_of(data.attrs.get("unit", "")).strip() if data is not None else ""
        unit = signal_unit(text) or SignalUnit("odd", "unknown")
        sampled = len(shape) in (1, 2) and shape[0] > 1 and data is not None and data.dtype.kind in "iuf"
        if not sampled or unit.quantity == "other" or (len(shape) == 2 and not 0 < shape[1] <= _CHANNELS):
            other.append(name)
        else:
            found.append((name, series, text, unit))
    wanted = [item for item in found if item[3].quantity == "voltage"]
    wanted = wanted or [item for item in found if item[3].quantity == "odd"]
    other = [name for name in acquired if name in other or name not in {item[0] for item in wanted}]
    signals: list[FloatArray] = []
    times: list[FloatArray] = []
    words: list[tuple[str, str, str, str, str]] = []
    numbers: list[tuple[float, float]] = []
    n_samples = 0
    for name, series, text, unit in wanted:
        data = series["data"]
        n_samples += int(data.size)
        if n_samples > MAX_SAMPLES:
            raise source.error(
                f"the file holds more than {MAX_SAMPLES:,} samples; split it into smaller files."
            )
        stamps, start, rate = _times(series, name, int(data.shape[0]), source)
        samples = floats(data[()]).reshape(data.shape[0], -1)
        scale = (_number(data, "conversion") or 1.0) * (unit.mV / 1000.0)
        each = np.ravel(series["channel_conversion"][()]) if "channel_conversion" in series else np.ones(1)
        for k, values in enumerate(samples.T):
            factor = float(each[k]) if each.size == samples.shape[1] else 1.0
            offset = (_number(data, "offset") or 0.0) * (unit.mV / 1000.0)
            full = name if samples.shape[1] == 1 else f"{name}/{k + 1}"
            as_said = unit.quantity == "voltage"
            signals.append(values * (scale * factor) + offset if as_said else np.ascontiguousarray(values))
            times.append(stamps)
            reason = "V and s, as NWB says" if as_said else f"{text!r} and s, as NWB says"
            words.append((full, f"acquisition {full!r}", "V" if as_said else unit.name, text, reason))
            numbers.append((start, rate))
    table = np.array(numbers, dtype=np.float64).reshape(-1, 2)
    name_, place, unit_, own, reason_ = (texts([row[k] for row in words]) for k in range(5))
    columns = [
        Column("signals", signals, "V"),
        Column("timestamps", times, "s"),
        Column("name", name_),
        Column("channel", name_),
        Column("place", place),
        Column("unit", unit_),
        Column("own", own),
        Column("reason", reason_),
        Column("start", table[:, 0].copy(), "s"),
        Column("rate", table[:, 1].copy(), "Hz"),
    ]
    skipped = []
    if other:
        skipped.append(f"{len(other):,} acquired series that are not a single voltage, {shown(other)}")
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
