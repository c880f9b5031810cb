"""Objects of Python and of other libraries as tables: told apart by where they come from, never imported."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.limits import MAX_CELLS
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .builder import NO_NUMBERS, TableBuilder, floats, texts
from .numpy_table import pynapple_table
from .raw import Source, counted

__all__ = ["table_from_object"]

_TIME_UNITS: Final = frozenset({"s", "ms", "us", "µs", "ns", "min", "h"})
_TRAINS: Final = "spike trains"


def table_from_object(given: object) -> Table | None:
    """Spike times that are held in memory, as a table, with their units; None for anything else.

    Those are a SpikeTrain, Segment or Block of neo, or several trains of it; a Quantity (quantities, pint,
    astropy, Brian2); a Ts or TsGroup of pynapple; a sorting of SpikeInterface; a Series or DataFrame of
    pandas; a NumPy array; a dict of arrays by name, or of times by id; a list of numbers or of trains. Masked
    entries are left out, which `Table.skipped` says.
    """
    home = _home(given)
    if home == "neo":
        return _neo(given)
    if home == "pynapple":
        return _pynapple(given)
    if home == "pandas":
        return _pandas(given)
    if hasattr(given, "get_unit_spike_train") and hasattr(given, "unit_ids"):
        return _sorting(given)
    if isinstance(given, Mapping):
        return _mapping(given)
    if isinstance(given, list | tuple):
        return _sequence(list(given))
    if _is_quantity(given) or isinstance(given, np.ndarray):
        return _one_array(given)
    if hasattr(given, "__array__") and not isinstance(given, str | bytes | bytearray | memoryview):
        return _one_array(np.asarray(given))
    return None


def _home(given: object) -> str:
    """Library whose class it is, also of a subclass made elsewhere."""
    known = {"neo", "pynapple", "pandas"}
    homes = [cls.__module__.partition(".")[0] for cls in type(given).__mro__]
    return next((home for home in homes if home in known), "")


def _source(given: object) -> Source:
    return Source(f"the {type(given).__name__}", b"")


def _is_quantity(given: object) -> bool:
    return any(cls.__name__ in {"Quantity", "PlainQuantity", "VariableView"} for cls in type(given).__mro__)


def _is_row(item: object) -> bool:
    return isinstance(item, list | tuple | np.ndarray) or _is_quantity(item)


def _plain(given: Any) -> tuple[NDArray[Any], str, int]:
    """Values as a plain array, their unit, and how many were masked.

    Masked values are taken out of a single row and are NaN in a table.
    """
    unit = ""
    if _is_quantity(given):
        given, unit = _without_unit(given)
    if isinstance(given, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(given)
        n_masked = int(mask.sum())
        if n_masked and n_masked == mask.size:
            raise SpikeTrainError("All values of a masked array are masked, so it holds no spike times.")
        if given.ndim == 1 or not n_masked:
            return np.asarray(given.compressed() if given.ndim == 1 else given.data), unit, n_masked
        return np.ma.filled(given.astype(np.float64), np.nan), unit, n_masked
    return np.asarray(given), unit, 0


def _without_unit(quantity: Any) -> tuple[NDArray[Any], str]:
    """Magnitude and unit of a quantity of time."""
    if hasattr(quantity, "dim") and hasattr(quantity, "get_best_unit"):  # Brian2 keeps base units
        unit = str(quantity.dim)
        unit = {"second": "s", "1": ""}.get(unit, unit)
        values = np.asarray(quantity)
    elif hasattr(quantity, "dimensionality") and hasattr(quantity.dimensionality, "string"):  # quantities
        unit = quantity.dimensionality.string
        unit = "" if unit == "dimensionless" else unit
        if unit and unit not in _TIME_UNITS:
            with suppress(ValueError):
                quantity, unit = quantity.rescale("s"), "s"
        values = quantity.magnitude
    elif hasattr(quantity, "magnitude"):  # pint
        unit = f"{quantity.units:~}"
        values = quantity.magnitude
    else:  # astropy
        unit = str(quantity.unit)
        values = quantity.value
    if unit not in _TIME_UNITS:
        what = f"A quantity in {unit}" if unit else "A quantity without a unit"
        raise SpikeTrainError(f"{what} was given; spike times have a unit of time, such as ms.")
    return values, unit


def _one_array(given: Any) -> Table | None:
    values, unit, n_masked = _plain(given)
    if values.dtype == object and values.ndim == 1:
        return _sequence(values.tolist())
    builder = TableBuilder("array", _source(given))
    if values.dtype.names is None and (values.dtype.kind not in "iufm" or not 1 <= values.ndim <= 2):
        raise SpikeTrainError(
            f"An array of type {values.dtype} and shape {values.shape} was given; spike times are numbers, "
            "in one dimension (a train) or two (a table)."
        )
    builder.array("", values, unit)
    return _masked(builder.table("it", named=values.dtype.names is not None), n_masked)


def _masked(table: Table, n_masked: int) -> Table:
    if n_masked:
        table.skipped.append(counted(n_masked, "masked value"))
    return table


def _sequence(items: list[Any]) -> Table | None:
    """A list of numbers, or of trains."""
    if items and all(_home(item) == "neo" for item in items):
        return _neo(items)
    if all(isinstance(item, int | float | np.number) for item in items):
        return _one_array(np.array(items) if items else np.empty(0))
    if not all(
        isinstance(item, list | tuple | np.ndarray)
        or _is_quantity(item)
        or _home(item) in {"pynapple", "pandas"}
        for item in items
    ):
        return None
    return _trains("list", [str(k) for k in range(1, len(items) + 1)], items)


def _mapping(given: Mapping[Any, Any]) -> Table | None:
    """Arrays by their names, or times by ids: where those are numbers, or the times come from a library."""
    items = list(given.values())
    if not items:
        return None
    if all(_home(item) == "neo" for item in items):
        return _neo(items, [str(key) for key in given])
    if not all(isinstance(key, str) for key in given) or all(_home(item) == "pynapple" for item in items):
        return _trains("dict", [str(key) for key in given], items)
    builder = TableBuilder("dict", _source(given))
    n_masked = 0
    for name, item in given.items():
        if isinstance(item, str):
            builder.fact(name, item)
        elif isinstance(item, int | float | np.number):
            builder.fact(name, float(item))
        else:
            values, unit, masked = _values(item)
            n_masked += masked
            if isinstance(values, list):
                builder.lists(name, values, unit)
            elif values.dtype.hasobject:
                builder.skip(name, NO_NUMBERS)
            else:
                builder.array(name, values, unit)
    return _masked(builder.table("it"), n_masked)


def _values(item: Any) -> tuple[NDArray[Any] | list[NDArray[Any]], str, int]:
    """One entry of a dict or column of a frame: an array, or one per row."""
    if _home(item) == "pandas":
        return _column(item), "", 0
    if _home(item) == "pynapple" and hasattr(item, "t"):
        return np.asarray(item.t), "s", 0
    ragged = isinstance(item, list | tuple) and any(_is_row(row) for row in item)
    if ragged or (isinstance(item, np.ndarray) and item.dtype == object):
        rows, unit, n_masked = _rows(list(item))
        return [*rows], unit, n_masked
    return _plain(item)


def _rows(items: list[Any]) -> tuple[list[FloatArray], str, int]:
    """Several trains, in one unit."""
    parts = []
    for k, item in enumerate(items, start=1):
        try:
            values, unit, n_masked = _values(item)
        except ValueError:  # rows of unequal length inside
            values, unit, n_masked = [], "", 0
        if isinstance(values, list) or values.dtype.kind not in "iuf" or values.ndim != 1:
            if isinstance(values, list) or values.size:
                raise SpikeTrainError(f"Entry {k} of the {len(items):,} given is no train, a row of numbers.")
            values = values.astype(np.float64).ravel()
        parts.append((floats(values), unit, n_masked))
    units = {unit for values, unit, _ in parts if values.size}
    if len(units) > 1:
        raise SpikeTrainError(
            f"The trains given are in different units ({', '.join(sorted(u or 'none' for u in units))}); "
            "give all in the same."
        )
    if sum(values.size for values, _, _ in parts) > MAX_CELLS:
        raise SpikeTrainError(f"The trains given hold more than {MAX_CELLS:,} spikes; split them.")
    return [part[0] for part in parts], next(iter(units), ""), sum(part[2] for part in parts)


def _trains(format_: str, ids: list[str], items: list[Any]) -> Table:
    rows, unit, n_masked = _rows(items)
    columns = {"time": Column(_TRAINS, rows, unit), "id": Column("id", texts(ids))}
    return _masked(Table.of_roles(format_, columns, reason="a train per entry"), n_masked)


def _neo(given: Any, ids: list[str] | None = None) -> Table:
    """Trains of neo: a single one, several, or those of a segment or block."""
    if hasattr(given, "segments"):
        segments = [list(segment.spiketrains) for segment in given.segments]
    elif hasattr(given, "spiketrains"):
        segments = [list(given.spiketrains)]
    elif hasattr(given, "t_stop") and hasattr(given, "magnitude"):
        segments = [[given]]
    else:
        segments = [list(given)] if hasattr(given, "__iter__") else [[]]
        if segments[0] and all(hasattr(item, "spiketrains") for item in segments[0]):
            segments = [list(segment.spiketrains) for segment in segments[0]]
    trains = [train for segment in segments for train in segment]
    if not trains or not all(hasattr(train, "waveforms") and hasattr(train, "rescale") for train in trains):
        raise SpikeTrainError(f"The {type(given).__name__} of neo holds no spike trains.")
    units = {train.dimensionality.string for train in trains}
    unit = units.pop() if len(units) == 1 else "s"
    unit = unit if unit in _TIME_UNITS else "s"
    trains = [train.load() if hasattr(train, "load") else train for train in trains]
    names = ids or [name for segment in segments for name in _neo_names(segment)]
    rows = [np.asarray(train.rescale(unit).magnitude, dtype=np.float64).ravel() for train in trains]
    window = [(float(train.t_start.rescale(unit)), float(train.t_stop.rescale(unit))) for train in trains]
    columns = {
        "time": Column(_TRAINS, rows, unit),
        "id": Column("id", texts(names)),
        "window": Column("window", np.array(window), unit),
    }
    if len(segments) > 1:
        numbers = np.repeat(np.arange(1.0, len(segments) + 1), [len(segment) for segment in segments])
        columns["segment"] = Column("segment", numbers, integers=True)
    return Table.of_roles("neo", columns, reason="the spike trains of neo")


def _neo_names(trains: list[Any]) -> list[str]:
    """Names of the trains of a segment; those that several share get their number."""
    names = [
        str(train.name or train.annotations.get("id") or k).strip() for k, train in enumerate(trains, start=1)
    ]
    return [
        name if name and names.count(name) == 1 else f"{name} {k}".strip()
        for k, name in enumerate(names, start=1)
    ]


def _pynapple(given: Any) -> Table:
    """Ts and TsGroup, whose times are in s."""
    kinds = {cls.__name__ for cls in type(given).__mro__}
    if not kinds & {"Ts", "TsGroup"}:
        raise SpikeTrainError(f"A {type(given).__name__} holds no spike times; give a Ts or TsGroup.")
    grouped = "TsGroup" in kinds
    keys = [*given.keys()] if grouped else []
    rows = [floats(np.asarray(given[key].t)) for key in keys] if grouped else [floats(np.asarray(given.t))]
    ids = Column("id", texts(keys)) if grouped else None
    starts, ends = (np.asarray(getattr(given.time_support, edge)) for edge in ("start", "end"))
    return pynapple_table(rows, ids, starts, ends, "a train per unit")


def _sorting(given: Any) -> Table:
    """A sorting of SpikeInterface: sample numbers at a known rate."""
    rate = float(given.get_sampling_frequency())
    n_segments = int(given.get_num_segments())
    unit_ids = list(given.unit_ids)
    rows = [
        floats(np.asarray(given.get_unit_spike_train(unit_id=unit, segment_index=k)))
        for k in range(n_segments)
        for unit in unit_ids
    ]
    columns = {
        "time": Column(_TRAINS, rows, "samples", integers=True),
        "id": Column("id", texts([*unit_ids] * n_segments)),
    }
    if n_segments > 1:
        segment = np.repeat(np.arange(float(n_segments)), len(unit_ids))
        columns["segment"] = Column("segment", segment, integers=True)
    facts = {"sampling_rate_hz": rate}
    return Table.of_roles("SpikeInterface", columns, facts=facts, reason="a train per unit")


def _pandas(given: Any) -> Table:
    """A Series or DataFrame; an index counts as columns where it has names, and is left out otherwise."""
    builder = TableBuilder(type(given).__name__, _source(given))
    no_table = f"A {type(given).__name__} is no table of spike times; give a DataFrame or Series."
    if not hasattr(given, "dtype") and not hasattr(given, "dtypes"):
        raise SpikeTrainError(no_table)
    if not hasattr(given, "index"):  # an Index
        _add(builder, str(given.name or ""), _column(given))
        return builder.table("it", named=given.name is not None)
    if _holds_times(given.index):
        raise SpikeTrainError(
            f"The times of the {type(given).__name__} are its index; make them a column with reset_index(), "
            "and name it."
        )
    if not hasattr(given, "to_frame") and not hasattr(given, "columns"):
        raise SpikeTrainError(no_table)
    frame = given.to_frame() if not hasattr(given, "columns") else given
    levels = [name for name in frame.index.names if name is not None]
    if len(levels) == len(frame.index.names):
        for level, name in enumerate(levels):
            _add(builder, str(name), _column(frame.index.get_level_values(level)))
    elif type(frame.index).__name__ != "RangeIndex":
        builder.skip("index", "which has no name")
    named = getattr(given, "name", "") is not None
    for k, name in enumerate(frame.columns):
        _add(builder, str(name) if named else "", _column(frame.iloc[:, k]))
    return builder.table("it", named=named)


def _holds_times(index: Any) -> bool:
    """Whether an index holds dates or durations, or numbers with fractions that grow."""
    kind = getattr(index, "dtype", np.dtype(int)).kind
    return kind in "mM" or (kind == "f" and index.name is None and bool(index.is_monotonic_increasing))


def _add(builder: TableBuilder, name: str, values: NDArray[Any] | list[NDArray[Any]]) -> None:
    if isinstance(values, list):
        builder.lists(name, values)
    elif values.dtype.kind in "US":
        builder.text(name, values)
    elif values.dtype.kind in "iufm":
        builder.array(name, values)
    elif values.dtype.kind == "M":
        raise SpikeTrainError(
            f"The column {name!r} holds dates; give the times since the start of the recording, in s or ms."
        )
    else:
        builder.skip(name, NO_NUMBERS)


def _column(column: Any) -> NDArray[Any] | list[NDArray[Any]]:
    """Values of a column of pandas: numbers (NaN where missing), text, or an array per row."""
    kind = str(column.dtype)
    if column.dtype.kind in "iufmMb" and isinstance(column.dtype, np.dtype):
        return np.asarray(column.to_numpy())
    if kind.lower().rstrip("0123456789") in {"int", "uint", "float"}:  # those that may be missing
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    values = column.tolist()
    missing = np.asarray(column.isna())
    if any(isinstance(value, list | tuple | np.ndarray) for value in values):
        return [*_rows([[] if gone else value for value, gone in zip(values, missing, strict=True)])[0]]
    if all(gone or isinstance(value, int | float) for value, gone in zip(values, missing, strict=True)):
        return np.array([np.nan if gone else value for value, gone in zip(values, missing, strict=True)])
    return texts(["" if gone else value for value, gone in zip(values, missing, strict=True)])
