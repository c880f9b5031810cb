"""What a perceptron reads of two recordings, and how trains of simulated cells become recordings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.inference.atlas import WINDOW_MS
from spike2pop_nb.inference.tokens import (
    MAX_INTERVALS,
    MIN_SPIKES,
    STATISTICS,
    TokenScale,
    statistics_of_intervals,
)

__all__ = ["pair_inputs", "paired_inputs", "places_of", "recorded", "statistics_of_trains"]

Floats = npt.NDArray[np.floating[Any]]
_MAGNIFIED = 20.0  # differences of statistics, in standard deviations
# recordings: how often they are shorter, drift in rate (as `Variability` has it), jitter, lose spikes, have
# false ones, or are kept in steps
_SHORTER, _SHORTEST, _DRIFTS, _DRIFT = 0.5, 0.2, 0.5, 0.03
_JITTERS, _JITTER_MS, _LOSES, _LOST, _ADDS, _ADDED = 0.2, 1.0, 0.15, 0.05, 0.1, 0.03
_SAMPLED, _FINEST_MS = 0.5, 0.01
_SHORTEST_MS = 0.01


def recorded(times_ms: Floats, rng: np.random.Generator, duration_ms: float = WINDOW_MS) -> Floats:
    """Return a train as a recording of it may be.

    It may be shorter, run a little faster or slower (as a cell drifts from one window to another), its spikes
    may be jittered, missed or false, and its times in steps of up to 1 ms.

    Parameters
    ----------
    times_ms
        Spike times from 0 to ``duration_ms``.
    rng
        Where chance comes from.
    """
    draw = rng.random(6)
    length = duration_ms * (1.0 if draw[0] < _SHORTER else math.exp(rng.uniform(math.log(_SHORTEST), 0.0)))
    begin = rng.uniform(0.0, duration_ms - length)
    times = times_ms[(times_ms >= begin) & (times_ms <= begin + length)].astype(np.float64)
    if draw[1] < _DRIFTS:
        times = times * math.exp(_DRIFT * rng.normal())
    if draw[2] < _JITTERS:
        times = times + _JITTER_MS * rng.random() ** 2 * rng.normal(size=len(times))
    if draw[3] < _LOSES:
        times = times[rng.random(len(times)) > _LOST * rng.random()]
    if draw[4] < _ADDS:
        false = begin + length * rng.random(rng.poisson(_ADDED * rng.random() * len(times)))
        times = np.append(times, false)
    if draw[5] < _SAMPLED:
        step = math.exp(rng.uniform(math.log(_FINEST_MS), 0.0))
        times = np.floor(times / step + rng.random()) * step
    times = np.sort(times)
    return times[np.diff(times, prepend=-math.inf) > 0.0]


def statistics_of_trains(trains: Sequence[Floats]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return `STATISTICS` of trains (n, 55), 0 where silent, and which are silent, (n,)."""
    found = np.zeros((len(trains), len(STATISTICS)), dtype=np.float32)
    silent = np.array([len(times) < MIN_SPIKES for times in trains])
    isi = [np.diff(times[: MAX_INTERVALS + 1]) for times in trains if len(times) >= MIN_SPIKES]
    found[~silent] = statistics_of_intervals([np.maximum(one, _SHORTEST_MS) for one in isi])
    return found, silent


def pair_inputs(
    scale: TokenScale,
    before: Floats,
    after: Floats,
    silent_before: npt.NDArray[np.bool_],
    silent_after: npt.NDArray[np.bool_],
) -> Floats:
    """Return what the perceptron reads of pairs, from statistics (n, 55) of both recordings."""
    one, other = places_of(scale, before, silent_before), places_of(scale, after, silent_after)
    return paired_inputs(one, other, silent_before, silent_after)


def places_of(scale: TokenScale, statistics: Floats, silent: npt.NDArray[np.bool_]) -> Floats:
    """Return statistics as a network takes them, and standardised without bounds; 0 where silent."""
    rows = statistics.reshape(-1, statistics.shape[-1])
    free = (rows - scale.statistic_mean) / scale.statistic_std
    found = np.concatenate([scale.standardise(rows), free], axis=1).astype(np.float32)
    found[silent.ravel()] = 0.0
    return found.reshape(*statistics.shape[:-1], -1)


def paired_inputs(
    one: Floats, other: Floats, silent_before: npt.NDArray[np.bool_], silent_after: npt.NDArray[np.bool_]
) -> Floats:
    """Return both as they are, their difference, and that again with small ones magnified."""
    known, n = ~(silent_before | silent_after)[:, None], len(STATISTICS)
    small = np.arcsinh(_MAGNIFIED * (other[:, 2 * n :] - one[:, 2 * n :]))
    one, other = one[:, : 2 * n], other[:, : 2 * n]
    parts = (one, other, (other - one) * known, small * known, silent_after[:, None])
    return np.concatenate(parts, axis=1).astype(np.float32)
