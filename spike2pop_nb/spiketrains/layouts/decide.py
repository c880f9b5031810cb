"""The one place that decides what a table means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError, WayOut
from spike2pop_nb.spiketrains.behaviour import (
    MIN_INCREASING,
    codes_of,
    grows_within,
    growth,
    has_equal_steps,
    is_binary,
    is_counter,
    repeats,
    share_increasing,
)
from spike2pop_nb.spiketrains.names import is_signal_name, role_of, same_name
from spike2pop_nb.spiketrains.readers.raw import Options, Source, shown
from spike2pop_nb.spiketrains.readers.text_table import EXPECTED
from spike2pop_nb.spiketrains.signal_units import signal_unit
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.units import canonical_unit

from .arrays import arrays_layout
from .columns import columns_layout, grow_down, grows_by, pair_of, refuse_pair, repeated_layout, times_of_two
from .fixed import fixed_layout
from .keys import check_trains, may_label
from .no_spikes import find_trace, refuse_binned, refuse_bursts, trace_error
from .reading import Reading
from .rows import rows_layout, running_layout, trials_layout, wide_layout
from .tables import lists_layout, long_layout, pick_time_column, refuse_counts, refuse_words, single_layout

__all__ = ["understand"]

_MOST_GROUPS = 16
_TEXT_FORMATS: Final = frozenset({"CSV", "TXT", "Excel", "table"})


def understand(table: Table, source: Source, options: Options) -> Reading:
    """What a table means as spike trains.

    Refused where it holds none, or may be read in several ways that change the numbers; the sentence says
    which option settles it.
    """
    if options.layout == "trials":
        layout = "single" if len(table.columns) == 1 else "long"
        reading = _read(table, source, replace(options, layout=layout))
        for train in reading.trains if layout == "single" else ():
            refuse_counts(train.times, source)  # they would be taken for short trials
        return trials_layout(reading, source)
    return _read(table, source, options)


def _read(table: Table, source: Source, options: Options) -> Reading:
    if not table.columns:
        raise source.error("the file holds no columns or arrays, so no spike times.")
    if table.roles and options.layout in ("auto", "list"):
        return fixed_layout(table, source, options)
    asked_for = options.id_columns
    keys = None if asked_for is None else [_find(table, wanted, source) for wanted in asked_for]
    if table.format not in _TEXT_FORMATS:
        return arrays_layout(table, source, options, keys)
    asked = options.layout != "auto" or options.time_column is not None
    return _asked(table, source, options, keys) if asked else _guessed(table, source, keys)


def _find(table: Table, wanted: str | int, source: Source) -> Column:
    """The column that the caller named, or numbered from 0."""
    if isinstance(wanted, int):
        if 0 <= wanted < len(table.columns):
            return table.columns[wanted]
    else:
        for name, column in zip(table.names, table.columns, strict=True):
            if name == wanted or column.leaf == wanted:
                return column
        for name, column in zip(table.names, table.columns, strict=True):
            if same_name(name, wanted):
                return column
        if wanted.isascii() and wanted.isdecimal() and int(wanted[:6]) < len(table.columns):
            return table.columns[int(wanted[:6])]
    raise source.error(f"there is no column {wanted!r}; the columns are {shown(table.names)}.")


def _asked(table: Table, source: Source, options: Options, keys: list[Column] | None) -> Reading:
    """The reading that the caller wants."""
    layout = options.layout
    time = _find(table, options.time_column, source) if options.time_column is not None else None
    if layout == "rows":
        numbers = not table.ragged and all(c.kind == "numbers" for c in table.columns)
        return rows_layout(table, source, ids=bool(keys) if keys is not None or numbers else None)
    if layout == "columns":
        reading = columns_layout(table, source, sure=True)
        if reading is None:
            raise source.error("a train per column needs columns of numbers.")
        return reading
    if layout == "single" and time is None and (table.ragged or len(table.columns) > 1):
        running = running_layout(table, source, asked=True)
        if running is not None:
            return running
    lists = [c for c in table.columns if c.kind == "lists"]
    if layout == "auto":
        layout = "list" if time is not None and time.kind == "lists" else "long"
    if time is None:
        time = _any_time(table, source, keys or [], lists if layout == "list" else None)
    if layout == "list":
        if time.kind != "lists":
            raise source.error(
                f"the column {time.name!r} holds no lists.",
                WayOut("name the column that does", ("time_column",)),
            )
        return lists_layout(table, time, keys, source)
    if layout == "single":
        return single_layout(table, time, source, check=False)
    if keys is None and options.layout == "long" and len(table.columns) == 2:
        named = [c for c in table.columns if c is not time and role_of(c.leaf) in ("id", "trial")]
        keys = named or [c for c in table.columns if c is not time]
    return long_layout(table, time, keys, source, check=keys is None, asked=options.time_column is not None)


def _any_time(table: Table, source: Source, keys: Sequence[Column], lists: list[Column] | None) -> Column:
    if lists is not None:
        candidates = lists
    else:
        others = [c for c in table.columns if c not in keys]
        candidates = [c for c in others if role_of(c.leaf) == "time" and c.kind == "numbers"]
        if candidates:
            return pick_time_column(candidates, source)
        candidates = [c for c in others if c.kind == "numbers"]
    if not candidates:
        raise source.error(
            f"no column of times among {shown(table.names)}.",
            WayOut("name it as the time column", ("time_column",)),
        )
    return candidates[-1]  # without names to go by, the ids come first and the times last


def _guessed(table: Table, source: Source, keys: list[Column] | None) -> Reading:
    """The reading for which the table speaks."""
    if all(c.kind in ("numbers", "lists") for c in table.columns):
        parts = [part for c in table.columns for part in c.parts]
        refuse_binned(np.concatenate(parts), "the numbers are", source)
    trace = find_trace(table) if keys is None else None
    if trace is not None and trace.sure:
        raise trace_error(trace, table, source)
    if table.ragged:
        running = running_layout(table, source) if keys is None else None
        return running or rows_layout(table, source, ids=None if keys is None else bool(keys))
    lists = [c for c in table.columns if c.kind == "lists"]
    if lists:
        timed = [c for c in lists if role_of(c.leaf) == "time"]
        return lists_layout(table, pick_time_column(timed or lists, source), keys, source)
    if len(table.columns) == 1:
        column = table.columns[0]
        if column.kind != "numbers":
            refuse_words(table.columns, [], source)
            raise _unrecognised(table, source)
        return single_layout(table, column, source)
    reading = _named(table, source, keys) if table.named else _unnamed(table, source, keys)
    keyed = reading.columns.get("id") or len(reading.times) > 1  # or one list over all columns
    if trace is not None and reading.layout in ("long", "single") and not keyed:
        raise trace_error(trace, table, source)
    return reading


def _unrecognised(table: Table, source: Source) -> SpikeTrainError:
    what = f"the columns {shown(table.names)}" if table.named else "the contents"
    return source.error(f"{what} cannot be recognised as spike times; {EXPECTED}.")


def _named(table: Table, source: Source, keys: list[Column] | None) -> Reading:
    """A table with column names and one number per cell."""
    wide = wide_layout(table, source) if keys is None else None
    if wide is not None:
        return wide
    numeric = [c for c in table.columns if c.kind == "numbers"]
    asked = keys or []
    timed = [c for c in numeric if role_of(c.leaf) == "time" and c not in asked and not _is_signal(c)]
    binned = [c for c in timed if is_binary(c.numbers)]
    timed = [c for c in timed if c not in binned]
    refuse_words(table.columns, [*timed, *binned], source)
    others = [c for c in numeric if c not in timed and c not in asked]
    if any(share_increasing([c.numbers]) > 0.9 and len(c) > 2 for c in others):
        timed = [c for c in timed if not is_counter(c.numbers)]  # "Event" numbers the rows
    if binned and all(has_equal_steps(c.numbers) for c in timed):
        refuse_binned(binned[0].numbers, f"the column {binned[0].name!r} holds", source)
    filled = [c for c in table.columns if not (c.empty is not None and c.empty.all())]
    if len(timed) > 1 and len(timed) == len(filled):
        reading = columns_layout(table, source)
        if reading is not None and not _proportional(timed):
            return reading
    if len(timed) > 1 and keys is None:
        repeated = repeated_layout(table, timed, source)
        if repeated is not None:
            return repeated
    if timed:
        time = pick_time_column(timed, source)
        return long_layout(table, time, keys, source)
    intervals = [c for c in numeric if role_of(c.leaf) == "interval"]
    # No name speaks of time: the contents must, by growing within the groups of some other column.
    groups = asked or [c for c in table.columns if role_of(c.leaf) in ("id", "trial") and may_label(c)]
    groups = groups or [c for c in table.columns if may_label(c) and not is_signal_name(c.leaf)]
    alike = [c for c in numeric if role_of(c.leaf) == "" and not may_label(c) and grow_down([c])]
    if all(c.leaf.isdecimal() for c in table.columns):  # names that pandas gives
        told = times_of_two(numeric, source)
        if told is not None:
            return long_layout(table, told, [c for c in numeric if c is not told], source)
    repeating = _repeating(groups)
    for time in numeric:
        if role_of(time.leaf) in ("attribute", "interval", "id", "trial"):
            continue
        if len(alike) > 1 and time in alike:
            continue  # several columns that grow are as many trains
        for group, codes in repeating:
            if group is not time and grows_within(codes, time.numbers):
                return long_layout(table, time, keys, source)
    if all(c.kind == "numbers" for c in filled):
        reading = columns_layout(table, source)
        if reading is not None:
            return reading
    if intervals:
        raise source.error(
            f"the column {intervals[0].name!r} holds intervals, not times; give their cumulative sum."
        )
    refuse_bursts(table.columns, source)
    raise _unrecognised(table, source)


def _is_signal(column: Column) -> bool:
    """Whether the unit beside the numbers is that of a voltage or the like: "Spikes" in µV."""
    unit = signal_unit(column.unit) if column.unit else None
    return unit is not None and unit.quantity != "odd" and canonical_unit(column.unit) is None


def _repeating(columns: Sequence[Column]) -> list[tuple[Column, NDArray[np.int64]]]:
    """The first columns whose entries repeat as ids do, with a number for each different entry."""
    found: list[tuple[Column, NDArray[np.int64]]] = []
    for column in columns:
        if len(found) < _MOST_GROUPS and may_label(column):
            codes = codes_of(column.labels)
            if repeats(codes):
                found.append((column, codes))
    return found


def _proportional(columns: Sequence[Column]) -> bool:
    """Whether two columns are the same times in different units."""
    first = columns[0].numbers
    for other in columns[1:]:
        values = other.numbers
        if values.size != first.size or values.size < 2:
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = values / first
        ratio = ratio[np.isfinite(ratio)]
        if ratio.size > 1 and np.allclose(ratio, ratio[0], rtol=1e-3):
            return True
    return False


def _unnamed(table: Table, source: Source, keys: list[Column] | None) -> Reading:
    """A table without column names and with one number per cell."""
    text = [c for c in table.columns if c.kind == "text"]
    numeric = [c for c in table.columns if c.kind == "numbers"]
    if not numeric:
        raise _unrecognised(table, source)
    if keys is not None:
        lines = [c for c in numeric if c not in keys]
        along, down = growth(_matrix(lines)) if len(lines) > 2 else (0.0, 1.0)
        if along > max(down, MIN_INCREASING) and all(key is table.columns[0] for key in keys):
            return rows_layout(table, source, ids=bool(keys))
        return long_layout(table, _any_time(table, source, keys, None), keys, source)
    counter = is_counter(table.columns[0].numbers) if table.columns[0].kind == "numbers" else False
    less_counter = replace(table, columns=table.columns[1:])
    if counter and grow_down(numeric[1:]):
        return _without_counter(_guessed(less_counter, source, None))
    if counter and len(table.columns[0]) >= 8 and len(numeric) > 2 and grow_down(numeric[1:2]):
        return _without_counter(long_layout(less_counter, numeric[1], None, source))
    if text:
        labels_first = table.columns[0].kind == "text" and len(text) == 1
        constant = (
            [c for c in text if np.unique(np.asarray(c.values)).size == 1]
            if len(table.columns[0]) > 2
            else []
        )
        if len(constant) == len(text) > 1:  # a sentence a row: spike 1 at 0.17 s
            return _guessed(_less_words(table), source, None)
        for time in numeric:
            if grows_by(text[0], time):
                return long_layout(table, time, None, source)
        if labels_first and len(numeric) > 1 and share_increasing(list(_matrix(numeric))) >= MIN_INCREASING:
            return rows_layout(table, source)
        if labels_first and len(numeric) == 1:
            return rows_layout(table, source)
        raise _unrecognised(table, source)
    running = running_layout(table, source)
    if running is not None:
        return running
    if counter and len(table.columns[0]) > 1:
        return rows_layout(table, source)
    pair = pair_of(numeric, source)
    if pair is not None:
        groups, why = pair.groups if pair.sure else None, "since it parts the times into trains"
        return long_layout(table, pair.time, groups, source, why=why)
    along, down = growth(_matrix(numeric))
    if max(along, down) < MIN_INCREASING:
        refuse_pair(numeric, source)
        raise _unrecognised(table, source)
    if along >= down:
        return rows_layout(table, source)
    reading = columns_layout(table, source)
    if reading is None:
        raise _unrecognised(table, source)
    check_trains(reading.trains, source, keyed=False)
    return reading


def _matrix(columns: Sequence[Column]) -> np.ndarray:
    return np.column_stack([c.numbers for c in columns])


def _less_words(table: Table) -> Table:
    """The numbers of a table, with the unit that a word behind them names."""
    columns: list[Column] = []
    for column in table.columns:
        if column.kind == "numbers":
            columns.append(column)
        elif columns and (unit := canonical_unit(str(column.values[0]))) is not None:
            columns[-1] = replace(columns[-1], unit=unit)
    return replace(table, columns=columns)


def _without_counter(reading: Reading) -> Reading:
    reading.skipped.append("the first column, which numbers the rows")
    return reading
