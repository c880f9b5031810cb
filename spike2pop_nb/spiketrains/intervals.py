"""What the intervals of a train say: how they vary locally, whether they drift, whether they form two groups.

Local measures compare neighbours, so that a slow change of the rate leaves them alone: CV2 (Holt et al. 1996,
doi:10.1152/jn.1996.75.5.1806) and LV (Shinomoto et al. 2003, doi:10.1162/089976603322518759). Two groups are
sought among the logarithms of the intervals, as in the log-interval histogram (Selinger et al. 2007,
doi:10.1371/journal.pone.0000439; Pasquale et al. 2010, doi:10.1007/s10827-009-0175-1), but without bins,
which a train of 20 spikes cannot fill: the split is that of the largest classification likelihood (Celeux and
Govaert 1992, doi:10.1016/0167-9473(92)90042-E), and the Bayesian information criterion weighs it against one
group.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .train import FloatArray

__all__ = ["IntervalMeasures", "measure_intervals", "pauses"]

_NAN: Final = float("nan")
# Intervals are told apart to 7 %: without a floor, the exact repeats of a noise-free train would make groups
# of intervals that differ by nothing that matters.
_BLUR: Final = 0.07**2
# A change of the rate is seen where its t statistic is over 4; serially correlated intervals reach 3.
_TREND_T: Final = 4.0
_TREND_FROM: Final = 10
# At least a quarter of the intervals are short, or the rest would not be pauses between bursts.
_SHORT_SHARE: Final = 0.25
# Mean of the smaller three quarters of |z| for a difference z of two intervals of CV 1, so that `local_cv` is
# the CV of a steady train; found for normal and borne out for gamma intervals.
_TRIM: Final = 0.75
_TRIMMED_MEAN: Final = 0.728


@dataclass(frozen=True)
class IntervalMeasures:
    """Measures of the intervals of a train; NaN where there are too few.

    Attributes
    ----------
    cv, cv2, lv : float
        Coefficient of variation, local coefficient of variation, local variation.
    local_cv : float
        CV as seen between neighbours, less the most unlike quarter of them (missed and false spikes, pauses).
    rate_change : float
        Rate at the end over rate at the start, by a line through the logarithms of the intervals; 1 where no
        change is seen.
    evidence_nats : float
        Evidence that the intervals form two groups rather than one (gamma, log-normal or Poisson with a
        refractory time): half the difference of the Bayesian information criteria.
    short_ms, pause_ms : float
        Geometric mean of the intervals of the two groups in ms.
    pause_ratio : float
        Ratio of the two, less the drift.
    n_pauses, n_bursts : int
        Intervals in the group of the longer ones; runs of the shorter ones.
    n_single : int
        Spikes between two of the longer intervals.
    in_bursts : float
        Share of the spikes next to one of the shorter intervals.
    step : float
        Median ratio of neighbouring intervals where the groups meet, at the beginning or the end of pauses,
        whichever is the sharper.
    in_pauses : float
        Share of the time in the longer intervals.
    longest_ms : float
        Longest interval in ms.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> measures = s2p.describe_pattern(train).measures
    >>> measures.n_bursts, round(measures.pause_ratio, 1)
    (22, 8.4)
    """

    cv: float = _NAN
    cv2: float = _NAN
    lv: float = _NAN
    local_cv: float = _NAN
    rate_change: float = 1.0
    evidence_nats: float = _NAN
    short_ms: float = _NAN
    pause_ms: float = _NAN
    pause_ratio: float = _NAN
    n_pauses: int = 0
    n_bursts: int = 0
    n_single: int = 0
    in_bursts: float = _NAN
    step: float = _NAN
    in_pauses: float = _NAN
    longest_ms: float = _NAN


def measure_intervals(isi_ms: FloatArray) -> IntervalMeasures:
    """Measures of the intervals in ms of one train, in their order; for fewer than two only the longest."""
    n = isi_ms.size
    if n < 2:
        return IntervalMeasures(longest_ms=float(isi_ms[0]) if n else _NAN)
    total = float(isi_ms.sum())
    contrast = np.abs(isi_ms[1:] - isi_ms[:-1]) / (isi_ms[1:] + isi_ms[:-1])
    kept = max(1, int(_TRIM * (n - 1)))
    log_isi = np.log(isi_ms)
    level, log_change = _without_trend(log_isi)
    split, evidence = _two_groups(np.sort(level))
    is_pause = level > split  # as in `pauses`
    n_pauses = int(np.count_nonzero(is_pause))
    local = IntervalMeasures(
        cv=n * float(isi_ms.std()) / total,
        cv2=2.0 * float(contrast.sum()) / (n - 1),
        lv=3.0 * float(contrast @ contrast) / (n - 1),
        local_cv=2.0 / _TRIMMED_MEAN / kept * float(np.partition(contrast, kept - 1)[:kept].sum()),
        rate_change=math.exp(-log_change),
        longest_ms=float(isi_ms.max()),
    )
    if not n_pauses:  # all intervals are the same, but for rounding
        return replace(local, evidence_nats=evidence)

    is_short = ~is_pause
    starts, ends = is_pause[1:] & is_short[:-1], is_short[1:] & is_pause[:-1]
    n_bursts = int(np.count_nonzero(ends)) + int(is_short[0])
    n_single = n_pauses + 1 - n_bursts
    return replace(
        local,
        evidence_nats=evidence,
        short_ms=math.exp(log_isi[is_short].mean()),
        pause_ms=math.exp(log_isi[is_pause].mean()),
        pause_ratio=math.exp(level[is_pause].mean() - level[is_short].mean()),
        n_pauses=n_pauses,
        n_bursts=n_bursts,
        n_single=n_single,
        in_bursts=1.0 - n_single / (n + 1),
        step=_step(level, starts, ends),
        in_pauses=float(isi_ms[is_pause].sum()) / total,
    )


def pauses(isi_ms: FloatArray) -> NDArray[np.bool_]:
    """Which intervals of a train that bursts are the pauses between its bursts, (n,)."""
    level, _log_change = _without_trend(np.log(isi_ms))
    split, _evidence = _two_groups(np.sort(level))
    return np.asarray(level > split)


def _without_trend(log_isi: FloatArray) -> tuple[FloatArray, float]:
    """Logarithms of the intervals about their mean, or about a line where one is seen, and its rise."""
    n = log_isi.size
    level = log_isi - log_isi.sum() / n
    if n < _TREND_FROM:
        return level, 0.0
    place = np.arange(n) - 0.5 * (n - 1)
    squares = float(place @ place)
    slope = float(place @ level) / squares
    residual = level - slope * place
    unexplained = float(residual @ residual)
    if slope * slope * squares * (n - 2) <= _TREND_T**2 * unexplained or unexplained == 0.0:
        return level, 0.0
    return residual, slope * (n - 1)


def _two_groups(level: FloatArray) -> tuple[float, float]:
    """Best split of the sorted `level`, and the evidence in nats that there are two groups."""
    n = level.size
    fewest = max(1, math.ceil(_SHORT_SHARE * n))
    sums, squares = np.cumsum(level), np.cumsum(level * level)
    total, total_squares = float(sums[-1]), float(squares[-1])
    n_short = np.arange(fewest, n, dtype=np.float64)
    n_long = n - n_short
    sums, squares = sums[fewest - 1 : -1], squares[fewest - 1 : -1]
    short = np.maximum(squares / n_short - (sums / n_short) ** 2, 0.0) + _BLUR
    long = np.maximum((total_squares - squares) / n_long - ((total - sums) / n_long) ** 2, 0.0) + _BLUR
    fit = n_short * np.log(n_short / np.sqrt(short)) + n_long * np.log(n_long / np.sqrt(long))
    best = int(fit.argmax())
    two = float(fit[best]) - n * math.log(n) - 0.5 * n * (1.0 + math.log(2.0 * math.pi))
    # Two groups cost three parameters more: a mean, a variance and a share.
    evidence = two - _one_group(level, total, total_squares) - 1.5 * math.log(n)
    after = fewest + best
    return 0.5 * float(level[after - 1] + level[after]), evidence


def _one_group(level: FloatArray, total: float, total_squares: float) -> float:
    """Log-likelihood of the logarithms under one group, whichever of three distributions it has."""
    n = level.size
    variance = max(total_squares / n - (total / n) ** 2, 0.0) + _BLUR
    log_normal = -0.5 * n * (1.0 + math.log(2.0 * math.pi * variance))

    isi = np.exp(level)
    mean = float(isi.sum()) / n
    # Shape of a gamma distribution from the means (Minka 2002), good to 1.5 %.
    spread = max(math.log(mean) - total / n, 1e-9)
    shape = (3.0 - spread + math.sqrt((spread - 3.0) ** 2 + 24.0 * spread)) / (12.0 * spread)
    shape = 1.0 / (1.0 / shape + _BLUR)
    gamma = shape * total - n * (shape + shape * math.log(mean / shape) + math.lgamma(shape))

    beyond = mean - float(isi[0])
    scale = max(beyond, math.sqrt(_BLUR) * mean)
    refractory = total - n * (beyond / scale + math.log(scale))
    best = max(log_normal, gamma, refractory)
    return best + math.log(sum(math.exp(some - best) for some in (log_normal, gamma, refractory)) / 3.0)


def _step(level: FloatArray, starts: NDArray[np.bool_], ends: NDArray[np.bool_]) -> float:
    change = np.diff(level)
    rise, fall = np.sort(change[starts]), np.sort(-change[ends])
    steps = [float(some[some.size // 2]) for some in (rise, fall) if some.size]
    return math.exp(max(steps)) if steps else 1.0
