"""Statistics of the intervals of a train: what a network reads beside the intervals, and trees read alone.

Quantiles and spread of the log intervals, irregularity, serial correlation, drift, and the shape of bursts,
under two rules for what a gap between bursts is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FINE", "STATISTICS", "interval_statistics"]

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

FINE = 1e4
"""Magnifies relative steps of intervals: a settled regular train differs from the next by parts in 10 000."""
_SMALLEST_MS = 0.05
_FLOOR = 1e-5
_CHUNK = 2**17
_QUANTILES = np.array([0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0])
_BURST_SHAPE = (
    "gap_fraction",
    "log_mean_gap",
    "std_log_gap",
    "log_mean_short",
    "std_log_short",
    "std_spikes_per_burst",
    "after_gap",
    "before_gap",
)
_MEAN_GAP = _BURST_SHAPE.index("log_mean_gap")
STATISTICS = (
    *(f"log_isi_q{round(100 * q):03d}" for q in _QUANTILES),
    "mean_log_isi",
    "std_log_isi",
    "log_mean_isi",
    "cv",
    "log_cv",
    "cv_above_0.15",
    "local_variation",
    "log_mean_step",
    "serial_correlation_1",
    "serial_correlation_2",
    "serial_correlation_3",
    "log_n",
    "drift",
    "drift_quarters_1_2",
    "drift_quarters_2_3",
    "drift_quarters_3_4",
    "first_step",
    "last_step",
    "first_to_last",
    *_BURST_SHAPE,
    "log_n_gaps",
    "log_spikes_per_burst",
    "log_burst_duration",
    "log_intra_burst_isi",
    "log_burst_period",
    "log_short_range",
    "after_gap_2",
    "after_gap_3",
    "before_gap_2",
    "before_gap_3",
    *(f"{name}_by_logs" for name in _BURST_SHAPE),
    "log_spikes_per_burst_by_logs",
)


def interval_statistics(isi_ms: Floats, lengths: NDArray[np.int64]) -> Floats:
    """The `STATISTICS` (n, 55) of padded intervals (n, L) in ms, each with at least one interval, float32.

    Bursts are split, whether or not the train bursts, where an interval exceeds half of minimum plus maximum
    (the published rule), and again where its log exceeds the middle of the logs' 5 % and 95 % quantiles: that
    threshold is not moved by one odd interval, as noise makes them.
    """
    rows = max(1, _CHUNK // max(isi_ms.shape[1], 1))
    parts = [
        _statistics(isi_ms[a : a + rows], lengths[a : a + rows]) for a in range(0, max(len(isi_ms), 1), rows)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _statistics(isi_ms: Floats, lengths: NDArray[np.int64]) -> Floats:
    n, width = isi_ms.shape
    rows, place = np.arange(n), np.arange(width)
    present = place < lengths[:, None]
    # in double precision: processors round single logarithms each in their own way, and the scores of a
    # regular train's spread tell that
    isi = np.where(present, np.maximum(isi_ms.astype(np.float64), _SMALLEST_MS), 0.0)
    count = np.maximum(lengths, 1)
    log_isi = np.log(np.where(present, isi, 1.0))

    ordered = np.sort(np.where(present, log_isi, np.inf), axis=1)
    at = _QUANTILES[:, None] * (count - 1)
    below = at.astype(np.int64)
    fraction = at - below
    above = np.minimum(below + 1, count - 1)
    quantiles = ordered[rows, below] * (1 - fraction) + ordered[rows, above] * fraction

    # Sums up to each place give means of stretches.
    so_far = np.concatenate([np.zeros((n, 1)), np.cumsum(log_isi, axis=1, dtype=np.float64)], axis=1)
    mean_log = so_far[rows, lengths] / count

    def stretch(first: Ints, stop: Ints) -> Floats:
        size = stop - first
        mean = (so_far[rows, stop] - so_far[rows, first]) / np.maximum(size, 1)
        return np.where(size > 0, mean, mean_log)

    half = lengths // 2
    drift = stretch(half, lengths) - stretch(0 * half, half)
    # A regular train that still settles differs between quarters by parts in ten thousand.
    quarter = [-(-k * lengths // 4) for k in range(5)]
    levels = [stretch(quarter[k], quarter[k + 1]) for k in range(4)]
    centred = np.where(present, log_isi - mean_log[:, None], 0.0)
    variance_log = _dot(centred, centred) / count
    mean_isi = isi.sum(axis=1) / count
    deviation = np.where(present, isi - mean_isi[:, None], 0.0)
    cv = np.sqrt(_dot(deviation, deviation) / count) / mean_isi
    pairs, n_pairs = present[:, 1:], np.maximum(lengths - 1, 1)
    apart = np.where(pairs, (isi[:, 1:] - isi[:, :-1]) / np.where(pairs, isi[:, 1:] + isi[:, :-1], 1.0), 0.0)
    step = np.where(pairs, np.abs(log_isi[:, 1:] - log_isi[:, :-1]), 0.0).sum(axis=1) / n_pairs
    serial = [
        _dot(centred[:, lag:], centred[:, :-lag]) / np.maximum(lengths - lag, 1) / (variance_log + 1e-6)
        if width > lag
        else np.zeros(n)
        for lag in (1, 2, 3)
    ]
    first, final = log_isi[:, 0], log_isi[rows, count - 1]
    last_step = final - log_isi[rows, np.maximum(count - 2, 0)]
    first_step = np.where(lengths > 1, log_isi[:, min(1, width - 1)] - first, 0.0)

    # From the intervals themselves: an equal minimum and maximum must leave no gap to rounding.
    least, most = isi[rows, np.where(present, isi, np.inf).argmin(axis=1)], isi.max(axis=1)
    gap = present & (isi > 0.5 * (least + most)[:, None])
    gap_by_logs = present & (log_isi > 0.5 * (quantiles[1] + quantiles[-2])[:, None])
    shape, by_logs, beside = _burst_shapes(centred, mean_log, present, gap, gap_by_logs)
    columns = [
        *quantiles,
        mean_log,
        np.sqrt(variance_log),
        np.log(mean_isi),
        cv,
        np.log(cv + _FLOOR),
        np.clip((cv - 0.15) / 0.01, -3, 3),
        3 * _dot(apart, apart) / n_pairs,
        np.log(step + _FLOOR),
        *serial,
        np.log(count),
        np.arcsinh(300 * drift),
        *(np.arcsinh(FINE * (levels[k + 1] - levels[k])) for k in range(3)),
        *(np.arcsinh(FINE * step_) for step_ in (first_step, last_step, final - first)),
        *shape[:-1],
        *_burst_times(isi, log_isi, present, gap, shape[_MEAN_GAP], quantiles[0]),
        *beside,
        *by_logs,
    ]
    return np.ascontiguousarray(np.array(columns, dtype=np.float32).T)


def _dot(a: Floats, b: Floats) -> Floats:
    """Row sums (n,) of products."""
    total: Floats = np.einsum("nl,nl->n", a, b)
    return total


def _burst_shapes(
    centred: Floats, mean_log: Floats, present: Mask, gap: Mask, gap_by_logs: Mask
) -> tuple[list[Floats], list[Floats], list[Floats]]:
    """`_BURST_SHAPE` and the log of the burst size, under two rules; and intervals further from a gap.

    Parameters
    ----------
    centred : array (n, L)
        Log intervals less their mean, zero where padded.
    """
    n, width = centred.shape
    # gaps; what is no gap; first, second and third interval after a gap, then before one: each by both rules
    masks = np.zeros((n, 16, width), dtype=bool)
    gaps, short, *beside = (masks[:, k : k + 2] for k in range(0, 16, 2))
    gaps[:, 0], gaps[:, 1] = gap, gap_by_logs
    np.logical_and(present[:, None], ~gaps, out=short)
    for source, to in zip((gaps, *beside[:2]), beside[:3], strict=True):
        np.logical_and(source[..., :-1], short[..., 1:], out=to[..., 1:])
    for source, to in zip((gaps, *beside[3:5]), beside[3:], strict=True):
        np.logical_and(source[..., 1:], short[..., :-1], out=to[..., :-1])
    powers = np.ones((n, width, 3))
    powers[..., 1] = centred
    np.square(centred, out=powers[..., 2])
    size, total, square = np.moveaxis(masks.astype(np.float64) @ powers, 2, 0)
    mean = total / np.maximum(size, 1)
    spread = np.sqrt(np.maximum(square / np.maximum(size, 1) - mean**2, 0))
    n_gaps, n_short = size[:, :2], size[:, 2:4]
    mean_gap, mean_short = np.where(n_gaps > 0, mean[:, :2], 0), np.where(n_short > 0, mean[:, 2:4], 0)
    # (n, rule, lag), relative to the mean within bursts
    near = np.where(size[:, 4:] > 0, mean[:, 4:], np.tile(mean_short, 6)) - np.tile(mean_short, 6)
    near = near.reshape(n, 2, 3, 2)
    # Distances between consecutive gaps are the burst sizes; their spread says whether bursts repeat.
    place = np.arange(width)
    last = np.maximum.accumulate(np.where(gaps, place, -1), axis=2)
    sizes = np.where(gaps[..., 1:] & (last[..., :-1] >= 0), place[1:] - last[..., :-1], 0)
    n_sizes = np.maximum(n_gaps - 1, 0)
    count = np.maximum(present.sum(axis=1), 1)[:, None]
    mean_size = np.where(n_sizes > 0, sizes.sum(axis=2) / np.maximum(n_sizes, 1), count / (n_gaps + 1.0))
    off = np.where(sizes > 0, sizes - mean_size[..., None], 0.0)
    spread_size = np.sqrt((off**2).sum(axis=2) / np.maximum(n_sizes, 1))
    level = mean_log[:, None]
    shapes = (
        n_gaps / count,
        level + mean_gap,
        np.where(n_gaps > 0, spread[:, :2], 0),
        level + mean_short,
        np.where(n_short > 0, spread[:, 2:4], 0),
        np.log1p(spread_size),
        near[:, 0, 0],
        near[:, 1, 0],
        np.log(np.maximum(mean_size, 0.5)),
    )
    by_range, by_logs = ([values[:, rule] for values in shapes] for rule in (0, 1))
    return by_range, by_logs, [near[:, side, lag, 0] for side in (0, 1) for lag in (1, 2)]


def _burst_times(
    isi: Floats, log_isi: Floats, present: Mask, gap: Mask, mean_gap: Floats, least_log: Floats
) -> list[Floats]:
    """Number, size, duration, inner interval, period and range of bursts (n,) between the gaps (n, L)."""
    short = present & ~gap
    n_gaps = gap.sum(axis=1)
    seen = np.cumsum(gap, axis=1)
    # The bursts at both ends may be cut, so they do not count where there are others.
    whole = n_gaps > 1
    among = (seen > 0) & (seen < n_gaps[:, None])
    inside = short & (among | ~whole[:, None])
    n_bursts = np.where(whole, n_gaps - 1, n_gaps + 1)
    n_inside = inside.sum(axis=1) / n_bursts
    duration = _dot(isi, inside) / n_bursts
    earlier: Ints = seen - gap
    between = present & (earlier > 0) & (earlier < n_gaps[:, None])
    period = np.where(whole, _dot(isi, between) / np.maximum(n_gaps - 1, 1), np.exp(mean_gap))
    longest_short = np.where(short, log_isi, -np.inf).max(axis=1)
    return [
        np.log1p(n_gaps),
        np.log(n_inside + 1),
        np.log(duration + 1.0),
        np.log(duration / np.maximum(n_inside, 1e-3) + _SMALLEST_MS),
        np.log(period),
        np.maximum(longest_short - least_log, 0),
    ]
