"""Which of the named arrays of a file hold times: by their names, then by how they grow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from spike2pop_nb.errors import WayOut
from spike2pop_nb.spiketrains.behaviour import (
    MIN_INCREASING,
    codes_of,
    grows_within,
    growth,
    has_equal_steps,
    is_binary,
    is_counter,
    is_whole,
    share_increasing,
)
from spike2pop_nb.spiketrains.names import EVENTS, names_time, role_of, words_of
from spike2pop_nb.spiketrains.readers.raw import Options, Source, shown
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .tables import pick_time_column

__all__ = ["arrays_of_times", "as_pair"]

_NUMBERED: Final = re.compile(r"^(.*?)[\s_.\-]*\d+$")


def arrays_of_times(table: Table, options: Options, source: Source, skipped: list[str]) -> list[Column]:
    """The arrays that hold times."""
    columns = table.columns
    wanted = options.time_column
    if wanted is not None:
        return _wanted(table, wanted, source)
    if len(columns) == 1:
        if role_of(columns[0].leaf) == "interval":
            raise source.error(f"{columns[0].name!r} holds intervals, not times; give their cumulative sum.")
        if table.skipped and _labels(columns[0], columns) and not columns[0].leaf[-1:].isdecimal():
            raise source.error(
                f"{columns[0].name!r} names what was recorded, and nothing beside it is an array of times.",
                WayOut("name it if it holds the times", ("time_column",)),
            )
        return list(columns)
    numeric = [c for c in columns if c.kind != "text" and (c.kind != "numbers" or len(c) != 1 or _named(c))]
    skipped += [
        f"{c.name!r}, a single number"
        for c in columns
        if c.kind == "numbers" and len(c) == 1 and not _named(c)
    ]
    if not numeric:
        raise source.error(f"none of {shown(table.names)} is an array of spike times.")
    named = [c for c in numeric if _named(c)]
    usable = [c for c in named if _usable(c)]
    usable = _less_events(usable, table, skipped)
    if usable:
        _refuse_trace(usable, numeric, source)
    if usable and all(map(_is_clock, usable)):
        # of something else that was recorded, where others may be times
        others = [c for c in numeric if c not in usable]
        if any(map(_strong, others)) or any(map(_may_grow, _plain(others))):
            skipped.append(f"{shown([c.name for c in usable])}, no spike times")
            usable, numeric = [], others
    if usable:
        return _one_each(usable, source)
    return _by_behaviour(_less_events(numeric, table, skipped), skipped, source)


def _less_events(columns: list[Column], table: Table, skipped: list[str]) -> list[Column]:
    """The arrays without those of triggers and stimuli, if others are left."""
    events = [c for c in columns if _is_event(c, table)]
    if not events or len(events) == len(columns):
        return columns
    skipped.append(f"{shown([c.name for c in events])}, times of other events")
    return [c for c in columns if c not in events]


def _is_event(column: Column, table: Table) -> bool:
    """Whether its name, or the title beside it, speaks of triggers and stimuli rather than of spikes."""
    title = str(table.facts.get(f"{column.parent}/title", "")) if column.parent else ""
    words = [word for part in (*column.name.split("/"), title) for word in words_of(part)]
    return any(word.rstrip("0123456789") in EVENTS for word in words)


def _refuse_trace(usable: Sequence[Column], numeric: Sequence[Column], source: Source) -> None:
    """An axis of equal steps with samples beside it holds no spike times."""
    if not all(map(_is_clock, usable)):
        return
    for axis in usable:
        beside = [
            c for c in numeric if c is not axis and c.parent == axis.parent and _sizes(c) == _sizes(axis)
        ]
        samples = [c for c in beside if role_of(c.leaf) not in ("id", "trial", "counter")]
        if samples:
            raise source.error(
                f"{axis.name!r} has equal steps and {shown([c.name for c in samples])} beside it, like a "
                "sampled trace.",
                WayOut("give the times of its spikes"),
                WayOut("name the array of times if these are some", ("time_column",)),
            )


def _is_clock(column: Column) -> bool:
    """Whether numbers, or those of each entry, have equal steps."""
    return column.kind != "matrix" and len(column) > 0 and all(map(has_equal_steps, column.parts))


def _sizes(column: Column) -> list[int]:
    return [len(part) for part in column.parts]


def _wanted(table: Table, wanted: str | int, source: Source) -> list[Column]:
    columns = table.columns
    if isinstance(wanted, int):
        if 0 <= wanted < len(columns):
            return [columns[wanted]]
    else:
        exact = [c for c in columns if c.name == wanted] or [c for c in columns if c.leaf == wanted]
        if len(exact) == 1:
            return exact
        inside = [c for c in columns if c.parent == wanted and c.kind != "text"]
        found = [c for c in inside if _named(c) and _usable(c)] or inside[:1]
        if exact or found:
            return _one_each(exact or found, source)
    raise source.error(f"there is no array {wanted!r}; the file holds {shown(table.names)}.")


def _named(column: Column) -> bool:
    return role_of(column.leaf) == "time" or _in_times(column)


def _in_times(column: Column) -> bool:
    """Whether the group of an array is called as times are: ``spiketimes/temp_3``."""
    group = column.parent.rpartition("/")[2]
    own = role_of(re.sub(r"[\s_.\-]*\d+$", "", column.leaf))
    return bool(group) and "spike" in group.lower() and names_time(group) and own not in ("id", "interval")


def _usable(column: Column) -> bool:
    """Whether an array that is named as times may hold them: not waveforms, not traces."""
    if column.kind == "matrix":
        return as_pair(column) is not None or max(growth(column.numbers)) >= MIN_INCREASING
    if column.kind == "numbers":
        values = column.numbers
        return not len(column) or (share_increasing([values]) >= MIN_INCREASING and not is_binary(values))
    return column.kind == "lists"


def _one_each(columns: Sequence[Column], source: Source) -> list[Column]:
    """One array of times for each struct or group; numbered ones are a train each."""
    others = [c for c in columns if c.kind != "numbers" or not _is_axis(c.numbers)]
    columns = others or list(columns)
    chosen = []
    for parent in dict.fromkeys(c.parent for c in columns):
        inside = [c for c in columns if c.parent == parent]
        if len(inside) > 1 and all(role_of(c.leaf) != "time" for c in inside):
            chosen += inside  # arrays in a group of times
            continue
        numbered = [m[1] if (m := _NUMBERED.match(c.leaf)) else None for c in inside]
        if len(inside) > 1 and len(set(numbered)) == 1 and None not in numbered:
            chosen += inside
        else:
            chosen.append(pick_time_column(inside, source))
    return chosen


def _is_axis(values: FloatArray) -> bool:
    return is_counter(values) or has_equal_steps(values)


def _by_behaviour(columns: Sequence[Column], skipped: list[str], source: Source) -> list[Column]:
    """Arrays that grow; of arrays that say whose the times are, these alone."""
    strong = [c for c in columns if _strong(c)]
    if strong:
        skipped += [f"{c.name!r}, which does not look like spike times" for c in columns if c not in strong]
        return strong
    if any(re.fullmatch(r"block\d+_values", c.leaf) for c in columns):
        raise source.error(
            "this is a table that pandas wrote as HDF5; save it as CSV or Parquet, with names."
        )
    plain = _plain(columns)
    grow = [c for c in plain if _may_grow(c)]
    if len(plain) == 1 and not grow:
        grow = plain
    if not grow:
        raise source.error(f"none of {shown([c.name for c in columns])} is an array of spike times.")
    skipped += [f"{c.name!r}, which does not look like spike times" for c in columns if c not in grow]
    return grow


def _strong(column: Column) -> bool:
    return column.kind == "lists" or (column.kind == "matrix" and as_pair(column) is not None)


def _plain(columns: Sequence[Column]) -> list[Column]:
    return [
        c for c in columns if role_of(c.leaf) not in ("attribute", "interval") and not _labels(c, columns)
    ]


def _labels(column: Column, columns: Sequence[Column]) -> bool:
    """Whether an array lists ids: few whole numbers, or those that another array repeats."""
    if role_of(column.leaf) == "trial" and not column.leaf[-1:].isdecimal():
        return True  # when trials begin
    if column.kind != "numbers" or not is_whole(column.numbers):
        return False
    own = np.unique(column.numbers)
    repeated = any(
        len(other) > len(column) and is_whole(other.numbers) and np.isin(other.numbers, own).all()
        for other in columns
        if other is not column and other.kind == "numbers" and len(other)
    )
    return repeated or role_of(column.leaf) in ("id", "trial")


def _may_grow(column: Column) -> bool:
    if column.kind == "matrix":
        return max(growth(column.numbers)) >= MIN_INCREASING
    values = column.numbers
    if not values.size:
        return role_of(column.leaf) == ""
    return values.size > 1 and share_increasing([values]) > 0.9 and not _is_axis(values)


def as_pair(column: Column, *, sure: bool = False) -> tuple[FloatArray, FloatArray] | None:
    """Ids and times of a two-column (or two-row) matrix; None when it is not one."""
    values = column.numbers
    for table in (values, values.T):
        if table.shape[1] != 2:
            continue
        for ids, times in ((table[:, 0], table[:, 1]), (table[:, 1], table[:, 0])):
            if (
                np.isfinite(ids).all()
                and is_whole(ids)
                and not is_counter(ids)
                and grows_within(codes_of(ids), times)
            ):
                return ids, times
        if sure:
            return table[:, 0], table[:, 1]
    return None
