"""Sortings of SpikeInterface as tables: sample numbers per unit and segment, parted without a sort of all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.limits import MAX_OPENED_SPIKES, MAX_TRAINS
from spike2pop_nb.spiketrains.table import Column, Table

from .archive import Files
from .builder import texts
from .raw import Source, shown

__all__ = [
    "BLOCK",
    "INFO_NAME",
    "Wanted",
    "checked_rate",
    "grouped",
    "is_sorting",
    "numpy_folder_table",
    "sorting_table",
]

BLOCK: Final = 1 << 20
"""How many spikes are taken at a time."""
INFO_NAME: Final = "numpysorting_info.json"
Wanted: TypeAlias = "Callable[[str], bool] | None"


def grouped(
    values: NDArray[Any], labels: NDArray[Any], wanted: Sequence[int], n_labels: int
) -> list[NDArray[np.float64]]:
    """The values of each wanted label, in the order of the file: parts of one array that holds these alone.

    Values and labels, which are numbers below `n_labels`, may lie on disk (memory maps); they are read block
    by block, twice.
    """
    counts = np.zeros(n_labels + 1, dtype=np.int64)
    for start in range(0, labels.size, BLOCK):
        counts += np.bincount(labels[start : start + BLOCK].astype(np.int64), minlength=n_labels + 1)
    # What is not wanted goes by the number that follows the last wanted one, and is cut off.
    place = np.full(n_labels + 1, len(wanted), dtype=np.min_scalar_type(len(wanted)))
    place[list(wanted)] = np.arange(len(wanted))
    ends = np.cumsum(counts[list(wanted)]) if len(wanted) else np.zeros(0, dtype=np.int64)
    filled = np.concatenate([[0], ends])
    result = np.empty(int(filled[-1]), dtype=np.float64)
    for start in range(0, labels.size, BLOCK):
        places = place[labels[start : start + BLOCK].astype(np.int64)]
        order = np.argsort(places, kind="stable")  # of small integers: linear in time
        per_place = np.bincount(places, minlength=len(wanted) + 1)[: len(wanted)]
        n_kept = int(per_place.sum())
        firsts = np.cumsum(per_place) - per_place
        targets = np.repeat(filled[:-1] - firsts, per_place) + np.arange(n_kept)
        result[targets] = values[start : start + BLOCK][order[:n_kept]]
        filled[:-1] += per_place
    return np.split(result, ends[:-1]) if len(wanted) else []


def checked_rate(value: object, what: str, source: Source) -> float:
    """A sampling rate in Hz."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        rate = float(value) if abs(value) < 1e300 else math.inf
        if math.isfinite(rate) and 500.0 <= rate <= 1e7:
            return rate
    raise source.error(f"{what} is {shown([value])}; it must be a sampling rate in Hz, such as 30000.")


def is_sorting(arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Whether the arrays of an NPZ file are those of SpikeInterface's NpzSortingExtractor."""
    return {"unit_ids", "num_segment", "sampling_frequency"} <= set(arrays)


def sorting_table(arrays: Mapping[str, NDArray[Any]], source: Source) -> Table:
    """The arrays of SpikeInterface's NpzSortingExtractor."""
    rate = checked_rate(_scalar(arrays["sampling_frequency"]), "'sampling_frequency'", source)
    n_segments = _scalar(arrays["num_segment"])
    if not isinstance(n_segments, int) or not 1 <= n_segments <= len(arrays):
        raise source.error(f"'num_segment' is {shown([n_segments])}; it must be the number of segments.")
    unit_ids = [str(name) for name in arrays["unit_ids"].ravel().tolist()]
    places = {name: k for k, name in enumerate(unit_ids)}
    segments = []
    for k in range(n_segments):
        names = (f"spike_indexes_seg{k}", f"spike_labels_seg{k}")
        missing = [name for name in names if name not in arrays]
        if missing:
            raise source.error(
                f"there is no array {missing[0]!r}, though the file names {n_segments} segments."
            )
        samples = _samples(arrays[names[0]], names[0], source)
        values, inverse = np.unique(arrays[names[1]].ravel(), return_inverse=True)
        if inverse.size != samples.size:
            raise source.error(f"{names[0]!r} and {names[1]!r} have unequal lengths.")
        unknown = [value for value in values.tolist() if str(value) not in places]
        if unknown:
            raise source.error(f"{names[1]!r} names the unit {unknown[0]!r}, which 'unit_ids' does not.")
        units = np.array([places[str(value)] for value in values.tolist()], dtype=np.int64)[inverse]
        segments.append((samples, units))
    return _table(unit_ids, segments, rate, source, None)


def numpy_folder_table(files: Files, folder: str, source: Source, only: Wanted = None) -> Table:
    """SpikeInterface's NumpyFolder: ``spikes.npy`` and ``numpysorting_info.json``."""
    try:
        info = json.loads(files.read(folder + INFO_NAME))
        unit_ids, n_segments = [str(name) for name in info["unit_ids"]], int(info["num_segments"])
        rate = info["sampling_frequency"]
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        raise source.error(
            f"{INFO_NAME!r} is damaged; it must give unit_ids, num_segments and sampling_frequency."
        ) from None
    rate = checked_rate(rate, f"'sampling_frequency' in {INFO_NAME}", source)
    spikes = files.array(folder + "spikes.npy", "'spikes.npy'")
    fields = ("sample_index", "unit_index", "segment_index")
    if spikes.dtype.names is None or not set(fields) <= set(spikes.dtype.names):
        raise source.error(f"'spikes.npy' must have the fields {shown(fields)}, a spike per entry.")
    spikes = spikes.ravel()
    samples, units, segment = (_samples(spikes[name], name, source) for name in fields)
    if units.size and (units.min() < 0 or units.max() >= len(unit_ids)):
        raise source.error(f"'spikes.npy' names the unit {units.max()}, but there are {len(unit_ids)} units.")
    if not 1 <= n_segments <= max(samples.size, 1):
        raise source.error(f"'num_segments' in {INFO_NAME} is {n_segments}; it must be their number.")
    if segment.size and (segment.min() < 0 or segment.max() >= n_segments):
        raise source.error(
            f"'spikes.npy' names the segment {segment.max()}, but there are {n_segments} segments."
        )
    if n_segments == 1:
        return _table(unit_ids, [(samples, units)], rate, source, only)
    parts = []
    for k in range(n_segments):
        inside = segment == k
        parts.append((samples[inside], units[inside]))
    return _table(unit_ids, parts, rate, source, only)


def _table(
    unit_ids: list[str],
    segments: list[tuple[NDArray[Any], NDArray[Any]]],
    rate: float,
    source: Source,
    only: Wanted,
) -> Table:
    """A row per unit and segment, of sample numbers."""
    if len(unit_ids) * len(segments) > 10 * MAX_TRAINS:
        raise source.error(f"the file holds more than {MAX_TRAINS:,} trains; split it into smaller files.")
    wanted = [k for k, name in enumerate(unit_ids) if only is None or only(name)]
    rows: list[NDArray[np.float64]] = []
    for samples, units in segments:
        rows += grouped(samples, units, wanted, len(unit_ids))
    ids = texts([unit_ids[k] for _ in segments for k in wanted])
    columns = {
        "time": Column("spike_indexes", rows, "samples", integers=True),
        "id": Column("unit_ids", ids),
    }
    if len(segments) > 1:
        numbers = np.repeat(np.arange(len(segments), dtype=np.float64), len(wanted))
        columns["segment"] = Column("segment", numbers, integers=True)
    reason = "a train per unit" + (" and segment" if len(segments) > 1 else "")
    return Table.of_roles("SpikeInterface", columns, facts={"sampling_rate_hz": rate}, reason=reason)


def _scalar(array: NDArray[Any]) -> object:
    if array.size != 1:
        return array.tolist() if array.size < 10 else "an array"
    value = array.ravel()[0].item()
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e9 else value


def _samples(array: NDArray[Any], name: str, source: Source) -> NDArray[Any]:
    if array.dtype.kind not in "iu":
        raise source.error(f"{name!r} must hold sample numbers, which are whole numbers.")
    if array.size > MAX_OPENED_SPIKES:
        raise source.error(f"{name!r} has over {MAX_OPENED_SPIKES:,} entries, more than is read.")
    return array.ravel()
