"""What is measured of a train, to see whether another fires alike: in its intervals, or in its burst cycles.

Measures are of the typical interval or cycle. One long pause, a missing burst, or a stray spike leaves them
alone, as it does those who look at a recording; one spike that was missed can double the CV. What they leave
out still shows in the interval distribution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from spike2pop_nb.spiketrains.intervals import pauses

__all__ = [
    "LOGARITHMS",
    "MAD_SD",
    "QUANTILES",
    "columns",
    "cut",
    "measure",
    "measure_columns",
    "measure_many",
    "names",
    "plain_cvs",
    "quantiles",
]

FloatArray = npt.NDArray[np.float64]
LOGARITHMS = {"rate", "burst period", "burst duration", "spikes per burst", "interval within bursts"}
"""Measures that are given as logarithms."""
QUANTILES = (np.arange(40) + 0.5) / 40
"""At which interval distributions are compared."""

_TONIC = ("rate", "robust CV", "robust CV2", "serial correlation", "intervals")
_BURSTING = (
    "burst period",
    "burst duration",
    "spikes per burst",
    "interval within bursts",
    "robust CV of burst periods",
    "robust CV of spikes per burst",
    "intervals",
)
MAD_SD = 1.4826
"""Standard deviation of a normal over its median absolute deviation."""
_FAR = 2.5  # robust SDs from which values are drawn in
_ALIKE = 0.3  # share of the median by which the durations of bursts may differ
_TRIM, _TRIMMED_MEAN = 0.75, 0.5147  # mean of the smaller three quarters of |z|, z a standard normal
_SAME_CV = 0.01


def names(bursting: bool) -> tuple[str, ...]:
    """Return the names of the measures, the last of which is the distribution of ln(ISI)."""
    return _BURSTING if bursting else _TONIC


def cut(times_ms: FloatArray, bursting: bool) -> list[FloatArray]:
    """Cut a train into its intervals, or into whole cycles of a burst and the pause after it.

    The first and the last burst are left out, which the recording may have cut.
    """
    isi = np.diff(times_ms)
    if not bursting:
        return list(isi[:, None])
    if not len(isi):
        return []
    ends = np.flatnonzero(pauses(isi)) + 1
    return [isi[first:end] for first, end in pairwise(ends)]


def columns(parts: Sequence[FloatArray], bursting: bool) -> FloatArray:
    """Return what measures are taken of: intervals, (n,), or spikes, period, duration of cycles, (3, n)."""
    if not bursting:
        return np.concatenate(parts)
    return np.array([(len(part), part.sum(), part[:-1].sum()) for part in parts]).T


def measure(parts: Sequence[FloatArray], bursting: bool) -> FloatArray:
    """Return the measures of a train but for its interval distribution, (q - 1,)."""
    return measure_columns(columns(parts, bursting), bursting)


def measure_columns(cycles: FloatArray, bursting: bool) -> FloatArray:
    """Return the measures of many trains, from intervals, (..., n), or cycles, (3, ..., n): (..., q - 1)."""
    if not bursting:
        return _of_intervals(cycles)
    n_spikes, period, duration = cycles
    several = n_spikes > 1
    within = np.where(several, duration / np.maximum(n_spikes - 1, 1), 0.0)
    usual = within.sum(axis=-1) / np.maximum(several.sum(axis=-1), 1)
    within = np.where(several, within, usual[..., None])
    # bursts of a spike more or less are no odd ones
    counts, rhythm = _drawn_in(n_spikes, _ALIKE), _typical(period)
    count = counts.mean(axis=-1)
    values = (rhythm, _typical(duration, _ALIKE), count, _typical(within, _ALIKE))
    logs = [np.log(np.maximum(value, 1.0)) for value in values]
    return np.stack([*logs, _robust_cv(period, rhythm), counts.std(axis=-1) / count], axis=-1)


def quantiles(parts: Sequence[FloatArray]) -> FloatArray:
    """Return the quantiles of ln(ISI), (40,)."""
    return np.asarray(np.quantile(np.log(np.concatenate(parts)), QUANTILES))


def measure_many(trains: Sequence[Sequence[FloatArray]], bursting: bool) -> tuple[FloatArray, FloatArray]:
    """Return the measures of the parts of many trains, (n, q - 1), and the quantiles of each, (n, 40)."""
    measured = _side_by_side(
        [columns(parts, bursting) for parts in trains], lambda cycles: measure_columns(cycles, bursting)
    )
    intervals = [np.concatenate(parts) for parts in trains]
    return measured, _side_by_side(intervals, lambda isi: np.quantile(np.log(isi), QUANTILES, axis=-1).T)


def _side_by_side(values: Sequence[FloatArray], of: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return a row for each array, (..., n), taken of all arrays of the same n at once, (..., k, n)."""
    sizes = np.array([one.shape[-1] for one in values])
    found: dict[int, FloatArray] = {}
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size).tolist()
        # sums are rounded by how their terms lie in memory: each row alike, however many there are
        stacked = np.ascontiguousarray(np.stack([values[row] for row in rows], axis=-2))
        found.update(zip(rows, of(stacked), strict=True))
    return np.array([found[row] for row in range(len(values))])


def plain_cvs(parts: Sequence[FloatArray], bursting: bool) -> list[float]:
    """Return the CV of the intervals, or those of burst periods and of spikes per burst."""
    values = [np.array([part.sum() for part in parts])]
    if bursting:
        values.append(np.array([float(len(part)) for part in parts]))
    return [float(of.std() / of.mean()) for of in values]


def _of_intervals(isi: FloatArray) -> FloatArray:
    typical = _typical(isi)
    neighbours = np.abs(np.diff(isi)) / (isi[..., 1:] + isi[..., :-1])
    level = np.log(isi)
    level = level - level.mean(axis=-1, keepdims=True)
    variance = (level**2).mean(axis=-1)
    # intervals that are all but the same have none
    serial = (level[..., 1:] * level[..., :-1]).mean(axis=-1) / np.maximum(variance, _SAME_CV**2)
    serial = np.where(variance > _SAME_CV**2, serial, 0.0)
    cv2 = math.sqrt(8.0 / math.pi) * _inner(neighbours)  # which is 2 CV / sqrt(pi) of normal intervals
    return np.stack([np.log(1000.0 / typical), _robust_cv(isi, typical), cv2, serial], axis=-1)


def _drawn_in(values: FloatArray, alike: float = 0.0) -> FloatArray:
    """Return values drawn in to 2.5 robust SD from their median along the last axis.

    Those that differ from it by no more than the share ``alike`` are left where they are.
    """
    median = np.median(values, axis=-1, keepdims=True)
    far = _FAR * MAD_SD * np.median(np.abs(values - median), axis=-1, keepdims=True)
    far = np.maximum(far, alike * median)
    return np.asarray(np.clip(values, median - far, median + far))


def _typical(values: FloatArray, alike: float = 0.0) -> FloatArray:
    return np.asarray(_drawn_in(values, alike).mean(axis=-1))


def _inner(off: FloatArray) -> FloatArray:
    """Return the mean of the smaller three quarters along the last axis, scaled to the SD of a normal."""
    kept = max(1, int(_TRIM * off.shape[-1]))
    return np.asarray(np.partition(off, kept - 1, axis=-1)[..., :kept].mean(axis=-1) / _TRIMMED_MEAN)


def _robust_cv(values: FloatArray, typical: FloatArray) -> FloatArray:
    return np.asarray(_inner(np.abs(values - typical[..., None])) / typical)
