"""Sampled signals held in memory as tables: arrays, frames, quantities, and those of neo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.table import Column, Facts, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .neo_table import signals_table
from .raw import Source

__all__ = ["table_from_signal"]


def table_from_signal(given: object) -> Table | None:
    """Signals that are held in memory, as a table; None for anything else, such as a path.

    Those are an AnalogSignal, Segment or Block of neo, or several signals; a Quantity (quantities, pint); an
    array, one signal or channels and samples either way round; a dict of arrays by name; a list of equally
    long signals; a DataFrame or Series of pandas, whose index holds the times unless it counts rows.
    """
    home = {cls.__module__.partition(".")[0] for cls in type(given).__mro__}
    if "neo" in home or (isinstance(given, Sequence) and given and all(_is_neo(item) for item in given)):
        return _neo(given)
    if "pandas" in home:
        return _pandas(given)
    if isinstance(given, Mapping):
        return _mapping(given)
    if isinstance(given, list | tuple) or hasattr(given, "__array__") or hasattr(given, "magnitude"):
        values, unit = _plain(given)
        return Table(_kind(given), [Column("", values, unit)], named=False)
    return None


def _is_neo(item: object) -> bool:
    return any(cls.__module__.partition(".")[0] == "neo" for cls in type(item).__mro__)


def _is_signal(item: Any) -> bool:
    return hasattr(item, "t_stop") and hasattr(item, "shape") and not hasattr(item, "waveforms")


def _kind(given: object) -> str:
    return type(given).__name__


def _neo(given: Any) -> Table:
    if hasattr(given, "segments"):
        segments = [list(segment.analogsignals) for segment in given.segments]
    elif hasattr(given, "analogsignals"):
        segments = [list(given.analogsignals)]
    elif isinstance(given, Sequence):
        parts = [item.analogsignals if hasattr(item, "analogsignals") else [item] for item in given]
        inside = all(hasattr(item, "analogsignals") for item in given)
        segments = [list(part) for part in parts] if inside else [[one for part in parts for one in part]]
    else:
        segments = [[given]]
    if not all(_is_signal(signal) for one in segments for signal in one):
        raise SpikeTrainError(f"The {_kind(given)} of neo holds no signals; give an AnalogSignal.")
    if any(not hasattr(signal, "times") or signal.shape[0] < 2 for one in segments for signal in one):
        raise SpikeTrainError(f"The {_kind(given)} of neo holds a signal of under two samples.")
    return signals_table(segments, "neo", Source(f"the {_kind(given)}", b""))


def _pandas(given: Any) -> Table:
    frame = (
        given.to_frame(given.name if given.name is not None else "V")
        if not hasattr(given, "columns")
        else given
    )
    columns: list[Column] = []
    index = frame.index
    if type(index).__name__ != "RangeIndex" and index.nlevels == 1:
        name = str(index.name) if index.name is not None else "time"
        if index.dtype.kind in "mM":
            since = index.to_numpy() - index.to_numpy()[:1] if index.dtype.kind == "M" else index.to_numpy()
            columns.append(Column(name, since / np.timedelta64(1, "ns") / 1e9, "s"))
        elif index.dtype.kind in "iuf":
            columns.append(Column(name, np.asarray(index, dtype=np.float64)))
    for k, name in enumerate(frame.columns):
        values = frame.iloc[:, k]
        if values.dtype.kind in "iuf":
            columns.append(
                Column(str(name), values.to_numpy(dtype=np.float64), integers=values.dtype.kind in "iu")
            )
    return _checked(Table(_kind(given), columns), given)


def _mapping(given: Mapping[Any, Any]) -> Table:
    columns: list[Column] = []
    facts: Facts = {}
    for name, item in given.items():
        if isinstance(item, str):
            facts[str(name)] = item
        elif isinstance(item, int | float | np.number):
            facts[str(name)] = float(item)
        else:
            values, unit = _plain(item)
            if values.size == 1:
                facts[str(name)] = (
                    f"{float(values.ravel()[0])!r} {unit}" if unit else float(values.ravel()[0])
                )
            else:
                columns.append(Column(str(name), values, unit))
    return _checked(Table("dict", columns, facts), given)


def _checked(table: Table, given: object) -> Table:
    if not table.columns:
        raise SpikeTrainError(f"The {_kind(given)} holds no column of numbers, so no voltage trace.")
    return table


def _plain(given: Any) -> tuple[FloatArray, str]:
    """Numbers in one or two dimensions, and their unit; masked ones are NaN."""
    unit = ""
    if hasattr(given, "magnitude"):
        dimensions = getattr(given, "dimensionality", None)
        unit = str(getattr(dimensions, "string", "")) or f"{given.units:~}"
        given = given.magnitude
    try:
        if np.iscomplexobj(given):
            raise TypeError
        values = np.ma.filled(np.ma.asarray(given, dtype=np.float64), np.nan)
    except (TypeError, ValueError):
        raise SpikeTrainError(
            f"A {_kind(given)} was given that is no array of numbers; a voltage trace is one, in one "
            "dimension or two (channels and samples)."
        ) from None
    if values.ndim == 2 and 1 in values.shape:
        values = values.ravel()
    if values.ndim == 0:
        return values.ravel(), unit
    if values.ndim > 2:
        raise SpikeTrainError(
            f"An array of shape {values.shape} was given; a voltage trace has one dimension, several have "
            "two (channels and samples)."
        )
    return values, unit
