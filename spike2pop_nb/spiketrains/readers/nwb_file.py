"""NWB files, read by pynwb: the units table."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from .optional import optional
from .raw import RawRecording, RawTrain, Source, counted
from .sorted_units import judge_quality

if TYPE_CHECKING:
    import h5py

__all__ = ["nwb_content", "read_nwb"]

_NAMES: Final = ("unit_name", "cluster_id")
_LABELS: Final = ("quality", "group", "KSLabel", "label", "cell_type", "location", "group_name")


@contextmanager
def nwb_content(file: h5py.File, source: Source) -> Iterator[Any]:
    """The NWBFile of an HDF5 file, its data still unread.

    Raises
    ------
    SpikeTrainError
        When pynwb is missing or cannot make sense of the file.
    """
    pynwb = optional("pynwb", "NWB files", source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pynwb warns of what other versions wrote differently
        try:
            content = pynwb.NWBHDF5IO(file=file, mode="r", load_namespaces=True).read()
        except Exception as error:  # pynwb meets an unsound file with errors of every kind
            reason = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
            raise source.error(f"pynwb cannot read this NWB file ({reason}); write it again.") from None
        yield content


def read_nwb(file: h5py.File, source: Source) -> RawRecording:
    """Read the units table of an NWB file: times in s, the window from ``obs_intervals``.

    Parameters
    ----------
    file : h5py.File
        The file, opened by `hdf5_file.opened`.
    source : Source
        Names it in errors.

    Raises
    ------
    SpikeTrainError
        When there is no units table with spike times, or it is too large.
    """
    with nwb_content(file, source) as content:
        units = content.units
        if units is None or "spike_times" not in units.colnames:
            raise source.error(
                "this NWB file has no units table with spike times; add the spike times as units, or if it "
                "holds a trace of voltage, read it with read_voltage."
            )
        n_units = len(units.id)
        source.check_counts(0, n_units)
        times, ends = _ragged(units, "spike_times", n_units, source)
        source.check_counts(times.size)
        names, name_column = _unit_names(units, n_units)
        labels = {name: values for name in _LABELS if (values := _column(units, name, n_units)) is not None}
        intervals, interval_ends = _intervals(units, n_units, source)
    trains = []
    gaps = 0
    for k in range(n_units):
        first = int(ends[k - 1]) if k else 0
        train = RawTrain(source.id(names[k]), times[first : int(ends[k])], f"unit {names[k]}")
        observed = intervals[int(interval_ends[k - 1]) if k else 0 : int(interval_ends[k])]
        if len(observed):
            train.window = (float(observed[:, 0].min()), float(observed[:, 1].max()))
            gaps += int(len(observed) > 1)
        train.labels = {
            name: str(values[k])[:40] for name, values in labels.items() if str(values[k]).strip()
        }
        trains.append(train)
    raw = RawRecording(
        "NWB",
        "units",
        "a train per row of the units table",
        trains,
        columns={"id": name_column, "time": "spike_times"},
        unit="s",
        unit_reason="as NWB fixes it",
        fixed_unit=True,
    )
    judge_quality(raw)
    if gaps:
        raw.cautions.append(
            f"{counted(gaps, 'train')} observed in several intervals (obs_intervals), and the intervals "
            "between spikes run across the gaps"
        )
    return raw


def _ragged(
    units: Any, name: str, n_units: int, source: Source
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """All values of a ragged column, and where each row ends."""
    index = units[name]
    data = index.target.data
    # One row of obs_intervals is a pair, so it may hold no more rows than spikes are allowed.
    source.check_counts(int(data.shape[0]) if hasattr(data, "shape") else len(data))
    ends = np.asarray(index.data[: n_units + 1], dtype=np.int64)
    values = np.asarray(data[:])
    if values.dtype.kind not in "iuf":
        raise source.error(f"the column {name!r} of the units table must hold numbers.")
    if ends.size != n_units or (np.diff(ends, prepend=0) < 0).any() or (ends.size and ends[-1] > len(values)):
        raise source.error(
            f"the index of the column {name!r} does not fit the units table; write the file again."
        )
    return values.astype(np.float64), ends


def _intervals(units: Any, n_units: int, source: Source) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    if "obs_intervals" not in units.colnames:
        return np.empty((0, 2)), np.zeros(n_units, dtype=np.int64)
    intervals, ends = _ragged(units, "obs_intervals", n_units, source)
    if intervals.ndim != 2 or intervals.shape[1] != 2:
        raise source.error("the column 'obs_intervals' must hold pairs of a start and an end.")
    return intervals, ends


def _column(units: Any, name: str, n_units: int) -> list[Any] | None:
    """A column with one value per unit; None when there is none of that name."""
    if name not in units.colnames:
        return None
    values = np.asarray(units[name].data[: n_units + 1])
    return values.tolist() if values.shape == (n_units,) and values.dtype.kind in "iufOSUb" else None


def _unit_names(units: Any, n_units: int) -> tuple[list[Any], str]:
    for name in _NAMES:
        values = _column(units, name, n_units)
        if values is not None and len({str(value) for value in values}) == n_units:
            return values, name
    return np.asarray(units.id[:]).tolist(), "id"
