"""Plain text taken apart: encoding, comments, lines above and below the table, delimiter, names."""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from spike2pop_nb.spiketrains.table import Facts

from .cells import is_list, is_number, value_of
from .raw import Source, counted

__all__ = ["BLANK", "COMMENT_MARKS", "Text", "cells_of", "take_apart"]

BLANK: Final = " "
"""Stands for "any run of blanks" as a delimiter."""

COMMENT_MARKS: Final = ("#", "%", "//")
_SAMPLE_ROWS: Final = 60
_SAMPLE_COLUMNS: Final = 200
_SAMPLE_CHARACTERS: Final = 2_000_000
_TOP_LINES: Final = 400
# What stands above the numbers of rows, beside trains that have numbers for names.
_ROW_NAMES: Final = frozenset({"", "index", "row", "unnamed: 0"})
_FOOT_LINES: Final = 2_000
_SUMS: Final = frozenset(
    ["total", "sum", "mean", "average", "avg", "median", "std", "sd", "min", "max", "count"]
)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Each class leaves out what opens it, so that a line of brackets alone takes no longer than any other.
_NESTED: Final = re.compile(r'"[^"]*"|\[[^\[\]]*\]|\([^()]*\)|"[^"]*$')
_BARE_LIST: Final = re.compile(r"(^|[,;\t])[ ]*([\[(][^\[\](){}\"]*[\])])[ ]*(?=$|[,;\t])")
_BLANK_CELL: Final = re.compile(r'"[^"]*"|[\[(][^\[\]()]*[\])]|\S+')
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
_LONG_CELL: Final = re.compile(r'"([^"]{2000})[^"]*"?')
_KEY: Final = re.compile(r"\s*\"?[^\W\d][^=:,;\t\"]{0,60}?\"?\s*[=:](?!\d\d:)\s*\t?(?P<value>.*)")


@dataclass
class Text:
    """A text file taken apart, but not yet understood.

    Attributes
    ----------
    lines : list of str
        All lines of the file, without what stands below the table.
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
    facts : dict
        Keys and values that stand above the table.
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
    facts: Facts = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Column names; "column 1" and so on where the file has none."""
        return self.header if self.header is not None else [f"column {k + 1}" for k in range(self.width)]

    @property
    def sampled(self) -> range:
        """Indices of the columns that the sample covers."""
        return range(min(self.width, _SAMPLE_COLUMNS))

    def column(self, index: int) -> list[str]:
        """Non-blank cells of a column in the sample."""
        cells = (row[index].strip() for row in self.sample if index < len(row))
        return [cell for cell in cells if cell]


def take_apart(source: Source) -> Text:
    """Decode a text file and find its comments, delimiter and column names.

    Raises
    ------
    SpikeTrainError
        When the bytes are no text, or there is nothing in it.
    """
    content, repairs = _decode(source)
    lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    start, delimiter, comments, blank = _below_comments(lines)
    if start == len(lines):
        raise source.error("the file is empty; it must hold at least one spike time.")
    skipped = [counted(blank, "blank line") + " at the top"] if blank else []
    if comments:
        skipped.append(counted(len(comments), "comment line") + " at the top")
    facts: Facts = {}
    names_at: int | None = None
    above = _above_table(lines, start)
    if above is not None:
        data, names_at = above
        for line in lines[start:data]:
            _take_fact(line, facts)
        n_above = len(range(start, data)) - (names_at is not None)
        skipped.append(f"{counted(n_above, 'line')} above the table")
        start = data if names_at is None else names_at

    sample_lines = _sample_lines(lines[start:])
    if delimiter is None:
        delimiter = _delimiter(sample_lines)
    rows = [cells_of(line, delimiter) for line in sample_lines]
    header = None
    if names_at is not None or _is_header(rows):
        header = [name.strip() for name in rows.pop(0)]
        start += 1
    elif comments:
        # NumPy and MATLAB users write the column names as the last comment line.
        names = [name.strip() for name in cells_of(comments[-1].lstrip("#%/ "), delimiter)]
        if len(names) == len(rows[0]) > 1 and not any(is_number(name) or not name for name in names):
            header = names
    if header is not None and _numbers_rows_first(header, rows):
        header = ["", *header]  # pandas and R print the number of a row without a name above it
    kept = len(header) if header is not None else 1
    for row in rows:  # a delimiter at the end of a line opens no column
        while len(row) > kept and not row[-1].strip():
            row.pop()
    width = len(header) if header is not None else max((len(row) for row in rows), default=1)
    sample = [row[:_SAMPLE_COLUMNS] for row in rows]
    text = Text(lines, start, header, delimiter, sample, width, comments, facts, repairs, skipped)
    _cut_foot(text)
    return text


def _numbers_rows_first(header: list[str], rows: list[list[str]]) -> bool:
    """Whether every row has one cell more than there are names, the first of them counting the rows."""
    if len(rows) < 3 or any(len(row) != len(header) + 1 for row in rows):
        return False
    first = [row[0].strip() for row in rows]
    return first in (_count(0, len(rows)), _count(1, len(rows)))


def _below_comments(lines: list[str]) -> tuple[int, str | None, list[str], int]:
    """First line below the comments, the delimiter that ``sep=`` states, the comments, and blank lines."""
    delimiter: str | None = None
    comments: list[str] = []
    start = blank = 0
    while start < len(lines):
        line = lines[start].strip()
        if start == 0 and re.fullmatch(r"sep=.", line):
            delimiter = line[4]
        elif line.startswith(COMMENT_MARKS) and not _names_columns(lines, start):
            comments.append(line)
        elif line:
            break
        else:
            blank += 1
        start += 1
    return start, delimiter, comments, blank


def _names_columns(lines: list[str], at: int) -> bool:
    """Whether a line that begins with # names columns, the first of them a counter called "#"."""
    line = lines[at].strip()
    mark = next((c for c in "\t,;" if line.startswith(f"#{c}")), None)
    if mark is None:
        return False
    below = next((other for other in lines[at + 1 :] if other.strip()), "")
    return below.count(mark) == line.count(mark) and is_number(below.split(mark)[0])


def _sample_lines(lines: list[str]) -> list[str]:
    found: list[str] = []
    n_characters = 0
    for line in lines:
        if line.strip():
            found.append(line)
            n_characters += len(line)
        if len(found) > _SAMPLE_ROWS or n_characters > _SAMPLE_CHARACTERS:
            break
    return found


def _shape(line: str) -> tuple[str, tuple[bool, ...]]:
    """Delimiter of a line on its own, and which of its cells are numbers."""
    delimiter = next((c for c in ("\t", ";", ",") if c in line), BLANK)
    cells = cells_of(line[:5000], delimiter)
    while len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return delimiter, tuple(is_number(cell) for cell in cells[:_SAMPLE_COLUMNS])


def _above_table(lines: list[str], start: int) -> tuple[int, int | None] | None:
    """Where the table begins below the lines that an instrument writes first, and where its names stand.

    Returns None where the first line, or the second, already belongs to the table.
    """
    filled = [k for k in range(start, min(len(lines), start + _TOP_LINES)) if lines[k].strip()]
    shapes = [_shape(lines[k]) for k in filled]
    run = next(
        (
            i
            for i in range(len(filled) - 2)
            if shapes[i] == shapes[i + 1] == shapes[i + 2] and 2 * sum(shapes[i][1]) >= len(shapes[i][1])
        ),
        None,
    )
    if run is None or run < 2:
        return None
    if _names_columns_at_once(lines, filled):
        return None
    delimiter, pattern = shapes[run]
    top = [lines[k] for k in filled[:run]]
    keys = sum(_KEY.fullmatch(line) is not None for line in top[:-1])
    first = cells_of(top[0][:5000], delimiter)
    magic = top[0].startswith("ATF")
    if not magic and len(first) == len(pattern) and 2 * keys < len(top) - 1:
        return None  # the names of columns and a faulty row below them, for the table's reader to name
    if not magic and any(s == shapes[run] for s in shapes[:run]):
        return None
    last = cells_of(top[-1], delimiter)
    names = len(last) == len(pattern) > 1 and not any(is_number(cell) or not cell.strip() for cell in last)
    if names and _KEY.fullmatch(top[-1]):
        names = False
    if not magic and not names and _all_one_table(lines, filled):
        return None  # ids such as "k=1", which look like settings
    if not (magic or names or 2 * keys >= len(top)):
        return None  # other text, which nobody should skip without knowing what it is
    return filled[run], filled[run - 1] if names else None


def _names_columns_at_once(lines: list[str], filled: list[int]) -> bool:
    """Whether the first line already holds the names of columns, and the second a row below them."""
    first, second = lines[filled[0]], lines[filled[1]]
    delimiter, pattern = _shape(first)
    below = cells_of(second[:5000], delimiter)
    names = len(pattern) > 1 and not any(pattern) and _KEY.fullmatch(first) is None
    return names and len(below) == len(pattern) and any(is_number(cell) for cell in below)


def _all_one_table(lines: list[str], filled: list[int]) -> bool:
    """Whether the first line could name columns, and every other has as many cells as it."""
    delimiter, pattern = _shape(lines[filled[0]])
    if len(pattern) < 2 or any(pattern) or _KEY.fullmatch(lines[filled[0]]):
        return False
    return all(len(cells_of(lines[k][:5000], delimiter)) == len(pattern) for k in filled)


def _take_fact(line: str, facts: Facts) -> None:
    parts = re.split(r"[\t=:,;]+", line.strip().strip('"'), maxsplit=1)
    if len(parts) == 2 and parts[0].strip() and parts[1].strip() and len(facts) < _TOP_LINES:
        facts.setdefault(parts[0].strip(" \"'"), parts[1].strip(" \"'\t,;")[:200])


def _cut_foot(text: Text) -> None:
    """Drop the lines below an empty row that hold no row of the table, and those that sum it up."""
    if text.delimiter in ("", BLANK) or text.width < 2:
        return
    n_sums = 0
    while len(text.lines) > text.start + 2 and n_sums < 10:
        first = cells_of(text.lines[-1], text.delimiter)[0].strip().lower().rstrip(":")
        if first.split(" ")[0] not in _SUMS or not is_number((text.column(0) or [""])[0]):
            break
        text.lines.pop()
        n_sums += 1
    if n_sums:
        text.skipped.append(f"{counted(n_sums, 'line')} below the table that sum it up")
    numeric = [
        k for k in text.sampled if (c := text.column(k)) and 5 * sum(is_number(x) for x in c) >= 4 * len(c)
    ]
    lines = text.lines
    lowest = max(text.start, len(lines) - _FOOT_LINES)
    empty = [k for k in range(lowest, len(lines)) if not lines[k].strip(f" {text.delimiter}")]
    if not numeric or not empty:
        return
    for at in empty:
        foot = [cells_of(line, text.delimiter) for line in lines[at:] if line.strip(f" {text.delimiter}")]
        if any(k < len(row) and is_number(row[k]) for row in foot for k in numeric):
            continue
        odd = any(len(row) < text.width or any(row[k].strip() for k in numeric) for row in foot)
        if foot and odd:
            del lines[at:]
            text.skipped.append(f"{counted(len(foot), 'line')} below the table")
        return


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
        if all(re.fullmatch(r"\s*[+-]?\d+,\d+\s*", line) for line in bare) and _decimal_commas(bare):
            return ""
    if not found and (all(several) or 2 * sum(data) > len(data)):
        found = BLANK
    return found


def _decimal_commas(lines: list[str]) -> bool:
    """Whether 373,9 on every line is a number with a decimal comma, and not two columns."""
    if len(lines) < 2:
        return False
    numbers = [value_of(line) for line in lines]
    behind = [line.strip().rpartition(",")[2] for line in lines]
    grows = _share(numbers)
    second = _share([float(digits[:15]) for digits in behind])
    if grows >= 0.65 > second:
        return True
    # Whole numbers that repeat, with a digit behind the comma that never makes them fall: no ids.
    whole = [line.partition(",")[0] for line in lines]
    if len(lines) >= 20 and 10 * len(set(whole)) < 7 * len(lines) and numbers == sorted(numbers):
        return True
    # Numbers printed with as many digits behind the comma each, zeros among them, are no whole numbers.
    printed = len({len(digits) for digits in behind}) == 1 and any(digits[0] == "0" for digits in behind)
    return printed and len(behind[0]) > 1 and grows > 0.9


def _share(values: list[float]) -> float:
    return sum(b > a for a, b in pairwise(values)) / (len(values) - 1)


def cells_of(line: str, delimiter: str) -> list[str]:
    """Cells of a line."""
    if delimiter == "":
        return [line.strip().strip('"')]
    if delimiter == BLANK:
        # A list in brackets is one cell, blanks and all.
        return [cell.strip('"') for cell in _BLANK_CELL.findall(line)]
    if '"' not in line and ("[" in line or "(" in line):
        line = with_quoted_lists(line)
    line = _LONG_CELL.sub(r'"\1"', line)  # the start of a list tells enough, and csv has a limit per cell
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
    except (csv.Error, StopIteration):
        return line.split(delimiter)


def with_quoted_lists(line: str) -> str:
    """The line with quotes around lists in brackets, which hold the delimiter."""
    return _BARE_LIST.sub(r'\1"\2"', line)


def _count(start: int, n: int) -> list[str]:
    return [str(k) for k in range(start, start + n)]


def _is_header(rows: list[list[str]]) -> bool:
    first = [cell.strip() for cell in rows[0][:_SAMPLE_COLUMNS]]
    if re.fullmatch(r"[^\w.,+-]+\d+[.,]?\d*\W*", "".join(first[:1])) and not any(first[1:]):
        return False  # "> 0.17" is a faulty number rather than a name
    if not any(is_number(cell) or is_list(cell) for cell in first):
        # A first row without a number is a header, unless nothing else in the file is a number either.
        return True
    counted = [cell for cell in first if is_number(cell)]
    if 1 < len(counted) < len(first) and counted in (_count(0, len(counted)), _count(1, len(counted))):
        return True  # cell, trial, 0, 1, 2, …
    blank_first = len(first) > 1 and first[0].lower() in _ROW_NAMES
    numbers = first[1:] if blank_first else first
    if len(first) < 2 or not all(re.fullmatch(r"\d+(?:\.0+)?", cell, re.ASCII) for cell in numbers):
        return False
    if len(set(numbers)) < len(numbers) or len(rows) < 4:
        return False
    # A table of one column per train whose trains are numbered: 0, 1, 2, … or by unit, as 12, 45, 103.
    values = [int(cell.partition(".")[0][:15]) for cell in numbers]
    if values in (list(range(len(values))), list(range(1, len(values) + 1))) or blank_first:
        return True
    columns = [
        [row[k].strip() for row in rows[1:] if k < len(row) and row[k].strip()] for k in range(len(first))
    ]
    if any(not column or not all(is_number(cell) for cell in column) for column in columns):
        return False
    below = [cell for column in columns for cell in column]
    fractions = all("." in cell or "," in cell for cell in below)
    if any("." in cell for cell in numbers):  # 12.0 above 334.5: as times they would be whole by chance
        whole = sum(value_of(cell).is_integer() for cell in below) / len(below)
        fractions &= whole ** len(numbers) < 0.02
    falls = sum(value_of(column[0]) < value for column, value in zip(columns, values, strict=True))
    return fractions or falls > 0
