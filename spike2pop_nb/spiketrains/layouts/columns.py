"""Layouts of columns: one per train, or without names one of times beside others of ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from spike2pop_nb.errors import WayOut
from spike2pop_nb.spiketrains.behaviour import (
    MIN_INCREASING,
    codes_of,
    grows_within,
    has_equal_steps,
    is_counter,
    is_whole,
    kept_before_padding,
    paddings,
    repeats,
    share_increasing,
    share_increasing_within,
)
from spike2pop_nb.spiketrains.names import names_cells, names_events, role_of, says_nothing, words_of
from spike2pop_nb.spiketrains.readers.raw import Source, shown
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import unit_from_name

from .keys import may_label, refuse_sums, shown_names
from .reading import RawTrain, Reading, times_of, without_padding
from .tables import numbers_rows

__all__ = [
    "Pair",
    "columns_layout",
    "grow_down",
    "grows_by",
    "pair_of",
    "refuse_pair",
    "repeated_layout",
    "stand_apart",
    "times_of_two",
]

_EDGES: Final = frozenset(
    ["start", "stop", "end", "begin", "onset", "offset", "rise", "peak", "fall", "decay", "first", "last"]
)
_OTHER_EDGE: Final = {"start": "stop", "begin": "end", "onset": "offset"}
_MOST_COLUMNS: Final = 8
_FEW_GROUPS, _MANY_EACH, _ALONE = 20, 5, 1.25
_NO_ID: Final = 1e5


def columns_layout(table: Table, source: Source, *, sure: bool = False) -> Reading | None:
    """A column per train, as long as it needs to be; None where they do not grow and are not asked for."""
    columns = [c for c in table.columns if c.kind in ("numbers", "matrix")]
    left: list[Column] = []
    if len(columns) > 1:
        first = columns[0]
        if numbers_rows(first, table) or (
            first.kind == "numbers" and not first.name and table.named and is_counter(first.numbers)
        ):
            left.append(first)
            columns = columns[1:]
    events = [c for c in columns if names_events(c.leaf)] if table.named and not sure else []
    events += _spans(columns) if table.named and not sure else []
    if events and any(names_cells(c.leaf) for c in columns if c not in events):
        columns = [c for c in columns if c not in events]
    else:
        events = []
    if table.named and not sure and _describe_events(columns):
        return None
    plain = [c for c in columns if c.kind == "numbers"]
    axes = [c for c in plain if has_equal_steps(c.numbers[np.isfinite(c.numbers)])]
    if axes and len(axes) < len(plain) and not sure:
        columns = [c for c in plain if c not in axes]
    if not columns or any(c.kind != "numbers" for c in columns):
        return None
    if not table.named and not sure:
        _refuse_numbered(columns, source)
    if not sure and not _all_grow([c.numbers for c in columns]):
        return None
    if table.named and not sure:
        _refuse_numbers_below(columns, source)
    total = 0
    trains: list[RawTrain] = []
    names = _names_above(columns)
    for k, column in enumerate(columns):
        values = times_of(column, source)[~column.gaps]
        total += values.size
        source.check_counts(total, len(trains) + 1)
        label = source.id(names[k] or f"column {k + 1 + len(left)}")
        rows = column.rows[~column.gaps] if column.rows is not None else None
        trains.append(RawTrain(label, values, f"column {label!r}", rows))
    above = names != [column.name for column in columns]
    key = "what stands above the names" if above else "the name of the column"
    reading = Reading("columns", "a column per train", trains, list(columns), key=key)
    if left:
        reading.skipped.append("the first column, which numbers the rows")
    if axes and axes != plain and not sure:
        reading.skipped.append(f"{shown_names(axes)}, no spike times")
    if events:
        reading.skipped.append(f"{shown_names(events)}, times of other events")
    without_padding(trains, reading.skipped)
    if not sure:
        refuse_sums(trains, source, "columns")
    return reading


def _spans(columns: Sequence[Column]) -> list[Column]:
    """Pairs of columns with starts and stops of stretches: NeuroExplorer's Sweep_Start and Sweep_Stop."""
    by_words = {" ".join(words_of(unit_from_name(column.leaf)[0])): column for column in columns}
    found: list[Column] = []
    for name, first in by_words.items():
        stem, _, edge = name.rpartition(" ")
        last = by_words.get(f"{stem} {_OTHER_EDGE.get(edge, '')}")
        if last is not None and 0 < np.sum(~first.gaps) == np.sum(~last.gaps):
            found += [first, last]
    return found


def _names_above(columns: Sequence[Column]) -> list[str]:
    """The name of each column; with what stands above it, where that tells repeated names apart."""
    names, groups = [c.name for c in columns], [c.group for c in columns]
    if len(set(names)) == len(names) or not all(groups):
        return names
    if len(set(groups)) == len(groups):
        return groups
    both = [f"{group} {name}" for group, name in zip(groups, names, strict=True)]
    return both if len(set(both)) == len(both) else names


def repeated_layout(table: Table, times: Sequence[Column], source: Source) -> Reading | None:
    """A train for each of several columns of times that repeat, each with what describes its spikes.

    They are told apart by what stands above them, or else by their order where all columns repeat in turn.
    """
    groups = [column.group for column in times]
    names = [column.name for column in table.columns]
    period = len(names) // len(times)
    in_turn = len(times) * period == len(names) and names == names[:period] * len(times)
    if len({column.name for column in times}) > 1 or not (all(groups) or (in_turn and period > 1)):
        return None
    if len(set(groups)) < len(groups):
        groups = [f"{column.name} {k}" for k, column in enumerate(times, start=1)]
    own = [replace(column, name=name) for column, name in zip(times, groups, strict=True)]
    reading = columns_layout(replace(table, columns=own), source, sure=True)
    if reading is None or not _all_grow([c.numbers for c in own]):
        return None
    reading.times = list(times)
    reading.reason = f"a train for each column {times[0].name!r}"
    reading.key = "what stands above the names" if all(c.group for c in times) else "the order of the columns"
    others = [column.name for column in table.columns if column not in times]
    if others:
        reading.skipped.append(f"the columns {shown(list(dict.fromkeys(others)))}, neither ids nor times")
    return reading


def grow_down(columns: Sequence[Column]) -> bool:
    """Whether columns grow, but for those that repeat one number."""
    grown = [c.numbers[np.isfinite(c.numbers)] for c in columns]
    return (
        bool(grown)
        and all(share_increasing([values]) > 0.9 or (np.unique(values).size == 1) for values in grown)
        and any(share_increasing([values]) > 0.9 and values.size > 1 for values in grown)
    )


def grows_by(group: Column, time: Column) -> bool:
    """Whether the times grow within each value of `group`, which repeats."""
    return may_label(group) and grows_within(codes_of(group.labels), time.numbers)


def _refuse_numbered(columns: Sequence[Column], source: Source) -> None:
    """Whole numbers in order above whole times may be numbers of units."""
    first = np.array([c.numbers[0] if len(c) else np.nan for c in columns])
    whole = all(is_whole(c.numbers) for c in columns)
    apart = (np.diff(first) > 0).all() or stand_apart([c.numbers for c in columns])
    if len(columns) > 1 and min(len(c) for c in columns) > 3 and whole and apart:
        raise source.error(
            "the first row may hold the numbers of the units or their first times.",
            WayOut("write names of columns above it"),
            WayOut("choose the layout 'columns' if these are times", ("layout",)),
        )


def _refuse_numbers_below(columns: Sequence[Column], source: Source) -> None:
    """Whole numbers in the first row above times with decimals may be numbers of cells."""
    filled = [values[np.isfinite(values)] for values in (c.numbers for c in columns)]
    if len(filled) < 2 or min(map(len, filled)) < 3:
        return
    first = np.array([values[0] for values in filled])
    below = np.concatenate([values[1:] for values in filled])
    chance = float(np.mean(below == np.rint(below))) ** len(filled)
    if is_whole(first) and np.unique(first).size == first.size and chance < 0.01:
        numbers = ", ".join(f"{value:g}" for value in first[:4])
        raise source.error(
            f"the numbers {numbers} under the names are whole and those below are not, so they may number "
            "cells.",
            WayOut("write them into the names"),
            WayOut("choose the layout 'columns' if they are times", ("layout",)),
            row=columns[0].row(0),
        )


def _all_grow(columns: Sequence[FloatArray]) -> bool:
    """Whether every column grows, what fills up its end aside; short ones may be out of order."""
    padding = paddings(columns)
    filled = [values[: kept_before_padding(values, padding)] for values in columns]
    grown = [share_increasing([values]) for values in filled]
    least = 0.9 if max(map(len, filled)) >= 10 else MIN_INCREASING
    return min(grown) >= MIN_INCREASING and float(np.mean(grown)) >= least


def _describe_events(columns: Sequence[Column]) -> bool:
    """Whether columns hold what belongs to one event each: intervals, heights, its start and its stop."""
    # cell1 names a train, and so does "Cell A" above numbers that are no labels.
    named = [c for c in columns if not c.leaf[-1:].isdecimal()]
    if len(columns) == 1 and says_nothing(columns[0].leaf):
        return False
    roles = {r for c in named if (r := role_of(c.leaf)) not in ("id", "trial") or may_label(c)}
    edges = [set(words_of(unit_from_name(c.leaf)[0])) & _EDGES for c in columns]
    return bool(roles & {"attribute", "interval", "id", "trial"}) or (len(columns) > 1 and all(edges))


def stand_apart(lists: Sequence[FloatArray]) -> bool:
    """Whether every first number lies further from the second than later ones lie from each other."""
    if len(lists) < 2 or min(line.size for line in lists) < 5:
        return False
    return all(line[1] - line[0] > 1.2 * np.median(np.diff(line[1:])) for line in lists)


@dataclass(frozen=True)
class Pair:
    """Times, the columns by whose values they grow, and whether these are sure to be ids."""

    time: Column
    groups: list[Column]
    sure: bool


def pair_of(columns: Sequence[Column], source: Source) -> Pair | None:
    """The times among columns of numbers without names; None where none grow by the values of others."""
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
    """Refuse times in their order beside whole numbers that repeat, which may be ids or may be heights."""
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

    None where that is no question; refused where either may hold the times.
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
