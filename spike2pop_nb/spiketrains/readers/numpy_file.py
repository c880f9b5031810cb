"""NPY and NPZ files: what their arrays mean."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.units import unit_from_name

from .archive import Archive
from .arrays import Reading, numeric, trains_from_array, trains_from_pair
from .columns import is_id_name, is_time_name
from .npy import load_npy
from .raw import Options, RawRecording, Source, shown
from .sorted_units import is_sorting, read_sorting

__all__ = ["read_npy", "read_npz", "recording_from_arrays"]


def read_npy(source: Source, options: Options) -> RawRecording:
    """Read an NPY file: one array, see `arrays.trains_from_array`."""
    array = load_npy(source.data, "the array", source)
    reading = trains_from_array(array, "the array", source.stem, source, options)
    return _recording("NPY", reading)


def read_npz(archive: Archive, source: Source, options: Options) -> RawRecording:
    """Read an NPZ file: an array per train, an array of ids beside one of times, or a sorting."""
    names = [name for name in archive.names if name.endswith(".npy")]
    if not names:
        if any(name.startswith("xl/") for name in archive.names):
            raise source.error("this is an Excel workbook; save its sheet as CSV.")
        raise source.error(
            "this is an archive without NPY arrays, and no Phy or SpikeInterface folder; unpack it and give "
            "the file of spike times."
        )
    source.check_counts(0, len(names))
    arrays: dict[str, NDArray[Any]] = {}
    for name in names:
        stem = name.removesuffix(".npy")
        arrays[stem] = load_npy(archive.read(name), f"the array {stem!r}", source)
    if is_sorting(arrays):
        return read_sorting(arrays, source)
    return recording_from_arrays("NPZ", arrays, source, options)


def recording_from_arrays(
    format_: str, arrays: dict[str, NDArray[Any]], source: Source, options: Options
) -> RawRecording:
    """Trains from named arrays.

    Parameters
    ----------
    format_ : str
        For the report.
    arrays : dict of str to ndarray
        By name.
    source : Source
        Names the file in errors.
    options : Options
        ``time_column`` and ``id_column`` name an array here.
    """
    names = list(arrays)
    skipped: list[str] = []
    picked = {}
    for role, wanted in (("time", options.time_column), ("id", options.id_column)):
        if isinstance(wanted, int) and 0 <= wanted < len(names):
            picked[role] = names[wanted]
        elif wanted in arrays:
            picked[role] = str(wanted)
        elif wanted is not None:
            raise source.error(f"there is no array {wanted!r}; the file holds {shown(names)}.")
    pair = _named_pair(arrays, picked)
    if pair is not None:
        id_name, time_name = pair
        times = numeric(arrays[time_name].ravel(), f"the array {time_name!r}", source)
        trains = trains_from_pair(arrays[id_name].ravel(), times, f"array {time_name!r}", source)
        reason = "an id and a time per spike, in two arrays of equal length"
        raw = RawRecording(format_, "long", reason, trains, {"id": id_name, "time": time_name})
        used = {id_name, time_name}
    else:
        candidates = [picked["time"]] if "time" in picked else _candidates(arrays, skipped)
        if not candidates:
            raise source.error(f"none of {shown(names)} is an array of spike times.")
        raw = _each(format_, arrays, candidates, skipped, source, options)
        used = set(candidates)
    raw.skipped += skipped
    raw.candidates = tuple(
        name for name in names if arrays[name].dtype.kind in "iuf" and arrays[name].size > 1
    )
    left = [name for name in names if name not in used and not any(repr(name) in text for text in skipped)]
    if left:
        raw.skipped.append(f"{shown(left)}, not taken for spike times")
    units = {unit_from_name(name)[1] for name in used if not is_id_name(name)}
    if len(units) == 1 and (unit := units.pop()) is not None:
        raw.unit, raw.unit_reason = unit, "as the name of the array says"
    return raw


def _each(
    format_: str,
    arrays: dict[str, NDArray[Any]],
    names: list[str],
    skipped: list[str],
    source: Source,
    options: Options,
) -> RawRecording:
    """An array per train, or several trains in one array."""
    readings: dict[str, Reading] = {}
    refusal: SpikeTrainError | None = None
    for name in names:
        train_id = name if len(names) > 1 or format_ == "NPZ" else source.stem
        try:
            readings[name] = trains_from_array(arrays[name], f"array {name!r}", train_id, source, options)
        except SpikeTrainError as error:
            if len(names) == 1:
                raise
            refusal = error
            skipped.append(f"{name!r}, which does not look like spike times")
    if not readings:
        assert refusal is not None
        raise refusal
    if len(readings) == 1:
        return _recording(format_, next(iter(readings.values())))
    trains = []
    for name, reading in readings.items():
        for train in reading.trains:
            if reading.layout != "single":
                train.id = source.id(f"{name}/{train.id}")
            trains.append(train)
    raw = RawRecording(format_, "arrays", "an array per train, by its name", trains)
    _padding(raw, sum(reading.padding for reading in readings.values()))
    return raw


def _recording(format_: str, reading: Reading) -> RawRecording:
    raw = RawRecording(format_, reading.layout, reading.reason, reading.trains)
    _padding(raw, reading.padding)
    return raw


def _padding(raw: RawRecording, padding: int) -> None:
    if padding:
        raw.skipped.append(f"{padding:,} NaN that fill up the ends of rows")


def _named_pair(arrays: dict[str, NDArray[Any]], picked: dict[str, str]) -> tuple[str, str] | None:
    """Names of an array of ids and an array of times, as long as each other."""
    ids = [picked["id"]] if "id" in picked else [name for name in arrays if is_id_name(name)]
    times = [picked["time"]] if "time" in picked else [name for name in arrays if is_time_name(name)]
    if len(ids) != 1 or len(times) != 1 or ids == times:
        return None
    one, other = arrays[ids[0]], arrays[times[0]]
    flat = all(array.ndim == 1 or array.size == max(array.shape, default=0) for array in (one, other))
    if not flat or one.size != other.size or one.dtype.kind not in "iufUS":
        return None
    return ids[0], times[0]


def _candidates(arrays: dict[str, NDArray[Any]], skipped: list[str]) -> list[str]:
    """Arrays that may hold spike times: numbers, more than one of them; those named so, if any are."""
    found = []
    for name, array in arrays.items():
        if array.dtype.kind not in "iuf":
            skipped.append(f"{name!r}, which holds no real numbers")
        elif array.ndim == 0 or (array.size == 1 and len(arrays) > 1 and not is_time_name(name)):
            skipped.append(f"{name!r}, a single number")
        else:
            found.append(name)
    return [name for name in found if is_time_name(name)] or found
