"""What the network sees of a train: its intervals as tokens, and a handful of statistics of them.

Everything here is plain NumPy over padded arrays, shared by training and prediction, so that a network meets
the same numbers in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = [
    "CHANNELS",
    "MAX_INTERVALS",
    "MAX_WINDOWS",
    "MIN_SPIKES",
    "N_STATISTICS",
    "STATISTICS",
    "TokenBatch",
    "TokenScale",
    "interval_statistics",
    "make_batch",
    "pad_intervals",
    "raw_tokens",
    "window_starts",
]

Floats = NDArray[np.floating]

MIN_SPIKES = 3
"""Fewest spikes that make a token sequence; below it a train is silent by the published rule."""
MAX_INTERVALS = 192
"""Longest window of intervals that the network reads at once."""
MAX_WINDOWS = 8
"""Most windows read from one recording."""

CHANNELS = ("log1p_isi", "difference", "fine_difference", "present")
_FINE = 1e4
_QUANTILES = np.array([0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0])
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
    "gap_fraction",
    "log_mean_gap",
    "std_log_gap",
    "log_mean_short",
    "std_log_short",
    "log_n_gaps",
    "log_spikes_per_burst",
    "std_spikes_per_burst",
    "log_burst_duration",
    "log_intra_burst_isi",
    "log_burst_period",
    "after_gap",
    "before_gap",
    "log_short_range",
)
N_STATISTICS = 2 * len(STATISTICS)
"""Each statistic enters twice: standardised, and by its rank among training trains."""
_SMALLEST_MS = 0.05
_LEVELS = np.linspace(0.0, 1.0, 65)
_CLIP = 8.0


class TokenBatch(NamedTuple):
    """Input of one pass of the network, standardised, float32."""

    tokens: Floats
    """(n, L, channels), zero where padded."""
    lengths: NDArray[np.int64]
    """(n,) intervals of each train."""
    statistics: Floats
    """(n, 2 statistics): standardised, then normal scores of their ranks."""


@dataclass(frozen=True, eq=False)
class TokenScale:
    """What standardises tokens and statistics; measured on training trains and stored with the weights.

    Attributes
    ----------
    token_mean, token_std : arrays (4,)
    statistic_mean, statistic_std : arrays (42,)
    statistic_knots, statistic_scores : arrays (42, 65)
        Quantiles of each statistic and their normal scores: a piecewise linear map to a normal distribution,
        which tells apart trains that differ by a thousandth where a thousandth is what there is.
    """

    token_mean: Floats
    token_std: Floats
    statistic_mean: Floats
    statistic_std: Floats
    statistic_knots: Floats
    statistic_scores: Floats

    @classmethod
    def measure(cls, isi_ms: Floats, lengths: NDArray[np.int64]) -> TokenScale:
        """Take them from padded intervals (n, L) of training trains."""
        tokens = raw_tokens(isi_ms, lengths)
        seen = tokens[tokens[..., -1] > 0].astype(np.float64)
        mean, std = seen.mean(axis=0), seen.std(axis=0)
        mean[-1], std[-1] = 0.0, 1.0
        statistics = interval_statistics(isi_ms, lengths).astype(np.float64)
        return cls(
            mean.astype(np.float32),
            np.maximum(std, 1e-3).astype(np.float32),
            statistics.mean(axis=0).astype(np.float32),
            np.maximum(statistics.std(axis=0), 1e-3).astype(np.float32),
            *_normal_scores(statistics.astype(np.float32)),
        )

    def statistics(self, isi_ms: Floats, lengths: NDArray[np.int64]) -> Floats:
        """Statistics (n, 84) of padded intervals (n, L) in ms as the network takes them, float32."""
        raw = interval_statistics(isi_ms, lengths)
        standard = np.clip((raw - self.statistic_mean) / self.statistic_std, -_CLIP, _CLIP)
        scores = [
            np.interp(raw[:, i], self.statistic_knots[i], self.statistic_scores[i])
            for i in range(raw.shape[1])
        ]
        return np.concatenate([standard, np.stack(scores, axis=1)], axis=1).astype(np.float32)


def _normal_scores(statistics: Floats) -> tuple[Floats, Floats]:
    """Knots (S, 65) and normal scores (S, 65); equal knots share the mean of their scores."""
    knots = np.quantile(statistics, _LEVELS, axis=0).T.astype(np.float32)
    scores = np.empty_like(knots)
    for i, row in enumerate(knots):
        _, place = np.unique(row, return_inverse=True)
        level = np.bincount(place, weights=_LEVELS) / np.bincount(place)
        scores[i] = ndtri(np.clip(level, 0.002, 0.998))[place]
    return knots, scores


def window_starts(
    n_intervals: int, longest: int = MAX_INTERVALS, most: int = MAX_WINDOWS
) -> NDArray[np.int64]:
    """First interval of each window: one for short trains, else up to ``most``, evenly spread."""
    if n_intervals <= longest:
        return np.zeros(1, dtype=np.int64)
    count = min(most, -(-n_intervals // longest))
    return np.linspace(0, n_intervals - longest, count).astype(np.int64)


def pad_intervals(trains_isi_ms: Sequence[Floats]) -> tuple[Floats, NDArray[np.int64]]:
    """Stack ragged intervals in ms into (n, L) float32, zero padded, and their lengths (n,)."""
    lengths = np.array([len(isi) for isi in trains_isi_ms], dtype=np.int64)
    padded = np.zeros((lengths.size, int(lengths.max(initial=1))), dtype=np.float32)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.concatenate(trains_isi_ms)
    return padded, lengths


def raw_tokens(isi_ms: Floats, lengths: NDArray[np.int64]) -> Floats:
    """Channels (n, L, 4) before standardisation, of padded intervals (n, L).

    Log interval, its step from the interval before, the same step with small ones magnified (a regular train
    differs from the next only there), and one where there is an interval.
    """
    present = np.arange(isi_ms.shape[1]) < lengths[:, None]
    tokens = np.zeros((*isi_ms.shape, len(CHANNELS)), dtype=np.float32)
    log_isi = np.log1p(np.maximum(isi_ms, 0))
    step = np.diff(log_isi, axis=1) * present[:, 1:]
    tokens[..., 0] = log_isi * present
    tokens[:, 1:, 1] = step
    tokens[:, 1:, 2] = np.arcsinh(_FINE * step)
    tokens[..., 3] = present
    return tokens


def make_batch(isi_ms: Floats, lengths: NDArray[np.int64], scale: TokenScale, patch: int = 1) -> TokenBatch:
    """Standardised input of the network for padded intervals (n, L) in ms."""
    short = -isi_ms.shape[1] % patch
    if short:
        isi_ms = np.pad(isi_ms, ((0, 0), (0, short)))
    tokens = raw_tokens(isi_ms, lengths)
    present = tokens[..., -1:]
    tokens = (tokens - scale.token_mean) / scale.token_std * present
    return TokenBatch(tokens, lengths, scale.statistics(isi_ms, lengths))


def interval_statistics(isi_ms: Floats, lengths: NDArray[np.int64]) -> Floats:
    """The `STATISTICS` (n, 42) of padded intervals (n, L) in ms, each with at least one interval.

    Quantiles and spread of the log intervals, irregularity, serial correlation, drift, and the shape of
    bursts split where an interval exceeds half of minimum plus maximum, whether or not the train bursts.
    """
    n, width = isi_ms.shape
    rows = np.arange(n)
    present = np.arange(width) < lengths[:, None]
    isi = np.maximum(isi_ms, _SMALLEST_MS).astype(np.float32) * present
    count = np.maximum(lengths, 1).astype(np.float32)
    log_isi = np.log(np.where(present, isi, 1.0))

    def mean(values: Floats, where: NDArray[np.bool_], fallback: Floats | float = 0.0) -> Floats:
        size = where.sum(axis=1)
        total = (values * where).sum(axis=1)
        return np.where(size > 0, total / np.maximum(size, 1), fallback)

    ordered = np.sort(np.where(present, log_isi, np.inf), axis=1)
    place = _QUANTILES[:, None] * (count - 1)
    below = place.astype(np.int64)
    above = np.minimum(below + 1, lengths - 1)
    fraction = place - below
    quantiles = ordered[rows, below] * (1 - fraction) + ordered[rows, above] * fraction

    mean_log = log_isi.sum(axis=1) / count
    centred = (log_isi - mean_log[:, None]) * present
    variance_log = (centred**2).sum(axis=1) / count
    mean_isi = isi.sum(axis=1) / count
    deviation = (isi - mean_isi[:, None]) * present
    cv = np.sqrt((deviation**2).sum(axis=1) / count) / mean_isi
    pairs = present[:, 1:]
    together = np.where(pairs, isi[:, 1:] + isi[:, :-1], 1.0)
    local = 3 * mean(((isi[:, 1:] - isi[:, :-1]) / together) ** 2, pairs)
    step = mean(np.abs(log_isi[:, 1:] - log_isi[:, :-1]), pairs)
    serial = [
        mean(centred[:, lag:] * centred[:, :-lag], present[:, lag:]) / (variance_log + 1e-6)
        if width > lag
        else np.zeros(n)
        for lag in (1, 2, 3)
    ]
    halfway = np.arange(width) >= (lengths // 2)[:, None]
    drift = mean(log_isi, present & halfway) - mean(log_isi, present & ~halfway, mean_log)
    # A regular train that still settles differs between quarters by parts in ten thousand.
    quarter = np.where(present, np.arange(width) * 4 // np.maximum(lengths, 1)[:, None], -1)
    levels = [mean(log_isi, quarter == k, mean_log) for k in range(4)]
    first, final = log_isi[:, 0], log_isi[rows, lengths - 1]
    last_step = final - log_isi[rows, np.maximum(lengths - 2, 0)]
    first_step = np.where(lengths > 1, log_isi[:, min(1, width - 1)] - first, 0.0)

    # From the intervals themselves: an equal minimum and maximum must leave no gap to rounding.
    threshold = 0.5 * (np.where(present, isi, np.inf).min(axis=1) + isi.max(axis=1))
    gap = present & (isi > threshold[:, None])
    short = present & ~gap
    n_gaps = gap.sum(axis=1)
    mean_short = mean(log_isi, short, mean_log)
    mean_gap = mean(log_isi, gap, mean_log)
    spread_short = np.sqrt(mean((log_isi - mean_short[:, None]) ** 2, short))
    spread_gap = np.sqrt(mean((log_isi - mean_gap[:, None]) ** 2, gap))
    seen = np.cumsum(gap, axis=1)
    whole = n_gaps > 1
    inside = short & (seen > 0) & (seen < n_gaps[:, None])
    inside = np.where(whole[:, None], inside, short)
    n_bursts = np.where(whole, n_gaps - 1, n_gaps + 1)
    n_inside = inside.sum(axis=1)
    per_burst = n_inside / n_bursts + 1
    burst_duration = (isi * inside).sum(axis=1) / n_bursts
    earlier = seen - gap
    between = present & (earlier > 0) & (earlier < n_gaps[:, None])
    period = np.where(whole, (isi * between).sum(axis=1) / np.maximum(n_gaps - 1, 1), np.exp(mean_gap))
    # Distances between consecutive gaps are the burst sizes; their spread says whether bursts repeat.
    position = np.where(gap, np.arange(width), -1)
    last = np.maximum.accumulate(position, axis=1)
    size = np.where(gap[:, 1:] & (last[:, :-1] >= 0), np.arange(1, width) - last[:, :-1], 0)
    sized = size > 0
    mean_size = mean(size, sized)
    spread_size = np.sqrt(mean((size - mean_size[:, None]) ** 2, sized))
    after = mean(log_isi[:, 1:], short[:, 1:] & gap[:, :-1], mean_short) - mean_short
    before = mean(log_isi[:, :-1], short[:, :-1] & gap[:, 1:], mean_short) - mean_short
    longest_short = np.max(np.where(short, log_isi, -np.inf), axis=1)

    columns = [
        *quantiles,
        mean_log,
        np.sqrt(variance_log),
        np.log(mean_isi),
        cv,
        np.log(cv + 1e-4),
        np.clip((cv - 0.15) / 0.01, -3, 3),
        local,
        np.log(step + 1e-4),
        *serial,
        np.log(count),
        np.arcsinh(300 * drift),
        *(np.arcsinh(_FINE * (levels[k + 1] - levels[k])) for k in range(3)),
        *(np.arcsinh(_FINE * step_) for step_ in (first_step, last_step, final - first)),
        n_gaps / count,
        mean_gap,
        spread_gap,
        mean_short,
        spread_short,
        np.log1p(n_gaps),
        np.log(per_burst),
        np.log1p(spread_size),
        np.log(burst_duration + 1.0),
        np.log(burst_duration / np.maximum(n_inside / n_bursts, 1e-3) + _SMALLEST_MS),
        np.log(period),
        after,
        before,
        np.maximum(longest_short - quantiles[0], 0),
    ]
    return np.stack(columns, axis=1).astype(np.float32)
