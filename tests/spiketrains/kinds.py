"""Trains that the tests write into files of every kind, and what must come back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import Recordings, read_spike_trains


def train(seed: int, mean_ms: float, n: int = 60, cv: float = 0.25) -> NDArray[np.float64]:
    """Times in ms of a fairly regular cell."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.gamma(1 / cv**2, mean_ms * cv**2, n)) + 200.0


A, B, C = train(1, 120.0), train(2, 66.0), train(3, 240.0)
RATE_HZ = 30_000.0


def merged(trains: Sequence[NDArray[np.float64]]) -> list[tuple[float, int]]:
    """All spikes in the order of time, each with the number of its train."""
    return sorted((t, k) for k, times in enumerate(trains) for t in times)


def same(recordings: Recordings, expected: Iterable[NDArray[np.float64]], within_ms: float = 0.06) -> bool:
    """Whether the trains are those expected, in any order."""
    left = [t.times_ms for t in recordings]
    wanted = list(expected)
    if len(left) != len(wanted):
        return False
    for times in wanted:
        match = next(
            (
                k
                for k, other in enumerate(left)
                if other.size == times.size and (not times.size or np.abs(other - times).max() <= within_ms)
            ),
            None,
        )
        if match is None:
            return False
        left.pop(match)
    return True


def outcome(
    data: Any, expected: Iterable[NDArray[np.float64]], within_ms: float = 0.06, **options: Any
) -> str:
    """ "right", "refused: …", "warned" (wrong times, with a caution on the unit first) or "wrong"."""
    try:
        recordings = read_spike_trains(data, **options)
    except SpikeTrainError as error:
        return f"refused: {error}"
    expected = list(expected)
    if same(recordings, expected, within_ms):
        return "right"
    if recordings.report.unit_assumed and [t.n_spikes for t in recordings] == [t.size for t in expected]:
        return "warned"
    return f"wrong: {recordings.report} {[(t.id, t.n_spikes) for t in recordings][:5]}"
