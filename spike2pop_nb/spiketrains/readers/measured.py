"""Cells that carry a unit: 12.5 ms, 0,3s, 00:01:12.5."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.units import canonical_unit, shown_unit

from .cells import MISSING, Numbers, value_of

__all__ = ["is_measured", "is_time_of_day", "measured", "measured_numbers"]

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
    numbers = Numbers(len(cells))
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
