"""Tables as text: a list of times per row, a row per spike, or a column per train."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import unit_from_name

from .columns import is_counter
from .numbers import parse_list, to_floats
from .raw import RawRecording, RawTrain, Source, counted, shown
from .text import Text, table_blocks

__all__ = ["read_columns", "read_lists", "read_long"]


def read_lists(
    text: Text, source: Source, format_: str, id_index: int | None, list_index: int, member_index: int | None
) -> RawRecording:
    """A train per row, its times in one cell."""
    name = text.names[list_index]
    bare = any("[" in line or "(" in line for line in text.lines[text.start : text.start + 50])
    trains: list[RawTrain] = []
    total = commas = blanks = empty_rows = 0
    for rows, block in table_blocks(text, source, text.width, bare_lists=bare):
        ids = block[id_index].tolist() if id_index is not None else None
        members = block[member_index].tolist() if member_index is not None else None
        nothing = _blank_rows(block)
        for k, (row, cell) in enumerate(zip(rows, block[list_index], strict=True)):
            if nothing[k]:
                empty_rows += 1
                continue
            times, n_commas, n_blanks = parse_list(cell, source, row, f"column {name!r}")
            commas, blanks, total = commas + n_commas, blanks + n_blanks, total + times.size
            label = ids[k] if ids is not None else str(len(trains) + 1)
            if not label.strip():
                raise source.error(f"the id is missing (column {text.names[id_index or 0]!r}).", row=row)
            if members is not None:
                label = f"{label.strip()}/{members[k].strip()}"
            trains.append(RawTrain(source.id(label, row=row), times, f"row {row}"))
            source.check_counts(total, len(trains))
    raw = RawRecording(format_, "list", f"a list of times per row, in column {name!r}", trains)
    _columns(raw, text, id_index, list_index, member_index)
    raw.note_counts(commas, blanks, ("blank place", "inside lists"), empty_rows)
    return raw


def read_long(
    text: Text, source: Source, format_: str, id_index: int | None, time_index: int, member_index: int | None
) -> RawRecording:
    """A row per spike: an id and a time."""
    name = text.names[time_index]
    keys = [index for index in (id_index, member_index) if index is not None]
    labels: list[pd.DataFrame] = []
    times: list[FloatArray] = []
    row_numbers: list[NDArray[np.int64]] = []
    total = commas = empty_rows = 0
    for rows, block in table_blocks(text, source, text.width):
        nothing = _blank_rows(block)
        empty_rows += int(nothing.sum())
        block = block[~nothing]
        numbers = np.asarray(rows, dtype=np.int64)[~nothing]
        cells = block[time_index].str.strip()
        filled = (cells != "").to_numpy()
        values = np.full(filled.size, np.nan)
        values[filled], n_commas = to_floats(
            cells[filled].tolist(), source, numbers[filled], f"column {name!r}"
        )
        _refuse_non_finite(values, filled, numbers, cells, source, name)
        commas += n_commas
        total += int(filled.sum())
        source.check_counts(total)
        for index in keys:
            missing = (block[index].str.strip() == "").to_numpy()
            if missing.any():
                row = int(numbers[missing.argmax()])
                raise source.error(f"the id is missing (column {text.names[index]!r}).", row=row)
        labels.append(block[keys])
        times.append(values)
        row_numbers.append(numbers)

    if not times:
        raise source.error(f"the column {name!r} is empty, so the file holds no spike times.")
    all_times, all_rows = np.concatenate(times), np.concatenate(row_numbers)
    trains, blanks = _grouped(pd.concat(labels), all_times, all_rows, keys, source, name)
    layout = f"a row per spike, the time in column {name!r}"
    if not keys:
        layout = f"one train, its times in column {name!r}"
    raw = RawRecording(format_, "long" if keys else "single", layout, trains)
    _columns(raw, text, id_index, time_index, member_index)
    raw.note_counts(commas, empty=empty_rows)
    if blanks:
        raw.skipped.append(f"{counted(blanks, 'row')} without a time, of trains that have spikes elsewhere")
    return raw


def read_columns(text: Text, source: Source, format_: str) -> RawRecording:
    """A column per train, columns as long as they need to be."""
    width, names = text.width, text.names
    source.check_counts(0, width - 1)
    parts: list[list[FloatArray]] = [[] for _ in range(width)]
    places: list[list[NDArray[np.int64]]] = [[] for _ in range(width)]
    total = commas = empty_rows = 0
    for rows, block in table_blocks(text, source, width):
        empty_rows += int(_blank_rows(block).sum())
        numbers = np.asarray(rows, dtype=np.int64)
        for index in range(width):
            cells = block[index].str.strip()
            filled = (cells != "").to_numpy()
            if not filled.any():
                continue
            values, n_commas = to_floats(
                cells[filled].tolist(), source, numbers[filled], f"column {names[index]!r}"
            )
            parts[index].append(values)
            places[index].append(numbers[filled])
            commas += n_commas
            total += values.size
            source.check_counts(total)
    trains: list[RawTrain] = []
    skipped: list[str] = []
    for index in range(width):
        values = np.concatenate(parts[index] or [np.empty(0)])
        numbers = np.concatenate(places[index] or [np.empty(0, dtype=np.int64)])
        name = names[index].strip()
        if index == 0 and width > 1 and name.lower() in {"", "index", "unnamed: 0"} and is_counter(values):
            skipped.append("the first column, which numbers the rows")
            continue
        if not name and not values.size:
            continue  # a delimiter at the end of every line
        kept = _without_padding(values)
        if kept < values.size:
            values, numbers = values[:kept], numbers[:kept]
        label = source.id(name or f"column {index + 1}", row=text.start)
        trains.append(RawTrain(label, values, f"column {label!r}", numbers))
        source.check_counts(total, len(trains))
    raw = RawRecording(format_, "columns", "a column per train", trains, skipped=skipped)
    units = {unit_from_name(name)[1] for name in names if name.strip()}
    if len(units) == 1 and (unit := units.pop()) is not None:
        raw.unit, raw.unit_reason = unit, "as the column names say"
    raw.note_counts(commas, empty=empty_rows)
    return raw


def _without_padding(values: FloatArray) -> int:
    """Length of `values` without the NaN at their end, which fill up a ragged table."""
    last = values.size
    while last and np.isnan(values[last - 1]):
        last -= 1
    return last


def _blank_rows(block: pd.DataFrame) -> NDArray[np.bool_]:
    blank = np.ones(len(block), dtype=bool)
    for column in block.columns:
        blank &= (block[column].str.strip() == "").to_numpy()
        if not blank.any():
            break
    return blank


def _refuse_non_finite(
    values: FloatArray,
    filled: NDArray[np.bool_],
    rows: NDArray[np.int64],
    cells: pd.Series,
    source: Source,
    name: str,
) -> None:
    # Checked here because a blank time is NaN from now on.
    wrong = filled & ~np.isfinite(values)
    if wrong.any():
        where = int(wrong.argmax())
        raise source.error(
            f"{shown([cells.iloc[where]])} in column {name!r} is not finite; a spike time must be a number.",
            row=int(rows[where]),
        )


def _grouped(
    labels: pd.DataFrame,
    times: FloatArray,
    rows: NDArray[np.int64],
    keys: list[int],
    source: Source,
    name: str,
) -> tuple[list[RawTrain], int]:
    """Trains in the order in which their ids first appear, and the number of rows without a time left out."""
    filled = ~np.isnan(times)
    if not keys:
        train = RawTrain(source.id(source.stem), times[filled], f"column {name!r}", rows[filled])
        return [train], int((~filled).sum())
    label = labels[keys[0]].str.strip()
    if len(keys) > 1:
        label = label + "/" + labels[keys[1]].str.strip()
    codes, uniques = pd.factorize(label)
    source.check_counts(0, len(uniques))
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(uniques)))[:-1]
    trains = []
    blanks = 0
    for label_text, group in zip(uniques, np.split(order, ends), strict=True):
        spikes = group[filled[group]]
        if spikes.size:  # an id with one row and no time is how a silent train is written
            blanks += group.size - spikes.size
        name_of = source.id(label_text, row=int(rows[group[0]]))
        trains.append(RawTrain(name_of, times[spikes], f"column {name!r}", rows[spikes]))
    return trains, int(blanks)


def _columns(
    raw: RawRecording, text: Text, id_index: int | None, time_index: int, member_index: int | None
) -> None:
    names = text.names
    for role, index in (("id", id_index), ("member", member_index), ("time", time_index)):
        if index is not None:
            raw.columns[role] = names[index]
    used = {id_index, time_index, member_index}
    ignored = [name for k, name in enumerate(names) if k not in used and (name.strip() or text.column(k))]
    if ignored:
        word = "column" if len(ignored) == 1 else "columns"
        raw.skipped.append(f"the {word} {shown(ignored)}, neither ids nor times")
    unit = unit_from_name(names[time_index])[1]
    if unit is not None and text.header is not None:
        raw.unit, raw.unit_reason = unit, f"as the column name {names[time_index]!r} says"
