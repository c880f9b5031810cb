"""What the network sees of a train: its intervals as tokens, and a handful of statistics of them.

Everything here is plain NumPy over padded arrays, shared by training and prediction, so that a network meets
the same numbers in both.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from spike2pop_nb.inference.statistics import FINE, STATISTICS, interval_statistics

__all__ = [
    "CHANNELS",
    "MAX_INTERVALS",
    "MAX_TOKENS",
    "MIN_SPIKES",
    "N_STATISTICS",
    "STATISTICS",
    "TokenBatch",
    "TokenScale",
    "interval_statistics",
    "make_batch",
    "normal_scores",
    "pad_intervals",
    "raw_tokens",
    "segments",
    "statistics_of_intervals",
]

Floats = NDArray[np.floating]

MIN_SPIKES = 3
"""Fewest spikes that make a token sequence; below it a train is silent by the published rule."""
MAX_INTERVALS = 2048
"""Most intervals read at once: all of them enter the statistics."""
MAX_TOKENS = 64
"""Most of those intervals, from the middle, that attention looks at one by one."""

CHANNELS = ("log1p_isi", "difference", "fine_difference", "present")
N_STATISTICS = 2 * len(STATISTICS)
"""Each statistic enters twice: standardised, and by its rank among training trains."""
_LEVELS = np.linspace(0.0, 1.0, 65)
_CLIP = 8.0
_FEW = 16
_AT_ONCE = 1024


class TokenBatch(NamedTuple):
    """Input of one pass of the network, standardised, float32."""

    tokens: Floats
    """(n, L, channels), zero where padded."""
    lengths: NDArray[np.int64]
    """(n,) intervals of each train."""
    statistics: Floats
    """(n, 110): standardised, then normal scores of their ranks."""
    raw_statistics: Floats
    """(n, 55): as `interval_statistics` gives them."""


@dataclass(frozen=True, eq=False)
class TokenScale:
    """What standardises tokens and statistics; measured on training trains and stored with the weights.

    Attributes
    ----------
    token_mean, token_std : arrays (4,)
    statistic_mean, statistic_std : arrays (55,)
    statistic_knots, statistic_scores : arrays (55, 65)
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
        tokens = raw_tokens(*_middle(isi_ms, lengths, MAX_TOKENS))
        seen = tokens[tokens[..., -1] > 0].astype(np.float64)
        mean, std = seen.mean(axis=0), seen.std(axis=0)
        mean[-1], std[-1] = 0.0, 1.0
        statistics = interval_statistics(isi_ms, lengths).astype(np.float64)
        return cls(
            mean.astype(np.float32),
            np.maximum(std, 1e-3).astype(np.float32),
            statistics.mean(axis=0).astype(np.float32),
            np.maximum(statistics.std(axis=0), 1e-3).astype(np.float32),
            *normal_scores(statistics.astype(np.float32)),
        )

    @classmethod
    def of_statistics(cls, raw: Floats) -> TokenScale:
        """Take what standardises statistics from raw ones (n, 55); tokens stay as they are."""
        return cls(
            np.zeros(len(CHANNELS), np.float32),
            np.ones(len(CHANNELS), np.float32),
            raw.mean(axis=0),
            np.maximum(raw.std(axis=0), 1e-3),
            *normal_scores(raw),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> TokenScale:
        """Take it from among arrays or tensors, as `arrays` calls them.

        Raises
        ------
        KeyError
            If one is missing.
        ValueError
            If one has another shape, or holds what is no number or nothing to divide by.
        """
        found = cls(**{f.name: np.asarray(arrays[f"scale.{f.name}"]) for f in fields(cls)})
        n_knots = found.statistic_knots.shape[-1] if found.statistic_knots.ndim else 0
        shapes = {"token": (len(CHANNELS),), "statistic": (len(STATISTICS),)}
        tables = ("statistic_knots", "statistic_scores")
        for f in fields(cls):
            values, shape = getattr(found, f.name), shapes[f.name.partition("_")[0]]
            if values.shape != (shape if f.name not in tables else (*shape, max(n_knots, 2))):
                raise ValueError(f"its {f.name} has the shape {values.shape}")
            if values.dtype.kind != "f" or not np.isfinite(values).all():
                raise ValueError(f"its {f.name} holds what is no number")
            if f.name.endswith("_std") and not (values > 0).all():
                raise ValueError(f"its {f.name} holds nothing to divide by")
        # 32 bits: what is computed must not depend on how numbers are stored
        return cls(**{f.name: getattr(found, f.name).astype(np.float32) for f in fields(cls)})

    def arrays(self) -> dict[str, Floats]:
        """Return its arrays, under names that begin with ``scale.``."""
        return {f"scale.{f.name}": np.ascontiguousarray(getattr(self, f.name)) for f in fields(self)}

    def standardise(self, raw: Floats) -> Floats:
        """Statistics as the network takes them (n, 110) from raw ones (n, 55), float32."""
        standard = np.clip((raw - self.statistic_mean) / self.statistic_std, -_CLIP, _CLIP)
        return np.concatenate([standard, self._scores(raw)], axis=1).astype(np.float32)

    def _scores(self, raw: Floats) -> Floats:
        """Normal scores (n, 55) by linear interpolation between the knots."""
        knots, scores = self.statistic_knots, self.statistic_scores
        if len(raw) > _FEW:
            each = [np.interp(raw[:, i], knots[i], scores[i]) for i in range(raw.shape[1])]
            return np.stack(each, axis=1)
        # For a few rows, all statistics at once: the calls would cost more than the comparisons.
        x = raw.astype(np.float64)
        above = (x[:, :, None] >= knots).sum(axis=2).clip(1, knots.shape[1] - 1)
        row = np.arange(raw.shape[1])
        left, right = knots[row, above - 1], knots[row, above]
        low, high = scores[row, above - 1], scores[row, above]
        along = (x - left) / np.maximum(right - left, 1e-30)
        return low + (high - low) * along.clip(0, 1)


def normal_scores(statistics: Floats) -> tuple[Floats, Floats]:
    """Knots (S, 65) and normal scores (S, 65); equal knots share the mean of their scores."""
    knots = np.quantile(statistics, _LEVELS, axis=0).T.astype(np.float32)
    scores = np.empty_like(knots)
    for i, row in enumerate(knots):
        _, place = np.unique(row, return_inverse=True)
        level = np.bincount(place, weights=_LEVELS) / np.bincount(place)
        scores[i] = scipy.special.ndtri(np.clip(level, 0.002, 0.998))[place]
    return knots, scores


def segments(n_intervals: int, longest: int = MAX_INTERVALS, fewest: int = 1) -> list[slice]:
    """Consecutive slices of all but equal size, ``fewest`` or more of them, and none over ``longest``, that
    together are all intervals.
    """
    count = max(-(-n_intervals // longest), fewest)
    if count == 1:
        return [slice(0, n_intervals)]
    edges = np.linspace(0, n_intervals, count + 1).astype(np.int64)
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]


def pad_intervals(trains_isi_ms: Sequence[Floats], width: int = 1) -> tuple[Floats, NDArray[np.int64]]:
    """Stack ragged intervals in ms into (n, L) float32, zero padded, and their lengths (n,).

    L is that of the longest, or ``width`` if that is more.
    """
    lengths = np.array([len(isi) for isi in trains_isi_ms], dtype=np.int64)
    padded = np.zeros((lengths.size, int(lengths.max(initial=width))), dtype=np.float32)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.concatenate(trains_isi_ms)
    return padded, lengths


def raw_tokens(isi_ms: Floats, lengths: NDArray[np.int64]) -> Floats:
    """Channels (n, L, 4) before standardisation, of padded intervals (n, L).

    Log interval, its step from the interval before, the same step with small ones magnified (a regular train
    differs from the next only there), and one where there is an interval.
    """
    present = np.arange(isi_ms.shape[1]) < lengths[:, None]
    tokens = np.zeros((*isi_ms.shape, len(CHANNELS)), dtype=np.float32)
    log_isi = np.log1p(np.maximum(isi_ms, 0).astype(np.float64))  # see `interval_statistics`
    step = np.diff(log_isi, axis=1) * present[:, 1:]
    tokens[..., 0] = log_isi * present
    tokens[:, 1:, 1] = step
    tokens[:, 1:, 2] = np.arcsinh(FINE * step)
    tokens[..., 3] = present
    return tokens


def make_batch(
    isi_ms: Floats, lengths: NDArray[np.int64], scale: TokenScale, patch: int = 1, most: int = MAX_TOKENS
) -> TokenBatch:
    """Standardised input of the network for padded intervals (n, L) in ms; tokens of at most ``most``."""
    raw = interval_statistics(isi_ms, lengths)
    middle, lengths = _middle(isi_ms, lengths, most)
    short = -middle.shape[1] % patch
    if short:
        middle = np.pad(middle, ((0, 0), (0, short)))
    tokens = raw_tokens(middle, lengths)
    present = tokens[..., -1:]
    tokens = (tokens - scale.token_mean) / scale.token_std * present
    return TokenBatch(tokens, lengths, scale.standardise(raw), raw)


def _middle(isi_ms: Floats, lengths: NDArray[np.int64], most: int) -> tuple[Floats, NDArray[np.int64]]:
    """The ``most`` intervals in the middle of each row, padded, and how many they are."""
    if isi_ms.shape[1] <= most:
        return isi_ms, lengths
    first = np.maximum(lengths - most, 0) // 2
    cut = np.take_along_axis(isi_ms, first[:, None] + np.arange(most), axis=1)
    return cut, np.minimum(lengths, most)


def statistics_of_intervals(isi_ms: Sequence[Floats]) -> Floats:
    """Return raw statistics (n, 55) of ragged intervals; those of alike lengths are taken together."""
    if not len(isi_ms):
        return np.zeros((0, len(STATISTICS)), np.float32)
    order = np.argsort([isi.size for isi in isi_ms], kind="stable")
    parts = [
        interval_statistics(*pad_intervals([isi_ms[i] for i in order[a : a + _AT_ONCE]]))
        for a in range(0, len(order), _AT_ONCE)
    ]
    return np.concatenate(parts)[np.argsort(order, kind="stable")]
