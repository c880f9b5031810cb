"""Trains one after another in one array, beside one that says where each ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.behaviour import is_whole
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .reading import values_of

__all__ = ["with_lists"]


def with_lists(table: Table) -> Table:
    """The table with a list per train, where the numbers of one array fall back just where another says.

    The other holds where trains begin or end (``spike_times_index`` of NWB, ``row_splits``), or how many
    spikes each has.
    """
    numbers = [c for c in table.columns if c.kind == "numbers"]
    for times in numbers:
        values = values_of(times)
        falls = np.flatnonzero(np.diff(values) < 0) + 1
        if not falls.size or not np.isfinite(values).all():
            continue
        for index in numbers:
            ends = _ends(values_of(index), values.size) if index is not times else None
            if ends is None or not set(falls.tolist()) <= set(ends.tolist()):
                continue
            # Rows of a table that happen to add up part the times nowhere else.
            if 2 * falls.size < ends.size - 1:
                continue
            lists = np.split(values, ends[:-1])
            columns = [replace(times, values=lists) if c is times else c for c in table.columns]
            said = [*table.repairs, f"{times.name!r} was parted into trains where {index.name!r} says"]
            kept: list[Column] = [c for c in columns if c is not index]
            return replace(table, columns=kept, repairs=said)
    return table


def _ends(index: FloatArray, size: int) -> NDArray[np.int64] | None:
    """Where each train ends, from ends, starts or counts; None for other numbers."""
    if not 2 <= index.size < size or not is_whole(index) or not np.isfinite(index).all() or (index < 0).any():
        return None
    if int(index.sum()) == size:
        return np.cumsum(index).astype(np.int64)
    if (np.diff(index) < 0).any():
        return None
    if index[0] == 0 and index[-1] == size:
        return index[1:].astype(np.int64)
    if index[-1] == size:
        return index.astype(np.int64)
    if index[0] == 0 and index[-1] < size:
        return np.append(index[1:], size).astype(np.int64)
    return None
