"""CSV and TXT: decide which layout a text file has, then read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import unit_from_comments, unit_from_name

from .columns import (
    EXPECTED,
    find_column,
    grows_within_groups,
    is_counter,
    is_id_name,
    is_member_name,
    is_signal_name,
    is_time_name,
    share_increasing,
)
from .lines import read_rows, read_single
from .numbers import is_list, is_number
from .plain import read_plain
from .raw import Options, RawRecording, Source, shown
from .tables import read_columns, read_lists, read_long
from .text import BLANK, Text, read_text
from .traces import Trace, find_trace

__all__ = ["read_text_file"]

# Spike times grow down a column; in a table of other quantities half of the steps go up.
_MIN_INCREASING: Final = 0.65


@dataclass(frozen=True)
class _Plan:
    layout: str
    id: int | None = None
    time: int = 0
    member: int | None = None
    id_first: bool = False


def read_text_file(source: Source, options: Options) -> RawRecording:
    """Read a CSV or TXT file.

    Parameters
    ----------
    source : Source
        The file.
    options : Options
        What the caller fixed.

    Raises
    ------
    SpikeTrainError
        When the file is no table of spike times, or holds something else among its numbers.
    """
    text = read_text(source)
    suffix = PurePath(source.name).suffix.lower()
    tabular = text.delimiter not in ("", BLANK)
    format_ = "CSV" if suffix in {".csv", ".tsv"} or (tabular and suffix != ".txt") else "TXT"

    free = options.time_column is None and options.id_column is None
    if free and options.layout == "auto" and (trace := find_trace(text)) is not None and trace.sure:
        raise _trace_error(trace, source)
    if free and options.layout in ("auto", "single"):
        plain = read_plain(text, source, format_, asked=options.layout == "single", ids=_id_leads(text))
        if plain is not None:
            return _with_text(plain, text)
    if not any(cell.strip() for row in text.sample for cell in row):
        header = text.header or []
        if len(header) == 1 and not is_time_name(header[0]):
            raise source.error(f"{shown(header)} is no number, so there are no spike times.")
        raise source.error(f"there is nothing below the column names {shown(header)}, so no spike times.")
    plan = _explicit(text, source, options) or _guess(text, source, options)
    if plan.layout == "list":
        raw = read_lists(text, source, format_, plan.id, plan.time, plan.member)
    elif plan.layout == "columns":
        raw = read_columns(text, source, format_)
    elif plan.layout == "rows":
        raw = read_rows(text, source, format_, id_first=plan.id_first)
    elif text.width == 1 and text.delimiter in ("", BLANK):
        raw = read_single(text, source, format_)
        _name_unit(raw, text)
    else:
        unnamed_id = plan.id is None or (text.header is not None and not is_id_name(text.names[plan.id]))
        if options.time_column is None and unnamed_id and (trace := find_trace(text)) is not None:
            raise _trace_error(trace, source)
        raw = read_long(text, source, format_, plan.id, plan.time, plan.member)
    if text.width > 1 and plan.layout in ("list", "long", "single", "columns"):
        raw.candidates = tuple(text.names)
    return _with_text(raw, text)


def _with_text(raw: RawRecording, text: Text) -> RawRecording:
    """Add what was found before the numbers: repairs, what was skipped, and the unit in a comment."""
    raw.repairs[:0] = text.repairs
    raw.skipped[:0] = text.skipped
    if raw.unit is None:
        stated = unit_from_comments(text.comments)
        if stated is not None:
            raw.unit, raw.unit_reason = stated[0], f"as the comment {shown([stated[1]])} says"
    return raw


def _trace_error(trace: Trace, source: Source) -> Exception:
    return source.error(
        f"the column {trace.clock_name!r} has equal steps and {shown(trace.names)} beside it, like a sampled "
        "trace; read it with read_voltage and find its spikes with detect_spikes (or name the time column if "
        "these are spike times)."
    )


def _name_unit(raw: RawRecording, text: Text) -> None:
    unit = unit_from_name(text.header[0])[1] if text.header else None
    if unit is not None:
        raw.unit, raw.unit_reason = unit, f"as the column name {raw.columns['time']!r} says"


def _explicit(text: Text, source: Source, options: Options) -> _Plan | None:
    """The plan when the caller named the layout or the time column; None when they did not."""
    names = text.names
    id_index = find_column(options.id_column, names, source)
    time_index = find_column(options.time_column, names, source)
    if options.layout == "auto" and time_index is None:
        return None
    if options.layout == "rows":
        return _Plan("rows", id_first=id_index == 0 or (options.id_column is None and _id_leads(text)))
    if options.layout == "columns":
        return _Plan("columns")
    lists = _list_columns(text)
    layout = options.layout
    if layout == "auto":
        layout = "list" if time_index in lists else "long"
    if time_index is None:
        candidates = lists if layout == "list" else [k for k, name in enumerate(names) if is_time_name(name)]
        if not candidates:
            candidates = [k for k in text.sampled if _numeric(text, k) and k != id_index]
        if not candidates:
            raise source.error(f"no column of times among {shown(names)}; name it as the time column.")
        # Without names to go by, the ids come first and the times last.
        time_index = candidates[0] if is_time_name(names[candidates[0]]) else candidates[-1]
    if layout == "single":
        return _Plan("single", time=time_index)
    if id_index is None:
        id_index = _named(text, is_id_name, besides=time_index)
        if id_index is None and layout == "long" and text.width == 2 and options.layout == "long":
            id_index = 1 - time_index
    return _Plan(layout, id_index, time_index, _named(text, is_member_name, besides=time_index))


def _guess(text: Text, source: Source, options: Options) -> _Plan:
    names = text.names
    id_index = find_column(options.id_column, names, source)
    lists = _list_columns(text)
    if text.delimiter in ("", BLANK) and lists:
        return _Plan("rows", id_first=_id_leads(text))
    # ID,spiking_times above rows of an id and as many bare numbers as there are spikes. In a table of ids and
    # times a third cell is a fault, which is left for the reader of such tables to name.
    two_named = text.header is not None and len(text.header) == 2 and is_id_name(text.header[0])
    if two_named and 2 * sum(len(row) > 2 for row in text.sample) > len(text.sample):
        return _Plan("rows", id_first=True)
    if lists:
        time = _only(lists, text, source)
        id_index = id_index if id_index is not None else _named(text, is_id_name, besides=time)
        if id_index is None and text.width > 1:
            id_index = next(k for k in text.sampled if k != time)
        return _Plan("list", id_index, time, _named(text, is_member_name, besides=time))
    if text.width == 1:
        if not _numeric(text, 0):
            raise _unrecognised(text, source)
        return _Plan("single")
    if text.header is not None:
        return _guess_named(text, source, id_index)
    return _guess_unnamed(text, source)


def _guess_named(text: Text, source: Source, id_index: int | None) -> _Plan:
    """A table with column names and one number per cell."""
    names = text.names
    timed = [k for k, name in enumerate(names) if is_time_name(name) and k != id_index]
    filled = [k for k in text.sampled if text.column(k)]
    if len(timed) > 1 and timed == filled:
        return _Plan("columns")
    if timed:
        time = _only(timed, text, source)
        member = _named(text, is_member_name, besides=time)
        if id_index is None:
            id_index = _named(text, is_id_name, besides=time)
        if id_index is None:
            id_index = _grouping(text, time)
        return _Plan("long", id_index, time, member if id_index is not None else None)
    if id_index is None:
        id_index = _named(text, is_id_name)
    # No name speaks of time: the contents must, by growing within the groups of some other column.
    for time in filled:
        group = id_index if id_index is not None else _grouping(text, time)
        if time != group and group is not None and _grows(text, group, time):
            return _Plan("long", group, time, _named(text, is_member_name, besides=time))
    if all(_numeric(text, k) for k in filled):
        columns = [_floats(text.column(k)) for k in filled]
        if share_increasing(columns) >= _MIN_INCREASING:
            return _Plan("columns")
    raise _unrecognised(text, source)


def _guess_unnamed(text: Text, source: Source) -> _Plan:
    """A table without column names and with one number per cell."""
    lengths = {len(row) for row in text.sample}
    if _id_leads(text):
        if lengths == {2} and _grows(text, 0, 1):
            return _Plan("long", 0, 1)
        return _Plan("rows", id_first=True)
    if lengths == {2}:
        for group, time in ((0, 1), (1, 0)):
            if _grows(text, group, time):
                return _Plan("long", group, time)
    if lengths == {2} and _decimal_commas(text):
        text.delimiter, text.width = "", 1
        text.sample = [[",".join(row)] for row in text.sample]
        return _Plan("single")
    rows = [[cell for cell in row if cell.strip()] for row in text.sample]
    numbers = [is_number(cell) for row in rows for cell in row]
    if 2 * sum(numbers) < len(numbers):
        raise _unrecognised(text, source)
    along = share_increasing([_floats(row) for row in rows])
    down = share_increasing([_floats(text.column(k)) for k in text.sampled])
    if max(along, down) < _MIN_INCREASING:
        raise _unrecognised(text, source)
    ragged = len(lengths) > 1 and text.delimiter == BLANK
    return _Plan("rows") if ragged or along >= down else _Plan("columns")


def _decimal_commas(text: Text) -> bool:
    """Whether 373,9 on every line is a number with a decimal comma, and not two columns."""
    if text.delimiter != "," or not all(cell.strip().isdigit() for row in text.sample for cell in row):
        return False
    joined = _floats([".".join(cell.strip() for cell in row) for row in text.sample])
    fraction = _floats([row[1] for row in text.sample])
    return share_increasing([joined]) >= _MIN_INCREASING > share_increasing([fraction])


def _unrecognised(text: Text, source: Source) -> Exception:
    what = f"the columns {shown(text.header)}" if text.header else "the contents"
    return source.error(f"{what} cannot be recognised as spike times; {EXPECTED}.")


def _only(columns: list[int], text: Text, source: Source) -> int:
    """The one column of times among several candidates."""
    if len(columns) > 1:
        better = [k for k in columns if "sp" in text.names[k].lower()] or [
            k for k in columns if is_time_name(text.names[k])
        ]
        if len(better) != 1:
            names = [text.names[k] for k in columns]
            raise source.error(f"the columns {shown(names)} could all hold the times; name the time column.")
        columns = better
    return columns[0]


def _named(text: Text, test: object, *, besides: int | None = None) -> int | None:
    if text.header is None or not callable(test):
        return None
    return next((k for k, name in enumerate(text.header) if k != besides and test(name)), None)


def _numeric(text: Text, index: int) -> bool:
    cells = text.column(index)
    return 2 * sum(is_number(cell) for cell in cells) >= max(len(cells), 1)


def _list_columns(text: Text) -> list[int]:
    found = []
    for k in text.sampled:
        cells = text.column(k)
        n_lists = sum(is_list(cell) for cell in cells)
        named = text.header is not None and is_time_name(text.names[k])
        if text.header is not None and is_id_name(text.names[k]):
            continue
        if n_lists and (2 * n_lists > len(cells) or named):
            found.append(k)
        elif named and any(is_number(cell) for cell in cells):
            return []  # one time per row: brackets elsewhere are part of a name
    return found


def _floats(cells: list[str]) -> FloatArray:
    """The cells that are numbers, as numbers; only to judge a layout by."""
    return np.array([float(cell.replace(",", ".")) for cell in cells if is_number(cell)])


def _id_leads(text: Text) -> bool:
    """Whether rows begin with an id: text, "7:", or row numbers before times that are not whole."""
    leading = [row[0].strip() for row in text.sample if row]
    if text.header is not None and is_id_name(text.header[0]):
        return True
    labels = sum(not (is_number(cell) or is_list(cell)) for cell in leading)
    if 2 * labels >= len(leading):
        return any(len(row) > 1 for row in text.sample)
    if len(leading) < 2 or labels or min(len(row) for row in text.sample) < 2:
        return False
    first = _floats(leading)
    rest = [cell for row in text.sample for cell in row[1:] if cell.strip()]
    whole = all(cell.strip().lstrip("+-").isdigit() for cell in rest)
    return is_counter(first) and all(cell.isdigit() for cell in leading) and not whole


def _grouping(text: Text, time: int) -> int | None:
    """A column whose values repeat while the times grow within each of them."""
    columns = [k for k in text.sampled if k != time and not is_signal_name(text.names[k])]
    return next((k for k in columns if _grows(text, k, time)), None)


def _grows(text: Text, group: int, time: int) -> bool:
    rows = [row for row in text.sample if len(row) > max(group, time) and row[group].strip()]
    rows = [row for row in rows if is_number(row[time])]
    labels = [row[group].strip() for row in rows]
    if 2 * len(rows) < len(text.sample) or any(
        is_number(label) and not _floats([label])[0].is_integer() for label in labels
    ):
        return False
    return grows_within_groups(np.array(labels), _floats([row[time] for row in rows]))
