"""From bytes to lines: encoding, comments, delimiter, header."""

from __future__ import annotations

import codecs
import csv
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Final

import pandas as pd
from pandas.io.parsers import TextFileReader

from spike2pop_nb.spiketrains.limits import MAX_CELLS

from .numbers import is_list, is_number
from .raw import Source, counted, shown

__all__ = ["BLANK", "COMMENT_MARKS", "SAMPLE_ROWS", "Text", "read_text", "table_blocks"]

BLANK: Final = " "
"""Stands for "any run of blanks" as a delimiter."""

SAMPLE_ROWS: Final = 50
_NO_DELIMITER: Final = "\x1f"
_SAMPLE_COLUMNS: Final = 200
_SAMPLE_CHARACTERS: Final = 2_000_000
COMMENT_MARKS: Final = ("#", "%", "//")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NESTED: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\([^)]*\)|"[^"]*$')
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
_LONG_CELL: Final = re.compile(r'"([^"]{2000})[^"]*"?')
_BARE_LIST: Final = re.compile(r"(^|[,;\t])[ ]*([\[(][^\])\"]*[\])])[ ]*(?=$|[,;\t])")


@dataclass
class Text:
    """A text file taken apart, but not yet understood.

    Attributes
    ----------
    lines : list of str
        All lines of the file.
    start : int
        Index of the first line of data.
    header : list of str or None
        Column names.
    delimiter : str
        Tab, ``;``, ``,``, ``|``, `BLANK`, or "" where every line holds one entry.
    sample : list of list of str
        Cells of the first rows of data, up to 200 of each row.
    width : int
        Number of columns, judged by the header or else the first rows.
    comments : list of str
        Comment lines.
    repairs, skipped : list of str
        For the report.
    """

    lines: list[str]
    start: int
    header: list[str] | None
    delimiter: str
    sample: list[list[str]]
    width: int
    comments: list[str]
    repairs: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def sampled(self) -> range:
        """Indices of the columns that the sample covers."""
        return range(min(self.width, _SAMPLE_COLUMNS))

    @property
    def names(self) -> list[str]:
        """Column names; "column 1" and so on where the file has none."""
        return self.header if self.header is not None else [f"column {k + 1}" for k in range(self.width)]

    def column(self, index: int) -> list[str]:
        """Non-blank cells of a column in the sample."""
        cells = (row[index].strip() for row in self.sample if index < len(row))
        return [cell for cell in cells if cell]


def read_text(source: Source) -> Text:
    """Decode a text file and find its comments, delimiter and header.

    Raises
    ------
    SpikeTrainError
        When the bytes are no text, or there is nothing in it.
    """
    text, repairs = _decode(source)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    start = 0
    delimiter: str | None = None
    comments: list[str] = []
    blank = 0
    while start < len(lines):
        line = lines[start].strip()
        if start == 0 and re.fullmatch(r"sep=.", line):
            delimiter = line[4]
        elif line.startswith(COMMENT_MARKS):
            comments.append(line)
        elif line:
            break
        else:
            blank += 1
        start += 1
    if start == len(lines):
        raise source.error("the file is empty; it must hold at least one spike time.")
    skipped = [counted(blank, "blank line") + " at the top"] if blank else []
    if comments:
        skipped.append(counted(len(comments), "comment line") + " at the top")

    sample_lines: list[str] = []
    n_characters = 0
    for line in lines[start:]:
        if line.strip():
            sample_lines.append(line)
            n_characters += len(line)
        if len(sample_lines) > SAMPLE_ROWS or n_characters > _SAMPLE_CHARACTERS:
            break
    if delimiter is None:
        delimiter = _delimiter(sample_lines)
    rows = [_cells(line, delimiter) for line in sample_lines]
    header = None
    if _is_header(rows):
        header = [name.strip() for name in rows.pop(0)]
        start += 1
    elif comments:
        # NumPy and MATLAB users write the column names as the last comment line.
        names = [name.strip() for name in _cells(comments[-1].lstrip("#%/ "), delimiter)]
        if len(names) == len(rows[0]) > 1 and not any(is_number(name) or not name for name in names):
            header = names
    kept = len(header) if header is not None else 1
    for row in rows:  # a delimiter at the end of a line opens no column
        while len(row) > kept and not row[-1].strip():
            row.pop()
    width = len(header) if header is not None else max(len(row) for row in rows)
    sample = [row[:_SAMPLE_COLUMNS] for row in rows]
    return Text(lines, start, header, delimiter, sample, width, comments, repairs, skipped)


def table_blocks(
    text: Text, source: Source, width: int, *, bare_lists: bool = False
) -> Iterator[tuple[range, pd.DataFrame]]:
    """Rows of a table as strings, in blocks, with the row numbers of each block.

    Parameters
    ----------
    text : Text
        The file.
    source : Source
        Names the file in errors.
    width : int
        Number of columns; a row with more cells is refused.
    bare_lists : bool
        Whether bracketed lists stand without quotes and hold the delimiter.

    Yields
    ------
    (range, DataFrame)
        Row numbers counted from 1 at the top of the file, and the cells; a missing cell is "".
    """
    lines = text.lines[text.start :]
    if bare_lists:
        lines = [line if '"' in line else _BARE_LIST.sub(r'\1"\2"', line) for line in lines]
    if len(lines) * width > MAX_CELLS:
        raise source.error(
            f"the table has {len(lines):,} rows of {width:,} cells; up to {MAX_CELLS:,} cells are read."
        )
    _check_row_lengths(lines, text, source, width)
    try:
        # One column more than there should be, for a delimiter at the end of the line.
        blocks = pd.read_csv(
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
        while (block := _next_block(blocks)) is not None:
            if block.empty:
                continue
            first = text.start + 1 + int(block.index[0])
            rows = range(first, first + len(block))
            block = block.fillna("")
            extra = block[width].str.strip()
            if (extra != "").any():
                where = int((extra != "").to_numpy().argmax())
                raise source.error(
                    f"the row has more than the {width} cells of the table, the next being "
                    f"{shown([extra.iloc[where]])}.",
                    row=rows[where],
                )
            yield rows, block.drop(columns=width)
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError):
        raise source.error("the table cannot be read; is a quotation mark missing or out of place?") from None


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
            cells = _cells(line, text.delimiter)
            if len(cells) > width and not cells[-1].strip():
                lines[k] = line.rstrip(f" {text.delimiter}")
                cells = _cells(lines[k], text.delimiter)
            if len(cells) > width:
                raise source.error(
                    f"the row has {len(cells)} cells where the table has {width}, "
                    f"{shown(cells[width:])} being too many.",
                    row=text.start + k + 1,
                )
        inside ^= odd


def _decode(source: Source) -> tuple[str, list[str]]:
    data = source.data
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, errors="replace")
            return _no_binary(text, source), ["a byte-order mark at the start of the file was removed"]
    head = data[:2000]
    if head.count(0) > len(head) // 4:  # UTF-16 without a mark: every other byte of plain digits is zero
        encoding = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        return _no_binary(data.decode(encoding, errors="replace"), source), ["the text was read as UTF-16"]
    try:
        return _no_binary(data.decode("utf-8"), source, replaced=False), []
    except UnicodeDecodeError:
        text = _no_binary(data.decode("cp1252", errors="replace"), source)
        return text, ["the text is not UTF-8 and was read as Windows-1252 (Latin-1)"]


def _no_binary(text: str, source: Source, *, replaced: bool = True) -> str:
    head = text[:20_000]
    # A stray control character is left to the checks of ids and numbers, which can name its row.
    n_odd = len(_CONTROL.findall(head)) + (head.count("\ufffd") if replaced else 0)
    if n_odd > 2 + len(head) // 200 or "\0" in text:
        raise source.error("this is neither text nor an NPY, NPZ or MAT file, so no spike times can be read.")
    return text


def _delimiter(lines: list[str]) -> str:
    """The delimiter that the first line and enough of the others hold, outside quotes and lists."""
    bare = [_NESTED.sub("x", line) for line in lines]
    found = ""
    for candidate in ("\t", ";", "|", ","):
        if candidate not in bare[0]:
            continue
        holding = sum(candidate in line.strip() for line in bare)
        # Below column names, rows may be short: one that holds the delimiter is enough.
        if 2 * holding >= len(bare) or (holding > 1 and not is_number(bare[0].split(candidate)[0])):
            found = candidate
            break
    several = [len(line.split()) > 1 for line in bare]
    data = several[1:] or several
    if found == ",":
        # 1,5 2,5 and 7;1,5: here the comma is part of the number.
        tokens = [token for line in bare for token in line.split()]
        if 2 * sum(several) >= len(several) and all(re.fullmatch(r"[+-]?\d+(,\d+)?", t) for t in tokens):
            return BLANK
    if not found and (all(several) or 2 * sum(data) > len(data)):
        found = BLANK
    return found


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == "":
        return [line.strip().strip('"')]
    if delimiter == BLANK:
        # A list in brackets is one cell, blanks and all.
        return [cell.strip('"') for cell in re.findall(r'"[^"]*"|[\[(][^\])]*[\])]|\S+', line)]
    if '"' not in line and ("[" in line or "(" in line):
        line = _BARE_LIST.sub(r'\1"\2"', line)
    line = _LONG_CELL.sub(r'"\1"', line)  # the start of a list tells enough, and csv has a limit per cell
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
    except (csv.Error, StopIteration):
        return line.split(delimiter)


def _is_header(rows: list[list[str]]) -> bool:
    first = [cell.strip() for cell in rows[0][:_SAMPLE_COLUMNS]]
    if not any(is_number(cell) or is_list(cell) for cell in first):
        # A first row without a number is a header, unless nothing else in the file is a number either.
        return True
    if len(first) > 1 and all(cell.isdigit() for cell in first):
        # A table of one column per train whose trains are numbered: 0, 1, 2, … or 1, 2, 3, …
        numbers = [int(cell) for cell in first]
        return numbers in (list(range(len(first))), list(range(1, len(first) + 1))) and len(rows) > 2
    return False
