"""The unit of the times in a file: from a name if one says it, otherwise from the intervals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import numpy as np

from .train import FloatArray

__all__ = ["SHOWN", "Unit", "to_ms", "unit_from_comments", "unit_from_intervals", "unit_from_name"]

Unit: TypeAlias = Literal["s", "ms", "us"]

SHOWN: Final[dict[str, str]] = {"s": "s", "ms": "ms", "us": "µs"}

_WORDS: Final[dict[str, Unit]] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "µs", "μs", "usec", "usecs", "microsecond", "microseconds"), "us"),
}
_UNIT = "|".join(sorted(_WORDS, key=len, reverse=True))
# The unit closes the name, set off from it: time_ms, t (s), spikes [us], time.ms, "times in ms".
_IN_NAME = re.compile(rf"^(?:(.*?)[\s_.,/(\[{{:-]+)?({_UNIT})[)\]}}]?$", re.IGNORECASE)
_IN_COMMENT = re.compile(rf"\bunits?\b[^a-zµμ]*[:=]\s*\(?({_UNIT})\b", re.IGNORECASE)

# A median interval of 2 ms to 2 s is a rate of 0.5 to 500 Hz: what neurons do. The three units differ by a
# thousand each, so exactly one of them puts any median there.
_SHORTEST_MEDIAN_MS, _LONGEST_MEDIAN_MS = 2.0, 2000.0
# No neuron fires again within half a millisecond.
_REFRACTORY_MS = 0.5
# A train that breaks this rule in ms is a slow one in seconds if its numbers are small throughout.
_SLOW_MEDIAN_S, _SLOW_SPAN_S = 10.0, 5000.0


def unit_from_name(name: str) -> tuple[str, Unit | None]:
    """Split a column name into its stem and its unit.

    Parameters
    ----------
    name : str
        For example "time_ms", "t (s)" or "spikes".

    Returns
    -------
    (str, unit or None)
        ("time", "ms"), ("t", "s") and ("spikes", None) for the examples above.
    """
    match = _IN_NAME.match(name.strip())
    if match is None:
        return name.strip(), None
    stem = re.sub(r"[\s_]+in$", "", match[1] or "", flags=re.IGNORECASE)
    return stem, _WORDS[match[2].lower()]


def unit_from_comments(lines: Iterable[str]) -> tuple[Unit, str] | None:
    """Unit that a comment line such as ``# unit: ms`` states, with that line; None when none does."""
    for line in lines:
        match = _IN_COMMENT.search(line)
        if match:
            return _WORDS[match[1].lower()], line.strip()
    return None


def to_ms(times: FloatArray, unit: str) -> FloatArray:
    """Times in ms from times in `unit`."""
    if unit == "s":
        return times * 1000.0
    return times / 1000.0 if unit == "us" else times


def unit_from_intervals(trains: Iterable[FloatArray]) -> tuple[Unit, str]:
    """Guess the unit from the intervals of all trains.

    Parameters
    ----------
    trains : iterable of ndarray, each of shape (n,)
        Times as they stand in the file, in any order.

    Returns
    -------
    (unit, str)
        The unit and the reason in words.

    Notes
    -----
    The unit is the one that puts the median interval between 2 ms and 2 s (0.5 to 500 Hz). Two exceptions:
    where this says ms, but over 1 % of the intervals would be shorter than 0.5 ms, the median would be 10 ms
    or less and the whole recording 5 s or less, it is a slow train in seconds; where it says µs, but the
    times are not whole numbers or some interval would be shorter than 0.5 ms, it is a slow train in ms.
    """
    arrays = [np.unique(times) for times in trains]
    gaps = [np.diff(times) for times in arrays if times.size > 1]
    if not gaps:
        return "ms", "ms assumed, since no train has two spikes to judge by"
    isi = np.sort(np.concatenate(gaps))
    median, low = float(np.median(isi)), float(isi[(isi.size - 1) // 100])
    unit: Unit
    if median < _SHORTEST_MEDIAN_MS:
        unit = "s"
    elif median < _LONGEST_MEDIAN_MS:
        span = max(float(times[-1]) for times in arrays if times.size) - min(
            float(times[0]) for times in arrays if times.size
        )
        slow = low < _REFRACTORY_MS and median <= _SLOW_MEDIAN_S and span <= _SLOW_SPAN_S
        unit = "s" if slow else "ms"
    else:
        whole = all(np.array_equal(times, np.rint(times)) for times in arrays)
        unit = "us" if whole and isi[0] >= 1000.0 * _REFRACTORY_MS else "ms"
    rate = 1000.0 / float(to_ms(np.array(median), unit))
    return unit, (
        f"{SHOWN[unit]} assumed from the intervals: their median is {median:.4g}, "
        f"which as {SHOWN[unit]} is a rate of {rate:.3g} Hz"
    )
