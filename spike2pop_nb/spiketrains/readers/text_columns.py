"""Columns of a text file: numbers, lists or text, and the line of units that may stand above them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.names import role_of
from spike2pop_nb.spiketrains.signal_units import signal_unit
from spike2pop_nb.spiketrains.table import Column
from spike2pop_nb.spiketrains.units import canonical_unit

from .cells import MISSING, is_measured, is_number, measured_numbers, numbers_of, parse_list
from .raw import Source

__all__ = ["column_of", "join_spellings", "numbers_column", "units_below"]


def units_below(first: Sequence[str], second: Sequence[str]) -> list[str] | None:
    """The unit of each column, "" for none, where the line under the names holds units; otherwise None.

    Given the cells of the first two lines under the names.
    """
    if len(second) < len(first) or any(is_number(cell) for cell in first):
        return None
    words = [re.sub(r"[()\[\]]", "", cell).strip() for cell in first]
    known = [_is_unit(word) for word in words]
    plain = [cell.strip().lower() in MISSING or re.fullmatch(r"#|–|\(.*\)|\[.*\]", cell) for cell in first]
    below = any(is_one and is_number(cell) for is_one, cell in zip(known, second, strict=False))
    if not below or not all(a or b for a, b in zip(known, plain, strict=True)):
        return None
    return [word if is_one else "" for word, is_one in zip(words, known, strict=True)]


def _is_unit(word: str) -> bool:
    signal = signal_unit(word) if word else None
    return canonical_unit(word) is not None or (signal is not None and signal.quantity != "odd")


def join_spellings(column: Column) -> str:
    """Write whole numbers alike that stand as "1" and "1.0" in one column; the two, or "" for none."""
    if column.kind != "numbers" or column.cells is None or role_of(column.leaf) == "time":
        return ""
    spelled = {str(cell) for cell in column.cells}
    other = {cell: match[1] for cell in spelled if (match := re.fullmatch(r"(\d+)[.,]0+", cell))}
    both = {cell: whole for cell, whole in other.items() if whole in spelled}
    if not both:
        return ""
    column.cells = np.array([both.get(str(cell), cell) for cell in column.cells], dtype=object)
    cell, whole = min(both.items())
    return f"{whole!r} and {cell!r}"


def column_of(
    name: str, cells: NDArray[np.object_], rows: NDArray[np.int64], lists: bool, source: Source
) -> tuple[Column | None, int]:
    """A column by what its cells are, and how many blanks stood inside its lists; None for no column."""
    empty = cells == ""
    gone = np.array([cell.lower() in MISSING for cell in cells], dtype=bool) if not lists else empty
    if (gone & ~empty).any() and role_of(name) not in ("id", "trial"):
        kept = [cell for cell, none in zip(cells, gone, strict=True) if not none][:200]
        if all(is_number(cell) for cell in kept):
            cells, empty = np.where(gone, "", cells).astype(object), gone
    if not name and empty.all():
        return None, 0  # a delimiter at the end of every line
    if lists:
        parsed = [
            parse_list(cell, source, int(row), f"column {name!r}")
            for cell, row in zip(cells, rows, strict=True)
        ]
        total = sum(values.size for values, _, _ in parsed)
        source.check_counts(total, len(parsed))
        column = Column(name, [values for values, _, _ in parsed], rows=rows)
        column.decimal_commas = sum(n for _, n, _ in parsed)
        column.cells = cells
        return column, sum(n for _, _, n in parsed)
    if empty.all() and gone.any():
        return numbers_column(name, cells, rows, empty), 0
    sampled = [cell for cell in cells[:200] if cell]
    sampled = sampled or [cell for cell in cells if cell][:200]
    numbers = 2 * sum(is_number(cell) for cell in sampled) >= len(sampled)
    role = role_of(name) if name else ""
    # "cell 1" names a train, and "cell" holds ids.
    may_be_times = role in ("time", "") or name[-1:].isdecimal()
    if not numbers and may_be_times and is_measured(sampled, sure=role == "time"):
        return numbers_column(name, cells, rows, empty, with_units=True), 0
    if not numbers or (not sampled and role_of(name) != "time"):
        return Column(name, cells.astype(str), rows=rows, empty=empty, cells=cells), 0
    return numbers_column(name, cells, rows, empty), 0


def numbers_column(
    name: str,
    cells: NDArray[np.object_] | list[str],
    rows: NDArray[np.int64],
    empty: NDArray[np.bool_],
    *,
    with_units: bool = False,
) -> Column:
    """A column of numbers; a cell that is none is noted, for whoever takes the column for times."""
    every = np.asarray(cells, dtype=object)
    filled = every[~empty] if empty.any() else every
    unit = ""
    if with_units:
        numbers, unit = measured_numbers(filled.tolist())
    else:
        numbers = numbers_of(filled.tolist())
    values = np.full(every.size, np.nan)
    values[~empty] = numbers.values
    column = Column(name, values, unit, rows=rows, empty=empty, cells=every)
    column.decimal_commas, column.doubt = numbers.decimal_commas, numbers.doubt
    column.thousands = numbers.thousands
    if numbers.wrong is not None:
        column.wrong = (int(rows[~empty][numbers.wrong]), str(filled[numbers.wrong]))
    return column
