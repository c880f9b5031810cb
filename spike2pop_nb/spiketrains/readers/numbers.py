"""From text cells to numbers, saying which cell is not one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.train import FloatArray

from .raw import Source, shown

__all__ = ["is_list", "is_number", "parse_list", "to_floats"]

_NUMBER: Final = re.compile(
    r"\s*[+-]?(?:(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?|nan|inf(?:inity)?)\s*", re.IGNORECASE | re.ASCII
)
_DECIMAL_COMMA: Final = re.compile(r"\s*[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_SCALAR: Final = re.compile(r"(?:np|numpy)\.(?:float|int|uint)\d+\(([^()]*)\)")
_ARRAY: Final = re.compile(r"(?:(?:np|numpy)\.)?array\((.*?)(?:,\s*dtype=[^)]*)?\)", re.DOTALL)
_PAIRS: Final = {"[": "]", "(": ")", "{": "}"}


def is_number(text: str) -> bool:
    """Whether a cell holds one number, with a decimal point or comma."""
    return _NUMBER.fullmatch(text) is not None


def is_list(text: str) -> bool:
    """Whether a cell holds a list: brackets, or two or more numbers."""
    text = text.strip()
    if text[:1] in _PAIRS or _ARRAY.fullmatch(text):
        return True
    parts = [part for part in re.split(r"[;\s]+", text) if part]
    if len(parts) == 1:
        parts = text.split(",")
        if len(parts) == 2 and _DECIMAL_COMMA.fullmatch(text):
            return False  # 3,5 on its own is a number with a decimal comma
    return len(parts) > 1 and all(is_number(part.rstrip(",")) for part in parts if part)


def to_floats(
    cells: Sequence[str], source: Source, rows: Sequence[int] | NDArray[np.int64], where: str
) -> tuple[FloatArray, int]:
    """Convert cells to numbers.

    Parameters
    ----------
    cells : sequence of str
        No blank ones.
    source : Source
        Names the file in errors.
    rows : sequence of int
        Row number of each cell.
    where : str
        Place in words that follows the row, for example "column 'time_ms'".

    Returns
    -------
    (ndarray, int)
        The numbers, and how many had a decimal comma.

    Raises
    ------
    SpikeTrainError
        Names the row and text of the first cell that is no number.
    """
    try:
        if not any("_" in cell for cell in cells):  # Python reads 1_000 as a number; a recording should not
            return np.array(cells, dtype=np.float64), 0
    except ValueError:
        pass
    numbers = np.empty(len(cells))
    commas = 0
    for k, cell in enumerate(cells):
        if not _NUMBER.fullmatch(cell):
            what = (
                f"{shown([cell])} is text where a number should be" if cell.strip() else "a time is missing"
            )
            raise source.error(f"{what} ({where}); every entry there must be a spike time.", row=int(rows[k]))
        if "," in cell:
            commas += 1
            cell = cell.replace(",", ".")
        numbers[k] = float(cell)
    return numbers, commas


def parse_list(cell: str, source: Source, row: int, where: str) -> tuple[FloatArray, int, int]:
    """Numbers of a cell that holds a list.

    Parameters
    ----------
    cell : str
        ``[1.5, 2]``, ``(1.5; 2)``, ``1.5 2``, ``1,5 2,5`` or what NumPy prints for an array.
    source, row, where
        Name the place in errors; see `to_floats`.

    Returns
    -------
    (ndarray, int, int)
        The numbers, how many had a decimal comma, and how many entries were blank and left out.
    """
    text = cell.strip()
    if "(" in text:
        text = _SCALAR.sub(r"\1", text)
        array = _ARRAY.fullmatch(text)
        text = array[1].strip() if array else text
    closing = _PAIRS.get(text[:1])
    if closing is not None:
        if not text.endswith(closing):
            raise source.error(f"the list {shown([text])} is not closed ({where}).", row=row)
        text = text[1:-1].strip()
    if not text:
        return np.empty(0), 0, 0
    if ";" in text:
        parts = text.split(";")
    elif "," not in text:
        parts = text.split()
    else:
        parts = text.split()
        # 1,5 2,5 has blanks between its numbers; in 1, 2 and 1,2 the comma is what separates.
        if len(parts) < 2 or not all(_DECIMAL_COMMA.fullmatch(p) and not p.endswith(",") for p in parts):
            parts = text.split(",")
    if not parts[-1].strip():
        parts.pop()  # a comma after the last entry
    filled = [part for part in parts if part.strip()]
    numbers, commas = to_floats(filled, source, [row] * len(filled), where)
    return numbers, commas, len(parts) - len(filled)
