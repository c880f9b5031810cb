"""Layouts of files of named arrays (NPY, NPZ, MAT, HDF5): which hold times, which say whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from spike2pop_nb.errors import SpikeTrainError, WayOut
from spike2pop_nb.spiketrains.behaviour import (
    MIN_INCREASING,
    codes_of,
    growth,
    has_equal_steps,
    is_counter,
    is_whole,
    share_increasing,
)
from spike2pop_nb.spiketrains.names import role_of, says_nothing
from spike2pop_nb.spiketrains.readers.raw import Options, Source, shown
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .choosing import arrays_of_times, as_pair
from .grades import grade_clusters, grade_entries, grade_spikes, grades_of, leave_out_noise
from .keys import check_trains, find_keys, may_label
from .no_spikes import refuse_binned, refuse_unordered
from .reading import (
    RawTrain,
    Reading,
    beside,
    check_keys,
    key_codes,
    label_of,
    times_of,
    trains_by_key,
    without_padding,
)
from .reshaped import with_lists

__all__ = ["arrays_layout"]

_MAX_KEY_WIDTH: Final = 8
_FEWEST: Final = 20


def arrays_layout(table: Table, source: Source, options: Options, keys: Sequence[Column] | None) -> Reading:
    """Trains in named arrays, lists and matrices of any lengths.

    ``time_column`` names one, a named layout overrides the guess, and `keys` are those that the caller named.
    """
    source.check_counts(0, len(table.columns))
    if options.layout == "auto" and keys is None:
        parted = with_lists(table)
        repairs, table = parted.repairs[len(table.repairs) :], parted
    else:
        repairs = []
    skipped = [f"{shown(list(table.facts))}, single values"] if table.facts else []
    chosen = arrays_of_times(table, options, source, skipped)
    readings: list[tuple[str, Reading]] = []
    refusal: SpikeTrainError | None = None
    for column in chosen:
        try:
            readings.append((column.name, _read(table, column, source, options, keys)))
        except SpikeTrainError as error:
            if len(chosen) == 1:
                raise
            refusal = error
            skipped.append(f"{column.name!r}, which does not look like spike times")
    if not readings:
        assert refusal is not None
        raise refusal
    reading = _joined(table, readings, source)
    used = {c.name for c in reading.times} | set(reading.columns.values())
    left = [
        c.name for c in table.columns if c.name not in used and not any(repr(c.name) in t for t in skipped)
    ]
    left = [name for name in left if not any(name in joined.split(" + ") for joined in used)]
    reading.skipped += skipped
    reading.repairs += repairs
    if left:
        reading.skipped.append(f"{shown(left)}, not taken for spike times")
    return reading


def _read(
    table: Table, column: Column, source: Source, options: Options, keys: Sequence[Column] | None
) -> Reading:
    name = f"array {column.name!r}" if column.name else "the array"
    if options.layout == "list" and column.kind != "lists":
        raise source.error(f"{name} cannot hold lists; its layout is single, long, rows or columns.")
    if column.kind == "text":
        raise source.error(f"{name} holds text values; spike times must be real numbers.")
    if column.kind == "lists":
        return _lists(table, column, source, keys)
    if column.kind == "matrix":
        return _matrix(column, name, source, options)
    values = times_of(column, source) if column.rows is not None else column.numbers
    refuse_binned(values, f"{name} holds", source)
    other = role_of(column.leaf) in ("id", "trial", "attribute") and options.time_column is None
    if options.layout == "auto" and other and share_increasing([values]) < MIN_INCREASING:
        raise source.error(
            f"{name} does not increase, and its name is not that of spike times.",
            WayOut("name the array of times", ("time_column",)),
        )
    if options.layout == "auto" and len(table.columns) == 1:
        refuse_unordered(values, f"the numbers of {name}", source)
    others = _beside(table, column, source)
    label, grades = "as asked for", [c for c in others if grades_of(c) is not None and c not in (keys or ())]
    if keys is None:
        asked = options.layout in ("single", "columns", "rows")
        found = find_keys([] if asked else others, values, source)
        keys, label, grades = found.columns, found.why, found.grades
    if keys:
        trains = trains_by_key(keys, values, name, source)
        joined = " + ".join(key.name for key in keys)
        reading = Reading("long", "an id and a time per spike, in arrays of equal length", trains, [column])
        reading.columns = {"id": joined, "time": column.name}
        reading.key = f"{joined}, {label}"
    else:
        source.check_counts(values.size)
        trains = [RawTrain(source.id(column.leaf or source.stem), values, name)]
        reading = Reading("single", f"one train, in {name}", trains, [column])
        without_padding(trains, reading.skipped)
    grade_spikes(grades, key_codes(keys, values.size), reading)
    grade_clusters(table.columns, column, reading)
    leave_out_noise(reading, source)
    if options.layout == "auto":
        check_trains(reading.trains, source, keyed=bool(keys))
    return reading


def _beside(table: Table, time: Column, source: Source) -> list[Column]:
    """Arrays as long as the times, of the same struct or group; codes in the columns of a matrix too."""
    found: list[Column] = []
    elsewhere: list[Column] = []
    for column in table.columns:
        if column is time or len(column) != len(time):
            continue
        if column.parent != time.parent:
            if column.kind in ("numbers", "text") and _says_whose(column, time):
                elsewhere.append(column)
            continue
        if column.kind in ("numbers", "text"):
            found.append(column)
        elif column.kind == "matrix" and role_of(column.leaf) == "id":
            codes = column.numbers
            if codes.shape[1] <= _MAX_KEY_WIDTH:
                found += [
                    replace(column, values=own)
                    for own in codes.T
                    if is_whole(own) and np.unique(own).size > 1
                ]
    if len({column.parent for column in elsewhere}) < len(elsewhere):
        raise source.error(
            f"{shown([column.name for column in elsewhere])} may each say whose the spikes are.",
            WayOut("name the one that does", ("id_columns",)),
        )
    # By the group that holds it, and not by its own name, which may be "main" or "data".
    return found + [replace(column, name=_group_name(column, time)) for column in elsewhere]


def _below(column: Column, time: Column) -> list[str]:
    """The parts of an array's name that the name of the times does not begin with."""
    parts, other = column.name.split("/"), time.name.split("/")
    alike = next((k for k, (a, b) in enumerate(zip(parts, other, strict=False)) if a != b), 0)
    return parts[alike:]


def _group_name(column: Column, time: Column) -> str:
    """What an array in another group is called by that group."""
    return " ".join(part for part in _below(column, time) if not says_nothing(part))


def _says_whose(column: Column, time: Column) -> bool:
    """Whether an array in another group than the times has ids, as the names of that group say."""
    parts = _below(column, time)
    roles = [role_of(part) for part in parts]
    own = roles[-1] in ("", "id", "time") or says_nothing(parts[-1])
    return len(parts) > 1 and len(time) >= _FEWEST and roles[0] == "id" and own


def _lists(table: Table, column: Column, source: Source, keys: Sequence[Column] | None) -> Reading:
    """A train per entry, with the ids that lie beside."""
    assert isinstance(column.values, list)
    around = (column.parent, column.parent.rpartition("/")[0])
    others = [c for c in beside(table, column) if c.parent in around]
    ids = list(keys) if keys is not None else _ids_of([c for c in others if grades_of(c) is None])
    check_keys(ids, len(column), "list", f"array {column.name!r}", source)
    trains = []
    for k, times in enumerate(column.values):
        parts = [source.id(label_of(key, k)) for key in ids]
        label = "/".join(parts) or str(k + 1)
        trains.append(RawTrain(source.id(label), times, f"cell {k + 1} of {column.name!r}"))
    where = repr(column.parent or column.name)
    reading = Reading("arrays", f"a train per entry of {where}", trains, [column])
    grade_entries([c for c in others if c not in ids], reading)
    trials = [
        c
        for c in table.columns
        if c is not column
        and isinstance(c.values, list)
        and c.parent == column.parent
        and role_of(c.leaf) == "trial"
        and [len(part) for part in c.values] == [len(part) for part in column.values]
    ]
    if trials and keys is None:
        assert isinstance(trials[0].values, list)
        reading.trains = trains = [
            part for k, train in enumerate(trains) for part in _by_trial(train, trials[0].values[k], source)
        ]
    source.check_counts(sum(train.times.size for train in trains), len(trains))
    if ids:
        reading.columns |= {"id": " + ".join(key.name for key in ids), "time": column.name}
        reading.key = f"{' + '.join(key.name for key in ids)}, by name"
    without_padding(trains, reading.skipped)
    leave_out_noise(reading, source)
    if keys is None:
        check_trains(reading.trains, source, keyed=False)
    return reading


def _by_trial(train: RawTrain, numbers: FloatArray, source: Source) -> list[RawTrain]:
    if np.unique(numbers).size < 2:
        return [train]
    key = Column("trial", numbers)
    parts = trains_by_key([key], train.times, train.location, source)
    return [replace(part, id=source.id(f"{train.id}/{part.id}"), rows=None) for part in parts]


def _ids_of(beside: Sequence[Column]) -> list[Column]:
    """The first column of ids that are unique; otherwise all of them together."""
    named = [c for c in beside if role_of(c.leaf) in ("id", "trial") and may_label(c)]
    named.sort(key=lambda c: role_of(c.leaf) != "id")
    for column in named:
        if int(codes_of(np.asarray(column.values)).max(initial=-1)) + 1 == len(column):
            return [column]
    return [c for c in named if int(codes_of(np.asarray(c.values)).max(initial=0)) > 0]


def _matrix(column: Column, name: str, source: Source, options: Options) -> Reading:
    values = column.numbers
    refuse_binned(values, f"{name} holds", source)
    layout = options.layout
    if layout == "single":
        raise source.error(f"{name} has the shape {values.shape}; a single train has one row or one column.")
    if layout in ("auto", "long"):
        pair = as_pair(column, sure=layout == "long")
        if pair is not None:
            trains = trains_by_key([Column("id", pair[0])], pair[1], name, source)
            reading = Reading(
                "long", f"an id and a time per spike, in the two columns of {name}", trains, [column]
            )
            reading.key = "the whole numbers beside the times"
            if layout == "auto":
                check_trains(trains, source, keyed=True)
            return reading
        if layout == "long":
            raise source.error(f"{name} has the shape {values.shape}; ids and times need two columns.")
        counted = _less_counter(values)
        if counted is not None:
            return Reading(
                "single",
                f"one train, in {name} beside a counter",
                [RawTrain(source.id(source.stem), counted, name)],
                [column],
            )
    return _rows(column, name, source, options)


def _less_counter(values: FloatArray) -> FloatArray | None:
    """The times beside a counter in a two-column (or two-row) matrix; None for another."""
    for table in (values, values.T):
        if table.shape[1] == 2:
            for counter, times in ((table[:, 0], table[:, 1]), (table[:, 1], table[:, 0])):
                if len(table) > 2 and is_counter(counter) and share_increasing([times]) > 0.9:
                    return np.ascontiguousarray(times)
    return None


def _rows(column: Column, name: str, source: Source, options: Options) -> Reading:
    values = column.numbers
    by_column = options.layout == "columns"
    if options.layout == "auto":
        by_row, by_col = growth(values)
        if max(by_row, by_col) < MIN_INCREASING:
            raise source.error(
                f"{name}, of shape {values.shape}, increases neither along rows nor down columns, "
                "so it does not look like spike times.",
                WayOut("choose a layout if it is", ("layout",)),
            )
        by_column = by_col > by_row
    table = values.T if by_column else values
    kind = "column" if by_column else "row"
    source.check_counts(0, len(table))
    trains = [RawTrain(str(k + 1), line.copy(), f"{kind} {k + 1} of {name}") for k, line in enumerate(table)]
    layout = "columns" if by_column else "rows"
    reading = Reading(layout, f"a train per {kind} of {name}, numbered from 1", trains, [column])
    without_padding(trains, reading.skipped)
    if options.layout == "auto":
        _refuse_mixed(trains, values.shape, kind, source)
    return reading


def _refuse_mixed(trains: Sequence[RawTrain], shape: tuple[int, ...], kind: str, source: Source) -> None:
    """Refuse a matrix whose columns hold different quantities: a clock and samples, ids and times."""
    wild = [t for t in trains if t.times.size >= 10 and share_increasing([t.times]) < MIN_INCREASING]
    if wild and any(has_equal_steps(t.times) for t in trains):
        raise source.error(
            f"{wild[0].location} does not increase, beside one of equal steps, like a sampled trace.",
            WayOut("read it as a voltage", ("voltage",)),
            WayOut(f"choose the layout '{kind}s' if these are times", ("layout",)),
        )
    narrow = len(trains) >= 10 and float(np.median([t.times.size for t in trains])) <= 3
    if wild or narrow:
        what = "may be a table of ids, times and more" if narrow else "holds more than spike times"
        raise source.error(
            f"{(wild or trains)[0].location.partition(' of ')[2]}, of shape {shape}, {what}.",
            WayOut("save ids and times as arrays of their own, or as CSV with names"),
            WayOut(f"choose the layout '{kind}s' if each {kind} is a train", ("layout",)),
        )


def _joined(table: Table, readings: Sequence[tuple[str, Reading]], source: Source) -> Reading:
    """One reading of several arrays; their names part trains of the same id."""
    if len(readings) == 1:
        reading = readings[0][1]
        if len(reading.trains) == 1 and reading.layout == "single" and (table.format in ("NPY", "MAT")):
            reading.trains[0].id = source.id(source.stem)
        return reading
    parents = {name: name.rpartition("/")[0] or name for name, _ in readings}
    unique = len(set(parents.values())) == len(parents)
    leaves = {name: name.rpartition("/")[2] for name, _ in readings}
    short = len(set(leaves.values())) == len(leaves)
    joined = Reading("arrays", "an array per train, by its name", [], [], key="the name of the array")
    for name, reading in readings:
        own = parents[name] if unique and "/" in name else leaves[name] if short else name
        for train in reading.trains:
            alone = reading.layout == "single"
            train.id = source.id(own if alone else f"{own}/{train.id}")
            joined.trains.append(train)
        joined.times += reading.times
        joined.skipped += reading.skipped
        joined.cautions += reading.cautions
    source.check_counts(sum(train.times.size for train in joined.trains), len(joined.trains))
    return joined
