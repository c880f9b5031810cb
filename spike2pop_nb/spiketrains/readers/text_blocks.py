"""Tables one below the other in a file of text, each under the same names of columns."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from spike2pop_nb.spiketrains.names import role_of

from .cells import is_number, value_of
from .raw import Source, Subtable
from .text import decoded
from .text_cells import cells_of, delimiter_of

__all__ = ["text_blocks"]

_MOST_LINES: Final = 5
"""Lines that may stand between a table and the names of the next."""
_FEWEST_ROWS: Final = 3
_NO_NUMBER_FIRST: Final = re.compile(r"^[ \t]*[^\s\d.+\-][^\n]*$", re.MULTILINE)
_PAGE: Final = re.compile(r"(?:page|seite|blatt|p[aá]gina|part|teil)\b", re.IGNORECASE)
_MARKS: Final = re.compile(r"^[\W_]+|[\W_]+$")


def text_blocks(source: Source) -> list[Subtable]:
    """The tables of a text whose names of columns stand again above each; empty where they do not.

    Each keeps what stands above them all, and its lines their numbers. What stands right above its names is
    its own name. Without such names, tables that go on where the last ended are one.
    """
    text = decoded(source).replace("\r\n", "\n").replace("\r", "\n")
    names = _repeated(text)
    if not names:
        return []
    lines = [line.rstrip() for line in text.split("\n")]
    starts = [k for k, line in enumerate(lines) if line == names]
    delimiter = delimiter_of([names, *lines[starts[0] + 1 : starts[0] + 20]])
    width = len(cells_of(names, delimiter))
    ends: list[int] = []
    for start, after in zip(starts, [*starts[1:], len(lines)], strict=True):
        inside = [k for k in range(start + 1, after) if _is_row(lines[k], delimiter, width)]
        last_row = inside[-1] if inside else start
        if len(inside) < _FEWEST_ROWS or (after < len(lines) and after - last_row - 1 > _MOST_LINES):
            return []
        ends.append(last_row + 1)
    top = [0, *ends[:-1]]
    titles = [
        next((line.strip() for line in reversed(lines[a:b]) if line.strip()), "")
        for a, b in zip(top, starts, strict=True)
    ]
    own = [re.sub(r"\s+", " ", _MARKS.sub("", title)) for title in titles]
    pages = all(_PAGE.match(title) for title in own)
    named = all(own) and len(set(own)) == len(own) and not pages
    if not named and ((any(own[1:]) and not pages) or _goes_on(lines, starts, ends, delimiter)):
        return []
    ends[-1] = len(lines)  # what stands below the last is the reader's of tables
    labels = own if named else [str(k) for k in range(1, len(starts) + 1)]
    first = starts[0] - (1 if named else 0)
    blocks = []
    for label, start, end in zip(labels, starts, ends, strict=True):
        text = "\n".join([*lines[:first], *[""] * (start - first), *lines[start:end]])
        blocks.append(Subtable(label[:150], text, "table", "block"))
    return blocks


def _repeated(text: str) -> str:
    """The first line of names that stands again further down, "" for none."""
    seen: set[str] = set()
    others: set[str] = set()  # lines that stand again and name no columns
    for match in _NO_NUMBER_FIRST.finditer(text):
        line = match[0].rstrip()
        if line not in seen:
            seen.add(line)
        elif line not in others:
            if _names_columns(line):
                return line
            others.add(line)
    return ""


def _names_columns(line: str) -> bool:
    if not line.strip() or len(line) > 2000 or line.lstrip().startswith(("%", "//")):
        return False
    cells = [cell.strip() for cell in cells_of(line, delimiter_of([line]))]
    if any(is_number(cell) for cell in cells):
        return False
    return any(role_of(cell) == "time" for cell in cells)


def _is_row(line: str, delimiter: str, width: int) -> bool:
    """Whether a line is a row of the table: as many cells, numbers among them."""
    cells = cells_of(line, delimiter) if line.strip() else []
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    return 0 < len(cells) <= width and any(is_number(cell) for cell in cells)


def _goes_on(lines: list[str], starts: list[int], ends: list[int], delimiter: str) -> bool:
    """Whether every table begins where the one above ended, as where names stand on each page."""

    def number(at: int, k: int) -> float:
        cells = cells_of(lines[at], delimiter)
        return value_of(cells[k]) if k < len(cells) else float("nan")

    times = [k for k, name in enumerate(cells_of(lines[starts[0]], delimiter)) if role_of(name) == "time"]
    rows = [[k for k in range(a + 1, b) if lines[k].strip()] for a, b in zip(starts, ends, strict=True)]
    return any(
        all(number(above[-1], k) < number(below[0], k) for above, below in pairwise(rows)) for k in times
    )
