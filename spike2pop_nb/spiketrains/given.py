"""Spike trains as other libraries hold them: taken with their units and masks, or refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from spike2pop_nb.errors import SpikeTrainError

from .train import FloatArray, SpikeTrain, takes_times

__all__ = ["as_train", "as_trains", "is_of_library", "times_in_ms"]

_FEWEST: Final = 10
_SHORTEST_MEDIAN_MS: Final = 0.5
_LIBRARIES: Final = frozenset(
    {"neo", "pynapple", "pandas", "quantities", "pint", "astropy", "brian2", "spikeinterface"}
)


def is_of_library(given: object) -> bool:
    """Whether an object brings a unit, a mask or names of its own, unlike plain numbers in ms."""
    if isinstance(given, np.ma.MaskedArray | Mapping) or getattr(given, "dtype", np.dtype(float)).kind == "m":
        return True
    if isinstance(given, SpikeTrain | str | bytes | bytearray | memoryview | int | float | np.generic):
        return False
    homes = {cls.__module__.partition(".")[0] for cls in type(given).__mro__}
    return bool(homes & _LIBRARIES)


def as_trains(given: Any) -> list[Any]:
    """Spike trains, or plain arrays of times in ms, of whatever holds them.

    Parameters
    ----------
    given : object
        A train, several of them, an array of times in ms or several, or what `read_spike_trains` takes from
        neo, quantities, pynapple and pandas.

    Returns
    -------
    list
        `SpikeTrain` for what came from a library; everything else as it was given.

    Raises
    ------
    SpikeTrainError
        When an object of a library holds no trains, or their unit is not known.
    """
    if hasattr(given, "times_ms"):
        return [given]
    if not isinstance(given, Iterable):
        raise SpikeTrainError(f"Spike trains are needed, not {type(given).__name__}.")
    if is_of_library(given):
        return _read(given)
    items = list(given)
    if items and all(isinstance(item, int | float | np.number) for item in items):
        return [_plain(np.asarray(items))]
    found: list[Any] = []
    for place, item in enumerate(items):
        if not is_of_library(item):
            found.append(_plain(item))
            continue
        trains = _read(item)
        if len(trains) == 1:  # named by itself, or by its place as plain arrays are
            trains = [replace(trains[0], id=str(getattr(item, "name", None) or place))]
        found += trains
    return found


def _plain(given: Any) -> Any:
    """Plain numbers, which are in ms: whole ones that may count samples, and those in s, are refused."""
    if isinstance(given, SpikeTrain | str) or hasattr(given, "times_ms"):
        return given
    try:
        times = np.asarray(given)
    except ValueError:
        return given
    if times.ndim != 1 or times.size < _FEWEST or times.dtype.kind not in "iuf":
        return given
    from .layouts.timing import may_be_samples

    if times.dtype.kind in "iu" and may_be_samples(times.astype(np.float64)):
        raise SpikeTrainError(
            "The times are whole numbers, which may be sample numbers; give SpikeTrain(id, times) if "
            "they are ms, or read_spike_trains(times, sampling_rate_hz=…)."
        )
    median = float(np.median(np.diff(times)))
    if median < _SHORTEST_MEDIAN_MS:
        raise SpikeTrainError(
            f"The median interval is {median:.3g}, and plain numbers are in ms, where "
            "no neuron fires so fast; give ms, or read_spike_trains(times, unit='s')."
        )
    return given


def as_train(given: Any) -> SpikeTrain:
    """The one spike train that is given.

    Parameters
    ----------
    given : object
        As `as_trains` takes it; plain numbers are times in ms.

    Raises
    ------
    SpikeTrainError
        When there are several or none, or the numbers are no spike times.
    """
    if isinstance(given, SpikeTrain):
        return given
    if not isinstance(given, Iterable) and not is_of_library(given):
        raise SpikeTrainError(f"A spike train is needed, not {type(given).__name__}.")
    found = as_trains(given)
    if len(found) != 1:
        raise SpikeTrainError(f"One spike train is needed, and {len(found)} are given.")
    return found[0] if isinstance(found[0], SpikeTrain) else SpikeTrain("recording", found[0])


@takes_times
def times_in_ms(name: str, given: Any) -> FloatArray | None:
    """Times in ms of an object of a library that holds one train; numbers without a unit are in ms.

    None of plain numbers and arrays.
    """
    if not is_of_library(given):
        return None
    found = _read(given, in_ms=True)
    if len(found) != 1:
        raise SpikeTrainError(f"The times of train {name!r} are {len(found)} trains; a train is one list.")
    return found[0].times_ms


def _read(given: Any, *, in_ms: bool = False) -> list[SpikeTrain]:
    from .layouts.timing import names_unit
    from .reader import read_spike_trains
    from .readers.objects import table_from_object

    table = table_from_object(given)
    stated = table is not None and names_unit(table)
    # A masked array is one of plain numbers, which are in ms wherever trains are taken.
    if not stated and (in_ms or isinstance(given, np.ma.MaskedArray)):
        return list(read_spike_trains(given, unit="ms"))
    recordings = read_spike_trains(given)
    if recordings.report.unit_assumed and any(train.n_spikes for train in recordings):
        raise SpikeTrainError(
            f"The {type(given).__name__} names no unit for its times; read it with "
            "read_spike_trains(…, unit='ms') or whichever unit it has."
        )
    return list(recordings)
