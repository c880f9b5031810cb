"""Trains one after another in one array, beside one that says where each ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.behaviour import is_whole
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

__all__ = ["with_lists"]


def with_lists(table: Table) -> Table:
    """The table with a list per train, where the numbers of one array fall back just where another says.

    The other holds where trains begin or end (``spike_times_index`` of NWB, ``row_splits``), or how many
    spikes each has.
    """
    numbers = [c for c in table.columns if c.kind == "numbers"]
    for times in numbers:
        values = times.numbers
        falls = np.flatnonzero(values[1:] < values[:-1]) + 1
        if not falls.size or not np.isfinite(values).all():
            continue
        for index in (c for c in numbers if c is not times):
            # Rows of a table that happen to add up part the times nowhere else.
            fits = (
                ends
                for ends in _ends(index.numbers, values.size)
                if np.isin(falls, ends).all() and 2 * falls.size >= np.unique(ends).size - 1
            )
            ends = next(fits, None)
            if ends is None:
                continue
            lists = np.split(values, ends[:-1])
            columns = [replace(times, values=lists) if c is times else c for c in table.columns]
            said = [*table.repairs, f"{times.name!r} was parted into trains where {index.name!r} says"]
            kept: list[Column] = [c for c in columns if c is not index]
            return replace(table, columns=kept, repairs=said)
    return table


def _ends(index: FloatArray, size: int) -> Iterator[NDArray[np.int64]]:
    """Where each train may end, as numbers may be counts, ends or starts."""
    if not 2 <= index.size < size or not is_whole(index) or not np.isfinite(index).all() or (index < 0).any():
        return
    whole = index.astype(np.int64)
    if int(whole.sum()) == size:
        yield np.cumsum(whole)
    if (np.diff(whole) < 0).any():
        return
    if whole[-1] == size:
        yield whole[1:] if whole[0] == 0 else whole
    elif whole[0] == 0 and whole[-1] < size:
        yield np.append(whole[1:], size)
