"""A text file as a `Table`: rectangular, a list per line, or one list over many lines."""

from __future__ import annotations

import re
import warnings
from io import StringIO
from pathlib import PurePath
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.io.parsers import TextFileReader

from spike2pop_nb.spiketrains.limits import MAX_CELLS
from spike2pop_nb.spiketrains.names import role_of
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .cells import MISSING, is_list, is_measured, is_number, parse_list, row_of_times
from .raw import Source, counted, shown
from .running import running_table
from .text import COMMENT_MARKS, Text, take_apart
from .text_around import LABEL, block_labels, labels_stand_apart
from .text_cells import BLANK, cells_of, with_quoted_lists
from .text_columns import column_of, join_spellings, numbers_column, units_below
from .text_exports import igor_table, is_igor_text, is_spike2_text, spike2_table

__all__ = ["text_table"]

_NO_DELIMITER: Final = "\x1f"
_WIDE: Final = 500


def text_table(source: Source) -> Table:
    """Parse a CSV or TXT file."""
    if is_spike2_text(source):
        return spike2_table(source)
    if is_igor_text(source):
        return igor_table(source)
    text = take_apart(source)
    suffix = PurePath(source.name).suffix.lower()
    tabular = text.delimiter not in ("", BLANK)
    format_ = "CSV" if suffix in {".csv", ".tsv"} or (tabular and suffix != ".txt") else "TXT"
    table = running_table(text, source, format_)
    if table is None:
        if not any(cell.strip() for row in text.sample for cell in row):
            _refuse_nothing(text, source)
        if _one_entry_per_line(text):
            table = _single(text, source, format_)
        elif _is_ragged(text):
            table = _ragged(text, source, format_)
        else:
            table = _rectangular(text, source, format_)
    table.comments = [line.lstrip("#%/ ") if line else line for line in text.comments]
    table.facts = {**text.facts, **table.facts}
    table.repairs[:0] = text.repairs
    table.skipped[:0] = text.skipped
    return table


def _refuse_nothing(text: Text, source: Source) -> None:
    header = text.header or []
    if len(header) == 1 and role_of(header[0]) != "time":
        raise source.error(f"{shown(header)} is not a number, so there are no spike times.")
    raise source.error(f"there is nothing below the column names {shown(header)}, so no spike times.")


def _one_entry_per_line(text: Text) -> bool:
    return text.width == 1 and text.delimiter in ("", BLANK) and not any(is_list(c) for c in text.column(0))


def _is_ragged(text: Text) -> bool:
    if labels_stand_apart(text):
        return True
    lists = any(is_list(cell) for row in text.sample for cell in row[:3])
    if text.delimiter in ("", BLANK) and lists and text.header is None:
        return True
    if text.header is not None:
        # ID,spiking_times above rows of an id and as many bare numbers as there are spikes. In a table of ids
        # and times a third cell is a fault, which is left for the reader of such tables to name.
        named = len(text.header) == 2 and role_of(text.header[0]) in ("id", "counter")
        return named and 2 * sum(len(row) > 2 for row in text.sample) > len(text.sample)
    if any(is_list(cell) for row in text.sample for cell in row):
        return False
    lengths = {len(row) for row in text.sample}
    return len(lengths) > 1 or text.width > _WIDE or len(text.sample) == 1


def _single(text: Text, source: Source, format_: str) -> Table:
    """One entry per line."""
    blocks = block_labels(text)
    cells, where, blank, comments = _entries(text, blocks)
    source.check_counts(len(cells))
    name = text.header[0] if text.header else ""
    units = units_below(cells[:1], cells[1:2]) if name else None
    if units:
        cells, where = cells[1:], where[1:]
    numbers = 2 * sum(is_number(cell) for cell in cells[:100]) >= len(cells[:100])
    with_units = not numbers and is_measured(cells[:100], sure=True)
    if not numbers and not with_units and not (name and role_of(name) == "time"):
        named = shown(text.header) if text.header else "the contents"
        raise source.error(f"{named} cannot be recognised as spike times; {EXPECTED}.")
    empty = np.zeros(len(cells), dtype=bool)
    if numbers or with_units:
        column = numbers_column(name, cells, where, empty, with_units=with_units)
    else:
        column = Column(name, np.array(cells), rows=where)  # dates, which the layouts name
    table = Table(format_, [column], named=text.header is not None)
    if not name and cells[:1] == ["0"] and all("." in cell for cell in cells[1:]) and len(cells) > 3:
        table.cautions.append(
            "the first line, 0, is taken for a spike; delete it if it is the name that pandas gives a column"
        )
    if blocks:
        column.name = "time" if role_of(name) != "time" else name
        names = np.array(["", *blocks.values()])
        labels = names[np.searchsorted(list(blocks), where)]
        table.columns.insert(0, Column("block", labels, rows=where))
        table.named = True
        table.repairs.append(
            f"{counted(len(blocks), 'block')} under {shown(list(blocks.values()))}, taken for trains"
        )
    _take_units(table, units)
    _note(table, blank=blank, comments=comments)
    return table


def _entries(text: Text, blocks: dict[int, str]) -> tuple[list[str], NDArray[np.int64], int, int]:
    """Entries of lines but for names of blocks, their rows, and how many lines are blank and comments."""
    lines, first = text.lines[text.start :], text.start + 1
    if text.plain and not blocks:
        cells = [line for line in lines if line]
        where = first + np.flatnonzero(np.fromiter(map(bool, lines), dtype=bool, count=len(lines)))
        return cells, where, len(lines) - len(cells), 0
    cells, rows, blank, comments = [], [], 0, 0
    for row, line in enumerate(lines, start=first):
        cell = line.strip().strip('"').rstrip(",;")
        if not cell or row in blocks:
            blank += not cell
        elif cell.startswith(COMMENT_MARKS):
            comments += 1
        else:
            cells.append(cell)
            rows.append(row)
    return cells, np.array(rows, dtype=np.int64), blank, comments


def _ragged(text: Text, source: Source, format_: str) -> Table:
    """A list per line, with or without a label before it."""
    lists: list[FloatArray] = []
    leading: list[str] = []
    rows: list[int] = []
    total = commas = blanks = empty = comments = 0
    labelled = _labels_lead(text)
    for row, line in enumerate(text.lines[text.start :], start=text.start + 1):
        stripped = line.strip()
        if not stripped:
            empty += 1
            continue
        if stripped.startswith(COMMENT_MARKS):
            comments += 1
            continue
        label, times, n_commas, n_blanks = _line(stripped, text.delimiter, labelled, source, row)
        commas, blanks, total = commas + n_commas, blanks + n_blanks, total + times.size
        leading.append(label)
        lists.append(times)
        rows.append(row)
        source.check_counts(total, len(lists))
    numbered = np.array(rows, dtype=np.int64)
    columns = [Column(text.header[1] if text.header else "", lists, rows=numbered, decimal_commas=commas)]
    columns[0].cells = np.array([text.lines[row - 1][:100] for row in rows], dtype=object)
    if labelled or any(leading):
        name = text.header[0] if text.header else ""
        columns.insert(0, Column(name, np.array(leading), rows=numbered))
    table = Table(format_, columns, named=text.header is not None, ragged=True)
    _note(table, blank=empty, comments=comments)
    if blanks:
        table.skipped.append(f"{counted(blanks, 'blank cell')} between times")
    return table


def _labels_lead(text: Text) -> bool:
    """Whether lines begin with a label: text, "7:", or the id of a named column."""
    if text.header is not None:
        return True
    leading = [row[0].strip() for row in text.sample if row]
    labels = sum(not (is_number(cell) or is_list(cell)) for cell in leading)
    return 2 * labels >= len(leading) and any(len(row) > 1 for row in text.sample)


def _line(
    line: str, delimiter: str, labelled: bool, source: Source, row: int
) -> tuple[str, FloatArray, int, int]:
    """Label ("" for none), times, decimal commas and blank entries of one line."""
    where = "a train per line"
    if '"' in line:
        # Quotes enclose cells; one inside a number would join two numbers once it is taken away.
        if re.search(r'[^\s,;:=\t"]"[^\s,;:=\t"]', line):
            raise source.error(f"a quotation mark stands inside {shown([line])} ({where}).", row=row)
        if delimiter in ("", BLANK):
            line = line.replace('"', "").strip()
    bracket = min((at for at in (line.find("["), line.find("(")) if at >= 0), default=-1)
    if bracket >= 0 and '"' not in line:
        label = line[:bracket].strip(" \t:=,;|")
        if not label or not is_number(label.split()[-1].rstrip(":=,;|")) or " " not in label:
            return label, *parse_list(line[bracket:].rstrip(" ;,"), source, row, where)
    if delimiter in ("", BLANK):
        marked = LABEL.match(line) if labelled else None
        label, _, rest = line.partition(" ") if labelled else ("", "", line)
        if marked is not None:
            label, rest = marked[1], line[marked.end() :]
        source.check_counts(rest.count(" "))
        return label.rstrip(":=,"), *parse_list(rest, source, row, where)
    source.check_counts(line.count(delimiter) - 1)
    cells = [cell.strip() for cell in (cells_of(line, delimiter) if '"' in line else line.split(delimiter))]
    marked = LABEL.match(cells[0]) if labelled else None
    if marked is not None:
        cells[:1] = marked[1], cells[0][marked.end() :]  # cell 1: 12.5, 20.1
    label = cells.pop(0).rstrip(":=") if labelled else ""
    if len(cells) == 1:
        return label, *parse_list(cells[0], source, row, where)
    while cells and not cells[-1]:
        cells.pop()
    while cells and cells[-1].lower() in MISSING:
        cells.pop()  # what fills up ragged lines
    filled = [cell for cell in cells if cell]
    numbers = row_of_times(filled, source, row, where)
    return label, numbers.values, numbers.decimal_commas, len(cells) - len(filled)


def _rectangular(text: Text, source: Source, format_: str) -> Table:
    """Rows of as many cells each as there are columns, blank ones at the end left out or not."""
    width = text.width
    source.check_counts(0, width - 1)
    lines = text.lines[text.start :]
    if any("[" in line or "(" in line for line in lines[:50]):
        lines = [line if '"' in line else with_quoted_lists(line) for line in lines]
    if len(lines) * width > MAX_CELLS:
        raise source.error(
            f"the table has {len(lines):,} rows of {width:,} cells; up to {MAX_CELLS:,} cells are read."
        )
    _check_row_lengths(lines, text, source, width)
    blocks, numbers, empty = _blocks(lines, text, source, width)
    rows = np.concatenate(numbers) if numbers else np.empty(0, dtype=np.int64)
    names = text.names
    lists = _list_columns(text)
    commas = blanks = 0
    columns = []
    kept: list[str] = []
    units = None
    if text.header is not None and rows.size > 1:
        units = units_below(*([blocks[0][k][row] for k in range(width)] for row in (0, 1)))
    start = 0 if units is None else 1
    rows = rows[start:]
    for k in range(width):
        cells = np.concatenate([block[k] for block in blocks]) if blocks else np.empty(0, dtype=object)
        cells = cells[start:]
        column, n_blanks = column_of(names[k].strip(), cells, rows, k in lists, source)
        if column is not None:
            commas, blanks = commas + column.decimal_commas, blanks + n_blanks
            column.group = text.groups[k] if k < len(text.groups) else ""
            columns.append(column)
            kept.append(units[k] if units is not None else "")
    if any(column.decimal_commas and not column.doubt for column in columns):
        for column in columns:  # a comma means the same in the whole file
            column.doubt = "" if column.decimal_commas else column.doubt
    table = Table(format_, columns, named=text.header is not None)
    _take_units(table, kept if units is not None else None)
    joined = [spellings for column in columns if (spellings := join_spellings(column))]
    table.repairs += [f"{spellings}, which are the same number" for spellings in joined]
    _note(table, blank=empty)
    if blanks:
        table.skipped.append(f"{counted(blanks, 'blank place')} inside lists")
    return table


def _blocks(
    lines: list[str], text: Text, source: Source, width: int
) -> tuple[list[dict[int, NDArray[np.object_]]], list[NDArray[np.int64]], int]:
    """Cells by column and row numbers, in blocks, and how many rows were blank."""
    blocks: list[dict[int, NDArray[np.object_]]] = []
    numbers: list[NDArray[np.int64]] = []
    empty = 0
    try:
        # One column more than there should be, for a delimiter at the end of the line.
        reader = pd.read_csv(
            StringIO("\n".join(lines)),
            sep=r"\s+" if text.delimiter == BLANK else text.delimiter or _NO_DELIMITER,
            header=None,
            names=range(width + 1),
            index_col=False,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            skipinitialspace=True,
            chunksize=max(1, 500_000 // width),
        )
        while (block := _next_block(reader)) is not None:
            if block.empty:
                continue
            block = block.fillna("")
            first = text.start + 1 + int(block.index[0])
            rows = np.arange(first, first + len(block))
            extra = block[width].to_numpy(dtype=object)
            if any(cell.strip() for cell in extra if cell):
                where = next(k for k, cell in enumerate(extra) if cell.strip())
                raise source.error(
                    f"the row has more than the {width} cells of the table, the next being "
                    f"{shown([extra[where]])}.",
                    row=int(rows[where]),
                )
            cells = {k: _stripped(block[k].to_numpy(dtype=object)) for k in range(width)}
            filled = np.zeros(len(block), dtype=bool)
            for values in cells.values():
                filled |= values != ""
            empty += int((~filled).sum())
            blocks.append({k: values[filled] for k, values in cells.items()})
            numbers.append(rows[filled])
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError):
        raise source.error("the table cannot be read; is a quotation mark missing or out of place?") from None
    return blocks, numbers, empty


def _stripped(cells: NDArray[np.object_]) -> NDArray[np.object_]:
    found = np.empty(cells.size, dtype=object)
    found[:] = [cell.strip() for cell in cells]
    return found


def _next_block(blocks: TextFileReader) -> pd.DataFrame | None:
    with warnings.catch_warnings():
        # pandas warns when it cuts a row that is too long; nothing may be dropped here.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return next(blocks, None)


def _check_row_lengths(lines: list[str], text: Text, source: Source, width: int) -> None:
    """Refuse a row with more cells than the table has, and cut delimiters at the end of rows in place."""
    inside = False  # a quoted cell may run over several lines
    for k, line in enumerate(lines):
        odd = line.count('"') % 2 == 1
        n_most = len(line.split()) if text.delimiter == BLANK else line.count(text.delimiter or "\n") + 1
        if n_most > width and not inside and not odd:
            cells = cells_of(line, text.delimiter)
            if len(cells) > width and not cells[-1].strip():
                lines[k] = line.rstrip(f" {text.delimiter}")
                cells = cells_of(lines[k], text.delimiter)
            if len(cells) > width:
                raise source.error(
                    f"the row has {len(cells)} cells where the table has {width}, "
                    f"{shown(cells[width:])} being too many.",
                    row=text.start + k + 1,
                )
        inside ^= odd


def _list_columns(text: Text) -> set[int]:
    found: set[int] = set()
    for k in text.sampled:
        cells = text.column(k)
        role = role_of(text.names[k]) if text.header is not None else ""
        n_lists = sum(is_list(cell) for cell in cells)
        if role in ("id", "trial"):
            continue
        if n_lists and (2 * n_lists > len(cells) or role == "time"):
            found.add(k)
        elif role == "time" and any(is_number(cell) for cell in cells):
            return set()  # one time per row: brackets elsewhere are part of a name
    return found


def _take_units(table: Table, units: list[str] | None) -> None:
    """Give columns of numbers the units of the line under their names."""
    if units is not None:
        for column, unit in zip(table.columns, units, strict=True):
            column.unit = unit if column.kind == "numbers" else ""
        said = shown([unit for unit in units if unit])
        table.repairs.append(f"the line of units under the names, {said}")


def _note(table: Table, *, blank: int = 0, comments: int = 0) -> None:
    if blank:
        table.skipped.append(counted(blank, "blank line"))
    if comments:
        table.skipped.append(counted(comments, "comment line"))


EXPECTED: Final = (
    "a table needs an id and a time column (id, time_ms), a list of times per row (ID, spiking_times), "
    "or a column of increasing times per train"
)
