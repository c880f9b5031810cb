"""What spike sorters give: sample numbers and unit labels, from SpikeInterface files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .archive import Files
from .arrays import trains_from_pair
from .npy import load_npy
from .raw import RawRecording, RawTrain, Source, counted, shown

__all__ = [
    "INFO_NAME",
    "checked_rate",
    "is_sorting",
    "judge_quality",
    "read_numpy_sorting",
    "read_sorting",
    "sampled_recording",
]

INFO_NAME: Final = "numpysorting_info.json"
_QUALITY: Final = ("group", "quality", "KSLabel", "label")


def checked_rate(value: object, what: str, source: Source) -> float:
    """A sampling rate in Hz.

    Raises
    ------
    SpikeTrainError
        When it is no positive finite number.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        rate = float(value)
        if math.isfinite(rate) and 1.0 <= rate <= 1e7:
            return rate
    raise source.error(f"{what} is {shown([value])}; it must be a sampling rate in Hz, such as 30000.")


def sampled_recording(
    format_: str, reason: str, trains: list[RawTrain], rate_hz: float, origin: str
) -> RawRecording:
    """A recording whose times are sample numbers so far, turned into s.

    Parameters
    ----------
    format_, reason : str
        For the report.
    trains : list of RawTrain
        Times in samples.
    rate_hz : float
        Sampling rate.
    origin : str
        Where the rate was found, in words.
    """
    for train in trains:
        train.times = train.times / rate_hz
    why = f"from sample numbers at the {rate_hz:g} Hz of {origin}"
    return RawRecording(format_, "units", reason, trains, unit="s", unit_reason=why, fixed_unit=True)


def judge_quality(raw: RawRecording) -> None:
    """Leave out the units labelled noise and point out those labelled as several neurons."""
    graded = {
        train.id: next((train.labels[k].lower() for k in _QUALITY if k in train.labels), "")
        for train in raw.trains
    }
    noise = [name for name, grade in graded.items() if grade == "noise"]
    multi = [name for name, grade in graded.items() if grade in {"mua", "multi", "multiunit"}]
    if noise:
        raw.trains = [train for train in raw.trains if graded[train.id] != "noise"]
        raw.skipped.append(f"{counted(len(noise), 'unit')} labelled noise, {shown(noise)}")
    if multi:
        raw.cautions.append(
            f"{counted(len(multi), 'unit')} labelled as several neurons together (mua), {shown(multi)}, kept"
        )


def is_sorting(arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Whether the arrays of an NPZ file are those of SpikeInterface's NpzSortingExtractor."""
    return {"unit_ids", "num_segment", "sampling_frequency"} <= set(arrays)


def read_sorting(arrays: Mapping[str, NDArray[Any]], source: Source) -> RawRecording:
    """Read the arrays of SpikeInterface's NpzSortingExtractor."""
    rate = checked_rate(_scalar(arrays["sampling_frequency"]), "'sampling_frequency'", source)
    n_segments = _scalar(arrays["num_segment"])
    if not isinstance(n_segments, int) or not 1 <= n_segments <= len(arrays):
        raise source.error(f"'num_segment' is {shown([n_segments])}; it must be the number of segments.")
    segments = []
    for k in range(n_segments):
        names = (f"spike_indexes_seg{k}", f"spike_labels_seg{k}")
        missing = [name for name in names if name not in arrays]
        if missing:
            raise source.error(
                f"there is no array {missing[0]!r}, though the file names {n_segments} segments."
            )
        segments.append((_samples(arrays[names[0]], names[0], source), arrays[names[1]].ravel()))
    return _from_segments(arrays["unit_ids"].ravel().tolist(), segments, rate, "'sampling_frequency'", source)


def read_numpy_sorting(files: Files, folder: str, source: Source) -> RawRecording:
    """Read SpikeInterface's NumpyFolder: ``spikes.npy`` and ``numpysorting_info.json``."""
    try:
        info = json.loads(files.read(folder + INFO_NAME))
        unit_ids, n_segments = list(info["unit_ids"]), int(info["num_segments"])
        rate = info["sampling_frequency"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise source.error(
            f"{INFO_NAME!r} is damaged; it must give unit_ids, num_segments and sampling_frequency."
        ) from None
    rate = checked_rate(rate, f"'sampling_frequency' in {INFO_NAME}", source)
    spikes = load_npy(files.read(folder + "spikes.npy"), "'spikes.npy'", source, fields=True)
    fields = ("sample_index", "unit_index", "segment_index")
    if spikes.dtype.names is None or not set(fields) <= set(spikes.dtype.names):
        raise source.error(f"'spikes.npy' must have the fields {shown(fields)}, a spike per entry.")
    samples = _samples(spikes["sample_index"], "sample_index", source)
    units, segment = (_samples(spikes[name], name, source).astype(np.int64) for name in fields[1:])
    if units.size and (units.min() < 0 or units.max() >= len(unit_ids)):
        raise source.error(f"'spikes.npy' names the unit {units.max()}, but there are {len(unit_ids)} units.")
    labels = np.array([str(name) for name in unit_ids])[units] if unit_ids else np.empty(0, dtype="U1")
    if not 1 <= n_segments <= max(samples.size, 1):
        raise source.error(
            f"'num_segments' in {INFO_NAME} is {n_segments}; it must be the number of segments."
        )
    segments = [(samples[segment == k], labels[segment == k]) for k in range(n_segments)]
    return _from_segments(unit_ids, segments, rate, INFO_NAME, source)


def _from_segments(
    unit_ids: list[Any],
    segments: list[tuple[NDArray[np.float64], NDArray[Any]]],
    rate_hz: float,
    origin: str,
    source: Source,
) -> RawRecording:
    """A train per unit and segment, in the order of the units; a unit without spikes is silent."""
    source.check_counts(sum(samples.size for samples, _ in segments), len(unit_ids) * len(segments))
    names = [source.id(name) for name in unit_ids]
    trains = []
    for number, (samples, labels) in enumerate(segments):
        if samples.size != labels.size:
            raise source.error(
                f"segment {number} has {samples.size:,} spike times but {labels.size:,} labels; "
                "there must be as many."
            )
        place = f"segment {number}"
        found = {train.id: train for train in trains_from_pair(labels, samples, place, source)}
        unknown = [name for name in found if name not in set(names)]
        if unknown:
            raise source.error(
                f"{place} labels spikes with {shown(unknown)}, which 'unit_ids' does not name."
            )
        for name in names:
            train = found.get(name) or RawTrain(name, np.empty(0), place)
            train.id = name if len(segments) == 1 else f"{name}/{number}"
            trains.append(train)
    reason = "a train per unit" if len(segments) == 1 else "a train per unit and segment (unit/segment)"
    return sampled_recording("SpikeInterface", reason, trains, rate_hz, origin)


def _samples(array: NDArray[Any], name: str, source: Source) -> NDArray[np.float64]:
    if array.dtype.kind not in "iu":
        raise source.error(f"{name!r} holds {array.dtype.name} values; whole numbers are needed.")
    return array.ravel().astype(np.float64)


def _scalar(array: NDArray[Any]) -> object:
    return array.ravel()[0].item() if array.size else None
