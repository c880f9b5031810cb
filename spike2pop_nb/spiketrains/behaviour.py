"""What numbers look like: times that grow, counters, axes, intervals, padding, trials one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .train import FloatArray

__all__ = [
    "MIN_INCREASING",
    "codes_of",
    "counts_ahead",
    "falls_back",
    "grows_within",
    "growth",
    "has_equal_steps",
    "has_even_steps",
    "is_binary",
    "is_counter",
    "is_whole",
    "kept_before_padding",
    "looks_like_intervals",
    "looks_like_samples",
    "paddings",
    "repeats",
    "share_increasing",
    "share_increasing_within",
    "steps_within",
    "sum_below",
]

MIN_INCREASING: Final = 0.65
"""Spike times grow; of the steps between numbers of another kind half go up."""

_MIN_AXIS: Final = 10
_MIN_JITTERED: Final = 50
# A clock printed with few digits has steps that differ by one of its last digit.
_ROUNDING: Final = 0.51


def is_whole(values: FloatArray) -> bool:
    """Whether all finite values are whole numbers, and there are some."""
    finite = values[np.isfinite(values)]
    return finite.size > 0 and bool((finite == np.rint(finite)).all())


def is_counter(values: FloatArray) -> bool:
    """Whether the values count 0, 1, 2, … or 1, 2, 3, …"""
    if values.size < 2 or not np.isfinite(values).all() or values[0] not in (0.0, 1.0):
        return False
    return bool((np.diff(values) == 1.0).all())


def share_increasing(columns: Sequence[FloatArray]) -> float:
    """Share of steps that go up, over all columns; 1 where there is no step."""
    steps = [np.diff(column[np.isfinite(column)]) for column in columns]
    joined = np.concatenate(steps or [np.empty(0)])
    return float(np.mean(joined > 0)) if joined.size else 1.0


def growth(matrix: FloatArray) -> tuple[float, float]:
    """Share of steps that go up along the rows, and down the columns."""
    return share_increasing(list(matrix)), share_increasing(list(matrix.T))


def is_binary(values: FloatArray) -> bool:
    """Whether there are only 0 and 1, or 0 and another number, as in binned spikes."""
    if values.size <= 10:
        return False
    found, counts = np.unique(values, return_counts=True)
    return set(found) <= {0.0, 1.0} or (found.size == 2 and 0.0 in found and bool(counts.min() > 1))


def has_equal_steps(values: FloatArray) -> bool:
    """Whether the values run in equal steps upwards, as the time axis of a sampled trace does.

    The steps of a clock are equal but for its last digit, or what one is longer the next is shorter. Those of
    a cell that fires regularly stray, each on its own.
    """
    if not has_even_steps(values):
        return False
    steps = np.diff(values)
    step = float(steps.mean())
    off = steps - step
    straight = values[0] + step * np.arange(values.size)
    if float(np.abs(values - straight).max()) <= 1e-3 * step or np.unique(np.rint(1e3 * off / step)).size < 3:
        return True
    if values.size < _MIN_JITTERED:
        return False
    return float((off[1:] * off[:-1]).mean()) < -0.3 * float((off**2).mean())


def has_even_steps(values: FloatArray) -> bool:
    """Whether no value is further than half a step from where equal steps would have it."""
    if values.size < _MIN_AXIS or not np.isfinite(values).all():
        return False
    steps = np.diff(values)
    step = float(steps.mean())
    straight = values[0] + step * np.arange(values.size)
    return step > 0 and bool((steps > 0).all()) and float(np.abs(values - straight).max()) <= _ROUNDING * step


def codes_of(labels: NDArray[np.generic]) -> NDArray[np.int64]:
    """A number for each different label, in the order in which they first appear."""
    import pandas as pd

    return np.asarray(pd.factorize(labels)[0], dtype=np.int64)


def steps_within(codes: NDArray[np.int64], times: FloatArray) -> FloatArray:
    """Steps between one time of a group and the next, over all groups."""
    finite = np.isfinite(times)
    order = np.argsort(codes[finite], kind="stable")
    steps = np.diff(times[finite][order])
    return steps[np.diff(codes[finite][order]) == 0]


def share_increasing_within(codes: NDArray[np.int64], times: FloatArray) -> float:
    """Share of steps that go up from one time of a group to its next; 1 where there is no such step."""
    steps = steps_within(codes, times)
    return float(np.mean(steps > 0)) if steps.size else 1.0


def grows_within(codes: NDArray[np.int64], times: FloatArray) -> bool:
    """Whether the codes repeat and the times grow within each group: the mark of a row per spike."""
    if times.size < 2:
        return False
    if not repeats(codes):
        return False
    steps = steps_within(codes, times)
    return steps.size > 0 and bool(np.mean(steps > 0) > 0.9)


def repeats(codes: NDArray[np.int64]) -> bool:
    """Whether there are fewer different codes than entries, by far."""
    return codes.size > 1 and int(codes.max()) < max(1, int(0.7 * codes.size))


def falls_back(times: FloatArray) -> NDArray[np.int64]:
    """Where times start over, as those of trials written one after another do.

    Returns
    -------
    ndarray of int
        Index of the first time of each later trial. Empty where the times grow throughout, or fall back so
        often or so little that they are merely out of order.
    """
    times = times[np.isfinite(times)]
    falls = np.flatnonzero(np.diff(times) < 0) + 1
    nothing = np.empty(0, dtype=np.int64)
    if not falls.size or times.size < max(9.0, 3.0 * (falls.size + 1)):
        return nothing
    starts = np.concatenate(([0], falls, [times.size]))
    ends = times[starts[1:] - 1]
    begins = times[starts[:-1]]
    spans = ends - begins
    far = (ends[:-1] - begins[1:]) > 0.5 * np.maximum(spans[:-1], 1e-300)
    return falls if bool(np.mean(far) > 0.8) else nothing


def looks_like_intervals(values: FloatArray) -> bool:
    """Whether the values are positive, in no order and bunched, as intervals between spikes are."""
    if (values <= 0).any() or not _unordered(values):
        return False
    middle = float(np.median(values))
    alike = float(values.min()) > 0.2 * middle and float(values.max()) < 30.0 * middle
    return alike or _is_bunched(values)


def looks_like_samples(values: FloatArray) -> bool:
    """Whether the values are in no order, and bunched and some below zero, or smooth, as a trace is."""
    if not _unordered(values):
        return False
    off = np.diff(values) - float(np.diff(values).mean())
    smooth = values.size >= _MIN_JITTERED and float((off[1:] * off[:-1]).mean()) > 0.3 * float(
        (off**2).mean()
    )
    return smooth or (bool((values < 0).any()) and _is_bunched(values))


def _unordered(values: FloatArray) -> bool:
    if values.size < 10 or not np.isfinite(values).all():
        return False
    return 0.25 < float(np.mean(np.diff(values) < 0)) < 0.75


def _is_bunched(values: FloatArray) -> bool:
    """Whether the values spread unevenly over their range, over which times of any order spread evenly."""
    low, high = float(values.min()), float(values.max())
    even = (np.sort(values) - low) / (high - low)
    share = np.arange(1, values.size + 1) / values.size
    return float(np.abs(even - share).max()) > 0.15 + values.size**-0.5


def counts_ahead(values: FloatArray) -> int:
    """How many numbers at the beginning say how many follow, as those of trains written one after another do.

    They are whole, the last of them add up to what follows them all, and others may stand before those.
    """
    if values.size > 10 and values[0] == values.size - 1 and share_increasing([values[1:]]) == 1.0:
        return 1
    other = np.flatnonzero((values != np.rint(values)) | (values < 0))
    most = min(int(other[0]) if other.size else 0, values.size // 2)
    summed = np.concatenate(([0.0], np.cumsum(values[:most])))
    for k in range(most, 1, -1):
        if (summed[: k - 1] == summed[k] - (values.size - k)).any():
            return k
    return 0


def sum_below(times: FloatArray) -> tuple[int, str] | None:
    """Where a number sums up the times above it, and as what: "mean", "sum" or "count"; None for none.

    Looked for among the last four, since a mean, a deviation and a count often stand below each other.
    """
    for at in range(times.size - 1, max(times.size - 5, 4), -1):
        above, last = times[:at], float(times[at])
        if not np.isfinite(above).all() or not (np.diff(above) > 0).all():
            continue
        far = not 0 < last - above[-1] < 3.0 * float(np.median(np.diff(above)))
        if last < above[-1] and abs(last - above.mean()) <= 2e-3 * abs(above.mean()):
            return at, "mean"
        if far and abs(last - above.sum()) <= 1e-3 * abs(last):
            return at, "sum"
        if far and last == at and not is_whole(above):
            return at, "count"
    return None


def paddings(trains: Sequence[FloatArray]) -> frozenset[float]:
    """Values that ragged trains are filled up with; none where they are not.

    Such a value stands at the end and is no time of that train: it lies before the time it follows and is 0
    or −1, is repeated, or closes other trains as well; or it is repeated at the end of several trains.
    """
    behind: dict[float, int] = {}
    repeated: dict[float, int] = {}
    sure: set[float] = set()
    for times in trains:
        filled = times[~np.isnan(times)]
        if filled.size < 2:
            continue
        last, run = float(filled[-1]), _run(filled)
        if run == filled.size:
            continue
        if last < filled[-run - 1]:
            behind[last] = behind.get(last, 0) + 1
            if last in (0.0, -1.0) or run > 1:
                sure.add(last)
        elif run > 1 and last - filled[-run - 1] > 5.0 * _median_step(filled[:-run]):
            sure.add(last)
        elif run > 1:
            repeated[last] = repeated.get(last, 0) + 1
    several = {value for counts in (behind, repeated) for value, n in counts.items() if n > 1}
    return frozenset(sure | several)


def _median_step(times: FloatArray) -> float:
    return float(np.median(np.diff(times))) if times.size > 2 else np.inf


def _run(times: FloatArray) -> int:
    """How many values at the end equal the last."""
    other = np.flatnonzero(times != times[-1])
    return int(times.size - 1 - other[-1]) if other.size else int(times.size)


def kept_before_padding(times: FloatArray, padding: frozenset[float]) -> int:
    """How many values stand before the NaN and the padding that fill up the end."""
    filled = np.flatnonzero(~np.isnan(times))
    size = int(filled[-1]) + 1 if filled.size else 0
    if size and float(times[size - 1]) in padding:
        size -= _run(times[:size])
    return size
