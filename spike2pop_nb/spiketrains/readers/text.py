"""Plain text taken apart: encoding, comments, names of columns."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final

from spike2pop_nb.spiketrains.table import Facts

from .cells import is_list, is_number, measured, value_of
from .raw import Source, counted
from .text_around import above_table, cut_foot, groups_above, is_setting, take_fact
from .text_cells import SAMPLE_COLUMNS, cells_of, delimiter_of
from .text_printed import less_print, with_block_names

__all__ = ["COMMENT_MARKS", "Text", "decoded", "take_apart"]

COMMENT_MARKS: Final = ("#", "%", "//")
_SAMPLE_ROWS: Final = 60
_SAMPLE_CHARACTERS: Final = 2_000_000
# What stands above the numbers of rows, beside trains that have numbers for names.
_ROW_NAMES: Final = frozenset({"", "index", "row", "unnamed: 0"})
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Blanks, quotes, brackets, and what parts cells or begins a comment.
_NOT_PLAIN: Final = " \t\v\f\x1c\x1d\x1e\x1f\"',;|()[]{}=#%/"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")


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
    groups : list of str
        What stands above the names of columns that repeat, one for each; empty where nothing does.
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
    groups: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Column names; "column 1" and so on where the file has none."""
        return self.header if self.header is not None else [f"column {k + 1}" for k in range(self.width)]

    @property
    def sampled(self) -> range:
        """Indices of the columns that the sample covers."""
        return range(min(self.width, SAMPLE_COLUMNS))

    @cached_property
    def plain(self) -> bool:
        """Whether lines of data hold one bare word at most, as those of a long list of numbers do."""
        data = "\n".join(self.lines[self.start :])
        return data.isascii() and not any(mark in data for mark in _NOT_PLAIN)

    def column(self, index: int) -> list[str]:
        """Non-blank cells of a column in the sample."""
        cells = (row[index].strip() for row in self.sample if index < len(row))
        return [cell for cell in cells if cell]


def take_apart(source: Source) -> Text:
    """Decode a text file and find its comments, delimiter and column names."""
    content, repairs = _decode(source)
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    lines = content.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    lines, printed = less_print(lines, source)
    repairs += printed
    named = with_block_names(content, lines)
    if named is not None:
        lines = named
        repairs.append("the names of columns above each block were put before its rows")
    start, delimiter, comments, blank = _below_comments(lines)
    if start == len(lines):
        raise source.error("the file is empty; it must hold at least one spike time.")
    skipped = [counted(blank, "blank line") + " at the top"] if blank else []
    if comments:
        skipped.append(counted(len(comments), "comment line") + " at the top")
    facts: Facts = {}
    names_at: int | None = None
    n_above = 0
    above = above_table(lines, start)
    if above is not None:
        data, names_at = above
        for line in lines[start:data]:
            take_fact(line, facts)
            if not is_setting(line) and line.strip():
                comments.append(line)
        n_above = len(range(start, data)) - (names_at is not None)
        start = data if names_at is None else names_at

    sample_lines = _sample_lines(lines[start:])
    if delimiter is None:
        delimiter = delimiter_of(sample_lines)
    rows = [cells_of(line, delimiter) for line in sample_lines]
    header = None
    if names_at is not None or _is_header(rows):
        header = [name.strip().removesuffix("=").strip() for name in rows.pop(0)]  # t_ms = in MATLAB
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
    sample = [row[:SAMPLE_COLUMNS] for row in rows]
    text = Text(lines, start, header, delimiter, sample, width, comments, facts, repairs, skipped)
    if header is not None:
        text.groups = groups_above(lines[: start - 1], header, delimiter)
    if n_above > bool(text.groups):
        skipped.append(f"{counted(n_above - bool(text.groups), 'line')} above the table")
    cut_foot(text)
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


def decoded(source: Source) -> str:
    """The text of a file, whatever its encoding."""
    return _decode(source)[0]


def _decode(source: Source) -> tuple[str, list[str]]:
    """The text, and what was put right: bytes that fill up the end of a file are cut off."""
    data = source.data.rstrip(b"\0\x1a")
    cut = len(source.data) - len(data)
    wide = bool(cut % 2) and data[-40::2].count(0) + data[-39::2].count(0) >= min(len(data) // 2, 20)
    text, repairs = _text_of(data + b"\0" if wide else data, source)
    return text, [*repairs, *([f"{counted(cut, 'byte')} that filled up the end"] if cut - wide else [])]


def _text_of(data: bytes, source: Source) -> tuple[str, list[str]]:
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
        raise source.error(
            "this is neither text nor a known format, so no spike times can be read; save them as CSV."
        )
    return text


def _count(start: int, n: int) -> list[str]:
    return [str(k) for k in range(start, start + n)]


def _is_header(rows: list[list[str]]) -> bool:
    first = [cell.strip() for cell in rows[0][:SAMPLE_COLUMNS]]
    if re.fullmatch(r"[^\w.,+-]+\d+[.,]?\d*\W*", "".join(first[:1])) and not any(first[1:]):
        return False  # "> 0.17" is a faulty number rather than a name
    if re.match(r"[^\[\]=:]{1,100}[=:]\s*[\[{(]\s*[-+.\d]", " ".join(first[:3])):
        return False  # u1 = [12.5 20.1
    below = rows[1] if len(rows) > 1 else []
    if any(measured(one) and measured(other) for one, other in zip(first, below, strict=False)):
        return False  # 12.5 ms above 14.1 ms
    if not any(is_number(cell) or is_list(cell) for cell in first):
        # A first row without a number is a header, unless nothing else in the file is a number either.
        return True
    counted = [cell for cell in first if is_number(cell)]
    if 1 < len(counted) < len(first) and counted in (_count(0, len(counted)), _count(1, len(counted))):
        return True  # cell, trial, 0, 1, 2, …
    if counted == ["0"] and all(map(is_number, below[1:])) and len(below) == len(first) > 2:
        return not is_number(first[1])  # level_0, level_1, 0
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
    if 2 * sum(map(_grows, columns)) <= len(columns):
        return False  # a time and an id, or a train in each line
    below = [cell for column in columns for cell in column]
    fractions = all("." in cell or "," in cell for cell in below)
    if any("." in cell for cell in numbers):  # 12.0 above 334.5: as times they would be whole by chance
        whole = sum(value_of(cell).is_integer() for cell in below) / len(below)
        fractions &= whole ** len(numbers) < 0.02
    falls = sum(value_of(column[0]) < value for column, value in zip(columns, values, strict=True))
    return fractions or falls > 0


def _grows(cells: list[str]) -> bool:
    """Whether numbers grow, but for what fills up their end."""
    values = [value_of(cell) for cell in cells]
    while len(values) > 1 and not values[-1] > values[-2]:
        values.pop()
    steps = list(pairwise(values))
    return len(steps) > 0 and sum(a < b for a, b in steps) > 0.9 * len(steps)
