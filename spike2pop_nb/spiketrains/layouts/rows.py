"""Layouts whose trains lie in rows: one per line, one that runs on over several, or trials in turn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from spike2pop_nb.errors import WayOut
from spike2pop_nb.spiketrains.behaviour import (
    MIN_INCREASING,
    falls_back,
    is_counter,
    is_whole,
    share_increasing,
)
from spike2pop_nb.spiketrains.names import role_of
from spike2pop_nb.spiketrains.readers.raw import Source
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import unit_from_name

from .columns import stand_apart
from .keys import may_label, needed_keys, refuse_sums
from .reading import RawTrain, Reading, label_of, times_of, without_padding
from .tables import note_left

__all__ = ["rows_layout", "running_layout", "trials_layout", "wide_layout"]

_FEWEST_STEPS: Final = 10
_MANY_LINES: Final = 10
_NUMBERED: Final = re.compile(r"^(.*?)[\s_.\-]*\d+$")


def wide_layout(table: Table, source: Source) -> Reading | None:
    """A train per row under column names: ids first, then t1, t2, t3 and so on; None for another table."""
    if not table.named or table.ragged:
        return None
    keys = [c for c in table.columns if c.kind in ("numbers", "text") and role_of(c.leaf) in ("id", "trial")]
    first = table.columns[0]
    if not keys and not first.name and may_label(first) and np.unique(first.labels).size == len(first):
        keys = [first]  # pandas prints the labels of rows without a name above them
    times = [c for c in table.columns if c.kind == "numbers" and c not in keys]
    stems = {m[1].lower() if (m := _NUMBERED.match(unit_from_name(c.name)[0])) else None for c in times}
    if (
        len(times) < 2
        or len(stems) != 1
        or None in stems
        or not (keys or stems <= {"t", "time", "spike", "spk"})
    ):
        return None
    matrix = np.column_stack([c.numbers for c in times])
    if len(matrix) > 1 and share_increasing(list(matrix)) < 0.8:
        return None
    named = [c for c in keys if c.name]
    if not named and share_increasing([c.numbers for c in times]) >= share_increasing(list(matrix)):
        return None
    for column in times:
        times_of(column, source)
    trains = []
    several = needed_keys(keys)
    for k, line in enumerate(matrix):
        row = int(times[0].rows[k]) if times[0].rows is not None else k + 1
        label = "/".join(source.id(label_of(key, k), row=row) for key in several) or str(k + 1)
        trains.append(RawTrain(source.id(label, row=row), line, f"row {row}"))
    reading = Reading(
        "rows",
        f"a train per row, its times in columns {times[0].name!r} to {times[-1].name!r}",
        trains,
        times,
    )
    if several:
        reading.columns = {"id": " + ".join(key.name for key in several)} if named else {}
        reading.key = f"{' + '.join(key.name for key in several)}, by name" if named else "what stands first"
    without_padding(trains, reading.skipped)
    reading.skipped = [text.replace("NaN", "blank cells") for text in reading.skipped]
    note_left(table, [*times, *keys], reading)
    return reading


def rows_layout(table: Table, source: Source, *, ids: bool | None = None) -> Reading:
    """A train per line; whether lines begin with `ids` is found out where the caller does not say."""
    labels, lists, rows, times = _lines_of(table, source)
    if labels is None and ids is not False and len(lists) > (0 if ids else 1):
        first = np.array([line[0] if line.size else np.nan for line in lists])
        counts = all(line.size > 3 and line[0] == line.size - 1 for line in lists)
        if ids is None and counts:
            lists = [line[1:] for line in lists]
        elif ids or _ids_lead(first, lists, _printed_alike(table, rows), source):
            labels = [f"{value:.15g}" for value in first]
            lists = [line[1:] for line in lists]
            if ids is None and all(line.size > 3 and line[0] == line.size - 1 for line in lists):
                lists = [line[1:] for line in lists]  # an id, how many follow, the times
    trains = []
    for k, line in enumerate(lists):
        row = int(rows[k])
        label = labels[k] if labels is not None else str(k + 1)
        trains.append(RawTrain(source.id(label or str(k + 1), row=row), line, f"row {row}"))
    source.check_counts(sum(line.size for line in lists), len(lists))
    if ids is None:
        _refuse_narrow(trains, source)
    what = "its id first, then its times" if labels is not None else "trains numbered from 1"
    reading = Reading("rows", f"a train per line, {what}", trains, times)
    if labels is not None:
        reading.key = "what stands first in each line"
    without_padding(trains, reading.skipped)
    if ids is None:
        _refuse_unordered(trains, "rows", source)
        refuse_sums(trains, source, "rows")
    return reading


def _refuse_unordered(trains: Sequence[RawTrain], layout: str, source: Source) -> None:
    """Numbers that hardly grow along their lines are no times."""
    steps = sum(max(train.times.size - 1, 0) for train in trains)
    least = 0.9 if len(trains) >= _MANY_LINES else MIN_INCREASING
    worst = min((share_increasing([t.times]) for t in trains if t.times.size > _FEWEST_STEPS), default=1.0)
    grown = share_increasing([train.times for train in trains])
    if steps >= _FEWEST_STEPS and (grown < least or worst < 0.5):
        raise source.error(
            "the numbers do not increase along the lines, as spike times would.",
            WayOut(f"choose the layout {layout!r} if they are times", ("layout",)),
        )


def _may_lead(line: FloatArray) -> bool:
    """Whether the first of several whole numbers may be an id: it lies far from the second."""
    return is_whole(line) and line.size > 5 and line[1] - line[0] > 1.2 * np.median(np.diff(line[1:]))


def _printed_alike(table: Table, rows: np.ndarray) -> bool:
    """Whether the first numbers of a text are printed with decimals, as times are and ids are not."""
    column = table.columns[0]
    if column.cells is None or len(column.cells) != len(rows):
        return False
    first = [re.match(r"\s*\d+[.,]\d+(?=[\s,;|]|$)", str(cell)) for cell in column.cells]
    return all(match is not None for match in first)


def _ids_lead(first: FloatArray, lists: Sequence[FloatArray], alike: bool, source: Source) -> bool:
    """Whether the first number of each line names it rather than being a time."""
    if min(line.size for line in lists) < 2 or not is_whole(first) or np.unique(first).size < first.size:
        return False
    if is_counter(first) or set(first.tolist()) == set(range(1, len(lists) + 1)):
        return len(lists) > 1
    rest = np.concatenate([line[1:] for line in lists])
    fall = float(np.mean([line[1] < line[0] for line in lists]))
    whole = float(np.mean(rest == np.rint(rest)))
    if (whole ** len(lists) < 0.02 and not alike) or (
        fall > 0.5 and share_increasing([line[1:] for line in lists]) > 0.9
    ):
        return True
    ordered = len(lists) > 2 and bool((np.diff(first) > 0).all())
    if (whole == 1.0 and (ordered or stand_apart(lists))) or (whole < 0.9 and alike):
        raise source.error(
            "the first number of each line may name the train or be its first time.",
            WayOut("say that column 0 holds the ids, or that 'none' does", ("id_columns",)),
        )
    return False


def _refuse_narrow(trains: Sequence[RawTrain], source: Source) -> None:
    """Many lines of a few numbers each are rows of a table rather than trains; a fall opens no train."""
    sizes = [train.times.size for train in trains]
    if len(trains) >= 10 and float(np.median(sizes)) <= 3:
        raise source.error(
            f"{len(trains):,} lines hold {int(np.median(sizes))} numbers or fewer each, so they may be rows "
            "of a table.",
            WayOut("write names of columns above them"),
            WayOut("choose the layout 'rows' if each is a train", ("layout",)),
        )
    falling = [
        train
        for train in trains
        if train.times.size > 5
        and (np.diff(train.times[:4]) < 0).any()
        and (np.diff(train.times[3:]) > 0).all()
    ]
    if falling and 2 * len(falling) > len(trains):
        raise source.error(
            f"the first number of {falling[0].location} is out of order with the others, so it may be a "
            "count or an id.",
            WayOut("say that column 0 holds the ids", ("id_columns",)),
            WayOut("choose the layout 'rows'", ("layout",)),
        )


def _lines_of(
    table: Table, source: Source
) -> tuple[list[str] | None, list[FloatArray], np.ndarray, list[Column]]:
    """Labels, numbers and row of each line."""
    if table.ragged:
        column = table.columns[-1]
        assert isinstance(column.values, list)
        labels = [str(label) for label in table.columns[0].values] if len(table.columns) > 1 else None
        assert column.rows is not None
        return labels, column.values, column.rows, [column]
    text = [c for c in table.columns if c.kind == "text"]
    numbers = [c for c in table.columns if c.kind == "numbers"]
    if not numbers or len(text) > 1:
        raise source.error("a train per line needs lines of numbers, with at most one id in front.")
    for column in numbers:
        times_of(column, source)
    matrix = np.column_stack([c.numbers for c in numbers])
    empty = np.column_stack([c.gaps for c in numbers])
    lists = [line[~gaps] for line, gaps in zip(matrix, empty, strict=True)]
    rows = numbers[0].rows if numbers[0].rows is not None else np.arange(1, len(lists) + 1)
    labels = [str(label).rstrip(":=") for label in text[0].values] if text else None
    return labels, lists, rows, numbers


def running_layout(table: Table, source: Source, *, asked: bool = False) -> Reading | None:
    """One train whose times run on over several lines; None where they do not grow from each to the next."""
    if any(c.kind == "text" for c in table.columns) or (table.named and not table.ragged):
        return None
    _, lists, rows, columns = _lines_of(table, source)
    flat = np.concatenate(lists) if lists else np.empty(0)
    if not asked and len(lists) > 1 and not (np.diff(flat) > 0).all():
        return None
    if (
        len(lists) > 1
        and is_counter(np.array([line[0] if line.size else np.nan for line in lists]))
        and not asked
    ):
        return None
    if not asked and not table.ragged and len(lists) >= 3 and len(columns) in (2, 3):
        raise source.error(
            f"the numbers increase along each line and down each of the {len(columns)} columns, so they may "
            "be one train or one per column.",
            WayOut("choose the layout 'single' or 'columns'", ("layout",)),
        )
    name = columns[0].name if table.named else ""
    own = name if name and role_of(name) != "time" else ""
    label = source.id((unit_from_name(own)[0] or own) if own else source.stem)
    where = np.repeat(rows, [line.size for line in lists])
    over = f" that runs on over {len(lists):,} lines" if len(lists) > 1 else ""
    reason = table.reason or f"one train, a list of times{over}"
    reading = Reading("single", reason, [RawTrain(label, flat, "a list of times", where)], columns)
    if name:
        reading.columns["time"] = name
    elif len(lists) == 1 and not asked and _may_lead(flat):
        reading.cautions.append(
            f"the first number, {flat[0]:g}, is taken for a time; if it names the train, say that the first "
            "column holds the ids (id columns 0)"
        )
    without_padding(reading.trains, reading.skipped)
    if not asked:
        _refuse_unordered(reading.trains, "single", source)
    return reading


def trials_layout(reading: Reading, source: Source) -> Reading:
    """The trains of a reading, each begun anew wherever its times start over."""
    trains: list[RawTrain] = []
    for train in reading.trains:
        falls = falls_back(train.times)
        if not falls.size:
            falls = np.flatnonzero(np.diff(train.times) < 0) + 1
        parts = np.split(train.times, falls)
        rows = np.split(train.rows, falls) if train.rows is not None else [None] * len(parts)
        for k, (times, own) in enumerate(zip(parts, rows, strict=True), start=1):
            label = f"{train.id}/{k}" if len(parts) > 1 else train.id
            trains.append(RawTrain(source.id(label), times, train.location, own))
    source.check_counts(0, len(trains))
    reading.trains = trains
    reading.layout = "trials"
    reading.reason += "; a new train wherever the times start over"
    return reading
