"""From text cells to numbers: decimal commas, thousands, Fortran's exponents, lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.behaviour import MIN_INCREASING, share_increasing
from spike2pop_nb.spiketrains.train import FloatArray

from .raw import Source, shown

__all__ = ["MISSING", "Numbers", "is_list", "is_number", "numbers_of", "parse_list", "value_of"]

MISSING: Final = frozenset(
    {"", "na", "n/a", "#n/a", "n.a.", "none", "null", "nil", "-", "--", ".", "missing"}
)
"""What stands for no number, in small letters."""

_NUMBER: Final = re.compile(
    r"\s*[+-]?(?:(?:\d+[.,]?\d*|[.,]\d+)(?:[eEdD][+-]?\d+)?|nan|inf(?:inity)?)\s*", re.IGNORECASE | re.ASCII
)
_GROUPED: Final = re.compile(
    r"\s*[+-]?[1-9]\d{0,2}(?:(?P<group>[,.'’\u00a0\u202f ])\d{3})(?:(?P=group)\d{3})*(?:[.,]\d*)?\s*",
    re.ASCII,
)
_SURE_GROUPS: Final = {  # a group and a decimal mark, or two groups: this is no decimal mark
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:,\d{3})+\.\d*|(?:,\d{3}){2,})", re.ASCII),
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:\.\d{3})+,\d*|(?:\.\d{3}){2,})", re.ASCII),
}
_PERHAPS_GROUPED: Final = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}{re.escape(mark)}\d{{3}}") for mark in ",."}
_DECIMAL_COMMA: Final = re.compile(r"\s*[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_SCALAR: Final = re.compile(r"(?:np|numpy)\.(?:float|int|uint)\d+\(([^()]*)\)")
_OPENING: Final = re.compile(r"(?:(?:np|numpy)\.)?array\(\s*")
_DTYPE: Final = re.compile(r",\s*dtype=[\w.'\"]{1,30}\s*$")
# [ms] and (s) are units, [nan] is a list.
_IN_BRACKETS: Final = re.compile(r"[\[(]\s*(?!nan|none)[^\W\d_]{1,12}\s*[\])]", re.IGNORECASE)
_PAIRS: Final = {"[": "]", "(": ")", "{": "}"}


class Numbers:
    """Numbers of a column, and what stands in the way of using them.

    Attributes
    ----------
    values : ndarray of float64
        NaN for what is no number.
    wrong : int or None
        Index of the first cell that is no number.
    decimal_commas : int
        How many had a decimal comma.
    thousands : str
        The mark between thousands, "" for none.
    doubt : str
        Why the numbers cannot be told, in words; "" where they can.
    """

    def __init__(self, n: int) -> None:
        self.values: FloatArray = np.full(n, np.nan)
        self.wrong: int | None = None
        self.decimal_commas = 0
        self.thousands = ""
        self.doubt = ""


def is_number(text: str) -> bool:
    """Whether a cell holds one number, with a decimal point or comma or marks between thousands."""
    return _NUMBER.fullmatch(text) is not None or _GROUPED.fullmatch(text) is not None


def value_of(text: str) -> float:
    """The number that a cell holds on its own, NaN for none: only to judge a layout by."""
    text = text.strip()
    if _NUMBER.fullmatch(text) is None:
        grouped = _GROUPED.fullmatch(text)
        if grouped is None:
            return float("nan")
        text = _ungrouped(text, grouped["group"])
    return float(text.lower().replace(",", ".").replace("d", "e"))


def is_list(text: str) -> bool:
    """Whether a cell holds a list: brackets, or two or more numbers."""
    text = text.strip()
    if text[:1] in _PAIRS or _OPENING.match(text):
        return _IN_BRACKETS.fullmatch(text) is None
    if is_number(text) or is_number(text.rstrip(",;")):
        return False  # 3,5 on its own is a number with a decimal comma
    parts = [part for part in re.split(r"[;\s]+", text) if part]
    if len(parts) == 1:
        parts = text.split(",")
    return len(parts) > 1 and all(is_number(part.rstrip(",")) for part in parts if part)


def numbers_of(cells: Sequence[str]) -> Numbers:
    """Convert the cells of a column, none of them blank."""
    found = Numbers(len(cells))
    try:
        # Python reads 1_000 as a number, and digits of other scripts; a recording should not.
        joined = "".join(cells)
        if "_" not in joined and joined.isascii():
            found.values = np.array(cells, dtype=np.float64)
            _doubt_points(cells, found)
            return found
    except ValueError:
        pass
    stripped = [cell.strip() for cell in cells]
    mark = _thousands(stripped, found)
    for k, cell in enumerate(stripped):
        if mark and mark in cell and _GROUPED.fullmatch(cell):
            cell = _ungrouped(cell, mark)
        elif _NUMBER.fullmatch(cell) is None:
            if found.wrong is None:
                found.wrong = k
            continue
        if "," in cell:
            found.decimal_commas += 1
            cell = cell.replace(",", ".")
        found.values[k] = float(cell.lower().replace("d", "e") if "n" not in cell.lower() else cell)
    found.thousands = mark
    return found


def _ungrouped(cell: str, mark: str) -> str:
    return cell.replace(mark, "").replace(",", ".")


def _thousands(cells: Sequence[str], found: Numbers) -> str:
    """The mark between thousands in these cells, "" for none; notes a doubt where widths do not tell."""
    for mark in (",", "."):
        if any(mark in cell and _SURE_GROUPS[mark].fullmatch(cell) for cell in cells):
            return mark
    for mark in ("'", "’", "\u00a0", "\u202f", " "):
        marked = [cell for cell in cells if mark in cell]
        if marked and all(_GROUPED.fullmatch(cell) for cell in marked) and (mark != " " or _grow(cells)):
            return mark
    marked = [cell for cell in cells if "," in cell]
    if not marked or not all(_PERHAPS_GROUPED[","].fullmatch(cell) for cell in marked):
        return ""
    return _told_by_growth(cells, ",", found)


def _grow(cells: Sequence[str]) -> bool:
    """Whether numbers grow with blanks between thousands: 50 100 in one cell may well be two numbers."""
    values = np.array([value_of(cell) for cell in cells])
    return len(cells) > 4 and bool((values < 1000).any()) and share_increasing([values]) > MIN_INCREASING


def _doubt_points(cells: Sequence[str], found: Numbers) -> None:
    """Where every point has three digits behind it and other cells have none, it may part thousands."""
    if share_increasing([found.values]) == 1.0:
        return
    marked = [cell.strip() for cell in cells if "." in cell]
    if 0 < len(marked) < len(cells) and all(_PERHAPS_GROUPED["."].fullmatch(cell) for cell in marked):
        mark = _told_by_growth([cell.strip() for cell in cells], ".", found)
        if mark:
            found.values = np.array([float(cell.replace(".", "")) for cell in cells])
            found.thousands = mark


def _told_by_growth(cells: Sequence[str], mark: str, found: Numbers) -> str:
    """Thousands or decimals: times grow under one of the two only."""
    cells = [cell for cell in cells if is_number(cell)]  # what is none is refused by who asked
    plain = [cell for cell in cells if mark not in cell]
    values = np.array([value_of(cell) for cell in plain])
    if any("." in cell or "," in cell for cell in plain) or (values > 999).any():
        return ""  # numbers of a thousand and more stand there without the mark
    grouped = np.array([value_of(_ungrouped(cell, mark)) for cell in cells])
    decimal = np.array([value_of(cell) for cell in cells])
    as_groups, as_decimals = share_increasing([grouped]), share_increasing([decimal])
    if (
        plain
        and as_decimals < as_groups
        and (as_groups == 1.0 or as_groups > max(MIN_INCREASING, as_decimals + 0.05))
    ):
        return mark
    if plain and as_groups < as_decimals and (as_decimals == 1.0 or as_decimals > as_groups + 0.05):
        return ""
    name = "comma" if mark == "," else "point"
    example = next(cell for cell in cells if mark in cell)
    found.doubt = (
        f"the {name} in {example!r} may part thousands or be a decimal {name}; write the numbers without "
        "marks between thousands"
    )
    return ""


def parse_list(cell: str, source: Source, row: int, where: str) -> tuple[FloatArray, int, int]:
    """Numbers of a cell that holds a list.

    Parameters
    ----------
    cell : str
        ``[1.5, 2]``, ``(1.5; 2)``, ``1.5 2``, ``1,5 2,5`` or what NumPy prints for an array.
    source, row, where
        Name the place in errors.

    Returns
    -------
    (ndarray, int, int)
        The numbers, how many had a decimal comma, and how many entries were blank and left out.

    Raises
    ------
    SpikeTrainError
        Names the row and text of the first entry that is no number.
    """
    text = cell.strip()
    if "(" in text:
        text = _SCALAR.sub(r"\1", text)
        opening = _OPENING.match(text)
        if opening and text.endswith(")"):
            text = _DTYPE.sub("", text[opening.end() : -1]).strip()
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
    source.check_counts(len(filled))
    numbers = numbers_of(filled)
    if numbers.doubt:
        raise source.error(f"{numbers.doubt} ({where}).", row=row)
    refuse_wrong(numbers, filled, source, np.full(len(filled), row), where)
    return numbers.values, numbers.decimal_commas, len(parts) - len(filled)


def refuse_wrong(
    numbers: Numbers, cells: Sequence[str], source: Source, rows: NDArray[np.int64], where: str
) -> None:
    """Raise for the first cell that is no number."""
    if numbers.wrong is not None:
        raise source.error(
            f"{no_number(cells[numbers.wrong])} ({where}); every entry there must be a spike time.",
            row=int(rows[numbers.wrong]),
        )


def no_number(cell: str) -> str:
    """In words: this cell is no number."""
    return f"{shown([cell])} is text where a number should be" if cell.strip() else "a time is missing"
