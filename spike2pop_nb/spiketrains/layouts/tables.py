"""Layouts of tables: a row per spike, a list per row, a train per row or per column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from spike2pop_nb.errors import WayOut
from spike2pop_nb.spiketrains.behaviour import (
    counts_ahead,
    has_equal_steps,
    is_counter,
    is_whole,
)
from spike2pop_nb.spiketrains.names import names_time, role_of, says_nothing
from spike2pop_nb.spiketrains.readers.raw import Source, counted, shown
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import unit_from_name

from .grades import grade_entries, grade_spikes, grades_of, leave_out_noise
from .keys import check_trains, find_keys, may_label, needed_keys, shown_names
from .no_spikes import refuse_binned, refuse_bins, refuse_bursts, refuse_samples, refuse_unordered
from .reading import (
    RawTrain,
    Reading,
    beside,
    key_codes,
    label_of,
    times_of,
    trains_by_key,
    without_padding,
)

__all__ = [
    "lists_layout",
    "long_layout",
    "note_left",
    "numbers_rows",
    "pick_time_column",
    "refuse_counts",
    "refuse_words",
    "single_layout",
]

_NO_ID: Final = (
    WayOut("fill it in, or leave out the row if it is no spike"),
    WayOut("say which columns identify a train", ("id_columns",)),
)
_DATE: Final = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}")


def pick_time_column(columns: Sequence[Column], source: Source) -> Column:
    """The one column of times among several that could be; refused where nothing prefers one."""
    if len(columns) > 1:
        # An axis of equal steps and a counter are no spike times where something else may be.
        columns = [c for c in columns if c.kind != "numbers" or not _is_axis(c.numbers)] or list(columns)
    if len(columns) > 1:
        # "sample" and "frame" may as well name what was recorded.
        varied = [c for c in columns if c.kind != "numbers" or 2 * np.unique(c.numbers).size >= len(c)]
        columns = _without_ticks(varied or columns)
    if len(columns) > 1:
        spikes = [c for c in columns if re.search(r"sp(?!an)|firing", c.leaf.lower())]
        columns = spikes or columns
    if len(columns) > 1:
        parent = min((c.parent for c in columns), key=lambda name: name.count("/"))
        inner = [c for c in columns if c.parent == parent]
        columns = inner if len(inner) == 1 else columns
    if len(columns) > 1:
        raise source.error(
            f"the columns {shown_names(columns)} could all hold the times.",
            WayOut("name the time column", ("time_column",)),
        )
    return columns[0]


def _is_axis(values: FloatArray) -> bool:
    return (values.size > 2 and is_counter(values)) or has_equal_steps(values)


def _without_ticks(columns: Sequence[Column]) -> list[Column]:
    """The columns less those that repeat another in samples: the same times by a constant factor."""

    def flat(column: Column) -> FloatArray:
        return np.concatenate(column.parts or [np.empty(0)])

    kept = list(columns)
    for ticks in columns:
        own = flat(ticks)
        if not is_whole(own) or unit_from_name(ticks.leaf)[1] not in (None, "samples"):
            continue
        for other in columns:
            values = flat(other)
            if other is ticks or values.size != own.size or own.size < 3 or is_whole(values):
                continue
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = np.diff(own) / np.diff(values)
            ratio = ratio[np.isfinite(ratio)]
            if (
                ratio.size
                and np.median(ratio) > 1
                and np.mean(np.abs(ratio / np.median(ratio) - 1) < 0.05) > 0.9
            ):
                kept = [column for column in kept if column is not ticks]
                break
    return kept


def long_layout(
    table: Table,
    time: Column,
    keys: Sequence[Column] | None,
    source: Source,
    *,
    check: bool = True,
    asked: bool = False,
    why: str = "as asked for",
) -> Reading:
    """A row per spike: a time, and what tells whose it is.

    Parameters
    ----------
    keys : sequence of Column or None
        What identifies a train, and `why`; None to find out.
    check : bool
        Whether trains that look as if a key were missing are refused.
    asked : bool
        Whether the caller named the times, so that each row is a spike.
    """
    times = times_of(time, source)
    others = beside(table, time)
    if keys is None:
        if not asked:
            refuse_bursts(others, source)
            refuse_samples(others, times, source)
        named = table.named and not all(column.leaf.isdecimal() for column in table.columns)
        found = find_keys(others, times, source, named=named)
        if not asked:
            refuse_bins(found.columns, times, source)
        keys, why, grades = found.columns, found.why, found.grades
    else:
        grades = [c for c in others if grades_of(c) is not None and c not in keys]
    _refuse_non_finite(time, times, source)
    filled = [_filled_down(key) for key in keys]
    below = [key.name for key, own in zip(keys, filled, strict=True) if key is not own]
    keys, before = filled, [*keys]
    for key in keys:
        if key.gaps.any():
            row = key.row(int(key.gaps.argmax()))
            raise source.error(f"the id is missing (column {key.name!r}).", *_NO_ID, row=row)
    place = f"column {time.name!r}" if time.name else "one time per line"
    if keys:
        trains = trains_by_key(keys, times, place, source, time.rows)
    else:
        source.check_counts(int((~np.isnan(times)).sum()))
        name = source.stem if table.named or not time.name else time.name
        trains = [RawTrain(source.id(name), times, place, time.rows)]
    blanks = _drop_blanks(trains)
    reason = f"a row per spike, the time in column {table.name_of(time)!r}"
    if not keys:
        reason = (
            f"one train, its times in column {table.name_of(time)!r}"
            if table.named
            else "one train, a time per line"
        )
    reading = Reading("long" if keys else "single", reason, trains, [time], _roles(table, keys, time))
    if keys:
        reading.key = f"{' + '.join(table.name_of(key) for key in before)}, {why}"
    if below:
        reading.repairs.append(f"the ids of {shown(below)}, each written once, stand for the rows below them")
    if blanks:
        reading.skipped.append(
            f"{counted(blanks, 'row')} without a time, of trains that have spikes elsewhere"
        )
    if not keys:
        without_padding(reading.trains, reading.skipped)
    grade_spikes(grades, key_codes(keys, times.size), reading)
    leave_out_noise(reading, source)
    note_left(
        table, [time, *keys, *before, *(c for c in grades if c.name == reading.columns.get("label"))], reading
    )
    if check:
        check_trains(trains, source, keyed=bool(keys))
    return reading


def _filled_down(key: Column) -> Column:
    """A column of ids of which each stands once, above the blanks that it is meant for, filled up."""
    if key.empty is None or key.cells is None or not key.empty.any() or key.empty[0]:
        return key
    ids = [str(cell) for cell in key.cells[~key.empty]]
    if len(set(ids)) < len(ids) or 2 * len(ids) > len(key):
        return key
    above = np.maximum.accumulate(np.where(key.empty, 0, np.arange(len(key))))
    values = np.asarray(key.values)[above]
    return replace(key, values=values, cells=key.cells[above], empty=None)


def _roles(table: Table, keys: Sequence[Column], time: Column) -> dict[str, str]:
    if not table.named:
        return {}
    roles: dict[str, str] = {}
    members = [key for key in keys if role_of(key.leaf) == "trial"]
    ids = [key for key in keys if key not in members] or members
    if ids:
        roles["id"] = " + ".join(key.name for key in ids)
    if members and ids is not members:
        roles["member"] = " + ".join(key.name for key in members)
    roles["time"] = time.name
    return roles


def note_left(table: Table, used: Sequence[Column], reading: Reading) -> None:
    """Say which columns are left out; one that only numbers the rows needs no word."""
    left = [
        name
        for name, column in zip(table.names, table.columns, strict=True)
        if column not in used and not numbers_rows(column, table)
    ]
    if left and table.named:
        noun = "the column" if len(left) == 1 else "the columns"
        reading.skipped.append(f"{noun} {shown(left)}, neither ids nor times")
    elif left:
        reading.skipped.append(f"{shown(left)}, neither ids nor times")


def numbers_rows(column: Column, table: Table) -> bool:
    if column.kind != "numbers" or not is_counter(column.numbers):
        return False
    return not table.named or role_of(column.leaf) == "counter" or not column.name


def _refuse_non_finite(time: Column, times: FloatArray, source: Source) -> None:
    wrong = ~np.isfinite(times) & ~time.gaps
    if wrong.any() and time.rows is not None:
        where = int(wrong.argmax())
        cell = time.cells[where] if time.cells is not None else times[where]
        place = f" (column {time.name!r})" if time.name else ""
        raise source.error(
            f"the time {shown([cell])} cannot be used{place}; spike times must be finite numbers.",
            row=time.row(where),
        )


def _drop_blanks(trains: list[RawTrain]) -> int:
    """Leave out rows without a time; how many, of trains that have spikes elsewhere."""
    blanks = 0
    for train in trains:
        filled = ~np.isnan(train.times)
        if not filled.all():
            if filled.any():
                blanks += int((~filled).sum())
            train.keep(filled)
    return blanks


def refuse_words(columns: Sequence[Column], times: Sequence[Column], source: Source) -> None:
    """Refuse dates and text in a column that is named as times, where no column of numbers is named so."""
    if any(names_time(column.leaf) for column in times):
        return
    for column in columns:
        if column.kind != "text" or not names_time(column.leaf):
            continue
        cells = [str(cell).strip() for cell in column.values]
        first = next((cell for cell in cells if cell), "")
        if not first:
            continue
        what = "dates" if _DATE.search(first) else "text"
        raise source.error(
            f"the column {column.name!r} holds {what} such as {shown([first])}; give the times since the "
            "start of the recording as numbers, in s or ms.",
            WayOut("name the column that holds them", ("time_column",)),
            row=column.row(cells.index(first)),
        )


def refuse_counts(times: FloatArray, source: Source) -> None:
    """Refuse times that begin with how many of them each train has."""
    ahead = counts_ahead(times)
    if ahead == 1:
        raise source.error(
            f"the first number, {times[0]:g}, is the number of values that follow, not a time.",
            WayOut("leave it out"),
            WayOut("choose the layout 'single' if it is one", ("layout",)),
        )
    if ahead:
        raise source.error(
            f"the first {ahead} numbers, such as {times[ahead - 1]:g}, are numbers of values that follow, "
            "not times.",
            WayOut("leave them out, and choose the layout 'trials'"),
            WayOut("choose the layout 'single' if they are times", ("layout",)),
        )


def single_layout(table: Table, time: Column, source: Source, *, check: bool = True) -> Reading:
    """One train, a time per row."""
    if role_of(time.leaf) == "interval" and check:
        raise source.error(f"the column {time.name!r} holds intervals, not times; give their cumulative sum.")
    if role_of(time.leaf) == "attribute" and check and not says_nothing(time.leaf):
        raise source.error(
            f"the column {time.name!r} describes spikes, as its name says, and holds no times."
        )
    times = times_of(time, source)
    refuse_binned(times, "the numbers are", source)
    if check:
        refuse_counts(times, source)
    if check and len(table.columns) == 1 and role_of(time.leaf) != "time":
        refuse_unordered(times, "the numbers", source, " rather than spike times")
    return long_layout(table, time, [], source, check=check)


def lists_layout(table: Table, time: Column, keys: Sequence[Column] | None, source: Source) -> Reading:
    """A list of times per row, with what identifies its train in the other columns."""
    assert isinstance(time.values, list)
    if role_of(time.leaf) == "interval":
        raise source.error(f"{time.name!r} holds intervals, not times; give the times of the spikes.")
    others = beside(table, time)
    grades = [c for c in others if grades_of(c) is not None and c not in (keys or ())]
    why = "as asked for"
    if keys is None:
        keys, why = _keys_of_lists([c for c in others if c not in grades], table)
    trains: list[RawTrain] = []
    for k, times in enumerate(time.values):
        row = time.row(k)
        for key in keys:
            if (key.empty is not None and key.empty[k]) or not str(label_of(key, k)).strip():
                raise source.error(f"the id is missing (column {key.name!r}).", *_NO_ID, row=row)
        parts = [source.id(label_of(key, k), row=row) for key in keys]
        place = f"row {row}" if row is not None else f"entry {k + 1} of {time.name!r}"
        trains.append(RawTrain(source.id("/".join(parts) or str(k + 1), row=row), times, place))
    source.check_counts(sum(train.times.size for train in trains), len(trains))
    reason = f"a list of times per row, in column {table.name_of(time)!r}"
    reading = Reading("list", reason, trains, [time], _roles(table, keys, time))
    if keys:
        reading.key = f"{' + '.join(table.name_of(key) for key in keys)}, {why}"
    without_padding(trains, reading.skipped)
    grade_entries(grades, reading)
    leave_out_noise(reading, source)
    note_left(table, [time, *keys, *grades], reading)
    return reading


def _keys_of_lists(beside: Sequence[Column], table: Table) -> tuple[list[Column], str]:
    if not table.named:
        return list(beside[:1]), "before the list"
    named = [c for c in beside if role_of(c.leaf) in ("id", "trial") and may_label(c)]
    if not named and beside and len(table.columns) > 1:
        labels = [c for c in beside if may_label(c) and role_of(c.leaf) != "attribute"] or list(beside)
        return labels[:1], "the first column that is no list"
    return needed_keys(named), "by name"
