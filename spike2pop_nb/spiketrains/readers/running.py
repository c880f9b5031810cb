"""Numbers as people paste them: in one pair of brackets, behind the name of a variable, or on one line."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.names import role_of
from spike2pop_nb.spiketrains.table import Column, Table

from .cells import is_number, numbers_of
from .raw import Source, counted
from .text import COMMENT_MARKS, Text
from .text_cells import BLANK

__all__ = ["running_table"]

_ASSIGNED: Final = re.compile(
    r"^\s*([^\W\d][\w .()µμ-]{0,60}?)\s*(?:=|<-)\s*(?=[\[(+\-.\d]|(?:np\.|numpy\.)?array\(|c\()"
)


_OPENING: Final = re.compile(r"^\s*(?:(?:(?:np\.|numpy\.)?array|c)\s*)?\(?\s*[\[(]")


_CLOSING: Final = re.compile(r"[\])]\s*(?:,\s*dtype=[\w.'\"]{1,30}\s*)?\)?\s*[,;]?\s*$")


_MAYBE_DECIMAL: Final = re.compile(r"[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?")


_DECIMAL_COMMAS: Final = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")


_MARKS: Final = re.compile(r"[,;]|(?<=[\d.])\s+(?=[\d.+-])")
_START: Final = 200
_BLANK_PLACE: Final = re.compile(r"[,;]\s*(?=[,;])")


_CHARACTERS: Final = re.compile(r"[\d\s.,;+\-eE]*", re.ASCII)


def running_table(text: Text, source: Source, format_: str) -> Table | None:
    """Numbers in one pair of brackets, behind the name of a variable, or on one line: a single list.

    None when this is something else.
    """
    start, name = text.start, ""
    if text.header is not None:
        line = text.lines[start - 1].strip()[:_START]
        name = " ".join(text.header)
        if _OPENING.match(line) or _ASSIGNED.match(line):
            start, name = start - 1, ""
        elif len(text.header) > 1 and not (text.delimiter == BLANK and role_of(name) == "time"):
            return None
    if start == text.start and text.plain and sum(map(bool, text.lines[start:])) > 1:
        return None
    # Stripped, since patterns take long to find out that many blanks hold nothing.
    stripped = ((n, line.strip()) for n, line in enumerate(text.lines[start:], start + 1))
    body = [(n, line) for n, line in stripped if line]
    n_lines = len(body)
    body = [(n, line) for n, line in body if not line.startswith(COMMENT_MARKS)]
    comments = n_lines - len(body)
    if not body:
        return None
    assigned = _ASSIGNED.match(body[0][1][:_START])
    if assigned and not name:
        name, body[0] = assigned[1], (body[0][0], body[0][1][assigned.end() :])
    bracketed = _unbracket(body)
    alone = len(body) == 1 or bracketed or assigned is not None
    if not (alone or _mixed(body)) or not all(_CHARACTERS.fullmatch(line) for _, line in body):
        return None
    if not bracketed and all(_DECIMAL_COMMAS.fullmatch(line.strip()) for _, line in body):
        return None  # 1,5 may well be one number
    if not alone:
        return _lines_of_numbers(body, name, format_, source)
    cells = _flat_cells(body, source)
    if not all(is_number(cell) for cell in cells):
        return None
    numbers = numbers_of(cells)
    blanks = sum(len(_BLANK_PLACE.findall(line)) for _, line in body)
    column = Column(name, [numbers.values], rows=np.array([body[0][0]], dtype=np.int64))
    column.decimal_commas = numbers.decimal_commas
    table = Table(format_, [column], named=bool(name), ragged=True)
    table.reason = "one train, a list of times" + (
        f" that runs on over {len(body):,} lines" if len(body) > 1 else ""
    )
    if comments:
        table.skipped.append(counted(comments, "comment line"))
    if blanks:
        table.skipped.append(f"{counted(blanks, 'blank place')} between times")
    return table


def _mixed(body: list[tuple[int, str]]) -> bool:
    """Whether lines part their numbers in more than one way, as people type them and no table does."""
    marks = {frozenset(_MARKS.findall(line.strip(",; "))) for _, line in body}
    kinds = {frozenset(mark.strip() for mark in found) for found in marks if found}
    return len(kinds) > 1


def _lines_of_numbers(body: list[tuple[int, str]], name: str, format_: str, source: Source) -> Table | None:
    """A list per line, whatever parts the numbers; None where something else stands there."""
    lists = []
    for line in body:
        cells = _flat_cells([line], source)
        numbers = numbers_of(cells)
        if numbers.wrong is not None or numbers.doubt:
            return None
        lists.append(numbers.values)
    column = Column(name, lists, rows=np.array([row for row, _ in body], dtype=np.int64))
    return Table(format_, [column], named=bool(name), ragged=True)


def _unbracket(body: list[tuple[int, str]]) -> bool:
    """Take one pair of brackets off in place; False when there is none."""
    first, last = _OPENING.match(body[0][1][:_START]), _CLOSING.search(body[-1][1][-200:])
    if first is None or last is None:
        return False
    whole = sum(line.count("[") + line.count("(") for _, line in body)
    if whole > first[0].count("[") + first[0].count("("):
        return False
    cut = len(body[-1][1][-200:]) - last.start()
    body[-1] = (body[-1][0], body[-1][1][:-cut])
    body[0] = (body[0][0], body[0][1][first.end() :])
    return True


def _flat_cells(body: list[tuple[int, str]], source: Source) -> list[str]:
    cells: list[str] = []
    for _row, line in body:
        parts = [part for part in re.split(r"[;\s]+", line) if part.strip(",")]
        # In 1,5 2,5 and 1; 2,5 the comma is part of the number; in 1,5 alone and in 1, 2 it separates.
        decimal = len(parts) > 1 and all(_MAYBE_DECIMAL.fullmatch(part) for part in parts)
        if not decimal:
            parts = [cell for part in parts for cell in part.split(",") if cell]
        cells += parts
        source.check_counts(len(cells))
    return cells
