"""Columns without names, one of times and others of ids: which is which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spike2pop_nb.errors import WayOut
from spike2pop_nb.spiketrains.behaviour import (
    codes_of,
    has_equal_steps,
    is_counter,
    is_whole,
    repeats,
    share_increasing_within,
)
from spike2pop_nb.spiketrains.readers.raw import Source
from spike2pop_nb.spiketrains.table import Column

from .columns import grow_down, grows_by

__all__ = ["Pair", "pair_of", "refuse_pair", "times_of_two"]

_MOST_COLUMNS: Final = 8
_FEW_GROUPS, _MANY_EACH, _ALONE = 20, 5, 1.25
_NO_ID: Final = 1e5


@dataclass(frozen=True)
class Pair:
    """Times, the columns by whose values they grow, and whether these are sure to be ids."""

    time: Column
    groups: list[Column]
    sure: bool


def pair_of(columns: Sequence[Column], source: Source) -> Pair | None:
    """The times among columns of numbers without names; None where none grow by the values of others.

    Raises
    ------
    SpikeTrainError
        When either of two columns may hold the times.
    """
    told = times_of_two(columns, source)
    likely = [told] if told is not None else columns if len(columns) <= _MOST_COLUMNS else []
    for time in likely:
        groups = [c for c in columns if c is not time and grows_by(c, time) and not _may_be_times(c)]
        if not groups or has_equal_steps(time.numbers):
            continue
        # In the order of time, a column of whole numbers may be heights as well as ids.
        sure = len(columns) == 2 and (not grow_down([time]) or groups[0] is columns[0])
        return Pair(time, groups, sure)
    return None


def refuse_pair(columns: Sequence[Column], source: Source) -> None:
    """Refuse times in their order beside whole numbers that repeat, which may be ids or may be heights.

    Raises
    ------
    SpikeTrainError
        With the way to say which.
    """
    if len(columns) != 2:
        return
    for time, other in (columns, columns[::-1]):
        times, numbers = time.numbers, other.numbers
        ordered = np.isfinite(times).all() and bool((np.diff(times) >= 0).all())
        repeated = is_whole(numbers) and repeats(codes_of(numbers)) and not is_counter(numbers)
        if ordered and repeated and times.size > 10 and times[0] < times[-1] and not has_equal_steps(times):
            at = next(k for k, column in enumerate(columns) if column is other)
            raise source.error(
                f"the numbers of column {2 - at} grow, as times do, and column {at + 1} holds whole numbers "
                "that may identify trains or only describe the spikes.",
                WayOut(f"say that column {at} (counted from 0) holds the ids, or 'none'", ("id_columns",)),
            )


def _may_be_times(column: Column) -> bool:
    """Whether numbers grow and hardly repeat, unlike those of units that fire in turn."""
    return grow_down([column]) and 5 * np.unique(column.numbers).size > len(column)


def times_of_two(columns: Sequence[Column], source: Source) -> Column | None:
    """The times of two columns of whole numbers that may be times and who fires then, or ids and their times.

    None where that is no question.

    Raises
    ------
    SpikeTrainError
        When either may hold the times.
    """
    for outer, inner in (columns, columns[::-1]) if len(columns) == 2 else ():
        steps, numbers = outer.numbers, inner.numbers
        if not (is_whole(steps) and is_whole(numbers)) or np.abs(numbers).max(initial=0) >= _NO_ID:
            continue
        codes = codes_of(steps)
        each, other = steps.size / np.unique(steps).size, numbers.size / np.unique(numbers).size
        if not repeats(codes) or (np.diff(steps) < 0).any() or share_increasing_within(codes, numbers) <= 0.9:
            continue
        # Many spikes of few ids, or of any where none of the other numbers would have two.
        if each >= _MANY_EACH and (steps.size / each <= _FEW_GROUPS or other < _ALONE):
            return inner
        if other >= _MANY_EACH and other > 4 * each and repeats(codes_of(numbers)):
            return outer
        raise source.error(
            "either column of whole numbers may hold the times, and the other the ids.",
            WayOut("write their names above them, such as id and time_ms"),
            WayOut("name the time column, numbered from 0", ("time_column",)),
        )
    return None
