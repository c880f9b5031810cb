"""Plain text: a train per line, or one time per line."""

from __future__ import annotations

import csv
import re
from typing import Final

import numpy as np

from .numbers import parse_list, to_floats
from .raw import RawRecording, RawTrain, Source
from .text import BLANK, COMMENT_MARKS, Text

__all__ = ["read_rows", "read_single"]

_LABELLED_LIST: Final = re.compile(r"\s*([^\[(]*?)[\s:=,;|]*([\[(].*)", re.DOTALL)


def read_single(text: Text, source: Source, format_: str) -> RawRecording:
    """One time per line: a single train."""
    cells: list[str] = []
    rows: list[int] = []
    comments = blank = 0
    for row, line in enumerate(text.lines[text.start :], start=text.start + 1):
        cell = line.strip().strip('"').rstrip(",;")
        if not cell:
            blank += 1
        elif cell.startswith(COMMENT_MARKS):
            comments += 1
        else:
            cells.append(cell)
            rows.append(row)
    source.check_counts(len(cells))
    times, commas = to_floats(cells, source, rows, "one time per line")
    train = RawTrain(source.id(source.stem), times, "one time per line", np.array(rows, dtype=np.int64))
    raw = RawRecording(format_, "single", "one train, a time per line", [train])
    if text.header:
        raw.columns["time"] = text.header[0]
    raw.note_counts(commas, empty=blank, comments=comments)
    return raw


def read_rows(text: Text, source: Source, format_: str, *, id_first: bool) -> RawRecording:
    """A train per line, with or without its id in front."""
    trains: list[RawTrain] = []
    total = commas = blanks = empty = comments = padding = 0
    for row, line in enumerate(text.lines[text.start :], start=text.start + 1):
        stripped = line.strip()
        if not stripped:
            empty += 1
            continue
        if stripped.startswith(COMMENT_MARKS):
            comments += 1
            continue
        label, times, n_commas, n_blanks = _train(stripped, text.delimiter, id_first, source, row)
        commas, blanks = commas + n_commas, blanks + n_blanks
        while times.size and np.isnan(times[-1]):
            times = times[:-1]
            padding += 1
        total += times.size
        label = label or str(len(trains) + 1)
        trains.append(RawTrain(source.id(label, row=row), times, f"row {row}"))
        source.check_counts(total, len(trains))
    what = "its id first, then its times" if id_first else "trains numbered from 1"
    raw = RawRecording(format_, "rows", f"a train per line, {what}", trains)
    raw.note_counts(commas, blanks, ("blank cell", "between times"), empty, comments)
    if padding:
        raw.skipped.append(f"{padding:,} NaN that fill up the ends of lines")
    return raw


def _train(
    line: str, delimiter: str, id_first: bool, source: Source, row: int
) -> tuple[str, np.ndarray, int, int]:
    """Id ("" for none), times, decimal commas and blank entries of one line."""
    plain = line.replace('"', "")
    labelled = _LABELLED_LIST.fullmatch(plain) if "[" in plain or "(" in plain else None
    if labelled:
        times, commas, blanks = parse_list(labelled[2], source, row, "a train per line")
        return labelled[1].strip(), times, commas, blanks
    if delimiter in ("", BLANK):
        label, _, rest = plain.partition(" ") if id_first else ("", "", plain)
        source.check_counts(rest.count(" "))
        return label.rstrip(":=,"), *parse_list(rest, source, row, "a train per line")
    if '"' in line:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
    else:
        cells = line.split(delimiter)
    source.check_counts(len(cells) - 1)
    cells = [cell.strip() for cell in cells]
    label = cells.pop(0).rstrip(":=") if id_first else ""
    if len(cells) == 1:
        return label, *parse_list(cells[0], source, row, "a train per line")
    while cells and not cells[-1]:
        cells.pop()
    filled = [cell for cell in cells if cell]
    times, commas = to_floats(filled, source, [row] * len(filled), "a train per line")
    return label, times, commas, len(cells) - len(filled)
