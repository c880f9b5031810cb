"""NWB files as tables: their tables of units, or their voltages. Plain h5py reads them in the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import WayOut
from spike2pop_nb.spiketrains.limits import MAX_CELLS, MAX_SAMPLES, MAX_TRAINS
from spike2pop_nb.spiketrains.signal_units import SignalUnit, signal_unit
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .builder import Signal, floats, table_of_signals, text_of, texts
from .raw import Source, counted, shown

if TYPE_CHECKING:
    import h5py

__all__ = ["nwb_signals", "nwb_table", "with_times"]

_NAMES: Final = ("unit_name", "cluster_id", "id")
_LABELS: Final = ("quality", "group", "KSLabel", "label", "cell_type", "location", "group_name")
_TIMES, _WINDOW = "spike_times", "obs_intervals"
_TIMES_MS: Final = "spike_times_ms"
_SAME: Final = 1e-12  # relative; what rounding to s and back may change
_CHANNELS: Final = 1_000


def nwb_table(file: h5py.File, source: Source) -> Table:
    """The units tables of an NWB file: times, names, labels, and when each unit was observed.

    Times are in s, or, in files that this package wrote, in ms to the last bit. The roles are those of
    ``/units``, or of the first other table where that has no spike times; `with_times` gives those of
    another.
    """
    found: dict[str, Any] = {}

    def item(name: str, group: Any) -> None:
        if text_of(group.attrs.get("neurodata_type")).endswith("Units") or name == "units":
            found[name] = group

    file.visititems(item)
    paths = [name for name in found if _has_times(found[name])]
    paths.sort(key=lambda name: name != "units")
    if not paths:
        raise source.error(
            "this NWB file has no units table with spike times.",
            WayOut("add the spike times as units"),
            WayOut("if it holds a voltage trace, read it as one", ("voltage",)),
        )
    columns: list[Column] = []
    gaps: dict[str, str] = {}
    for path in paths[:20]:
        columns += _columns(path, found[path], gaps, source)
    table = with_times(Table("NWB", columns), f"{paths[0]}/{_TIMES}")
    if paths[0] in gaps:
        table.cautions.append(gaps[paths[0]])
    if len(paths) > 1:
        others = ", ".join(repr(f"{path}/{_TIMES}") for path in paths[1:20])
        table.cautions.append(
            f"the file has {len(paths)} tables of units, of which {paths[0]!r} is read; {others} can be "
            "chosen as time_column"
        )
    return table


def with_times(table: Table, name: str) -> Table:
    """The table with its roles set to one of its units tables, by the name of its column of spike times."""
    parent = table.column(name).parent
    beside = {column.leaf: column for column in table.columns if column.parent == parent}
    for leaf in _NAMES:
        if leaf in beside and (leaf == "id" or np.unique(beside[leaf].values).size == len(beside[leaf])):
            break
    roles = {"time": name, "id": beside[leaf].name}
    if _WINDOW in beside:
        roles["window"] = beside[_WINDOW].name
    table.roles = roles
    table.labels = {leaf: beside[leaf].name for leaf in _LABELS if leaf in beside}
    table.reason = f"a train per row of the table {parent!r}"
    return table


def _has_times(group: Any) -> bool:
    wanted = (_TIMES, f"{_TIMES}_index", "id")
    return all(name in group and hasattr(group[name], "shape") for name in wanted)


def _columns(path: str, units: Any, gaps: dict[str, str], source: Source) -> list[Column]:
    n_units = int(units["id"].size)
    if n_units > MAX_TRAINS:
        raise source.error(f"the file holds more than {MAX_TRAINS:,} trains; split it into smaller files.")
    times, ends = _ragged(units, _TIMES, n_units, source)
    times, unit = times.ravel(), "s"
    if _TIMES_MS in units and f"{_TIMES_MS}_index" in units:  # as this package writes them
        exact, exact_ends = _ragged(units, _TIMES_MS, n_units, source)
        if np.array_equal(ends, exact_ends) and np.allclose(
            exact.ravel(), 1000.0 * times, rtol=_SAME, atol=0
        ):
            times, unit = exact.ravel(), "ms"
    rows = np.split(times, ends[:-1]) if n_units else []
    columns = [Column(f"{path}/{_TIMES}", rows, unit)]
    for name in dict.fromkeys([*_NAMES, *_LABELS]):
        values = _plain(units, name, n_units)
        if values is not None:
            columns.append(Column(f"{path}/{name}", values, integers=units[name].dtype.kind in "iu"))
    if f"{_WINDOW}_index" in units and _WINDOW in units:
        intervals, interval_ends = _ragged(units, _WINDOW, n_units, source)
        if intervals.ndim != 2 or intervals.shape[1] != 2:
            raise source.error("the column 'obs_intervals' must hold pairs of a start and an end.")
        windows = np.full((n_units, 2), np.nan)
        several = 0
        for k, observed in enumerate(np.split(intervals, interval_ends[:-1]) if n_units else []):
            if len(observed):
                windows[k] = observed[:, 0].min(), observed[:, 1].max()
                several += len(observed) > 1
        columns.append(Column(f"{path}/{_WINDOW}", windows * (1000.0 if unit == "ms" else 1.0), unit))
        if several:
            gaps[path] = (
                f"{counted(several, 'train')} observed in several intervals (obs_intervals), and the "
                "intervals between spikes run across the gaps"
            )
    return columns


def _ragged(
    units: Any, name: str, n_units: int, source: Source
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """All values of a ragged column, and where each row ends."""
    data, index = units[name], units[f"{name}_index"]
    if data.size > MAX_CELLS:
        raise source.error(f"the column {name!r} has {data.size:,} entries, more than is read.")
    if data.dtype.kind not in "iuf" or not data.ndim or index.dtype.kind not in "iu":
        raise source.error(f"the column {name!r} of the units table must hold numbers.")
    ends = np.asarray(index[: n_units + 1]).astype(np.int64) if index.shape == (n_units,) else np.empty(0)
    if ends.size != n_units or (np.diff(ends, prepend=0) < 0).any() or (n_units and ends[-1] > len(data)):
        raise source.error(
            f"the index of the column {name!r} does not fit the units table; write the file again."
        )
    return floats(np.asarray(data[()])), ends.astype(np.int64)


def _plain(units: Any, name: str, n_units: int) -> NDArray[Any] | None:
    """A column with one number or text per unit; None when there is none of that name."""
    if name not in units or getattr(units[name], "shape", None) != (n_units,):
        return None
    values = units[name][()]
    if values.dtype.kind in "iuf":
        return floats(values)
    if values.dtype.kind in "OSU" and all(isinstance(value, bytes | str) for value in values.tolist()):
        return texts(values.tolist())
    return None


def nwb_signals(file: h5py.File, source: Source) -> Table:
    """The series of voltage among the acquired data, in V and s; if there are none, those in counts."""
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
    signals: list[Signal] = []
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
            place = f"acquisition {full!r}"
            if unit.quantity == "voltage":
                values, kept, reason = values * (scale * factor) + offset, "V", "V and s, as NWB says"
            else:
                values, kept = np.ascontiguousarray(values), unit.name
                reason = f"{text!r} and s, as NWB says"
            signals.append(Signal(values, stamps, full, full, place, kept, text, reason, start, rate))
    skipped = []
    if other:
        skipped.append(f"{len(other):,} acquired series that are not a single voltage, {shown(other)}")
    return table_of_signals("NWB", signals, "V", skipped)


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
