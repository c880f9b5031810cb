"""What a numeric array may mean: shared by the NPY, NPZ and MAT readers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.train import FloatArray

from .columns import grows_within_groups, share_increasing
from .raw import Options, RawTrain, Source

__all__ = ["Reading", "numeric", "trains_from_array", "trains_from_pair"]

_MIN_INCREASING = 0.65


@dataclass
class Reading:
    """Trains found in an array and how it was understood."""

    layout: str
    reason: str
    trains: list[RawTrain]
    padding: int = 0


def numeric(array: NDArray[np.generic], name: str, source: Source) -> FloatArray:
    """`array` as float64.

    Raises
    ------
    SpikeTrainError
        When it holds anything but real numbers.
    """
    if array.dtype.kind not in "iuf":
        raise source.error(f"{name} holds {array.dtype.name} values; spike times must be real numbers.")
    return np.asarray(array, dtype=np.float64)


def trains_from_pair(
    ids: NDArray[np.generic], times: FloatArray, place: str, source: Source
) -> list[RawTrain]:
    """Trains from labels and times of equal length, in the order in which the labels first appear.

    Parameters
    ----------
    ids : ndarray, shape (n,)
        Numbers or strings.
    times : ndarray of float64, shape (n,)
        Times in the file's unit.
    place : str
        Where they stand, in words.
    source : Source
        Names the file in errors.
    """
    labels, first, codes = np.unique(ids, return_index=True, return_inverse=True)
    source.check_counts(times.size, labels.size)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=labels.size))[:-1]
    groups = np.split(order, ends)
    rows = np.arange(1, times.size + 1, dtype=np.int64)
    return [
        RawTrain(source.id(labels[k].item()), times[groups[k]], place, rows[groups[k]])
        for k in np.argsort(first)
    ]


def trains_from_array(
    array: NDArray[np.generic], name: str, train_id: str, source: Source, options: Options
) -> Reading:
    """Trains in one array.

    Parameters
    ----------
    array : ndarray
        One train, shape (n,), (n, 1) or (1, n); an id and a time per spike, shape (n, 2) or (2, n); or one
        train per row, filled up with NaN, shape (trains, n).
    name : str
        What the array is called in messages.
    train_id : str
        Id of a single train.
    source : Source
        Names the file in errors.
    options : Options
        A named layout overrides the guess.
    """
    values = numeric(array, name, source)
    if values.ndim == 0 or values.ndim > 2:
        raise source.error(
            f"{name} has {values.ndim} dimensions; spike times need one (a train) or two (id and time, "
            "or a train per row)."
        )
    source.check_counts(values.size if values.ndim == 1 else 0)
    if values.size > 10 and np.isin(values, (0.0, 1.0)).all():
        raise source.error(f"{name} holds only 0 and 1, like binned spikes; spike times are needed.")
    layout = options.layout
    if layout == "list":
        raise source.error(f"{name} cannot hold lists; its layout is single, long, rows or columns.")
    if values.ndim == 1 or (1 in values.shape and layout in ("auto", "single")) or not values.size:
        return Reading("single", f"one train, in {name}", [_single(values.ravel(), name, train_id, source)])
    if layout == "single":
        raise source.error(f"{name} has the shape {values.shape}; a single train has one row or one column.")
    if layout in ("auto", "long"):
        pair = _pair(values, sure=layout == "long")
        if pair is not None:
            trains = trains_from_pair(pair[0], pair[1], name, source)
            return Reading("long", f"an id and a time per spike, in the two columns of {name}", trains)
        if layout == "long":
            raise source.error(f"{name} has the shape {values.shape}; ids and times need two columns.")
    return _rows(values, name, source, options)


def _single(values: FloatArray, name: str, train_id: str, source: Source) -> RawTrain:
    return RawTrain(source.id(train_id), values, name)


def _pair(values: FloatArray, *, sure: bool) -> tuple[FloatArray, FloatArray] | None:
    """Ids and times of a two-column (or two-row) array; None when it is not one."""
    for table in (values, values.T):
        if table.shape[1] != 2:
            continue
        for ids, times in ((table[:, 0], table[:, 1]), (table[:, 1], table[:, 0])):
            if (
                np.isfinite(ids).all()
                and np.array_equal(ids, np.rint(ids))
                and grows_within_groups(ids, times)
            ):
                return ids, times
        if sure:
            return table[:, 0], table[:, 1]
    return None


def _rows(values: FloatArray, name: str, source: Source, options: Options) -> Reading:
    along = [row[~np.isnan(row)] for row in values]
    down = [column[~np.isnan(column)] for column in values.T]
    by_column = options.layout == "columns"
    if options.layout == "auto":
        by_row, by_col = share_increasing(along), share_increasing(down)
        if max(by_row, by_col) < _MIN_INCREASING:
            raise source.error(
                f"{name}, of shape {values.shape}, increases neither along its rows nor down its columns, "
                "so it does not look like spike times; choose a layout if it is."
            )
        by_column = by_col > by_row
    table = values.T if by_column else values
    kind = "column" if by_column else "row"
    trains, padding = [], 0
    for k, line in enumerate(table):
        filled = np.flatnonzero(~np.isnan(line))
        length = int(filled[-1]) + 1 if filled.size else 0
        padding += line.size - length
        # Kept whole up to its last number: a NaN before that is a fault, not filling.
        trains.append(RawTrain(str(k + 1), line[:length].copy(), f"{kind} {k + 1} of {name}"))
        source.check_counts(0, len(trains))
    layout = "columns" if by_column else "rows"
    return Reading(layout, f"a train per {kind} of {name}, numbered from 1", trains, padding)
