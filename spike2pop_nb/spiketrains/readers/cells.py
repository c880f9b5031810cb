"""From text cells to numbers: decimal commas, thousands, Fortran's exponents, lists, units, times of day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.behaviour import MIN_INCREASING, share_increasing
from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import canonical_unit, shown_unit

from .raw import Source, shown

__all__ = [
    "MISSING",
    "Numbers",
    "is_list",
    "is_measured",
    "is_number",
    "is_time_of_day",
    "measured",
    "measured_numbers",
    "no_time",
    "numbers_of",
    "parse_list",
    "row_of_times",
    "value_of",
]

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
_MEASURED: Final = re.compile(
    r"\s*(?P<number>[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\W\d_]{1,12})\.?\s*"
)
# 1:02:03.5 and 02:03.5; 02:03 may be hours or minutes, and tells no spikes apart.
_CLOCK: Final = re.compile(
    r"\s*(?:(?P<h>\d{1,3}):(?P<m>[0-5]?\d):(?P<s>[0-5]?\d(?:[.,]\d+)?)|"
    r"(?P<minutes>\d{1,3}):(?P<seconds>[0-5]?\d[.,]\d+))\s*",
    re.ASCII,
)
_HALF_A_DAY_S: Final = 43_200.0


@dataclass
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

    values: FloatArray
    wrong: int | None = None
    decimal_commas: int = 0
    thousands: str = ""
    doubt: str = ""


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
    found = Numbers(np.full(len(cells), np.nan))
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
    """The numbers of a cell that holds a list, how many had a decimal comma, and how many entries were blank.

    ``[1.5, 2]``, ``(1.5; 2)``, ``1.5 2``, ``1,5 2,5`` or what NumPy prints for an array.
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
    numbers = row_of_times(filled, source, row, where)
    return numbers.values, numbers.decimal_commas, len(parts) - len(filled)


def row_of_times(cells: Sequence[str], source: Source, row: int, where: str) -> Numbers:
    """The numbers of a row, none of its cells blank; refused where one is none or they cannot be told."""
    numbers = numbers_of(cells)
    if numbers.doubt:
        raise source.error(f"{numbers.doubt} ({where}).", row=row)
    if numbers.wrong is not None:
        raise source.error(no_time(cells[numbers.wrong], where), row=row)
    return numbers


def no_time(cell: str, where: str) -> str:
    """In words: this cell is no spike time."""
    what = f"{shown([cell])} is text where a number should be" if cell.strip() else "a time is missing"
    return f"{what} ({where}); every entry there must be a spike time."


def measured(cell: str) -> tuple[float, str] | None:
    """The number and the unit of time that a cell holds; None for another cell.

    Examples
    --------
    >>> measured("12,5 ms"), measured("1:00:02.5"), measured("CA1")
    ((12.5, 'ms'), (3602.5, 's'), None)
    """
    clock = _CLOCK.fullmatch(cell)
    if clock is not None:
        hours, minutes = int(clock["h"] or 0), int(clock["m"] or clock["minutes"])
        seconds = float((clock["s"] or clock["seconds"]).replace(",", "."))
        return 3600.0 * hours + 60.0 * minutes + seconds, "s"
    found = _MEASURED.fullmatch(cell)
    unit = canonical_unit(found["unit"]) if found is not None else None
    return (value_of(found["number"]), unit) if found is not None and unit is not None else None


def is_measured(cells: Sequence[str], *, sure: bool) -> bool:
    """Whether most cells are numbers with a unit of time, or times of day.

    Minutes and hours name treatments as well, as in "5 min", so they count only where the column is `sure`
    to hold times.
    """
    found = [one for cell in cells if (one := measured(cell)) is not None]
    if not sure and any(unit in ("h", "min") for _, unit in found):
        return False
    return 2 * len(found) > len(cells)


def is_time_of_day(cell: str) -> bool:
    """Whether a cell holds hours, minutes and seconds."""
    return _CLOCK.fullmatch(cell) is not None


def measured_numbers(cells: Sequence[str]) -> tuple[Numbers, str]:
    """The numbers of cells with a unit, and that unit; a doubt where there are several units."""
    numbers = Numbers(np.full(len(cells), np.nan))
    units: dict[str, str] = {}
    for k, cell in enumerate(cells):
        found = measured(cell)
        if found is None:
            if numbers.wrong is None and cell.strip().lower() not in MISSING:
                numbers.wrong = k
            continue
        numbers.values[k] = found[0]
        units.setdefault(found[1], cell)
    if len(units) > 1:
        (one, first), (other, second), *_ = units.items()
        numbers.doubt = (
            f"some numbers are in {shown_unit(one)} ({first!r}) and others in {shown_unit(other)} "
            f"({second!r}); write all in one unit"
        )
    steps = np.diff(numbers.values)
    if any(map(is_time_of_day, cells[:1])) and (steps < -_HALF_A_DAY_S).any():
        after = cells[int(np.argmax(steps < -_HALF_A_DAY_S)) + 1]
        numbers.doubt = f"the clock passes midnight at {after!r}; write the times since the recording's start"
    return numbers, next(iter(units), "")
