"""Sheets of a workbook, or tables one below the other: which hold recordings, and the trains of all these."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from spike2pop_nb.errors import SpikeTrainError, WayOut

from .behaviour import has_equal_steps, is_counter, share_increasing
from .layouts import understand
from .layouts.reading import RawTrain, Reading
from .layouts.reshaped import quantities_upright
from .layouts.timing import Timing, timing_of
from .names import EVENTS, role_of, same_name, words_of
from .readers.cells import is_number, value_of
from .readers.raw import Options, Source, Subtable, named, shown
from .readers.text_table import text_table
from .table import Column, Table
from .units import shown_unit, to_ms, unit_from_name

__all__ = ["first_sheet", "read_sheets"]

_SETTLE: Final = WayOut("name the sheets that are recordings", ("sheets",))
# What sheets are called that lie beside those of recordings.
_BESIDE: Final = EVENTS | {
    *("note", "summary", "parameter", "param", "info", "setting", "metadata", "meta", "readme", "legend"),
    *("statistic", "stat", "protocol", "log", "isi", "interval", "histogram", "psth", "rate", "event"),
}


@dataclass
class _Part:
    """A sheet, and what was made of it."""

    sheet: Subtable
    source: Source
    table: Table | None = None
    reading: Reading | None = None
    error: SpikeTrainError | None = None
    lacks: bool = False

    @property
    def kind(self) -> tuple[str, ...]:
        """What sheets of the same kind have in common: names of columns, numbers in them aside."""
        if self.table is None or self.reading is None:
            return ()
        times = self.reading.times
        if self.reading.layout in ("columns", "rows") or (
            len(self.table.columns) == 1 and role_of(times[0].leaf) != "time"
        ):
            return ("a train per column",)
        names = [c.name for c in self.table.columns if c.kind != "text" or c in times]
        stems = (unit_from_name(name)[0] for name in names)
        return tuple(sorted({re.sub(r"\d+", "", stem).strip().lower() for stem in stems}))


def first_sheet(source: Source, sheets: Sequence[Subtable]) -> Table:
    """The first sheet of a workbook that can be a table, with a caution on the others."""
    tables = [sheet for sheet in sheets if sheet.kind == "table"] or [s for s in sheets if s.kind == "few"]
    parts = [_parsed(source, sheet, len(tables) > 1) for sheet in tables]
    part = next((part for part in parts if part.table is not None), parts[0])
    if part.table is None:
        assert part.error is not None
        raise part.error
    others = [sheet.name for sheet in sheets if sheet.kind != "words" and sheet is not part.sheet]
    if others:
        part.table.cautions.append(
            f"of the sheets with numbers {part.sheet.name!r} is read and {shown(others)} not; save another "
            "as CSV to read it"
        )
    part.table.sheets = tuple(sheet.name for sheet in sheets if sheet.kind != "words")
    return part.table


def read_sheets(
    source: Source, sheets: Sequence[Subtable], options: Options
) -> tuple[Table, Reading, Timing]:
    """The trains of all sheets that hold recordings.

    ``sheets`` of the options names them; without it, sheets of notes, parameters and sums are left out.
    Refused where a sheet that seems to hold spike times cannot be read, or which are recordings cannot be
    told.
    """
    chosen = _asked(source, sheets, options) or [sheet for sheet in sheets if sheet.kind != "words"]
    parts = [_parsed(source, sheet, len(sheets) > 1) for sheet in chosen]
    for part in parts:
        _understand(part, options)
    if options.sheets is None and len(parts) > 1 and parts[0].sheet.what == "sheet":
        parts = _recordings(parts, source)
    for part in parts:
        if part.error is not None:
            raise part.error
    table, reading, timing = _joined(parts, source, options)
    table.sheets = tuple(s.name for s in sheets if s.what == "sheet" and s.kind != "words")
    names = {part.sheet.name for part in parts}
    left = [sheet.name for sheet in sheets if sheet.name not in names]
    if left:
        why = "not asked for" if options.sheets is not None else "not taken for spike times"
        noun = "the sheet" if len(left) == 1 else "the sheets"
        reading.skipped.append(f"{noun} {shown(left, 12)}, {why}")
    return table, reading, timing


def _asked(source: Source, sheets: Sequence[Subtable], options: Options) -> list[Subtable]:
    by_name = {sheet.name: sheet for sheet in sheets}
    names = dict.fromkeys(named(options.sheets or (), by_name))
    missing = [name for name in names if name not in by_name]
    if missing:
        raise source.error(f"there is no sheet {missing[0]!r}; the sheets are {shown(list(by_name), 12)}.")
    return [by_name[name] for name in names]


def _parsed(source: Source, sheet: Subtable, several: bool) -> _Part:
    named = f"{sheet.what} {sheet.name!r}" if several else ""
    part = _Part(sheet, replace(source, data=sheet.text.encode(), part=named))
    try:
        part.table = text_table(part.source)
        if sheet.what == "sheet":
            part.table.format = "Excel"
            part.table.facts.setdefault("sheet", sheet.name)
        else:
            part.table.skipped = [text for text in part.table.skipped if "blank line" not in text]
    except SpikeTrainError as error:
        part.error = error
    return part


def _understand(part: _Part, options: Options) -> None:
    if part.table is None:
        return
    asked = [name for name in (options.time_column, *(options.id_columns or ())) if isinstance(name, str)]
    part.lacks = not all(any(same_name(name, own) for own in part.table.names) for name in asked)
    try:
        if options.layout == "auto":
            part.table = quantities_upright(part.table)
        part.reading = understand(part.table, part.source, options)
    except SpikeTrainError as error:
        part.error = error


def _recordings(parts: list[_Part], source: Source) -> list[_Part]:
    """The sheets of recordings among several; refused where it cannot be told which they are."""
    full = [part for part in parts if part.sheet.kind == "table"] or parts
    beside = [part for part in full if _is_beside(part.sheet.name)]
    beside = beside if len(beside) < len(full) else []
    for part in full:
        if part.error is not None and part not in beside and not part.lacks and _may_hold_times(part):
            raise SpikeTrainError(part.error.sentence, *part.error.ways_out, _SETTLE)
    understood = [part for part in full if part.reading is not None]
    if not understood:
        return full[:1]
    plain = [part for part in understood if part not in beside] or understood
    kinds = {part.kind for part in plain}
    doubtful = [part for part in understood if part not in plain and part.kind in kinds]
    if len(kinds) > 1 or doubtful:
        what = f"{shown([part.sheet.name for part in doubtful])} among " if doubtful else ""
        raise source.error(
            f"it cannot be told whether {what}the sheets {shown([p.sheet.name for p in understood], 12)} "
            "are all recordings.",
            _SETTLE,
        )
    return [part for part in parts if part in plain or (part not in full and part.kind in kinds)]


def _is_beside(name: str) -> bool:
    """Whether a sheet is called as those are that hold no recording."""
    return any(word.rstrip("0123456789") in _BESIDE for word in words_of(name))


def _may_hold_times(part: _Part) -> bool:
    """Whether a sheet that could not be read may hold spike times: by a name, or since its columns grow."""
    rows = list(csv.reader(part.sheet.text.splitlines(), delimiter="\t"))
    width = max(map(len, rows), default=0)
    grown: list[bool] = []
    for k in range(width):
        cells = [row[k] for row in rows if k < len(row) and row[k]]
        values = np.array([value_of(cell) for cell in cells if is_number(cell)])
        if 2 * len(values) < len(cells) and len(cells) > 5:
            grown += [False] * width  # words beside numbers sum up cells
        if len(values) < 5 or is_counter(values) or has_equal_steps(values):
            continue
        roles = {role_of(cell) for cell in cells[:20] if not is_number(cell)}
        if "time" in roles:
            return True
        grown.append(not roles - {""} and share_increasing([values]) > 0.9)
    return 2 * sum(grown) > len(grown)


def _joined(parts: Sequence[_Part], source: Source, options: Options) -> tuple[Table, Reading, Timing]:
    """All trains, named by their sheets where there are several, in one unit."""
    found = [(part, part.table, part.reading) for part in parts if part.table and part.reading]
    if len(found) == 1 and options.sheets is None:
        part, table, reading = found[0]
        return table, reading, timing_of(table, reading, part.source, options)
    timings = [timing_of(table, reading, part.source, options) for part, table, reading in found]
    if all(timing.assumed for timing in timings):  # a slow cell alone may seem to be in another unit
        timings = [timing_of(_tables(found), _readings(found), source, options)] * len(found)
    units = {(timing.unit, timing.sampling_rate_hz) for timing in timings}
    timing = timings[0]
    if len(units) > 1:
        said = []
        for (part, _, reading), own in zip(found, timings, strict=True):
            said.append(f"{shown_unit(own.unit)} in {part.sheet.name!r}")
            for train in reading.trains:
                train.times = to_ms(train.times, own.unit, own.sampling_rate_hz)
        caution = next((own.caution for own in timings if own.caution), "")
        timing = Timing("ms", None, f"ms, from {', '.join(said)}", any(t.assumed for t in timings), caution)
    for part, _, reading in found:
        for train in reading.trains:
            alone = reading.layout == "single"
            train.id = source.id(part.sheet.name if alone else f"{part.sheet.name}/{train.id}")
            train.location = f"{train.location} of {part.source.part}"
    return _tables(found), _readings(found), timing


_Found = tuple[_Part, Table, Reading]


def _tables(found: Sequence[_Found]) -> Table:
    """The columns of all sheets by their names, and what is to be said of each sheet."""
    columns: dict[str, Column] = {}
    table = Table(found[0][1].format, [])
    for _, own, _ in found:
        columns |= {c.name: c for c in own.columns if c.name not in columns}
        table.facts |= {name: value for name, value in own.facts.items() if name not in table.facts}
        table.comments += own.comments
    table.columns = list(columns.values())
    table.named = all(own.named for _, own, _ in found)
    for what in ("repairs", "skipped", "cautions"):
        getattr(table, what).extend(_said([(part, getattr(own, what)) for part, own, _ in found]))
    return table


def _readings(found: Sequence[_Found]) -> Reading:
    readings = [reading for _, _, reading in found]
    names = [part.sheet.name for part, _, _ in found]
    first = readings[0]
    reasons = list(dict.fromkeys(reading.reason for reading in readings))
    trains: list[RawTrain] = [train for reading in readings for train in reading.trains]
    what = found[0][0].sheet.what
    which = f"{what} {names[0]!r}" if len(names) == 1 else f"{len(names)} {what}s, {shown(names, 12)}, each"
    joined = Reading(
        first.layout,
        f"{which} with {' or '.join(reasons[:3])}",
        trains,
        [column for reading in readings for column in reading.times],
    )
    if all(reading.columns == first.columns for reading in readings):
        joined.columns = first.columns
    joined.key = f"the name of the {what}{f', and {first.key}' if first.key else ''}"
    for what in ("repairs", "skipped", "cautions"):
        getattr(joined, what).extend(_said([(part, getattr(own, what)) for part, _, own in found]))
    return joined


def _said(lists: Sequence[tuple[_Part, list[str]]]) -> list[str]:
    """What is said of the sheets, each sentence once, with the sheets of which alone it is said."""
    by_text: dict[str, list[str]] = {}
    for part, texts in lists:
        for text in texts:
            by_text.setdefault(text, []).append(part.sheet.name)
    return [
        text if len(names) == len(lists) else f"{text} ({lists[0][0].sheet.what} {shown(names)})"
        for text, names in by_text.items()
    ]
