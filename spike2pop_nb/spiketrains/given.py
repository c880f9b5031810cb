"""Spike trains as other libraries hold them: taken with their units and masks, or refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from spike2pop_nb.errors import SpikeTrainError

from .train import FloatArray, SpikeTrain

__all__ = ["as_train", "as_trains", "is_of_library", "times_in_ms"]


def is_of_library(given: object) -> bool:
    """Whether an object brings a unit, a mask or names of its own, unlike plain numbers in ms."""
    if isinstance(given, np.ma.MaskedArray | Mapping):
        return True
    if isinstance(given, SpikeTrain | str | bytes | bytearray | memoryview | int | float | np.generic):
        return False
    homes = {cls.__module__.partition(".")[0] for cls in type(given).__mro__}
    if homes & {"neo", "pynapple", "pandas", "quantities", "pint", "astropy", "brian2", "spikeinterface"}:
        return True
    return isinstance(given, list | tuple) and bool(given) and all(is_of_library(item) for item in given)


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
    if is_of_library(given):
        return _read(given)
    items = list(given)
    if items and all(isinstance(item, int | float | np.number) for item in items):
        return [np.asarray(items)]
    return [train for item in items for train in (_read(item) if is_of_library(item) else [item])]


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


def times_in_ms(name: str, given: Any) -> FloatArray:
    """Times in ms of an object of a library that holds one train."""
    found = _read(given)
    if len(found) != 1:
        raise SpikeTrainError(f"The times of train {name!r} are {len(found)} trains; a train is one list.")
    return found[0].times_ms


def _read(given: Any) -> list[SpikeTrain]:
    from .reader import read_spike_trains

    recordings = read_spike_trains(given)
    if recordings.report.unit_assumed and any(train.n_spikes for train in recordings):
        raise SpikeTrainError(
            f"The {type(given).__name__} names no unit for its times; read it with "
            "read_spike_trains(…, unit='ms') or whichever unit it has."
        )
    return list(recordings)
